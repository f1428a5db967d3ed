/** 3.3.2.3.4 Topic Alias (MQTT 5.0): numbers for topics, by client and server each for its own messages, on one connection. */

import { type Case, type Context, section } from '../harness/case.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { type PublishFields, publish, pubrel, text } from '../harness/wire/build.ts';
import { publishAccepted } from './accepted.ts';
import { acknowledgedAgain } from './held.ts';
import { needsQoS } from './needs.ts';
import { expectRetained } from './retained.ts';
import type { Peer } from './session.ts';

const alias = (topicAlias: number) => ({ properties: { topicAlias } });

/** The highest Topic Alias that a client may use, as CONNACK says. */
function highestOf({ connack }: Peer): number {
  return connack?.properties?.topicAliasMaximum ?? 0;
}

/** Two clients: one that publishes, and one with a subscription to everything below the topic of the case. */
async function pair({ connect, topic }: Context, qos: 0 | 1 | 2 = 0): Promise<readonly [Peer, Peer]> {
  const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
  for (const level of ['a', 'b']) await subscriber.subscribe(`${topic}/${level}`, qos);
  return [publisher, subscriber];
}

// ── From the client ──────────────────────────────────────────────────────────────────────────────────────────────────

/** A message: to a level below the topic of the case, or to none, with this alias or without one; and the level that it is for. */
type Step = readonly [level: 'a' | 'b' | '', alias: number | undefined, goesTo: 'a' | 'b'];

const mapping: RequirementId = 'v5/3.3.2.3.4~topic-alias-mapping';

const sequences: readonly (readonly [id: string, title: string, ...steps: Step[]])[] = [
  ['set-and-used', 'takes a Topic Alias for the topic that it was set to', ['a', 1, 'a'], ['', 1, 'a'], ['', 1, 'a']],
  ['set-anew', 'takes a Topic Alias for the topic that it was set to last', ['a', 1, 'a'], ['b', 1, 'b'], ['', 1, 'b']],
  [
    'set-back',
    'takes a Topic Alias for its first topic when it is set to that again',
    ['a', 1, 'a'],
    ['b', 1, 'b'],
    ['a', 1, 'a'],
    ['', 1, 'a'],
  ],
  ['set-twice', 'takes a Topic Alias for a topic that it was set to twice', ['a', 1, 'a'], ['a', 1, 'a'], ['', 1, 'a']],
  [
    'beside-topics',
    'keeps a Topic Alias while topics are named without it',
    ['a', 1, 'a'],
    ['b', undefined, 'b'],
    ['a', undefined, 'a'],
    ['', 1, 'a'],
  ],
];

