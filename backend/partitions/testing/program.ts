// SPDX-License-Identifier: MIT
import { LINES, Op, PageLayout, type Warp, WarpLayout } from '../../../protocols/hypercall/index.js';
import { type Code, type FakeMachine, type FakeProgram, PAGE, TIMER_VECTOR } from './fake-machine.js';

export const WARP_VECTOR = 0xff;
export const LINE_VECTOR = 0x40;

/** What a program does, over and over. */
export type Action =
  | { readonly do: 'wait' }
  | { readonly do: 'work'; readonly ns: bigint; readonly interrupts: boolean };

export interface ProgramOptions {
  readonly period: bigint;
  readonly lines: readonly number[];
  readonly actions: readonly Action[];
  /** Own time that each handler uses, with interrupts off. */
  readonly handling: bigint;
  /** Whether it tells that it has applied its warps. */
  readonly acknowledges: boolean;
}

/** guest/partition in TypeScript, as far as time goes. */
export class Program implements FakeProgram {
  since = 0n;
  /** Own ticks that were counted. */
  own = 0n;
  /** Missed ticks, of acknowledged warps. */
  missed = 0n;
  readonly taken = new Array<number>(LINES).fill(0);
  readonly told = new Array<number>(LINES).fill(0);
  readonly warps: Warp[] = [];
  started = false;
  #applied = 0n;

  constructor(private readonly options: ProgramOptions) {}

  *main(machine: FakeMachine): Code {
    const { period, lines, actions } = this.options;
    this.since = machine.now;
    yield { do: 'ring', op: Op.PARTITION, args: [BigInt(WARP_VECTOR), period] };
    this.started = true;
    for (const line of lines) {
      yield { do: 'ring', op: Op.LINE, args: [BigInt(line), BigInt(LINE_VECTOR + line)] };
    }
    machine.requested = this.since + period;
    for (let place = 0; ; place = (place + 1) % actions.length) {
      const action = actions[place] as Action;
      yield { do: 'interrupts', on: action.do === 'wait' || action.interrupts };
      if (action.do === 'wait') yield { do: 'halt' };
      else yield* this.#work(machine, action.ns);
    }
  }

  *handler(machine: FakeMachine, vector: number): Code {
    yield* this.#warp(machine);
    if (vector === TIMER_VECTOR) this.own += this.#uncounted(machine);
    const line = vector - LINE_VECTOR;
    if (line >= 0 && line < LINES) (this.taken[line] as number)++;
    machine.requested = this.since + (this.own + this.missed + 1n) * this.options.period;
    yield* this.#work(machine, this.options.handling);
  }

  #uncounted({ now }: FakeMachine): bigint {
    return (now - this.since) / this.options.period - this.own - this.missed;
  }

  *#work(machine: FakeMachine, ns: bigint): Code {
    let left = ns;
    while (left > 0n) {
      const from = machine.now;
      const { slotEnd } = this.#read(machine);
      const end = from + left < slotEnd ? from + left : slotEnd;
      yield { do: 'advance', to: end };
      left -= (machine.now < slotEnd ? machine.now : slotEnd) - from;
    }
  }

  *#warp(machine: FakeMachine): Code {
    const warp = this.#read(machine);
    if (warp.sequence === this.#applied || !this.options.acknowledges) return;
    this.#applied = warp.sequence;
    this.warps.push(warp);
    this.own += this.#uncounted(machine) - warp.ticks;
    this.missed += warp.ticks;
    warp.pending.forEach((count, line) => {
      this.told[line] = (this.told[line] as number) + count;
    });
    yield { do: 'ring', op: Op.WARPED, args: [warp.sequence] };
  }

  #read({ memory }: FakeMachine): Warp {
    return readWarp(memory.bytes, PAGE);
  }
}

export function readWarp(bytes: Uint8Array, page: number): Warp {
  const view = new DataView(bytes.buffer, bytes.byteOffset + page + PageLayout.WARP, WarpLayout.BYTES);
  const long = (offset: number) => view.getBigUint64(offset, true);
  return {
    sequence: long(WarpLayout.SEQUENCE),
    left: long(WarpLayout.LEFT),
    entered: long(WarpLayout.ENTERED),
    slotEnd: long(WarpLayout.SLOT_END),
    ticks: long(WarpLayout.TICKS),
    pending: Array.from({ length: LINES }, (_, line) => view.getUint32(WarpLayout.PENDING + 4 * line, true)),
  };
}
