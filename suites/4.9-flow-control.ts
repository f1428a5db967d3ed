/** 4.9 Flow Control, in both directions, and 4.10 Request / Response (MQTT 5.0). */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { puback, pubcomp, publish, pubrec, pubrel, subscribe, text, unsubscribe, utf8 } from '../harness/wire/build.ts';
import type { Packet, Publish, QoS } from '../harness/wire/packet.ts';
import { publishAccepted } from './accepted.ts';
import { needsQoS } from './needs.ts';
import { numberOf, publishNumbered, takeUnacknowledged } from './numbered.ts';
import type { ConnectOptions, Peer } from './session.ts';

// ── Towards the client ───────────────────────────────────────────────────────────────────────────────────────────────

/** A subscriber that takes so many messages at a time, and a publisher. */
async function limited(
  { connect, topic }: Context,
  receiveMaximum: number,
  qos: QoS,
  options: ConnectOptions = {},
): Promise<readonly [subscriber: Peer, publisher: Peer]> {
  const properties = { receiveMaximum, ...options.properties };
  const subscriber = await connect({ name: 'subscriber', ...options, properties });
  await subscriber.subscribe(topic, qos);
  return [subscriber, await connect({ name: 'publisher' })];
}

/** A session that is kept. */
function lasting({ clientId }: Context, receiveMaximum: number, name: string): ConnectOptions {
  return {
    clientId: clientId('subscriber'),
    clean: false,
    name,
    properties: { receiveMaximum, sessionExpiryInterval: 600 },
  };
}

/**
 * Takes so many messages, and acknowledges them when as many have come as may, and no other behind them: that there are never more of them
 * than the client takes is judged as they come (`harness/watch.ts`). Throws Violation when one is missing.
 */
async function takeAll({ fail }: Context, subscriber: Peer, receiveMaximum: number, count: number): Promise<void> {
  const got = new Set<number>();
  while (got.size < count) {
    const some = await takeUnacknowledged(subscriber, Math.min(receiveMaximum, count - got.size));
    await subscriber.fence();
    for (const message of some) {
      const number = numberOf(message);
      if (got.has(number)) fail('each message once', `message ${number} twice`);
      got.add(number);
      await subscriber.acknowledge(message);
    }
  }
  await subscriber.fence();
}

const covers: Case['covers'] = ['v5/3.3.4-9', 'v5/4.9.0-1', 'v5/4.9.0-2', 'v5/4.9~send-quota-refill'];

const within = [1, 2, 10].flatMap((receiveMaximum) =>
  (
    [
      [1, 'QoS 1', () => 1],
      [2, 'QoS 2', () => 2],
      ['mixed', 'QoS 1 and QoS 2', (number) => (number % 2 ? 1 : 2)],
    ] as const satisfies readonly (readonly [unknown, string, (number: number) => QoS])[]
  ).map(
    ([id, words, levelOf]): Case => ({
      id: `receive-maximum-${receiveMaximum}-qos-${id}`,
      title: `sends ${words} messages to a client with a Receive Maximum of ${receiveMaximum} no faster than it acknowledges them, and all of them`,
      covers,
      needs: needsQoS(levelOf(1), levelOf(2)),
      async run(context) {
        const { topic } = context;
        const [subscriber, publisher] = await limited(
          context,
          receiveMaximum,
          levelOf(1) === levelOf(2) ? levelOf(1) : 2,
        );
        const count = 3 * receiveMaximum + 1;
        for (let number = 1; number <= count; number++) {
          await publisher.publish({ topic, payload: `${number}`, qos: levelOf(number) });
        }
        await takeAll(context, subscriber, receiveMaximum, count);
      },
    }),
  ),
);

