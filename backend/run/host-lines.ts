// SPDX-License-Identifier: MIT
import { DeviceLine, type Direction, type Line, SysfsLine } from '../../host/gpio/index.js';
import type { Hub } from '../../host/native/index.js';
import type { OneclockError } from '../errors.js';
import type { HostLineSpec, WireSpec } from '../topology/model.js';
import type { Level } from '../wires/index.js';
import { HostLine } from './host-line.js';

/** The GPIO lines of this machine that a run uses. */
export class HostLines {
  readonly #lines: HostLine[] = [];

  /** @param failed told when edges of a line cannot be heard any more */
  constructor(
    private readonly hub: Pick<Hub, 'open'>,
    private readonly failed: (error: OneclockError) => void,
  ) {}

  /** Takes the lines of a wire that has some. @throws OneclockError `MACHINE`; none of them is kept then */
  take({ host, pull }: WireSpec): HostLine | undefined {
    if (!host) return undefined;
    const active = pull === 'down' ? 1 : 0;
    const idle = pull === 'down' ? 0 : 1;
    const drive = host.drive && this.#open(host.drive, 'out', idle);
    let sense: Line | undefined;
    try {
      sense = host.sense && this.#open(host.sense, 'in', idle);
    } catch (error) {
      drive?.close();
      throw error;
    }
    const name = (host.sense ?? host.drive)?.name ?? '';
    const line = new HostLine({ name, drive, sense, active, failed: this.failed });
    this.#lines.push(line);
    return line;
  }

  /** Lets go of all lines. Safe to call twice. */
  close(): void {
    for (const line of this.#lines.splice(0)) line.close();
  }

  #open({ chip, offset }: HostLineSpec, direction: Direction, level: Level): Line {
    return chip === undefined
      ? new SysfsLine(offset, direction, level)
      : new DeviceLine(`/dev/${chip}`, offset, { direction, level, hub: this.hub });
  }
}
