/** `npm run bench:fuzz`: cases/s of the fuzzer against mosquitto, by kind, and as a ratio to the bare loop of the same scripts. */

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { grouped, table } from '../../harness/bench/figures.ts';
import { findMosquitto, startMosquitto } from '../../harness/bench/mosquitto.ts';
import { realClock } from '../../harness/clock.ts';
import { parseTarget } from '../../harness/target.ts';
import { tcp } from '../../harness/transport.ts';
import type { FuzzCounts } from '../events.ts';
import { findManners } from '../fence.ts';
import { fuzz } from '../fuzz.ts';
import { generate, type Kind, kinds } from '../generate.ts';
import { play } from '../play.ts';
import { sweepOf } from '../sweep.ts';
import { type Bare, bareOf, sendBare } from './bare.ts';

const usage = `npm run bench:fuzz [-- [--seconds N] [--jobs N] [bytes] [packets] [sessions]]
`;
const seed = 'bench';
/** While the first findings are made sure of and small the rate says little. */
const warmUpShare = 0.5;
const preparedScripts = 1_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '20' },
    jobs: { type: 'string', default: '64' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
if (values.help) process.stdout.write(usage);
else await main(1_000 * Number(values.seconds), Number(values.jobs));
process.exit();

async function main(timeMs: number, jobs: number): Promise<void> {
  process.stdout.write(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}\n`);
  const path = await findMosquitto();
  if (!path) {
    process.stdout.write('no mosquitto is installed on this machine: nothing to measure\n');
    return;
  }
  const rows = [['', 'cases/s', 'packets/s', 'bare loop/s', 'ratio', 'CPU/case', 'bare', 'ratio', 'memory']];
  let version = '';
  for (const kind of kinds.filter((each) => positionals.length === 0 || positionals.includes(each))) {
    const mosquitto = await startMosquitto(path);
    ({ version } = mosquitto);
    try {
      const fuzzed = await fuzzRate(mosquitto.port, kind, timeMs, jobs);
      const bare = await bareRate(mosquitto.port, kind, timeMs / 2, jobs);
      rows.push([
        kind,
        grouped(fuzzed.cases),
        grouped(fuzzed.packets),
        grouped(bare.cases),
        (fuzzed.cases / bare.cases).toFixed(2),
        `${fuzzed.cpuMs.toFixed(2)} ms`,
        `${bare.cpuMs.toFixed(2)} ms`,
        (bare.cpuMs / fuzzed.cpuMs).toFixed(2),
        `${Math.round(process.memoryUsage().rss / 2 ** 20)} MB`,
      ]);
    } finally {
      await mosquitto.stop();
    }
  }
  process.stdout.write(
    `\nThe fuzzer with generator and oracles against ${version}, ${jobs} cases side by side\n\n${table(rows)}`,
  );
}

/** Cases and packets a second in the later part of a run, and the processor time of this process for each. */
async function fuzzRate(port: number, only: Kind, maxTimeMs: number, jobs: number) {
  let first: { counts: FuzzCounts; cpuMs: number } | undefined;
  let last = first;
  const target = parseTarget(`127.0.0.1:${port}`);
  for await (const event of fuzz({ target, seed, only, maxTimeMs, jobs })) {
    if (event.type !== 'fuzz-progress' || event.counts.elapsedMs > maxTimeMs) continue;
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
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** What the fuzzer sends for the first scripts, its sweeping included. */
async function prepare(port: number, only: Kind): Promise<readonly Bare[]> {
  const base = { transport: tcp('127.0.0.1', port), clock: realClock, timeoutMs: 5_000 };
  const stage = { ...base, manners: await findManners(base) };
  const prepared: Bare[] = [];
  const lane = async () => {
    while (prepared.length < preparedScripts) {
      const recording = await play(generate(seed, prepared.length, only), stage);
      const sweeping = sweepOf(recording);
      prepared.push(sweeping ? bareOf(recording, await play(sweeping, stage, recording.name)) : bareOf(recording));
    }
  };
  await Promise.all(Array.from({ length: 32 }, lane));
  return prepared;
}

/** Scripts a second of the bare loop, and the processor time for each. */
async function bareRate(port: number, only: Kind, timeMs: number, jobs: number) {
  const prepared = await prepare(port, only);
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
