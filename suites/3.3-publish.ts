/** 3.3 PUBLISH: DUP, QoS, Topic Name, Packet Identifier, payload, the answer, and overlapping subscriptions. RETAIN has a file of its own. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { type PublishFields, pingreq, publish, pubrel, text } from '../harness/wire/build.ts';
import { type Bend, encode } from '../harness/wire/encode.ts';
import type { Publish, QoS } from '../harness/wire/packet.ts';
import { actions } from './3.3.5-actions.ts';
import { publishAccepted } from './accepted.ts';
import { matrix } from './matching.ts';
import { needsQoS } from './needs.ts';
import { patterned } from './patterned.ts';
import { expectRetained } from './retained.ts';
import type { Peer } from './session.ts';

// ── 3.3.1.1 DUP ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** What DUP of an incoming PUBLISH could be passed on to: QoS of the message, and of the subscription. */
const ways: readonly (readonly [published: QoS, granted: QoS])[] = [
  [1, 1],
  [2, 2],
  [2, 1],
  [1, 0],
  [2, 0],
];

const dupNotPassedOn = ways.flatMap(([published, granted]): Case[] => {
  // In a QoS 0 packet DUP is 0 in any case; what makes it 0 elsewhere is that the packet goes out for the first time.
  const covers: readonly RequirementId[] = [
    ...(granted === 0 ? (['v3/3.3.1-2', 'v5/3.3.1-2'] as const) : (['v3/3.3.1-3', 'v5/3.3.1-3'] as const)),
    'v3/3.3.1.1~dup-is-no-proof',
  ];
  const needs = needsQoS(published, granted);
  const what = `a QoS ${published} message that came with DUP 1`;
  const id = `qos${published}-to-qos${granted}`;
  return [
    {
      id: `dup-not-passed-on-${id}`,
      title: `delivers ${what} with DUP 0 to a QoS ${granted} subscription`,
      covers,
      needs,
      async run({ connect, topic }) {
        const [publisher, subscriber] = [await connect(), await connect()];
        await subscriber.subscribe(topic, granted);
        await publisher.publish({ topic, payload: 'new', qos: published, dup: true });
        await subscriber.receive({ topic, payload: 'new', dup: false });
      },
    },
    {
      id: `dup-not-retained-${id}`,
      title: `delivers ${what} and was retained with DUP 0 to a new QoS ${granted} subscription`,
      covers,
      needs: ['retain', ...needs],
      async run({ connect, topic }) {
        const [publisher, subscriber] = [await connect(), await connect()];
        await publisher.publish({ topic, payload: 'kept', qos: published, dup: true, retain: true });
        await subscriber.subscribe(topic, granted);
        await subscriber.receive({ topic, payload: 'kept', dup: false });
      },
    },
  ];
});

const dupNotQueued = ([1, 2] as const).map(
  (qos): Case => ({
    id: `dup-not-queued-qos${qos}`,
    title: `delivers a QoS ${qos} message that came with DUP 1 while the client was away with DUP 0`,
    covers: ['v3/3.3.1-3', 'v3/3.3.1.1~dup-is-no-proof', 'v5/3.3.1-3'],
    needs: needsQoS(qos),
    async run({ connect, topic, clientId }) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const subscriber = await connect(session);
      await subscriber.subscribe(topic, qos);
      await subscriber.disconnect();
      // What is published right behind the close the broker may still try to send, and rightly send again with DUP 1.
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish({ topic, payload: 'queued', qos, dup: true });
      const again = await connect({ ...session, name: 'subscriber again' });
      await again.receive({ topic, payload: 'queued', dup: false });
    },
  }),
);

