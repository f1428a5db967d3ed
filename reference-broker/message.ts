/** An Application Message on its way through the server. */

import type { Properties, Publish, QoS } from '../harness/wire/packet.ts';
import type { Expiry } from './expiry.ts';
import type { Obeys } from './obeys.ts';

export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  /** RETAIN of the PUBLISH that brought it. */
  readonly retain: boolean;
  /** DUP of the PUBLISH that brought it; it says nothing about what goes out (v3/3.3.1-3). */
  readonly dup: boolean;
  /** The properties that go on as they came (MQTT 5.0). */
  readonly properties?: Properties | undefined;
  readonly expiry?: Expiry | undefined;
  /** The PUBLISH packets made of it so far, so that a message to many clients is encoded once. */
  readonly encoded: (Uint8Array | undefined)[];
}

/** A message from the fields of a PUBLISH or a will. Its properties are those that `forwarded` returns. */
export function message(fields: Omit<Message, 'encoded'>): Message {
  const { topic, payload, qos, retain, dup, properties, expiry } = fields;
  return { topic, payload, qos, retain, dup, properties, expiry, encoded: [] };
}

/** The properties of a PUBLISH that go on to the subscribers, unchanged (section 3.3.2.3). */
export function forwarded({ properties }: Publish, obeys: Obeys): Properties | undefined {
  if (!properties) return undefined;
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, topicAlias } = properties;
  return {
    ...(payloadFormatIndicator !== undefined && obeys('v5/3.3.2-4') && { payloadFormatIndicator }),
    ...(contentType !== undefined && obeys('v5/3.3.2-20') && { contentType }),
    ...(responseTopic !== undefined && obeys('v5/3.3.2-15', 'v5/4.10~request-response#topic') && { responseTopic }),
    ...(correlationData && obeys('v5/3.3.2-16', 'v5/4.10~request-response#data') && { correlationData }),
    // The alias is between the publisher and the server.
    ...(topicAlias !== undefined && !obeys('v5/3.3.2.3.4~topic-alias-not-forwarded') && { topicAlias }),
    ...userPropertiesOf(properties, obeys('v5/3.3.2-17'), obeys('v5/3.3.2-18')),
  };
}

/** The User Properties, all of them and in their order unless told otherwise. */
export function userPropertiesOf(properties: Properties, all: boolean, ordered: boolean): Properties {
  const given = all ? properties.userProperties : properties.userProperties?.slice(0, -1);
  if (!given || given.length === 0) return {};
  return { userProperties: ordered ? given : given.toReversed() };
}

/** The lower of the QoS of the message and the QoS granted to the subscription (section 3.8.4). */
export function lowerQoS(one: QoS, other: QoS): QoS {
  return one < other ? one : other;
}

/** About what a message takes, in bytes. */
export function sizeOf({ topic, payload, properties }: Message): number {
  return 200 + topic.length + payload.length + (properties ? sizeOfProperties(properties) : 0);
}

function sizeOfProperties({ contentType, responseTopic, correlationData, userProperties }: Properties): number {
  let size = (contentType?.length ?? 0) + (responseTopic?.length ?? 0) + (correlationData?.length ?? 0);
  for (const [name, value] of userProperties ?? []) size += 50 + name.length + value.length;
  return size;
}
