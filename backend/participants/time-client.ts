// SPDX-License-Identifier: MIT
import type { Channel, Hub } from '../../host/native/hub.js';
import {
  MessageDecoder,
  MessageEncoder,
  Op,
  opName,
  type SharedPage,
  START_ACK_ID_MASK,
} from '../../protocols/um-timetravel/index.js';
import { formatInstant, type Instant, instant, later, NEVER, ZERO } from '../calendar/index.js';
import { OneclockError } from '../errors.js';

/** The client's place in a page of shared memory. */
export interface PageSlot {
  /** What the clients of its domain share. */
  readonly page: SharedPage;
  /** Its place there; a client that goes by messages alone has one that nobody uses. */
  readonly id: number;
  /** The memory that the client is given: the page's, or one that it will not take. */
  readonly descriptor: number;
  /** Where clients may write logs of the protocol; nobody reads it. */
  readonly logDescriptor: number;
}

/** What a {@link TimeClient} tells its owner. */
export interface TimeClientOwner {
  /** The time of day at virtual time 0, in nanoseconds since 1970. */
  readonly timeOfDay: bigint;
  /** It has opened the connection with `identity`, and is held until its first `run`. */
  started(identity: bigint): void;
  /** It has done all it can until its `wake`. */
  quiet(): void;
  /** The time of its domain, for a client that asks for it while another runs. */
  now(): Instant;
  /** It wants to run at `at`, and is told that this is known when `acknowledge` is called. */
  requested(at: Instant, acknowledge: () => void): void;
  broadcast(value: bigint): void;
  /** It broke the protocol, or `left`: it closed its socket. The connection is closed already. */
  failed(error: OneclockError, left: boolean): void;
}

type State = 'new' | 'held' | 'running' | 'waiting' | 'closed';

/**
 * The controller's end of one `time-travel=ext:` connection, with shared memory where the client takes it and by
 * messages alone where it does not. One message of ours is outstanding at a time (rule T4).
 */
export class TimeClient {
  readonly #channel: Channel;
  readonly #encoder = new MessageEncoder();
  readonly #decoder = new MessageDecoder();
  readonly #receive = (op: number, sequence: number, time: bigint) => this.#onMessage(op, sequence, time);
  #state: State = 'new';
  #startSequence = 0;
  /** Where this side's clock stood when the client's began; a client without shared memory begins at 0. */
  #offset = 0n;
  #sharesTime = false;
  #now: Instant = ZERO;
  #until: Instant = ZERO;
  #requested: Instant = NEVER;
  /** Sequence number of our message that has no acknowledgement yet. */
  #unacknowledged: number | undefined;
  #sequence = 0;
  readonly #unsent: { readonly op: number; readonly time: bigint }[] = [];
  #afterSettling: (() => void)[] = [];
  #lastOp: number | undefined;
  #lastSequence = 0;
  #lastTime = 0n;

