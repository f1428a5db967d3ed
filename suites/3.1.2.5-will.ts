/** 3.1.2.5 Will Flag: when a will is published, when not, and when it is forgotten. With its fields: the chapter on wills. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { type Version, versionOf } from '../harness/spec/index.ts';
import type { Bend } from '../harness/wire/bend.ts';
import {
  auth,
  connack,
  disconnect,
  pingreq,
  publish,
  pubrel,
  subscribe,
  text,
  unsubscribe,
} from '../harness/wire/build.ts';
import type { Packet } from '../harness/wire/packet.ts';
import { willQoS, willRetain } from './3.1.2.6-will-qos-retain.ts';
import { willMessage, willTopic } from './3.1.3.2-will-topic-message.ts';
import { needsQoS } from './needs.ts';
import { byDisconnect, type ConnectOptions, endings, type Peer } from './session.ts';
import { closesOn, expectNotRetained, expectNoWill, flags, watch, willTo } from './will.ts';

// ── 3.1.2.5: when a will is published ────────────────────────────────────────────────────────────────────────────────

/** Ends a connection without DISCONNECT. */
type End = (client: Peer, context: Context) => void;

function cutOff(client: Peer): void {
  client.sendBytes([0x82, 20, 0, 1], 'the begin of a SUBSCRIBE');
}

/** Ends that come from the network or from the client. */
const losses: readonly (readonly [id: string, title: string, end: End])[] = [
  ['rst', 'by a reset (RST)', (client) => client.drop()],
  ['fin', 'by the end of the stream (FIN)', (client) => client.halfClose()],
  ['rst-within-packet', 'by a reset within a packet', (client) => [cutOff(client), client.drop()]],
  ['fin-within-packet', 'by the end of the stream within a packet', (client) => [cutOff(client), client.halfClose()]],
];

/** A packet that breaks the protocol, and how it is damaged. */
type Wrong = (topic: string, context: Context, client: Peer) => readonly [Packet, Bend?];

const fiveBytes = [0x80, 0x80, 0x80, 0x80, 0x01];
const surrogate = { append: [0xed, 0xa0, 0x80] };

/**
 * Protocol errors, for each of which the server has to close the connection. A malformed DISCONNECT is not among them: the
 * server closes either way, and whether it may take the packet for a DISCONNECT is open to argument (see malformed.ts).
 */
const errors: readonly (readonly [id: string, title: string, make: Wrong, only?: 'v5'])[] = [
  ['second-connect', 'a second CONNECT', (_, { connectPacket }, { clientId }) => [connectPacket({ clientId })]],
  ['connack', 'a CONNACK from the client', () => [connack()]],
  ['reserved-type', 'a packet of the reserved type 15', () => [pingreq(), { header: [0xf0] }]],
  ['long-remaining-length', 'a Remaining Length of five bytes', () => [pingreq(), { remainingLength: fiveBytes }]],
  ['publish-qos-3', 'a PUBLISH with QoS 3', (topic) => [publish({ topic, qos: 1, packetId: 1 }), { header: [0x36] }]],
  ['publish-to-wildcard', 'a PUBLISH to a wildcard', (topic) => [publish({ topic: `${topic}/#` })]],
  ['publish-ill-formed-utf8', 'a PUBLISH to ill-formed UTF-8', (topic) => [publish({ topic }), { topic: surrogate }]],
  ['publish-packet-id-0', 'a PUBLISH with id 0', (topic) => [publish({ topic: `${topic}/0`, qos: 1, packetId: 0 })]],
  ['pubrel-flags', 'a PUBREL with flags 0000', () => [pubrel(1), { header: [0x60] }]],
  ['subscribe-flags', 'a SUBSCRIBE with flags 0000', (topic) => [subscribe(1, [topic, 0]), { header: [0x80] }]],
  ['subscribe-empty', 'a SUBSCRIBE without Topic Filter', () => [subscribe(1)]],
  ['subscribe-qos-3', 'a SUBSCRIBE for QoS 3', (topic) => [subscribe(1, [topic, 0]), { 'filters.0.options': [3] }]],
  ['unsubscribe-empty', 'an UNSUBSCRIBE without Topic Filter', () => [unsubscribe(1)]],
  ['auth', 'an AUTH without Authentication Method', () => [auth({ code: 0x19 })], 'v5'],
  [
    'topic-alias-0',
    'a PUBLISH with Topic Alias 0',
    (topic) => [publish({ topic, properties: { topicAlias: 0 } })],
    'v5',
  ],
  [
    'property-misplaced',
    'a PUBLISH with a property of CONNECT',
    (topic) => [publish({ topic, properties: { receiveMaximum: 1 } })],
    'v5',
  ],
];

