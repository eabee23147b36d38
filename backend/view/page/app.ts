// SPDX-License-Identifier: MIT
import { readCost } from '../model/cost.js';
import { RunModel } from '../model/run-model.js';
import { Search } from '../model/search.js';
import { formatAt, formatSpan } from '../model/time-text.js';
import { Captures } from './captures.js';
import { CompareTab } from './compare-tab.js';
import { CursorTab } from './cursor-tab.js';
import { byId, el } from './dom.js';
import { showHelp } from './help.js';
import { Input } from './input.js';
import { drawAxis, endOf, Overview } from './overview.js';
import { PlotsTab } from './plots-tab.js';
import { heightOf } from './rows.js';
import { SearchTab } from './search-tab.js';
import { Source } from './source.js';
import { type ShownRun, State } from './state.js';
import { part, renderStatistics } from './statistics-tab.js';
import { Tabs } from './tabs.js';
import { Theme } from './theme.js';
import { LABEL, Timeline } from './timeline.js';

/** Records that are read before the page may show how far it is. */
const AT_ONCE = 100_000;

/** The page: it reads its runs, and draws anew whatever has changed, once a frame. */
export class App {
  readonly state: State;
  readonly timeline: Timeline;
  private readonly theme: Theme;
  private readonly overview: Overview;
  private readonly tabs: Tabs;
  private readonly compare: CompareTab;
  private readonly search: SearchTab;
  private readonly plots: PlotsTab;
  private readonly scroller = byId('scroller');
  private due = false;
  private shownCursor = '';
  /** Frames that were drawn, and how long the last one took; for tests. */
  readonly drawn = { frames: 0, ms: 0 };

  static async start(): Promise<void> {
    const app = new App(new Source());
    Object.defineProperty(window, 'oneclockView', { value: app });
    await app.load();
  }

  private constructor(private readonly source: Source) {
    const runs = source.manifest.runs.map(({ label, files }): ShownRun => {
      const model = new RunModel(files.find(({ name }) => name === 'trace')?.size);
      return {
        model,
        label,
        search: new Search(model),
        captures: new Captures(model),
        series: [],
        result: undefined,
      };
    });
    this.state = new State(runs, () => this.invalidate());
    const { state } = this;
    this.theme = new Theme(() => this.invalidate());
    this.timeline = new Timeline(byId<HTMLCanvasElement>('timeline'), state, this.theme);
    this.overview = new Overview(state, this.theme);
    this.compare = new CompareTab(state, () => this.jump());
    this.search = new SearchTab(state);
    this.plots = new PlotsTab(state, this.theme);
    const cursor = new CursorTab(state);
    this.tabs = new Tabs(() => this.renderPanel(true));
    this.tabs.add('cursor', 'At the cursor', () => cursor.render());
    if (runs.length === 2) this.tabs.add('compare', 'Comparison', () => this.compare.render());
    this.tabs.add('search', 'Search', () => this.search.render());
    this.tabs.add('plots', 'Plots', () => this.plots.render());
    this.tabs.add('statistics', 'Statistics', () => renderStatistics(state));
    // Before anything is chosen there is nothing around it.
    this.tabs.select(runs.length === 2 ? 'compare' : 'statistics');
    state.live = source.manifest.live;
    state.follow = state.live;
  }

  private async load(): Promise<void> {
    const { state, source } = this;
    await Promise.all(state.runs.map((_, run) => this.loadLog(run)));
    state.layout();
    this.arrange();
    this.measure();
    state.view.total = endOf(state.runs);
    state.view.showAll();
    new Input(this);
    new ResizeObserver(() => {
      this.measure();
      this.invalidate();
    }).observe(byId('main'));
    this.scroller.addEventListener('scroll', () => this.invalidate());
    byId('loading').hidden = true;
    this.notices();
    this.draw();
    performance.mark('drawn');
    document.documentElement.dataset.drawn = 'true';
    source.listen(
      (growth) => void this.grow(growth.sizes, growth.ended),
      () => this.lost(),
    );
    await Promise.all(state.runs.map((_, run) => this.loadRest(run)));
    if (state.runs.length === 2) this.loadDiff();
    document.documentElement.dataset.complete = 'true';
    this.facts();
    this.notices();
    this.renderPanel(true);
    this.invalidate();
  }