const redelivered = ([1, 2] as const).map(
  (qos): Case => ({
    id: `redelivered-qos${qos}`,
    title: `redelivers an unacknowledged QoS ${qos} message with DUP 1 on each new connection, and a new one with DUP 0`,
    covers: ['v3/3.3.1-1', 'v5/3.3.1-1'],
    needs: needsQoS(qos),
    async run(context) {
      const { connect, topic, clientId, couldNotRun } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await subscriber.subscribe(topic, qos);
      await publisher.publish({ topic, payload: 'again', qos });
      await subscriber.message({ payload: 'again', dup: false });
      subscriber.drop();
      const second = await connect({ ...session, name: 'second connection' });
      const message = await second.next();
      // That it comes again is the matter of other cases.
      if (message?.type !== 'PUBLISH') return couldNotRun('the message does not come again');
      if (!message.dup) context.fail('the message again, with DUP 1', 'the message again, with DUP 0');
      second.drop();
      const third = await connect({ ...session, name: 'third connection' });
      await third.receive({ payload: 'again', dup: true });
      await publisher.publish({ topic, payload: 'next', qos });
      await third.receive({ payload: 'next', dup: false });
    },
  }),
);

const dup = section('3.3.1.1 DUP', [
  ...dupNotPassedOn,
  ...dupNotQueued,
  ...redelivered,
  {
    id: 'retained-redelivered',
    title: 'redelivers a retained message that was delivered and not acknowledged, with DUP 1',
    covers: ['v3/3.3.1-1', 'v3/4.4.0-1', 'v5/3.3.1-1', 'v5/4.4.0-1'],
    needs: ['retain', 'qos1'],
    async run({ connect, topic, clientId, fail }) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
      await subscriber.subscribe(topic, 1);
      const { packetId = 0 } = await subscriber.message({ payload: 'kept', dup: false });
      subscriber.drop();
      const again = await connect({ ...session, name: 'subscriber again' });
      const message = await again.next();
      if (message?.type !== 'PUBLISH' || message.packetId !== packetId) {
        return fail(`PUBLISH id=${packetId} again`, message?.type ?? 'nothing', 'v3/4.4.0-1', 'v5/4.4.0-1');
      }
      if (!message.dup)
        fail('the message again, with DUP 1', 'the message again, with DUP 0', 'v3/3.3.1-1', 'v5/3.3.1-1');
    },
  },
  {
    id: 'dup-on-qos0',
    title: 'delivers no QoS 0 message with DUP 1, whatever it makes of one that comes so',
    covers: ['v3/3.3.1-2', 'v5/3.3.1-2'],
    async run({ connect, topic, trait }) {
      const [offender, publisher, subscriber] = [await connect(), await connect(), await connect()];
      await subscriber.subscribe(topic);
      offender.send(publish({ topic, payload: 'DUP 1', dup: true }));
      offender.send(pingreq());
      const answer = await offender.next();
      await publisher.publish({ topic, payload: 'fence' });
      const { payload } = await subscriber.receive({ topic, dup: false });
      const delivered = text(payload) === 'DUP 1';
      if (delivered) await subscriber.receive({ topic, payload: 'fence', dup: false });
      const reaction = delivered ? 'delivers it' : answer ? 'ignores it' : 'closes the connection';
      trait('on a QoS 0 PUBLISH with DUP 1', reaction);
    },
  },
]);

// ── A malformed PUBLISH leaves no trace ──────────────────────────────────────────────────────────────────────────────

/** A PUBLISH that no server may take: what is wrong, below the case's topic, and its bend. */
interface Malformation {
  readonly id: string;
  /** `with QoS 3`. */
  readonly title: string;
  readonly covers: readonly RequirementId[];
  readonly level?: string;
  readonly fields?: Partial<PublishFields>;
  readonly bend?: Bend;
}

