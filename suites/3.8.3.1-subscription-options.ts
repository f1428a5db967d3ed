/** 3.8.3.1 Subscription Options, and the Subscription Identifier of 3.8.2.1.2 (MQTT 5.0). */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { subscribe } from '../harness/wire/build.ts';
import type { QoS, Subscription } from '../harness/wire/packet.ts';
import { subscriptionIdentifiers } from './3.8.2.1.2-subscription-identifier.ts';
import { needsQoS } from './needs.ts';
import { establish } from './retained.ts';
import type { Peer } from './session.ts';

const levels = [0, 1, 2] as const;

// ── No Local ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * A message of the client's own reaches a witness but not the client: behind it the client gets another one of its own, by a
 * subscription without No Local. Throws Violation.
 */
async function expectNotLocal({ topic, connect }: Context, client: Peer, qos: QoS): Promise<void> {
  const witness = await connect({ name: 'witness' });
  await witness.subscribe(topic, qos);
  await client.subscribe(`${topic}-fence`, qos);
  await client.publish({ topic, payload: 'own', qos });
  await witness.receive({ payload: 'own' });
  await client.publish({ topic: `${topic}-fence`, payload: 'fence', qos });
  await client.receive({ payload: 'fence' });
  await client.expectNothing('no message of its own for a subscription with No Local', 'v5/3.8.3-3');
}

const noLocal: readonly Case[] = [
  ...levels.map(
    (qos): Case => ({
      id: `no-local-qos${qos}`,
      title: `sends a client no QoS ${qos} message of its own for a subscription with No Local, but those of others`,
      covers: ['v5/3.8.3-3'],
      needs: needsQoS(qos),
      async run(context) {
        const { connect, topic } = context;
        const client = await connect({ name: 'client' });
        await client.subscribe(topic, qos, { noLocal: true });
        await expectNotLocal(context, client, qos);
        await (await connect({ name: 'other' })).publish({ topic, payload: 'of another client', qos });
        await client.receive({ payload: 'of another client', qos });
      },
    }),
  ),
  {
    id: 'no-local-wildcard',
    title: 'sends a client no message of its own for a subscription with a wildcard and No Local',
    covers: ['v5/3.8.3-3'],
    needs: ['wildcards'],
    async run(context) {
      const client = await context.connect({ name: 'client' });
      await client.subscribe(`${context.topic}/#`, 0, { noLocal: true });
      await expectNotLocal(context, client, 0);
    },
  },
  {
    id: 'no-local-after-resumption',
    title: 'keeps No Local with the subscription in the session',
    covers: ['v5/3.8.3-3'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('client'), clean: false };
      const client = await connect({ ...session, name: 'client' });
      await client.subscribe(topic, 0, { noLocal: true });
      await client.disconnect();
      await expectNotLocal(context, await connect({ ...session, name: 'client again' }), 0);
    },
  },
  {
    id: 'no-local-on-next-connection',
    title: 'sends what a client published on one connection neither on its next one when it has No Local',
    covers: ['v5/3.8.3-3'],
    needs: ['qos1'],
    async run({ connect, topic, clientId }) {
      const session = { clientId: clientId('client'), clean: false };
      const [client, other] = [await connect({ ...session, name: 'client' }), await connect({ name: 'other' })];
      await client.subscribe(topic, 1, { noLocal: true });
      await other.subscribe(topic, 1);
      await client.publish({ topic, payload: 'own', qos: 1 });
      client.drop();
      await other.receive({ payload: 'own' });
      const again = await connect({ ...session, name: 'client again' });
      await other.publish({ topic, payload: 'of another client', qos: 1 });
      await again.receive({ payload: 'of another client' });
    },
  },
  {
    id: 'no-local-overlapping',
    title: 'sends a client its own message once when one of two subscriptions that match has No Local',
    covers: ['v5/3.8.3-3'],
    needs: ['wildcards'],
    async run({ connect, topic }) {
      const client = await connect({ name: 'client' });
      await client.subscribe(`${topic}/#`, 0, { noLocal: true });
      await client.subscribe(`${topic}/b`, 0);
      for (const payload of ['own', 'fence']) {
        await client.publish({ topic: `${topic}/b`, payload });
        await client.receive({ payload });
      }
      await client.expectNothing('each message once: one of the subscriptions has No Local', 'v5/3.8.3-3');
    },
  },
  {
    id: 'no-local-set-later',
    title: 'takes No Local from the subscription that replaces another one',
    covers: ['v5/3.8.3-3', 'v5/3.8.4-3'],
    async run(context) {
      const client = await context.connect({ name: 'client' });
      await client.subscribe(context.topic, 0);
      await client.subscribe(context.topic, 0, { noLocal: true });
      await expectNotLocal(context, client, 0);
    },
  },
  {
    id: 'no-local-taken-back',
    title: 'sends a client its own messages again when a subscription without No Local replaces the one with it',
    covers: ['v5/3.8.4-3'],
    async run({ connect, topic }) {
      const client = await connect({ name: 'client' });
      await client.subscribe(topic, 0, { noLocal: true });
      await client.subscribe(topic, 0);
      await client.publish({ topic, payload: 'own', qos: 1 });
      await client.receive({ payload: 'own' });
    },
  },
];

