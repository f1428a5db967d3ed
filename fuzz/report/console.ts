/** What a person sees of a fuzz run: a live line or a quiet line every ten seconds, each finding when it is sure, and what the run comes to. */

import pc from 'picocolors';
import { clean, duration, type Paint, plain, plural } from '../../harness/report/text.ts';
import { versionName } from '../../harness/spec/index.ts';
import { type Discovery, type FuzzCounts, type FuzzEvent, gates } from '../events.ts';
import { explainDiscovery, headline } from './explanation.ts';

export interface FuzzConsoleOptions {
  /** Whether the output is a terminal that a line can be rewritten on. */
  readonly terminal: boolean;
  readonly columns?: number;
  readonly colors: boolean;
  readonly quiet: boolean;
  /** Files that are written when the run ends. */
  readonly reports: readonly string[];
  readonly remark?: string;
}

type Started = Extract<FuzzEvent, { type: 'fuzz-started' }>;
type Finished = Extract<FuzzEvent, { type: 'fuzz-finished' }>;

const quietLineMs = 10_000;
/** The rate is that of the last seconds. */
const rateOverMs = 2_000;
const clearLine = '\r\x1b[2K';

/** Text to print for each event of a fuzz run. */
export function fuzzConsole(options: FuzzConsoleOptions): (event: FuzzEvent) => string {
  const paint: Paint = options.colors ? pc.createColors(true) : plain;
  const { terminal, quiet } = options;
  let started: Started | undefined;
  let live = '';
  let nextQuietMs = quietLineMs;
  const recent: FuzzCounts[] = [];

  const printed = (lines: readonly string[]) => {
    if (quiet || lines.length === 0) return '';
    const text = lines.map((line) => `${line}\n`).join('');
    return terminal && live ? `${clearLine}${text}${live}` : text;
  };

  return (event) => {
    switch (event.type) {
      case 'fuzz-started':
        started = event;
        return printed(header(event, options.remark, paint));
      case 'fuzz-warning':
        return printed([`${paint.yellow('!')} ${clean(event.text)}`]);
      case 'fuzz-progress': {
        recent.push(event.counts);
        while (recent.length > 2 && event.counts.elapsedMs - (recent[0]?.elapsedMs ?? 0) > rateOverMs) recent.shift();
        const line = progress(event, rateOf(recent), started);
        if (quiet) return '';
        if (terminal) {
          live = paint.dim(line.slice(0, (options.columns ?? 80) - 1));
          return `${clearLine}${live}`;
        }
        if (event.counts.elapsedMs < nextQuietMs) return '';
        nextQuietMs = event.counts.elapsedMs + quietLineMs;
        return `${line}\n`;
      }
      case 'finding':
        return printed(['', ...explained(event.discovery, started, paint, options.columns)]);
      case 'fuzz-finished': {
        const cleared = terminal && live ? clearLine : '';
        live = '';
        return `${cleared}${ending(event, options, paint)
          .map((line) => `${line}\n`)
          .join('')}`;
      }
    }
  };
}

function explained(discovery: Discovery, started: Started | undefined, paint: Paint, columns?: number): string[] {
  return explainDiscovery(discovery, {
    targetOptions: started?.targetOptions ?? '',
    paint,
    ...(columns ? { columns } : {}),
  });
}

function header(event: Started, remark: string | undefined, paint: Paint): string[] {
  const versions = event.versions.map(versionName).join(' and ');
  const limit = [event.runs && plural(event.runs, 'case'), event.maxTimeMs && duration(event.maxTimeMs)].filter(
    Boolean,
  );
  return [
    `${paint.bold(clean(event.tool))} fuzz  ${clean(event.target)}  ${versions}  ${limit.join(' or ')}  seed ${event.seed}`,
    ...(remark ? [paint.dim(remark)] : []),
    ...(event.fence === 'FIN'
      ? []
      : ['  the target does not answer what came before a FIN: a PINGREQ ends each case, which is slower']),
    '',
  ];
}

/** `12,345 cases  4,100/s  corpus 312  reactions 1,024  findings 2  48 s left`. */
function progress(event: Extract<FuzzEvent, { type: 'fuzz-progress' }>, rate: number, started?: Started): string {
  const { cases, corpus, reactions, findings, elapsedMs } = event.counts;
  const parts = [
    `${number(cases)} cases`,
    `${number(rate)}/s`,
    `corpus ${number(corpus)}`,
    `reactions ${number(reactions)}`,
    `findings ${findings}`,
  ];
  if (event.doing) parts.push(clean(event.doing));
  else if (started?.maxTimeMs) parts.push(`${duration(Math.max(0, started.maxTimeMs - elapsedMs))} left`);
  else if (started?.runs) parts.push(`${number(Math.max(0, started.runs - cases))} left`);
  return parts.join('  ');
}

function rateOf(recent: readonly FuzzCounts[]): number {
  const [first, last] = [recent[0], recent.at(-1)];
  if (!first || !last || last.elapsedMs <= first.elapsedMs) return 0;
  return Math.round((1_000 * (last.cases - first.cases)) / (last.elapsedMs - first.elapsedMs));
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function ending(event: Finished, { reports, quiet }: FuzzConsoleOptions, paint: Paint): string[] {
  const verdict = verdictOf(event);
  const painted =
    event.exitCode === 0 ? paint.green(verdict) : event.exitCode === 1 ? paint.red(verdict) : paint.yellow(verdict);
  if (quiet) return [painted];
  const { cases, packets, elapsedMs, corpus, reactions } = event.counts;
  const rate = elapsedMs > 0 ? Math.round((1_000 * cases) / elapsedMs) : 0;
  return [
    '',
    ...event.discoveries.map((each) => {
      const sign = gates(each) ? paint.red('✖') : paint.yellow('!');
      return `  ${sign} ${each.id}  ${plural(each.cases, 'case')}  ${headline(each)}`;
    }),
    ...(cases > 0
      ? [
          `${number(cases)} cases (${number(packets)} packets) in ${duration(elapsedMs)}, ${number(rate)}/s; corpus ${number(corpus)}, ${number(reactions)} reactions`,
        ]
      : []),
    ...(reports.length > 0 ? [`reports: ${reports.join(', ')}`] : []),
    painted,
  ];
}

/** One line: what the run comes to. */
export function verdictOf({ discoveries, problem, counts, exitCode }: Finished): string {
  const counting = discoveries.filter(gates).length;
  const others = discoveries.length - counting;
  const besides = others > 0 ? ` (and ${others} unclear or not reproduced)` : '';
  const end = problem ? `; ${clean(problem)}` : '';
  if (exitCode === 70) return problem ?? 'a fault of mqtt-conform';
  if (counting > 0) return `${plural(counting, 'finding')}${besides}${end}`;
  if (problem)
    return `${counts.cases > 0 ? `no finding in ${plural(counts.cases, 'case')}` : 'no verdict'}${besides}${end}`;
  return `no finding in ${plural(counts.cases, 'case')}${besides}`;
}
