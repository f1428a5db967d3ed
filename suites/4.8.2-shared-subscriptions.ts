/** 4.8.2 Shared Subscriptions: one member of a group for each message, and what becomes of those that go (MQTT 5.0). */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { puback, pubcomp, pubrec, text, unsubscribe } from '../harness/wire/build.ts';
import type { Publish, QoS, RetainHandling } from '../harness/wire/packet.ts';
import { filters } from './4.8.2-shared-filters.ts';
import { fill } from './matching.ts';
import { needsQoS } from './needs.ts';
import type { ConnectOptions, Peer } from './session.ts';

const levels = [0, 1, 2] as const;

function shared(topic: string, group = 'group'): string {
  return `$share/${group}/${topic}`;
}

/** Publishes to a topic that a client is subscribed to for itself, and waits until it gets that. Throws Violation. */
async function fenceBy(publisher: Peer, client: Peer, topic: string): Promise<void> {
  await publisher.publish({ topic, payload: 'fence', qos: 1 });
  await client.receive({ topic, payload: 'fence' });
}

// ── One member for each message ──────────────────────────────────────────────────────────────────────────────────────

/**
 * Publishes numbered messages and lets all clients take what they get, until there are as many as are due in all. Each then
 * has a fence of its own, so that one too many is found. Returns what each has got.
 */
async function distribute(
  context: Context,
  clients: readonly Peer[],
  { count, due, qos }: { readonly count: number; readonly due: number; readonly qos: QoS },
): Promise<readonly (readonly Publish[])[]> {
  const { connect, topic, fail } = context;
  const [publisher, fencer] = [await connect({ name: 'publisher' }), await connect({ name: 'fencer' })];
  const fence = `${topic}-fence`;
  for (const client of clients) await client.subscribe(fence);
  for (let number = 1; number <= count; number++) await publisher.publish({ topic, payload: String(number), qos });
  const got: Publish[][] = clients.map(() => []);
  const total = () => got.reduce((sum, each) => sum + each.length, 0);
  const take = async (client: Peer, messages: Publish[]) => {
    for (;;) {
      const message = await client.receive();
      if (message.topic === fence) return;
      messages.push(message);
      if (total() === due) await fencer.publish({ topic: fence, payload: 'fence' });
    }
  };
  const ends = await Promise.allSettled(clients.map((client, index) => take(client, got[index] ?? [])));
  if (total() < due) fail(`${due} copies of ${count} messages in all`, `${total()} copies`);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return got;
}

/** Each message has come to exactly one of these. Throws Violation. */
function expectEachOnce({ fail }: Context, count: number, ...got: readonly (readonly Publish[])[]): void {
  const numbers = got
    .flat()
    .map(({ payload }) => Number(text(payload)))
    .sort((one, other) => one - other);
  const expected = Array.from({ length: count }, (_, index) => index + 1);
  if (numbers.join() === expected.join()) return;
  const missing = expected.filter((number) => !numbers.includes(number));
  const twice = numbers.filter((number, index) => numbers[index - 1] === number);
  fail(
    `each of ${count} messages once for the group`,
    `missing: ${missing.join() || 'none'}; twice: ${twice.join() || 'none'}`,
  );
}