/** Acknowledgements that make room for another message. */
const refills: readonly (readonly [
  id: string,
  title: string,
  qos: 1 | 2,
  ...answers: ((packetId: number) => Packet)[],
])[] = [
  ['puback', 'a PUBACK', 1, puback],
  ['puback-failure', 'a PUBACK with 0x83', 1, (packetId) => puback(packetId, { code: 0x83 })],
  ['pubrec-failure', 'a PUBREC with 0x80', 2, (packetId) => pubrec(packetId, { code: 0x80 })],
  ['pubcomp', 'a PUBCOMP', 2, pubrec, pubcomp],
  ['pubcomp-not-found', 'a PUBCOMP with 0x92', 2, pubrec, (packetId) => pubcomp(packetId, { code: 0x92 })],
];

const refilled = refills.map(
  ([id, title, qos, ...answers]): Case => ({
    id: `refilled-by-${id}`,
    title: `sends exactly one more message after ${title} to a client that takes one at a time`,
    covers: ['v5/4.9~send-quota-refill', 'v5/4.9.0-2'],
    needs: needsQoS(qos),
    async run(context) {
      const { topic } = context;
      const [subscriber, publisher] = await limited(context, 1, qos);
      const payloads = ['1', '2', '3', '4'];
      for (const payload of payloads) await publisher.publish({ topic, payload, qos });
      for (const payload of payloads) {
        const { packetId = 0 } = await subscriber.message({ payload, dup: false });
        for (const [index, answer] of answers.entries()) {
          // PUBREC alone makes no room.
          await subscriber.expectNothing('no message before the one before it is acknowledged');
          subscriber.send(answer(packetId));
          if (index < answers.length - 1) await subscriber.expect('PUBREL', { packetId });
        }
      }
    },
  }),
);

/** Acknowledgements that fit nothing, beside a message that is not acknowledged. */
const surplus = (
  [
    ['puback', puback],
    ['pubcomp', pubcomp],
  ] as const
).flatMap(([id, make]) =>
  ([1, 2] as const).map(
    (qos): Case => ({
      id: `not-refilled-by-unknown-${id}-qos${qos}`,
      title: `sends no further QoS ${qos} message after a ${id.toUpperCase()} that fits no exchange to a client that takes one at a time`,
      covers: ['v5/4.9~send-quota-refill'],
      needs: needsQoS(qos),
      async run(context) {
        const { topic, trait } = context;
        const [subscriber, publisher] = await limited(context, 1, qos);
        for (const payload of ['1', '2', '3']) await publisher.publish({ topic, payload, qos });
        const first = await subscriber.message({ payload: '1' });
        for (const offset of [100, 200]) {
          subscriber.send(make((((first.packetId ?? 0) + offset) % 0xffff) + 1));
        }
        subscriber.send({ type: 'PINGREQ' });
        for (;;) {
          const answer = await subscriber.next();
          if (answer?.type === 'PINGRESP') break;
          if (answer?.type === 'PUBLISH') context.fail('no further message', `message '${text(answer.payload)}'`);
          if (answer?.type === 'DISCONNECT' || (await subscriber.isClosed(0))) {
            return trait('on an acknowledgement that fits no exchange', 'closes the connection');
          }
          return context.fail(['no answer', 'the connection closes'], answer?.type ?? 'no PINGRESP');
        }
        await subscriber.acknowledge(first);
        await subscriber.receive({ payload: '2' });
        await subscriber.receive({ payload: '3' });
      },
    }),
  ),
);

/** Receive Maximum of a first and a second connection. */
const changes: readonly (readonly [first: number, second: number])[] = [
  [3, 1],
  [10, 2],
  [1, 3],
  [2, 2],
];

