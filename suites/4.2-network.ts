/** 4.2 Network connections: packets come as a stream of bytes, cut and joined anywhere. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { disconnect, fromHex, pingreq, publish, pubrel, subscribe, text, unsubscribe } from '../harness/wire/build.ts';
import { encode } from '../harness/wire/encode.ts';
import type { Packet, PacketType } from '../harness/wire/packet.ts';
import type { Peer } from './session.ts';

/**
 * Sends bytes in pieces, with a round trip on another connection between each of the first pieces and the next: so the broker
 * has read one before the other comes, and sees the cut.
 */
export async function sendCut(
  client: Peer,
  pacer: Peer,
  bytes: Uint8Array,
  cuts: readonly number[],
  what: string,
  paced = cuts.length,
): Promise<void> {
  let start = 0;
  for (const [index, end] of [...cuts, bytes.length].entries()) {
    client.sendBytes(bytes.subarray(start, end), `${what}, bytes ${start} to ${end - 1} of ${bytes.length}`);
    start = end;
    if (index < paced) await pacer.fence();
  }
}

/** Sends each byte for itself. A round trip between all of them would take longer than a broker may wait for a packet. */
function sendBytewise(client: Peer, pacer: Peer, bytes: Uint8Array, what: string): Promise<void> {
  return sendCut(client, pacer, bytes, everyOffset(bytes), what, 3);
}

function everyOffset(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
}

/** A packet of each type that a client sends, and what has to come back. The topic has characters of two to four bytes. */
const packets: readonly (readonly [id: string, packet: (topic: string) => Packet, answer: PacketType])[] = [
  ['subscribe', (topic) => subscribe(258, [`${topic}/ü€𠜎`, 1], [`${topic}/a`, 0]), 'SUBACK'],
  ['unsubscribe', (topic) => unsubscribe(259, `${topic}/ü€𠜎`, `${topic}/a`), 'UNSUBACK'],
  ['publish-qos1', (topic) => publish({ topic: `${topic}/ü€𠜎`, payload: 'payload', qos: 1, packetId: 260 }), 'PUBACK'],
  ['publish-qos2', (topic) => publish({ topic: `${topic}/ü€𠜎`, payload: '', qos: 2, packetId: 261 }), 'PUBREC'],
  ['pubrel', () => pubrel(261), 'PUBCOMP'],
  ['pingreq', () => pingreq(), 'PINGRESP'],
];

const cutPackets: readonly Case[] = packets.flatMap(([id, make, answer]): Case[] => {
  const name = id.toUpperCase().replace(/-QOS(\d)/, ' with QoS $1');
  const common: Pick<Case, 'covers' | 'needs'> = {
    covers: ['v3/4.2~byte-stream', 'v5/4.2.0-1'],
    ...(answer === 'PUBACK' && { needs: ['qos1'] }),
    ...(/^PUB(REC|COMP)$/.test(answer) && { needs: ['qos2'] }),
  };
  return [
    {
      id: `${id}-byte-by-byte`,
      title: `answers a ${name} that comes byte by byte`,
      ...common,
      async run({ version, connect, topic }) {
        const [client, pacer] = [await connect({ name: 'client' }), await connect({ name: 'pacer' })];
        const bytes = encode(make(topic), version);
        await sendBytewise(client, pacer, bytes, name);
        await client.expect(answer);
      },
    },
    {
      id: `${id}-cut-at-every-offset`,
      title: `answers a ${name} that comes in two pieces, wherever it is cut`,
      ...common,
      async run({ version, connect, topic }) {
        const [client, pacer] = [await connect({ name: 'client' }), await connect({ name: 'pacer' })];
        const bytes = encode(make(topic), version);
        for (const cut of everyOffset(bytes)) {
          await sendCut(client, pacer, bytes, [cut], name);
          await client.expect(answer);
          // The exchange that a PUBREC leaves open is completed, so that the next packet begins a new one.
          if (answer !== 'PUBREC') continue;
          client.send(pubrel(261));
          await client.expect('PUBCOMP');
        }
      },
    },
  ];
});

