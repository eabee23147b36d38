// SPDX-License-Identifier: MIT
import { type Call, decodeCall, Feature, Op, ResultError } from '../../protocols/hypercall/index.js';
import type { MemberMessage, Update } from '../../protocols/write-update/index.js';
import { after, EventKind, type Instant, NEVER, NO_TIME, type Timeline } from '../calendar/index.js';
import { OneclockError } from '../errors.js';
import type { SharedSpec } from '../topology/model.js';
import { Hub, Member, VariableMemory } from '../write-update/index.js';

/** Where nodes are in the calendar, and the middles of variables: a part of Layout. */
export interface SharedLayout {
  /** By the node's index. */
  readonly nodeDomain: readonly number[];
  /** By the place of the variable in the topology. */
  readonly sharedDomain: readonly number[];
}

/** Sees what guests do to their variables and what comes of it. Each call is at the present instant of its domain. */
export interface VariablesObserver {
  /** A guest has changed a variable, by its place in the topology. */
  changed(at: Instant, node: number, shared: number, value: bigint, ticks: bigint): void;
  /** An update of another guest's, or of its own, was stored in a guest. @param sequence its place in the order of all */
  stored(at: Instant, node: number, shared: number, value: bigint, origin: number, sequence: number): void;
}

/** What of a guest is needed. */
export interface SharingGuest {
  /** All of its memory; not used any more after {@link SharedVariables.detach}. */
  readonly memory: Uint8Array;
  /** Where in it the page of its clock is; undefined: it has none yet. */
  readonly page: number | undefined;
  /** It has done, while it stood still or at another time, what it may not do. */
  fail(error: OneclockError): void;
}

/** Changes of one guest that may be under way, or made at one instant. */
export const MAX_UNDER_WAY = 4096;

interface Place {
  readonly address: number;
  readonly size: number;
}

/** A node's share of a variable. */
interface Share {
  readonly node: number;
  readonly domain: Timeline;
  readonly variable: Variable;
  readonly member: Member;
  /** Its place among all shares of the topology. */
  readonly number: number;
  /** Where the guest has it; undefined: it has not registered it. */
  place: Place | undefined;
  /** Messages that it sent, and messages that it was told. */
  sent: number;
  told: number;
  /** When those of its last changes are in the middle that are not there yet. */
  readonly underWay: Instant[];
  /** Its changes at the instant of the last. */
  atOnce: number;
  lastChange: Instant | undefined;
}

/** Counts of one variable. */
export interface SharedCounts {
  /** Changes that guests have made. */
  readonly changes: number;
  /** Updates that were stored in guests. */
  readonly stores: number;
}

/** A variable with its hub, in a domain of its own unless it has no latency. */
interface Variable {
  readonly index: number;
  readonly spec: SharedSpec;
  readonly domain: Timeline;
  readonly hub: Hub;
  /** By node. */
  readonly shares: Map<number, Share>;
  changes: number;
  stores: number;
}

/**
 * The variables that guests share, on a calendar.
 *
 * What a guest changes is in the middle of the variable a latency later, takes its place in the order there, and is
 * stored in the others, `ordered` also in the guest itself, at that instant, while they stand still. None of them is
 * entered for it. Without latency that is before the change returns.
 */
export class SharedVariables {
  readonly #variables: readonly Variable[];
  /** By node: the shares of its variables, by the numbers of these. */
  readonly #shares = new Map<number, Map<number, Share>>();
  readonly #guests = new Map<number, { readonly guest: SharingGuest; readonly memory: VariableMemory }>();
  readonly #nodes: number;
  #count = 0;
  /** What the guest that rings has done wrong. */
  #fault: OneclockError | undefined;
  #ringing: number | undefined;

