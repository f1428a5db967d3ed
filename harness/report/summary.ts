/** What a whole run comes to: counts, totals by level, traits, reasons, the final line. */

import { neverRan } from '../baseline.ts';
import {
  type Capabilities,
  type CaseInfo,
  type CaseResult,
  type Counts,
  count,
  type RunEvent,
  type Verdict,
} from '../events.ts';
import { type Strength, type Version, versionName } from '../spec/index.ts';
import { verdictNames } from './explanation.ts';
import { type Finished, finishedCases, groupBy, type Report } from './fold.ts';
import { clean, plural } from './text.ts';

type RunStarted = Extract<RunEvent, { type: 'run-started' }>;

/** How the cases of one strength ended. */
export interface Total {
  readonly strength: Strength;
  /** Applicable: all but those that the broker said it lacks. */
  readonly applicable: number;
  readonly passed: number;
}

/** Cases passed of those that apply, for each strength that any case has. */
export function totals(report: Report): Total[] {
  return (['MUST', 'SHOULD', 'MAY'] as const).flatMap((strength) => {
    const own = report.cases.filter((info) => info.strength === strength);
    const applicable = own.filter((info) => report.results.get(info.id)?.verdict !== 'not-applicable');
    // A MAY has no wrong outcome: recorded is as good as passed.
    const passed = applicable.filter((info) => ['pass', 'info'].includes(report.results.get(info.id)?.verdict ?? ''));
    return own.length > 0 ? [{ strength, applicable: applicable.length, passed: passed.length }] : [];
  });
}

/** How cases ended; `left` counts those that the end of the run left over. */
export interface Tally {
  readonly counts: Counts;
  readonly left: number;
}

/** Counts how cases ended. One that was never tried is left over, whatever the log says of it. */
export function tally({ cases, results }: Report, infos: readonly CaseInfo[] = cases): Tally {
  const tried = infos.flatMap((info) => results.get(info.id) ?? []).filter((result) => !neverRan(result));
  return { counts: count(tried), left: infos.length - tried.length };
}

/** `130 passed, 3 failed, 2 could not run`: the verdicts that occur. */
export function countLine({ counts, left }: Tally): string {
  return countRows({ counts, left })
    .map(([name, number]) => `${number} ${name}`)
    .join(', ');
}

/** Names and numbers of the verdicts that occur, and of what is left over. */
export function countRows({ counts, left }: Tally): [name: string, number: number][] {
  const rows = Object.entries(counts).map(([verdict, number]): [string, number] => [
    verdictNames[verdict as Verdict],
    number,
  ]);
  return [...rows, ['not run', left] as [string, number]].filter(([, number]) => number > 0);
}

/** The broker's traits: figures as a range, choices with how often each was seen. */
export function traits(report: Report): { name: string; value: string }[] {
  const all = finishedCases(report).flatMap(({ result }) => result.traits);
  const groups = groupBy(all, (trait) => trait.name);
  return [...groups].map(([name, group]) => ({
    name: clean(name),
    value: aggregate(group.map((trait) => clean(trait.value))),
  }));
}

function aggregate(values: readonly string[]): string {
  const figures = values.map((value) => /^(-?\d+(?:\.\d+)?)(.*)$/.exec(value));
  const units = new Set(figures.map((figure) => figure?.[2]));
  if (figures.every((figure) => figure !== null) && units.size === 1) {
    const sorted = [...values].sort((a, b) => Number.parseFloat(a) - Number.parseFloat(b));
    const [least, most] = [sorted.at(0), sorted.at(-1)];
    return least === most ? `${least}` : `${least} to ${most} (${plural(values.length, 'time')})`;
  }
  const groups = [...groupBy(values, (value) => value)].sort(([, a], [, b]) => b.length - a.length);
  if (groups.length === 1) return `${values[0]}`;
  return groups.map(([value, { length }]) => `${value} (${plural(length, 'time')})`).join(', ');
}

/** Why cases with this verdict did not count, the most frequent reason first. */
export function reasons(report: Report, verdict: Verdict): { reason: string; cases: string[] }[] {
  const own = finishedCases(report).filter(({ result }) => result.verdict === verdict && !neverRan(result));
  const groups = groupBy(own, ({ result }) => clean(result.reason ?? 'no reason given'));
  return [...groups]
    .map(([reason, group]) => ({ reason, cases: group.map(({ info }) => info.id) }))
    .sort((a, b) => b.cases.length - a.cases.length);
}

/** The cases that took longest. */
export function slowest(report: Report, limit = 3): Finished[] {
  return finishedCases(report)
    .filter(({ result }) => result.attempts > 0)
    .sort((a, b) => b.result.durationMs - a.result.durationMs)
    .slice(0, limit);
}

