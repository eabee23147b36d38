// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { Machine } from '../host/kvm/index.js';
import { assemble } from '../host/kvm/testing/bare-metal.js';
import { NativeHub } from '../host/native/index.js';
import { Feature, Op } from '../protocols/hypercall/index.js';

const MEMORY = 2 << 20;
const PAGE = 0x100000;
const LIMIT_MS = 60_000;
const FOREVER = 1n << 62n;
const FEATURES = Feature.HYPERCALL | Feature.WRITE_UPDATE;
const DEVICE = Machine.virtioBase(0);
/** InterruptStatus, the one register that C++ answers for. */
const STATUS = DEVICE + 0x60;
const QUEUE_NOTIFY = 0x50;
/** Of a queue that is notified, somewhere in the memory. */
const AVAILABLE = 0x110002;
/** Long enough that what is kept limits nobody. */
const PATIENCE = 1n << 40n;
/** A write here says that the guest begins, and then that it is done. */
const MARK = DEVICE + 8;

/** How a guest leaves its processor, with the loop that does it RCX times. RBX may be used, RAX and RDX hold nothing. */
const CASES = [
  { name: 'UPDATE by PIO', way: 'pio', handled: 'C++', loop: doorbell(Op.UPDATE) },
  {
    name: 'InterruptStatus by MMIO',
    way: 'mmio read',
    handled: 'C++',
    loop: `mov $${STATUS}, %edx; 1: mov (%rdx), %eax; loop 1b`,
  },
  {
    name: 'kick of a queue, kept',
    way: 'mmio write',
    handled: 'C++',
    loop: `mov $${DEVICE + QUEUE_NOTIFY}, %edx; xor %eax, %eax; 1: mov %eax, (%rdx); loop 1b`,
  },
  { name: 'UPDATE by hypercall', way: 'hypercall', handled: 'C++', loop: hypercall(Op.UPDATE) },
  { name: 'REGISTER by PIO', way: 'pio', handled: 'JavaScript', loop: doorbell(Op.REGISTER) },
  {
    name: 'register read by MMIO',
    way: 'mmio read',
    handled: 'JavaScript',
    loop: `mov $${DEVICE}, %edx; 1: mov (%rdx), %eax; loop 1b`,
  },
  {
    name: 'kick by MMIO',
    way: 'mmio write',
    handled: 'JavaScript',
    loop: `mov $${DEVICE}, %edx; 1: mov %eax, (%rdx); loop 1b`,
  },
  { name: 'REGISTER by hypercall', way: 'hypercall', handled: 'JavaScript', loop: hypercall(Op.REGISTER) },
] as const;

/** Microseconds for one exit. */
export interface Cost {
  readonly wallUs: number;
  /** Of all threads of the process. */
  readonly cpuUs: number;
}

/** One exit in one turn: ours, and the bare one of the same way. */
export interface ExitSample {
  readonly name: string;
  readonly handled: 'C++' | 'JavaScript';
  readonly ours: Cost;
  readonly bare: Cost;
}

export interface ExitTurn {
  /** A bare exit by PIO. */
  readonly bare: Cost;
  readonly samples: readonly ExitSample[];
}

/**
 * Measures every case once. Those by hypercall only where this machine's KVM gives ours to us.
 *
 * @throws Error where a guest does not do what it should
 */
export function measureExits(program: string, exits: number): ExitTurn {
  const bare = readBare(execFileSync(program, [`${exits}`], { encoding: 'utf8', timeout: LIMIT_MS }));
  const samples = CASES.flatMap(({ name, way, handled, loop }) => {
    const own = bare.get(way);
    return own ? [{ name, handled, ours: measureCase(loop, exits), bare: own }] : [];
  });
  return { bare: bare.get('pio') as Cost, samples };
}

/** The costs by the names of the ways, from what bare-exits.cc prints. */
export function readBare(output: string): ReadonlyMap<string, Cost> {
  const lines = output.trim().split('\n');
  return new Map(
    lines.map((line) => {
      const found = /^([a-z ]+): ([\d.]+) ([\d.]+)$/.exec(line);
      if (!found) throw new Error(`expected the cost of a bare exit, found "${line}"`);
      return [found[1] as string, { wallUs: Number(found[2]), cpuUs: Number(found[3]) }];
    }),
  );
}

function doorbell(operation: number): string {
  return `mov $0x6c4, %edx; mov $${operation}, %eax; 1: out %eax, %dx; loop 1b`;
}

/** The result comes in RAX. The number of rounds is argument 0, and does no harm. */
function hypercall(operation: number): string {
  return `mov $${operation}, %ebx; 1: mov $30, %eax; vmmcall; loop 1b`;
}

/** A guest that goes through the loop, a tenth as often before it begins. */
function source(loop: string, exits: number): string {
  const tell = `mov $${MARK}, %edx; mov %eax, (%rdx)`;
  const rounds = (count: number) => `mov $${count}, %ecx; ${loop}`;
  return `
    mov $${PAGE}, %ebx
    movl $1, 64(%rbx)
    movl $${FEATURES}, 68(%rbx)
    movl $0, 72(%rbx)
    movq $-1, 16(%rbx)
    mov $${PAGE} >> 12, %eax
    mov $0x6c0, %edx
    out %eax, %dx
    ${rounds(Math.ceil(exits / 10))}
    ${tell}
    ${rounds(exits)}
    ${tell}
    cli
    hlt`;
}

function measureCase(loop: string, exits: number): Cost {
  const hub = new NativeHub();
  const marks: { wallMs: number; cpuUs: number }[] = [];
  let death: string | undefined;
  const machine: Machine = new Machine(
    hub,
    {
      name: 'bench',
      memory: MEMORY,
      platform: { clock: 'page', timeOfDay: 0n, features: FEATURES, devices: 1 },
    },
    {
      onWrite: (address) => {
        if (address !== BigInt(MARK)) return;
        const { user, system } = process.cpuUsage();
        marks.push({ wallMs: performance.now(), cpuUs: user + system });
        if (marks.length === 2) machine.stop();
      },
      onRead: () => 0n,
      onBell: () => 0n,
      onKick: () => undefined,
      onEnd: ({ message }) => {
        death = message;
      },
    },
  );
  try {
    machine.load(Machine.IMAGE_BASE, assemble(source(loop, exits)));
    machine.start({ address: Machine.IMAGE_BASE });
    machine.setQueue(0, 0, { available: AVAILABLE });
    machine.setPatience(0, PATIENCE);
    machine.run(0n, FOREVER);
    const end = performance.now() + LIMIT_MS;
    while (marks.length < 2 && death === undefined && performance.now() < end) hub.poll(100);
    if (death !== undefined) throw new Error(death);
    const [from, to] = marks;
    if (!from || !to)
      throw new Error(`expected ${exits} exits within ${LIMIT_MS} ms, found ${machine.exits}`);
    return { wallUs: ((to.wallMs - from.wallMs) * 1000) / exits, cpuUs: (to.cpuUs - from.cpuUs) / exits };
  } finally {
    machine.stop();
    hub.close();
  }
}
