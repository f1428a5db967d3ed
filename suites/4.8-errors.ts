/** 4.8 Handling errors: what one client does wrong is its own affair. (That it is disconnected for it is in `malformed.ts`.) */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { publish, pubrel } from '../harness/wire/build.ts';
import { encode } from '../harness/wire/encode.ts';
import { type MalformedExample, malformed } from '../harness/wire/examples.ts';
import type { Peer } from './session.ts';

/**
 * Two well-behaved clients whose messages have to come through whatever others do. Returns what has them exchange messages
 * of QoS 1 and 2 and PINGREQs once; that throws Violation if any of it fails.
 */
async function witness({ connect, topic }: Context): Promise<() => Promise<void>> {
  const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
  const message = { topic: `${topic}/witness` };
  await subscriber.subscribe(message.topic, 2);
  return async () => {
    const [first, second] = [publisher.freshId(), publisher.freshId()];
    publisher.send(publish({ ...message, payload: `${first}`, qos: 1, packetId: first }));
    await publisher.expect('PUBACK', { packetId: first });
    await subscriber.receive({ ...message, payload: `${first}`, qos: 1 });
    publisher.send(publish({ ...message, payload: `${second}`, qos: 2, packetId: second }));
    await publisher.expect('PUBREC', { packetId: second });
    publisher.send(pubrel(second));
    await publisher.expect('PUBCOMP', { packetId: second });
    await subscriber.receive({ ...message, payload: `${second}`, qos: 2 });
    await publisher.fence();
    await subscriber.fence();
  };
}

/** Sends these malformed packets, each on a connection of its own. */
async function offend(context: Context, rows: readonly MalformedExample[]): Promise<readonly Peer[]> {
  const { open, connect, connectPacket, clientId, topic } = context;
  const clients = await Promise.all(rows.map(({ when, id }) => (when === 'first' ? open(id) : connect({ name: id }))));
  const { userName, password } = connectPacket();
  for (const [index, row] of rows.entries()) {
    const bytes = row.bytes(`${topic}/offender`, clientId(row.id), { userName, password });
    clients[index]?.sendBytes(bytes, row.title);
  }
  return clients;
}

/** Clients that end in the middle of something, or never go on. */
const abrupt: readonly (readonly [name: string, behave: (client: Peer, context: Context) => void])[] = [
  ['says nothing', () => undefined],
  ['begins a CONNECT', (client, { connectPacket }) => sendHalf(client, encode(connectPacket(), 'v3'))],
  [
    'begins a CONNECT and closes',
    (client, { connectPacket }) => {
      sendHalf(client, encode(connectPacket(), 'v3'));
      client.halfClose();
    },
  ],
  [
    'begins a CONNECT and drops',
    (client, { connectPacket }) => {
      sendHalf(client, encode(connectPacket(), 'v3'));
      client.drop();
    },
  ],
  ['closes at once', (client) => client.halfClose()],
  ['drops at once', (client) => client.drop()],
  ['announces 256 MiB', (client) => client.sendBytes([0x10, 0xff, 0xff, 0xff, 0x7f], 'a CONNECT of 256 MiB announced')],
  ['speaks HTTP', (client) => client.sendBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'an HTTP request')],
  [
    'speaks TLS',
    (client) => client.sendBytes([0x16, 0x03, 0x01, 0x02, 0x00, 0x01], 'the beginning of a TLS handshake'),
  ],
];

function sendHalf(client: Peer, bytes: Uint8Array): void {
  client.sendBytes(bytes.subarray(0, bytes.length / 2), `the first half of ${bytes.length} bytes`);
}

/** The same on connections that are established. */
const abruptLater: readonly (readonly [name: string, behave: (client: Peer, topic: string) => void])[] = [
  ['begins a PUBLISH', (client, topic) => sendHalf(client, encode(publish({ topic, payload: 'half' }), 'v3'))],
  [
    'begins a PUBLISH and closes',
    (client, topic) => {
      sendHalf(client, encode(publish({ topic, payload: 'half' }), 'v3'));
      client.halfClose();
    },
  ],
  [
    'begins a PUBLISH and drops',
    (client, topic) => {
      sendHalf(client, encode(publish({ topic, payload: 'half' }), 'v3'));
      client.drop();
    },
  ],
  [
    'publishes and closes',
    (client, topic) => {
      client.send(publish({ topic, payload: 'last', qos: 1, packetId: 1 }));
      client.halfClose();
    },
  ],
  [
    'publishes and drops',
    (client, topic) => {
      client.send(publish({ topic, payload: 'last', qos: 2, packetId: 1 }));
      client.drop();
    },
  ],
];

