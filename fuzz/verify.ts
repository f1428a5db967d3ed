/** Makes sure of a finding: plays its script again, and looks for the smallest one that still shows it. */

import { Unreachable } from '../harness/errors.ts';
import type { Discovery } from './events.ts';
import { fingerprint, traceOf } from './finding.ts';
import { judgeAll } from './judge.ts';
import { play, type Stage } from './play.ts';
import type { Finding, Recording } from './record.ts';
import type { Script } from './script.ts';
import { sweep } from './sweep.ts';

export interface VerifyOptions {
  readonly stage: Stage;
  /** Whether to come to an end: interrupted, or no time is left. */
  isHurried(): boolean;
}

const attempts = 5;
const minimiseMs = 8_000;

/** The same discovery with how sure it is, its smallest script and the trace of that. */
export async function verify(discovery: Discovery, { stage, isHurried }: VerifyOptions): Promise<Discovery> {
  const { id, script } = discovery;
  let seen = 0;
  let last: Seen | undefined;
  for (let attempt = 0; attempt < attempts && !isHurried(); attempt++) {
    const again = await shows(id, script, stage);
    if (again) {
      seen++;
      last = again;
    }
    if (attempt === 1 && seen === 2) break;
  }
  if (!last) return discovery;
  const sure = {
    ...discovery,
    certainty: seen >= 2 && seen >= attempts - 3 ? ('confirmed' as const) : ('flaky' as const),
  };
  const smallest = await smaller(sure, stage, isHurried);
  const final = smallest === script ? last : ((await shows(id, smallest, stage)) ?? last);
  return {
    ...sure,
    finding: final.finding,
    script: final.recording.script,
    ...(final.recording.script !== script && { original: script }),
    trace: traceOf(final.recording, final.finding),
  };
}

interface Seen {
  readonly finding: Finding;
  readonly recording: Recording;
}

async function smaller({ id, script }: Discovery, stage: Stage, isHurried: () => boolean): Promise<Script> {
  const { minimise } = await import('./minimise.ts');
  const endMs = performance.now() + minimiseMs;
  const isOver = () => isHurried() || performance.now() > endMs;
  // Once the time is up nothing shows it any more, so that the search ends at once.
  const stillShows = async (candidate: Script) => !isOver() && (await shows(id, candidate, stage)) !== undefined;
  return (await minimise(script, stillShows)).script;
}

/** Plays a script; what it shows of this finding, if it does. */
export async function shows(id: string, script: Script, stage: Stage): Promise<Seen | undefined> {
  try {
    const recording = await play(script, stage);
    await sweep(recording, stage);
    const finding = judgeAll(recording).find((each) => fingerprint(each) === id);
    return finding && { finding, recording };
  } catch (error) {
    if (error instanceof Unreachable) return undefined;
    throw error;
  }
}
