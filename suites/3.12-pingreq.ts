/** 3.12 PINGREQ and 3.13 PINGRESP: each PINGREQ has its answer, whatever else is under way. */

import { type Case, chapter, section } from '../harness/case.ts';
import { pingreq, pubcomp, publish, pubrec, pubrel, subscribe } from '../harness/wire/build.ts';
import type { Peer } from './session.ts';

/** So many PINGREQs, so many PINGRESPs: the next packets, and none beyond. */
async function expectAnswered(client: Peer, count: number): Promise<void> {
  for (let answer = 1; answer <= count; answer++) await client.expect('PINGRESP');
  await client.expectNothing('one PINGRESP for each PINGREQ');
}

const answered: readonly Case[] = [
  ...[0, 1, 60, 65_535].map(
    (keepAlive): Case => ({
      id: `answered-with-keep-alive-${keepAlive}`,
      title: `answers PINGREQ with PINGRESP right after CONNACK, with Keep Alive ${keepAlive}`,
      covers:
        keepAlive === 0
          ? ['v3/3.12.4-1', 'v3/3.1.2.10~ping-any-time', 'v5/3.12.4-1']
          : ['v3/3.12.4-1', 'v3/7.1.1~server-output-format', 'v5/3.12.4-1'],
      async run({ connect }) {
        const client = await connect({ keepAlive });
        client.send(pingreq());
        await client.expect('PINGRESP');
      },
    }),
  ),
  {
    id: 'answered-with-clean-session-0',
    title: 'answers PINGREQ of a client with CleanSession 0, new and resumed',
    covers: ['v3/3.12.4-1', 'v5/3.12.4-1'],
    async run({ connect, clientId }) {
      for (const name of ['new', 'resumed']) {
        const client = await connect({ name, clientId: clientId(), clean: false });
        client.send(pingreq());
        await client.expect('PINGRESP');
        await client.disconnect();
      }
    },
  },
  {
    id: 'answered-in-segment-of-connect',
    title: 'answers PINGREQs that come in the segment of the CONNECT',
    covers: ['v3/3.12.4-1', 'v5/3.12.4-1'],
    async run({ open, connectPacket }) {
      const client = await open();
      client.sendTogether(connectPacket(), pingreq(), pingreq());
      await client.expect('CONNACK', { code: 0 });
      await expectAnswered(client, 2);
    },
  },
  {
    id: 'answered-cut-in-two',
    title: 'answers a PINGREQ whose two bytes come apart',
    covers: ['v3/3.12.4-1', 'v5/3.12.4-1'],
    async run({ connect }) {
      const client = await connect();
      client.sendInPieces(pingreq());
      await client.expect('PINGRESP');
    },
  },
  {
    id: 'answered-between-packets',
    title: 'answers PINGREQs between other packets of one segment',
    covers: ['v3/3.12.4-1', 'v5/3.12.4-1'],
    async run({ connect, topic }) {
      const client = await connect();
      client.sendTogether(
        pingreq(),
        publish({ topic, payload: 'm', qos: 1, packetId: 1 }),
        pingreq(),
        subscribe(2, [`${topic}/own`, 0]),
        pingreq(),
      );
      await client.pick('PUBACK', { packetId: 1 });
      await client.pick('SUBACK', { packetId: 2 });
      for (let answer = 1; answer <= 3; answer++) await client.pick('PINGRESP');
      await client.expectNothing('one PINGRESP for each PINGREQ');
    },
  },
  {
    id: 'answered-while-sending-qos2',
    title: 'answers PINGREQ in every stage of a QoS 2 message from the client',
    covers: ['v3/3.12.4-1', 'v5/3.12.4-1'],
    needs: ['qos2'],
    async run({ connect, topic }) {
      const client = await connect();
      client.send(publish({ topic, payload: 'm', qos: 2, packetId: 1 }));
      await client.expect('PUBREC', { packetId: 1 });
      client.send(pingreq());
      await client.expect('PINGRESP');
      client.send(pubrel(1));
      await client.expect('PUBCOMP', { packetId: 1 });
      client.send(pingreq());
      await client.expect('PINGRESP');
    },
  },
  {
    id: 'answered-while-receiving-qos2',
    title: 'answers PINGREQ in every stage of a QoS 2 message to the client',
    covers: ['v3/3.12.4-1', 'v5/3.12.4-1'],
    needs: ['qos2'],
    async run({ connect, topic }) {
      const publisher = await connect({ name: 'publisher' });
      const client = await connect({ name: 'client' });
      await client.subscribe(topic, 2);
      await publisher.publish({ topic, payload: 'm', qos: 2 });
      const { packetId = 0 } = await client.message({ payload: 'm' });
      client.send(pingreq());
      await client.expect('PINGRESP');
      client.send(pubrec(packetId));
      await client.expect('PUBREL', { packetId });
      client.send(pingreq());
      await client.expect('PINGRESP');
      client.send(pubcomp(packetId));
      client.send(pingreq());
      await client.expect('PINGRESP');
    },
  },
  {
    id: 'answered-during-backlog',
    title: 'answers PINGREQ of a client to which a backlog of messages is delivered',
    covers: ['v3/3.12.4-1', 'v5/3.12.4-1'],
    needs: ['qos1'],
    async run({ connect, clientId, topic }) {
      const session = { clientId: clientId(), clean: false };
      const publisher = await connect({ name: 'publisher' });
      const before = await connect(session);
      await before.subscribe(topic, 1);
      await before.disconnect();
      for (let index = 1; index <= 50; index++) await publisher.publish({ topic, payload: `${index}`, qos: 1 });
      const client = await connect({ ...session, name: 'again' });
      client.send(pingreq());
      for (let index = 1; index <= 50; index++) await client.receive({ payload: `${index}` });
      await client.pick('PINGRESP');
    },
  },
];

const onceEach: readonly Case[] = [
  ...[2, 20, 1000].map(
    (count): Case => ({
      id: `one-answer-each-of-${count}`,
      title: `answers ${count} PINGREQs in one segment with ${count} PINGRESPs`,
      covers: ['v3/3.12~one-pingresp-each', 'v3/3.12.4-1', 'v5/3.12.4-1'],
      ...(count > 100 && { tags: ['long'] }),
      async run({ connect }) {
        const client = await connect();
        client.sendTogether(...Array.from({ length: count }, pingreq));
        await expectAnswered(client, count);
      },
    }),
  ),
  {
    id: 'unsolicited-by-nobody',
    title: 'sends no PINGRESP to a client that sends no PINGREQ',
    covers: ['v3/3.12~one-pingresp-each', 'v5/3.12.4-1'],
    async run({ connect, topic }) {
      const client = await connect({ name: 'client' });
      const other = await connect({ name: 'other' });
      await client.subscribe(topic);
      for (let round = 1; round <= 5; round++) {
        await other.fence();
        await other.publish({ topic, payload: `${round}` });
        await client.expect('PUBLISH', { payload: `${round}` });
      }
      await client.expectNothing('one PINGRESP for each PINGREQ');
    },
  },
];

export const ping = chapter(
  '3.12 PINGREQ',
  section('3.12 PINGREQ – PING request', onceEach),
  section('3.12.4 PINGREQ Response', answered),
);