const clientSets: readonly Case[] = [
  ...sequences.map(
    ([id, title, ...steps]): Case => ({
      id,
      title,
      covers: [mapping],
      needs: ['topic-aliases'],
      async run(context) {
        const [publisher, subscriber] = await pair(context);
        for (const [index, [level, topicAlias, goesTo]] of steps.entries()) {
          const topic = level && `${context.topic}/${level}`;
          await publisher.publish({ topic, payload: `${index}`, ...(topicAlias !== undefined && alias(topicAlias)) });
          await subscriber.receive({ topic: `${context.topic}/${goesTo}`, payload: `${index}` });
        }
      },
    }),
  ),
  ...([0, 1, 2] as const).map(
    (qos): Case => ({
      id: `used-qos${qos}`,
      title: `takes a Topic Alias in place of a topic at QoS ${qos}`,
      covers: [mapping],
      needs: ['topic-aliases', ...needsQoS(qos)],
      async run(context) {
        const [publisher, subscriber] = await pair(context, qos);
        const topic = `${context.topic}/a`;
        for (const [payload, name] of [
          ['set', topic],
          ['used', ''],
          ['used again', ''],
        ] as const) {
          await publishAccepted(context, publisher, { topic: name, payload, qos, ...alias(1) });
          await subscriber.receive({ topic, payload, qos });
        }
      },
    }),
  ),
  {
    id: 'among-other-packets',
    title: 'keeps a Topic Alias while the client subscribes, unsubscribes and pings',
    covers: [mapping],
    needs: ['topic-aliases'],
    async run(context) {
      const [publisher, subscriber] = await pair(context);
      const topic = `${context.topic}/a`;
      await publisher.publish({ topic, payload: 'set', ...alias(1) });
      await subscriber.receive({ topic, payload: 'set' });
      await publisher.subscribe(`${context.topic}/b`);
      await publisher.unsubscribe(`${context.topic}/b`);
      await publisher.fence();
      await publisher.publish({ topic: '', payload: 'used', ...alias(1) });
      await subscriber.receive({ topic, payload: 'used' });
    },
  },
  {
    id: 'every-alias',
    title: 'takes every Topic Alias up to the maximum that it has announced, each for its own topic',
    covers: ['v5/3.3.2-12', mapping],
    needs: ['topic-aliases', 'wildcards'],
    async run(context) {
      const { connect, topic } = context;
      const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
      await subscriber.subscribe(`${topic}/+`, 1);
      const highest = highestOf(publisher);
      const some = Array.from({ length: Math.min(highest, 50) }, (_, index) => index + 1);
      const aliases = [...new Set([...some, highest])];
      for (const each of aliases)
        await publisher.publish({ topic: `${topic}/${each}`, payload: 'set', ...alias(each) });
      for (const each of aliases) {
        await publishAccepted(context, publisher, { topic: '', payload: `${each}`, qos: 1, ...alias(each) });
      }
      const missing = new Set(aliases.map(String));
      while (missing.size > 0) {
        const message = await subscriber.receive();
        const payload = text(message.payload);
        if (payload === 'set') continue;
        const wanted = `${topic}/${payload}`;
        if (message.topic !== wanted)
          context.fail(`the message to ${wanted}`, `the message to ${message.topic}`, mapping);
        missing.delete(payload);
      }
    },
  },
  {
    id: 'retained',
    title: 'retains a message with a Topic Alias in place of its topic under that topic',
    covers: [mapping],
    needs: ['topic-aliases', 'retain'],
    async run(context) {
      const { connect, topic } = context;
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish({ topic, payload: 'first', qos: 1, retain: true, ...alias(1) });
      await publishAccepted(context, publisher, { topic: '', payload: 'second', qos: 1, retain: true, ...alias(1) });
      await expectRetained(context, publisher, topic, 0, 'second');
    },
  },
  {
    id: 'set-anew-before-pubrel',
    title: 'delivers a QoS 2 message to the topic of its Topic Alias, although that is set anew before PUBREL',
    covers: [mapping],
    needs: ['topic-aliases', 'qos2'],
    async run(context) {
      const [publisher, subscriber] = await pair(context, 2);
      const [a, b] = [`${context.topic}/a`, `${context.topic}/b`];
      await publisher.publish({ topic: a, payload: 'set', ...alias(1) });
      await subscriber.receive({ topic: a, payload: 'set' });
      publisher.send(publish({ topic: '', payload: 'first', qos: 2, packetId: 7, ...alias(1) }));
      await publisher.expect('PUBREC', { packetId: 7 });
      await publisher.publish({ topic: b, payload: 'set anew', ...alias(1) });
      publisher.send(pubrel(7));
      await publisher.expect('PUBCOMP', { packetId: 7 });
      await publisher.publish({ topic: '', payload: 'second', qos: 2, ...alias(1) });
      const topics = new Map<string, string>();
      while (topics.size < 3) {
        const { topic, payload } = await subscriber.receive();
        topics.set(text(payload), topic);
      }
      for (const [payload, topic] of [
        ['first', a],
        ['second', b],
      ] as const) {
        if (topics.get(payload) !== topic)
          context.fail(`'${payload}' to ${topic}`, `to ${topics.get(payload)}`, mapping);
      }
    },
  },
  {
    id: 'both-directions',
    title: 'keeps the Topic Aliases of a client and its own for that client apart',
    covers: [mapping],
    needs: ['topic-aliases'],
    async run(context) {
      const { connect, topic } = context;
      const [a, b] = [`${topic}/a`, `${topic}/b`];
      const client = await connect({ name: 'client', properties: { topicAliasMaximum: 1 } });
      const other = await connect({ name: 'other' });
      await client.subscribe(b);
      await other.subscribe(a);
      await client.publish({ topic: a, payload: 'set', ...alias(1) });
      await other.receive({ topic: a, payload: 'set' });
      for (const payload of ['1', '2']) {
        await other.publish({ topic: b, payload });
        await client.receive({ topic: b, payload });
        await client.publish({ topic: '', payload, ...alias(1) });
        await other.receive({ topic: a, payload });
      }
    },
  },
];

// ── What no client may send ──────────────────────────────────────────────────────────────────────────────────────────

/** Closes, and delivers nothing to whoever is subscribed to the topic. */
async function expectRefused(
  { connect, topic }: Context,
  offender: Peer,
  message: Omit<PublishFields, 'payload'>,
  reasons: readonly number[],
): Promise<void> {
  const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
  await subscriber.subscribe(topic);
  offender.sendRegardless(publish({ ...message, payload: 'refused' }));
  await offender.expectClose({ reasons });
  await publisher.publish({ topic, payload: 'fence', qos: 1 });
  await subscriber.receive({ payload: 'fence' });
}

