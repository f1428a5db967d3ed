/** The files of a fuzz run's reports. */

import { closeSync, openSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { FuzzEvent } from '../../fuzz/events.ts';
import { proveWritable, replaceFile } from './report-files.ts';
import type { ReportKind } from './values.ts';

const fileNames: Readonly<Record<ReportKind, string>> = {
  junit: 'fuzz-junit.xml',
  json: 'fuzz-report.json',
  ndjson: 'fuzz-events.ndjson',
  md: 'fuzz-report.md',
};

export interface FuzzReportFiles {
  readonly paths: readonly string[];
  take(event: FuzzEvent): void;
  finish(events: readonly FuzzEvent[]): Promise<void>;
}

/** Prepares the folder and every file. Throws UsageError if one of them cannot be written. */
export function openFuzzReports(kinds: readonly ReportKind[], directory: string, cwd: string): FuzzReportFiles {
  const places = kinds.map((kind) => {
    const path = join(directory, fileNames[kind]);
    return { kind, path, full: resolve(cwd, path) };
  });
  for (const { path, full } of places) proveWritable(path, full);
  const log = places.find(({ kind }) => kind === 'ndjson');
  const descriptor = log ? openSync(log.full, 'w') : undefined;
  return {
    paths: places.map(({ path }) => path),
    take(event) {
      if (descriptor === undefined || event.type === 'fuzz-progress') return;
      writeSync(descriptor, `${JSON.stringify(event)}\n`);
    },
    async finish(events) {
      if (descriptor !== undefined) closeSync(descriptor);
      for (const { kind, full } of places) if (kind !== 'ndjson') replaceFile(full, await render(kind, events));
    },
  };
}

async function render(kind: Exclude<ReportKind, 'ndjson'>, events: readonly FuzzEvent[]): Promise<string> {
  if (kind === 'junit') return (await import('../../fuzz/report/junit.ts')).fuzzJunit(events);
  const { fuzzJson, fuzzMarkdown } = await import('../../fuzz/report/files.ts');
  return kind === 'json' ? fuzzJson(events) : fuzzMarkdown(events);
}
