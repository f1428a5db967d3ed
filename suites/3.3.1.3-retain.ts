/** 3.3.1.3 RETAIN: what is stored, for whom, how it is sent, and how it is removed. */

import { type Case, chapter, type Section, section } from '../harness/case.ts';
import { text } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { removing, untouched } from './3.3.1.3-retain-removed.ts';
import { acknowledgedAgain } from './held.ts';
import { needsQoS } from './needs.ts';
import { bringRetained, establish, expectRetained, places, retainAll, told } from './retained.ts';
import { byReset, byTakeOver } from './session.ts';
import { publishTogether } from './together.ts';

/** A section of this chapter: a server of 5.0 may do without retained messages. */
function about(part: string, cases: readonly Case[]): Section {
  return section(
    `3.3.1.3 RETAIN: ${part}`,
    cases.map((each) => ({ ...each, needs: ['retain', ...(each.needs ?? [])] })),
  );
}

const levels = [0, 1, 2] as const;

// ── Storing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** QoS of the retained message, which a server must keep from QoS 1 on, and of the subscription that comes later. */
const stored = ([1, 2] as const).flatMap((published) =>
  levels.map((granted): Case => {
    const lower = Math.min(published, granted) as QoS;
    return {
      id: `stored-qos${published}-to-qos${granted}`,
      title: `delivers a retained QoS ${published} message to a new QoS ${granted} subscription with QoS ${lower} and RETAIN 1`,
      covers: [
        'v3/3.3.1-5',
        'v3/3.3.1-6',
        'v3/3.3.1-8',
        'v5/3.3.1-5',
        'v5/3.3.1-9',
        'v5/3.3.1.3~last-retained-message',
        'v5/3.3.1.3~retain-flag-on-subscribe',
        ...(published === granted ? [] : (['v3/3.8.4-6', 'v5/3.8.4-8'] as const)),
      ],
      needs: needsQoS(published, granted),
      async run(context) {
        const publisher = await context.connect();
        await publisher.publish({ topic: context.topic, payload: 'kept', qos: published, retain: true });
        await expectRetained(context, publisher, context.topic, granted, ['kept', lower]);
      },
    };
  }),
);

/** QoS of the old and of the new retained message. */
const replacements: readonly (readonly [old: QoS, next: 1 | 2])[] = [
  [0, 1],
  [1, 1],
  [1, 2],
  [2, 1],
  [2, 2],
];

const replaced = replacements.map(
  ([old, next]): Case => ({
    id: `qos${next}-replaces-qos${old}`,
    title: `replaces a retained QoS ${old} message by the next one with QoS ${next}`,
    covers: ['v3/3.3.1-5', 'v3/3.3.1-6', 'v5/3.3.1-5', 'v5/3.3.1-9', 'v5/3.3.1.3~last-retained-message'],
    needs: needsQoS(old, next),
    async run(context) {
      const { connect, topic } = context;
      const publisher = await connect();
      await publisher.publish({ topic, payload: 'a longer one, the old one', qos: old, retain: true });
      await publisher.publish({ topic, payload: 'new', qos: next, retain: true });
      await expectRetained(context, publisher, topic, next, 'new');
    },
  }),
);

const storing: readonly Case[] = [
  ...stored,
  ...replaced,
  {
    id: 'replaced-by-another-client',
    title: 'replaces a retained message by that of another client',
    covers: ['v3/3.3.1-5', 'v3/3.3.1-6', 'v5/3.3.1-5', 'v5/3.3.1-9', 'v5/3.3.1.3~last-retained-message'],
    async run(context) {
      const { connect, topic } = context;
      const [one, other] = [await connect(), await connect()];
      for (const [publisher, payload] of [
        [one, '1'],
        [other, '2'],
        [one, '3'],
        [other, '4'],
      ] as const) {
        await publisher.publish({ topic, payload, qos: 1, retain: true });
      }
      await expectRetained(context, other, topic, 0, '4');
    },
  },
  {
    id: 'publisher-gone',
    title: 'keeps a retained message when its publisher and the session of its publisher are gone',
    covers: ['v3/3.3.1-5', 'v3/3.1.2-7', 'v5/3.3.1-5'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('publisher'), clean: false };
      const publisher = await connect(session);
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
      await publisher.disconnect();
      // CleanSession 1 ends the session that was stored.
      await (await connect({ ...session, clean: true, name: 'publisher again' })).disconnect();
      await expectRetained(context, await connect(), topic, 0, 'kept');
    },
  },
  {
    id: 'not-used-up',
    title: 'sends a retained message to every new subscriber, and to a subscriber that was there nothing again',
    covers: ['v3/3.3.1-6', 'v5/3.3.1-9', 'v5/3.3.1.3~last-retained-message'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, first] = [await connect(), await connect()];
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
      await first.subscribe(topic);
      await first.receive({ payload: 'kept' });
      for (let count = 0; count < 3; count++) await expectRetained(context, publisher, topic, 0, 'kept');
      await publisher.publish({ topic, payload: 'fence', qos: 1 });
      await first.receive({ payload: 'fence' });
    },
  },
  {
    id: 'one-for-each-topic',
    title: 'keeps a retained message for each Topic Name, also for those that look alike',
    covers: ['v3/3.3.1-5', 'v3/3.3.1-6', 'v5/3.3.1-5', 'v5/3.3.1-9', 'v5/3.3.1.3~last-retained-message'],
    async run(context) {
      const { connect, topic } = context;
      const publisher = await connect();
      const names = [topic, `${topic}/`, `${topic}//`, `${topic}/a`, `${topic}/A`, `/${topic}`];
      for (const [index, name] of names.entries()) {
        await publisher.publish({ topic: name, payload: String(index), qos: 1, retain: true });
      }
      for (const [index, name] of names.entries()) {
        await expectRetained(context, publisher, name, 0, String(index));
      }
    },
  },
];