/** Topic Aliases out of range, by the maximum of the broker; undefined where there is none. */
const outOfRange: readonly (readonly [
  id: string,
  title: string,
  aliasOf: (highest: number) => number,
  named: boolean,
  covers: Case['covers'],
])[] = [
  ['zero', 'a Topic Alias of 0', () => 0, true, ['v5/3.3.4~topic-alias-range', 'v5/3.3.2-8']],
  ['zero-alone', 'a Topic Alias of 0 and no topic', () => 0, false, ['v5/3.3.4~topic-alias-range', 'v5/3.3.2-8']],
  [
    'above',
    'the Topic Alias next above the maximum',
    (highest) => highest + 1,
    true,
    ['v5/3.3.4~topic-alias-range', 'v5/3.3.2-9'],
  ],
  [
    'above-alone',
    'the Topic Alias next above the maximum and no topic',
    (highest) => highest + 1,
    false,
    ['v5/3.3.4~topic-alias-range', 'v5/3.3.2-9'],
  ],
  [
    'highest',
    'the Topic Alias 65535, which is above the maximum',
    () => 0xffff,
    true,
    ['v5/3.3.4~topic-alias-range', 'v5/3.3.2-9'],
  ],
];

const refused: readonly Case[] = [
  ...outOfRange.flatMap(([id, title, aliasOf, named, covers]) =>
    ([0, 1, 2] as const).map(
      (qos): Case => ({
        id: `${id}-qos${qos}`,
        title: `closes on a QoS ${qos} PUBLISH with ${title}, and does not deliver it`,
        covers,
        async run(context) {
          const offender = await context.connect({ name: 'offender' });
          const highest = highestOf(offender);
          const topicAlias = aliasOf(highest);
          if (topicAlias > 0xffff || (topicAlias > 0 && topicAlias <= highest)) {
            context.notApplicable('the broker takes every Topic Alias');
          }
          const topic = named ? context.topic : '';
          await expectRefused(context, offender, { topic, qos, packetId: 7, ...alias(topicAlias) }, [0x94, 0x82, 0x81]);
        },
      }),
    ),
  ),
  ...([0, 1, 2] as const).map(
    (qos): Case => ({
      id: `unknown-qos${qos}`,
      title: `closes on a QoS ${qos} PUBLISH with a Topic Alias that was never set, and no topic`,
      covers: ['v5/3.3.4~unknown-topic-alias'],
      needs: ['topic-aliases'],
      async run(context) {
        const offender = await context.connect({ name: 'offender' });
        await expectRefused(context, offender, { topic: '', qos, packetId: 7, ...alias(1) }, [0x82, 0x94]);
      },
    }),
  ),
  {
    id: 'of-another-client',
    title: 'closes on a PUBLISH with a Topic Alias that only another client has set, and no topic',
    covers: ['v5/3.3.4~unknown-topic-alias'],
    needs: ['topic-aliases'],
    async run(context) {
      const { connect, topic } = context;
      const other = await connect({ name: 'other client' });
      await other.publish({ topic, payload: 'set', qos: 1, ...alias(1) });
      const offender = await connect({ name: 'offender' });
      await expectRefused(context, offender, { topic: '', ...alias(1) }, [0x82, 0x94]);
    },
  },
  ...[true, false].map(
    (clean): Case => ({
      id: `of-earlier-connection-${clean ? 'clean' : 'resumed'}`,
      title: `closes on a PUBLISH with a Topic Alias that was set on an earlier connection of ${clean ? 'the client' : 'the session'}, and no topic`,
      covers: clean ? ['v5/3.3.4~unknown-topic-alias'] : ['v5/3.3.2-7', 'v5/3.3.4~unknown-topic-alias'],
      needs: ['topic-aliases'],
      async run(context) {
        const { connect, topic, clientId } = context;
        const session = { clientId: clientId('offender'), clean };
        const first = await connect({ ...session, name: 'first connection' });
        await first.publish({ topic, payload: 'set', qos: 1, ...alias(1) });
        await first.disconnect();
        const offender = await connect({ ...session, name: 'offender' });
        await expectRefused(context, offender, { topic: '', ...alias(1) }, [0x82, 0x94]);
      },
    }),
  ),
];

// ── From the server ──────────────────────────────────────────────────────────────────────────────────────────────────

