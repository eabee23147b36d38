// SPDX-License-Identifier: MIT
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { RunResult } from '../../backend/run/result.js';
import { packageFile } from '../../host/package-root.js';
import { umlKernel } from '../../host/uml/kernel.js';

/** No machine of these tests takes this long, on a machine that is busy with other things. */
const LIMIT_MS = 100_000;
/** What the kernel of such a machine has after `mem=`. */
const MEMORY = '512M';

/** Builds the modules for that kernel: vtgpio, and the chip whose lines a cable joins. */
export function buildModules(): void {
  execFileSync(packageFile('kmod/build.sh'), ['uml'], { stdio: 'pipe' });
}

const MODULES = packageFile('kmod/build/uml');
const CLI = `${process.execPath} ${packageFile('dist/backend/cli/main.js')}`;

/** What a machine begins with: a GPIO chip, the key of a board, and its agent. */
const PREFACE = `
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
export TMPDIR=/dev/shm HOME=/dev/shm
cd /dev/shm
ip link set lo up
insmod ${MODULES}/selftests/vtgpio_wire.ko
level=/sys/module/vtgpio_wire/parameters/level
key() { (umask 077; echo "$2$2$2$2$2$2$2$2" > $1); }
key board.key 0011223344556677
cli='${CLI}'
oneclock() { $cli "$@"; }
section() { echo "=== $1"; }
# Waits for what a run has written, unless the run ends first.
await() { until grep -q "$1" out/console/bp1.log 2>/dev/null; do kill -0 $run 2>/dev/null || return 1; sleep 0.02; done; }
oneclock board-agent --listen 127.0.0.1:7424 --key board.key --module ${MODULES}/vtgpio.ko > agent.log 2>&1 &
agent=$!
`;

const END = `
section end
poweroff -f 2>/dev/null || busybox poweroff -f
`;

/** What a machine has said in one of its sections, without the lines' ends. */
export type Sections = ReadonlyMap<string, string>;

/**
 * Boots a machine in real time that is both the controller's and the board's, with this machine's files, and runs `script`
 * there as its first process.
 *
 * @returns what it wrote after each call of `section NAME`
 */
export async function boot(script: string): Promise<Sections> {
  const folder = mkdtempSync(join(tmpdir(), 'physical-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const init = join(folder, 'init');
  writeFileSync(
    init,
    `#!/bin/sh\nexport PATH=${process.env.PATH}:/sbin:/usr/sbin\n${PREFACE}${script}${END}`,
    {
      mode: 0o755,
    },
  );
  const args = [`mem=${MEMORY}`, 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', `init=${init}`];
  const consoles = ['con0=null,fd:1', 'con=null', 'ssl=null', 'quiet', 'panic=-1', `uml_dir=${folder}`];
  const machine = spawn(umlKernel(undefined), [...args, ...consoles], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: folder,
  });
  onTestFinished(() => void machine.kill('SIGKILL'));
  const limit = setTimeout(() => machine.kill('SIGKILL'), LIMIT_MS);
  let said = '';
  machine.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text.replaceAll('\r', '');
  });
  await new Promise((resolve) => machine.on('close', resolve));
  clearTimeout(limit);
  const [, ...parts] = said.split(/^=== /m);
  const sections = new Map(
    parts.map((part) => {
      const [name = '', ...lines] = part.split('\n');
      return [name, lines.join('\n').trim()] as const;
    }),
  );
  if (!sections.has('end')) throw new Error(`the machine did not come to its end; it said: ${said}`);
  return sections;
}

/** The result that `oneclock run --json` has printed in a section, and that is there. */
export function resultIn(sections: Sections, name: string): RunResult {
  const text = sections.get(name) ?? '';
  try {
    return JSON.parse(text) as RunResult;
  } catch (cause) {
    throw new Error(`no result in ${JSON.stringify([...sections])}`, { cause });
  }
}
