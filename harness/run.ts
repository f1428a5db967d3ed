/** A run: the sanity check, the probing, every selected case side by side, the sanity check again; told as events. */

import { setMaxListeners } from 'node:events';
import { applyBaseline, type Baseline } from './baseline.ts';
import type { BrokerProcess } from './broker-process.ts';
import { Channel } from './channel.ts';
import { type Clock, realClock } from './clock.ts';
import { throughDoor } from './door.ts';
import {
  type Capabilities,
  type CaseResult,
  type ExitCode,
  exitCodeOf,
  type RunEvent,
  type Verdict,
} from './events.ts';
import { type Ending, type Performable, perform, resultOf } from './perform.ts';
import { alive, probe, refusal, sanity } from './probe.ts';
import { Scene, type Stage } from './scene.ts';
import { type Version, versionName } from './spec/index.ts';
import type { Target } from './target.ts';
import { toolVersion } from './version.ts';
import { Witness } from './witness.ts';

export interface RunOptions {
  readonly target: Target;
  readonly cases: readonly Performable[];
  /** How many cases run side by side; 96 unless given. */
  readonly jobs?: number;
  /** How long any single answer may take; 5 s unless given. */
  readonly timeoutMs?: number;
  /** How much later than the standard's moment the target may act; 6 s unless given. */
  readonly toleranceMs?: number;
  /** How often a failed case is repeated; when the attempts differ, the verdict is flaky. */
  readonly retries?: number;
  /** Ends the run after so many failures. */
  readonly bail?: number;
  /** Ends the run after this time. */
  readonly maxTimeMs?: number;
  /** How long to wait for the target to serve its first client. */
  readonly waitForMs?: number;
  /** What all topics begin with. */
  readonly prefix?: string;
  /** Makes the names of the run (client ids, topics) repeatable. */
  readonly seed?: string;
  /** Keeps the packets of passed cases too. */
  readonly traceAll?: boolean;
  readonly baseline?: Baseline;
  /** Ends the run when aborted: reports are complete, the exit code is 130. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

const waitStepMs = 200;
/** How long a process may take to be over after its connections. */
const endingMs = 2_000;

/** Many cases wait a second to see whether a connection still closes: side by side they cost hardly more than one. */
const defaultJobs = 96;
/** More clients are not sent through the door at once. */
const doorWidth = 32;

/** A case that is to run, with what its names are made of. */
interface Queued {
  readonly each: Performable;
  readonly ordinal: number;
}

/** Cases that run beside each other, so many at a time. */
interface Lane {
  readonly queue: Queued[];
  readonly width: number;
}

/** What is wrong with each version, undefined if nothing is. */
type Checks = readonly (readonly [Version, string | undefined])[];

/** What was found out about the target before the first case. */
interface Spoken {
  /** Why nothing can be judged at all. */
  readonly unfit?: string | undefined;
  /** What the target can do, by the versions that it speaks. */
  readonly capabilities: Readonly<Partial<Record<Version, Capabilities>>>;
  /** How it refuses those that it does not. */
  readonly notSpoken: Readonly<Partial<Record<Version, string>>>;
  /** What is wrong with those that it speaks and fails the sanity check in. */
  readonly unjudged: Readonly<Partial<Record<Version, string>>>;
}

const noWord: Spoken = { capabilities: {}, notSpoken: {}, unjudged: {} };

/** Runs cases against a target. Never throws for what the target does. */
export async function* run(options: RunOptions): AsyncGenerator<RunEvent> {
  const channel = new Channel<RunEvent>();
  const work = new Run(options, channel).go().finally(() => channel.close());
  yield* channel;
  await work;
}

class Run {
  readonly #options: RunOptions;
  readonly #events: Channel<RunEvent>;
  readonly #stage: Stage;
  readonly #results = new Map<string, CaseResult>();
  readonly #running = new Map<Performable, { readonly scene: Scene; readonly startedMs: number }>();
  readonly #seed: string;
  #startedMs = 0;
  #witness: Witness | undefined;
  #problem: string | undefined;
  #fault = false;
  #isLost = false;
  #failures = 0;
  /** Ends the run early: no further case starts, and what runs is given up. */
  readonly #stop = new AbortController();

