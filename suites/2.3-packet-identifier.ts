/** 2.3 Variable header: Packet Identifiers, those of the client and those of the server. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import {
  pingreq,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe,
  text,
  unsubscribe,
} from '../harness/wire/build.ts';
import type { Packet, Publish, QoS } from '../harness/wire/packet.ts';
import type { Peer } from './session.ts';

/** Each byte alone, both, equal and unequal, and the ends of the range. */
const identifiers = [1, 0x00ff, 0x0100, 0x1234, 0x7fff, 0x8000, 0xff00, 0xffff];

// ── Identifiers of the client ────────────────────────────────────────────────────────────────────────────────────────

/** An answer that has the Packet Identifier of what it answers. */
type Answer = 'PUBACK' | 'PUBREC' | 'PUBCOMP' | 'SUBACK' | 'UNSUBACK';

/** Sends these in one segment and takes the answers, in whatever order they come. */
async function expectAnswers(
  client: Peer,
  type: Answer,
  ids: readonly number[],
  make: (packetId: number) => Packet,
): Promise<void> {
  client.sendTogether(...ids.map(make));
  for (const packetId of ids) await client.pick(type, { packetId });
  await client.expectNothing('one answer to each');
}

const echoed: readonly Case[] = [
  {
    id: 'puback-repeats-identifier',
    title: 'answers QoS 1 PUBLISH packets in one segment by PUBACKs with their Packet Identifiers',
    covers: ['v3/2.3.1-6', 'v5/2.2.1-5'],
    async run({ connect, topic }) {
      const client = await connect();
      await expectAnswers(client, 'PUBACK', identifiers, (packetId) => publish({ topic, qos: 1, packetId }));
    },
  },
  {
    id: 'pubrec-repeats-identifier',
    title: 'answers QoS 2 PUBLISH packets in one segment by PUBRECs with their Packet Identifiers, PUBRELs by PUBCOMPs',
    covers: ['v3/2.3.1-6', 'v5/2.2.1-5'],
    needs: ['qos2'],
    async run({ connect, topic }) {
      const client = await connect();
      await expectAnswers(client, 'PUBREC', identifiers, (packetId) => publish({ topic, qos: 2, packetId }));
      await expectAnswers(client, 'PUBCOMP', identifiers.toReversed(), pubrel);
    },
  },
  {
    id: 'suback-repeats-identifier',
    title: 'answers SUBSCRIBEs in one segment by SUBACKs with their Packet Identifiers',
    covers: ['v3/2.3.1-7', 'v5/2.2.1-6'],
    async run({ connect, topic }) {
      const client = await connect();
      await expectAnswers(client, 'SUBACK', identifiers.toReversed(), (packetId) =>
        subscribe(packetId, [`${topic}/${packetId}`, 0]),
      );
    },
  },
  {
    id: 'unsuback-repeats-identifier',
    title: 'answers UNSUBSCRIBEs in one segment by UNSUBACKs with their Packet Identifiers',
    covers: ['v3/2.3.1-7', 'v5/2.2.1-6'],
    async run({ connect, topic }) {
      const client = await connect();
      await expectAnswers(client, 'UNSUBACK', identifiers.toReversed(), (packetId) =>
        unsubscribe(packetId, `${topic}/${packetId}`),
      );
    },
  },
  {
    id: 'answers-of-all-kinds-repeat-identifiers',
    title: 'answers packets of all kinds in one segment, each with its Packet Identifier',
    covers: ['v3/2.3.1-6', 'v3/2.3.1-7', 'v5/2.2.1-5', 'v5/2.2.1-6'],
    needs: ['qos2'],
    async run({ connect, topic }) {
      const client = await connect();
      client.sendTogether(
        subscribe(0x0400, [`${topic}/a`, 0]),
        publish({ topic: `${topic}/b`, qos: 1, packetId: 0x0300 }),
        unsubscribe(0x0200, `${topic}/c`),
        publish({ topic: `${topic}/b`, qos: 2, packetId: 0x0100 }),
        pingreq(),
      );
      await client.pick('SUBACK', { packetId: 0x0400 });
      await client.pick('PUBACK', { packetId: 0x0300 });
      await client.pick('UNSUBACK', { packetId: 0x0200 });
      await client.pick('PUBREC', { packetId: 0x0100 });
      await client.pick('PINGRESP');
    },
  },
];

