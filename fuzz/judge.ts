/** All oracles that judge a single play. */

import { hanging } from './oracle/alive.ts';
import { history } from './oracle/history.ts';
import { standard } from './oracle/standard.ts';
import type { Finding, Oracle, Recording } from './record.ts';

const oracles: readonly Oracle[] = [hanging, standard, demanded(history)];

/** What any of them finds. */
export function judgeAll(recording: Recording): readonly Finding[] {
  return oracles.flatMap((oracle) => oracle(recording));
}

/** A rule that the version of the client does not have names no requirement, and is none. */
function demanded(oracle: Oracle): Oracle {
  return (recording) => oracle(recording).filter(({ requirements }) => requirements.length > 0);
}
