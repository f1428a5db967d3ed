/** 4.6 Message ordering: each subscriber gets the messages of a publisher in their order, and acknowledgements keep theirs. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { pubcomp, publish, pubrec } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { needsQoS } from './needs.ts';
import {
  expectAscending,
  type Losses,
  numberOf,
  publishNumbered,
  takeNumbered,
  takeUnacknowledged,
} from './numbered.ts';
import type { Peer } from './session.ts';

const levels: readonly QoS[] = [0, 1, 2];
const count = 200;

/** What it means that messages are missing at this QoS. */
function lost(granted: QoS): Losses {
  return { requirement: 'v3/4.5.0-1', allowed: granted === 0 };
}

/** Takes all numbered messages and judges their order. */
async function expectInOrder(context: Context, subscriber: Peer, granted: QoS): Promise<void> {
  expectAscending(context, await takeNumbered(context, subscriber, count, lost(granted)), 'v3/4.6.0-6', 'v5/4.6.0-5');
}

// ── Towards each subscriber ──────────────────────────────────────────────────────────────────────────────────────────

/** Publishes numbered messages to `<topic>/a` and judges what subscribers to these filters get. */
function inOrder(
  id: string,
  title: string,
  [published, granted]: readonly [QoS, QoS],
  filters: readonly string[],
  padding: (number: number) => number = () => 0,
): Case {
  return {
    id,
    title: `delivers ${count} QoS ${published} messages in their order ${title}`,
    covers: ['v3/4.6.0-6', 'v3/4.6.0-5', 'v5/4.6.0-5', 'v5/4.6.0-6'],
    needs: [...needsQoS(published), ...(/[+#]/.test(filters.join()) ? (['wildcards'] as const) : [])],
    async run(context) {
      const { connect, topic } = context;
      const subscribers: Peer[] = [];
      for (const filter of filters) {
        const subscriber = await connect({ name: `subscriber ${subscribers.length + 1}` });
        await subscriber.subscribe(`${topic}/${filter}`, granted);
        subscribers.push(subscriber);
      }
      const publisher = await connect({ name: 'publisher' });
      await publishNumbered(context, publisher, { topic: `${topic}/a`, qos: published, to: count, padding });
      await Promise.all(subscribers.map((subscriber) => expectInOrder(context, subscriber, granted)));
    },
  };
}

const deliveries: readonly Case[] = [
  ...levels.map((qos) => inOrder(`qos-${qos}`, 'to two subscribers', [qos, qos], ['a', 'a'])),
  ...levels.map((qos) => inOrder(`qos-${qos}-wildcards`, 'to subscribers with wildcards', [qos, qos], ['+', '#'])),
  inOrder('qos-1-granted-0', 'to a subscription of QoS 0', [1, 0], ['a']),
  inOrder('qos-2-granted-0', 'to a subscription of QoS 0', [2, 0], ['a']),
  inOrder('qos-2-granted-1', 'to a subscription of QoS 1', [2, 1], ['a']),
  inOrder('qos-1-sizes', 'although their sizes differ', [1, 1], ['a'], (number) => (number % 3) * 1_000),
  ...([1, 2] as const).map(
    (qos): Case => ({
      id: `two-publishers-qos-${qos}`,
      title: `delivers the QoS ${qos} messages of each of two publishers in their order while both publish`,
      covers: ['v3/4.6.0-6', 'v5/4.6.0-5'],
      needs: needsQoS(qos),
      async run(context) {
        const { connect, topic } = context;
        const subscriber = await connect({ name: 'subscriber' });
        await subscriber.subscribe(topic, qos);
        const [one, two] = [await connect({ name: 'publisher 1' }), await connect({ name: 'publisher 2' })];
        await Promise.all([
          publishNumbered(context, one, { topic, qos, to: 100 }),
          publishNumbered(context, two, { topic, qos, from: 1_001, to: 1_100 }),
        ]);
        const messages = await takeNumbered(context, subscriber, 200, lost(qos));
        for (const first of [true, false]) {
          const own = messages.filter((message) => numberOf(message) <= 100 === first);
          expectAscending(context, own, 'v3/4.6.0-6', 'v5/4.6.0-5');
        }
      },
    }),
  ),
  {
    id: 'publisher-reconnects',
    title: 'delivers what a client publishes on its second connection behind what it published on the first',
    covers: ['v3/4.6.0-6', 'v5/4.6.0-5'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const subscriber = await connect({ name: 'subscriber' });
      await subscriber.subscribe(topic, 1);
      const client = { clientId: clientId('publisher') };
      const first = await connect({ ...client, name: 'publisher' });
      await publishNumbered(context, first, { topic, qos: 1, to: 50 });
      await first.disconnect();
      const second = await connect({ ...client, name: 'publisher again' });
      await publishNumbered(context, second, { topic, qos: 1, from: 51, to: 100 });
      expectAscending(context, await takeNumbered(context, subscriber, 100, lost(1)), 'v3/4.6.0-6', 'v5/4.6.0-5');
    },
  },
  {
    id: 'scope',
    title: 'keeps the order within each topic and each QoS of a publisher that mixes them',
    covers: ['v3/4.6.0-6', 'v3/4.6~order-scope', 'v5/4.6.0-5'],
    needs: ['qos2'],
    async run(context) {
      const { connect, topic, trait } = context;
      const subscriber = await connect({ name: 'subscriber' });
      for (const name of ['a', 'b']) await subscriber.subscribe(`${topic}/${name}`, 2);
      const publisher = await connect({ name: 'publisher' });
      for (let number = 0; number < 60; number++) {
        const pair = number >> 1;
        const name = pair % 2 === 0 ? 'a' : 'b';
        await publisher.publish({ topic: `${topic}/${name}`, payload: `${number}`, qos: levels[pair % 3] ?? 0 });
      }
      const messages = await takeNumbered(context, subscriber, 60, lost(0));
      for (const name of ['a', 'b']) {
        for (const level of levels) {
          const stream = messages.filter((message) => message.topic.endsWith(`/${name}`) && message.qos === level);
          expectAscending(context, stream, 'v3/4.6.0-6', 'v5/4.6.0-5');
        }
      }
      const numbers = messages.map(numberOf);
      const kept = numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0));
      trait('keeps the order across topics and QoS levels', kept ? 'yes' : 'no');
    },
  },
  ...([1, 2] as const).map(
    (qos): Case => ({
      id: `offline-then-live-qos-${qos}`,
      title: `delivers QoS ${qos} messages that waited for the subscriber before those that are published meanwhile`,
      covers: [
        'v3/4.6.0-6',
        'v3/3.1.2-5',
        ...(qos === 1 ? (['v3/4.3.2-1', 'v5/4.3.2-2'] as const) : (['v3/4.3.3-1', 'v5/4.3.3-2'] as const)),
        'v5/4.6.0-5',
        'v5/4.1~session-state-parts',
      ],
      needs: needsQoS(qos),
      async run(context) {
        const { connect, topic, clientId, fail } = context;
        const session = { clientId: clientId('subscriber'), clean: false };
        const subscriber = await connect({ ...session, name: 'subscriber' });
        await subscriber.subscribe(topic, qos);
        await subscriber.disconnect();
        const publisher = await connect({ name: 'publisher' });
        await publishNumbered(context, publisher, { topic, qos, to: 50 });
        const comeBack = async () => {
          const again = await connect({ ...session, name: 'subscriber again' });
          return takeNumbered(context, again, 100, lost(qos));
        };
        const live = publishNumbered(context, publisher, { topic, qos, from: 51, to: 100 });
        const [messages] = await Promise.all([comeBack(), live]);
        expectAscending(context, messages, 'v3/4.6.0-6', 'v5/4.6.0-5');
        // The first of them the broker may have tried to send on the connection that was just ending.
        const repeated = messages.find((message) => message.dup && numberOf(message) === 50);
        const rules = qos === 1 ? (['v3/4.3.2-1', 'v5/4.3.2-2'] as const) : (['v3/4.3.3-1', 'v5/4.3.3-2'] as const);
        if (repeated) fail('DUP 0 in what was never sent before', `message ${numberOf(repeated)} with DUP 1`, ...rules);
      },
    }),
  ),
];

// ── Acknowledgements ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Packet Identifiers in no order, each once. */
const shuffled = Array.from({ length: 100 }, (_, index) => ((index * 37) % 100) * 600 + 1);

/**
 * Sends many messages at once and judges the order in which they are acknowledged. The standard words these rules for clients, and
 * applies them to servers that deliver messages: disorder is not strict.
 */
function acknowledgedInOrder(type: 'PUBACK' | 'PUBREC', covers: Case['covers']): Case {
  const qos = type === 'PUBACK' ? 1 : 2;
  return {
    id: `${type.toLowerCase()}-order`,
    title: `sends ${type} in the order of the PUBLISHes, whatever their topics, sizes and Packet Identifiers`,
    covers,
    needs: needsQoS(qos),
    async run({ connect, topic, nonStrict, couldNotRun }) {
      const subscriber = await connect({ name: 'subscriber' });
      await subscriber.subscribe(`${topic}/0`, 0);
      const publisher = await connect({ name: 'publisher' });
      const ids = type === 'PUBACK' ? shuffled : shuffled.slice(0, 20);
      publisher.sendTogether(
        ...ids.map((packetId, index) =>
          publish({ topic: `${topic}/${index % 3}`, payload: ' '.repeat((index % 5) * 500), qos, packetId }),
        ),
      );
      for (const [index, packetId] of ids.entries()) {
        const packet = await publisher.next();
        if (packet?.type !== type) return couldNotRun(`${packet?.type ?? 'nothing'} comes where ${type} is due`);
        if (packet.packetId !== packetId)
          nonStrict(`${type} ${index + 1} acknowledges another PUBLISH than number ${index + 1}`);
      }
    },
  };
}

/** Holds the PUBRECs back and then sends them in the order of the messages, or reversed. */
function releasedInOrder(reversed: boolean): Case {
  return {
    id: reversed ? 'pubrel-order-reversed' : 'pubrel-order',
    title: `sends PUBREL in the order of the PUBRECs${reversed ? ', also when that is not the order of the messages' : ''}`,
    covers: ['v3/4.6.0-4'],
    needs: ['qos2'],
    async run(context) {
      const { connect, topic, fail, notApplicable } = context;
      const subscriber = await connect({ name: 'subscriber' });
      await subscriber.subscribe(topic, 2);
      const publisher = await connect({ name: 'publisher' });
      await publishNumbered(context, publisher, { topic, qos: 2, to: 10 });
      const taken = await takeUnacknowledged(subscriber, 10);
      if (taken.length === 1) notApplicable('the broker sends one QoS 2 message at a time');
      const ids = taken.map(({ packetId = 0 }) => packetId);
      if (reversed) ids.reverse();
      subscriber.sendTogether(...ids.map((id) => pubrec(id)));
      for (const expected of ids) {
        let packet = await subscriber.next();
        // A PUBREC may make room for further messages.
        while (packet?.type === 'PUBLISH') packet = await subscriber.next();
        if (!packet && reversed && (await subscriber.isClosed(0))) {
          notApplicable('the broker closes the connection of a client that sends PUBREC out of order');
        }
        if (packet?.type !== 'PUBREL' || packet.packetId !== expected) {
          const actual = packet?.type === 'PUBREL' ? `PUBREL ${packet.packetId}` : (packet?.type ?? 'nothing');
          fail(`PUBREL ${ids.join(', ')}`, `${actual} where PUBREL ${expected} is due`);
        }
      }
      subscriber.sendTogether(...ids.map((id) => pubcomp(id)));
    },
  };
}

const acknowledgements: readonly Case[] = [
  acknowledgedInOrder('PUBACK', ['v3/4.6.0-2']),
  acknowledgedInOrder('PUBREC', ['v3/4.6.0-3']),
  releasedInOrder(false),
  releasedInOrder(true),
];

// ── Again ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Leaves messages unacknowledged when the connection drops, and judges the order in which they come again. */
function resentInOrder(id: string, title: string, levelOf: (number: number) => QoS, acknowledged: number): Case {
  const most = 10;
  return {
    id: `resent-${id}`,
    title: `sends ${title} again in the order of the first time`,
    covers: ['v3/4.6.0-1'],
    needs: needsQoS(levelOf(1), levelOf(2)),
    async run(context) {
      const { connect, topic, clientId, fail, trait } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const subscriber = await connect({ ...session, name: 'subscriber' });
      await subscriber.subscribe(topic, Math.max(levelOf(1), levelOf(2)) as QoS);
      const publisher = await connect({ name: 'publisher' });
      for (let number = 1; number <= most; number++) {
        await publisher.publish({ topic, payload: `${number}`, qos: levelOf(number) });
      }
      const sent = await takeUnacknowledged(subscriber, most);
      trait('messages sent before an acknowledgement', sent.length < most ? `${sent.length}` : `${most} or more`);
      for (const message of sent.slice(0, acknowledged)) await subscriber.acknowledge(message);
      await subscriber.fence();
      subscriber.drop();
      const again = await connect({ ...session, name: 'subscriber again' });
      const missing = {
        requirement: 'v3/4.4.0-1',
        acknowledged: new Set(sent.slice(0, acknowledged).map(numberOf)),
      } as const;
      const got = await takeNumbered(context, again, most - Math.min(acknowledged, sent.length), missing);
      const due = sent.slice(acknowledged).map(numberOf);
      const resent = got.map(numberOf).filter((number) => due.includes(number));
      if (resent.join() !== due.join()) fail(`messages ${due.join(', ')} again in this order`, `${resent.join(', ')}`);
    },
  };
}

const redeliveries: readonly Case[] = [
  resentInOrder('qos-1', 'QoS 1 messages', () => 1, 0),
  resentInOrder('qos-2', 'QoS 2 messages', () => 2, 0),
  resentInOrder('mixed', 'QoS 1 and QoS 2 messages', (number) => (number % 2 ? 1 : 2), 0),
  resentInOrder('qos-1-rest', 'the QoS 1 messages that were not acknowledged', () => 1, 3),
  resentInOrder('qos-2-rest', 'the QoS 2 messages that were not acknowledged', () => 2, 3),
];

export const ordering = chapter(
  '4.6 Message ordering',
  section('4.6 Message ordering', [...deliveries, ...acknowledgements, ...redeliveries]),
);
