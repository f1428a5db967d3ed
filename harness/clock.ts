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

/** A deadline is counted in steps, each of which counts no more than that, however long it took. */
const stepMs = 500;

/** A timer that comes so much too late has been held up. */
const heldUpMs = 100;

/**
 * Calls `fire` once, when `ms` milliseconds have gone by in which this process could act. While it is held up (by its own work, or
 * on a busy machine) it reads nothing, and what has come in the meantime must not be too late for that.
 */
export function deadline(clock: Clock, ms: number, fire: () => void): Cancel {
  let left = ms;
  let grace = Math.min(ms, stepMs);
  let cancel: Cancel = () => {};
  const step = () => {
    const length = Math.min(left, stepMs);
    const due = clock.now() + length;
    cancel = clock.after(length, () => {
      left -= length;
      // Behind a last step that took too long comes one more, once, for what has come meanwhile to be read.
      if (left <= 0 && clock.now() - due > heldUpMs) [left, grace] = [grace, 0];
      if (left > 0) step();
      else fire();
    });
  };
  step();
  return () => cancel();
}

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
