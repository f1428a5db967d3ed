/** The messages of a play: what clients published, themselves or by a Will, and since when the broker is sure to have taken it. */

import type { Packet, PacketType, Properties, Publish, QoS } from '../../harness/wire/packet.ts';
import { checkTopicName } from '../../harness/wire/topic.ts';
import { firstAnswer, packetIdOf } from './answers.ts';
import { isRefused, type Life, longSeconds, never } from './life.ts';
import type { Session } from './session.ts';

/** What subscribers get of a message: topic and payload, as one string. */
export type Content = string;

export interface Publication {
  /** Position among all messages of the play: that of two of one connection tells which was sent first. */
  readonly index: number;
  readonly content: Content;
  readonly topic: string;
  readonly isEmpty: boolean;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties;
  /** The connection that it came on. */
  readonly life: Life;
  /** The CONNECT of a Will stands for its begin: it may be published from `order` on. */
  readonly isWill: boolean;
  readonly order: number;
  /** The broker has the message, and what it owes to subscriptions with it, from here on: PUBACK, or PUBCOMP after a PUBREC. */
  readonly takenAt: number;
  /** For QoS 2: when the PUBREL was sent. A broker may hand the message on at either packet. */
  readonly releasedAt: number;
  /** It is no retransmission, and its identifier is in no other use: the broker has to take it as a new message. */
  readonly isNew: boolean;
  /** The standard leaves the broker to serve or drop it: `$` topics, what expires soon. */
  readonly isOptional: boolean;
}

type Unnumbered = Omit<Publication, 'index'> & { index: number };

/** As `Content`. */
export function contentOf(topic: string, payload: Uint8Array): Content {
  return `${topic}\0${Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('latin1')}`;
}

/** A PUBLISH with the topic that its alias stands for (5.0, section 3.3.2.3.4). */
export interface Resolved {
  readonly order: number;
  readonly packet: Publish;
  /** Undefined if the alias is unknown. */
  readonly topic: string | undefined;
}

/** The PUBLISH packets of one direction of one connection. */
export function resolved(packets: readonly { readonly order: number; readonly packet: Packet }[]): readonly Resolved[] {
  const aliases = new Map<number, string>();
  const found: Resolved[] = [];
  for (const { order, packet } of packets) {
    if (packet.type !== 'PUBLISH') continue;
    const alias = packet.properties?.topicAlias;
    if (alias !== undefined && packet.topic !== '') aliases.set(alias, packet.topic);
    const topic = packet.topic === '' && alias !== undefined ? aliases.get(alias) : packet.topic;
    found.push({ order, packet, topic });
  }
  return found;
}

/** All messages that may have been published in a play; those of clients that were refused are none (v3/3.1.4-5). */
export function publicationsOf(
  lives: readonly Life[],
  sessions: readonly Session[],
  durationMs: number,
): readonly Publication[] {
  const found: Unnumbered[] = [];
  const long = longSeconds(durationMs);
  for (const life of lives) {
    if (isRefused(life)) continue;
    const { will } = life.connect.packet;
    if (will) {
      found.push({
        index: 0,
        content: contentOf(will.topic, will.payload),
        topic: will.topic,
        isEmpty: will.payload.length === 0,
        qos: will.qos,
        retain: will.retain,
        properties: will.properties ?? {},
        life,
        isWill: true,
        order: life.connect.order,
        takenAt: never,
        releasedAt: never,
        isNew: true,
        isOptional: isOptional(long, will.topic, will.properties),
      });
    }
  }
  for (const session of sessions) found.push(...ofLives(session.lives, session.known, long));
  const inSession = new Set(sessions.flatMap(({ lives: each }) => each));
  // Without a CONNACK nobody knows what became of the packets behind the CONNECT.
  for (const life of lives) if (!inSession.has(life) && !isRefused(life)) found.push(...ofLives([life], false, long));
  found.sort((a, b) => a.order - b.order);
  for (const [index, each] of found.entries()) each.index = index;
  return found;
}

