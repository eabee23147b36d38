// SPDX-License-Identifier: MIT
import { escapeMarkup } from './markup.js';
import type { Value } from './plan.js';
import { type Bar, barPlot, type Line, linePlot, seriesClass } from './plot.js';
import { printable } from './printable.js';
import type { CombinationResult, SweepResult, SweptParam } from './result.js';
import { faults, headline, rowsOf } from './table.js';

const STYLE = `
:root { color-scheme: light dark; --text: #1c1e21; --back: #fff; --faint: #d8dbdf; --soft: #5c6370;
  --s0: #0072b2; --s1: #c45500; --s2: #007d5a; --s3: #b0508c; --s4: #9a7000; --s5: #3a78d8; --s6: #c3272b; --s7: #60666f; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e6ea; --back: #16181c; --faint: #383c43; --soft: #9aa1ac;
  --s0: #56b4e9; --s1: #f0883e; --s2: #34c79a; --s3: #e29cc7; --s4: #e6c34a; --s5: #86b2ff; --s6: #ff7b7b; --s7: #b3bac4; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back); margin: 2rem auto; padding: 0 1rem;
  max-width: 84rem; }
h1 { font-size: 1.3rem } h2 { font-size: 1.05rem; margin: 0 0 .4rem; overflow-wrap: anywhere }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: 2rem 2.5rem }
figure { margin: 0 } svg { width: 100%; height: auto }
svg text { font-size: 12px; fill: var(--soft) } .end { text-anchor: end } .middle { text-anchor: middle }
.grid { stroke: var(--faint); fill: none } .axis { stroke: var(--soft); fill: none }
svg g { stroke: var(--c); fill: none; stroke-width: 1.5 } svg circle, svg rect { fill: var(--c); stroke: none }
svg g text { stroke: none } svg g.error { stroke: var(--text) }
${Array.from({ length: 8 }, (_, place) => `.s${place} { --c: var(--s${place}) }`).join(' ')}
.d1 .line { stroke-dasharray: 7 4 } .d2 .line { stroke-dasharray: 2 3 }
.key { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; list-style: none; margin: .3rem 0 0; padding: 0; font-size: 13px }
.key svg { width: 1.8rem; height: .7rem; vertical-align: middle; margin-right: .4rem }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid var(--faint); white-space: nowrap }
th { color: var(--soft); font-weight: 600 } .text { text-align: left } .note { color: var(--soft) }
`;

/**
 * A page of a sweep that needs nothing else, and runs nothing: the plot of each metric, and the table. A metric is drawn against
 * the first parameter that is a number and has several values, with a line for each combination of the others; without such a
 * parameter, as bars.
 */
export function page(result: SweepResult): string {
  const title = escapeMarkup(printable(result.name));
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Sweep of ${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Sweep of ${title}</h1>
<p>${escapeMarkup(headline(result))}</p>
${list(faults(result))}
<p class="note">Means over the repetitions, with the 95 % confidence interval of the mean (Student's t).</p>
<div class="plots">
${result.metrics.map((metric) => figureOf(result, metric)).join('\n')}
</div>
<h2>Summary</h2>
${tableOf(result)}
</body>
</html>
`;
}

/** Empty where no run has the metric. */
function figureOf({ params, combinations }: SweepResult, metric: string): string {
  const having = combinations.filter(({ metrics }) => Object.hasOwn(metrics, metric));
  if (having.length === 0) return '';
  const swept = params.filter(({ values }) => values.length > 1);
  const axis = swept.find(({ values }) => typeof values[0] === 'number');
  const content = axis ? lines(having, metric, swept, axis) : bars(having, metric, swept);
  return `<figure>\n<h2>${escapeMarkup(printable(metric))}</h2>\n${content}\n</figure>`;
}

function lines(
  combinations: readonly CombinationResult[],
  metric: string,
  swept: readonly SweptParam[],
  axis: SweptParam,
): string {
  const others = swept.filter((param) => param !== axis);
  const byLabel = new Map<string, Line['points'][number][]>();
  for (const combination of combinations) {
    const label = labelOf(combination.params, others);
    const points = byLabel.get(label) ?? [];
    byLabel.set(label, points);
    points.push({ x: Number(combination.params[axis.name]), ...pointOf(combination, metric) });
  }
  const all = [...byLabel].map(([label, points]) => ({ label, points }));
  const key = others.length === 0 ? '' : keyOf(all.map(({ label }) => label));
  return linePlot(`${metric} against ${axis.name}`, axis.name, all) + key;
}

function bars(
  combinations: readonly CombinationResult[],
  metric: string,
  swept: readonly SweptParam[],
): string {
  const all = combinations.map(
    (combination): Bar => ({ label: labelOf(combination.params, swept), ...pointOf(combination, metric) }),
  );
  return barPlot(metric, all);
}

function pointOf({ metrics }: CombinationResult, metric: string): { mean: number; half: number | null } {
  const { mean, confidence95 } = metrics[metric] as { mean: number; confidence95: number | null };
  return { mean, half: confidence95 };
}

/** `true` and `tcp` say little by themselves. */
function labelOf(values: Readonly<Record<string, Value>>, params: readonly SweptParam[]): string {
  return params.map(({ name }) => `${name}=${values[name]}`).join(' ');
}

function keyOf(labels: readonly string[]): string {
  const items = labels.map((label, place) => {
    const mark = '<path class="line" d="M0 5H28"/><circle cx="14" cy="5" r="3.5"/>';
    const sample = `<svg viewBox="0 0 28 10" aria-hidden="true"><g class="${seriesClass(place)}">${mark}</g></svg>`;
    return `<li>${sample}${escapeMarkup(printable(label))}</li>`;
  });
  return `\n<ul class="key">${items.join('')}</ul>`;
}

function list(lines: readonly string[]): string {
  return lines.length === 0
    ? ''
    : `<ul>${lines.map((line) => `<li>${escapeMarkup(line)}</li>`).join('')}</ul>`;
}

function tableOf(result: SweepResult): string {
  const { heading, isText, groups } = rowsOf(result);
  const cells = (tag: string, row: readonly string[]) =>
    row
      .map((cell, column) => {
        const style = isText[column] ? ' class="text"' : '';
        return `<${tag}${style}>${escapeMarkup(printable(cell))}</${tag}>`;
      })
      .join('');
  const body = groups.flatMap(({ metric, rows }) =>
    rows.map((row, place) => {
      const name = place === 0 ? escapeMarkup(printable(metric)) : '';
      return `<tr><th class="text">${name}</th>${cells('td', row)}</tr>`;
    }),
  );
  const head = `<tr><th class="text">metric</th>${cells('th', heading)}</tr>`;
  return `<div class="scroll"><table>\n<thead>${head}</thead>\n<tbody>\n${body.join('\n')}\n</tbody></table></div>`;
}
