// SPDX-License-Identifier: MIT
import { ProtoReader } from './proto-reader.js';
import { Series } from './series.js';

/** The numbers of the file `cost`: see cost.proto, whose first record is a header and whose others are samples. */
const Field = { SAMPLE: 2, VIRTUAL_NS: 1, WALL_US: 2, OWN_CPU_US: 3, NODES: 4, RAN_US: 2 } as const;
const MAX_RECORD = 1_048_576;

interface Sample {
  virtualNs: bigint;
  wallUs: number;
  ownUs: number;
  ranUs: number;
}

/**
 * What virtual time cost: curves of the file `cost` of a run directory. Any bytes may be in it: the curves go as far as it
 * makes sense.
 */
export function readCost(bytes: Uint8Array): Series[] {
  const seconds = (value: number) => `${value.toPrecision(3)} s for a second`;
  const cores = (value: number) => `${value.toPrecision(3)} of a core`;
  const wall = new Series('wall time', seconds);
  const guests = new Series('guests ran', cores);
  const own = new Series('controller', cores);
  let last: Sample = { virtualNs: 0n, wallUs: 0, ownUs: 0, ranUs: 0 };
  let ranUs = 0;
  for (const sample of samples(bytes)) {
    ranUs += sample.ranUs;
    if (sample.virtualNs < last.virtualNs || sample.wallUs < last.wallUs) break;
    const [ns, us] = [Number(sample.virtualNs - last.virtualNs), sample.wallUs - last.wallUs];
    // Samples at one instant are one.
    if (ns === 0 || us === 0) continue;
    // What holds for the time before a sample is drawn from the sample before it on.
    wall.add(last.virtualNs, (us * 1000) / ns);
    guests.add(last.virtualNs, ranUs / us);
    own.add(last.virtualNs, Math.max(0, sample.ownUs - last.ownUs) / us);
    last = sample;
    ranUs = 0;
  }
  if (wall.times.length === 0) return [];
  for (const series of [wall, guests, own]) series.add(last.virtualNs, 0);
  return [wall, guests, own];
}

function* samples(bytes: Uint8Array): Generator<Sample> {
  const reader = new ProtoReader(bytes);
  try {
    while (reader.at < bytes.length) {
      reader.end = bytes.length;
      const end = reader.sized();
      if (end - reader.at > MAX_RECORD) return;
      reader.end = end;
      while (!reader.done) {
        reader.tag();
        if (reader.field === Field.SAMPLE && reader.wire === 2) yield sample(reader);
        else reader.skip();
      }
    }
  } catch {
    // It is cut short, or no such file: what is before it is shown.
  }
}

function sample(reader: ProtoReader): Sample {
  const found: Sample = { virtualNs: 0n, wallUs: 0, ownUs: 0, ranUs: 0 };
  reader.message(() => {
    if (reader.field === Field.NODES && reader.wire === 2)
      reader.message(() => {
        if (reader.field === Field.RAN_US && reader.wire === 0) found.ranUs += Number(reader.wide());
        else reader.skip();
      });
    else if (reader.wire !== 0) reader.skip();
    else {
      const value = reader.wide();
      if (reader.field === Field.VIRTUAL_NS) found.virtualNs = value;
      else if (reader.field === Field.WALL_US) found.wallUs = Number(value);
      else if (reader.field === Field.OWN_CPU_US) found.ownUs = Number(value);
    }
  });
  return found;
}
