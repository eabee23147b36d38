// SPDX-License-Identifier: MIT

/** What a line tells its owner, at the present instant of the guest's domain. */
export interface SerialOwner {
  /** The guest has sent bytes. They may be changed afterwards. */
  output(bytes: Uint8Array): void;
  /** The guest has been given bytes, and takes them at this instant. They may be changed afterwards. */
  input(bytes: Uint8Array): void;
}

/** The guest's end of a line, which belongs to whoever runs the guest. */
export interface SerialPort {
  /** Whether the guest has opened the line since it began. */
  readonly listening: boolean;
  /** Gives bytes to the guest as soon as it may be disturbed, at this instant of virtual time. */
  send(bytes: Uint8Array): void;
}

/** A serial line or console of a guest that is known there as `name`, such as ttyS0: this side of it. */
export class SerialLine {
  #port: SerialPort | undefined;
  #lost = 0;

  constructor(
    readonly name: string,
    /** Whether the guest acknowledges input: without it, input arrives at no exact time. */
    readonly acknowledged: boolean,
    readonly owner: SerialOwner,
  ) {}

  /** Bytes that nobody has received. */
  get lost(): number {
    return this.#lost;
  }

  /** Whether the guest has opened the line. */
  get listening(): boolean {
    return this.#port?.listening ?? false;
  }

  /** Takes the guest's end. */
  connect(port: SerialPort): void {
    this.#port = port;
  }

  /**
   * Sends bytes to the guest at the present instant of its domain, at which it is interrupted. As with a wire, they are
   * lost where nobody listens.
   *
   * @returns whether somebody does
   */
  send(bytes: Uint8Array): boolean {
    if (!this.listening) {
      this.lose(bytes.length);
      return false;
    }
    if (bytes.length > 0) this.#port?.send(Uint8Array.from(bytes));
    return true;
  }

  /** So many bytes found no room on their way to the guest, which does not read. */
  lose(count: number): void {
    this.#lost += count;
  }
}
