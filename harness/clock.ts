/** Time as the harness and the reference broker see it: real, or virtual so that a proof needs no waiting. */

/** Cancels a timer; cancelling twice, or after it fired, does nothing. */
export type Cancel = () => void;

export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Calls `fire` once, `ms` milliseconds from now. */
  after(ms: number, fire: () => void): Cancel;
}

/** The clock of this machine. */
export const realClock: Clock = {
  now: () => performance.now(),
  after(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
}

/**
 * A clock that stands still until `advance` moves it to the next timer. Timers due at the same moment fire in the
 * order in which they were set, so a run on a virtual clock is the same every time.
 */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(ms: number, fire: () => void): Cancel {
    const timer: Timer = { due: this.#now + Math.max(0, ms), order: this.#order++, fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves to the next timer and fires it; false if there is none. */
  advance(): boolean {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (!next || timer.due < next.due || (timer.due === next.due && timer.order < next.order)) next = timer;
    }
    if (!next) return false;
    this.#timers.delete(next);
    this.#now = next.due;
    next.fire();
    return true;
  }

  /**
   * Runs until `work` settles: whenever nothing else is left to do, time jumps to the next timer.
   * Rejects if nothing is left to do, no timer is set and `work` still waits.
   */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const mark = () => {
      settled = true;
    };
    work.then(mark, mark);
    for (;;) {
      // One turn of the event loop runs every microtask: all that the memory link and the case can do without time.
      await new Promise((resolve) => setImmediate(resolve));
      if (settled) return work;
      if (!this.advance()) throw new Error('stuck: nothing is left to happen, and no timer is set');
    }
  }
}
