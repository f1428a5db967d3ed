/** 4.3.3 QoS 2: the server as receiver and as sender, and acknowledgements that fit no exchange. */

import { type Case, type Context, section } from '../harness/case.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { puback, pubcomp, publish, pubrec, pubrel, text } from '../harness/wire/build.ts';
import type { Packet, QoS } from '../harness/wire/packet.ts';
import { answerOrClose } from './answer.ts';
import { hold, otherThan, settle } from './held.ts';
import type { Peer } from './session.ts';

/** Takes what arrives until the fence, and judges that it is these messages, each once. Throws Violation. */
async function expectOnce(
  { fail, topic }: Context,
  publisher: Peer,
  subscriber: Peer,
  payloads: readonly string[],
): Promise<void> {
  // A fence, not a sleep: a duplicate would arrive before this message.
  await publisher.publish({ topic, payload: 'fence', qos: 2 });
  const received: string[] = [];
  for (;;) {
    const payload = text((await subscriber.receive({ topic, qos: 2 })).payload);
    if (payload === 'fence') break;
    received.push(payload);
  }
  if (received.toSorted().join() !== payloads.toSorted().join()) {
    fail(`'${payloads.join("', '")}', each once`, received.length > 0 ? `'${received.join("', '")}'` : 'nothing');
  }
}

// ── The server as receiver ────────────────────────────────────────────────────────────────────────────────────

/** Repetitions of a PUBLISH before its PUBREL: DUP of each. */
const repetitions: readonly (readonly [id: string, words: string, dups: readonly boolean[]])[] = [
  ['once-dup', 'once with DUP 1', [true]],
  ['five-times-dup', 'five times with DUP 1', [true, true, true, true, true]],
  ['once-without-dup', 'once with DUP 0', [false]],
  ['twice-without-dup', 'twice with DUP 0', [false, false]],
  ['alternating', 'with DUP 1 and DUP 0', [true, false, true]],
];

const exactlyOnce = { needs: ['qos2'], tags: ['exactly-once'] } as const;
const receiverCovers: readonly RequirementId[] = ['v3/4.3.3-2', 'v5/4.3.3-8', 'v5/4.3.3-11'];
const repetitionCovers: readonly RequirementId[] = [...receiverCovers, 'v5/4.3.3-10'];

/**
 * Publishes a QoS 2 message, repeats it as told, and completes the exchange. False if the broker closes the connection on a
 * repetition with DUP 0 or with another payload, or in 5.0 on any, as that forbids them while the connection lasts: by these the client
 * itself breaks a rule.
 */
async function publishRepeatedly(
  context: Context,
  publisher: Peer,
  dups: readonly boolean[],
  payloadOf = (_repetition: number) => 'once',
): Promise<boolean> {
  for (const [repetition, dup] of [false, ...dups].entries()) {
    const payload = payloadOf(repetition);
    publisher.send(publish({ topic: context.topic, payload, qos: 2, packetId: 7, dup }));
    const answer = await answerOrClose(context, publisher, 'PUBREC id=7');
    if (!answer && repetition > 0 && (context.version === 'v5' || !dup || payload !== payloadOf(0))) {
      context.nonStrict('the connection closes on a repetition that no client may send');
      return false;
    }
    if (answer?.type !== 'PUBREC' || answer.packetId !== 7) {
      context.fail('PUBREC id=7', answer?.type ?? 'the connection closed');
    }
  }
  publisher.send(pubrel(7));
  await publisher.expect('PUBCOMP', { packetId: 7 });
  return true;
}

