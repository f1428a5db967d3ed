/** The baseline: findings that are known and accepted, each with its file and line, and what they do to a verdict. */

import { readFile } from 'node:fs/promises';
import type { Document, LineCounter } from 'yaml';
import { UsageError } from './errors.ts';
import type { CaseInfo, CaseResult, Verdict } from './events.ts';
import { nearest } from './select.ts';

/** The name under which a baseline is found without a flag. */
export const baselineName = 'mqtt-conform.baseline.yaml';

/** The verdicts that can be accepted. */
export const acceptable = [
  'fail',
  'non-strict',
  'could-not-run',
  'flaky',
  'crash',
] as const satisfies readonly Verdict[];

export type Acceptable = (typeof acceptable)[number];

/** One accepted finding. */
export interface BaselineEntry {
  /** Full id of a case: `v3/3.8/reserved-flags-0000`. */
  readonly case: string;
  readonly expect: Acceptable;
  /** A part of the reason that the finding must still give. */
  readonly match?: string;
  /** Why it is accepted. */
  readonly reason?: string;
  readonly issue?: string;
  /** ISO date; the entry excuses up to and including this day. */
  readonly expires?: string;
  /** Whether that day is over. */
  readonly expired: boolean;
  /** Where it stands in the file, from 1. */
  readonly line: number;
}

export interface Baseline {
  /** As the user named it. */
  readonly file: string;
  readonly entries: readonly BaselineEntry[];
}

/** Whether a verdict is one that a baseline can accept. */
export function isAcceptable(verdict: string): verdict is Acceptable {
  return (acceptable as readonly string[]).includes(verdict);
}

/**
 * Reads a baseline file.
 * @param today ISO date, to tell which entries have expired
 * @throws UsageError with file and line
 */
export async function readBaseline(path: string, name = path, today = isoToday()): Promise<Baseline> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the baseline ${name}: ${(error as Error).message}`);
  }
  return parseBaseline(text, name, today);
}

/**
 * A baseline from its text.
 * @throws UsageError with file and line
 */
export async function parseBaseline(text: string, file: string, today = isoToday()): Promise<Baseline> {
  const { document, lines } = await parseDocument(text, file);
  const { isSeq } = await import('yaml');
  const root = document.contents;
  if (root === null) return { file, entries: [] };
  if (!isSeq(root)) throw new UsageError(`${file}:1: a baseline is a list of entries, each with "case" and "expect"`);
  const seen = new Map<string, number>();
  const entries = root.items.map((node) => {
    const start = (node as { range?: [number, number, number] | null } | null)?.range?.[0] ?? 0;
    const line = lines.linePos(start).line;
    const entry = readEntry((node as { toJSON?(): unknown } | null)?.toJSON?.(), `${file}:${line}`, line, today);
    const before = seen.get(entry.case);
    if (before) throw new UsageError(`${file}:${line}: ${entry.case} is listed twice (line ${before})`);
    seen.set(entry.case, line);
    return entry;
  });
  return { file, entries };
}

/**
 * The YAML document of a baseline, for edits that keep its comments, and its line starts.
 * @throws UsageError with file and line if it is no YAML
 */
export async function parseDocument(text: string, file: string): Promise<{ document: Document; lines: LineCounter }> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document: Document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) throw new UsageError(`${file}:${lines.linePos(error.pos[0]).line}: ${error.message.split('\n')[0]}`);
  return { document, lines };
}

/**
 * Makes sure that every entry is about a case that exists.
 * @throws UsageError with file, line and the nearest ids
 */
export function checkCasesExist(baseline: Baseline, known: ReadonlySet<string>): void {
  for (const entry of baseline.entries) {
    if (known.has(entry.case)) continue;
    const near = nearest(entry.case, known, 2);
    const hint = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '';
    throw new UsageError(`${baseline.file}:${entry.line}: there is no case ${entry.case}${hint}`);
  }
}

/**
 * What the baseline makes of a result.
 * - The case ends as listed: `expected-failure`.
 * - It is fine after all: `stale`, so that the list can only shrink.
 * - It fails in another way than the listed one: it keeps its own verdict, which fails the run, and the reason names the entry.
 * - It could not run: that stays so, because nothing was learnt about the entry, and infrastructure must not fail a run.
 */
export function applyBaseline(result: CaseResult, info: CaseInfo, baseline: Baseline): CaseResult {
  const entry = baseline.entries.find((each) => each.case === info.id);
  if (!entry || entry.expired || neverRan(result)) return result;
  const place = { file: baseline.file, line: entry.line, ...(entry.reason ? { reason: entry.reason } : {}) };
  const told = [result.reason, result.finding?.actual].filter((text) => text !== undefined).join('\n');
  const asListed = result.verdict === entry.expect && (entry.match === undefined || told.includes(entry.match));
  if (asListed) return { ...result, verdict: 'expected-failure', baseline: place };

  const listed = `${baseline.file}:${entry.line} lists it as ${entry.expect}`;
  switch (result.verdict) {
    case 'fail':
    case 'crash':
    case 'flaky': {
      const how = result.verdict === entry.expect ? ` matching "${entry.match}"` : '';
      return { ...result, reason: `${result.reason ?? result.verdict} (${listed}${how})`, baseline: place };
    }
    case 'could-not-run':
      return { ...result, baseline: place };
    default: {
      const how = result.verdict === 'pass' ? 'passes' : `ends as ${result.verdict}`;
      const reason = `${listed}, but it ${how} now: remove the entry`;
      return { ...result, verdict: 'stale', reason, baseline: place };
    }
  }
}

/** Whether the run ended before this case was tried. */
export function neverRan(result: CaseResult): boolean {
  return result.verdict === 'could-not-run' && result.attempts === 0;
}

const fields = ['case', 'expect', 'match', 'reason', 'issue', 'expires'] as const;

function readEntry(value: unknown, place: string, line: number, today: string): BaselineEntry {
  const wrong = (what: string) => new UsageError(`${place}: ${what}`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong('an entry needs "case" and "expect"');
  }
  const given: Record<string, unknown> = { ...value };
  for (const [field, content] of Object.entries(given)) {
    if (!(fields as readonly string[]).includes(field)) {
      throw wrong(`unknown field "${field}"; an entry has ${fields.join(', ')}`);
    }
    // An issue number, say.
    if (typeof content === 'number') given[field] = String(content);
    else if (typeof content !== 'string' || content === '') throw wrong(`"${field}" has to be a text`);
  }
  const { case: id, expect, expires } = given as Partial<Record<(typeof fields)[number], string>>;
  if (!id) throw wrong('an entry needs "case": the full id of a case');
  if (!expect || !isAcceptable(expect)) throw wrong(`"expect" has to be one of ${acceptable.join(', ')}`);
  if (expires !== undefined && !isDate(expires)) throw wrong(`"expires" has to be a date such as 2030-01-31`);
  const entry = given as unknown as BaselineEntry;
  return { ...entry, line, expired: expires !== undefined && expires < today };
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
}

function isoToday(): string {
  return new Date().toISOString().slice(0, 10);
}
