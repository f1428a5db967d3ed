/** 3.2.2.3.3 to 3.2.2.3.8 CONNACK Properties (MQTT 5.0): the limits that a server announces are kept from both sides. */

import { type Case, type Context, section } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import { publish, pubrel, subscribe, text } from '../harness/wire/build.ts';
import { encode } from '../harness/wire/encode.ts';
import type { Packet, QoS } from '../harness/wire/packet.ts';
import { expectFence, limitsOf, told } from './announced.ts';
import { judge, refused } from './refusal.ts';
import { connectOlder, type Peer } from './session.ts';

// ── 3.2.2.3.3: Receive Maximum ───────────────────────────────────────────────────────────────────────────────────────

/** QoS 2 messages that wait for PUBREL: what a client may have on its way, and no more. */
async function fillQuota(context: Context, client: Peer, count: number): Promise<void> {
  const ids = Array.from({ length: count }, () => client.freshId());
  client.sendTogether(...ids.map((packetId) => publish({ topic: context.topic, qos: 2, packetId })));
  for (const packetId of ids) {
    const { code: reason = 0 } = await client.pick('PUBREC', { packetId });
    if (reason >= 0x80) context.couldNotRun(`the broker refuses a PUBLISH of this case's set-up (${code(reason)})`);
  }
}

/** A Receive Maximum that can be exceeded in a reasonable time. */
function smallReceiveMaximum({ notApplicable }: Context, client: Peer): number {
  const { receiveMaximum } = limitsOf(client);
  return receiveMaximum <= 2_000 ? receiveMaximum : notApplicable(`Receive Maximum is ${receiveMaximum}`);
}

const receiveMaximum: readonly Case[] = [
  {
    id: 'receive-maximum-served',
    title:
      'takes as many QoS 2 messages at a time as its Receive Maximum says, and as many again when they are complete',
    covers: ['v5/3.2.2.3~announced-abilities'],
    needs: ['qos2'],
    async run(context) {
      const client = await context.connect();
      const count = Math.min(limitsOf(client).receiveMaximum, 200);
      for (let round = 1; round <= 2; round++) {
        const ids = Array.from({ length: count }, () => client.freshId());
        client.sendTogether(...ids.map((packetId) => publish({ topic: context.topic, qos: 2, packetId })));
        for (const packetId of ids) await client.pick('PUBREC', { packetId });
        client.sendTogether(...ids.map((packetId) => pubrel(packetId)));
        for (const packetId of ids) await client.pick('PUBCOMP', { packetId });
      }
      await client.fence();
    },
  },
  ...([1, 2] as const).map(
    (qos): Case => ({
      id: `receive-maximum-exceeded-qos${qos}`,
      title: `closes the connection on a QoS ${qos} message above its Receive Maximum`,
      covers: ['v5/3.3.4~receive-maximum-exceeded', 'v5/3.3.4-7'],
      needs: ['qos2'],
      async run(context) {
        const client = await context.connect();
        await fillQuota(context, client, smallReceiveMaximum(context, client));
        client.sendRegardless(
          publish({ topic: context.topic, payload: 'one too many', qos, packetId: client.freshId() }),
        );
        await client.expectClose({ reasons: [0x93] });
      },
    }),
  ),
  {
    id: 'receive-maximum-counts-no-qos0',
    title: 'delivers QoS 0 messages of a client whose Receive Maximum is used up',
    covers: ['v5/3.3.4-7'],
    needs: ['qos2'],
    async run(context) {
      const { connect, topic } = context;
      const [client, watcher] = [await connect({ name: 'client' }), await connect({ name: 'watcher' })];
      await watcher.subscribe(`${topic}/qos0`);
      const most = smallReceiveMaximum(context, client);
      await fillQuota(context, client, most);
      client.send(publish({ topic: `${topic}/qos0`, payload: 'not counted' }));
      await watcher.receive({ payload: 'not counted' });
      client.sendRegardless(publish({ topic, payload: 'one too many', qos: 2, packetId: client.freshId() }));
      await client.expectClose({ reasons: [0x93] });
    },
  },
];