/** Closes, and neither delivers nor retains it. Each has RETAIN 1, but where the header is bent to have it or not. */
function leavesNoTrace({ id, title, covers, level = '/a', fields, bend }: Malformation): Case {
  return {
    id: `${id}-leaves-no-trace`,
    title: `closes on a PUBLISH ${title}, and neither delivers nor retains it`,
    covers,
    needs: ['retain', 'wildcards'],
    async run(context) {
      const { connect, topic, version } = context;
      const [offender, publisher, subscriber] = [await connect(), await connect(), await connect()];
      await subscriber.subscribe(`${topic}/#`);
      const message = { topic: topic + level, payload: 'malformed', qos: 1, packetId: 7, retain: true } as const;
      const damaged = { ...message, ...fields };
      // In one segment: a careless reader of the packet takes what it lacks from the next one.
      const bytes = Buffer.concat([encode(publish(damaged), version, bend), encode(pingreq(), version)]);
      offender.sendBytes(bytes, `a PUBLISH ${title}, and a PINGREQ`);
      try {
        await offender.expectClose();
        await publisher.publish({ topic: `${topic}/a`, payload: 'fence', qos: 1 });
        await subscriber.receive({ payload: 'fence' });
        await expectRetained(context, publisher, `${topic}/#`, 0);
      } catch (violation) {
        // Who takes a damaged Topic Name keeps the message under it, where only the same damage reaches it again; or under the whole one.
        const cleaner = await connect({ name: 'cleaner' });
        cleaner.send(publish({ ...damaged, payload: '' }), bend);
        publisher.send(publish({ topic: damaged.topic, retain: true }));
        throw violation;
      }
    },
  };
}

const qos3 = section(
  '3.3.1.2 QoS',
  [0x36, 0x37, 0x3e, 0x3f].map((header) =>
    leavesNoTrace({
      id: `qos3-${header.toString(16)}`,
      title: `with QoS 3${header & 0x08 ? ', DUP 1' : ''}${header & 0x01 ? ', RETAIN 1' : ''}`,
      covers: ['v3/3.3.1-4', 'v5/3.3.1-4'],
      bend: { header: [header] },
    }),
  ),
);

// ── 3.3.2 Variable header ────────────────────────────────────────────────────────────────────────────────────────────

const wildcards: readonly (readonly [id: string, level: string, qos: QoS])[] = [
  ['hash-level', '/#', 0],
  ['hash-within', '/#/b', 2],
  ['hash-in-a-level', '/a#b', 1],
  ['plus-level', '/+', 0],
  ['plus-within', '/+/b', 1],
  ['plus-in-a-level', '/a+', 2],
];

const topicName = section('3.3.2.1 Topic Name', [
  ...wildcards.map(([id, level, qos]) =>
    leavesNoTrace({ id, title: `to topic${level}`, covers: ['v3/3.3.2-2', 'v5/3.3.2-2'], level, fields: { qos } }),
  ),
  leavesNoTrace({
    id: 'ill-formed-utf8',
    title: 'whose Topic Name is not UTF-8',
    covers: ['v3/3.3.2-1', 'v3/1.5.3-1', 'v5/3.3.2-1', 'v5/1.5.4-1'],
    bend: { topic: { append: [0xff] } },
  }),
  leavesNoTrace({
    id: 'null-character',
    title: 'whose Topic Name has U+0000 in it',
    covers: ['v3/3.3.2-1', 'v3/1.5.3-2', 'v5/3.3.2-1', 'v5/1.5.4-2'],
    bend: { topic: { append: [0x00, 0x62] } },
  }),
  leavesNoTrace({
    id: 'length-beyond-packet',
    title: 'whose Topic Name is longer than the packet',
    covers: ['v3/3.3.2-1', 'v5/3.3.2-1'],
    bend: { 'topic.length': [0xff, 0xff] },
  }),
  ...matrix(
    ['v3/3.3.2-3', 'v5/3.3.2-3'],
    [
      {
        id: 'matches-exact-filter',
        title: 'delivers only the Topic Name that is the Topic Filter, byte for byte',
        filter: '{t}/Ünïcödé/日本/🚀',
        matching: ['{t}/Ünïcödé/日本/🚀'],
        others: ['{t}/Ünïcödé/日本', '{t}/ünïcödé/日本/🚀', '{t}/Ünïcödé/日本/🚀/', '{t}/Unïcödé/日本/🚀'],
      },
      {
        id: 'matches-wildcard-filter',
        title: 'delivers only Topic Names that match a Topic Filter with both wildcards',
        filter: '{t}/+/b/#',
        matching: ['{t}/a/b', '{t}/a/b/c', '{t}/aa/b/c/d'],
        others: ['{t}/b', '{t}/a/c', '{t}/a/a/b', '{t}/a/bb'],
      },
    ],
  ),
]);