function publishedAfter(id: string, title: string, end: End, fields: Partial<ConnectOptions> = {}): Case {
  return {
    id: `published-after-${id}`,
    title: `publishes the will of a client whose connection ends ${title}`,
    covers: ['v3/3.1.2-8', 'v3/3.1.2.5~will-triggers', 'v5/3.1.2-8'],
    async run(context) {
      const { connect, topic } = context;
      const watcher = await watch(context, topic);
      const client = await connect({ ...fields, will: willTo(topic) });
      end(client, context);
      await watcher.receive({ topic, payload: 'will', retain: false, dup: false });
    },
  };
}

/** The same for an end that is up to the server. That it has to close is the matter of other cases. */
function publishedAfterClose(id: string, title: string, end: End, keepAlive?: number): Case {
  return {
    ...publishedAfter(id, title, end),
    covers: ['v3/3.1.2-8', 'v3/3.1.2.5~will-triggers', 'v5/3.1.2-8', 'v5/3.1.2.5~will-after-error'],
    ...(keepAlive !== undefined && { waits: 1.5 * keepAlive }),
    async run(context) {
      const { connect, topic, seconds, timeoutMs, toleranceMs, couldNotRun, fail } = context;
      const watcher = await watch(context, topic);
      const client = await connect({ keepAlive, will: willTo(topic) });
      end(client, context);
      const closed = await client.isClosed(keepAlive ? seconds(1.5 * keepAlive) + toleranceMs : timeoutMs);
      if (!closed) couldNotRun('the broker keeps the connection open');
      const message = await watcher.next();
      if (message?.type === 'PUBLISH' && text(message.payload) === 'will') return watcher.acknowledge(message);
      fail('the will', message ? message.type : 'the connection closes, and no will is published');
    },
  };
}

function publishedOnTakeOver(first: boolean, second: boolean): Case {
  const [old, newer] = [first, second].map((clean) => (clean ? 'clean' : 'stored'));
  return {
    id: `published-on-take-over-${first ? 'clean' : 'stored'}-by-${second ? 'clean' : 'stored'}`,
    title: `publishes the will of a connection with a ${old} session that another one with a ${newer} one takes over`,
    covers: ['v3/3.1.2.5~will-on-take-over', 'v3/3.1.2-8', 'v5/3.1.3.2.2~will-on-take-over', 'v5/3.1.2-8'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const watcher = await watch(context, topic);
      const client = { clientId: clientId('twice') };
      await connect({ ...client, clean: first, will: willTo(topic, { payload: 'old' }) });
      const next = await connect({ ...client, clean: second, will: willTo(topic, { payload: 'new' }) });
      await watcher.receive({ topic, payload: 'old' });
      await next.fence();
      await expectNoWill(context, watcher);
      next.drop();
      await watcher.receive({ topic, payload: 'new' });
    },
  };
}

