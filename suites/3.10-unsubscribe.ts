/** 3.10 UNSUBSCRIBE: malformed ones, which subscriptions end, and what goes on all the same. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { pubcomp, pubrec, unsubscribe } from '../harness/wire/build.ts';
import type { Bend } from '../harness/wire/encode.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { needsQoS } from './needs.ts';
import type { Peer } from './session.ts';
import { publishTogether } from './together.ts';

// ── A malformed UNSUBSCRIBE ends no subscription ─────────────────────────────────────────────────────────────────────

/**
 * An UNSUBSCRIBE for two filters that no server may take: what is wrong, its bend, and how many whole filters stand before
 * the fault.
 */
type Malformation = readonly [
  id: string,
  title: string,
  covers: readonly RequirementId[],
  bend: Bend,
  before: 0 | 1 | 2,
];

function endsNone([id, title, covers, bend, before]: Malformation): Case {
  return {
    id: `${id}-ends-nothing`,
    title: `closes on an UNSUBSCRIBE ${title}, and ends none of the subscriptions`,
    covers,
    needs: ['qos1'],
    async run({ connect, topic, clientId, couldNotRun, nonStrict }) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      const filters = [`${topic}/a`, `${topic}/b`];
      const kept = `${topic}/kept`;
      for (const filter of [...filters, kept]) await subscriber.subscribe(filter, 1);
      subscriber.send(unsubscribe(9, ...filters), bend);
      await subscriber.expectClose();
      const again = await connect({ ...session, name: 'subscriber again' });
      await publisher.publish({ topic: kept, payload: 'control', qos: 1 });
      const control = await again.next();
      if (control?.type !== 'PUBLISH') return couldNotRun('the session is not resumed');
      await again.acknowledge(control);
      for (const filter of filters.slice(before)) {
        await publisher.publish({ topic: filter, payload: filter, qos: 1 });
        await again.receive({ topic: filter, payload: filter });
      }
      for (const filter of filters.slice(0, before)) {
        for (const name of [filter, kept]) await publisher.publish({ topic: name, payload: name, qos: 1 });
        // The standard says no word about the part of a packet that was read before its fault was found.
        if ((await again.receive()).topic === kept)
          nonStrict('subscriptions before the fault in a malformed UNSUBSCRIBE end');
        else await again.receive({ topic: kept });
      }
    },
  };
}

const header = section(
  '3.10.1 UNSUBSCRIBE Fixed header',
  [0xa0, 0xa1, 0xa3, 0xa6, 0xaa, 0xaf]
    .map((byte): Malformation => {
      const flags = (byte & 0x0f).toString(2).padStart(4, '0');
      return [
        `flags-${(byte & 0x0f).toString(16)}`,
        `with the flags ${flags}`,
        ['v3/3.10.1-1', 'v5/3.10.1-1'],
        { header: [byte] },
        0,
      ];
    })
    .map(endsNone),
);

const utf8Rule = ['v3/3.10.3-1', 'v5/3.10.3-1'] as const;
const nothing: readonly number[] = [];
const noFilters: Bend = {
  'filters.0.filter.length': nothing,
  'filters.0.filter': nothing,
  'filters.1.filter.length': nothing,
  'filters.1.filter': nothing,
};

const badPayloads: readonly Malformation[] = [
  ['first-ill-formed-utf8', 'whose first filter is not UTF-8', utf8Rule, { 'filters.0.filter': { append: [0xff] } }, 0],
  ['last-ill-formed-utf8', 'whose last filter is not UTF-8', utf8Rule, { 'filters.1.filter': { append: [0xff] } }, 1],
  ['last-null-character', 'whose last filter has U+0000', utf8Rule, { 'filters.1.filter': { append: [0x00] } }, 1],
  [
    'last-beyond-packet',
    'whose last filter is longer than it',
    utf8Rule,
    { 'filters.1.filter.length': [0xff, 0xff] },
    1,
  ],
  ['stray-byte', 'with a byte behind its last filter', utf8Rule, { surplus: [0x00] }, 2],
  ['identifier-0', 'with Packet Identifier 0', ['v3/2.3.1-1', 'v5/2.2.1-3'], { packetId: [0, 0] }, 0],
  ['without-filter', 'without a filter', ['v3/3.10.3-2', 'v5/3.10.3-2'], noFilters, 0],
];

// ── 3.10.4 Which subscriptions end ───────────────────────────────────────────────────────────────────────────────────

