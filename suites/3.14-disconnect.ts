/** 3.14 DISCONNECT: the end of the connection; what came before it counts, what comes behind it does not. */

import { type Case, chapter, section } from '../harness/case.ts';
import {
  disconnect as disconnectPacket,
  pingreq,
  publish,
  pubrel,
  subscribe,
  text,
  unsubscribe,
} from '../harness/wire/build.ts';
import type { Packet } from '../harness/wire/packet.ts';

const ended: readonly Case[] = [
  {
    id: 'closed-by-server',
    title: 'closes the connection after DISCONNECT when the client does not',
    covers: ['v3/3.14.4~disconnect-closed-by-server'],
    async run({ connect }) {
      const client = await connect();
      client.send(disconnectPacket());
      await client.expectClose({ probe: false });
    },
  },
  {
    id: 'closed-by-server-with-keep-alive-0',
    title: 'closes the connection of a subscriber with Keep Alive 0 after DISCONNECT when the client does not',
    covers: ['v3/3.14.4~disconnect-closed-by-server'],
    async run({ connect, clientId, topic }) {
      const client = await connect({ clientId: clientId(), clean: false, keepAlive: 0 });
      await client.subscribe(topic);
      client.send(disconnectPacket());
      await client.expectClose({ probe: false });
    },
  },
];

const before = ([0, 1] as const).map(
  (qos): Case => ({
    id: `message-before-disconnect-qos${qos}`,
    title: `delivers a QoS ${qos} message that comes in one segment with DISCONNECT, before it`,
    covers: ['v3/4.5.0-1', 'v5/4.5.0-1'],
    async run({ connect, topic }) {
      const witnesses = [await connect({ name: 'witness' }), await connect({ name: 'other witness' })];
      for (const witness of witnesses) await witness.subscribe(topic);
      const client = await connect({ name: 'client' });
      const message = publish({ topic, payload: 'last words', qos, ...(qos > 0 && { packetId: 1 }) });
      client.sendTogether(message, disconnectPacket());
      for (const witness of witnesses) await witness.receive({ payload: 'last words' });
    },
  }),
);

/** What a client must not send after DISCONNECT, and a server has no reason to answer. */
const answerable: readonly (readonly [id: string, make: (topic: string) => Packet])[] = [
  ['pingreq', () => pingreq()],
  ['publish-qos1', (topic) => publish({ topic, payload: 'late', qos: 1, packetId: 1 })],
  ['publish-qos2', (topic) => publish({ topic, payload: 'late', qos: 2, packetId: 1 })],
  ['pubrel', () => pubrel(1)],
  ['subscribe', (topic) => subscribe(1, [topic, 0])],
  ['unsubscribe', (topic) => unsubscribe(1, topic)],
];

const behind: readonly Case[] = [
  ...answerable.map(
    ([id, make]): Case => ({
      id: `no-answer-to-${id}`,
      title: `does not answer ${id.toUpperCase().replace('-QOS', ' with QoS ')} after DISCONNECT`,
      covers: ['v3/3.14.4-2'],
      async run({ connect, topic, nonStrict }) {
        const client = await connect();
        client.sendTogether(disconnectPacket(), make(topic));
        const answer = await client.next();
        // The rule binds the client; what the server makes of its breach is not said in so many words.
        if (answer) nonStrict(`answers ${answer.type} to a packet after DISCONNECT`);
      },
    }),
  ),
  ...([0, 1, 2] as const).map(
    (qos): Case => ({
      id: `no-delivery-qos${qos}`,
      title: `does not deliver a QoS ${qos} message that comes after DISCONNECT`,
      covers: ['v3/3.14.4-2'],
      async run({ connect, topic, nonStrict }) {
        const witness = await connect({ name: 'witness' });
        await witness.subscribe(topic);
        const client = await connect({ name: 'client' });
        const late = publish({ topic, payload: 'late', qos, ...(qos > 0 && { packetId: 1 }) });
        client.sendTogether(disconnectPacket(), late, ...(qos === 2 ? [pubrel(1)] : []));
        await client.isClosed();
        client.drop();
        const publisher = await connect({ name: 'publisher' });
        await publisher.publish({ topic, payload: 'fence' });
        const next = await witness.receive();
        if (text(next.payload) === 'late') nonStrict('delivers a message that came after DISCONNECT');
      },
    }),
  ),
];

export const disconnect = chapter(
  '3.14 DISCONNECT',
  section('3.14.4 DISCONNECT Response', [...ended, ...before, ...behind]),
);
