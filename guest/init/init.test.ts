// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_ADDRESSES, MAX_INTERFACES } from '../../backend/topology/limits.js';
import { AgentDecoder } from '../../protocols/agent/codec.js';
import {
  formatDescription,
  type GuestDescription,
  MAX_DESCRIPTION,
  MAX_HOSTNAME,
  MAX_SHOWN,
  MAX_SHOWN_PATH,
} from '../initramfs.js';

/** The parts of init that need no guest, compiled with the sanitizers and run here. */
const { CC: compiler = 'cc' } = process.env;
const hasCompiler = spawnSync(compiler, ['--version']).status === 0;
const skipped = hasCompiler ? '' : ` (skipped: needs a C compiler, ${compiler})`;

const HARNESS = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node.h"
#include "report.h"

static int reports(void)
{
	static const char text[] = "cannot mount hostfs";
	uint8_t out[REPORT_MAX_SIZE];
	char longer[3 * REPORT_MAX_TEXT];

	fwrite(out, 1, report_ready(out), stdout);
	for (uint32_t i = 0; i < 256; i++)
		fwrite(out, 1, report_exited(out, i), stdout);
	for (uint32_t i = 1; i <= 64; i++)
		fwrite(out, 1, report_signalled(out, i), stdout);
	fwrite(out, 1, report_failed(out, text), stdout);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	fwrite(out, 1, report_failed(out, longer), stdout);
	return 0;
}

