// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { CASES, type CaseResult, START_UP, summarize } from './cases.js';
import { describeMachine, load } from './machine.js';
import { checkMessages, countCase } from './messages.js';
import { readOptions } from './options.js';
import { comparePeer } from './peer.js';
import { endPrograms } from './program.js';
import { formatReport, type Report } from './report.js';
import { type Sample, takeSample } from './sample.js';
import { spread } from './spread.js';

const progress = (text: string) => process.stderr.write(`bench: ${text}\n`);

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    endPrograms('SIGTERM');
    process.exit(128 + constants.signals[name]);
  });
}

async function measure({ repeat, peer }: ReturnType<typeof readOptions>): Promise<Report> {
  const machine = describeMachine();
  const before = load();
  const samples = new Map<string, Sample[]>([START_UP, ...CASES].map((name) => [name, []]));
  // In turn, so that whatever else the machine does meets all of them.
  for (let repetition = 1; repetition <= repeat; repetition++) {
    for (const [name, taken] of samples) {
      progress(`repetition ${repetition} of ${repeat}: ${name}`);
      taken.push(await takeSample(name));
    }
  }
  const started = samples.get(START_UP) as Sample[];
  const startUpCpuMs = spread(started.map(({ ownCpuMs }) => ownCpuMs));
  const cases: CaseResult[] = CASES.map((name) =>
    summarize(name, samples.get(name) as Sample[], startUpCpuMs.median),
  );
  progress('counting messages');
  const messages = [await countCase('two-guests', true), await countCase('two-guests', false)];
  for (const counted of messages) checkMessages(counted, cases);
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    machine,
    repetitions: repeat,
    startUpCpuMs,
    startUpWallMs: spread(started.map(({ wallMs }) => wallMs)),
    cases,
    messages,
    peer: peer === undefined ? null : await comparePeer(peer, repeat, progress),
    load: [before, load()],
  };
}

const options = readOptions(process.argv.slice(2), process.env);
try {
  const report = await measure(options);
  process.stdout.write(formatReport(report));
  const json = `${JSON.stringify(report, null, 2)}\n`;
  if (options.json === undefined) process.stdout.write(`\nJSON:\n${json}`);
  else writeFileSync(options.json, json);
} catch (error) {
  progress(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
