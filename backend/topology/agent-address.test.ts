// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AGENT, parseAgent } from './agent-address.js';

/** As the schema does. */
const read = (written: string) => (AGENT.test(written) ? parseAgent(written) : undefined);

describe('the address of an agent', () => {
  it.each([
    ['192.168.1.21:7424', '192.168.1.21', 7424],
    ['bp1:1', 'bp1', 1],
    ['bp1.example.org:65535', 'bp1.example.org', 65_535],
    ['Board-7.local:007424', 'Board-7.local', undefined],
    ['[fd00::21]:7424', 'fd00::21', 7424],
    ['[::1]:7424', '::1', 7424],
    ['[::ffff:10.0.0.1]:80', '::ffff:10.0.0.1', 80],
  ])('%s', (written, host, port) => {
    expect(read(written)).toEqual(port === undefined ? undefined : { host, port });
  });

  it.each([
    '',
    ':7424',
    'bp1',
    'bp1:',
    'bp1:0',
    'bp1:00000',
    'bp1:65536',
    'bp1:99999',
    'bp1:100000',
    'bp1:-1',
    'bp1:+1',
    'bp1:1.5',
    'bp1:1e3',
    'bp1:0x50',
    'bp1: 7424',
    ' bp1:7424',
    'bp1:7424\n',
    'bp1:7424 ',
    'bp1\n:7424',
    'bp1:७४२४',
    '-bp1:7424',
    '--help:7424',
    '.bp1:7424',
    'bp_1:7424',
    'user@bp1:7424',
    'http://bp1:7424',
    'bp1/..:7424',
    'bp1;reboot:7424',
    '$(reboot):7424',
    'b\0p1:7424',
    'bp1.exämple:7424',
    '::1:7424',
    'fd00::21:7424',
    '[]:7424',
    '[bp1]:7424',
    '[10.0.0.1]:7424',
    '[fd00::21:7424',
    'fd00::21]:7424',
    '[fd00::21]7424',
    '[fd00::21]',
    '[fd00::21]:',
    '[fd00::21]:0',
    '[fd00:::21]:7424',
    '[::1::2]:7424',
    '[fe80::1%eth0]:7424',
    '[[::1]]:7424',
    `${'a'.repeat(254)}:7424`,
    `[${'0:'.repeat(40)}]:7424`,
  ])('is not %j', (written) => {
    expect(read(written)).toBeUndefined();
  });

  it('has a host without blanks, control characters or what a shell or URL would take for its own, and a port', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.tuple(fc.string(), fc.nat(70_000)).map(([host, port]) => `${host}:${port}`),
          fc
            .tuple(fc.string({ unit: fc.constantFrom(...'0:af.[]%') }), fc.nat(70_000))
            .map(([host, port]) => `[${host}]:${port}`),
          fc.tuple(fc.ipV6(), fc.nat(70_000)).map(([host, port]) => `[${host}]:${port}`),
          fc.tuple(fc.domain(), fc.nat(70_000)).map(([host, port]) => `${host}:${port}`),
        ),
        (written) => {
          const found = read(written);
          if (found === undefined) return;
          expect(found.host).toMatch(/^[A-Za-z0-9.:-]{1,253}$/);
          expect(found.host).not.toMatch(/^-/);
          expect(found.port).toBeGreaterThanOrEqual(1);
          expect(found.port).toBeLessThanOrEqual(65_535);
          expect([`${found.host}:${found.port}`, `[${found.host}]:${found.port}`]).toContain(
            written.replace(/:0*(\d+)$/, ':$1'),
          );
        },
      ),
    );
  });

  it('takes every IPv6 address and every domain', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        expect(read(`[${host}]:${port}`)).toEqual({ host, port });
      }),
    );
    fc.assert(
      fc.property(fc.domain(), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        expect(read(`${host}:${port}`)).toEqual({ host, port });
      }),
    );
  });
});
