/** Each delivery by itself: a message and a subscription explain it, with its QoS, RETAIN, properties and number of copies (sections 3.3, 3.8.4). */

import type { Delivery } from '../model/delivery.ts';
import { isRefused } from '../model/life.ts';
import { matches } from '../model/matching.ts';
import { contentOf, type Publication, resolved } from '../model/publication.ts';
import type { Subscription } from '../model/subscription.ts';
import type { Model, Told } from '../model.ts';
import type { Finding } from '../record.ts';
import { type Explanation, explanationsOf } from './explained.ts';
import { forwardedWrongly } from './forwarded.ts';
import { broken, isOurs, type Rule, shown } from './law.ts';

/** Findings about what the clients got. */
export function* judgeDeliveries(model: Model): Generator<Finding> {
  // What a broker made of a packet that it should have refused may explain anything.
  if (model.hasFaults) return;
  for (const session of model.sessions) {
    if (!session.known) continue;
    for (const delivery of session.deliveries) {
      if (delivery.repeats || !isOurs(delivery.topic)) continue;
      const found = judge(model, session, delivery);
      if (found) yield found;
    }
    yield* tooMany(model, session);
  }
}

function judge(model: Model, session: Told, delivery: Delivery): Finding | undefined {
  const explanations = explanationsOf(model, session, delivery);
  if (explanations.length === 0) return unexplained(model, session, delivery);
  return (
    wrongQoS(delivery, explanations) ??
    wrongRetain(delivery, explanations) ??
    forwardedWrongly(model, session, delivery, explanations)
  );
}

const rules = {
  refused: { v3: ['v3/3.1.4-5'], v5: ['v5/3.1.4-6'] },
  noMatch: { v3: ['v3/3.3.2-3', 'v3/7.1.1~server-output-format'], v5: ['v5/3.3.2-3'] },
  noLocal: { v3: [], v5: ['v5/3.8.3-3'] },
  retained: {
    v3: ['v3/3.3.1-12', 'v3/3.3.1-10', 'v3/3.3.1-6'],
    v5: ['v5/3.3.1-8', 'v5/3.3.1-6', 'v5/3.3.1.3~last-retained-message'],
  },
  retainHandling: { v3: [], v5: ['v5/3.3.1-11'] },
  unsubscribed: { v3: ['v3/3.10.4-2', 'v3/3.10.4-1'], v5: ['v5/3.10.4-2', 'v5/3.10.4-1'] },
  will: { v3: ['v3/3.1.2-8', 'v3/3.1.2-10', 'v3/3.14.4-3'], v5: ['v5/3.1.2-8', 'v5/3.1.2-10', 'v5/3.14.4-3'] },
  session: { v3: ['v3/3.1.2-6'], v5: ['v5/3.1.2-4'] },
  qos: { v3: ['v3/3.8.4-6', 'v3/3.3.1-5'], v5: ['v5/3.8.4-8', 'v5/3.3.1-5'] },
  retainLive: { v3: ['v3/3.3.1-9', 'v3/3.3.1-12'], v5: ['v5/3.3.1-12', 'v5/3.3.1-8'] },
  shared: { v3: [], v5: ['v5/4.8.2~shared-no-retained', 'v5/3.3.1-12'] },
  retainNew: { v3: ['v3/3.3.1-8'], v5: ['v5/3.3.1.3~retain-flag-on-subscribe'] },
  retainAsPublished: { v3: [], v5: ['v5/3.3.1-13'] },
  once: { v3: ['v3/4.3.1-1', 'v3/1.2~one-subscription-per-filter'], v5: ['v5/4.3.1-1', 'v5/3.3.4-2'] },
  exactlyOnce: { v3: ['v3/4.3.3-2', 'v3/4.3.3-1'], v5: ['v5/4.3.3-10', 'v5/4.3.3-3'] },
} as const satisfies Record<string, Rule>;

/** What is wrong with a delivery that nothing explains; nobody's message is not for this oracle. */
function unexplained(model: Model, session: Told, delivery: Delivery): Finding | undefined {
  const { version } = delivery.life;
  const { topic, order } = delivery;
  const published = (model.byContent.get(delivery.content) ?? []).filter((each) => each.order < order);
  const say = (kind: string, rule: Rule, expected: string, actual: string) =>
    broken(kind, { rule, version }, { expected, actual: `${actual}: PUBLISH to ${shown(topic)}`, at: order });
  if (published.length === 0) {
    if (!wasRefused(model, delivery)) return undefined;
    return say(
      'message of a refused client',
      rules.refused,
      'nothing of a client that was refused',
      'delivered what a refused client sent',
    );
  }
  const matching = session.subscriptions.filter(({ filter, isRefused: not }) => !not && matches(filter, topic));
  const isEarlier = matching.some(({ sentAt }) => sentAt < order);
  if (!isEarlier) {
    return say(
      'delivery without a subscription',
      rules.noMatch,
      'only what a Topic Filter of the client matches',
      'no filter of this session matches',
    );
  }
  if (published.every(({ isWill }) => isWill)) {
    return say(
      'Will published too early or after DISCONNECT',
      rules.will,
      'no Will while the connection lasts, and none after DISCONNECT',
      'the Will was published',
    );
  }
  if (matching.some(({ requested }) => requested.noLocal)) {
    return say(
      'No Local ignored',
      rules.noLocal,
      'no message of its own with No Local 1',
      'delivered a message to its publisher',
    );
  }
  const isLater = matching.every(({ sentAt }) => published.every(({ takenAt }) => takenAt < sentAt));
  if (isLater) {
    if (matching.every(({ requested }) => requested.retainHandling === 2)) {
      return say(
        'retained message in spite of Retain Handling 2',
        rules.retainHandling,
        'no retained message with Retain Handling 2',
        'a retained message came',
      );
    }
    return say(
      'message from before the subscription',
      rules.retained,
      'only the last retained message of a topic, if there is one',
      'an older or deleted message, or one that was not to be retained, came',
    );
  }
  return say(
    'delivery after UNSUBACK',
    rules.unsubscribed,
    'no new message after UNSUBACK',
    'a message that was sent after UNSUBACK came',
  );
}

