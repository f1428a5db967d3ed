/** What the deep oracles have in common: how a broken rule is said in the terms of the version that it was broken in. */

import type { RequirementId, Version } from '../../harness/spec/index.ts';
import { caseName, type Finding } from '../record.ts';

/** The requirements that a rule goes back to, in each version. Where a version does not demand it the list is empty. */
export type Rule = Readonly<Record<Version, readonly RequirementId[]>>;

/** A finding of the history oracle. `kind` is short and without names that vary. */
export function broken(
  kind: string,
  { rule, version }: { readonly rule: Rule; readonly version: Version },
  { expected, actual, at }: { readonly expected: string; readonly actual: string; readonly at?: number | undefined },
): Finding {
  const found: Finding = { oracle: 'history', requirements: rule[version], expected: [expected], actual, kind };
  return at === undefined ? found : { ...found, at };
}

/** Whether a name is of this case alone; others may be used by other cases at the same time. */
export function isOurs(name: string): boolean {
  return name.includes(caseName);
}

/** A text for people: short, and readable whatever is in it. */
export function shown(text: string): string {
  const short = text.length > 40 ? `${text.slice(0, 40)}… (${text.length} characters)` : text;
  return JSON.stringify(short);
}