const reused: readonly Case[] = [
  {
    id: 'identifier-free-after-each-exchange',
    title: 'takes the same Packet Identifier for one exchange of any kind after another',
    covers: ['v3/2.3.1~identifier-reuse'],
    needs: ['qos2'],
    async run({ connect, topic }) {
      const client = await connect();
      for (const packetId of [7, 0xffff]) {
        for (const payload of ['first', 'second']) {
          client.send(publish({ topic, payload, qos: 1, packetId }));
          await client.expect('PUBACK', { packetId });
          client.send(subscribe(packetId, [`${topic}/${payload}`, 0]));
          await client.expect('SUBACK', { packetId });
          client.send(publish({ topic, payload, qos: 2, packetId }));
          await client.expect('PUBREC', { packetId });
          client.send(pubrel(packetId));
          await client.expect('PUBCOMP', { packetId });
          client.send(unsubscribe(packetId, `${topic}/${payload}`));
          await client.expect('UNSUBACK', { packetId });
        }
      }
    },
  },
  {
    id: 'identifier-free-after-pubcomp',
    title: 'delivers a new QoS 2 message whose Packet Identifier became free just before',
    covers: ['v3/2.3.1~identifier-reuse'],
    needs: ['qos2'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      publisher.send(publish({ topic, payload: '0', qos: 2, packetId: 5 }));
      for (let number = 0; number < 10; number++) {
        await publisher.expect('PUBREC', { packetId: 5 });
        publisher.send(pubrel(5));
        await publisher.expect('PUBCOMP', { packetId: 5 });
        await subscriber.receive({ payload: `${number}`, qos: 2, dup: false });
        publisher.send(publish({ topic, payload: `${number + 1}`, qos: 2, packetId: 5 }));
      }
    },
  },
  {
    id: 'every-identifier',
    title: 'takes every Packet Identifier from 1 to 65,535 for a QoS 1 message, and then 1 again',
    covers: ['v3/2.3.1~identifier-reuse'],
    tags: ['long'],
    async run({ connect, topic }) {
      const client = await connect();
      // The step from 65,535 to 1 is within the last batch.
      const batch = 4096;
      for (let next = 0; next <= 65_535; next += batch) {
        const ids = Array.from({ length: batch }, (_, index) => ((next + index) % 65_535) + 1);
        client.sendTogether(...ids.map((packetId) => publish({ topic, qos: 1, packetId })));
        for (const packetId of ids) await client.pick('PUBACK', { packetId });
      }
    },
  },
];

// ── Identifiers of the server ────────────────────────────────────────────────────────────────────────────────────────

/** A publisher and a client that is subscribed to `<topic>/1` with QoS 1 and to `<topic>/2` with QoS 2. */
async function subscribed({ connect, topic }: Context, session = {}): Promise<readonly [Peer, Peer]> {
  const [publisher, subscriber] = [
    await connect({ name: 'publisher' }),
    await connect({ ...session, name: 'subscriber' }),
  ];
  await subscriber.subscribe(`${topic}/1`, 1);
  await subscriber.subscribe(`${topic}/2`, 2);
  return [publisher, subscriber];
}

/** Takes so many messages, and acknowledges them as they come: a server with a small window sends more only then. */
async function takeAll(subscriber: Peer, count: number): Promise<void> {
  let received: number[] = [];
  for (let left = count; left > 0; left--) {
    const { packetId = 0 } = await subscriber.message();
    received.push(packetId);
    if (subscriber.waiting.length > 0) continue;
    subscriber.sendTogether(...received.map((id) => puback(id)));
    received = [];
  }
}

