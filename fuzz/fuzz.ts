/** Fuzzing one target, as a stream of events: from finding out what it is to the last finding. */

import { Channel } from '../harness/channel.ts';
import { type Clock, realClock } from '../harness/clock.ts';
import { Unreachable } from '../harness/errors.ts';
import type { Version } from '../harness/spec/index.ts';
import type { Target } from '../harness/target.ts';
import type { Transport } from '../harness/transport.ts';
import { toolVersion } from '../harness/version.ts';
import { Campaign } from './campaign.ts';
import { Corpus, type CorpusEntry } from './corpus.ts';
import type { Discovery, FuzzCounts, FuzzEvent } from './events.ts';
import { findManners } from './fence.ts';
import { parseScript } from './foreign.ts';
import type { Kind } from './generate.ts';
import { lookForLife } from './oracle/alive.ts';
import type { Stage } from './play.ts';
import type { Recording } from './record.ts';

export interface FuzzOptions {
  readonly target: Target;
  readonly clock?: Clock;
  /** Makes the cases the same again; by chance unless given. */
  readonly seed?: string;
  readonly only?: Kind;
  /** How many cases; one minute's unless this or the time is given. */
  readonly runs?: number;
  readonly maxTimeMs?: number;
  /** Cases side by side; 128 unless given. */
  readonly jobs?: number;
  /** How long an answer may take, in milliseconds; 5,000 unless given. */
  readonly timeoutMs?: number;
  /** How long the target is waited for at the start, in milliseconds. */
  readonly waitForMs?: number;
  /** The versions to speak; what the target serves of them. */
  readonly versions?: readonly Version[];
  /** A folder of scripts: played first, and grown. */
  readonly corpusDirectory?: string;
  /** A second target that findings are held against. */
  readonly against?: { readonly name: string; readonly transport: Transport };
  /** The process of the broker, if it runs on this machine: its memory and processor time are looked at. */
  readonly pid?: number;
  /** Scripts that are played first of all; the regression corpus unless given. */
  readonly regression?: readonly CorpusEntry[];
  /** Called with what each case left, in the order in which they end; not for those that are played again. */
  readonly onPlayed?: (recording: Recording) => void;
  /** Saves a finding; returns where. */
  readonly save?: (discovery: Discovery) => string | undefined;
  readonly signal?: AbortSignal;
}

const defaultTimeMs = 60_000;
const nothingYet: FuzzCounts = { cases: 0, packets: 0, corpus: 0, reactions: 0, findings: 0, elapsedMs: 0 };

/** Fuzzes until the time is up, the cases are done, the target is lost or the user interrupts. The last event is `fuzz-finished`. */
export async function* fuzz(options: FuzzOptions): AsyncGenerator<FuzzEvent> {
  const { target, clock = realClock, timeoutMs = 5_000, seed = randomSeed(), signal } = options;
  const base: Omit<Stage, 'manners'> = {
    transport: target.transport,
    clock,
    timeoutMs,
    ...(target.credentials && { credentials: target.credentials }),
  };
  const met = await meet(base, options);
  if (typeof met === 'string') {
    const problem = signal?.aborted ? 'interrupted' : met;
    yield { type: 'fuzz-finished', counts: nothingYet, discoveries: [], problem, exitCode: signal?.aborted ? 130 : 3 };
    return;
  }
  const { stage, versions } = met;
  const channel = new Channel<FuzzEvent>();
  const corpus = new Corpus(options.corpusDirectory, (text) => channel.push({ type: 'fuzz-warning', text }));
  const regression = options.regression ?? (await import('./regression.ts')).regression;
  const seeds = [...regression, ...corpus.load(parseScript)];
  const hasEnd = options.runs !== undefined || options.maxTimeMs !== undefined;
  const limits = {
    ...(options.runs !== undefined && { runs: options.runs }),
    ...(hasEnd ? options.maxTimeMs !== undefined && { maxTimeMs: options.maxTimeMs } : { maxTimeMs: defaultTimeMs }),
  };
  yield {
    type: 'fuzz-started',
    time: new Date().toISOString(),
    tool: `mqtt-conform ${toolVersion}`,
    target: target.name,
    targetOptions: target.options,
    seed,
    versions,
    fence: stage.manners.answersBeforeClose ? 'FIN' : 'PINGREQ',
    oracles: ['alive', 'standard', 'history', 'resources'],
    corpus: seeds.length,
    ...limits,
  };
  const campaign = new Campaign({
    stage,
    versions,
    seed,
    jobs: options.jobs ?? 128,
    target: target.name,
    tool: `mqtt-conform ${toolVersion}`,
    corpus,
    seeds,
    save: (discovery) => options.save?.(discovery),
    tell: (event) => channel.push(event),
    ...limits,
    ...pidOf(options),
    ...(target.process && { process: target.process }),
    ...(options.against && { against: { name: options.against.name, stage: await stageOf(options.against, base) } }),
    ...(options.only && { only: options.only }),
    ...(options.onPlayed && { onPlayed: options.onPlayed }),
    ...(signal && { signal }),
  });
  const running = campaign.run().finally(() => channel.close());
  // A fault of this tool is told by whoever awaits it, below.
  running.catch(() => {});
  yield* channel;
  await running;
}

function pidOf({ pid, target: { process } }: FuzzOptions): { pid?: () => number | undefined } {
  if (pid !== undefined) return { pid: () => pid };
  return process ? { pid: () => process.pid } : {};
}

/** The stage, and the versions that the target serves; or why there is none, in one line. */
export async function meet(
  base: Omit<Stage, 'manners'>,
  { target: { process }, versions = ['v3', 'v5'], waitForMs = 0, signal }: FuzzOptions,
): Promise<{ stage: Stage; versions: readonly Version[] } | string> {
  const endMs = performance.now() + waitForMs;
  for (;;) {
    const met = await meetOnce(base, versions);
    if (process?.end) return process.remark;
    if (typeof met !== 'string') return met;
    if (performance.now() >= endMs || signal?.aborted) return [met, process?.remark].filter(Boolean).join('; ');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** With these nothing is taken for granted. */
const noManners = { answersBeforeClose: false, closesAfterFin: false };

async function meetOnce(base: Omit<Stage, 'manners'>, versions: readonly Version[]) {
  try {
    const served: Version[] = [];
    let why = '';
    for (const version of versions) {
      const problem = await lookForLife({ ...base, manners: noManners }, version);
      if (problem === undefined) served.push(version);
      else why ||= problem;
    }
    if (served.length === 0) return why;
    // Not before it serves: one that is only starting would be taken for one that never answers in time.
    return { stage: { ...base, manners: await findManners(base) }, versions: served };
  } catch (error) {
    if (error instanceof Unreachable) return error.message;
    throw error;
  }
}

/** A second target may have manners of its own. */
async function stageOf({ transport }: { transport: Transport }, base: Omit<Stage, 'manners'>): Promise<Stage> {
  const other = { transport, clock: base.clock, timeoutMs: base.timeoutMs };
  return { ...other, manners: await findManners(other) };
}

function randomSeed(): string {
  return Math.floor(Math.random() * 36 ** 6)
    .toString(36)
    .padStart(6, '0');
}