/** Whether a result needs to be explained: it fails the run, leaves it without verdict, or breaks a SHOULD. */
export function needsExplanation(info: CaseInfo, result: CaseResult): boolean {
  switch (result.verdict) {
    case 'fail':
    case 'crash':
    case 'flaky':
    case 'stale':
    case 'non-strict':
      return true;
    case 'could-not-run':
      // What was never tried is explained once, by the end of the run.
      return info.strength === 'MUST' && !neverRan(result);
    default:
      return false;
  }
}

/** Whether a result stands in the way of exit code 0. */
export function gates(info: CaseInfo, result: CaseResult): boolean {
  return result.verdict !== 'non-strict' && needsExplanation(info, result);
}

/** The last line of every report: conformant, not conformant, or no verdict, and why. */
export function verdictLine(report: Report): { readonly conformant: boolean; readonly text: string } {
  const { finished } = report;
  const { counts, left } = tally(report);
  // The problem of a fault is a whole stack.
  const problem = finished?.problem ? clean(finished.problem.split('\n')[0] ?? '') : undefined;
  const also = problem ? `; ${problem}` : '';
  switch (finished?.exitCode) {
    case 0:
      return { conformant: true, text: `${conformance(report, counts)}${also}` };
    case 1:
      return { conformant: false, text: `not conformant: ${broken(counts) || 'see above'}${also}` };
    case 130:
      return { conformant: false, text: `no verdict: ${problem ?? 'interrupted'}${afterwards(report, counts, left)}` };
    case 70:
      return { conformant: false, text: `no verdict: ${problem ?? 'a fault of mqtt-conform itself'}` };
    case undefined:
      return { conformant: false, text: 'no verdict: the run did not finish' };
    default:
      return {
        conformant: false,
        text: `no verdict: ${problem ? `${problem}${afterwards(report, counts, left)}` : unjudged(report)}`,
      };
  }
}

function conformance(report: Report, counts: Counts): string {
  const known = counts['expected-failure'];
  const applicable = totals(report).reduce((sum, total) => sum + total.applicable, 0);
  const but = known > 0 ? ` but for ${plural(known, 'known finding')} (see the baseline)` : '';
  const weak = counts['non-strict'] > 0 ? `, ${counts['non-strict']} non-strict` : '';
  return `conformant${but}: ${plural(applicable, 'applicable case')}, no unexpected failure${weak}`;
}

function broken(counts: Counts): string {
  return [
    counts.fail > 0 ? `${counts.fail} failed` : '',
    counts.crash > 0 ? plural(counts.crash, 'crash', 'crashes') : '',
    counts.flaky > 0 ? `${counts.flaky} flaky` : '',
    counts.stale > 0 ? plural(counts.stale, 'stale baseline entry', 'stale baseline entries') : '',
  ]
    .filter(Boolean)
    .join(', ');
}

function unjudged(report: Report): string {
  const must = report.cases.filter((info) => info.strength === 'MUST');
  const missed = must.filter((info) => (report.results.get(info.id)?.verdict ?? 'could-not-run') === 'could-not-run');
  if (missed.length > 0) return `${missed.length} of ${plural(must.length, 'MUST case')} could not run`;
  return must.length > 0 ? 'no MUST case applies to this broker' : 'no MUST case is selected';
}

function afterwards(report: Report, counts: Counts, left: number): string {
  const bad = broken(counts);
  const notes = [
    bad ? `so far ${bad}` : '',
    left > 0 ? `${left} of ${plural(report.cases.length, 'case')} not run` : '',
  ];
  const told = notes.filter(Boolean).join(', ');
  return told ? ` (${told})` : '';
}

/** What the target lacks, said once for both versions where it lacks it in both for the same reason. */
export function lacks({ capabilities }: RunStarted): readonly { readonly name: string; readonly why: string }[] {
  const found = new Map<string, { name: string; why: string; versions: Version[] }>();
  for (const [version, own] of Object.entries(capabilities) as [Version, Capabilities][]) {
    for (const [name, why] of Object.entries(own)) {
      if (why === true) continue;
      const row = found.get(`${name} ${why}`) ?? { name, why, versions: [] };
      row.versions.push(version);
      found.set(`${name} ${why}`, row);
    }
  }
  const judged = Object.keys(capabilities).length;
  return [...found.values()].map(({ name, why, versions }) => ({
    name,
    why: versions.length < judged ? `${why} (${versions.map(versionName).join(', ')})` : why,
  }));
}

/** One line for each version that the target does not speak: how it refuses it, or what it does instead. */
export function notSpokenLines({ notSpoken = {}, unjudged = {} }: RunStarted): readonly string[] {
  const lines = (told: typeof notSpoken, words: string) =>
    (Object.entries(told) as [Version, string][]).map(
      ([version, how]) => `  ${versionName(version)} ${words}: ${clean(how)}`,
    );
  return [...lines(notSpoken, 'is not spoken'), ...lines(unjudged, 'cannot be judged')];
}
