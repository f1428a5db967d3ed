/** The commands `baseline write`, `add`, `prune` and `check`: edits of the baseline file that keep its comments. */

import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Document, YAMLMap, YAMLSeq } from 'yaml';
import {
  type Acceptable,
  type Baseline,
  baselineName,
  checkCasesExist,
  isAcceptable,
  neverRan,
  parseBaseline,
  parseDocument,
} from '../baseline.ts';
import { UsageError } from '../errors.ts';
import type { CaseResult, ExitCode, RunEvent } from '../events.ts';
import { actually } from '../report/explanation.ts';
import { type Finished, finishedCases, fold } from '../report/fold.ts';
import { gates } from '../report/summary.ts';
import { clean, plural } from '../report/text.ts';
import { allCases } from '../select.ts';
import { requirement } from '../spec/index.ts';
import type { Io } from './io.ts';
import { readRecord } from './report-command.ts';
import { casesToRun, namesTarget, openTarget, type RunArguments, startRun } from './run-command.ts';
import { reasonOf } from './values.ts';

export interface BaselineFileArguments {
  readonly baseline?: string;
}

export interface AddArguments extends BaselineFileArguments {
  readonly expect: Acceptable;
  readonly match?: string;
  readonly reason?: string;
  readonly issue?: string;
  readonly expires?: string;
}

const heading = ` Known findings: cases that may end as listed. A listed case that is fine again fails the run.
 Each entry: case, expect (fail | non-strict | could-not-run | flaky | crash); optional match, reason, issue, expires.`;

/** Makes the file say what a run, or the record of one, shows. Entries of cases that were not run stay. */
export async function writeCommand(
  selectors: readonly string[],
  given: RunArguments & { readonly from?: string },
  io: Io,
): Promise<ExitCode> {
  const file = await BaselineFile.open(given.baseline || baselineName, io);
  const events = given.from ? await readRecord(given.from, io) : await runFor(selectors, given, io);
  const report = fold(events);
  const problem = report.finished?.problem ?? (report.finished ? undefined : 'the record is cut off');
  if (problem !== undefined) io.stderr.write(`mqtt-conform: ${clean(problem)}\n`);
  let [added, changed, removed] = [0, 0, 0];
  for (const item of finishedCases(report)) {
    const { info, result } = item;
    const listed = file.has(info.id);
    if (isNews(item)) {
      file.put(info.id, { case: info.id, expect: result.verdict as Acceptable, reason: reasonFor(result) });
      if (listed) changed++;
      else added++;
    } else if (listed && isFine(item)) {
      file.remove(info.id);
      removed++;
    }
  }
  await file.save();
  io.stdout.write(`${file.name}: ${added} added, ${changed} changed, ${removed} removed, ${file.size} in all\n`);
  // What was lost on the way must not look like a complete list.
  return problem === undefined ? 0 : 3;
}

/** Adds one entry by hand. */
export async function addCommand(id: string, given: AddArguments, io: Io): Promise<ExitCode> {
  const file = await BaselineFile.open(given.baseline ?? baselineName, io);
  const { baseline: _, ...rest } = given;
  const entry = { case: id, ...rest };
  // The checks of a file are those of an entry.
  const probe = await parseBaseline(JSON.stringify([entry]), 'baseline add');
  await checkAgainstSuites({ ...probe, file: 'baseline add' });
  if (file.has(id)) throw new UsageError(`${file.name} lists ${id} already`);
  file.put(id, entry);
  await file.save();
  io.stdout.write(`${file.name}: added ${id}, ${file.size} in all\n`);
  return 0;
}

/** Removes entries that have expired, whose case is gone, or (with a record) that are fine now. */
export async function pruneCommand(
  given: BaselineFileArguments & { readonly from?: string },
  io: Io,
): Promise<ExitCode> {
  const file = await BaselineFile.open(given.baseline ?? baselineName, io, true);
  const known = await knownCases();
  const fine = new Set<string>();
  if (given.from) {
    for (const item of finishedCases(fold(await readRecord(given.from, io)))) {
      if (isFine(item)) fine.add(item.info.id);
    }
  }
  let removed = 0;
  for (const entry of file.entries) {
    const why = !known.has(entry.case)
      ? 'no such case'
      : entry.expired
        ? `expired ${entry.expires}`
        : fine.has(entry.case)
          ? 'fine now'
          : undefined;
    if (!why) continue;
    file.remove(entry.case);
    removed++;
    io.stdout.write(`removed ${entry.case}: ${why}\n`);
  }
  if (removed > 0) await file.save();
  io.stdout.write(`${file.name}: ${removed} removed, ${file.size} in all\n`);
  return 0;
}

