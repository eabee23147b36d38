// SPDX-License-Identifier: MIT
import * as z from 'zod/mini';
import { Refusal } from './refusal.js';

/**
 * The pieces that the schema is made of. The `message` of an issue is never a sentence: it is the thing that was
 * expected, as a noun phrase, and explain.ts adds what was found. For an unknown key it is the list of the known ones.
 */

/** What editors show for a key, and what a pattern cannot say. */
export interface Documentation {
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly [keyword: string]: unknown;
}

/** The texts of the published JSON Schema; a registry of our own, so that nothing is global. */
export const documentation = z.registry<Documentation>();

/** `schema`, with `text` for its key in the published JSON Schema. */
export function described<S extends z.ZodMiniType>(
  text: string,
  schema: S,
  keywords: Omit<Documentation, 'description'> = {},
): S {
  documentation.add(schema, { description: text, ...keywords });
  return schema;
}

/** A map with these keys and no other. */
export function closed<S extends z.core.$ZodShape>(expected: string, shape: S) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? keys : expected),
  });
}

/**
 * A string of the form `pattern`, which `parse` turns into a value.
 *
 * @param parse undefined: not what was expected; a {@link Refusal}: the same, with a reason
 */
export function text<T>(expected: string, pattern: RegExp, parse: (text: string) => T | Refusal | undefined) {
  return z.pipe(
    z.string(expected).check(z.regex(pattern, expected)),
    z.transform((written: string, context): T => {
      const value = parse(written);
      const refusal = value instanceof Refusal ? value : undefined;
      if (value !== undefined && !(value instanceof Refusal)) return value;
      const params = refusal === undefined ? {} : { params: { reason: refusal.reason } };
      context.issues.push({ code: 'custom', message: expected, input: written, ...params });
      return z.NEVER;
    }),
  );
}

/** A whole number from `least` to `most`. */
export function whole(expected: string, least: number, most: number) {
  return z.int(expected).check(z.gte(least, expected), z.lte(most, expected));
}
