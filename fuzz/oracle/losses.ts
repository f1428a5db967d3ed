/** At least once: what a broker took has to reach every session with a QoS 1 or 2 subscription that was there all the time (sections 4.3, 4.5). */

import type { QoS } from '../../harness/wire/packet.ts';
import type { Publication } from '../model/publication.ts';
import { surelyCovers } from '../model/subscription.ts';
import type { Model, Told } from '../model.ts';
import type { Finding } from '../record.ts';
import { broken, isOurs, type Rule, shown } from './law.ts';
import { isPast, type Rest, restsOf, takesAll } from './rest.ts';

const rules = {
  lost: { v3: ['v3/4.5.0-1', 'v3/3.3.5-1', 'v3/3.1.2-5'], v5: ['v5/4.5.0-1', 'v5/4.1~session-state-parts'] },
  lower: { v3: ['v3/3.3.5-1', 'v3/3.8.4-6'], v5: ['v5/3.3.4-2', 'v5/3.8.4-8'] },
  retained: { v3: ['v3/3.3.1-6', 'v3/3.3.1-5'], v5: ['v5/3.3.1-9', 'v5/3.3.1-5'] },
} as const satisfies Record<string, Rule>;

/** So many messages a broker has to keep for a client, whatever its limits. */
const messagesAtMost = 20;
const bytesAtMost = 50_000;

/** Findings about messages that never came, of what was taken so many milliseconds before the session came to rest. */
export function* judgeLosses(model: Model, patienceMs: number): Generator<Finding> {
  if (model.hasFaults) return;
  const due = model.publications.filter(isDue);
  if (due.length === 0 || isMuch(model)) return;
  for (const session of model.sessions) {
    if (!takesAll(session)) continue;
    const rests = restsOf(model, session);
    for (const publication of due) {
      const isTaken = ({ pingAt, readsSince }: Rest) =>
        isPast(model, Math.max(publication.takenAt, readsSince), pingAt, patienceMs);
      const found = firstOf(rests, (rest) => (isTaken(rest) ? lost(session, publication, rest) : undefined));
      if (found) yield found;
      if (publication.retain && !publication.isEmpty && isLast(model, publication)) {
        const missing = firstOf(rests, (rest) => lostRetained(model, session, publication, rest, patienceMs));
        if (missing) yield missing;
      }
    }
  }
}

/** Whether nothing excuses a broker from handing on a message. */
function isDue({ isNew, isOptional, qos, isWill, topic, takenAt }: Publication): boolean {
  return isNew && !isOptional && !isWill && qos > 0 && Number.isFinite(takenAt) && isOurs(topic);
}

/** Whether there is so much that some limit of the broker may excuse it. */
function isMuch({ publications }: Model): boolean {
  if (publications.length > messagesAtMost) return true;
  return publications.reduce((sum, { content }) => sum + content.length, 0) > bytesAtMost;
}

function lost(session: Told, publication: Publication, { pingAt, pongAt }: Rest): Finding | undefined {
  const { topic, order, content, life } = publication;
  let granted: QoS = 0;
  for (const subscription of session.subscriptions) {
    const { isShared, requested } = subscription;
    if (isShared || (requested.noLocal && life.connect.packet.clientId === session.clientId)) continue;
    // An UNSUBSCRIBE may also end what is still waiting.
    if (!surelyCovers(subscription, topic, order, pingAt)) continue;
    if ((subscription.granted ?? 0) > granted) granted = subscription.granted ?? 0;
  }
  const qos = Math.min(granted, publication.qos);
  if (qos === 0) return undefined;
  const came = session.deliveries.filter((each) => each.content === content && each.order < pongAt);
  // A subscription that is not sure to be there may have brought it with a higher one.
  if (came.some(({ packet }) => packet.qos >= qos)) return undefined;
  const version = session.lives[0]?.version ?? 'v3';
  const message = `the QoS ${publication.qos} message to ${shown(topic)} that was acknowledged`;
  const expected = `delivery of ${message}, with QoS ${qos}`;
  return came.length === 0
    ? broken('lost message', { rule: rules.lost, version }, { expected, actual: `${message} never came`, at: pongAt })
    : broken(
        'lost QoS',
        { rule: rules.lower, version },
        { expected, actual: `only with QoS ${came.map(({ packet }) => packet.qos).join(', ')}`, at: pongAt },
      );
}

/** The last retained message of a topic comes with every new subscription (section 3.3.1.3). */
function lostRetained(
  model: Model,
  session: Told,
  { topic, takenAt, life, content }: Publication,
  { pingAt, pongAt, readsSince }: Rest,
  patienceMs: number,
): Finding | undefined {
  if (life.connack?.packet.properties?.retainAvailable === 0) return undefined;
  for (const subscription of session.subscriptions) {
    const { grantedAt, sentAt, granted = 0, requested, isShared } = subscription;
    if (granted === 0 || isShared || (requested.retainHandling ?? 0) !== 0 || takenAt > sentAt) continue;
    if (
      !isPast(model, Math.max(grantedAt, readsSince), pingAt, patienceMs) ||
      !surelyCovers(subscription, topic, pingAt, pingAt)
    )
      continue;
    if (
      model.publications.some((other) => other.topic === topic && other.retain && mayPrecede(other, grantedAt, takenAt))
    )
      continue;
    if (session.deliveries.some((each) => each.content === content && each.order > sentAt && each.order < pongAt))
      continue;
    const version = session.lives[0]?.version ?? 'v3';
    const expected = `the retained message of ${shown(topic)} for the new subscription to ${shown(requested.filter)}`;
    return broken(
      'lost retained message',
      { rule: rules.retained, version },
      { expected, actual: 'it never came', at: pongAt },
    );
  }
  return undefined;
}

/** Whether a message may have taken the place of the one that was taken at `takenAt` before a subscription was granted. */
function mayPrecede(other: Publication, grantedAt: number, takenAt: number): boolean {
  return (other.order > takenAt || other.isWill) && other.order < grantedAt;
}

/** Whether no other message that was sent before this one was taken can come after it. */
function isLast({ publications }: Model, last: Publication): boolean {
  return publications.every((other) => {
    if (other === last || other.topic !== last.topic || !other.retain || other.order > last.takenAt) return true;
    return !other.isWill && isBefore(other, last);
  });
}

/** Whether a message is sure to have been taken before another one, at least if it was taken at all. */
function isBefore(earlier: Publication, later: Publication): boolean {
  if (earlier.takenAt < later.order) return true;
  if (earlier.life !== later.life || earlier.index > later.index) return false;
  return earlier.qos < 2;
}

function firstOf<Item>(items: readonly Item[], find: (item: Item) => Finding | undefined): Finding | undefined {
  for (const item of items) {
    const found = find(item);
    if (found) return found;
  }
  return undefined;
}