/** Whether a client that was refused sent this message. */
function wasRefused({ lives }: Model, { content, order }: Delivery): boolean {
  return lives
    .filter(isRefused)
    .some(({ sent }) =>
      resolved(sent).some(
        (each) =>
          each.topic !== undefined && each.order < order && contentOf(each.topic, each.packet.payload) === content,
      ),
    );
}

/** Section 3.8.4: the lower of the QoS of the message and the one granted. */
function wrongQoS({ packet, life, order }: Delivery, explanations: readonly Explanation[]): Finding | undefined {
  const right = explanations.some(({ publication, subscription }) => {
    const { granted, requested } = subscription;
    return granted === undefined
      ? packet.qos <= Math.min(publication.qos, requested.qos)
      : packet.qos === Math.min(publication.qos, granted);
  });
  if (right) return undefined;
  const lower = [
    ...new Set(
      explanations.map(({ publication, subscription: { granted, requested } }) =>
        Math.min(publication.qos, granted ?? requested.qos),
      ),
    ),
  ];
  const expected = `QoS ${lower.sort().join(' or ')}: the lower of those of the message and of the subscription`;
  return broken(
    'wrong QoS',
    { rule: rules.qos, version: life.version },
    { expected, actual: `QoS ${packet.qos}`, at: order },
  );
}

/** Section 3.3.1.3. */
function wrongRetain({ packet, life, order }: Delivery, explanations: readonly Explanation[]): Finding | undefined {
  const { version } = life;
  const isUnavailable = life.connack?.packet.properties?.retainAvailable === 0;
  if (isUnavailable) return undefined;
  const asPublished = (each: Explanation) => version === 'v5' && each.subscription.requested.retainAsPublished === true;
  if (packet.retain) {
    const right = explanations.some((each) => each.retained || (asPublished(each) && each.publication.retain));
    if (right) return undefined;
    if (explanations.every(({ subscription }) => subscription.isShared)) {
      const none = { expected: 'no retained message for a Shared Subscription', actual: 'RETAIN 1', at: order };
      return broken('retained message for a Shared Subscription', { rule: rules.shared, version }, none);
    }
    const expected = 'RETAIN 0 in what was published while the subscription was there';
    return broken(
      'RETAIN 1 in a live message',
      { rule: rules.retainLive, version },
      { expected, actual: 'RETAIN 1', at: order },
    );
  }
  if (explanations.some((each) => each.live && !(asPublished(each) && each.publication.retain))) return undefined;
  const isNew = explanations.every(({ live }) => !live);
  const rule = isNew ? rules.retainNew : rules.retainAsPublished;
  const expected = isNew
    ? 'RETAIN 1 in what a new subscription brings'
    : 'RETAIN 1 as published, with Retain As Published 1';
  return broken(
    isNew ? 'RETAIN 0 in a retained message' : 'RETAIN not as published',
    { rule, version },
    { expected, actual: 'RETAIN 0', at: order },
  );
}

/** Copies: QoS 0 at most once and QoS 2 exactly once, for each message and subscription. QoS 1 may come more often. */
function* tooMany(model: Model, session: Told): Generator<Finding> {
  const seen = new Map<string, { copies: number; last: Delivery }>();
  for (const delivery of session.deliveries) {
    const { packet, content, repeats, topic } = delivery;
    if (packet.qos === 1 || repeats || !isOurs(topic)) continue;
    const key = `${packet.qos} ${content}`;
    seen.set(key, { copies: (seen.get(key)?.copies ?? 0) + 1, last: delivery });
  }
  for (const { copies, last } of seen.values()) {
    if (copies === 1) continue;
    const most = mostCopies(model, session, last);
    if (most === 0 || copies <= most) continue;
    const rule = last.packet.qos === 0 ? rules.once : rules.exactlyOnce;
    const expected =
      most === 1 ? 'one delivery' : `at most ${most} deliveries, one for each message and matching subscription`;
    const actual = `${copies} deliveries with QoS ${last.packet.qos} of the same message to ${shown(last.topic)}`;
    yield broken(
      `QoS ${last.packet.qos} message delivered again`,
      { rule, version: last.life.version },
      { expected, actual, at: last.order },
    );
  }
}

function mostCopies(model: Model, session: Told, delivery: Delivery): number {
  const explanations = explanationsOf(model, session, delivery);
  // A filter has one subscription at a time, whatever SUBSCRIBEs there were for it.
  const live = new Map<Publication, Set<string>>();
  const retained = new Set<Subscription>();
  for (const each of explanations) {
    if (each.retained) retained.add(each.subscription);
    if (!each.live) continue;
    const filters = live.get(each.publication) ?? new Set();
    live.set(each.publication, filters.add(each.subscription.requested.filter));
  }
  let most = retained.size;
  for (const filters of live.values()) most += filters.size;
  return most;
}
