/** What subscribers got: each PUBLISH from the broker, and which of them are one and the same message sent again. */

import type { Publish } from '../../harness/wire/packet.ts';
import { isAcknowledgement, packetIdOf } from './answers.ts';
import { type Life, never } from './life.ts';
import { type Content, contentOf, resolved } from './publication.ts';
import type { Session } from './session.ts';

export interface Delivery {
  readonly session: Session;
  readonly life: Life;
  readonly order: number;
  readonly packet: Publish;
  readonly topic: string;
  readonly content: Content;
  /** An earlier delivery that this one repeats: same identifier, same message, and an exchange that was not complete. */
  readonly repeats: Delivery | undefined;
}

/** An exchange of a QoS 1 or 2 message from the broker, as far as this side has seen it. */
export interface Exchange {
  readonly packetId: number;
  readonly first: Delivery;
  /** The last of its PUBLISHes. */
  readonly last: Delivery;
  /** When the client first sent PUBACK or PUBREC. */
  readonly acknowledgedAt: number;
  /** When PUBREL came. */
  readonly releasedAt: number;
  /** When the client sent PUBACK or PUBCOMP: from here on the identifier may be in use for another message. */
  readonly completedAt: number;
}

type Growing = { -readonly [K in keyof Exchange]: Exchange[K] };

export interface Reception {
  readonly deliveries: readonly Delivery[];
  readonly exchanges: readonly Exchange[];
  /** Whether the client acknowledged nothing that was not sent to it: what is not, a broker may take for an answer to what comes. */
  readonly isSound: boolean;
}

/** What the connections of a session got. */
export function receptionOf(session: Session): Reception {
  const deliveries: Delivery[] = [];
  const exchanges: Growing[] = [];
  const open = new Map<number, Growing>();
  let isSound = true;
  for (const life of session.lives) {
    const topics = resolved(life.received);
    let publishes = 0;
    for (const { by, order, packet } of life.both) {
      if (by === 'broker' && packet.type === 'PUBLISH') {
        const topic = topics[publishes++]?.topic;
        if (topic === undefined) continue;
        const content = contentOf(topic, packet.payload);
        const exchange = packet.packetId === undefined ? undefined : open.get(packet.packetId);
        const isAgain = exchange?.first.content === content && exchange.first.packet.qos === packet.qos;
        const repeats = isAgain && mayRepeat(exchange, packet) ? exchange.last : undefined;
        const delivery: Delivery = { session, life, order, packet, topic, content, repeats };
        deliveries.push(delivery);
        if (packet.packetId === undefined) continue;
        if (repeats && exchange) exchange.last = delivery;
        else {
          const begun: Growing = {
            packetId: packet.packetId,
            first: delivery,
            last: delivery,
            acknowledgedAt: never,
            releasedAt: never,
            completedAt: never,
          };
          exchanges.push(begun);
          open.set(packet.packetId, begun);
        }
        continue;
      }
      const exchange = open.get(packetIdOf(packet) ?? -1);
      if (by === 'broker') {
        if (packet.type === 'PUBREL' && exchange) exchange.releasedAt = Math.min(exchange.releasedAt, order);
        continue;
      }
      if (!isAcknowledgement(packet.type)) continue;
      if (!exchange || !fits(exchange, packet.type)) {
        isSound = false;
        continue;
      }
      const isFailure = 'code' in packet && (packet.code ?? 0) >= 0x80;
      if (packet.type !== 'PUBCOMP') exchange.acknowledgedAt = Math.min(exchange.acknowledgedAt, order);
      if (packet.type !== 'PUBREC' || isFailure) exchange.completedAt = Math.min(exchange.completedAt, order);
    }
  }
  return { deliveries, exchanges, isSound };
}

/** An acknowledgement of a step that the exchange has reached; twice is as good as once. */
function fits({ first, releasedAt }: Growing, type: string): boolean {
  if (first.packet.qos === 1) return type === 'PUBACK';
  return type === 'PUBREC' || (type === 'PUBCOMP' && releasedAt !== never);
}

/**
 * A PUBLISH with DUP 1 repeats one that is not released; so does one with DUP 0, wrongly, if nothing was acknowledged. What
 * was acknowledged may repeat as well: the acknowledgement may be lost.
 */
function mayRepeat({ acknowledgedAt, releasedAt }: Growing, { dup }: Publish): boolean {
  return releasedAt === never && (dup || acknowledgedAt === never);
}
