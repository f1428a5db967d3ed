/** `npm run bench:fuzz`: cases/s of the fuzzer against mosquitto, by kind, and as a ratio to the bare loop of the same scripts. */

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { grouped, table } from '../../harness/bench/figures.ts';
import { findMosquitto, startMosquitto } from '../../harness/bench/mosquitto.ts';
import { parseTarget } from '../../harness/target.ts';
import { fuzz } from '../fuzz.ts';
import { generate, type Kind, kinds } from '../generate.ts';
import { type Bare, bareOf, sendBare } from './bare.ts';

const usage = `npm run bench:fuzz [-- [--seconds N] [--jobs N] [bytes] [packets] [sessions]]
`;
const seed = 'bench';
/** While the first findings are made sure of and small the rate says little. */
const warmUpShare = 0.5;

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
  const rows = [['', 'cases/s', 'packets/s', 'bare loop', 'ratio', 'memory']];
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
        grouped(bare),
        (fuzzed.cases / bare).toFixed(2),
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

/** Cases and packets a second in the later part of a run. */
async function fuzzRate(port: number, only: Kind, maxTimeMs: number, jobs: number) {
  let first: { cases: number; packets: number; elapsedMs: number } | undefined;
  let last = first;
  const target = parseTarget(`127.0.0.1:${port}`);
  for await (const event of fuzz({ target, seed, only, maxTimeMs, jobs })) {
    if (event.type !== 'fuzz-progress' || event.counts.elapsedMs > maxTimeMs) continue;
    if (event.counts.elapsedMs >= warmUpShare * maxTimeMs) first ??= event.counts;
    last = event.counts;
  }
  if (!first || !last || last === first) throw new Error('the run was too short to measure');
  const seconds = (last.elapsedMs - first.elapsedMs) / 1_000;
  return { cases: (last.cases - first.cases) / seconds, packets: (last.packets - first.packets) / seconds };
}

/** Scripts a second of the bare loop. */
async function bareRate(port: number, only: Kind, timeMs: number, jobs: number): Promise<number> {
  const prepared: Bare[] = [];
  for (let index = 0; prepared.length < 2_000; index++) prepared.push(bareOf(generate(seed, index, only)));
  const startMs = performance.now();
  let sent = 0;
  const lane = async () => {
    while (performance.now() - startMs < timeMs) {
      const number = sent++;
      const name = Buffer.from(number.toString(36).padStart(6, '0'));
      await sendBare(port, prepared[number % prepared.length] as Bare, name);
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  return (1_000 * sent) / (performance.now() - startMs);
}
