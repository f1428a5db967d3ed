/** 3.1.2.6 Will QoS and 3.1.2.7 Will Retain: a will is delivered, kept and retained like any message. */

import { type Case, type Context, section } from '../harness/case.ts';
import { text } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { needsQoS } from './needs.ts';
import type { Peer } from './session.ts';
import { closesOn, expectNotRetained, flags, watch, willTo } from './will.ts';

// ── 3.1.2.6: Will QoS ────────────────────────────────────────────────────────────────────────────────────────────────

const levels: readonly QoS[] = [0, 1, 2];
const likeAnyMessage = 'v3/3.1.2.6~will-delivered-like-any-message';

/** What a will of this QoS breaks towards a subscription of that QoS when it arrives at another QoS, or not at all. */
function qosRules(will: QoS, granted: QoS): Case['covers'] {
  if (will === 0) return ['v3/3.1.2-8', 'v5/3.1.2-7', 'v5/3.1.2-8'];
  if (granted === 0) return ['v3/3.8.4-6', 'v5/3.8.4-8'];
  return granted < will ? [likeAnyMessage, 'v3/3.8.4-6'] : [likeAnyMessage];
}

const delivered: readonly Case[] = levels.flatMap((will) =>
  levels.map(
    (granted): Case => ({
      id: `will-${will}-subscription-${granted}`,
      title: `delivers a QoS ${will} will with QoS ${Math.min(will, granted)} to a subscription of QoS ${granted}`,
      covers: qosRules(will, granted),
      needs: needsQoS(will, granted),
      async run({ connect, topic, fail }) {
        const subscriber = await connect();
        await subscriber.subscribe(topic, granted);
        const client = await connect({ will: willTo(topic, { qos: will }) });
        client.drop();
        const { qos } = await subscriber.receive({ topic, payload: 'will', dup: false, retain: false });
        const due = Math.min(will, granted);
        if (qos !== due) fail(`the will with QoS ${due}`, `the will with QoS ${qos}`, likeAnyMessage);
      },
    }),
  ),
);

const queued: readonly Case[] = ([1, 2] as const).map(
  (qos): Case => ({
    id: `queued-qos-${qos}`,
    title: `keeps a QoS ${qos} will for a subscriber that is away (CleanSession 0)`,
    covers: [likeAnyMessage],
    needs: needsQoS(qos),
    async run(context) {
      const { connect, topic, clientId } = context;
      const away = { clientId: clientId('subscriber'), clean: false };
      const subscriber = await connect(away);
      await subscriber.subscribe(topic, qos);
      await subscriber.disconnect();
      const watcher = await watch(context, topic);
      const client = await connect({ will: willTo(topic, { qos }) });
      client.drop();
      await watcher.receive({ payload: 'will' });
      const again = await connect({ ...away, name: 'subscriber again' });
      await again.receive({ topic, payload: 'will', qos });
    },
  }),
);

export const willQoS = section('3.1.2.6 Will QoS', [
  ...delivered,
  ...queued,
  {
    id: 'own-stored-session',
    title: 'keeps a will for the stored session of its own client, which is subscribed to the Will Topic',
    covers: [likeAnyMessage],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const watcher = await watch(context, topic);
      const self = { clientId: clientId('self'), clean: false };
      const client = await connect({ ...self, will: willTo(topic) });
      await client.subscribe(topic, 1);
      client.drop();
      await watcher.receive({ payload: 'will' });
      const again = await connect({ ...self, name: 'self again' });
      await again.receive({ topic, payload: 'will', qos: 1 });
    },
  },
  {
    id: 'every-subscriber',
    title: 'delivers a will to every matching subscription, those with wildcards included',
    covers: [likeAnyMessage, 'v3/4.5.0-1'],
    needs: ['qos1', 'wildcards'],
    async run({ connect, topic }) {
      const filters = [`${topic}/a/b`, `${topic}/+/b`, `${topic}/a/+`, `${topic}/#`];
      const subscribers: Peer[] = [];
      for (const filter of filters) {
        const subscriber = await connect({ name: `subscriber to ${filter.slice(topic.length + 1)}` });
        await subscriber.subscribe(filter, 1);
        subscribers.push(subscriber);
      }
      const client = await connect({ will: willTo(`${topic}/a/b`) });
      client.drop();
      for (const subscriber of subscribers) {
        await subscriber.receive({ topic: `${topic}/a/b`, payload: 'will', qos: 1 });
      }
    },
  },
  ...closesOn(
    ['v3/3.1.2-13', 'v3/3.1.2-11', 'v3/3.1.4-1'],
    ['qos-1-without-will-flag', 'Will QoS 1 and Will Flag 0', undefined, flags(0x08)],
    ['qos-2-without-will-flag', 'Will QoS 2 and Will Flag 0', undefined, flags(0x10)],
    ['qos-3-without-will-flag', 'Will QoS 3 and Will Flag 0', undefined, flags(0x18)],
  ),
  ...closesOn(
    ['v3/3.1.2-14', 'v3/3.1.4-1'],
    ['qos-3', 'Will QoS 3', { qos: 0 }, flags(0x18)],
    ['qos-3-retained', 'Will QoS 3 and Will Retain 1', { qos: 0, retain: true }, flags(0x18)],
  ),
]);

// ── 3.1.2.7: Will Retain ─────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Makes a new subscription and returns its client, which holds the retained message if there is one. Storing and deleting may
 * lag behind the delivery to others: unless its payload is as hoped for, others are made for about a second.
 */
