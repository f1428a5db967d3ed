/** Order: messages of one publisher to one topic with one QoS come in the order in which they were sent (section 4.6). */

import { firstAnswer } from '../model/answers.ts';
import type { Delivery } from '../model/delivery.ts';
import { matches } from '../model/matching.ts';
import type { Publication } from '../model/publication.ts';
import type { Model, Told } from '../model.ts';
import type { Finding } from '../record.ts';
import { broken, isOurs, type Rule, shown } from './law.ts';

const rules = {
  again: { v3: ['v3/4.6.0-1'], v5: [] },
  messages: { v3: ['v3/4.6.0-6', 'v3/4.6.0-5'], v5: ['v5/4.6.0-5', 'v5/4.6.0-6'] },
  // In 5.0 these bind the client only.
  PUBACK: { v3: ['v3/4.6.0-2'], v5: [] },
  PUBREC: { v3: ['v3/4.6.0-3'], v5: [] },
  PUBREL: { v3: ['v3/4.6.0-4'], v5: [] },
} as const satisfies Record<string, Rule>;

/** Findings about messages and acknowledgements out of order. */
export function* judgeOrder(model: Model): Generator<Finding> {
  if (model.hasFaults) return;
  for (const session of model.sessions) {
    if (!session.known) continue;
    yield* judgeSession(model, session);
    if (session.isSound) yield* judgeAgain(session);
  }
  yield* judgeAcknowledgements(model);
}

function* judgeSession(model: Model, session: Told): Generator<Finding> {
  /** By publisher, topic and both QoS: the last message that came for the first time. */
  const last = new Map<string, Publication>();
  const seen = new Set<string>();
  for (const delivery of session.deliveries) {
    const publication = onlyOne(model, session, delivery);
    if (!publication || seen.has(delivery.content)) continue;
    seen.add(delivery.content);
    const { life, topic, qos } = publication;
    const stream = [life.connection.connection, topic, qos, delivery.packet.qos].join(' ');
    const before = last.get(stream);
    if (before && isSentBefore(publication, before)) {
      const expected = `messages of one publisher to ${shown(topic)} with QoS ${qos} in the order in which they were sent`;
      const actual = 'the later one came before the earlier one';
      yield broken(
        `order of QoS ${delivery.packet.qos} messages`,
        { rule: rules.messages, version: delivery.life.version },
        { expected, actual, at: delivery.order },
      );
    }
    last.set(stream, publication);
  }
}

/** What is sent again when a session is resumed comes in the order of the first time; in 5.0 this binds the client only. */
function* judgeAgain({ lives, exchanges }: Told): Generator<Finding> {
  for (const life of lives.slice(1)) {
    if (life.version !== 'v3') continue;
    let last = -1;
    // In 3.1.1 a broker may send it any number of times.
    const seen = new Set<number>();
    for (const { order, packet } of life.received) {
      if (packet.type !== 'PUBLISH' || !packet.dup || packet.packetId === undefined) continue;
      if (seen.has(packet.packetId)) continue;
      seen.add(packet.packetId);
      const exchange = exchanges.findLast((each) => each.packetId === packet.packetId && each.first.order < order);
      if (!exchange || exchange.first.life === life) continue;
      const expected = 'PUBLISH packets again in the order in which they were sent first';
      const at = { expected, actual: 'another order', at: order };
      if (exchange.first.order < last) yield broken('order of redelivery', { rule: rules.again, version: 'v3' }, at);
      last = Math.max(last, exchange.first.order);
    }
  }
}

/** The message of a delivery if it can be no other, and came because of the only subscription that it can have come for. */
function onlyOne(
  { byContent, publications }: Model,
  { subscriptions }: Told,
  { content, topic, order }: Delivery,
): Publication | undefined {
  const [publication, ...others] = byContent.get(content) ?? [];
  if (!publication || others.length > 0 || publication.isWill || !publication.isNew || !isOurs(topic)) return undefined;
  // Retained messages of a topic come when a subscription is made.
  if (publication.order > order || publications.some((each) => each.topic === topic && each.retain)) return undefined;
  const matching = subscriptions.filter(({ filter }) => matches(filter, topic));
  return matching.length === 1 && !matching[0]?.isShared ? publication : undefined;
}

/** Whether one message is before another one of its QoS: with QoS 2 also its PUBREL, which it may be handed on at. */
function isSentBefore(one: Publication, other: Publication): boolean {
  if (one.order >= other.order) return false;
  return one.qos < 2 || one.releasedAt < other.releasedAt;
}

/** The acknowledgements of one connection, in the order of what they answer. */
function* judgeAcknowledgements({ lives }: Model): Generator<Finding> {
  for (const life of lives) {
    if (life.version !== 'v3') continue;
    const used = new Set<number>();
    const last = { PUBACK: -1, PUBREC: -1 };
    for (const { order, packet } of life.sent) {
      if (packet.type !== 'PUBLISH' || packet.packetId === undefined) continue;
      // Which of two with one identifier is answered nobody knows.
      if (used.has(packet.packetId)) break;
      used.add(packet.packetId);
      const answer = firstAnswer(life, order, packet);
      if (!answer) continue;
      const type = packet.qos === 1 ? 'PUBACK' : 'PUBREC';
      if (answer.order < last[type]) {
        const expected = `${type}s in the order of the PUBLISH packets`;
        yield broken(
          `order of ${type}s`,
          { rule: rules[type], version: 'v3' },
          { expected, actual: 'another order', at: answer.order },
        );
      }
      last[type] = Math.max(last[type], answer.order);
    }
    yield* judgePubrels(life.both);
  }
}

function* judgePubrels(both: Model['lives'][number]['both']): Generator<Finding> {
  const due: number[] = [];
  for (const { by, order, packet } of both) {
    if (packet.type === 'PUBREC' && by === 'client') {
      // Repeated ones are answered again, nobody knows when.
      if (due.includes(packet.packetId)) return;
      due.push(packet.packetId);
    } else if (packet.type === 'PUBREL' && by === 'broker') {
      const at = due.indexOf(packet.packetId);
      if (at < 0) return;
      if (at > 0) {
        const expected = 'PUBRELs in the order of the PUBRECs';
        yield broken(
          'order of PUBRELs',
          { rule: rules.PUBREL, version: 'v3' },
          { expected, actual: 'another order', at: order },
        );
        return;
      }
      due.shift();
    }
  }
}
