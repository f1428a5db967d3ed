/** `npm run bench`: the throughput of the reference broker beside aedes, and the figures of the tool itself. */

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import {
  brokerNames,
  measureThroughput,
  type Performance,
  type Round,
  type ThroughputOptions,
} from '../../reference-broker/bench/throughput.ts';
import { grouped, median, spread, table } from './figures.ts';
import { findMosquitto, startMosquitto } from './mosquitto.ts';
import { measureRun, measureStartUp, type WholeRun } from './tool.ts';

const usage = `npm run bench [-- [--quick] [throughput] [start] [run]]

  throughput  messages/s and CPU of the reference broker and of aedes, under the same load
  start       start-up time of the command line
  run         time and memory of whole runs, on mosquitto if it is installed and on the embedded reference broker
  --quick     fewer and shorter rounds: a look, not a result
`;

/** Tables that are printed one after the other, as they are measured, and are to look like one. */
const throughputWidths = [33, 10, 10, 24];

const benches: Readonly<Record<string, (quick: boolean) => Promise<void>>> = {
  throughput: benchThroughput,
  start: benchStart,
  run: benchRun,
};

// A process that is told to end cleans up as well: what it has started and written goes with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) return print(usage);
  const unknown = positionals.find((name) => !Object.hasOwn(benches, name));
  if (unknown !== undefined) throw new Error(`'${unknown}' is no bench\n\n${usage}`);
  print(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}\n`);
  for (const [name, bench] of Object.entries(benches)) {
    if (positionals.length === 0 || positionals.includes(name)) await bench(values.quick);
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

async function benchThroughput(quick: boolean): Promise<void> {
  const options: ThroughputOptions = quick
    ? { rounds: 3, warmUpMs: 500, measureMs: 500 }
    : { rounds: 7, warmUpMs: 1_000, measureMs: 2_000 };
  print(`
Throughput of the reference broker and of aedes, both with default options; payloads of 64 bytes, over loopback.
Medians of ${options.rounds} rounds of ${options.measureMs} ms, the brokers by turns; in parentheses the least and the greatest ratio of a round.
`);
  for await (const { load, rounds } of measureThroughput(options)) print(`\n${throughputTable(load, rounds)}`);
}

function throughputTable(load: string, rounds: readonly Round[]): string {
  const row = (title: string, field: keyof Performance, show: (value: number) => string, ratios: readonly number[]) => {
    const [reference, aedes] = brokerNames.map((name) => show(median(rounds.map((round) => round[name][field]))));
    return [title, reference ?? '', aedes ?? '', ratios.length > 0 ? spread(ratios) : ''];
  };
  const rate = rounds.map(({ reference, aedes }) => reference.messagesPerSecond / aedes.messagesPerSecond);
  const economy = rounds.map(({ reference, aedes }) => aedes.cpuPerMessage / reference.cpuPerMessage);
  const rows = [
    [load, ...brokerNames, 'reference better by'],
    row('  messages/s', 'messagesPerSecond', grouped, rate),
    row('  CPU/message', 'cpuPerMessage', (value) => `${value.toFixed(2)} µs`, economy),
    row('  core in use by the broker', 'brokerBusy', percent, []),
    row('  core in use by the load', 'loadBusy', percent, []),
  ];
  return table(rows, throughputWidths);
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

async function benchStart(quick: boolean): Promise<void> {
  const times = quick ? 3 : 10;
  const measured = await measureStartUp(times);
  const node = median(measured.get('node -e 0') ?? []);
  print(`\nStart-up, medians of ${times}\n\n`);
  const rows = [...measured].map(([name, all]) => {
    return [name, `${Math.round(median(all))} ms`, `${(median(all) / node).toFixed(2)} × node`];
  });
  print(table(rows));
}

async function benchRun(): Promise<void> {
  const rows = [['', 'time', 'slowest case', 'time - slowest', 'time : slowest', 'cases', 'peak memory', 'exit']];
  const notes: string[] = [];
  const add = (name: string, run: WholeRun) => {
    rows.push(runRow(name, run));
    notes.push(`  ${name}: ${run.verdict}; slowest ${run.slowest.id}\n`);
  };
  const path = await findMosquitto();
  if (path) {
    const { version, port, stop } = await startMosquitto(path);
    try {
      add(version, await measureRun(`127.0.0.1:${port}`));
    } finally {
      await stop();
    }
  } else notes.push('  no mosquitto is installed on this machine\n');
  add('reference broker', await measureRun());
  print('\nA whole run, from the start of the process to its end\n\n');
  print(`${table(rows)}\n${notes.join('')}`);
}

function runRow(name: string, { cases, durationMs, slowest, peakMemory, exitCode }: WholeRun): string[] {
  return [
    name,
    seconds(durationMs),
    seconds(slowest.durationMs),
    seconds(durationMs - slowest.durationMs),
    (durationMs / slowest.durationMs).toFixed(2),
    `${cases} (${((1_000 * cases) / durationMs).toFixed(1)}/s)`,
    `${Math.round(peakMemory / 2 ** 20)} MB`,
    String(exitCode),
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
