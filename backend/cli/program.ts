// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { packageFile } from '../../host/package-root.js';
import { type Duration, NO_TIME, parseDuration } from '../calendar/time.js';
import { fail } from './output.js';

const MAX_SEED = 0xffff_ffff_ffff_ffffn;

function durationArgument(text: string): Duration {
  const value = parseDuration(text);
  if (value === undefined)
    throw new InvalidArgumentError('a duration with a unit is expected, such as 500ms or 60s');
  return value;
}

function spanArgument(text: string): Duration {
  const value = durationArgument(text);
  if (value === NO_TIME) throw new InvalidArgumentError('a duration above zero is expected');
  return value;
}

function seedArgument(text: string): bigint {
  if (!/^\d{1,20}$/.test(text) || BigInt(text) > MAX_SEED) {
    throw new InvalidArgumentError(`a whole number from 0 to ${MAX_SEED} is expected`);
  }
  return BigInt(text);
}

function countArgument(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 4096) {
    throw new InvalidArgumentError('a whole number from 1 to 4096 is expected');
  }
  return value;
}

function folderArgument(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number is expected, such as 7');
  return Number(text);
}

function portArgument(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError('a port from 0 to 65535 is expected');
  }
  return Number(text);
}

function collect(value: string, values: string[]): string[] {
  return [...values, value];
}

/** Runs `action` and turns what it throws into a message and an exit status. */
async function guarded(action: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await action();
  } catch (error) {
    fail(error);
  }
}

const EXIT_STATUS = `
Exit status:
  0  everything went as the topology expects
  1  an expectation of the run failed
  2  bad input: a topology, an option, a file
  3  a participant failed or hung
  4  the machine lacks something; the message says what to do
  128+N  ended by signal N, such as 130 for Ctrl-C`;

const EXPORT_HELP = `
Formats:
  perfetto  for https://ui.perfetto.dev: what each node does, frames and edges as arrows, wall time as curves
  json      an object a line: the header, each event, the end
  csv       a line of names, then one for each event
  pcapng    the frames of all links and switches in one capture, for Wireshark

Exit status:
  0  exported
  2  bad input; or a file of the run is damaged: what is before the damage was exported
  4  the output cannot be written`;

