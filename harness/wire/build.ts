/** Builders of packets: the field names of the standard, and defaults for what a case does not care about. */

import type {
  Acknowledgement,
  Auth,
  Bare,
  Connack,
  Connect,
  Disconnect,
  Properties,
  Publish,
  QoS,
  Suback,
  Subscribe,
  Subscription,
  Unsuback,
  Unsubscribe,
  Will,
} from './packet.ts';
import { utf8 } from './utf8.ts';

export { fromHex, hex, text, utf8 } from './utf8.ts';

/** Bytes, or a string for its UTF-8 bytes. */
export type Content = string | Uint8Array;

export interface WillFields {
  readonly topic: string;
  readonly payload?: Content | undefined;
  readonly qos?: QoS | undefined;
  readonly retain?: boolean | undefined;
  readonly properties?: Properties | undefined;
}

export interface ConnectFields {
  readonly clientId: string;
  readonly clean?: boolean | undefined;
  /** Seconds. */
  readonly keepAlive?: number | undefined;
  readonly will?: WillFields | undefined;
  readonly userName?: string | undefined;
  readonly password?: Content | undefined;
  readonly protocolName?: string | undefined;
  readonly protocolLevel?: number | undefined;
  readonly properties?: Properties | undefined;
}

/** CONNECT: a clean session, Keep Alive 60 s, no will and no credentials unless told (section 3.1). */
export function connect(fields: ConnectFields): Connect {
  const { clientId, clean = true, keepAlive = 60, protocolName = 'MQTT', protocolLevel = 4 } = fields;
  return {
    type: 'CONNECT',
    protocolName,
    protocolLevel,
    clean,
    keepAlive,
    clientId,
    ...(fields.will && { will: will(fields.will) }),
    ...(fields.userName !== undefined && { userName: fields.userName }),
    ...(fields.password !== undefined && { password: bytesOf(fields.password) }),
    ...(fields.properties && { properties: fields.properties }),
  };
}

function will({ topic, payload = '', qos = 0, retain = false, properties }: WillFields): Will {
  return { topic, payload: bytesOf(payload), qos, retain, ...(properties && { properties }) };
}

export interface ConnackFields {
  readonly sessionPresent?: boolean | undefined;
  readonly code?: number | undefined;
  readonly properties?: Properties | undefined;
}

/** CONNACK: accepted, without a session, unless told (section 3.2). */
export function connack({ sessionPresent = false, code = 0, properties }: ConnackFields = {}): Connack {
  return { type: 'CONNACK', sessionPresent, code, ...(properties && { properties }) };
}

export interface PublishFields {
  readonly topic: string;
  readonly payload?: Content | undefined;
  readonly qos?: QoS | undefined;
  /** Needed with QoS 1 and 2; left out of a QoS 0 packet, which has no such field. */
  readonly packetId?: number | undefined;
  readonly retain?: boolean | undefined;
  readonly dup?: boolean | undefined;
  readonly properties?: Properties | undefined;
}

/** PUBLISH: QoS 0, no payload, RETAIN 0, DUP 0 unless told (section 3.3). */
export function publish(fields: PublishFields): Publish {
  const { topic, payload = '', qos = 0, packetId, retain = false, dup = false, properties } = fields;
  const content = bytesOf(payload);
  const packet: Publish =
    qos === 0 || packetId === undefined
      ? { type: 'PUBLISH', dup, qos, retain, topic, payload: content }
      : { type: 'PUBLISH', dup, qos, retain, topic, packetId, payload: content };
  return properties ? { ...packet, properties } : packet;
}

/** What an acknowledgement, a DISCONNECT or an AUTH says in 5.0; see `Outcome`. */
export interface OutcomeFields {
  readonly code?: number | undefined;
  readonly properties?: Properties | undefined;
}

/** PUBACK (section 3.4). */
export function puback(packetId: number, fields?: OutcomeFields): Acknowledgement {
  return acknowledgement('PUBACK', packetId, fields);
}

/** PUBREC (section 3.5). */
export function pubrec(packetId: number, fields?: OutcomeFields): Acknowledgement {
  return acknowledgement('PUBREC', packetId, fields);
}

/** PUBREL (section 3.6). */
export function pubrel(packetId: number, fields?: OutcomeFields): Acknowledgement {
  return acknowledgement('PUBREL', packetId, fields);
}

/** PUBCOMP (section 3.7). */
export function pubcomp(packetId: number, fields?: OutcomeFields): Acknowledgement {
  return acknowledgement('PUBCOMP', packetId, fields);
}

function acknowledgement(type: Acknowledgement['type'], packetId: number, fields?: OutcomeFields): Acknowledgement {
  return fields ? { type, packetId, ...outcome(fields) } : { type, packetId };
}

function outcome({ code, properties }: OutcomeFields): { code?: number; properties?: Properties } {
  return { ...(code !== undefined && { code }), ...(properties && { properties }) };
}

/** A Packet Identifier, and properties beside it. */
export type Request = number | { readonly packetId: number; readonly properties?: Properties | undefined };

function request(given: Request): { packetId: number; properties?: Properties } {
  if (typeof given === 'number') return { packetId: given };
  const { packetId, properties } = given;
  return properties ? { packetId, properties } : { packetId };
}

/** SUBSCRIBE with each Topic Filter as `{ filter, qos, noLocal … }` or `[filter, qos]` (section 3.8). */
export function subscribe(of: Request, ...filters: readonly (Subscription | readonly [string, QoS])[]): Subscribe {
  return { type: 'SUBSCRIBE', ...request(of), filters: filters.map(subscription) };
}

function subscription(given: Subscription | readonly [string, QoS]): Subscription {
  if ('qos' in given) return given;
  const [filter, qos] = given;
  return { filter, qos };
}

/** SUBACK with one code for each Topic Filter (section 3.9). */
export function suback(packetId: number, codes: readonly number[], properties?: Properties): Suback {
  return { type: 'SUBACK', packetId, codes, ...(properties && { properties }) };
}

/** UNSUBSCRIBE (section 3.10). */
export function unsubscribe(of: Request, ...filters: readonly string[]): Unsubscribe {
  return { type: 'UNSUBSCRIBE', ...request(of), filters };
}

/** UNSUBACK; in 5.0 with one code for each Topic Filter (section 3.11). */
export function unsuback(packetId: number, codes?: readonly number[], properties?: Properties): Unsuback {
  return { type: 'UNSUBACK', packetId, ...(codes && { codes }), ...(properties && { properties }) };
}

/** PINGREQ (section 3.12). */
export function pingreq(): Bare {
  return { type: 'PINGREQ' };
}

/** PINGRESP (section 3.13). */
export function pingresp(): Bare {
  return { type: 'PINGRESP' };
}

/** DISCONNECT (section 3.14). */
export function disconnect(fields: OutcomeFields = {}): Disconnect {
  return { type: 'DISCONNECT', ...outcome(fields) };
}

/** AUTH; 5.0 only (section 3.15). */
export function auth(fields: OutcomeFields = {}): Auth {
  return { type: 'AUTH', ...outcome(fields) };
}

function bytesOf(content: Content): Uint8Array {
  return typeof content === 'string' ? utf8(content) : content;
}