const others: readonly Case[] = [
  ...(['first', 'connected'] as const).map(
    (when): Case => ({
      id: `witness-of-malformed-packets-${when}`,
      title: `serves two clients while others send malformed packets ${when === 'first' ? 'instead of CONNECT' : 'after CONNECT'}`,
      covers: ['v3/4.8~others-unaffected'],
      needs: ['qos2'],
      tags: ['long'],
      async run(context) {
        const exchange = await witness(context);
        // Left out is what a broker that takes it for well-formed would keep.
        const rows = malformed.filter((row) => row.when === when && !/retain|clean-0/.test(row.id));
        const atOnce = 20;
        for (let begin = 0; begin < rows.length; begin += atOnce) {
          const offenders = await offend(context, rows.slice(begin, begin + atOnce));
          await exchange();
          // Without a will, should the broker have let one in.
          for (const client of offenders) client.leave();
        }
        await exchange();
      },
    }),
  ),
  {
    id: 'witness-of-unfinished-packets',
    title: 'serves two clients while others end in the middle of a packet, or wait there, or speak another protocol',
    covers: ['v3/4.8~others-unaffected'],
    needs: ['qos2'],
    async run(context) {
      const { open, connect, topic } = context;
      const exchange = await witness(context);
      for (const [name, behave] of abrupt) behave(await open(name), context);
      await exchange();
      for (const [name, behave] of abruptLater) behave(await connect({ name }), `${topic}/offender`);
      await exchange();
      // What is no packet at all, while the others still wait.
      (await connect({ name: 'sends a reserved type' })).sendBytes([0xf0, 0x00], 'a packet of the reserved type 15');
      await exchange();
    },
  },
  {
    id: 'witness-of-256-mib-announced',
    title: 'waits for 256 MiB that were announced, or closes; and serves two other clients meanwhile',
    covers: ['v3/4.8~others-unaffected'],
    needs: ['qos2'],
    async run(context) {
      const { connect, trait } = context;
      const exchange = await witness(context);
      const client = await connect({ name: 'announces 256 MiB' });
      client.sendBytes([0x30, 0xff, 0xff, 0xff, 0x7f], 'a PUBLISH of 256 MiB announced');
      await exchange();
      trait('a packet of 256 MiB announced', (await client.isClosed(0)) ? 'closes' : 'waits');
      client.sendBytes([0x00, 0x01, 0x61], 'the first bytes of it');
      await exchange();
      // One byte more than can be announced is against the format in any case.
      (await connect({ name: 'goes on' })).sendBytes([0x30, 0xff, 0xff, 0xff, 0xff, 0x7f], 'five bytes of length');
      await exchange();
    },
  },
  {
    id: 'one-client-twice',
    title: 'lets a client that was disconnected for an error in again, with its session',
    covers: ['v3/4.8.0-1', 'v5/4.13.1-1'],
    needs: ['qos1'],
    async run({ connect, clientId, topic }) {
      const session = { clientId: clientId('client'), clean: false };
      const publisher = await connect({ name: 'publisher' });
      const client = await connect({ ...session, name: 'client' });
      await client.subscribe(topic, 1);
      client.sendBytes([0xf0, 0x00], 'a packet of the reserved type 15');
      await client.expectClose();
      await publisher.publish({ topic, payload: 'meanwhile', qos: 1 });
      const again = await connect({ ...session, name: 'client again' });
      // The message tells that the session is there; whether CONNACK tells it too is the matter of section 3.2.2.2.
      await again.receive({ topic, payload: 'meanwhile' });
    },
  },
];

export const errors = chapter('4.8 Handling errors', section('4.8 Handling errors', others));
