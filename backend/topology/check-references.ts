// SPDX-License-Identifier: MIT
import type { DocumentReporter } from './report.js';
import { hint } from './suggest.js';
import type { NetKind, Survey, SurveyedMember, SurveyedNet } from './survey.js';

/** Every endpoint and pin names something that exists, and nothing is plugged in twice. */
export function checkReferences(survey: Survey, report: DocumentReporter): void {
  const names = [...(survey.nodes?.keys() ?? [])];
  const used = new Map<string, { net: SurveyedNet; member: SurveyedMember }>();
  for (const net of survey.nets) {
    for (const member of net.members) {
      checkExists(survey, net.kind, member, names, report);
      const key = `${net.kind === 'wire' ? 'pin' : 'interface'} ${member.text}`;
      const other = used.get(key);
      if (other === undefined) used.set(key, { net, member });
      else report.atValue(member.path, usedTwice(net, member, other.net, report.lineOf(other.member.path)));
    }
  }
}

function checkExists(
  survey: Survey,
  kind: NetKind,
  member: SurveyedMember,
  names: readonly string[],
  report: DocumentReporter,
): void {
  if (survey.nodes === undefined) return;
  const node = survey.nodes.get(member.node);
  if (node === undefined) {
    report.atValue(
      member.path,
      `expected a node of this file; found '${member.node}'${hint(member.node, names, 'the nodes are')}`,
    );
    return;
  }
  if (kind === 'wire' || node.interfaces === undefined || node.interfaces.has(member.rest)) return;
  const interfaces = [...node.interfaces.keys()];
  const next =
    interfaces.length === 0
      ? '; it has none, add it there'
      : hint(member.rest, interfaces, 'the interfaces are');
  report.atValue(
    member.path,
    `expected an interface of node '${member.node}' (line ${report.keyLineOf(node.path)}); found '${member.rest}'${next}`,
  );
}

function usedTwice(net: SurveyedNet, member: SurveyedMember, other: SurveyedNet, line: number): string {
  if (other === net) return `${member.text} is already in this ${net.kind} (line ${line}); name another`;
  const rule = net.kind === 'wire' ? 'a pin can be on one wire only' : 'an interface can have one cable only';
  return `${member.text} is already used by ${other.kind} '${other.name ?? '?'}' (line ${line}); ${rule}`;
}