  private async loadLog(run: number): Promise<void> {
    const { model } = this.state.runs[run] as ShownRun;
    model.log.append(await this.source.read(run, 'trace'));
    if (!this.source.manifest.live) model.log.finish();
    await this.read(model, (share) => {
      byId<HTMLProgressElement>('progress-bar').value = share;
    });
    if (model.header === undefined && !this.source.manifest.live)
      throw new Error(`its log has no header: ${model.log.damage?.reason ?? ''}`);
  }

  /** Reads what has come of a log; the page can do other things meanwhile. */
  private async read(model: RunModel, tell: (share: number) => void = () => undefined): Promise<void> {
    let begin = performance.now();
    while (model.advance(AT_ONCE)) {
      if (performance.now() - begin < 50) continue;
      tell(model.log.read / Math.max(model.log.size, 1));
      await new Promise((resolve) => setTimeout(resolve));
      begin = performance.now();
    }
  }

  /** What the page can do without at first: captures, result, cost. */
  private async loadRest(run: number): Promise<void> {
    const files = this.source.manifest.runs[run]?.files ?? [];
    for (const { name } of files)
      if (name !== 'trace') this.takeFile(run, name, await this.source.read(run, name));
  }

  private takeFile(run: number, name: string, bytes: Uint8Array): void {
    const shown = this.state.runs[run] as ShownRun;
    const capture = /^pcap\/(.*)\.pcapng$/.exec(name)?.[1];
    if (capture !== undefined) shown.captures.append(capture, bytes);
    else if (name === 'result.json') {
      try {
        shown.result = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
      } catch {
        // A run that is cut short may leave a part of it: the statistics say that there is none.
      }
    } else if (name === 'cost' && shown.model.header !== undefined)
      shown.series.splice(0, shown.series.length, ...readCost(bytes));
  }

  private loadDiff(): void {
    this.source
      .diff()
      .then((diff) => {
        this.compare.take(diff);
        document.documentElement.dataset.compared = 'true';
      })
      .catch((error: unknown) => this.compare.fail(`The comparison failed: ${(error as Error).message}`))
      .finally(() => {
        this.notices();
        this.renderPanel(true);
        this.invalidate();
      });
  }

  private growing = Promise.resolve();

  /** More has come of the first run. One step after the other, for each begins where the last one ended. */
  private grow(sizes: Readonly<Record<string, number>>, ended: boolean): Promise<void> {
    this.growing = this.growing.then(() => this.takeGrowth(sizes, ended)).catch(() => this.lost());
    return this.growing;
  }

  private async takeGrowth(sizes: Readonly<Record<string, number>>, ended: boolean): Promise<void> {
    const { state, source } = this;
    const { model, captures } = state.runs[0] as ShownRun;
    for (const name of Object.keys(sizes)) {
      if (name === 'trace') {
        model.log.append(await source.read(0, name, model.log.size));
        if (ended) model.log.finish();
        await this.read(model);
      } else if (name.startsWith('pcap/')) {
        const had = captures.sizeOf(name.slice('pcap/'.length, -'.pcapng'.length)) ?? 0;
        const bytes = await source.read(0, name, had);
        if (bytes.length > 0) this.takeFile(0, name, bytes);
      } else if (ended || name === 'cost') this.takeFile(0, name, await source.read(0, name));
    }
    if (state.rows.length === 0) state.layout();
    state.live = !ended;
    const follows = state.follow && this.seesEnd();
    state.view.total = endOf(state.runs);
    if (follows) this.toEnd();
    this.notices();
    // The lists of the other tabs stay as they are under the reader's eyes.
    this.renderPanel(ended || ['statistics', 'plots'].includes(this.tabs.selected));
    this.invalidate();
  }

