// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describeBoard } from '../../guest/board.js';
import { writeInitramfs } from '../../guest/initramfs.js';
import { readKeyFile } from '../../host/board/key-file.js';
import type { Hub } from '../../host/native/index.js';
import { packageFile } from '../../host/package-root.js';
import { umlKernel } from '../../host/uml/kernel.js';
import type { OneclockError } from '../errors.js';
import { INITRAMFS } from '../participants/uml-process.js';
import { VirtualBoard } from '../participants/virtual-board.js';
import type { AgentSpec } from '../topology/model.js';
import type { BoardMachine } from './board-node.js';
import type { RunNode } from './node.js';

/** Bytes of a virtual board's key. */
const KEY_BYTES = 32;

/**
 * A guest of this machine that stands for a board.
 *
 * @param folder its own
 * @throws OneclockError `MACHINE` where its kernel or module is missing
 */
export function virtualMachine(
  node: RunNode,
  folder: string,
  hub: Hub,
  failed: (error: OneclockError) => void,
): BoardMachine {
  const { spec, devices, gpio } = node;
  const kernel = umlKernel(spec.kernel);
  const key = randomBytes(KEY_BYTES);
  const description = describeBoard({ hostname: spec.name, interfaces: spec.interfaces }, key);
  writeInitramfs(packageFile('build/base.cpio'), description, join(folder, INITRAMFS));
  const board = new VirtualBoard(
    { name: spec.name, folder, kernel, memory: spec.memory, devices },
    { failed },
    hub,
  );
  return {
    get pid() {
      return board.pid;
    },
    get alive() {
      return board.alive;
    },
    get endedCpuMs() {
      return board.endedCpuMs;
    },
    address: { name: spec.name, at: { dial: () => board.dial(), by: 'the relay' }, key },
    lineName: (pin) => (gpio ? `${board.chipLabel(gpio)}:${spec.lines.indexOf(pin)}` : pin),
    start: () => board.start(),
    close: () => board.close(),
  };
}

/** A board elsewhere. @throws OneclockError `INPUT` where its key cannot be read */
export function remoteMachine(name: string, { host, port, keyFile }: AgentSpec): BoardMachine {
  return {
    pid: undefined,
    alive: false,
    endedCpuMs: undefined,
    address: { name, at: { host, port }, key: readKeyFile(keyFile) },
    lineName: (pin) => pin,
    start: () => undefined,
    close: () => undefined,
  };
}
