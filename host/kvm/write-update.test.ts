// SPDX-License-Identifier: MIT
import { describe, expect, onTestFinished, test } from 'vitest';
import { missing, newHub, wait } from './testing/guests.js';
import { type SharingGuest, SharingGuests, VARIABLE } from './testing/write-update-guests.js';

type Method = SharingGuests['method'];

/** Ends a guest's program: it waits for ever. */
const REST = 'sti\n7: hlt\njmp 7b';
const FILL = 0xee;

function group(method: Method) {
  const hub = newHub();
  const guests = new SharingGuests(hub, method);
  onTestFinished(() => guests.stop());
  return {
    guests,
    wait: (what: string, until: () => boolean) => wait(hub, what, until),
    /** Lets guests begin, and waits until each waits. */
    begin: (...list: readonly SharingGuest[]) => {
      for (const guest of list) {
        guest.machine.run(0n, 1n);
        wait(hub, 'a guest that waits', () => guest.waiting());
      }
    },
  };
}

/** `value` as bytes in memory. */
function bytesOf(value: bigint, size: number): number[] {
  return Array.from({ length: size }, (_, place) => Number((value >> BigInt(8 * place)) & 0xffn));
}

describe.skipIf(missing !== '').each(['ordered', 'local-first'] as const)(
  `variables of guests, %s${missing && ` (${missing})`}`,
  (method) => {
    test.each([1, 2, 3, 4, 5, 6, 7, 8])(
      'of %d bytes, at every place of a word, in guests that stand still',
      (size) => {
        for (let offset = 0; offset + size <= 8; offset++) {
          const { guests, wait: until, begin } = group(method);
          const value = 0x8877665544332211n & ((1n << BigInt(8 * size)) - 1n);
          const address = VARIABLE + offset;
          // Byte by byte, as any code may.
          const stores = bytesOf(value, size).map((byte, place) => `STORE movb $${byte}, ${address + place}`);
          const share = `SHARE ${address}, ${size}\n`;
          const sender = guests.add(
            'a',
            `${share} AWAIT 100\n${stores.join('\n')}\nmovabs $${value}, %rcx\nCHANGE\nTELLS $1\n${REST}`,
          );
          const others = ['b', 'c'].map((name) => guests.add(name, `${share} AWAIT 100\n${REST}`));
          for (const { memory } of guests.guests) memory(VARIABLE - 8, 24).fill(FILL);
          begin(sender, ...others);
          const exits = others.map(({ machine }) => machine.exits);
          sender.go();
          until('the change', () => sender.told.length === 1);
          const expected = [
            ...Array(8 + offset).fill(FILL),
            ...bytesOf(value, size),
            ...Array(16 - offset - size).fill(FILL),
          ];
          for (const { memory } of guests.guests) expect([...memory(VARIABLE - 8, 24)]).toEqual(expected);
          // Nobody was entered for it.
          expect(others.map(({ machine }) => machine.exits)).toEqual(exits);
          expect(guests.guests.flatMap(({ ends }) => ends)).toEqual([]);
          guests.stop();
        }
      },
    );

    test('in guests that run: each waits for the value of the other, and answers with the next', () => {
      const { guests, wait: until } = group(method);
      const rounds = 200;
      // One makes the odd values, the other the even ones; a third only looks for the last.
      const player = (first: number) => `
        SHARE VARIABLE, 8
        mov $${first}, %ecx
      1:
        lea -1(%rcx), %rax
      2: pause
        cmp %rax, VARIABLE
        jne 2b
        STORE mov %rcx, VARIABLE
        CHANGE
        add $2, %rcx
        cmp $${rounds}, %rcx
        jbe 1b
        TELLS $1
        ${REST}`;
      const odd = guests.add('odd', player(1));
      const even = guests.add('even', player(2));
      const third = guests.add(
        'third',
        `SHARE VARIABLE, 8\n2: pause\ncmpq $${rounds}, VARIABLE\njne 2b\nTELLS $1\n${REST}`,
      );
      for (const { machine } of [odd, even, third]) machine.run(0n, 1n);
      until('all rounds', () => [odd, even, third].every(({ told }) => told.length === 1));
      for (const { memory } of guests.guests)
        expect([...memory(VARIABLE, 8)]).toEqual(bytesOf(BigInt(rounds), 8));
    });

    test('no guest that runs sees half of a store', () => {
      const { guests, wait: until } = group(method);
      const count = 3000;
      const sender = guests.add(
        'a',
        `SHARE VARIABLE, 8
         mov $1, %esi
      1: mov %rsi, %rcx
         shl $32, %rcx
         or %rsi, %rcx
         STORE mov %rcx, VARIABLE
         CHANGE
         inc %esi
         cmp $${count}, %esi
         jbe 1b
         TELLS $1
         ${REST}`,
      );
      // Both halves are the same, always.
      const reader = guests.add(
        'b',
        `SHARE VARIABLE, 8
         TELLS $0
      1: mov VARIABLE, %rcx
         mov %ecx, %eax
         shr $32, %rcx
         cmp %eax, %ecx
         jne 2f
         cmp $${count}, %eax
         jne 1b
         TELLS $1
         ${REST}
      2: TELLS $2
         ${REST}`,
      );
      reader.machine.run(0n, 1n);
      until('a reader', () => reader.told.length === 1);
      sender.machine.run(0n, 1n);
      until('the last value', () => reader.told.length === 2);
      expect(reader.told).toEqual([0n, 1n]);
    });

    test('what a guest that runs does beside its variable is not lost', () => {
      const { guests, wait: until } = group(method);
      const count = 500;
      const sender = guests.add(
        'a',
        `SHARE VARIABLE + 1, 5
         mov $1, %esi
      1: mov %rsi, %rcx
         STORE mov %ecx, VARIABLE + 1
         CHANGE
         inc %esi
         cmp $${count}, %esi
         jbe 1b
         TELLS $1
         ${REST}`,
      );
      // It counts in the byte before and the bytes behind, and pauses, so that its word stands still now and then.
      const other = guests.add(
        'b',
        `SHARE VARIABLE + 1, 5
         TELLS $0
         xor %esi, %esi
      1: inc %esi
         incb VARIABLE
         incw VARIABLE + 6
         mov $64, %ecx
      2: pause
         dec %ecx
         jnz 2b
         cmpl $${count}, VARIABLE + 1
         jne 1b
         TELLS %rsi
         ${REST}`,
      );
      other.machine.run(0n, 1n);
      until('one that counts', () => other.told.length === 1);
      sender.machine.run(0n, 1n);
      until('the last value', () => other.told.length === 2);
      const counted = Number((other.told[1] as bigint) & 0xffffn);
      const [first, , , , , , low, high] = other.memory(VARIABLE, 8) as unknown as number[];
      expect(first).toBe(counted & 0xff);
      expect((low as number) | ((high as number) << 8)).toBe(counted);
      expect(other.ends).toEqual([]);
    });

    test.each<[string, string, RegExp]>([
      ['a size of 9', 'SHARE VARIABLE, 9', /expected a size from 1 to 8, found 9/],
      ['a size of 0', 'SHARE VARIABLE, 0', /expected a size from 1 to 8, found 0/],
      ['an address outside its memory', 'SHARE 0x200000, 8', /of 2097152 bytes of memory, found 0x200000/],
      ['an address beyond all', 'SHARE 0xfffffffffffffff8, 8', /found 0xfffffffffffffff8 and 8 bytes/],
      ['the last byte of its memory and the next', 'SHARE 0x1fffff, 2', /found 0x1fffff and 2 bytes/],
      ['two words', 'SHARE VARIABLE + 4, 8', /expected a variable in one aligned word/],
      [
        'its clock page',
        'SHARE PAGE + 64, 4',
        /expected a variable outside the page at 0x100000, found 0x100040/,
      ],
      ['name 0', 'SHARE VARIABLE, 8, 0', /expected a variable from 1 to 65535, found 0/],
      ['name 65536', 'SHARE VARIABLE, 8, 65536', /expected a variable from 1 to 65535, found 65536/],
      [
        'another size than the others',
        'SHARE VARIABLE, 4',
        /its variables: expected variable 1 of 8 bytes, .* of 4/,
      ],
      [
        'a change of what it has not registered',
        'mov $1, %ecx\nCHANGE',
        /expected a registered variable, found 1/,
      ],
      [
        'a value that does not fit',
        'SHARE VARIABLE, 2, 2\nmov $0x10000, %ecx\nCHANGE 2',
        /expected a value of 2 bytes, found 65536/,
      ],
    ])('%s ends that guest, with its name, and no other', (_, source, message) => {
      const { guests, wait: until, begin } = group(method);
      const change = 'mov $9, %ecx\nSTORE mov %rcx, VARIABLE\nCHANGE\nTELLS $1\n';
      const good = guests.add('good', `SHARE VARIABLE, 8\nAWAIT 100\n${change}${REST}`);
      const other = guests.add('other', `SHARE VARIABLE, 8\nAWAIT 100\n${REST}`);
      begin(good, other);
      const bad = guests.add('bad', `${source}\nTELLS $1\n${REST}`);
      bad.machine.run(0n, 1n);
      until('its end', () => bad.ends.length > 0);
      expect(bad.ends[0]?.message).toMatch(/^guest bad: /);
      expect(bad.ends[0]?.message).toMatch(message);
      expect(bad.told).toEqual([]);
      good.go();
      until('a change of another', () => good.told.length === 1);
      for (const { memory } of [good, other]) expect([...memory(VARIABLE, 8)]).toEqual(bytesOf(9n, 8));
      expect([good.ends, other.ends]).toEqual([[], []]);
    });

    test('a guest that begins late gets the value there is', () => {
      const { guests, wait: until, begin } = group(method);
      const first = guests.add(
        'a',
        `SHARE VARIABLE, 8\nmov $7, %ecx\nSTORE mov %rcx, VARIABLE\nCHANGE\nTELLS $1\n${REST}`,
      );
      begin(first);
      const late = guests.add('late', `SHARE VARIABLE, 8\nmov VARIABLE, %rcx\nTELLS %rcx\n${REST}`);
      late.machine.run(0n, 1n);
      until('it has looked', () => late.told.length === 1);
      expect(late.told).toEqual([7n]);
    });

    test('a guest that dies while it shares: the others go on', () => {
      const { guests, wait: until, begin } = group(method);
      const share = 'SHARE VARIABLE, 8\nAWAIT 100\n';
      const change = 'STORE mov %rcx, VARIABLE\nCHANGE\n';
      const dying = guests.add('dying', `${share}mov $5, %ecx\n${change}ud2`);
      const [a, b] = ['a', 'b'].map((name) =>
        guests.add(name, `${share}mov VARIABLE, %rcx\ninc %rcx\n${change}TELLS $1\n${REST}`),
      ) as [SharingGuest, SharingGuest];
      begin(dying, a, b);
      dying.go();
      until('its death', () => dying.ends.length > 0);
      expect(dying.ends[0]?.message).toMatch(/^guest dying: triple fault/);
      for (const [guest, value] of [
        [a, 6n],
        [b, 7n],
      ] as const) {
        guest.go();
        until('a change', () => guest.told.length === 1);
        for (const { memory } of [a, b]) expect([...memory(VARIABLE, 8)]).toEqual(bytesOf(value, 8));
      }
    });
  },
);
