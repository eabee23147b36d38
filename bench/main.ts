// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { measureKvm } from './kvm.js';
import { describeMachine, load } from './machine.js';
import { measureEngine } from './mm1.js';
import { readOptions, type Section } from './options.js';
import { compareParallel } from './parallel.js';
import { comparePeer } from './peer.js';
import { profileRuns } from './profile.js';
import { endPrograms } from './program.js';
import { formatReport, type Report } from './report.js';
import { measureRuns } from './runs.js';
import { measureScale } from './scale.js';
import { plotScale } from './scale-plot.js';
import { formatMarkdown, formatTable } from './table.js';
import { measureView } from './view.js';

const progress = (text: string) => process.stderr.write(`bench: ${text}\n`);

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    endPrograms('SIGTERM');
    process.exit(128 + constants.signals[name]);
  });
}

async function measure({ sections, repeat, peer }: ReturnType<typeof readOptions>): Promise<Report> {
  const machine = describeMachine();
  const before = load();
  const when = <T>(section: Section, action: () => Promise<T>) => (sections.has(section) ? action() : null);
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    machine,
    repetitions: repeat,
    runs: await when('runs', () => measureRuns(repeat, progress)),
    peer: peer === undefined ? null : await when('runs', () => comparePeer(peer, repeat, progress)),
    parallel: await when('parallel', () => compareParallel(repeat, progress)),
    profile: await when('profile', () => profileRuns(repeat, progress)),
    scale: await when('scale', () => measureScale(repeat, progress)),
    kvm: await when('kvm', () => measureKvm(repeat, progress)),
    engine: await when('engine', () => measureEngine(repeat, progress)),
    view: await when('view', () => measureView(repeat, progress)),
    load: [before, load()],
  };
}

const options = readOptions(process.argv.slice(2), process.env);
try {
  const report = await measure(options);
  process.stdout.write(formatReport(report, options.markdown ? formatMarkdown : formatTable));
  const json = `${JSON.stringify(report, null, 2)}\n`;
  if (options.json !== undefined) writeFileSync(options.json, json);
  else if (!options.markdown) process.stdout.write(`\nJSON:\n${json}`);
  if (options.plot !== undefined && report.scale !== null) {
    writeFileSync(options.plot, plotScale(report.scale.sizes));
  }
} catch (error) {
  progress(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