const perConnection: readonly Case[] = [
  ...changes.flatMap(([first, second]) =>
    ([1, 2] as const).map(
      (qos): Case => ({
        id: `connection-${first}-then-${second}-qos${qos}`,
        title: `counts QoS ${qos} messages that it sends again, and new ones, by the Receive Maximum of the new connection (${first}, then ${second})`,
        covers: ['v5/4.9~send-quota-per-connection', 'v5/4.9.0-2'],
        needs: needsQoS(qos),
        async run(context) {
          const { connect, topic } = context;
          const [subscriber, publisher] = await limited(context, first, qos, lasting(context, first, 'subscriber'));
          const count = 3 * Math.max(first, second);
          await publishNumbered(context, publisher, { topic, qos, to: count });
          await takeUnacknowledged(subscriber, first);
          subscriber.drop();
          const again = await connect(lasting(context, second, 'subscriber again'));
          await takeAll(context, again, second, count);
        },
      }),
    ),
  ),
  ...([1, 2] as const).map(
    (qos): Case => ({
      id: `queued-qos${qos}`,
      title: `sends QoS ${qos} messages that have waited no faster than a client that is back acknowledges them`,
      covers: ['v5/3.3.4-9', 'v5/4.9.0-2'],
      needs: needsQoS(qos),
      async run(context) {
        const { connect, topic } = context;
        const [subscriber, publisher] = await limited(context, 2, qos, lasting(context, 2, 'subscriber'));
        await subscriber.disconnect();
        await publishNumbered(context, publisher, { topic, qos, to: 10 });
        await takeAll(context, await connect(lasting(context, 2, 'subscriber again')), 2, 10);
      },
    }),
  ),
  {
    id: 'pubcomp-of-earlier-connection',
    title:
      'does not send more than a client takes after the PUBCOMP of an exchange that began on an earlier connection',
    covers: ['v5/4.9~send-quota-refill'],
    needs: ['qos2'],
    async run(context) {
      const { connect, topic } = context;
      const [subscriber, publisher] = await limited(context, 1, 2, lasting(context, 1, 'subscriber'));
      await publisher.publish({ topic, payload: 'half', qos: 2 });
      const { packetId = 0 } = await subscriber.message({ payload: 'half' });
      subscriber.send(pubrec(packetId));
      await subscriber.expect('PUBREL', { packetId });
      subscriber.drop();
      const again = await connect(lasting(context, 1, 'subscriber again'));
      await again.expect('PUBREL', { packetId });
      // The quota is at its initial value, which nothing raises.
      again.send(pubcomp(packetId));
      await again.fence();
      await publishNumbered(context, publisher, { topic, qos: 2, to: 4 });
      await takeAll(context, again, 1, 4);
    },
  },
];

const other: readonly Case[] = [
  {
    id: 'retained',
    title: 'sends the retained messages of a new subscription no faster than the client acknowledges them',
    covers: ['v5/3.3.4-9', 'v5/4.9.0-2'],
    needs: ['qos1', 'retain', 'wildcards'],
    async run(context) {
      const { connect, topic } = context;
      const publisher = await connect({ name: 'publisher' });
      for (const number of [1, 2, 3, 4, 5]) {
        await publisher.publish({ topic: `${topic}/${number}`, payload: `${number}`, qos: 1, retain: true });
      }
      const subscriber = await connect({ name: 'subscriber', properties: { receiveMaximum: 2 } });
      await subscriber.subscribe(`${topic}/+`, 1);
      await takeAll(context, subscriber, 2, 5);
    },
  },
  {
    id: 'each-client-its-own',
    title: 'sends on to others while one client does not acknowledge',
    covers: ['v5/4.9.0-2'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic } = context;
      const [slow, publisher] = await limited(context, 1, 1);
      const quick = await connect({ name: 'quick subscriber', properties: { receiveMaximum: 1 } });
      await quick.subscribe(topic, 1);
      const payloads = ['1', '2', '3', '4'];
      for (const payload of payloads) await publisher.publish({ topic, payload, qos: 1 });
      for (const payload of payloads) await quick.receive({ payload });
      await slow.message({ payload: '1' });
      await slow.expectNothing('no message before the first is acknowledged', 'v5/4.9.0-2');
    },
  },
];

