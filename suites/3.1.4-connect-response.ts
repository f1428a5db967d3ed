/** 3.1.4 CONNECT Response: validation, take-over, what comes before CONNACK, and that a refused CONNECT has no effect. */

import { type Case, chapter, section } from '../harness/case.ts';
import { disconnect, pingreq, publish, pubrel, subscribe, text, unsubscribe } from '../harness/wire/build.ts';
import { encode } from '../harness/wire/encode.ts';
import { credentials, refusals } from './3.1.4-refused-connect.ts';
import { needsQoS } from './needs.ts';
import type { Peer } from './session.ts';

// ── A valid CONNECT is accepted ──────────────────────────────────────────────────────────────────────────────────────

const acceptance: readonly Case[] = [
  ...[0, 1, 65_535].map(
    (keepAlive): Case => ({
      id: `accepts-keep-alive-${keepAlive}`,
      title: `answers a CONNECT with Keep Alive ${keepAlive} by CONNACK 0x00`,
      covers: ['v3/3.1.4-4', 'v5/3.1.4-5'],
      async run({ open, connectPacket }) {
        const client = await open();
        client.send(connectPacket({ keepAlive }));
        await client.expect('CONNACK', { code: 0, sessionPresent: false });
        await client.fence();
      },
    }),
  ),
  {
    id: 'accepts-same-client-later',
    title: 'lets a client in again as soon as it has left, many times over',
    covers: ['v3/3.1.4-4', 'v5/3.1.4-5'],
    async run({ open, connectPacket }) {
      for (let round = 1; round <= 10; round++) {
        const client = await open(`round ${round}`);
        client.send(connectPacket());
        await client.expect('CONNACK', { code: 0, sessionPresent: false });
        if (round % 2 === 0) client.drop();
        else await client.disconnect();
      }
    },
  },
];

// ── Take-over ────────────────────────────────────────────────────────────────────────────────────────────────────────

const takenOver = 'the connection that was taken over closes';

function sessionName(clean: boolean): string {
  return clean ? 'a clean session' : 'a stored session';
}

const combinations = [false, true].flatMap((before) => [false, true].map((after) => [before, after] as const));

