/** 3.1.2.11.4 Maximum Packet Size: a client is sent nothing larger than it takes, and all the rest (MQTT 5.0). */

import { type Case, type Context, section } from '../harness/case.ts';
import { publish, text } from '../harness/wire/build.ts';
import { encode } from '../harness/wire/encode.ts';
import type { Properties, QoS } from '../harness/wire/packet.ts';
import { needsQoS } from './needs.ts';
import type { ConnectOptions, Peer } from './session.ts';

/** What is sent to a plain subscriber has the fields of what was published, so its size is known. */
function sizeOf(topic: string, qos: QoS, payload: string, properties?: Properties): number {
  return encode(publish({ topic, qos, packetId: 1, payload, properties }), 'v5').length;
}

/** A payload, beginning with this word, so long that the PUBLISH to the subscriber has no more bytes than this; `more` makes it longer. */
function filled(word: string, topic: string, qos: QoS, limit: number, more = 0): string {
  let length = limit;
  while (sizeOf(topic, qos, word.padEnd(length, '.')) > limit && length > 0) length--;
  return word.padEnd(length + more, '.');
}

/** A client that takes no packets above this size. */
function limited({ connect }: Context, limit: number, options: ConnectOptions = {}): Promise<Peer> {
  const { properties, ...fields } = options;
  return connect({ name: 'limited', ...fields, properties: { ...properties, maximumPacketSize: limit } });
}

/** A publisher that may send what is of this size. */
async function publisherOf({ connect, notApplicable }: Context, size: number): Promise<Peer> {
  const publisher = await connect({ name: 'publisher' });
  const { maximumPacketSize = Number.POSITIVE_INFINITY } = publisher.connack?.properties ?? {};
  if (maximumPacketSize < size) notApplicable(`the broker takes no packets above ${maximumPacketSize} bytes`);
  return publisher;
}

/** Around sizes at which the Remaining Length takes one more byte, and away from them. */
const limits = [130, 300, 16_387];

const levels: readonly QoS[] = [0, 1, 2];

const borders = limits.flatMap((limit) =>
  levels.map(
    (qos): Case => ({
      id: `border-${limit}-qos${qos}`,
      title: `sends QoS ${qos} messages in packets of up to ${limit} bytes to a client with this Maximum Packet Size, and none larger`,
      covers: ['v5/3.1.2-24'],
      needs: needsQoS(qos),
      async run(context) {
        const { topic } = context;
        const subscriber = await limited(context, limit);
        await subscriber.subscribe(topic, qos);
        const publisher = await publisherOf(context, limit + 100);
        const [exact, smaller] = [filled('exact', topic, qos, limit), filled('smaller', topic, qos, limit, -1)];
        for (const payload of [exact, filled('too large', topic, qos, limit, 1), smaller, 'small']) {
          await publisher.publish({ topic, qos, payload });
        }
        for (const payload of [exact, smaller, 'small']) await subscriber.receive({ topic, qos, payload });
      },
    }),
  ),
);

const limit = 250;

/** What makes a packet larger than its payload tells. */
const additions: readonly (readonly [id: string, what: string, properties: Properties])[] = [
  ['user-property', 'a User Property', { userProperties: [['name', 'value'.repeat(60)]] }],
  ['content-type', 'a Content Type', { contentType: 'type'.repeat(75) }],
  ['correlation-data', 'Correlation Data', { correlationData: new Uint8Array(300) }],
  ['response-topic', 'a Response Topic', { responseTopic: 'topic'.repeat(60) }],
];

const counted: readonly Case[] = [
  ...additions.map(
    ([id, what, properties]): Case => ({
      id: `counts-${id}`,
      title: `drops a message that ${what} makes too large for the client`,
      covers: ['v5/3.1.2-24'],
      async run(context) {
        const { topic } = context;
        const subscriber = await limited(context, limit);
        await subscriber.subscribe(topic);
        const publisher = await publisherOf(context, 1_000);
        await publisher.publish({ topic, payload: 'short, with properties', properties });
        await publisher.publish({ topic, payload: 'fence' });
        await subscriber.receive({ payload: 'fence' });
      },
    }),
  ),
  {
    id: 'counts-subscription-identifier',
    title: 'drops a message that a Subscription Identifier makes too large for the client',
    covers: ['v5/3.1.2-24'],
    needs: ['subscription-identifiers'],
    async run(context) {
      const { topic } = context;
      const subscriber = await limited(context, limit);
      await subscriber.subscribe(topic, 0, { properties: { subscriptionIdentifiers: [268_435_455] } });
      const publisher = await publisherOf(context, limit);
      await publisher.publish({ topic, payload: filled('exact', topic, 0, limit) });
      await publisher.publish({ topic, payload: 'fence' });
      await subscriber.receive({ payload: 'fence' });
    },
  },
];

