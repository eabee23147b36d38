// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { instant } from '../calendar/time.js';
import {
  type CapturedFrame,
  type CaptureInterface,
  enhancedPacket,
  interfaceDescription,
  interfaceStatistics,
  PcapngWriter,
  sectionHeader,
} from './pcapng.js';

/** 2026-01-01T00:00:00Z. */
const START = 1_767_225_600_000_000_000n;
const ENDS: readonly CaptureInterface[] = [
  { name: 'a.eth0', description: 'ab', speed: 100_000_000n },
  { name: 'b.eth0', description: 'ab', speed: undefined },
];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pcapng-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function hex(text: string): string {
  return text.replaceAll(/[^0-9a-f]/g, '');
}

function asHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The file that a run of `fill` leaves, and its path. */
function capture(name: string, fill: (writer: PcapngWriter) => void, end = instant(0n)): [Buffer, string] {
  const path = join(folder, name);
  const writer = new PcapngWriter(openSync(path, 'wx', 0o600), START, ENDS);
  fill(writer);
  writer.close(end);
  return [readFileSync(path), path];
}

describe('blocks, byte for byte', () => {
  test('section header', () => {
    const expected = [
      '0a0d0d0a 50000000 4d3c2b1a 0100 0000 ffffffffffffffff',
      '0200 0f00 7669727475616c206e6574776f726b 00', // virtual network
      '0300 0c00 7669727475616c2074696d65', // virtual time
      '0400 0800 6f6e65636c6f636b', // oneclock
      '0000 0000 50000000',
    ];
    expect(asHex(sectionHeader())).toBe(expected.map((line) => hex(line)).join(''));
  });

  test('interface description, with a speed and without', () => {
    const begin = '0100 0000 00000000 0200 0600';
    expect(asHex(interfaceDescription({ name: 'a.eth0', description: 'ab', speed: 100_000_000n }))).toBe(
      hex(`01000000 40000000 ${begin} 612e65746830 0000 0300 0200 6162 0000`) +
        hex('0800 0800 00e1f50500000000 0900 0100 09 000000 0000 0000 40000000'),
    );
    expect(asHex(interfaceDescription({ name: 'b.eth0', description: 'ab', speed: undefined }))).toBe(
      hex(`01000000 34000000 ${begin} 622e65746830 0000 0300 0200 6162 0000`) +
        hex('0900 0100 09 000000 0000 0000 34000000'),
    );
  });

  test('enhanced packet: the upper half of the time comes first, data is padded', () => {
    const bytes = Uint8Array.of(0xaa, 0xbb, 0xcc);
    const outbound: CapturedFrame = { interface: 1, direction: 'outbound', bytes };
    expect(asHex(enhancedPacket(outbound, 0x1122334455667788n))).toBe(
      hex('06000000 30000000 01000000 44332211 88776655 03000000 03000000 aabbcc00') +
        hex('0200 0400 02000000 0000 0000 30000000'),
    );
    const dropped: CapturedFrame = { ...outbound, direction: 'inbound', dropped: 'lost' };
    expect(asHex(enhancedPacket(dropped, 1n))).toBe(
      hex('06000000 38000000 01000000 00000000 01000000 03000000 03000000 aabbcc00') +
        hex('0200 0400 01000000 0100 0400 6c6f7374 0000 0000 38000000'),
    );
  });

  test('interface statistics', () => {
    expect(asHex(interfaceStatistics(1, { frames: 258, dropped: 3 }, 0x1122334455667788n))).toBe(
      hex('05000000 34000000 01000000 44332211 88776655') +
        hex('0400 0800 0201000000000000 0500 0800 0300000000000000 0000 0000 34000000'),
    );
  });

  test('a text that does not fit into an option', () => {
    const dropped = 'x'.repeat(65_536);
    const frame = { interface: 0, direction: 'outbound', bytes: new Uint8Array(1), dropped } as const;
    expect(() => enhancedPacket(frame, 0n)).toThrow('holds 65535 bytes; found 65536');
  });

  test('every block says its length twice, in a multiple of 4', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 2000 }),
        fc.option(fc.string({ unit: 'binary', maxLength: 40 }), { nil: undefined }),
        (bytes, dropped) => {
          const block = Buffer.from(
            enhancedPacket({ interface: 0, direction: 'inbound', bytes, dropped }, 1n),
          );
          expect(block.length % 4).toBe(0);
          expect(block.readUInt32LE(4)).toBe(block.length);
          expect(block.readUInt32LE(block.length - 4)).toBe(block.length);
          expect(block.subarray(28, 28 + bytes.length).equals(bytes)).toBe(true);
        },
      ),
    );
  });
});

