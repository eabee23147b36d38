// SPDX-License-Identifier: MIT
// The part of the section `kvm` that runs where KVM is: on this machine, or in one that QEMU emulates (see kvm.ts).
import { measureExits } from './kvm-exits.js';
import type { KvmFigures, KvmOrder, Part } from './kvm-figures.js';
import { linuxRuns, measureLinux } from './kvm-linux.js';
import { measureRates } from './kvm-updates.js';

async function measure(order: KvmOrder): Promise<KvmFigures> {
  const { repetitions, bareExits, exits, updates, pings } = order;
  const progress = (text: string) => process.stderr.write(`bench: kvm: ${text}\n`);
  const turns = async <T>(part: Part, turn: () => T | Promise<T>) => {
    if (!order.parts.includes(part)) return null;
    const taken: T[] = [];
    for (let turns = 1; turns <= repetitions; turns++) {
      progress(`turn ${turns} of ${repetitions}: ${part}`);
      taken.push(await turn());
    }
    return taken;
  };
  return {
    exits: await turns('exits', () => measureExits(bareExits, exits)),
    updates: await turns('updates', () => measureRates(updates)),
    linux: await turns('linux', () => measureLinux(pings, progress)),
  };
}

const [word = ''] = process.argv.slice(2);
try {
  const found = word === 'trial' ? { linux: await linuxRuns() } : await measure(JSON.parse(word) as KvmOrder);
  process.stdout.write(`${JSON.stringify(found)}\n`);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
