/** Folds the events of a run into one report: what was to run, what came out, how it ended. */

import type { CaseInfo, CaseResult, RunEvent } from '../events.ts';

export type RunStarted = Extract<RunEvent, { type: 'run-started' }>;
export type RunFinished = Extract<RunEvent, { type: 'run-finished' }>;

/** A run as far as its events tell. */
export interface Report {
  /** Absent if the run ended before it began. */
  readonly started?: RunStarted;
  readonly cases: readonly CaseInfo[];
  /** By case id. */
  readonly results: ReadonlyMap<string, CaseResult>;
  /** By case id: milliseconds from the start of the run to the start of the case. */
  readonly startedAt: ReadonlyMap<string, number>;
  /** Absent if the log is cut off. */
  readonly finished?: RunFinished;
}

/** A case that has come to an end. */
export interface Finished {
  readonly info: CaseInfo;
  readonly result: CaseResult;
}

/** Folds events; later ones win. */
export function fold(events: Iterable<RunEvent>): Report {
  let started: RunStarted | undefined;
  let finished: RunFinished | undefined;
  const results = new Map<string, CaseResult>();
  const startedAt = new Map<string, number>();
  for (const event of events) {
    switch (event.type) {
      case 'run-started':
        started = event;
        break;
      case 'case-started':
        startedAt.set(event.case, event.atMs);
        break;
      case 'case-finished':
        results.set(event.result.case, event.result);
        break;
      case 'run-finished':
        finished = event;
        break;
    }
  }
  return {
    ...(started ? { started } : {}),
    cases: started?.cases ?? [],
    results,
    startedAt,
    ...(finished ? { finished } : {}),
  };
}

/** The cases that have a result, in the order of the standard. */
export function finishedCases({ cases, results }: Report): Finished[] {
  return cases.flatMap((info) => {
    const result = results.get(info.id);
    return result ? [{ info, result }] : [];
  });
}

/** Groups by a key, in the order of first appearance. */
export function groupBy<T>(items: Iterable<T>, key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}