describe('PcapngWriter', () => {
  const bytes = Uint8Array.from({ length: 61 }, (_, index) => index);

  test('writes header, interfaces, frames and counts in this order', () => {
    const sent: CapturedFrame = { interface: 0, direction: 'outbound', bytes };
    const lost: CapturedFrame = { ...sent, dropped: 'lost' };
    const came: CapturedFrame = { interface: 1, direction: 'inbound', bytes };
    const [file] = capture(
      'order.pcapng',
      (writer) => {
        writer.write(instant(5n), sent);
        writer.write(instant(5n), lost);
        writer.write(instant(7n), came);
      },
      instant(9n),
    );
    const blocks = [
      sectionHeader(),
      ...ENDS.map(interfaceDescription),
      enhancedPacket(sent, START + 5n),
      enhancedPacket(lost, START + 5n),
      enhancedPacket(came, START + 7n),
      interfaceStatistics(0, { frames: 2, dropped: 1 }, START + 9n),
      interfaceStatistics(1, { frames: 1, dropped: 0 }, START + 9n),
    ];
    expect(asHex(file)).toBe(asHex(Buffer.concat(blocks)));
  });

  test('loses nothing where chunks end, nor with frames larger than a chunk', () => {
    const sizes = [60_000, 5_000, 65_536, 65_400, 100_000, 1, 0, 200_000];
    const frame = (size: number): CapturedFrame => ({
      interface: 0,
      direction: 'outbound',
      bytes: new Uint8Array(size).fill(size & 255),
    });
    const fill = (writer: PcapngWriter) => {
      for (const size of sizes) writer.write(instant(0n), frame(size));
    };
    const [file] = capture('chunks.pcapng', fill);
    const blocks = [
      sectionHeader(),
      ...ENDS.map(interfaceDescription),
      ...sizes.map((size) => enhancedPacket(frame(size), START)),
      interfaceStatistics(0, { frames: sizes.length, dropped: 0 }, START),
      interfaceStatistics(1, { frames: 0, dropped: 0 }, START),
    ];
    expect(file.equals(Buffer.concat(blocks))).toBe(true);
    expect(capture('again.pcapng', fill)[0].equals(file)).toBe(true);
  });

  test('flush leaves a file that can be read so far', () => {
    const path = join(folder, 'flush.pcapng');
    const writer = new PcapngWriter(openSync(path, 'wx', 0o600), START, ENDS);
    expect(readFileSync(path).length).toBe(0);
    writer.flush();
    expect(readFileSync(path).length).toBe(80 + 64 + 52);
    writer.close(instant(0n));
  });

  test('T1: time runs backward; an interface that does not exist; a call after the end', () => {
    const frame: CapturedFrame = { interface: 0, direction: 'outbound', bytes };
    capture(
      'faults.pcapng',
      (writer) => {
        writer.write(instant(10n), frame);
        expect(() => writer.write(instant(9n), frame)).toThrow('9ns came after 10ns');
        expect(() => writer.write(instant(10n), { ...frame, interface: 2 })).toThrow(
          'interfaces 0 … 1; found 2',
        );
        writer.close(instant(20n));
        expect(() => writer.write(instant(21n), frame)).toThrow('closed at 20ns');
      },
      instant(20n),
    );
    expect(() => new PcapngWriter(1, -1n, ENDS)).toThrow('cannot start -1ns after 1970');
  });

  test('a full disk is a fault of the machine, and the descriptor is closed all the same', () => {
    const descriptor = openSync('/dev/full', 'w');
    const writer = new PcapngWriter(descriptor, START, ENDS);
    expect(() => writer.close(instant(0n))).toThrow(
      expect.objectContaining({ code: 'MACHINE', message: expect.stringContaining('ENOSPC') }),
    );
    expect(() => closeSync(descriptor)).toThrow('EBADF');
    writer.close(instant(0n));
  });
});

