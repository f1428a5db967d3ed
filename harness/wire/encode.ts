/** Packets to bytes: one description of each packet's layout, written out as bytes or as a list of named parts. */

import type { Version } from '../spec/index.ts';
import type { Bend } from './bend.ts';
import { remainingLength } from './length.ts';
import type { Connect, Packet } from './packet.ts';
import { type Part, PartList, type Sink, Sizer, Writer } from './sink.ts';

export type { Bend, Change } from './bend.ts';
export { remainingLength } from './length.ts';
export type { Part } from './sink.ts';

const none = new Uint8Array(0);

/**
 * The bytes of a packet, damaged by a bend if there is one. String lengths and Remaining Length follow the bent
 * content unless they are bent themselves. Throws a `RangeError` for what the format cannot hold, and for a
 * bend of a part that the packet does not have.
 */
export function encode(packet: Packet, version: Version, bend?: Bend): Uint8Array {
  if (bend) return Buffer.concat(parts(packet, version, bend).map((part) => part.bytes));
  const sizer = new Sizer();
  layOut(packet, version, sizer);
  const writer = new Writer(sizer.size);
  writer.uint8('header', headerOf(packet));
  writer.remainingLength(sizer.size);
  layOut(packet, version, writer);
  return writer.buffer;
}

/**
 * The same as named parts. The last part of every packet is `surplus`, empty unless bent. Payloads are not copied.
 */
export function parts(packet: Packet, version: Version, bend: Bend = {}): readonly Part[] {
  const list = new PartList(bend);
  layOut(packet, version, list);
  const size = list.parts.reduce((sum, part) => sum + part.bytes.length, 0);
  const header = list.bent('header', Uint8Array.of(headerOf(packet)));
  const length = list.bentRemainingLength(size);
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
} as const satisfies Record<Packet['type'], number>;

/** The first byte: type and flags (section 2.2). */
function headerOf(packet: Packet): number {
  if (packet.type !== 'PUBLISH') return headers[packet.type];
  return headers.PUBLISH | (packet.dup ? 0x08 : 0) | (packet.qos << 1) | (packet.retain ? 0x01 : 0);
}

/** Names every field after the fixed header, in order: the one description of the layouts of chapter 3. */
function layOut(packet: Packet, version: Version, sink: Sink): void {
  if (version !== 'v3') throw new RangeError('only MQTT 3.1.1 can be encoded');
  switch (packet.type) {
    case 'CONNECT':
      layOutConnect(packet, sink);
      break;
    case 'CONNACK':
      sink.uint8('acknowledgeFlags', packet.sessionPresent ? 1 : 0);
      sink.uint8('code', packet.code);
      break;
    case 'PUBLISH':
      sink.string('topic', packet.topic);
      if (packet.qos > 0) {
        if (packet.packetId === undefined) throw new RangeError(`a PUBLISH with QoS ${packet.qos} needs a packetId`);
        sink.uint16('packetId', packet.packetId);
      }
      sink.bytes('payload', packet.payload);
      break;
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBREL':
    case 'PUBCOMP':
    case 'UNSUBACK':
      sink.uint16('packetId', packet.packetId);
      break;
    case 'SUBSCRIBE':
      sink.uint16('packetId', packet.packetId);
      for (const [index, { filter, qos }] of packet.filters.entries()) {
        sink.string(`filters.${index}.filter`, filter);
        sink.uint8(`filters.${index}.options`, qos);
      }
      break;
    case 'SUBACK':
      sink.uint16('packetId', packet.packetId);
      for (const [index, code] of packet.codes.entries()) sink.uint8(`codes.${index}`, code);
      break;
    case 'UNSUBSCRIBE':
      sink.uint16('packetId', packet.packetId);
      for (const [index, filter] of packet.filters.entries()) sink.string(`filters.${index}.filter`, filter);
      break;
    case 'PINGREQ':
    case 'PINGRESP':
    case 'DISCONNECT':
      break;
  }
  sink.bytes('surplus', none);
}

function layOutConnect(packet: Connect, sink: Sink): void {
  const { will, userName, password } = packet;
  sink.string('protocolName', packet.protocolName);
  sink.uint8('protocolLevel', packet.protocolLevel);
  sink.uint8('connectFlags', connectFlags(packet));
  sink.uint16('keepAlive', packet.keepAlive);
  sink.string('clientId', packet.clientId);
  if (will) {
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
