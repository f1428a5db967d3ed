/** The command `fuzz`: from arguments to a followed fuzz run, against the target or against the embedded reference broker. */

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Discovery, FuzzEvent } from '../../fuzz/events.ts';
import type { Kind } from '../../fuzz/generate.ts';
import { UsageError } from '../errors.ts';
import type { ExitCode } from '../events.ts';
import type { Version } from '../spec/index.ts';
import { fuzzReports } from './fuzz-reports.ts';
import { hasColors, type Io, isGitHub } from './io.ts';
import { openReports } from './report-files.ts';
import { namesTarget, openTarget, type TargetArguments, waitForMs } from './run-command.ts';
import { type ReportKind, reasonOf } from './values.ts';

/** Everything that `fuzz` takes. Times are in milliseconds. */
export interface FuzzArguments extends TargetArguments {
  readonly only?: readonly Kind[];
  readonly runs?: number;
  readonly maxTime?: number;
  readonly jobs?: number;
  readonly timeout?: number;
  readonly seed?: string;
  readonly corpus?: string;
  readonly against?: string;
  readonly pid?: number;
  readonly mqtt?: readonly Version[];
  readonly report?: readonly ReportKind[];
  readonly out?: string;
  readonly quiet?: boolean;
  readonly color: boolean;
}

export const defaultFuzzDirectory = 'mqtt-conform-fuzz';

/** Fuzzes and reports. */
export async function fuzzCommand(given: FuzzArguments, io: Io): Promise<ExitCode> {
  // Unlike a run (see main.ts) it never waits: room for what is short-lived is worth its memory.
  setFlagsFromString('--semi-space-growth-factor=2');
  if (given.only && given.only.length > 1) throw new UsageError('--only: one of bytes, packets, sessions');
  const directory = given.out ?? defaultFuzzDirectory;
  const files = openReports(fuzzReports, given.report ?? [], directory, io.cwd);
  const isNamed = namesTarget(given, io);
  const [{ fuzz }, { fuzzConsole }] = await Promise.all([
    import('../../fuzz/fuzz.ts'),
    import('../../fuzz/report/console.ts'),
  ]);
  const against = given.against === undefined ? await embedded() : await openAnother(given.against);
  const screen = fuzzConsole({
    terminal: io.stdout.isTTY === true && !isGitHub(io),
    ...(io.stdout.isTTY && io.stdout.columns ? { columns: io.stdout.columns } : {}),
    colors: hasColors(io, given.color),
    quiet: given.quiet === true,
    reports: files.paths,
    ...(!isNamed && { remark: 'no --target is given: this run fuzzes the embedded reference broker' }),
  });
  const waitMs = waitForMs(given);
  const events: FuzzEvent[] = [];
  let exitCode = 70 as ExitCode;
  const take = (event: FuzzEvent) => {
    if (event.type !== 'fuzz-progress') events.push(event);
    files.take(event);
    if (event.type === 'fuzz-finished') ({ exitCode } = event);
  };
  const { target, close } = isNamed ? await openTarget(given, io) : await embedded();
  try {
    const run = fuzz({
      target,
      ...(given.runs !== undefined && { runs: given.runs }),
      ...(given.jobs !== undefined && { jobs: given.jobs }),
      ...(given.seed !== undefined && { seed: given.seed }),
      ...(given.only?.[0] && { only: given.only[0] }),
      ...(given.maxTime !== undefined && { maxTimeMs: given.maxTime }),
      ...(given.timeout !== undefined && { timeoutMs: given.timeout }),
      ...(waitMs !== undefined && { waitForMs: waitMs }),
      ...(given.corpus !== undefined && { corpusDirectory: resolve(io.cwd, given.corpus) }),
      ...(given.mqtt && { versions: given.mqtt }),
      ...(io.signal && { signal: io.signal }),
      ...(given.pid !== undefined && { pid: given.pid }),
      ...(isNamed && { against: against.target }),
      save: saveInto(directory, io),
    });
    for await (const event of run) {
      take(event);
      const text = screen(event);
      if (text !== '') io.stdout.write(text);
    }
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    take({ type: 'fuzz-finished', counts: noCounts, discoveries: [], problem, exitCode: 70 });
    io.stderr.write(`a fault of mqtt-conform: ${problem}\n`);
  } finally {
    await Promise.all([close(), against.close()]);
  }
  try {
    await files.finish(events);
  } catch (error) {
    io.stderr.write(`mqtt-conform: cannot write the reports: ${reasonOf(error)}\n`);
    if (exitCode === 0) return 3;
  }
  return exitCode;
}

const noCounts = { cases: 0, packets: 0, corpus: 0, reactions: 0, findings: 0, elapsedMs: 0 };

/** The reference broker without a network between: nothing is as fast. */
export async function embedded() {
  const [{ createBroker }, { memory }] = await Promise.all([
    import('../../reference-broker/broker.ts'),
    import('../transport.ts'),
  ]);
  const broker = createBroker();
  const target = { name: 'the reference broker', options: '', transport: memory(broker) };
  return { target, close: async () => broker.close() };
}

async function openAnother(address: string) {
  const { parseTarget } = await import('../target.ts');
  return { target: parseTarget(address), close: async () => {} };
}

/** Saves findings into a folder, each in a file of its own; a disk that is full is told once, and costs nothing but the files. */
function saveInto(directory: string, io: Io): (discovery: Discovery) => string | undefined {
  const full = resolve(io.cwd, directory, 'findings');
  let works = true;
  return (discovery) => {
    if (!works) return undefined;
    const path = join(full, `${discovery.id}.json`);
    try {
      mkdirSync(full, { recursive: true });
      writeFileSync(`${path}.tmp`, `${JSON.stringify(discovery, null, 2)}\n`);
      renameSync(`${path}.tmp`, path);
      return relative(io.cwd, path) || path;
    } catch (error) {
      works = false;
      io.stderr.write(`mqtt-conform: cannot save findings in ${directory}: ${reasonOf(error)}\n`);
      return undefined;
    }
  };
}
