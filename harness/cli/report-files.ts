/** The files of a run's reports: proved writable before the run, written while it goes on or at its end. */

import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
import { json, ndjson } from '../report/json.ts';
import { type ReportKind, reasonOf } from './values.ts';

/** The reports of one kind of run. */
export interface ReportSet<Event> {
  readonly fileNames: Readonly<Record<ReportKind, string>>;
  /** Whether an event is worth a line in the file that is written as it happens; all are unless given. */
  isLogged?(event: Event): boolean;
  /** One report as text. */
  render(kind: Exclude<ReportKind, 'ndjson'>, events: readonly Event[]): Promise<string>;
}

export interface ReportFiles<Event> {
  /** The files, as the user would name them. */
  readonly paths: readonly string[];
  /** Writes what is written while the run goes on. */
  take(event: Event): void;
  /** Writes the rest. */
  finish(events: readonly Event[]): Promise<void>;
}

/**
 * Prepares the folder and every file.
 * @throws UsageError if one of them cannot be written
 */
export function openReports<Event>(
  { fileNames, isLogged, render }: ReportSet<Event>,
  kinds: readonly ReportKind[],
  directory: string,
  cwd: string,
): ReportFiles<Event> {
  const places = kinds.map((kind) => {
    const path = join(directory, fileNames[kind]);
    return { kind, path, full: resolve(cwd, path) };
  });
  for (const { path, full } of places) proveWritable(path, full);
  const log = places.find(({ kind }) => kind === 'ndjson');
  // Written as it happens: it survives whatever ends the run.
  const descriptor = log ? openSync(log.full, 'w') : undefined;

  return {
    paths: places.map(({ path }) => path),
    take(event) {
      if (descriptor !== undefined && (isLogged?.(event) ?? true)) writeSync(descriptor, ndjson(event));
    },
    async finish(events) {
      if (descriptor !== undefined) closeSync(descriptor);
      for (const { kind, full } of places) if (kind !== 'ndjson') replaceFile(full, await render(kind, events));
    },
  };
}

/** The reports of a conformance run. */
export const runReports: ReportSet<RunEvent> = {
  fileNames: { junit: 'junit.xml', json: 'report.json', ndjson: 'events.ndjson', md: 'report.md' },
  render,
};

/** One report as text. */
export async function render(kind: ReportKind, events: readonly RunEvent[]): Promise<string> {
  switch (kind) {
    case 'junit':
      return (await import('../report/junit.ts')).junit(events);
    case 'json':
      return json(events);
    case 'ndjson':
      return events.map(ndjson).join('');
    case 'md':
      return (await import('../report/matrix.ts')).matrix([{ events }]);
  }
}

/** Makes the folder of a file, and throws UsageError if the file cannot be written. */
export function proveWritable(path: string, full: string): void {
  try {
    mkdirSync(resolve(full, '..'), { recursive: true });
    if (statSync(full, { throwIfNoEntry: false })?.isDirectory()) throw new UsageError(`${path} is a directory`);
    closeSync(openSync(temporary(full), 'w'));
    rmSync(temporary(full));
  } catch (error) {
    const why = error instanceof UsageError ? error.message : reasonOf(error);
    throw new UsageError(`cannot write the report ${path}: ${why}`);
  }
}

/** Readers see the old file or the new one, never half of it. */
export function replaceFile(full: string, text: string): void {
  writeFileSync(temporary(full), text);
  renameSync(temporary(full), full);
}

function temporary(full: string): string {
  return `${full}.${process.pid}.tmp`;
}
