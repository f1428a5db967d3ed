/** What a person sees: a live line or one line a chapter, then the failures explained, then what the run comes to. */

import pc from 'picocolors';
import { neverRan } from '../baseline.ts';
import { type CaseInfo, type CaseResult, count, type RunEvent } from '../events.ts';
import { versionName } from '../spec/index.ts';
import { dump } from './dump.ts';
import { actually, explainAll, paintVerdict, verdictNames, verdictSigns } from './explanation.ts';
import { finishedCases, fold, groupBy, type Report } from './fold.ts';
import {
  countLine,
  gates,
  lacks,
  needsExplanation,
  notSpokenLines,
  reasons,
  slowest,
  tally,
  totals,
  traits,
  verdictLine,
} from './summary.ts';
import { clean, duration, enumerate, type Paint, plain, plural } from './text.ts';

export interface ConsoleOptions {
  /** Whether the output is a terminal that a line can be rewritten on. */
  readonly terminal: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
  readonly colors: boolean;
  /** -1 the last line only, 0 chapters and failures, 1 a line a case, 2 every packet of every case. */
  readonly verbosity: number;
  /** Group the explanations as GitHub Actions folds them. */
  readonly github: boolean;
  /** Files that are written when the run ends. */
  readonly reports: readonly string[];
  /** The command that puts what failed here into the baseline. */
  readonly acceptCommand?: string;
  /** Said below the first line: what this run is about, if the user did not say. */
  readonly remark?: string;
  /** Milliseconds that only grow, for the elapsed time of the live line. */
  readonly now: () => number;
}

/** The console report: text to print for each event, and for the passing of time. */
export interface ConsoleReport {
  take(event: RunEvent): string;
  /** Draws the live line anew; empty where there is none. */
  tick(): string;
}

/** How many explanations with the same story are shown in full, and how many in all. */
const perGroup = 2;
const mostExplanations = 40;

/** A console report. It keeps the events of its run, and does no I/O. */
export function consoleReport(options: ConsoleOptions): ConsoleReport {
  const { verbosity, terminal } = options;
  const paint: Paint = options.colors ? pc.createColors(true) : plain;
  const events: RunEvent[] = [];
  const chapters = new Map<string, { left: number; tried: boolean; infos: CaseInfo[] }>();
  const infos = new Map<string, CaseInfo>();
  const results: CaseResult[] = [];
  const startMs = options.now();
  let running = false;

  const live = () => {
    if (!terminal || verbosity < 0 || !running) return '';
    const line = liveLine(results, infos, duration(options.now() - startMs), paint, options.columns ?? 80);
    return `\r\x1b[2K${line}`;
  };
  const printed = (lines: readonly string[]) => {
    if (lines.length === 0) return live();
    return `${terminal && running ? '\r\x1b[2K' : ''}${lines.map((line) => `${line}\n`).join('')}${live()}`;
  };

  const take = (event: RunEvent): string => {
    events.push(event);
    switch (event.type) {
      case 'run-started': {
        for (const info of event.cases) {
          infos.set(info.id, info);
          const chapter = chapters.get(chapterOf(info)) ?? { left: 0, tried: false, infos: [] };
          chapter.left++;
          chapter.infos.push(info);
          chapters.set(chapterOf(info), chapter);
        }
        const lines = verbosity < 0 ? [] : header(event, options.remark, paint);
        const text = printed(lines);
        running = true;
        return text + live();
      }
      case 'case-started':
        return live();
      case 'case-finished': {
        results.push(event.result);
        const info = infos.get(event.result.case);
        if (!info || verbosity < 0) return '';
        const tried = !neverRan(event.result);
        const lines = verbosity > 0 && tried ? caseLines(info, event.result, verbosity, paint, options.columns) : [];
        const chapter = chapters.get(chapterOf(info));
        if (chapter && tried) chapter.tried = true;
        if (chapter && --chapter.left === 0 && chapter.tried && !terminal && verbosity === 0) {
          lines.push(chapterLine(chapter.infos, fold(events), paint));
        }
        return printed(lines);
      }
      case 'run-finished': {
        const report = fold(events);
        const cleared = terminal && running && verbosity >= 0 ? '\r\x1b[2K' : '';
        running = false;
        return `${cleared}${printed(verbosity < 0 ? [verdict(report, paint)] : ending(report, options, paint))}`;
      }
    }
  };
  return { take, tick: live };
}

