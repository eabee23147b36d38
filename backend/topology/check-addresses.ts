// SPDX-License-Identifier: MIT
import { isLinkLocal, parseAddress } from './address.js';
import { DisjointSets } from './disjoint-sets.js';
import { formatMac, parseMac } from './mac.js';
import { type Plain, valueAt } from './plain.js';
import type { Path } from './problem.js';
import { Refusal } from './refusal.js';
import type { DocumentReporter } from './report.js';
import type { Survey, SurveyedInterface } from './survey.js';

/** The least MTU with which a kernel enables IPv6 on an interface (RFC 8200, section 5). */
const IPV6_MTU = 1280;

interface Owner {
  readonly owner: SurveyedInterface;
  readonly path: Path;
}

/** No two interfaces that can hear each other share an address, and no two of the file a MAC address. */
export function checkAddresses(survey: Survey, plain: Plain, report: DocumentReporter): void {
  const connections = connectionsOf(survey);
  const addresses = new Map<string, Owner>();
  const macs = new Map<string, Owner>();
  for (const node of survey.nodes?.values() ?? [])
    for (const each of node.interfaces?.values() ?? []) {
      checkInterface(each, connections, addresses, plain, report);
      checkMac(each, macs, plain, report);
    }
}

/** What is joined by links and switches: interfaces in one broadcast domain, and nodes over any number of hops. */
interface Connections {
  readonly domains: DisjointSets;
  readonly nodes: DisjointSets;
  readonly plugged: ReadonlySet<string>;
}

function connectionsOf(survey: Survey): Connections {
  const domains = new DisjointSets();
  const nodes = new DisjointSets();
  const plugged = new Set<string>();
  for (const net of survey.nets) {
    const first = net.members[0];
    if (net.kind === 'wire' || first === undefined) continue;
    for (const member of net.members) {
      domains.join(first.text, member.text);
      nodes.join(first.node, member.node);
      plugged.add(member.text);
    }
  }
  return { domains, nodes, plugged };
}

function checkInterface(
  each: SurveyedInterface,
  connections: Connections,
  seen: Map<string, Owner>,
  plain: Plain,
  report: DocumentReporter,
): void {
  const self = fullName(each);
  for (const { text, path } of each.addresses) {
    const address = parseAddress(text);
    if (address === undefined || address instanceof Refusal) continue;
    const host = text.slice(0, text.indexOf('/'));
    const bits = `${address.version}:${address.bits}`;
    // Keyed by reach, so that many interfaces with one address do not have to be compared in pairs.
    const own = `itself ${self} ${bits}`;
    const domain = `domain ${connections.domains.find(self)} ${bits}`;
    const network = `network ${connections.nodes.find(each.node)} ${bits}`;
    const far = seen.get(network);
    const clash =
      clashOf(seen.get(own), 'which is this interface') ??
      clashOf(seen.get(domain), 'which is in the same broadcast domain') ??
      (far !== undefined && far.owner.node !== each.node
        ? clashOf(far, 'which links and switches connect with this node')
        : undefined);
    if (clash !== undefined)
      report.atValue(
        path,
        `the address ${host} is already that of ${fullName(clash.owner)} (line ${report.lineOf(clash.path)}), ${clash.why}; ` +
          'change one of the two',
      );
    const owner = { owner: each, path };
    for (const key of [own, domain]) if (!seen.has(key)) seen.set(key, owner);
    if (connections.plugged.has(self) && !isLinkLocal(address) && !seen.has(network))
      seen.set(network, owner);

    const mtu = valueAt(plain.value, [...each.path, 'mtu']);
    if (address.version === 6 && typeof mtu === 'number' && mtu >= 68 && mtu < IPV6_MTU)
      report.atValue(
        [...each.path, 'mtu'],
        `expected at least ${IPV6_MTU} on an interface with an IPv6 address (line ${report.lineOf(path)}); found ${mtu}`,
      );
  }
}

function clashOf(owner: Owner | undefined, why: string) {
  return owner === undefined ? undefined : { ...owner, why };
}

function checkMac(
  each: SurveyedInterface,
  seen: Map<string, Owner>,
  plain: Plain,
  report: DocumentReporter,
): void {
  const path = [...each.path, 'mac'];
  const written = valueAt(plain.value, path);
  const bytes = typeof written === 'string' ? parseMac(written) : undefined;
  if (bytes === undefined || bytes instanceof Refusal) return;
  const mac = formatMac(bytes);
  const other = seen.get(mac);
  if (other === undefined) seen.set(mac, { owner: each, path });
  else
    report.atValue(
      path,
      `the MAC address ${mac} is already that of ${fullName(other.owner)} (line ${report.lineOf(other.path)}); ` +
        'change one of the two, or leave both out',
    );
}

function fullName(each: SurveyedInterface): string {
  return `${each.node}.${each.name}`;
}
