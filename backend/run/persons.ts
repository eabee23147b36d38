// SPDX-License-Identifier: MIT
import type { AgentEnd } from '../../protocols/agent/index.js';
import type { RecordedInput, ShellAct } from '../../protocols/recording/index.js';
import { type ExecHandle, OUTPUT_WINDOW } from '../agent/index.js';
import { after, duration, EventKind, type Instant, type RealTime, ZERO } from '../calendar/index.js';
import { OneclockError } from '../errors.js';
import type { RunNode } from './node.js';

/** How long what a person does takes to the guest, as on a cable: guests go ahead of persons by as much. */
export const PERSONS_LATENCY = duration(1_000_000n);

/** Output that a person has seen before the program is told that it may write more. */
const MORE = OUTPUT_WINDOW / 4;
const SIGHUP = 1;

/** Who has opened a shell: a connection. */
export interface Person {
  begun(): void;
  output(stream: 1 | 2, bytes: Uint8Array): void;
  /** All input is with the guest: it is a good time for more. */
  drained(): void;
  /** The program has ended. Nothing is told behind it. */
  ended(end: AgentEnd): void;
  /** It was not started, or its guest has gone. Nothing is told behind it. @param input what was asked for cannot be */
  refused(text: string, input: boolean): void;
}

export interface PersonsOwner {
  readonly timeline: RealTime;
  /** By their places in the topology; one that a script has started again is another. */
  readonly nodes: readonly RunNode[];
  /** Something comes from real time, now, and is handled by `act`. */
  input(what: () => RecordedInput, act: () => void): void;
  /** For the run log. */
  act(at: Instant, node: number, text: string): void;
}

/** A program that a person has in a guest. */
interface Shell {
  readonly number: number;
  readonly node: number;
  /** Undefined in a replay, or where the person has gone. */
  person: Person | undefined;
  handle: ExecHandle | undefined;
  hasTerminal: boolean;
  /** Acts with input that have not happened yet. */
  inputs: number;
  /** Bytes of output since it was told last that it may write more. */
  unseen: number;
  /** Whether the person has gone, and nobody reads what it writes. */
  isAlone: boolean;
  isOver: boolean;
}

/**
 * What persons do in the guests of a run, by their agents. What comes from a person happens in the guest's domain
 * {@link PERSONS_LATENCY} after the virtual time at which it came: guests, which are ahead by less, have not been there (rule
 * T6). A program writes as much as is read: what it may write after that is one more thing that comes from the person.
 */
export class Persons {
  readonly #shells: Shell[] = [];
  #acts = 0;

  constructor(private readonly owner: PersonsOwner) {}

  /** A person asks for a program. @throws OneclockError `INPUT` where no program can be in such a node */
  open(person: Person, request: Extract<ShellAct, { type: 'open' }>): Asking {
    const { nodes } = this.owner;
    const node = nodes.find(({ spec }) => spec.name === request.node);
    if (!node) {
      const known = nodes.map(({ spec }) => spec.name).join(', ');
      throw new OneclockError('INPUT', `there is no node ${request.node} in this run; it has ${known}`);
    }
    const why = whyNot(node);
    if (why !== undefined) throw new OneclockError('INPUT', `${request.node} ${why}`);
    const shell = this.#add(this.#shells.length, node.spec.index, person);
    this.#ask(shell, request);
    return {
      do: (act) => this.#ask(shell, act),
      seen: () => {
        if (shell.unseen >= MORE) this.#askForMore(shell);
      },
      leave: () => {
        if (shell.isOver) return;
        shell.person = undefined;
        shell.isAlone = true;
        this.#ask(shell, { type: 'gone' });
      },
    };
  }

  /** Does again what was recorded. @throws OneclockError `INPUT` where no recording has it */
  replay({ shell: number, node, at, act }: Extract<RecordedInput, { type: 'shell' }>): void {
    if (act.type === 'open') {
      const found = this.owner.nodes[node];
      if (number !== this.#shells.length || !found || whyNot(found) !== undefined) {
        throw new OneclockError('INPUT', `expected shell ${this.#shells.length} of a guest, found ${number}`);
      }
      this.#add(number, node, undefined);
    }
    const shell = this.#shells[number];
    if (shell?.node !== node) {
      throw new OneclockError('INPUT', `expected something of a shell that is open, found one of ${number}`);
    }
    this.#post(shell, at as Instant, act);
  }