int main(int count, char **words)
{
	static struct node node;
	char error[256];
	char *text;
	size_t size;

	(void)words;
	if (count > 1)
		return reports();
	text = malloc(NODE_MAX_FILE + 1);
	size = fread(text, 1, NODE_MAX_FILE, stdin);
	/* Just the room that node_parse asks for, so that the sanitizer sees a step too far. */
	text = realloc(text, size + 1);
	if (!node_parse(&node, text, size, error, sizeof(error))) {
		puts(error);
		free(text);
		return 1;
	}
	printf("%s %d", node.hostname, node.host_root);
	if (node.relay_port)
		printf(" relay %u", node.relay_port);
	if (node.files)
		printf(" files");
	if (node.agent)
		printf(" agent");
	for (unsigned int i = 0; i < node.shown_count; i++)
		printf(" %s", node.shown[i]);
	for (unsigned int i = 0; i < node.interface_count; i++)
		printf(" %s/%d/%02x%02x/%d", node.interfaces[i].name, node.interfaces[i].mtu,
		       node.interfaces[i].mac[0], node.interfaces[i].mac[5], node.interfaces[i].ipv6);
	for (unsigned int i = 0; i < node.address_count; i++)
		printf(" %u:%s/%u", node.addresses[i].interface, node.addresses[i].family == AF_INET ? "4" : "6",
		       node.addresses[i].prefix);
	puts("");
	free(text);
	return 0;
}
`;

describe.skipIf(!hasCompiler)(`the C side of a guest${skipped}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'oneclock-init-'));
  const program = join(directory, 'harness');

  beforeAll(() => {
    const sanitize = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    const flags = ['-std=gnu11', '-D_GNU_SOURCE', '-O1', '-Wall', '-Wextra', '-Werror', '-I.', ...sanitize];
    const built = spawnSync(
      compiler,
      [...flags, '-o', program, '-x', 'c', '-', 'node.c', 'report.c', 'wire.c'],
      {
        cwd: import.meta.dirname,
        input: HARNESS,
      },
    );
    expect(built.stderr.toString()).toBe('');
    expect(built.status).toBe(0);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const parse = (text: string | Uint8Array) => {
    const result = spawnSync(program, { input: text });
    expect(result.stderr.toString()).toBe('');
    return { status: result.status, text: result.stdout.toString('latin1').trimEnd() };
  };

  test('its reports are what the codec reads', () => {
    const { stdout, stderr } = spawnSync(program, ['reports']);
    expect(stderr.toString()).toBe('');
    const decoder = new AgentDecoder('a');
    const messages = decoder.push(stdout);
    decoder.end();
    expect(messages).toEqual([
      { type: 'ready' },
      ...Array.from({ length: 256 }, (_, code) => ({ type: 'exited', code })),
      ...Array.from({ length: 64 }, (_, index) => ({ type: 'signalled', signal: index + 1 })),
      { type: 'failed', text: 'cannot mount hostfs' },
      { type: 'failed', text: 'x'.repeat(1024) },
    ]);
  });

  test('its limits are those of the description', () => {
    const header = readFileSync(join(import.meta.dirname, 'node.h'), 'utf8');
    expect(header).toContain(`#define NODE_MAX_FILE ${MAX_DESCRIPTION}\n`);
    expect(header).toContain(`#define NODE_MAX_HOSTNAME ${MAX_HOSTNAME}\n`);
    expect(header).toContain(`#define NODE_MAX_INTERFACES ${MAX_INTERFACES}\n`);
    expect(header).toContain(`#define NODE_MAX_ADDRESSES ${MAX_ADDRESSES}\n`);
    expect(header).toContain(`#define NODE_MAX_SHOWN ${MAX_SHOWN}\n`);
    expect(header).toContain(`#define NODE_MAX_PATH ${MAX_SHOWN_PATH}\n`);
  });

  test('it reads what formatDescription writes', () => {
    const guest: GuestDescription = {
      hostname: 'a',
      root: 'host',
      run: undefined,
      interfaces: [
        { name: 'eth0', mac: Uint8Array.from([2, 0, 0, 0, 0, 10]), mtu: 1500, addresses: ['10.0.0.1/24'] },
        {
          name: 'lan',
          mac: Uint8Array.from([6, 0, 0, 0, 0, 255]),
          mtu: 65535,
          addresses: ['fd00::1/64', '1.2.3.4/0'],
        },
      ],
    };
    const expected = 'a 1 eth0/1500/020a/0 lan/65535/06ff/1 0:4/24 1:6/64 1:4/0';
    expect(parse(formatDescription(guest))).toEqual({ status: 0, text: expected });
  });

  test('it reads of a relay and of files', () => {
    const board = { hostname: 'a', root: 'host', run: undefined, interfaces: [] } as const;
    expect(parse(formatDescription(board)).text).toBe('a 1');
    const { status, text } = parse(
      formatDescription({ ...board, relay: 65535, files: [], shown: ['/tmp/a', '/b'] }),
    );
    expect([status, text]).toEqual([0, 'a 1 relay 65535 files /tmp/a /b']);
  });

  test('it reads of an agent', () => {
    const node = { hostname: 'a', root: 'initramfs', run: undefined, interfaces: [], agent: true } as const;
    expect(parse(formatDescription(node))).toEqual({ status: 0, text: 'a 0 agent' });
  });

  const eth0 = 'interface 02:00:00:00:00:0a eth0 1500\n';
  test.each([
    ['', 'no line with the hostname'],
    ['root host\n', 'no line with the hostname'],
    ['hostname a', 'line 1: the line is cut off: "hostname a"'],
    ['hostname a\n\n', 'line 2: an empty line: ""'],
    ['hostname a\nhostname b\n', 'line 2: a second hostname: "hostname b"'],
    [`hostname ${'a'.repeat(65)}\n`, 'line 1: a hostname of more than 64 characters'],
    ['hostname a\u001b\n', 'line 1: a hostname that is not of printable ASCII'],
    ['hostname a b\n', 'line 1: the setting has another number of words: "hostname a b"'],
    ['hostname a b c d e f g\n', 'line 1: too many words'],
    ['hostname a\0\n', 'a zero byte in the description'],
    ['root both\n', 'line 1: the root is neither initramfs nor host: "root both"'],
    ['show tmp\n', 'line 1: no absolute path without ..: "show tmp"'],
    ['show /tmp/../etc\n', 'line 1: no absolute path'],
    [`show /${'a'.repeat(1023)}\n`, 'line 1: a path of more than 1023 characters'],
    ['show /a\n'.repeat(5), 'line 5: more than 4 folders to show'],
    ['relay 0\n', 'line 1: the TCP port is not a number from 1 to 65535: "relay 0"'],
    ['relay 65536\n', 'line 1: the TCP port is not'],
    ['relay 1\nrelay 2\n', 'line 2: a second relay'],
    ['agent smith\n', 'line 1: the setting has another number of words'],
    ['colour red\n', 'line 1: no setting that is known'],
    ['interface 02:00:00:00:00:0 eth0 1500\n', 'line 1: the MAC address is not'],
    ['interface 02:00:00:00:00:0g eth0 1500\n', 'line 1: the MAC address is not'],
    ['interface 02-00-00-00-00-0a eth0 1500\n', 'line 1: the MAC address is not'],
    ['interface 02:00:00:00:00:0a eth0/x 1500\n', 'line 1: no possible name'],
    ['interface 02:00:00:00:00:0a .. 1500\n', 'line 1: no possible name'],
    ['interface 02:00:00:00:00:0a abcdefghijklmnop 1500\n', 'line 1: no possible name'],
    ['interface 02:00:00:00:00:0a eth0 67\n', 'line 1: the MTU is not'],
    ['interface 02:00:00:00:00:0a eth0 99999999999999999999\n', 'line 1: the MTU is not'],
    ['interface 02:00:00:00:00:0a eth0 -1\n', 'line 1: the MTU is not'],
    [`${eth0}${eth0}`, 'line 2: a second interface of that name'],
    [`${eth0}interface 02:00:00:00:00:0a eth1 1500\n`, 'line 2: a second interface with that MAC'],
    ['address eth0 10.0.0.1/24\n', 'line 1: an address of an interface that no earlier line names'],
    [`${eth0}address eth0 10.0.0.1\n`, 'line 2: the address has no /PREFIX'],
    [`${eth0}address eth0 10.0.0.1/33\n`, 'line 2: the prefix is not'],
    [`${eth0}address eth0 10.0.0.1/\n`, 'line 2: the prefix is not'],
    [`${eth0}address eth0 fd00::1/129\n`, 'line 2: the prefix is not'],
    [`${eth0}address eth0 10.0.0.300/24\n`, 'line 2: neither an IPv4 nor an IPv6 address'],
  ])('it refuses %j', (text, error) => {
    const result = parse(text);
    expect(result.text).toContain(error);
    expect(result.status).toBe(1);
  });

  test('garbage is refused and breaks nothing', () => {
    const line = fc.tuple(
      fc.constantFrom('hostname a\n', 'root host\n', eth0, 'address eth0 1.2.3.4/5\n', 'address '),
      fc.string({ maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 500 }), fc.array(line)), (parts) => {
        const text = parts instanceof Uint8Array ? parts : parts.flat().join('');
        expect(parse(text).status).toBeLessThan(2);
      }),
      { numRuns: 200 },
    );
  });

  test('more interfaces or addresses than it has room for are refused', () => {
    const interfaces = Array.from(
      { length: MAX_INTERFACES + 1 },
      (_, index) =>
        `interface 02:00:00:00:0${index >> 8}:${(index & 255).toString(16).padStart(2, '0')} e${index} 1500\n`,
    );
    expect(parse(interfaces.join('')).text).toContain('line 257: more than 256 interfaces');
    const addresses = eth0 + 'address eth0 10.0.0.1/24\n'.repeat(MAX_ADDRESSES + 1);
    expect(parse(addresses).text).toContain('line 1026: more than 1024 addresses');
  });
});