const ofServer: readonly Case[] = [
  {
    id: 'server-identifiers-distinct',
    title: 'gives messages of QoS 1 and 2 that are on their way to a client Packet Identifiers that differ',
    covers: ['v3/2.3.1-4', 'v3/2.3.1-1', 'v5/2.2.1-4'],
    needs: ['qos1', 'qos2'],
    async run(context) {
      const { topic, fail } = context;
      const [publisher, subscriber] = await subscribed(context);
      const count = 20;
      for (let number = 0; number < count; number++) {
        const qos = number % 2 === 0 ? 1 : 2;
        await publisher.publish({ topic: `${topic}/${qos}`, payload: `${number}`, qos });
      }
      // How many come before the first acknowledgement is the server's choice; one comes in any case.
      const first = await subscriber.message();
      await subscriber.fence();
      const ids = [first, ...subscriber.waiting].map(({ packetId }) => packetId);
      if (new Set(ids).size < ids.length) fail('Packet Identifiers that differ', `identifiers ${ids.join(', ')}`);
      await subscriber.acknowledge(first);
      for (let number = 1; number < count; number++) await subscriber.receive();
    },
  },
  {
    id: 'server-identifier-held-until-pubcomp',
    title: 'keeps the Packet Identifier of a QoS 2 message in use until PUBCOMP',
    covers: ['v3/2.3.1-4', 'v5/2.2.1-4'],
    needs: ['qos1', 'qos2'],
    async run(context) {
      const { topic, fail } = context;
      const [publisher, subscriber] = await subscribed(context);
      await publisher.publish({ topic: `${topic}/2`, payload: 'held', qos: 2 });
      const { packetId = 0 } = await subscriber.message({ payload: 'held' });
      subscriber.send(pubrec(packetId));
      await subscriber.expect('PUBREL', { packetId });
      for (const qos of [1, 2, 1, 2] as const) {
        await publisher.publish({ topic: `${topic}/${qos}`, payload: 'other', qos });
      }
      await subscriber.fence();
      for (const other of subscriber.waiting) {
        if (other.packetId === packetId) fail('another Packet Identifier', `PUBLISH id=${packetId} before PUBCOMP`);
      }
      subscriber.send(pubcomp(packetId));
      for (let number = 0; number < 4; number++) await subscriber.receive({ payload: 'other' });
    },
  },
  {
    id: 'server-identifiers-kept-on-reconnect',
    title: 'sends again with the Packet Identifiers of the first time, and gives new messages others',
    covers: ['v3/2.3.1-4', 'v5/2.2.1-4'],
    needs: ['qos1', 'qos2'],
    async run(context) {
      const { connect, topic, clientId, fail } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = await subscribed(context, session);
      await publisher.publish({ topic: `${topic}/1`, payload: 'first', qos: 1 });
      const { packetId = 0 } = await subscriber.message({ payload: 'first' });
      subscriber.drop();
      for (const qos of [1, 2] as const) await publisher.publish({ topic: `${topic}/${qos}`, payload: 'new', qos });
      const again = await connect({ ...session, name: 'subscriber again' });
      const judge = ({ packetId: id, payload }: Publish) => {
        if ((id === packetId) === (text(payload) === 'first')) return;
        fail(`id=${packetId} for the message that had it, and for no other`, `PUBLISH id=${id} '${text(payload)}'`);
      };
      for (let number = 0, held = true; number < 3; number++) {
        const message = await again.message();
        if (held) judge(message);
        if (text(message.payload) === 'first') {
          // Held until all have come, unless the server waits for it; once it is acknowledged its identifier is free.
          await again.fence();
          again.waiting.forEach(judge);
          held = false;
        }
        await again.acknowledge(message);
      }
    },
  },
  {
    id: 'pubrel-repeats-identifier',
    title: 'answers PUBRECs in any order by PUBRELs with their Packet Identifiers',
    covers: ['v3/2.3.1-6', 'v5/2.2.1-5'],
    needs: ['qos2'],
    async run(context) {
      const { topic } = context;
      const [publisher, subscriber] = await subscribed(context);
      for (const payload of ['1', '2', '3']) await publisher.publish({ topic: `${topic}/2`, payload, qos: 2 });
      let left = 3;
      while (left > 0) {
        const messages = [await subscriber.message()];
        await subscriber.fence();
        while (subscriber.waiting.length > 0) messages.push(await subscriber.message());
        const ids = messages.map(({ packetId = 0 }) => packetId).toReversed();
        subscriber.sendTogether(...ids.map((id) => pubrec(id)));
        for (const packetId of ids) await subscriber.pick('PUBREL', { packetId });
        subscriber.sendTogether(...ids.map((id) => pubcomp(id)));
        left -= messages.length;
      }
    },
  },
  {
    id: 'server-identifiers-all-round',
    title: 'gives no message the Packet Identifier 0, also after 65,535 messages to one client',
    covers: ['v3/2.3.1-1', 'v3/2.3.1-4', 'v5/2.2.1-4'],
    needs: ['qos1'],
    tags: ['long'],
    async run({ connect, topic, trait, now, timeoutMs, notApplicable }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 1);
      const batch = 256;
      let sent = 0;
      for (; sent < 65_600 && now() < 1.5 * timeoutMs; sent += batch) {
        const ids = Array.from({ length: batch }, (_, index) => ((sent + index) % 65_535) + 1);
        publisher.sendTogether(...ids.map((packetId) => publish({ topic, qos: 1, packetId })));
        await takeAll(subscriber, batch);
      }
      trait('QoS 1 messages to one client', `${sent}`);
      // That the first of them have good identifiers is the matter of other cases.
      if (sent < 65_600) notApplicable(`too slow for 65,535 messages: ${sent} in ${Math.round(now() / 1000)} s`);
    },
  },
];

