/** Properties as bytes (MQTT 5.0, section 2.2.2), from the writing side. Written by hand, apart from the suite's codec. */

import { remainingLength, widthOf } from '../harness/wire/length.ts';
import type { Properties } from '../harness/wire/packet.ts';
import type { Obeys } from './obeys.ts';

type Name = keyof Properties;

/** The identifiers of what the server sends, by the form of the value. */
const bytes = {
  payloadFormatIndicator: 0x01,
  maximumQoS: 0x24,
  retainAvailable: 0x25,
  wildcardSubscriptionAvailable: 0x28,
  subscriptionIdentifierAvailable: 0x29,
  sharedSubscriptionAvailable: 0x2a,
} as const satisfies Partial<Record<Name, number>>;

const twoByteIntegers = {
  serverKeepAlive: 0x13,
  receiveMaximum: 0x21,
  topicAliasMaximum: 0x22,
  topicAlias: 0x23,
} as const satisfies Partial<Record<Name, number>>;

const fourByteIntegers = {
  messageExpiryInterval: 0x02,
  sessionExpiryInterval: 0x11,
  willDelayInterval: 0x18,
  maximumPacketSize: 0x27,
} as const satisfies Partial<Record<Name, number>>;

const strings = {
  contentType: 0x03,
  responseTopic: 0x08,
  assignedClientIdentifier: 0x12,
  authenticationMethod: 0x15,
  responseInformation: 0x1a,
  reasonString: 0x1f,
} as const satisfies Partial<Record<Name, number>>;

const binaries = { correlationData: 0x09, authenticationData: 0x16 } as const satisfies Partial<Record<Name, number>>;

const subscriptionIdentifier = 0x0b;
const userProperty = 0x26;

/** The Property Length and the properties behind it; `undefined` writes nothing but the length. */
export function encodeProperties(properties: Properties | undefined, obeys: Obeys): Uint8Array {
  const parts = properties ? partsOf(properties) : [];
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  // A Variable Byte Integer takes no more bytes than it needs.
  const width = obeys('v5/1.5.5-1#output') ? widthOf(size) : widthOf(size) + 1;
  // Even if there are none, the length says so.
  if (size === 0 && !obeys('v5/2.2.2-1#output')) return Buffer.alloc(0);
  return Buffer.concat([remainingLength(size, width), ...parts]);
}

function partsOf(properties: Properties): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name in bytes) parts.push(Uint8Array.of(bytes[name as keyof typeof bytes], value));
    else if (name in twoByteIntegers)
      parts.push(integer(twoByteIntegers[name as keyof typeof twoByteIntegers], value, 2));
    else if (name in fourByteIntegers)
      parts.push(integer(fourByteIntegers[name as keyof typeof fourByteIntegers], value, 4));
    else if (name in strings)
      parts.push(Uint8Array.of(strings[name as keyof typeof strings]), sized(Buffer.from(value)));
    else if (name in binaries) parts.push(Uint8Array.of(binaries[name as keyof typeof binaries]), sized(value));
  }
  for (const identifier of properties.subscriptionIdentifiers ?? []) {
    parts.push(Uint8Array.of(subscriptionIdentifier), remainingLength(identifier));
  }
  for (const [name, value] of properties.userProperties ?? []) {
    parts.push(Uint8Array.of(userProperty), sized(Buffer.from(name)), sized(Buffer.from(value)));
  }
  return parts;
}

function integer(identifier: number, value: number, width: 2 | 4): Uint8Array {
  const part = Buffer.alloc(1 + width, identifier);
  part.writeUIntBE(value, 1, width);
  return part;
}

/** Text or binary data with its length in front. */
function sized(content: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(content.length >> 8, content.length & 0xff), content]);
}