const published: readonly Case[] = [
  ...losses.map((row) => publishedAfter(...row)),
  ...losses.slice(0, 2).map(([id, title, end]) =>
    publishedAfter(`${id}-of-stored-session`, `${title}, its session being kept`, end, {
      clean: false,
    }),
  ),
  publishedAfterClose('keep-alive', 'because it is silent beyond its Keep Alive', () => {}, 1),
  ...errors.map(([id, title, make, only]): Case => {
    const send: End = (client, context) => client.send(...make(context.topic, context, client));
    const each = publishedAfterClose(id, `by ${title}`, send);
    return only ? { ...each, covers: each.covers.filter((covered) => versionOf(covered) === only) } : each;
  }),
  ...[true, false].flatMap((first) => [true, false].map((second) => publishedOnTakeOver(first, second))),
  {
    id: 'published-on-each-take-over',
    title: 'publishes each will once while five connections take over from each other',
    covers: ['v3/3.1.2.5~will-on-take-over', 'v3/3.1.2-8', 'v5/3.1.3.2.2~will-on-take-over', 'v5/3.1.2-8'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const watcher = await watch(context, topic);
      for (const number of [1, 2, 3, 4, 5]) {
        await connect({ clientId: clientId('again'), will: willTo(topic, { payload: `will ${number}` }) });
        if (number > 1) await watcher.receive({ topic, payload: `will ${number - 1}` });
      }
      await expectNoWill(context, watcher);
    },
  },
  {
    id: 'published-once',
    title: 'publishes a will once, and not before the connection ends',
    covers: ['v3/3.1.2-8', 'v5/3.1.2-8'],
    async run(context) {
      const { connect, topic } = context;
      const watcher = await watch(context, topic);
      const client = await connect({ will: willTo(topic) });
      await client.publish({ topic, payload: 'alive', qos: 1 });
      await client.fence();
      await watcher.receive({ topic, payload: 'alive' });
      await expectNoWill(context, watcher);
      client.drop();
      await watcher.receive({ topic, payload: 'will' });
      await expectNoWill(context, watcher);
    },
  },
  {
    id: 'published-for-each-client',
    title: 'keeps the wills of two clients apart, although they have the same topic',
    covers: ['v3/3.1.2-8', 'v5/3.1.2-7', 'v5/3.1.2-8'],
    async run(context) {
      const { connect, topic } = context;
      const watcher = await watch(context, topic);
      const [one, two] = [
        await connect({ will: willTo(topic, { payload: 'one' }) }),
        await connect({ will: willTo(topic, { payload: 'two' }) }),
      ];
      two.drop();
      await watcher.receive({ topic, payload: 'two' });
      await one.fence();
      one.drop();
      await watcher.receive({ topic, payload: 'one' });
    },
  },
  {
    id: 'published-promptly',
    title: 'publishes a will promptly',
    covers: ['v3/3.1.2.5~will-published-promptly', 'v5/3.1.2-8'],
    async run(context) {
      const { connect, topic, now, trait, toleranceMs, fail } = context;
      const watcher = await watch(context, topic);
      const client = await connect({ will: willTo(topic) });
      const endedMs = now();
      client.drop();
      await watcher.receive({ topic, payload: 'will' });
      const tookMs = now() - endedMs;
      trait('publishes a will after', `${Math.round(tookMs)} ms`);
      if (tookMs > toleranceMs) fail(`the will within ${toleranceMs / 1000} s`, `the will after ${tookMs / 1000} s`);
    },
  },
];

// ── 3.1.2.5: when it is not ──────────────────────────────────────────────────────────────────────────────────────────

/** A CONNECT with a will that the server has to refuse. */
const refused: readonly (readonly [
  id: string,
  title: string,
  fields: ConnectOptions,
  bend: Bend | undefined,
  only?: Version,
])[] = [
  // In 5.0 a server may take a client without an identifier whose session is to be stored.
  [
    'empty-client-id',
    'an empty Client Identifier and a session to be stored',
    { clientId: '', clean: false },
    undefined,
    'v3',
  ],
  ['bad-level', 'an unsupported Protocol Level', { protocolLevel: 99 }, undefined],
  ['reserved-flag', 'the reserved connect flag set', {}, { connectFlags: { add: 1 } }],
  [
    'unknown-method',
    'an unknown Authentication Method',
    { properties: { authenticationMethod: 'nobody knows this method' } },
    undefined,
    'v5',
  ],
];

/** Sends DISCONNECT and leaves it as long as any answer to take effect: most servers close then, but none has to. */
async function sendDisconnect(client: Peer): Promise<void> {
  client.send(disconnect());
  await client.isClosed();
}

/** DISCONNECT, which deletes the will, and what the client does then. */
const departures: readonly (readonly [id: string, title: string, depart: (client: Peer) => Promise<unknown>])[] = [
  ['fin', 'and closes its side (FIN)', (client) => client.disconnect()],
  ['open-socket', 'and keeps its side of the connection open', sendDisconnect],
  [
    'rst',
    'and resets the connection a moment later (RST)',
    (client) => sendDisconnect(client).then(() => client.drop()),
  ],
  [
    'further-packets',
    'and a malformed packet behind',
    (client) => {
      client.sendBytes([0xe0, 0, 0xf0, 0], 'DISCONNECT, and a packet of the reserved type 15');
      return client.isClosed(1000);
    },
  ],
];

const willCovers: Case['covers'] = ['v3/3.1.2-8', 'v5/3.1.2-7', 'v5/3.1.2-8'];

