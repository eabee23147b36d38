// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { AgentDecoder, type FromGuest, type GuestReport, isReport } from '../../protocols/agent/index.js';
import { AgentSession } from '../agent/index.js';
import { type Instant, type Timeline, ZERO } from '../calendar/index.js';
import {
  AGENT_PORT,
  CONSOLE_PORT,
  type GpioLevel,
  VirtioConsole,
  type VirtioDevice,
  VirtioGpio,
  VirtioNet,
} from '../devices/index.js';
import { invariant, OneclockError } from '../errors.js';
import { SerialLine } from '../serial/index.js';
import type { NodeSpec } from '../topology/model.js';
import type { NodeState } from './result.js';

/** How much of a console's last output is kept, to explain a guest's death. */
const LAST_OUTPUT_BYTES = 8192;

/** What a node tells the run; each at the present instant of the node's domain. */
export interface NodeOwner {
  /** The guest does something that others see. @returns whether it may */
  acts(node: RunNode, what: string): boolean;
  transmit(node: RunNode, place: number, frame: Uint8Array): void;
  console(node: RunNode, bytes: Uint8Array): void;
  /** Bytes on a serial line; `input`: the guest receives them. They may be changed afterwards. */
  serial?(node: RunNode, line: string, input: boolean, bytes: Uint8Array): void;
  /** The guest drives a line with a level, or, undefined, no more. */
  drive(node: RunNode, line: number, level: GpioLevel | undefined): void;
  /** The guest's GPIO driver has gone, with it or without it. */
  released(node: RunNode): void;
  /** Its `run` has ended, or its guest is up. */
  reported(node: RunNode, message: GuestReport): void;
  failed(node: RunNode, error: OneclockError): void;
}

/** Which of the guests that a node has, one after the other, and when it is switched on. */
export interface Life {
  /** 0: the first. */
  readonly number: number;
  readonly begins: Instant;
}

const FIRST: Life = { number: 0, begins: ZERO };

/** A node of a run: its devices, and how it stands. A board's console and agent are not among them. */
export class RunNode {
  readonly nets: readonly VirtioNet[];
  /** Undefined where it has no pin on a wire. */
  readonly gpio: VirtioGpio | undefined;
  readonly devices: readonly VirtioDevice[];
  /** What its guest is told to do; undefined where it has no agent. */
  readonly session: AgentSession | undefined;
  /** Its serial lines and consoles by name. */
  readonly serial: ReadonlyMap<string, SerialLine>;
  state: NodeState = 'running';
  exit: number | undefined;
  signal: number | undefined;
  endedAt: Instant | undefined;
  /** When the run heard of that, where it is another instant. */
  heardAt: Instant | undefined;
  reason: string | undefined;
  /** A script has ended it: nothing is expected of it any more. */
  dismissed = false;
  /** Whether its guest is set up. */
  isReady = false;
  readonly #agent: AgentDecoder;
  readonly #console: VirtioConsole;
  #lastOutput = '';

