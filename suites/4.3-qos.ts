/** 4.3 Quality of Service levels and protocol flows: at most once, at least once, exactly once. */

import { type Case, chapter, section } from '../harness/case.ts';
import { puback, publish, text } from '../harness/wire/build.ts';
import { qos2 } from './4.3.3-qos2.ts';
import { hold, otherThan, receiveBehind, settle } from './held.ts';
import type { Peer } from './session.ts';

/** Receives messages until each of these has come, in any order. */
async function receiveEach(subscriber: Peer, payloads: readonly string[]): Promise<void> {
  const missing = new Set(payloads);
  while (missing.size > 0) missing.delete(text((await subscriber.receive()).payload));
}

// ── QoS 0 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const lowered: readonly Case[] = ([1, 2] as const).flatMap((qos) =>
  [false, true].map(
    (dup): Case => ({
      id: `lowered-from-qos${qos}${dup ? '-dup' : ''}`,
      title: `delivers a QoS ${qos} message${dup ? ' that came with DUP 1' : ''} with QoS 0 and DUP 0 to a QoS 0 subscription`,
      covers: ['v3/4.3.1-1', 'v5/4.3.1-1'],
      ...(qos === 2 && { needs: ['qos2'] as const }),
      async run({ connect, topic }) {
        const [publisher, subscriber] = [await connect(), await connect()];
        await subscriber.subscribe(topic, 0);
        await publisher.publish({ topic, payload: 'lowered', qos, dup });
        await subscriber.receive({ topic, payload: 'lowered', qos: 0, dup: false });
      },
    }),
  ),
);

const qos0: readonly Case[] = [
  {
    id: 'delivered-once',
    title: 'delivers a QoS 0 message once, with QoS 0 and DUP 0, to a healthy subscriber',
    covers: ['v3/4.3.1-1', 'v3/2.3.1-5', 'v5/4.3.1-1', 'v5/2.2.1-2'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 0);
      // Two bytes that look like a Packet Identifier must arrive as payload.
      await publisher.publish({ topic, payload: Uint8Array.of(0, 10, 1) });
      await publisher.publish({ topic, payload: 'fence' });
      await subscriber.receive({ topic, payload: Uint8Array.of(0, 10, 1), qos: 0, dup: false });
      await subscriber.receive({ topic, payload: 'fence' });
    },
  },
  {
    id: 'not-acknowledged',
    title: 'acknowledges no QoS 0 PUBLISH',
    covers: ['v3/3.3.4-1', 'v5/3.3.4-1'],
    async run({ connect, topic }) {
      const publisher = await connect();
      await publisher.publish({ topic, payload: Uint8Array.of(0, 10, 1) });
      await publisher.expectNothing('no answer to a QoS 0 PUBLISH');
    },
  },
  ...lowered,
  {
    id: 'delivered-to-higher-subscriptions',
    title: 'delivers a QoS 0 message once, with QoS 0 and DUP 0, to a QoS 2 subscription',
    covers: ['v3/4.3.1-1', 'v5/4.3.1-1'],
    needs: ['qos2'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      for (const payload of ['first', 'second', 'third']) await publisher.publish({ topic, payload });
      for (const payload of ['first', 'second', 'third']) {
        await subscriber.receive({ topic, payload, qos: 0, dup: false });
      }
      await subscriber.expectNothing('each QoS 0 message once');
    },
  },
  {
    id: 'retained-delivered-once',
    title: 'delivers a retained message once, with QoS 0 and DUP 0, to a QoS 0 subscription',
    covers: ['v3/4.3.1-1', 'v5/4.3.1-1'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      // Once it has come back to its author, it can't come to the subscriber as anything but a retained message.
      await publisher.subscribe(topic, 0);
      await publisher.publish({ topic, payload: 'retained', qos: 1, retain: true, dup: true });
      await publisher.receive({ topic, payload: 'retained' });
      await subscriber.subscribe(topic, 0);
      await subscriber.receive({ topic, payload: 'retained', qos: 0, dup: false });
      await publisher.publish({ topic, payload: 'fence' });
      await subscriber.receive({ topic, payload: 'fence' });
    },
  },
  {
    id: 'will-delivered-once',
    title: 'delivers a QoS 0 will once, with QoS 0 and DUP 0',
    covers: ['v3/4.3.1-1', 'v5/4.3.1-1'],
    async run({ connect, topic }) {
      const subscriber = await connect({ name: 'subscriber' });
      await subscriber.subscribe(topic, 0);
      for (const payload of ['will', 'fence']) {
        const client = await connect({ name: payload, will: { topic, payload } });
        client.drop();
        await subscriber.receive({ topic, payload, qos: 0, dup: false });
      }
    },
  },
];

