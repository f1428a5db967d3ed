/** The registry of both versions: typed ids and look-up. The requirement id is the only vocabulary of this project. */

import type { Level, Requirement, Version } from './requirement.ts';
import { v3, v3Sections } from './v3.ts';
import { v5, v5Sections } from './v5.ts';

export type { Level, Requirement, Version } from './requirement.ts';

/** An id such as `v3/3.1.2-24` ([MQTT-3.1.2-24] of MQTT 3.1.1) or, where the text has no number, `v3/2.4~surplus-bytes`. */
export type RequirementId = keyof typeof v3 | keyof typeof v5;

const registry: Readonly<Record<RequirementId, Requirement>> = { ...v3, ...v5 };

/** All ids, in the order of the standard, 3.1.1 first. */
export const requirementIds = Object.keys(registry) as readonly RequirementId[];

/** The requirement with this id. */
export function requirement(id: RequirementId): Requirement {
  return registry[id];
}

/** Whether a string is the id of a requirement. */
export function isRequirementId(id: string): id is RequirementId {
  return Object.hasOwn(registry, id);
}

/** The version of the protocol that a requirement id (or a case id) belongs to. */
export function versionOf(id: string): Version {
  return id.startsWith('v5/') ? 'v5' : 'v3';
}

/** Those of the requirements that are of this version: what is cited for both is named by the one that is judged. */
export function ofVersion(version: Version, ids: readonly RequirementId[]): readonly RequirementId[] {
  return ids.filter((id) => versionOf(id) === version);
}

/** `MQTT 3.1.1` or `MQTT 5.0`. */
export function versionName(version: Version): string {
  return version === 'v5' ? 'MQTT 5.0' : 'MQTT 3.1.1';
}

/** The title of a section that holds requirements, if it has one in the registry. */
export function sectionTitle(version: Version, section: string): string | undefined {
  return (version === 'v5' ? v5Sections : v3Sections)[section];
}

/** The three strengths that decide how much a broken requirement weighs. */
export type Strength = 'MUST' | 'SHOULD' | 'MAY';

/** MUST NOT weighs as MUST, SHOULD NOT as SHOULD. */
export function strengthOf(level: Level): Strength {
  return level.startsWith('MUST') ? 'MUST' : level.startsWith('SHOULD') ? 'SHOULD' : 'MAY';
}

const documents = {
  v3: 'https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html',
  v5: 'https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html',
} as const;

/** A link that opens the standard at the statement (a text fragment), or at the section for one without a number. */
export function specUrl(id: RequirementId): string {
  const version = versionOf(id);
  const number = id.slice(3);
  const { section } = requirement(id);
  const fragment = number.includes('~')
    ? `${section} ${sectionTitle(version, section) ?? ''}`.trim()
    : `[MQTT-${number}]`;
  return `${documents[version]}#:~:text=${encodeURIComponent(fragment).replaceAll('-', '%2D')}`;
}
