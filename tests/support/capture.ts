// SPDX-License-Identifier: MIT

/** A frame at one end of a link, as a capture shows it. */
export interface Sighting {
  /** Index of the end, in the order of the topology. */
  readonly end: number;
  readonly direction: 'in' | 'out';
  /** Nanoseconds since 1970. */
  readonly at: bigint;
  readonly bytes: Buffer;
  /** Why it went no further, where it was dropped. */
  readonly dropped: string | undefined;
}

const ENHANCED_PACKET = 6;
const OPT_COMMENT = 1;
const EPB_FLAGS = 2;

/** The frames of a little-endian pcapng file with times in nanoseconds (draft-ietf-opsawg-pcapng, section 4.3). */
export function readCapture(file: Buffer): Sighting[] {
  const found: Sighting[] = [];
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) {
    if (file.readUInt32LE(at) === ENHANCED_PACKET) {
      found.push(readPacket(file.subarray(at, at + file.readUInt32LE(at + 4))));
    }
  }
  return found;
}

function readPacket(block: Buffer): Sighting {
  const length = block.readUInt32LE(20);
  let direction: Sighting['direction'] | undefined;
  let dropped: string | undefined;
  for (let at = 28 + ((length + 3) & ~3); block.readUInt16LE(at) !== 0; ) {
    const size = block.readUInt16LE(at + 2);
    const code = block.readUInt16LE(at);
    if (code === EPB_FLAGS) direction = (block.readUInt32LE(at + 4) & 3) === 1 ? 'in' : 'out';
    if (code === OPT_COMMENT) dropped = block.toString('utf8', at + 4, at + 4 + size);
    at += 4 + ((size + 3) & ~3);
  }
  if (direction === undefined) throw new Error('a frame without a direction');
  return {
    end: block.readUInt32LE(8),
    direction,
    at: (BigInt(block.readUInt32LE(12)) << 32n) | BigInt(block.readUInt32LE(16)),
    bytes: block.subarray(28, 28 + length),
    dropped,
  };
}

/** The frames that came to or went by an end, in the order of time. */
export function frames(
  capture: readonly Sighting[],
  end: number,
  direction: Sighting['direction'],
): Sighting[] {
  return capture.filter((sighting) => sighting.end === end && sighting.direction === direction);
}
