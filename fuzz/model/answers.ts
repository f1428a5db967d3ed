/** Which packet of the broker answers which packet of a client, within one connection. */

import type { Packet, PacketType } from '../../harness/wire/packet.ts';
import type { Connection } from '../record.ts';
import type { Life, Stamped } from './life.ts';

const answerTo: Partial<Record<PacketType, PacketType>> = {
  SUBSCRIBE: 'SUBACK',
  UNSUBSCRIBE: 'UNSUBACK',
  PUBREL: 'PUBCOMP',
};

function answerOf(packet: Packet): PacketType | undefined {
  if (packet.type === 'PUBLISH') return packet.qos === 1 ? 'PUBACK' : packet.qos === 2 ? 'PUBREC' : undefined;
  return answerTo[packet.type];
}

/** Whether a packet of this type acknowledges a PUBLISH, or ends what an acknowledgement has begun, towards the broker. */
export function isAcknowledgement(type: PacketType): boolean {
  return type === 'PUBACK' || type === 'PUBREC' || type === 'PUBCOMP';
}

/** What has a Packet Identifier. */
export function packetIdOf(packet: Packet): number | undefined {
  return (packet as { readonly packetId?: number | undefined }).packetId;
}

/** What a broker only sends in answer, by what it answers. */
const asking: { readonly [T in PacketType]?: PacketType } = {
  PUBACK: 'PUBLISH',
  PUBREC: 'PUBLISH',
  PUBREL: 'PUBREC',
  PUBCOMP: 'PUBREL',
  SUBACK: 'SUBSCRIBE',
  UNSUBACK: 'UNSUBSCRIBE',
  PINGRESP: 'PINGREQ',
};

/** Whether more is answered than what stands before the fault: then the broker closed for something else, behind it. */
export function wentOn({ sent, received }: Connection, firstFault: number): boolean {
  // Counted once: a flood on one side must not be held against a flood on the other.
  const asked = new Map<string, number>();
  for (const { packet } of sent.slice(0, firstFault)) if (packet) countOne(asked, packet);
  const answered = new Map<string, number>();
  return received.some(({ packet }) => {
    const type = packet && asking[packet.type];
    if (!type) return false;
    return countOne(answered, packet) > (asked.get(`${type} ${packetIdOf(packet)}`) ?? 0);
  });
}

/** Counts a packet by its type and Packet Identifier. @returns how many there are of it now */
function countOne(counts: Map<string, number>, packet: Packet): number {
  const key = `${packet.type} ${packetIdOf(packet)}`;
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}

/**
 * The answer to a packet that was sent at this order: of those of its kind with its identifier the one that comes as the n-th
 * after n-1 earlier packets of the kind had theirs. Undefined if there is none, or if it could belong to another one.
 */
export function firstAnswer(life: Life, order: number, packet: Packet): Stamped | undefined {
  const type = answerOf(packet);
  const packetId = packetIdOf(packet);
  if (!type || packetId === undefined) return undefined;
  let owed = 0;
  let position = 0;
  for (const each of life.both) {
    if (packetIdOf(each.packet) !== packetId) continue;
    if (each.by === 'client' && answerOf(each.packet) === type) {
      owed++;
      if (each.packet === packet && each.order === order) position = owed;
    } else if (each.by === 'broker' && each.packet.type === type) {
      owed = Math.max(0, owed - 1);
      if (position > 0) position--;
      else continue;
      if (position === 0) return each;
    }
  }
  return undefined;
}

/**
 * Which of the packets of a client is the last that the broker is sure to have read, because it answered it: an index into `sent`, -1 for the CONNECT,
 * -2 for none. Packets that were sent in one go have one order, so that an order does not tell.
 */
export function lastRead(life: Life): number {
  const { connack, both } = life;
  let read = connack ? -1 : -2;
  const pings: number[] = [];
  let at = -1;
  for (const { by, order, packet } of both) {
    if (by === 'broker') {
      if (packet.type === 'PINGRESP') read = Math.max(read, pings.shift() ?? -2);
      continue;
    }
    at++;
    if (packet.type === 'PINGREQ') pings.push(at);
    else if (at > read && firstAnswer(life, order, packet)) read = at;
  }
  return read;
}

/** The order of that packet, -1 for none. */
export function lastReadAt(life: Life): number {
  const at = lastRead(life);
  return at < -1 ? -1 : (life.sent[at] ?? life.connect).order;
}
