/** What only one side of a connection may send: packets, properties and Reason Codes that are well-formed in themselves. */

import type { RequirementId, Version } from '../spec/index.ts';
import { Malformed } from './malformed.ts';
import { clientOnly, type Packet, type Properties, serverOnly } from './packet.ts';
import { type PropertyPlace, properties as propertyTable, type Side } from './properties.ts';
import { isReasonPlace, reasonOf, reasonRules } from './reasons.ts';

/**
 * Throws `Malformed` if this side may not send this packet, a property in it, or its Reason Code. The offset is 0: the
 * packet as a whole is wrong.
 */
export function checkSender(packet: Packet, from: Side, version: Version): void {
  const otherOnly = from === 'client' ? serverOnly : clientOnly;
  if (otherOnly.has(packet.type) && !(version === 'v5' && packet.type === 'DISCONNECT')) {
    throw fault(direction[version], `${packet.type} from a ${from}`, 'header', version);
  }
  if (version === 'v3') return;
  if ('properties' in packet && packet.properties) checkProperties(packet.properties, packet.type, from);
  if (packet.type === 'CONNECT' && packet.will?.properties) checkProperties(packet.will.properties, 'WILL', from);
  if (!isReasonPlace(packet.type) || !('code' in packet) || packet.code === undefined) return;
  const { from: only = from } = reasonOf(packet.type, packet.code) ?? {};
  if (only === from) return;
  throw fault([reasonRules[packet.type]], `${packet.type} with code ${packet.code} from a ${from}`, 'code', version);
}

const direction = {
  v3: ['v3/2.2.1~packet-direction'],
  v5: ['v5/2.1.2~packet-direction'],
} as const satisfies Record<Version, readonly RequirementId[]>;

const oneSided = propertyTable.filter(({ from }) => from !== undefined);

function checkProperties(given: Properties, place: PropertyPlace, from: Side): void {
  const prefix = place === 'WILL' ? 'will.properties' : 'properties';
  // A server forwards the indicator as it is; the client that says neither 0 nor 1 says nothing that is defined.
  if (from === 'client' && (given.payloadFormatIndicator ?? 0) > 1) {
    const reason = `Payload Format Indicator is ${given.payloadFormatIndicator}`;
    throw fault(['v5/4.13.1-1'], reason, `${prefix}.payloadFormatIndicator`, 'v5');
  }
  for (const { name, title, repeatable, from: only } of oneSided) {
    if (only?.place !== place || only.side === from || given[name] === undefined) continue;
    const part = `${prefix}.${name}${repeatable ? '.0' : ''}`;
    throw fault(only.breaks, `${title} in a ${place} from a ${from}`, part, 'v5');
  }
}

function fault(ids: readonly RequirementId[], reason: string, part: string, version: Version): Malformed {
  return new Malformed(ids, reason, part, 0, version === 'v5' ? 0x82 : undefined);
}
