// SPDX-License-Identifier: MIT
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import {
  createSharedMemory,
  type Hub,
  type Listener,
  mapShared,
  type OwnedMemory,
} from '../../host/native/index.js';
import { umlArguments } from '../../host/uml/command-line.js';
import { Notifications, SharedPage, sharedPageBytes } from '../../protocols/um-timetravel/index.js';
import { type Instant, type Interrupt, NEVER, ZERO } from '../calendar/index.js';
import { processDescriptors, VhostUserDeviceServer, type VirtioDevice } from '../devices/index.js';
import { OneclockError } from '../errors.js';
import type { SerialLine } from '../serial/index.js';
import type { Guest, GuestOwner } from './guest.js';
import { type PageSlot, TimeClient } from './time-client.js';
import { deviceSocket, ENDING_MS, INITRAMFS, UmlProcess } from './uml-process.js';
import { UmlSerial } from './uml-serial.js';

export { INITRAMFS };

const TIME_SOCKET = 'time';
/** The guest's place in its page; the controller has place 0. */
const PAGE_ID = 1;

export interface UmlOptions {
  readonly id: number;
  readonly name: string;
  /** The guest's own folder, where {@link INITRAMFS} is. */
  readonly folder: string;
  readonly kernel: string;
  /** Bytes. */
  readonly memory: number;
  /** What the guest's randomness comes from. */
  readonly seed: bigint;
  /** The time of day at virtual time 0, in nanoseconds since 1970. */
  readonly timeOfDay: bigint;
  /** Whether it may keep time in a page that it shares with us; else by messages alone. */
  readonly sharedMemory: boolean;
  readonly devices: readonly VirtioDevice[];
  readonly serial: readonly SerialLine[];
}

/**
 * A User-Mode Linux guest: a process, its time socket, and the sockets of its devices. The process starts with the
 * first grant.
 */
export class UmlParticipant implements Guest {
  /** It is a process. */
  readonly thread = undefined;
  readonly id: number;
  readonly name: string;
  readonly #servers: VhostUserDeviceServer[] = [];
  readonly #serial: readonly UmlSerial[];
  readonly #listener: Listener;
  readonly #memory: OwnedMemory;
  readonly #page: SharedPage;
  /** Kicks and interrupts that take no message, where the guest's kernel knows of that. */
  readonly #notifications: Notifications;
  /** Interrupts that kicks have brought about which are dealt with after their time. */
  #raised: Interrupt[] | undefined;
  readonly #null = openSync('/dev/null', 'r+');
  #client: TimeClient | undefined;
  readonly #process: UmlProcess;
  /** The grant under way; undefined while the guest is quiet. */
  #grant: { readonly at: Instant; until: Instant } | undefined;
  /** When it wants to run, as it stood when it became quiet or was disturbed last: later words of it do not count. */
  #wake: Instant = NEVER;
  /** An interrupt is being delivered: it may ask to run. */
  #disturbed = false;
  #lastSign = 0;
  /** Why it failed, once it has; reported when its process has ended. */
  #failure: { readonly error: OneclockError; readonly hung: boolean } | undefined;
  /** When its process is killed, where it is ending by itself. */
  #killAt: number | undefined;
  #killed = false;
  #closed = false;

