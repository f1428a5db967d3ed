/** 3.1.2.11 CONNECT Properties: what a client may ask for, and that it gets no more (MQTT 5.0). */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { pingreq, publish, pubrec, pubrel, subscribe, unsubscribe } from '../harness/wire/build.ts';
import { challengeMethod } from '../harness/wire/challenge.ts';
import type { Packet, Properties } from '../harness/wire/packet.ts';
import { disconnectExpiry, sessionExpiry } from './3.1.2.11.2-session-expiry.ts';
import { maximumPacketSize } from './3.1.2.11.4-maximum-packet-size.ts';
import { checkTaken } from './announced.ts';
import { receiveBehind } from './held.ts';
import { judge, refused } from './refusal.ts';
import type { Peer } from './session.ts';

// ── 3.1.2.11: what is allowed is served ──────────────────────────────────────────────────────────────────────────────

const manyUserProperties = Array.from({ length: 100 }, (_, index) => [`name ${index % 10}`, `${index}`] as const);

const everything: Properties = {
  sessionExpiryInterval: 600,
  receiveMaximum: 20,
  maximumPacketSize: 1_000_000,
  topicAliasMaximum: 10,
  requestResponseInformation: 1,
  requestProblemInformation: 1,
  userProperties: [['name', 'value']],
};

const allowed: readonly (readonly [id: string, words: string, properties: Properties])[] = [
  ['none', 'no property', {}],
  ['session-expiry-0', 'Session Expiry Interval 0', { sessionExpiryInterval: 0 }],
  ['session-expiry-1', 'Session Expiry Interval 1', { sessionExpiryInterval: 1 }],
  ['session-expiry-greatest', 'Session Expiry Interval 0xFFFFFFFF', { sessionExpiryInterval: 0xffff_ffff }],
  ['receive-maximum-1', 'Receive Maximum 1', { receiveMaximum: 1 }],
  ['receive-maximum-256', 'Receive Maximum 256', { receiveMaximum: 256 }],
  ['receive-maximum-65535', 'Receive Maximum 65,535', { receiveMaximum: 65_535 }],
  ['maximum-packet-size-65536', 'Maximum Packet Size 65,536', { maximumPacketSize: 65_536 }],
  ['maximum-packet-size-sign-bit', 'Maximum Packet Size 0x80000000', { maximumPacketSize: 0x8000_0000 }],
  ['maximum-packet-size-greatest', 'Maximum Packet Size 0xFFFFFFFF', { maximumPacketSize: 0xffff_ffff }],
  ['topic-alias-maximum-0', 'Topic Alias Maximum 0', { topicAliasMaximum: 0 }],
  ['topic-alias-maximum-1', 'Topic Alias Maximum 1', { topicAliasMaximum: 1 }],
  ['topic-alias-maximum-65535', 'Topic Alias Maximum 65,535', { topicAliasMaximum: 65_535 }],
  ['response-information-0', 'Request Response Information 0', { requestResponseInformation: 0 }],
  ['response-information-1', 'Request Response Information 1', { requestResponseInformation: 1 }],
  ['problem-information-0', 'Request Problem Information 0', { requestProblemInformation: 0 }],
  ['problem-information-1', 'Request Problem Information 1', { requestProblemInformation: 1 }],
  ['user-property', 'a User Property', { userProperties: [['name', 'value']] }],
  ['user-property-empty', 'a User Property of two empty strings', { userProperties: [['', '']] }],
  [
    'user-property-repeated',
    'the same User Property twice',
    {
      userProperties: [
        ['name', 'value'],
        ['name', 'value'],
      ],
    },
  ],
  ['user-property-100', '100 User Properties', { userProperties: manyUserProperties }],
  ['everything', 'every property', everything],
];

const served: readonly Case[] = [
  ...allowed.map(
    ([id, words, properties]): Case => ({
      id: `serves-${id}`,
      title: `serves a client with ${words} in its CONNECT`,
      covers: ['v5/3.1.4-5'],
      async run(context) {
        const { open, connectPacket, topic } = context;
        const packet = connectPacket({ properties });
        await checkTaken(context, packet);
        const client = await open('client');
        client.send(packet);
        await client.expect('CONNACK', { code: 0, sessionPresent: false });
        await client.subscribe(topic);
        await client.publish({ topic, payload: 'to myself' });
        await client.receive({ topic, payload: 'to myself' });
      },
    }),
  ),
  {
    id: 'receive-maximum-1-delivers-all',
    title: 'delivers every message, one after the other, to a client with Receive Maximum 1',
    covers: ['v5/3.3.4-9', 'v5/4.9.0-2'],
    needs: ['qos1'],
    async run({ connect, topic }) {
      const subscriber = await connect({ name: 'subscriber', properties: { receiveMaximum: 1 } });
      await subscriber.subscribe(topic, 1);
      const publisher = await connect({ name: 'publisher' });
      const payloads = ['first', 'second', 'third'];
      for (const payload of payloads) await publisher.publish({ topic, payload, qos: 1 });
      for (const payload of payloads) {
        const message = await subscriber.message({ topic, payload });
        await subscriber.expectNothing('no other message before this one is acknowledged');
        await subscriber.acknowledge(message);
      }
    },
  },
];