/** Bytes that look like a Packet Identifier have to arrive as payload. */
const likeIdentifier = Uint8Array.of(0, 10, 1);

/** Takes a message that QoS 0 is due for. */
async function receiveAtQoS0({ fail }: Context, subscriber: Peer, topic: string, payload: Uint8Array): Promise<void> {
  const { qos } = await subscriber.receive({ topic, payload });
  if (qos > 0) fail('QoS 0, as granted', `QoS ${qos}`, 'v3/3.8.4-6', 'v5/3.8.4-8');
}

const packetIdentifier = section('3.3.2.2 Packet Identifier', [
  ...([1, 2] as const).flatMap((qos): Case[] => [
    leavesNoTrace({
      id: `qos${qos}-identifier-0`,
      title: `with QoS ${qos} and Packet Identifier 0`,
      covers: ['v3/2.3.1-1', 'v5/2.2.1-3'],
      fields: { qos },
      bend: { packetId: [0, 0] },
    }),
    leavesNoTrace({
      id: `qos${qos}-without-identifier`,
      title: `with QoS ${qos} and no Packet Identifier`,
      covers: ['v3/2.3.1-1', 'v5/2.2.1-3'],
      fields: { qos, payload: '' },
      bend: { packetId: [] },
    }),
    {
      id: `qos${qos}-has-identifier`,
      title: `delivers QoS ${qos} messages with a Packet Identifier that is not 0`,
      covers: ['v3/2.3.1-1', 'v5/2.2.1-4'],
      needs: needsQoS(qos),
      async run({ connect, topic, fail }) {
        const [publisher, subscriber] = [await connect(), await connect()];
        await subscriber.subscribe(topic, qos);
        for (const payload of ['1', '2', '3']) {
          await publisher.publish({ topic, payload, qos });
          const { packetId = 0 } = await subscriber.receive({ topic, payload, qos });
          if (packetId === 0) fail('a Packet Identifier from 1 to 65535', 'Packet Identifier 0');
        }
      },
    },
    {
      id: `downgraded-qos${qos}-has-no-identifier`,
      title: `delivers a QoS ${qos} message to a QoS 0 subscription without a Packet Identifier`,
      covers: ['v3/2.3.1-5', 'v5/2.2.1-2'],
      needs: needsQoS(qos),
      async run(context) {
        const { connect, topic } = context;
        const [publisher, subscriber] = [await connect(), await connect()];
        await subscriber.subscribe(topic, 0);
        for (const payload of [likeIdentifier, new Uint8Array(0)]) {
          await publisher.publish({ topic, payload, qos });
          await receiveAtQoS0(context, subscriber, topic, payload);
        }
      },
    },
  ]),
  {
    id: 'retained-qos0-has-no-identifier',
    title: 'delivers a retained message to a QoS 0 subscription without a Packet Identifier',
    covers: ['v3/2.3.1-5', 'v5/2.2.1-2'],
    needs: ['retain'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await publisher.publish({ topic, payload: likeIdentifier, qos: 1, retain: true });
      await subscriber.subscribe(topic, 0);
      await receiveAtQoS0(context, subscriber, topic, likeIdentifier);
    },
  },
]);

// ── 3.3.3 Payload ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Payloads that a server could be tempted to read. */
const payloads: readonly Uint8Array[] = [
  Uint8Array.of(0),
  Uint8Array.from({ length: 256 }, (_, value) => value),
  // Ill-formed UTF-8, a surrogate, a byte order mark.
  Uint8Array.of(0xff, 0xfe, 0xc0, 0xaf, 0xed, 0xa0, 0x80),
  Uint8Array.of(0xef, 0xbb, 0xbf, 0x61),
  // A whole PINGREQ and DISCONNECT.
  Uint8Array.of(0xc0, 0x00, 0xe0, 0x00),
  Buffer.from('{"text": "line\r\n\u0000"}'),
];
const empty = new Uint8Array(0);

