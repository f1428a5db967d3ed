/** What a broker uses: memory and processor time of its process, and how long other clients wait meanwhile. */

import { readFileSync } from 'node:fs';
import type { Clock } from '../../harness/clock.ts';
import type { Link, Transport } from '../../harness/transport.ts';
import { connect, disconnect, pingreq } from '../../harness/wire/build.ts';
import { encode } from '../../harness/wire/encode.ts';
import type { Finding } from '../record.ts';

/** What a process has used. */
export interface Usage {
  /** Memory that is resident. */
  readonly residentBytes: number;
  /** Processor time since its begin, of all its threads. */
  readonly cpuMs: number;
}

/** Clock ticks of a second in `/proc`: the same on every Linux that Node.js runs on. */
const ticksPerSecond = 100;

/** What a process uses now; undefined if there is no such process, or no `/proc`. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    // The name of the program stands in parentheses, and may contain anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { residentBytes: 1_024 * Number(kibibytes), cpuMs: (1_000 * ticks) / ticksPerSecond };
  } catch {
    return undefined;
  }
}

/** Memory after so many plays of one script, or of a whole run. */
export interface Sample {
  readonly plays: number;
  readonly residentBytes: number;
}

/** A rise below this many bytes is no matter, however steady it is. */
const leastRiseBytes = 8 * 2 ** 20;
/** What is rounds of equal work after the warm-up: each of them has to rise, or it is no leak but growth to a size. */
const leastRounds = 6;

/**
 * The bytes that each play leaves in memory, if memory rises in every round after the first third, and no slower in the end than in the middle;
 * else 0. A broker that grows to a working size, or gives back in between, is not meant.
 */
export function leakedBytes(samples: readonly Sample[]): number {
  const steady = samples.slice(Math.floor(samples.length / 3));
  const first = steady[0];
  const middle = steady[Math.floor(steady.length / 2)];
  const last = steady.at(-1);
  if (!first || !middle || !last || steady.length < leastRounds) return 0;
  const rises = steady.slice(1).every((each, at) => each.residentBytes > (steady[at]?.residentBytes ?? 0));
  const rise = last.residentBytes - first.residentBytes;
  if (!rises || rise < leastRiseBytes || last.plays <= first.plays) return 0;
  const early = (middle.residentBytes - first.residentBytes) / (middle.plays - first.plays);
  const late = (last.residentBytes - middle.residentBytes) / (last.plays - middle.plays);
  return late < early / 2 ? 0 : rise / (last.plays - first.plays);
}

/**
 * The finding that a script leaves memory behind. Unclear by nature: a garbage collector may only be late, and sessions and retained messages that a
 * script leaves are to be kept.
 */
export function judgeMemory(samples: readonly Sample[]): Finding | undefined {
  const bytes = leakedBytes(samples);
  if (bytes === 0) return undefined;
  const plays = (samples.at(-1)?.plays ?? 0) - (samples[0]?.plays ?? 0);
  return {
    oracle: 'resources',
    requirements: [],
    expected: ['memory that stays the same when the same is done again and again'],
    actual: `${Math.round(bytes)} bytes more for each of ${plays} plays`,
    kind: 'memory rises with every play',
    unclear: true,
  };
}

/**
 * Plays a script again and again and looks at the broker's memory after each round. The script has to leave nothing behind, or `play` has to
 * remove it.
 * @param play plays the script once
 */
export async function measureMemory(
  play: () => Promise<unknown>,
  pid: number,
  { rounds = 12, playsPerRound = 200 }: { readonly rounds?: number; readonly playsPerRound?: number } = {},
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (let left = playsPerRound; left > 0; left--) await play();
    const usage = usageOf(pid);
    if (!usage) return samples;
    samples.push({ plays: round * playsPerRound, residentBytes: usage.residentBytes });
  }
  return samples;
}

/** How much of a processor one case may take before it is worth a line, and how many times as much as most cases. */
const cpuAtMostMs = 1_000;
const timesUsual = 100;

/** The finding that one case took far more processor time than the others usually take; unclear, for other work may be going on. */
export function judgeCpu(cpuMs: number, usualMs: number): Finding | undefined {
  if (cpuMs < cpuAtMostMs || cpuMs < timesUsual * usualMs) return undefined;
  return {
    oracle: 'resources',
    requirements: [],
    expected: [`about ${usualMs.toFixed(1)} ms of processor time, as for most cases`],
    actual: `${Math.round(cpuMs)} ms of processor time for one case`,
    kind: 'a case that keeps the processor busy',
    unclear: true,
  };
}

const pingIntervalMs = 50;

/** A client of its own that does nothing but ask for a PINGRESP, again and again: what it waits is what any other client waits. */
export class Neighbour {
  readonly #clock: Clock;
  readonly #limitMs: number;
  #link: Link | undefined;
  #sentMs: number | undefined;
  #longestMs = 0;
  #lost: string | undefined;
  #left = false;

  /** @param limitMs what a healthy broker never needs, however busy it is */
  constructor(clock: Clock, limitMs = 1_000) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Connects. Rejects with Unreachable. */
  async enter(transport: Transport, clientId: string, timeoutMs: number): Promise<void> {
    const events = { data: () => this.#hear(), closed: (how: string) => this.#end(how) };
    this.#link = await transport.open(events, timeoutMs);
    this.#say(encode(connect({ clientId, keepAlive: 0 }), 'v3'));
  }

  /** The finding that it had to wait, or was thrown out; what it was is forgotten then. */
  take(): Finding | undefined {
    const waiting = this.#sentMs === undefined ? 0 : this.#clock.now() - this.#sentMs;
    const longestMs = Math.max(this.#longestMs, waiting);
    const lost = this.#lost;
    this.#longestMs = 0;
    this.#lost = undefined;
    if (lost !== undefined)
      return finding('another client is thrown out', `its connection was closed (${lost})`, this.#limitMs);
    if (longestMs < this.#limitMs) return undefined;
    return finding('another client has to wait', `no answer for ${(longestMs / 1_000).toFixed(1)} s`, this.#limitMs);
  }

  leave(): void {
    this.#left = true;
    this.#link?.write(encode(disconnect(), 'v3'));
    this.#link?.end();
  }

  #say(bytes: Uint8Array): void {
    this.#sentMs = this.#clock.now();
    this.#link?.write(bytes);
  }

  /** Whatever comes is the answer: it never asks for two things at once. */
  #hear(): void {
    if (this.#sentMs === undefined) return;
    this.#longestMs = Math.max(this.#longestMs, this.#clock.now() - this.#sentMs);
    this.#sentMs = undefined;
    this.#clock.after(pingIntervalMs, () => {
      if (!this.#left && this.#lost === undefined) this.#say(encode(pingreq(), 'v3'));
    });
  }

  #end(how: string): void {
    if (this.#left) return;
    this.#lost = how;
    this.#sentMs = undefined;
  }
}

function finding(kind: string, actual: string, limitMs: number): Finding {
  const expected = `a PINGRESP for another client within ${limitMs / 1_000} s`;
  // Recommended, not demanded (v3/4.8~others-unaffected), and the machine may be busy.
  return {
    oracle: 'resources',
    requirements: ['v3/4.8~others-unaffected'],
    expected: [expected],
    actual,
    kind,
    unclear: true,
  };
}
