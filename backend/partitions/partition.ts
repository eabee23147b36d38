// SPDX-License-Identifier: MIT
import {
  type Call,
  decodeCall,
  HypercallPage,
  PageLayout,
  ResultError,
  type Warp,
} from '../../protocols/hypercall/index.js';
import {
  duration,
  earlier,
  type Instant,
  type Interrupt,
  instant,
  later,
  NEVER,
  ZERO,
} from '../calendar/index.js';
import { OneclockError } from '../errors.js';
import type { Guest, GuestOwner } from '../participants/guest.js';
import { HangWatch } from '../participants/hang-watch.js';
import { Account } from './account.js';
import { Lines, type Processor } from './lines.js';
import type { LineListener } from './periodic-line.js';
import type { Schedule, Slot } from './schedule.js';

/** What a partition has of a {@link Machine} with a clock page. */
export interface PartitionMachine extends Processor {
  readonly memory: { readonly bytes: Uint8Array };
  /** Where its page is, once it has one. */
  readonly page: number | undefined;
  readonly now: bigint;
  readonly request: bigint;
  readonly liveNow: bigint;
  readonly thread: number | undefined;
  readonly cpuMs: number;
  run(at: bigint, until: bigint): void;
  curtail(until: bigint): void;
  kick(): void;
  fail(reason: string): void;
  stop(): void;
}

/** What a partition's machine tells it; the guest stands still meanwhile. */
export interface PartitionMachineHandler {
  onWait(): void;
  onBell(operation: number, args: readonly [bigint, bigint, bigint]): bigint;
  onSerial(bytes: Uint8Array): void;
  onPower(how: 'off' | 'reboot' | 'panic'): void;
  onKick(): void;
  onEnd(end: { readonly detail: string }): void;
}

/** What a partition tells the run; each at the present instant of its domain. */
export interface PartitionOwner extends GuestOwner {
  console(bytes: Uint8Array): void;
  /** It has the processor up to `end`. `warp` is what it is told; undefined: it does not take warps. */
  entered(end: Instant, warp: Warp | undefined): void;
  /** A line that it has taken is raised: an interrupt, or kept for its next warp. */
  line(line: number, kept: boolean): void;
  /** It has taken `line`: from now on it hears of it. */
  tookLine(line: number, listener: LineListener): void;
  /** It has applied a warp. */
  warped(sequence: bigint): void;
  /** A deadline of it has passed. */
  missed(task: bigint, deadline: Instant): void;
  /** It powered itself off, and takes no part any more. */
  ended(): void;
}

export interface PartitionOptions {
  readonly id: number;
  readonly name: string;
  /** That of its processor. */
  readonly schedule: Schedule;
  /** Makes its machine, which has not begun to run. @throws OneclockError where it cannot be had */
  machine(handler: PartitionMachineHandler): PartitionMachine;
}

/**
 * A bare-metal guest that has a processor in the slots of a schedule only. Virtual time passes for it there; at each
 * entry it is told what it has missed.
 */
export class Partition implements Guest, LineListener {
  readonly id: number;
  readonly name: string;
  /** It has none of its own. */
  readonly pid = undefined;
  readonly #schedule: Schedule;
  readonly #machine: PartitionMachine;
  readonly #lines: Lines;
  readonly #watch: HangWatch;
  /** The slot in which it runs, or ran last. */
  #slot: Slot | undefined;
  /** Undefined: it does not take warps. */
  #account: { readonly account: Account; readonly vector: number } | undefined;
  /** The grant under way; undefined while it is quiet. */
  #grant: { until: Instant } | undefined;
  /** When it wants to run, while it is quiet. */
  #wake: Instant;
  #closed = false;
  /** Its time and the processor time that it had used when it was closed. */
  #closedAt: Instant = ZERO;
  #cpuMs = 0;

