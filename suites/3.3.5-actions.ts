/** 3.3.5 PUBLISH Actions: overlapping subscriptions, and what a client may not publish. */

import { type Case, type Context, section } from '../harness/case.ts';
import { publish, pubrel, text } from '../harness/wire/build.ts';
import type { Publish, QoS } from '../harness/wire/packet.ts';
import { answerOrClose } from './answer.ts';
import { needsQoS } from './needs.ts';
import type { Peer } from './session.ts';

/** The permission for further copies bounds them; what it bounds is this. */
const rule = 'v3/3.3.5-1';

/** What the subscriptions were granted, and what was published to a topic that all of them match. */
interface Overlap {
  readonly granted: readonly number[];
  readonly qos: QoS;
  /** The message, if it is not the first one of the case. */
  readonly payload?: string;
}

/** Subscribes to all the filters in one SUBSCRIBE, and returns what was granted. */
async function subscribeAll(
  { notApplicable }: Context,
  subscriber: Peer,
  filters: readonly (readonly [string, QoS])[],
) {
  const codes = await subscriber.request(...filters);
  if (codes.some((code) => code >= 0x80)) notApplicable('the broker refuses one of the overlapping subscriptions');
  return codes;
}

/** Publishes the message, and behind it on the same path the fence that tells when no further copy of the message can come. */
async function publishBoth(publisher: Peer, topic: string, qos: QoS, message = 'message'): Promise<void> {
  for (const payload of [message, `${message} fence`]) await publisher.publish({ topic, payload, qos });
}

/**
 * Takes the copies of the message, and judges them: one at the highest QoS that is due, and perhaps more, one at most for each
 * further subscription, at its QoS. Returns how many there were. Throws Violation.
 */
async function judgeCopies({ fail }: Context, subscriber: Peer, overlap: Overlap): Promise<number> {
  const { granted, qos, payload = 'message' } = overlap;
  const due = granted.map((each) => Math.min(each, qos));
  const best = Math.max(...due);
  const expected = `a copy of the message with QoS ${best}`;
  const copies: Publish[] = [];
  const take = async () => {
    const packet = await subscriber.next();
    if (packet?.type !== 'PUBLISH') return fail(expected, described(copies), rule);
    if (packet.qos > best) fail(expected, `a copy with QoS ${packet.qos}`, 'v3/3.8.4-6', 'v5/3.8.4-8');
    await subscriber.acknowledge(packet);
    // A repetition, which is allowed at QoS 1, is no further copy.
    if (text(packet.payload) === payload && !packet.dup) copies.push(packet);
    return packet;
  };
  for (let last = await take(); text(last.payload) !== `${payload} fence` || last.qos !== best; ) last = await take();
  await subscriber.fence();
  while (subscriber.waiting.length > 0) await take();
  if (!copies.some((copy) => copy.qos === best)) fail(expected, described(copies), rule);
  for (const level of new Set(copies.map((copy) => copy.qos))) {
    const most = due.filter((each) => each === level).length;
    const count = copies.filter((copy) => copy.qos === level).length;
    if (count > most) fail(`${most} with QoS ${level} at most`, described(copies), rule);
  }
  return copies.length;
}

function described(copies: readonly Publish[]): string {
  return copies.length === 0 ? 'no copy of it' : copies.map(({ qos }) => `a copy with QoS ${qos}`).join(' and ');
}

/** Topic Filters that match `a` below the case's own topic. */
const filters = { exact: '/a', plus: '/+', hash: '/#' } as const;

type Filter = keyof typeof filters;

/** Subscriptions in the order in which they are made, and the QoS of the message. */
const overlaps: readonly (readonly [published: QoS, ...subscriptions: (readonly [Filter, QoS])[]])[] = [
  [2, ['hash', 0], ['plus', 2]],
  [2, ['plus', 2], ['hash', 0]],
  [2, ['hash', 2], ['plus', 1]],
  [2, ['exact', 0], ['hash', 1], ['plus', 2]],
  [2, ['exact', 2], ['hash', 0], ['plus', 1]],
  [1, ['hash', 0], ['exact', 1]],
  [1, ['exact', 1], ['hash', 0]],
  [1, ['hash', 0], ['plus', 2]],
];

const overlapping = overlaps.map(([qos, ...subscriptions]): Case => {
  const levels = subscriptions.map(([, granted]) => granted);
  const best = Math.min(qos, Math.max(...levels));
  const names = subscriptions.map(([filter, granted]) => `${filter}${granted}`).join('-');
  return {
    id: `overlap-qos${qos}-${names}`,
    title: `delivers a QoS ${qos} message at QoS ${best} to a client with subscriptions of QoS ${levels.join(' and ')} that match`,
    covers: ['v3/3.3.5-1', 'v3/3.3.5~overlapping-copies', 'v5/3.3.4-2', 'v5/3.3.4~overlapping-copies'],
    needs: ['wildcards', ...needsQoS(qos, ...levels)],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      const wanted = subscriptions.map(([filter, level]) => [topic + filters[filter], level] as const);
      const granted = await subscribeAll(context, subscriber, wanted);
      await publishBoth(publisher, `${topic}/a`, qos);
      await judgeCopies(context, subscriber, { granted, qos });
    },
  };
});

