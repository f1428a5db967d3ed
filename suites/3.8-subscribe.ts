/** 3.8 SUBSCRIBE: malformed ones, the answer, subscriptions that replace each other, several filters at once, and the QoS of delivery. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { subscribe, text } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { badFlags, badPayloads } from './3.8.1-malformed-subscribe.ts';
import { needsQoS } from './needs.ts';
import type { Peer } from './session.ts';
import { publishTogether } from './together.ts';

/** A Topic Filter with wildcards below the case's topic, a Topic Name that it matches, and one that it does not. */
const wildcards: readonly (readonly [id: string, filter: string, matches: string, other: string])[] = [
  ['plus', '/+', '/a', '/a/b'],
  ['plus-within', '/+/b', '/a/b', '/a/c'],
  ['hash', '/#', '/a/b', '-a'],
  ['plus-and-hash', '/+/b/#', '/a/b/c', '/a/c/b'],
];

const payload = section('3.8.3 SUBSCRIBE Payload', [
  ...badPayloads,
  ...wildcards.map(
    ([id, filter, matches, other]): Case => ({
      id: `wildcards-${id}`,
      title: `grants topic${filter} and delivers what it matches, or refuses it and delivers nothing`,
      covers: ['v3/3.8.3-2'],
      async run({ connect, topic, trait }) {
        const [publisher, subscriber] = [await connect(), await connect()];
        const [code = 0x80] = await subscriber.request([topic + filter, 0]);
        trait('Topic Filters with wildcards', code === 0x80 ? 'refused' : 'granted');
        await subscriber.subscribe(`${topic}-fence`);
        await publisher.publish({ topic: topic + other, payload: 'no match', qos: 1 });
        await publisher.publish({ topic: topic + matches, payload: 'match', qos: 1 });
        if (code !== 0x80) await subscriber.receive({ payload: 'match' });
        await publisher.publish({ topic: `${topic}-fence`, payload: 'fence', qos: 1 });
        await subscriber.receive({ payload: 'fence' });
        await subscriber.expectNothing('nothing else');
      },
    }),
  ),
  {
    id: 'wildcards-supported',
    title: 'grants Topic Filters with wildcards',
    covers: ['v3/3.8.3~wildcards-supported'],
    async run({ connect, topic, fail }) {
      const codes = await (await connect()).request(...wildcards.map(([, filter]) => [topic + filter, 0] as const));
      if (codes.every((code) => code === 0x80))
        fail('Topic Filters with wildcards are granted', 'SUBACK 0x80 for each');
    },
  },
]);

// ── 3.8.4 The answer ─────────────────────────────────────────────────────────────────────────────────────────────────

const identifiers = [1, 0xff, 0x100, 0x1234, 0xffff];

