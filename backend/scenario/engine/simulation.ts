// SPDX-License-Identifier: MIT
import { formatDuration, formatInstant, type Instant, instant, NEVER } from '../../calendar/time.js';
import { OneclockError } from '../../errors.js';
import { any, awaitAll, type Contender, type Contenders, type First, type Outcomes } from './combine.js';
import { Container, type ContainerOptions } from './container.js';
import { type Cancellable, Engine, type EngineOptions } from './engine.js';
import { Pending } from './event-heap.js';
import { External } from './external.js';
import { TimedOut } from './interruptions.js';
import { type Body, isPromiseLike, Process } from './process.js';
import { RandomStream } from './random.js';
import { Resource, type ResourceOptions } from './resource.js';
import { Signal, SimulationEvent } from './signal.js';
import { readNanoseconds, readSpan, type Span } from './span.js';
import { TimeWeighted } from './statistics.js';
import { Store, type StoreOptions } from './store.js';
import { type Source, Wait } from './wait.js';
import { Waiter } from './waiter.js';
import { describe, stuck, type Waiting } from './waiting.js';

export interface SimulationOptions extends EngineOptions {
  /** Every random choice comes from it, 0 … 2^64-1; 1 where it is absent. */
  readonly seed?: bigint;
}

/** Integers below it are exact in a `number`. */
const EXACT = 2 ** 53;

class Callback extends Pending implements Cancellable {
  constructor(
    private readonly simulation: Simulation,
    private readonly action: () => unknown,
  ) {
    super();
  }

  #over = false;

  fire(): boolean {
    this.#over = true;
    this.simulation.engine.owner = undefined;
    const result = this.action();
    if (!isPromiseLike(result)) return false;
    result.then(undefined, (error) => this.simulation.fail(error));
    return true;
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.simulation.engine.drop(this);
  }
}

/** What a script has of virtual time: processes, and what they wait for. */
export class Simulation {
  readonly engine: Engine;
  readonly seed: bigint;
  readonly #waiter: Waiter;
  readonly #external: External;
  readonly #clock: Source<void>;
  readonly #random = new Map<string, RandomStream>();
  #lastProcess: Process<unknown> | undefined;
  #made = 0;

