/** The gate of a requirement: citation, coverage mark and fault switch in one call. */

import { isRequirementId, type RequirementId } from '../harness/spec/index.ts';

/** A requirement, or one aspect of it: `v3/3.1.2-24`, `v3/3.1.2-24#late`. */
export type Gate = RequirementId | `${RequirementId}#${string}`;

/** True unless one of the gates is broken. Every place of the broker that obeys a requirement asks here. */
export type Obeys = (...gates: readonly Gate[]) => boolean;

/**
 * The gates of a broker that breaks `faults` on purpose: a plain id breaks all aspects of that requirement, an id
 * with a suffix only this one. `consulted` is told every gate that is asked. Without both a gate costs next to nothing.
 * Throws a `RangeError` for a fault that names no requirement.
 */
export function gates(faults: Iterable<Gate> = [], consulted?: (gate: Gate) => void): Obeys {
  const broken = new Set<string>(faults);
  for (const fault of broken) {
    if (!isRequirementId(requirementOf(fault))) throw new RangeError(`'${fault}' names no requirement to break`);
  }
  if (broken.size === 0 && !consulted) return () => true;
  return (...asked) => {
    for (const gate of asked) consulted?.(gate);
    return !asked.some((gate) => broken.has(gate) || broken.has(requirementOf(gate)));
  };
}

function requirementOf(gate: string): string {
  return gate.replace(/#.*/, '');
}
