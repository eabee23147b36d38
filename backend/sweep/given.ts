// SPDX-License-Identifier: MIT
import { OneclockError } from '../errors.js';

/** What the command line says of each parameter: its values, as text, in the order given; at least one. */
export type Given = ReadonlyMap<string, readonly string[]>;

/**
 * Reads `--param name=value,…`. A comma separates values; `\,` is a comma in a value, `\\` a backslash, and a backslash
 * before anything else stands for itself.
 *
 * @throws OneclockError `INPUT`
 */
export function readGiven(texts: readonly string[]): Given {
  const given = new Map<string, readonly string[]>();
  for (const text of texts) {
    const [, name, values] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || values === undefined) {
      throw new OneclockError('INPUT', `--param: expected name=value, such as k=3; found '${text}'`);
    }
    if (given.has(name)) {
      throw new OneclockError(
        'INPUT',
        `--param ${name} is given twice: write all values in one, ${name}=1,2`,
      );
    }
    given.set(name, splitValues(values));
  }
  return given;
}

/** Whether the command line asks for more than one run. */
export function isSweep(given: Given, repeat: number): boolean {
  return repeat > 1 || [...given.values()].some((values) => values.length > 1);
}

/** Writes a value so that {@link readGiven} reads it as this one. */
export function writeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll(',', '\\,');
}

function splitValues(text: string): string[] {
  const values: string[] = [];
  let value = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    const next = text[at + 1];
    if (character === '\\' && (next === ',' || next === '\\')) {
      value += next;
      at++;
    } else if (character === ',') {
      values.push(value);
      value = '';
    } else {
      value += character;
    }
  }
  return [...values, value];
}
