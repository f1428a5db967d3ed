/** 3.1.2.4 Clean Session, Clean Start: what a session keeps, and what is thrown away when a clean one begins. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { pubcomp, publish, pubrec, pubrel, text } from '../harness/wire/build.ts';
import { queues, sessionOf } from './3.1.2.4-waiting-messages.ts';
import { receiveBehind } from './held.ts';

import {
  byDisconnect,
  byReset,
  byTakeOver,
  type Ending,
  endings,
  expectForgotten,
  type Peer,
  publishRouted,
} from './session.ts';

function waitsOf({ waits }: Ending): { waits?: number } {
  return waits === undefined ? {} : { waits };
}

// ── Clean 0: the session outlives the connection ─────────────────────────────────────────────────────────────────────

const keeps = endings.map((ending): Case => {
  const isAway = ending !== byTakeOver;
  return {
    id: `kept-after-${ending.id}`,
    title: `keeps a stored session and its subscription when the connection ends by ${ending.title}`,
    covers: isAway
      ? ['v3/3.1.2-4', 'v3/3.1.2-5', 'v5/3.1.2-5', 'v5/3.1.2-23', 'v5/4.1~session-state-parts']
      : ['v3/3.1.2-4', 'v5/3.1.2-5', 'v5/3.1.2-23'],
    needs: ['qos1'],
    ...waitsOf(ending),
    async run(context) {
      const { connect, topic } = context;
      const session = sessionOf(context, false, ending);
      const publisher = await connect({ name: 'publisher' });
      const client = await context.connect(session);
      await client.subscribe(topic, 1);
      await ending.end(client, context);
      if (isAway) await publisher.publish({ topic, payload: 'while away', qos: 1 });
      const again = await context.connect({ ...session, name: 'again', keepAlive: 60 });
      await client.isClosed();
      if (isAway) await again.receive({ topic, payload: 'while away', qos: 1 });
      await publisher.publish({ topic, payload: 'when back', qos: 1 });
      await again.receive({ topic, payload: 'when back', qos: 1 });
    },
  };
});

const continues: readonly Case[] = [
  {
    id: 'kept-over-many-connections',
    title: 'keeps a session over many connections with other Keep Alives, with and without wills',
    covers: ['v3/3.1.2-4', 'v5/3.1.2-5', 'v5/3.1.2-23'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic } = context;
      const session = sessionOf(context, false);
      const publisher = await connect({ name: 'publisher' });
      let client = await context.connect(session);
      await client.subscribe(topic, 1);
      for (const round of [1, 2, 3, 4, 5]) {
        await client.disconnect();
        const will = { topic: `${topic}/will`, payload: 'never published' };
        client = await context.connect({
          ...session,
          keepAlive: 100 * round,
          name: `round ${round}`,
          ...(round % 2 === 0 && { will }),
        });
        await publisher.publish({ topic, payload: `round ${round}`, qos: 1 });
        await receiveBehind(context, client, (payload) => payload === `round ${round - 1}`, `round ${round}`);
      }
    },
  },
  {
    id: 'created-for-clean-start-0',
    title: 'creates a session for a client with Clean Start 0 that has none, and keeps it',
    covers: ['v5/3.1.2-6', 'v5/3.1.2-23'],
    async run(context) {
      const { open, connectPacket, connect, topic, fail } = context;
      const session = sessionOf(context, false);
      const client = await open('client');
      client.send(connectPacket(session));
      await client.expect('CONNACK', { code: 0, sessionPresent: false });
      await client.subscribe(topic);
      await client.disconnect();
      const again = await connect({ ...session, name: 'again' });
      if (!again.connack?.sessionPresent) fail('CONNACK with Session Present 1', 'CONNACK with Session Present 0');
      await again.publish({ topic, payload: 'subscribed' });
      await again.receive({ topic, payload: 'subscribed' });
    },
  },
  {
    id: 'kept-subscription-of-resumed-session',
    title: 'keeps a subscription that a resumed session has added',
    covers: ['v3/3.1.2-4', 'v5/3.1.2-5', 'v5/3.1.2-23'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic } = context;
      const session = sessionOf(context, false);
      const publisher = await connect({ name: 'publisher' });
      await (await connect(session)).disconnect();
      const second = await connect({ ...session, name: 'second time' });
      await second.subscribe(topic, 1);
      await second.disconnect();
      const third = await connect({ ...session, name: 'third time' });
      await publisher.publish({ topic, payload: 'wanted', qos: 1 });
      await third.receive({ topic, payload: 'wanted' });
    },
  },
  {
    id: 'unsubscribed-by-resumed-session',
    title: 'deletes a subscription of an earlier connection when a resumed session unsubscribes',
    covers: ['v3/3.10.4-2', 'v5/3.10.4-2'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic } = context;
      const session = sessionOf(context, false);
      const author = await connect({ name: 'author' });
      await author.subscribe(topic, 1);
      const first = await connect(session);
      await first.subscribe(topic, 1);
      await first.disconnect();
      const second = await connect({ ...session, name: 'second time' });
      await second.unsubscribe(topic);
      await publishRouted(author, { topic, payload: 'unwanted', qos: 1 });
      await second.subscribe(topic, 1);
      await author.publish({ topic, payload: 'fence', qos: 1 });
      await second.receive({ topic, payload: 'fence' });
    },
  },
];

// ── Session state, part by part; how it fares with every end of a connection is the matter of section 4.1 ─────────────

/** Builds up a part of the session state, comes back on a new connection, and finds it again. */
type Play = (
  context: Context,
  client: Peer,
  comeBack: (meanwhile?: () => Promise<void>) => Promise<Peer>,
) => Promise<void>;

