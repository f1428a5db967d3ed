/** Clients of 3.1.1 and of 5.0 at one server: each gets what its own version has (MQTT 5.0). */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import type { Properties, Publish, QoS } from '../harness/wire/packet.ts';
import { needsQoS } from './needs.ts';
import { establish } from './retained.ts';
import { type ConnectOptions, connectOlder, type Peer } from './session.ts';

type Side = 'v3' | 'v5';

const names: Readonly<Record<Side, string>> = { v3: '3.1.1', v5: '5.0' };

/** Connects a client of this version. */
function connectAs(context: Context, side: Side, options: ConnectOptions = {}): Promise<Peer> {
  return side === 'v3' ? connectOlder(context, options) : context.connect({ name: 'client of 5.0', ...options });
}

const bothWays: readonly (readonly [from: Side, to: Side])[] = [
  ['v3', 'v5'],
  ['v5', 'v3'],
];

const words = (from: Side, to: Side) => `from a client of ${names[from]} to one of ${names[to]}`;

/** Everything that a PUBLISH of 5.0 may say to its receiver. */
const properties: Properties = {
  payloadFormatIndicator: 1,
  messageExpiryInterval: 600,
  contentType: 'text/plain',
  responseTopic: 'response',
  correlationData: Uint8Array.of(1, 2, 3),
  userProperties: [
    ['name', 'value'],
    ['a', 'b'],
    ['name', 'another'],
  ],
};

/** A message from a client of 3.1.1 has nothing that its version does not have. */
function expectBare({ fail }: Context, { properties: found = {} }: Publish): void {
  const listed = Object.keys(found).filter((name) => name !== 'topicAlias');
  if (listed.length > 0) fail('a message without properties', `a message with ${listed.join(', ')}`);
}

/** That a message of this client reaches a client of 5.0: a server owes it to both by the version of each. */
function reaching(from: Side): Case['covers'] {
  return from === 'v5' ? ['v5/4.5.0-1'] : ['v5/3.3.2-3'];
}

const qosLevels = [
  [0, 0],
  [1, 1],
  [2, 2],
  [2, 1],
  [1, 2],
  [2, 0],
] as const;