const anyPayload = ([0, 1, 2] as const).map(
  (qos): Case => ({
    id: `any-bytes-qos${qos}`,
    title: `passes on any payload unchanged at QoS ${qos}, also an empty one`,
    covers: ['v3/3.3.3~payload-opaque', 'v5/3.3.3~payload-opaque', 'v5/3.3.3~empty-payload'],
    needs: needsQoS(qos),
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, qos);
      for (const payload of [...payloads, empty]) {
        await publishAccepted(context, publisher, { topic, payload, qos });
        await subscriber.receive({ topic, payload });
      }
    },
  }),
);

/** Large payloads: size, QoS, and the way that they take. Loss is allowed at QoS 0, and large packets are the first to go. */
const large: readonly (readonly [kibibytes: number, qos: 1 | 2, way: 'live' | 'retained' | 'queued'])[] = [
  [128, 1, 'live'],
  [128, 2, 'live'],
  [128, 1, 'retained'],
  [128, 1, 'queued'],
  [1024, 1, 'live'],
  [1024, 2, 'live'],
];

const largePayload = large.map(
  ([kibibytes, qos, way]): Case => ({
    id: `${kibibytes}-kib-qos${qos}-${way}`,
    title: `passes on a payload of ${kibibytes} KiB unchanged at QoS ${qos}${way === 'live' ? '' : `, ${way}`}`,
    covers: ['v3/3.3.3~payload-opaque', 'v5/3.3.3~payload-opaque'],
    needs: needsQoS(qos),
    tags: kibibytes > 128 ? ['long'] : [],
    async run({ connect, topic, clientId, notApplicable }) {
      const session = { clientId: clientId('subscriber'), clean: way !== 'queued' };
      const payload = patterned(kibibytes * 1024);
      const [publisher, subscriber] = [await connect(), await connect(session)];
      if (way !== 'retained') await subscriber.subscribe(topic, qos);
      if (way === 'queued') await subscriber.disconnect();
      const sending = publisher.publish({ topic, payload, qos, retain: way === 'retained' });
      // A server may have a limit for packets, and close when it is exceeded.
      const limited = await sending.then(
        () => false,
        async (reason) => (await publisher.isClosed(0)) || Promise.reject(reason),
      );
      if (limited) notApplicable(`the broker closes the connection on a payload of ${kibibytes} KiB`);
      if (way === 'retained') await subscriber.subscribe(topic, qos);
      const receiver = way === 'queued' ? await connect({ ...session, name: 'subscriber again' }) : subscriber;
      await receiver.receive({ topic, payload });
    },
  }),
);

const payload = section('3.3.3 PUBLISH Payload', [
  ...anyPayload,
  {
    id: 'any-bytes-retained',
    title: 'retains any payload unchanged',
    covers: ['v3/3.3.3~payload-opaque', 'v5/3.3.3~payload-opaque'],
    needs: ['retain'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      for (const [index, payload] of payloads.entries()) {
        await publisher.publish({ topic: `${topic}/${index}`, payload, qos: 1, retain: true });
        await subscriber.subscribe(`${topic}/${index}`);
        await subscriber.receive({ topic: `${topic}/${index}`, payload });
      }
    },
  },
  {
    id: 'any-bytes-queued',
    title: 'keeps any payload unchanged for a client that is away, also an empty one',
    covers: ['v3/3.3.3~payload-opaque', 'v5/3.3.3~payload-opaque', 'v5/3.3.3~empty-payload'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await subscriber.subscribe(topic, 1);
      await subscriber.disconnect();
      for (const payload of [...payloads, empty]) await publishAccepted(context, publisher, { topic, payload, qos: 1 });
      const again = await connect({ ...session, name: 'subscriber again' });
      for (const payload of [...payloads, empty]) await again.receive({ topic, payload });
    },
  },
  ...largePayload,
]);