interface Part {
  readonly id: string;
  readonly title: string;
  readonly covers: Case['covers'];
  readonly needs: NonNullable<Case['needs']>;
  readonly endings: readonly Ending[];
  readonly play: Play;
}

const parts: readonly Part[] = [
  {
    id: 'subscriptions',
    title: 'its subscriptions, each with its QoS,',
    covers: ['v3/3.1.2.4~session-state-parts', 'v5/4.1~session-state-parts'],
    needs: ['qos1', 'qos2'],
    endings: [byDisconnect],
    async play({ connect, topic }, client, comeBack) {
      for (const qos of [0, 1, 2] as const) await client.subscribe(`${topic}/${qos}`, qos);
      const again = await comeBack();
      const publisher = await connect({ name: 'publisher' });
      for (const qos of [0, 1, 2] as const) {
        await publisher.publish({ topic: `${topic}/${qos}`, payload: 'wanted', qos: 2 });
        await again.receive({ topic: `${topic}/${qos}`, payload: 'wanted', qos });
      }
    },
  },
  ...([1, 2] as const).map(
    (qos): Part => ({
      id: `unacknowledged-qos${qos}`,
      title: `an unacknowledged QoS ${qos} message`,
      covers: ['v3/3.1.2.4~session-state-parts', 'v5/4.1~session-state-parts'],
      needs: [`qos${qos}`],
      endings: [byDisconnect],
      async play({ connect, topic }, client, comeBack) {
        const publisher = await connect({ name: 'publisher' });
        await client.subscribe(topic, qos);
        await publisher.publish({ topic, payload: 'unacknowledged', qos });
        await client.message({ payload: 'unacknowledged' });
        const again = await comeBack();
        await again.receive({ payload: 'unacknowledged', qos });
        await publisher.publish({ topic, payload: 'fence', qos });
        await again.receive({ payload: 'fence' });
      },
    }),
  ),
  {
    id: 'unfinished-pubrel',
    title: 'a PUBREL that was not answered',
    covers: ['v3/3.1.2.4~session-state-parts', 'v5/4.1~session-state-parts'],
    needs: ['qos2'],
    endings: [byDisconnect],
    async play({ connect, topic }, client, comeBack) {
      const publisher = await connect({ name: 'publisher' });
      await client.subscribe(topic, 2);
      await publisher.publish({ topic, payload: 'received', qos: 2 });
      const { packetId = 0 } = await client.message({ payload: 'received', qos: 2 });
      client.send(pubrec(packetId));
      await client.expect('PUBREL', { packetId });
      const again = await comeBack();
      await again.expect('PUBREL', { packetId });
      again.send(pubcomp(packetId));
      await publisher.publish({ topic, payload: 'fence', qos: 2 });
      await again.receive({ payload: 'fence' });
    },
  },
  ...([1, 2] as const).map(
    (qos): Part => ({
      id: `queued-qos${qos}`,
      title: `a QoS ${qos} message that was not yet sent`,
      covers: ['v3/3.1.2.4~session-state-parts', 'v3/3.1.2-5', 'v5/4.1~session-state-parts'],
      needs: [`qos${qos}`],
      endings: [byDisconnect],
      async play({ connect, topic }, client, comeBack) {
        const publisher = await connect({ name: 'publisher' });
        await client.subscribe(topic, qos);
        const again = await comeBack(() => publisher.publish({ topic, payload: 'while away', qos }));
        await again.receive({ payload: 'while away', qos });
      },
    }),
  ),
  {
    id: 'unreleased-identifier',
    title: 'the Packet Identifier of a QoS 2 message from the client that waits for PUBREL',
    covers: ['v3/3.1.2.4~session-state-parts', 'v5/4.1~session-state-parts'],
    needs: ['qos2'],
    endings: [byDisconnect],
    async play({ connect, topic }, client, comeBack) {
      const watcher = await connect({ name: 'watcher' });
      await watcher.subscribe(topic, 2);
      const message = { topic, payload: 'once', qos: 2, packetId: 7 } as const;
      client.send(publish(message));
      await client.expect('PUBREC', { packetId: 7 });
      const again = await comeBack();
      again.send(publish({ ...message, dup: true }));
      await again.expect('PUBREC', { packetId: 7 });
      again.send(pubrel(7));
      await again.expect('PUBCOMP', { packetId: 7 });
      await again.publish({ topic, payload: 'fence', qos: 2 });
      await watcher.receive({ payload: 'once' });
      await watcher.receive({ payload: 'fence' });
    },
  },
  {
    id: 'unreleased-message',
    title: 'a QoS 2 message from the client that waits for PUBREL',
    covers: ['v3/4.3.3-2', 'v5/4.3.3-8', 'v5/4.3.3-11'],
    needs: ['qos2'],
    endings: [byDisconnect, byReset, byTakeOver],
    async play({ connect, topic }, client, comeBack) {
      const watcher = await connect({ name: 'watcher' });
      await watcher.subscribe(topic, 2);
      client.send(publish({ topic, payload: 'once', qos: 2, packetId: 7 }));
      await client.expect('PUBREC', { packetId: 7 });
      const again = await comeBack();
      again.send(pubrel(7));
      await again.expect('PUBCOMP', { packetId: 7 });
      await again.publish({ topic, payload: 'fence', qos: 2 });
      await watcher.receive({ payload: 'once' });
      await watcher.receive({ payload: 'fence' });
    },
  },
];