const dropped: readonly Case[] = [
  ...([1, 2] as const).map(
    (qos): Case => ({
      id: `dropped-as-if-delivered-qos${qos}`,
      title: `drops QoS ${qos} messages that are too large as if they were delivered: they take nothing of Receive Maximum 1`,
      covers: ['v5/3.1.2-25', 'v5/3.1.2-24'],
      needs: needsQoS(qos),
      async run(context) {
        const { topic } = context;
        const subscriber = await limited(context, limit, { properties: { receiveMaximum: 1 } });
        await subscriber.subscribe(topic, qos);
        const publisher = await publisherOf(context, limit + 100);
        for (const round of [1, 2, 3]) {
          await publisher.publish({ topic, qos, payload: filled('too large', topic, qos, limit, 1) });
          await publisher.publish({ topic, qos, payload: `round ${round}` });
          await subscriber.receive({ topic, qos, payload: `round ${round}` });
        }
      },
    }),
  ),
  {
    id: 'dropped-for-one-client',
    title: 'delivers a message that is too large for one client to the others',
    covers: ['v5/4.5.0-1'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic } = context;
      const subscriber = await limited(context, limit);
      await subscriber.subscribe(topic, 1);
      const other = await connect({ name: 'other subscriber' });
      await other.subscribe(topic, 1);
      const publisher = await publisherOf(context, limit + 100);
      const payload = filled('too large', topic, 1, limit, 1);
      await publisher.publish({ topic, qos: 1, payload });
      await publisher.publish({ topic, qos: 1, payload: 'fence' });
      await other.receive({ topic, payload });
      await other.receive({ topic, payload: 'fence' });
      await subscriber.receive({ topic, payload: 'fence' });
    },
  },
  {
    id: 'dropped-retained',
    title: 'sends a new subscription no retained message that is too large for the client',
    covers: ['v5/3.1.2-24'],
    needs: ['qos1', 'retain'],
    async run(context) {
      const { topic } = context;
      const publisher = await publisherOf(context, limit + 100);
      await publisher.publish({ topic, qos: 1, retain: true, payload: filled('too large', topic, 1, limit, 1) });
      const subscriber = await limited(context, limit);
      await subscriber.subscribe(topic, 1);
      await publisher.publish({ topic, qos: 1, payload: 'live' });
      await subscriber.receive({ topic, payload: 'live' });
    },
  },
  {
    id: 'dropped-will',
    title: 'sends no will that is too large for the client',
    covers: ['v5/3.1.2-24'],
    async run(context) {
      const { connect, topic } = context;
      const subscriber = await limited(context, limit);
      await subscriber.subscribe(topic);
      for (const payload of [filled('too large', topic, 0, limit, 1), 'will']) {
        const client = await connect({ will: { topic, payload } });
        const other = await connect({ name: `watcher of ${payload.slice(0, 9)}` });
        await other.subscribe(topic);
        client.drop();
        await other.receive({ topic, payload });
      }
      await subscriber.receive({ topic, payload: 'will' });
    },
  },
  ...([1, 2] as const).map(
    (qos): Case => ({
      id: `dropped-when-resumed-qos${qos}`,
      title: `drops from a session what is too large for the client that comes back: unacknowledged and waiting QoS ${qos} messages`,
      covers: ['v5/3.1.2-24'],
      needs: needsQoS(qos),
      async run(context) {
        const { connect, topic, clientId } = context;
        const session = { clientId: clientId('session'), clean: false };
        const client = await connect(session);
        await client.subscribe(topic, qos);
        const publisher = await publisherOf(context, limit + 100);
        const payloads = ['unacknowledged', 'waiting'].map((word) => filled(word, topic, qos, limit, 1));
        await publisher.publish({ topic, qos, payload: payloads[0] });
        await client.message({ topic, payload: payloads[0] ?? '' });
        client.drop();
        await publisher.publish({ topic, qos, payload: payloads[1] });
        await publisher.publish({ topic, qos, payload: 'small' });
        const again = await limited(context, limit, { ...session, properties: { sessionExpiryInterval: 600 } });
        await again.receive({ topic, qos, payload: 'small' });
      },
    }),
  ),
];

const tiny: readonly Case[] = [1, 4].map(
  (size): Case => ({
    id: `connack-above-${size}`,
    title: `sends no CONNACK to a client with Maximum Packet Size ${size}, for which it is too large`,
    covers: ['v5/3.1.2-24'],
    async run({ open, connectPacket, fail, trait }) {
      const client = await open('client');
      client.send(connectPacket({ properties: { maximumPacketSize: size } }));
      const answer = await client.next();
      if (answer) fail('no packet', answer.type);
      trait('client that takes no CONNACK', (await client.isClosed(0)) ? 'is disconnected' : 'gets no answer');
    },
  }),
);

/** Waits until one of the members of a group has got this message. Throws Violation. */
async function expectAtOne({ timeoutMs, fail }: Context, members: readonly Peer[], payload: string): Promise<void> {
  const stepMs = 20;
  for (let left = timeoutMs; left > 0; left -= stepMs) {
    if (members.some(({ waiting }) => waiting.some((message) => text(message.payload) === payload))) return;
    await members.find(({ ended }) => !ended)?.isClosed(stepMs);
  }
  fail(`PUBLISH '${payload}' to one member of the group`, 'none gets it');
}

const group: Case = {
  id: 'too-large-for-member',
  title: 'drops a message that is too large for a member of a group, or gives it to another, and serves the group on',
  covers: ['v5/3.1.2.11.4~too-large-for-member'],
  needs: ['shared-subscriptions'],
  async run(context) {
    const { connect, topic, token, trait } = context;
    const members = [await limited(context, limit), await connect({ name: 'unlimited' })];
    for (const member of members) await member.subscribe(`$share/${token}/${topic}`);
    const publisher = await publisherOf(context, limit + 100);
    const large = [1, 2, 3, 4].map((number) => filled(`too large ${number}`, topic, 0, limit, 1));
    for (const payload of large) await publisher.publish({ topic, payload });
    for (const payload of ['small 1', 'small 2', 'small 3', 'small 4']) {
      await publisher.publish({ topic, payload });
      await expectAtOne(context, members, payload);
    }
    const arrived = members[1]?.waiting.filter(({ payload }) => text(payload).startsWith('too large')).length;
    trait('messages too large for one member of a group', `${arrived} of ${large.length} reach the other`);
  },
};

export const maximumPacketSize = section('3.1.2.11.4 Maximum Packet Size', [
  ...borders,
  ...counted,
  ...dropped,
  ...tiny,
  group,
]);