const messages: readonly Case[] = bothWays.flatMap(([from, to]): Case[] => [
  ...qosLevels.map(([published, subscribed]): Case => {
    const qos = Math.min(published, subscribed) as QoS;
    return {
      id: `message-${from}-to-${to}-qos${published}-to-qos${subscribed}`,
      title: `delivers a QoS ${published} message ${words(from, to)} with QoS ${subscribed}, by QoS ${qos}`,
      covers: published === subscribed ? reaching(from) : ['v5/3.8.4-8'],
      needs: needsQoS(published, subscribed),
      async run(context) {
        const { topic, connect } = context;
        const [publisher, subscriber] = [await connectAs(context, from), await connectAs(context, to)];
        // Both versions get it: each of them is one of those to whom a message is due.
        const other = await connect({ name: 'another client of 5.0' });
        for (const client of [other, subscriber]) await client.subscribe(topic, subscribed);
        for (const payload of ['1', '2']) {
          await publisher.publish({ topic, payload, qos: published });
          const message = await subscriber.receive({ topic, payload, qos, retain: false });
          if (from === 'v3') expectBare(context, message);
          await other.receive({ payload, qos });
        }
      },
    };
  }),
  {
    id: `retained-${from}-to-${to}`,
    title: `keeps a retained message ${words(from, to)}, and removes it when the other one sends an empty one`,
    // Each client is held to its own version: the one that retains, and the one that removes.
    covers: from === 'v5' ? ['v5/3.3.1-5'] : ['v5/3.3.1-9', 'v5/3.3.1-6'],
    needs: ['retain'],
    async run(context) {
      const { topic } = context;
      const [publisher, subscriber] = [await connectAs(context, from), await connectAs(context, to)];
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
      await subscriber.subscribe(topic);
      const message = await subscriber.receive({ payload: 'kept', retain: true });
      if (from === 'v3') expectBare(context, message);
      await subscriber.unsubscribe(topic);
      await subscriber.publish({ topic, payload: '', qos: 1, retain: true });
      const late = await connectAs(context, to, { name: 'late' });
      await late.subscribe(topic);
      await late.publish({ topic, payload: 'fence', qos: 1 });
      await late.receive({ payload: 'fence', retain: false });
    },
  },
  {
    id: `queued-${from}-to-${to}`,
    title: `keeps a QoS 1 message ${words(from, to)} that is away`,
    covers: ['v5/4.1~session-state-parts'],
    needs: ['qos1'],
    async run(context) {
      const { topic, clientId, connect } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const publisher = await connectAs(context, from);
      const subscriber = await connectAs(context, to, session);
      const other = await connect({ clientId: clientId('other'), clean: false, name: 'other' });
      for (const client of [subscriber, other]) {
        await client.subscribe(topic, 1);
        await client.disconnect();
      }
      await publisher.publish({ topic, payload: 'queued', qos: 1 });
      const again = await connectAs(context, to, { ...session, name: 'subscriber again' });
      await again.receive({ payload: 'queued', qos: 1 });
      const otherAgain = await connect({ clientId: clientId('other'), clean: false, name: 'other again' });
      await otherAgain.receive({ payload: 'queued', qos: 1 });
    },
  },
  {
    id: `will-${from}-to-${to}`,
    title: `publishes the will of a client of ${names[from]} to one of ${names[to]}`,
    covers: from === 'v5' ? ['v5/3.1.2-8'] : reaching(from),
    async run(context) {
      const { topic, connect } = context;
      const [subscriber, other] = [await connectAs(context, to), await connect({ name: 'another client of 5.0' })];
      for (const client of [subscriber, other]) await client.subscribe(topic);
      (await connectAs(context, from, { name: 'with will', will: { topic, payload: 'will', qos: 1 } })).drop();
      const message = await subscriber.receive({ topic, payload: 'will', qos: 0, retain: false });
      if (from === 'v3') expectBare(context, message);
      await other.receive({ payload: 'will' });
    },
  },
]);