/** Checks the file without a run: its form, its cases (exit code 2), and whether entries have expired (1). */
export async function checkCommand(given: BaselineFileArguments, io: Io): Promise<ExitCode> {
  const file = await BaselineFile.open(given.baseline ?? baselineName, io, true);
  await checkAgainstSuites({ file: file.name, entries: file.entries });
  const expired = file.entries.filter((entry) => entry.expired);
  for (const entry of expired) {
    io.stdout.write(`${file.name}:${entry.line}: ${entry.case} expired ${entry.expires}: it no longer excuses\n`);
  }
  for (const entry of file.entries.filter(({ reason, issue }) => !reason && !issue)) {
    io.stdout.write(`${file.name}:${entry.line}: ${entry.case} gives no reason\n`);
  }
  io.stdout.write(`${file.name}: ${plural(file.size, 'entry', 'entries')}, ${expired.length} expired\n`);
  return expired.length > 0 ? 1 : 0;
}

/** A finding that the file does not excuse as it stands. */
function isNews({ info, result }: Finished): boolean {
  return isAcceptable(result.verdict) && gates(info, result);
}

/** What happened, and the requirement that it breaks in our words. */
function reasonFor(result: CaseResult): string {
  const [id] = result.finding?.requirements ?? [];
  return id ? `${actually(result)}; ${id}: ${requirement(id).text}` : actually(result);
}

/** Nothing is left to excuse. A case that could not run says nothing about its entry. */
function isFine({ result }: Finished): boolean {
  return ['pass', 'info', 'not-applicable', 'stale'].includes(result.verdict) && !neverRan(result);
}

async function runFor(selectors: readonly string[], given: RunArguments, io: Io): Promise<RunEvent[]> {
  if (!namesTarget(given, io)) throw new UsageError('baseline write: give --target to run against, or --from REPORT');
  const { cases } = await casesToRun(selectors, given, io);
  const { target, close } = await openTarget(given, io);
  try {
    const events: RunEvent[] = [];
    for await (const event of await startRun(target, cases, given, undefined, io.signal)) events.push(event);
    return events;
  } finally {
    await close();
  }
}

async function knownCases(): Promise<ReadonlySet<string>> {
  const { chapters } = await import('../../suites/index.ts');
  return new Set(allCases(chapters).map(({ info }) => info.id));
}

async function checkAgainstSuites(baseline: Baseline): Promise<void> {
  checkCasesExist(baseline, await knownCases());
}

/** A baseline file open for edits. */
class BaselineFile {
  readonly name: string;
  /** The entries as they were when the file was opened. */
  readonly entries: Baseline['entries'];
  readonly #path: string;
  readonly #document: Document;
  readonly #list: YAMLSeq;

  private constructor(name: string, path: string, baseline: Baseline, document: Document, list: YAMLSeq) {
    this.name = name;
    this.entries = baseline.entries;
    this.#path = path;
    this.#document = document;
    this.#list = list;
  }

  /** Opens a file, or starts a new one; `existing` insists on the former. */
  static async open(name: string, io: Io, existing = false): Promise<BaselineFile> {
    const path = resolve(io.cwd, name);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' && !existing) return '';
      throw new UsageError(`cannot read the baseline ${name}: ${reasonOf(error)}`);
    });
    const baseline = await parseBaseline(text, name);
    const { document } = await parseDocument(text, name);
    const { YAMLSeq } = await import('yaml');
    if (document.contents === null) {
      document.contents = new YAMLSeq() as unknown as typeof document.contents;
      document.commentBefore ??= heading;
    }
    const list = document.contents as unknown as YAMLSeq;
    keepHeading(document, list);
    return new BaselineFile(name, path, baseline, document, list);
  }

  get size(): number {
    return this.#list.items.length;
  }

  has(id: string): boolean {
    return this.#indexOf(id) >= 0;
  }

  /** Adds an entry, or makes the existing one expect this; its reason, issue and comments stay, `match` does not. */
  put(id: string, entry: { readonly case: string; readonly expect: Acceptable; readonly reason?: string }): void {
    const index = this.#indexOf(id);
    if (index >= 0) {
      const existing = this.#list.items[index] as YAMLMap;
      existing.set('expect', entry.expect);
      existing.delete('match');
      return;
    }
    this.#list.add(this.#document.createNode(entry));
  }

  remove(id: string): void {
    this.#list.delete(this.#indexOf(id));
  }

  async save(): Promise<void> {
    this.#list.flow = false;
    try {
      await writeFile(this.#path, this.#document.toString({ lineWidth: 0 }));
    } catch (error) {
      throw new UsageError(`cannot write the baseline ${this.name}: ${reasonOf(error)}`);
    }
  }

  #indexOf(id: string): number {
    return this.#list.items.findIndex((item) => (item as YAMLMap).get('case') === id);
  }
}

/** The parser takes the heading of a file for a comment of the first entry, with which it would be removed. */
function keepHeading(document: Document, list: YAMLSeq): void {
  const first = list.items[0] as YAMLMap | undefined;
  const comment = first?.commentBefore ?? '';
  const blank = comment.lastIndexOf('\n\n');
  if (!first || blank < 0) return;
  document.commentBefore = comment.slice(0, blank);
  first.commentBefore = comment.slice(blank + 2) || null;
}
