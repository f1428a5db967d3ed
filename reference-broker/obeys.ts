/** The gate of a requirement: citation, coverage mark and fault switch in one call. */

import { isRequirementId, type RequirementId, type Version, versionOf } from '../harness/spec/index.ts';

/** A requirement, or one aspect of it: `v3/3.1.2-24`, `v3/3.1.2-24#late`. */
export type Gate = RequirementId | `${RequirementId}#${string}`;

/** True unless one of the gates is broken. Every place of the broker that obeys a requirement asks here. */
export type Obeys = (...gates: readonly Gate[]) => boolean;

/**
 * The gates of a broker that breaks `faults` on purpose: a plain id breaks all aspects of that requirement, an id
 * with a suffix only this one. `consulted` is told every gate that is asked. Without both a gate costs next to nothing.
 *
 * With a `version` only requirements of that version count, and others are not even consulted. So a place that serves
 * both versions names what either demands of it, and a connection breaks only what is demanded in its own version.
 * Throws a `RangeError` for a fault that names no requirement.
 */
export function gates(faults: Iterable<Gate> = [], consulted?: (gate: Gate) => void, version?: Version): Obeys {
  const broken = new Set<string>(faults);
  for (const fault of broken) {
    if (!isRequirementId(requirementOf(fault))) throw new RangeError(`'${fault}' names no requirement to break`);
  }
  if (broken.size === 0 && !consulted) return () => true;
  return (...asked) => {
    const counting = version ? asked.filter((gate) => versionOf(gate) === version) : asked;
    for (const gate of counting) consulted?.(gate);
    return !counting.some((gate) => broken.has(gate) || broken.has(requirementOf(gate)));
  };
}

function requirementOf(gate: string): string {
  return gate.replace(/#.*/, '');
}
