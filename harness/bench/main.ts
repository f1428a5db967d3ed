/** `npm run bench`: the throughput of the reference broker beside aedes, and the figures of the tool itself. */

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Performance, Round, ThroughputOptions } from '../../reference-broker/bench/throughput.ts';
import { grouped, median, spread, table } from './figures.ts';
import { findMosquitto, startMosquitto } from './mosquitto.ts';
import type { WholeRun } from './tool.ts';

const usage = `npm run bench [-- [--quick] [throughput] [start] [run]]

  throughput  messages/s and CPU of the reference broker and of aedes, under the same load
  start       start-up time of the command line
  run         time and memory of whole runs, on mosquitto if it is installed and on the embedded reference broker
  --quick     fewer and shorter rounds: a look, not a result
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
});

const benches: Readonly<Record<string, () => Promise<void>>> = {
  throughput: benchThroughput,
  start: benchStart,
  run: benchRun,
};

const unknown = positionals.find((name) => !(name in benches));
if (values.help || unknown !== undefined) {
  process.stdout.write(unknown === undefined ? usage : `'${unknown}' is no bench\n\n${usage}`);
  process.exitCode = unknown === undefined ? 0 : 2;
} else {
  print(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}\n`);
  for (const [name, bench] of Object.entries(benches)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    print('\n');
    await bench();
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

async function benchThroughput(): Promise<void> {
  const { measureThroughput } = await import('../../reference-broker/bench/throughput.ts');
  const options: ThroughputOptions = values.quick
    ? { rounds: 3, warmUpMs: 500, measureMs: 500 }
    : { rounds: 7, warmUpMs: 1_000, measureMs: 2_000 };
  print(`Throughput, reference broker : aedes, both with default options; 64-byte payloads over loopback\n`);
  print(
    `  median (least–greatest) of ${options.rounds} rounds of ${options.measureMs} ms, one broker after the other\n\n`,
  );
  const heading = ['', 'reference', 'aedes', 'ratio', 'CPU/message', '', 'ratio', 'busy: broker, load'];
  const rows = [heading];
  for await (const { load, rounds } of measureThroughput(options)) rows.push(throughputRow(load, rounds));
  print(table(rows));
}

function throughputRow(load: string, rounds: readonly Round[]): string[] {
  const of = (name: keyof Round, field: keyof Performance) => median(rounds.map((round) => round[name][field]));
  const busy = (name: keyof Round) => `${percent(of(name, 'brokerBusy'))}, ${percent(of(name, 'loadBusy'))}`;
  return [
    load,
    `${grouped(of('reference', 'messagesPerSecond'))}/s`,
    `${grouped(of('aedes', 'messagesPerSecond'))}/s`,
    spread(rounds.map(({ reference, aedes }) => reference.messagesPerSecond / aedes.messagesPerSecond)),
    `${of('reference', 'cpuPerMessage').toFixed(2)} µs`,
    `${of('aedes', 'cpuPerMessage').toFixed(2)} µs`,
    spread(rounds.map(({ reference, aedes }) => aedes.cpuPerMessage / reference.cpuPerMessage)),
    `${busy('reference')} : ${busy('aedes')}`,
  ];
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

async function benchStart(): Promise<void> {
  const { measureStartUp } = await import('./tool.ts');
  const times = values.quick ? 3 : 10;
  const measured = await measureStartUp(times);
  const node = median(measured.get('node -e 0') ?? []);
  print(`Start-up, median of ${times}\n\n`);
  const rows = [...measured].map(([name, all]) => {
    return [name, `${Math.round(median(all))} ms`, `${(median(all) / node).toFixed(2)} × node`];
  });
  print(table(rows));
}

async function benchRun(): Promise<void> {
  const { measureRun } = await import('./tool.ts');
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
  print('A whole run, from the start of the process to its end\n\n');
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