const withheld: readonly Case[] = [
  ...refused.map(
    ([id, title, fields, bend, only]): Case => ({
      id: `refused-${id}`,
      title: `publishes the will of an accepted CONNECT and none of a CONNECT with ${title}`,
      covers: willCovers.filter((covered) => !only || versionOf(covered) === only),
      async run(context) {
        const { open, connect, connectPacket, topic, couldNotRun } = context;
        const watcher = await watch(context, topic);
        const client = await open('refused');
        client.send(connectPacket({ ...fields, will: willTo(topic) }), bend);
        if (!(await client.isClosed()) || client.connack) couldNotRun('the broker does not refuse this CONNECT');
        const other = await connect({ will: willTo(topic, { payload: 'accepted' }) });
        other.drop();
        await watcher.receive({ topic, payload: 'accepted' });
      },
    }),
  ),
  ...departures.flatMap(([id, title, depart]) =>
    [true, false].map(
      (clean): Case => ({
        id: `deleted-by-disconnect-${id}-${clean ? 'clean' : 'stored'}`,
        title: `publishes no will of a client (${clean ? 'clean' : 'stored'} session) that sends DISCONNECT ${title}`,
        covers: ['v3/3.14.4-3', 'v5/3.14.4-3'],
        async run(context) {
          const { connect, topic } = context;
          const watcher = await watch(context, topic);
          const client = await connect({ clean, will: willTo(topic) });
          await depart(client);
          await expectNoWill(context, watcher);
        },
      }),
    ),
  ),
  ...([0, 1, 2] as const).flatMap((qos) =>
    [false, true].map(
      (retain): Case => ({
        id: `deleted-by-disconnect-qos-${qos}${retain ? '-retained' : ''}`,
        title: `neither publishes nor stores a will with QoS ${qos} and Will Retain ${Number(retain)} after DISCONNECT`,
        covers: ['v3/3.14.4-3', 'v5/3.14.4-3'],
        needs: needsQoS(qos),
        async run(context) {
          const { connect, topic } = context;
          const watcher = await watch(context, topic);
          const client = await connect({ will: willTo(topic, { qos, retain }) });
          await client.disconnect();
          await expectNoWill(context, watcher);
          await expectNotRetained(context);
        },
      }),
    ),
  ),
  {
    id: 'deleted-by-disconnect-keep-alive',
    title: 'publishes no will after DISCONNECT when the client then is silent beyond its Keep Alive',
    covers: ['v3/3.14.4-3', 'v5/3.14.4-3'],
    waits: 3,
    async run(context) {
      const { connect, topic, seconds, now, inTime, toleranceMs, couldNotRun } = context;
      const watcher = await watch(context, topic);
      const keepAlive = 2;
      const sinceMs = now();
      const client = await connect({ keepAlive, will: willTo(topic) });
      client.send(disconnect());
      inTime(sinceMs, seconds(keepAlive));
      const silent = await connect({ keepAlive, will: willTo(topic, { payload: 'silent' }) });
      if (!(await silent.isClosed(seconds(1.5 * keepAlive) + toleranceMs))) {
        couldNotRun('the broker does not close the connection of a silent client');
      }
      await watcher.receive({ topic, payload: 'silent' });
      await expectNoWill(context, watcher);
    },
  },
  {
    id: 'deleted-by-disconnect-take-over',
    title: 'publishes no will after DISCONNECT when the Client Identifier is used again at once',
    covers: ['v3/3.14.4-3', 'v5/3.14.4-3'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const watcher = await watch(context, topic);
      const client = { clientId: clientId('twice') };
      const first = await connect({ ...client, will: willTo(topic) });
      // Until the server has seen it, the next CONNECT would be a take-over of a live connection.
      await sendDisconnect(first);
      await connect(client);
      await expectNoWill(context, watcher);
    },
  },
  {
    id: 'disconnect-overtaken-by-reset',
    title: 'publishes no will after DISCONNECT; does as it likes when a reset may have overtaken the DISCONNECT',
    covers: ['v3/3.14.4-3', 'v5/3.14.4-3'],
    async run(context) {
      const { connect, topic, trait } = context;
      const watcher = await watch(context, topic);
      const polite = await connect({ will: willTo(topic) });
      await polite.disconnect();
      await expectNoWill(context, watcher);
      const hasty = await connect({ will: willTo(topic, { payload: 'hasty' }) });
      hasty.send(disconnect());
      // The reset may destroy what the server has not read yet: an observation, no judgement.
      hasty.drop();
      const last = await connect({ will: willTo(topic, { payload: 'last' }) });
      last.drop();
      const next = await watcher.next();
      const published = next?.type === 'PUBLISH' && text(next.payload) === 'hasty';
      trait('will of a client that resets right behind DISCONNECT', published ? 'published' : 'deleted');
    },
  },
];