// ── Without a quota ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What a client can do while it acknowledges nothing. */
const served: readonly (readonly [
  id: string,
  title: string,
  needs: Case['needs'] & object,
  judge: (client: Peer, context: Context) => Promise<unknown>,
])[] = [
  ['pingreq', 'PINGREQ', [], (client) => client.expectNothing('nothing but PINGRESP')],
  [
    'subscribe',
    'SUBSCRIBE and UNSUBSCRIBE',
    [],
    async (client, { topic }) => {
      client.send(subscribe(0x1234, [`${topic}/more`, 1]));
      await client.expect('SUBACK', { packetId: 0x1234 });
      client.send(unsubscribe(0x1235, `${topic}/more`));
      await client.expect('UNSUBACK', { packetId: 0x1235 });
    },
  ],
  ...([0, 1, 2] as const).map(
    (qos) =>
      [
        `publish-qos${qos}`,
        `QoS ${qos} messages of the client`,
        needsQoS(qos),
        async (client: Peer, context: Context) => {
          const watcher = await context.connect({ name: 'watcher' });
          await watcher.subscribe(`${context.topic}/more`, qos);
          for (const payload of ['a', 'b']) {
            await publishAccepted(context, client, { topic: `${context.topic}/more`, payload, qos });
            await watcher.receive({ payload });
          }
        },
      ] as const,
  ),
];

const withoutQuota = served.flatMap(([id, title, needs, judge]) =>
  ([1, 2] as const).map(
    (qos): Case => ({
      id: `quota-0-${id}-qos${qos}`,
      title: `handles ${title} while the client lets QoS ${qos} messages wait`,
      covers: ['v5/3.3.4-10', 'v5/4.9.0-3'],
      needs: [...needsQoS(qos), ...needs],
      async run(context) {
        const { topic } = context;
        const [subscriber, publisher] = await limited(context, 1, qos);
        for (const payload of ['1', '2']) await publisher.publish({ topic, payload, qos });
        const first = await subscriber.message({ payload: '1' });
        await judge(subscriber, context);
        await subscriber.acknowledge(first);
        await subscriber.receive({ payload: '2' });
      },
    }),
  ),
);

const qos0: Case = {
  id: 'quota-0-qos0-messages',
  title: 'may send QoS 0 messages while the client lets others wait, or keep them back; records which',
  covers: ['v5/4.9.0-3'],
  strength: 'MAY',
  needs: ['qos1'],
  async run(context) {
    const { topic, trait } = context;
    const [subscriber, publisher] = await limited(context, 1, 1);
    await publisher.publish({ topic, payload: 'held', qos: 1 });
    await subscriber.message({ payload: 'held' });
    await publisher.publish({ topic, payload: 'QoS 0', qos: 0 });
    await publisher.fence();
    await subscriber.fence();
    trait('QoS 0 messages without a quota', subscriber.waiting.length > 0 ? 'sent' : 'kept back');
  },
};

// ── From the client ──────────────────────────────────────────────────────────────────────────────────────────────────

// A message beyond what the server takes is the matter of 3.2.2.3.3.

/** No broker of a size that matters announces more than this and is to be asked for all of it. */
const reachable = 1_000;

/** A client that has as many QoS 2 messages open as the server takes; their Packet Identifiers are 1 to `maximum`. */
async function full({ connect, topic, notApplicable }: Context): Promise<readonly [client: Peer, maximum: number]> {
  const client = await connect({ name: 'client' });
  const { receiveMaximum = 0xffff } = client.connack?.properties ?? {};
  if (receiveMaximum > reachable) notApplicable(`CONNACK has Receive Maximum ${receiveMaximum}`);
  for (let packetId = 1; packetId <= receiveMaximum; packetId++) {
    client.send(publish({ topic, payload: `${packetId}`, qos: 2, packetId }));
    await client.expect('PUBREC', { packetId });
  }
  return [client, receiveMaximum];
}