  #add(number: number, node: number, person: Person | undefined): Shell {
    const shell: Shell = {
      number,
      node,
      person,
      handle: undefined,
      hasTerminal: false,
      inputs: 0,
      unseen: 0,
      isAlone: false,
      isOver: false,
    };
    this.#shells.push(shell);
    return shell;
  }

  #ask(shell: Shell, act: ShellAct): void {
    if (shell.isOver) return;
    const { timeline } = this.owner;
    let at: Instant = ZERO;
    this.owner.input(
      () => {
        at = after(timeline.now, PERSONS_LATENCY);
        return { type: 'shell', shell: shell.number, node: shell.node, at, act };
      },
      () => this.#post(shell, at, act),
    );
  }

  #askForMore(shell: Shell): void {
    shell.unseen = 0;
    this.#ask(shell, { type: 'more' });
  }

  #post(shell: Shell, at: Instant, act: ShellAct): void {
    const { timeline, nodes } = this.owner;
    if (act.type === 'input') shell.inputs++;
    timeline.post((nodes[shell.node] as RunNode).domain, {
      at,
      kind: EventKind.INPUT,
      // Nodes have the numbers before.
      source: nodes.length + shell.node,
      sequence: this.#acts++,
      apply: () => this.#do(shell, act),
    });
  }

  /** At the present instant of the guest's domain. */
  #do(shell: Shell, act: ShellAct): void {
    if (shell.isOver) return;
    const { handle } = shell;
    switch (act.type) {
      case 'open':
        this.#open(shell, act);
        break;
      case 'input': {
        if (act.bytes.length > 0) this.#log(shell, `a person types ${act.bytes.length} bytes`);
        if (act.end) this.#log(shell, 'a person ends the input');
        shell.inputs--;
        const taken = handle?.write(act.bytes) ?? true;
        if (act.end) handle?.end();
        if (taken) this.#drained(shell);
        break;
      }
      case 'resize':
        this.#log(shell, `a person has a terminal of ${act.terminal.rows} by ${act.terminal.columns}`);
        this.#say(shell, () => handle?.resize(act.terminal));
        break;
      case 'signal':
        this.#log(shell, `a person sends signal ${act.number}`);
        this.#say(shell, () => handle?.signal(act.number));
        break;
      case 'more':
        // A whole window, once: more than that only when it has been seen.
        handle?.resume();
        handle?.pause();
        break;
      case 'gone':
        this.#log(shell, 'a person has gone');
        // The end of a terminal's input would be one more character.
        if (!shell.hasTerminal) handle?.end();
        this.#say(shell, () => handle?.signal(SIGHUP));
        break;
    }
  }

  #open(shell: Shell, { command, terminal }: Extract<ShellAct, { type: 'open' }>): void {
    const node = this.owner.nodes[shell.node] as RunNode;
    const where = terminal ? `, on a terminal of ${terminal.rows} by ${terminal.columns}` : '';
    this.#log(
      shell,
      command === undefined ? `a person opens a shell${where}` : `a person runs ${command}${where}`,
    );
    shell.hasTerminal = terminal !== undefined;
    const options = {
      command: command ?? ['/bin/sh', '-l'],
      window: OUTPUT_WINDOW,
      ...(terminal && { terminal }),
    };
    this.#say(shell, () => {
      shell.handle = node.session?.exec(options, {
        started: () => shell.person?.begun(),
        output: (stream, bytes) => this.#output(shell, stream, bytes),
        drained: () => this.#drained(shell),
        ended: (end) => {
          shell.isOver = true;
          shell.person?.ended(end);
        },
        failed: (error) => this.#refuse(shell, error),
      });
      shell.handle?.pause();
    });
  }

  #output(shell: Shell, stream: 1 | 2, bytes: Uint8Array): void {
    shell.unseen += bytes.length;
    shell.person?.output(stream, bytes);
    if (shell.isAlone && shell.unseen >= MORE) this.#askForMore(shell);
  }

  #drained(shell: Shell): void {
    if (shell.inputs === 0) shell.person?.drained();
  }

  /** What is asked of a guest that has gone, or is too much for it, ends the shell and nothing else. */
  #say(shell: Shell, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof OneclockError) || error.code === 'INTERNAL') throw error;
      this.#refuse(shell, error);
    }
  }

  #refuse(shell: Shell, error: OneclockError): void {
    if (shell.isOver) return;
    shell.isOver = true;
    shell.person?.refused(error.message, error.code === 'INPUT');
  }

  #log({ node }: Shell, text: string): void {
    const { nodes, act } = this.owner;
    act((nodes[node] as RunNode).domain.now, node, text);
  }
}

/** What a person can do with a program. */
export interface Asking {
  do(act: ShellAct): void;
  /** All output was taken. */
  seen(): void;
  /** The person goes: the program hears of it as of a lost terminal. */
  leave(): void;
}

/** Why a node has no shell; undefined: it has. */
function whyNot({ spec, session }: RunNode): string | undefined {
  if (spec.board)
    return 'is in real time, as a board: shells are in guests in virtual time; log in to it as you would without a run';
  if (spec.kind === 'partition') return 'is a partition, without programs: it has no shell';
  return session === undefined ? 'has no agent' : undefined;
}
