// SPDX-License-Identifier: MIT
import { afterAll, beforeAll, beforeEach } from 'vitest';
import * as realTime from './kvm/real-time.js';
import * as virtualTime from './kvm/virtual-time.js';
import { KvmBatch, linuxRunsHere } from './support/kvm-batch.js';

let batch: KvmBatch;

beforeAll(async () => {
  const runs = [...virtualTime.runs, ...realTime.runs];
  batch = new KvmBatch(linuxRunsHere() ? 'here' : 'nested in QEMU', runs);
  await batch.execute();
  // The wait for another machine, and this one.
}, 840_000);

afterAll(() => batch?.close());

beforeEach(({ task }) => {
  task.meta.kvm = batch.way;
});

virtualTime.tests(() => batch);
realTime.tests(() => batch);