const absent: readonly Case[] = [
  ...(
    [
      ['an empty payload', new Uint8Array(0)],
      ['a payload that looks like a Packet Identifier', Uint8Array.of(0, 10)],
      ['one byte of payload', Uint8Array.of(7)],
    ] as const
  ).flatMap(([words, payload], index) =>
    ([0, 1, 2] as const).map(
      (qos): Case => ({
        id: `no-identifier-with-qos0-${['empty', 'alike', 'one-byte'][index]}-from-qos${qos}`,
        title: `puts no Packet Identifier before ${words} when it delivers a QoS ${qos} message with QoS 0`,
        covers: ['v3/2.3.1-5', 'v5/2.2.1-2'],
        ...(qos === 2 && { needs: ['qos2'] as const }),
        async run({ connect, topic }) {
          const [publisher, subscriber] = [await connect(), await connect()];
          await subscriber.subscribe(topic, 0);
          await publisher.publish({ topic, payload, qos });
          await subscriber.receive({ topic, payload, qos: 0 });
        },
      }),
    ),
  ),
  {
    id: 'no-identifier-with-qos0-retained',
    title: 'puts no Packet Identifier into a retained message that it delivers with QoS 0',
    covers: ['v3/2.3.1-5', 'v5/2.2.1-2'],
    async run({ connect, topic, fail }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await publisher.publish({ topic, payload: Uint8Array.of(0, 10), qos: 1, retain: true });
      await subscriber.subscribe(topic, 0);
      const { qos } = await subscriber.message({ topic, payload: Uint8Array.of(0, 10) });
      if (qos > 0) fail('QoS 0, as granted', `QoS ${qos}`, 'v3/3.8.4-6', 'v5/3.8.4-8');
    },
  },
  {
    id: 'no-identifier-with-qos0-will',
    title: 'puts no Packet Identifier into a will that it publishes with QoS 0',
    covers: ['v3/2.3.1-5', 'v5/2.2.1-2'],
    async run({ connect, topic }) {
      const subscriber = await connect({ name: 'subscriber' });
      await subscriber.subscribe(topic, 0);
      const client = await connect({ will: { topic, payload: Uint8Array.of(0, 10), qos: 0 } });
      client.drop();
      await subscriber.receive({ topic, payload: Uint8Array.of(0, 10), qos: 0 });
    },
  },
];

// ── Both directions at once ──────────────────────────────────────────────────────────────────────────────────────────

/** Brings a message of the server's on its way to a client and leaves it unacknowledged; returns its identifier. */
async function leaveInFlight(context: Context, qos: QoS): Promise<{ client: Peer; packetId: number }> {
  const [publisher, client] = await subscribed(context);
  await publisher.publish({ topic: `${context.topic}/${qos}`, payload: 'to the client', qos });
  const { packetId = 0 } = await client.message({ payload: 'to the client', qos });
  return { client, packetId };
}