function chapterOf(info: CaseInfo): string {
  return `${versionName(info.version)} · ${info.chapter}`;
}

function header(event: Extract<RunEvent, { type: 'run-started' }>, remark: string | undefined, paint: Paint): string[] {
  const versions = event.versions.map(versionName).join(' and ');
  return [
    `${paint.bold(clean(event.tool))}  ${clean(event.target)}  ${versions}  ${plural(event.cases.length, 'case')}`,
    ...(remark ? [paint.dim(remark)] : []),
    ...notSpokenLines(event),
    ...lacks(event).map(({ name, why }) => `  without ${name}: ${clean(why)}`),
    ...(event.baseline
      ? [`  baseline ${event.baseline.file}: ${plural(event.baseline.entries, 'known finding')}`]
      : []),
    '',
  ];
}

function liveLine(
  results: readonly CaseResult[],
  infos: ReadonlyMap<string, CaseInfo>,
  elapsed: string,
  paint: Paint,
  columns: number,
): string {
  const width = 20;
  const done = infos.size === 0 ? 0 : Math.floor((results.length / infos.size) * width);
  const counts = count(results);
  const bad = counts.fail + counts.crash + counts.flaky + counts.stale;
  const last = results.at(-1);
  const chapter = last ? (infos.get(last.case)?.chapter ?? '') : '';
  const bar = '█'.repeat(done) + '░'.repeat(width - done);
  const start = `${bar} ${results.length}/${infos.size}  `;
  const failed = bad > 0 ? `${bad} failed  ` : '';
  const rest = `${elapsed}  ${clean(chapter)}`;
  // A line that wraps could not be rewritten.
  const room = Math.max(0, columns - 1 - start.length - failed.length);
  return `${start}${paint.red(failed)}${paint.dim(rest.slice(0, room))}`.slice(
    0,
    columns < 40 ? columns - 1 : undefined,
  );
}

function caseLines(info: CaseInfo, result: CaseResult, verbosity: number, paint: Paint, columns?: number): string[] {
  const sign = paintVerdict(result.verdict, paint)(verdictSigns[result.verdict]);
  const why = result.verdict === 'pass' ? '' : `  ${verdictNames[result.verdict]}: ${actually(result)}`;
  const line = `${sign} ${info.id}  ${paint.dim(duration(result.durationMs))}${why}`;
  if (verbosity < 2) return [line];
  return [line, ...dump(result.trace, { paint, whole: true, ...(columns ? { columns } : {}) })];
}

function chapterLine(infos: readonly CaseInfo[], report: Report, paint: Paint): string {
  const results = infos.flatMap((info) => report.results.get(info.id) ?? []).filter((result) => !neverRan(result));
  const starts = results.map((result) => report.startedAt.get(result.case) ?? 0);
  const ends = results.map((result, index) => (starts[index] ?? 0) + result.durationMs);
  const took = results.length > 0 ? duration(Math.max(...ends) - Math.min(...starts)) : '';
  const bad = infos.some((info) => {
    const result = report.results.get(info.id);
    return !result || neverRan(result) || gates(info, result);
  });
  const sign = bad ? paint.red('✖') : paint.green('✔');
  const [first] = infos;
  const name = first ? chapterOf(first) : '';
  return `${sign} ${clean(name).padEnd(44)}  ${countLine(tally(report, infos))}  ${paint.dim(took)}`;
}