const takeOver: readonly Case[] = [
  ...combinations.map(
    ([before, after]): Case => ({
      id: `take-over-clean-${Number(before)}-by-clean-${Number(after)}`,
      title: `closes the connection of a client with ${sessionName(before)} when it connects again with ${sessionName(after)}`,
      covers: ['v3/3.1.4-2', 'v5/3.1.4-3'],
      async run(context) {
        const clientId = context.clientId();
        const older = await context.connect({ clientId, clean: before, name: 'older' });
        const newer = await context.connect({ clientId, clean: after, name: 'newer' });
        await older.expectClose({ expected: takenOver });
        await newer.fence();
      },
    }),
  ),
  ...combinations.map(
    ([before, after]): Case => ({
      id: `take-over-traffic-clean-${Number(before)}-by-clean-${Number(after)}`,
      title: `delivers messages once to a client with ${sessionName(after)} that has taken over one with ${sessionName(before)}`,
      covers: ['v3/3.1.4-2', 'v5/3.1.4-3'],
      async run(context) {
        const { topic } = context;
        const clientId = context.clientId();
        const publisher = await context.connect({ name: 'publisher' });
        const older = await context.connect({ clientId, clean: before, name: 'older' });
        await older.subscribe(topic);
        const newer = await context.connect({ clientId, clean: after, name: 'newer' });
        await older.expectClose({ expected: takenOver });
        await newer.subscribe(topic);
        await publisher.publish({ topic, payload: 'once' });
        await publisher.publish({ topic, payload: 'fence' });
        await newer.receive({ payload: 'once' });
        await newer.receive({ payload: 'fence' });
      },
    }),
  ),
  ...combinations.map(
    ([before, after]): Case => ({
      id: `take-over-says-why-clean-${Number(before)}-by-clean-${Number(after)}`,
      title: `says by DISCONNECT 0x8E why it ends the connection of ${sessionName(before)} that ${sessionName(after)} takes over`,
      covers: ['v5/3.1.4~take-over-reason', 'v5/3.1.4-3'],
      async run(context) {
        const clientId = context.clientId();
        const older = await context.connect({ clientId, clean: before, name: 'older' });
        const newer = await context.connect({ clientId, clean: after, name: 'newer' });
        await older.expectClose({ reasons: [0x8e], reasonNeeded: true, expected: takenOver });
        await newer.fence();
      },
    }),
  ),
  {
    id: 'take-over-of-busy-client',
    title: 'closes the connection of a client in the middle of QoS 2 exchanges when it connects again',
    covers: ['v3/3.1.4-2', 'v5/3.1.4-3'],
    needs: ['qos2'],
    async run({ connect, clientId, topic }) {
      const publisher = await connect({ name: 'publisher' });
      const older = await connect({ clientId: clientId(), name: 'older' });
      await older.subscribe(topic, 2);
      older.send(publish({ topic: `${topic}/own`, payload: 'unfinished', qos: 2, packetId: 9 }));
      await older.expect('PUBREC', { packetId: 9 });
      await publisher.publish({ topic, payload: 'unfinished', qos: 2 });
      await older.message({ payload: 'unfinished' });
      const newer = await connect({ clientId: clientId(), name: 'newer' });
      await older.expectClose({ expected: takenOver });
      await newer.fence();
    },
  },
  {
    id: 'take-over-of-silent-connection',
    title: 'closes the older connection although the older client does not read or write',
    covers: ['v3/3.1.4-2', 'v5/3.1.4-3'],
    async run({ connect, clientId }) {
      const older = await connect({ clientId: clientId(), keepAlive: 0, name: 'older' });
      await connect({ clientId: clientId(), name: 'newer' });
      await older.expectClose({ probe: false, expected: takenOver });
    },
  },
  {
    id: 'take-over-storm-in-a-row',
    title: 'leaves one connection after 20 take-overs in a row, with the session of the first',
    covers: ['v3/3.1.4-2', 'v3/3.1.2-4', 'v5/3.1.4-3', 'v5/3.1.2-5', 'v5/3.1.2-23'],
    needs: ['qos1'],
    async run(context) {
      const { topic } = context;
      const session = { clientId: context.clientId(), clean: false };
      const publisher = await context.connect({ name: 'publisher' });
      const all = [await context.connect({ ...session, name: 'client 0' })];
      await all[0]?.subscribe(topic, 1);
      for (let index = 1; index <= 20; index++) {
        const client = await context.connect({ ...session, name: `client ${index}` }).catch(() => undefined);
        // Some brokers hold clients off that push each other out without end.
        if (!client) return context.notApplicable(`the broker lets in ${index} connections in a row, and no more`);
        all.push(client);
      }
      const last = all.pop();
      for (const older of all) await older.expectClose({ expected: takenOver });
      await publisher.publish({ topic, payload: 'for the last', qos: 1 });
      await last?.receive({ payload: 'for the last' });
    },
  },
  ...[false, true].map(
    (clean): Case => ({
      id: `take-over-storm-at-once-clean-${Number(clean)}`,
      title: `leaves one connection of 20 that connect at the same time with one Client Identifier and ${sessionName(clean)}`,
      covers: ['v3/3.1.4-2', 'v5/3.1.4-3'],
      async run(context) {
        const { open, connectPacket, fail } = context;
        const peers: Peer[] = [];
        for (let index = 1; index <= 20; index++) peers.push(await open(`client ${index}`));
        for (const peer of peers) peer.send(connectPacket({ clean }));
        const left = await survivors(peers);
        if (left !== 1) fail('one of 20 connections with the same Client Identifier stays', `${left} connections stay`);
      },
    }),
  ),
];