const deleted: readonly Case[] = [
  ...endings
    .filter((ending) => ending !== byDisconnect)
    .map(
      ({ id, title, keepAlive = 60, waits, end }): Case => ({
        id: `none-without-will-flag-${id}`,
        title: `publishes nothing when the connection of a client without Will Flag ends by ${title}`,
        covers: ['v3/3.1.2-12', 'v3/3.1.2-10', 'v5/3.1.2-10'],
        ...(waits !== undefined && { waits }),
        async run(context) {
          const { connect, topic, clientId } = context;
          const watcher = await watch(context, topic);
          const client = { clientId: clientId('thrice'), clean: false };
          // The will of an earlier connection is the most likely thing to be published by mistake.
          const first = await connect({ ...client, will: willTo(topic) });
          await first.disconnect();
          const second = await connect({ ...client, keepAlive });
          await end(second, context);
          await connect(client);
          await expectNoWill(context, watcher);
        },
      }),
    ),
  ...[true, false].map(
    (clean): Case => ({
      id: `deleted-once-published-${clean ? 'clean' : 'stored'}`,
      title: `publishes a will no second time when the client (${clean ? 'clean' : 'stored'} session) comes back without one and drops`,
      covers: clean ? ['v3/3.1.2-8', 'v5/3.1.2-8'] : ['v3/3.1.2-10', 'v5/3.1.2-10'],
      async run(context) {
        const { connect, topic, clientId } = context;
        const watcher = await watch(context, topic);
        const client = { clientId: clientId('twice'), clean };
        const first = await connect({ ...client, will: willTo(topic) });
        first.drop();
        await watcher.receive({ topic, payload: 'will' });
        const second = await connect(client);
        second.drop();
        await expectNoWill(context, watcher);
      },
    }),
  ),
  {
    id: 'deleted-once-published-on-take-over',
    title: 'publishes a will once when a connection without one takes over and drops',
    covers: ['v3/3.1.2-10', 'v3/3.1.2.5~will-on-take-over', 'v5/3.1.2-10', 'v5/3.1.3.2.2~will-on-take-over'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const watcher = await watch(context, topic);
      const client = { clientId: clientId('twice'), clean: false };
      await connect({ ...client, will: willTo(topic) });
      const second = await connect(client);
      await watcher.receive({ topic, payload: 'will' });
      second.drop();
      await expectNoWill(context, watcher);
    },
  },
  {
    id: 'will-of-newest-connect',
    title: 'publishes the will of the newest CONNECT of a session only',
    covers: ['v3/3.1.2-8', 'v3/3.14.4-3', 'v5/3.1.2-7', 'v5/3.1.2-8', 'v5/3.14.4-3'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const watcher = await watch(context, topic);
      const client = { clientId: clientId('thrice'), clean: false };
      const first = await connect({ ...client, will: willTo(topic, { payload: 'first' }) });
      await first.disconnect();
      for (const payload of ['second', 'third']) {
        const next = await connect({ ...client, will: willTo(topic, { payload }) });
        next.drop();
        await watcher.receive({ topic, payload });
      }
      await expectNoWill(context, watcher);
    },
  },
];

// ── 3.1.2.5: flags and fields that have to agree ─────────────────────────────────────────────────────────────────────

const noMessage = { 'will.payload.length': [], 'will.payload': [] };

const agreeing: readonly Case[] = [
  ...closesOn(
    ['v3/3.1.2-9', 'v3/3.1.4-1'],
    ['will-flag-without-fields', 'Will Flag 1 and neither Will Topic nor Will Message', undefined, flags(0x04)],
    ['will-flag-without-message', 'Will Flag 1 and no Will Message', {}, noMessage],
    ['will-topic-beyond-packet', 'a Will Topic longer than the packet', {}, { 'will.topic.length': { add: 0x4000 } }],
    ['will-message-beyond-packet', 'a Will Message longer than it', {}, { 'will.payload.length': { add: 0x4000 } }],
  ),
  ...closesOn(
    ['v3/3.1.2-11', 'v3/3.1.4-1'],
    ['no-will-flag-but-all-others', 'Will QoS 3 and Will Retain without Will Flag', undefined, flags(0x38)],
    ['no-will-flag-but-fields', 'will fields without Will Flag', { qos: 0 }, flags(-0x04)],
  ),
];

export const wills = chapter(
  '3.1 CONNECT: Will',
  section('3.1.2.5 Will Flag', [...published, ...withheld, ...deleted, ...agreeing]),
  willQoS,
  willRetain,
  willTopic,
  willMessage,
);