// ── Retain As Published ──────────────────────────────────────────────────────────────────────────────────────────────

/** RETAIN of what is published, one after the other: an established subscription sees no retained message. */
const flags = [true, false, true];

const asPublished = levels.flatMap((qos): Case[] =>
  (['live', 'queued', 'resumed'] as const)
    .filter((way) => way !== 'queued' || qos > 0)
    .map((way) => ({
      id: `retain-as-published-qos${qos}-${way}`,
      title: `delivers QoS ${qos} messages with the RETAIN that they came with to a subscription with Retain As Published${way === 'queued' ? ', after the client was away' : way === 'resumed' ? ' of a session that is resumed' : ''}`,
      covers: ['v5/3.3.1-13'],
      needs: ['retain', ...needsQoS(qos)],
      async run({ connect, topic, clientId }) {
        const session = { clientId: clientId('subscriber'), clean: way === 'live' };
        const [publisher, subscriber] = [await connect(), await connect(session)];
        // No retained message comes in between, however late the broker looks for one.
        await subscriber.subscribe(topic, qos, { retainAsPublished: true, retainHandling: 2 });
        let receiver = subscriber;
        const again = async () => {
          receiver = await connect({ ...session, name: 'subscriber again' });
        };
        if (way !== 'live') await subscriber.disconnect();
        if (way === 'resumed') await again();
        const all = flags.map((retain, index) => ({ topic, payload: String(index), qos, retain }));
        for (const message of all) await publisher.publish(message);
        if (way === 'queued') await again();
        for (const { payload, retain } of all) await receiver.receive({ payload, retain });
      },
    })),
);