// ── 3.2.2.3.4: Maximum QoS ───────────────────────────────────────────────────────────────────────────────────────────

/** A client of a server that announces less than QoS 2, and that limit. */
async function limitedQoS(context: Context): Promise<readonly [Peer, QoS]> {
  const client = await context.connect({ name: 'client' });
  const { maximumQoS } = limitsOf(client);
  if (maximumQoS >= 2) return context.notApplicable('CONNACK has no Maximum QoS');
  return [client, maximumQoS as QoS];
}

const maximumQoS: readonly Case[] = [
  ...([1, 2] as const).map(
    (qos): Case => ({
      id: `publish-qos${qos}-as-announced`,
      title: `takes a QoS ${qos} message; or closes the connection on it, and does not deliver it, if CONNACK has a lower Maximum QoS`,
      covers: ['v5/3.2.2-9', 'v5/3.2.2.3~announced-abilities', 'v5/3.2.2.3.4~maximum-qos-exceeded', 'v5/3.2.2-11'],
      async run(context) {
        const { connect, topic } = context;
        const [client, watcher] = [await connect({ name: 'client' }), await connect({ name: 'watcher' })];
        await watcher.subscribe(topic);
        client.sendRegardless(publish({ topic, payload: 'message', qos, packetId: 1 }));
        if (limitsOf(client).maximumQoS < qos) {
          await client.expectClose({ reasons: [0x9b] });
          return expectFence(context, watcher);
        }
        await client.expect(qos === 1 ? 'PUBACK' : 'PUBREC', { packetId: 1 });
        if (qos === 2) client.send(pubrel(1));
        if (qos === 2) await client.expect('PUBCOMP', { packetId: 1 });
        await watcher.receive({ payload: 'message' });
      },
    }),
  ),
  {
    id: 'subscribe-with-maximum-qos',
    title: 'grants subscriptions that ask for any QoS, at a lower one if need be, although its Maximum QoS is below 2',
    covers: ['v5/3.2.2-10'],
    async run(context) {
      const [client] = await limitedQoS(context);
      client.send(subscribe(1, ...([0, 1, 2] as const).map((qos) => [`${context.topic}/${qos}`, qos] as const)));
      const { codes } = await client.expect('SUBACK', { packetId: 1 });
      const granted = codes.every((each, asked) => each <= asked);
      if (!granted)
        context.fail('SUBACK with QoS 0 to 2, none above what was asked for', `SUBACK ${codes.map(code).join(' ')}`);
    },
  },
  ...([1, 2] as const).map(
    (qos): Case => ({
      id: `will-qos${qos}-above-maximum`,
      title: `lets in no client with a will of QoS ${qos} above its Maximum QoS`,
      covers: ['v5/3.2.2-12'],
      async run(context) {
        const { open, connectPacket, topic, notApplicable } = context;
        const [, most] = await limitedQoS(context);
        if (most >= qos) notApplicable(`CONNACK has Maximum QoS ${most}`);
        const client = await open('with will');
        client.send(connectPacket({ clientId: context.clientId('with will'), will: { topic, payload: 'will', qos } }));
        await judge(context, client, { v3: refused(0x9b), v5: refused(0x9b) });
      },
    }),
  ),
];

// ── 3.2.2.3.5: Retain Available ──────────────────────────────────────────────────────────────────────────────────────

async function withoutRetain(context: Context): Promise<Peer> {
  const client = await context.connect({ name: 'client' });
  if (told(client).retainAvailable !== 0) context.notApplicable('CONNACK does not have Retain Available 0');
  return client;
}