  /** @param agent whether its guest does what the run says */
  constructor(
    readonly spec: NodeSpec,
    readonly domain: Timeline,
    private readonly owner: NodeOwner,
    agent = false,
    readonly life: Life = FIRST,
  ) {
    this.#agent = new AgentDecoder(spec.name);
    this.#console = new VirtioConsole(
      { name: `console of ${spec.name}` },
      { output: (port, bytes) => this.#output(port, bytes) },
    );
    const elsewhere = spec.board?.agent !== undefined || spec.kind === 'script';
    this.nets = (elsewhere ? [] : spec.interfaces).map(
      ({ name, mac, mtu }, place) =>
        new VirtioNet(
          { name: `${name} of ${spec.name}`, mac, mtu },
          {
            transmit: (frame) => {
              if (this.owner.acts(this, 'sent a frame')) this.owner.transmit(this, place, frame);
            },
          },
        ),
    );
    this.gpio =
      spec.lines.length === 0 || elsewhere
        ? undefined
        : new VirtioGpio(
            { name: `gpio of ${spec.name}`, lines: kernelNames(spec.lines) },
            {
              drive: (line, level) => {
                if (this.owner.acts(this, 'drove a line')) this.owner.drive(this, line, level);
              },
              released: () => this.owner.released(this),
            },
          );
    this.serial = new Map(
      (spec.serial ?? []).map(({ name, acknowledge }) => [name, this.#serialLine(name, acknowledge)]),
    );
    const bare = spec.kind === 'board' || spec.kind === 'partition' || spec.kind === 'script';
    this.devices = [...(bare ? [] : [this.#console]), ...this.nets, ...(this.gpio ? [this.gpio] : [])];
    this.session = agent && !bare ? new AgentSession(spec.name, (bytes) => this.#tell(bytes)) : undefined;
  }

  /**
   * Types on its console, at the present instant of its domain. The bytes, which are not to change any more, wait until its
   * kernel has the console open.
   *
   * @returns false where too much waits already: nothing was typed
   */
  type(bytes: Uint8Array): boolean {
    return this.#console.input(CONSOLE_PORT, bytes);
  }

  /** Its guest has gone, or does nothing more that counts: what was asked of its agent will not be done. */
  gone(reason: string): void {
    this.session?.gone(reason);
  }

  /** Whether it has a guest, as far as is known; also where its `run` has ended. */
  get isOn(): boolean {
    return !this.dismissed && this.state !== 'evicted' && this.state !== 'crashed' && this.state !== 'hung';
  }

  /** The interface at `place` has no cable: its guest is told so. */
  unplug(place: number): void {
    this.nets[place]?.setLink(false);
  }

  /** What its kernel said when it died; undefined where it did not. */
  get panic(): string | undefined {
    return /Kernel panic - [ -~]*/.exec(this.#lastOutput)?.[0].trimEnd();
  }

  /** Whether the run has nothing to wait for here. */
  get done(): boolean {
    return this.spec.run === undefined || this.state !== 'running';
  }

  /** What its guest's randomness comes from. */
  randomSeed(runSeed: bigint): bigint {
    const { number } = this.life;
    return createHash('sha256')
      .update(`oneclock guest ${runSeed} ${this.spec.name}${number === 0 ? '' : ` ${number}`}`)
      .digest()
      .readBigUInt64LE();
  }

  /** What the topology expects of it, in words; undefined: nothing. */
  get expected(): string | undefined {
    const { expect } = this.spec;
    if (expect === undefined) return undefined;
    return expect === 'running' ? 'is running at the end' : `exits with ${expect.exit}`;
  }

  /** Why its end is not what the topology expects; undefined where it is. */
  get disappointment(): string | undefined {
    const { expect, name } = this.spec;
    if (this.state === 'evicted' || this.dismissed || expect === undefined) return undefined;
    if (expect === 'running') {
      return this.state === 'running'
        ? undefined
        : `${name} was to be running at the end, and ${this.#account()}`;
    }
    if (this.state === 'exited' && this.exit === expect.exit) return undefined;
    return `${name} was to exit with ${expect.exit}, and ${this.#account()}`;
  }

  #account(): string {
    if (this.state === 'exited') return `exited with ${this.exit}`;
    if (this.state === 'killed') return `was ended by signal ${this.signal}`;
    return this.state === 'running' ? 'was still running' : `is ${this.state}`;
  }

  /** The session sends no more than the guest has taken, which is less than may wait. */
  #tell(bytes: Uint8Array): void {
    invariant(this.#console.input(AGENT_PORT, bytes), () => `${this.spec.name}: the agent port is full`);
  }

  #serialLine(name: string, acknowledge: boolean): SerialLine {
    return new SerialLine(name, acknowledge, {
      output: (bytes) => {
        if (this.owner.acts(this, `wrote to ${name}`)) this.owner.serial?.(this, name, false, bytes);
      },
      input: (bytes) => this.owner.serial?.(this, name, true, bytes),
    });
  }

  #output(port: number, bytes: Uint8Array): void {
    if (port === CONSOLE_PORT) {
      this.#lastOutput = (this.#lastOutput + Buffer.from(bytes).toString('latin1')).slice(-LAST_OUTPUT_BYTES);
    }
    if (!this.owner.acts(this, 'wrote to its console')) return;
    if (port === CONSOLE_PORT) this.owner.console(this, bytes);
    if (port !== AGENT_PORT) return;
    try {
      for (const message of this.#agent.push(bytes)) {
        // One that has failed by the message before this one says no more.
        if (!this.owner.acts(this, 'sent a message')) continue;
        if (isReport(message)) this.#report(message);
        this.#answer(message);
      }
    } catch (error) {
      if (!(error instanceof OneclockError) || error.code !== 'PARTICIPANT') throw error;
      this.owner.failed(this, error);
    }
  }

  #report(message: GuestReport): void {
    if (message.type === 'failed') {
      this.owner.failed(this, new OneclockError('PARTICIPANT', `its init failed: ${message.text}`));
      return;
    }
    this.note(message);
    this.owner.reported(this, message);
  }

  /** Its guest has reported that, at the present instant of its domain. */
  note(message: GuestReport): void {
    if (message.type === 'ready') this.isReady = true;
    if (message.type === 'exited') {
      this.state = 'exited';
      this.exit = message.code;
      this.endedAt = this.domain.now;
    } else if (message.type === 'signalled') {
      this.state = 'killed';
      this.signal = message.signal;
      this.endedAt = this.domain.now;
    }
  }

  #answer(message: FromGuest): void {
    if (this.session) this.session.take(message);
    else if (!isReport(message)) {
      const text = `${this.spec.name}: agent port: expected a report, found ${message.type}`;
      throw new OneclockError('PARTICIPANT', text);
    }
  }
}

/**
 * The names that the kernel is told of lines. Where all are called by their numbers, none: it calls the folder of a line in
 * sysfs by its name, where it has one, and programs such as onoff look for it by the number of the line in the kernel.
 */
function kernelNames(lines: readonly string[]): readonly string[] {
  const numbered = lines.every((name, offset) => name === `gpio${offset}`);
  return numbered ? lines.map(() => '') : lines;
}
