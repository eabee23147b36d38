// SPDX-License-Identifier: MIT
import { parseHostLine } from './host-line.js';
import { isPlainMap, type Plain, valueAt } from './plain.js';
import type { Path } from './problem.js';
import type { DocumentReporter } from './report.js';
import type { Survey, SurveyedNet } from './survey.js';

/** What the checks need to know of a board elsewhere. */
interface Remote {
  /** Whether it drives the wire that freezes boards. */
  readonly signals: boolean;
}

/** Boards elsewhere are reached by what this machine has: lines on their wires, network interfaces at their cables. */
export function checkHost(survey: Survey, plain: Plain, report: DocumentReporter): void {
  if (survey.nodes === undefined) return;
  const boards = [...survey.nodes.values()].filter(
    ({ path }) => valueAt(plain.value, [...path, 'kind']) === 'board',
  );
  const remotes = new Map<string, Remote>();
  for (const { name, path } of boards) {
    const node = valueAt(plain.value, path);
    if (valueAt(node, ['address']) !== undefined)
      remotes.set(name, { signals: hasSignal(name, node, survey, plain) });
  }
  checkLines(survey, plain, boards.length > 0, report);
  for (const net of survey.nets) if (net.kind === 'wire') checkRemotePins(net, remotes, plain, report);
  checkDevices(survey, remotes, plain, report);
}

function hasSignal(name: string, node: unknown, { nets }: Survey, plain: Plain): boolean {
  const lines = valueAt(node, ['lines']);
  if (lines !== undefined) return valueAt(lines, ['signal']) !== undefined;
  const freeze = nets.find((net) => isFreeze(net, plain));
  return (freeze?.members.filter((member) => member.node === name).length ?? 0) > 1;
}

/** Lines of this machine are there once, and only beside boards, whose time they share. */
function checkLines(survey: Survey, plain: Plain, boards: boolean, report: DocumentReporter): void {
  const taken = new Map<string, Path>();
  for (const { kind, path: wire } of survey.nets) {
    const path = [...wire, 'host'];
    const host = valueAt(plain.value, path);
    if (kind !== 'wire' || !isPlainMap(host)) continue;
    const ends = (['drive', 'sense'] as const).map((key) => [key, valueAt(host, [key])] as const);
    if (ends.every(([, line]) => line === undefined))
      report.atValue(path, 'expected `drive`, `sense`, or both; found none; add one, or remove `host`');
    if (!boards)
      report.atKey(
        path,
        'expected a board in a file with lines of this machine, which are in real time; found none; remove `host`',
      );
    for (const [key, line] of ends) {
      if (typeof line !== 'string') continue;
      const { chip, offset } = parseHostLine(line);
      const name = `${chip} ${offset}`;
      const other = taken.get(name);
      if (other === undefined) taken.set(name, [...path, key]);
      else
        report.atValue(
          [...path, key],
          `expected another line than on line ${report.lineOf(other)}; found '${line}' again; each drives or senses one wire`,
        );
    }
  }
}

/** A wire to a board elsewhere leads through lines of this machine. */
function checkRemotePins(
  net: SurveyedNet,
  remotes: ReadonlyMap<string, Remote>,
  plain: Plain,
  report: DocumentReporter,
): void {
  const members = net.members.filter(({ node }) => remotes.has(node));
  const [first] = members;
  if (first === undefined) return;
  const freeze = isFreeze(net, plain);
  const host = valueAt(plain.value, [...net.path, 'host']);
  const name = net.name ?? '?';
  if (host === undefined || (freeze && isPlainMap(host) && valueAt(host, ['drive']) === undefined)) {
    const key = freeze ? '`host.drive`' : '`host`';
    const what = freeze ? 'that freezes the boards elsewhere' : 'that leads there';
    report.atValue(
      first.path,
      `expected ${key} on wire '${name}' with a pin of a board elsewhere, ${first.node}: the line of this machine ${what}; ` +
        'found none; add host: { drive: gpiochip0/17, sense: gpiochip0/18 }, with your lines',
    );
    return;
  }
  const signalling = members.find(({ node }) => remotes.get(node)?.signals);
  if (freeze && signalling && isPlainMap(host) && valueAt(host, ['sense']) === undefined)
    report.atKey(
      [...net.path, 'host'],
      `expected \`sense\` beside \`drive\`, for ${signalling.node} freezes the others by its signal line; found none; ` +
        'add the line of this machine that hears it',
    );
}

/** A network interface of this machine is the cable of one board elsewhere. */
function checkDevices(
  survey: Survey,
  remotes: ReadonlyMap<string, Remote>,
  plain: Plain,
  report: DocumentReporter,
): void {
  const taken = new Map<string, Path>();
  for (const { name, interfaces } of survey.nodes?.values() ?? []) {
    for (const { path: at } of interfaces?.values() ?? []) {
      const path = [...at, 'device'];
      const device = valueAt(plain.value, path);
      if (device === undefined) continue;
      if (!remotes.has(name))
        report.atKey(
          path,
          'expected `address` in a node with `device`, for only the cable of a board elsewhere leads to this machine; ' +
            'found none; remove `device`',
        );
      if (typeof device !== 'string') continue;
      const other = taken.get(device);
      if (other === undefined) taken.set(device, path);
      else
        report.atValue(
          path,
          `expected another network interface than on line ${report.lineOf(other)}; found '${device}' again; each has one cable`,
        );
    }
  }
  for (const { kind, members } of survey.nets) {
    if (kind === 'wire') continue;
    for (const { node, rest, text, path } of members) {
      const at = survey.nodes?.get(node)?.interfaces?.get(rest)?.path;
      if (!remotes.has(node) || at === undefined) continue;
      if (valueAt(plain.value, [...at, 'device']) === undefined)
        report.atValue(
          path,
          `expected \`device\` at ${text} (line ${report.keyLineOf(at)}), the network interface of this machine to which ` +
            'its cable leads; found none; add it there',
        );
    }
  }
}

function isFreeze({ kind, path }: SurveyedNet, plain: Plain): boolean {
  return kind === 'wire' && valueAt(plain.value, [...path, 'role']) === 'freeze';
}
