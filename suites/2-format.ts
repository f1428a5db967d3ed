/** 2 MQTT Control Packet format: sizes, flags and Remaining Length of what the server sends, and of what it has to read or refuse. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import type { RequirementId, Version } from '../harness/spec/index.ts';
import type { Bend } from '../harness/wire/bend.ts';
import { pingreq, puback, pubcomp, publish, pubrec, pubrel, subscribe, unsubscribe } from '../harness/wire/build.ts';
import { encode, remainingLength } from '../harness/wire/encode.ts';
import type { Packet, QoS } from '../harness/wire/packet.ts';
import { answerOrClose } from './answer.ts';
import { patterned } from './patterned.ts';
import type { Peer } from './session.ts';

// ── 2.1 and 2.2.2: every packet that a server sends ──────────────────────────────────────────────────────────────────

/**
 * Makes the server send one packet of every type that it sends. The format of each is judged as it arrives, so that what
 * remains here is to take them.
 */
export async function receiveEveryType({ open, connectPacket, topic }: Context): Promise<void> {
  const client = await open('client');
  client.send(connectPacket());
  await client.expect('CONNACK', { code: 0 });
  client.send(subscribe(1, [`${topic}/0`, 0], [`${topic}/1`, 1], [`${topic}/2`, 2]));
  await client.expect('SUBACK', { packetId: 1, codes: [0, 1, 2] });
  client.send(publish({ topic: `${topic}/0` }));
  await client.expect('PUBLISH', { topic: `${topic}/0`, qos: 0 });
  client.send(publish({ topic: `${topic}/1`, qos: 1, packetId: 2 }));
  await client.pick('PUBACK', { packetId: 2 });
  await client.receive({ topic: `${topic}/1`, qos: 1 });
  client.send(publish({ topic: `${topic}/2`, qos: 2, packetId: 3 }));
  await client.pick('PUBREC', { packetId: 3 });
  client.send(pubrel(3));
  await client.pick('PUBCOMP', { packetId: 3 });
  await client.receive({ topic: `${topic}/2`, qos: 2 });
  client.send(unsubscribe(4, `${topic}/0`));
  await client.expect('UNSUBACK', { packetId: 4 });
  client.send(pingreq());
  await client.expect('PINGRESP');
}

/** A PUBREL that goes out again on a new connection. */
async function receivePubrelAgain({ connect, topic, clientId, couldNotRun }: Context): Promise<void> {
  const session = { clientId: clientId('subscriber'), clean: false };
  const [publisher, subscriber] = [await connect(), await connect(session)];
  await subscriber.subscribe(topic, 2);
  await publisher.publish({ topic, payload: 'm', qos: 2 });
  const { packetId = 0 } = await subscriber.message({ payload: 'm' });
  subscriber.send(pubrec(packetId));
  await subscriber.expect('PUBREL', { packetId });
  subscriber.drop();
  const again = await connect({ ...session, name: 'subscriber again' });
  // That it has to come is the matter of section 4.3.3.
  if ((await again.next())?.type !== 'PUBREL') couldNotRun('the broker does not send PUBREL again');
  again.send(pubcomp(packetId));
}

const sizes: readonly Case[] = [
  {
    id: 'sizes-of-server-packets',
    title: 'sends every type of packet with the size that it has to have',
    covers: ['v3/2.1~fixed-packet-sizes', 'v5/2.1.4~content-length'],
    needs: ['qos1', 'qos2'],
    run: receiveEveryType,
  },
];

const serverFlags: readonly Case[] = [
  {
    id: 'flags-of-server-packets',
    title: 'sends every type of packet with the flags that are reserved for it',
    covers: ['v3/2.2.2-1', 'v5/2.1.3-1'],
    needs: ['qos1', 'qos2'],
    run: receiveEveryType,
  },
  {
    id: 'flags-of-repeated-pubrel',
    title: 'sends PUBREL with the flags 0010 on a new connection too',
    covers: ['v3/2.2.2-1', 'v5/2.1.3-1'],
    needs: ['qos2'],
    run: receivePubrelAgain,
  },
];

// ── 2.1 and 2.2.2: damaged acknowledgements ──────────────────────────────────────────────────────────────────────────

/** A client whose next packet is due to be an acknowledgement, and that acknowledgement. */
type Due = (context: Context) => Promise<{ readonly client: Peer; readonly due: Packet }>;

function sent(qos: QoS, steps: (client: Peer, packetId: number) => Promise<Packet>): Due {
  return async ({ connect, topic }) => {
    const [publisher, client] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
    await client.subscribe(topic, qos);
    await publisher.publish({ topic, payload: 'm', qos });
    const { packetId = 0 } = await client.message({ payload: 'm', qos });
    return { client, due: await steps(client, packetId) };
  };
}