  /** Takes over `descriptor`, a connected socket. */
  constructor(
    readonly name: string,
    private readonly slot: PageSlot,
    private readonly owner: TimeClientOwner,
    hub: Hub,
    descriptor: number,
  ) {
    this.#channel = hub.open(descriptor, {
      onData: (bytes) => this.#decoder.push(bytes, this.#receive),
      onClose: (reason) => this.#fail(`its time socket was closed (${reason})`, true),
    });
  }

  /** The client says that it uses the page before it sends anything after START; it never takes it back. */
  get #shares(): boolean {
    this.#sharesTime ||= this.slot.page.sharesTime(this.slot.id);
    return this.#sharesTime;
  }

  /** The client's last message, for people. */
  get lastMessage(): string {
    if (this.#lastOp === undefined) return 'nothing';
    return `${opName(this.#lastOp)} (sequence ${this.#lastSequence}, time ${this.#lastTime})`;
  }

  /** When it wants to run, which is never in the past. */
  get wake(): Instant {
    if (this.#state === 'held') return this.#now;
    if (this.#state !== 'waiting') return NEVER;
    const requested = this.#shares ? this.slot.page.request(this.slot.id) : this.#requested;
    if (requested === undefined || requested >= NEVER) return NEVER;
    return requested < this.#now ? this.#now : instant(requested);
  }

  /** How far it is known to have come. */
  get now(): Instant {
    if (this.#state !== 'running' || !this.#shares) return this.#now;
    const now = instant(this.slot.page.currentTime);
    if (now < this.#now || now >= this.#until) return this.#now;
    this.#now = now;
    return now;
  }

  run(at: Instant, until: Instant): void {
    const { page, id } = this.slot;
    const first = this.#state === 'held';
    this.#state = 'running';
    this.#now = at;
    this.#until = until;
    page.currentTime = at;
    page.freeUntil = until;
    if (first) {
      page.runningId = id;
      this.#offset = at;
      this.#acknowledgeStart();
    } else if (this.#shares) {
      page.runningId = id;
      // With shared memory RUN has no acknowledgement.
      this.whenSettled(() => this.#channel.send(this.#encoder.encode(Op.RUN, ++this.#sequence, at)));
    } else {
      this.#requested = NEVER;
      this.#send(Op.FREE_UNTIL, until - this.#offset);
      this.#send(Op.RUN, at - this.#offset);
    }
  }

  /** It may not reach `until` any more. Called while it waits for an answer of ours, see {@link whenSettled}. */
  curtail(until: Instant): void {
    if (until >= this.#until) return;
    this.#until = until;
    if (this.#shares) this.slot.page.freeUntil = until;
    else if (this.#state === 'running') this.#send(Op.FREE_UNTIL, until - this.#offset);
  }

  /** The domain's time is `at`; the client, which is quiet, reads it when an interrupt comes. */
  reach(at: Instant): void {
    if (at > this.#now) this.#now = at;
    this.slot.page.currentTime = at;
  }

  /**
   * Calls `action` when the client has acknowledged all that was sent to it: whoever answers a guest's message
   * on another socket answers only then, so that the guest has heard of a shortened grant before it goes on.
   */
  whenSettled(action: () => void): void {
    if (this.#unacknowledged === undefined) action();
    else this.#afterSettling.push(action);
  }

  /** Passes on a mark of another client. The client is quiet. */
  broadcast(value: bigint): void {
    this.#send(Op.BROADCAST, value);
  }

  close(): void {
    this.#state = 'closed';
    this.#channel.close();
  }

  #onMessage(op: number, sequence: number, time: bigint): void {
    if (this.#state === 'closed') return;
    this.#lastOp = op;
    this.#lastSequence = sequence;
    this.#lastTime = time;
    if (op === Op.ACK) return this.#onAcknowledgement(sequence);
    if ((this.#state === 'new') !== (op === Op.START)) return this.#fail(this.#outOfPlace(op));
    if (this.#state === 'held') return this.#fail(`it sent ${opName(op)} before its START was answered`);
    switch (op) {
      case Op.START:
        this.#state = 'held';
        this.#startSequence = sequence;
        return this.owner.started(time);
      case Op.REQUEST:
        return this.#onRequest(sequence, time);
      case Op.WAIT:
        return this.#onWait(sequence);
      case Op.GET:
        return this.#acknowledge(sequence, this.#present() - this.#clientOffset());
      case Op.UPDATE:
        return this.#onUpdate(sequence, time);
      case Op.GET_TOD:
        return this.#acknowledge(sequence, this.owner.timeOfDay + this.#present());
      case Op.BROADCAST:
        this.#acknowledge(sequence, 0n);
        return this.owner.broadcast(time);
      default:
        return this.#fail(this.#outOfPlace(op));
    }
  }

  #clientOffset(): bigint {
    return this.#shares ? 0n : this.#offset;
  }

  #onRequest(sequence: number, time: bigint): void {
    const at = time + this.#clientOffset();
    if (at < this.#now) {
      return this.#fail(
        `it asked to run at ${formatInstant(instant(at))}, when it was ${formatInstant(this.#now)} already`,
      );
    }
    this.#requested = instant(at);
    this.owner.requested(this.#requested, () => this.#acknowledge(sequence, 0n));
  }

  #present(): Instant {
    return this.#state === 'running' ? this.now : later(this.#now, this.owner.now());
  }

  #onWait(sequence: number): void {
    if (this.#state === 'waiting') return this.#fail('it sent WAIT while it was waiting already');
    this.#state = 'waiting';
    // With shared memory WAIT has no acknowledgement.
    if (!this.#shares) this.#acknowledge(sequence, 0n);
    this.owner.quiet();
  }

  #onUpdate(sequence: number, time: bigint): void {
    const at = instant(time + this.#clientOffset());
    if (at < this.#now) {
      return this.#fail(`its time went back from ${formatInstant(this.#now)} to ${formatInstant(at)}`);
    }
    if (this.#state !== 'running' || at >= this.#until) {
      return this.#fail(
        `it ran to ${formatInstant(at)}, and was allowed to run up to ${formatInstant(this.#until)} only`,
      );
    }
    this.#now = at;
    // Clients that share the page look for the time there, whoever runs.
    this.slot.page.currentTime = at;
    this.#acknowledge(sequence, 0n);
  }

  #onAcknowledgement(sequence: number): void {
    if (sequence !== this.#unacknowledged) {
      const expected = this.#unacknowledged === undefined ? 'none' : `that of ${this.#unacknowledged}`;
      return this.#fail(`it acknowledged message ${sequence}, where ${expected} was expected`);
    }
    this.#unacknowledged = undefined;
    this.#sendNext();
    if (this.#unacknowledged !== undefined) return;
    const actions = this.#afterSettling;
    this.#afterSettling = [];
    for (const action of actions) action();
  }

  #acknowledgeStart(): void {
    const id = BigInt(this.slot.id) & START_ACK_ID_MASK;
    const descriptors = [this.slot.descriptor, this.slot.logDescriptor];
    this.#channel.send(this.#encoder.encode(Op.ACK, this.#startSequence, id), descriptors);
  }

  #acknowledge(sequence: number, time: bigint): void {
    this.#channel.send(this.#encoder.encode(Op.ACK, sequence, time));
  }

  #send(op: number, time: bigint): void {
    this.#unsent.push({ op, time });
    if (this.#unacknowledged === undefined) this.#sendNext();
  }

  #sendNext(): void {
    const next = this.#unsent.shift();
    if (!next) return;
    this.#unacknowledged = ++this.#sequence;
    this.#channel.send(this.#encoder.encode(next.op, this.#sequence, next.time));
  }

  #outOfPlace(op: number): string {
    return this.#state === 'new'
      ? `its first message was ${opName(op)}, where START was expected`
      : `it sent ${opName(op)}, which a client does not send here`;
  }

  #fail(what: string, left = false): void {
    if (this.#state === 'closed') return;
    this.close();
    this.owner.failed(new OneclockError('PARTICIPANT', what), left);
  }
}
