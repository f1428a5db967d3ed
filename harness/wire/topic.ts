/** The syntax of Topic Names and Topic Filters beyond their being text (section 4.7). */

import type { RequirementId, Version } from '../spec/index.ts';

const rules = {
  v3: {
    empty: ['v3/4.7.3-1'],
    zero: ['v3/4.7.3-2'],
    tooLong: ['v3/4.7.3-3'],
    wildcardInName: ['v3/3.3.2-2', 'v3/4.7.1-1'],
    multiLevel: ['v3/4.7.1-2'],
    singleLevel: ['v3/4.7.1-3'],
  },
  v5: {
    empty: ['v5/4.7.3-1'],
    zero: ['v5/4.7.3-2'],
    tooLong: ['v5/4.7.3-3'],
    wildcardInName: ['v5/3.3.2-2', 'v5/4.7.0-1'],
    multiLevel: ['v5/4.7.1-1'],
    singleLevel: ['v5/4.7.1-2'],
  },
} as const satisfies Record<Version, Record<string, readonly RequirementId[]>>;

/** What a Topic Name breaks, or `undefined`: at least one character, no U+0000, no wildcards. */
export function checkTopicName(name: string, version: Version = 'v3'): readonly RequirementId[] | undefined {
  if (isPlain(name)) return undefined;
  const broken = brokenAnywhere(name, version);
  if (/[+#]/.test(name)) broken.push(...rules[version].wildcardInName);
  return broken.length > 0 ? broken : undefined;
}

/**
 * What a Topic Filter breaks, or `undefined`: `#` only as the whole last level, `+` only as a whole level; in 5.0 also
 * that of a Shared Subscription.
 */
export function checkFilter(filter: string, version: Version = 'v3'): readonly RequirementId[] | undefined {
  const shared = version === 'v5' && filter.startsWith(share);
  if (!shared && isPlain(filter)) return undefined;
  const broken = brokenAnywhere(filter, version);
  const slash = shared ? filter.indexOf('/', share.length) : -1;
  if (shared) broken.push(...brokenByShare(filter, slash));
  // What follows the ShareName is a Topic Filter of its own.
  const levels = filter.slice(slash + 1);
  if (/[^/]#|#./s.test(levels)) broken.push(...rules[version].multiLevel);
  if (/[^/]\+|\+[^/]/.test(levels)) broken.push(...rules[version].singleLevel);
  return broken.length > 0 ? broken : undefined;
}

const share = '$share/';

/** Section 4.8.2: a ShareName of at least one character and no wildcard, `/`, and a Topic Filter. */
function brokenByShare(filter: string, slash: number): readonly RequirementId[] {
  const name = filter.slice(share.length, slash < 0 ? undefined : slash);
  const broken: RequirementId[] = [];
  if (name === '') broken.push('v5/4.8.2-1');
  if (/[+#]/.test(name) || slash < 0 || slash === filter.length - 1) broken.push('v5/4.8.2-2');
  return broken;
}

/** Whether nothing can be wrong with it, which is most often so. */
function isPlain(text: string): boolean {
  return text !== '' && text.length < 1_000 && !/[+#\0]/.test(text);
}

function brokenAnywhere(text: string, version: Version): RequirementId[] {
  const { empty, zero, tooLong } = rules[version];
  const broken: RequirementId[] = [];
  if (text === '') broken.push(...empty);
  if (text.includes('\0')) broken.push(...zero);
  // No name is longer in bytes than three times its length, so most need no counting.
  if (text.length * 3 > 0xffff && Buffer.byteLength(text) > 0xffff) broken.push(...tooLong);
  return broken;
}
