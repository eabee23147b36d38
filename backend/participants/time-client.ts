// SPDX-License-Identifier: MIT
import type { Channel, Hub } from '../../host/native/hub.js';
import {
  MessageDecoder,
  MessageEncoder,
  type Notifications,
  NotifyLayout,
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
  /**
   * Memory that the client will not take, for one that begins later than 0: User-Mode Linux takes the time of RUN
   * for its own, where the protocol has that of the page (6.12, time_travel_handle_message). By messages alone it
   * begins at 0, and the difference is kept here.
   */
  readonly refusal?: number;
  /** Where clients may write logs of the protocol; nobody reads it. */
  readonly logDescriptor: number;
  /** Where kicks and interrupts of its devices take no message; only in a page of its own. */
  readonly notifications?: Notifications;
}

/** What a {@link TimeClient} tells its owner. */
export interface TimeClientOwner {
  /** The time of day at virtual time 0, in nanoseconds since 1970. */
  readonly timeOfDay: bigint;
  /** It has opened the connection with `identity`, and is held until its first `run`. */
  started(identity: bigint): void;
  /** It has sent something, which is not looked at yet. */
  spoke?(): void;
  /** It has told its time, before it goes on: for what it has written elsewhere by then. */
  toldTime?(): void;
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
  /** Kicks are dealt with whose times lie behind the client. */
  #replaying = false;
  /** What the client may not reach, as far as it was told. */
  #until: Instant = ZERO;
  /**
   * What `run` has granted. Time is checked against this: when a grant is shortened for something that the client
   * need not wait for, such as its own broadcast, it may be past the shorter one already.
   */
  #granted: Instant = ZERO;
  /** What it asked for by message since it ran last. */
  #requested: Instant = NEVER;
  /** Sequence number of our message that has no acknowledgement yet. */
  #unacknowledged: number | undefined;
  #sequence = 0;
  readonly #unsent: { readonly op: number; readonly time: bigint }[] = [];
  readonly #afterSettling: (() => void)[] = [];
  #messages = 0;
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

  get #closed(): boolean {
    return this.#state === 'closed';
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

  /** How many messages have come from it. */
  get messages(): number {
    return this.#messages;
  }

  /** Whether it has to acknowledge something. */
  get owesAnswer(): boolean {
    return this.#unacknowledged !== undefined;
  }

