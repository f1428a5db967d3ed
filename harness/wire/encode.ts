/** Packets to bytes: one description of each packet's layout, written out as bytes or as a list of named parts. */

import type { Version } from '../spec/index.ts';
import type { Bend } from './bend.ts';
import { remainingLength, widthOf } from './length.ts';
import type { Connect, Outcome, Packet, Properties, Subscription, Unsuback } from './packet.ts';
import { type Part, PartList, type Sink, Sizer, Writer } from './sink.ts';

export type { Bend, Change } from './bend.ts';
export { remainingLength } from './length.ts';
export type { Part } from './sink.ts';

const none = new Uint8Array(0);

/**
 * The bytes of a packet, damaged by a bend if there is one. String lengths and Remaining Length follow the bent
 * content unless they are bent themselves, and so does Property Length. What only 5.0 has is left out of the bytes of a
 * 3.1.1 packet; what 5.0 allows to leave out is written if it is given (see `Outcome`). Properties stand in the order
 * of their fields, in whatever packet they are given. Throws a `RangeError` for what the format cannot hold, and for a
 * bend of a part that the packet does not have.
 */
export function encode(packet: Packet, version: Version, bend?: Bend): Uint8Array {
  if (bend) return Buffer.concat(parts(packet, version, bend).map((part) => part.bytes));
  const sizer = new Sizer();
  layOut(packet, version, sizer);
  const writer = new Writer(1 + widthOf(sizer.size) + sizer.size);
  writer.uint8('header', headerOf(packet));
  writer.variable('remainingLength', sizer.size);
  layOut(packet, version, writer);
  return writer.buffer;
}

/**
 * The same as named parts. The last part of every packet is `surplus`, empty unless bent, and that of its
 * properties `properties.other`. Payloads are not copied.
 */
export function parts(packet: Packet, version: Version, bend: Bend = {}): readonly Part[] {
  const list = new PartList(bend);
  layOut(packet, version, list);
  const size = list.parts.reduce((sum, part) => sum + part.bytes.length, 0);
  const header = list.bent('header', Uint8Array.of(headerOf(packet)));
  const length = list.bentVariable('remainingLength', size);
  list.checkEveryBendUsed(packet.type);
  return [{ name: 'header', bytes: header }, { name: 'remainingLength', bytes: length }, ...list.parts];
}

/** The packet with its body cut off after so many bytes, and a Remaining Length that says so. */
export function truncated(packet: Packet, version: Version, bytesOfBody: number): Uint8Array {
  const [header, , ...body] = parts(packet, version).map((part) => part.bytes);
  const rest = Buffer.concat(body).subarray(0, bytesOfBody);
  return Buffer.concat([header ?? none, remainingLength(rest.length), rest]);
}

/**
 * The packet with its body cut off after the first `keep` bytes of a part; throws a `RangeError` if it has no such
 * part.
 */
export function truncatedAt(packet: Packet, version: Version, part: string, keep = 0): Uint8Array {
  const list = parts(packet, version).slice(2);
  const index = list.findIndex(({ name }) => name === part);
  if (index < 0) throw new RangeError(`${packet.type} has no part '${part}'`);
  const before = list.slice(0, index).reduce((sum, { bytes }) => sum + bytes.length, 0);
  return truncated(packet, version, before + keep);
}

const headers = {
  CONNECT: 0x10,
  CONNACK: 0x20,
  PUBLISH: 0x30,
  PUBACK: 0x40,
  PUBREC: 0x50,
  PUBREL: 0x62,
  PUBCOMP: 0x70,
  SUBSCRIBE: 0x82,
  SUBACK: 0x90,
  UNSUBSCRIBE: 0xa2,
  UNSUBACK: 0xb0,
  PINGREQ: 0xc0,
  PINGRESP: 0xd0,
  DISCONNECT: 0xe0,
  AUTH: 0xf0,
} as const satisfies Record<Packet['type'], number>;

/** The first byte: type and flags (section 2.2). */
function headerOf(packet: Packet): number {
  if (packet.type !== 'PUBLISH') return headers[packet.type];
  return headers.PUBLISH | (packet.dup ? 0x08 : 0) | (packet.qos << 1) | (packet.retain ? 0x01 : 0);
}

const noProperties: Properties = {};

