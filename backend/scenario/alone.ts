// SPDX-License-Identifier: MIT
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatInstant, type Instant, instant, NEVER } from '../calendar/time.js';
import { OneclockError } from '../errors.js';
import type { ExpectationResult, RunResult, ScriptResult } from '../run/result.js';
import { prepareRunDirectory } from '../run/run-directory.js';
import { scriptFailure } from '../run/script-failure.js';
import { plainOutput } from '../run/script-output.js';
import { summarize } from '../run/summarize.js';
import { RunLog } from '../trace/run-log.js';
import { Simulation, type Span } from './engine/index.js';
import { readSpan } from './engine/span.js';
import { makeExpect } from './expect.js';
import type { Params, Scenario, Scene, TopologyShape } from './scenario.js';

/** What joins nodes, of which there are none. */
const NOTHING = { links: [], switches: [], wires: [], shared: [] };

function notHere(): never {
  throw new OneclockError('INTERNAL', 'a script without a topology has neither links nor wires');
}

export interface AloneOptions {
  /** What the result calls it. */
  readonly name: string;
  readonly seed: bigint;
  readonly until: Span | undefined;
  /** The run directory; undefined: nothing is kept. */
  readonly out: string | undefined;
  /** It fails after this much wall time; undefined: never. */
  readonly maxWallMs: number | undefined;
}

/** A scenario without a topology: a discrete-event simulation, and nothing else. */
export class Alone {
  readonly #sim: Simulation;
  readonly #log: RunLog;
  readonly #expectations: ExpectationResult[] = [];
  #aborted: OneclockError | undefined;

  constructor(
    private readonly scenario: Scenario,
    private readonly params: Params,
    private readonly options: AloneOptions,
  ) {
    const { name, seed, out } = options;
    if (out !== undefined) prepareRunDirectory(out);
    this.#sim = new Simulation({ seed });
    const file = out === undefined ? undefined : openSync(join(out, 'trace'), 'w', 0o644);
    this.#log = new RunLog(file, { topology: name, seed, start: 0n, nodes: [], ...NOTHING });
  }

  /** Ends it before its time. */
  abort(error: OneclockError): void {
    this.#aborted ??= error;
    this.#sim.stop();
  }

  /** Something of the script failed that it does not await. */
  scriptFailed(error: unknown): void {
    this.#sim.fail(error);
  }

  /** It leaves nothing behind but its run directory. */
  dispose(): void {}

  /** Runs to the end. Never rejects: whatever went wrong is in the result. */
  async execute(): Promise<RunResult> {
    const started = performance.now();
    const { seed, out, until } = this.options;
    const watchdog = this.#watch();
    const script = await this.#play(until === undefined ? NEVER : instant(readSpan(until)));
    clearTimeout(watchdog);
    const { events } = this.#sim.engine;
    const reason = this.#aborted ? 'error' : script.state;
    const counts = { events, activations: 0 };
    const { user, system } = process.cpuUsage();
    const result = summarize({
      topology: { name: this.options.name, seed, ...NOTHING },
      at: instant(BigInt(script.endedNs)),
      wallMs: performance.now() - started,
      cpuMs: (user + system) / 1000,
      ...counts,
      traceHash: this.#log.close({ reason, virtualNs: BigInt(script.endedNs), ...counts }),
      error: this.#aborted,
      disappointments: script.error === null ? [] : [script.error],
      script,
      nodes: [],
      link: notHere,
      wire: notHere,
      shared: notHere,
    });
    if (out !== undefined) writeFileSync(join(out, 'result.json'), `${JSON.stringify(result, null, 2)}\n`);
    return result;
  }

  #watch(): NodeJS.Timeout | undefined {
    const { maxWallMs } = this.options;
    if (maxWallMs === undefined) return undefined;
    return setTimeout(() => {
      const where = `at ${formatInstant(this.#sim.now)} s of virtual time`;
      const text = `the run took longer than the ${maxWallMs} ms that it may, ${where}`;
      this.abort(new OneclockError('PARTICIPANT', text));
    }, maxWallMs);
  }

  async #play(until: bigint): Promise<ScriptResult> {
    const sim = this.#sim;
    let output: { readonly value: unknown; readonly at: Instant } | undefined;
    sim.process('the script', async () => {
      const value = plainOutput(await this.scenario.play(this.#scene()));
      output = { value, at: sim.now };
      sim.stop();
    });
    const rest = { expectations: this.#expectations, output: null };
    try {
      await sim.run(until);
    } catch (error) {
      const message = scriptFailure(error, sim.now);
      return { state: 'failed', endedNs: sim.now.toString(), error: message, ...rest };
    }
    if (output !== undefined) {
      const { at, value } = output;
      return { state: 'ended', endedNs: at.toString(), error: null, ...rest, output: value ?? null };
    }
    const endedNs = sim.now.toString();
    const error = this.#aborted
      ? this.#aborted.message
      : (await sim.stuck(until === NEVER ? undefined : 'the run ends')).message;
    return { state: 'waiting', endedNs, error, ...rest };
  }

  #scene(): Scene<TopologyShape, Params> {
    const sim = this.#sim;
    return {
      sim,
      params: this.params,
      nodes: {},
      links: {},
      wires: {},
      expect: makeExpect(sim, this.#expectations),
      partition: () => () => undefined,
      mark: (text) => {
        this.#log.mark(sim.now, this.#log.run, text);
        // Nothing comes before it any more.
        this.#log.flush(sim.now);
      },
    };
  }
}