const receiver: readonly Case[] = [
  {
    id: 'retransmission-is-delivered-once',
    title: 'acknowledges a retransmitted PUBLISH again and delivers it once',
    covers: repetitionCovers,
    ...exactlyOnce,
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      if (!(await publishRepeatedly(context, publisher, [true, true, true]))) return;
      await expectOnce(context, publisher, subscriber, ['once']);
    },
  },
  ...repetitions.map(
    ([id, words, dups]): Case => ({
      id: `repeated-${id}`,
      title: `delivers a QoS 2 message once that is repeated ${words} before PUBREL`,
      covers: repetitionCovers,
      ...exactlyOnce,
      async run(context) {
        const [publisher, subscriber] = [await context.connect(), await context.connect()];
        await subscriber.subscribe(context.topic, 2);
        if (!(await publishRepeatedly(context, publisher, dups))) return;
        await expectOnce(context, publisher, subscriber, ['once']);
      },
    }),
  ),
  {
    id: 'repeated-with-another-payload',
    title: 'delivers one message for a Packet Identifier before PUBREL, although the payload changes',
    covers: repetitionCovers,
    ...exactlyOnce,
    async run(context) {
      const { connect, topic, fail } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      if (!(await publishRepeatedly(context, publisher, [true], (repetition) => `version ${repetition}`))) return;
      await publisher.publish({ topic, payload: 'fence', qos: 2 });
      const first = text((await subscriber.receive()).payload);
      if (!first.startsWith('version')) fail('one of the versions', `'${first}'`);
      await subscriber.receive({ payload: 'fence' });
    },
  },
  {
    id: 'repeated-after-reconnect',
    title: 'delivers a QoS 2 message once that is repeated on a new connection of the same session',
    covers: repetitionCovers,
    ...exactlyOnce,
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('publisher'), clean: false };
      const [first, subscriber] = [await connect(session), await connect({ name: 'subscriber' })];
      await subscriber.subscribe(topic, 2);
      first.send(publish({ topic, payload: 'once', qos: 2, packetId: 7 }));
      await first.expect('PUBREC', { packetId: 7 });
      first.drop();
      const publisher = await connect({ ...session, name: 'publisher again' });
      publisher.send(publish({ topic, payload: 'once', qos: 2, packetId: 7, dup: true }));
      await publisher.expect('PUBREC', { packetId: 7 });
      publisher.send(pubrel(7));
      await publisher.expect('PUBCOMP', { packetId: 7 });
      await expectOnce(context, publisher, subscriber, ['once']);
    },
  },
  {
    id: 'released-after-reconnect',
    title: 'completes a QoS 2 exchange whose PUBREL comes on a new connection, and delivers the message once',
    covers: receiverCovers,
    ...exactlyOnce,
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('publisher'), clean: false };
      const [first, subscriber] = [await connect(session), await connect({ name: 'subscriber' })];
      await subscriber.subscribe(topic, 2);
      first.send(publish({ topic, payload: 'once', qos: 2, packetId: 7 }));
      await first.expect('PUBREC', { packetId: 7 });
      first.drop();
      const publisher = await connect({ ...session, name: 'publisher again' });
      for (let times = 0; times < 2; times++) {
        publisher.send(pubrel(7));
        await publisher.expect('PUBCOMP', { packetId: 7 });
      }
      await expectOnce(context, publisher, subscriber, ['once']);
    },
  },
  {
    id: 'identifier-reused-after-pubcomp',
    title: 'takes a QoS 2 PUBLISH with a Packet Identifier freed by PUBCOMP as a new message',
    covers: ['v3/4.3.3-2', 'v3/2.3.1~identifier-reuse', 'v5/4.3.3-8', 'v5/4.3.3-11', 'v5/4.3.3-12'],
    ...exactlyOnce,
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      for (const payload of ['first', 'second', 'third']) {
        await publisher.publish({ topic, payload, qos: 2, packetId: 9 });
        // What DUP says of it is the matter of 3.3.1.1.
        await subscriber.receive({ topic, payload, qos: 2 });
      }
    },
  },
  {
    id: 'same-message-again-after-pubcomp',
    title: 'delivers the very same QoS 2 PUBLISH again after PUBCOMP, also with DUP 1',
    covers: ['v3/4.3.3-2', 'v3/3.3.1.1~dup-is-no-proof', 'v5/4.3.3-8', 'v5/4.3.3-11', 'v5/4.3.3-12'],
    ...exactlyOnce,
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      for (const dup of [false, true, false]) {
        await publisher.publish({ topic, payload: 'same', qos: 2, packetId: 9, dup });
        await subscriber.receive({ topic, payload: 'same', qos: 2 });
      }
    },
  },
  {
    id: 'same-identifier-for-qos1-and-qos2',
    title: 'delivers QoS 1 and QoS 2 messages that have the same Packet Identifier one after the other',
    covers: ['v3/4.3.2-2', 'v3/4.3.3-2', 'v5/4.3.2-4', 'v5/4.3.2-5', 'v5/4.3.3-8', 'v5/4.3.3-11', 'v5/4.3.3-12'],
    ...exactlyOnce,
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      for (const [payload, qos] of [
        ['first', 1],
        ['second', 2],
        ['third', 1],
        ['fourth', 1],
        ['fifth', 2],
        ['sixth', 2],
      ] as const) {
        publisher.send(publish({ topic, payload, qos, packetId: 7 }));
        await publisher.expect(qos === 1 ? 'PUBACK' : 'PUBREC', { packetId: 7 });
        if (qos === 2) publisher.send(pubrel(7));
        if (qos === 2) await publisher.expect('PUBCOMP', { packetId: 7 });
        await subscriber.receive({ payload, qos });
      }
    },
  },
  {
    id: 'pubrel-answered-each-time',
    title: 'answers a repeated PUBREL with PUBCOMP again and delivers nothing more',
    covers: receiverCovers,
    ...exactlyOnce,
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      await publisher.publish({ topic, payload: 'once', qos: 2, packetId: 3 });
      for (let times = 0; times < 3; times++) {
        publisher.send(pubrel(3));
        await publisher.expect('PUBCOMP', { packetId: 3 });
      }
      await expectOnce(context, publisher, subscriber, ['once']);
    },
  },
  {
    id: 'pubrel-never-seen',
    title: 'answers a PUBREL with a Packet Identifier that it never saw by PUBCOMP, or closes, and delivers nothing',
    covers: receiverCovers,
    ...exactlyOnce,
    async run(context) {
      const { connect, topic, fail } = context;
      const [stranger, publisher, subscriber] = [await connect(), await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      stranger.send(pubrel(4711));
      const expected = ['PUBCOMP id=4711', 'the connection closes'];
      const answer = await answerOrClose(context, stranger, expected);
      if (answer && !(answer.type === 'PUBCOMP' && answer.packetId === 4711)) fail(expected, answer.type);
      await expectOnce(context, publisher, subscriber, []);
    },
  },
  {
    id: 'delivered-on-publish-or-pubrel',
    title: 'delivers a QoS 2 message once, on PUBLISH or on PUBREL as it likes',
    covers: ['v3/4.3.3-2', 'v3/4.3.3~delivery-method', 'v5/4.3.3-8', 'v5/4.3.3-11'],
    ...exactlyOnce,
    async run(context) {
      const { connect, topic, trait } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      publisher.send(publish({ topic, payload: 'once', qos: 2, packetId: 7 }));
      await publisher.expect('PUBREC', { packetId: 7 });
      await publisher.fence();
      await subscriber.fence();
      trait('a QoS 2 message is delivered on', subscriber.waiting.length > 0 ? 'PUBLISH' : 'PUBREL');
      publisher.send(pubrel(7));
      await publisher.expect('PUBCOMP', { packetId: 7 });
      await expectOnce(context, publisher, subscriber, ['once']);
    },
  },
  {
    id: 'several-subscribers',
    title: 'delivers a retransmitted QoS 2 message once to each of several subscribers',
    covers: repetitionCovers,
    ...exactlyOnce,
    async run(context) {
      const { connect, topic } = context;
      const publisher = await connect({ name: 'publisher' });
      const granted = [2, 2, 1, 0] as const;
      const subscribers: { client: Peer; qos: QoS }[] = [];
      for (const [index, qos] of granted.entries()) {
        const client = await connect({ name: `subscriber ${index + 1}` });
        await client.subscribe(topic, qos);
        subscribers.push({ client, qos });
      }
      if (!(await publishRepeatedly(context, publisher, [true]))) return;
      await publisher.publish({ topic, payload: 'fence', qos: 2 });
      for (const { client, qos } of subscribers) {
        await client.receive({ payload: 'once', qos });
        // Only QoS 2 excludes that there are two of them.
        if (qos === 2) await client.receive({ payload: 'fence', qos });
      }
    },
  },
  {
    id: 'interleaved-exchanges',
    title: 'completes QoS 2 exchanges that interleave, in the order of their PUBRELs',
    covers: receiverCovers,
    ...exactlyOnce,
    async run(context) {
      const { connect, topic, version } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      const message = (packetId: number, dup = false) =>
        publish({ topic, payload: `${packetId}`, qos: 2, packetId, dup });
      for (const packetId of [1, 2, 3]) {
        publisher.send(message(packetId));
        await publisher.expect('PUBREC', { packetId });
      }
      publisher.send(pubrel(2));
      await publisher.expect('PUBCOMP', { packetId: 2 });
      // In 5.0 a client repeats nothing while the connection lasts.
      for (const packetId of version === 'v3' ? [1, 3] : []) {
        publisher.send(message(packetId, true));
        await publisher.expect('PUBREC', { packetId });
      }
      for (const packetId of [3, 1]) {
        publisher.send(pubrel(packetId));
        await publisher.expect('PUBCOMP', { packetId });
      }
      await expectOnce(context, publisher, subscriber, ['1', '2', '3']);
    },
  },
  {
    id: 'twenty-exchanges-at-once',
    title: 'completes twenty QoS 2 exchanges at once, whose packets come in one segment each time',
    covers: ['v3/4.3.3-2', 'v3/4.3.2~several-in-flight', 'v5/4.3.3-8', 'v5/4.3.3-11', 'v5/4.3.3-12'],
    ...exactlyOnce,
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      const ids = Array.from({ length: 20 }, (_, index) => index + 1);
      publisher.sendTogether(...ids.map((packetId) => publish({ topic, payload: `${packetId}`, qos: 2, packetId })));
      for (const packetId of ids) await publisher.pick('PUBREC', { packetId });
      publisher.sendTogether(...ids.map((id) => pubrel(id)));
      for (const packetId of ids) await publisher.pick('PUBCOMP', { packetId });
      await expectOnce(context, publisher, subscriber, ids.map(String));
    },
  },
];