  /** Whether the end of the run is in sight, or all of it. */
  private seesEnd(): boolean {
    return this.state.view.end >= (this.state.view.total * 99n) / 100n || this.state.follow;
  }

  /** Goes to the end of a run that goes on: all of it is shown, or as much as before. */
  toEnd(): void {
    const { view } = this.state;
    if (view.start <= 0n) view.showAll();
    else {
      view.start = view.total - BigInt(Math.floor(view.span * 0.95));
      view.fraction = 0;
      view.pan(0);
    }
  }

  private lost(): void {
    this.state.live = false;
    this.serverGone = true;
    this.notices();
  }

  private serverGone = false;

  /** Goes to the first difference of the two runs. */
  jump(): void {
    const { state } = this;
    const { divergence } = state;
    if (divergence === undefined) return;
    const { event } = this.compare;
    const { model } = state.runs[0] as ShownRun;
    if (event !== undefined && event < model.log.length) state.choose(0, event);
    else state.moveCursor(divergence);
    const around = BigInt(Math.max(Math.round(this.distance(divergence)), 1));
    state.view.show(divergence - around, divergence + around);
    state.measure = undefined;
    this.reveal();
    this.invalidate();
  }

  /** How far around an instant one has to look to see some events in both runs. */
  private distance(at: bigint): number {
    const spans = this.state.runs.map(({ model: { log } }) => {
      const index = log.times.firstFrom(at);
      const near = [index - 6, index + 6].filter((each) => each >= 0 && each < log.length);
      return Math.max(...near.map((each) => Math.abs(Number(log.times.at(each) - at))), 100);
    });
    return Math.max(...spans) * 1.5;
  }

  find(query: string): void {
    const said = this.search.find(query);
    this.say(said);
    this.reveal();
    if (!/^t\s*=/.test(query)) this.tabs.select('search');
    else this.tabs.select('cursor');
    this.invalidate();
  }

  step(by: number): void {
    this.search.step(by);
    this.reveal();
  }

  help(): void {
    showHelp(this.theme);
  }

  /** Scrolls the chosen row into sight. */
  reveal(): void {
    const row = this.state.rows[this.state.row];
    if (row === undefined) return;
    const { scrollTop, clientHeight } = this.scroller;
    if (row.top < scrollTop || row.top + row.height > scrollTop + clientHeight)
      this.scroller.scrollTop = row.top - (clientHeight - row.height) / 2;
  }

  showTab(name: string): void {
    this.tabs.select(name);
  }

  /** A run of few rows leaves their room to the panel. */
  private arrange(): void {
    const all = byId('main').clientHeight;
    const spare = all - heightOf(this.state.rows) - 84;
    byId('panel').style.height = `${Math.round(Math.max(300, Math.min(spare, 0.62 * all)))}px`;
  }

  private measure(): void {
    this.state.view.width = Math.max(1, this.scroller.clientWidth - LABEL);
  }