/** How many of these connections stay open once the broker has come to rest. */
async function survivors(peers: readonly Peer[]): Promise<number> {
  const connacks = await Promise.all(peers.map((peer) => peer.next()));
  const accepted = peers.filter((_, index) => connacks[index]?.type === 'CONNACK');
  for (const peer of accepted) peer.send(pingreq());
  const pongs = await Promise.all(accepted.map((peer) => peer.next()));
  const open = accepted.filter((_, index) => pongs[index]?.type === 'PINGRESP');
  return open.length > 1 ? leftOf(open) : open.length;
}

/** Waits until one of these connections is left: a broker may close the older ones after it has accepted the newest. */
function leftOf(peers: readonly Peer[]): Promise<number> {
  return new Promise((resolve, reject) => {
    let left = peers.length;
    const closings = peers.map(async (peer) => {
      if (await peer.isClosed()) left--;
      if (left <= 1) resolve(left);
    });
    Promise.all(closings).then(() => resolve(left), reject);
  });
}

// ── Before and after CONNACK ─────────────────────────────────────────────────────────────────────────────────────────

const pipelining: readonly Case[] = [
  {
    id: 'pipelined-together',
    title: 'answers what a client sends in one segment with its CONNECT, CONNACK first',
    covers: ['v3/3.1.4~pipelining-before-connack', 'v5/3.1.4~pipelining-before-connack'],
    needs: ['qos1'],
    async run({ connect, open, connectPacket, topic }) {
      const witness = await connect({ name: 'witness' });
      await witness.subscribe(topic);
      const client = await open('client');
      client.sendTogether(
        connectPacket(),
        publish({ topic, payload: 'pipelined', qos: 1, packetId: 1 }),
        subscribe(2, [`${topic}/own`, 0]),
        unsubscribe(3, `${topic}/nothing`),
        pingreq(),
      );
      await client.expect('CONNACK', { code: 0 });
      await client.pick('PUBACK', { packetId: 1 });
      await client.pick('SUBACK', { packetId: 2 });
      await client.pick('UNSUBACK', { packetId: 3 });
      await client.pick('PINGRESP');
      await witness.receive({ payload: 'pipelined' });
      await client.publish({ topic: `${topic}/own`, payload: 'subscribed' });
      await client.receive({ payload: 'subscribed' });
    },
  },
  {
    id: 'pipelined-apart',
    title: 'answers what a client sends behind its CONNECT without waiting for CONNACK',
    covers: ['v3/3.8.4-1', 'v3/3.12.4-1', 'v5/3.8.4-1', 'v5/3.12.4-1'],
    async run({ open, connectPacket, topic }) {
      const client = await open();
      client.send(connectPacket());
      client.send(subscribe(1, [topic, 0]));
      client.send(pingreq());
      await client.expect('CONNACK', { code: 0 });
      await client.pick('SUBACK', { packetId: 1 });
      await client.pick('PINGRESP');
      await client.publish({ topic, payload: 'subscribed' });
      await client.receive({ payload: 'subscribed' });
    },
  },
  {
    id: 'pipelined-exactly-once',
    title: 'completes a QoS 2 exchange that begins in the segment of the CONNECT, and delivers the message once',
    covers: ['v3/3.1.4~pipelining-before-connack', 'v5/3.1.4~pipelining-before-connack'],
    needs: ['qos2'],
    async run({ connect, open, connectPacket, topic }) {
      const witness = await connect({ name: 'witness' });
      await witness.subscribe(topic, 2);
      const client = await open('client');
      client.sendTogether(connectPacket(), publish({ topic, payload: 'once', qos: 2, packetId: 1 }));
      await client.expect('CONNACK', { code: 0 });
      await client.expect('PUBREC', { packetId: 1 });
      client.send(pubrel(1));
      await client.expect('PUBCOMP', { packetId: 1 });
      await client.publish({ topic, payload: 'fence', qos: 2, packetId: 2 });
      await witness.receive({ payload: 'once' });
      await witness.receive({ payload: 'fence' });
    },
  },
  ...([0, 1] as const).map(
    (qos): Case => ({
      id: `pipelined-publish-and-disconnect-qos${qos}`,
      title: `delivers the QoS ${qos} message of a client that connects, publishes and disconnects in one segment`,
      covers: ['v3/3.1.4~pipelining-before-connack', 'v5/3.1.4~pipelining-before-connack'],
      needs: needsQoS(qos),
      async run({ connect, open, connectPacket, topic }) {
        const witness = await connect({ name: 'witness' });
        await witness.subscribe(topic);
        const client = await open('client');
        const message = publish({ topic, payload: 'and away', qos, ...(qos > 0 && { packetId: 1 }) });
        client.sendTogether(connectPacket(), message, disconnect());
        await witness.receive({ payload: 'and away' });
      },
    }),
  ),
  {
    id: 'pipelined-many',
    title: 'acknowledges each of 20 QoS 1 messages that come in the segment of the CONNECT',
    covers: ['v3/3.1.4~pipelining-before-connack', 'v5/3.1.4~pipelining-before-connack'],
    needs: ['qos1'],
    async run({ open, connectPacket, topic }) {
      const client = await open();
      const ids = Array.from({ length: 20 }, (_, index) => index + 1);
      const messages = ids.map((packetId) => publish({ topic, payload: `${packetId}`, qos: 1, packetId }));
      client.sendTogether(connectPacket(), ...messages);
      await client.expect('CONNACK', { code: 0 });
      for (const packetId of ids) await client.pick('PUBACK', { packetId });
    },
  },
];