/** What a subscription of 5.0 has besides its QoS. */
const partsOf5: readonly Part[] = [
  {
    id: 'no-local',
    title: 'No Local of a subscription',
    covers: ['v5/4.1~session-state-parts'],
    needs: ['qos1'],
    endings: [byDisconnect, byReset],
    async play({ connect, topic }, client, comeBack) {
      await client.subscribe(topic, 1, { noLocal: true });
      const again = await comeBack();
      await again.publish({ topic, payload: 'own', qos: 1 });
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish({ topic, payload: 'of another', qos: 1 });
      await again.receive({ topic, payload: 'of another' });
    },
  },
  {
    id: 'retain-as-published',
    title: 'Retain As Published of a subscription',
    covers: ['v5/4.1~session-state-parts'],
    needs: ['qos1', 'retain'],
    endings: [byDisconnect],
    async play({ connect, topic }, client, comeBack) {
      await client.subscribe(topic, 1, { retainAsPublished: true });
      const again = await comeBack();
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish({ topic, payload: 'retained', qos: 1, retain: true });
      await again.receive({ topic, payload: 'retained', retain: true });
    },
  },
  {
    id: 'subscription-identifier',
    title: 'the Subscription Identifier of a subscription',
    covers: ['v5/4.1~session-state-parts', 'v5/3.8.4~subscription-identifier-state'],
    needs: ['qos1', 'subscription-identifiers'],
    endings: [byDisconnect],
    async play({ connect, topic }, client, comeBack) {
      const properties = { subscriptionIdentifiers: [300] };
      await client.subscribe(topic, 1, { properties });
      const publisher = await connect({ name: 'publisher' });
      const again = await comeBack(() => publisher.publish({ topic, payload: 'while away', qos: 1 }));
      await again.receive({ topic, payload: 'while away', properties });
      await publisher.publish({ topic, payload: 'when back', qos: 1 });
      await again.receive({ topic, payload: 'when back', properties });
    },
  },
];

