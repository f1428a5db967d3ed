/** What a broker uses: memory and processor time of its process, and how long other clients wait meanwhile. */

import { readFileSync } from 'node:fs';
import type { Clock } from '../../harness/clock.ts';
import type { Version } from '../../harness/spec/index.ts';
import type { Credentials } from '../../harness/target.ts';
import type { Link, Transport } from '../../harness/transport.ts';
import { connect, disconnect, pingreq } from '../../harness/wire/build.ts';
import { decode } from '../../harness/wire/decode.ts';
import { encode } from '../../harness/wire/encode.ts';
import { Framer } from '../../harness/wire/frame.ts';
import { introduced } from '../credentials.ts';
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

const beatMs = 50;

/** Where a neighbour comes in: what of a stage it needs. */
export interface Entrance {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly credentials?: Credentials;
}

/**
 * A client of its own that does nothing but ask for a PINGRESP, again and again: what it waits is what any other client waits. Its waiting is
 * counted in beats of its own clock, each once however late it comes: time in which this side was busy itself is no time of the broker.
 */
export class Neighbour {
  readonly #limitMs: number;
  #entrance: Entrance | undefined;
  #link: Link | undefined;
  #framer = new Framer('v3');
  #isLetIn = false;
  #isAsking = false;
  #waitedMs = 0;
  #longestMs = 0;
  #lost: string | undefined;
  #left = false;

  /** @param limitMs what a healthy broker never needs, however busy it is */
  constructor(limitMs = 1_000) {
    this.#limitMs = limitMs;
  }

  /** Connects. Rejects with Unreachable. One that is not let in has nothing to say. */
  async enter(entrance: Entrance, clientId: string, version: Version): Promise<void> {
    const events = { data: (bytes: Uint8Array) => this.#hear(bytes, version), closed: (how: string) => this.#end(how) };
    this.#entrance = entrance;
    this.#framer = new Framer(version);
    this.#link = await entrance.transport.open(events, entrance.timeoutMs);
    const hello = encode(connect({ clientId, keepAlive: 0, protocolLevel: version === 'v5' ? 5 : 4 }), version);
    this.#link.write(entrance.credentials ? introduced(hello, entrance.credentials) : hello);
    this.#beat();
  }

  /** Whether it is there no more. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** The finding that it had to wait, or was thrown out; what it was is forgotten then. */
  take(): Finding | undefined {
    const longestMs = Math.max(this.#longestMs, this.#waitedMs);
    this.#longestMs = 0;
    if (this.#isLetIn && this.#lost !== undefined)
      return finding('another client is thrown out', `its connection was closed (${this.#lost})`, this.#limitMs);
    if (longestMs < this.#limitMs) return undefined;
    return finding('another client has to wait', `no answer for ${(longestMs / 1_000).toFixed(1)} s`, this.#limitMs);
  }

  leave(): void {
    this.#left = true;
    this.#link?.write(encode(disconnect(), 'v3'));
    this.#link?.end();
  }

  #beat(): void {
    this.#entrance?.clock.after(beatMs, () => {
      if (this.#left || this.isLost) return;
      if (this.#isAsking) this.#waitedMs += beatMs;
      else if (this.#isLetIn) this.#ask();
      this.#beat();
    });
  }

  #ask(): void {
    this.#isAsking = true;
    this.#link?.write(encode(pingreq(), 'v3'));
  }

  /** It never asks for two things at once: whatever comes is the answer. */
  #hear(bytes: Uint8Array, version: Version): void {
    this.#longestMs = Math.max(this.#longestMs, this.#waitedMs);
    this.#waitedMs = 0;
    this.#isAsking = false;
    if (!this.#isLetIn) this.#isLetIn = this.#greets(bytes, version);
  }

  #greets(bytes: Uint8Array, version: Version): boolean {
    try {
      this.#framer.push(bytes);
      const frame = this.#framer.next();
      const packet = frame && decode(frame, version);
      return packet?.type === 'CONNACK' && packet.code === 0;
    } catch {
      return false;
    }
  }

  #end(how: string): void {
    if (!this.#left) this.#lost = how;
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
