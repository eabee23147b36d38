// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { readElf } from '../../host/kvm/elf.js';
import { Machine } from '../../host/kvm/index.js';
import type { Hub } from '../../host/native/index.js';
import { Feature } from '../../protocols/hypercall/index.js';
import { OneclockError } from '../errors.js';
import type { PartitionMachine, PartitionMachineHandler } from './partition.js';

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

export interface PartitionMachineOptions {
  readonly name: string;
  /** The file of its program: a 64-bit ELF file. */
  readonly program: string;
  /** Bytes. */
  readonly memory: number;
  /** The time of day at virtual time 0, in nanoseconds since 1970. */
  readonly timeOfDay: bigint;
}

/**
 * A KVM guest with a bare-metal program, which has not begun to run.
 *
 * @throws OneclockError `MACHINE` where this machine cannot have KVM guests, `INPUT` where the program is none
 */
export function createPartitionMachine(
  { name, program, memory, timeOfDay }: PartitionMachineOptions,
  handler: PartitionMachineHandler,
  hub: Hub,
): PartitionMachine {
  const image = readProgram(name, program);
  if (image.end > memory) {
    throw new OneclockError(
      'INPUT',
      `partition ${name}: expected a program for ${memory} bytes of memory; found one that needs ${image.end}`,
    );
  }
  const machine = new Machine(
    hub,
    { name, memory, platform: { clock: 'page', timeOfDay, features: Feature.PARTITION, devices: 0 } },
    { ...handler, onRead: () => ALL_ONES, onWrite: () => undefined },
  );
  try {
    for (const { address, bytes } of image.pieces) machine.load(address, bytes);
    machine.start({ address: image.entry });
  } catch (error) {
    machine.stop();
    throw error;
  }
  return machine;
}

function readProgram(name: string, program: string): ReturnType<typeof readElf> {
  try {
    return readElf(readFileSync(program), Machine.IMAGE_BASE);
  } catch (cause) {
    const { message } = cause as Error;
    throw new OneclockError('INPUT', `partition ${name}: ${program}: ${message}`, { cause });
  }
}
