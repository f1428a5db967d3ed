/** A fuzz run: cases from the corpus, generated or bred, played side by side, judged, and what is found made sure of. */

import type { BrokerProcess, End } from '../harness/broker-process.ts';
import { Unreachable } from '../harness/errors.ts';
import type { ExitCode } from '../harness/events.ts';
import type { Version } from '../harness/spec/index.ts';
import { type Comeback, comeBack, isOfThisMachine } from './comeback.ts';
import type { Corpus, CorpusEntry } from './corpus.ts';
import { type Certainty, type Discovery, type FuzzCounts, type FuzzEvent, gates, type Origin } from './events.ts';
import { fingerprint, traceOf } from './finding.ts';
import { mutate } from './generate/mutate.ts';
import { generate, type Kind, kindOf } from './generate.ts';
import { judgeAll } from './judge.ts';
import { Novelty, reactionsOf } from './novelty.ts';
import { lookForLife } from './oracle/alive.ts';
import { hasty, play, type Stage } from './play.ts';
import { Random } from './random.ts';
import type { Finding, Recording } from './record.ts';
import { bytesIn, type Script, waitsMs } from './script.ts';
import { sweep } from './sweep.ts';
import { type Other, smallest, verify } from './verify.ts';
import { Witness } from './witness.ts';

export interface CampaignOptions {
  readonly stage: Stage;
  readonly versions: readonly Version[];
  readonly seed: string;
  readonly only?: Kind;
  /** How many cases; without end unless given. */
  readonly runs?: number;
  readonly maxTimeMs?: number;
  /** Cases side by side. */
  readonly jobs: number;
  readonly target: string;
  readonly tool: string;
  readonly corpus: Corpus;
  /** Played first. */
  readonly seeds: readonly CorpusEntry[];
  /** A second target that findings are held against. */
  readonly against?: Other;
  /** The process of the broker now, if it runs on this machine. */
  readonly pid?: () => number | undefined;
  /** The broker, if this tool started it: it is started again when it ends. */
  readonly process?: BrokerProcess;
  readonly signal?: AbortSignal;
  onPlayed?(recording: Recording): void;
  /** Called with each finding at once, and again when it was made smaller; returns where it was saved. */
  save(discovery: Discovery): string | undefined;
  tell(event: FuzzEvent): void;
}

/**
 * A case may be bred from what cases long before it brought, never from its neighbours: they are played side by side, and which of them ends
 * first is chance. So the same seed gives the same cases.
 */
const breedingDistance = 4_096;
/** One case in so many is bred, once there is what to breed from. */
const bredOneIn = 3;
const bothVersions: readonly Version[] = ['v3', 'v5'];
/** A script that sends more is heavy. */
const heavyBytes = 2 ** 18;
/** A script that lets more time pass is long. */
const longMs = 3_000;
const lifeCheckMs = 500;
const progressMs = 250;
/** Cases that may be to blame when the target is found dead. */
const suspectsAtMost = 400;
/** What a script that ends the broker is made smaller with, at the most: each that does it, too, costs a restart. */
const minimiseRestarts = 25;
const minimiseMs = 20_000;
/** How long cases that are at work may still take when the run is interrupted. */
const interruptedMs = 1_000;
/** After the last case this much time is left to make findings sure and small. */
const graceMs = 20_000;
/** So many times a run stops for what was slow to be played alone, and so long each time. */
const weighingsAtMost = 20;
const weighingMs = 15_000;
/** Once in so long the event loop gets its turn: in memory a case never waits for anything else. */
const turnMs = 8;

interface Case {
  readonly script: Script;
  readonly origin: Origin;
}

/** What is known of a finding while the run goes on. */
interface Known {
  discovery: Discovery;
  cases: number;
}

/** What is seen of a broker that does not serve: by a client, and of its process, if that is known. */
interface Sight {
  readonly why: string;
  readonly end: End | undefined;
}

/** A script that does the same as another with less, and how it went. */
interface Smaller {
  readonly script: Script;
  readonly original: Script;
  readonly recording: Recording | undefined;
}