const members: readonly Case[] = [
  ...levels.map(
    (qos): Case => ({
      id: `one-member-qos${qos}`,
      title: `sends each QoS ${qos} message to one member of each group, and to everybody who has subscribed alone`,
      covers: ['v5/4.8.2~shared-one-member'],
      needs: needsQoS(qos),
      async run(context) {
        const { connect, topic } = context;
        const all: Peer[] = [];
        for (const filter of [
          ...[1, 2, 3].map(() => shared(topic, 'one')),
          ...[1, 2].map(() => shared(topic, 'other')),
          topic,
        ]) {
          const client = await connect();
          await client.subscribe(filter, qos);
          all.push(client);
        }
        const count = 20;
        const got = await distribute(context, all, { count, due: 3 * count, qos });
        expectEachOnce(context, count, ...got.slice(0, 3));
        expectEachOnce(context, count, ...got.slice(3, 5));
        expectEachOnce(context, count, ...got.slice(5));
      },
    }),
  ),
  ...(
    [
      [0, 1],
      [0, 2],
      [1, 2],
      [2, 0],
    ] as const
  ).map(
    ([first, second]): Case => ({
      id: `granted-qos${first}-and-qos${second}`,
      title: `sends a message within the QoS of the member that it goes to, ${first} or ${second}`,
      covers: ['v5/4.8.2-3'],
      needs: needsQoS(first, second),
      async run(context) {
        const { connect, topic, fail } = context;
        const clients = [await connect(), await connect()];
        const granted = [first, second];
        for (const [index, client] of clients.entries()) await client.subscribe(shared(topic), granted[index] ?? 0);
        const count = 20;
        const qos = Math.max(first, second) as QoS;
        const got = await distribute(context, clients, { count, due: count, qos });
        for (const [index, messages] of got.entries()) {
          const other = messages.find((message) => message.qos !== granted[index]);
          if (other) fail(`QoS ${granted[index]} for the member with QoS ${granted[index]}`, `QoS ${other.qos}`);
        }
        expectEachOnce(context, count, ...got);
      },
    }),
  ),
  {
    id: 'selection',
    title: 'chooses among the members as it likes',
    covers: ['v5/4.8.2~shared-selection'],
    async run(context) {
      const { connect, topic, trait } = context;
      const clients = [await connect(), await connect(), await connect()];
      for (const client of clients) await client.subscribe(shared(topic));
      const got = await distribute(context, clients, { count: 30, due: 30, qos: 0 });
      trait('messages for each of three members', got.map(({ length }) => length).join(', '));
    },
  },
  {
    id: 'selection-of-the-absent',
    title: 'chooses among members that are there and that are away as it likes',
    covers: ['v5/4.8.2~shared-selection'],
    needs: ['qos1'],
    async run({ connect, topic, clientId, trait }) {
      const publisher = await connect({ name: 'publisher' });
      const session = { clientId: clientId('away'), clean: false };
      const [away, there] = [await connect({ ...session, name: 'away' }), await connect({ name: 'there' })];
      for (const client of [away, there]) await client.subscribe(shared(topic), 1);
      await there.subscribe(`${topic}-fence`);
      await away.disconnect();
      for (let count = 0; count < 10; count++) await publisher.publish({ topic, payload: 'm', qos: 1 });
      await publisher.publish({ topic: `${topic}-fence`, payload: 'fence', qos: 1 });
      let received = 0;
      while ((await there.receive()).topic === topic) received++;
      trait('messages for the one member of two that is there', `${received} of 10`);
    },
  },
];

// ── Beside other subscriptions ───────────────────────────────────────────────────────────────────────────────────────

/** Filters of one client that is the only member, each of which brings a copy of a message to `topic/b`. */
const beside: readonly (readonly [id: string, title: string, filters: readonly string[]])[] = [
  ['plain', 'a shared subscription and one of its own', ['$share/group/{t}/b', '{t}/b']],
  ['plain-wildcard', 'a shared subscription and one of its own that overlaps', ['$share/group/{t}/b', '{t}/+']],
  ['two-groups', 'shared subscriptions under two names', ['$share/one/{t}/b', '$share/other/{t}/b']],
  ['two-filters', 'two shared subscriptions that overlap', ['$share/group/{t}/b', '$share/group/{t}/#']],
  [
    'names-in-other-case',
    'shared subscriptions under names in upper and lower case',
    ['$share/group/{t}/b', '$share/GROUP/{t}/b'],
  ],
];

