/**
 * What a server of MQTT 5.0 announced in CONNACK that it does not serve (section 3.2.2.3). A case that is about something else has
 * nothing to send to it beyond that, and is not applicable there.
 */

import type { Packet, Properties, Publish, Subscribe } from './wire/packet.ts';

/** What the packet asks of a server that announced not to serve it, in words; undefined if it may be sent. `outstanding` counts the QoS 1 and 2 messages that the server has not finished. */
export function beyond(packet: Packet, size: number, announced: Properties, outstanding: number): string | undefined {
  const { maximumPacketSize = Number.POSITIVE_INFINITY } = announced;
  if (size > maximumPacketSize)
    return `CONNACK has Maximum Packet Size ${maximumPacketSize}, and this ${packet.type} has ${size} bytes`;
  if (packet.type === 'PUBLISH') return beyondForPublish(packet, announced, outstanding);
  return packet.type === 'SUBSCRIBE' ? beyondForSubscribe(packet, announced) : undefined;
}

function beyondForPublish(
  { qos, retain, properties }: Publish,
  announced: Properties,
  outstanding: number,
): string | undefined {
  const { maximumQoS = 2, retainAvailable, receiveMaximum = 65_535, topicAliasMaximum = 0 } = announced;
  if (qos > maximumQoS) return `CONNACK has Maximum QoS ${maximumQoS}`;
  if (retain && retainAvailable === 0) return 'CONNACK has Retain Available 0';
  if (qos > 0 && outstanding >= receiveMaximum) return `CONNACK has Receive Maximum ${receiveMaximum}`;
  if ((properties?.topicAlias ?? 0) > topicAliasMaximum) return `CONNACK has Topic Alias Maximum ${topicAliasMaximum}`;
  return undefined;
}

function beyondForSubscribe({ filters, properties }: Subscribe, announced: Properties): string | undefined {
  const { wildcardSubscriptionAvailable, subscriptionIdentifierAvailable, sharedSubscriptionAvailable } = announced;
  if (wildcardSubscriptionAvailable === 0 && filters.some(({ filter }) => /[+#]/.test(filter))) {
    return 'CONNACK has Wildcard Subscription Available 0';
  }
  if (subscriptionIdentifierAvailable === 0 && properties?.subscriptionIdentifiers) {
    return 'CONNACK has Subscription Identifiers Available 0';
  }
  if (sharedSubscriptionAvailable === 0 && filters.some(({ filter }) => filter.startsWith('$share/'))) {
    return 'CONNACK has Shared Subscription Available 0';
  }
  return undefined;
}
