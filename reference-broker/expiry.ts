/** What ends by itself after a time: messages (section 3.3.2.3.3), and the long intervals of sessions and wills. */

import type { Cancel, Clock } from '../harness/clock.ts';

/** The Message Expiry Interval of a message, and when it began to run. */
export interface Expiry {
  readonly seconds: number;
  /** Milliseconds of the clock. */
  readonly since: number;
}

/** Whether the interval has passed while the message waited. One that never waited is handed on, even with 0. */
export function hasExpired(expiry: Expiry | undefined, now: number): boolean {
  if (!expiry) return false;
  const waited = now - expiry.since;
  return waited > 0 && waited >= 1_000 * expiry.seconds;
}

/** The interval without the time that the message has waited, in seconds. */
export function remainingSeconds({ seconds, since }: Expiry, now: number): number {
  return Math.max(0, Math.ceil(seconds - (now - since) / 1_000));
}

/** Timers of this machine take no more than 31 bits of milliseconds, intervals of MQTT are 32 bits of seconds. */
const longestTimerMs = 2 ** 31 - 1;

/** Calls `fire` once, so many seconds from now; never if that is infinite. */
export function afterSeconds(clock: Clock, seconds: number, fire: () => void): Cancel {
  if (seconds === Number.POSITIVE_INFINITY) return () => {};
  const due = clock.now() + 1_000 * seconds;
  let cancel: Cancel;
  const wait = () => {
    const left = due - clock.now();
    cancel = left > longestTimerMs ? clock.after(longestTimerMs, wait) : clock.after(left, fire);
  };
  wait();
  return () => cancel();
}