const sideBySide: readonly Case[] = [
  ...beside.map(
    ([id, title, filters]): Case => ({
      id: `beside-${id}`,
      title: `sends a copy for each to a client that has ${title}`,
      covers: ['v5/4.8.2~shared-and-plain'],
      needs: filters.some((filter) => /[+#]/.test(filter)) ? ['wildcards'] : [],
      async run(context) {
        const { connect, topic } = context;
        const [publisher, client] = [await connect(), await connect()];
        for (const filter of filters) await client.subscribe(fill(filter, context));
        await client.subscribe(`${topic}-fence`);
        await publisher.publish({ topic: `${topic}/b`, payload: 'm', qos: 1 });
        for (const _ of filters) await client.receive({ payload: 'm' });
        await fenceBy(publisher, client, `${topic}-fence`);
        await client.expectNothing('one copy for each subscription');
      },
    }),
  ),
  {
    id: 'identifier',
    title: 'sends the Subscription Identifier of the member that a message goes to, and not that of another one',
    covers: ['v5/3.3.4-3'],
    needs: ['subscription-identifiers'],
    async run(context) {
      const { connect, topic, fail } = context;
      const clients = [await connect(), await connect()];
      for (const [index, client] of clients.entries()) {
        await client.subscribe(shared(topic), 0, { properties: { subscriptionIdentifiers: [index + 1] } });
      }
      const got = await distribute(context, clients, { count: 10, due: 10, qos: 0 });
      for (const [index, messages] of got.entries()) {
        for (const { properties } of messages) {
          const found = properties?.subscriptionIdentifiers ?? [];
          if (found.join() !== String(index + 1))
            fail(`the Subscription Identifier ${index + 1}`, found.join(' and ') || 'none', 'v5/3.3.4-3');
        }
      }
    },
  },
];

// ── Retained messages ────────────────────────────────────────────────────────────────────────────────────────────────

const retained: readonly Case[] = [
  ...([0, 1] as const).map(
    (retainHandling: RetainHandling): Case => ({
      id: `no-retained-with-retain-handling-${retainHandling}`,
      title: `sends no retained message for a shared subscription with Retain Handling ${retainHandling}, to no member, not even the second time`,
      covers: ['v5/4.8.2~shared-no-retained'],
      needs: ['retain'],
      async run({ connect, topic }) {
        const publisher = await connect();
        await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true });
        await publisher.publish({ topic: `${topic}-fence`, payload: 'fence', qos: 1, retain: true });
        for (const client of [await connect(), await connect()]) {
          for (let count = 0; count < 2; count++) await client.subscribe(shared(topic), 0, { retainHandling });
          await client.subscribe(`${topic}-fence`);
          await client.receive({ payload: 'fence' });
          await client.expectNothing('no retained message for a shared subscription');
        }
      },
    }),
  ),
  ...[false, true].map(
    (retainAsPublished): Case => ({
      id: `retain-as-published-${Number(retainAsPublished)}`,
      title: `delivers a message that came with RETAIN 1 with RETAIN ${Number(retainAsPublished)} to a shared subscription with Retain As Published ${Number(retainAsPublished)}`,
      covers: [retainAsPublished ? 'v5/3.3.1-13' : 'v5/3.3.1-12'],
      needs: ['retain'],
      async run({ connect, topic }) {
        const [publisher, client] = [await connect(), await connect()];
        await client.subscribe(shared(topic), 0, { retainAsPublished });
        await publisher.publish({ topic, payload: 'm', qos: 1, retain: true });
        await client.receive({ payload: 'm', retain: retainAsPublished });
      },
    }),
  ),
];

// ── Leaving ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Ways in which a client is no member any more. */
const ways: readonly (readonly [
  id: string,
  title: string,
  leave: (client: Peer, context: Context) => Promise<void>,
])[] = [
  ['unsubscribe', 'UNSUBSCRIBE', (client, { topic }) => client.unsubscribe(shared(topic))],
  [
    'clean-start',
    'Clean Start 1',
    async (client, { connect }) => {
      client.drop();
      await connect({ clientId: client.clientId, name: 'first again' });
    },
  ],
  [
    'session-end',
    'DISCONNECT with Session Expiry Interval 0',
    async (client) => {
      client.send({ type: 'DISCONNECT', code: 0, properties: { sessionExpiryInterval: 0 } });
      await client.isClosed();
    },
  ],
];

