// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { kvmCommandLine } from './command-line.js';

const words = (...args: Parameters<typeof kvmCommandLine>) => kvmCommandLine(...args).split(' ');

describe('kvmCommandLine', () => {
  it('says where the devices are, to a kernel that knows of virtual time', () => {
    const found = words({ clock: 'page', devices: 3 }).filter((word) =>
      word.startsWith('virtio_mmio.device='),
    );
    expect(found).toEqual([
      'virtio_mmio.device=4K@0xd0000000:5',
      'virtio_mmio.device=4K@0xd0001000:6',
      'virtio_mmio.device=4K@0xd0002000:7',
    ]);
  });

  it('has another kernel find them by ACPI, and measure nothing', () => {
    const found = words({ clock: 'timers', devices: 3 });
    expect(found.join(' ')).not.toMatch(/virtio_mmio|acpi/);
    expect(found).toEqual(expect.arrayContaining(['lpj=1000', 'notsc', 'nokaslr']));
  });

  it('says which part it has in shared jiffies', () => {
    const jiffies = (role?: 'source' | 'follow') =>
      words({ clock: 'page', devices: 0, jiffies: role }).filter((word) => word.startsWith('oneclock.'));
    expect([jiffies(), jiffies('source'), jiffies('follow')]).toEqual([
      [],
      ['oneclock.jiffies=source'],
      ['oneclock.jiffies=follow'],
    ]);
  });

  it('ends with what is for init', () => {
    expect(words({ clock: 'timers', devices: 1, jiffies: 'source', modules: true }).slice(-2)).toEqual([
      '--',
      'modules',
    ]);
    expect(words({ clock: 'page', devices: 1 })).not.toContain('--');
  });
});
