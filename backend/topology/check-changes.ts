// SPDX-License-Identifier: MIT
import { parseDuration } from '../calendar/time.js';
import { describe, shorten } from './found.js';
import { isPlainMap, type Plain, valueAt } from './plain.js';
import type { Path } from './problem.js';
import type { DocumentReporter } from './report.js';
import { changeKeys } from './schema.js';
import { hint } from './suggest.js';
import type { Survey, SurveyedNet } from './survey.js';

/** What a change does, as opposed to when and to what. */
const EFFECTS = changeKeys.filter((key) => !['at', 'link', 'switch', 'wire', 'port'].includes(key));
/** What may change. */
const KINDS = ['link', 'switch', 'wire'] as const;
/** What a wire has of that. */
const WIRE_EFFECTS = ['latency', 'state'];

/** Every change is of something that exists, does something, comes before the end, and contradicts no other. */
export function checkChanges(survey: Survey, plain: Plain, report: DocumentReporter): void {
  const changes = valueAt(plain.value, ['changes']);
  if (!Array.isArray(changes)) return;
  const until = timeAt(plain, ['until']);
  const nets = new Map<string, SurveyedNet>();
  for (const net of survey.nets) if (!nets.has(netKey(net))) nets.set(netKey(net), net);
  const settings = new Settings(report);
  for (const [index, change] of changes.entries()) {
    if (!isPlainMap(change)) continue;
    const path = ['changes', index];
    checkForm(plain, path, report);
    const at = timeAt(plain, [...path, 'at']);
    if (at !== undefined && until !== undefined && at >= until)
      report.atValue(
        [...path, 'at'],
        `expected a time before the end of the run, 'until' (line ${report.keyLineOf(['until'])}); ` +
          `found ${describe(valueAt(change, ['at']))}; take an earlier one, or remove the change`,
      );
    const net = checkNet(nets, survey, plain, path, report);
    if (net === undefined) continue;
    const port = checkPort(net, plain, path, report);
    if (at !== undefined && port !== false) settings.add(at, net, port, path, plain);
  }
}

/** A misspelt key is reported as such, and not also as missing. */
function checkForm(plain: Plain, path: Path, report: DocumentReporter): void {
  const keys = plain.keysOf(path);
  const strange = keys.some((key) => !changeKeys.includes(key));
  const [first, second] = KINDS.filter((key) => keys.includes(key));
  if (second !== undefined)
    report.atKey(
      [...path, second],
      `expected one of 'link', 'switch' and 'wire'; found '${first}' and '${second}'; write two changes`,
    );
  else if (first === undefined && !strange)
    report.atValue(
      path,
      "expected 'link', 'switch' or 'wire'; found none; name what changes, such as link: ab",
    );
  if (keys.includes('port') && first !== 'switch' && second !== 'switch' && !strange)
    report.atKey(
      [...path, 'port'],
      `expected 'port' in a change of a switch only; found one of a ${first ?? 'link'}; remove it`,
    );
  if (first === 'wire')
    for (const key of keys.filter((each) => EFFECTS.includes(each) && !WIRE_EFFECTS.includes(each)))
      report.atKey(
        [...path, key],
        `expected a change of a wire, which has ${WIRE_EFFECTS.join(' and ')} only; found ${key}; remove it`,
      );
  if (!strange && !keys.some((key) => EFFECTS.includes(key)))
    report.atValue(path, `expected something that changes; found nothing; add one of ${EFFECTS.join(', ')}`);
}

/** @returns what changes; undefined where that is not clear */
function checkNet(
  nets: ReadonlyMap<string, SurveyedNet>,
  survey: Survey,
  plain: Plain,
  path: Path,
  report: DocumentReporter,
): SurveyedNet | undefined {
  const keys = KINDS.filter((key) => plain.keysOf(path).includes(key));
  const [kind] = keys;
  if (kind === undefined || keys.length > 1) return undefined;
  const name = valueAt(plain.value, [...path, kind]);
  if (typeof name !== 'string') return undefined;
  const net = nets.get(netKey({ kind, name }));
  if (net !== undefined) return net;
  const other = KINDS.flatMap((each) => nets.get(netKey({ kind: each, name })) ?? [])[0];
  const all = survey.nets.filter((each) => each.kind === kind);
  const names = all.flatMap((each) => each.name ?? []);
  // The one that is meant may be among those without a name.
  if (other === undefined && names.length < all.length) return undefined;
  const next =
    other !== undefined
      ? `, which is a ${other.kind}; write ${other.kind}: ${shorten(name)}`
      : names.length === 0
        ? '; there is none'
        : hint(name, names, `the ${kind === 'switch' ? 'switches' : `${kind}s`} are`);
  report.atValue([...path, kind], `expected a ${kind} of this file; found '${shorten(name)}'${next}`);
  return undefined;
}

/** @returns the port; undefined: all; false: it is not clear which */
function checkPort(
  net: SurveyedNet,
  plain: Plain,
  path: Path,
  report: DocumentReporter,
): string | undefined | false {
  if (!plain.keysOf(path).includes('port')) return undefined;
  const port = valueAt(plain.value, [...path, 'port']);
  if (typeof port !== 'string' || net.kind !== 'switch') return false;
  if (net.members.some(({ text }) => text === port)) return port;
  const ports = net.members.map(({ text }) => text);
  report.atValue(
    [...path, 'port'],
    `expected a port of switch '${net.name}' (line ${report.lineOf(net.path)}); found '${shorten(port)}'${hint(port, ports, 'the ports are')}`,
  );
  return false;
}

/** What is set when and where; twice would leave open which counts. */
class Settings {
  /** By time, net, key and port, or `*` for all of them and `?` for any: where it is set. */
  readonly #seen = new Map<string, Path>();

  constructor(private readonly report: DocumentReporter) {}

  add(at: bigint, net: SurveyedNet, port: string | undefined, path: Path, plain: Plain): void {
    for (const effect of plain.keysOf(path).filter((key) => EFFECTS.includes(key))) {
      const key = `${at} ${netKey(net)} ${effect} `;
      const place = [...path, effect];
      const other =
        port === undefined
          ? this.#seen.get(`${key}?`)
          : (this.#seen.get(`${key}*`) ?? this.#seen.get(`${key}${port}`));
      for (const mark of [port ?? '*', '?'])
        if (!this.#seen.has(key + mark)) this.#seen.set(key + mark, place);
      if (other === undefined) continue;
      this.report.atKey(
        place,
        `the ${effect} of ${net.kind} '${net.name}' at this instant is already set on line ` +
          `${this.report.keyLineOf(other)}; remove one of the two, or change the time of one`,
      );
    }
  }
}

function netKey({ kind, name }: Pick<SurveyedNet, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

/** A duration at `path`, in nanoseconds; undefined where there is none. */
function timeAt(plain: Plain, path: Path): bigint | undefined {
  const written = valueAt(plain.value, path);
  return typeof written === 'string' ? parseDuration(written) : undefined;
}