const leaving: readonly Case[] = [
  ...ways.map(
    ([id, title, leave]): Case => ({
      id: `left-by-${id}`,
      title: `sends all messages to the members that are left after one has left by ${title}`,
      covers: ['v5/4.8.2~shared-leaving'],
      needs: ['qos1'],
      async run(context) {
        const { connect, topic, clientId } = context;
        const session = (name: string): ConnectOptions => ({ name, clientId: clientId(name), clean: false });
        const [first, second] = [await connect(session('first')), await connect(session('second'))];
        for (const client of [first, second]) await client.subscribe(shared(topic), 1);
        await leave(first, context);
        // Nobody is there, lest a broker that prefers members that are there hides who has not been taken out.
        await second.disconnect();
        const publisher = await connect({ name: 'publisher' });
        const payloads = ['1', '2', '3', '4'];
        for (const payload of payloads) await publisher.publish({ topic, payload, qos: 1 });
        const again = await connect({ ...session('second'), name: 'second again' });
        for (const payload of payloads) await again.receive({ payload });
      },
    }),
  ),
  {
    id: 'leave-once',
    title:
      'takes a client that subscribed twice out of the group by one UNSUBSCRIBE, and says that the next ends nothing',
    covers: ['v5/4.8.2~shared-leaving'],
    async run({ connect, topic, nonStrict }) {
      const [publisher, client] = [await connect(), await connect()];
      for (let count = 0; count < 2; count++) await client.subscribe(shared(topic));
      await client.subscribe(`${topic}-fence`);
      client.send(unsubscribe(77, shared(topic)));
      await client.expect('UNSUBACK', { packetId: 77, codes: [0] });
      client.send(unsubscribe(78, shared(topic)));
      const { codes = [] } = await client.expect('UNSUBACK', { packetId: 78 });
      if (codes[0] !== 0x11)
        nonStrict(`UNSUBACK ${codes.map(code).join(' ')}; preferred: 0x11, no subscription existed`);
      await publisher.publish({ topic, payload: 'for nobody', qos: 1 });
      await fenceBy(publisher, client, `${topic}-fence`);
      await client.expectNothing('nothing for a group that the client has left');
    },
  },
  {
    id: 'other-filters-do-not-leave',
    title: 'leaves a member in its group when UNSUBSCRIBE names the filter alone, or another group',
    covers: ['v5/3.10.4-1'],
    async run({ connect, topic }) {
      const [publisher, client] = [await connect(), await connect()];
      await client.subscribe(shared(topic));
      await client.unsubscribe(topic, shared(topic, 'other'), shared(topic, 'GROUP'), `$share/group/${topic}/`);
      await publisher.publish({ topic, payload: 'm', qos: 1 });
      await client.receive({ payload: 'm' });
    },
  },
  {
    id: 'plain-does-not-leave',
    title:
      'leaves the subscription of its own to a client that leaves a group with the same filter, and ends that alone',
    covers: ['v5/3.10.4-1'],
    async run({ connect, topic }) {
      const [publisher, client] = [await connect(), await connect()];
      for (const filter of [topic, shared(topic), `${topic}-fence`]) await client.subscribe(filter);
      await client.unsubscribe(shared(topic));
      await publisher.publish({ topic, payload: 'm', qos: 1 });
      await client.receive({ payload: 'm' });
      await fenceBy(publisher, client, `${topic}-fence`);
      await client.expectNothing('one copy, for the subscription that is left');
    },
  },
  {
    id: 'group-ends',
    title: 'ends a group with its last member: who comes later gets nothing of what was published before',
    covers: ['v5/4.8.2~shared-leaving'],
    needs: ['qos1'],
    async run({ connect, topic }) {
      const [publisher, first] = [await connect(), await connect()];
      for (const filter of [shared(topic), `${topic}-fence`]) await first.subscribe(filter, 1);
      await first.unsubscribe(shared(topic));
      await publisher.publish({ topic, payload: 'for nobody', qos: 1 });
      await fenceBy(publisher, first, `${topic}-fence`);
      await first.expectNothing('nothing for a group that the client has left');
      const second = await connect();
      await second.subscribe(shared(topic), 1);
      await publisher.publish({ topic, payload: 'later', qos: 1 });
      await second.receive({ payload: 'later' });
    },
  },
];

// ── What has begun ───────────────────────────────────────────────────────────────────────────────────────────────────

/** A message that a member has got and not answered, while a second member has joined. */
interface Begun {
  readonly publisher: Peer;
  readonly first: Peer;
  readonly second: Peer;
  readonly packetId: number;
  again(options?: ConnectOptions): Promise<Peer>;
}

async function begin({ connect, topic, clientId }: Context, qos: 1 | 2, lasting = true): Promise<Begun> {
  const session = { clientId: clientId('first'), clean: !lasting };
  const publisher = await connect({ name: 'publisher' });
  const first = await connect({ ...session, name: 'first' });
  await first.subscribe(shared(topic), qos);
  await publisher.publish({ topic, payload: 'begun', qos });
  const { packetId = 0 } = await first.message({ payload: 'begun', qos });
  const second = await connect({ name: 'second' });
  await second.subscribe(shared(topic), qos);
  await second.subscribe(`${topic}-fence`);
  const again = (options: ConnectOptions = {}) => connect({ ...session, name: 'first again', ...options });
  return { publisher, first, second, packetId, again };
}

async function expectNotMoved({ topic }: Context, { publisher, second }: Begun, ...ids: readonly RequirementId[]) {
  await fenceBy(publisher, second, `${topic}-fence`);
  await second.expectNothing('nothing for another member of the group', ...ids);
}