/** Names every field after the fixed header, in order: the one description of the layouts of chapter 3. */
function layOut(packet: Packet, version: Version, sink: Sink): void {
  switch (packet.type) {
    case 'CONNECT':
      layOutConnect(packet, version, sink);
      break;
    case 'CONNACK':
      sink.uint8('acknowledgeFlags', packet.sessionPresent ? 1 : 0);
      sink.uint8('code', packet.code);
      layOutProperties(packet, version, sink);
      break;
    case 'PUBLISH':
      sink.string('topic', packet.topic);
      if (packet.qos > 0) {
        if (packet.packetId === undefined) throw new RangeError(`a PUBLISH with QoS ${packet.qos} needs a packetId`);
        sink.uint16('packetId', packet.packetId);
      }
      layOutProperties(packet, version, sink);
      sink.bytes('payload', packet.payload);
      break;
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBREL':
    case 'PUBCOMP':
      sink.uint16('packetId', packet.packetId);
      layOutOutcome(packet, version, sink);
      break;
    case 'SUBSCRIBE':
      sink.uint16('packetId', packet.packetId);
      layOutProperties(packet, version, sink);
      for (const [index, subscription] of packet.filters.entries()) {
        sink.string(`filters.${index}.filter`, subscription.filter);
        sink.uint8(`filters.${index}.options`, version === 'v3' ? subscription.qos : optionsOf(subscription));
      }
      break;
    case 'SUBACK':
      sink.uint16('packetId', packet.packetId);
      layOutProperties(packet, version, sink);
      for (const [index, code] of packet.codes.entries()) sink.uint8(`codes.${index}`, code);
      break;
    case 'UNSUBSCRIBE':
      sink.uint16('packetId', packet.packetId);
      layOutProperties(packet, version, sink);
      for (const [index, filter] of packet.filters.entries()) sink.string(`filters.${index}.filter`, filter);
      break;
    case 'UNSUBACK':
      layOutUnsuback(packet, version, sink);
      break;
    case 'AUTH':
      if (version === 'v3') throw new RangeError('MQTT 3.1.1 has no AUTH');
      layOutOutcome(packet, version, sink);
      break;
    case 'DISCONNECT':
      layOutOutcome(packet, version, sink);
      break;
    case 'PINGREQ':
    case 'PINGRESP':
      break;
  }
  sink.bytes('surplus', none);
}

function layOutProperties({ properties }: { properties?: Properties | undefined }, version: Version, sink: Sink): void {
  if (version === 'v5') sink.properties('properties', properties ?? noProperties);
}

/** Reason Code and properties, as far as they are given (section 3.4.2 and its like). */
function layOutOutcome({ code, properties }: Outcome, version: Version, sink: Sink): void {
  if (version === 'v3') return;
  if (code !== undefined || properties) sink.uint8('code', code ?? 0);
  if (properties) sink.properties('properties', properties);
}

function layOutUnsuback(packet: Unsuback, version: Version, sink: Sink): void {
  sink.uint16('packetId', packet.packetId);
  layOutProperties(packet, version, sink);
  if (version === 'v3' || !packet.codes) return;
  for (const [index, code] of packet.codes.entries()) sink.uint8(`codes.${index}`, code);
}

/** The Subscription Options of 5.0 (section 3.8.3.1). */
function optionsOf({ qos, noLocal, retainAsPublished, retainHandling = 0 }: Subscription): number {
  return qos | (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | (retainHandling << 4);
}

function layOutConnect(packet: Connect, version: Version, sink: Sink): void {
  const { will, userName, password } = packet;
  sink.string('protocolName', packet.protocolName);
  sink.uint8('protocolLevel', packet.protocolLevel);
  sink.uint8('connectFlags', connectFlags(packet));
  sink.uint16('keepAlive', packet.keepAlive);
  layOutProperties(packet, version, sink);
  sink.string('clientId', packet.clientId);
  if (will) {
    if (version === 'v5') sink.properties('will.properties', will.properties ?? noProperties);
    sink.string('will.topic', will.topic);
    sink.binary('will.payload', will.payload);
  }
  if (userName !== undefined) sink.string('userName', userName);
  if (password !== undefined) sink.binary('password', password);
}

/** Section 3.1.2.3. */
function connectFlags({ clean, will, userName, password }: Connect): number {
  const willBits = will ? 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0) : 0;
  return (clean ? 0x02 : 0) | willBits | (password !== undefined ? 0x40 : 0) | (userName !== undefined ? 0x80 : 0);
}
