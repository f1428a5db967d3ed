/** What a broker owes beside messages: acknowledgements of what it read, and the Wills of connections that ended without DISCONNECT. */

import type { RequirementId } from '../../harness/spec/index.ts';
import type { Packet } from '../../harness/wire/packet.ts';
import { checkFilter, checkTopicName } from '../../harness/wire/topic.ts';
import { firstAnswer, isAcknowledgement, lastReadAt, packetIdOf } from '../model/answers.ts';
import { isDoubtful, isLetIn, type Life, never } from '../model/life.ts';
import type { Publication } from '../model/publication.ts';
import { surelyCovers } from '../model/subscription.ts';
import type { Model, Told } from '../model.ts';
import type { Finding } from '../record.ts';
import { broken, isOurs, type Rule, shown } from './law.ts';
import { isPast, lastPing, restsOf, takesAll } from './rest.ts';
import { comesBack, delayOf, willToleranceMs } from './timing.ts';

const acknowledgements = {
  PUBACK: { v3: ['v3/3.3.4-1', 'v3/4.3.2-2'], v5: ['v5/3.3.4-1', 'v5/4.3.2-4'] },
  PUBREC: { v3: ['v3/3.3.4-1', 'v3/4.3.3-2'], v5: ['v5/3.3.4-1', 'v5/4.3.3-8'] },
  PUBCOMP: { v3: ['v3/4.3.3-2'], v5: ['v5/4.3.3-11'] },
  PUBREL: { v3: ['v3/4.3.3-1'], v5: ['v5/4.3.3-4'] },
  SUBACK: { v3: ['v3/3.8.4-1'], v5: ['v5/3.8.4-1'] },
  UNSUBACK: { v3: ['v3/3.10.4-4', 'v3/3.10.4-5'], v5: ['v5/3.10.4-4', 'v5/3.10.4-5'] },
} as const satisfies Record<string, Rule>;

type Acknowledgement = keyof typeof acknowledgements;

/** Findings about acknowledgements that did not come although the broker read on, so many milliseconds after the packet. */
export function* judgeAcknowledged(model: Model, patienceMs: number): Generator<Finding> {
  for (const life of model.lives) {
    if (!isLetIn(life) || isDoubtful(life.connection)) continue;
    const ping = lastPing(life);
    if (!ping) continue;
    for (const { order, packet } of life.sent) {
      const type = owedFor(life, order, packet);
      if (!type || !isPast(model, Math.max(order, ping.readsSince), ping.pingAt, patienceMs)) continue;
      const answer = firstAnswer(life, order, packet);
      if (answer && answer.order < ping.pongAt) continue;
      const expected = `${type} for the ${packet.type} before the PINGREQ that was answered`;
      yield lost(type, life, expected, ping.pongAt);
    }
  }
  if (model.hasFaults) return;
  for (const session of model.sessions) {
    if (!session.known || !session.isSound) continue;
    for (const { life, pingAt, pongAt, readsSince } of session.lives.flatMap((each) => lastPing(each) ?? [])) {
      for (const { first, last, acknowledgedAt, releasedAt, completedAt } of session.exchanges) {
        if (first.packet.qos < 2 || last.life !== life || completedAt !== never) continue;
        if (!isPast(model, Math.max(acknowledgedAt, readsSince), pingAt, patienceMs) || releasedAt < pongAt) continue;
        yield lost('PUBREL', life, 'PUBREL in answer to PUBREC', pongAt);
      }
    }
  }
}

function lost(type: Acknowledgement, { version }: Life, expected: string, at: number): Finding {
  const rule: Record<'v3' | 'v5', readonly RequirementId[]> = acknowledgements[type];
  return broken(`lost ${type}`, { rule, version }, { expected, actual: `no ${type}`, at });
}