export class Campaign {
  readonly #options: CampaignOptions;
  readonly #novelty = new Novelty();
  readonly #known = new Map<string, Known>();
  /** Reactions of cases that are played, until their turn in the order of numbers. */
  readonly #played = new Map<number, { script: Script; reactions: readonly number[]; isFromDisk: boolean }>();
  readonly #recent: Case[] = [];
  readonly #verifying: Promise<void>[] = [];
  #verification = Promise.resolve();
  #next = 0;
  #folded = 0;
  #cases = 0;
  #packets = 0;
  #startedMs = 0;
  #problem: string | undefined;
  #isOver = false;
  /** While it is set no case begins: the target is away, or something is tried alone. */
  #outage: Promise<void> | undefined;
  #outages = 0;
  #lastHeavy: Promise<unknown> = Promise.resolve();
  #atWork = 0;
  #quiet: (() => void) | undefined;
  #weighings = 0;
  readonly #witness: Witness;
  #lastTurnMs = 0;
  /** Wakes lanes that wait for a slow case before they may go on. */
  #foldWaiters: (() => void)[] = [];

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#witness = new Witness(options.stage, options.versions[0] ?? 'v3', options.pid);
  }

  /** Runs to the end. Rejects only for a fault of this tool. */
  async run(): Promise<void> {
    const { jobs, tell } = this.#options;
    this.#startedMs = performance.now();
    await this.#witness.enter();
    const ticking = setInterval(() => tell({ type: 'fuzz-progress', counts: this.#counts() }), progressMs);
    try {
      const lanes = Array.from({ length: jobs }, () => this.#lane());
      const watching = this.#watch();
      // Who interrupts a run does not wait for cases that take many seconds.
      await Promise.race([Promise.all(lanes), this.#interruption()]);
      this.#isOver = true;
      await watching;
      if (this.#problem === undefined && !this.#isInterrupted) await this.#lookOnce();
      await this.#outage;
      await this.#settle();
    } finally {
      this.#isOver = true;
      this.#witness.leave();
      clearInterval(ticking);
    }
    const discoveries = [...this.#known.values()].map(({ discovery, cases }) => ({ ...discovery, cases }));
    const problem = this.#isInterrupted ? 'interrupted' : this.#problem;
    tell({
      type: 'fuzz-finished',
      counts: this.#counts(),
      discoveries,
      ...(problem && { problem }),
      exitCode: this.#exitCode(discoveries),
    });
  }

  #exitCode(discoveries: readonly Discovery[]): ExitCode {
    if (this.#isInterrupted) return 130;
    if (discoveries.some(gates)) return 1;
    return this.#problem ? 3 : 0;
  }

  /** Resolves some time after the run is interrupted, in which most cases come to their end; never, if it is not. */
  #interruption(): Promise<void> {
    const { signal } = this.#options;
    return new Promise((resolve) => {
      const soon = () => setTimeout(resolve, interruptedMs);
      if (signal?.aborted) soon();
      signal?.addEventListener('abort', soon, { once: true });
    });
  }

  get #isInterrupted(): boolean {
    return this.#options.signal?.aborted === true;
  }

  #counts(): FuzzCounts {
    return {
      cases: this.#cases,
      packets: this.#packets,
      corpus: this.#options.corpus.size,
      reactions: this.#novelty.size,
      findings: this.#known.size,
      elapsedMs: performance.now() - this.#startedMs,
    };
  }

  // ── The loop ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async #lane(): Promise<void> {
    const { runs = Number.POSITIVE_INFINITY } = this.#options;
    let sweeping: Promise<void> | undefined;
    while (!this.#isEnded() && this.#next < runs) {
      if (this.#outage) await this.#outage;
      const index = this.#next++;
      while (index - this.#folded >= breedingDistance && !this.#isEnded()) await this.#oneFolded();
      if (this.#isEnded()) break;
      const made = this.#make(index);
      // What takes many seconds is not waited for by others: nothing is bred from it. Nor is it begun where the run is over before.
      const isLong = waitsMs(made.script) > longMs;
      if (isLong) this.#fold(index, made.script, []);
      if (isLong && this.#leftMs() < waitsMs(made.script)) continue;
      this.#remember(made);
      const recording = await (bytesIn(made.script) > heavyBytes ? this.#playInTurn(made) : this.#play(made));
      if (this.#isOver) break;
      await sweeping;
      if (recording) {
        this.#take(made, recording);
        sweeping = sweep(recording, this.#options.stage);
      } else if (!isLong) this.#fold(index, made.script, []);
      await this.#turn();
    }
    await sweeping;
  }

  #isEnded(): boolean {
    return this.#problem !== undefined || this.#isInterrupted || this.#isOver || this.#leftMs() <= 0;
  }

  #leftMs(): number {
    const { maxTimeMs = Number.POSITIVE_INFINITY } = this.#options;
    return maxTimeMs - (performance.now() - this.#startedMs);
  }

  async #turn(): Promise<void> {
    if (performance.now() - this.#lastTurnMs < turnMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#lastTurnMs = performance.now();
  }

  #make(index: number): Case {
    const { seeds, seed, only, corpus, versions } = this.#options;
    const first = seeds[index];
    if (first) return { script: first.script, origin: { from: 'corpus', index, name: first.name } };
    const random = new Random(`${seed}/breed`, index);
    const count = corpus.countBefore(index - breedingDistance);
    if (count > 0 && random.oneIn(bredOneIn)) {
      return { script: mutate(corpus.at(random.below(count)), random), origin: { from: 'bred', index } };
    }
    // A broker that refuses a version sees some of it all the same: it must not fall over.
    const spoken = index % 16 === 0 ? bothVersions : versions;
    const script = generate(seed, index, only, spoken);
    return { script, origin: { from: 'generated', index, kind: only ?? kindOf(index) } };
  }

  #remember(made: Case): void {
    this.#recent.push(made);
    if (this.#recent.length > 2 * suspectsAtMost) this.#recent.splice(0, suspectsAtMost);
  }

  /** Cases that move megabytes one after the other: side by side they would fill memory, here and on the broker. */
  #playInTurn(made: Case): Promise<Recording | undefined> {
    const played = this.#lastHeavy.then(() => this.#play(made));
    this.#lastHeavy = played.catch(() => {});
    return played;
  }

  /** Undefined if the target could not be reached. */
  async #play({ script }: Case): Promise<Recording | undefined> {
    try {
      const recording = await this.#counted(play(script, this.#options.stage));
      if (recording.unreachable) await this.#outageAt(recording.unreachable);
      return recording;
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      await this.#outageAt(error.message);
      return undefined;
    }
  }

  async #counted<T>(played: Promise<T>): Promise<T> {
    this.#atWork++;
    try {
      return await played;
    } finally {
      if (--this.#atWork === 0) this.#quiet?.();
    }
  }

  #take(made: Case, recording: Recording): void {
    this.#cases++;
    this.#options.onPlayed?.(recording);
    for (const { sent } of recording.connections) this.#packets += sent.length;
    if (waitsMs(made.script) <= longMs)
      this.#fold(made.origin.index, made.script, reactionsOf(recording), made.origin.from === 'corpus');
    for (const finding of judgeAll(recording)) this.#found(finding, made, recording);
    if (this.#witness.isHeavy(recording)) this.#suspect([made]);
  }

  /** What is new is decided in the order of numbers, whatever ends first. */
  #fold(index: number, script: Script, reactions: readonly number[], isFromDisk = false): void {
    this.#played.set(index, { script, reactions, isFromDisk });
    for (let next = this.#played.get(this.#folded); next; next = this.#played.get(this.#folded)) {
      this.#played.delete(this.#folded);
      // What is dear is not bred from: its offspring would take most of the time.
      if (this.#novelty.add(next.reactions) && bytesIn(next.script) <= heavyBytes)
        this.#options.corpus.keep(next.script, this.#folded, !next.isFromDisk);
      this.#folded++;
    }
    const waiters = this.#foldWaiters;
    this.#foldWaiters = [];
    for (const wake of waiters) wake();
  }

  #oneFolded(): Promise<void> {
    return new Promise((resolve) => this.#foldWaiters.push(resolve));
  }

  // ── Findings ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #found(finding: Finding, { script, origin }: Case, recording: Recording): void {
    const known = this.#known.get(fingerprint(finding));
    if (known) {
      known.cases++;
      return;
    }
    const first = this.#enter(finding, { script, origin }, 'not reproduced', recording);
    this.#verification = this.#verification.then(() => this.#verify(first));
    this.#verifying.push(this.#verification);
  }

  #enter(finding: Finding, { script, origin }: Case, certainty: Certainty, recording?: Recording): Known {
    const { seed, target, tool } = this.#options;
    const discovery: Discovery = {
      id: fingerprint(finding),
      finding,
      certainty,
      cases: 1,
      seed,
      origin,
      target,
      tool,
      script,
      trace: recording ? traceOf(recording, finding) : [],
    };
    const entered: Known = { discovery: this.#saved(discovery), cases: 1 };
    this.#known.set(discovery.id, entered);
    return entered;
  }

  #saved(discovery: Discovery): Discovery {
    const file = this.#options.save(discovery);
    return file === undefined ? discovery : { ...discovery, file };
  }

  /** Plays it again until it is sure, and makes it small; one at a time. */
  async #verify(known: Known): Promise<void> {
    const { stage, tell, against, process } = this.#options;
    let verified = known.discovery;
    for (let attempt = 0; attempt < 2; attempt++) {
      if (this.#outage) await this.#outage;
      // Another one may have ended it when it was played again.
      else if (process?.end) await this.#outageAt(process.remark);
      const outages = this.#outages;
      verified = await verify(known.discovery, {
        stage,
        ...(against && { against }),
        isHurried: () => this.#isInterrupted || this.#problem !== undefined || this.#isLate(),
      });
      // Where the target was away meanwhile, that it did not show again says nothing.
      if (verified.certainty === 'confirmed' || (this.#outages === outages && !process?.end)) break;
    }
    known.discovery = this.#saved(verified);
    tell({ type: 'finding', discovery: { ...known.discovery, cases: known.cases } });
  }

  #lateMs = Number.POSITIVE_INFINITY;

  #isLate(): boolean {
    return performance.now() > this.#lateMs;
  }

  async #settle(): Promise<void> {
    this.#lateMs = performance.now() + graceMs;
    await Promise.all(this.#verifying);
  }

  // ── Is it alive? ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Looks for life now and then, beside the cases, and at what the broker uses. */
  async #watch(): Promise<void> {
    const { stage, versions, process } = this.#options;
    while (!this.#isEnded()) {
      await this.#pause(lifeCheckMs);
      if (this.#outage) await this.#outage;
      if (this.#problem !== undefined) return;
      const before = this.#recent.length;
      const looked = await lookForLife(stage, versions[0]);
      const recent = this.#recent.slice(-suspectsAtMost).reverse();
      const beside = await this.#witness.look(this.#cases);
      const why = looked ?? (process?.end && process.remark);
      if (why !== undefined) await this.#outageAt(why);
      else {
        if (beside) this.#suspect(recent, beside);
        this.#recent.splice(0, Math.max(0, before - suspectsAtMost));
      }
    }
    const { leak } = this.#witness;
    const last = this.#recent.at(-1);
    if (leak && last) this.#beside(leak, last, 'not tried');
  }

  /** Has what may have kept others waiting, or the processor busy, played alone. @param seen what is to be explained by one of them */
  #suspect(suspects: readonly Case[], seen?: Finding): void {
    const [first] = suspects;
    if (!first || this.#weighings++ >= weighingsAtMost || (seen && this.#known.has(fingerprint(seen)))) return;
    this.#verification = this.#verification.then(async () => {
      if (this.#outage) await this.#outage;
      this.#outage = this.#weigh(suspects, seen ?? undefined).finally(() => {
        this.#outage = undefined;
      });
      await this.#outage;
    });
    this.#verifying.push(this.#verification);
  }

  async #weigh(suspects: readonly Case[], seen: Finding | undefined): Promise<void> {
    if (this.#atWork > 0) await new Promise<void>((resolve) => (this.#quiet = resolve));
    this.#quiet = undefined;
    const endMs = performance.now() + weighingMs;
    const isOver = () => this.#isInterrupted || this.#isLate() || performance.now() > endMs;
    for (const suspect of suspects) {
      if (isOver()) break;
      const [weighed] = await this.#witness.weigh(suspect.script, this.#cases);
      if (!weighed) continue;
      const { kind } = weighed.finding;
      const isSo = async (script: Script) =>
        !isOver() && (await this.#witness.weigh(script, this.#cases)).some(({ finding }) => finding.kind === kind);
      const script = await smallest(suspect.script, isSo);
      return this.#beside(weighed.finding, { ...suspect, script }, 'confirmed', weighed.recording);
    }
    const [first] = suspects;
    if (seen && first) this.#beside(seen, first, 'not reproduced');
  }

  /** The last case may have been the one too many. */
  async #lookOnce(): Promise<void> {
    const { stage, versions } = this.#options;
    const why = await lookForLife(stage, versions[0]);
    if (why !== undefined) await this.#outageAt(why);
  }

  /** A finding of what is seen from beside the cases. */
  #beside(finding: Finding, made: Case, certainty: Certainty, recording?: Recording): void {
    const known = this.#known.get(fingerprint(finding)) ?? this.#enter(finding, made, certainty, recording);
    this.#options.tell({ type: 'finding', discovery: known.discovery });
  }

  async #pause(ms: number): Promise<void> {
    const endMs = performance.now() + ms;
    while (performance.now() < endMs && !this.#isEnded()) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  #outageAt(why: string): Promise<void> {
    this.#outage ??= this.#examine(why).finally(() => {
      this.#outage = undefined;
    });
    return this.#outage;
  }

  /** The target does not serve: waits for it, and looks for the case that did it. */
  async #examine(why: string): Promise<void> {
    const { tell } = this.#options;
    this.#outages++;
    const suspects = this.#recent.splice(0).reverse();
    tell({
      type: 'fuzz-progress',
      counts: this.#counts(),
      doing: `the target does not serve (${why}); waiting for it`,
    });
    // A lack of ports or files on this machine is no fault of the target; it passes.
    const { isBack, end } = await this.#comesBack(why);
    if (isBack && isOfThisMachine(why)) return;
    const [first] = suspects;
    if (!isBack) {
      this.#problem = this.#lost(why, end);
      if (first) this.#gone({ why, end }, suspects, 'not repeatable', first);
      return;
    }
    if (!first && !end) return;
    tell({
      type: 'fuzz-warning',
      text: end ? `${howOf(end)}, and was started again` : `the target did not serve (${why}), and is back`,
    });
    if (!first) return;
    // To look for the case once more would find the same.
    if (end && this.#isSure(fingerprint(lifeless(why, end)))) return this.#gone({ why, end }, [], 'confirmed', first);
    for (const suspect of suspects.slice(0, suspectsAtMost)) {
      if (this.#isInterrupted) return;
      const { recording, why: again } = await this.#lifeAfter(suspect.script);
      if (again === undefined) continue;
      const confirmed = await this.#comesBack(again);
      const seen = { why: again, end: confirmed.end };
      // A target that was only slow at that moment is none that this case ended.
      if (confirmed.isBack && !confirmed.end && !(await this.#silences(suspect.script))) continue;
      const small = confirmed.isBack ? await this.#smaller(suspect.script, seen) : undefined;
      const certainty = confirmed.isBack ? 'confirmed' : 'not repeatable';
      this.#gone(seen, [], certainty, { ...suspect, ...small }, { recording, ...small });
      if (!confirmed.isBack) this.#problem = this.#lost(again, confirmed.end);
      return;
    }
    this.#gone({ why, end }, suspects, end?.isOfItself ? 'seen once' : 'not reproduced', first);
  }

  /** Plays a script alone. @returns how it went, if it could be played, and why the target does not serve now, if it does not */
  async #lifeAfter(script: Script): Promise<{ recording: Recording | undefined; why: string | undefined }> {
    const { stage, versions } = this.#options;
    const recording = await play(script, hasty(stage)).catch(() => undefined);
    return { recording, why: await lookForLife(stage, versions[0]) };
  }

  /** Whether the target does not serve after a script; waits until it does again. */
  async #silences(script: Script): Promise<boolean> {
    const { why } = await this.#lifeAfter(script);
    if (why !== undefined) await this.#comesBack(why);
    return why !== undefined;
  }

  async #comesBack(why: string): Promise<Comeback> {
    const { stage, versions, process } = this.#options;
    const isInterrupted = () => this.#isInterrupted;
    const comeback = await comeBack({ stage, version: versions[0], why, isInterrupted, ...(process && { process }) });
    // It was let in by the one that is gone.
    if (comeback.end) await this.#witness.enter();
    return comeback;
  }

  #isSure(id: string): boolean {
    return this.#known.get(id)?.discovery.certainty === 'confirmed';
  }

  #lost(why: string, end: End | undefined): string {
    const { process } = this.#options;
    if (!process || this.#isInterrupted) return `the target is lost: ${why}`;
    if (process.restartsLeft <= 0)
      return `the target is lost: ${end ? howOf(end) : why}; it was started again so often that it is not any more`;
    return `the target is lost: ${end ? `${howOf(end)}; started again, it does not serve: ` : ''}${process.remark || why}`;
  }

  /** The smallest script that still ends the broker in the same way, as far as one gets; undefined if that is the one there is. */
  async #smaller(original: Script, { why, end }: Sight): Promise<Smaller | undefined> {
    const { process } = this.#options;
    // Whether it hangs takes too long to tell.
    if (!process || !end || end.wasKilled || this.#isSure(fingerprint(lifeless(why, end)))) return undefined;
    const least = Math.max(1, process.restartsLeft - minimiseRestarts);
    const endMs = performance.now() + minimiseMs;
    const isOver = () => this.#isInterrupted || performance.now() > endMs || process.restartsLeft <= least;
    let recording: Recording | undefined;
    const ends = async (script: Script) => {
      const after = await this.#lifeAfter(script);
      recording = after.recording;
      return after.why !== undefined && (await this.#comesBack(after.why)).end?.by === end.by;
    };
    const script = await smallest(original, async (candidate) => !isOver() && ends(candidate));
    // A broker that dies some time after its case is seen dead after a later one.
    return script !== original && (await ends(script)) ? { script, original, recording } : undefined;
  }

  #gone(
    { why, end }: Sight,
    suspects: readonly Case[],
    certainty: Certainty,
    { script, origin }: Case,
    { recording, original }: Partial<Smaller> = {},
  ): void {
    const finding = lifeless(why, end);
    const id = fingerprint(finding);
    const known = this.#known.get(id);
    if (known && (this.#isSure(id) || certainty !== 'confirmed')) {
      known.cases++;
      return;
    }
    const entered = this.#enter(finding, { script, origin }, certainty, recording);
    if (known) entered.cases += known.cases;
    const others = suspects.slice(1, suspectsAtMost).map((suspect) => suspect.script);
    entered.discovery = this.#saved({
      ...entered.discovery,
      ...(original && { original }),
      ...(others.length > 0 && { suspects: others }),
    });
    this.#options.tell({ type: 'finding', discovery: entered.discovery });
  }
}

/** The finding that the broker does not serve any more. @param end how its process ended, if that is known */
function lifeless(why: string, end: End | undefined): Finding {
  const isGone = end ? !end.wasKilled : /refused|reset/.test(why);
  const seen = end && !end.wasKilled ? `the broker ${end.how}` : `a new client is not served: ${why}`;
  const killed = end?.wasKilled ? ['the broker was killed'] : [];
  const said = end && end.said.length > 0 ? ['its last output:', ...end.said.map((line) => `  ${line}`)] : [];
  return {
    oracle: 'alive',
    requirements: [],
    expected: ['the broker goes on to serve its clients, whatever one of them sends'],
    actual: [[seen, ...killed].join('; '), ...said].join('\n'),
    kind: isGone ? `gone${end ? `: ${end.by}` : ''}` : 'does not serve',
  };
}

function howOf({ how }: End): string {
  return `the broker ${how}`;
}
