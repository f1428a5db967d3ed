/** The tool's own figures: how fast it starts, and what a whole run takes in time and memory. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './temporary.ts';

const cli = fileURLToPath(new URL('../cli/main.js', import.meta.url));
const memory = new URL('./memory.js', import.meta.url).href;

/** What a start-up is compared of: Node itself does nothing in the first. */
export const startUps: Readonly<Record<string, readonly string[]>> = {
  'node -e 0': ['-e', '0'],
  '--help': [cli, '--help'],
  list: [cli, 'list'],
};

const longestRunMs = 300_000;
const nobody = { id: 'none', durationMs: 0 };

/** Milliseconds from start to end of each, several times, by turns; the first time, which fills the file cache, does not count. */
export async function measureStartUp(times: number): Promise<Map<string, number[]>> {
  const measured = new Map(Object.keys(startUps).map((name): [string, number[]] => [name, []]));
  for (let time = 0; time <= times; time++) {
    for (const [name, args] of Object.entries(startUps)) {
      const start = performance.now();
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      const [code] = await once(child, 'exit');
      if (code !== 0) throw new Error(`${name} ended with ${code}`);
      if (time > 0) measured.get(name)?.push(performance.now() - start);
    }
  }
  return measured;
}

/** A whole run, seen from outside. */
export interface WholeRun {
  readonly exitCode: number;
  /** One line: what the run found. */
  readonly verdict: string;
  readonly cases: number;
  /** From the start of the process to its end. */
  readonly durationMs: number;
  readonly slowest: { readonly id: string; readonly durationMs: number };
  /** Bytes of memory, at the most. */
  readonly peakMemory: number;
}

/** The part of the JSON report that is read here. */
interface Report {
  readonly verdict: string;
  readonly cases: readonly { readonly id: string; readonly result?: { readonly durationMs: number } }[];
}

/** Runs every case against a target, or against the embedded reference broker. Rejects if the run leaves no report. */
export async function measureRun(target?: string): Promise<WholeRun> {
  const directory = temporaryDirectory();
  const args = [...(target ? ['--target', target] : []), '--report', 'json', '--out', directory, '--quiet'];
  const start = performance.now();
  const child = spawn(process.execPath, ['--import', memory, cli, ...args], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    timeout: longestRunMs,
    env: { ...process.env, MQTT_CONFORM_TARGET: '' },
  });
  // Told to end, it would still write its report.
  const end = () => child.kill('SIGKILL');
  process.on('exit', end);
  const peakMemory = text(child.stdio[3] as NodeJS.ReadableStream);
  const [code] = (await once(child, 'exit')) as [number | null];
  const durationMs = performance.now() - start;
  process.off('exit', end);
  const report = await readReport(join(directory, 'report.json'), code);
  const finished = report.cases.flatMap(({ id, result }) => (result ? [{ id, durationMs: result.durationMs }] : []));
  return {
    exitCode: code ?? Number.NaN,
    verdict: report.verdict,
    cases: finished.length,
    durationMs,
    slowest: finished.reduce((slowest, each) => (each.durationMs > slowest.durationMs ? each : slowest), nobody),
    peakMemory: Number(await peakMemory),
  };
}

async function readReport(path: string, code: number | null): Promise<Report> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Report;
  } catch (error) {
    throw new Error(`the run ended with ${code} and left no report`, { cause: error });
  }
}
