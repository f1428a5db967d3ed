/** The one renderer of failures: the requirement, what was expected, what happened, the packets, how to see it again. */

import type { CaseInfo, CaseResult, Verdict } from '../events.ts';
import { type RequirementId, requirement } from '../spec/index.ts';
import { dump } from './dump.ts';
import { type Finished, groupBy } from './fold.ts';
import { clean, duration, enumerate, type Paint, plain, plural } from './text.ts';

/** What an explanation depends on besides the case itself. */
export interface ExplanationOptions {
  /** Options that name the target on a command line; empty for the reference broker. */
  readonly targetOptions: string;
  readonly paint?: Paint;
  /** Width of the terminal. */
  readonly columns?: number;
  /** Show every packet of a long trace. */
  readonly whole?: boolean;
}

/** How a verdict is called in reports. */
export const verdictNames: Readonly<Record<Verdict, string>> = {
  pass: 'passed',
  fail: 'failed',
  crash: 'crash',
  flaky: 'flaky',
  stale: 'stale',
  'non-strict': 'non-strict',
  'expected-failure': 'expected failure',
  info: 'info',
  'not-applicable': 'not applicable',
  'could-not-run': 'could not run',
};

/** The sign before a case. */
export const verdictSigns: Readonly<Record<Verdict, string>> = {
  pass: '✔',
  fail: '✖',
  crash: '✖',
  flaky: '✖',
  stale: '✖',
  'non-strict': '!',
  'expected-failure': '·',
  info: '·',
  'not-applicable': '·',
  'could-not-run': '?',
};

/** The requirement to name for a result: the first that is broken, else the first that the case judges. */
export function namedRequirement(info: CaseInfo, result: CaseResult): RequirementId | undefined {
  return result.finding?.requirements[0] ?? info.covers[0];
}

/** What happened, in one line. */
export function actually(result: CaseResult): string {
  const { reason, finding } = result;
  return clean(reason ?? finding?.actual ?? verdictNames[result.verdict]);
}

/** What happened; with the last output of a broker that ended it is more than one line. */
function whatHappened({ verdict, finding }: CaseResult): readonly string[] {
  if (!finding) return [];
  return verdict === 'crash' ? finding.actual.split('\n') : [finding.actual];
}

/** The command that runs this case again. */
export function reproduceCommand(id: string, targetOptions: string): string {
  return ['npx mqtt-conform', targetOptions, id].filter(Boolean).join(' ');
}

/** The whole explanation, as lines that can be pasted into a bug report. */
export function explain(info: CaseInfo, result: CaseResult, options: ExplanationOptions): string[] {
  const { paint = plain, targetOptions, columns, whole } = options;
  const broken = result.finding?.requirements ?? [];
  const named = namedRequirement(info, result);
  const facts: [string, string][] = [['case', clean(info.title)]];
  result.finding?.expected.forEach((outcome, index) => {
    facts.push(index === 0 ? ['expected', clean(outcome)] : ['', `or ${clean(outcome)}`]);
  });
  for (const [index, line] of whatHappened(result).entries()) {
    facts.push([index === 0 ? 'actual' : '', paint.red(clean(line))]);
  }
  if (result.reason && !sameStory(result.reason, result.finding?.actual)) {
    facts.push([verdictNames[result.verdict], clean(result.reason)]);
  }
  if (broken.length > 1) facts.push(['breaks too', broken.slice(1).join(', ')]);
  if (result.attempts > 1) facts.push(['attempts', String(result.attempts)]);
  if (result.baseline) {
    const { file, line, reason } = result.baseline;
    facts.push(['baseline', `${file}:${line}${reason ? ` ${clean(reason)}` : ''}`]);
  }
  const width = Math.max(9, ...facts.map(([label]) => label.length)) + 1;
  const fact = ([label, text]: [string, string]) => `  ${paint.dim(label.padEnd(width))}${text}`;
  return [
    heading(info, result, paint),
    ...(named ? [`  ${requirement(named).text}`] : []),
    ...facts.map(fact),
    ...dump(result.trace, { paint, ...(columns ? { columns } : {}), ...(whole ? { whole } : {}) }),
    fact(['reproduce', paint.bold(reproduceCommand(info.id, targetOptions))]),
  ];
}

function heading(info: CaseInfo, result: CaseResult, paint: Paint): string {
  const named = namedRequirement(info, result);
  const level = named ? requirement(named).level : info.strength;
  return [
    paintVerdict(result.verdict, paint)(`${verdictSigns[result.verdict]} ${info.id}`),
    ...(result.verdict === 'fail' ? [] : [verdictNames[result.verdict]]),
    `${paint.bold(level)} ${named ? `${named} (section ${requirement(named).section})` : ''}`.trimEnd(),
    duration(result.durationMs),
  ].join('   ');
}

/** Red for what fails the run, yellow for what is doubtful, green for what passed. */
export function paintVerdict(verdict: Verdict, paint: Paint): (text: string) => string {
  switch (verdict) {
    case 'pass':
      return paint.green;
    case 'fail':
    case 'crash':
    case 'flaky':
    case 'stale':
      return paint.red;
    case 'non-strict':
    case 'could-not-run':
      return paint.yellow;
    default:
      return paint.dim;
  }
}

function sameStory(reason: string, actual: string | undefined): boolean {
  return actual !== undefined && (reason === actual || actual.includes(reason));
}

/**
 * Explains results; of those that tell the same (verdict, requirement, actual outcome) only the first few, the others by id.
 * One list of lines for each explanation.
 */
export function explainAll(
  items: readonly Finished[],
  options: ExplanationOptions & { readonly perGroup: number },
): string[][] {
  const groups = groupBy(items, ({ info, result }) =>
    [result.verdict, namedRequirement(info, result), actually(result)].join('\n'),
  );
  return [...groups.values()].flatMap((group) => {
    const explained = group.slice(0, options.perGroup).map(({ info, result }) => explain(info, result, options));
    const rest = group.slice(options.perGroup).map(({ info }) => info.id);
    if (rest.length > 0) {
      explained.at(-1)?.push(`  the same in ${plural(rest.length, 'more case')}: ${enumerate(rest, 12)}`);
    }
    return explained;
  });
}