// ── QoS 1 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const qos1: readonly Case[] = [
  {
    id: 'acknowledged',
    title: 'acknowledges a QoS 1 PUBLISH with a PUBACK of the same Packet Identifier, subscribers or not',
    covers: ['v3/4.3.2-2', 'v3/3.3.4-1', 'v3/2.3.1-6', 'v5/4.3.2-4', 'v5/3.3.4-1', 'v5/2.2.1-5'],
    async run({ connect, topic }) {
      const publisher = await connect();
      for (const packetId of [1, 0x00ff, 0x0100, 0x1234, 0xffff]) {
        publisher.send(publish({ topic, payload: 'm', qos: 1, packetId }));
        await publisher.expect('PUBACK', { packetId });
      }
    },
  },
  {
    id: 'identifier-reused-after-puback',
    title: 'takes a QoS 1 PUBLISH with an acknowledged Packet Identifier as a new message, whatever its DUP says',
    covers: ['v3/4.3.2-2', 'v3/3.3.1.1~dup-is-no-proof', 'v5/4.3.2-4', 'v5/4.3.2-5'],
    needs: ['qos1'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 1);
      for (const [payload, dup] of [
        ['first', false],
        ['second', false],
        ['third', true],
      ] as const) {
        publisher.send(publish({ topic, payload, qos: 1, packetId: 7, dup }));
        await publisher.expect('PUBACK', { packetId: 7 });
        // What DUP says of it is the matter of 3.3.1.1.
        await subscriber.receive({ topic, payload, qos: 1 });
      }
    },
  },
  {
    id: 'same-message-again-after-puback',
    title: 'delivers the very same QoS 1 PUBLISH again after its PUBACK, for it is a new message',
    covers: ['v3/4.3.2-2', 'v3/3.3.1.1~dup-is-no-proof', 'v5/4.3.2-4', 'v5/4.3.2-5'],
    needs: ['qos1'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 1);
      for (const dup of [false, true, false]) {
        publisher.send(publish({ topic, payload: 'same', qos: 1, packetId: 7, dup }));
        await publisher.expect('PUBACK', { packetId: 7 });
        await subscriber.receive({ topic, payload: 'same', qos: 1 });
      }
    },
  },
  {
    id: 'unacknowledged-kept-apart',
    title: 'sends QoS 1 messages that wait for PUBACK with distinct Packet Identifiers and DUP 0',
    covers: ['v3/4.3.2-1', 'v3/2.3.1-4', 'v5/4.3.2-1', 'v5/4.3.2-2', 'v5/2.2.1-4'],
    needs: ['qos1'],
    async run({ connect, topic, fail }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 1);
      const used = new Set<number | undefined>();
      // A server may send the next only when one is acknowledged, so two are enough to be sure not to wait for ever.
      for (const payload of ['1', '2']) await publisher.publish({ topic, payload, qos: 1 });
      const first = await subscriber.message({ payload: '1', qos: 1, dup: false });
      await subscriber.fence();
      used.add(first.packetId);
      for (const { packetId, dup } of subscriber.waiting) {
        if (used.has(packetId))
          fail('a Packet Identifier that is not in use', `PUBLISH id=${packetId} while it is in use`);
        if (dup) fail('DUP 0 in the first transmission', `PUBLISH id=${packetId} with DUP 1`);
        used.add(packetId);
      }
      await subscriber.acknowledge(first);
      await subscriber.receive({ payload: '2', qos: 1, dup: false });
    },
  },
  {
    id: 'foreign-puback-releases-nothing',
    title: 'keeps a QoS 1 message unacknowledged when a PUBACK with another Packet Identifier arrives',
    covers: ['v3/4.3.2-1', 'v3/4.3.3~unknown-acknowledgements', 'v5/4.3.2-2', 'v5/4.3.2-3'],
    needs: ['qos1'],
    async run(context) {
      const { subscriber, packetId, again } = await hold(context, 1);
      subscriber.send(puback(otherThan(packetId)));
      // The server may ignore it or close: either way the message is still owed.
      await settle(subscriber);
      subscriber.drop();
      await (await again()).receive({ payload: 'held', packetId });
    },
  },
  {
    id: 'held-until-puback',
    title: 'sends a QoS 1 message on every new connection until it is acknowledged, and then rather no more',
    covers: ['v3/4.3.2-1', 'v5/4.3.2-2', 'v5/4.3.2-3'],
    needs: ['qos1'],
    async run(context) {
      const { publisher, subscriber, packetId, again } = await hold(context, 1);
      let client = subscriber;
      for (let times = 0; times < 3; times++) {
        client.drop();
        client = await again();
        await client.message({ payload: 'held', qos: 1, packetId });
      }
      client.send(puback(packetId));
      await client.fence();
      client.drop();
      await publisher.publish({ topic: context.topic, payload: 'fence', qos: 1 });
      await receiveBehind(context, await again(), (payload) => payload === 'held', 'fence');
    },
  },
  {
    id: 'twenty-in-flight-from-client',
    title: 'acknowledges twenty QoS 1 messages in one segment, and delivers each',
    covers: ['v3/4.3.2-2', 'v3/4.3.2~several-in-flight', 'v5/4.3.2-4'],
    needs: ['qos1'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 1);
      const numbers = Array.from({ length: 20 }, (_, index) => index + 1);
      publisher.sendTogether(
        ...numbers.map((number) => publish({ topic, payload: `${number}`, qos: 1, packetId: number })),
      );
      for (const packetId of numbers) await publisher.pick('PUBACK', { packetId });
      await receiveEach(subscriber, numbers.map(String));
    },
  },
  ...([1, 2] as const).map(
    (qos): Case => ({
      id: `twenty-in-flight-to-client-qos${qos}`,
      title: `delivers twenty QoS ${qos} messages to a client that acknowledges late, as many at a time as it likes`,
      covers: [
        ...(qos === 1 ? (['v3/4.3.2-1', 'v5/4.3.2-1'] as const) : (['v3/4.3.3-1', 'v5/4.3.3-1'] as const)),
        'v3/4.3.2~several-in-flight',
      ],
      needs: [`qos${qos}`],
      async run({ connect, topic, trait }) {
        const [publisher, subscriber] = [await connect(), await connect()];
        await subscriber.subscribe(topic, qos);
        const payloads = Array.from({ length: 20 }, (_, index) => `${index}`);
        for (const payload of payloads) await publisher.publish({ topic, payload, qos });
        const first = await subscriber.message({ qos });
        await subscriber.fence();
        trait('messages in flight without acknowledgement, of 20', `${1 + subscriber.waiting.length}`);
        await subscriber.acknowledge(first);
        const others = payloads.filter((payload) => payload !== text(first.payload));
        await receiveEach(subscriber, others);
      },
    }),
  ),
];

export const qos = chapter(
  '4.3 Quality of Service',
  section('4.3.1 QoS 0: At most once delivery', qos0),
  section('4.3.2 QoS 1: At least once delivery', qos1),
  qos2,
);
