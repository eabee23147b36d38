// SPDX-License-Identifier: MIT
import { isPlainMap, type Plain, valueAt } from './plain.js';
import type { Path } from './problem.js';
import type { DocumentReporter } from './report.js';
import type { Survey, SurveyedNet } from './survey.js';

/** Keys that only a board can have. */
const BOARD_KEYS = ['address', 'key', 'lines', 'watchdog', 'tdf'] as const;
/** Keys that a board elsewhere cannot have: its files, memory and kernel are its own. */
const GUEST_KEYS = ['memory', 'root', 'kernel'] as const;

/** Every board and live guest can be frozen, and is reached with a delay; and what is said of boards is said of boards only. */
export function checkBoards(survey: Survey, plain: Plain, report: DocumentReporter): void {
  if (survey.nodes === undefined) return;
  const freeze = checkFreezeWires(survey, plain, report);
  const boards = new Set<string>();
  for (const [name, { path }] of survey.nodes) {
    const node = valueAt(plain.value, path);
    if (!isPlainMap(node)) continue;
    const isBoard = valueAt(node, ['kind']) === 'board';
    const isLive = valueAt(node, ['kind']) === 'kvm' && valueAt(node, ['clock']) === 'real';
    if (isBoard || isLive) boards.add(name);
    if (isBoard) checkBoard(name, path, node, freeze, report);
    else {
      if (isLive) checkPins('live guest', name, path, freeze, report);
      for (const key of BOARD_KEYS)
        if (valueAt(node, [key]) !== undefined)
          report.atKey(
            [...path, key],
            `expected \`kind: board\` in a node with \`${key}\`; found another kind; remove it`,
          );
    }
  }
  if (freeze !== undefined && !freeze.members.some(({ node }) => boards.has(node)))
    report.atValue(
      [...freeze.path, 'role'],
      'expected a pin of a board on the wire that freezes boards; found none; remove `role`, or add a pin',
    );
  checkLatencies(survey, boards, plain, report);
  checkChanges(survey, freeze, boards, plain, report);
}

/** @returns the wire that freezes boards */
function checkFreezeWires(survey: Survey, plain: Plain, report: DocumentReporter): SurveyedNet | undefined {
  const [first, ...others] = survey.nets.filter(
    ({ kind, path }) => kind === 'wire' && valueAt(plain.value, [...path, 'role']) === 'freeze',
  );
  for (const { path } of others)
    report.atValue(
      [...path, 'role'],
      `expected one wire with \`role: freeze\`; found another on line ${report.lineOf((first as SurveyedNet).path)}; join the two`,
    );
  if (first && valueAt(plain.value, [...first.path, 'pull']) === 'up')
    report.atValue(
      [...first.path, 'pull'],
      'expected `pull: down` at the wire that freezes boards, which is low when nobody freezes them; found up; remove it',
    );
  return first;
}

function checkBoard(
  name: string,
  path: Path,
  node: unknown,
  freeze: SurveyedNet | undefined,
  report: DocumentReporter,
): void {
  const has = (key: string) => valueAt(node, [key]) !== undefined;
  if (has('address') !== has('key')) {
    const [there, missing] = has('address') ? ['address', 'key'] : ['key', 'address'];
    report.atKey(
      [...path, there],
      `expected \`${missing}\` beside \`${there}\`; found none; add it, or remove both`,
    );
  }
  for (const key of GUEST_KEYS)
    if (has('address') && has(key))
      report.atKey(
        [...path, key],
        `expected no \`${key}\` in a board with \`address\`; found one; remove it`,
      );
  if (valueAt(node, ['root']) === 'initramfs' && !has('address'))
    report.atValue([...path, 'root'], 'expected `root: host` of a virtual board; found initramfs; remove it');
  const pins = checkPins('board', name, path, freeze, report);
  if (!has('address') && pins.length > 0) checkLines(path, node, pins, report);
}

/** @returns the pins of a node by which it is frozen */
function checkPins(
  what: string,
  name: string,
  path: Path,
  freeze: SurveyedNet | undefined,
  report: DocumentReporter,
): readonly string[] {
  const pins = (freeze?.members ?? []).flatMap((member) => (member.node === name ? member.rest : []));
  if (pins.length > 0) return pins;
  report.atKey(
    path,
    `expected a pin of ${what} '${name}' on a wire with \`role: freeze\`, without which it could not be frozen; ` +
      `found none; add - { name: freeze, pins: [${name}.gpio0, ${name}.gpio1], role: freeze } to \`wires\``,
  );
  return pins;
}

/** The lines of a virtual board are pins of it. */
function checkLines(path: Path, node: unknown, pins: readonly string[], report: DocumentReporter): void {
  for (const key of ['pause', 'resume', 'signal']) {
    const line = valueAt(node, ['lines', key]);
    if (typeof line !== 'string' || pins.includes(line)) continue;
    report.atValue(
      [...path, 'lines', key],
      `expected a pin of this board on the wire with \`role: freeze\`, one of ${pins.join(', ')}; found '${line}'`,
    );
  }
}

/** What reaches a board at no time at all cannot be told from what it did before. */
function checkLatencies(
  survey: Survey,
  boards: ReadonlySet<string>,
  plain: Plain,
  report: DocumentReporter,
): void {
  for (const { kind, path, members } of survey.nets) {
    const latency = valueAt(plain.value, [...path, 'latency']);
    if (!isNoTime(latency)) continue;
    const board = members.find(({ node }) => boards.has(node));
    if (board || valueAt(plain.value, [...path, 'host']) !== undefined)
      report.atValue(
        [...path, 'latency'],
        `expected a latency above 0s of a ${kind} with ${board ? `a board, ${board.node}` : 'lines of this machine'}; ` +
          `found ${latency}; ${board ? 'boards' : 'they'} run in real time`,
      );
  }
}

function checkChanges(
  survey: Survey,
  freeze: SurveyedNet | undefined,
  boards: ReadonlySet<string>,
  plain: Plain,
  report: DocumentReporter,
): void {
  const changes = valueAt(plain.value, ['changes']);
  for (const [index, change] of (Array.isArray(changes) ? changes : []).entries()) {
    if (freeze?.name !== undefined && valueAt(change, ['wire']) === freeze.name)
      report.atValue(
        ['changes', index, 'wire'],
        'expected a wire that does not freeze boards, for that one does not change; found it; remove the change',
      );
    const latency = valueAt(change, ['latency']);
    if (!isNoTime(latency)) continue;
    const net = survey.nets.find(({ kind, name }) => name !== undefined && valueAt(change, [kind]) === name);
    const board = net?.members.find(({ node }) => boards.has(node));
    if (board)
      report.atValue(
        ['changes', index, 'latency'],
        `expected a latency above 0s of a ${net?.kind} with a board, ${board.node}; found ${latency}; boards run in real time`,
      );
  }
}

/** `0s`, `0.0ms` */
function isNoTime(written: unknown): boolean {
  return typeof written === 'string' && /^0+(?:\.0+)?[a-zµ]+$/.test(written);
}
