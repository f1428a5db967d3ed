/** The ways in which a case, a run or a command can end early. */

import type { RequirementId } from './spec/index.ts';

/** The user asked for something that can't be: one clear line, exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The broker did something that no accepted outcome covers: the case fails. */
export class Violation extends Error {
  override name = 'Violation';
  readonly expected: readonly string[];
  readonly actual: string;
  /** What is broken, where it is not simply what the case covers (a watch rule, say). */
  readonly requirements: readonly RequirementId[];

  constructor(expected: string | readonly string[], actual: string, requirements: readonly RequirementId[] = []) {
    super(actual);
    this.expected = typeof expected === 'string' ? [expected] : expected;
    this.actual = actual;
    this.requirements = requirements;
  }
}

/** The set-up of a case did not work: nothing was judged. */
export class CouldNotRun extends Error {
  override name = 'CouldNotRun';
}

/** The broker lacks what the case is about, and may. */
export class NotApplicable extends Error {
  override name = 'NotApplicable';
}

/** No network connection to the target could be made. */
export class Unreachable extends Error {
  override name = 'Unreachable';
}