const retainAvailable: readonly Case[] = [
  ...([0, 1] as const).map(
    (qos): Case => ({
      id: `retain-as-announced-qos${qos}`,
      title: `keeps a retained QoS ${qos} message; or closes the connection on it, and keeps nothing, if CONNACK has Retain Available 0`,
      covers: ['v5/3.2.2.3~announced-abilities', 'v5/3.2.2.3.5~retain-unavailable', 'v5/3.2.2-14'],
      ...(qos > 0 && { needs: ['qos1'] as const }),
      async run(context) {
        const { connect, topic, trait, fail } = context;
        const client = await connect({ name: 'client' });
        const serves = told(client).retainAvailable !== 0;
        await client.subscribe(topic);
        client.sendRegardless(publish({ topic, payload: 'retained', qos, packetId: 9, retain: true }));
        // Once it has come back it is settled: later subscriptions bring it as a retained message.
        if (serves) await client.receive({ payload: 'retained' });
        else await client.expectClose({ reasons: [0x9a] });
        const watcher = await connect({ name: 'watcher' });
        await watcher.subscribe(topic);
        if (!serves) return expectFence(context, watcher);
        const other = await connect({ name: 'other' });
        await other.publish({ topic, payload: 'live' });
        const isKept = text((await watcher.receive()).payload) === 'retained';
        // A retained message of QoS 0 may be discarded at any time (section 3.3.1.3).
        if (qos === 0) trait('retained QoS 0 messages', isKept ? 'kept' : 'discarded');
        else if (!isKept) fail("the retained message, then 'live'", "'live'");
      },
    }),
  ),
  {
    id: 'no-retained-messages-without-retain',
    title: 'sends no retained message if it has announced Retain Available 0, not even that of a client of 3.1.1',
    covers: ['v5/3.2.2.3.5~retain-unavailable'],
    async run(context) {
      const { topic, connect } = context;
      const client = await withoutRetain(context);
      const older = await connectOlder(context);
      // No word of 3.1.1 keeps this client from it: what becomes of the message, and of the client, is up to the server.
      await older.publish({ topic, payload: 'retained', qos: 1, retain: true }).catch(() => undefined);
      await client.subscribe(topic);
      const other = await connect({ name: 'other' });
      await other.publish({ topic, payload: 'fence' });
      await client.receive({ payload: 'fence', retain: false });
    },
  },
  {
    id: 'no-retain-flag-without-retain',
    title: 'sends no message with RETAIN 1 if it has announced Retain Available 0, not even that of a client of 3.1.1',
    covers: ['v5/3.2.2.3.5~retain-unavailable'],
    async run(context) {
      const { topic, connect } = context;
      const client = await withoutRetain(context);
      await client.subscribe(topic, 0, { retainAsPublished: true });
      const older = await connectOlder(context);
      await older.publish({ topic, payload: 'published with RETAIN 1', qos: 1, retain: true }).catch(() => undefined);
      const other = await connect({ name: 'other' });
      await other.publish({ topic, payload: 'fence' });
      while (text((await client.receive({ retain: false })).payload) !== 'fence');
    },
  },
  {
    id: 'retained-will-without-retain',
    title: 'lets in no client with a Will Retain of 1 if it has announced Retain Available 0',
    covers: ['v5/3.2.2-13'],
    async run(context) {
      const { open, connectPacket, topic, clientId } = context;
      await withoutRetain(context);
      const client = await open('with will');
      client.send(connectPacket({ clientId: clientId('with will'), will: { topic, payload: 'will', retain: true } }));
      await judge(context, client, { v3: refused(0x9a), v5: refused(0x9a) });
    },
  },
];

// ── 3.2.2.3.6: Maximum Packet Size ───────────────────────────────────────────────────────────────────────────────────

/** Packets of more bytes take too long. */
const largest = 20 * 2 ** 20;

/** A Maximum Packet Size that can be exceeded in a reasonable time. */
async function limitedSize(context: Context, name = 'client'): Promise<readonly [Peer, number]> {
  const client = await context.connect({ name });
  const { maximumPacketSize: size } = limitsOf(client);
  if (size < 100 || size > largest) context.notApplicable(`Maximum Packet Size is ${size}`);
  return [client, size];
}

/** A packet of exactly this size: the filler makes up what is missing. */
function ofSize(size: number, make: (filler: number) => Packet): Packet {
  let filler = size;
  for (let attempt = 0; attempt < 4; attempt++) {
    const packet = make(Math.max(0, filler));
    const missing = size - encode(packet, 'v5').length;
    if (missing === 0) return packet;
    filler += missing;
  }
  // Where Remaining Length grows by a byte there is a size that no packet has.
  return make(Math.max(0, filler));
}

