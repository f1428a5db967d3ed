/** The command `report`: renders a recorded run again. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import type { ExitCode, RunEvent } from '../events.ts';
import { consoleReport } from '../report/console.ts';
import { readEvents } from '../report/json.ts';
import { hasColors, type Io } from './io.ts';
import { openReports } from './report-files.ts';
import { type ReportKind, reasonOf } from './values.ts';

export interface ReportArguments {
  readonly report?: readonly ReportKind[];
  readonly out?: string;
  readonly verbose: number;
  readonly quiet?: boolean;
  readonly color: boolean;
}

const endOfRecord = { type: 'run-finished', durationMs: 0, problem: 'the record is cut off', exitCode: 3 } as const;

/** Prints a recorded run, and writes the reports that are asked for. The exit code is about the rendering, not about the run. */
export async function reportCommand(file: string, given: ReportArguments, io: Io): Promise<ExitCode> {
  const recorded = await readRecord(file, io);
  const cutOff = !recorded.some((event) => event.type === 'run-finished');
  const events = cutOff ? [...recorded, endOfRecord] : recorded;
  if (given.out !== undefined && !given.report) throw new UsageError('--out: no report is asked for; add -r junit');
  const files = openReports(given.report ?? [], given.out ?? 'mqtt-conform-report', io.cwd);
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