const answer: readonly Case[] = [
  {
    id: 'suback-identifier',
    title: 'answers SUBSCRIBE by one SUBACK with its Packet Identifier, a used one as well',
    covers: ['v3/3.8.4-1', 'v3/3.8.4-2', 'v3/2.3.1-7', 'v5/3.8.4-1', 'v5/3.8.4-2', 'v5/2.2.1-6'],
    async run({ connect, topic }) {
      const subscriber = await connect();
      for (const packetId of [...identifiers, ...identifiers]) {
        subscriber.send(subscribe(packetId, [topic, 0]));
        await subscriber.expect('SUBACK', { packetId });
        await subscriber.expectNothing('one SUBACK');
      }
    },
  },
  {
    id: 'suback-pipelined',
    title: 'answers each of fifty SUBSCRIBEs in one segment by its SUBACK',
    covers: ['v3/3.8.4-1', 'v3/3.8.4-2', 'v5/3.8.4-1', 'v5/3.8.4-2'],
    async run({ connect, topic }) {
      const subscriber = await connect();
      const all = Array.from({ length: 50 }, (_, index) => subscribe(5000 - 7 * index, [`${topic}/${index}`, 0]));
      subscriber.sendTogether(...all);
      for (const { packetId } of all) await subscriber.pick('SUBACK', { packetId });
      await subscriber.expectNothing('one SUBACK each');
    },
  },
  {
    id: 'suback-same-filter',
    title:
      'answers SUBSCRIBE for a filter that the client is subscribed to, and one that names a filter twice, by SUBACK',
    covers: ['v3/3.8.4-1', 'v3/3.8.4-5', 'v5/3.8.4-1', 'v5/3.8.4-6'],
    async run({ connect, topic }) {
      const subscriber = await connect();
      for (const packetId of [1, 2, 3]) {
        subscriber.send(subscribe(packetId, [topic, 0]));
        await subscriber.expect('SUBACK', { packetId, codes: [0] });
      }
      subscriber.send(subscribe(77, [topic, 0], [topic, 0]));
      await subscriber.expect('SUBACK', { packetId: 77, codes: [0, 0] });
      await subscriber.expectNothing('one SUBACK');
    },
  },
  {
    id: 'suback-with-backlog',
    title:
      'answers SUBSCRIBE for a filter that brings a hundred retained messages by one SUBACK, before, within or after them',
    covers: ['v3/3.8.4-1', 'v5/3.8.4-1'],
    needs: ['retain', 'wildcards'],
    async run(context) {
      const { connect, topic, notApplicable } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      const payload = Buffer.alloc(1000, 'x');
      await publishTogether(
        context,
        publisher,
        Array.from({ length: 100 }, (_, index) => ({ topic: `${topic}/${index}`, payload, retain: true })),
      );
      subscriber.send(subscribe(77, [`${topic}/+`, 0]));
      // Which messages come is the matter of 3.3.1.3; that there is no second SUBACK, of every packet.
      const { codes } = await subscriber.pick('SUBACK', { packetId: 77 });
      if ((codes[0] ?? 0x80) >= 0x80) notApplicable('the broker refuses the subscription');
      await subscriber.fence();
    },
  },
  {
    id: 'publish-before-suback',
    title: 'sends the retained message before or after the SUBACK',
    covers: ['v3/3.8.4~publish-before-suback', 'v5/3.8.4~publish-before-suback'],
    needs: ['retain'],
    async run({ connect, topic, trait, couldNotRun }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
      subscriber.send(subscribe(77, [topic, 0]));
      const [first, second] = [await subscriber.next(), await subscriber.next()];
      if (!first || !second) return couldNotRun('SUBACK or the retained message does not come');
      trait('a retained message for a new subscription', `${first.type === 'PUBLISH' ? 'before' : 'after'} SUBACK`);
    },
  },
];

// ── 3.8.4 Granted QoS ────────────────────────────────────────────────────────────────────────────────────────────────

const granted = ([0, 1, 2] as const).map(
  (requested): Case => ({
    id: `granted-for-qos${requested}`,
    title: `grants at most QoS ${requested} where it is asked for, and delivers with what it grants`,
    covers: [
      'v3/3.8.4~lower-qos-granted',
      ...(requested === 0
        ? (['v3/3.8.4-6', 'v5/3.8.4-8'] as const)
        : (['v3/3.8.4-5', 'v5/3.8.4-6', 'v5/3.8.4-7'] as const)),
    ],
    async run({ connect, topic, trait, fail, notApplicable }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      const [code = 0x80] = await subscriber.request([topic, requested]);
      if (code >= 0x80) return notApplicable('the broker refuses the subscription');
      if (code > requested)
        fail(
          `a return code up to QoS ${requested}`,
          `SUBACK with QoS ${code}`,
          'v3/3.8.4-5',
          'v5/3.8.4-6',
          'v5/3.8.4-7',
        );
      trait(`QoS granted for QoS ${requested}`, String(code));
      // Who grants no QoS 2 may take none either; QoS 1 has to be acknowledged by everyone.
      await publisher.publish({ topic, payload: 'm', qos: code === 2 ? 2 : 1 });
      await subscriber.receive({ topic, payload: 'm', qos: code as QoS });
    },
  }),
);