// ── For whom ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Topic Filters below the case's own topic, and where the messages are that they bring. */
const matches: readonly (readonly [id: string, filter: string, brings: readonly string[]])[] = [
  ['exact', '/b', ['/b']],
  ['plus', '/+', ['/1', '/2', '/b']],
  ['plus-plus', '/+/+', ['/b/3']],
  ['plus-within', '/b/+/c', ['/b/3/c']],
  ['hash', '/#', places],
  ['hash-below', '/b/#', ['/b', '/b/3', '/b/3/c']],
  ['plus-hash', '/+/3/#', ['/b/3', '/b/3/c']],
  ['nothing', '/c', []],
];

const matching = matches.map(
  ([id, filter, brings]): Case => ({
    id: `brings-${id}`,
    title:
      brings.length === 0
        ? 'sends no retained message for a Topic Filter that matches none'
        : `sends the retained message of each Topic Name that matches topic${filter}, each once`,
    covers:
      brings.length === 0
        ? ['v3/3.3.2-3', 'v5/3.3.2-3']
        : ['v3/3.3.1-6', 'v5/3.3.1-9', 'v5/3.3.1.3~last-retained-message'],
    needs: /[+#]/.test(filter) ? ['qos1', 'wildcards'] : ['qos1'],
    async run(context) {
      const publisher = await retainAll(context, 1);
      const expected = brings.map((place) => `at ${place}`);
      await expectRetained(context, publisher, context.topic + filter, 1, ...expected);
    },
  }),
);

const bringing: readonly Case[] = [
  ...matching,
  {
    id: 'brings-many',
    title: 'sends two hundred retained messages for one subscription, each once',
    covers: ['v3/3.3.1-6', 'v5/3.3.1-9', 'v5/3.3.1.3~last-retained-message'],
    needs: ['wildcards'],
    tags: ['long'],
    async run(context) {
      const { connect, topic } = context;
      const publisher = await connect();
      const all = Array.from({ length: 200 }, (_, index) => String(index));
      await publishTogether(
        context,
        publisher,
        all.map((payload) => ({ topic: `${topic}/${payload}`, payload, retain: true })),
      );
      await expectRetained(context, publisher, `${topic}/+`, 0, ...all);
    },
  },
  {
    id: 'brings-for-each-filter',
    title:
      'sends the retained messages of every Topic Filter in a SUBSCRIBE, once for each filter that matches at most',
    covers: ['v3/3.3.1-6', 'v3/3.8.4-4', 'v5/3.3.1-9', 'v5/3.3.1.3~last-retained-message', 'v5/3.8.4-5'],
    needs: ['wildcards'],
    async run(context) {
      const { connect, topic, fail, notApplicable } = context;
      await retainAll(context, 1);
      const subscriber = await connect();
      const codes = await subscriber.request([`${topic}/1`, 0], [`${topic}/+`, 0], [`${topic}/b/3`, 0]);
      if (codes.some((code) => code >= 0x80)) notApplicable('the broker refuses one of the subscriptions');
      const due: Record<string, number> = { 'at /1': 2, 'at /2': 1, 'at /b': 1, 'at /b/3': 1 };
      const missing = new Set(Object.keys(due));
      const count = (payload: string) => {
        missing.delete(payload);
        const left = (due[payload] ?? 0) - 1;
        if (left < 0)
          fail('each retained message once for each filter that matches', `one copy too many of '${payload}'`);
        due[payload] = left;
      };
      while (missing.size > 0) {
        const message = await subscriber.next();
        if (message?.type !== 'PUBLISH')
          return fail(`the retained message '${[...missing].join(', ')}'`, 'no such message');
        count(text(message.payload));
      }
      await subscriber.fence();
      for (const message of subscriber.waiting) count(text(message.payload));
    },
  },
  {
    id: 'brings-after-unsubscribe',
    title: 'sends a retained message again when a client that unsubscribed subscribes anew',
    covers: ['v3/3.3.1-6', 'v5/3.3.1-9', 'v5/3.3.1.3~last-retained-message'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
      for (let count = 0; count < 2; count++) {
        await subscriber.subscribe(topic);
        await subscriber.receive({ topic, payload: 'kept' });
        await subscriber.unsubscribe(topic);
      }
    },
  },
  ...[byReset, byTakeOver].map(
    (loss): Case => ({
      id: `resumed-brings-nothing-after-${loss.id}`,
      title: `sends no retained message again for the subscriptions of a session that is resumed after ${loss.title}`,
      covers: ['v3/3.3.1-6', 'v5/3.3.1-9', 'v5/3.3.1.3~last-retained-message'],
      needs: ['qos1'],
      async run(context) {
        const { connect, topic, clientId, fail } = context;
        const session = { clientId: clientId('subscriber'), clean: false };
        const [publisher, subscriber] = [await connect(), await connect(session)];
        await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
        await subscriber.subscribe(topic, 1);
        await subscriber.receive({ payload: 'kept' });
        // The PINGRESP tells that the PUBACK was read as well.
        await subscriber.fence();
        await loss.end(subscriber, context);
        const again = await connect({ ...session, name: 'subscriber again' });
        await again.fence();
        await publisher.publish({ topic, payload: 'fence', qos: 1 });
        const message = await again.receive();
        if (text(message.payload) === 'fence') return;
        // What it sent for the subscription it may repeat as it was.
        if (message.retain && !message.dup)
          fail('no message with RETAIN 1 without a new subscription', told(message), 'v3/3.3.1-9', 'v5/3.3.1-12');
        acknowledgedAgain(context);
      },
    }),
  ),
];

// ── RETAIN of what is sent ───────────────────────────────────────────────────────────────────────────────────────────

const live = levels.flatMap((qos): Case[] =>
  (['exact', 'wildcard'] as const).map((filter) => ({
    id: `live-qos${qos}-${filter}`,
    title: `delivers a QoS ${qos} message that came with RETAIN 1 with RETAIN 0 to an established subscription (${filter})`,
    covers: ['v3/3.3.1-9', 'v5/3.3.1-12'],
    needs: filter === 'wildcard' ? ['wildcards', ...needsQoS(qos)] : needsQoS(qos),
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(filter === 'wildcard' ? `${topic}/+` : `${topic}/a`, qos);
      await establish(publisher, subscriber, `${topic}/a`);
      for (const payload of ['first', 'second']) {
        await publisher.publish({ topic: `${topic}/a`, payload, qos, retain: true });
        await subscriber.receive({ payload, retain: false });
      }
    },
  })),
);

