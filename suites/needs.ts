/** What a case needs of the broker, from the QoS levels that it uses. */

import type { Capability } from '../harness/case.ts';
import type { QoS } from '../harness/wire/packet.ts';

/** The capability to grant the highest of these QoS levels; none is needed for QoS 0. */
export function needsQoS(...levels: readonly QoS[]): readonly Capability[] {
  const highest = Math.max(...levels);
  return highest === 2 ? ['qos2'] : highest === 1 ? ['qos1'] : [];
}
