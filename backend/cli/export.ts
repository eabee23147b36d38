// SPDX-License-Identifier: MIT
import { createWriteStream, existsSync, statSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type Duration, type Instant, ZERO } from '../calendar/time.js';
import { OneclockError } from '../errors.js';
import { escapeText } from '../trace/describe-event.js';
import { exportedFiles, exportRun, type Format, NO_END } from '../trace/export/export-run.js';

/** What says that a name is not that of a file that can be made. */
const NO_FILE = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EROFS', 'ENAMETOOLONG'];

export interface ExportCommandOptions {
  readonly format: Format;
  readonly output?: string;
  readonly from?: Duration;
  readonly to?: Duration;
  readonly node: readonly string[];
}

/** `oneclock export`. @returns the exit status */
export async function exportCommand(run: string, options: ExportCommandOptions): Promise<number> {
  const { format, output, from, to, node } = options;
  if (to !== undefined && to <= (from ?? ZERO)) {
    throw new OneclockError('INPUT', '--to: a time after that of --from is expected');
  }
  if (output !== undefined) refuseInput(exportedFiles(run, format), output);
  else if (process.stdout.isTTY && (format === 'perfetto' || format === 'pcapng')) {
    throw new OneclockError('INPUT', `${format} is no text: name a file with --output, or a pipe`);
  }
  const stream = new Output(output);
  const { damages, altered } = await exportRun(
    run,
    {
      format,
      from: (from ?? ZERO) as bigint as Instant,
      to: to === undefined ? NO_END : (to as bigint as Instant),
      names: node,
    },
    (part) => stream.write(part),
  );
  await stream.end();
  for (const { file, damage } of damages) {
    process.stderr.write(
      `oneclock: ${escapeText(file)} is damaged at byte ${damage.offset}: ${escapeText(damage.reason)}; what is before that was exported\n`,
    );
  }
  if (altered !== undefined) {
    process.stderr.write(
      `oneclock: the run log is not as the run wrote it, and where it differs cannot be told: ${altered}\n`,
    );
  }
  return damages.length > 0 || altered !== undefined ? 2 : 0;
}

/** What is read must not be written over. */
function refuseInput(inputs: readonly string[], output: string): void {
  if (!existsSync(output)) return;
  const there = statSync(output);
  for (const input of inputs) {
    if (!existsSync(input)) continue;
    const { dev, ino } = statSync(input);
    if (dev !== there.dev || ino !== there.ino) continue;
    throw new OneclockError('INPUT', `--output: ${output} is a file of the run itself: name another`);
  }
}

/** A file, or standard output, that is waited for where it is slow. */
class Output {
  readonly #name: string;
  readonly #stream: Writable;
  readonly #file: boolean;
  #error: NodeJS.ErrnoException | undefined;

  constructor(file: string | undefined) {
    this.#name = file ?? 'standard output';
    this.#file = file !== undefined;
    this.#stream = file === undefined ? process.stdout : createWriteStream(file);
    this.#stream.on('error', (error) => {
      this.#error ??= error;
    });
  }

  async write(part: Uint8Array | string): Promise<void> {
    this.#check();
    // The part is the exporter's own again as soon as this is done.
    await new Promise<void>((resolve) => {
      this.#stream.write(part, (error) => {
        this.#error ??= error ?? undefined;
        resolve();
      });
    });
    this.#check();
  }

  async end(): Promise<void> {
    if (!this.#file) return;
    this.#stream.end();
    try {
      await finished(this.#stream);
    } catch (error) {
      this.#error ??= error as NodeJS.ErrnoException;
    }
    this.#check();
  }

  #check(): void {
    if (this.#error === undefined) return;
    // Whoever reads has had enough, such as head(1).
    if (this.#error.code === 'EPIPE') process.exit(0);
    const { code = '', message } = this.#error;
    throw new OneclockError(
      NO_FILE.includes(code) ? 'INPUT' : 'MACHINE',
      `${this.#name} cannot be written (${message})`,
      { cause: this.#error },
    );
  }
}
