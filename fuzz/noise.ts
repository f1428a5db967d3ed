/** Fuzz cases on other connections while something else is going on: what they show is nobody's verdict. */

import { type Clock, realClock } from '../harness/clock.ts';
import { Unreachable } from '../harness/errors.ts';
import type { Version } from '../harness/spec/index.ts';
import type { Target } from '../harness/target.ts';
import { generate } from './generate.ts';
import { play, type Stage } from './play.ts';
import { waitsMs } from './script.ts';
import { sweep } from './sweep.ts';

export interface NoiseOptions {
  readonly target: Pick<Target, 'transport' | 'credentials'>;
  /** Makes the cases the same again. */
  readonly seed: string;
  /** At most so many cases begin in a second; 100 unless given. */
  readonly perSecond?: number;
  /** What the target is spoken to in; both unless given. */
  readonly versions?: readonly Version[];
  readonly clock?: Clock;
}

/** Cases at a time: noise shall not be the load that makes answers late. */
const jobs = 4;
/** Nobody waits for what a case of noise waits for. */
const timeoutMs = 1_000;
/** How long to leave a target alone that does not accept connections. */
const pauseMs = 500;
/** A case that lets more time pass would still be at work when the run is over. */
const longMs = 3_000;

export class Noise {
  readonly #options: NoiseOptions;
  readonly #stage: Stage;
  readonly #clock: Clock;
  readonly #workers: Promise<void>[] = [];
  #cases = 0;
  #isOver = false;

  constructor(options: NoiseOptions) {
    const { target, clock = realClock } = options;
    this.#options = options;
    this.#clock = clock;
    // Nothing is judged, so it does not matter whether the target answers what comes before a FIN.
    const manners = { answersBeforeClose: true, closesAfterFin: true };
    const { transport, credentials } = target;
    this.#stage = { transport, clock, timeoutMs, manners, ...(credentials && { credentials }) };
  }

  /** Begins. */
  start(): void {
    for (let job = 0; job < jobs; job++) this.#workers.push(this.#work());
  }

  /** Ends with the cases at work, and returns how many there were. */
  async stop(): Promise<number> {
    this.#isOver = true;
    await Promise.all(this.#workers);
    return this.#cases;
  }

  async #work(): Promise<void> {
    const { seed, perSecond = 100 } = this.#options;
    const intervalMs = (1_000 * jobs) / perSecond;
    while (!this.#isOver) {
      const begunMs = this.#clock.now();
      const isServed = await this.#play(this.#cases++, seed);
      const restMs = isServed ? intervalMs - (this.#clock.now() - begunMs) : pauseMs;
      await new Promise<void>((resolve) => this.#clock.after(Math.max(0, restMs), resolve));
    }
  }

  /** Plays a case and removes what it leaves; false if the target was not to be reached. */
  async #play(index: number, seed: string): Promise<boolean> {
    const { versions } = this.#options;
    try {
      const script = generate(seed, index, undefined, versions);
      if (waitsMs(script) > longMs) return true;
      await sweep(await play(script, this.#stage), this.#stage);
      return true;
    } catch (error) {
      if (error instanceof Unreachable) return false;
      throw error;
    }
  }
}
