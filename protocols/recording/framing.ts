// SPDX-License-Identifier: MIT
import { crc32 } from 'node:zlib';
import protobuf from 'protobufjs/light.js';
import { MAX_RECORDING_MESSAGE } from './constants.js';

/** Bytes of a varint that can hold the size of any message. */
const MAX_SIZE_BYTES = 3;
const CHECK_BYTES = 4;

/** Puts sizes and checks to messages. */
export class Framing {
  #check = 0;

  /** `message` as it is in the file. */
  frame(message: Uint8Array): Uint8Array {
    this.#check = crc32(message, this.#check);
    const check = Buffer.alloc(CHECK_BYTES);
    check.writeUInt32LE(this.#check);
    return Buffer.concat([protobuf.Writer.create().bytes(message).finish(), check]);
  }
}

/** Finds the messages in a file. */
export class Unframing {
  /** Where the next message begins; bytes. */
  offset = 0;
  #check = 0;

  constructor(private readonly file: Uint8Array) {}

  /**
   * The next message; undefined: the file ends here.
   *
   * @throws Error that says what was expected and found, where the file is damaged
   */
  next(): Uint8Array | undefined {
    const { file, offset } = this;
    if (offset === file.length) return undefined;
    let size = 0;
    let begin = offset;
    for (let shift = 0; ; shift += 7) {
      const byte = file[begin++];
      if (byte === undefined) throw new Error('expected the size of a message, found the end of the file');
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
      if (begin - offset === MAX_SIZE_BYTES) throw tooLong('a size that takes more bytes');
    }
    if (size > MAX_RECORDING_MESSAGE) throw tooLong(`one of ${size}`);
    const end = begin + size;
    if (end + CHECK_BYTES > file.length) {
      throw new Error(
        `expected ${size + CHECK_BYTES} bytes of a message, found ${file.length - begin} and the end`,
      );
    }
    const message = file.subarray(begin, end);
    const check = crc32(message, this.#check);
    const found = Buffer.from(file.buffer, file.byteOffset + end, CHECK_BYTES).readUInt32LE();
    if (found !== check) throw new Error(`expected the check ${hex(check)}, found ${hex(found)}`);
    this.#check = check;
    this.offset = end + CHECK_BYTES;
    return message;
  }
}

function tooLong(found: string): Error {
  return new Error(`expected a message of at most ${MAX_RECORDING_MESSAGE} bytes, found ${found}`);
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
