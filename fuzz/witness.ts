/** What is seen from beside the cases: whether another client is served meanwhile, and what the broker's process uses. */

import { Unreachable } from '../harness/errors.ts';
import type { Version } from '../harness/spec/index.ts';
import { judgeCpu, judgeMemory, Neighbour, type Sample, usageOf } from './oracle/resources.ts';
import { play, type Stage } from './play.ts';
import type { Finding, Recording } from './record.ts';
import { type Script, waitsMs } from './script.ts';
import { sweep } from './sweep.ts';

/** What a script does to others, played with nothing else at work. */
export interface Weighed {
  readonly finding: Finding;
  readonly recording: Recording;
}

/** So many samples are enough to tell a leak, and few enough that each is a rise if there is one. */
const samplesAtMost = 16;
let witnesses = 0;

export class Witness {
  readonly #stage: Stage;
  readonly #version: Version;
  readonly #pid: () => number | undefined;
  readonly #samples: Sample[] = [];
  /** The process as it was when it was first looked at. */
  #first: { readonly pid: number; readonly cases: number; readonly cpuMs: number } | undefined;
  #neighbour: Neighbour | undefined;

  /** @param pid the broker's process now, if it runs on this machine; another one when it was restarted */
  constructor(stage: Stage, version: Version, pid: () => number | undefined = () => undefined) {
    this.#stage = stage;
    this.#version = version;
    this.#pid = pid;
    this.#usage(0);
  }

  /** Sends a new neighbour in; without effect on a target that is away. */
  async enter(): Promise<void> {
    const neighbour = new Neighbour();
    this.#neighbour?.leave();
    this.#neighbour = undefined;
    try {
      await neighbour.enter(this.#stage, `neighbour${process.pid}x${++witnesses}`, this.#version);
      this.#neighbour = neighbour;
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
    }
  }

  leave(): void {
    this.#neighbour?.leave();
  }

  /** What happened to another client since the last time. @param cases how many were played up to now */
  async look(cases: number): Promise<Finding | undefined> {
    const usage = this.#usage(cases);
    if (usage) this.#samples.push({ plays: cases, residentBytes: usage.residentBytes });
    const finding = this.#neighbour?.take();
    if (!this.#neighbour || this.#neighbour.isLost) await this.enter();
    return finding;
  }

  /** The finding that the broker's memory rose all the time. */
  get leak(): Finding | undefined {
    const every = Math.ceil(this.#samples.length / samplesAtMost);
    return judgeMemory(this.#samples.filter((_, at) => at % every === 0));
  }

  /** Whether a case took so long that it may have kept the processor busy; never without a process to look at. */
  isHeavy({ durationMs, script }: Recording): boolean {
    return durationMs - waitsMs(script) >= heavyMs && this.#pid() !== undefined;
  }

  /** Plays a script while nothing else is at work, so that what is seen then is its doing. @param cases how many were played up to now */
  async weigh(script: Script, cases: number): Promise<readonly Weighed[]> {
    if (!this.#neighbour || this.#neighbour.isLost) await this.enter();
    this.#neighbour?.take();
    const before = this.#usage(cases)?.cpuMs ?? 0;
    const first = this.#first;
    try {
      const recording = await play(script, this.#stage);
      const cpuMs = (this.#usage(cases)?.cpuMs ?? 0) - before;
      // The time of another process says nothing about this case.
      const isSame = first !== undefined && this.#first === first;
      const busy = isSame ? judgeCpu(cpuMs, (before - first.cpuMs) / Math.max(1, cases - first.cases)) : undefined;
      const findings = [this.#neighbour?.take(), busy].filter((each) => each !== undefined);
      await sweep(recording, this.#stage);
      return findings.map((finding) => ({ finding, recording }));
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      return [];
    }
  }

  /** What the process uses. One that was started anew has nothing to do with what was seen before. */
  #usage(cases: number) {
    const pid = this.#pid();
    const usage = pid === undefined ? undefined : usageOf(pid);
    if (pid === undefined || !usage) return undefined;
    if (pid !== this.#first?.pid) {
      this.#samples.length = 0;
      this.#first = { pid, cases, cpuMs: usage.cpuMs };
    }
    return usage;
  }
}

/** Less cannot be worth a line: see `judgeCpu`. */
const heavyMs = 1_000;
