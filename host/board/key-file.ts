// SPDX-License-Identifier: MIT
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { OneclockError } from '../../backend/errors.js';

/** Bytes of a key. Fewer could be guessed from a recorded connection; OpenSSL takes no more. */
const LEAST_BYTES = 32;
const MOST_BYTES = 256;
/** Of the file: the greatest key in hexadecimal, and some blanks. */
const MOST_FILE_BYTES = 1024;
const HOW = 'make one with: (umask 077; openssl rand -hex 32 > FILE)';

/**
 * Reads a pre-shared key: a file with one hexadecimal or base64 text, which nobody but its owner, who is the user of
 * this process, may read or write.
 *
 * @throws OneclockError INPUT
 */
export function readKeyFile(path: string): Buffer {
  const refuse = (found: string, cause?: unknown): never => {
    throw new OneclockError('INPUT', `key file ${path}: ${found}; ${HOW}`, { cause });
  };
  let text = '';
  try {
    const descriptor = openSync(path, 'r');
    try {
      const { mode, uid, size } = fstatSync(descriptor);
      if ((mode & 0o170000) !== 0o100000) refuse('expected a regular file');
      if (uid !== process.geteuid?.()) refuse(`expected a file of this user, found one of user ${uid}`);
      if ((mode & 0o077) !== 0) {
        const found = (mode & 0o777).toString(8).padStart(4, '0');
        refuse(`expected a file for its owner only (mode 0600), found mode ${found}`);
      }
      if (size > MOST_FILE_BYTES) refuse(`expected at most ${MOST_FILE_BYTES} bytes, found ${size}`);
      text = readFileSync(descriptor, 'latin1').trim();
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof OneclockError) throw error;
    refuse((error as Error).message, error);
  }
  const key = decode(text) ?? refuse('expected hexadecimal or base64 text, found something else');
  if (key.length < LEAST_BYTES || key.length > MOST_BYTES) {
    refuse(`expected a key of ${LEAST_BYTES} to ${MOST_BYTES} bytes, found ${key.length}`);
  }
  return key;
}

function decode(text: string): Buffer | undefined {
  if (/^(?:[0-9a-fA-F]{2})*$/.test(text)) return Buffer.from(text, 'hex');
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(text)) {
    return Buffer.from(text, 'base64');
  }
  return undefined;
}
