// SPDX-License-Identifier: MIT
import type { BoardResult, RunResult } from '../run/index.js';

/** What a person sees at the end of a run. */
export function summary(result: RunResult): string {
  const virtual = Number(BigInt(result.virtualNs) / 1_000_000n) / 1000;
  const wall = result.wallMs / 1000;
  const lines = [
    `${result.name}: ${result.status}`,
    `  time   ${virtual.toFixed(3)} s virtual in ${wall.toFixed(2)} s (${(virtual / wall).toFixed(1)} times the wall clock)`,
    `  work   ${result.events} events, ${result.activations} activations`,
    `  trace  ${result.traceHash}`,
    ...table(
      'node',
      Object.entries(result.nodes).map(([name, node]) => {
        const how =
          node.exit !== null ? ` ${node.exit}` : node.signal !== null ? ` by signal ${node.signal}` : '';
        return [name, `${node.state}${how}`, `${node.cpuMs} ms CPU`];
      }),
    ),
    ...table(
      'board',
      Object.entries(result.nodes).flatMap(([name, node]) =>
        'freezes' in node ? [boardRow(name, node)] : [],
      ),
    ),
    ...table(
      'link',
      Object.entries(result.links).map(([name, link]) => [
        name,
        `${link.frames} frames`,
        `${link.bytes} bytes, ${link.dropped} dropped`,
      ]),
    ),
    ...table(
      'wire',
      Object.entries(result.wires).map(([name, wire]) => [
        name,
        `${wire.edges} edges`,
        `${wire.conflicts} conflicts`,
      ]),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** `bp1  41 freezes  0.532 s frozen (21.3 % of the wall clock), clocks differ by 0.084 ms at most` */
function boardRow(name: string, { freezes, frozenNs, frozenFraction, skewNs, clock }: BoardResult): string[] {
  const frozen = Number(BigInt(frozenNs) / 1_000_000n) / 1000;
  const percent = (frozenFraction * 100).toFixed(1);
  const skew = (skewNs.max / 1e6).toFixed(3);
  const seen = clock === 'hidden' ? '' : `, which its processes see (${clock})`;
  return [
    name,
    `${freezes} freezes`,
    `${frozen.toFixed(3)} s frozen (${percent} % of the wall clock)${seen}, clocks differ by ${skew} ms at most`,
  ];
}

function table(title: string, rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows.map((row, place) => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return `  ${(place === 0 ? title : '').padEnd(6)} ${cells.join('  ')}`.trimEnd();
  });
}