const published: readonly Case[] = [
  ...asPublished,
  {
    id: 'retain-as-published-for-one-client',
    title:
      'delivers one message with RETAIN 1 to a subscription with Retain As Published, with RETAIN 0 to one without',
    covers: ['v5/3.3.1-12', 'v5/3.3.1-13'],
    needs: ['retain'],
    async run({ connect, topic }) {
      const [publisher, one, other] = [await connect(), await connect(), await connect()];
      await one.subscribe(topic, 0, { retainAsPublished: true });
      await other.subscribe(topic, 0);
      await establish(publisher, one, topic);
      await other.receive({ payload: 'established?' });
      await publisher.publish({ topic, payload: 'm', qos: 1, retain: true });
      await one.receive({ payload: 'm', retain: true });
      await other.receive({ payload: 'm', retain: false });
    },
  },
  {
    id: 'retain-as-published-empty',
    title:
      'delivers an empty message that removes a retained one with RETAIN 1 to a subscription with Retain As Published',
    covers: ['v5/3.3.1-13', 'v5/3.3.1-6'],
    needs: ['retain'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, 0, { retainAsPublished: true });
      await establish(publisher, subscriber, topic);
      for (const payload of ['kept', '']) {
        await publisher.publish({ topic, payload, qos: 1, retain: true });
        await subscriber.receive({ payload, retain: true });
      }
    },
  },
  ...[false, true].map(
    (retainAsPublished): Case => ({
      id: `retained-with-retain-as-published-${Number(retainAsPublished)}`,
      title: `sends a retained message with RETAIN 1 for a new subscription with Retain As Published ${Number(retainAsPublished)}`,
      covers: ['v5/3.3.1.3~retain-flag-on-subscribe'],
      needs: ['retain'],
      async run({ connect, topic }) {
        const [publisher, subscriber] = [await connect(), await connect()];
        await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
        await subscriber.subscribe(topic, 0, { retainAsPublished });
        await subscriber.receive({ payload: 'kept', retain: true });
      },
    }),
  ),
  ...[false, true].map(
    (next): Case => ({
      id: `retain-as-published-${next ? 'set-later' : 'taken-back'}`,
      title: `takes Retain As Published ${Number(next)} from the subscription that replaces another one`,
      covers: ['v5/3.8.4-3', next ? 'v5/3.3.1-13' : 'v5/3.3.1-12'],
      needs: ['retain'],
      async run({ connect, topic }) {
        const [publisher, subscriber] = [await connect(), await connect()];
        await subscriber.subscribe(topic, 0, { retainAsPublished: !next });
        await subscriber.subscribe(topic, 0, { retainAsPublished: next });
        await establish(publisher, subscriber, topic);
        await publisher.publish({ topic, payload: 'm', qos: 1, retain: true });
        await subscriber.receive({ payload: 'm', retain: next });
      },
    }),
  ),
  {
    id: 'all-options-replaced',
    title:
      'delivers by all options of the subscription that replaces another one, once, and ends it by one UNSUBSCRIBE',
    covers: ['v5/3.8.4-3'],
    needs: ['qos2', 'retain'],
    async run({ connect, topic }) {
      const [publisher, client] = [await connect(), await connect()];
      await client.subscribe(topic, 2);
      await client.subscribe(topic, 0, { noLocal: true, retainAsPublished: true, retainHandling: 2 });
      await establish(publisher, client, topic);
      await publisher.publish({ topic, payload: 'm', qos: 2, retain: true });
      await client.receive({ payload: 'm', qos: 0, retain: true });
      await client.subscribe(`${topic}-fence`);
      await client.publish({ topic, payload: 'own', qos: 1 });
      await client.publish({ topic: `${topic}-fence`, payload: 'fence', qos: 1 });
      await client.receive({ payload: 'fence' });
      await client.unsubscribe(topic);
      for (const name of [topic, `${topic}-fence`]) await publisher.publish({ topic: name, payload: 'after', qos: 1 });
      await client.receive({ topic: `${topic}-fence`, payload: 'after' });
      await client.expectNothing('nothing for the subscription that has ended', 'v5/3.8.4-3');
    },
  },
];

// ── Retain Handling ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What a client does, and whether that brings the retained message. */
type Step =
  | {
      readonly does: 'SUBSCRIBE';
      readonly options: Partial<Subscription>;
      readonly brings: boolean;
    }
  | { readonly does: 'UNSUBSCRIBE' | 'resume' | 'start anew' };

function brings(options: Partial<Subscription>): Step {
  return { does: 'SUBSCRIBE', options, brings: true };
}

function bringsNothing(options: Partial<Subscription>): Step {
  return { does: 'SUBSCRIBE', options, brings: false };
}

const [always, ifNew, never] = [{ retainHandling: 0 }, { retainHandling: 1 }, { retainHandling: 2 }] as const;

interface Handling {
  readonly id: string;
  readonly title: string;
  readonly covers: Case['covers'];
  readonly steps: readonly Step[];
  readonly needs?: Case['needs'];
}

