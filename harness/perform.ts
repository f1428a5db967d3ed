/** One case, once or with retries: from its body to its verdict. */

import type { Case } from './case.ts';
import { CouldNotRun, NotApplicable, Unreachable, Violation } from './errors.ts';
import type { CaseInfo, CaseResult, Finding, Verdict } from './events.ts';
import type { Scene, Stage } from './scene.ts';
import { requirement, type Strength, strengthOf, type Version } from './spec/index.ts';

/** A case in one version of the protocol. */
export interface Performable {
  readonly info: CaseInfo;
  readonly case: Case;
  readonly version: Version;
}

/** How one attempt ended. */
export interface Ending {
  readonly scene: Scene;
  readonly verdict: Verdict;
  readonly reason?: string;
  readonly finding?: Finding;
  /** Set when the tool itself is at fault. */
  readonly fault?: unknown;
}

/** Runs the body of a case in its scene, and cleans up behind it. Never rejects. */
export async function perform(stage: Stage, each: Performable, scene: Scene): Promise<Ending> {
  const budgetMs = 3 * stage.timeoutMs + 2 * (each.case.waits ?? 0) * 1000 + 2 * stage.toleranceMs;
  let ending: Ending;
  try {
    await within(stage, budgetMs, each.case.run(scene));
    ending = scene.violation ? judged(scene, each.info, scene.violation) : passed(scene, each.info);
  } catch (error) {
    // A broken rule explains whatever else went wrong after it.
    ending = judged(scene, each.info, scene.violation ?? error);
  }
  await within(stage, stage.timeoutMs, scene.cleanUp()).catch(() => undefined);
  return ending;
}

function passed(scene: Scene, info: CaseInfo): Ending {
  if (scene.softReason !== undefined) {
    return { scene, verdict: info.strength === 'MAY' ? 'info' : 'non-strict', reason: scene.softReason };
  }
  if (info.strength === 'MAY') {
    return {
      scene,
      verdict: 'info',
      reason: scene.traits.map(({ name, value }) => `${name}: ${value}`).join('; ') || 'as permitted',
    };
  }
  return { scene, verdict: 'pass' };
}

function judged(scene: Scene, info: CaseInfo, error: unknown): Ending {
  if (error instanceof NotApplicable) return { scene, verdict: 'not-applicable', reason: error.message };
  if (error instanceof CouldNotRun || error instanceof Unreachable) {
    return { scene, verdict: 'could-not-run', reason: error.message };
  }
  if (!(error instanceof Violation)) {
    const reason = error instanceof Error ? `a fault of mqtt-conform: ${error.message}` : String(error);
    return { scene, verdict: 'could-not-run', reason, fault: error };
  }
  const requirements = error.requirements.length > 0 ? error.requirements : info.covers;
  const strengths = error.requirements.map((id) => strengthOf(requirement(id).level));
  return {
    scene,
    verdict: weight(strengths.length > 0 ? strongest(strengths) : info.strength),
    reason: error.actual,
    finding: { requirements, expected: error.expected, actual: error.actual },
  };
}

function weight(strength: Strength): Verdict {
  return strength === 'MUST' ? 'fail' : strength === 'SHOULD' ? 'non-strict' : 'info';
}

/** The strongest of several strengths. */
export function strongest(strengths: readonly Strength[]): Strength {
  return strengths.includes('MUST') ? 'MUST' : strengths.includes('SHOULD') ? 'SHOULD' : 'MAY';
}

/** Settles as `work` does, or rejects with CouldNotRun when the budget is used up. */
async function within<T>(stage: Stage, budgetMs: number, work: Promise<T>): Promise<T> {
  let cancel: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = stage.clock.after(budgetMs, () =>
      reject(new CouldNotRun(`the case did not end within its ${Math.round(budgetMs / 1000)} s`)),
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel?.();
    work.catch(() => undefined);
  }
}

/** The result that reports see. */
export function resultOf(
  info: CaseInfo,
  ending: Ending,
  durationMs: number,
  attempts: number,
  traceAll: boolean,
): CaseResult {
  const { scene, verdict, reason, finding } = ending;
  return {
    case: info.id,
    verdict,
    ...(reason !== undefined && { reason }),
    ...(finding && { finding }),
    traits: scene.traits,
    trace: verdict === 'pass' && !traceAll ? [] : scene.trace,
    durationMs,
    attempts,
  };
}