  constructor(options: RunOptions, events: Channel<RunEvent>) {
    this.#options = options;
    this.#events = events;
    // Every case at work listens.
    setMaxListeners(0, this.#stop.signal);
    this.#seed = options.seed ?? Math.random().toString(36).slice(2, 8);
    const { target, clock = realClock } = options;
    this.#stage = {
      target: {
        ...target,
        transport: throughDoor(target.transport, clock, Math.min(options.jobs ?? defaultJobs, doorWidth)),
      },
      clock,
      timeoutMs: options.timeoutMs ?? 5_000,
      toleranceMs: options.toleranceMs ?? 6_000,
      prefix: options.prefix ?? 'mqtt-conform',
      runToken: tokenOf(this.#seed),
    };
  }

  async go(): Promise<void> {
    const { cases, maxTimeMs, signal, baseline, target } = this.#options;
    const clock = this.#stage.clock;
    const startedMs = clock.now();
    this.#startedMs = startedMs;
    const interrupt = () => this.#end('interrupted');
    signal?.addEventListener('abort', interrupt);
    if (signal?.aborted) interrupt();
    const cancel =
      maxTimeMs === undefined
        ? undefined
        : clock.after(maxTimeMs, () => this.#end('the time for the run (--max-time) is up'));
    const versions = [...new Set(cases.map(({ version }) => version))];
    const spoken = (await this.#given(this.#speaks(versions.length > 0 ? versions : ['v3', 'v5']))) ?? noWord;
    const { unfit, capabilities, notSpoken, unjudged } = spoken;
    this.#events.push({
      type: 'run-started',
      time: new Date().toISOString(),
      tool: `mqtt-conform ${toolVersion}`,
      target: target.name,
      targetOptions: target.options,
      versions,
      seed: this.#seed,
      cases: cases.map(({ info }) => info),
      capabilities,
      ...(Object.keys(notSpoken).length > 0 && { notSpoken }),
      ...(Object.keys(unjudged).length > 0 && { unjudged }),
      ...(baseline && { baseline: { file: baseline.file, entries: baseline.entries.length } }),
    });
    if (unfit !== undefined) this.#end(unfit);
    else if (!this.#stopped) {
      const called = Witness.call(this.#stage, (Object.keys(capabilities)[0] ?? 'v3') as Version);
      this.#witness = await this.#given(called);
      await this.#all(spoken);
      // Whoever stopped the run may have been quicker than the broker.
      void called.then((witness) => witness?.leave());
    }
    for (const version of Object.keys(capabilities) as Version[]) {
      const ill = await this.#given(sanity(this.#stage, version));
      if (ill === undefined) continue;
      const end = await this.#process?.endsWithin(endingMs);
      this.#end(`the sanity check after the run fails: ${end ? `the broker ${end.how}` : ill}`);
    }
    cancel?.();
    signal?.removeEventListener('abort', interrupt);
    for (const each of cases) {
      if (!this.#results.has(each.info.id))
        this.#report(each, without('could-not-run', this.#problem ?? 'not started'));
    }
    this.#events.push({
      type: 'run-finished',
      durationMs: clock.now() - startedMs,
      ...(this.#problem !== undefined && { problem: this.#problem }),
      exitCode: this.#exitCode(),
    });
  }

  get #process(): BrokerProcess | undefined {
    return this.#options.target.process;
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  #end(problem: string): void {
    if (this.#stopped) return;
    this.#problem = problem;
    this.#stop.abort();
    for (const { scene } of this.#running.values()) scene.abandon();
  }

  #exitCode(): ExitCode {
    if (this.#fault) return 70;
    if (this.#options.signal?.aborted) return 130;
    const code = exitCodeOf(
      this.#options.cases.map(({ info }) => info),
      this.#results,
    );
    return code === 0 && this.#problem !== undefined ? 3 : code;
  }

  /** Waits for the target to pass the sanity check in one of the versions; then finds out what it can do in each. */
  async #speaks(versions: readonly Version[]): Promise<Spoken> {
    const deadline = this.#stage.clock.now() + (this.#options.waitForMs ?? 0);
    for (;;) {
      const ill = await Promise.all(
        versions.map(async (version) => [version, await sanity(this.#stage, version)] as const),
      );
      if (ill.some(([, what]) => what === undefined)) return this.#tells(ill);
      if (this.#stopped || this.#process?.end || this.#stage.clock.now() + waitStepMs > deadline)
        return this.#unfit(ill);
      await new Promise<void>((resolve) => this.#stage.clock.after(waitStepMs, resolve));
    }
  }

  async #unfit(ill: Checks): Promise<Spoken> {
    const [version] = ill.length === 1 ? (ill[0] ?? []) : [];
    const refused = version && (await refusal(this.#stage, version).catch(() => undefined));
    const other = version === 'v5' ? '3.1.1' : '5';
    const unfit =
      version && refused?.said
        ? `the target does not speak ${versionName(version)}: it ${refused.how}; try --mqtt ${other}`
        : [...new Set(ill.map(([, what]) => what))].join('; ');
    if (this.#process?.end) return { ...noWord, unfit: this.#process.remark };
    return { ...noWord, unfit: [unfit, this.#process?.remark].filter(Boolean).join('; ') };
  }

  /** A version that the target refuses is not applicable; one in which it fails the sanity check leaves no verdict. */
  async #tells(ill: Checks): Promise<Spoken> {
    const capabilities: { [V in Version]?: Capabilities } = {};
    const notSpoken: { [V in Version]?: string } = {};
    const unjudged: { [V in Version]?: string } = {};
    for (const [version, what] of ill) {
      if (what === undefined) {
        capabilities[version] = await probe(this.#stage, version);
        continue;
      }
      const refused = await refusal(this.#stage, version);
      if (refused) notSpoken[version] = refused.how;
      else unjudged[version] = what;
    }
    return { capabilities, notSpoken, unjudged };
  }

  /** What `work` gives, or undefined once the run is stopped. */
  async #given<T>(work: Promise<T>): Promise<T | undefined> {
    if (this.#stopped) return undefined;
    work.catch(() => undefined);
    let stop = () => {};
    const stopped = new Promise<undefined>((resolve) => {
      stop = () => resolve(undefined);
      this.#stop.signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([work, stopped]);
    } finally {
      this.#stop.signal.removeEventListener('abort', stop);
    }
  }

  /**
   * Every case, `jobs` at a time, beside them those that wait for the standard's times: these hardly do anything, so all of them start
   * early, and a run then takes about as long as the longest. Of those that send much, a few at a time are enough for memory and broker.
   */
  async #all(spoken: Spoken): Promise<void> {
    const jobs = Math.max(1, this.#options.jobs ?? defaultJobs);
    const all = this.#options.cases.map((each, ordinal) => ({ each, ordinal: ordinal + reservedOrdinals }));
    const waiting = all
      .filter(({ each }) => each.case.waits !== undefined)
      .sort((a, b) => (b.each.case.waits ?? 0) - (a.each.case.waits ?? 0));
    const others = all.filter(({ each }) => each.case.waits === undefined);
    const long = others.filter(({ each }) => each.info.tags.includes('long'));
    const short = others.filter(({ each }) => !each.info.tags.includes('long'));
    const lanes: readonly Lane[] = [
      { queue: waiting, width: jobs * 8 },
      { queue: long, width: 2 },
      { queue: short, width: jobs },
    ];
    // One at a time means one at a time.
    const first = jobs === 1 ? [{ queue: lanes.flatMap(({ queue }) => queue), width: 1 }] : lanes;
    const worker = async (queue: Queued[]) => {
      for (let next = queue.shift(); next && !this.#stopped; next = queue.shift()) {
        await this.#next(next.each, next.ordinal, spoken);
      }
    };
    for (const round of [first, [{ queue: this.#again, width: jobs }]]) {
      await Promise.all(
        round.flatMap(({ queue, width }) => Array.from({ length: Math.min(width, queue.length) }, () => worker(queue))),
      );
    }
  }
  /** What could not run while the machine was busy with everything else gets a second chance behind it. */
  readonly #again: Queued[] = [];
  readonly #tried = new Set<Performable>();

  async #next(each: Performable, ordinal: number, { capabilities, notSpoken, unjudged }: Spoken): Promise<void> {
    const { version } = each;
    const startedMs = this.#stage.clock.now();
    this.#events.push({ type: 'case-started', case: each.info.id, atMs: startedMs - this.#startedMs });
    const refused = notSpoken[version];
    if (refused !== undefined) {
      const reason = `the target does not speak ${versionName(version)}: it ${refused}`;
      return this.#report(each, without('not-applicable', reason));
    }
    const why = unjudged[version];
    if (why !== undefined) return this.#report(each, without('could-not-run', why));
    const lacking = each.case.needs?.find((name) => capabilities[version]?.[name] !== true);
    if (!lacking) return void (await this.#given(this.#one(each, ordinal, startedMs)));
    this.#report(
      each,
      without('not-applicable', `needs ${lacking}: ${capabilities[version]?.[lacking] ?? 'not probed'}`),
    );
  }

  async #one(each: Performable, ordinal: number, startedMs: number): Promise<void> {
    let attempts = this.#tried.has(each) ? 1 : 0;
    const attempt = () => {
      const scene = new Scene(this.#stage, each.version, ordinal, ++attempts);
      this.#running.set(each, { scene, startedMs });
      return perform(this.#stage, each, scene);
    };
    const first = await attempt();
    let last = first;
    while (isFailure(last.verdict) && attempts <= (this.#options.retries ?? 0) && !this.#stopped)
      last = await attempt();
    const durationMs = this.#stage.clock.now() - startedMs;
    const survived = await this.#alive(each.version);
    if (this.#stopped) return;
    if (!survived) return this.#lost('the target was lost: it no longer serves a new client', 'the broker is gone');
    // A case at work when a broker goes down may see just the close that it expects, or a failure that is none of its own.
    if (this.#witness?.sawTheEnd)
      return this.#lost('the target was lost: it was restarted', 'the broker closed every connection');
    this.#running.delete(each);
    if (last.verdict === 'could-not-run' && last.fault === undefined && !this.#tried.has(each)) {
      this.#tried.add(each);
      this.#again.push({ each, ordinal });
      return;
    }
    const reason = `attempt 1: ${first.verdict}; attempt ${attempts}: ${last.verdict}`;
    this.#report(
      each,
      last.verdict === first.verdict ? last : { ...first, verdict: 'flaky', reason },
      durationMs,
      attempts,
    );
  }

  /** One client may be refused for a moment under load; a broker that is gone refuses every one. */
  async #alive(version: Version): Promise<boolean> {
    for (let tries = 3; tries > 0; tries--) {
      if (await alive(this.#stage, version)) return true;
    }
    return false;
  }

  /** The broker is gone, or was for a moment: names the case that sent something last, and ends the run. */
  async #lost(problem: string, what: string): Promise<void> {
    if (this.#stopped || this.#isLost) return;
    this.#isLost = true;
    const [culprit] = [...this.#running].sort(([, a], [, b]) => b.scene.lastSentMs - a.scene.lastSentMs);
    const others = this.#running.size - 1;
    const end = await this.#process?.endsWithin(endingMs);
    if (this.#stopped) return;
    this.#end(end ? `${problem}; the broker ${end.how}` : problem);
    if (!culprit || culprit[1].scene.lastSentMs === 0) return;
    const [each, { scene, startedMs }] = culprit;
    const beside = others > 0 ? `, or after one of the ${others} that ran beside it (-j 1 tells which)` : '';
    const reason = `${end ? `the broker ${end.how}` : what} after this case${beside}`;
    const said = end && end.said.length > 0 ? ['its last output:', ...end.said.map((line) => `  ${line}`)] : [];
    const actual = [reason, ...said].join('\n');
    const finding = { requirements: each.info.covers, expected: ['the broker serves on'], actual };
    this.#report(each, { scene, verdict: 'crash', reason, finding }, this.#stage.clock.now() - startedMs);
  }

  #report(each: Performable, ending: Ending | Unstarted, durationMs = 0, attempts = 1): void {
    const result: CaseResult =
      'scene' in ending
        ? resultOf(each.info, ending, durationMs, attempts, this.#options.traceAll ?? false)
        : { case: each.info.id, ...ending, traits: [], trace: [], durationMs, attempts: 0 };
    if ('fault' in ending && ending.fault !== undefined) {
      this.#fault = true;
      this.#problem ??= `${each.info.id}: ${ending.fault instanceof Error ? (ending.fault.stack ?? ending.fault.message) : String(ending.fault)}`;
    }
    const final = this.#options.baseline ? applyBaseline(result, each.info, this.#options.baseline) : result;
    this.#results.set(each.info.id, final);
    this.#events.push({ type: 'case-finished', result: final });
    if (isFailure(final.verdict) && ++this.#failures >= (this.#options.bail ?? Number.POSITIVE_INFINITY)) {
      this.#end(`stopped after ${this.#failures} failures (--bail)`);
    }
  }
}

/** A result without an attempt. */
interface Unstarted {
  readonly verdict: Verdict;
  readonly reason: string;
}

function without(verdict: Verdict, reason: string): Unstarted {
  return { verdict, reason };
}

function isFailure(verdict: Verdict): boolean {
  return verdict === 'fail' || verdict === 'crash' || verdict === 'flaky';
}

/** The sanity check, the look for life and the probes have names of their own. */
const reservedOrdinals = 40;

/** Six characters 0-9a-z, the same for the same seed (FNV-1a: any spread will do, as long as it is the same everywhere). */
function tokenOf(seed: string): string {
  const hash = [...Buffer.from(seed)].reduce((sum, byte) => Math.imul(sum ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
  return (hash % 36 ** 6).toString(36).padStart(6, '0');
}