const copies = ([0, 1, 2] as const).map(
  (qos): Case => ({
    id: `overlap-copies-qos${qos}`,
    title: `delivers a QoS ${qos} message to a client with three such subscriptions that match once, or up to three times`,
    covers: ['v3/3.3.5~overlapping-copies'],
    needs: ['wildcards', ...needsQoS(qos)],
    async run(context) {
      const { connect, topic, trait } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      const wanted = Object.values(filters).map((filter) => [topic + filter, qos] as const);
      const granted = await subscribeAll(context, subscriber, wanted);
      await publishBoth(publisher, `${topic}/a`, qos);
      const count = await judgeCopies(context, subscriber, { granted, qos });
      trait(`copies of a QoS ${qos} message that three subscriptions match`, String(count));
    },
  }),
);

const guarded = (['$SYS/', '$'] as const).flatMap((prefix) =>
  ([1, 2] as const).map(
    (qos): Case => ({
      id: `qos${qos}-to-${prefix === '$' ? 'dollar' : 'sys'}-topic`,
      title: `acknowledges a QoS ${qos} PUBLISH to ${prefix}topic, or closes, whether or not it is allowed`,
      covers: ['v3/3.3.5-2'],
      // A broker that knows no QoS 2 at all is the matter of 3.3.4.
      needs: qos === 2 ? ['qos2'] : [],
      async run(context) {
        const { connect, topic, trait, fail } = context;
        const publisher = await connect();
        const packetId = 7;
        const steps = qos === 1 ? (['PUBACK'] as const) : (['PUBREC', 'PUBCOMP'] as const);
        publisher.send(publish({ topic: prefix + topic, payload: context.token, qos, packetId }));
        for (const step of steps) {
          const expected = [`${step} id=${packetId}`, 'the connection closes'];
          if (step === 'PUBCOMP') publisher.send(pubrel(packetId));
          const answer = await answerOrClose(context, publisher, expected);
          if (!answer) return trait('on a PUBLISH to a topic that begins with $', 'closes the connection');
          if (answer.type !== step || answer.packetId !== packetId) fail(expected, answer.type);
        }
        trait('on a PUBLISH to a topic that begins with $', 'acknowledges');
      },
    }),
  ),
);

export const actions = section('3.3.5 PUBLISH Actions', [
  ...overlapping,
  {
    id: 'overlap-unsubscribed',
    title: 'delivers at the QoS of the subscription that is left when the one with the higher QoS is gone',
    covers: ['v3/3.3.5-1', 'v3/3.10.4-2', 'v5/3.3.4-2', 'v5/3.10.4-2'],
    needs: ['wildcards', 'qos2'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      const granted = await subscribeAll(context, subscriber, [
        [`${topic}/#`, 1],
        [`${topic}/+`, 2],
      ]);
      await publishBoth(publisher, `${topic}/a`, 2);
      await judgeCopies(context, subscriber, { granted, qos: 2 });
      await subscriber.unsubscribe(`${topic}/+`);
      await publishBoth(publisher, `${topic}/a`, 2, 'second');
      await judgeCopies(context, subscriber, { granted: granted.slice(0, 1), qos: 2, payload: 'second' });
    },
  },
  {
    id: 'overlap-queued',
    title: 'keeps a message for a client that is away at the highest QoS of its subscriptions that match',
    covers: ['v3/3.3.5-1', 'v5/3.3.4-2'],
    needs: ['wildcards', 'qos2'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      const granted = await subscribeAll(context, subscriber, [
        [`${topic}/#`, 1],
        [`${topic}/a`, 2],
      ]);
      await subscriber.disconnect();
      await publishBoth(publisher, `${topic}/a`, 2);
      const again = await connect({ ...session, name: 'subscriber again' });
      await judgeCopies(context, again, { granted, qos: 2 });
    },
  },
  {
    id: 'overlap-of-two-clients',
    title: 'delivers to each client according to its own subscriptions only',
    covers: ['v3/3.3.5-1', 'v5/3.3.4-2'],
    needs: ['wildcards', 'qos2'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, one, other] = [await connect(), await connect(), await connect()];
      const granted = await subscribeAll(context, one, [
        [`${topic}/#`, 0],
        [`${topic}/a`, 2],
      ]);
      const grantedOther = await subscribeAll(context, other, [[`${topic}/+`, 1]]);
      await publishBoth(publisher, `${topic}/a`, 2);
      await judgeCopies(context, one, { granted, qos: 2 });
      await judgeCopies(context, other, { granted: grantedOther, qos: 2 });
    },
  },
  ...copies,
  ...guarded,
]);