const queued = ([1, 2] as const).map(
  (qos): Case => ({
    id: `queued-qos${qos}`,
    title: `delivers a retained QoS ${qos} message that came while the client was away with RETAIN 0, and once`,
    covers: ['v3/3.3.1-9', 'v5/3.3.1-12'],
    needs: needsQoS(qos),
    async run({ connect, topic, clientId }) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await subscriber.subscribe(topic, qos);
      await subscriber.disconnect();
      await publisher.publish({ topic, payload: 'queued', qos, retain: true });
      const again = await connect({ ...session, name: 'subscriber again' });
      await again.receive({ payload: 'queued', retain: false });
      await publisher.publish({ topic, payload: 'fence', qos });
      await again.receive({ payload: 'fence' });
    },
  }),
);

const flag: readonly Case[] = [
  ...live,
  ...queued,
  {
    id: 'live-own',
    title: 'delivers to a client its own message that it sent with RETAIN 1 with RETAIN 0',
    covers: ['v3/3.3.1-9', 'v3/4.5~own-messages', 'v5/3.3.1-12'],
    async run({ connect, topic }) {
      const client = await connect();
      await client.subscribe(topic);
      await establish(client, client, topic);
      await client.publish({ topic, payload: 'own', qos: 1, retain: true });
      await client.receive({ payload: 'own', retain: false });
    },
  },
  {
    id: 'retained-then-live',
    title: 'sends a retained message with RETAIN 1 to a new subscription, and the ones that replace it with RETAIN 0',
    covers: ['v3/3.3.1-8', 'v3/3.3.1-9', 'v5/3.3.1.3~retain-flag-on-subscribe', 'v5/3.3.1-12'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await publisher.publish({ topic, payload: 'old', qos: 1, retain: true });
      await subscriber.subscribe(topic);
      await subscriber.receive({ payload: 'old', retain: true });
      await publisher.publish({ topic, payload: 'new', qos: 1, retain: true });
      await subscriber.receive({ payload: 'new', retain: false });
    },
  },
  {
    id: 'live-redelivered',
    title: 'redelivers a message that came with RETAIN 1 to an established subscription with RETAIN 0',
    covers: ['v3/3.3.1-9', 'v5/3.3.1-12'],
    needs: ['qos1'],
    async run({ connect, topic, clientId, couldNotRun, fail }) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await subscriber.subscribe(topic, 1);
      await establish(publisher, subscriber, topic);
      await publisher.publish({ topic, payload: 'again', qos: 1, retain: true });
      await subscriber.message({ payload: 'again', retain: false });
      subscriber.drop();
      const again = await connect({ ...session, name: 'subscriber again' });
      const message = await again.next();
      // That it comes again is the matter of other cases.
      if (message?.type !== 'PUBLISH') return couldNotRun('the message does not come again');
      if (message.retain) fail('the message again, with RETAIN 0', told(message));
    },
  },
  {
    id: 'resubscribed',
    title: 'sends a retained message with RETAIN 1 for a subscription that takes the place of the same one',
    covers: ['v3/3.3.1-8', 'v5/3.3.1.3~retain-flag-on-subscribe'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
      for (let count = 0; count < 2; count++) {
        await subscriber.subscribe(topic);
        await subscriber.receive({ payload: 'kept', retain: true });
      }
    },
  },
  ...(['plus', 'hash'] as const).map(
    (wildcard): Case => ({
      id: `retained-${wildcard}`,
      title: `sends retained messages with RETAIN 1 for a new subscription with ${wildcard === 'plus' ? '+' : '#'}`,
      covers: ['v3/3.3.1-8', 'v5/3.3.1.3~retain-flag-on-subscribe'],
      needs: ['wildcards'],
      async run({ connect, topic, couldNotRun, fail }) {
        const [publisher, subscriber] = [await connect(), await connect()];
        for (const place of ['/a', '/b']) {
          await publisher.publish({ topic: topic + place, payload: 'kept', qos: 1, retain: true });
        }
        await subscriber.subscribe(topic + (wildcard === 'plus' ? '/+' : '/#'));
        for (let count = 0; count < 2; count++) {
          const message = await subscriber.next();
          // That it is sent is the matter of other cases.
          if (message?.type !== 'PUBLISH') return couldNotRun('no retained message comes');
          if (!message.retain) fail('the retained message with RETAIN 1', told(message));
        }
      },
    }),
  ),
];

