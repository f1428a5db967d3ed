/** 3.8.2.1.2 Subscription Identifier: which messages carry it, and how long it lasts (MQTT 5.0, sections 3.3.4 and 3.8.4). */

import type { Case, Context } from '../harness/case.ts';
import { subscribe, text } from '../harness/wire/build.ts';
import type { Publish, QoS } from '../harness/wire/packet.ts';
import { needsQoS } from './needs.ts';
import type { Peer } from './session.ts';

/** Subscribe options with this Subscription Identifier, or without one. */
function identified(identifier?: number) {
  return identifier === undefined ? {} : { properties: { subscriptionIdentifiers: [identifier] } };
}

function identifiersOf({ properties }: Publish): readonly number[] {
  return [...(properties?.subscriptionIdentifiers ?? [])].sort((one, other) => one - other);
}

/** Judges the Subscription Identifiers of a message. Throws Violation. */
function judge({ fail }: Context, message: Publish, ...expected: readonly number[]): void {
  const found = identifiersOf(message);
  if (found.join() === expected.join()) return;
  const words = (list: readonly number[]) =>
    list.length === 0 ? 'a message without a Subscription Identifier' : `a message with ${list.join(', ')}`;
  fail(words(expected), words(found));
}

const values = [1, 2, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455];

/** How a message gets to the subscription, and with which QoS. */
const ways: readonly (readonly [way: 'live' | 'queued' | 'redelivered' | 'retained', qos: QoS])[] = [
  ['live', 0],
  ['live', 1],
  ['live', 2],
  ['queued', 1],
  ['queued', 2],
  ['redelivered', 1],
  ['redelivered', 2],
  ['retained', 0],
  ['retained', 1],
];

const inWords = {
  live: '',
  queued: ' after the client was away',
  redelivered: ' when it is sent again',
  retained: ' when it is a retained one',
};

const sent: readonly Case[] = [
  ...values.map(
    (identifier): Case => ({
      id: `identifier-${identifier}`,
      title: `sends the Subscription Identifier ${identifier.toLocaleString('en')} with a message for the subscription`,
      covers: ['v5/3.3.4-3'],
      async run(context) {
        const { connect, topic } = context;
        const [publisher, subscriber] = [await connect(), await connect()];
        await subscriber.subscribe(topic, 0, identified(identifier));
        for (const payload of ['1', '2']) {
          await publisher.publish({ topic, payload });
          judge(context, await subscriber.receive({ payload }), identifier);
        }
      },
    }),
  ),
  ...ways.map(
    ([way, qos]): Case => ({
      id: `identifier-${way}-qos${qos}`,
      title: `sends the Subscription Identifier with a QoS ${qos} message${inWords[way]}`,
      covers: ['v5/3.3.4-3'],
      needs: way === 'retained' ? ['retain', ...needsQoS(qos)] : needsQoS(qos),
      async run(context) {
        const { connect, topic, clientId } = context;
        const session = { clientId: clientId('subscriber'), clean: false };
        const [publisher, subscriber] = [await connect(), await connect(session)];
        const retain = way === 'retained';
        // A retained message of QoS 0 need not be kept.
        const published = retain ? 1 : qos;
        const publish = () => publisher.publish({ topic, payload: 'm', qos: published, retain });
        if (retain) await publish();
        await subscriber.subscribe(topic, qos, identified(7));
        if (way === 'queued') await subscriber.disconnect();
        if (!retain) await publish();
        let receiver = subscriber;
        if (way === 'redelivered') {
          await subscriber.message({ payload: 'm' });
          subscriber.drop();
        }
        if (way === 'queued' || way === 'redelivered')
          receiver = await connect({ ...session, name: 'subscriber again' });
        judge(context, await receiver.receive({ payload: 'm', qos }), 7);
      },
    }),
  ),
  {
    id: 'identifier-with-will',
    title: 'sends the Subscription Identifier with a will',
    covers: ['v5/3.3.4-3'],
    async run(context) {
      const { connect, topic } = context;
      const subscriber = await connect();
      await subscriber.subscribe(topic, 0, identified(7));
      (await connect({ will: { topic, payload: 'will' } })).drop();
      judge(context, await subscriber.receive({ payload: 'will' }), 7);
    },
  },
  {
    id: 'identifier-for-every-filter',
    title: 'takes the Subscription Identifier of a SUBSCRIBE for every filter in it',
    covers: ['v5/3.3.4-3', 'v5/3.8.4-5'],
    async run(context) {
      const { connect, topic, notApplicable } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      const names = ['a', 'b', 'c'].map((level) => `${topic}/${level}`);
      const filters = names.map((name) => [name, 0] as const);
      subscriber.send(subscribe({ packetId: 1, ...identified(9) }, ...filters));
      const { codes } = await subscriber.pick('SUBACK', { packetId: 1 });
      if (codes.some((code) => code >= 0x80)) notApplicable('the broker refuses one of the subscriptions');
      for (const name of names) {
        await publisher.publish({ topic: name, payload: name });
        judge(context, await subscriber.receive({ payload: name }), 9);
      }
    },
  },
];

