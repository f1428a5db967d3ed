/** 4.7.2 Topics beginning with `$`: out of the reach of leading wildcards, and the server's own. */

import { type Case, section } from '../harness/case.ts';
import { subscribe } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { fill, matrix } from './matching.ts';

const dollarFilters: readonly (readonly [id: string, filter: string])[] = [
  ['hash', '#'],
  ['plus-hash', '+/#'],
  ['plus-names', '+/{k}/a'],
  ['plus-plus', '+/+/+'],
  ['plus-name-hash', '+/{k}/#'],
];

const dollarWildcards: readonly Case[] = dollarFilters.map(([id, filter]) => ({
  id: `dollar-topic-not-matched-by-${id}`,
  title: `matches no Topic Name that begins with '$' with ${filter.replace('{k}', 'name')}, live or retained`,
  covers: ['v3/4.7.2-1', 'v5/4.7.2-1'],
  needs: ['dollar-topics', 'retain', 'wildcards'],
  tags: ['top-level'],
  async run(context) {
    const { connect, token } = context;
    const [dollar, plain] = [`$mc/${token}/a`, `mc/${token}/a`];
    const [publisher, wild, explicit] = [await connect(), await connect(), await connect()];
    await explicit.subscribe(`$mc/${token}/#`);
    await wild.subscribe(fill(filter, context));
    for (const topic of [dollar, plain]) await publisher.publish({ topic, payload: 'live', qos: 1 });
    await explicit.receive({ topic: dollar, payload: 'live' });
    await wild.receive({ topic: plain, payload: 'live' });
    for (const topic of [dollar, plain]) await publisher.publish({ topic, payload: 'retained', qos: 1, retain: true });
    await explicit.receive({ topic: dollar, payload: 'retained' });
    await wild.receive({ topic: plain, payload: 'retained' });
    const late = await connect({ name: 'late' });
    await late.subscribe(fill(filter, context));
    await late.receive({ topic: plain, payload: 'retained' });
    await late.expectNothing(`no message to ${dollar}`);
  },
}));

const dollarExplicit = matrix(
  ['v3/3.3.2-3', 'v5/3.3.2-3'],
  [
    {
      id: 'dollar-topic-exactly',
      title: "matches a Topic Name that begins with '$' with itself",
      filter: '$mc/{k}/a',
      matching: ['$mc/{k}/a'],
      others: ['mc/{k}/a', '$mc/{k}', '$mc/{k}/b', '$mc/{k}/A'],
    },
    {
      id: 'dollar-topic-plus-last',
      title: "matches a Topic Name that begins with '$' with a filter that begins so and ends with '+'",
      filter: '$mc/{k}/+',
      matching: ['$mc/{k}/a', '$mc/{k}/$a', '$mc/{k}/'],
      others: ['mc/{k}/a', '$mc/{k}', '$mc/{k}/a/b', '$mcx/{k}/a'],
    },
    {
      id: 'dollar-topic-plus-within',
      title: "matches a Topic Name that begins with '$' with a filter that begins so and has '+' within",
      filter: '$mc/+/{k}',
      matching: ['$mc/a/{k}', '$mc//{k}'],
      others: ['mc/a/{k}', '$mc/{k}', '$mc/a/{k}/b', '$/a/{k}'],
    },
    {
      id: 'dollar-topic-hash',
      title: "matches a Topic Name that begins with '$' with a filter that begins so and ends with '#'",
      filter: '$mc/{k}/#',
      matching: ['$mc/{k}', '$mc/{k}/a', '$mc/{k}/a/b'],
      others: ['mc/{k}/a', '$mc/a/{k}', '$mc{k}/a'],
    },
  ],
).map((each): Case => ({ ...each, needs: ['dollar-topics', ...(each.needs ?? [])] }));

const besideHash: Case = {
  id: 'dollar-topic-beside-hash',
  title: "serves a subscription to '$mc/#' beside one to '#'",
  covers: ['v3/3.3.2-3', 'v5/3.3.2-3'],
  needs: ['dollar-topics', 'wildcards'],
  tags: ['top-level'],
  async run({ connect, token }) {
    const [publisher, subscriber] = [await connect(), await connect()];
    await subscriber.subscribe('#');
    await subscriber.subscribe('$mc/#');
    for (const topic of [`$mc/${token}`, `mc/${token}`]) {
      await publisher.publish({ topic, payload: 'once', qos: 1 });
      // What else reaches '#' is the matter of other cases.
      await subscriber.pick('PUBLISH', { topic, payload: 'once' });
    }
  },
};

/** Whether a message comes through that a client published to a topic of the server's. */
function guarded(qos: QoS): Case {
  return {
    id: `dollar-topic-guarded-qos${qos}`,
    title: `keeps clients from exchanging QoS ${qos} messages through a topic that begins with '$'`,
    covers: ['v3/4.7.2~dollar-topics-guarded', 'v5/4.7.2~dollar-topics-guarded'],
    ...(qos === 2 && { needs: ['qos2'] as const }),
    async run({ connect, topic, token, fail }) {
      const [publisher, subscriber, other] = [await connect(), await connect(), await connect()];
      await subscriber.request([topic, qos]);
      // Whether this subscription is granted or refused makes no difference.
      await subscriber.request([`$mc/${token}`, qos]);
      // Nor does it whether the broker takes the message or closes the connection.
      await publisher.publish({ topic: `$mc/${token}`, payload: token, qos }).catch(() => undefined);
      await publisher.fence().catch(() => undefined);
      // The fence goes the same way, where there is one: messages of different publishers may overtake each other.
      const fencer = (await publisher.isClosed(0)) ? other : publisher;
      await fencer.publish({ topic, payload: 'fence', qos });
      const message = await subscriber.message();
      if (message.topic !== topic) fail("no message to a topic that begins with '$'", `PUBLISH to ${message.topic}`);
    },
  };
}

export const dollarTopics = section('4.7.2 Topics beginning with $', [
  ...dollarWildcards,
  ...dollarExplicit,
  besideHash,
  ...matrix(
    ['v3/4.7.1.3~single-level-scope', 'v5/4.7.1.3~single-level-scope'],
    [
      {
        id: 'dollar-deeper-plus',
        title: "matches a level that begins with '$' with '+', when it is not the first",
        filter: '{t}/+',
        matching: ['{t}/$a', '{t}/$', '{t}/$SYS', '{t}/'],
        others: ['{t}', '{t}/$a/b'],
      },
    ],
  ),
  ...matrix(
    ['v3/4.7.1.2~multi-level-scope', 'v5/4.7.1.2~multi-level-scope'],
    [
      {
        id: 'dollar-deeper-hash',
        title: "matches levels that begin with '$' with '#', when they are not the first",
        filter: '{t}/#',
        matching: ['{t}/$a', '{t}/$SYS/b', '{t}/a/$', '{t}'],
        others: ['{t}$a'],
      },
    ],
  ),
  {
    id: 'sys-subscription-answered',
    title: 'answers subscriptions to $SYS/# and $SYS/+/a by SUBACK, granted or not',
    covers: ['v3/3.8.4-1', 'v5/3.8.4-1'],
    async run({ connect, fail }) {
      const client = await connect();
      client.send(subscribe(1, ['$SYS/#', 0], ['$SYS/+/a', 0]));
      const { codes } = await client.pick('SUBACK', { packetId: 1 });
      if (codes.length !== 2) fail('two return codes', `${codes.length}`, 'v3/3.8.4-5', 'v5/3.8.4-6');
    },
  },
  ...([0, 1, 2] as const).map(guarded),
]);