const acknowledgements: readonly (readonly [
  type: 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP',
  header: number,
  due: Due,
  covers: readonly RequirementId[],
])[] = [
  ['PUBACK', 0x40, sent(1, async (_client, packetId) => puback(packetId)), []],
  ['PUBREC', 0x50, sent(2, async (_client, packetId) => pubrec(packetId)), []],
  [
    'PUBCOMP',
    0x70,
    sent(2, async (client, packetId) => {
      client.send(pubrec(packetId));
      await client.pick('PUBREL', { packetId });
      return pubcomp(packetId);
    }),
    [],
  ],
  [
    'PUBREL',
    0x62,
    async ({ connect, topic }) => {
      const client = await connect({ name: 'publisher' });
      client.send(publish({ topic, payload: 'm', qos: 2, packetId: 7 }));
      await client.expect('PUBREC', { packetId: 7 });
      return { client, due: pubrel(7) };
    },
    ['v3/3.6.1-1', 'v5/3.6.1-1'],
  ],
];

/** Which closes for the damage alone, because the identifier is that of an exchange. */
async function expectDamageNoticed(context: Context, due: Due, bend: Bend): Promise<void> {
  const { client, due: packet } = await due(context);
  client.send(packet, bend);
  await client.expectClose({ reasons: [0x81, 0x82] });
}

const clientFlags: readonly Case[] = acknowledgements.flatMap(([type, header, due, covers]) =>
  [0x1, 0x2, 0x4, 0x8].map((bit): Case => {
    const flags = ((header ^ bit) & 0x0f).toString(2).padStart(4, '0');
    return {
      id: `${type.toLowerCase()}-due-with-flags-${flags}`,
      title: `closes the connection on a ${type} that is due, but has the flags ${flags}`,
      covers: ['v3/2.2.2-2', ...covers, 'v3/4.8.0-1', 'v5/2.1.3-1', 'v5/4.13.1-1'],
      needs: [type === 'PUBACK' ? 'qos1' : 'qos2'],
      run: (context) => expectDamageNoticed(context, due, { header: [header ^ bit] }),
    };
  }),
);

const damages: readonly (readonly [id: string, words: string, bend: Bend])[] = [
  ['reason-code', 'has a byte more, as in MQTT 5.0', { surplus: [0x00] }],
  ['properties', 'has two bytes more, as in MQTT 5.0', { surplus: [0x00, 0x00] }],
];

const clientSizes: readonly Case[] = acknowledgements.flatMap(([type, , due]) =>
  damages.map(
    ([id, words, bend]): Case => ({
      id: `${type.toLowerCase()}-due-with-${id}`,
      title: `closes the connection on a ${type} that is due, but ${words}`,
      covers: ['v3/2.1~fixed-packet-sizes', 'v3/2.4~surplus-bytes', 'v3/4.8.0-1'],
      needs: [type === 'PUBACK' ? 'qos1' : 'qos2'],
      run: (context) => expectDamageNoticed(context, due, bend),
    }),
  ),
);

/** What 5.0 allows to stand behind the Packet Identifier, and then one byte too many: that it has to be noticed is said nowhere. */
const longer: readonly Case[] = acknowledgements.map(
  ([type, , due]): Case => ({
    id: `${type.toLowerCase()}-due-with-surplus`,
    title: `closes the connection on a ${type} that is due, but has a byte behind its properties`,
    covers: ['v5/2.1.4~content-length', 'v5/4.13.1-1'],
    strength: 'SHOULD',
    needs: [type === 'PUBACK' ? 'qos1' : 'qos2'],
    async run(context) {
      const { client, due: packet } = await due(context);
      client.send({ ...packet, code: 0, properties: {} } as Packet, { surplus: [0x00] });
      await client.expectClose({ reasons: [0x81, 0x82] });
    },
  }),
);

// ── 2.2.2.1 of 5.0: Property Length ──────────────────────────────────────────────────────────────────────────────────

const properties: readonly Case[] = [
  {
    id: 'property-length-of-server-packets',
    title: 'sends every type of packet with a Property Length, where it may not be left out',
    covers: ['v5/2.2.2-1'],
    needs: ['qos1', 'qos2'],
    run: receiveEveryType,
  },
];

// ── 2.2.3: Remaining Length ──────────────────────────────────────────────────────────────────────────────────────────

/** A payload with which a PUBLISH to this topic has a certain Remaining Length. */
function payloadFor(length: number, topic: string, qos: QoS, version: Version): Uint8Array {
  return patterned(length - 2 - Buffer.byteLength(topic) - (qos > 0 ? 2 : 0) - (version === 'v5' ? 1 : 0));
}

/** Each border with its neighbours, and whether a broker may have a limit below. */
const borders: readonly (readonly [id: string, words: string, lengths: readonly number[], limited: boolean])[] = [
  ['127-128', '126 to 129', [126, 127, 128, 129], false],
  ['300', '299 to 301', [299, 300, 301], false],
  ['16383-16384', '16,382 to 16,385', [16_382, 16_383, 16_384, 16_385], false],
  ['2097151-2097152', '2,097,150 to 2,097,153', [2_097_150, 2_097_151, 2_097_152, 2_097_153], true],
];