/** All that is printed once the run is over. */
function ending(report: Report, options: ConsoleOptions, paint: Paint): string[] {
  const done = finishedCases(report);
  const explained = done.filter(({ info, result }) => needsExplanation(info, result));
  const accept = options.acceptCommand && done.some(({ info, result }) => gates(info, result));
  const lines = [
    ...openChapters(report, options, paint),
    ...explanations(report, explained, options, paint),
    ...summary(report, paint),
    ...(options.reports.length > 0 ? labelled('reports', options.reports, paint) : []),
    ...(accept ? labelled('known?', [`accept these: ${options.acceptCommand}`], paint) : []),
  ];
  return [...lines, ...(lines.length > 0 ? [''] : []), verdict(report, paint)];
}

/** Chapters that the end of the run cut off. */
function openChapters(report: Report, options: ConsoleOptions, paint: Paint): string[] {
  if (options.terminal || options.verbosity !== 0) return [];
  const chapters = [...groupBy(report.cases, chapterOf).values()];
  // Where nothing ran at all the problem says it once.
  if (report.results.size === 0) return [];
  return chapters
    .filter((infos) => infos.some((info) => !report.results.has(info.id)))
    .map((infos) => chapterLine(infos, report, paint));
}

function explanations(
  report: Report,
  items: ReturnType<typeof finishedCases>,
  options: ConsoleOptions,
  paint: Paint,
): string[] {
  const all = explainAll(items, {
    targetOptions: report.started?.targetOptions ?? '',
    paint,
    perGroup,
    whole: options.verbosity > 1,
    ...(options.columns ? { columns: options.columns } : {}),
  });
  const shown = all.slice(0, mostExplanations).flatMap((lines) => {
    const [title = '', ...rest] = lines;
    return options.github ? [`::group::${title}`, ...rest, '::endgroup::'] : ['', title, ...rest];
  });
  if (all.length > mostExplanations) {
    shown.push('', `${all.length - mostExplanations} more explanations are in the reports (-r junit,json)`);
  }
  return shown;
}

function summary(report: Report, paint: Paint): string[] {
  const { counts, left } = tally(report);
  // Where nothing ran the last line says it all.
  if (left === report.cases.length) return [];
  const levels = totals(report).map(
    ({ strength, passed, applicable }) => `${strength.padEnd(7)}${passed} of ${applicable} applicable passed`,
  );
  const unheard = reasons(report, 'not-applicable').map(
    ({ reason, cases }) => `${plural(cases.length, 'case')}: ${reason}`,
  );
  const optional = reasons(report, 'could-not-run').map(
    ({ reason, cases }) => `${plural(cases.length, 'case')}: ${reason} (${enumerate(cases, 3)})`,
  );
  const slow = slowest(report).map(({ info, result }) => `${duration(result.durationMs).padStart(8)}  ${info.id}`);
  const took = report.finished ? ` in ${duration(report.finished.durationMs)}` : '';
  return [
    '',
    `${plural(report.cases.length, 'case')}${took}: ${countLine({ counts, left })}`,
    ...labelled('by level', levels, paint),
    ...labelled(
      'traits',
      traits(report).map(({ name, value }) => `${name}: ${value}`),
      paint,
    ),
    ...labelled('not applicable', unheard, paint),
    ...labelled('could not run', optional, paint),
    ...labelled('slowest', slow, paint),
  ];
}

/** A label before the first of some lines, the others below each other. */
function labelled(label: string, lines: readonly string[], paint: Paint): string[] {
  return lines.map((line, index) => `  ${paint.dim((index === 0 ? label : '').padEnd(16))}${line}`);
}

function verdict(report: Report, paint: Paint): string {
  const { conformant, text } = verdictLine(report);
  const color = conformant ? paint.green : report.finished?.exitCode === 1 ? paint.red : paint.yellow;
  return paint.bold(color(text));
}
