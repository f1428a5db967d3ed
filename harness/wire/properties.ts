/** The properties of MQTT 5.0 as a table (section 2.2.2.2). */

import type { RequirementId } from '../spec/index.ts';
import type { PacketType, Properties } from './packet.ts';

/** The two sides of a connection. */
export type Side = 'client' | 'server';

export type PropertyName = keyof Properties;

/** The types of section 1.5. */
export type PropertyType =
  | 'byte'
  | 'two-byte integer'
  | 'four-byte integer'
  | 'variable byte integer'
  | 'string'
  | 'binary'
  | 'string pair';

/** Where properties stand: in a packet, or in the Will of a CONNECT. */
export type PropertyPlace = Exclude<PacketType, 'PINGREQ' | 'PINGRESP'> | 'WILL';

/** One row of table 2-4, with what the sections on the property add to it. */
export interface Property {
  readonly identifier: number;
  readonly name: PropertyName;
  /** As in the standard. */
  readonly title: string;
  readonly type: PropertyType;
  readonly places: readonly PropertyPlace[];
  /** Where it may stand more than once; its field is a list then, everywhere. */
  readonly repeatable?: readonly PropertyPlace[];
  /** The only side that may send it there, where only one may. */
  readonly from?: { readonly place: PropertyPlace; readonly side: Side; readonly breaks: readonly RequirementId[] };
  /** The values that a number may have, where the type allows more; and what the others break in a client's packet. */
  readonly range?: {
    readonly least: number;
    readonly greatest: number;
    readonly breaks: readonly RequirementId[];
    /** The Reason Code for it, if it is not that of a Protocol Error. */
    readonly code?: number;
  };
  /** What ill-formed text breaks besides section 1.5.4. */
  readonly text?: readonly RequirementId[];
}

const acknowledgements = ['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBACK', 'UNSUBACK'] as const;
const message = ['PUBLISH', 'WILL'] as const;
const everywhere = [
  'CONNECT',
  'WILL',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'DISCONNECT',
  'AUTH',
] as const;
const handshake = ['CONNECT', 'CONNACK'] as const;

/** 0 or 1; the requirement that says so for CONNACK is the same for all of its properties. */
const flag = { least: 0, greatest: 1, breaks: [] } as const;
const requestFlag = { ...flag, breaks: ['v5/3.1.2.11~request-flags-range'] } as const;