const finished = ([false, true] as const).map(
  (released): Case => ({
    id: `qos2-finished-${released ? 'pubcomp-due' : 'pubrec-due'}`,
    title: `finishes a QoS 2 message that waits for ${released ? 'PUBCOMP' : 'PUBREC'} with the member that it was begun with, when that comes back`,
    covers: ['v5/4.8.2-4'],
    needs: ['qos2'],
    async run(context) {
      const begun = await begin(context, 2);
      const { first, packetId } = begun;
      if (released) {
        first.send(pubrec(packetId));
        await first.expect('PUBREL', { packetId });
      }
      first.drop();
      await expectNotMoved(context, begun, 'v5/4.8.2-4');
      const again = await begun.again();
      if (released) {
        await again.expect('PUBREL', { packetId });
        again.send(pubcomp(packetId));
      } else await again.receive({ payload: 'begun', qos: 2, dup: true });
      await expectNotMoved(context, begun, 'v5/4.8.2-4');
    },
  }),
);

/** Ways to end the session of the member that has got a QoS 2 message. */
const ends: readonly (readonly [id: string, title: string, waits: number])[] = [
  ['connection', 'with its connection', 0],
  ['clean-start', 'by Clean Start 1', 0],
  ['expiry', 'because it expires', 1],
];

const ended = ends.flatMap(([id, title, waits]): Case[] =>
  [false, true].map((released) => ({
    id: `qos2-ended-${id}-${released ? 'pubcomp-due' : 'pubrec-due'}`,
    title: `sends a QoS 2 message that waits for ${released ? 'PUBCOMP' : 'PUBREC'} to nobody else when the session of its member ends ${title}`,
    covers: ['v5/4.8.2-5'],
    needs: ['qos2'],
    ...(waits > 0 && { waits: waits + 1 }),
    async run(context) {
      const begun = await begin(context, 2, id !== 'connection');
      const { first, packetId } = begun;
      if (released) {
        first.send(pubrec(packetId));
        await first.expect('PUBREL', { packetId });
      }
      if (id === 'expiry') {
        first.send({ type: 'DISCONNECT', code: 0, properties: { sessionExpiryInterval: waits } });
        await first.isClosed();
        await context.elapse(context.seconds(waits + 1));
      } else first.drop();
      if (id === 'clean-start') await begun.again({ clean: true });
      await expectNotMoved(context, begun, 'v5/4.8.2-5');
    },
  })),
);

const refusals = [0x80, 0x83, 0x87, 0x97] as const;

const discarded = ([1, 2] as const).flatMap((qos) =>
  refusals.map(
    (reason): Case => ({
      id: `refused-qos${qos}-${reason.toString(16)}`,
      title: `discards a QoS ${qos} message that a member answers with ${qos === 1 ? 'PUBACK' : 'PUBREC'} ${code(reason)}, and goes on`,
      covers: ['v5/4.8.2-6'],
      needs: needsQoS(qos),
      async run(context) {
        const begun = await begin(context, qos);
        const { first, second, packetId, publisher } = begun;
        first.send(qos === 1 ? puback(packetId, { code: reason }) : pubrec(packetId, { code: reason }));
        await first.expectNothing('nothing for the member that has refused the message', 'v5/4.8.2-6');
        await expectNotMoved(context, begun, 'v5/4.8.2-6');
        await first.disconnect();
        const again = await begun.again();
        await again.expectNothing('nothing for the member that has refused the message', 'v5/4.8.2-6');
        await again.unsubscribe(shared(context.topic));
        await publisher.publish({ topic: context.topic, payload: 'later', qos });
        await second.receive({ payload: 'later', qos });
      },
    }),
  ),
);

const goingOn: readonly Case[] = [
  ...finished,
  ...ended,
  ...discarded,
  ...(['connection', 'clean-start'] as const).map(
    (id): Case => ({
      id: `qos1-moved-${id}`,
      title: `sends a QoS 1 message that waits for PUBACK to another member when the session of its member ends ${id === 'connection' ? 'with its connection' : 'by Clean Start 1'}`,
      covers: ['v5/4.8.2~shared-redistribution'],
      needs: ['qos1'],
      async run(context) {
        const begun = await begin(context, 1, id !== 'connection');
        begun.first.drop();
        if (id === 'clean-start') await begun.again({ clean: true });
        await begun.second.receive({ payload: 'begun', qos: 1 });
      },
    }),
  ),
];

/** A server may do without shared subscriptions. */
function about(part: string, cases: readonly Case[]) {
  return section(
    `4.8.2 Shared Subscriptions: ${part}`,
    cases.map((each) => ({ ...each, needs: ['shared-subscriptions', ...(each.needs ?? [])] })),
  );
}

export const sharedSubscriptions = chapter(
  '4.8.2 Shared Subscriptions',
  about('one member for each message', members),
  about('beside other subscriptions', sideBySide),
  about('retained messages', retained),
  about('leaving', leaving),
  about('what has begun', goingOn),
  about('filters', filters),
);
