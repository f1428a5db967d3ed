/** 4.1 Storing state: what belongs to a session lasts as long as the session, and the session as long as its connection. */

import { type Case, chapter, section } from '../harness/case.ts';
import { pubcomp, publish, pubrec, pubrel } from '../harness/wire/build.ts';
import { byReset, type Ending, endings, type Peer, withinKeepAlive } from './session.ts';

// ── 4.1: the parts of a session ──────────────────────────────────────────────────────────────────────────────────────

/** What a part of the session state needs besides its client: a topic of its own, and clients whose sessions are not touched. */
interface Surroundings {
  readonly topic: string;
  readonly publisher: Peer;
  readonly watcher: Peer;
}

/** A part of the session state, and how to see on the next connection that it is still there. */
interface Part {
  readonly id: string;
  readonly title: string;
  readonly needs: NonNullable<Case['needs']>;
  /** Before the connection ends. */
  prepare(client: Peer, surroundings: Surroundings): Promise<unknown>;
  /** When the connection has ended, unless that is left to the next CONNECT. */
  meanwhile?(surroundings: Surroundings): Promise<void>;
  /** On the next connection. Throws Violation. */
  check(client: Peer, surroundings: Surroundings): Promise<unknown>;
}

/** Takes a message whatever else has arrived, and completes its handshake. */
async function take(client: Peer, fields: Parameters<Peer['receive']>[0]): Promise<void> {
  await client.acknowledge(await client.pick('PUBLISH', fields));
}

const packetId = 11;

const unacknowledged: Part = {
  id: 'unacknowledged-publish',
  title: 'a message that is sent and not acknowledged',
  needs: ['qos1'],
  async prepare(client, { topic, publisher }) {
    await client.subscribe(topic, 1);
    await publisher.publish({ topic, payload: 'unacknowledged', qos: 1 });
    await client.message({ topic, payload: 'unacknowledged', qos: 1 });
  },
  check: (client, { topic }) => take(client, { topic, payload: 'unacknowledged', qos: 1 }),
};

const halfAcknowledged: Part = {
  id: 'unacknowledged-pubrel',
  title: 'a QoS 2 message whose PUBREL is not acknowledged',
  needs: ['qos2'],
  async prepare(client, { topic, publisher }) {
    await client.subscribe(topic, 2);
    await publisher.publish({ topic, payload: 'half', qos: 2 });
    const message = await client.message({ topic, payload: 'half', qos: 2 });
    client.send(pubrec(message.packetId ?? 0));
    await client.pick('PUBREL');
  },
  async check(client) {
    client.send(pubcomp((await client.pick('PUBREL')).packetId));
    await client.expectNothing('nothing more of a message that PUBREC has acknowledged');
  },
};

const waiting: Part = {
  id: 'waiting-message',
  title: 'a message that waits for the client',
  needs: ['qos1'],
  prepare: (client, { topic }) => client.subscribe(topic, 1),
  meanwhile: ({ topic, publisher }) => publisher.publish({ topic, payload: 'waiting', qos: 1 }),
  check: (client, { topic }) => take(client, { topic, payload: 'waiting', qos: 1 }),
};

const subscription: Part = {
  id: 'subscription',
  title: 'a subscription',
  needs: ['qos1'],
  prepare: (client, { topic }) => client.subscribe(topic, 1),
  async check(client, { topic, publisher }) {
    await publisher.publish({ topic, payload: 'subscribed', qos: 1 });
    await take(client, { topic, payload: 'subscribed', qos: 1 });
  },
};

const unreleased: Part = {
  id: 'unreleased-message',
  title: 'the identifier of a QoS 2 message of the client that waits for PUBREL',
  needs: ['qos2'],
  async prepare(client, { topic, watcher }) {
    // With QoS 0, for what waits unacknowledged while time passes may come again.
    await watcher.subscribe(topic, 0);
    client.send(publish({ topic, payload: 'once', qos: 2, packetId }));
    await client.pick('PUBREC', { packetId });
  },
  async check(client, { topic, watcher }) {
    // For all that the server knows the PUBREC got lost: the message comes again, and is not to be delivered again.
    client.send(publish({ topic, payload: 'once', qos: 2, packetId, dup: true }));
    await client.pick('PUBREC', { packetId });
    client.send(pubrel(packetId));
    await client.pick('PUBCOMP', { packetId });
    await client.publish({ topic, payload: 'fence', qos: 2, packetId: packetId + 1 });
    await watcher.receive({ topic, payload: 'once' });
    await watcher.receive({ topic, payload: 'fence' });
  },
};

