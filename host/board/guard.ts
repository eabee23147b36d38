// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';

/**
 * $1: the mark of what was started, $2: the module's folder. What comes on standard input is explained at
 * {@link BoardGuard}. Everything is tried, whatever fails.
 */
const SCRIPT = `
trap "" INT TERM HUP
own=
while read -r word pid; do
  case $word in
    own) own="$own $pid" ;;
    end) exit 0 ;;
  esac
done
exec 2>/dev/null
for environ in /proc/[0-9]*/environ; do
  if tr '\\0' '\\n' <"$environ" | grep -Fqx -e "$1"; then
    pid=\${environ#/proc/}
    kill -KILL "\${pid%/environ}"
  fi
done
[ -e "$2/mode" ] || exit 0
echo unfreeze >"$2/mode"
for pid in $own; do echo "-$pid" >"$2/pids"; done
`;

/**
 * Releases the board when this process is killed and cannot do so itself: a helper waits on a pipe that only this
 * process holds; when the pipe breaks, it kills what bears the mark, lowers the signal line and takes the processes
 * that it was told of out of the module's list.
 */
export class BoardGuard {
  readonly #helper: ChildProcess;

  constructor(mark: string, folder: string) {
    this.#helper = spawn('/bin/sh', ['-c', SCRIPT, 'sh', mark, folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#helper.unref();
    // A guard that cannot be started, or is killed, costs only the protection against SIGKILL.
    this.#helper.on('error', () => undefined);
    this.#helper.stdin?.on('error', () => undefined);
  }

  /** A process that has to leave the module's list. */
  own(pid: number): void {
    this.#helper.stdin?.write(`own ${pid}\n`);
  }

  /** The board was released, and the guard goes. */
  close(): void {
    this.#helper.stdin?.end('end\n');
  }
}