const handling: readonly Handling[] = [
  {
    id: 'always',
    title: 'sends the retained message for every SUBSCRIBE with Retain Handling 0, also after UNSUBSCRIBE',
    covers: ['v5/3.3.1-9', 'v5/3.8.4-4'],
    steps: [
      brings(always),
      brings(always),
      brings({ ...always, noLocal: true }),
      { does: 'UNSUBSCRIBE' },
      brings(always),
    ],
  },
  {
    id: 'always-after-others',
    title: 'sends the retained message for Retain Handling 0 where the subscription was made with 1 or 2',
    covers: ['v5/3.3.1-9', 'v5/3.8.4-4'],
    steps: [bringsNothing(never), brings(always), bringsNothing(ifNew), brings(always)],
  },
  {
    id: 'if-new',
    title: 'sends the retained message for Retain Handling 1 when the subscription is new, and not when it exists',
    covers: ['v5/3.3.1-10'],
    steps: [brings(ifNew), bringsNothing(ifNew), bringsNothing(ifNew)],
  },
  {
    id: 'if-new-other-qos',
    title: 'sends no retained message for Retain Handling 1 when only the QoS of the subscription changes',
    covers: ['v5/3.3.1-10'],
    steps: [brings(ifNew), bringsNothing({ ...ifNew, qos: 1 }), bringsNothing(ifNew)],
    needs: ['qos1'],
  },
  {
    id: 'if-new-other-options',
    title: 'sends no retained message for Retain Handling 1 when only other options of the subscription change',
    covers: ['v5/3.3.1-10'],
    steps: [
      brings(ifNew),
      bringsNothing({ ...ifNew, noLocal: true }),
      bringsNothing({ ...ifNew, retainAsPublished: true }),
    ],
  },
  {
    id: 'if-new-after-others',
    title: 'sends no retained message for Retain Handling 1 where the subscription was made with 0 or 2',
    covers: ['v5/3.3.1-10'],
    steps: [bringsNothing(never), bringsNothing(ifNew), { does: 'UNSUBSCRIBE' }, brings(always), bringsNothing(ifNew)],
  },
  {
    id: 'if-new-after-unsubscribe',
    title: 'sends the retained message for Retain Handling 1 again after UNSUBSCRIBE',
    covers: ['v5/3.3.1-10'],
    steps: [brings(ifNew), { does: 'UNSUBSCRIBE' }, brings(ifNew), bringsNothing(ifNew)],
  },
  {
    id: 'if-new-after-resumption',
    title: 'sends no retained message for Retain Handling 1 when the subscription is that of a session that is resumed',
    covers: ['v5/3.3.1-10'],
    steps: [brings(ifNew), { does: 'resume' }, bringsNothing(ifNew)],
  },
  {
    id: 'if-new-after-clean-start',
    title: 'sends the retained message for Retain Handling 1 in a new session of a client that had the subscription',
    covers: ['v5/3.3.1-10'],
    steps: [brings(ifNew), { does: 'start anew' }, brings(ifNew)],
  },
  {
    id: 'never',
    title: 'sends no retained message for Retain Handling 2, whether the subscription is new or exists',
    covers: ['v5/3.3.1-11'],
    steps: [
      bringsNothing(never),
      bringsNothing(never),
      { does: 'UNSUBSCRIBE' },
      bringsNothing({ ...never, retainAsPublished: true }),
    ],
  },
  {
    id: 'never-after-resumption',
    title: 'sends no retained message for Retain Handling 2 in a session that is resumed',
    covers: ['v5/3.3.1-11'],
    steps: [brings(always), { does: 'resume' }, bringsNothing(never)],
  },
];

/** A subscription to a topic of its own, which brings what is retained there behind all that is due before. */
async function subscribeToFence(
  { topic }: Context,
  publisher: Peer,
  subscriber: Peer,
  number: number,
): Promise<string> {
  const fence = `${topic}-fence/${number}`;
  await publisher.publish({ topic: fence, payload: 'fence', qos: 1, retain: true });
  await subscriber.subscribe(fence);
  return fence;
}

async function judgeBrought(context: Context, subscriber: Peer, due: boolean, fence: string): Promise<void> {
  const { topic, fail } = context;
  // A server may look for what matches each filter on its own, so the two may come in any order.
  const missing = new Set(due ? [topic, fence] : [fence]);
  while (missing.size > 0) {
    const message = await subscriber.receive({ retain: true });
    if (!missing.delete(message.topic)) fail(due ? 'the retained message once' : 'no retained message', 'a PUBLISH');
  }
  await subscriber.expectNothing(due ? 'the retained message once' : 'no retained message');
}

