// SPDX-License-Identifier: MIT
export { addon, type NativeMachine } from './addon.js';
export type { FrameChannel, FrameHandler, FrameHub } from './frames.js';
export type { Channel, ChannelHandler, Child, Exit, Hub, Listener, SpawnOptions } from './hub.js';
export type { MapShared, SharedMemory } from './memory.js';
export { NativeHub } from './native-hub.js';
export { type GroupProcess, groupCpuMs, processesOf } from './processes.js';
export { createSharedMemory, mapShared, type OwnedMemory, trimShared } from './shared-memory.js';