function survives(id: string, title: string, parts: readonly Part[], ending: Ending): Case {
  return {
    id,
    title: `keeps ${title} of a session that outlives its connection when that ends by ${ending.title}`,
    covers: ['v3/4.1.0-1', 'v3/3.1.2.4~session-state-parts', 'v5/4.1~session-state-parts'],
    needs: parts.flatMap((part) => part.needs),
    ...(ending.waits !== undefined && { waits: ending.waits }),
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('session'), clean: false };
      const [publisher, watcher] = [await connect({ name: 'publisher' }), await connect({ name: 'watcher' })];
      const about = (part: Part): Surroundings => ({ topic: `${topic}/${part.id}`, publisher, watcher });
      const client = await connect({ ...session, keepAlive: ending.keepAlive, name: 'client' });
      await withinKeepAlive(context, ending.keepAlive, async () => {
        for (const part of parts) await part.prepare(client, about(part));
      });
      await ending.end(client, context);
      for (const part of parts) await part.meanwhile?.(about(part));
      const again = await connect({ ...session, name: 'client again' });
      for (const part of parts) await part.check(again, about(part));
    },
  };
}

const state: readonly Case[] = [
  ...[subscription, unacknowledged, halfAcknowledged, waiting, unreleased].map((part) =>
    survives(part.id, part.title, [part], byReset),
  ),
  // One unacknowledged message only: it may fill the window of a server. It comes first, for the same reason.
  ...endings.map((ending) =>
    survives(
      `all-parts-after-${ending.id}`,
      'all parts together',
      [unacknowledged, waiting, subscription, unreleased],
      ending,
    ),
  ),
];

// ── 4.1: how long a session lasts ────────────────────────────────────────────────────────────────────────────────────

const duration: readonly Case[] = [
  ...[true, false].map(
    (clean): Case => ({
      id: `as-long-as-connection-${clean ? 'clean' : 'stored'}`,
      title: `keeps the subscription of a connection that has long been idle, in a session that ${clean ? 'ends with it' : 'outlives it'}`,
      covers: ['v3/4.1.0-2', 'v5/4.1.0-1'],
      waits: 3,
      async run({ connect, topic, seconds, couldNotRun }) {
        const subscriber = await connect({ clean, keepAlive: 0, name: 'subscriber' });
        const filters = Array.from({ length: 10 }, (_, index) => `${topic}/${index}`);
        await subscriber.subscribe(topic, 0);
        for (const filter of filters) await subscriber.subscribe(filter, 0);
        await subscriber.unsubscribe(...filters);
        if (await subscriber.isClosed(seconds(3))) couldNotRun('the broker drops an idle client, as it may');
        const publisher = await connect({ name: 'publisher' });
        await publisher.publish({ topic, payload: 'still subscribed', qos: 1 });
        await subscriber.receive({ topic, payload: 'still subscribed' });
      },
    }),
  ),
  {
    id: 'retained-outlives-all-clients',
    title: 'keeps a retained message when its publisher and every subscriber are gone',
    covers: ['v3/4.1~retained-kept', 'v5/4.1~session-state-parts'],
    needs: ['retain'],
    async run({ connect, topic }) {
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish({ topic, payload: 'retained', qos: 1, retain: true });
      await publisher.disconnect();
      for (const name of ['subscriber', 'subscriber after it']) {
        const subscriber = await connect({ name });
        await subscriber.subscribe(topic, 0);
        await subscriber.receive({ topic, payload: 'retained' });
        if (name === 'subscriber') await subscriber.disconnect();
      }
    },
  },
];

const whileConnected: Case = {
  id: 'as-long-as-connection-short',
  title: 'keeps all parts of a session while its connection is open, although its Session Expiry Interval is over',
  covers: ['v5/4.1.0-1'],
  needs: ['qos2'],
  waits: 3,
  async run(context) {
    const { connect, topic, seconds, couldNotRun } = context;
    const [publisher, watcher] = [await connect({ name: 'publisher' }), await connect({ name: 'watcher' })];
    const about = (part: Part): Surroundings => ({ topic: `${topic}/${part.id}`, publisher, watcher });
    const parts = [subscription, unreleased];
    const client = await connect({ keepAlive: 0, properties: { sessionExpiryInterval: 1 }, name: 'client' });
    for (const part of parts) await part.prepare(client, about(part));
    if (await client.isClosed(seconds(3))) couldNotRun('the broker drops an idle client, as it may');
    for (const part of parts) await part.check(client, about(part));
  },
};

export const storingState = chapter(
  '4.1 Storing state',
  section({ v3: '4.1 Storing state', v5: '4.1 Session State' }, [...state, ...duration, whileConnected]),
);
