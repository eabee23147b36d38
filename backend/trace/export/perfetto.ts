// SPDX-License-Identifier: MIT
import type { CostSample } from '../../../protocols/cost/index.js';
import type { LogHeader } from '../../../protocols/trace/index.js';
import { instant } from '../../calendar/index.js';
import type { RunCost } from '../cost-file.js';
import { describeEnd, describeEvent } from '../describe-event.js';
import type { LoggedEvent } from '../log-reader.js';
import { ConsoleLines } from './console-lines.js';
import { EdgeFlows } from './edge-flows.js';
import { eventFields, ownerNames } from './event-fields.js';
import type { Closing, Exporter } from './exporter.js';
import { FrameFlows } from './frame-flows.js';
import { PerfettoPackets, type Track } from './perfetto-packets.js';

/** The lines of a node, a switch, a wire or the run; made when they are needed. */
interface Lines {
  readonly group: Track;
  readonly activity: Track;
  readonly tracks: Map<string, Track>;
  /** The last thing that it has done since it was let run; undefined: it was not yet. */
  running: bigint | undefined;
}

/** Perfetto's trace format, with virtual time for its clock: see docs/export.md for what is where. */
export class Perfetto implements Exporter {
  readonly #packets: PerfettoPackets;
  readonly #names: readonly string[];
  readonly #lines = new Map<number, Lines>();
  readonly #frames: FrameFlows;
  readonly #edges: EdgeFlows;
  readonly #consoles: ConsoleLines;
  readonly #run: number;
  /** The indices of nodes by name. */
  readonly #nodes: ReadonlyMap<string, number>;

