/** 3.14 DISCONNECT: the end of the connection; what came before it counts, what comes behind it does not; and in 5.0 why. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import {
  disconnect as disconnectPacket,
  fromHex,
  pingreq,
  publish,
  pubrel,
  subscribe,
  text,
  unsubscribe,
} from '../harness/wire/build.ts';
import type { Packet } from '../harness/wire/packet.ts';
import type { Peer } from './session.ts';

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
      covers: ['v3/3.14.4-2', 'v5/3.14.4-1'],
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
      covers: ['v3/3.14.4-2', 'v5/3.14.4-1'],
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

// ── 3.14.2 of 5.0: Reason Codes, and what may be left out ────────────────────────────────────────────────────────────

/** A watcher of the topic, and a client with a will to it. */
async function withWill({ connect, topic }: Context): Promise<readonly [watcher: Peer, client: Peer]> {
  const watcher = await connect({ name: 'watcher' });
  await watcher.subscribe(topic);
  return [watcher, await connect({ name: 'client', will: { topic, payload: 'will' } })];
}

/** What comes next tells whether there was a will: that of a client that is dropped now comes later. */
async function nextWill({ connect, topic }: Context, watcher: Peer): Promise<string> {
  const fence = await connect({ name: 'fence', will: { topic, payload: 'fence' } });
  fence.drop();
  return text((await watcher.receive()).payload);
}

const forms: readonly (readonly [id: string, words: string, hex: string])[] = [
  ['bare', 'nothing behind its fixed header', 'E0 00'],
  ['code', 'the Reason Code 0x00 and no Property Length', 'E0 01 00'],
  ['properties', 'the Reason Code 0x00 and no properties', 'E0 02 00 00'],
  ['reason-string', 'the Reason Code 0x00 and a Reason String', 'E0 06 00 04 1F 00 01 61'],
  ['user-property', 'the Reason Code 0x00 and a User Property', 'E0 09 00 07 26 00 01 61 00 01 62'],
];

const shortForms: readonly Case[] = forms.map(
  ([id, words, digits]): Case => ({
    id: `normal-${id}`,
    title: `publishes no will after a DISCONNECT with ${words}`,
    covers: id === 'bare' || id === 'code' ? ['v5/3.14.2.1~disconnect-lengths', 'v5/3.14.4-3'] : ['v5/3.14.4-3'],
    async run(context) {
      const [watcher, client] = await withWill(context);
      client.sendBytes(fromHex(digits), `DISCONNECT with ${words}`);
      await client.isClosed();
      client.drop();
      if ((await nextWill(context, watcher)) === 'will') context.fail('no will', "PUBLISH 'will'");
    },
  }),
);

// ── 3.14 of 5.0: DISCONNECT from the server ──────────────────────────────────────────────────────────────────────────

/** What makes a server end the connection of a client. */
const provocations: readonly (readonly [
  id: string,
  words: string,
  provoke: (client: Peer, context: Context) => void,
])[] = [
  ['malformed', 'a malformed packet', (client) => client.sendBytes([0x62, 0x00], 'a PUBREL without anything')],
  ['reserved-type', 'a reserved packet type', (client) => client.sendBytes([0x00, 0x00], 'a packet of type 0')],
  ['second-connect', 'a second CONNECT', (client, { connectPacket }) => client.send(connectPacket())],
  ['wildcard', 'a Topic Name with a wildcard', (client, { topic }) => client.send(publish({ topic: `${topic}/#` }))],
];

const fromServer: readonly Case[] = [
  ...provocations.map(
    ([id, words, provoke]): Case => ({
      id: `server-disconnects-after-${id}`,
      title: `ends the connection after ${words}: whatever DISCONNECT it sends has a form and code of DISCONNECT, and is the last packet`,
      covers: ['v5/3.14.2-1', 'v5/3.14.2-2', 'v5/3.14.4-1', 'v5/3.14.4-2', 'v5/4.13.2-1'],
      async run(context) {
        const { connect, topic, trait } = context;
        const [client, other] = [await connect({ name: 'client' }), await connect({ name: 'other' })];
        await client.subscribe(topic);
        provoke(client, context);
        // Something that it could go on to send.
        await other.publish({ topic, payload: 'behind' });
        await client.expectClose({ probe: false, allow: ['PUBLISH'] });
        trait('a connection that is ended', client.disconnected ? 'DISCONNECT' : 'closed without DISCONNECT');
      },
    }),
  ),
  {
    id: 'server-disconnects-at-take-over',
    title:
      'sends DISCONNECT 0x8E to a client whose session another connection takes over, nothing behind it, and closes',
    covers: ['v5/3.14.2-1', 'v5/3.14.2-2', 'v5/3.14.4-1', 'v5/3.14.4-2'],
    needs: ['qos1'],
    async run({ connect, clientId, topic }) {
      const session = { clientId: clientId(), clean: false };
      const client = await connect({ ...session, name: 'client' });
      const publisher = await connect({ name: 'publisher' });
      await client.subscribe(topic, 1);
      for (const payload of ['1', '2', '3']) await publisher.publish({ topic, payload, qos: 1 });
      await connect({ ...session, name: 'again' });
      // That a DISCONNECT has to come is the matter of section 3.1.4.
      await client.expectClose({ probe: false, allow: ['PUBLISH'], reasons: [0x8e] });
    },
  },
];

export const disconnect = chapter(
  '3.14 DISCONNECT',
  section('3.14 DISCONNECT – Disconnect notification', fromServer),
  section('3.14.2.1 Disconnect Reason Code', shortForms),
  section({ v3: '3.14.4 DISCONNECT Response', v5: '3.14.4 DISCONNECT Actions' }, [...ended, ...before, ...behind]),
);