/** What a packet has to be answered with, if it is the only one that uses its identifier on this connection. */
function owedFor(life: Life, order: number, packet: Packet): Acknowledgement | undefined {
  const type = answerTo(life, order, packet);
  if (!type) return undefined;
  const id = packetIdOf(packet);
  const isOnly = life.sent.every((each) => {
    if ((each.packet === packet && each.order === order) || packetIdOf(each.packet) !== id) return true;
    // PUBLISH and PUBREL go together; acknowledgements are for the broker's own identifiers.
    const goesWith = packet.type === 'PUBREL' ? each.packet.type === 'PUBLISH' : each.packet.type === 'PUBREL';
    return goesWith || isAcknowledgement(each.packet.type);
  });
  return isOnly ? type : undefined;
}

function answerTo(life: Life, order: number, packet: Packet): Acknowledgement | undefined {
  switch (packet.type) {
    case 'PUBLISH':
      // A topic with wildcards is to be refused, and in which way is not for this oracle.
      if (packet.qos === 0 || !isOurs(packet.topic) || checkTopicName(packet.topic, life.version)) return undefined;
      return packet.qos === 1 ? 'PUBACK' : 'PUBREC';
    case 'PUBREL': {
      const isKnown = life.received.some(
        (each) => each.packet.type === 'PUBREC' && each.packet.packetId === packet.packetId && each.order < order,
      );
      return isKnown ? 'PUBCOMP' : undefined;
    }
    case 'SUBSCRIBE':
      return packet.filters.some(({ filter }) => checkFilter(filter, life.version)) ? undefined : 'SUBACK';
    case 'UNSUBSCRIBE':
      return packet.filters.some((filter) => checkFilter(filter, life.version)) ? undefined : 'UNSUBACK';
    default:
      return undefined;
  }
}

const willRule: Rule = {
  v3: ['v3/3.1.2-8', 'v3/3.1.2.5~will-triggers'],
  v5: ['v5/3.1.2-8', 'v5/3.1.2.5~will-after-error'],
};

/** Findings about Wills that were due so many milliseconds before a subscriber came to rest, and never came. */
export function* judgeWills(model: Model, patienceMs: number): Generator<Finding> {
  // A broker that goes on after what ends a connection may also take a DISCONNECT that is none.
  const due = model.hasFaults ? [] : model.publications.filter((each) => isDueWill(model, each));
  if (due.length === 0) return;
  const judged = new Set<Publication>();
  for (const session of model.sessions) {
    if (!takesAll(session)) continue;
    for (const { pingAt, pongAt, readsSince } of restsOf(model, session)) {
      for (const will of due) {
        const dueAt = Math.max(will.life.closedAt, readsSince);
        const waitMs = patienceMs + waitOf(will);
        if (judged.has(will) || !isPast(model, dueAt, pingAt, waitMs) || !isFor(session, will, pingAt)) continue;
        if (session.deliveries.some(({ content, order }) => content === will.content && order < pongAt)) continue;
        judged.add(will);
        const expected = `the Will to ${shown(will.topic)} of a connection that ended without DISCONNECT`;
        yield broken(
          'lost Will',
          { rule: willRule, version: will.life.version },
          { expected, actual: 'it never came', at: pongAt },
        );
      }
    }
  }
}

/** Whether nothing excuses a broker from publishing a Will when its connection has ended. */
function isDueWill(model: Model, will: Publication): boolean {
  const { isWill, isOptional, qos, topic, life, properties } = will;
  if (!isWill || isOptional || qos === 0 || !isOurs(topic) || !isLetIn(life) || life.closedAt === never) return false;
  return life.disconnectAt === never && ((properties.willDelayInterval ?? 0) === 0 || !comesBack(model, life));
}

/** How long after the end of its connection a Will is waited for. */
function waitOf(will: Publication): number {
  const seconds = delayOf(will);
  return seconds === 0 ? 0 : 1_000 * seconds + willToleranceMs;
}

/** Whether a session had a subscription for a Will from before the connection can have ended. */
function isFor(session: Told, { topic, life }: Publication, until: number): boolean {
  const from = lastReadAt(life);
  return session.subscriptions.some(({ isShared, requested, granted = 0, ...rest }) => {
    if (isShared || granted === 0 || requested.noLocal) return false;
    return surelyCovers({ isShared, requested, granted, ...rest }, topic, from, until);
  });
}