// ── Several subscriptions ────────────────────────────────────────────────────────────────────────────────────────────

/** The copies of a message that a subscriber gets. Throws Violation when there is none. */
async function copiesOf(publisher: Peer, subscriber: Peer, topic: string): Promise<readonly Publish[]> {
  for (const payload of ['m', 'fence']) await publisher.publish({ topic, payload });
  const copies: Publish[] = [];
  let message = await subscriber.receive();
  for (; text(message.payload) !== 'fence'; message = await subscriber.receive()) copies.push(message);
  await subscriber.fence();
  while (subscriber.waiting.length > 0) await subscriber.receive({ payload: 'fence' });
  return copies;
}

const several: readonly Case[] = [
  {
    id: 'identifiers-of-overlapping',
    title: 'sends the Subscription Identifiers of all subscriptions that match: with one copy, or each with its own',
    covers: ['v5/3.3.4-3', 'v5/3.3.4-4', 'v5/3.3.4-5'],
    needs: ['wildcards'],
    async run(context) {
      const { connect, topic, fail, trait } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(`${topic}/#`, 0, identified(1));
      await subscriber.subscribe(`${topic}/+`, 0, identified(2));
      await subscriber.subscribe(`${topic}/b`, 0);
      await subscriber.subscribe(`${topic}/c`, 0, identified(3));
      const copies = (await copiesOf(publisher, subscriber, `${topic}/b`)).map(identifiersOf);
      const expected = ['one copy with the Subscription Identifiers 1 and 2', 'copies with 1, with 2, and with none'];
      const actual = copies.map((copy) => `a copy with ${copy.join(' and ') || 'none'}`).join(', ');
      trait('copies for three subscriptions that match', String(copies.length));
      const all = copies.flat().sort().join();
      if (all !== '1,2' || copies.length > 3) fail(expected, actual || 'no copy');
      if (copies.length > 1 && copies.some((copy) => copy.length > 1)) fail(expected, actual);
    },
  },
  {
    id: 'identifier-used-twice',
    title: 'sends a Subscription Identifier that two matching subscriptions share with each copy, and no other',
    covers: ['v5/3.3.4-3'],
    needs: ['wildcards'],
    async run(context) {
      const { connect, topic, fail, trait } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      for (const filter of ['/#', '/+']) await subscriber.subscribe(topic + filter, 0, identified(7));
      const copies = (await copiesOf(publisher, subscriber, `${topic}/b`)).map(identifiersOf);
      const found = copies.map((copy) => copy.join(' and ') || 'none').join(', ');
      // The text says that the one copy has it twice, as a matter of fact and not as a demand.
      if (copies.length === 0 || copies.some((copy) => copy.length === 0 || copy.some((each) => each !== 7)))
        fail('copies with the Subscription Identifier 7', found || 'no copy');
      trait('Subscription Identifiers where two matching subscriptions have the same', found);
    },
  },
  {
    id: 'identifiers-of-other-clients',
    title: 'sends to each client the Subscription Identifier of its own subscription alone',
    covers: ['v5/3.3.4~own-subscription-identifiers', 'v5/3.3.4-3'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, one, other, without] = [await connect(), await connect(), await connect(), await connect()];
      await one.subscribe(topic, 0, identified(1));
      await other.subscribe(topic, 0, identified(2));
      await without.subscribe(topic, 0);
      await publisher.publish({ topic, payload: 'm' });
      judge(context, await one.receive({ payload: 'm' }), 1);
      judge(context, await other.receive({ payload: 'm' }), 2);
      judge(context, await without.receive({ payload: 'm' }));
    },
  },
  {
    id: 'identifiers-of-other-filters',
    title: 'sends no Subscription Identifier of a subscription that does not match',
    covers: ['v5/3.3.4-3'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      for (const [level, identifier] of [
        ['a', 1],
        ['b', undefined],
        ['c', 3],
      ] as const) {
        await subscriber.subscribe(`${topic}/${level}`, 0, identified(identifier));
      }
      for (const [level, expected] of [
        ['a', [1]],
        ['b', []],
        ['c', [3]],
      ] as const) {
        await publisher.publish({ topic: `${topic}/${level}`, payload: level });
        judge(context, await subscriber.receive({ payload: level }), ...expected);
      }
    },
  },
];

