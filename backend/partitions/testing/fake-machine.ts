// SPDX-License-Identifier: MIT
import { NO_REQUEST } from '../../../protocols/hypercall/index.js';
import type { PartitionMachine, PartitionMachineHandler } from '../partition.js';

/** What a program does to its processor. */
export type Step =
  | { readonly do: 'halt' }
  /** The result is the new time. */
  | { readonly do: 'advance'; readonly to: bigint }
  /** The result is that of the operation. */
  | { readonly do: 'ring'; readonly op: number; readonly args: readonly bigint[] }
  | { readonly do: 'interrupts'; readonly on: boolean }
  | { readonly do: 'end'; readonly how: 'off' | 'reboot' | 'panic' };
export type Code = Generator<Step, void, bigint>;

/** A guest in TypeScript. */
export interface FakeProgram {
  main(machine: FakeMachine): Code;
  handler(machine: FakeMachine, vector: number): Code;
}

/** Where {@link FakeMachine} has its page. */
export const PAGE = 4096;
export const TIMER_VECTOR = 0xf0;

/** A machine with a clock page whose guest is a program in TypeScript, with the semantics of hypercall.h. */
export class FakeMachine implements PartitionMachine {
  readonly memory = { bytes: new Uint8Array(2 * PAGE) };
  readonly page = PAGE;
  readonly thread = undefined;
  readonly cpuMs = 0;
  now = 0n;
  /** Set by the program. */
  requested = NO_REQUEST;
  request = NO_REQUEST;
  stopped = false;
  kicks = 0;
  /** Whether it does not come back from `run`. */
  hangs = false;
  #freeUntil = 0n;
  readonly #pending = new Set<number>();
  /** Raised since the last return of an ADVANCE. */
  #fresh = false;
  #interrupts = false;
  /** The innermost last; each but the first is an interrupt. */
  readonly #frames: { readonly code: Code; readonly interrupts: boolean }[] = [];
  #wanted: { readonly step: Step } | undefined;

  constructor(
    private readonly handler: PartitionMachineHandler,
    private readonly program: FakeProgram,
  ) {
    this.#frames.push({ code: program.main(this), interrupts: false });
  }

  get liveNow(): bigint {
    return this.now;
  }

  interrupt(vector: number): void {
    this.#pending.add(vector);
    this.#fresh = true;
  }

  interruptPending(vector: number): boolean {
    return this.#pending.has(vector);
  }

  run(at: bigint, until: bigint): void {
    if (this.stopped || this.hangs) return;
    if (at < this.now || until <= at) throw new Error(`run(${at}, ${until}) at ${this.now}`);
    this.now = at;
    this.#freeUntil = until;
    this.#ring();
    this.#go();
  }

  curtail(until: bigint): void {
    if (until <= this.now) throw new Error(`curtail(${until}) at ${this.now}`);
    this.#freeUntil = until;
  }

  kick(): void {
    this.kicks++;
    this.handler.onKick();
  }

  fail(reason: string): void {
    if (this.stopped) return;
    this.stopped = true;
    this.handler.onEnd({ detail: reason });
  }

  stop(): void {
    this.stopped = true;
  }

  /** The timer's interrupt, where it is due. */
  #ring(): void {
    if (this.requested > this.now) return;
    this.requested = NO_REQUEST;
    this.interrupt(TIMER_VECTOR);
  }

  #go(): void {
    let result = 0n;
    while (!this.stopped) {
      if (this.#wanted) {
        const answer = this.#try(this.#wanted.step);
        if (answer === undefined) {
          this.handler.onWait();
          return;
        }
        result = answer;
        this.#wanted = undefined;
      }
      if (this.#interrupts && this.#pending.size > 0) {
        const vector = Math.max(...this.#pending);
        this.#pending.delete(vector);
        this.#interrupts = false;
        this.#frames.push({ code: this.program.handler(this, vector), interrupts: true });
        // What was interrupted gets its result when it goes on.
        this.#results.push(result);
        result = 0n;
      }
      const frame = this.#frames.at(-1) as { code: Code; interrupts: boolean };
      const { done, value } = frame.code.next(result);
      if (!done) this.#wanted = { step: value };
      else if (this.#frames.length === 1) this.#wanted = { step: { do: 'halt' } };
      else {
        this.#frames.pop();
        this.#interrupts = frame.interrupts;
        result = this.#results.pop() as bigint;
      }
    }
  }

  readonly #results: bigint[] = [];

  /** @returns the result; undefined: it waits */
  #try(step: Step): bigint | undefined {
    switch (step.do) {
      case 'halt':
        if (!this.#interrupts) {
          this.fail('halt with interrupts off');
          return 0n;
        }
        if (this.#pending.size > 0) return 0n;
        if (this.requested < this.#freeUntil) {
          if (this.requested > this.now) this.now = this.requested;
          this.#ring();
          return 0n;
        }
        this.request = this.requested;
        return undefined;
      case 'advance': {
        if (this.#fresh || step.to <= this.now) {
          this.#fresh = false;
          return this.now;
        }
        const to = this.requested < step.to ? this.requested : step.to;
        if (to >= this.#freeUntil) {
          this.request = to;
          return undefined;
        }
        this.now = to;
        this.#ring();
        this.#fresh = false;
        return to;
      }
      case 'ring':
        return this.handler.onBell(step.op, [step.args[0] ?? 0n, step.args[1] ?? 0n, step.args[2] ?? 0n]);
      case 'interrupts':
        this.#interrupts = step.on;
        return 0n;
      case 'end':
        this.stopped = true;
        this.handler.onPower(step.how);
        return 0n;
    }
  }
}