  /** When it wants to run, which is never in the past. */
  get wake(): Instant {
    if (this.#state === 'held') return this.#now;
    if (this.#state !== 'waiting') return NEVER;
    let at = this.#requested;
    if (this.#shares) {
      // While somebody runs who does not use the page, it asks by message also where it does. The later of two
      // requests that it makes in one wait is the earlier one in time.
      const shared = this.slot.page.request(this.slot.id);
      if (shared !== undefined && shared < at) at = instant(shared);
    }
    return later(at, this.#now);
  }

  /** How far it is known to have come. */
  get now(): Instant {
    if (this.#state !== 'running' || this.#replaying || !this.#shares) return this.#now;
    const now = this.slot.page.currentTime;
    // What is wrong with other values is said when its next message comes.
    if (now > this.#now && now < this.#granted) this.#now = instant(now);
    return this.#now;
  }

  /** It begins at `at`. Called while it is held. */
  beginAt(at: Instant): void {
    this.#now = at;
  }

  run(at: Instant, until: Instant): void {
    if (this.#state === 'closed') return;
    const { page, id } = this.slot;
    const first = this.#state === 'held';
    this.#state = 'running';
    this.#now = at;
    this.#until = this.#granted = until;
    this.#requested = NEVER;
    page.currentTime = at;
    page.freeUntil = until;
    // Clients that use the page see there whether the running one does.
    page.runningId = id;
    if (first) {
      this.#offset = at;
      this.#acknowledgeStart();
    } else if (this.#shares) {
      // With shared memory RUN has no acknowledgement.
      this.whenSettled(() => this.#channel.send(this.#encoder.encode(Op.RUN, this.#nextSequence(), at)));
    } else {
      this.#send(Op.FREE_UNTIL, until - this.#offset);
      this.#send(Op.RUN, at - this.#offset);
    }
  }

  /**
   * It may not reach `until` any more. Where it waits for an answer of ours, that answer is given when it has heard
   * of this, see {@link whenSettled}.
   */
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
   * Leaves an interrupt of a device for the moment at which the client runs, which it wants to do now. It waits.
   *
   * @returns false where it does not look there
   */
  call(device: number, queue: number): boolean {
    const { notifications } = this.slot;
    if (this.#state !== 'waiting' || !notifications?.listens(device)) return false;
    notifications.call(device, queue);
    this.#requested = this.#now;
    return true;
  }

  /**
   * Gives the kicks that the client has left in its page to `kicked`, each at its time, in which it may be
   * interrupted by nothing else.
   *
   * @returns whether there were any
   */
  takeKicks(kicked: (device: number, queue: number, available: number) => void): boolean {
    const { notifications, page } = this.slot;
    if (!notifications || this.#state !== 'running') return false;
    const count = notifications.kicks;
    if (count === 0 || !this.#shares) return false;
    notifications.clearKicks();
    if (count > NotifyLayout.KICKS) {
      this.#fail(`it left ${count} kicks in its page, which has room for ${NotifyLayout.KICKS}`);
      return true;
    }
    let limit = this.#granted;
    this.#replaying = true;
    for (let place = 0; place < count && this.#replaying; place++) {
      const at = instant(notifications.kickTime(place));
      const device = notifications.kickDevice(place);
      if (at < this.#now) this.#fail(wentBack(this.#now, at));
      else if (at >= limit) this.#fail(ranPast(at, limit));
      else {
        this.#now = at;
        const answer = instant(at + notifications.patience(device));
        if (answer < limit) limit = answer;
        kicked(device, notifications.kickQueue(place), notifications.kickAvailable(place));
      }
    }
    this.#replaying = false;
    // Whatever its kicks have brought about could be answered from here on.
    if (this.#state === 'running' && page.currentTime >= limit) {
      this.#fail(ranPast(instant(page.currentTime), limit));
    }
    return true;
  }

  /**
   * Calls `action` when the client has acknowledged all that was sent to it: whoever answers a guest's message
   * on another socket answers only then, so that the guest has heard of a shortened grant before it goes on.
   */
  whenSettled(action: () => void): void {
    if (this.#unacknowledged === undefined) action();
    else this.#afterSettling.push(action);
  }

  /** Passes on a mark of another client. The client is quiet; one that has not begun is not told. */
  broadcast(value: bigint): void {
    if (this.#state === 'waiting') this.#send(Op.BROADCAST, value);
  }

  /** Parts with the client, for what it did wrong; the owner hears of it as of any other failure. */
  giveUp(what: string): void {
    this.#fail(what);
  }

  close(): void {
    // Its page goes: how far it came is asked for afterwards, too.
    this.#now = this.now;
    this.#replaying = false;
    this.#state = 'closed';
    this.#channel.close();
  }

  #onMessage(op: number, sequence: number, time: bigint): void {
    if (this.#state === 'closed') return;
    this.#messages++;
    this.#lastOp = op;
    this.#lastSequence = sequence;
    this.#lastTime = time;
    this.owner.spoke?.();
    if (this.#closed) return;
    const strayed = this.#strayed();
    if (strayed !== undefined) return this.#fail(strayed);
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
        this.owner.broadcast(time);
        return this.whenSettled(() => this.#acknowledge(sequence, 0n));
      default:
        return this.#fail(this.#outOfPlace(op));
    }
  }

  /** What is wrong with the time that a running client has left in the page. */
  #strayed(): string | undefined {
    if (this.#state !== 'running' || !this.#shares) return undefined;
    const at = this.slot.page.currentTime;
    if (at < this.#now) return wentBack(this.#now, instant(at));
    if (at >= this.#granted) return ranPast(instant(at), this.#granted);
    this.#now = instant(at);
    return undefined;
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
    if (at < this.#now) return this.#fail(wentBack(this.#now, at));
    if (this.#state !== 'running') return this.#fail(this.#outOfPlace(Op.UPDATE));
    if (at >= this.#granted) return this.#fail(ranPast(at, this.#granted));
    this.#now = at;
    // Clients that share the page look for the time there, whoever runs.
    this.slot.page.currentTime = at;
    this.owner.toldTime?.();
    this.whenSettled(() => this.#acknowledge(sequence, 0n));
  }

  #onAcknowledgement(sequence: number): void {
    if (sequence !== this.#unacknowledged) {
      const expected = this.#unacknowledged === undefined ? 'none' : `that of ${this.#unacknowledged}`;
      return this.#fail(`it acknowledged message ${sequence}, where ${expected} was expected`);
    }
    this.#unacknowledged = undefined;
    this.#sendNext();
    if (this.#unacknowledged === undefined) this.#settle();
  }

  #settle(): void {
    while (this.#unacknowledged === undefined) {
      const action = this.#afterSettling.shift();
      if (!action) return;
      action();
    }
  }

  #acknowledgeStart(): void {
    const { id: place, descriptor, refusal, logDescriptor } = this.slot;
    const id = BigInt(place) & START_ACK_ID_MASK;
    const descriptors = [this.#offset > 0n ? (refusal ?? descriptor) : descriptor, logDescriptor];
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
    this.#unacknowledged = this.#nextSequence();
    this.#channel.send(this.#encoder.encode(next.op, this.#sequence, next.time));
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    return this.#sequence;
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
    // Nobody else may be kept waiting for its answers.
    this.#unacknowledged = undefined;
    this.#settle();
  }
}

function wentBack(from: Instant, to: Instant): string {
  return `its time went back from ${formatInstant(from)} to ${formatInstant(to)}`;
}

function ranPast(at: Instant, granted: Instant): string {
  return `it ran past its time: it came to ${formatInstant(at)}, and was allowed to run up to ${formatInstant(granted)} only`;
}
