import { describe, expect, it } from 'vitest';
import { type Clock, deadline, realClock, VirtualClock } from './clock.ts';

describe('the virtual clock', () => {
  it('fires timers in the order in which they are due, then in which they were set', () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.after(20, () => fired.push('late'));
    clock.after(10, () => fired.push('early'));
    clock.after(10, () => fired.push('early, set second'));
    const cancel = clock.after(5, () => fired.push('never'));
    cancel();
    while (clock.advance());
    expect(fired).toEqual(['early', 'early, set second', 'late']);
    expect(clock.now()).toBe(20);
  });

  it('runs work that waits for an hour at once', async () => {
    const clock = new VirtualClock();
    await clock.run(new Promise<void>((resolve) => clock.after(3_600_000, resolve)));
    expect(clock.now()).toBe(3_600_000);
  });

  it('says so when work waits for what can never happen', async () => {
    await expect(new VirtualClock().run(new Promise(() => {}))).rejects.toThrow('stuck');
  });

  it('passes a failure of the work on', async () => {
    await expect(new VirtualClock().run(Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});

describe('the real clock', () => {
  it('fires and cancels', async () => {
    let cancelled = true;
    const cancel = realClock.after(1, () => {
      cancelled = false;
    });
    cancel();
    const before = realClock.now();
    await new Promise<void>((resolve) => realClock.after(5, resolve));
    expect(cancelled).toBe(true);
    expect(realClock.now()).toBeGreaterThan(before);
  });
});

describe('a deadline', () => {
  /** A clock whose next timer fires when it is told to, so much too late. */
  function heldUp() {
    let now = 0;
    const timers: { due: number; fire: () => void }[] = [];
    const clock: Clock = {
      now: () => now,
      after(ms, fire) {
        const timer = { due: now + ms, fire };
        timers.push(timer);
        return () => void timers.splice(timers.indexOf(timer), 1);
      },
    };
    const next = (lateMs: number) => {
      const timer = timers.shift();
      now = (timer?.due ?? now) + lateMs;
      timer?.fire();
    };
    return { clock, next, timers };
  }

  it('does not count the time in which the process was held up', () => {
    const { clock, next } = heldUp();
    let over = false;
    deadline(clock, 1_000, () => {
      over = true;
    });
    next(5_000);
    expect(over).toBe(false);
    next(0);
    expect(over).toBe(true);
  });

  it('leaves time to read what came while the process was held up in the last moment, once', () => {
    const { clock, next } = heldUp();
    let over = false;
    deadline(clock, 1_000, () => {
      over = true;
    });
    next(0);
    next(5_000);
    expect(over).toBe(false);
    next(5_000);
    expect(over).toBe(true);
  });

  it('is cancelled at any step', () => {
    const { clock, next, timers } = heldUp();
    const cancel = deadline(clock, 2_000, () => {});
    next(0);
    cancel();
    expect(timers).toEqual([]);
  });
});