const notForwarded: readonly Case[] = (
  [
    ['none', undefined],
    ['one', 1],
  ] as const
).map(([id, topicAliasMaximum]) => ({
  id: `not-forwarded-${id}`,
  title: `does not pass on the Topic Alias of a message to a client that takes ${topicAliasMaximum ?? 'none'}`,
  covers: ['v5/3.3.2.3.4~topic-alias-not-forwarded'],
  needs: ['topic-aliases'],
  async run({ connect, topic, notApplicable }) {
    const publisher = await connect({ name: 'publisher' });
    const highest = highestOf(publisher);
    if (topicAliasMaximum !== undefined && highest < 2) notApplicable('the broker takes no second Topic Alias');
    const properties = topicAliasMaximum === undefined ? undefined : { topicAliasMaximum };
    const subscriber = await connect({ name: 'subscriber', ...(properties && { properties }) });
    for (const level of ['a', 'b']) await subscriber.subscribe(`${topic}/${level}`);
    // Names of other topics, whatever the server calls them for the subscriber; its aliases are judged as they come.
    for (const [name, used, goesTo] of [
      ['a', highest, 'a'],
      ['b', 1, 'b'],
      ['', highest, 'a'],
      ['', 1, 'b'],
    ] as const) {
      await publisher.publish({ topic: name && `${topic}/${name}`, payload: goesTo, ...alias(used) });
      await subscriber.receive({ topic: `${topic}/${goesTo}`, payload: goesTo });
    }
  },
}));

/** How many Topic Aliases a client takes. */
const maxima: readonly (number | undefined)[] = [undefined, 0, 1, 2, 10];

const serverSets = maxima.map(
  (topicAliasMaximum): Case => ({
    id: `server-within-${topicAliasMaximum ?? 'default'}`,
    title: `names more topics than a client with ${topicAliasMaximum === undefined ? 'no Topic Alias Maximum' : `a Topic Alias Maximum of ${topicAliasMaximum}`} takes, and keeps to that`,
    covers: topicAliasMaximum ? ['v5/3.3.2-11', 'v5/3.1.2-26', 'v5/3.3.2-8'] : ['v5/3.1.2-27'],
    async run({ connect, topic, trait }) {
      const publisher = await connect({ name: 'publisher' });
      const properties = topicAliasMaximum === undefined ? undefined : { topicAliasMaximum };
      const subscriber = await connect({ name: 'subscriber', ...(properties && { properties }) });
      const levels = Array.from({ length: (topicAliasMaximum ?? 0) + 3 }, (_, index) => `${index}`);
      for (const level of levels) await subscriber.subscribe(`${topic}/${level}`);
      let aliased = 0;
      // Forth and back, so that a server which gives an alias to another topic has to.
      for (const level of [...levels, ...levels, ...levels.toReversed()]) {
        await publisher.publish({ topic: `${topic}/${level}`, payload: level });
        const { properties: got } = await subscriber.receive({ topic: `${topic}/${level}`, payload: level });
        if (got?.topicAlias !== undefined) aliased++;
      }
      if (topicAliasMaximum) trait('uses the Topic Aliases that a client takes', aliased > 0 ? 'yes' : 'no');
    },
  }),
);

const resumed: Case = {
  id: 'server-names-topic-again',
  title: 'names the topic of a message on a new connection before it uses a Topic Alias, also in what it sends again',
  covers: ['v5/3.3.2-11'],
  needs: ['qos1'],
  async run(context) {
    const { connect, topic, clientId, fail } = context;
    // A Session Expiry Interval, as Clean Start 0 alone asks for none where properties are given.
    const properties = { topicAliasMaximum: 1, sessionExpiryInterval: 600 };
    const session = { clientId: clientId('subscriber'), clean: false, properties };
    const publisher = await connect({ name: 'publisher' });
    const subscriber = await connect({ ...session, name: 'subscriber' });
    await subscriber.subscribe(topic, 1);
    await subscriber.subscribe(`${topic}/b`, 1);
    await publisher.publish({ topic, payload: 'acknowledged', qos: 1 });
    await subscriber.receive({ topic, payload: 'acknowledged' });
    await publisher.publish({ topic, payload: 'again', qos: 1 });
    await subscriber.message({ topic, payload: 'again' });
    subscriber.drop();
    await publisher.publish({ topic: `${topic}/b`, payload: 'waiting', qos: 1 });
    const back = await connect({ ...session, name: 'subscriber again' });
    const due = new Map([
      ['again', topic],
      ['waiting', `${topic}/b`],
    ]);
    while (due.size > 0) {
      const message = await back.receive();
      const payload = text(message.payload);
      const acknowledged = payload === 'acknowledged';
      if (acknowledged) acknowledgedAgain(context);
      const named = acknowledged ? topic : due.get(payload);
      if (message.topic !== named) fail(`'${payload}' to ${named}`, `'${payload}' to ${message.topic}`);
      due.delete(payload);
    }
  },
};

export const topicAliases = section('3.3.2.3.4 Topic Alias', [
  ...clientSets,
  ...refused,
  ...notForwarded,
  ...serverSets,
  resumed,
]);
