/** The same case on a second target: where the two answer differently. This never judges: the standard leaves much open. */

import { createHash } from 'node:crypto';
import type { Packet } from '../../harness/wire/packet.ts';
import type { Connection, Recording } from '../record.ts';

/**
 * What a target did in a play, as far as two targets may be compared: for each connection whether the client was let in, each answer by type and code,
 * the messages that came, and whether the target ended it by itself. Order, identifiers and announcements of what the target can do are left out.
 */
function summaryOf({ connections }: Recording): readonly (readonly string[])[] {
  return connections.map((connection) => [...counted(connection), ending(connection)]);
}

function counted({ received }: Connection): readonly string[] {
  const counts = new Map<string, number>();
  for (const { packet, malformed } of received) {
    const text = packet ? textOf(packet) : `malformed: ${malformed?.part}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => (count > 1 ? `${count} × ${text}` : text)).sort();
}

function textOf(packet: Packet): string {
  switch (packet.type) {
    case 'CONNACK':
      return `CONNACK ${packet.code}${packet.sessionPresent ? ' with a session' : ''}`;
    case 'PUBLISH':
      return `PUBLISH ${packet.topic} QoS ${packet.qos}${packet.retain ? ' RETAIN' : ''} ${digest(packet.payload)}`;
    case 'SUBACK':
      return `SUBACK ${packet.codes.join(' ')}`;
    case 'UNSUBACK':
      return `UNSUBACK ${packet.codes?.join(' ') ?? ''}`;
    default:
      // 0x10 says that nobody has subscribed, which a broker may say or not.
      return 'code' in packet && (packet.code ?? 0) >= 0x80 ? `${packet.type} ${packet.code}` : packet.type;
  }
}

function digest(payload: Uint8Array): string {
  if (payload.length <= 12) return Buffer.from(payload).toString('latin1');
  return `${payload.length} bytes ${createHash('sha256').update(payload).digest('hex').slice(0, 6)}`;
}

function ending({ closed, halfClosed }: Connection): string {
  if (!closed) return 'left open';
  if (closed.by === 'client') return 'dropped by the client';
  return halfClosed === undefined || closed.order < halfClosed ? 'closed by the target' : 'closed after the client';
}

/** What two targets did not do alike. */
export interface Difference {
  /** What the other target is called. */
  readonly name: string;
  /** What only this target did, and only the other: each empty if it is nothing. */
  readonly here: readonly string[];
  readonly there: readonly string[];
}

/**
 * Where two targets did not do the same in the plays of one script: on its first connection that shows it; `undefined` where they did.
 * @param name what the other target is called
 */
export function differenceOf(recording: Recording, other: Recording, name: string): Difference | undefined {
  const [here, there] = [summaryOf(recording), summaryOf(other)];
  const at = here.findIndex((each, index) => each.join() !== there[index]?.join());
  if (at < 0) return undefined;
  const [mine, others] = [here[at] ?? [], there[at] ?? []];
  return {
    name,
    here: mine.filter((each) => !others.includes(each)),
    there: others.filter((each) => !mine.includes(each)),
  };
}
