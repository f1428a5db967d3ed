/** Waiting for a target that does not serve any more. A broker that this tool started is started again. */

import type { BrokerProcess, End } from '../harness/broker-process.ts';
import type { Version } from '../harness/spec/index.ts';
import { lookForLife } from './oracle/alive.ts';
import { hasty, type Stage } from './play.ts';

export interface Lost {
  readonly stage: Stage;
  readonly version: Version | undefined;
  /** Why it does not serve, as far as a client sees. */
  readonly why: string;
  /** The broker, if this tool started it. */
  readonly process?: BrokerProcess;
  isInterrupted(): boolean;
}

export interface Comeback {
  readonly isBack: boolean;
  /** How the process ended meanwhile; undefined where there is none, or it went on. */
  readonly end?: End;
}

/** How long a target that is gone is waited for, at the most; less where answers are expected sooner. */
const returnMs = 10_000;
const answersToReturn = 5;
const lookEveryMs = 100;
/** A port may be taken for a moment after the end of who listened on it. */
const startsAtMost = 3;

/** A lack of ports or files on this machine: no fault of the target, and it passes. */
export function isOfThisMachine(why: string): boolean {
  return /EADDRNOTAVAIL|EMFILE|ENFILE/.test(why);
}

/** Waits until the target serves. A process that ended is started again, and one that hangs is killed before. */
export async function comeBack(lost: Lost): Promise<Comeback> {
  const { process, stage, why } = lost;
  if (await serves(lost, Math.min(returnMs, answersToReturn * stage.timeoutMs))) return { isBack: true };
  if (!process || lost.isInterrupted() || (!process.end && isOfThisMachine(why))) return { isBack: false };
  const end = await process.kill();
  for (let starts = 0; starts < startsAtMost; starts++) {
    if (!(await process.restart())) break;
    if (await serves(lost, process.readyMs)) return { isBack: true, ...(end && { end }) };
    if (!process.end || lost.isInterrupted()) break;
    await pause();
  }
  return { isBack: false, ...(end && { end }) };
}

/** Whether it serves within this time; that of a process is up when it ends. */
async function serves({ stage, version, process, isInterrupted }: Lost, withinMs: number): Promise<boolean> {
  const endMs = performance.now() + withinMs;
  while (performance.now() < endMs && !isInterrupted() && !process?.end) {
    if ((await lookForLife(hasty(stage), version)) === undefined) return true;
    await pause();
  }
  return false;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, lookEveryMs));
}