function isOptional(long: number, topic: string, properties: Properties = {}): boolean {
  const { messageExpiryInterval = long } = properties;
  return topic.startsWith('$') || messageExpiryInterval < long || checkTopicName(topic) !== undefined;
}

/** What an identifier of the client's is in use for, in a session. */
interface Use {
  /** The message, of a PUBLISH. */
  readonly of?: { readonly content: Content; readonly qos: QoS; isNew: boolean };
  readonly isReleased?: true;
}

/** What frees an identifier of the client's. */
const ending: ReadonlySet<PacketType> = new Set(['PUBACK', 'PUBCOMP', 'SUBACK', 'UNSUBACK']);

function ofLives(lives: readonly Life[], known: boolean, long: number): readonly Unnumbered[] {
  const found: Unnumbered[] = [];
  const uses = new Map<number, Use>();
  for (const life of lives) {
    const topics = resolved(life.sent);
    let publishes = 0;
    for (const { packet, order, by } of life.both) {
      const packetId = packetIdOf(packet);
      if (by === 'broker') {
        // PUBREC leaves the identifier in use.
        if (packetId !== undefined && ending.has(packet.type)) uses.delete(packetId);
        continue;
      }
      if (packet.type === 'PUBREL') {
        // Released or not: whoever uses it before PUBCOMP can't know.
        uses.set(packet.packetId, { ...uses.get(packet.packetId), isReleased: true });
        continue;
      }
      const use = packetId === undefined ? undefined : uses.get(packetId);
      if (packet.type === 'SUBSCRIBE' || packet.type === 'UNSUBSCRIBE') {
        spoil(use);
        uses.set(packet.packetId, {});
      }
      if (packet.type !== 'PUBLISH') continue;
      const topic = topics[publishes++]?.topic;
      if (topic === undefined) continue;
      const content = contentOf(topic, packet.payload);
      const isSame = use?.of?.content === content && use.of.qos === packet.qos;
      // The same exchange once more: the broker hands it on at most once (v3/4.3.3-2).
      if (known && packet.qos === 2 && isSame && use.of?.isNew && !use.isReleased) continue;
      if (!isSame) spoil(use);
      const { takenAt, releasedAt } = taken(life, order, packet);
      const publication = {
        index: 0,
        content,
        topic,
        isEmpty: packet.payload.length === 0,
        qos: packet.qos,
        retain: packet.retain,
        properties: packet.properties ?? {},
        life,
        isWill: false,
        order,
        takenAt,
        releasedAt,
        isNew: known && !use,
        isOptional: isOptional(long, topic, packet.properties) || order > life.disconnectAt,
      };
      found.push(publication);
      if (packetId !== undefined) uses.set(packetId, { of: publication });
    }
  }
  return found;
}

/** A client that uses an identifier for two things at once: nobody knows what the broker makes of the first one either. */
function spoil(use: Use | undefined): void {
  if (use?.of) use.of.isNew = false;
}

/** PUBACK, or PUBREC, PUBREL and PUBCOMP on the same connection, each without a failure. */
function taken(life: Life, order: number, packet: Publish): Pick<Publication, 'takenAt' | 'releasedAt'> {
  const answer = firstAnswer(life, order, packet);
  const code = answer && 'code' in answer.packet ? answer.packet.code : 0;
  if (!answer || (code ?? 0) >= 0x80) return { takenAt: never, releasedAt: never };
  if (packet.qos === 1) return { takenAt: answer.order, releasedAt: never };
  const released = life.sent.find(
    (each) => each.packet.type === 'PUBREL' && each.packet.packetId === packet.packetId && each.order > order,
  );
  if (!released) return { takenAt: never, releasedAt: never };
  const complete = firstAnswer(life, released.order, released.packet);
  const isComplete = complete?.packet.type === 'PUBCOMP' && (complete.packet.code ?? 0) === 0;
  // A PUBREL from before the PUBREC may have met nothing to release.
  if (!isComplete || released.order < answer.order) return { takenAt: never, releasedAt: never };
  return { takenAt: complete.order, releasedAt: released.order };
}
