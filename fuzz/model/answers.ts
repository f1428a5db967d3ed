/** Which packet of the broker answers which packet of a client, within one connection. */

import type { Packet, PacketType } from '../../harness/wire/packet.ts';
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

/** What has a Packet Identifier. */
export function packetIdOf(packet: Packet): number | undefined {
  return 'packetId' in packet ? packet.packetId : undefined;
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

/** The order of the last packet of a client that the broker is sure to have read, because it answered it; -1 if it answered nothing. */
export function lastReadAt(life: Life): number {
  let readAt = life.connack ? life.connect.order : -1;
  const pings: number[] = [];
  for (const { by, order, packet } of life.both) {
    if (by === 'client' && packet.type === 'PINGREQ') pings.push(order);
    else if (by === 'broker' && packet.type === 'PINGRESP') readAt = Math.max(readAt, pings.shift() ?? -1);
    else if (by === 'client' && order > readAt && firstAnswer(life, order, packet)) readAt = order;
  }
  return readAt;
}
