// SPDX-License-Identifier: MIT

/**
 * What kind of thing went wrong. The code decides the exit status of a command (see {@link exitStatus}).
 *
 * - `EXPECTATION`: the run worked, but something it was asked to check does not hold.
 * - `INPUT`: the user's topology, option or file is wrong.
 * - `PARTICIPANT`: a guest, board or foreign client failed, hung or broke its protocol.
 * - `MACHINE`: this machine lacks something (a kernel, a permission, a tool).
 * - `INTERRUPTED`: the user ended the run.
 * - `INTERNAL`: an invariant of ours does not hold; both values are in the message.
 */
export type ErrorCode = 'EXPECTATION' | 'INPUT' | 'PARTICIPANT' | 'MACHINE' | 'INTERRUPTED' | 'INTERNAL';

/** The one error class of the project: a stable code, and a message that says what to do. */
export class OneclockError extends Error {
  override readonly name = 'OneclockError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An exit status of the `oneclock` command; the meaning of each is part of its contract. */
export type ExitStatus = 0 | 1 | 2 | 3 | 4;

/** The exit status of a command that ended with `error`. */
export function exitStatus(error: unknown): ExitStatus {
  if (!(error instanceof OneclockError)) return 3;
  switch (error.code) {
    case 'EXPECTATION':
      return 1;
    case 'INPUT':
      return 2;
    case 'MACHINE':
      return 4;
    default:
      return 3;
  }
}

/** Throws an `INTERNAL` error unless `condition` holds. The message is built only on failure. */
export function invariant(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new OneclockError('INTERNAL', message());
}