const client: readonly Case[] = [
  {
    id: 'server-maximum-room-again',
    title: 'takes another QoS 2 message when one of as many as its Receive Maximum is complete',
    covers: ['v5/4.3.3-8', 'v5/4.3.3-11'],
    needs: ['qos2'],
    async run(context) {
      const { topic } = context;
      const [peer, maximum] = await full(context);
      for (const packetId of [1, maximum]) {
        peer.send(pubrel(packetId));
        await peer.expect('PUBCOMP', { packetId });
        peer.send(publish({ topic, payload: 'again', qos: 2, packetId }));
        await peer.expect('PUBREC', { packetId });
      }
      // QoS 0 needs no room, and what is sent again has it already.
      await peer.publish({ topic, payload: 'QoS 0' });
      peer.send(publish({ topic, payload: 'again', qos: 2, packetId: 1, dup: true }));
      await peer.expect('PUBREC', { packetId: 1 });
      await peer.expectNothing('nothing more');
    },
  },
];

// ── 4.10 Request / Response ──────────────────────────────────────────────────────────────────────────────────────────

/** Takes a request and answers it as its properties ask for. */
async function respond(responder: Peer, request: Publish, payload: string, qos: QoS): Promise<void> {
  const { responseTopic = '', correlationData } = request.properties ?? {};
  await responder.publish({
    topic: responseTopic,
    payload,
    qos,
    ...(correlationData && { properties: { correlationData } }),
  });
}

const requests = ([0, 1, 2] as const).map(
  (qos): Case => ({
    id: `round-trip-qos${qos}`,
    title: `carries a QoS ${qos} request with Response Topic and Correlation Data to a responder, and its response back`,
    covers: ['v5/4.10~request-response', 'v5/3.3.2-15', 'v5/3.3.2-16'],
    needs: needsQoS(qos),
    async run(context) {
      const { connect, topic, fail } = context;
      const [requester, responder] = [await connect({ name: 'requester' }), await connect({ name: 'responder' })];
      const responseTopic = `${topic}/responses`;
      await requester.subscribe(responseTopic, qos);
      await responder.subscribe(`${topic}/requests`, qos);
      for (const [index, question] of ['one', 'two', 'three'].entries()) {
        const correlationData = Uint8Array.of(0, index, 0xff);
        const properties = { responseTopic, correlationData };
        await requester.publish({ topic: `${topic}/requests`, payload: question, qos, properties });
        const request = await responder.receive({ payload: question });
        if (request.properties?.responseTopic !== responseTopic) {
          fail(`Response Topic ${responseTopic}`, `Response Topic ${request.properties?.responseTopic}`);
        }
        await respond(responder, request, `answer to ${question}`, qos);
        await requester.receive({
          topic: responseTopic,
          payload: `answer to ${question}`,
          properties: { correlationData },
        });
      }
    },
  }),
);

const severalResponders: Case = {
  id: 'several-responders',
  title: 'carries a request to every responder, and all their responses to each client that waits for them',
  covers: ['v5/4.10~request-response'],
  needs: ['qos1'],
  async run({ connect, topic }) {
    const [requester, listener] = [await connect({ name: 'requester' }), await connect({ name: 'listener' })];
    const responseTopic = `${topic}/responses`;
    for (const peer of [requester, listener]) await peer.subscribe(responseTopic, 1);
    const responders = [await connect({ name: 'responder 1' }), await connect({ name: 'responder 2' })];
    for (const responder of responders) await responder.subscribe(`${topic}/requests`, 1);
    const correlationData = utf8('which one');
    const properties = { responseTopic, correlationData };
    await requester.publish({ topic: `${topic}/requests`, payload: 'who is there?', qos: 1, properties });
    for (const responder of responders) {
      const request = await responder.receive({ payload: 'who is there?', properties });
      await respond(responder, request, responder.name, 1);
      for (const peer of [requester, listener]) {
        await peer.receive({ payload: responder.name, properties: { correlationData } });
      }
    }
  },
};

export const flowControl = chapter(
  '4.9 Flow Control, 4.10 Request / Response',
  section('4.9 Flow Control', [
    ...within,
    ...refilled,
    ...surplus,
    ...perConnection,
    ...other,
    ...withoutQuota,
    qos0,
    ...client,
  ]),
  section('4.10 Request / Response', [...requests, severalResponders]),
);