/** Publishes to a topic, and behind it to one that the subscriber is subscribed to: nothing but the second arrives. */
async function expectUnsubscribed(
  { topic }: Context,
  publisher: Peer,
  subscriber: Peer,
  name: string,
  qos: QoS = 1,
): Promise<void> {
  await publisher.publish({ topic: name, payload: 'for nobody', qos });
  await publisher.publish({ topic: `${topic}-fence`, payload: 'fence', qos });
  await subscriber.receive({ payload: 'fence' });
  await subscriber.expectNothing('no message for a subscription that UNSUBSCRIBE ended', 'v3/3.10.4-2', 'v5/3.10.4-2');
}

/** A subscription, a Topic Name that it matches, and filters that are not identical to it. `{t}` stands for the case's topic. */
const near: readonly (readonly [id: string, filter: string, name: string, others: readonly string[]])[] = [
  [
    'exact',
    '{t}/b',
    '{t}/b',
    ['{t}/+', '{t}/#', '{t}/b/', '{t}//b', '{t}/b/#', '/{t}/b', '{t}/B', '{t}', '#', '+/+/b'],
  ],
  ['plus', '{t}/+', '{t}/b', ['{t}/b', '{t}/#', '{t}/+/', '{t}/+/+', '/{t}/+', '#', '+/+/+']],
  ['hash', '{t}/#', '{t}/b', ['{t}', '{t}/', '{t}/b', '{t}/+', '{t}/+/#', '#', '+/+/#']],
  // One letter composed of two characters, and the same letter as one character.
  ['characters', '{t}/e\u0301', '{t}/e\u0301', ['{t}/\u00e9', '{t}/e', '{t}/E\u0301', '{t}/e\u0301\ufeff']],
];

const identical = near.map(
  ([id, filter, name, others]): Case => ({
    id: `not-identical-to-${id}`,
    title: `ends a subscription to ${filter.replace('{t}', 'topic')} by exactly this filter, and answers others by UNSUBACK alone`,
    covers: ['v3/3.10.4-1', 'v3/3.10.4-5', 'v5/3.10.4-1', 'v5/3.10.4-5'],
    needs: /[+#]/.test(filter) ? ['wildcards'] : [],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      const fill = (pattern: string) => pattern.replace('{t}', topic);
      await subscriber.subscribe(fill(filter));
      await subscriber.subscribe(`${topic}-fence`);
      for (const [index, other] of others.entries()) {
        subscriber.send(unsubscribe(100 + index, fill(other)));
        await subscriber.expect('UNSUBACK', { packetId: 100 + index });
        await publisher.publish({ topic: fill(name), payload: `after ${index}`, qos: 1 });
        await subscriber.receive({ payload: `after ${index}` });
      }
      await subscriber.unsubscribe(fill(filter));
      await expectUnsubscribed(context, publisher, subscriber, fill(name));
    },
  }),
);

const stops = ([0, 1, 2] as const).map(
  (qos): Case => ({
    id: `stops-qos${qos}`,
    title: `delivers no QoS ${qos} message for a subscription after UNSUBACK`,
    covers: ['v3/3.10.4-1', 'v3/3.10.4-2', 'v5/3.10.4-1', 'v5/3.10.4-2'],
    needs: needsQoS(qos),
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, qos);
      await subscriber.subscribe(`${topic}-fence`, qos);
      await publisher.publish({ topic, payload: 'before', qos });
      await subscriber.receive({ payload: 'before', qos });
      await subscriber.unsubscribe(topic);
      await expectUnsubscribed(context, publisher, subscriber, topic, qos);
      await publisher.publish({ topic, payload: 'for the future', qos, retain: true });
      await expectUnsubscribed(context, publisher, subscriber, topic, qos);
    },
  }),
);

