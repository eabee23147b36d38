// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describeGuest, writeInitramfs } from '../../guest/initramfs.js';
import { readModules } from '../../guest/modules.js';
import type { JiffiesRole } from '../../host/kvm/command-line.js';
import { kvmKernel } from '../../host/kvm/kernel.js';
import type { Hub } from '../../host/native/index.js';
import { packageFile } from '../../host/package-root.js';
import { umlKernel } from '../../host/uml/kernel.js';
import { VARIABLE_JIFFIES } from '../../protocols/hypercall/index.js';
import { VirtioEntropy } from '../devices/index.js';
import type { Guest } from '../participants/guest.js';
import { type KvmOwner, KvmParticipant } from '../participants/kvm.js';
import { INITRAMFS, UmlParticipant } from '../participants/uml.js';
import type { Topology } from '../topology/model.js';
import type { RunNode } from './node.js';
import type { SharedVariables } from './variables.js';

/** What the guest of a node is made for. */
export interface GuestSite {
  readonly topology: Topology;
  /** The guest's own. */
  readonly folder: string;
  /** Whether it may keep time in memory that it shares with us. */
  readonly sharedMemory: boolean;
  readonly hub: Hub;
  readonly variables: SharedVariables;
}

/** The guest of a node, in virtual time. @throws OneclockError `MACHINE` where this machine lacks what it takes */
export function createGuest(node: RunNode, site: GuestSite, owner: KvmOwner): Guest {
  const { spec, devices } = node;
  const { topology, folder, sharedMemory, hub, variables } = site;
  const initramfs = join(folder, INITRAMFS);
  const common = {
    id: spec.index,
    name: spec.name,
    memory: spec.memory,
    seed: node.randomSeed(topology.seed),
    timeOfDay: topology.start,
    devices,
  };
  if (spec.kind === 'kvm') {
    const kernel = kvmKernel(spec.kernel);
    const modules = spec.modules === undefined ? undefined : readModules(spec.modules);
    const description = { ...describeGuest(spec), ...(modules && { modules }) };
    writeInitramfs(packageFile('build/base.cpio'), description, initramfs);
    const clock = spec.clock === 'emulated' ? 'timers' : 'page';
    const features = variables.features(spec.index);
    const jiffies = jiffiesRole(spec.name, topology);
    const entropy = new VirtioEntropy({
      name: `entropy of ${spec.name}`,
      seed: createHash('sha256').update(`oneclock entropy ${common.seed}`).digest(),
    });
    const guest = new KvmParticipant(
      {
        ...common,
        devices: [...devices, entropy],
        kernel,
        initramfs,
        clock,
        features,
        jiffies,
        modules: modules !== undefined,
      },
      owner,
      hub,
    );
    variables.attach(spec.index, guest);
    return guest;
  }
  const kernel = umlKernel(spec.kernel);
  writeInitramfs(packageFile('build/base.cpio'), describeGuest(spec), initramfs);
  return new UmlParticipant({ ...common, folder, kernel, sharedMemory }, owner, hub);
}

/** Of those who share jiffies, the first keeps time. */
function jiffiesRole(node: string, { shared }: Topology): JiffiesRole | undefined {
  const between = shared.find(({ variable }) => variable === VARIABLE_JIFFIES)?.between ?? [];
  if (!between.includes(node)) return undefined;
  return between[0] === node ? 'source' : 'follow';
}