/** The command line. Each command is loaded when it is used, so that none pays for the others' start. */
export function program(): Command {
  const { version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string };
  const main = new Command('oneclock')
    .enablePositionalOptions()
    .description('User-Mode Linux guests, KVM guests and boards on one virtual clock')
    .version(version, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'explain a command')
    .showHelpAfterError('(oneclock help COMMAND explains its options)')
    .addHelpText('after', EXIT_STATUS)
    // A mistake on the command line is bad input: 2, where commander would say 1.
    .exitOverride((stop) => process.exit(stop.exitCode === 0 ? 0 : 2));

  main
    .command('run')
    .description('run a topology, or a script, in virtual time, to its end')
    .argument('<FILE>', 'the topology, in YAML; or a script, in TypeScript or JavaScript')
    .option(
      '--out <DIR>',
      'keep result.json, trace, pcap/ and console/ in DIR; what an earlier run left there goes',
    )
    .option('--seed <N>', 'use N for the seed of the topology', seedArgument)
    .option('--until <DURATION>', 'end at this virtual time, such as 10s', spanArgument)
    .option(
      '--param <NAME=VALUE,...>',
      'set a parameter of the script; several values make a sweep of runs; may be repeated',
      collect,
      [],
    )
    .addOption(
      new Option('--repeat <N>', 'run each combination of values N times, with seeds of their own')
        .argParser(countArgument)
        .default(1, '1'),
    )
    .option('--parallel-runs <N>', 'runs of a sweep at once (default: 1)', countArgument)
    .option('--stop-on-failure', 'end a sweep with the first run that is not ok')
    .option('--serial', 'run one guest at a time; the trace is the same')
    .option('--jobs <N>', 'guests that may run at once (default: one for each core)', countArgument)
    .option('--max-wall <DURATION>', 'give up after this much wall time', spanArgument)
    .option(
      '--hang <DURATION>',
      'a guest that gives no sign for this much wall time hangs (default: 60s)',
      spanArgument,
    )
    .option('--no-shm', 'keep time by messages alone, without shared memory')
    .option('--watch', 'show the page of `oneclock view` while the run goes on; it needs --out')
    .option('--no-open', 'with --watch: open no browser')
    .option('--json', 'print the result as JSON, and nothing else, on standard output')
    .option('--junit <FILE>', 'write a report for CI there, in the XML of JUnit')
    .option('--interactive', 'go no faster than wall time, and take shells: oneclock shell DIR NODE')
    .option(
      '--record',
      'keep what comes from boards, live guests and shells in DIR/recording, for oneclock replay',
    )
    .addHelpText('after', EXIT_STATUS)
    .action((file: string, options) => guarded(async () => (await import('./run.js')).run(file, options)));

  main
    .command('shell')
    .description('run a program, or a shell, in a guest of a run that goes on with --interactive')
    .argument('<DIR>', 'the run directory: what the run has for --out')
    .argument('<NODE>', 'the guest')
    .argument('[COMMAND...]', 'a line for /bin/sh (default: a shell)')
    .passThroughOptions()
    .addHelpText(
      'after',
      '\nOn a terminal, ~. at the beginning of a line leaves.\n\nExit status: that of the program; 128+N: ended by ' +
        'signal N; 129: you left it;\n2: no such run or node; 3: the run or the guest has gone',
    )
    .action((out: string, node: string, words: string[]) =>
      guarded(async () => (await import('./shell.js')).shell(out, node, words)),
    );

  main
    .command('replay')
    .description('repeat a run with --record, without its boards, live guests and persons')
    .argument('<DIR>', 'the run directory of the recorded run')
    .option('--out <DIR>', 'keep result.json, trace, pcap/ and console/ in another DIR')
    .option('--serial', 'run one guest at a time; the trace is the same')
    .option('--jobs <N>', 'guests that may run at once (default: one for each core)', countArgument)
    .option('--max-wall <DURATION>', 'give up after this much wall time', spanArgument)
    .option(
      '--hang <DURATION>',
      'a guest that gives no sign for this much wall time hangs (default: 60s)',
      spanArgument,
    )
    .option('--json', 'print the result as JSON, and nothing else, on standard output')
    .addHelpText('after', EXIT_STATUS)
    .action((out: string, options) =>
      guarded(async () => (await import('./replay.js')).replay(out, options)),
    );

  main
    .command('check')
    .description('validate a topology or a script, and say every fault with its line')
    .argument('<FILE>', 'the topology, in YAML; or a script')
    .option('--json', 'print the faults, or what the topology comes to, as JSON')
    .addHelpText('after', EXIT_STATUS)
    .action((file: string, options) =>
      guarded(async () => (await import('./check.js')).check(file, options)),
    );

  main
    .command('types')
    .description(
      'write the names of a topology for scripts: FILE.d.yaml.ts beside it, so that editors know them',
    )
    .argument('<FILE>', 'the topology, in YAML')
    .addHelpText(
      'after',
      "\nA script then says: import topology from './FILE.yaml'; and TypeScript needs allowArbitraryExtensions.\n" +
        EXIT_STATUS,
    )
    .action((file: string) => guarded(async () => (await import('./types.js')).types(file)));

  main
    .command('serve')
    .description('be the calendar, and the Ethernet, of clients that are started by others')
    .requiredOption('--time <SOCKET>', 'where clients of the time-travel=ext: protocol connect')
    .option(
      '--net <SOCKET>',
      'an Ethernet segment, where vhost-user front-ends connect; may be repeated',
      collect,
      [],
    )
    .option('--clients <N>', 'begin when this many time clients have connected', countArgument, 1)
    .option('--net-delay <DURATION>', 'how long a frame takes on a segment', durationArgument)
    .option('--start <TIME>', 'the time of day at virtual time 0 (default: 2026-01-01T00:00:00Z)')
    .option('--until <DURATION>', 'end at this virtual time', spanArgument)
    .option(
      '--hang <DURATION>',
      'a client that gives no sign for this much wall time hangs (default: 60s)',
      spanArgument,
    )
    .option('--no-shm', 'keep time by messages alone, without shared memory')
    .addOption(
      new Option('--seed <N>', 'the seed of the MAC addresses').argParser(seedArgument).default(1n, '1'),
    )
    .addHelpText('after', EXIT_STATUS)
    .action((options) => guarded(async () => (await import('./serve.js')).serve(options)));

  main
    .command('diff')
    .description('say where two runs first differ: which node, which event, what time')
    .argument('<RUN>', 'a run directory, or the trace in it')
    .argument('<OTHER>', 'the run to compare it with')
    .option('--json', 'print the difference as JSON')
    .addHelpText('after', '\nExit status:\n  0  the same\n  1  different\n  2  one cannot be read')
    .action((run: string, other: string, options) =>
      guarded(async () => (await import('./diff.js')).diff(run, other, options)),
    );

  main
    .command('view')
    .description('show a run, or two and where they first differ, in the browser')
    .argument('<RUN>', 'a run directory, or the trace in it')
    .argument('[OTHER]', 'the run to compare it with')
    .option('--output <FILE>', 'write one HTML file with everything in it, and serve nothing')
    .option('--no-open', 'open no browser')
    .option('--port <PORT>', 'serve the page on this port of 127.0.0.1 (default: any)', portArgument)
    .addHelpText('after', EXIT_STATUS)
    .action((run: string, other: string | undefined, options) =>
      guarded(async () => (await import('./view.js')).view(run, other, options)),
    );

  main
    .command('export')
    .description('turn a run into a file for other programs')
    .argument('<RUN>', 'a run directory, or the trace in it')
    .addOption(
      new Option('--format <FORMAT>', 'what to make')
        .choices(['perfetto', 'json', 'csv', 'pcapng'])
        .makeOptionMandatory(),
    )
    .option('--output <FILE>', 'write there (default: standard output)')
    .option(
      '--from <TIME>',
      'leave out what happened before this virtual time, such as 1.5s',
      durationArgument,
    )
    .option('--to <TIME>', 'leave out what happened at this virtual time or later', durationArgument)
    .option('--node <NAME>', 'only this node, switch or wire, or "run"; may be repeated', collect, [])
    .addHelpText('after', EXPORT_HELP)
    .action((run: string, options) =>
      guarded(async () => (await import('./export.js')).exportCommand(run, options)),
    );

  main
    .command('doctor')
    .description('say what this machine can and cannot run, and how to mend it')
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', '\nExit status:\n  0  topologies of UML guests can be run here\n  4  they cannot')
    .action((options) => guarded(async () => (await import('./doctor.js')).doctor(options)));

  main
    .command('board-agent')
    .description('on a board: let a controller that has the key freeze it and start programs on it')
    .requiredOption('--listen <HOST:PORT>', 'where the controller connects, such as 192.168.1.7:7424')
    .requiredOption(
      '--key <FILE>',
      'the pre-shared key: 32 bytes or more in hexadecimal or base64, mode 0600',
    )
    .addOption(
      new Option('--vt <NUMBER>', 'the module has the folder /sys/vt/VT<NUMBER>')
        .argParser(folderArgument)
        .default(7, '7'),
    )
    .option('--module <PATH>', 'vtgpio.ko (default: the one that modprobe finds)')
    .option(
      '--release-after <DURATION>',
      'release the board when a lost controller has not come back for this long (default: 10s)',
      spanArgument,
    )
    .addHelpText('after', EXIT_STATUS)
    .action((options) => guarded(async () => (await import('./board-agent.js')).boardAgent(options)));

  return main;
}
