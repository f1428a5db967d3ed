/** What a fuzz run tells the world: plain events. Every report is a function of them. */

import type { ExitCode, WireEntry } from '../harness/events.ts';
import type { Version } from '../harness/spec/index.ts';
import type { Kind } from './generate.ts';
import type { Difference } from './oracle/difference.ts';
import type { Finding } from './record.ts';
import type { Script } from './script.ts';

/**
 * How sure a finding is: it came again each time; only sometimes; or never again, so it says little about the broker. A crash from which the
 * target did not come back could not be tried again; one that its process tells of has happened (seen once), whatever case did it; what shows
 * over a whole run (memory) is not of one case.
 */
export type Certainty = 'confirmed' | 'flaky' | 'not reproduced' | 'not repeatable' | 'seen once' | 'not tried';

/** Where a script came from. */
export interface Origin {
  readonly from: 'generated' | 'bred' | 'corpus' | 'replayed';
  /** Number of the case in its run. */
  readonly index: number;
  readonly kind?: Kind;
  /** The entry of the corpus. */
  readonly name?: string;
}

/** A finding with all that is needed to see it again. It is what the file of a finding holds. */
export interface Discovery {
  /** Short, of a-z, 0-9 and `-`; the same for the same cause. */
  readonly id: string;
  readonly finding: Finding;
  readonly certainty: Certainty;
  /** How many cases of the run showed it. */
  readonly cases: number;
  readonly seed: string;
  readonly origin: Origin;
  readonly target: string;
  readonly tool: string;
  /** The smallest script that shows it, as far as it was made smaller. */
  readonly script: Script;
  /** The script that showed it first, if another. */
  readonly original?: Script;
  /** Another broker that shows the same: then it is more likely a matter of reading the standard than a fault. */
  readonly sharedWith?: string;
  /** How another broker takes the same script, where it does something else. */
  readonly elsewhere?: Difference;
  /** Other scripts that may be to blame, the likelier first: where a target died while several were at work. */
  readonly suspects?: readonly Script[];
  /** What happened, packet by packet, with the place of the finding marked. */
  readonly trace: readonly WireEntry[];
  /** Where it was saved. */
  readonly file?: string;
}

export interface FuzzCounts {
  readonly cases: number;
  readonly packets: number;
  readonly corpus: number;
  /** Different reactions that were seen. */
  readonly reactions: number;
  readonly findings: number;
  /** Milliseconds since the first case. */
  readonly elapsedMs: number;
}

export type FuzzEvent =
  | {
      readonly type: 'fuzz-started';
      /** ISO 8601. */
      readonly time: string;
      readonly tool: string;
      readonly target: string;
      /** Options that name the target on a command line. */
      readonly targetOptions: string;
      readonly seed: string;
      readonly versions: readonly Version[];
      /** `FIN`, or `PINGREQ` where the target does not answer what came before a FIN. */
      readonly fence: 'FIN' | 'PINGREQ';
      readonly oracles: readonly Finding['oracle'][];
      /** Cases of the regression corpus and of the user's, that come first. */
      readonly corpus: number;
      readonly runs?: number;
      readonly maxTimeMs?: number;
    }
  | { readonly type: 'fuzz-progress'; readonly counts: FuzzCounts; readonly doing?: string }
  /** Something the user should know: an unreadable corpus file, a full disk, a target that was restarted. One line. */
  | { readonly type: 'fuzz-warning'; readonly text: string }
  /** A finding of a new kind, confirmed and made smaller as far as it went. */
  | { readonly type: 'finding'; readonly discovery: Discovery }
  | {
      readonly type: 'fuzz-finished';
      readonly counts: FuzzCounts;
      readonly discoveries: readonly Discovery[];
      /** Why it ended before its time: target unreachable or lost, interrupted. */
      readonly problem?: string;
      readonly exitCode: ExitCode;
    };

/**
 * Whether a finding makes the exit code 1: the standard is broken or the broker is gone, and it is no single chance. What is missing only
 * sometimes may only have been late.
 */
export function gates({ finding, certainty }: Discovery): boolean {
  if (finding.unclear || certainty === 'not reproduced') return false;
  return !(certainty === 'flaky' && finding.oracle === 'history');
}