/** QoS of the message and of the subscription, and how the message gets there; retained ones stand in 3.3.1.3. */
const matrix: readonly (readonly [published: QoS, subscribed: QoS, way: 'live' | 'queued'])[] = [
  [0, 1, 'live'],
  [0, 2, 'live'],
  [1, 0, 'live'],
  [1, 1, 'live'],
  [1, 2, 'live'],
  [2, 0, 'live'],
  [2, 1, 'live'],
  [2, 2, 'live'],
  [1, 1, 'queued'],
  [1, 2, 'queued'],
  [2, 1, 'queued'],
  [2, 2, 'queued'],
];

const deliveryQoS = matrix.map(([published, subscribed, way]): Case => {
  const lower = Math.min(published, subscribed) as QoS;
  return {
    id: `qos${published}-to-qos${subscribed}-${way}`,
    title: `delivers a QoS ${published} message to a QoS ${subscribed} subscription with QoS ${lower}${way === 'queued' ? ', after the client was away' : ''}`,
    // Where the two are equal, only a grant that is not kept shows.
    covers: published === subscribed ? ['v3/3.8.4-5', 'v5/3.8.4-7'] : ['v3/3.8.4-6', 'v5/3.8.4-8'],
    needs: needsQoS(published, subscribed),
    async run({ connect, topic, clientId }) {
      const session = { clientId: clientId('subscriber'), clean: way === 'live' };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await subscriber.subscribe(topic, subscribed);
      if (way === 'queued') await subscriber.disconnect();
      await publisher.publish({ topic, payload: 'm', qos: published });
      const receiver = way === 'queued' ? await connect({ ...session, name: 'subscriber again' }) : subscriber;
      await receiver.receive({ topic, payload: 'm', qos: lower });
      await publisher.publish({ topic, payload: 'fence', qos: published });
      await receiver.receive({ topic, payload: 'fence', qos: lower });
    },
  };
});

// ── 3.8.4 A subscription that replaces another ───────────────────────────────────────────────────────────────────────

/** QoS of the old and the new subscription. */
const changes: readonly (readonly [old: QoS, next: QoS])[] = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 0],
  [1, 1],
  [1, 2],
  [2, 0],
  [2, 1],
  [2, 2],
];

const replaces = changes.flatMap(([old, next]): Case[] =>
  (['exact', 'wildcard'] as const).map((kind) => ({
    id: `replaced-qos${old}-by-qos${next}-${kind}`,
    title: `delivers once, with QoS ${next}, after a QoS ${old} subscription with the same filter was replaced (${kind})`,
    covers: ['v3/3.8.4-3', 'v3/1.2~one-subscription-per-filter', 'v5/3.8.4-3'],
    needs: kind === 'exact' ? needsQoS(old, next) : [...needsQoS(old, next), 'wildcards'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      // High enough to tell the two apart, and no higher, so that nothing is lowered without need.
      const qos = Math.max(old, next) as QoS;
      const filter = kind === 'exact' ? `${topic}/a` : `${topic}/#`;
      await subscriber.subscribe(filter, old);
      await subscriber.subscribe(filter, next);
      for (const payload of ['m', 'fence']) await publisher.publish({ topic: `${topic}/a`, payload, qos });
      await subscriber.receive({ payload: 'm', qos: next });
      await subscriber.receive({ payload: 'fence', qos: next });
      await subscriber.expectNothing('each message once');
    },
  })),
);

/** The first subscription brings the retained message, without which there is none to come again. */
async function expectBrought({ couldNotRun }: Context, subscriber: Peer): Promise<void> {
  const message = await subscriber.next();
  if (message?.type !== 'PUBLISH') return couldNotRun('no retained message comes for the first subscription');
  await subscriber.acknowledge(message);
}

/** A re-subscription that brings the retained message again: filter below the case's topic, and QoS of both. */
const again: readonly (readonly [id: string, filter: string, old: QoS, next: QoS])[] = [
  ['exact', '/a', 0, 0],
  ['exact-qos1', '/a', 1, 1],
  ['exact-other-qos', '/a', 0, 1],
  ['plus', '/+', 0, 0],
  ['hash', '/#', 1, 0],
];