const state = [...parts, ...partsOf5].flatMap((part) =>
  part.endings.map(
    (ending): Case => ({
      id: `state-${part.id}-after-${ending.id}`,
      title: `keeps, as part of a session, ${part.title} when the connection ends by ${ending.title}`,
      covers: part.covers,
      needs: part.needs,
      async run(context) {
        const session = sessionOf(context, false);
        const client = await context.connect(session);
        await part.play(context, client, async (meanwhile) => {
          await ending.end(client, context);
          await meanwhile?.();
          return context.connect({ ...session, name: 'again' });
        });
      },
    }),
  ),
);

// ── Clean 1: nothing remains ─────────────────────────────────────────────────────────────────────────────────────────

/** Both topics of a session that is to be forgotten. */
function twoTopics({ topic }: Context): readonly [string, string] {
  return [`${topic}/1`, `${topic}/2`];
}

const ends = endings.map(
  (ending): Case => ({
    id: `clean-session-ends-with-${ending.id}`,
    title: `forgets a clean session when its connection ends by ${ending.title}`,
    covers: ['v3/3.1.2-6', 'v5/4.1.0-2', 'v5/3.1.2.11.2~session-expiry'],
    ...waitsOf(ending),
    async run(context) {
      const topics = twoTopics(context);
      const author = await context.connect({ name: 'author' });
      await author.subscribe(topics[0]);
      const client = await context.connect(sessionOf(context, true, ending));
      for (const topic of topics) await client.subscribe(topic);
      await ending.end(client, context);
      if (ending !== byTakeOver) await publishRouted(author, { topic: topics[0], payload: 'in between' });
      const later = await context.connect({ ...sessionOf(context, false), name: 'later' });
      await client.isClosed();
      await expectForgotten(context, later, author, topics);
    },
  }),
);

const discards: readonly Case[] = [
  ...[byDisconnect, byReset, byTakeOver].map(
    (ending): Case => ({
      id: `discards-subscriptions-after-${ending.id}`,
      title: `discards the subscriptions of a stored session when a clean one begins, after ${ending.title}`,
      covers: ['v3/3.1.2-6', 'v3/3.1.4-3', 'v3/3.1.2.4~clean-up-not-atomic', 'v5/3.1.2-4', 'v5/3.1.4-4'],
      async run(context) {
        const topics = twoTopics(context);
        const author = await context.connect({ name: 'author' });
        const client = await context.connect(sessionOf(context, false));
        for (const topic of topics) await client.subscribe(topic);
        await ending.end(client, context);
        const fresh = await context.connect({ ...sessionOf(context, true), name: 'fresh' });
        await client.isClosed();
        await expectForgotten(context, fresh, author, topics);
      },
    }),
  ),
  {
    id: 'discards-queued-messages',
    title: 'discards the messages that wait in a stored session when a clean one begins',
    covers: ['v3/3.1.2-6', 'v5/3.1.2-4'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic } = context;
      const author = await connect({ name: 'author' });
      await author.subscribe(topic, 1);
      const client = await context.connect(sessionOf(context, false));
      await client.subscribe(topic, 1);
      await client.disconnect();
      await publishRouted(author, { topic, payload: 'old', qos: 1 });
      const fresh = await context.connect({ ...sessionOf(context, true), name: 'fresh' });
      await fresh.subscribe(topic, 1);
      await author.publish({ topic, payload: 'fence', qos: 1 });
      await fresh.receive({ topic, payload: 'fence' });
    },
  },
  ...[byDisconnect, byReset, byTakeOver].flatMap((ending) =>
    (['publish', 'pubrel'] as const).map(
      (packet): Case => ({
        id: `discards-unacknowledged-${packet}-after-${ending.id}`,
        title: `does not send an unacknowledged ${packet.toUpperCase()} again when a clean session begins, after ${ending.title}`,
        covers: ['v3/3.1.2-6', 'v5/3.1.2-4'],
        needs: ['qos2'],
        async run(context) {
          const { connect, topic } = context;
          const publisher = await connect({ name: 'publisher' });
          const client = await context.connect(sessionOf(context, false));
          await client.subscribe(topic, 2);
          await publisher.publish({ topic, payload: 'old', qos: 2 });
          const { packetId = 0 } = await client.message({ payload: 'old' });
          if (packet === 'pubrel') {
            client.send(pubrec(packetId));
            await client.expect('PUBREL', { packetId });
          }
          await ending.end(client, context);
          const fresh = await context.connect({ ...sessionOf(context, true), name: 'fresh' });
          await fresh.expectNothing('neither PUBLISH nor PUBREL of the former session');
          await fresh.subscribe(topic, 2);
          await publisher.publish({ topic, payload: 'fence', qos: 2 });
          await fresh.receive({ topic, payload: 'fence', dup: false });
        },
      }),
    ),
  ),
  ...[byDisconnect, byReset, byTakeOver].map(
    (ending): Case => ({
      id: `discards-unreleased-after-${ending.id}`,
      title: `takes a Packet Identifier that waited for PUBREL for a new message in a clean session, after ${ending.title}`,
      covers: ['v3/3.1.2-6', 'v5/3.1.2-4'],
      needs: ['qos2'],
      async run(context) {
        const { connect, topic } = context;
        const watcher = await connect({ name: 'watcher' });
        await watcher.subscribe(topic, 2);
        const client = await context.connect(sessionOf(context, false));
        client.send(publish({ topic, payload: 'old', qos: 2, packetId: 7 }));
        await client.expect('PUBREC', { packetId: 7 });
        await ending.end(client, context);
        const fresh = await context.connect({ ...sessionOf(context, true), name: 'fresh' });
        await fresh.publish({ topic, payload: 'new', qos: 2, packetId: 7 });
        // The old message was never released: a server delivers it at once or not at all.
        const first = await watcher.receive();
        if (text(first.payload) === 'old') await watcher.receive({ payload: 'new' });
        else if (text(first.payload) !== 'new') context.fail("PUBLISH 'new'", `PUBLISH '${text(first.payload)}'`);
      },
    }),
  ),
  {
    id: 'discarded-stays-discarded',
    title: 'begins a new stored session after a clean one, with nothing of those before',
    covers: ['v3/3.1.2-6'],
    async run(context) {
      const topics = twoTopics(context);
      const author = await context.connect({ name: 'author' });
      const stored = await context.connect(sessionOf(context, false));
      await stored.subscribe(topics[0]);
      await stored.disconnect();
      const clean = await context.connect(sessionOf(context, true));
      await clean.subscribe(topics[1]);
      await clean.disconnect();
      const fresh = await context.connect(sessionOf(context, false));
      await expectForgotten(context, fresh, author, topics);
    },
  },
];

