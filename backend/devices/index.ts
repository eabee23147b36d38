// SPDX-License-Identifier: MIT
export type { Delivered } from './backend-channel.js';
export { DescriptorChain } from './descriptor-chain.js';
export { type Descriptors, processDescriptors } from './descriptors.js';
export { DeviceError } from './device-error.js';
export { GuestMemory } from './guest-memory.js';
export type { SessionEvents, VhostUserHost } from './vhost-user-host.js';
export { CONFIG_LINE } from './vhost-user-rings.js';
export { type ServerEvents, VhostUserDeviceServer } from './vhost-user-server.js';
export { VhostUserSession } from './vhost-user-session.js';
export {
  AGENT_PORT,
  CONSOLE_PORT,
  type ConsoleOptions,
  type ConsolePorts,
  MAX_PENDING_INPUT_BYTES,
  RELAY_PORT,
  VirtioConsole,
} from './virtio-console.js';
export type { QueueRole, VirtioDevice, VirtioTransport } from './virtio-device.js';
export { type EntropyOptions, VirtioEntropy } from './virtio-entropy.js';
export { type GpioLevel, type GpioOptions, type GpioPins, VirtioGpio } from './virtio-gpio.js';
export { type MmioHost, VirtioMmio } from './virtio-mmio.js';
export {
  MAX_FRAME_BYTES,
  MIN_FRAME_BYTES,
  type NetCounters,
  type NetOptions,
  type NetPort,
  VirtioNet,
} from './virtio-net.js';
export { isQueueSize, Virtqueue, type VirtqueueOptions } from './virtqueue.js';