async function lateSubscriber(
  { connect, topic }: Context,
  qos: QoS,
  hoped: (payload: string | undefined) => boolean,
): Promise<Peer> {
  for (let tries = 20; ; tries--) {
    const late = await connect({ name: `late subscriber ${tries}` });
    await late.subscribe(topic, qos);
    await late.fence();
    const [retained] = late.waiting;
    if (tries === 0 || hoped(retained && text(retained.payload))) return late;
    await late.isClosed(50);
    late.drop();
  }
}

/** Stores a retained message before there is a will. */
async function retainBefore(context: Context): Promise<void> {
  const { connect, topic, couldNotRun } = context;
  const publisher = await connect({ name: 'publisher' });
  await publisher.publish({ topic, payload: 'before', qos: 1, retain: true });
  const late = await lateSubscriber(context, 1, (payload) => payload === 'before');
  if (late.waiting.length === 0) couldNotRun('the broker does not retain the message of the set-up');
}

export const willRetain = section('3.1.2.7 Will Retain', [
  ...levels.map(
    (qos): Case => ({
      id: `not-retained-qos-${qos}`,
      title: `publishes a QoS ${qos} will with Will Retain 0 as a message that is not retained`,
      covers: ['v3/3.1.2-16', 'v5/3.1.2-14'],
      needs: needsQoS(qos),
      async run(context) {
        const { connect, topic } = context;
        const watcher = await watch(context, topic);
        const client = await connect({ will: willTo(topic, { qos }) });
        client.drop();
        await watcher.receive({ topic, payload: 'will', retain: false });
        await expectNotRetained(context);
      },
    }),
  ),
  {
    id: 'retained-message-untouched',
    title: 'leaves the retained message of the topic as it is when a will with Will Retain 0 is published',
    covers: ['v3/3.1.2-16', 'v5/3.1.2-14'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic } = context;
      await retainBefore(context);
      const watcher = await watch(context, topic);
      await watcher.receive({ topic, payload: 'before' });
      const client = await connect({ will: willTo(topic) });
      client.drop();
      await watcher.receive({ topic, payload: 'will', retain: false });
      const late = await lateSubscriber(context, 1, (payload) => payload === 'before');
      await late.receive({ topic, payload: 'before' });
    },
  },
  ...([1, 2] as const).map(
    (qos): Case => ({
      id: `retained-qos-${qos}`,
      title: `publishes a QoS ${qos} will with Will Retain 1 and retains it`,
      covers: ['v3/3.1.2-17', 'v5/3.1.2-15'],
      needs: needsQoS(qos),
      async run(context) {
        const { connect, topic, fail } = context;
        const watcher = await watch(context, topic);
        const client = await connect({ will: willTo(topic, { qos, retain: true }) });
        client.drop();
        await watcher.receive({ topic, payload: 'will', retain: false });
        const late = await lateSubscriber(context, qos, (payload) => payload === 'will');
        const message = await late.receive({ topic, payload: 'will', qos });
        if (!message.retain)
          fail(
            'the retained will with RETAIN 1',
            'the retained will with RETAIN 0',
            'v3/3.3.1-8',
            'v5/3.3.1.3~retain-flag-on-subscribe',
          );
      },
    }),
  ),
  {
    id: 'retained-qos-0',
    title: 'lets a QoS 0 will with Will Retain 1 take the place of the retained message of the topic',
    covers: ['v3/3.1.2-17', 'v3/3.3.1-7', 'v5/3.1.2-15', 'v5/3.3.1-5', 'v5/3.3.1.3~retained-qos0'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic, trait } = context;
      await retainBefore(context);
      const watcher = await watch(context, topic);
      await watcher.receive({ payload: 'before' });
      const client = await connect({ will: willTo(topic, { qos: 0, retain: true }) });
      client.drop();
      await watcher.receive({ topic, payload: 'will', retain: false });
      // The server should keep it, and may drop it at any time.
      const late = await lateSubscriber(context, 1, (payload) => payload !== 'before');
      const [kept] = late.waiting;
      trait('retained QoS 0 will', kept ? 'kept' : 'not kept');
      if (kept) await late.receive({ topic, payload: 'will', qos: 0 });
    },
  },
  {
    id: 'empty-deletes-retained',
    title: 'publishes an empty will with Will Retain 1, which deletes the retained message of the topic',
    covers: ['v3/3.1.2-17', 'v3/3.3.1-10', 'v5/3.1.2-15', 'v5/3.3.1-6'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic } = context;
      await retainBefore(context);
      const watcher = await watch(context, topic);
      await watcher.receive({ payload: 'before' });
      const client = await connect({ will: willTo(topic, { payload: '', retain: true }) });
      client.drop();
      await watcher.receive({ topic, payload: '', retain: false });
      const late = await lateSubscriber(context, 1, (payload) => payload === undefined);
      await late.publish({ topic, payload: 'live' });
      await late.receive({ payload: 'live', retain: false });
    },
  },
  ...closesOn(
    ['v3/3.1.2-15', 'v3/3.1.2-11', 'v3/3.1.4-1'],
    ['retain-without-will-flag', 'Will Retain 1 and Will Flag 0', undefined, flags(0x20)],
    ['retain-without-will-flag-stored', 'Will Retain 1, Will Flag 0, CleanSession 0', undefined, flags(0x20 - 0x02)],
  ),
]);