  constructor(
    options: PartitionOptions,
    private readonly owner: PartitionOwner,
  ) {
    this.id = options.id;
    this.name = options.name;
    this.#schedule = options.schedule;
    this.#wake = this.#schedule.slotFrom(this.name, ZERO)?.start ?? NEVER;
    this.#machine = options.machine({
      onWait: () => this.#waits(),
      onBell: (operation, args) => this.#bell(operation, args),
      onSerial: (bytes) => {
        this.sign();
        this.owner.console(bytes);
      },
      onPower: (how) => this.#powered(how),
      onKick: () => this.#machine.fail(this.#watch.reason),
      onEnd: ({ detail }) => this.fail(new OneclockError('PARTICIPANT', detail), this.#watch.stopping),
    });
    this.#lines = new Lines(this.#machine);
    this.#watch = new HangWatch({ pulse: () => this.#machine.liveNow, kick: () => this.#machine.kick() });
  }

  get thread(): number | undefined {
    return this.#machine.thread;
  }

  get cpuMs(): number {
    return this.#closed ? this.#cpuMs : this.#machine.cpuMs;
  }

  get alive(): boolean {
    return this.#slot !== undefined && !this.#closed;
  }

  get ending(): boolean {
    return this.#watch.stopping && !this.#closed;
  }

  get wake(): Instant {
    return this.#closed || this.#grant ? NEVER : this.#wake;
  }

  get now(): Instant {
    return later(this.#closed ? this.#closedAt : instant(this.#machine.now), this.#slot?.start ?? ZERO);
  }

  run(at: Instant, until: Instant): void {
    // The run is being taken down, and nothing may be started any more.
    if (this.#closed) return;
    this.sign();
    if (this.#slot === undefined || at >= this.#slot.end) this.#enter(at);
    const grant = { until: earlier(until, (this.#slot as Slot).end) };
    this.#grant = grant;
    this.#lines.offer();
    this.#machine.run(at, grant.until);
  }

  curtail(until: Instant): void {
    if (!this.#grant || until >= this.#grant.until || this.#closed) return;
    this.#grant.until = until;
    this.#machine.curtail(until);
  }

  reach(): void {}

  /** A line is raised, while the partition is quiet. */
  raised(line: number, at: Instant): void {
    if (this.#closed || !this.#lines.has(line)) return;
    const present = this.#slot !== undefined && at < this.#slot.end;
    this.owner.line(line, !present);
    if (!present) {
      this.#account?.account.keep(line);
      return;
    }
    this.#lines.raise(line);
    this.#wake = at;
    this.owner.rescheduled();
  }

  /** It has no devices that could be kicked. */
  setPatience(): void {}

  /** Nobody has marks for it. */
  notify(): Interrupt {
    return { participant: this, deliver: (done) => done() };
  }

  /** It stands still between its activations: there is nothing that it could do. */
  acts(): boolean {
    return !this.#closed;
  }

  /** It has just been heard of. */
  sign(): void {
    this.#watch.sign();
  }

  checkHang(limitMs: number): void {
    if (this.#grant === undefined || this.#closed) return;
    if (this.#watch.check(limitMs)) this.fail(new OneclockError('PARTICIPANT', this.#watch.reason), true);
  }

  fail(error: OneclockError, hung = false): void {
    if (this.#closed) return;
    this.close();
    this.owner.rescheduled();
    this.owner.failed(error, hung);
  }

  close(): void {
    if (this.#closed) return;
    this.#closedAt = instant(this.#machine.now);
    this.#cpuMs = this.#machine.cpuMs;
    this.#closed = true;
    this.#grant = undefined;
    this.#machine.stop();
  }

  #enter(at: Instant): void {
    const left = this.#slot?.end;
    const slot = this.#schedule.slotAt(this.name, at) as Slot;
    this.#slot = slot;
    if (!this.#account || left === undefined) {
      this.owner.entered(slot.end, undefined);
      return;
    }
    const { account, vector } = this.#account;
    this.#lines.leave((line, count) => account.keep(line, count));
    const warp = account.enter(left, at, slot.end);
    this.#tell(warp);
    this.owner.entered(slot.end, warp);
    this.#machine.interrupt(vector);
  }

  #tell(warp: Warp): void {
    const page = this.#machine.page as number;
    new HypercallPage(this.#machine.memory.bytes.subarray(page, page + PageLayout.BYTES)).warp(warp);
  }

  /** It has nothing to do before the end of its grant, or is in need of more. */
  #waits(): void {
    this.sign();
    const { until } = this.#grant as { until: Instant };
    const now = instant(this.#machine.now);
    if (this.#lines.offer()) {
      this.#machine.run(now, until);
      return;
    }
    const { end } = this.#slot as Slot;
    const request = later(instant(this.#machine.request), now);
    this.#wake = request < end ? request : (this.#schedule.slotFrom(this.name, end)?.start ?? NEVER);
    this.#grant = undefined;
    this.owner.quiet();
  }

  /** What a partition does wrong costs it its life. */
  #bell(operation: number, args: readonly [bigint, bigint, bigint]): bigint {
    this.sign();
    const { page, now, memory } = this.#machine;
    try {
      if (page === undefined) throw breach('expected START before any operation');
      const bounds = { memoryBytes: memory.bytes.length, page, now };
      return this.#call(legal(() => decodeCall(operation, args, bounds)));
    } catch (error) {
      if (!(error instanceof OneclockError) || error.code !== 'PARTICIPANT') throw error;
      this.#machine.fail(error.message);
      return 0n;
    }
  }

  #call(call: Call): bigint {
    const now = this.#machine.now as Instant;
    if (call.op === 'partition') {
      if (this.#account) throw breach('expected PARTITION once, found it again');
      const account = new Account(now, duration(call.period));
      this.#account = { account, vector: call.vector };
      this.#tell(account.first((this.#slot as Slot).end));
      return 0n;
    }
    if (call.op === 'update') return 0n;
    if (call.op !== 'line' && call.op !== 'warped' && call.op !== 'missed') {
      return -BigInt(ResultError.FEATURE);
    }
    if (!this.#account) throw breach('expected PARTITION before any other operation of partitions');
    if (call.op === 'line') {
      this.#lines.take(call.line, call.vector);
      this.owner.tookLine(call.line, this);
      return 0n;
    }
    if (call.op === 'warped') {
      const { account } = this.#account;
      const present = legal(() => account.acknowledge(call.sequence));
      this.owner.warped(call.sequence);
      return present;
    }
    this.owner.missed(call.task, instant(call.deadline));
    return 0n;
  }

  #powered(how: 'off' | 'reboot' | 'panic'): void {
    if (how !== 'off') {
      const what = how === 'panic' ? 'stopped in a panic' : 'rebooted';
      this.fail(new OneclockError('PARTICIPANT', `it ${what}`));
      return;
    }
    if (this.#closed) return;
    this.close();
    this.owner.rescheduled();
    this.owner.ended();
  }
}

function breach(what: string): OneclockError {
  return new OneclockError('PARTICIPANT', what);
}

/** What `check` finds wrong is the guest's fault. */
function legal<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw breach((error as Error).message);
  }
}
