/** The syntax of Topic Names and Topic Filters beyond their being text (section 4.7). */

import type { RequirementId } from '../spec/index.ts';

/** What a Topic Name breaks, or `undefined`: at least one character, no U+0000, no wildcards. */
export function checkTopicName(name: string): readonly RequirementId[] | undefined {
  const broken = brokenAnywhere(name);
  if (/[+#]/.test(name)) broken.push('v3/3.3.2-2', 'v3/4.7.1-1');
  return broken.length > 0 ? broken : undefined;
}

/** What a Topic Filter breaks, or `undefined`: `#` only as the whole last level, `+` only as a whole level. */
export function checkFilter(filter: string): readonly RequirementId[] | undefined {
  const broken = brokenAnywhere(filter);
  const levels = filter.split('/');
  if (levels.some((level, index) => level.includes('#') && (level !== '#' || index < levels.length - 1))) {
    broken.push('v3/4.7.1-2');
  }
  if (levels.some((level) => level.includes('+') && level !== '+')) broken.push('v3/4.7.1-3');
  return broken.length > 0 ? broken : undefined;
}

function brokenAnywhere(text: string): RequirementId[] {
  const broken: RequirementId[] = [];
  if (text === '') broken.push('v3/4.7.3-1');
  if (text.includes('\0')) broken.push('v3/4.7.3-2');
  // No name is longer in bytes than three times its length, so most need no counting.
  if (text.length * 3 > 0xffff && Buffer.byteLength(text) > 0xffff) broken.push('v3/4.7.3-3');
  return broken;
}
