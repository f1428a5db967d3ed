/** The packets, and the Will, that hold properties: one plain example of each, to be given any properties. */

import type { RequirementId } from '../../../spec/index.ts';
import {
  auth,
  connack,
  connect,
  disconnect,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
} from '../../build.ts';
import type { Packet, Properties } from '../../packet.ts';
import type { Property, PropertyPlace } from '../../properties.ts';
import { article, type Credentials, type Factory } from '../row.ts';

export interface Holder {
  readonly place: PropertyPlace;
  /** Begins the slugs of its rows. */
  readonly id: string;
  /** `a CONNECT`. */
  readonly title: string;
  /** Begins the names of its parts. */
  readonly prefix: string;
  /** What every fault in its properties breaks as well. */
  readonly always: readonly RequirementId[];
  with(properties: Properties): Factory;
}

/** AUTH has to name a method, so it is there unless it is what the row is about. */
const method: Properties = { authenticationMethod: 'METHOD' };

function build(
  place: PropertyPlace,
  properties: Properties,
  [topic, clientId, credentials]: readonly [string, string, Credentials],
): Packet {
  switch (place) {
    case 'CONNECT':
      return connect({ clientId, ...credentials, properties });
    case 'WILL':
      return connect({ clientId, will: { topic, payload: 'will', properties }, ...credentials });
    case 'CONNACK':
      return connack({ properties });
    case 'PUBLISH':
      return publish({ topic, payload: 'malformed', qos: 1, packetId: 1, properties });
    case 'PUBACK':
      return puback(1, { properties });
    case 'PUBREC':
      return pubrec(1, { properties });
    case 'PUBREL':
      return pubrel(1, { properties });
    case 'PUBCOMP':
      return pubcomp(1, { properties });
    case 'SUBSCRIBE':
      return subscribe({ packetId: 1, properties }, [topic, 1]);
    case 'SUBACK':
      return suback(1, [0], properties);
    case 'UNSUBSCRIBE':
      return unsubscribe({ packetId: 1, properties }, topic);
    case 'UNSUBACK':
      return unsuback(1, [0], properties);
    case 'DISCONNECT':
      return disconnect({ properties });
    case 'AUTH':
      return auth({ code: 0x18, properties: { ...method, ...properties } });
  }
}

function holder(place: PropertyPlace): Holder {
  const inConnect = place === 'CONNECT' || place === 'WILL';
  return {
    place,
    id: place.toLowerCase(),
    title: place === 'WILL' ? 'a CONNECT whose Will' : article(place),
    prefix: place === 'WILL' ? 'will.properties' : 'properties',
    always: inConnect ? ['v5/3.1.4-1'] : place === 'CONNACK' ? ['v5/3.2.2.3~connack-properties'] : [],
    with:
      (properties) =>
      (...given) =>
        build(place, properties, given),
  };
}

/** Those of the first packet of a connection. */
export const connectHolders: readonly Holder[] = [holder('CONNECT'), holder('WILL')];

/** Those that a client sends after it. */
export const clientHolders: readonly Holder[] = (
  [
    'PUBLISH',
    'PUBACK',
    'PUBREC',
    'PUBREL',
    'PUBCOMP',
    'SUBSCRIBE',
    'UNSUBSCRIBE',
    'DISCONNECT',
    'AUTH',
  ] satisfies PropertyPlace[]
).map(holder);

/** Those that a server sends. */
export const serverHolders: readonly Holder[] = (
  [
    'CONNACK',
    'PUBLISH',
    'PUBACK',
    'PUBREC',
    'PUBREL',
    'PUBCOMP',
    'SUBACK',
    'UNSUBACK',
    'DISCONNECT',
    'AUTH',
  ] satisfies PropertyPlace[]
).map(holder);

/** Properties with this one alone, and a value that it may have. */
export function alone({ name, type, repeatable }: Property): Properties {
  const value = plainValues[type];
  return { [name]: repeatable ? [value] : value };
}

/** Of each type a value that every property may have, and whose every part is needed. */
const plainValues = {
  byte: 1,
  'two-byte integer': 10,
  'four-byte integer': 600,
  'variable byte integer': 1,
  string: 'text',
  binary: Uint8Array.of(1, 2, 3),
  'string pair': ['name', 'value'],
} as const;

/** The name of the part that holds a property, in a packet with it alone. */
export function partOf({ prefix }: Holder, { name, repeatable }: Property): string {
  return `${prefix}.${name}${repeatable ? '.0' : ''}`;
}

/** `receive-maximum` of `Receive Maximum`. */
export function slugOf({ title }: Property): string {
  return title.toLowerCase().replaceAll(' ', '-');
}
