/** The command `report`: renders recorded runs again, one as it was, or several side by side. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import type { ExitCode, RunEvent } from '../events.ts';
import { consoleReport } from '../report/console.ts';
import { readEvents } from '../report/json.ts';
import { matrix } from '../report/matrix.ts';
import { plural } from '../report/text.ts';
import { hasColors, type Io } from './io.ts';
import { openReports, runReports } from './report-files.ts';
import { type ReportKind, reasonOf } from './values.ts';

export interface ReportArguments {
  readonly report?: readonly ReportKind[];
  readonly out?: string;
  /** How the brokers are called, one for each file. */
  readonly name?: readonly string[];
  readonly verbose: number;
  readonly quiet?: boolean;
  readonly color: boolean;
}

const endOfRecord = { type: 'run-finished', durationMs: 0, problem: 'the record is cut off', exitCode: 3 } as const;

/**
 * Prints recorded runs, and writes the reports that are asked for. Markdown without --out goes to the screen.
 * The exit code is about the rendering, not about the runs.
 */
export async function reportCommand(files: readonly string[], given: ReportArguments, io: Io): Promise<ExitCode> {
  if (given.name && given.name.length !== files.length) {
    throw new UsageError(`--name: ${plural(given.name.length, 'name')} for ${plural(files.length, 'report')}`);
  }
  if (given.report?.includes('md') && given.out === undefined) return printMarkdown(files, given, io);
  const [file = '', ...others] = files;
  if (others.length > 0) throw new UsageError('several reports are put side by side by -r md, without --out');
  return reportRun(whole(await readRecord(file, io)), given, io);
}

async function printMarkdown(files: readonly string[], given: ReportArguments, io: Io): Promise<ExitCode> {
  if (given.report?.some((kind) => kind !== 'md')) throw new UsageError('-r md is printed: add --out for files');
  const runs = await Promise.all(files.map(async (file) => whole(await readRecord(file, io))));
  io.stdout.write(matrix(runs.map((events, index) => ({ events, name: given.name?.[index] }))));
  return 0;
}

/** A record that is cut off gets an end that says so. */
function whole(recorded: readonly RunEvent[]): readonly RunEvent[] {
  return recorded.some((event) => event.type === 'run-finished') ? recorded : [...recorded, endOfRecord];
}

async function reportRun(events: readonly RunEvent[], given: ReportArguments, io: Io): Promise<ExitCode> {
  if (given.out !== undefined && !given.report) throw new UsageError('--out: no report is asked for; add -r junit');
  const files = openReports(runReports, given.report ?? [], given.out ?? 'mqtt-conform-report', io.cwd);
  for (const event of events) files.take(event);
  await files.finish(events);
  const screen = consoleReport({
    terminal: false,
    ...(io.stdout.isTTY && io.stdout.columns ? { columns: io.stdout.columns } : {}),
    colors: hasColors(io, given.color),
    verbosity: given.quiet ? -1 : given.verbose,
    github: false,
    reports: files.paths,
    now: () => 0,
  });
  for (const event of events) io.stdout.write(screen.take(event));
  return 0;
}

/**
 * The events in a report file.
 * @throws UsageError if it cannot be read, or is no report
 */
export async function readRecord(file: string, io: Io): Promise<RunEvent[]> {
  let text: string;
  try {
    text = await readFile(resolve(io.cwd, file), 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${reasonOf(error)}`);
  }
  return readEvents(text, file);
}