const packetsOfAnySize: readonly (readonly [
  id: string,
  words: string,
  make: (topic: string, filler: number) => Packet,
])[] = [
  ...([0, 1, 2] as const).map(
    (qos) =>
      [
        `publish-qos${qos}`,
        `a QoS ${qos} PUBLISH`,
        (topic: string, filler: number): Packet =>
          publish({ topic, payload: new Uint8Array(filler), qos, ...(qos > 0 && { packetId: 1 }) }),
      ] as const,
  ),
  ['subscribe', 'a SUBSCRIBE', (topic, filler) => subscribe(1, ...filtersOf(topic, filler))],
];

/** Topic Filters, each of at most 1,000 bytes more than the topic, that make up so many bytes. */
function filtersOf(topic: string, filler: number): readonly (readonly [string, QoS])[] {
  const filters: [string, QoS][] = [];
  const each = 1_000;
  for (let left = filler; left > 0 || filters.length === 0; left -= each + 3 + topic.length) {
    filters.push([`${topic}${'x'.repeat(Math.min(Math.max(left, 0), each))}`, 0]);
  }
  return filters;
}

const maximumPacketSize: readonly Case[] = [
  ...([0, 1, 2] as const).map(
    (qos): Case => ({
      id: `largest-publish-qos${qos}`,
      title: `takes a QoS ${qos} PUBLISH whose size is its Maximum Packet Size, or one of 100,000 bytes if CONNACK has none`,
      covers: ['v5/3.2.2.3~announced-abilities'],
      ...(qos > 0 && { needs: [`qos${qos as 1 | 2}`] as const }),
      tags: ['long'],
      async run({ connect, topic }) {
        const client = await connect();
        const { maximumPacketSize: most = 100_000 } = told(client);
        const size = most > largest ? 100_000 : most;
        client.send(
          ofSize(size, (filler) =>
            publish({ topic, payload: new Uint8Array(filler), qos, ...(qos > 0 && { packetId: 1 }) }),
          ),
        );
        if (qos === 0) return client.fence();
        await client.expect(qos === 1 ? 'PUBACK' : 'PUBREC', { packetId: 1 });
      },
    }),
  ),
  ...packetsOfAnySize.map(
    ([id, words, make]): Case => ({
      id: `too-large-${id}`,
      title: `closes the connection on ${words} of one byte more than its Maximum Packet Size, and does not carry it out`,
      covers: ['v5/3.2.2.3.6~packet-too-large', 'v5/3.2.2-15'],
      tags: ['long'],
      async run(context) {
        const { connect, topic, notApplicable } = context;
        const [client, size] = await limitedSize(context);
        if (id === 'subscribe' && size > 2 ** 17) notApplicable(`Maximum Packet Size is ${size}`);
        const [, qos] = /qos(\d)/.exec(id) ?? [];
        if (qos && limitsOf(client).maximumQoS < Number(qos)) notApplicable('CONNACK has a lower Maximum QoS');
        const watcher = await connect({ name: 'watcher' });
        await watcher.subscribe(topic);
        client.sendRegardless(ofSize(size + 1, (filler) => make(topic, filler)));
        await client.expectClose({ reasons: [0x95] });
        await expectFence(context, watcher);
      },
    }),
  ),
  {
    id: 'too-large-announced',
    title: 'waits for a packet above its Maximum Packet Size of which only the fixed header has come, or closes',
    covers: ['v5/4.13.1~others-unaffected'],
    async run(context) {
      const { connect, trait } = context;
      const [client, size] = await limitedSize(context);
      const other = await connect({ name: 'other' });
      client.sendBytes([0x30, ...variableByteInteger(size)], `a PUBLISH of more than ${size} bytes announced`);
      await other.fence();
      trait('a packet above Maximum Packet Size announced', (await client.isClosed(0)) ? 'closes' : 'waits');
    },
  },
  {
    id: 'too-large-connect',
    title: 'lets in no client whose CONNECT is larger than its Maximum Packet Size',
    covers: ['v5/3.2.2.3.6~packet-too-large'],
    tags: ['long'],
    async run(context) {
      const { open, connectPacket, clientId, topic, notApplicable } = context;
      const [, size] = await limitedSize(context);
      if (size > 60_000) notApplicable(`Maximum Packet Size is ${size}`);
      const client = await open('too large');
      const make = (filler: number) =>
        connectPacket({ clientId: clientId('too large'), will: { topic, payload: new Uint8Array(filler) } });
      client.send(ofSize(size + 1, make));
      await judge(context, client, { v3: refused(0x95), v5: refused(0x95) });
    },
  },
];