  constructor(options: SimulationOptions = {}) {
    this.engine = new Engine(options);
    this.seed = options.seed ?? 1n;
    this.#waiter = new Waiter(this.engine);
    this.#external = new External(this.engine);
    const { engine } = this;
    this.#clock = {
      describe: (wait) => `${formatInstant(instant(BigInt(Math.round(wait.since))))} s`,
      withdraw: (wait) => engine.drop(wait),
    };
  }

  /** Virtual time, exact: nanoseconds since the run began. */
  get now(): Instant {
    return this.engine.now;
  }

  /** Virtual time for people and statistics: seconds, as near as a double comes. */
  get seconds(): number {
    return this.engine.nanoseconds / 1e9;
  }

  /** The process that runs; undefined outside of processes. */
  get current(): Process<unknown> | undefined {
    const { owner } = this.engine;
    return owner instanceof Process ? owner : undefined;
  }

  /**
   * Waits for `span`.
   *
   * @throws INPUT where it is not a duration
   */
  sleep(span: Span): Promise<void> {
    const nanoseconds = readNanoseconds(span);
    if (nanoseconds >= EXACT) return this.#until(instant(this.engine.now + readSpan(span)));
    const { owner } = this.#waiter;
    const interruption = owner.takeInterruption();
    if (interruption !== undefined) return Promise.reject(interruption);
    const wait = new Wait<void>(this.engine, owner, this.#clock);
    wait.arm(undefined);
    wait.since = this.engine.nanoseconds + nanoseconds;
    this.engine.putAfter(wait, nanoseconds);
    return wait.promise;
  }

  /**
   * Waits for the instant `time` after the run began; with `body`, a process that begins at it.
   *
   * @throws INPUT where it is past
   */
  at(time: Span): Promise<void>;
  at<T>(time: Span, body: Body<T>): Process<T>;
  at<T>(time: Span, body?: Body<T>): Promise<void> | Process<T> {
    const when = instant(readSpan(time));
    if (when < this.now) {
      throw new OneclockError(
        'INPUT',
        `nothing can be done at ${formatInstant(when)} s: it is ${formatInstant(this.now)} s already`,
      );
    }
    if (body === undefined) return this.#until(when);
    return this.process(`at ${formatInstant(when)} s`, async (process) => {
      await this.#until(when);
      return body(process);
    });
  }

  /**
   * A process that calls `action` after `span`, and again each `span` of virtual time. One call is awaited before
   * the next; what falls due meanwhile is left out.
   */
  every(span: Span, action: (process: Process<unknown>) => unknown, name?: string): Process<void> {
    const period = readSpan(span);
    if (period === 0n) throw new OneclockError('INPUT', 'what is done every 0s would never let time pass');
    return this.process(name ?? `every ${formatDuration(period)}`, async (process) => {
      const start = this.now;
      for (;;) {
        const passed = (this.now - start) / period;
        await this.#until(instant(start + (passed + 1n) * period));
        await action(process);
      }
    });
  }

  /**
   * Calls `action` after `span`: the quick way, for models that are made of callbacks. What it begins of promises
   * it must return; else that comes to rest only with the next event.
   */
  after(span: Span, action: () => unknown): Cancellable {
    const event = new Callback(this, action);
    const nanoseconds = readNanoseconds(span);
    if (nanoseconds < EXACT) this.engine.putAfter(event, nanoseconds);
    else this.engine.putAt(event, instant(this.engine.now + readSpan(span)));
    return event;
  }

  /** Begins `body` beside what runs, at this instant, in its turn. Random numbers can be had by its name. */
  process<T>(body: Body<T>): Process<T>;
  process<T>(name: string, body: Body<T>): Process<T>;
  process<T>(first: string | Body<T>, second?: Body<T>): Process<T> {
    const body = typeof first === 'string' ? (second as Body<T>) : first;
    this.#made++;
    const name = typeof first === 'string' ? first : body.name || `process ${this.#made}`;
    return new Process(this, name, body);
  }

  /** Tells all who wait, each time that it is fired. */
  signal<T = void>(name = 'of no name'): Signal<T> {
    return new Signal<T>(this.#waiter, name);
  }

  /** Something that a limited number of processes can have at once. */
  resource(options: ResourceOptions = {}): Resource {
    return new Resource(this.#waiter, options);
  }

  /** Items on their way between processes. */
  store<T>(options: StoreOptions<T> = {}): Store<T> {
    return new Store<T>(this.#waiter, options);
  }

  /** An amount of something. */
  container(options: ContainerOptions = {}): Container {
    return new Container(this.#waiter, options);
  }

  /** Statistics of a value that changes in time, from `initial` on. */
  timeWeighted(initial = 0): TimeWeighted {
    return new TimeWeighted(this.engine, initial);
  }

  /** The stream of random numbers `name`: the same one at each call; that of the process that runs, without a name. */
  random(name = this.#waiter.owner.name): RandomStream {
    let stream = this.#random.get(name);
    if (stream === undefined) {
      stream = new RandomStream(this.seed, name);
      this.#random.set(name, stream);
    }
    return stream;
  }

  /** Happens once. */
  event<T = void>(name = 'of no name'): SimulationEvent<T> {
    return new SimulationEvent<T>(this.#waiter, name);
  }

  /**
   * Waits for what comes first of a list or of named things: `{ key, value }`, or the error thrown. The others are
   * cancelled: waits are withdrawn, processes cancelled, functions (which begin as processes) too; a promise from
   * elsewhere is let be. `Promise.race` is the one that cancels nothing.
   */
  any<const C extends Contenders>(contenders: C): Promise<First<C>> {
    return any(this.#waiter, this.#begin, contenders);
  }

  /** Waits for all of a list or of named things. Where one fails, the others are cancelled as by {@link any}. */
  all<const C extends Contenders>(contenders: C): Promise<Outcomes<C>> {
    return awaitAll(this.#waiter, this.#begin, contenders);
  }

  /**
   * Waits for `contender`, but no longer than `span`: then it is cancelled as by {@link any}.
   *
   * @throws TimedOut
   */
  async timeout<T>(contender: Contender<T>, span: Span): Promise<T> {
    const first = await this.any([contender, this.sleep(span)]);
    if (first.key === 1) throw new TimedOut(`not done within ${formatDuration(readSpan(span))}`);
    return first.value as T;
  }

  /**
   * Waits for a promise of the real world (a file, a program, a network) while virtual time stands still. Several
   * at one instant go on at once, and end in the order in which they were waited for.
   */
  external<T>(promise: PromiseLike<T>): Promise<T> {
    const source = this.#external as Source<unknown> as Source<T>;
    return this.#waiter.wait(source, (wait) => this.#external.add(wait as Wait<unknown>, promise));
  }

  /** Ends the run with `error`. */
  fail(error: unknown): void {
    this.engine.fail(error);
  }

  /** Ends the run when what happens now has come to rest. */
  stop(): void {
    this.engine.stop();
  }

  /**
   * Lets everything happen that is before `until`, and lets time come to it; without `until`, all there is.
   *
   * @throws what a process threw that nobody awaited
   */
  run(until?: Span): Promise<void> {
    const end = until === undefined ? NEVER : instant(readSpan(until));
    return new Promise((resolve, reject) => {
      this.engine.run(end, (failure) => {
        if (failure !== undefined) return reject(failure);
        if (end !== NEVER && this.engine.next >= end) this.engine.reach(end);
        resolve();
      });
    });
  }

  /** What is waited for, in the order of the processes; each with its process's name. */
  waits(): Waiting[] {
    return this.#waits().map(describe);
  }

  /**
   * The error for a run that ends before its script: what is waited for, and where in the script. None of it goes on
   * afterwards.
   *
   * @param why it ends; undefined: nothing can happen any more
   */
  stuck(why?: string): Promise<OneclockError> {
    return stuck(this.#waits(), this.now, why);
  }

  #waits(): Wait<unknown>[] {
    const waits: Wait<unknown>[] = [];
    const add = (last: Wait<unknown> | undefined) => {
      for (let wait = last; wait !== undefined; wait = wait.earlier) waits.push(wait);
    };
    for (let process = this.#lastProcess; process !== undefined; process = process.earlier) add(process.last);
    add(this.#waiter.outside.last);
    return waits.reverse();
  }

  readonly #begin = (body: () => unknown): Process<unknown> => this.process(body);

  #until(time: Instant): Promise<void> {
    return this.#waiter.wait(this.#clock, (wait) => {
      wait.arm(undefined);
      wait.since = Number(time);
      this.engine.putAt(wait, time);
    });
  }

  /** For {@link Process}. */
  get waiter(): Waiter {
    return this.#waiter;
  }

  enter(process: Process<unknown>): void {
    const last = this.#lastProcess;
    process.earlier = last;
    if (last !== undefined) last.later = process;
    this.#lastProcess = process;
  }

  leave(process: Process<unknown>): void {
    const { earlier, later } = process;
    if (earlier !== undefined) earlier.later = later;
    if (later !== undefined) later.earlier = earlier;
    else this.#lastProcess = earlier;
  }
}