// ── The server as sender ──────────────────────────────────────────────────────────────────────────────────────

const sender: readonly Case[] = [
  {
    id: 'sender-flow',
    title:
      'sends PUBLISH with DUP 0, answers PUBREC with PUBREL of the same Packet Identifier, and nothing after PUBCOMP',
    covers: ['v3/4.3.3-1', 'v3/2.3.1-6', 'v5/4.3.3-2', 'v5/4.3.3-4', 'v5/2.2.1-5'],
    needs: ['qos2'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 2);
      await publisher.publish({ topic, payload: 'once', qos: 2 });
      const { packetId = 0 } = await subscriber.message({ payload: 'once', qos: 2, dup: false });
      subscriber.send(pubrec(packetId));
      await subscriber.expect('PUBREL', { packetId });
      subscriber.send(pubcomp(packetId));
      await subscriber.expectNothing('no further packet for an exchange that PUBCOMP ended');
    },
  },
  {
    id: 'held-until-pubrec',
    title: 'sends a QoS 2 message on every new connection until PUBREC',
    covers: ['v3/4.3.3-1', 'v5/4.3.3-2', 'v5/4.3.3-3'],
    needs: ['qos2'],
    async run(context) {
      const { subscriber, packetId, again } = await hold(context, 2);
      let client = subscriber;
      for (let times = 0; times < 3; times++) {
        client.drop();
        client = await again();
        await client.message({ payload: 'held', qos: 2, packetId });
      }
      client.send(pubrec(packetId));
      await client.expect('PUBREL', { packetId });
    },
  },
  {
    id: 'held-until-pubcomp',
    title: 'sends PUBREL, and not the PUBLISH, on every new connection until PUBCOMP, and then nothing more',
    covers: ['v3/4.3.3-1', 'v5/4.3.3-4', 'v5/4.3.3-5', 'v5/4.3.3-6'],
    needs: ['qos2'],
    async run(context) {
      const { publisher, subscriber, packetId, again } = await hold(context, 2);
      subscriber.send(pubrec(packetId));
      await subscriber.expect('PUBREL', { packetId });
      let client = subscriber;
      for (let times = 0; times < 3; times++) {
        client.drop();
        client = await again();
        await client.expect('PUBREL', { packetId });
      }
      client.send(pubcomp(packetId));
      await client.fence();
      client.drop();
      await publisher.publish({ topic: context.topic, payload: 'fence', qos: 2 });
      client = await again();
      await client.acknowledge(await client.expect('PUBLISH', { payload: 'fence' }));
    },
  },
  {
    id: 'pubrec-lost-or-not',
    title: 'goes on with PUBLISH or PUBREL when the connection ended right behind a PUBREC',
    covers: ['v3/4.3.3-1', 'v5/4.3.3-3', 'v5/4.3.3-4', 'v5/4.3.3-5'],
    needs: ['qos2'],
    async run(context) {
      const { subscriber, packetId, again } = await hold(context, 2);
      subscriber.send(pubrec(packetId));
      subscriber.drop();
      const client = await again();
      const expected = ['PUBLISH with DUP 1', 'PUBREL'];
      const packet = await answerOrClose(context, client, expected);
      if (packet?.type === 'PUBREL' && packet.packetId === packetId) return client.send(pubcomp(packetId));
      if (packet?.type === 'PUBLISH' && packet.packetId === packetId && packet.dup) return client.acknowledge(packet);
      context.fail(expected, packet?.type ?? 'the connection closes');
    },
  },
  {
    id: 'pubrec-repeated',
    title: 'answers a repeated PUBREC by PUBREL or not at all, and sends no PUBLISH again',
    covers: ['v3/4.3.3-1', 'v5/4.3.3-2', 'v5/4.3.3-4'],
    needs: ['qos2'],
    async run(context) {
      const { topic, fail } = context;
      const { publisher, subscriber, packetId } = await hold(context, 2);
      subscriber.send(pubrec(packetId));
      await subscriber.expect('PUBREL', { packetId });
      for (let times = 0; times < 2; times++) subscriber.send(pubrec(packetId));
      await subscriber.fence();
      if (subscriber.waiting.length > 0) fail('no PUBLISH after PUBREC', 'PUBLISH after PUBREC');
      subscriber.send(pubcomp(packetId));
      await publisher.publish({ topic, payload: 'fence', qos: 2 });
      await subscriber.receive({ payload: 'fence', dup: false });
    },
  },
  ...(['PUBLISH', 'PUBREL'] as const).map(
    (resent): Case => ({
      id: `expired-once-sent-${resent.toLowerCase()}`,
      title: `sends ${resent} again although the Message Expiry Interval is over, for the message has been sent before`,
      covers: resent === 'PUBLISH' ? ['v5/4.3.3-7', 'v5/4.4.0-1'] : ['v5/4.4.0-1'],
      needs: ['qos2'],
      waits: 3,
      async run(context) {
        const { elapse, seconds } = context;
        const properties = { messageExpiryInterval: 1 };
        const { publisher, subscriber, packetId, again } = await hold(context, 2, properties);
        if (resent === 'PUBREL') {
          subscriber.send(pubrec(packetId));
          await subscriber.expect('PUBREL', { packetId });
        }
        subscriber.drop();
        await elapse(seconds(3));
        const client = await again();
        if (resent === 'PUBLISH') {
          await client.acknowledge(await client.message({ payload: 'held', packetId }));
        } else {
          await client.expect('PUBREL', { packetId });
          client.send(pubcomp(packetId));
        }
        await publisher.publish({ topic: context.topic, payload: 'fence', qos: 2 });
        await client.receive({ payload: 'fence' });
      },
    }),
  ),
];