const kept: readonly Case[] = [
  {
    id: 'properties',
    title: 'delivers a message with properties to a client of 5.0 with them, and to one of 3.1.1 without',
    covers: ['v5/3.3.2-4', 'v5/3.3.2-15', 'v5/3.3.2-16', 'v5/3.3.2-17', 'v5/3.3.2-18', 'v5/3.3.2-20'],
    async run(context) {
      const { connect, topic, fail } = context;
      const publisher = await connect({ name: 'publisher' });
      const [older, newer] = [await connectOlder(context), await connect({ name: 'client of 5.0' })];
      for (const client of [older, newer]) await client.subscribe(topic);
      await publisher.publish({ topic, payload: 'm', properties });
      // What is no packet of its version shows when it is decoded.
      await older.receive({ topic, payload: 'm' });
      const { messageExpiryInterval: _, ...unaltered } = properties;
      const { properties: found = {} } = await newer.receive({ payload: 'm', properties: unaltered });
      if ((found.messageExpiryInterval ?? 601) > 600) fail('a Message Expiry Interval of up to 600 s', 'another one');
    },
  },
  {
    id: 'retained-properties',
    title: 'keeps the properties of a retained message for clients of 5.0, after it was sent to one of 3.1.1',
    covers: ['v5/3.3.2-4', 'v5/3.3.2-15', 'v5/3.3.2-16', 'v5/3.3.2-17', 'v5/3.3.2-20'],
    needs: ['retain'],
    async run(context) {
      const { connect, topic } = context;
      const publisher = await connect({ name: 'publisher' });
      const { messageExpiryInterval: _, ...lasting } = properties;
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true, properties: lasting });
      const older = await connectOlder(context);
      await older.subscribe(topic);
      await older.receive({ topic, payload: 'kept', retain: true });
      const newer = await connect({ name: 'client of 5.0' });
      await newer.subscribe(topic);
      await newer.receive({ payload: 'kept', retain: true, properties: lasting });
    },
  },
  {
    id: 'subscription-options',
    title: 'follows the options of a client of 5.0 for messages of one of 3.1.1',
    covers: ['v5/3.3.1-13', 'v5/3.3.1-12'],
    needs: ['retain'],
    async run(context) {
      const { connect, topic } = context;
      const publisher = await connectOlder(context);
      const [one, other] = [await connect({ name: 'as published' }), await connect({ name: 'plain' })];
      await one.subscribe(topic, 0, { retainAsPublished: true });
      await other.subscribe(topic, 0);
      await establish(publisher, one, topic);
      await other.receive({ payload: 'established?' });
      await publisher.publish({ topic, payload: 'm', qos: 1, retain: true });
      await one.receive({ payload: 'm', retain: true });
      await other.receive({ payload: 'm', retain: false });
    },
  },
  {
    id: 'subscription-identifier',
    title: 'sends the Subscription Identifier of a client of 5.0 with messages of one of 3.1.1, which gets none itself',
    covers: ['v5/3.3.4-3'],
    needs: ['subscription-identifiers'],
    async run(context) {
      const { connect, topic } = context;
      const older = await connectOlder(context);
      const newer = await connect({ name: 'client of 5.0' });
      await newer.subscribe(topic, 0, { properties: { subscriptionIdentifiers: [7] } });
      await older.subscribe(topic);
      await older.publish({ topic, payload: 'm' });
      await newer.receive({ payload: 'm', properties: { subscriptionIdentifiers: [7] } });
      await older.receive({ payload: 'm' });
    },
  },
  {
    id: 'no-local',
    title:
      'delivers what a client of 3.1.1 publishes to one of 5.0 with No Local, and not what that one publishes itself',
    covers: ['v5/3.8.3-3'],
    async run(context) {
      const { connect, topic } = context;
      const older = await connectOlder(context);
      const newer = await connect({ name: 'client of 5.0' });
      await newer.subscribe(topic, 0, { noLocal: true });
      await older.subscribe(topic);
      await newer.publish({ topic, payload: 'own', qos: 1 });
      await older.receive({ payload: 'own' });
      await older.publish({ topic, payload: 'of the other', qos: 1 });
      await newer.receive({ payload: 'of the other' });
    },
  },
  {
    id: 'acknowledgement-forms',
    title: 'acknowledges to each client in the form of its version, side by side',
    covers: ['v5/4.3.2-4', 'v5/4.3.3-8', 'v5/4.3.3-11'],
    needs: ['qos2'],
    async run(context) {
      const { connect, topic } = context;
      // An answer in the form of the other version does not decode.
      for (const client of [await connectOlder(context), await connect({ name: 'client of 5.0' })]) {
        await client.subscribe(topic, 2);
        for (const qos of [1, 2] as const) {
          await client.publish({ topic, payload: `${qos}`, qos });
          await client.receive({ payload: `${qos}`, qos });
        }
        await client.unsubscribe(topic);
      }
    },
  },
  {
    id: 'shared-filter-of-older-client',
    title: 'takes or refuses $share/group/topic from a client of 3.1.1, as it likes',
    covers: ['v5/4.8.2~shared-selection'],
    needs: ['shared-subscriptions'],
    async run(context) {
      const { connect, topic, trait } = context;
      const older = await connectOlder(context);
      const newer = await connect({ name: 'client of 5.0' });
      for (const client of [older, newer]) await client.subscribe(`${topic}-fence`);
      const [given = 0x80] = await older.request([`$share/group/${topic}`, 0]);
      if (given >= 0x80) return trait('a shared filter of a client of 3.1.1', 'refused');
      await newer.publish({ topic, payload: 'm', qos: 1 });
      await newer.publish({ topic: `${topic}-fence`, payload: 'fence', qos: 1 });
      const { topic: first } = await older.receive();
      trait('a shared filter of a client of 3.1.1', first === topic ? 'shares' : 'is a plain one');
    },
  },
];