/** Exchanges that a client begins, to be tried with the identifier of a message from the server. */
const exchanges: readonly (readonly [
  id: string,
  words: string,
  run: (client: Peer, id: number, topic: string) => Promise<void>,
])[] = [
  [
    'publish-qos1',
    'a QoS 1 message',
    async (client, packetId, topic) => {
      client.send(publish({ topic: `${topic}/from`, qos: 1, packetId }));
      await client.expect('PUBACK', { packetId });
    },
  ],
  [
    'publish-qos2',
    'a QoS 2 message',
    async (client, packetId, topic) => {
      client.send(publish({ topic: `${topic}/from`, qos: 2, packetId }));
      await client.expect('PUBREC', { packetId });
      client.send(pubrel(packetId));
      await client.expect('PUBCOMP', { packetId });
    },
  ],
  [
    'subscribe',
    'a SUBSCRIBE',
    async (client, packetId, topic) => {
      client.send(subscribe(packetId, [`${topic}/from`, 0]));
      await client.expect('SUBACK', { packetId });
    },
  ],
  [
    'unsubscribe',
    'an UNSUBSCRIBE',
    async (client, packetId, topic) => {
      client.send(unsubscribe(packetId, `${topic}/from`));
      await client.expect('UNSUBACK', { packetId });
    },
  ],
];

/** What the client acknowledges last completes the exchange that the server began, and nothing else. */
async function complete(client: Peer, packetId: number, qos: QoS): Promise<void> {
  await client.acknowledge({
    type: 'PUBLISH',
    dup: false,
    qos,
    retain: false,
    topic: '',
    packetId,
    payload: new Uint8Array(0),
  });
  await client.expectNothing('nothing more once both exchanges are complete');
}

const independent: readonly Case[] = [
  ...([1, 2] as const).flatMap((qos) =>
    exchanges.map(
      ([id, words, exchange]): Case => ({
        id: `same-identifier-qos${qos}-and-${id}`,
        title: `serves ${words} whose Packet Identifier is that of a QoS ${qos} message to the same client`,
        covers: id.startsWith('publish')
          ? ['v3/2.3.1~independent-identifiers', 'v5/2.2.1~independent-identifiers']
          : ['v3/2.3.1-7', 'v5/2.2.1-6'],
        needs: [`qos${qos}`, ...(id === 'publish-qos2' ? (['qos2'] as const) : [])],
        async run(context) {
          const { client, packetId } = await leaveInFlight(context, qos);
          await exchange(client, packetId, context.topic);
          await complete(client, packetId, qos);
        },
      }),
    ),
  ),
  {
    id: 'same-identifier-qos2-interleaved',
    title: 'keeps apart two QoS 2 exchanges with the same Packet Identifier in both directions, step by step',
    covers: ['v3/2.3.1~independent-identifiers', 'v5/2.2.1~independent-identifiers'],
    needs: ['qos2'],
    async run(context) {
      const { client, packetId } = await leaveInFlight(context, 2);
      client.send(publish({ topic: `${context.topic}/from`, payload: 'from the client', qos: 2, packetId }));
      await client.expect('PUBREC', { packetId });
      client.send(pubrec(packetId));
      await client.expect('PUBREL', { packetId });
      client.send(pubrel(packetId));
      await client.expect('PUBCOMP', { packetId });
      client.send(pubcomp(packetId));
      await client.expectNothing('nothing more once both exchanges are complete');
    },
  },
  {
    id: 'puback-frees-the-message-of-the-server',
    title: "takes a PUBACK for its own message, not for the client's with the same Packet Identifier",
    covers: ['v3/2.3.1~independent-identifiers', 'v5/2.2.1~independent-identifiers'],
    needs: ['qos1', 'qos2'],
    async run(context) {
      const { topic } = context;
      const { client, packetId } = await leaveInFlight(context, 1);
      const watcher = await context.connect({ name: 'watcher' });
      await watcher.subscribe(`${topic}/from`, 2);
      client.send(publish({ topic: `${topic}/from`, payload: 'once', qos: 2, packetId }));
      await client.expect('PUBREC', { packetId });
      client.send(puback(packetId));
      // The client's own exchange still waits for PUBREL, and its message is still to be delivered.
      client.send(pubrel(packetId));
      await client.expect('PUBCOMP', { packetId });
      await client.publish({ topic: `${topic}/from`, payload: 'fence', qos: 2 });
      await watcher.receive({ payload: 'once' });
      await watcher.receive({ payload: 'fence' });
    },
  },
];

export const packetIdentifier = chapter(
  '2.3 Packet Identifier',
  section('2.3.1 Packet Identifier', [...echoed, ...reused, ...ofServer, ...absent, ...independent]),
);