  constructor(
    {
      nodes,
      shared,
    }: {
      readonly nodes: readonly { readonly name: string; readonly index: number }[];
      readonly shared: readonly SharedSpec[];
    },
    layout: SharedLayout,
    domains: readonly Timeline[],
    private readonly observer: VariablesObserver,
  ) {
    this.#nodes = nodes.length;
    const indexes = new Map(nodes.map(({ name, index }) => [name, index]));
    this.#variables = shared.map((spec, index) => {
      const shares = new Map<number, Share>();
      const variable: Variable = {
        index,
        spec,
        domain: domains[layout.sharedDomain[index] as number] as Timeline,
        hub: new Hub(spec.method, {
          send: (message) => this.#tell(shares.get(message.member - 1) as Share, message),
          gone: (member, error) => this.#put(shares.get(member - 1) as Share, error),
          describe: () => `variable ${spec.name}`,
          isReliable: true,
        }),
        shares,
        changes: 0,
        stores: 0,
      };
      for (const name of spec.between) {
        const node = indexes.get(name) as number;
        this.#share(variable, node, domains[layout.nodeDomain[node] as number] as Timeline);
      }
      for (const { member } of shares.values()) member.join();
      return variable;
    });
  }

  /** Bits of ONECLOCK_HC_FEATURE that a node's guest is to have. */
  features(node: number): number {
    const [share] = this.#shares.get(node)?.values() ?? [];
    if (!share) return 0;
    return Feature.WRITE_UPDATE | (share.variable.spec.method === 'ordered' ? Feature.ORDERED : 0);
  }

  /** Says what the guest of a node is; nothing is stored before. */
  attach(node: number, guest: SharingGuest): void {
    this.#guests.set(node, { guest, memory: new VariableMemory(guest.memory) });
  }

  /** The guest has gone: nothing is stored in it any more. What it has sent stands. */
  detach(node: number): void {
    this.#guests.delete(node);
  }

  counts(name: string): SharedCounts {
    const { changes = 0, stores = 0 } = this.#variables.find(({ spec }) => spec.name === name) ?? {};
    return { changes, stores };
  }

  /**
   * A guest has rung; at the present instant of its domain.
   *
   * @returns the result; that of an operation that is not of variables, too, which is an error
   * @throws OneclockError PARTICIPANT for what it may not do, which is to end it; without its name
   */
  bell(node: number, op: number, args: readonly bigint[]): bigint {
    const guest = this.#guests.get(node)?.guest;
    if (!guest || !this.#shares.has(node) || (op !== Op.REGISTER && op !== Op.CHANGED)) {
      return -BigInt(ResultError.FEATURE);
    }
    const call = readCall(op, args, guest);
    const share = this.#shares.get(node)?.get(call.variable);
    this.#ringing = node;
    try {
      if (call.op === 'changed') this.#change(share, call.variable, call.value, call.ticks);
      else if (share) this.#register(share, { address: call.address, size: call.size });
      else return -BigInt(ResultError.FEATURE);
      if (this.#fault) throw this.#fault;
    } finally {
      this.#ringing = undefined;
      this.#fault = undefined;
    }
    return 0n;
  }

  #share(variable: Variable, node: number, domain: Timeline): void {
    // Members count from 1.
    const member = new Member(
      node + 1,
      variable.spec.method,
      { send: (message) => this.#send(share, message), write: (update) => this.#store(share, update) },
      { name: `variable ${variable.spec.name}`, isReliable: true },
    );
    const share: Share = {
      node,
      domain,
      variable,
      member,
      number: this.#count++,
      place: undefined,
      sent: 0,
      told: 0,
      underWay: [],
      atOnce: 0,
      lastChange: undefined,
    };
    variable.shares.set(node, share);
    const shares = this.#shares.get(node) ?? new Map<number, Share>();
    shares.set(variable.spec.variable, share);
    this.#shares.set(node, shares);
  }

  #register(share: Share, place: Place): void {
    const { member, variable } = share;
    const isNew = share.place === undefined;
    share.place = place;
    member.register(variable.spec.variable, place.size);
    // A guest may have it at another place from now on.
    const latest = member.latest(variable.spec.variable);
    if (!isNew && latest) this.#store(share, latest);
  }

  #change(share: Share | undefined, number: number, value: bigint, ticks: bigint): void {
    if (share?.place === undefined) fail('a registered variable', `${number}`);
    const { domain, member, variable } = share;
    const { name, latency } = variable.spec;
    const at = domain.now;
    share.atOnce = at === share.lastChange ? share.atOnce + 1 : 1;
    share.lastChange = at;
    if (latency !== NO_TIME) {
      while ((share.underWay[0] ?? NEVER) <= at) share.underWay.shift();
      share.underWay.push(after(at, latency));
    }
    const most = Math.max(share.atOnce, share.underWay.length);
    if (most > MAX_UNDER_WAY)
      fail(`at most ${MAX_UNDER_WAY} changes of ${name} at once or under way`, `${most}`);
    // Before what comes of it.
    variable.changes += 1;
    this.observer.changed(at, share.node, variable.index, value, ticks);
    member.change(number, value, ticks, at);
  }

  /** Carries a message of a guest's to the middle of the variable. */
  #send(share: Share, message: MemberMessage): void {
    const { domain, variable, number } = share;
    // Nothing takes time before the run begins.
    if (variable.spec.latency === NO_TIME || message.body.type === 'join')
      return variable.hub.receive(message);
    domain.post(variable.domain, {
      at: after(domain.now, variable.spec.latency),
      kind: EventKind.BROADCAST,
      // Nodes are the sources of other broadcasts.
      source: this.#nodes + number,
      sequence: share.sent++,
      apply: () => variable.hub.receive(message),
    });
  }

  /** Carries a message from the middle of the variable to a guest, in no time. */
  #tell(share: Share, message: MemberMessage): void {
    if (message.body.type === 'snapshot') return share.member.receive(message);
    this.#reach(share, () => {
      try {
        share.member.receive(message);
      } catch (error) {
        // It has registered the variable with another size than the others, and the hub does not know of it yet.
        if (!(error instanceof OneclockError) || error.code !== 'PARTICIPANT') throw error;
        this.#blame(share, error);
      }
    });
  }

  /** Lets something happen where a guest is, from the middle of a variable: at once, or at the same instant. */
  #reach(share: Share, act: () => void): void {
    const { domain, variable, number } = share;
    if (variable.spec.latency === NO_TIME) return act();
    variable.domain.post(domain, {
      at: variable.domain.now,
      kind: EventKind.BROADCAST,
      // Behind all that goes to the middles of variables.
      source: this.#nodes + this.#count + number,
      sequence: share.told++,
      apply: act,
    });
  }

  /** The hub has put a member out. */
  #put(share: Share, error: OneclockError | undefined): void {
    if (error) this.#reach(share, () => this.#blame(share, error));
  }

  /** Ends a guest for what it has done: one that rings, by the answer. */
  #blame({ node }: Share, error: OneclockError): void {
    if (this.#ringing === node) this.#fault ??= error;
    else this.#guests.get(node)?.guest.fail(error);
  }

  #store(share: Share, { value, origin, sequence }: Update): void {
    const { node, domain, place, variable } = share;
    const attached = this.#guests.get(node);
    if (!attached || !place) return;
    if (!attached.memory.store(place.address, place.size, value)) {
      const error = refusal(
        `a variable ${variable.spec.name} that can be stored`,
        'one whose word never stands still',
      );
      return this.#blame(share, error);
    }
    variable.stores += 1;
    this.observer.stored(domain.now, node, variable.index, value, origin - 1, sequence);
  }
}

/** @throws OneclockError PARTICIPANT */
function readCall(
  op: number,
  args: readonly bigint[],
  { memory, page }: SharingGuest,
): Extract<Call, { op: 'register' | 'changed' }> {
  // A guest without a page cannot ring.
  if (page === undefined) fail('START first', 'an operation');
  try {
    return decodeCall(op, args, { memoryBytes: memory.length, page, now: 0n }) as Extract<
      Call,
      { op: 'register' | 'changed' }
    >;
  } catch (cause) {
    throw new OneclockError('PARTICIPANT', (cause as Error).message, { cause });
  }
}

function refusal(expected: string, found: string): OneclockError {
  return new OneclockError('PARTICIPANT', `expected ${expected}, found ${found}`);
}

function fail(expected: string, found: string): never {
  throw refusal(expected, found);
}
