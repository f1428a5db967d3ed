/** Folds the events of a fuzz run into one report. */

import type { Discovery, FuzzEvent } from '../events.ts';

export interface FuzzReport {
  readonly started?: Extract<FuzzEvent, { type: 'fuzz-started' }>;
  readonly finished?: Extract<FuzzEvent, { type: 'fuzz-finished' }>;
  readonly discoveries: readonly Discovery[];
  readonly warnings: readonly string[];
}

/** The end knows all findings; a log that is cut off has those that were told before. */
export function foldFuzz(events: Iterable<FuzzEvent>): FuzzReport {
  let started: FuzzReport['started'];
  let finished: FuzzReport['finished'];
  const told: Discovery[] = [];
  const warnings: string[] = [];
  for (const event of events) {
    if (event.type === 'fuzz-started') started = event;
    if (event.type === 'fuzz-finished') finished = event;
    if (event.type === 'finding') told.push(event.discovery);
    if (event.type === 'fuzz-warning') warnings.push(event.text);
  }
  return {
    ...(started && { started }),
    ...(finished && { finished }),
    discoveries: finished?.discoveries ?? told,
    warnings,
  };
}