const cutConnects: readonly Case[] = [
  {
    id: 'connect-byte-by-byte',
    title: 'serves a client whose CONNECT comes byte by byte',
    covers: ['v3/4.2~byte-stream', 'v5/4.2.0-1'],
    async run(context) {
      const [client, pacer] = [await context.open('client'), await context.connect({ name: 'pacer' })];
      await sendBytewise(client, pacer, encode(fullConnect(context, 'client'), context.version), 'CONNECT');
      await client.expect('CONNACK', { code: 0 });
      await client.disconnect();
    },
  },
  {
    id: 'connect-cut-at-every-offset',
    title: 'serves clients whose CONNECT comes in two pieces, wherever it is cut',
    covers: ['v3/4.2~byte-stream', 'v5/4.2.0-1'],
    async run(context) {
      const pacers = await Promise.all(
        Array.from({ length: 16 }, (_, lane) => context.connect({ name: `pacer ${lane}` })),
      );
      const offsets = everyOffset(encode(fullConnect(context, 'lane 0'), context.version));
      // Side by side, because each takes several round trips.
      await Promise.all(pacers.map((pacer, lane) => expectConnected(context, pacer, lane, offsets)));
    },
  },
  {
    id: 'disconnect-cut',
    title: 'takes a DISCONNECT in two pieces for one: the will is not published',
    covers: ['v3/4.2~byte-stream', 'v5/4.2.0-1'],
    async run({ version, connect, topic }) {
      const [watcher, pacer] = [await connect({ name: 'watcher' }), await connect({ name: 'pacer' })];
      await watcher.subscribe(topic);
      const client = await connect({ name: 'client', will: { topic, payload: 'will' } });
      await sendCut(client, pacer, encode(disconnect(), version), [1], 'DISCONNECT');
      client.halfClose();
      await client.isClosed();
      // Absence of a will: that of a client that is dropped afterwards comes first.
      const other = await connect({ name: 'other', will: { topic, payload: 'fence' } });
      other.drop();
      await watcher.receive({ payload: 'fence' });
    },
  },
];

/** A CONNECT with a will, to be cut. */
function fullConnect({ connectPacket, clientId, topic }: Context, name: string): Packet {
  return connectPacket({ clientId: clientId(name), will: { topic: `${topic}/will`, payload: 'will' } });
}

/** Connects as one of sixteen clients, once for every sixteenth of these offsets, with the CONNECT cut there. */
async function expectConnected(context: Context, pacer: Peer, lane: number, offsets: readonly number[]): Promise<void> {
  const bytes = encode(fullConnect(context, `lane ${lane}`), context.version);
  for (const cut of offsets.filter((offset) => offset % 16 === lane)) {
    const client = await context.open(`lane ${lane}, cut at ${cut}`);
    await sendCut(client, pacer, bytes, [cut], 'CONNECT');
    await client.expect('CONNACK', { code: 0 });
    await client.disconnect();
  }
}

/** How a PUBLISH is cut, by the offsets of its fields. */
const tellingCuts: readonly (readonly [id: string, words: string, cuts: readonly number[]])[] = [
  ['after-header', 'behind its first byte', [1]],
  ['in-remaining-length', 'within its Remaining Length', [2]],
  ['in-topic-length', 'within the length of its Topic Name', [4]],
  ['in-topic', 'within its Topic Name', [10]],
  ['in-payload', 'within its payload', [150]],
  ['everywhere', 'in six places', [1, 2, 4, 10, 150, 180]],
];

const delivered: readonly Case[] = tellingCuts.map(([id, words, cuts]) => ({
  id: `delivered-cut-${id}`,
  title: `delivers a PUBLISH that is cut ${words} once, whole and before what follows it`,
  covers: ['v3/4.2~byte-stream', 'v5/4.2.0-1'],
  async run({ version, connect, topic }) {
    const [client, pacer] = [await connect({ name: 'client' }), await connect({ name: 'pacer' })];
    const subscriber = await connect({ name: 'subscriber' });
    await subscriber.subscribe(topic);
    // More than 127 bytes, so that Remaining Length has two bytes to be cut between.
    const payload = 'p'.repeat(200);
    await sendCut(client, pacer, encode(publish({ topic, payload }), version), cuts, 'PUBLISH');
    await client.publish({ topic, payload: 'fence' });
    await subscriber.receive({ topic, payload });
    await subscriber.receive({ topic, payload: 'fence' });
  },
}));