const ending: readonly Case[] = [
  ...identical,
  ...stops,
  {
    id: 'overlapping-stays',
    title: 'delivers for the subscription that is left when one that matches as well has ended',
    covers: ['v3/3.10.4-1', 'v5/3.10.4-1'],
    needs: ['wildcards'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      for (const filter of [`${topic}/b`, `${topic}/#`, `${topic}-fence`]) await subscriber.subscribe(filter);
      await subscriber.unsubscribe(`${topic}/#`);
      for (const payload of ['1', '2']) {
        await publisher.publish({ topic: `${topic}/b`, payload, qos: 1 });
        await subscriber.receive({ payload });
      }
      await expectUnsubscribed(context, publisher, subscriber, `${topic}/c`);
    },
  },
  {
    id: 'other-client-stays',
    title: 'leaves the subscription of another client with the same filter as it is',
    covers: ['v3/3.10.4-1', 'v3/3.10.4-2', 'v5/3.10.4-1', 'v5/3.10.4-2'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber, other] = [await connect(), await connect(), await connect()];
      for (const client of [subscriber, other]) await client.subscribe(topic);
      await subscriber.subscribe(`${topic}-fence`);
      await subscriber.unsubscribe(topic);
      await expectUnsubscribed(context, publisher, subscriber, topic);
      await other.receive({ payload: 'for nobody' });
    },
  },
  {
    id: 'subscribed-again',
    title: 'delivers again, once, when a client that unsubscribed subscribes anew',
    covers: ['v3/3.10.4-1', 'v3/3.10.4-2', 'v5/3.10.4-1', 'v5/3.10.4-2'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(`${topic}-fence`);
      for (const round of ['1', '2', '3']) {
        await subscriber.subscribe(topic);
        await publisher.publish({ topic, payload: round, qos: 1 });
        await subscriber.receive({ payload: round });
        await subscriber.unsubscribe(topic);
        await expectUnsubscribed(context, publisher, subscriber, topic);
      }
    },
  },
  {
    id: 'replaced-subscription',
    title: 'ends a subscription that was made several times by one UNSUBSCRIBE',
    covers: ['v3/3.10.4-1', 'v3/3.10.4-2', 'v5/3.10.4-1', 'v5/3.10.4-2'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(`${topic}-fence`);
      for (const qos of [0, 1, 0] as const) await subscriber.subscribe(topic, qos);
      await subscriber.unsubscribe(topic);
      await expectUnsubscribed(context, publisher, subscriber, topic);
    },
  },
  {
    id: 'ended-for-good',
    title: 'keeps no message for an ended subscription while the client is away, and delivers none when it is back',
    covers: ['v3/3.10.4-1', 'v3/3.10.4-2', 'v5/3.10.4-1', 'v5/3.10.4-2'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await subscriber.subscribe(topic, 1);
      await subscriber.subscribe(`${topic}-fence`, 1);
      await subscriber.unsubscribe(topic);
      await subscriber.disconnect();
      await publisher.publish({ topic, payload: 'while away', qos: 1 });
      const again = await connect({ ...session, name: 'subscriber again' });
      // Not to depend on the session, which is the matter of other cases.
      await again.subscribe(`${topic}-fence`, 1);
      await expectUnsubscribed(context, publisher, again, topic);
    },
  },
];

// ── 3.10.4 Several filters ───────────────────────────────────────────────────────────────────────────────────────────

const several = [3, 100].map(
  (count): Case => ({
    id: `${count}-filters`,
    title: `ends every subscription that an UNSUBSCRIBE with ${count} filters names, known or not, and answers by one UNSUBACK`,
    covers: ['v3/3.10.4-6', 'v3/3.10.4-1', 'v5/3.10.4-6', 'v5/3.10.4-1'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      const known = Array.from({ length: count }, (_, index) => `${topic}/${index}`);
      await subscriber.request(...known.map((filter) => [filter, 0] as const), [`${topic}-fence`, 0]);
      // Every other one is named, a filter that nobody subscribed to, and one twice.
      const named = known.filter((_, index) => index % 2 === 0);
      const filters = named.flatMap((filter, index) => [`${topic}/unknown ${index}`, filter]);
      subscriber.send(unsubscribe(77, ...filters, topic, `${topic}/0`));
      await subscriber.expect('UNSUBACK', { packetId: 77 });
      await subscriber.expectNothing('one UNSUBACK', 'v3/3.10.4-6', 'v5/3.10.4-6');
      const to = (names: readonly string[], payload: string) => names.map((name) => ({ topic: name, payload }));
      await publishTogether(context, publisher, to(named, 'for nobody'));
      await expectUnsubscribed(context, publisher, subscriber, `${topic}/0`);
      const left = new Set(known.filter((each) => !named.includes(each)));
      await publishTogether(context, publisher, to([...left], 'left'));
      while (left.size > 0) left.delete((await subscriber.receive({ payload: 'left' })).topic);
    },
  }),
);