async function expectLengths(context: Context, lengths: readonly number[], qos: QoS, limited: boolean): Promise<void> {
  const { version, connect, topic, notApplicable, fail } = context;
  const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
  await subscriber.subscribe(topic, qos);
  for (const length of lengths) {
    const payload = payloadFor(length, topic, qos, version);
    const packetId = publisher.freshId();
    publisher.send(publish({ topic, payload, qos, ...(qos > 0 && { packetId }) }));
    const open = await taken(publisher, packetId, qos);
    if (!open && limited) notApplicable(`the broker takes no packet of ${length} bytes`);
    if (!open) fail('the packet is taken', `the connection closes on a Remaining Length of ${length}`);
    await subscriber.receive({ topic, payload, qos });
  }
}

/** Completes the handshake; false if the broker closes the connection instead. */
async function taken(publisher: Peer, packetId: number, qos: QoS): Promise<boolean> {
  try {
    if (qos === 0) await publisher.fence();
    if (qos === 1) await publisher.expect('PUBACK', { packetId });
    if (qos < 2) return true;
    await publisher.expect('PUBREC', { packetId });
    publisher.send(pubrel(packetId));
    await publisher.expect('PUBCOMP', { packetId });
    return true;
  } catch (error) {
    if (await publisher.isClosed(0)) return false;
    throw error;
  }
}

const lengthBorders: readonly Case[] = borders.flatMap(([id, words, lengths, limited]) =>
  ([0, 1, 2] as const).map(
    (qos): Case => ({
      id: `length-${id}-qos${qos}`,
      title: `reads and writes QoS ${qos} PUBLISH packets with a Remaining Length of ${words}`,
      covers: ['v3/2.2.3~remaining-length-borders', 'v5/1.5.5-1'],
      ...(qos > 0 && { needs: [`qos${qos as 1 | 2}`] as const }),
      ...(limited && { tags: ['long'] }),
      run: (context) => expectLengths(context, lengths, qos, limited),
    }),
  ),
);

/** Packets whose Remaining Length is padded with bytes that say nothing, and the answer to each. */
const padded: readonly (readonly [id: string, packet: (topic: string) => Packet, answer: string])[] = [
  ['pingreq', () => pingreq(), 'PINGRESP'],
  ['publish', (topic) => publish({ topic, payload: 'm', qos: 1, packetId: 1 }), 'PUBACK'],
  ['subscribe', (topic) => subscribe(1, [topic, 0]), 'SUBACK'],
];

/** What no reading permits: up to four bytes are a Remaining Length, and have to be read as such or refused. */
const misread = 'v3/2.2.3~remaining-length-limit';

/** The packet is served, and so is the one behind it, in any order; or the connection closes. */
async function expectServedOrClosed(context: Context, packet: Packet, width: number, answer: string): Promise<void> {
  const expected = [`${answer}, and UNSUBACK for the UNSUBSCRIBE behind it`, 'the connection closes'];
  const client = await context.connect();
  // All but the type and the one byte of an unpadded Remaining Length.
  const body = encode(packet, context.version).length - 2;
  client.send(packet, { remainingLength: remainingLength(body, width) });
  client.send(unsubscribe(9, `${context.topic}/other`));
  const first = await answerOrClose(context, client, expected, misread);
  context.trait('padded Remaining Length', first ? 'served' : 'closes the connection');
  if (!first) return;
  const answers = [first.type, (await client.next())?.type ?? 'nothing more'];
  if (answers.toSorted().join() === [answer, 'UNSUBACK'].toSorted().join()) return;
  context.fail(expected, answers.join(', '), misread);
}

const padding: readonly Case[] = padded.flatMap(([id, make, answer]) =>
  ([2, 3, 4] as const).map(
    (width): Case => ({
      id: `length-padded-${id}-${width}`,
      title: `serves a ${id.toUpperCase()} whose Remaining Length is padded to ${width} bytes, or closes`,
      covers: ['v3/2.2.3~remaining-length-padding', 'v5/1.5.5-1'],
      run: (context) => expectServedOrClosed(context, make(context.topic), width, answer),
    }),
  ),
);

export const packetFormat = chapter(
  '2 MQTT Control Packet format',
  section({ v3: '2.1 Packet sizes', v5: '2.1.4 Remaining Length' }, [...sizes, ...clientSizes, ...longer]),
  section({ v3: '2.2.2 Flags', v5: '2.1.3 Flags' }, [...serverFlags, ...clientFlags]),
  section({ v3: '2.2.3 Remaining Length', v5: '1.5.5 Variable Byte Integer' }, [...lengthBorders, ...padding]),
  section('2.2.2.1 Property Length', properties),
);