const retainedAgain = again.map(
  ([id, filter, old, next]): Case => ({
    id: `retained-again-${id}`,
    title: `sends the retained message again for each subscription to topic${filter} that replaces the last`,
    covers: ['v3/3.8.4-3', 'v5/3.8.4-4'],
    needs: ['retain', ...needsQoS(old, next), ...(id === 'plus' || id === 'hash' ? (['wildcards'] as const) : [])],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await publisher.publish({ topic: `${topic}/a`, payload: 'kept', qos: 1, retain: true });
      await subscriber.subscribe(topic + filter, old);
      await expectBrought(context, subscriber);
      for (let count = 0; count < 2; count++) {
        await subscriber.subscribe(topic + filter, next);
        await subscriber.receive({ payload: 'kept' });
      }
    },
  }),
);

const flow = ([1, 2] as const).map(
  (qos): Case => ({
    id: `replaced-without-a-gap-qos${qos}`,
    title: `loses no QoS ${qos} message while subscriptions with the same filter replace each other`,
    covers: ['v3/3.8.4-3', 'v5/3.8.4-4'],
    needs: ['qos2'],
    async run({ connect, topic, fail }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      const count = 25;
      for (let number = 1; number <= count; number++) {
        subscriber.send(subscribe(subscriber.freshId(), [topic, number % 2 === 0 ? 2 : qos]));
        await publisher.publish({ topic, payload: String(number), qos });
      }
      const missing = new Set(Array.from({ length: count }, (_, index) => String(index + 1)));
      while (missing.size > 0) {
        const packet = await subscriber.next();
        if (!packet) return fail(`each of ${count} messages`, `without number ${[...missing].join(', ')}`);
        if (packet.type !== 'PUBLISH') continue;
        await subscriber.acknowledge(packet);
        missing.delete(text(packet.payload));
      }
    },
  }),
);

/** Filters of which the second is not identical to the first, though both match `a/b` below the case's topic. */
const overlaps: readonly (readonly [id: string, first: string, second: string])[] = [
  ['exact-then-plus', '/a/b', '/a/+'],
  ['plus-then-exact', '/a/+', '/a/b'],
  ['hash-then-plus', '/#', '/+/b'],
  ['exact-then-hash', '/a/b', '/a/b/#'],
];

const newFilter = overlaps.map(
  ([id, first, second]): Case => ({
    id: `new-filter-${id}`,
    title: `sends the retained message for topic${second} although one for topic${first} brought it already`,
    covers: ['v3/3.8.4~new-filter-gets-retained', 'v5/3.3.1-9'],
    needs: ['retain', 'wildcards'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await publisher.publish({ topic: `${topic}/a/b`, payload: 'kept', qos: 1, retain: true });
      await subscriber.subscribe(topic + first);
      await subscriber.receive({ payload: 'kept' });
      await subscriber.subscribe(topic + second);
      await subscriber.receive({ payload: 'kept' });
    },
  }),
);

