// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as C from './constants.js';

const header = fileURLToPath(new URL('hypercall.h', import.meta.url));
const text = readFileSync(header, 'utf8');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'oneclock-hypercall-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function upper(prefix: string, values: Readonly<Record<string, number>>): [string, bigint][] {
  return Object.entries(values).map(([name, value]) => [`${prefix}${name}`, BigInt(value)]);
}

/** What constants.ts says, by the names of the header. */
const numbers: [string, bigint][] = [
  ['VERSION', BigInt(C.HYPERCALL_VERSION)],
  ['CPUID', BigInt(C.CPUID)],
  ...upper('PORT_', C.Port),
  ['NUMBER', BigInt(C.HYPERCALL_NUMBER)],
  ...upper('FEATURE_', C.Feature),
  ...upper('OP_', C.Op),
  ...upper('END_', C.End),
  ...upper('E_', C.ResultError),
  ['VARIABLE_JIFFIES', BigInt(C.VARIABLE_JIFFIES)],
  ['VARIABLE_MAX', BigInt(C.MAX_VARIABLE)],
  ['VECTOR_MIN', BigInt(C.MIN_VECTOR)],
  ['VECTOR_MAX', BigInt(C.MAX_VECTOR)],
  ['LINES', BigInt(C.LINES)],
  ['NO_REQUEST', C.NO_REQUEST],
  ['PAGE_BYTES', BigInt(C.PageLayout.BYTES)],
  ['ARGS', BigInt(C.ARGS)],
];

function members(structure: string): string[] {
  const body = new RegExp(`^struct oneclock_hc_${structure} \\{\n([^}]*)`, 'm').exec(text)?.[1] ?? '';
  return [...body.matchAll(/^\t(?:__[us]\d+|struct \w+) (\w+)(?:\[\w+\])?;/gm)].map(
    ([, name]) => name as string,
  );
}

/** The values of C expressions, all of them unsigned and of 64 bits. */
function evaluate(expressions: readonly string[]): bigint[] {
  const source = join(folder, 'print.c');
  const program = join(folder, 'print');
  const lines = expressions.map((expression) => `\tprintf("%llu\\n", (unsigned long long)(${expression}));`);
  writeFileSync(
    source,
    `#include <stddef.h>\n#include <stdio.h>\n#include "${header}"\nint main(void)\n{\n${lines.join('\n')}\n}\n`,
  );
  execFileSync('cc', ['-std=c11', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
  return execFileSync(program, { encoding: 'utf8' }).trim().split('\n').map(BigInt);
}

describe('hypercall.h and constants.ts agree', () => {
  test('on every number, and have no others', () => {
    const defined = [...text.matchAll(/^#define ONECLOCK_HC_(\w+)/gm)].map(([, name]) => name as string);
    expect(defined.toSorted()).toEqual([...numbers.map(([name]) => name), 'SIGNATURE'].toSorted());
    const values = evaluate(numbers.map(([name]) => `ONECLOCK_HC_${name}`));
    expect(numbers.map(([name], place) => [name, values[place]])).toEqual(numbers);
    expect(text).toContain(`#define ONECLOCK_HC_SIGNATURE "${C.SIGNATURE}"\n`);
  });

  test.each([
    ['page', C.PageLayout],
    ['warp', C.WarpLayout],
  ] as const)('on the layout of a %s', (structure, { BYTES, ...layout }) => {
    const type = `struct oneclock_hc_${structure}`;
    const names = members(structure);
    const [size, ...offsets] = evaluate([
      `sizeof(${type})`,
      ...names.map((name) => `offsetof(${type}, ${name})`),
    ]);
    expect(size).toBe(BigInt(BYTES));
    expect(names.map((name, place) => [name.toUpperCase(), Number(offsets[place])])).toEqual(
      Object.entries(layout),
    );
  });

  test('the signature fits into three registers', () => {
    expect(C.SIGNATURE).toMatch(/^[a-z]{1,12}$/);
  });

  test('no two operations, features or errors are the same', () => {
    for (const set of [C.Op, C.End, C.Feature, C.ResultError, C.Port]) {
      const values = Object.values(set);
      expect(new Set(values).size).toBe(values.length);
    }
    for (const bit of Object.values(C.Feature)) expect(Math.log2(bit) % 1).toBe(0);
  });

  test('the hypercall number is a bit of a positive int, and none of Linux 6.12', () => {
    expect(C.HYPERCALL_NUMBER).toBeGreaterThan(12);
    expect(1 << C.HYPERCALL_NUMBER).toBeGreaterThan(0);
  });
});

describe('hypercall.h compiles without a warning', () => {
  const WARNINGS = ['-Wall', '-Wextra', '-Wpadded', '-Werror', '-fsyntax-only'];

  function compile(...options: readonly string[]): void {
    const source = join(folder, 'use.c');
    writeFileSync(source, `#include "${header}"\n#include "${header}"\nstruct oneclock_hc_page page;\n`);
    execFileSync('cc', [...WARNINGS, ...options, source]);
  }

  test.each([
    ['user-space C', ['-std=c11', '-pedantic']],
    ['C++', ['-x', 'c++', '-std=c++17']],
    ['bare-metal C, without any header', ['-std=gnu11', '-ffreestanding', '-nostdinc', '-mno-sse']],
  ])('as %s', (_, options) => compile(...options));

  test('as kernel C, whose types are those of linux/types.h', () => {
    const include = join(folder, 'kernel');
    mkdirSync(join(include, 'linux'), { recursive: true });
    // As in include/uapi/asm-generic/int-ll64.h.
    writeFileSync(
      join(include, 'linux/types.h'),
      'typedef unsigned char __u8; typedef unsigned int __u32;\n' +
        'typedef unsigned long long __u64; typedef signed long long __s64;\n',
    );
    compile('-std=gnu11', '-D__KERNEL__', '-nostdinc', '-I', include);
  });
});
