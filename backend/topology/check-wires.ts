// SPDX-License-Identifier: MIT

import { MAX_LINE_NAME, MAX_LINES } from './limits.js';
import { offsetOf, placeLines } from './lines.js';
import type { DocumentReporter } from './report.js';
import type { Survey, SurveyedMember } from './survey.js';

/** Every pin is one that a guest's GPIO controller can have. */
export function checkWires(survey: Survey, report: DocumentReporter): void {
  const byNode = new Map<string, SurveyedMember[]>();
  for (const { kind, members } of survey.nets) {
    if (kind !== 'wire') continue;
    for (const member of members) {
      const { rest, node, path } = member;
      if (rest.length > MAX_LINE_NAME)
        report.atValue(
          path,
          `expected a line with a name of at most ${MAX_LINE_NAME} characters; found one of ${rest.length}; shorten it`,
        );
      // The kernel uses it as a format and as the name of a folder (gpiod_export of Linux 6.12).
      const [strange] = /[%/]/.exec(rest) ?? [];
      if (strange !== undefined)
        report.atValue(path, `expected the name of a line without % and /; found '${strange}' in '${rest}'`);
      if (/^gpio\d+$/.test(rest) && offsetOf(rest) === undefined)
        report.atValue(
          path,
          `expected a line from gpio0 to gpio${MAX_LINES - 1}, or one with another name; found '${rest}'`,
        );
      byNode.set(node, [...(byNode.get(node) ?? []), member]);
    }
  }
  for (const [node, members] of byNode) {
    const names = [...new Set(members.map(({ rest }) => rest))];
    const beyond = placeLines(names).slice(MAX_LINES);
    const first = members.find(({ rest }) => beyond.includes(rest));
    if (first === undefined) continue;
    report.atValue(
      first.path,
      `expected at most ${MAX_LINES} lines in node '${node}'; found ${MAX_LINES + beyond.length}; take lines off its wires`,
    );
  }
}