// ── 3.1.2.11.5: Topic Alias Maximum ──────────────────────────────────────────────────────────────────────────────────

async function publishTo(publisher: Peer, topics: readonly string[], payload: string): Promise<void> {
  for (const topic of topics) await publisher.publish({ topic, payload });
}

const withAliases = [1, 2, 5].map(
  (topicAliasMaximum): Case => ({
    id: `aliases-up-to-${topicAliasMaximum}`,
    title: `sends no Topic Alias above ${topicAliasMaximum} to a client with this Topic Alias Maximum, and each message to its topic`,
    covers: ['v5/3.1.2-26'],
    async run({ connect, topic, trait }) {
      const topics = Array.from({ length: 20 }, (_, index) => `${topic}/${index}`);
      const subscriber = await connect({ name: 'subscriber', properties: { topicAliasMaximum } });
      for (const each of topics) await subscriber.subscribe(each);
      const publisher = await connect({ name: 'publisher' });
      let aliased = 0;
      for (const payload of ['once', 'twice', 'thrice']) {
        await publishTo(publisher, topics, payload);
        for (const each of topics) {
          const message = await subscriber.pick('PUBLISH', { topic: each, payload });
          if (message.properties?.topicAlias !== undefined) aliased++;
        }
      }
      trait('Topic Aliases to clients that take them', aliased > 0 ? 'used' : 'not used');
    },
  }),
);

/** Publishes thrice, with a Topic Alias towards the server where it takes one. */
async function publishAliased(publisher: Peer, topic: string): Promise<void> {
  const aliased = (publisher.connack?.properties?.topicAliasMaximum ?? 0) > 0;
  const properties = aliased ? { topicAlias: 1 } : undefined;
  await publisher.publish({ topic, payload: 'first', properties });
  for (const payload of ['second', 'third']) {
    await publisher.publish({ topic: aliased ? '' : topic, payload, properties });
  }
}

/** Whoever says nothing, or 0, takes no aliases. */
const noAliases: readonly (readonly [id: string, words: string, properties: Properties])[] = [
  ['absent', 'no Topic Alias Maximum', {}],
  ['0', 'Topic Alias Maximum 0', { topicAliasMaximum: 0 }],
];

const withoutAliases: readonly Case[] = [
  ...noAliases.flatMap(([id, words, properties]): readonly Case[] => [
    {
      id: `no-alias-${id}`,
      title: `sends messages without a Topic Alias to a client with ${words}, also those that came with one`,
      covers: ['v5/3.1.2-27'],
      async run({ connect, topic }) {
        const subscriber = await connect({ name: 'subscriber', properties });
        await subscriber.subscribe(topic);
        await publishAliased(await connect({ name: 'publisher' }), topic);
        for (const payload of ['first', 'second', 'third']) await subscriber.receive({ topic, payload });
      },
    },
    {
      id: `no-alias-${id}-retained`,
      title: `sends a retained message and a will without a Topic Alias to a client with ${words}`,
      covers: ['v5/3.1.2-27'],
      needs: ['retain', 'qos1'],
      async run({ connect, topic }) {
        const publisher = await connect({ name: 'publisher', will: { topic, payload: 'will' } });
        await publisher.publish({ topic, payload: 'retained', retain: true, qos: 1 });
        const subscriber = await connect({ name: 'subscriber', properties });
        await subscriber.subscribe(topic, 1);
        await subscriber.receive({ topic, payload: 'retained' });
        publisher.drop();
        await subscriber.receive({ topic, payload: 'will' });
      },
    },
    {
      id: `no-alias-${id}-resumed`,
      title: `sends what waited without a Topic Alias to a client that took aliases before and comes back with ${words}`,
      covers: ['v5/3.1.2-27'],
      needs: ['qos1'],
      async run(context) {
        const { connect, topic, clientId } = context;
        const session = { clientId: clientId('session'), clean: false };
        const lasting = { sessionExpiryInterval: 600 };
        const client = await connect({ ...session, properties: { ...lasting, topicAliasMaximum: 5 } });
        await client.subscribe(topic, 1);
        const publisher = await connect({ name: 'publisher' });
        for (const payload of ['first', 'second']) {
          await publisher.publish({ topic, payload, qos: 1 });
          await client.receive({ topic, payload });
        }
        await client.disconnect();
        await publisher.publish({ topic, payload: 'waiting', qos: 1 });
        const again = await connect({ ...session, name: 'again', properties: { ...lasting, ...properties } });
        await receiveBehind(context, again, (payload) => payload === 'first' || payload === 'second', 'waiting');
        await publisher.publish({ topic, payload: 'live', qos: 1 });
        await again.receive({ topic, payload: 'live' });
      },
    },
  ]),
];

// ── 3.1.2.11.6 and 3.1.2.11.7: information ───────────────────────────────────────────────────────────────────────────

