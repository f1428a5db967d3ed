/** Follows a run to its end: prints it, writes its reports, and makes the exit code of it. */

import { appendFile } from 'node:fs/promises';
import type { ExitCode, RunEvent } from '../events.ts';
import { consoleReport } from '../report/console.ts';
import { annotations, jobSummary } from '../report/github.ts';
import { hasColors, type Io, isGitHub } from './io.ts';
import type { ReportFiles } from './report-files.ts';
import { reasonOf } from './values.ts';

export interface FollowOptions {
  readonly color: boolean;
  readonly verbosity: number;
  readonly files: ReportFiles<RunEvent>;
  readonly acceptCommand?: string;
  readonly remark?: string;
}

/** How often the live line is drawn anew while nothing happens. */
const tickMs = 250;

/**
 * Prints and writes a run. An exception of the run is a fault of this tool: its stack goes to the error output, the reports are
 * written with what is known, and the exit code is 70.
 */
export async function follow(run: AsyncIterable<RunEvent>, options: FollowOptions, io: Io): Promise<ExitCode> {
  const { files } = options;
  const events: RunEvent[] = [];
  const screen = consoleReport({
    terminal: io.stdout.isTTY === true && !isGitHub(io),
    ...(io.stdout.isTTY && io.stdout.columns ? { columns: io.stdout.columns } : {}),
    colors: hasColors(io, options.color),
    verbosity: options.verbosity,
    github: isGitHub(io),
    reports: files.paths,
    ...(options.acceptCommand ? { acceptCommand: options.acceptCommand } : {}),
    ...(options.remark ? { remark: options.remark } : {}),
    now: () => performance.now(),
  });
  const print = (text: string) => {
    if (text !== '') io.stdout.write(text);
  };
  const ticking = setInterval(() => print(screen.tick()), tickMs);
  const take = (event: RunEvent) => {
    events.push(event);
    files.take(event);
  };
  let end: Extract<RunEvent, { type: 'run-finished' }> | undefined;
  try {
    for await (const event of run) {
      take(event);
      if (event.type === 'run-finished') end = event;
      else print(screen.take(event));
    }
    if (!end) throw new Error('the run ended without an end');
  } catch (error) {
    end = fault(error, events);
    take(end);
  } finally {
    clearInterval(ticking);
  }

  const written = await writeReports(files, events, io);
  print(screen.take(end));
  if (isGitHub(io)) {
    print(annotations(events));
    await summarise(events, io);
  }
  if (end.exitCode === 70) io.stderr.write(`${end.problem ?? 'a fault of mqtt-conform'}\n`);
  return end.exitCode === 0 && !written ? 3 : end.exitCode;
}

function fault(error: unknown, events: readonly RunEvent[]): Extract<RunEvent, { type: 'run-finished' }> {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const started = events.find((event) => event.type === 'run-started');
  const durationMs = started ? Math.max(0, Date.now() - Date.parse(started.time)) : 0;
  return { type: 'run-finished', durationMs, problem: stack, exitCode: 70 };
}

/** Whether the reports were written; they were found writable before, so this is a disk that ran full. */
async function writeReports(files: ReportFiles<RunEvent>, events: readonly RunEvent[], io: Io): Promise<boolean> {
  try {
    await files.finish(events);
    return true;
  } catch (error) {
    io.stderr.write(`mqtt-conform: cannot write the reports: ${reasonOf(error)}\n`);
    return false;
  }
}

async function summarise(events: readonly RunEvent[], io: Io): Promise<void> {
  const path = io.env.GITHUB_STEP_SUMMARY;
  if (!path) return;
  try {
    await appendFile(path, `${jobSummary(events)}\n`);
  } catch (error) {
    io.stderr.write(`mqtt-conform: cannot write the job summary: ${reasonOf(error)}\n`);
  }
}
