/** What a run tells the world: a stream of plain, serialisable events. Every report is a function of them. */

import type { RequirementId, Strength, Version } from './spec/index.ts';

/**
 * The verdict on one case.
 * - `pass`
 * - `fail`: a MUST is broken
 * - `crash`: the broker is gone, no longer serves a new client, or closed every connection, after the case
 * - `non-strict`: a SHOULD is not followed, or the right outcome was reached by the less preferred way
 * - `info`: a MAY, recorded
 * - `not-applicable`: the broker said that it lacks the feature; outside the denominator
 * - `could-not-run`: it applies, and was not exercised; never counts as passed
 * - `expected-failure`: listed in the baseline, and still so
 * - `stale`: listed in the baseline, and no longer so
 * - `flaky`: attempts differ
 */
export type Verdict =
  | 'pass'
  | 'fail'
  | 'crash'
  | 'non-strict'
  | 'info'
  | 'not-applicable'
  | 'could-not-run'
  | 'expected-failure'
  | 'stale'
  | 'flaky';

/** A case as reports know it. */
export interface CaseInfo {
  /** `v3/3.8/reserved-flags-0000`: version, section, slug; unique and stable. */
  readonly id: string;
  readonly version: Version;
  /** The chapter that the case stands in, with its title: `3.8 SUBSCRIBE`. JUnit groups by it. */
  readonly chapter: string;
  /** The section, with its title: `3.1.2.10 Keep Alive`. */
  readonly section: string;
  readonly title: string;
  /** The strongest of the requirements that it covers. Only MUST cases gate the exit code. */
  readonly strength: Strength;
  readonly covers: readonly RequirementId[];
  readonly tags: readonly string[];
}

/** One thing that happened on a connection of a case. */
export interface WireEntry {
  /** Milliseconds since the case started. */
  readonly at: number;
  /** The connection: `client 1`, or the name that the case gave it. */
  readonly peer: string;
  readonly direction: 'sent' | 'received' | 'note';
  /** One line that a person reads: `SUBSCRIBE id=1 t/1 QoS 0`, `connection closed (RST)`. */
  readonly reading: string;
  /** The bytes in hex, upper case, no spaces; at most the first 256 bytes. Absent for notes. */
  readonly hex?: string;
  /** How many bytes there were. */
  readonly length?: number;
  /** The deviating bytes: offset and count, to be marked in the dump, and what is wrong with them. */
  readonly mark?: { readonly offset: number; readonly length: number; readonly text: string };
}

/** Why a case did not pass: everything that the explanation of a failure is made of. */
export interface Finding {
  /** The requirements that are broken (or, for could-not-run, none). The first is the one to name. */
  readonly requirements: readonly RequirementId[];
  /** Every outcome that would have been accepted. */
  readonly expected: readonly string[];
  readonly actual: string;
}

/** A choice of the broker where the standard leaves it open, or a measured figure: `['Keep Alive lateness', '2.4 s']`. */
export interface Trait {
  readonly name: string;
  readonly value: string;
}

export interface CaseResult {
  readonly case: string;
  readonly verdict: Verdict;
  /** One line; present unless the verdict is `pass`. */
  readonly reason?: string;
  readonly finding?: Finding;
  /** The baseline entry that decided the verdict: file, line and reason. */
  readonly baseline?: { readonly file: string; readonly line: number; readonly reason?: string };
  readonly traits: readonly Trait[];
  /** The packets of all connections; for a verdict other than `pass`, or when everything is traced. */
  readonly trace: readonly WireEntry[];
  readonly durationMs: number;
  /** How often the case ran. */
  readonly attempts: number;
}

/** What the broker can do, as found by probing before the run: name to `true`, or the reason why not. For one version of MQTT. */
export type Capabilities = Readonly<Record<string, true | string>>;

export type RunEvent =
  | {
      readonly type: 'run-started';
      /** ISO 8601. */
      readonly time: string;
      readonly tool: string;
      /** The URL of the target, without credentials, or `the reference broker`. */
      readonly target: string;
      readonly versions: readonly Version[];
      /** Makes the names of the run the same again (`--seed`). */
      readonly seed: string;
      readonly cases: readonly CaseInfo[];
      /** By version; absent for one that the broker does not speak. */
      readonly capabilities: Readonly<Partial<Record<Version, Capabilities>>>;
      /** How the broker answers clients of a version that it does not speak, where cases of both were selected. */
      readonly notSpoken?: Readonly<Partial<Record<Version, string>>>;
      /** Why there is no verdict on a version, which the broker neither serves nor refuses. */
      readonly unjudged?: Readonly<Partial<Record<Version, string>>>;
      /** Options that reproduce the target on a command line: `-t localhost:1883`; empty for the reference broker. */
      readonly targetOptions: string;
      readonly baseline?: { readonly file: string; readonly entries: number };
    }
  /** `atMs`: milliseconds since the run started. */
  | { readonly type: 'case-started'; readonly case: string; readonly atMs: number }
  | { readonly type: 'case-finished'; readonly result: CaseResult }
  | {
      readonly type: 'run-finished';
      readonly durationMs: number;
      /** Why there is no verdict on some or all cases: target unreachable or lost, interrupted, time is up. */
      readonly problem?: string;
      /** The process exit code that follows from the run. */
      readonly exitCode: ExitCode;
    };

/** 0 conformant, 1 not conformant, 2 usage, 3 no verdict, 70 a fault of this tool, 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 70 | 130;

/** How many cases ended in each verdict. */
export type Counts = Readonly<Record<Verdict, number>>;

export const verdicts: readonly Verdict[] = [
  'pass',
  'fail',
  'crash',
  'flaky',
  'stale',
  'non-strict',
  'expected-failure',
  'info',
  'not-applicable',
  'could-not-run',
];

/** Counts results by verdict. */
export function count(results: Iterable<CaseResult>): Counts {
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<Verdict, number>;
  for (const { verdict } of results) counts[verdict]++;
  return counts;
}

/** Verdicts that make the exit code 1. */
const notConformant: ReadonlySet<Verdict> = new Set(['fail', 'crash', 'flaky', 'stale']);

/**
 * The exit code of a run whose target answered: 1 before 3 before 0.
 * A MUST case that could not run leaves no verdict, and so does a run in which no MUST case ran at all.
 */
export function exitCodeOf(cases: readonly CaseInfo[], results: ReadonlyMap<string, CaseResult>): 0 | 1 | 3 {
  let exercised = 0;
  let unjudged = 0;
  for (const info of cases) {
    const verdict = results.get(info.id)?.verdict ?? 'could-not-run';
    if (notConformant.has(verdict)) return 1;
    if (info.strength !== 'MUST' || verdict === 'not-applicable') continue;
    if (verdict === 'could-not-run') unjudged++;
    else exercised++;
  }
  return unjudged > 0 || exercised === 0 ? 3 : 0;
}