  constructor(
    private readonly options: UmlOptions,
    private readonly owner: GuestOwner,
    private readonly hub: Hub,
  ) {
    this.id = options.id;
    this.name = options.name;
    this.#process = new UmlProcess(hub, (how) => this.#exited(how));
    this.#memory = createSharedMemory(sharedPageBytes(1));
    this.#page = new SharedPage(this.#memory.bytes, 1);
    this.#notifications = new Notifications(this.#memory.bytes);
    if (!options.sharedMemory) this.#page.refuse();
    this.#listener = hub.listen(join(options.folder, TIME_SOCKET), (descriptor) =>
      this.#connected(descriptor),
    );
    this.#serial = options.serial.map((line) => this.#connect(line));
    options.devices.forEach((device, place) => {
      const server: VhostUserDeviceServer = new VhostUserDeviceServer(
        { hub, mapShared, descriptors: processDescriptors },
        join(options.folder, deviceSocket(place)),
        device,
        {
          raise: (line) =>
            this.#raise({
              participant: this,
              deliver: (done) => {
                this.#disturb();
                server.deliver(line, () => this.#settled(done));
              },
            }),
          kicking: () => this.#takeKicks(),
          call: (line) => this.#client?.call(place, line) ?? false,
          // A grant that was shortened meanwhile has to be known before the guest goes on.
          settle: (answer) => (this.#client ? this.#client.whenSettled(answer) : answer()),
          onClosed: (reason) => this.#deviceLost(device, reason),
          onFailed: (error) => this.fail(error),
        },
      );
      this.#servers.push(server);
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Known of a process that ended before the run did. */
  get cpuMs(): number | undefined {
    return this.#process.endedCpuMs;
  }

  get alive(): boolean {
    return this.#process.alive;
  }

  setPatience(place: number, nanoseconds: bigint): void {
    if (!this.#closed) this.#notifications.setPatience(place, nanoseconds);
  }

  get ending(): boolean {
    return this.#failure !== undefined && !this.#closed;
  }

  get wake(): Instant {
    // One that seems to be ending still does what it has to do.
    if (this.#failure && this.#killAt === undefined) return NEVER;
    if (this.#client === undefined) return ZERO;
    return this.#grant === undefined ? this.#wake : NEVER;
  }

  get now(): Instant {
    return this.#client?.now ?? this.#grant?.at ?? ZERO;
  }

  run(at: Instant, until: Instant): void {
    // The run is being taken down, and nothing may be started any more.
    if (this.#closed) return;
    this.#grant = { at, until };
    this.sign();
    if (this.#client) this.#client.run(at, until);
    else this.#spawn();
  }

  curtail(until: Instant): void {
    if (this.#grant && until < this.#grant.until) this.#grant.until = until;
    this.#client?.curtail(until);
  }

  reach(at: Instant): void {
    this.#client?.reach(at);
  }

  notify(value: bigint): Interrupt {
    return {
      participant: this,
      deliver: (done) => {
        if (!this.#client || this.#closed) return done();
        this.#disturb();
        this.#client.broadcast(value);
        this.#client.whenSettled(() => this.#settled(done));
      },
    };
  }

  acts(what: string): boolean {
    if (this.#failure || this.#closed) return false;
    this.sign();
    if (this.#grant !== undefined) return true;
    // A kernel that is killed from outside may say so before it goes.
    const error = new OneclockError('PARTICIPANT', `it ${what} while it was quiet`);
    this.#failSoon(this.#withLastMessage(error));
    return false;
  }

  /** It has just been heard of. */
  sign(): void {
    this.#lastSign = performance.now();
  }

  checkHang(limitMs: number): void {
    if (this.#killAt !== undefined && performance.now() >= this.#killAt) this.#kill();
    if (this.#grant === undefined && !this.#disturbed) return;
    if (performance.now() - this.#lastSign < limitMs) return;
    const what = `it hangs: no message for ${limitMs / 1000} s of wall time`;
    this.fail(this.#withLastMessage(new OneclockError('PARTICIPANT', what)), true);
  }

  fail(error: OneclockError, hung = false): void {
    if (this.#failure || this.#closed) return;
    if (!this.#raised) this.#takeKicks();
    if (this.#failure) return;
    this.#failure = { error, hung };
    this.owner.rescheduled();
    if (this.alive) this.#kill();
    else this.#report();
  }

  /** It seems to be ending: `error` is reported where its process goes on all the same, else how that ends. */
  #failSoon(error: OneclockError): void {
    if (this.#failure || this.#closed) return;
    if (!this.#raised) this.#takeKicks();
    if (this.#failure) return;
    this.#failure = { error, hung: false };
    this.owner.rescheduled();
    if (this.alive) this.#killAt = performance.now() + ENDING_MS;
    else this.#report();
  }

  #kill(): void {
    this.#killAt = undefined;
    this.#killed = true;
    this.#process.kill();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#process.kill();
    this.#release();
  }

  #connect(line: SerialLine): UmlSerial {
    const host = {
      raise: (deliver: (done: () => void) => void) =>
        this.#raise({
          participant: this,
          deliver: (done) => {
            this.#disturb();
            deliver(() => this.#settled(done));
          },
        }),
      lost: (reason: string) =>
        this.#failSoon(
          this.#withLastMessage(new OneclockError('PARTICIPANT', `${line.name} was closed (${reason})`)),
        ),
    };
    return new UmlSerial(line, host, this.hub);
  }

  #spawn(): void {
    const { folder, kernel, memory, seed, devices } = this.options;
    const ends = this.#serial.map(({ guestEnd }) => guestEnd);
    const args = umlArguments({
      memory,
      seed,
      timeSocket: TIME_SOCKET,
      initramfs: INITRAMFS,
      devices: devices.map(({ type }, place) => ({ socket: deviceSocket(place), type })),
      serial: ends.map(({ name, descriptors }) => ({ name, channels: descriptors.length })),
    });
    this.#process.start(
      kernel,
      args,
      folder,
      ends.flatMap(({ descriptors }) => descriptors),
    );
    for (const line of this.#serial) line.started();
  }

  #connected(descriptor: number): void {
    if (this.#client) {
      closeSync(descriptor);
      return;
    }
    const slot: PageSlot = {
      page: this.#page,
      notifications: this.#notifications,
      id: PAGE_ID,
      descriptor: this.#memory.descriptor,
      logDescriptor: this.#null,
    };
    const client: TimeClient = new TimeClient(
      this.name,
      slot,
      {
        timeOfDay: this.options.timeOfDay,
        started: () => {
          if (this.#grant) client.run(this.#grant.at, this.#grant.until);
        },
        spoke: () => {
          this.#takeKicks();
          // What is not acknowledged is not told of either.
          for (const line of this.#serial) if (!line.acknowledged) line.collect();
        },
        toldTime: () => {
          for (const line of this.#serial) line.collect();
        },
        quiet: () => {
          this.#grant = undefined;
          this.#wake = client.wake;
          this.owner.quiet();
        },
        now: () => this.owner.now(),
        requested: (_at, acknowledge) => {
          if (this.#disturbed || this.acts('asked to run')) acknowledge();
        },
        broadcast: (value) => {
          if (this.acts('sent a broadcast')) this.owner.broadcast(value);
        },
        failed: (error, left) =>
          left ? this.#failSoon(this.#withLastMessage(error)) : this.fail(this.#withLastMessage(error)),
      },
      this.hub,
      descriptor,
    );
    this.#client = client;
  }

  /** Does what the kicks are for that the guest has left in its page, at their times. */
  #takeKicks(): void {
    const raised: Interrupt[] = [];
    this.#raised = raised;
    this.#client?.takeKicks((device, queue, available) => {
      if (this.#servers[device]?.kicked(queue, available)) return;
      this.fail(
        this.#withLastMessage(
          new OneclockError('PARTICIPANT', `it left a kick of device ${device}, which there is not`),
        ),
      );
    });
    this.#raised = undefined;
    // It has gone on since, and is interrupted where it is.
    for (const interrupt of raised) this.owner.raise(interrupt);
  }

  #raise(interrupt: Interrupt): void {
    if (this.#raised) this.#raised.push(interrupt);
    else this.owner.raise(interrupt);
  }

  #disturb(): void {
    this.#disturbed = true;
    this.sign();
  }

  /** The guest has had an interrupt, and may have asked to run for it. */
  #settled(done: () => void): void {
    this.#disturbed = false;
    this.#wake = this.#client?.wake ?? NEVER;
    done();
  }

  /** The guest let go of a device: its driver did so when it shut down, or its process is ending. */
  #deviceLost(device: VirtioDevice, reason: string): void {
    this.#failSoon(
      this.#withLastMessage(new OneclockError('PARTICIPANT', `${device.name} was closed (${reason})`)),
    );
  }

  #withLastMessage(error: OneclockError): OneclockError {
    const last = this.#client?.lastMessage ?? 'nothing';
    return new OneclockError(error.code, `${error.message}; its last message was ${last}`, { cause: error });
  }

  #exited(how: string): void {
    if (this.#closed) return;
    if (!this.#killed) {
      // It ended by itself; that a socket was closed then was only the first sign of it.
      const ended = new OneclockError('PARTICIPANT', `its process ended ${how}`);
      this.#failure = { error: this.#withLastMessage(ended), hung: false };
    }
    this.#report();
  }

  #report(): void {
    const failure = this.#failure;
    if (!failure || this.#closed) return;
    this.#grant = undefined;
    // Once it is up it speaks on its console.
    const words = this.#process.lastLine(this.#client === undefined);
    const { error, hung } = failure;
    this.close();
    const told = words === undefined ? error.message : `${error.message}; it said: ${words}`;
    this.owner.failed(new OneclockError(error.code, told, { cause: error }), hung);
  }

  #release(): void {
    this.#listener.close();
    this.#client?.close();
    this.#process.close();
    for (const server of this.#servers) server.close();
    for (const line of this.#serial) line.close();
    this.#memory.close();
    closeSync(this.#null);
  }
}
