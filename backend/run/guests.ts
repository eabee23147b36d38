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
import { Feature, VARIABLE_JIFFIES } from '../../protocols/hypercall/index.js';
import { VirtioEntropy } from '../devices/index.js';
import type { Guest } from '../participants/guest.js';
import { type KvmOwner, KvmParticipant } from '../participants/kvm.js';
import type { KvmOptions } from '../participants/kvm-linux.js';
import { LiveGuest, type LiveGuestOwner } from '../participants/live-guest.js';
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
  const { folder, sharedMemory, hub, variables } = site;
  if (spec.kind === 'kvm') {
    const clock = spec.clock === 'emulated' ? 'timers' : 'page';
    const guest = new KvmParticipant(kvmOptions(node, site, clock), owner, hub);
    variables.attach(spec.index, guest);
    return guest;
  }
  const kernel = umlKernel(spec.kernel);
  writeInitramfs(
    packageFile('build/base.cpio'),
    describeGuest(spec, node.session !== undefined),
    join(folder, INITRAMFS),
  );
  const serial = [...node.serial.values()];
  const options = { ...common(node, site), devices, serial, folder, kernel, sharedMemory };
  return new UmlParticipant(options, owner, hub);
}

/** The guest of a node, in real time. @throws OneclockError `MACHINE` where this machine lacks what it takes */
export function createLiveGuest(node: RunNode, site: GuestSite, owner: LiveGuestOwner): LiveGuest {
  return new LiveGuest(kvmOptions(node, site, 'real'), owner, site.hub);
}

function kvmOptions(node: RunNode, site: GuestSite, clock: KvmOptions['clock']): KvmOptions {
  const { spec, devices } = node;
  const kernel = kvmKernel(spec.kernel);
  const modules = spec.modules === undefined ? undefined : readModules(spec.modules);
  const description = { ...describeGuest(spec, node.session !== undefined), ...(modules && { modules }) };
  const initramfs = join(site.folder, INITRAMFS);
  writeInitramfs(packageFile('build/base.cpio'), description, initramfs);
  const rest = common(node, site);
  const entropy = new VirtioEntropy({
    name: `entropy of ${spec.name}`,
    seed: createHash('sha256').update(`oneclock entropy ${rest.seed}`).digest(),
  });
  return {
    ...rest,
    devices: [...devices, entropy],
    kernel,
    initramfs,
    clock,
    // A host without our patch takes the first back.
    features: Feature.HYPERCALL | site.variables.features(spec.index),
    jiffies: jiffiesRole(spec.name, site.topology),
    modules: modules !== undefined,
  };
}

function common(node: RunNode, { topology }: GuestSite) {
  const { index: id, name, memory } = node.spec;
  // Its own time begins when it is switched on.
  const timeOfDay = topology.start + node.life.begins;
  return { id, name, memory, seed: node.randomSeed(topology.seed), timeOfDay };
}

/** Of those who share jiffies, the first keeps time. */
function jiffiesRole(node: string, { shared }: Topology): JiffiesRole | undefined {
  const between = shared.find(({ variable }) => variable === VARIABLE_JIFFIES)?.between ?? [];
  if (!between.includes(node)) return undefined;
  return between[0] === node ? 'source' : 'follow';
}
