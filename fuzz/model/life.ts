/** One network connection that asked for a session: what its client sent, what acknowledged it, and when it may have ended. */

import type { Version } from '../../harness/spec/index.ts';
import { type Connack, type Connect, type Packet, type PacketType, packetTypes } from '../../harness/wire/packet.ts';
import type { Connection, ReceivedPacket, SentPacket } from '../record.ts';
import { wentOn } from './answers.ts';

/** A packet with its order stamp: of its last byte if it was sent. */
export interface Stamped<P extends Packet = Packet> {
  readonly order: number;
  readonly packet: P;
}

export interface Life {
  readonly connection: Connection;
  readonly version: Version;
  readonly connect: Stamped<Connect>;
  /** The answer to the CONNECT, if one came. */
  readonly connack: Stamped<Connack> | undefined;
  /** The well-formed packets behind the CONNECT, up to the first that the broker has to end the connection at. */
  readonly sent: readonly Stamped[];
  readonly received: readonly Stamped[];
  /** Both in the order in which they happened. */
  readonly both: readonly (Stamped & { readonly by: 'client' | 'broker' })[];
  /** The first packet that the broker has to end the connection at, if any. */
  readonly faultAt: number;
  readonly disconnectAt: number;
  /** When the first thing was done that ends it from this side: a drop, a FIN, a DISCONNECT, a fault. */
  readonly leftAt: number;
  /** When this side saw its end. */
  readonly closedAt: number;
}

/** The stamp of what has not happened. */
export const never = Number.POSITIVE_INFINITY;

/**
 * Whether the broker may have taken a packet that it has to end the connection at, or gone on behind it: 5.0 leaves to it how much it checks. A
 * DISCONNECT ends the connection in either case.
 */
export function isDoubtful(connection: Connection): boolean {
  const { version, sent, firstFault, closed, halfClosed } = connection;
  if (firstFault === undefined) return false;
  const isDisconnect = (sent[firstFault]?.bytes[0] ?? 0) >> 4 === packetTypes.indexOf('DISCONNECT');
  if (version === 'v5' && isDisconnect) return true;
  return closed?.by !== 'broker' || halfClosed !== undefined || wentOn(connection, firstFault);
}

/** The life of a connection whose first packet is a CONNECT of 3.1.1 or 5.0 that a strict broker can read. */
export function lifeOf(connection: Connection): Life | undefined {
  const { version, closed } = connection;
  const [first, ...rest] = connection.sent;
  if (version === undefined || first?.packet?.type !== 'CONNECT' || first.fault) return undefined;
  const at = rest.findIndex(({ fault, packet }) => fault !== undefined || packet === undefined);
  const sent = stamped(at < 0 ? rest : rest.slice(0, at));
  const received = stamped(connection.received);
  const faultAt = (at < 0 ? undefined : rest[at]?.from) ?? never;
  const disconnectAt = firstOf(sent, 'DISCONNECT')?.order ?? never;
  const droppedAt = closed?.by === 'client' ? closed.order : never;
  return {
    connection,
    version,
    connect: { order: first.order, packet: first.packet },
    connack: firstOf(received, 'CONNACK'),
    sent,
    received,
    both: inOrder(sent, received),
    faultAt,
    disconnectAt,
    leftAt: Math.min(droppedAt, connection.halfClosed ?? never, disconnectAt, faultAt),
    closedAt: closed?.order ?? never,
  };
}

function stamped(packets: readonly (SentPacket | ReceivedPacket)[]): readonly Stamped[] {
  const found: Stamped[] = [];
  for (const { order, packet } of packets) if (packet) found.push({ order, packet });
  return found;
}

function inOrder(sent: readonly Stamped[], received: readonly Stamped[]): Life['both'] {
  const both: Life['both'][number][] = [];
  let next = 0;
  // Each of the two is in order, and they have no order in common.
  for (const { order, packet } of received) {
    for (let own = sent[next]; own && own.order < order; own = sent[++next])
      both.push({ order: own.order, packet: own.packet, by: 'client' });
    both.push({ order, packet, by: 'broker' });
  }
  for (const { order, packet } of sent.slice(next)) both.push({ order, packet, by: 'client' });
  return both;
}

/** The first packet of a type. */
export function firstOf<T extends PacketType>(
  packets: readonly Stamped[],
  type: T,
): Stamped<Extract<Packet, { type: T }>> | undefined {
  return packets.find(({ packet }) => packet.type === type) as Stamped<Extract<Packet, { type: T }>> | undefined;
}

/** Whether the client was let in. */
export function isLetIn({ connack }: Life): boolean {
  return connack?.packet.code === 0;
}

/** Whether the broker said that it does not let the client in. */
export function isRefused({ connack }: Life): boolean {
  return connack !== undefined && connack.packet.code !== 0;
}

/**
 * Whether the session is sure to outlive this connection for the time of a play (section 3.1.2.4; 3.1.2.11.2 in 5.0):
 * undefined where that depends on more than is known.
 */
export function outlives({ version, connect, connack, sent }: Life, durationMs: number): boolean | undefined {
  if (version === 'v3') return !connect.packet.clean;
  const asked = connect.packet.properties?.sessionExpiryInterval ?? 0;
  const seconds = connack?.packet.properties?.sessionExpiryInterval ?? asked;
  const last = firstOf(sent, 'DISCONNECT')?.packet.properties?.sessionExpiryInterval ?? seconds;
  const least = Math.min(seconds, last);
  if (least >= longSeconds(durationMs)) return true;
  return Math.max(seconds, last) === 0 ? false : undefined;
}

/** The seconds after which a session is sure to be over once its connection is: what was asked for, or what the broker said. */
export function expirySeconds({ version, connect, connack, sent }: Life): number {
  if (version === 'v3') return connect.packet.clean ? 0 : never;
  const asked = connect.packet.properties?.sessionExpiryInterval ?? 0;
  const seconds = connack?.packet.properties?.sessionExpiryInterval ?? asked;
  const last = firstOf(sent, 'DISCONNECT')?.packet.properties?.sessionExpiryInterval ?? seconds;
  const most = Math.max(seconds, last);
  return most === 0xffff_ffff ? never : most;
}

/** What expires after so many seconds does not expire in a play of this length, whatever the clocks of the broker are like. */
export function longSeconds(durationMs: number): number {
  return 2 + (2 * durationMs) / 1_000;
}