const replacing: readonly Case[] = [
  ...replaces,
  ...retainedAgain,
  {
    id: 'retained-again-after-resumption',
    title: 'sends the retained message again when a client subscribes anew in a session that has the subscription',
    covers: ['v3/3.8.4-3', 'v5/3.8.4-4', 'v5/3.3.1-9'],
    needs: ['retain'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
      await subscriber.subscribe(topic);
      await expectBrought(context, subscriber);
      await subscriber.disconnect();
      const resumed = await connect({ ...session, name: 'subscriber again' });
      await resumed.subscribe(topic);
      await resumed.receive({ payload: 'kept' });
    },
  },
  {
    id: 'replaced-after-resumption',
    title: 'replaces a subscription of a session that is resumed, for good',
    covers: ['v3/3.8.4-3', 'v3/1.2~one-subscription-per-filter', 'v5/3.8.4-3'],
    needs: ['qos2'],
    async run({ connect, topic, clientId }) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await subscriber.subscribe(topic, 1);
      await subscriber.disconnect();
      const second = await connect({ ...session, name: 'second connection' });
      await second.subscribe(topic, 2);
      await second.disconnect();
      for (const payload of ['m', 'fence']) await publisher.publish({ topic, payload, qos: 2 });
      const third = await connect({ ...session, name: 'third connection' });
      await third.receive({ payload: 'm', qos: 2 });
      await third.receive({ payload: 'fence', qos: 2 });
    },
  },
  {
    id: 'replaced-beside-unacknowledged',
    title: 'keeps a message that waits for PUBACK when its subscription is replaced by one with QoS 0',
    covers: ['v3/3.8.4-3', 'v5/3.8.4-3'],
    needs: ['qos1'],
    async run({ connect, topic, clientId, couldNotRun, fail }) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await subscriber.subscribe(topic, 1);
      await publisher.publish({ topic, payload: 'open', qos: 1 });
      await subscriber.message({ payload: 'open' });
      subscriber.drop();
      const second = await connect({ ...session, name: 'second connection' });
      // That it comes again as such is the matter of other cases.
      if ((await second.next())?.type !== 'PUBLISH') couldNotRun('the message does not come again');
      await second.subscribe(topic, 0);
      second.drop();
      const third = await connect({ ...session, name: 'third connection' });
      const message = await third.next();
      if (message?.type !== 'PUBLISH')
        return fail('the message again', message?.type ?? 'nothing', 'v3/4.4.0-1', 'v5/4.4.0-1');
      await third.acknowledge(message);
      await publisher.publish({ topic, payload: 'next', qos: 1 });
      await third.receive({ payload: 'next', qos: 0 });
    },
  },
  {
    id: 'replaced-for-one-client',
    title: 'leaves the subscription of another client with the same filter as it is',
    covers: ['v3/3.8.4-3', 'v5/3.8.4-3'],
    needs: ['qos2'],
    async run({ connect, topic }) {
      const [publisher, one, other] = [await connect(), await connect(), await connect()];
      await one.subscribe(topic, 0);
      await other.subscribe(topic, 1);
      await one.subscribe(topic, 2);
      for (const payload of ['m', 'fence']) {
        await publisher.publish({ topic, payload, qos: 2 });
        await one.receive({ payload, qos: 2 });
        await other.receive({ payload, qos: 1 });
      }
    },
  },
  ...flow,
  ...newFilter,
];

// ── 3.8.4 Several filters ────────────────────────────────────────────────────────────────────────────────────────────

const severalFilters = [2, 10, 120].map(
  (count): Case => ({
    id: `${count}-filters`,
    title: `takes a SUBSCRIBE with ${count} filters for as many subscriptions, and answers by one SUBACK`,
    covers: ['v3/3.8.4-4', 'v3/3.8.4-5', 'v5/3.8.4-5', 'v5/3.8.4-6', 'v5/3.8.4-7'],
    async run(context) {
      const { connect, topic, fail } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      const names = Array.from({ length: count }, (_, index) => `${topic}/${index}`);
      subscriber.send(subscribe(77, ...names.map((name) => [name, 1] as const)));
      const { codes } = await subscriber.expect('SUBACK', { packetId: 77 });
      if (codes.length !== count) fail(`${count} return codes`, `${codes.length} return codes`);
      await subscriber.expectNothing('one SUBACK');
      await publishTogether(
        context,
        publisher,
        names.map((name) => ({ topic: name, payload: name })),
      );
      // Refused: nothing is due. The order across topics is open.
      const due = new Map(names.map((name, index) => [name, codes[index] ?? 0x80]));
      for (const [name, code] of due) if (code >= 0x80) due.delete(name);
      while (due.size > 0) {
        const packet = await subscriber.next();
        if (packet?.type !== 'PUBLISH') return fail('a message for each filter', `none for ${due.size} of ${count}`);
        await subscriber.acknowledge(packet);
        const code = due.get(packet.topic);
        if (code === undefined) fail('one message for each filter', `another one to ${packet.topic}`);
        if (code !== packet.qos) fail(`QoS ${code}, as granted`, `QoS ${packet.qos}`);
        due.delete(packet.topic);
      }
      await subscriber.expectNothing('each message once');
    },
  }),
);

