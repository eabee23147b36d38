// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { InsmodModule } from '../../host/board/insmod.js';
import { readKeyFile } from '../../host/board/key-file.js';
import { SysfsVtDevice } from '../../host/board/sysfs-vt-device.js';
import { packageFile } from '../../host/package-root.js';
import { BoardAgent } from '../board-agent/index.js';
import type { Duration } from '../calendar/time.js';
import { OneclockError } from '../errors.js';
import { endOnSignals } from './ending.js';
import { toMs } from './wall-bounds.js';

const MAX_PORT = 65_535;
/** What a timer of Node.js can wait for. */
const MAX_RELEASE_MS = 2_147_483_647;

export interface BoardAgentCommandOptions {
  readonly listen: string;
  readonly key: string;
  readonly vt: number;
  readonly module?: string;
  readonly releaseAfter?: Duration;
}

/** `oneclock board-agent`. Goes on until a signal ends it. @returns the exit status */
export async function boardAgent(options: BoardAgentCommandOptions): Promise<number> {
  const { host, port } = parseAddress(options.listen);
  const key = readKeyFile(options.key);
  const { version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string };
  const report = (text: string) => process.stderr.write(`oneclock: ${text}\n`);
  const device = new SysfsVtDevice(options.vt, process.env.ONECLOCK_VT_ROOT);
  const agent = await BoardAgent.listen({
    host,
    port,
    key,
    version,
    device,
    module: new InsmodModule(options.module, options.vt),
    monotonicNs: process.hrtime.bigint,
    bounds: options.releaseAfter === undefined ? {} : { releaseAfterMs: releaseMs(options.releaseAfter) },
    report,
  });
  let stopped: () => void = () => undefined;
  const stop = new Promise<void>((resolve) => {
    stopped = resolve;
  });
  const signal = endOnSignals(
    () => {
      agent.stop();
      stopped();
    },
    () => agent.stop(),
  );
  const { address, port: bound, family } = agent.address;
  report(`listening at ${family === 'IPv6' ? `[${address}]` : address}:${bound}`);
  if (!device.present())
    report(`${device.folder} is not there yet: the module is loaded when a controller asks`);
  await stop;
  return signal.exitStatus ?? 0;
}

/** `HOST:PORT`, with an IPv6 address in brackets. */
function parseAddress(text: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || !(port <= MAX_PORT)) {
    throw new OneclockError(
      'INPUT',
      `--listen: an address and a port are expected, such as 192.168.1.7:7424 or [::]:7424; found ${text}`,
    );
  }
  return { host, port };
}

function releaseMs(span: Duration): number {
  const ms = toMs(span);
  if (ms > MAX_RELEASE_MS) {
    throw new OneclockError('INPUT', '--release-after: at most 24 days are expected, found more');
  }
  return ms;
}