// ── Retained messages belong to no session ───────────────────────────────────────────────────────────────────────────

async function expectRetained({ connect, topic }: Context, payload: string): Promise<void> {
  const reader = await connect({ name: 'reader' });
  await reader.subscribe(topic, 1);
  await reader.receive({ topic, payload });
}

const retained: readonly Case[] = [
  ...endings
    .filter(({ waits }) => waits === undefined)
    .map(
      (ending): Case => ({
        id: `retained-outlives-publisher-${ending.id}`,
        title: `keeps the retained message of a client with a clean session when its connection ends by ${ending.title}`,
        covers: [
          'v3/3.1.2-7',
          'v5/4.1~session-state-parts',
          ...(ending === byTakeOver ? [] : (['v3/4.1~retained-kept'] as const)),
        ],
        needs: ['qos1', 'retain'],
        async run(context) {
          const publisher = await context.connect(sessionOf(context, true));
          await publisher.publish({ topic: context.topic, payload: 'retained', qos: 1, retain: true });
          await ending.end(publisher, context);
          await context.connect({ ...sessionOf(context, true), name: 'same client' });
          await expectRetained(context, 'retained');
        },
      }),
    ),
  {
    id: 'retained-outlives-discarded-session',
    title: 'keeps the retained message of a client whose stored session a clean one discards',
    covers: ['v3/3.1.2-7', 'v5/4.1~session-state-parts'],
    needs: ['qos1', 'retain'],
    async run(context) {
      const publisher = await context.connect(sessionOf(context, false));
      await publisher.publish({ topic: context.topic, payload: 'retained', qos: 1, retain: true });
      await publisher.disconnect();
      const cleaner = await context.connect(sessionOf(context, true));
      await cleaner.disconnect();
      await expectRetained(context, 'retained');
    },
  },
];

export const cleanSession = chapter(
  '3.1.2.4 Clean Session',
  section({ v3: '3.1.2.4 Clean Session', v5: '3.1.2.4 Clean Start' }, [
    ...keeps,
    ...continues,
    ...state,
    ...queues,
    ...ends,
    ...discards,
    ...retained,
  ]),
);