// ── QoS 0 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const displaced = levels.map(
  (old): Case => ({
    id: `qos0-displaces-qos${old}`,
    title: `forgets a retained QoS ${old} message for the next one with QoS 0, and keeps that one`,
    covers: ['v3/3.3.1-7', 'v5/3.3.1-5', 'v5/3.3.1.3~retained-qos0'],
    needs: needsQoS(old),
    async run(context) {
      const { connect, topic, fail, nonStrict } = context;
      const publisher = await connect();
      await publisher.publish({ topic, payload: 'old', qos: old, retain: true });
      await publisher.publish({ topic, payload: 'new', qos: 0, retain: true });
      const { messages, complete } = await bringRetained(context, publisher, topic, 0, ['new']);
      const [only, ...more] = messages;
      if (!complete) context.couldNotRun('no retained message comes at all');
      // It should be kept, but may be discarded at any time.
      if (!only) return nonStrict('the retained QoS 0 message is not kept');
      if (text(only.payload) === 'new' && more.length === 0) return;
      fail(['the new message', 'no retained message'], messages.map(told).join(' and '));
    },
  }),
);

export const retain = chapter(
  '3.3.1.3 RETAIN',
  about('what is stored', storing),
  about('what a new subscription brings', bringing),
  about('RETAIN of what is sent', flag),
  about('QoS 0', displaced),
  about('an empty message removes', removing),
  about('what RETAIN 0 leaves alone', untouched),
);
