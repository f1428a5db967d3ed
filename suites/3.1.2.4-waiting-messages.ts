/** 3.1.2.4 Clean Session, Clean Start: what waits for a client that is away. */

import type { Case, Context } from '../harness/case.ts';
import { text } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { receiveBehind } from './held.ts';
import { byDisconnect, type ConnectOptions, type Ending, publishRouted } from './session.ts';

/** A session of the case's client. */
export function sessionOf({ clientId }: Context, clean: boolean, ending: Ending = byDisconnect): ConnectOptions {
  return { clientId: clientId(), clean, ...(ending.keepAlive && { keepAlive: ending.keepAlive }) };
}

// ── Messages for absent clients ──────────────────────────────────────────────────────────────────────────────────────

interface Matching {
  readonly subscribed: 1 | 2;
  readonly published: 1 | 2;
  readonly filter: 'exact' | '+' | '#';
}

const matchings: readonly Matching[] = ([1, 2] as const).flatMap((subscribed) =>
  ([1, 2] as const).flatMap((published) =>
    (['exact', '+', '#'] as const).map((filter) => ({ subscribed, published, filter })),
  ),
);

const filterSlugs = { exact: 'exact', '+': 'plus', '#': 'hash' } as const;

export const queues: readonly Case[] = [
  ...matchings.map(
    ({ subscribed, published, filter }): Case => ({
      id: `queued-${filterSlugs[filter]}-subscribed-qos${subscribed}-published-qos${published}`,
      title: `delivers QoS ${published} messages in order to a client that was away, subscribed with QoS ${subscribed} to ${filter === 'exact' ? 'the topic' : `a filter with ${filter}`}`,
      covers:
        published > subscribed
          ? ['v3/3.1.2-5', 'v3/3.8.4-6', 'v5/4.1~session-state-parts', 'v5/3.8.4-8']
          : ['v3/3.1.2-5', 'v5/4.1~session-state-parts'],
      needs: [`qos${subscribed}`, `qos${published}`, ...(filter === 'exact' ? [] : (['wildcards'] as const))],
      async run(context) {
        const { connect } = context;
        const topic = `${context.topic}/level`;
        const session = sessionOf(context, false);
        const client = await context.connect(session);
        await client.subscribe(filter === 'exact' ? topic : `${context.topic}/${filter}`, subscribed);
        await client.disconnect();
        const publisher = await connect({ name: 'publisher' });
        const payloads = ['first', 'second', 'third'];
        for (const payload of payloads) await publisher.publish({ topic, payload, qos: published });
        const again = await context.connect(session);
        const qos = Math.min(subscribed, published) as QoS;
        for (const payload of payloads) await again.receive({ topic, payload, qos, retain: false });
      },
    }),
  ),
  {
    id: 'queued-messages-arrive-once',
    title: 'delivers what waited for a client once, and does not repeat it when the client comes back again',
    covers: ['v3/3.1.2-5', 'v5/4.1~session-state-parts'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic } = context;
      const session = sessionOf(context, false);
      const publisher = await connect({ name: 'publisher' });
      const payloads = Array.from({ length: 20 }, (_, index) => `message ${index + 1}`);
      const first = await context.connect(session);
      await first.subscribe(topic, 1);
      await first.disconnect();
      for (const payload of payloads) await publisher.publish({ topic, payload, qos: 1 });
      const second = await context.connect(session);
      for (const payload of payloads) await second.receive({ topic, payload });
      await second.fence();
      await second.disconnect();
      const third = await context.connect(session);
      await publisher.publish({ topic, payload: 'fence', qos: 1 });
      await receiveBehind(context, third, (payload) => payloads.includes(payload), 'fence');
    },
  },
  {
    id: 'queued-for-each-client',
    title: 'lets messages wait for each of several absent clients',
    covers: ['v3/3.1.2-5', 'v5/4.1~session-state-parts'],
    needs: ['qos1'],
    async run(context) {
      const { connect, clientId, topic } = context;
      const sessions = ['a', 'b', 'c'].map((name) => ({ clientId: clientId(name), clean: false, name }));
      for (const session of sessions) {
        const client = await connect(session);
        await client.subscribe(topic, 1);
        await client.disconnect();
      }
      const publisher = await connect({ name: 'publisher' });
      for (const payload of ['first', 'second']) await publisher.publish({ topic, payload, qos: 1 });
      for (const session of sessions) {
        const again = await context.connect(session);
        for (const payload of ['first', 'second']) await again.receive({ topic, payload, qos: 1 });
      }
    },
  },
  {
    id: 'unsubscribed-is-not-queued',
    title: 'lets no message wait for a client that has unsubscribed before it left',
    covers: ['v3/3.10.4-2', 'v5/3.10.4-2'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic } = context;
      const session = sessionOf(context, false);
      const author = await connect({ name: 'author' });
      await author.subscribe(topic, 1);
      const client = await context.connect(session);
      await client.subscribe(topic, 1);
      await client.unsubscribe(topic);
      await client.disconnect();
      await publishRouted(author, { topic, payload: 'unwanted', qos: 1 });
      const again = await context.connect(session);
      await again.subscribe(topic, 1);
      await author.publish({ topic, payload: 'fence', qos: 1 });
      await again.receive({ topic, payload: 'fence' });
    },
  },
  ...(
    [
      [0, 0],
      [0, 1],
      [1, 0],
    ] as const
  ).map(
    ([subscribed, published]): Case => ({
      id: `qos0-offline-subscribed-qos${subscribed}-published-qos${published}`,
      title: `keeps a QoS ${published} message for an absent client that subscribed with QoS ${subscribed}, or drops it`,
      covers: ['v3/3.1.2.4~qos0-stored-offline', 'v5/4.1~qos0-stored-offline'],
      needs: subscribed + published > 0 ? ['qos1'] : [],
      async run(context) {
        const { connect, topic, fail, trait } = context;
        const session = sessionOf(context, false);
        const author = await connect({ name: 'author' });
        await author.subscribe(topic, published);
        const client = await context.connect(session);
        await client.subscribe(topic, subscribed);
        await client.disconnect();
        await publishRouted(author, { topic, payload: 'while away', qos: published });
        const again = await context.connect(session);
        await author.publish({ topic, payload: 'fence', qos: published });
        let copies = 0;
        for (;;) {
          const message = await again.receive({ topic, qos: 0, retain: false });
          if (text(message.payload) === 'fence') break;
          copies++;
        }
        if (copies > 1) fail('the message once or not at all', `${copies} copies`);
        trait('QoS 0 messages for absent clients', copies === 1 ? 'kept' : 'dropped');
      },
    }),
  ),
];