// ── Sessions ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const takeOver = bothWays.map(
  ([from, to]): Case => ({
    id: `take-over-${from}-by-${to}`,
    title: `ends the connection of a client of ${names[from]} when one of ${names[to]} connects with its Client Identifier`,
    covers: [to === 'v5' ? 'v5/3.1.4-3' : 'v5/3.14.2-1'],
    async run(context) {
      const { clientId, connectPacket, open, connect, topic } = context;
      const identity = { clientId: clientId('shared') };
      // Whether 3.1.1 is served at all.
      await connectOlder(context, { clientId: clientId('other') });
      const former = await connectAs(context, from, identity);
      const next = await open(`client of ${names[to]}`, to);
      next.send(connectPacket(identity, to));
      await next.expect('CONNACK', { code: 0 });
      await former.expectClose({ probe: false, reasons: [0x8e] });
      const watcher = await connect({ name: 'watcher' });
      await watcher.subscribe(topic);
      await next.publish({ topic, payload: 'm', qos: 1 });
      await watcher.receive({ payload: 'm' });
    },
  }),
);

const sessions = bothWays.flatMap(([from, to]): Case[] => [
  {
    id: `session-${from}-resumed-by-${to}`,
    title: `resumes the session of a client of ${names[from]} for one of ${names[to]}, or begins a new one`,
    covers: ['v5/3.1.2.4~cross-version-session'],
    needs: ['qos1'],
    async run(context) {
      const { topic, clientId, trait, connect, fail } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const name = `a session of ${names[from]} for a client of ${names[to]}`;
      const publisher = await connect({ name: 'publisher' });
      const former = await connectAs(context, from, session);
      await former.subscribe(topic, 1);
      await former.disconnect();
      await publisher.publish({ topic, payload: 'queued', qos: 1, ...(from === 'v3' ? { properties } : {}) });
      const next = await connectAs(context, to, { ...session, name: 'next' });
      // Whichever it is, the client is served.
      await next.subscribe(`${topic}-fence`, 1);
      await publisher.publish({ topic: `${topic}-fence`, payload: 'fence', qos: 1 });
      let queued = false;
      for (let last = await next.receive(); last.topic === topic; last = await next.receive()) queued = true;
      await next.fence();
      queued ||= next.waiting.some((message) => message.topic === topic);
      const present = next.connack?.sessionPresent ?? false;
      trait(name, present ? `resumed, ${queued ? 'with' : 'without'} its messages` : 'new');
      if (queued && !present) fail('no message of a session that is not resumed', 'the message that waited');
    },
  },
  {
    id: `session-${from}-discarded-by-${to}`,
    title: `discards the session of a client of ${names[from]} when one of ${names[to]} starts clean`,
    covers: [to === 'v5' ? 'v5/3.1.2-4' : 'v5/3.1.2.4~cross-version-session'],
    needs: ['qos1'],
    async run(context) {
      const { topic, clientId, connect, fail } = context;
      const identity = { clientId: clientId('subscriber') };
      const publisher = await connect({ name: 'publisher' });
      await connectOlder(context, { clientId: clientId('other') });
      const former = await connectAs(context, from, { ...identity, clean: false });
      await former.subscribe(topic, 1);
      await former.disconnect();
      await publisher.publish({ topic, payload: 'for nobody', qos: 1 });
      const next = await connectAs(context, to, { ...identity, name: 'next' });
      if (next.connack?.sessionPresent) fail('Session Present 0 after a clean start', 'Session Present 1');
      await next.subscribe(`${topic}-fence`, 1);
      await publisher.publish({ topic: `${topic}-fence`, payload: 'fence', qos: 1 });
      await next.receive({ topic: `${topic}-fence` });
    },
  },
]);

const versions: readonly Case[] = [...messages, ...kept, ...takeOver, ...sessions];

export const crossVersion = chapter(
  'Clients of both versions',
  section('4.5 Message receipt: clients of both versions', versions),
);
