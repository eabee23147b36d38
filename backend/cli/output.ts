// SPDX-License-Identifier: MIT
import { exitStatus, OneclockError } from '../errors.js';

/** Writes a line for people. It goes to standard error where standard output is for a program. */
export function say(line: string, json = false): void {
  (json ? process.stderr : process.stdout).write(`${line}\n`);
}

/** Tells of `error` and sets the exit status. What is not an error of ours comes with its stack: it is a defect. */
export function fail(error: unknown): void {
  if (error instanceof OneclockError) {
    process.stderr.write(`oneclock: ${error.message}\n`);
    if (error.code === 'INTERNAL') process.stderr.write(`${error.stack}\n`);
  } else {
    process.stderr.write(
      `oneclock: internal error: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
  }
  process.exitCode = exitStatus(error);
}