  /** All is drawn at the next frame. */
  invalidate(): void {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      const begin = performance.now();
      this.draw();
      this.drawn.ms = performance.now() - begin;
      this.drawn.frames++;
    });
  }

  private draw(): void {
    const { state, scroller } = this;
    byId('spacer').style.height = `${Math.max(heightOf(state.rows), scroller.clientHeight)}px`;
    const canvas = byId('timeline');
    canvas.style.height = `${scroller.clientHeight}px`;
    this.timeline.draw(scroller.clientWidth, scroller.clientHeight, scroller.scrollTop);
    this.overview.draw();
    drawAxis(state, this.theme);
    byId('range').textContent = `${formatSpan(state.view.span)} in sight`;
    const follow = byId('follow');
    follow.hidden = !state.live;
    follow.setAttribute('aria-pressed', String(state.follow));
    this.renderPanel(false);
    if (this.tabs.selected === 'plots') this.plots.draw();
    this.summarise();
  }

  /** The panel's content, where something that it shows has changed. */
  private renderPanel(anyway: boolean): void {
    const { state } = this;
    const key = `${this.tabs.selected} ${state.cursor} ${state.chosen?.run} ${state.chosen?.event} ${state.row}`;
    if (!anyway && key === this.shownCursor) return;
    this.shownCursor = key;
    this.tabs.render();
    if (this.tabs.selected === 'plots') this.plots.draw();
  }

  /** What is in sight, in words, for those who do not see it. */
  private summarise(): void {
    const { state } = this;
    const { view } = state;
    const row = state.rows[state.row];
    const text = `From ${formatAt(view.start < 0n ? 0n : view.start)} to ${formatAt(view.end)}, row ${row?.name ?? 'none'}`;
    const summary = byId('summary');
    if (summary.textContent !== text) summary.textContent = text;
  }

  say(text: string): void {
    byId('spoken').textContent = text;
  }

  private facts(): void {
    const { state } = this;
    const { model, result, label } = state.runs[0] as ShownRun;
    const name = model.header?.topology ?? label;
    byId('title').textContent = state.runs.length === 2 ? `${name}: two runs` : name;
    document.title = `${name} – oneclock`;
    const status = String(part(result, 'status') ?? '');
    const badge = state.live
      ? el('span', { class: 'badge live' }, 'running')
      : el('span', { class: `badge ${status === 'ok' ? 'ok' : 'bad'}` }, status || 'no result');
    const fact = (value: string, what: string) => el('span', {}, el('b', {}, value), ` ${what}`);
    const facts = [badge, fact(formatAt(model.end), 'virtual')];
    const wall = part(result, 'wallMs');
    if (typeof wall === 'number') facts.push(fact(formatSpan(wall * 1e6), 'wall'));
    facts.push(fact(model.log.length.toLocaleString('en'), 'events'));
    facts.push(fact(String(model.tracks.nodes.length), model.tracks.nodes.length === 1 ? 'node' : 'nodes'));
    facts.push(el('span', {}, 'seed ', el('b', {}, String(model.header?.seed ?? ''))));
    byId('facts').replaceChildren(...facts);
  }

  /** What a person has to know before they trust what they see. */
  private notices(): void {
    const { state, source } = this;
    this.facts();
    const notices: HTMLElement[] = [];
    const add = (text: string, bad: boolean, action?: HTMLElement) =>
      notices.push(el('div', { class: bad ? 'notice bad' : 'notice' }, el('span', {}, text), action));
    state.runs.forEach(({ model, captures }, run) => {
      const { damage, end, length } = model.log;
      const whose = state.runs.length === 2 ? `Log ${'AB'[run]}` : 'The log';
      if (damage !== undefined)
        add(
          `${whose} is damaged at byte ${damage.offset}: ${damage.reason}. The ${length.toLocaleString('en')} events before it are shown.`,
          true,
        );
      else if (end === undefined && !state.live) add(`${whose} has no end: the run was cut short.`, true);
      if (length === 0 && !state.live) add(`${whose} holds no events: nothing happened in this run.`, false);
      for (const what of source.manifest.runs[run]?.left ?? []) add(`Not shown: ${what}.`, false);
      for (const what of captures.damages()) add(`${whose.replace('log', 'run')}: ${what}.`, true);
    });
    if (this.serverGone && source.manifest.live) add('The command that serves this page has ended.', true);
    if (state.runs.length === 2) {
      const summary = this.compare.summary;
      if (summary !== undefined) {
        let action: HTMLElement | undefined;
        if (state.divergence !== undefined) {
          action = el('button', { class: 'action', type: 'button' }, 'Go there (g)');
          action.addEventListener('click', () => this.jump());
        }
        add(summary, false, action);
      }
    }
    byId('notices').replaceChildren(...notices);
  }
}
