/** `npm run bench:fuzz`: cases/s of the fuzzer against mosquitto, by kind, and as a ratio to the bare loop of the same scripts. */

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { grouped, median, table } from '../../harness/bench/figures.ts';
import { findMosquitto, startMosquitto } from '../../harness/bench/mosquitto.ts';
import { realClock } from '../../harness/clock.ts';
import { parseTarget } from '../../harness/target.ts';
import { tcp } from '../../harness/transport.ts';
import type { FuzzCounts } from '../events.ts';
import { findManners } from '../fence.ts';
import { fuzz } from '../fuzz.ts';
import { type Kind, kinds } from '../generate.ts';
import { play } from '../play.ts';
import type { Script } from '../script.ts';
import { sweepOf } from '../sweep.ts';
import { type Bare, bareOf, sendBare } from './bare.ts';

const usage = `npm run bench:fuzz [-- [--rounds N] [--seconds N] [--jobs N] [bytes] [packets] [sessions]]
`;
/** While the first findings are made sure of and small the rate says little. */
const warmUpShare = 0.5;
/** So many scripts of a run are sent again by the bare loop. */
const scriptsAtMost = 1_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '14' },
    jobs: { type: 'string', default: '128' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
if (values.help) process.stdout.write(usage);
else await main(Number(values.rounds), 1_000 * Number(values.seconds), Number(values.jobs));
process.exit();

/** Rates of one round: of the fuzzer, and of the bare loop with what the fuzzer had sent, right after it. */
interface Round {
  readonly cases: number;
  readonly packets: number;
  readonly cpuMs: number;
  readonly bare: number;
  readonly bareCpuMs: number;
}

async function main(rounds: number, timeMs: number, jobs: number): Promise<void> {
  process.stdout.write(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}\n`);
  const path = await findMosquitto();
  if (!path) {
    process.stdout.write('no mosquitto is installed on this machine: nothing to measure\n');
    return;
  }
  const rows = [['', 'cases/s', 'packets/s', 'bare loop/s', 'ratio', 'of CPU time', 'best cases/s', 'memory']];
  let version = '';
  for (const kind of kinds.filter((each) => positionals.length === 0 || positionals.includes(each))) {
    const found: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      const mosquitto = await startMosquitto(path);
      ({ version } = mosquitto);
      try {
        found.push(await measured(mosquitto.port, kind, `bench ${round}`, timeMs, jobs));
      } finally {
        await mosquitto.stop();
      }
    }
    rows.push([
      kind,
      grouped(median(found.map(({ cases }) => cases))),
      grouped(median(found.map(({ packets }) => packets))),
      grouped(median(found.map(({ bare }) => bare))),
      median(found.map(({ cases, bare }) => cases / bare)).toFixed(2),
      median(found.map(({ cpuMs, bareCpuMs }) => bareCpuMs / cpuMs)).toFixed(2),
      grouped(Math.max(...found.map(({ cases }) => cases))),
      `${Math.round(process.memoryUsage().rss / 2 ** 20)} MB`,
    ]);
  }
  process.stdout.write(
    `\nThe fuzzer with generator and oracles against ${version}, ${jobs} cases side by side; medians of ${rounds} rounds of ${timeMs / 1000} s\n\n${table(rows)}`,
  );
}

async function measured(port: number, kind: Kind, seed: string, timeMs: number, jobs: number): Promise<Round> {
  const { scripts, ...fuzzed } = await fuzzRate(port, kind, seed, timeMs, jobs);
  const bare = await bareRate(port, scripts, timeMs / 3, jobs);
  return { ...fuzzed, bare: bare.cases, bareCpuMs: bare.cpuMs };
}

/** Cases and packets a second in the later part of a run, the processor time of this process for each, and some of the scripts. */
async function fuzzRate(port: number, only: Kind, seed: string, maxTimeMs: number, jobs: number) {
  let first: { counts: FuzzCounts; cpuMs: number } | undefined;
  let last = first;
  const scripts: Script[] = [];
  // Not the first ones: what is bred comes later. Every third, so that all kinds of damage have their turn.
  let played = 0;
  const onPlayed = ({ script }: { script: Script }) => {
    if (first && played++ % 3 === 0 && scripts.length < scriptsAtMost) scripts.push(script);
  };
  const target = parseTarget(`127.0.0.1:${port}`);
  // Interrupted, it does not go on to make the last findings small.
  const end = new AbortController();
  for await (const event of fuzz({
    target,
    seed,
    only,
    maxTimeMs: 2 * maxTimeMs,
    jobs,
    onPlayed,
    signal: end.signal,
  })) {
    if (event.type !== 'fuzz-progress' || end.signal.aborted) continue;
    if (event.counts.elapsedMs > maxTimeMs) end.abort();
    last = { counts: event.counts, cpuMs: cpuMs() };
    if (event.counts.elapsedMs >= warmUpShare * maxTimeMs) first ??= last;
  }
  if (!first || !last || last === first) throw new Error('the run was too short to measure');
  const seconds = (last.counts.elapsedMs - first.counts.elapsedMs) / 1_000;
  const cases = last.counts.cases - first.counts.cases;
  return {
    cases: cases / seconds,
    packets: (last.counts.packets - first.counts.packets) / seconds,
    cpuMs: (last.cpuMs - first.cpuMs) / cases,
    scripts,
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** What the fuzzer sends for these scripts, its sweeping included. */
async function prepare(port: number, scripts: readonly Script[]): Promise<readonly Bare[]> {
  const base = { transport: tcp('127.0.0.1', port), clock: realClock, timeoutMs: 5_000 };
  const stage = { ...base, manners: await findManners(base) };
  const prepared: Bare[] = [];
  let next = 0;
  const lane = async () => {
    for (let script = scripts[next++]; script; script = scripts[next++]) {
      const recording = await play(script, stage);
      const sweeping = sweepOf(recording);
      prepared.push(sweeping ? bareOf(recording, await play(sweeping, stage, recording.name)) : bareOf(recording));
    }
  };
  await Promise.all(Array.from({ length: 32 }, lane));
  return prepared;
}

/** Scripts a second of the bare loop, and the processor time for each. */
async function bareRate(port: number, scripts: readonly Script[], timeMs: number, jobs: number) {
  const prepared = await prepare(port, scripts);
  const [startMs, startCpuMs] = [performance.now(), cpuMs()];
  let sent = 0;
  const lane = async () => {
    while (performance.now() - startMs < timeMs) {
      const number = sent++;
      const name = Buffer.from(number.toString(36).padStart(6, '0'));
      await sendBare(port, prepared[number % prepared.length] as Bare, name);
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  return { cases: (1_000 * sent) / (performance.now() - startMs), cpuMs: (cpuMs() - startCpuMs) / sent };
}
