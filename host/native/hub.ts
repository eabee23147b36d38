// SPDX-License-Identifier: MIT

/**
 * The input and output of a run: sockets that carry descriptors, event descriptors and child processes, all
 * waited for in one place. Everything is synchronous: {@link Hub.poll} blocks the thread until something
 * happened and calls the handlers before it returns, so that a run needs no turn of the JavaScript event loop
 * for each message.
 */

/** Called by {@link Hub.poll}; may open, send on and close channels, this one included. */
export interface ChannelHandler {
  /**
   * Bytes that arrived. A stream has no message boundaries: several messages may come at once, or one in parts.
   *
   * @param bytes valid only until the handler returns
   * @param descriptors passed with the last message that starts in `bytes`; the handler owns and closes them
   */
  onData(bytes: Uint8Array, descriptors: readonly number[]): void;
  /** The peer closed its end or the connection failed; the channel is closed already. Called at most once. */
  onClose(reason: string): void;
}

/** One connection. */
export interface Channel {
  /**
   * Sends all of `bytes`, with copies of `descriptors`.
   *
   * Never blocks and never throws for a peer's fault: where the peer is gone or does not read (its socket
   * buffer is full, which no correct peer lets happen), the channel is closed and `onClose` follows from the
   * next poll.
   */
  send(bytes: Uint8Array, descriptors?: readonly number[]): void;
  /** Closes the descriptor; no handler is called any more. Safe to call twice. */
  close(): void;
}

/** A listening socket, whose file is removed on close. */
export interface Listener {
  close(): void;
}

/** How a child ended, and the CPU time of it and of the descendants that it had waited for. */
export type Exit = ({ readonly code: number } | { readonly signal: number }) & { readonly cpuMs: number };

export interface SpawnOptions {
  readonly file: string;
  /** Without the program's own name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Descriptors that become the child's 0, 1, 2 and so on, at most 64; they stay the caller's to close. */
  readonly stdio: readonly [number, number, number, ...number[]];
}

/** A child in a process group of its own, killed by the kernel if this process dies. */
export interface Child {
  readonly pid: number;
  /** Signals the whole process group; nothing happens once it has gone. */
  kill(signal: number): void;
}

export interface Hub {
  /** Takes over `descriptor` (a connected stream socket or the reading end of a pipe). */
  open(descriptor: number, handler: ChannelHandler): Channel;
  /** Listens on a Unix stream socket at `path`, readable and writable by this user only. */
  listen(path: string, onConnection: (descriptor: number) => void): Listener;
  /** Takes over an eventfd or pipe whose content does not matter; it is emptied before `onSignal`. */
  watch(descriptor: number, onSignal: () => void): Channel;
  /** The same for an eventfd that is never read, in which each write is an event; several may come as one. */
  watchEdges(descriptor: number, onSignal: () => void): Channel;
  /** @throws OneclockError `MACHINE` where the program cannot be started */
  spawn(options: SpawnOptions, onExit: (exit: Exit) => void): Child;
  /**
   * Waits for something to happen, for `timeoutMs` at most (0: only what is there already; fractions count), and
   * calls the handlers.
   *
   * @returns how many handlers were called; 0 on time-out or where a signal came
   */
  poll(timeoutMs: number): number;
  /** Closes everything that is open. Children are not killed by it. */
  close(): void;
}
