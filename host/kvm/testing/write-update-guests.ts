// SPDX-License-Identifier: MIT
import { instant } from '../../../backend/calendar/index.js';
import { HubServer, type Member, type Method, VariableMemory } from '../../../backend/write-update/index.js';
import { decodeCall, Feature } from '../../../protocols/hypercall/index.js';
import type { Hub } from '../../native/index.js';
import { Machine, type MachineEnd } from '../index.js';
import { assemble } from './bare-metal.js';

const MEMORY = 2 << 20;
const NEVER = 0x7fff_ffff_ffff_ffffn;
const PAGE = 0x100000;

/** Where the guests have their variable, unless they say otherwise. */
export const VARIABLE = 0x110000;

/** Assembly: names of hypercall.h, START, REGISTER and CHANGED. RBX is the page; RAX and RDX are used. */
const SHARE = `
  .set PAGE, ${PAGE}
  .set VARIABLE, ${VARIABLE}
  .set REQ, 16; .set ARG, 32; .set VERSION, 64; .set FEATURES, 68
  .macro START features
    mov $PAGE, %ebx
    movl $1, VERSION(%rbx)
    movl $\\features, FEATURES(%rbx)
    movq $-1, REQ(%rbx)
    mov $PAGE >> 12, %eax
    mov $0x6c0, %edx
    out %eax, %dx
  .endm
  .macro RING op
    mov $\\op, %eax
    mov $0x6c4, %edx
    out %eax, %dx
  .endm
  # Waits until an instant that it may not reach by itself.
  .macro AWAIT at
    movq $\\at, ARG(%rbx)
    RING 16
  .endm
  # What its device is told.
  .macro TELLS what
    mov \\what, %rax
    mov $0xd0000000, %edx
    mov %rax, (%rdx)
  .endm
  .macro SHARE address, size, variable=1
    movabs $\\address, %rax
    mov %rax, ARG(%rbx)
    movq $\\size, ARG + 8(%rbx)
    movq $\\variable, ARG + 16(%rbx)
    RING 17
  .endm
  # The new value is in RCX.
  .macro CHANGE variable=1
    movq $\\variable, ARG(%rbx)
    mov %rcx, ARG + 8(%rbx)
    movq $1, ARG + 16(%rbx)
    RING 18
  .endm
`;

/** A guest that shares variables with the others of its group. */
export interface SharingGuest {
  readonly machine: Machine;
  readonly member: Member;
  /** What it told the page of its first device. */
  readonly told: bigint[];
  readonly ends: MachineEnd[];
  /** It has come to an ADVANCE that it may not pass, or a HLT. */
  waiting(): boolean;
  /** Lets it begin, or go on behind what it waits for. */
  go(): void;
  memory(address: number, length: number): Uint8Array;
}

/** What is measured of a group. */
export interface GroupWatch {
  /** A guest has rung with a change; `handled` follows when everything that comes of it is done. */
  rung?(): void;
  handled?(): void;
}

/** Bare-metal guests with a hub between them, without a calendar: they all run at once, and each is told at once. */
export class SharingGuests {
  readonly guests: SharingGuest[] = [];
  readonly #server: HubServer;
  readonly #features: number;

  constructor(
    private readonly hub: Hub,
    readonly method: Method,
    private readonly watch: GroupWatch = {},
  ) {
    this.#features = Feature.WRITE_UPDATE | (method === 'ordered' ? Feature.ORDERED : 0);
    this.#server = new HubServer(method, {
      isRemote: () => false,
      gone: (member, error) => {
        if (error) this.guests[member - 1]?.machine.fail(error.message);
      },
      describe: () => 'its variables',
    });
  }

  /** Makes a guest. Its source begins behind START and is for the method of the group: STORE is what the guest stores. */
  add(name: string, source: string): SharingGuest {
    const places = new Map<number, { readonly address: number; readonly size: number }>();
    const told: bigint[] = [];
    const ends: MachineEnd[] = [];
    const machine: Machine = new Machine(
      this.hub,
      {
        name,
        memory: MEMORY,
        platform: { clock: 'page', timeOfDay: 0n, features: this.#features, devices: 1 },
      },
      {
        onWrite: (_address, _size, value) => told.push(value),
        onRead: () => 0n,
        onKick: () => undefined,
        onWait: () => undefined,
        onEnd: (end) => {
          ends.push(end);
          this.#server.remove(id);
        },
        onBell: (operation, args) => {
          try {
            const bounds = { memoryBytes: MEMORY, page: machine.page as number, now: machine.now };
            const call = decodeCall(operation, args, bounds);
            if (call.op === 'register') {
              places.set(call.variable, call);
              member.register(call.variable, call.size);
            } else if (call.op === 'changed') {
              this.watch.rung?.();
              member.change(call.variable, call.value, call.ticks, instant(machine.now));
              this.watch.handled?.();
            }
          } catch (error) {
            machine.fail((error as Error).message);
          }
          return 0n;
        },
      },
    );
    const memory = new VariableMemory(machine.memory.bytes);
    const id = this.guests.length + 1;
    const member = this.#server.member(
      id,
      ({ variable, value }) => {
        const place = places.get(variable);
        if (!place || ends.length > 0) return;
        if (!memory.store(place.address, place.size, value)) machine.fail('its variable cannot be stored');
      },
      'its variables',
    );
    const store = `.macro STORE instruction:vararg\n${this.method === 'ordered' ? '' : '\\instruction'}\n.endm`;
    machine.load(
      Machine.IMAGE_BASE,
      assemble(`${SHARE}\n${store}\nSTART features=${this.#features}\n${source}`),
    );
    machine.start({ address: Machine.IMAGE_BASE });
    const guest: SharingGuest = {
      machine,
      member,
      told,
      ends,
      waiting: () => machine.waiting,
      go: () => {
        const { request, now } = machine;
        machine.run(request > now && request <= NEVER ? request : now, NEVER);
      },
      memory: (address, length) => machine.memory.bytes.subarray(address, address + length),
    };
    this.guests.push(guest);
    return guest;
  }

  stop(): void {
    for (const { machine } of this.guests) machine.stop();
  }
}
