/** Builders of packets: the field names of the standard, and defaults for what a case does not care about. */

import type {
  Acknowledgement,
  Bare,
  Connack,
  Connect,
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
  };
}

function will({ topic, payload = '', qos = 0, retain = false }: WillFields): Will {
  return { topic, payload: bytesOf(payload), qos, retain };
}

/** CONNACK: accepted, without a session, unless told (section 3.2). */
export function connack({ sessionPresent = false, code = 0 }: Partial<Omit<Connack, 'type'>> = {}): Connack {
  return { type: 'CONNACK', sessionPresent, code };
}

export interface PublishFields {
  readonly topic: string;
  readonly payload?: Content | undefined;
  readonly qos?: QoS | undefined;
  /** Needed with QoS 1 and 2; left out of a QoS 0 packet, which has no such field. */
  readonly packetId?: number | undefined;
  readonly retain?: boolean | undefined;
  readonly dup?: boolean | undefined;
}

/** PUBLISH: QoS 0, no payload, RETAIN 0, DUP 0 unless told (section 3.3). */
export function publish(fields: PublishFields): Publish {
  const { topic, payload = '', qos = 0, packetId, retain = false, dup = false } = fields;
  const content = bytesOf(payload);
  return qos === 0 || packetId === undefined
    ? { type: 'PUBLISH', dup, qos, retain, topic, payload: content }
    : { type: 'PUBLISH', dup, qos, retain, topic, packetId, payload: content };
}

/** PUBACK (section 3.4). */
export function puback(packetId: number): Acknowledgement {
  return { type: 'PUBACK', packetId };
}

/** PUBREC (section 3.5). */
export function pubrec(packetId: number): Acknowledgement {
  return { type: 'PUBREC', packetId };
}

/** PUBREL (section 3.6). */
export function pubrel(packetId: number): Acknowledgement {
  return { type: 'PUBREL', packetId };
}

/** PUBCOMP (section 3.7). */
export function pubcomp(packetId: number): Acknowledgement {
  return { type: 'PUBCOMP', packetId };
}

/** SUBSCRIBE with each Topic Filter as `{ filter, qos }` or `[filter, qos]` (section 3.8). */
export function subscribe(packetId: number, ...filters: readonly (Subscription | readonly [string, QoS])[]): Subscribe {
  return { type: 'SUBSCRIBE', packetId, filters: filters.map(subscription) };
}

function subscription(given: Subscription | readonly [string, QoS]): Subscription {
  if ('qos' in given) return given;
  const [filter, qos] = given;
  return { filter, qos };
}

/** SUBACK with one code for each Topic Filter (section 3.9). */
export function suback(packetId: number, codes: readonly number[]): Suback {
  return { type: 'SUBACK', packetId, codes };
}

/** UNSUBSCRIBE (section 3.10). */
export function unsubscribe(packetId: number, ...filters: readonly string[]): Unsubscribe {
  return { type: 'UNSUBSCRIBE', packetId, filters };
}

/** UNSUBACK (section 3.11). */
export function unsuback(packetId: number): Unsuback {
  return { type: 'UNSUBACK', packetId };
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
export function disconnect(): Bare {
  return { type: 'DISCONNECT' };
}

function bytesOf(content: Content): Uint8Array {
  return typeof content === 'string' ? utf8(content) : content;
}