/** ARP from a to b, 42 bytes. */
const ARP = Buffer.from(
  hex('020000000002 020000000001 0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002'),
  'hex',
);

function conversation(writer: PcapngWriter): void {
  writer.write(instant(1n), { interface: 0, direction: 'outbound', bytes: ARP });
  writer.write(instant(1_000_000_007n), { interface: 1, direction: 'inbound', bytes: ARP });
  writer.write(instant(1_999_999_999n), {
    interface: 1,
    direction: 'outbound',
    bytes: ARP,
    dropped: 'queue full',
  });
}

/** Undefined where the tool can be run; else what the skipped test says. */
function missing(tool: string): string | undefined {
  return spawnSync(tool, ['--version']).error === undefined ? undefined : `${tool} is not installed`;
}

describe('other readers', () => {
  test('tshark: names, directions, comments and nanoseconds', ({ skip }) => {
    const reason = missing('tshark');
    skip(reason !== undefined, reason);
    const [, path] = capture('tshark.pcapng', conversation, instant(2_000_000_000n));
    const tshark = (...options: string[]) =>
      spawnSync('tshark', ['-n', '-r', path, '-T', ...options], { encoding: 'utf8' }).stdout;
    const packets = JSON.parse(tshark('json'));
    const frames = packets.map(({ _source }: { _source: { layers: { frame?: unknown } } }) => {
      expect(Object.keys(_source.layers)).toContain('arp');
      return _source.layers.frame;
    });
    const interfaces = (name: string) => ({
      'frame.interface_name': name,
      'frame.interface_description': 'ab',
    });
    expect(frames).toMatchObject([
      {
        'frame.interface_id_tree': interfaces('a.eth0'),
        'frame.packet_flags_tree': { 'frame.packet_flags_direction': '0x00000002' },
        'frame.len': '42',
      },
      {
        'frame.interface_id_tree': interfaces('b.eth0'),
        'frame.packet_flags_tree': { 'frame.packet_flags_direction': '0x00000001' },
      },
      {
        'frame.interface_id_tree': interfaces('b.eth0'),
        'frame.packet_flags_tree': { 'frame.packet_flags_direction': '0x00000002' },
      },
    ]);
    const columns = ['frame.time_epoch', 'frame.comment'].flatMap((field) => ['-e', field]);
    const table = tshark('fields', ...columns);
    expect(table.trimEnd().split('\n')).toEqual([
      '1767225600.000000001\t',
      '1767225601.000000007\t',
      '1767225601.999999999\tqueue full',
    ]);
  });

  test('tcpdump: frames and nanoseconds', ({ skip }) => {
    const reason = missing('tcpdump');
    skip(reason !== undefined, reason);
    const [, path] = capture('tcpdump.pcapng', conversation, instant(2_000_000_000n));
    const result = spawnSync('tcpdump', ['-n', '-tt', '--nano', '-r', path], { encoding: 'utf8' });
    expect(result.stderr).toContain('link-type EN10MB');
    expect(result.stdout.trimEnd().split('\n')).toEqual(
      ['1767225600.000000001', '1767225601.000000007', '1767225601.999999999'].map(
        (time) => `${time} ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28`,
      ),
    );
  });
});