const joined: readonly Case[] = [
  {
    id: 'fifty-packets-in-one-write',
    title: 'serves fifty packets in one write and half of another, and that one once its rest has come',
    covers: ['v3/4.2~byte-stream', 'v5/4.2.0-1'],
    needs: ['qos1'],
    async run({ version, connect, topic }) {
      const [publisher, pacer] = [await connect({ name: 'publisher' }), await connect({ name: 'pacer' })];
      const subscriber = await connect({ name: 'subscriber' });
      await subscriber.subscribe(topic);
      const all = Array.from({ length: 51 }, (_, number) =>
        encode(publish({ topic, payload: `${number}`, qos: 1, packetId: number + 1 }), version),
      );
      const bytes = Buffer.concat(all);
      await sendCut(publisher, pacer, bytes, [bytes.length - 12], '51 PUBLISH packets');
      for (let number = 0; number <= 50; number++) await publisher.pick('PUBACK', { packetId: number + 1 });
      for (let number = 0; number <= 50; number++) await subscriber.receive({ topic, payload: `${number}` });
    },
  },
  {
    id: 'connect-and-what-follows-across-a-cut',
    title: 'serves a CONNECT and what follows it, when the cut is within what follows',
    covers: ['v3/4.2~byte-stream', 'v5/4.2.0-1'],
    async run({ version, connect, open, connectPacket, clientId, topic }) {
      const pacer = await connect({ name: 'pacer' });
      const client = await open('client');
      const first = encode(connectPacket({ clientId: clientId('client') }), version);
      const rest = [subscribe(1, [topic, 0]), publish({ topic, payload: 'own' }), pingreq()];
      const bytes = Buffer.concat([first, ...rest.map((packet) => encode(packet, version))]);
      await sendCut(client, pacer, bytes, [first.length + 5], 'CONNECT, SUBSCRIBE, PUBLISH, PINGREQ');
      await client.expect('CONNACK', { code: 0 });
      await client.pick('SUBACK', { packetId: 1 });
      await client.pick('PUBLISH', { topic, payload: 'own' });
      await client.pick('PINGRESP');
    },
  },
  {
    id: 'looks-like-a-packet',
    title: 'takes a payload that is cut where a packet seems to begin for a payload',
    covers: ['v3/4.2~byte-stream', 'v5/4.2.0-1'],
    async run({ version, connect, topic }) {
      const [client, pacer] = [await connect({ name: 'client' }), await connect({ name: 'pacer' })];
      const subscriber = await connect({ name: 'subscriber' });
      await subscriber.subscribe(topic);
      // A DISCONNECT, a PINGREQ and a CONNACK.
      const payload = fromHex('E0 00 C0 00 20 02 00 00');
      const bytes = encode(publish({ topic, payload }), version);
      await sendCut(client, pacer, bytes, [bytes.length - 8, bytes.length - 6], 'PUBLISH');
      await subscriber.receive({ topic, payload });
      await client.expectNothing('no answer to what is payload');
    },
  },
];

const ends: readonly Case[] = (
  [
    ['fin', 'a FIN', (client: Peer) => client.halfClose()],
    ['rst', 'a reset (RST)', (client: Peer) => client.drop()],
  ] as const
).map(([id, words, end]) => ({
  id: `packet-cut-off-by-${id}`,
  title: `delivers a PUBLISH in two pieces, and nothing of one that ${words} cuts off`,
  covers: ['v3/4.2~byte-stream', 'v5/4.2.0-1'],
  async run({ version, connect, topic, trait, timeoutMs }) {
    const [client, pacer] = [await connect({ name: 'client' }), await connect({ name: 'pacer' })];
    const [subscriber, other] = [await connect({ name: 'subscriber' }), await connect({ name: 'other' })];
    await subscriber.subscribe(topic);
    const bytes = encode(publish({ topic, payload: 'whole' }), version);
    await sendCut(client, pacer, bytes, [bytes.length - 3], 'PUBLISH');
    await subscriber.receive({ topic, payload: 'whole' });
    client.sendBytes(bytes.subarray(0, -3), 'a PUBLISH without its last three bytes');
    await pacer.fence();
    end(client);
    if (id === 'fin')
      trait('after a FIN within a packet', (await client.isClosed(timeoutMs / 10)) ? 'closes' : 'waits');
    client.drop();
    await other.publish({ topic, payload: 'fence', qos: 1 });
    await subscriber.receive({ topic, payload: 'fence' });
  },
}));

const halfClosed: Case = {
  id: 'last-packet-before-fin',
  title: 'takes or drops a QoS 1 PUBLISH that a FIN follows at once, and delivers what it acknowledges',
  covers: ['v3/4.2~byte-stream', 'v5/4.2.0-1'],
  needs: ['qos1'],
  async run({ version, connect, topic, trait, fail }) {
    const [client, pacer] = [await connect({ name: 'client' }), await connect({ name: 'pacer' })];
    const [subscriber, other] = [await connect({ name: 'subscriber' }), await connect({ name: 'other' })];
    await subscriber.subscribe(topic, 1);
    const bytes = encode(publish({ topic, payload: 'first', qos: 1, packetId: 1 }), version);
    await sendCut(client, pacer, bytes, [7], 'PUBLISH');
    await client.expect('PUBACK', { packetId: 1 });
    client.send(publish({ topic, payload: 'last', qos: 1, packetId: 2 }));
    client.halfClose();
    const acknowledged = (await client.next())?.type === 'PUBACK';
    trait('PUBLISH before a FIN', acknowledged ? 'acknowledged' : 'not acknowledged');
    await other.publish({ topic, payload: 'fence', qos: 1 });
    await subscriber.receive({ payload: 'first' });
    const next = text((await subscriber.receive()).payload);
    if (next === 'last') await subscriber.receive({ payload: 'fence' });
    else if (acknowledged) await subscriber.receive({ payload: 'last' });
    else if (next !== 'fence') fail(["'last'", "'fence'"], `'${next}'`);
  },
};

export const network = chapter(
  '4.2 Network connections',
  section('4.2 Network connections', [...cutConnects, ...cutPackets, ...delivered, ...joined, ...ends, halfClosed]),
);