// ── Acknowledgements that fit no exchange ────────────────────────────────────────────────────────────────────────────

const unknown: readonly Case[] = (
  [
    ['pubrec', pubrec],
    ['pubrel', pubrel],
    ['pubcomp', pubcomp],
  ] as const
).flatMap(([id, make]) =>
  ([1, 2] as const).map(
    (qos): Case => ({
      id: `unknown-${id}-beside-qos${qos}`,
      title: `keeps a QoS ${qos} message unacknowledged when a ${id.toUpperCase()} with an unknown Packet Identifier arrives`,
      covers: qos === 1 ? ['v3/4.3.2-1', 'v5/4.3.2-3'] : ['v3/4.3.3-1', 'v5/4.3.3-3'],
      needs: [`qos${qos}`],
      async run(context) {
        const { subscriber, packetId, again } = await hold(context, qos);
        subscriber.send(make(otherThan(packetId)));
        await settle(subscriber);
        subscriber.drop();
        await (await again()).message({ payload: 'held', qos, packetId });
      },
    }),
  ),
);

/** Answers that are not the one that is due, and what is then still owed on the next connection. */
const misfits: readonly (readonly [
  id: string,
  qos: 1 | 2,
  due: 'PUBACK' | 'PUBREC' | 'PUBCOMP',
  wrong: (packetId: number) => Packet,
])[] = [
  ['pubrec-for-puback', 1, 'PUBACK', pubrec],
  ['pubcomp-for-puback', 1, 'PUBACK', pubcomp],
  ['puback-for-pubrec', 2, 'PUBREC', puback],
  ['pubcomp-for-pubrec', 2, 'PUBREC', pubcomp],
  ['puback-for-pubcomp', 2, 'PUBCOMP', puback],
  ['pubrec-for-pubcomp', 2, 'PUBCOMP', pubrec],
];

const misfitting: readonly Case[] = misfits.map(([id, qos, due, wrong]) => ({
  id: `misfitting-${id}`,
  title: `does not take a ${id.replace(/-.*/, '').toUpperCase()} for the ${due} that a QoS ${qos} message waits for`,
  covers: qos === 1 ? ['v3/4.3.2-1', 'v5/4.3.2-3'] : ['v3/4.3.3-1', due === 'PUBREC' ? 'v5/4.3.3-3' : 'v5/4.3.3-5'],
  needs: [`qos${qos}`],
  async run(context) {
    const { subscriber, packetId, again } = await hold(context, qos);
    if (due === 'PUBCOMP') {
      subscriber.send(pubrec(packetId));
      await subscriber.pick('PUBREL', { packetId });
    }
    subscriber.send(wrong(packetId));
    await settle(subscriber);
    subscriber.drop();
    const client = await again();
    if (due === 'PUBCOMP') await client.pick('PUBREL', { packetId });
    else await client.message({ payload: 'held', qos, packetId });
  },
}));

export const qos2 = section('4.3.3 QoS 2: Exactly once delivery', [...receiver, ...sender, ...unknown, ...misfitting]);
