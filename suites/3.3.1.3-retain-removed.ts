/** 3.3.1.3 RETAIN: what removes a retained message, and what leaves it alone. */

import type { Case } from '../harness/case.ts';
import { needsQoS } from './needs.ts';
import { expectRetained, places, retainAll } from './retained.ts';

const levels = [0, 1, 2] as const;

// ── Removing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const removed = levels.map(
  (qos): Case => ({
    id: `empty-qos${qos}-removes`,
    title: `removes a retained message when an empty one comes with QoS ${qos} and RETAIN 1, and delivers that with RETAIN 0`,
    covers: [
      'v3/3.3.1-10',
      'v3/3.3.1-11',
      'v3/3.3.1.3~empty-retained-forwarded',
      'v5/3.3.1-6',
      'v5/3.3.1-7',
      'v5/3.3.1-12',
    ],
    needs: needsQoS(qos),
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await publisher.publish({ topic, payload: 'old', qos: 1, retain: true });
      await subscriber.subscribe(topic, qos);
      await subscriber.receive({ payload: 'old' });
      await publisher.publish({ topic, qos, retain: true });
      await subscriber.receive({ topic, payload: '', retain: false });
      await expectRetained(context, publisher, topic, qos);
    },
  }),
);

const nothingToRemove = levels.map(
  (qos): Case => ({
    id: `empty-qos${qos}-is-not-stored`,
    title: `stores no empty message that comes with QoS ${qos} and RETAIN 1 where none is retained, but delivers it`,
    covers: [
      'v3/3.3.1-10',
      'v3/3.3.1-11',
      'v3/3.3.1.3~empty-retained-forwarded',
      'v5/3.3.1-6',
      'v5/3.3.1-7',
      'v5/3.3.1-12',
    ],
    needs: needsQoS(qos),
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic, qos);
      await publisher.publish({ topic, qos, retain: true });
      await subscriber.receive({ topic, payload: '', retain: false });
      await expectRetained(context, publisher, topic, qos);
    },
  }),
);

export const removing: readonly Case[] = [
  ...removed,
  ...nothingToRemove,
  {
    id: 'empty-removes-one',
    title: 'removes the retained message of exactly the Topic Name of an empty one',
    covers: ['v3/3.3.1-10', 'v5/3.3.1-6'],
    needs: ['qos1', 'wildcards'],
    async run(context) {
      const { topic } = context;
      const publisher = await retainAll(context, 1);
      await publisher.publish({ topic: `${topic}/B`, qos: 1, retain: true });
      await publisher.publish({ topic: `${topic}/b/`, qos: 1, retain: true });
      await publisher.publish({ topic: `${topic}/b`, qos: 1, retain: true });
      const left = places.filter((place) => place !== '/b').map((place) => `at ${place}`);
      await expectRetained(context, publisher, `${topic}/#`, 1, ...left);
    },
  },
  {
    id: 'empty-then-stored-again',
    title: 'stores a message after an empty one removed another, and removes it again',
    covers: ['v3/3.3.1-5', 'v3/3.3.1-10', 'v3/3.3.1-11', 'v5/3.3.1-5', 'v5/3.3.1-6', 'v5/3.3.1-7'],
    async run(context) {
      const { connect, topic } = context;
      const publisher = await connect();
      for (const payload of ['first', 'second']) {
        await publisher.publish({ topic, payload, qos: 1, retain: true });
        await expectRetained(context, publisher, topic, 0, payload);
        await publisher.publish({ topic, qos: 1, retain: true });
        await expectRetained(context, publisher, topic, 0);
      }
    },
  },
  {
    id: 'empty-by-another-client',
    title: 'removes the retained message of another client',
    covers: ['v3/3.3.1-10', 'v3/3.3.1-11', 'v5/3.3.1-6', 'v5/3.3.1-7'],
    async run(context) {
      const { connect, topic } = context;
      const [one, other] = [await connect(), await connect()];
      await one.publish({ topic, payload: 'old', qos: 1, retain: true });
      await other.publish({ topic, qos: 1, retain: true });
      await expectRetained(context, other, topic, 0);
    },
  },
  {
    id: 'empty-queued',
    title: 'keeps an empty message with RETAIN 1 for a client that is away like any other',
    covers: ['v3/3.3.1-10', 'v3/3.3.1.3~empty-retained-forwarded', 'v5/3.3.1-6', 'v5/3.3.1-12'],
    needs: ['qos1'],
    async run({ connect, topic, clientId }) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const [publisher, subscriber] = [await connect(), await connect(session)];
      await subscriber.subscribe(topic, 1);
      await subscriber.disconnect();
      await publisher.publish({ topic, qos: 1, retain: true });
      const again = await connect({ ...session, name: 'subscriber again' });
      await again.receive({ topic, payload: '', retain: false });
    },
  },
  {
    id: 'empty-will',
    title: 'removes a retained message by an empty will with Will Retain 1, and delivers that with RETAIN 0',
    covers: [
      'v3/3.3.1-10',
      'v3/3.3.1-11',
      'v3/3.3.1.3~empty-retained-forwarded',
      'v5/3.3.1-6',
      'v5/3.3.1-7',
      'v5/3.3.1-12',
    ],
    async run(context) {
      const { connect, topic, couldNotRun } = context;
      const [publisher, subscriber] = [await connect(), await connect()];
      await publisher.publish({ topic, payload: 'old', qos: 1, retain: true });
      await subscriber.subscribe(topic);
      await subscriber.receive({ payload: 'old' });
      // A broker that publishes no wills at all is the matter of other cases.
      await subscriber.subscribe(`${topic}/will`);
      (await connect({ will: { topic: `${topic}/will`, payload: 'will', qos: 1 } })).drop();
      if (!(await subscriber.next())) couldNotRun('wills are not published');
      (await connect({ will: { topic, payload: '', qos: 1, retain: true } })).drop();
      await subscriber.receive({ topic, payload: '', retain: false });
      await expectRetained(context, publisher, topic, 0);
    },
  },
];

// ── RETAIN 0 ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export const untouched = levels.flatMap((qos): Case[] => [
  {
    id: `retain-0-qos${qos}-keeps`,
    title: `leaves a retained message as it is when others come with QoS ${qos} and RETAIN 0, empty ones as well`,
    covers: ['v3/3.3.1-12', 'v5/3.3.1-8'],
    needs: needsQoS(qos, 1),
    async run(context) {
      const { connect, topic } = context;
      const publisher = await connect();
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
      await publisher.publish({ topic, payload: 'other', qos });
      await expectRetained(context, publisher, topic, 1, 'kept');
      await publisher.publish({ topic, payload: '', qos });
      await expectRetained(context, publisher, topic, 1, 'kept');
    },
  },
  {
    id: `retain-0-qos${qos}-is-not-stored`,
    title: `stores no message that comes with QoS ${qos} and RETAIN 0`,
    covers: ['v3/3.3.1-12', 'v5/3.3.1-8'],
    needs: needsQoS(qos),
    async run(context) {
      const { connect, topic } = context;
      const publisher = await connect();
      await publisher.publish({ topic, payload: 'not kept', qos });
      await expectRetained(context, publisher, topic, qos);
    },
  },
]);
