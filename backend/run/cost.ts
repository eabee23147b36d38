// SPDX-License-Identifier: MIT
import { openSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeCost } from '../../protocols/cost/index.js';
import { type Instant, NEVER } from '../calendar/index.js';
import { COST_NAME, CostWriter } from '../trace/cost-writer.js';

/** Between two samples, at least: 20 a second. */
const SAMPLE_MS = 50;
/** In a long run they come farther apart: this part of the wall time that the run has taken. */
const SAMPLE_PART = 1 / 2_000;

/** What the meter is told by its surroundings. */
export interface CostSources {
  /** Everything before it has happened. */
  safe(): Instant;
  /** Milliseconds of wall time since the run began. */
  wallMs(): number;
  /** Milliseconds of CPU time that our own process has used. */
  ownCpuMs(): number;
}

/** What one node has cost since the last sample. */
interface Account {
  readonly node: number;
  ranMs: number;
  activations: number;
  /** When it was let run, in wall time; undefined: it is quiet. */
  since: number | undefined;
}

/**
 * Measures what wall time a run spends on which node, and writes it to the file `cost` of the run directory. A look at
 * the clock at either end of an activation is all that it costs.
 */
export class CostMeter {
  readonly #accounts: Account[];
  /** Those that ran since the last sample, or run now. */
  readonly #touched = new Set<Account>();
  readonly #writer: CostWriter;
  #next = 0;
  #last = 0n;

  /**
   * @param out the run directory
   * @param nodes their names; the index of each is the participant's id
   */
  constructor(
    out: string,
    nodes: readonly string[],
    private readonly sources: CostSources,
  ) {
    this.#accounts = nodes.map((_, node) => ({ node, ranMs: 0, activations: 0, since: undefined }));
    this.#writer = new CostWriter(openSync(join(out, COST_NAME), 'w', 0o644), nodes);
  }

  /** A node is let run. */
  activated(node: number): void {
    const account = this.#accounts[node];
    if (account === undefined) return;
    account.activations++;
    account.since = performance.now();
    this.#touched.add(account);
  }

  /** It has become quiet, or has gone. */
  rested(node: number): void {
    const account = this.#accounts[node];
    if (account?.since === undefined) return;
    account.ranMs += performance.now() - account.since;
    account.since = undefined;
  }

  /** Writes a sample where it is time for one; called often. @throws OneclockError MACHINE */
  turn(): void {
    const wallMs = this.sources.wallMs();
    if (wallMs < this.#next) return;
    this.#next = wallMs + Math.max(SAMPLE_MS, wallMs * SAMPLE_PART);
    this.#sample(wallMs, this.sources.safe());
  }

  /** Writes the last sample, at the run's end, and closes the file. */
  close(end: Instant): void {
    try {
      this.#sample(this.sources.wallMs(), end);
    } finally {
      this.#writer.close();
    }
  }

  #sample(wallMs: number, safe: Instant): void {
    // What a window has brought may be taken back by the run's end; and where nobody has anything to do, it is NEVER.
    if (safe > this.#last && safe !== NEVER) this.#last = safe;
    this.#writer.write({
      virtualNs: this.#last,
      wallUs: Math.round(wallMs * 1000),
      ownCpuUs: Math.round(this.sources.ownCpuMs() * 1000),
      nodes: this.#settle(),
    });
  }

  /** What each has cost since the last sample. */
  #settle(): NodeCost[] {
    const now = performance.now();
    const costs: NodeCost[] = [];
    for (const account of this.#touched) {
      if (account.since === undefined) this.#touched.delete(account);
      else {
        account.ranMs += now - account.since;
        account.since = now;
      }
      const ranUs = Math.floor(account.ranMs * 1000);
      costs.push({ node: account.node, ranUs, activations: account.activations });
      account.ranMs -= ranUs / 1000;
      account.activations = 0;
    }
    return costs.sort((a, b) => a.node - b.node);
  }
}