/** Every property, in the order of its identifier. */
export const properties: readonly Property[] = [
  // That other values than 0 and 1 are wrong is not said, so a server that forwards them unaltered is not to blame:
  // see sender.ts.
  {
    identifier: 0x01,
    name: 'payloadFormatIndicator',
    title: 'Payload Format Indicator',
    type: 'byte',
    places: message,
  },
  {
    identifier: 0x02,
    name: 'messageExpiryInterval',
    title: 'Message Expiry Interval',
    type: 'four-byte integer',
    places: message,
  },
  {
    identifier: 0x03,
    name: 'contentType',
    title: 'Content Type',
    type: 'string',
    places: message,
    text: ['v5/3.3.2-19'],
  },
  {
    identifier: 0x08,
    name: 'responseTopic',
    title: 'Response Topic',
    type: 'string',
    places: message,
    text: ['v5/3.3.2-13'],
  },
  { identifier: 0x09, name: 'correlationData', title: 'Correlation Data', type: 'binary', places: message },
  {
    identifier: 0x0b,
    name: 'subscriptionIdentifiers',
    title: 'Subscription Identifier',
    type: 'variable byte integer',
    places: ['PUBLISH', 'SUBSCRIBE'],
    repeatable: ['PUBLISH'],
    from: { place: 'PUBLISH', side: 'server', breaks: ['v5/3.3.4-6'] },
    range: { least: 1, greatest: 268_435_455, breaks: ['v5/3.8.2.1.2~subscription-identifier-range'] },
  },
  {
    identifier: 0x11,
    name: 'sessionExpiryInterval',
    title: 'Session Expiry Interval',
    type: 'four-byte integer',
    places: ['CONNECT', 'CONNACK', 'DISCONNECT'],
    from: { place: 'DISCONNECT', side: 'client', breaks: ['v5/3.14.2-2'] },
  },
  {
    identifier: 0x12,
    name: 'assignedClientIdentifier',
    title: 'Assigned Client Identifier',
    type: 'string',
    places: ['CONNACK'],
  },
  {
    identifier: 0x13,
    name: 'serverKeepAlive',
    title: 'Server Keep Alive',
    type: 'two-byte integer',
    places: ['CONNACK'],
  },
  {
    identifier: 0x15,
    name: 'authenticationMethod',
    title: 'Authentication Method',
    type: 'string',
    places: [...handshake, 'AUTH'],
  },
  {
    identifier: 0x16,
    name: 'authenticationData',
    title: 'Authentication Data',
    type: 'binary',
    places: [...handshake, 'AUTH'],
  },
  {
    identifier: 0x17,
    name: 'requestProblemInformation',
    title: 'Request Problem Information',
    type: 'byte',
    places: ['CONNECT'],
    range: requestFlag,
  },
  {
    identifier: 0x18,
    name: 'willDelayInterval',
    title: 'Will Delay Interval',
    type: 'four-byte integer',
    places: ['WILL'],
  },
  {
    identifier: 0x19,
    name: 'requestResponseInformation',
    title: 'Request Response Information',
    type: 'byte',
    places: ['CONNECT'],
    range: requestFlag,
  },
  {
    identifier: 0x1a,
    name: 'responseInformation',
    title: 'Response Information',
    type: 'string',
    places: ['CONNACK'],
  },
  {
    identifier: 0x1c,
    name: 'serverReference',
    title: 'Server Reference',
    type: 'string',
    places: ['CONNACK', 'DISCONNECT'],
    from: { place: 'DISCONNECT', side: 'server', breaks: ['v5/2.2.2.2~property-not-allowed'] },
  },
  {
    identifier: 0x1f,
    name: 'reasonString',
    title: 'Reason String',
    type: 'string',
    places: ['CONNACK', ...acknowledgements, 'DISCONNECT', 'AUTH'],
  },
  {
    identifier: 0x21,
    name: 'receiveMaximum',
    title: 'Receive Maximum',
    type: 'two-byte integer',
    places: handshake,
    range: { least: 1, greatest: 0xffff, breaks: ['v5/3.1.2.11.3~receive-maximum-zero'] },
  },
  {
    identifier: 0x22,
    name: 'topicAliasMaximum',
    title: 'Topic Alias Maximum',
    type: 'two-byte integer',
    places: handshake,
  },
  {
    identifier: 0x23,
    name: 'topicAlias',
    title: 'Topic Alias',
    type: 'two-byte integer',
    places: ['PUBLISH'],
    range: { least: 1, greatest: 0xffff, breaks: ['v5/3.3.2-8', 'v5/3.3.4~topic-alias-range'], code: 0x94 },
  },
  { identifier: 0x24, name: 'maximumQoS', title: 'Maximum QoS', type: 'byte', places: ['CONNACK'], range: flag },
  {
    identifier: 0x25,
    name: 'retainAvailable',
    title: 'Retain Available',
    type: 'byte',
    places: ['CONNACK'],
    range: flag,
  },
  {
    identifier: 0x26,
    name: 'userProperties',
    title: 'User Property',
    type: 'string pair',
    places: everywhere,
    repeatable: everywhere,
    text: ['v5/1.5.7-1'],
  },
  {
    identifier: 0x27,
    name: 'maximumPacketSize',
    title: 'Maximum Packet Size',
    type: 'four-byte integer',
    places: handshake,
    range: { least: 1, greatest: 0xffff_ffff, breaks: ['v5/3.1.2.11.4~maximum-packet-size-zero'] },
  },
  {
    identifier: 0x28,
    name: 'wildcardSubscriptionAvailable',
    title: 'Wildcard Subscription Available',
    type: 'byte',
    places: ['CONNACK'],
    range: flag,
  },
  {
    identifier: 0x29,
    name: 'subscriptionIdentifierAvailable',
    title: 'Subscription Identifier Available',
    type: 'byte',
    places: ['CONNACK'],
    range: flag,
  },
  {
    identifier: 0x2a,
    name: 'sharedSubscriptionAvailable',
    title: 'Shared Subscription Available',
    type: 'byte',
    places: ['CONNACK'],
    range: flag,
  },
];

/** Every place in which properties stand, in the order of the standard. */
export const propertyPlaces: readonly PropertyPlace[] = everywhere;

const byIdentifier: readonly (Property | undefined)[] = properties.reduce<(Property | undefined)[]>((rows, row) => {
  rows[row.identifier] = row;
  return rows;
}, []);

const byName: ReadonlyMap<string, Property> = new Map(properties.map((row) => [row.name, row]));

/** The property with this identifier, or `undefined` if there is none. */
export function propertyWith(identifier: number): Property | undefined {
  return byIdentifier[identifier];
}

/** The property with this name; throws a `RangeError` if there is none. */
export function propertyNamed(name: string): Property {
  const row = byName.get(name);
  if (!row) throw new RangeError(`there is no property '${name}'`);
  return row;
}