const responseInformation: readonly Case[] = ([undefined, 0] as const).map(
  (value): Case => ({
    id: `no-response-information-${value ?? 'absent'}`,
    title: `sends no Response Information to a client ${value === undefined ? 'that does not ask for it' : 'with Request Response Information 0'}`,
    covers: ['v5/3.1.2-28'],
    async run({ connect, fail }) {
      const client = await connect(value === undefined ? {} : { properties: { requestResponseInformation: value } });
      const given = client.connack?.properties?.responseInformation;
      if (given !== undefined) fail('CONNACK without Response Information', `Response Information ${given}`);
    },
  }),
);

/** Has the server send packets in which it may explain itself, whatever it answers in the end. */
type Provoke = (client: Peer, context: Context) => void;

const provocations: readonly (readonly [
  id: string,
  words: string,
  needs: NonNullable<Case['needs']>,
  provoke: Provoke,
])[] = [
  ['puback', 'PUBACK', [], (client, { topic }) => client.send(publish({ topic, qos: 1, packetId: 1 }))],
  ['pubrec', 'PUBREC', [], (client, { topic }) => client.send(publish({ topic, qos: 2, packetId: 1 }))],
  ['pubrel', 'PUBREL', [], (client) => client.send(pubrec(99))],
  ['pubcomp', 'PUBCOMP', [], (client) => client.send(pubrel(99))],
  ['unsuback', 'UNSUBACK', [], (client, { topic }) => client.send(unsubscribe(1, `${topic}/never`))],
  [
    'suback-of-refusal',
    'a SUBACK that refuses',
    ['denied-topic'],
    (client, { deniedTopic }) => client.send(subscribe(1, [deniedTopic(), 0])),
  ],
  [
    'puback-of-refusal',
    'a PUBACK that refuses',
    ['denied-topic'],
    (client, { deniedTopic }) => client.send(publish({ topic: deniedTopic(), qos: 1, packetId: 1 })),
  ],
];

const quiet = { requestProblemInformation: 0 };

const problemInformation: readonly Case[] = [
  ...provocations.map(
    ([id, words, needs, provoke]): Case => ({
      id: `no-problem-information-${id}`,
      title: `leaves Reason String and User Properties out of ${words} to a client with Request Problem Information 0`,
      covers: ['v5/3.1.2-29'],
      needs,
      async run(context) {
        const client = await context.connect({ properties: quiet });
        provoke(client, context);
        client.send(pingreq());
        // Which packets come, or whether the connection closes, is the matter of other cases.
        for (let packet = await client.next(); packet && packet.type !== 'PINGRESP'; packet = await client.next());
      },
    }),
  ),
  {
    id: 'user-properties-of-messages',
    title: 'forwards the User Properties of a message to a client with Request Problem Information 0',
    covers: ['v5/3.3.2-17'],
    async run({ connect, topic }) {
      const subscriber = await connect({ name: 'subscriber', properties: quiet });
      await subscriber.subscribe(topic);
      const publisher = await connect({ name: 'publisher' });
      const properties: Properties = { userProperties: [['name', 'value']] };
      await publisher.publish({ topic, payload: 'message', properties });
      await subscriber.receive({ topic, payload: 'message', properties });
    },
  },
];

// ── 3.1.2.11.9: Authentication Method ────────────────────────────────────────────────────────────────────────────────

const tooEarly: readonly (readonly [id: string, make: (topic: string) => Packet])[] = [
  ['publish', (topic) => publish({ topic, payload: 'early' })],
  ['subscribe', (topic) => subscribe(1, [topic, 0])],
  ['pingreq', () => pingreq()],
];

const early: readonly Case[] = tooEarly.map(
  ([id, make]): Case => ({
    id: `before-connack-${id}`,
    title: `closes the connection on ${id.toUpperCase()} from a client that is being authenticated, and does not process it`,
    covers: ['v5/3.1.2-30'],
    needs: ['authentication'],
    async run(context) {
      const { connect, open, connectPacket, topic } = context;
      const witness = await connect({ name: 'witness' });
      await witness.subscribe(topic);
      const client = await open('client');
      client.send(connectPacket({ properties: { authenticationMethod: challengeMethod } }));
      await client.expect('AUTH');
      client.send(make(topic));
      const outcome = refused(0x82, 0x81);
      await judge(context, client, { v3: outcome, v5: outcome });
      await (await connect({ name: 'publisher' })).publish({ topic, payload: 'fence' });
      await witness.receive({ topic, payload: 'fence' });
    },
  }),
);

export const connectProperties = chapter(
  '3.1.2.11 CONNECT Properties',
  section('3.1.2.11 CONNECT Properties', served),
  sessionExpiry,
  disconnectExpiry,
  maximumPacketSize,
  section('3.1.2.11.5 Topic Alias Maximum', [...withAliases, ...withoutAliases]),
  section('3.1.2.11.6 Request Response Information', responseInformation),
  section('3.1.2.11.7 Request Problem Information', problemInformation),
  section('3.1.2.11.9 Authentication Method', early),
);
