// SPDX-License-Identifier: MIT
import { OneclockError } from '../../backend/errors.js';
import { NativeHub } from '../native/index.js';
import { Machine } from './machine.js';

const LIMIT_MS = 2000;
const PORT = 0x10;
const ANSWER = 42;
// mov $42, %al; out %al, $0x10; hlt
const PROGRAM = Uint8Array.of(0xb0, ANSWER, 0xe6, PORT, 0xf4);

/** What keeps this machine from running 64-bit guests; undefined where it has just run one. */
export function whyNoKvm(device = '/dev/kvm'): string | undefined {
  const hub = new NativeHub();
  let outcome: { readonly fault?: string } | undefined;
  const unexpected = () => {
    outcome = { fault: `${device} does not run guests right` };
  };
  try {
    const machine = new Machine(
      hub,
      { name: 'probe', memory: 1 << 20, device },
      {
        onOut: (port, _size, value) => {
          if (port === PORT && value === ANSWER) outcome = {};
          else unexpected();
        },
        onIn: () => 0,
        onWrite: unexpected,
        onRead: () => 0n,
        onHalt: unexpected,
        onKick: unexpected,
        onEnd: ({ message }) => {
          outcome = { fault: `${device} does not run guests right: ${message}` };
        },
      },
    );
    machine.load(Machine.IMAGE_BASE, PROGRAM);
    machine.start({ address: Machine.IMAGE_BASE });
    const end = performance.now() + LIMIT_MS;
    while (!outcome && performance.now() < end) hub.poll(end - performance.now());
    machine.stop();
    return outcome ? outcome.fault : `${device} did not run a guest within ${LIMIT_MS} ms`;
  } catch (error) {
    if (error instanceof OneclockError && error.code === 'MACHINE') return error.message;
    throw error;
  } finally {
    hub.close();
  }
}
