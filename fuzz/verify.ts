/** Makes sure of a finding: plays its script again, looks for the smallest one that still shows it, and asks another broker. */

import { Unreachable } from '../harness/errors.ts';
import type { Discovery } from './events.ts';
import { fingerprint, traceOf } from './finding.ts';
import { judgeAll } from './judge.ts';
import { differenceOf } from './oracle/difference.ts';
import { historyAfter, settled } from './oracle/history.ts';
import { play, type Stage } from './play.ts';
import type { Finding, Oracle, Recording } from './record.ts';
import type { Script } from './script.ts';
import { sweep } from './sweep.ts';

/** A second target to hold a finding against. */
export interface Other {
  readonly name: string;
  readonly stage: Stage;
}

export interface VerifyOptions {
  readonly stage: Stage;
  readonly against?: Other;
  /** Whether to come to an end: interrupted, or no time is left. */
  isHurried(): boolean;
}

const attempts = 5;
const minimiseMs = 8_000;
/** A broker may hand a message on after it has answered what came behind it; nothing tells when, so time has to. */
const patienceMs = 1_000;

/** What a finding is looked for with: the script to play, and the oracle to ask. */
interface Look {
  readonly script: (script: Script) => Script;
  readonly oracle: Oracle;
}

const asFound: Look = { script: (script) => script, oracle: judgeAll };
const patiently: Look = { script: (script) => settled(script, patienceMs), oracle: historyAfter(patienceMs / 2) };

function lookOf({ kind }: Finding): Look {
  return kind.startsWith('lost') ? patiently : asFound;
}

/** The finding of a single play: unclear if it may only have been late, and a play that waits longer does not show it. */
export async function patient(finding: Finding, script: Script, stage: Stage): Promise<Finding> {
  const look = lookOf(finding);
  if (look === asFound || (await shows(fingerprint(finding), script, stage, look))) return finding;
  return { ...finding, unclear: true };
}

/** The same discovery with how sure it is, its smallest script and the trace of that. */
export async function verify(discovery: Discovery, { stage, against, isHurried }: VerifyOptions): Promise<Discovery> {
  const { id, script, finding } = discovery;
  const look = lookOf(finding);
  let seen = 0;
  let tried = 0;
  let last: Seen | undefined;
  while (tried < attempts && !(tried === 2 && seen !== 1) && !(tried > 0 && isHurried())) {
    const again = await shows(id, script, stage, look);
    tried++;
    if (again) seen++;
    last = again ?? last;
  }
  if (!last) return discovery;
  const sure = { ...discovery, certainty: seen === tried ? ('confirmed' as const) : ('flaky' as const) };
  const small = await smaller(sure, stage, isHurried, look);
  const final = small === script ? last : ((await shows(id, small, stage, look)) ?? last);
  const shown = final.recording.script;
  const elsewhere = against && (await otherwise(id, final.recording, against, look));
  return {
    ...sure,
    // The standard cannot be so hard that two brokers fail it in the same way, unless this tool reads it wrongly.
    finding: elsewhere?.isShared ? { ...final.finding, unclear: true } : final.finding,
    script: shown,
    ...(shown !== script && { original: script }),
    ...(elsewhere?.isShared && against && { sharedWith: against.name }),
    ...(elsewhere?.difference && { elsewhere: elsewhere.difference }),
    trace: traceOf(final.recording, final.finding),
  };
}

/** What another target does on the same script: the same fault, or something else. */
async function otherwise(id: string, here: Recording, { name, stage }: Other, look: Look) {
  try {
    const there = await play(here.script, stage);
    await sweep(there, stage);
    const isShared = look.oracle(there).some((each) => fingerprint(each) === id);
    return { isShared, difference: isShared ? undefined : differenceOf(here, there, name) };
  } catch (error) {
    if (error instanceof Unreachable) return undefined;
    throw error;
  }
}

interface Seen {
  readonly finding: Finding;
  readonly recording: Recording;
}

/** The smallest script that is still so, as far as one gets. */
export async function smallest(script: Script, isSo: (candidate: Script) => Promise<boolean>): Promise<Script> {
  const { minimise } = await import('./minimise.ts');
  return (await minimise(script, isSo)).script;
}

async function smaller({ id, script }: Discovery, stage: Stage, isHurried: () => boolean, look: Look): Promise<Script> {
  const endMs = performance.now() + minimiseMs;
  const isOver = () => isHurried() || performance.now() > endMs;
  // Once the time is up nothing shows it any more, so that the search ends at once.
  const stillShows = async (candidate: Script) => !isOver() && (await shows(id, candidate, stage, look)) !== undefined;
  return smallest(script, stillShows);
}

/** Plays a script; what it shows of this finding, if it does. The recording has the script as it was played: it shows the finding by itself. */
export async function shows(id: string, script: Script, stage: Stage, look: Look = asFound): Promise<Seen | undefined> {
  try {
    const recording = await play(look.script(script), stage);
    await sweep(recording, stage);
    const finding = look.oracle(recording).find((each) => fingerprint(each) === id);
    return finding && { finding, recording };
  } catch (error) {
    if (error instanceof Unreachable) return undefined;
    throw error;
  }
}