// ── How long it lasts ────────────────────────────────────────────────────────────────────────────────────────────────

/** What a client does, and the Subscription Identifier that messages have from then on. */
type Step = readonly [does: number | 'SUBSCRIBE without one' | 'UNSUBSCRIBE' | 'resume' | 'start anew', then?: number];

const lives: readonly (readonly [id: string, title: string, steps: readonly Step[]])[] = [
  [
    'replaced',
    'replaces a Subscription Identifier by that of the next SUBSCRIBE',
    [
      [1, 1],
      [2, 2],
      [1, 1],
    ],
  ],
  [
    'removed',
    'sends no Subscription Identifier any more when a SUBSCRIBE without one replaces the subscription',
    [[1, 1], ['SUBSCRIBE without one'], [2, 2]],
  ],
  [
    'unsubscribed',
    'sends no Subscription Identifier of a subscription that UNSUBSCRIBE ended',
    [[1, 1], ['UNSUBSCRIBE'], ['SUBSCRIBE without one']],
  ],
  [
    'resumed',
    'keeps the Subscription Identifier with the subscription in the session',
    [[1, 1], ['resume', 1], [2, 2], ['resume', 2], ['SUBSCRIBE without one'], ['resume']],
  ],
  [
    'session-ended',
    'forgets the Subscription Identifier with the session',
    [[1, 1], ['start anew'], ['SUBSCRIBE without one']],
  ],
];

const lasting: readonly Case[] = [
  ...lives.map(
    ([id, title, steps]): Case => ({
      id: `identifier-${id}`,
      title,
      covers:
        id === 'replaced' || id === 'removed' || id === 'resumed'
          ? ['v5/3.8.4~subscription-identifier-state']
          : ['v5/3.3.4-3'],
      async run(context) {
        const { connect, topic, clientId } = context;
        const session = { clientId: clientId('subscriber'), clean: false };
        const publisher = await connect();
        let subscriber = await connect({ ...session, name: 'subscriber' });
        let subscribed = false;
        for (const [number, [does, then]] of steps.entries()) {
          if (does === 'UNSUBSCRIBE') await subscriber.unsubscribe(topic);
          else if (does === 'resume' || does === 'start anew') {
            await subscriber.disconnect();
            subscriber = await connect({ ...session, clean: does === 'start anew', name: `${does} ${number}` });
          } else await subscriber.subscribe(topic, 0, identified(does === 'SUBSCRIBE without one' ? undefined : does));
          subscribed = does === 'resume' ? subscribed : does !== 'UNSUBSCRIBE' && does !== 'start anew';
          if (!subscribed) continue;
          const payload = String(number);
          await publisher.publish({ topic, payload });
          judge(context, await subscriber.receive({ payload }), ...(then === undefined ? [] : [then]));
        }
      },
    }),
  ),
  {
    id: 'identifier-unsubscribed-beside-another',
    title: 'sends the Subscription Identifier of the subscription that is left alone',
    covers: ['v5/3.8.4~subscription-identifier-state'],
    needs: ['wildcards'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(`${topic}/#`, 0, identified(1));
      await subscriber.subscribe(`${topic}/b`, 0, identified(2));
      await subscriber.unsubscribe(`${topic}/#`);
      const [copy, ...more] = await copiesOf(publisher, subscriber, `${topic}/b`);
      if (!copy || more.length > 0)
        return context.fail('one copy of the message', `${more.length + Number(!!copy)} copies`);
      judge(context, copy, 2);
    },
  },
];

export const subscriptionIdentifiers: readonly Case[] = [...sent, ...several, ...lasting].map((each) => ({
  ...each,
  needs: ['subscription-identifiers', ...(each.needs ?? [])],
}));
