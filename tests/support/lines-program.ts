// SPDX-License-Identifier: MIT
// Runs in a guest: watches line 0 by the character device and line 2 by sysfs, and makes line 1 what line 0 is. Ends after
// so many edges of each.
import { DeviceLine, SysfsLine } from '../../host/gpio/index.js';

/** The number of the first line of the first chip. */
const BASE = 512;
const left = { device: Number(process.argv[2]), sysfs: Number(process.argv[2]) };

const mirror = new DeviceLine('/dev/gpiochip0', 1);
mirror.setDirection('out', 0);
const lines = { device: new DeviceLine('/dev/gpiochip0', 0), sysfs: new SysfsLine(BASE + 2) };
for (const kind of ['device', 'sysfs'] as const) {
  const line = lines[kind];
  process.stdout.write(`${kind} ${line.name} begins with ${line.read()}\n`);
  const end = line.watch({
    onEdge: ({ level, at }) => {
      if (kind === 'device') mirror.write(level);
      process.stdout.write(`${kind} ${at} ${level}\n`);
      if (--left[kind] > 0) return;
      end();
      line.close();
      if (left.device + left.sysfs === 0) finish();
    },
    onError: (error) => {
      throw error;
    },
  });
}
try {
  new DeviceLine('/dev/gpiochip0', 0);
} catch (error) {
  process.stdout.write(`${(error as Error).message}\n`);
}

function finish(): void {
  process.stdout.write(`mirror ${mirror.direction} ${mirror.read()}\n`);
  mirror.setDirection('in');
  mirror.close();
  mirror.close();
}
