// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';
import { OneclockError } from '../../backend/errors.js';
import { packageFile } from '../package-root.js';

/** What a source of the native hub is for; the numbers are `SourceKind` in src/hub.hh. */
export const SourceKind = { STREAM: 0, LISTENER: 1, SIGNAL: 2, CHILD: 3, PACKET: 4, EDGE: 5 } as const;

/** What happened to it; the numbers are `EventKind` in src/hub.hh. */
export const EventKind = {
  DATA: 0,
  CLOSED: 1,
  CONNECTION: 2,
  SIGNAL: 3,
  EXIT: 4,
  FRAME: 5,
  LOST: 6,
} as const;

/** 32-bit words an event takes in {@link NativeHub.events}: source, kind, value, data offset, first descriptor, count. */
export const EVENT_WORDS = 6;

export interface NativeHub {
  readonly events: ArrayBuffer;
  readonly data: ArrayBuffer;
  readonly descriptors: ArrayBuffer;
  add(descriptor: number, kind: number): number;
  remove(source: number): void;
  listen(path: string): number;
  send(source: number, bytes: Uint8Array, descriptors?: readonly number[]): number;
  poll(timeoutMs: number): number;
  openPacket(name: string): number;
  sendFrame(source: number, frame: Uint8Array): number;
  missedFrames(source: number): number;
}

export interface NativeMapping {
  readonly buffer: ArrayBuffer;
  intact(): boolean;
  close(): void;
}

/** A KVM guest: host/kvm/src/machine.hh. */
export interface NativeMachine {
  /** `ExitRecord` of host/kvm/src/exit.hh: valid while the guest has stopped. */
  readonly record: ArrayBuffer;
  /** @returns an eventfd of the caller's that tells that the guest has stopped */
  event(): number;
  start(address: number, stack: number, argument: number): void;
  resume(): void;
  interrupt(vector: number): void;
  interruptPending(vector?: number): boolean;
  interruptVirtio(slot: number, bits: number): void;
  /** host/kvm/src/notifications.hh. Only while the guest stands still. */
  setPatience(slot: number, nanoseconds: bigint): void;
  openQueue(slot: number, queue: number, available: number, event: number): void;
  closeQueue(slot: number, queue: number): void;
  kick(): void;
  /** Of a guest in real time; now() is 0 for others. */
  freeze(): void;
  thaw(): void;
  now(): bigint;
  registers(): BigUint64Array;
  cpuMs(): number;
  stop(): void;
}

export interface NativeMachineClass {
  new (device: string, memory: number, length: number): NativeMachine;
  /** With a platform: host/kvm/platform.ts. */
  new (
    device: string,
    memory: number,
    length: number,
    clock: number,
    timeOfDay: bigint,
    features: number,
    devices: number,
  ): NativeMachine;
  virtioLine(slot: number): number;
  readonly VIRTIO_BASE: number;
  /** Of one device. */
  readonly VIRTIO_BYTES: number;
  /** The lowest address of an image; what a guest starts with is below. */
  readonly IMAGE_BASE: number;
  /** Where the first stack may begin. */
  readonly STACK: number;
  readonly MIN_MEMORY: number;
  readonly MAX_MEMORY: number;
}

export interface Addon {
  readonly Hub: new () => NativeHub;
  readonly Mapping: new (descriptor: number, offset: number, length: number) => NativeMapping;
  readonly Machine: NativeMachineClass;
  createSharedMemory(length: number): number;
  trimMappings(): void;
  spawn(
    file: string,
    argv: readonly string[],
    env: readonly string[],
    directory: string,
    descriptors: readonly [number, number, number, ...number[]],
  ): [pid: number, pidfd: number];
  pipe(): [reader: number, writer: number];
  /** Another descriptor of the same open file. */
  duplicate(descriptor: number): number;
  /** Sets O_NONBLOCK, for whoever else has the open file too. */
  setNonBlocking(descriptor: number): void;
  socketPair(): [number, number];
  connectUnix(path: string): number;
  getAffinity(): number[];
  setAffinity(thread: number, cpus: readonly number[]): boolean;
  currentCpu(): number;
  /** A GPIO line of the chip at a path, by its GPIO_V2_LINE_FLAG_* flags. @returns its descriptor */
  requestGpio(chip: string, offset: number, flags: number, level: number): number;
  configureGpio(line: number, flags: number, level: number): void;
  readGpio(line: number): number;
  writeGpio(line: number, level: number): void;
}

function load(): Addon {
  const file = packageFile('build/oneclock.node');
  try {
    return createRequire(import.meta.url)(file) as Addon;
  } catch (cause) {
    throw new OneclockError('MACHINE', `the native addon ${file} cannot be loaded: run "make build"`, {
      cause,
    });
  }
}

/** The one place where the addon is loaded; nothing else in the project sees its untyped side. */
export const addon: Addon = load();