  /** @param cost what the run cost, as far as that is wanted; undefined: it is not known */
  constructor(
    private readonly header: LogHeader,
    private readonly cost: RunCost | undefined,
  ) {
    this.#packets = new PerfettoPackets(header.start);
    this.#names = ownerNames(header);
    this.#nodes = new Map(header.nodes.map(({ name }, index) => [name, index]));
    this.#run = header.nodes.length + header.switches.length;
    this.#frames = new FrameFlows(header, (logged, flows) => this.#sent(logged, flows));
    this.#edges = new EdgeFlows(header);
    this.#consoles = new ConsoleLines((at, node, text) =>
      this.#packets.instant(at, this.#track(node, 'console'), { text }),
    );
  }

  get size(): number {
    return this.#packets.size;
  }

  take(): Uint8Array {
    return this.#packets.take();
  }

  event(logged: LoggedEvent): void {
    const { at, node, event } = logged;
    const lines = this.#linesOf(node);
    switch (event.kind) {
      case 'activation':
        this.#rest(lines);
        this.#packets.begin(at, lines.activity, { name: 'runs' });
        lines.running = at;
        return;
      case 'frame-sent':
        this.#acted(lines, at);
        this.#frames.send(logged, event);
        return;
      case 'frame-received': {
        const name = event.dropped ? 'receives, no room' : 'receives';
        const fields = eventFields(this.header, logged);
        const ends = this.#frames.receive(logged, event);
        this.#packets.instant(at, this.#track(node, String(fields.interface)), { name, fields, ends });
        return;
      }
      case 'console-output':
        this.#acted(lines, at);
        this.#consoles.write(at, node, event.data);
        return;
      case 'drive': {
        this.#acted(lines, at);
        const fields = eventFields(this.header, logged);
        const flow = this.#frames.next();
        this.#edges.drive(at, node, event.line, event.drive, flow);
        const name = event.drive === 'released' ? 'released' : `drives ${event.drive}`;
        this.#packets.instant(at, this.#track(node, String(fields.line)), { name, fields, flows: [flow] });
        return;
      }
      case 'level': {
        const ends = this.#edges.level(at, node - this.#run - 1, event.high);
        this.#packets.instant(at, lines.activity, { name: event.high ? 'high' : 'low', ends });
        this.#packets.count(at, this.#counter(node, 'level'), event.high ? 1n : 0n);
        return;
      }
      case 'slot-entry':
        this.#packets.begin(at, this.#track(node, 'slot'), {
          name: 'slot',
          fields: eventFields(this.header, logged),
        });
        this.#packets.end(instant(at + event.span), this.#track(node, 'slot'));
        return;
      case 'variable-changed':
      case 'variable-stored': {
        if (event.kind === 'variable-changed') this.#acted(lines, at);
        const { variable } = eventFields(this.header, logged);
        this.#packets.count(at, this.#counter(node, `shared ${variable}`), event.value);
        this.#describe(logged);
        return;
      }
      default:
        if (event.kind === 'change' && node > this.#run)
          this.#edges.change(node - this.#run - 1, event.latency);
        if (event.kind === 'broadcast' || event.kind === 'warp-applied') this.#acted(lines, at);
        this.#describe(logged);
    }
  }

  close({ at, end, damage }: Closing): void {
    this.#frames.close();
    this.#consoles.close();
    for (const lines of this.#lines.values()) this.#rest(lines);
    if (end !== undefined) this.#remark(at, describeEnd(end));
    if (damage !== undefined)
      this.#remark(at, `the log is damaged at byte ${damage.offset}: ${damage.reason}`);
    this.#costs();
  }

  #sent(logged: LoggedEvent, flows: readonly bigint[]): void {
    const { at, node } = logged;
    const fields = eventFields(this.header, logged);
    const name = fields.fate === 'delivered' ? 'sends' : `sends, ${fields.fate}`;
    this.#packets.instant(at, this.#track(node, String(fields.interface)), { name, fields, flows });
  }

  /** An event that there are few of, in words. */
  #describe(logged: LoggedEvent): void {
    const { at, node, event } = logged;
    const text = describeEvent(this.header, node, at, event);
    this.#packets.instant(at, this.#track(node, 'events'), {
      text,
      fields: eventFields(this.header, logged),
    });
  }

  #remark(at: bigint, text: string): void {
    this.#packets.instant(at, this.#track(this.#run, 'events'), { text });
  }

  /** A node that was let run has done something. */
  #acted(lines: Lines, at: bigint): void {
    if (lines.running !== undefined) lines.running = at;
  }

  /** Ends the activation of a node at the last thing that it has done: no log says when it became quiet. */
  #rest(lines: Lines): void {
    if (lines.running !== undefined) this.#packets.end(lines.running, lines.activity);
    lines.running = undefined;
  }

  /** Wall time as curves over virtual time. */
  #costs(): void {
    let before: CostSample | undefined;
    let busy = new Set<number>();
    for (const sample of this.cost?.samples ?? []) {
      const wallUs = sample.wallUs - (before?.wallUs ?? 0);
      const share = (us: number) => (wallUs > 0 ? (100 * us) / wallUs : 0);
      const at = sample.virtualNs;
      const own = sample.ownCpuUs - (before?.ownCpuUs ?? sample.ownCpuUs);
      this.#packets.count(at, this.#counter(this.#run, 'wall clock', 'ms'), sample.wallUs / 1000);
      this.#packets.count(at, this.#counter(this.#run, 'CPU of the controller', '%'), share(own));
      const ran = new Set(sample.nodes.map(({ node }) => node));
      for (const node of busy) if (!ran.has(node)) this.#share(at, node, 0);
      for (const { node, ranUs } of sample.nodes) this.#share(at, node, share(ranUs));
      busy = ran;
      before = sample;
    }
  }

  #share(at: bigint, node: number, percent: number): void {
    const index = this.#nodes.get(this.cost?.nodes[node] as string);
    if (index !== undefined) this.#packets.count(at, this.#counter(index, 'wall time', '%'), percent);
  }

  #track(node: number, name: string): Track {
    const lines = this.#linesOf(node);
    return remembered(lines.tracks, name, () => this.#packets.track(lines.group, name));
  }

  #counter(node: number, name: string, unit?: string): Track {
    const lines = this.#linesOf(node);
    // No interface or line of a node has a name with a space in front.
    return remembered(lines.tracks, ` ${name}`, () => this.#packets.counter(lines.group, name, unit));
  }

  #linesOf(node: number): Lines {
    return remembered(this.#lines, node, () => {
      const activity = node < this.header.nodes.length ? 'runs' : node > this.#run ? 'edges' : 'activity';
      // Process 0 is the idle one of a machine.
      const tracks = this.#packets.process(node + 1, this.#names[node] as string, activity);
      return { ...tracks, tracks: new Map(), running: undefined };
    });
  }
}

function remembered<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}