function handles({ id, title, covers, steps, needs = [] }: Handling): Case {
  return {
    id: `retain-handling-${id}`,
    title,
    covers,
    needs: ['retain', ...needs],
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const publisher = await connect();
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
      let subscriber = await connect({ ...session, name: 'subscriber' });
      for (const [number, step] of steps.entries()) {
        if (step.does === 'SUBSCRIBE') {
          const { qos = 0, ...options } = step.options;
          await subscriber.subscribe(topic, qos, options);
          const fence = await subscribeToFence(context, publisher, subscriber, number);
          await judgeBrought(context, subscriber, step.brings, fence);
        } else if (step.does === 'UNSUBSCRIBE') {
          await subscriber.unsubscribe(topic);
        } else {
          await subscriber.disconnect();
          subscriber = await connect({ ...session, clean: step.does === 'start anew', name: step.does });
        }
      }
    },
  };
}

const retainHandling: readonly Case[] = [
  ...handling.map(handles),
  {
    id: 'retain-handling-if-new-other-filter',
    title: 'sends the retained message for Retain Handling 1 and a new filter, although another one brought it already',
    covers: ['v5/3.3.1-10'],
    needs: ['retain', 'wildcards'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await publisher.publish({ topic: `${topic}/a`, payload: 'kept', qos: 1, retain: true });
      for (const filter of [`${topic}/a`, `${topic}/+`, `${topic}/#`]) {
        await subscriber.subscribe(filter, 0, ifNew);
        await subscriber.receive({ payload: 'kept', retain: true });
      }
    },
  },
  {
    id: 'retain-handling-if-new-twice-in-one',
    title: 'sends the retained message once for a SUBSCRIBE that names a filter twice with Retain Handling 1',
    covers: ['v5/3.8.4-5'],
    needs: ['retain'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
      await subscriber.request({ filter: topic, qos: 0, ...ifNew }, { filter: topic, qos: 0, ...ifNew });
      await judgeBrought(context, subscriber, true, await subscribeToFence(context, publisher, subscriber, 1));
    },
  },
  {
    id: 'retain-handling-of-each-filter',
    title: 'follows the Retain Handling of each filter in a SUBSCRIBE',
    covers: ['v5/3.3.1-9', 'v5/3.3.1-10', 'v5/3.3.1-11', 'v5/3.8.4-5'],
    needs: ['retain'],
    async run(context) {
      const { connect, topic, fail } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      const names = ['never', 'always', 'if new'].map((level) => `${topic}/${level}`);
      for (const name of names) await publisher.publish({ topic: name, payload: 'kept', qos: 1, retain: true });
      const options = [never, always, ifNew];
      await subscriber.request(...names.map((filter, index) => ({ filter, qos: 0 as QoS, ...options[index] })));
      const fence = await subscribeToFence(context, publisher, subscriber, 1);
      const missing = new Set([...names.slice(1), fence]);
      while (missing.size > 0) {
        const { topic: name } = await subscriber.receive({ retain: true });
        if (!missing.delete(name)) fail('the retained messages that are due, each once', `another one to ${name}`);
      }
      await subscriber.expectNothing('the retained messages that are due, each once');
    },
  },
  {
    id: 'retain-handling-never-then-live',
    title: 'delivers what is published later, with RETAIN 1 as well, for a subscription with Retain Handling 2',
    covers: ['v5/3.3.1-11', 'v5/3.3.1-12'],
    needs: ['retain'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
      subscriber.send(subscribe(1, { filter: topic, qos: 0, ...never }));
      await subscriber.expect('SUBACK', { packetId: 1 });
      await publisher.publish({ topic, payload: 'live', qos: 1, retain: true });
      await subscriber.receive({ payload: 'live', retain: false });
    },
  },
];

export const subscriptionOptions = chapter(
  '3.8.3.1 Subscription Options',
  section('3.8.2.1.2 Subscription Identifier', subscriptionIdentifiers),
  section('3.8.3.1 Subscription Options: No Local', noLocal),
  section('3.8.3.1 Subscription Options: Retain As Published', published),
  section('3.8.3.1 Subscription Options: Retain Handling', retainHandling),
);