function variableByteInteger(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left >>= 7) {
    bytes.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    if (left <= 0x7f) return bytes;
  }
}

// ── 3.2.2.3.8: Topic Alias Maximum ───────────────────────────────────────────────────────────────────────────────────

const aliases: readonly Case[] = [
  {
    id: 'highest-alias',
    title: 'takes every Topic Alias up to its Topic Alias Maximum, and none if CONNACK has no such maximum',
    covers: ['v5/3.2.2.3~announced-abilities'],
    async run(context) {
      const { connect, topic } = context;
      const [client, watcher] = [await connect({ name: 'client' }), await connect({ name: 'watcher' })];
      await watcher.subscribe(topic);
      const { topicAliasMaximum: most } = limitsOf(client);
      if (most === 0) {
        client.sendRegardless(publish({ topic, payload: 'beyond', properties: { topicAlias: 1 } }));
        await client.expectClose({ reasons: [0x94, 0x82] });
        return expectFence(context, watcher);
      }
      for (const topicAlias of new Set([1, Math.ceil(most / 2), most])) {
        client.send(publish({ topic, payload: `set ${topicAlias}`, properties: { topicAlias } }));
        await watcher.receive({ topic, payload: `set ${topicAlias}` });
        client.send(publish({ topic: '', payload: `used ${topicAlias}`, properties: { topicAlias } }));
        await watcher.receive({ topic, payload: `used ${topicAlias}` });
      }
    },
  },
  ...(['one more', 'the highest of all'] as const).map(
    (which): Case => ({
      id: which === 'one more' ? 'alias-above-maximum' : 'alias-65535',
      title: `closes the connection on a Topic Alias above its Topic Alias Maximum, ${which}`,
      covers: ['v5/3.2.2-17'],
      needs: ['topic-aliases'],
      async run(context) {
        const { connect, topic, notApplicable } = context;
        const [client, watcher] = [await connect({ name: 'client' }), await connect({ name: 'watcher' })];
        const { topicAliasMaximum: most } = limitsOf(client);
        if (most === 65_535) notApplicable('Topic Alias Maximum is 65,535');
        await watcher.subscribe(topic);
        const topicAlias = which === 'one more' ? most + 1 : 65_535;
        client.sendRegardless(publish({ topic, payload: 'beyond', properties: { topicAlias } }));
        await client.expectClose({ reasons: [0x94] });
        await expectFence(context, watcher);
      },
    }),
  ),
  {
    id: 'alias-without-maximum',
    title: 'closes the connection on a Topic Alias if it has announced none',
    covers: ['v5/3.2.2-18'],
    async run(context) {
      const { connect, topic, notApplicable } = context;
      const client = await connect({ name: 'client' });
      if (limitsOf(client).topicAliasMaximum > 0) notApplicable('CONNACK has a Topic Alias Maximum');
      client.sendRegardless(publish({ topic, payload: 'beyond', properties: { topicAlias: 1 } }));
      await client.expectClose({ reasons: [0x94, 0x82] });
    },
  },
];

export const limitsAnnounced = [
  section('3.2.2.3.3 Receive Maximum', receiveMaximum),
  section('3.2.2.3.4 Maximum QoS', maximumQoS),
  section('3.2.2.3.5 Retain Available', retainAvailable),
  section('3.2.2.3.6 Maximum Packet Size', maximumPacketSize),
  section('3.2.2.3.8 Topic Alias Maximum', aliases),
];
