/** The machine-readable reports: NDJSON, one event a line and the source of all others, and one JSON document of the whole. */

import { UsageError } from '../errors.ts';
import { type CaseInfo, type CaseResult, type RunEvent, verdicts } from '../events.ts';
import { fold, type RunFinished, type RunStarted } from './fold.ts';
import { tally, totals, verdictLine } from './summary.ts';

/** The shape of the JSON report; the number grows when a reader would have to change. */
interface JsonReport {
  readonly format: 1;
  readonly verdict: string;
  readonly run?: Omit<RunStarted, 'type' | 'cases'>;
  readonly counts: Readonly<Record<string, number>>;
  readonly totals: ReturnType<typeof totals>;
  /** Cases in the order of the standard; those that never ran have no `result`. */
  readonly cases: readonly (CaseInfo & { readonly result?: Omit<CaseResult, 'case'> })[];
  readonly end?: Omit<RunFinished, 'type'>;
}

/** One line of the NDJSON log. */
export function ndjson(event: unknown): string {
  return `${JSON.stringify(event)}\n`;
}

/** The whole run as one JSON document. */
export function json(events: Iterable<RunEvent>): string {
  const report = fold(events);
  const { counts, left } = tally(report);
  const document: JsonReport = {
    format: 1,
    verdict: verdictLine(report).text,
    ...(report.started ? { run: omit(report.started, ['type', 'cases']) } : {}),
    counts: { ...counts, 'not-run': left },
    totals: totals(report),
    cases: report.cases.map((info) => {
      const result = report.results.get(info.id);
      return result ? { ...info, result: omit(result, ['case']) } : info;
    }),
    ...(report.finished ? { end: omit(report.finished, ['type']) } : {}),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/**
 * The events of a recorded run, from its NDJSON log or its JSON report.
 * @throws UsageError naming file and line
 */
export function readEvents(text: string, file: string): RunEvent[] {
  const whole = parse(text);
  if (isJsonReport(whole)) return eventsOf(whole);
  const events: RunEvent[] = [];
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    if (line.trim() === '') return;
    const event = parse(line);
    if (isEvent(event)) events.push(event);
    // A log that was cut off while it was written ends in half a line.
    else if (index < lines.length - 1 || events.length === 0) {
      throw new UsageError(`${file}:${index + 1}: this is no report of mqtt-conform (NDJSON or JSON)`);
    }
  });
  if (events.length === 0) throw new UsageError(`${file}: this report is empty`);
  return events;
}

function eventsOf({ run, cases, end }: JsonReport): RunEvent[] {
  const infos = cases.map((each) => omit(each, ['result']) as CaseInfo);
  return [
    ...(run ? [{ type: 'run-started', ...run, cases: infos } as const] : []),
    ...cases.flatMap(({ id, result }) =>
      result ? [{ type: 'case-finished', result: { case: id, ...result } } as const] : [],
    ),
    ...(end ? [{ type: 'run-finished', ...end } as const] : []),
  ];
}

function isJsonReport(value: unknown): value is JsonReport {
  return isObject(value) && value.format === 1 && Array.isArray(value.cases);
}

function isEvent(value: unknown): value is RunEvent {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'run-started':
      return Array.isArray(value.cases);
    case 'case-started':
      return typeof value.case === 'string';
    case 'case-finished':
      return isObject(value.result) && (verdicts as readonly unknown[]).includes(value.result.verdict);
    case 'run-finished':
      return typeof value.exitCode === 'number';
    default:
      return false;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function omit<T extends object, K extends keyof T>(value: T, keys: readonly K[]): Omit<T, K> {
  const copy = { ...value };
  for (const key of keys) delete copy[key];
  return copy;
}