// ── 3.10.4 What has begun ────────────────────────────────────────────────────────────────────────────────────────────

/** How far the exchange of a message has come when its subscription ends, and what has to be sent again for it. */
const stages: readonly (readonly [id: string, qos: 1 | 2, words: string, due: 'PUBLISH' | 'PUBREL'])[] = [
  ['puback-due', 1, 'a QoS 1 message that waits for PUBACK', 'PUBLISH'],
  ['pubrec-due', 2, 'a QoS 2 message that waits for PUBREC', 'PUBLISH'],
  ['pubcomp-due', 2, 'a QoS 2 message that waits for PUBCOMP', 'PUBREL'],
];

const begun = stages.map(
  ([id, qos, words, due]): Case => ({
    id: `completes-${id}`,
    title: `completes the exchange of ${words} on the next connection, although its subscription has ended`,
    covers: ['v3/3.10.4-3', 'v5/3.10.4-3'],
    needs: needsQoS(qos),
    async run({ connect, topic, clientId, fail, couldNotRun }) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      // One subscription stays, in case that a session without any is none to the broker.
      for (const filter of [topic, `${topic}/kept`]) await subscriber.subscribe(filter, qos);
      await publisher.publish({ topic, payload: 'begun', qos });
      const { packetId = 0 } = await subscriber.message({ payload: 'begun' });
      if (due === 'PUBREL') {
        subscriber.send(pubrec(packetId));
        await subscriber.expect('PUBREL', { packetId });
      }
      subscriber.drop();
      const second = await connect({ ...session, name: 'second connection' });
      // That it is sent again as such is the matter of other cases.
      if ((await second.next())?.type !== due) couldNotRun(`${due} is not sent again`);
      await second.unsubscribe(topic);
      second.drop();
      const third = await connect({ ...session, name: 'third connection' });
      const packet = await third.next();
      if (packet?.type !== due) return fail(`${due} again`, packet?.type ?? 'nothing');
      if (packet.type === 'PUBLISH') await third.acknowledge(packet);
      else third.send(pubcomp(packetId));
      await third.expectNothing('nothing after a completed exchange');
    },
  }),
);

const goingOn: readonly Case[] = [
  ...begun,
  {
    id: 'pubrel-after-unsuback',
    title: 'answers the PUBREC for a QoS 2 message by PUBREL after its subscription has ended, and takes PUBCOMP',
    covers: ['v3/4.3.3-1', 'v3/2.3.1-6', 'v5/4.3.3-4', 'v5/2.2.1-5'],
    needs: ['qos2'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      await publisher.publish({ topic, payload: 'begun', qos: 2 });
      const { packetId = 0 } = await subscriber.message({ payload: 'begun', qos: 2 });
      await subscriber.unsubscribe(topic);
      subscriber.send(pubrec(packetId));
      await subscriber.expect('PUBREL', { packetId });
      subscriber.send(pubcomp(packetId));
      await subscriber.expectNothing('nothing after a completed exchange');
    },
  },
  {
    id: 'buffered-messages',
    title: 'delivers what it had buffered for the client before UNSUBSCRIBE, or does not',
    covers: ['v3/3.10.4~buffered-after-unsubscribe'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic, clientId, trait } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await subscriber.subscribe(topic, 1);
      await subscriber.disconnect();
      const count = 50;
      await publishTogether(
        context,
        publisher,
        Array.from({ length: count }, () => ({ topic, payload: 'buffered' })),
      );
      const again = await connect({ ...session, name: 'subscriber again' });
      await again.unsubscribe(topic);
      await again.fence();
      let delivered = 0;
      while (again.waiting.length > 0) {
        for (; again.waiting.length > 0; delivered++) await again.receive({ payload: 'buffered', qos: 1 });
        await again.fence();
      }
      trait('buffered messages delivered after UNSUBSCRIBE', `${delivered} of ${count}`);
    },
  },
];

const response = (part: string) => ({
  v3: `3.10.4 UNSUBSCRIBE Response: ${part}`,
  v5: `3.10.4 UNSUBSCRIBE Actions: ${part}`,
});

export const unsubscribing = chapter(
  '3.10 UNSUBSCRIBE',
  header,
  section('3.10.3 UNSUBSCRIBE Payload', badPayloads.map(endsNone)),
  section(response('what ends'), ending),
  section(response('several filters'), several),
  section(response('what goes on'), goingOn),
);