const twice = (
  [
    [0, 2],
    [2, 0],
  ] as const
).map(
  ([first, second]): Case => ({
    id: `filter-twice-qos${first}-qos${second}`,
    title: `takes the same filter twice in a SUBSCRIBE, with QoS ${first} and ${second}, for two subscriptions of which the second replaces the first`,
    covers: ['v3/3.8.4-4', 'v3/3.8.4-3', 'v3/1.2~one-subscription-per-filter', 'v5/3.8.4-5', 'v5/3.8.4-3'],
    needs: ['qos2'],
    async run({ connect, topic, fail, notApplicable }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      subscriber.send(subscribe(77, [topic, first], [topic, second]));
      const { codes } = await subscriber.expect('SUBACK', { packetId: 77 });
      if (codes.length !== 2) fail('two return codes', `${codes.length} return codes`);
      if (codes[0] !== first || codes[1] !== second) notApplicable('the broker grants less than it was asked for');
      for (const payload of ['m', 'fence']) await publisher.publish({ topic, payload, qos: 2 });
      await subscriber.receive({ payload: 'm', qos: second });
      await subscriber.receive({ payload: 'fence', qos: second });
      await subscriber.expectNothing('each message once');
    },
  }),
);

const several: readonly Case[] = [
  ...severalFilters,
  ...twice,
  {
    id: 'filters-bring-retained',
    title: 'sends the retained messages of all filters in a SUBSCRIBE',
    covers: ['v3/3.8.4-4', 'v3/3.3.1-6', 'v5/3.8.4-5', 'v5/3.3.1-9', 'v5/3.3.1.3~last-retained-message'],
    needs: ['retain'],
    async run({ connect, topic, fail }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      const names = ['a', 'b', 'c', 'd'].map((level) => `${topic}/${level}`);
      for (const name of names) await publisher.publish({ topic: name, payload: 'kept', qos: 1, retain: true });
      await subscriber.request(...names.map((name) => [name, 0] as const), [`${topic}/none`, 0]);
      const missing = new Set(names);
      while (missing.size > 0) {
        const { topic: name } = await subscriber.receive({ payload: 'kept' });
        if (!missing.delete(name)) fail('each retained message once', `another one to ${name}`);
      }
      await subscriber.expectNothing('each retained message once');
    },
  },
  {
    id: 'filters-added-and-replaced',
    title: 'adds the new filters of a SUBSCRIBE and replaces the others, and leaves those that it does not name',
    covers: ['v3/3.8.4-3', 'v3/3.8.4-4', 'v5/3.8.4-3', 'v5/3.8.4-5'],
    needs: ['qos2'],
    async run({ connect, topic, notApplicable }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      const [kept = 0x80] = await subscriber.request([`${topic}/kept`, 1], [`${topic}/replaced`, 0]);
      const [added = 0x80, replaced = 0x80] = await subscriber.request([`${topic}/added`, 2], [`${topic}/replaced`, 2]);
      const codes = { kept, added, replaced };
      if (Object.values(codes).some((code) => code >= 0x80))
        notApplicable('the broker refuses one of the subscriptions');
      for (const [level, qos] of Object.entries(codes)) {
        await publisher.publish({ topic: `${topic}/${level}`, payload: level, qos: 2 });
        await subscriber.receive({ payload: level, qos: qos as QoS });
      }
      await subscriber.expectNothing('each message once');
    },
  },
];

const response = (part: string) => ({
  v3: `3.8.4 SUBSCRIBE Response: ${part}`,
  v5: `3.8.4 SUBSCRIBE Actions: ${part}`,
});

export const subscribing = chapter(
  '3.8 SUBSCRIBE',
  section('3.8.1 SUBSCRIBE Fixed header', badFlags),
  payload,
  section(response('SUBACK'), answer),
  section(response('granted QoS'), [...granted, ...deliveryQoS]),
  section(response('the same filter again'), replacing),
  section(response('several filters'), several),
);
