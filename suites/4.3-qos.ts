/** 4.3 Quality of Service levels and protocol flows: at most once, at least once, exactly once. */

import { chapter, section } from '../harness/case.ts';
import { puback, pubcomp, publish, pubrec, pubrel } from '../harness/wire/build.ts';

const qos0 = section('4.3.1 QoS 0: At most once delivery', [
  {
    id: 'delivered-once',
    title: 'delivers a QoS 0 message once, with QoS 0 and DUP 0, to a healthy subscriber',
    covers: ['v3/4.3.1-1', 'v3/2.3.1-5'],
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
    covers: ['v3/3.3.4-1'],
    async run({ connect, topic }) {
      const publisher = await connect();
      await publisher.publish({ topic, payload: Uint8Array.of(0, 10, 1) });
      await publisher.expectNothing('no answer to a QoS 0 PUBLISH');
    },
  },
]);

const qos1 = section('4.3.2 QoS 1: At least once delivery', [
  {
    id: 'acknowledged',
    title: 'acknowledges a QoS 1 PUBLISH with a PUBACK of the same Packet Identifier, subscribers or not',
    covers: ['v3/4.3.2-2', 'v3/3.3.4-1', 'v3/2.3.1-6'],
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
    covers: ['v3/4.3.2-2', 'v3/3.3.1.1~dup-is-no-proof'],
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
        await subscriber.receive({ topic, payload, qos: 1, dup: false });
      }
    },
  },
  {
    id: 'unacknowledged-kept-apart',
    title: 'sends QoS 1 messages that wait for PUBACK with distinct Packet Identifiers and DUP 0',
    covers: ['v3/4.3.2-1', 'v3/2.3.1-4'],
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
    covers: ['v3/4.3.2-1', 'v3/4.3.3~unknown-acknowledgements'],
    needs: ['qos1'],
    async run({ connect, topic, clientId }) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await subscriber.subscribe(topic, 1);
      await publisher.publish({ topic, payload: 'kept', qos: 1 });
      const { packetId = 0 } = await subscriber.message({ payload: 'kept' });
      subscriber.send(puback((packetId % 65_535) + 1));
      // The server may ignore it or close: either way the message is still owed.
      await subscriber.isClosed(0);
      subscriber.drop();
      const again = await connect({ ...session, name: 'subscriber again' });
      await again.receive({ payload: 'kept', qos: 1, packetId });
    },
  },
]);

const qos2 = section('4.3.3 QoS 2: Exactly once delivery', [
  {
    id: 'retransmission-is-delivered-once',
    title: 'acknowledges a retransmitted PUBLISH again and delivers it once',
    covers: ['v3/4.3.3-2'],
    needs: ['qos2'],
    tags: ['exactly-once'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      const message = { topic, payload: 'once', qos: 2, packetId: 7 } as const;
      publisher.send(publish(message));
      await publisher.expect('PUBREC', { packetId: 7 });
      for (const dup of [true, true, true]) {
        publisher.send(publish({ ...message, dup }));
        await publisher.expect('PUBREC', { packetId: 7 });
      }
      publisher.send(pubrel(7));
      await publisher.expect('PUBCOMP', { packetId: 7 });
      // A fence, not a sleep: a duplicate would arrive before this message.
      await publisher.publish({ topic, payload: 'fence', qos: 2 });
      await subscriber.receive({ topic, payload: 'once' });
      await subscriber.receive({ topic, payload: 'fence' });
    },
  },
  {
    id: 'identifier-reused-after-pubcomp',
    title: 'takes a QoS 2 PUBLISH with a Packet Identifier freed by PUBCOMP as a new message',
    covers: ['v3/4.3.3-2', 'v3/2.3.1~identifier-reuse'],
    needs: ['qos2'],
    tags: ['exactly-once'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      for (const payload of ['first', 'second', 'third']) {
        await publisher.publish({ topic, payload, qos: 2, packetId: 9 });
        await subscriber.receive({ topic, payload, qos: 2, dup: false });
      }
    },
  },
  {
    id: 'pubrel-answered-each-time',
    title: 'answers a repeated PUBREL with PUBCOMP again and delivers nothing more',
    covers: ['v3/4.3.3-2'],
    needs: ['qos2'],
    tags: ['exactly-once'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      await publisher.publish({ topic, payload: 'once', qos: 2, packetId: 3 });
      publisher.send(pubrel(3));
      await publisher.expect('PUBCOMP', { packetId: 3 });
      await publisher.publish({ topic, payload: 'fence', qos: 2 });
      await subscriber.receive({ payload: 'once' });
      await subscriber.receive({ payload: 'fence' });
    },
  },
  {
    id: 'sender-flow',
    title:
      'sends PUBLISH with DUP 0, answers PUBREC with PUBREL of the same Packet Identifier, and nothing after PUBCOMP',
    covers: ['v3/4.3.3-1', 'v3/2.3.1-6'],
    needs: ['qos2'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      await publisher.publish({ topic, payload: 'once', qos: 2 });
      const { packetId = 0 } = await subscriber.message({ payload: 'once', qos: 2, dup: false });
      subscriber.send(pubrec(packetId));
      await subscriber.expect('PUBREL', { packetId });
      subscriber.send(pubcomp(packetId));
      await subscriber.expectNothing('no further packet for an exchange that PUBCOMP ended');
    },
  },
]);

export const qos = chapter('4.3 Quality of Service', qos0, qos1, qos2);