// ── 3.3.4 Response ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Circumstances that make no difference to the answer. */
const circumstances: readonly (readonly [id: string, words: string, fields: Partial<PublishFields>])[] = [
  ['no-subscriber', 'that nobody has subscribed to', { payload: 'm' }],
  ['subscriber', 'that its own client has not subscribed to, but another one has', { payload: 'm' }],
  ['empty-payload', 'without a payload', {}],
  ['large-payload', 'of 60 KiB', { payload: patterned(60 * 1024) }],
  ['retain', 'with RETAIN 1', { payload: 'm', retain: true }],
  ['retain-empty', 'with RETAIN 1 and no payload', { retain: true }],
  ['dup', 'with DUP 1', { payload: 'm', dup: true }],
];

const answers = ['no packet', 'PUBACK', 'PUBREC, and its PUBREL by PUBCOMP,'] as const;

/**
 * Takes the answer to a PUBLISH; false if the connection closes instead. So a server tells that it does not authorise a PUBLISH
 * (v3/3.3.5-2), and in 3.1.1 it has no other way to tell that it takes none of this QoS. The answer is preferred.
 */
async function answersOrCloses(
  { nonStrict, version }: Context,
  client: Peer,
  qos: 1 | 2,
  packetId: number,
): Promise<boolean> {
  try {
    await client.pick(qos === 1 ? 'PUBACK' : 'PUBREC', { packetId });
    return true;
  } catch (reason) {
    if (version !== 'v3' || !(await client.isClosed(0))) throw reason;
    nonStrict(`the connection closes on a QoS ${qos} PUBLISH, as on one that is not authorised`);
    return false;
  }
}

const answered = circumstances.flatMap(([id, words, fields]) =>
  ([0, 1, 2] as const)
    .filter((qos) => qos > 0 || !fields.dup)
    .map(
      (qos): Case => ({
        id: `${id}-qos${qos}`,
        title: `answers a QoS ${qos} PUBLISH ${words} by ${answers[qos]} and nothing else`,
        covers: ['v3/3.3.4-1', 'v5/3.3.4-1'],
        async run(context) {
          const { connect, topic } = context;
          if (id === 'subscriber') await (await connect({ name: 'subscriber' })).request([topic, qos]);
          const publisher = await connect({ name: 'publisher' });
          const packetId = 0x1234;
          publisher.send(publish({ topic, qos, packetId, ...fields }));
          if (qos > 0 && !(await answersOrCloses(context, publisher, qos as 1 | 2, packetId))) return;
          if (qos === 2) {
            publisher.send(pubrel(packetId));
            await publisher.expect('PUBCOMP', { packetId });
          }
          await publisher.expectNothing('nothing after the answer');
        },
      }),
    ),
);

const response = section({ v3: '3.3.4 PUBLISH Response', v5: '3.3.4 PUBLISH Actions' }, [
  ...answered,
  {
    id: 'pipelined',
    title: 'answers each of thirty PUBLISHes of all QoS levels in one segment as its QoS demands',
    covers: ['v3/3.3.4-1', 'v5/3.3.4-1'],
    async run(context) {
      const { connect, topic } = context;
      const publisher = await connect();
      const all = Array.from({ length: 30 }, (_, index): Publish => {
        return publish({ topic, payload: String(index), qos: (index % 3) as QoS, packetId: 100 + index });
      });
      publisher.sendTogether(...all);
      for (const { qos, packetId = 0 } of all) {
        if (qos > 0 && !(await answersOrCloses(context, publisher, qos as 1 | 2, packetId))) return;
      }
      await publisher.expectNothing('nothing after the answers');
    },
  },
]);

export const publishing = chapter('3.3 PUBLISH', dup, qos3, topicName, packetIdentifier, payload, response, actions);