const order: readonly Case[] = [
  {
    id: 'take-over-then-connack-then-messages',
    title: 'sends CONNACK to a client that takes over, then its messages, and nothing more on the older connection',
    covers: ['v3/3.1.4~take-over-order', 'v3/3.2.0-1', 'v3/3.1.4-2', 'v5/3.2.0-1', 'v5/3.1.4-3'],
    needs: ['qos1'],
    async run({ connect, open, connectPacket, clientId, topic, nonStrict }) {
      const session = { clientId: clientId(), clean: false };
      const publisher = await connect({ name: 'publisher' });
      const older = await connect({ ...session, name: 'older' });
      await older.subscribe(topic, 1);
      await publisher.publish({ topic, payload: 'first', qos: 1 });
      await older.message({ payload: 'first' });
      const newer = await open('newer');
      newer.send(connectPacket(session));
      await newer.expect('CONNACK', { code: 0 });
      await publisher.publish({ topic, payload: 'second', qos: 1 });
      // The first message is sent again; that it is, and when, is the matter of section 4.4.
      while (text((await newer.receive()).payload) !== 'second');
      // It may take a moment to close: no more than that a message slips through is to be said against it.
      if (older.waiting.some(({ payload }) => text(payload) === 'second')) {
        nonStrict('sends a message on the connection that was taken over, behind the CONNACK on the other');
      }
      await older.expectClose({ allow: ['PUBLISH'], expected: takenOver });
    },
  },
];

/** The standard names no time: two minutes are long beyond any reasonable amount of it. */
const reasonableSeconds = 120;

const patience: readonly Case[] = [
  {
    id: 'connect-that-does-not-come',
    title: 'closes a connection on which no CONNECT, or the begin of one, comes within a reasonable time',
    covers: ['v3/3.1.4~connect-timeout', 'v5/3.1.4~connect-timeout'],
    waits: reasonableSeconds,
    tags: ['slow'],
    async run({ open, connectPacket, version, seconds, now }) {
      const silent = await open('silent');
      const halting = await open('halting');
      halting.sendBytes(encode(connectPacket(), version).subarray(0, 10), 'the first 10 bytes of a CONNECT');
      const expected = `the connection closes within ${reasonableSeconds} s`;
      await silent.expectClose({ withinMs: seconds(reasonableSeconds), expected });
      await halting.expectClose({ withinMs: Math.max(1, seconds(reasonableSeconds) - now()), expected });
    },
  },
];

export const connectResponse = chapter(
  '3.1.4 CONNECT Response',
  section({ v3: '3.1.4 CONNECT Response', v5: '3.1.4 CONNECT Actions' }, [
    ...acceptance,
    ...takeOver,
    ...refusals,
    ...credentials,
    ...pipelining,
    ...order,
    ...patience,
  ]),
);
