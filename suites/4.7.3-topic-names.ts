/** 4.7.3 Topic semantic and usage: which names are different ones, and how short and long they can be. */

import { type Case, type Context, section } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import { publish, subscribe } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { answerOrClose } from './answer.ts';
import { fill, matrix, shown } from './matching.ts';
import type { Peer } from './session.ts';

const distinct = matrix(
  ['v3/4.7.3~topic-distinctness', 'v5/4.7.3~topic-distinctness'],
  [
    {
      id: 'case-sensitive',
      title: 'tells upper from lower case',
      filter: '{t}/ACCOUNTS',
      matching: ['{t}/ACCOUNTS'],
      others: ['{t}/Accounts', '{t}/accounts', '{t}/aCCOUNTS'],
    },
    {
      id: 'case-sensitive-beyond-ascii',
      title: 'tells upper from lower case beyond ASCII',
      filter: '{t}/ÉΣЖ',
      matching: ['{t}/ÉΣЖ'],
      others: ['{t}/éσж', '{t}/éςж', '{t}/ÉΣж'],
    },
    {
      id: 'spaces',
      title: 'takes spaces for what they are',
      refusable: true,
      filter: '{t}/Accounts payable ',
      matching: ['{t}/Accounts payable '],
      others: ['{t}/Accounts payable', '{t}/Accountspayable', '{t}/Accounts  payable ', '{t}/ Accounts payable '],
    },
    {
      id: 'leading-separator',
      title: "tells a Topic Name from the same with '/' before or behind it",
      filter: '{t}/finance',
      matching: ['{t}/finance'],
      others: ['/{t}/finance', '{t}/finance/', '{t}//finance'],
    },
    {
      id: 'trailing-separator',
      title: "tells a Topic Name that ends with '/' from one that does not",
      filter: '{t}/finance/',
      matching: ['{t}/finance/'],
      others: ['{t}/finance', '/{t}/finance/', '{t}/finance//'],
    },
    {
      id: 'names-that-are-parts',
      title: 'tells a Topic Name from its beginnings and continuations',
      filter: '{t}/Aa',
      matching: ['{t}/Aa'],
      others: ['{t}', '{t}/', '{t}/A', '{t}/Aaa', '{t}/Aa/a', '{t}/aA', 'x/{t}/Aa'],
    },
    {
      id: 'punctuation',
      title: 'takes punctuation of all kinds for ordinary characters',
      refusable: true,
      filter: `{t}/A!"$%&'()*,-.:;<=>?@[\\]^_\`{|}~`,
      matching: [`{t}/A!"$%&'()*,-.:;<=>?@[\\]^_\`{|}~`],
      others: ['{t}/A', '{t}/A!', '{t}/*', '{t}/A*', '{t}/A?', '{t}/A%', '{t}/>'],
    },
    {
      id: 'levels-50',
      title: 'tells Topic Names of fifty levels from those of one more or less',
      filter: `{t}${'/L'.repeat(48)}`,
      matching: [`{t}${'/L'.repeat(48)}`],
      others: [`{t}${'/L'.repeat(47)}`, `{t}${'/L'.repeat(49)}`, `{t}${'/L'.repeat(47)}/l`],
    },
  ],
);

const unaltered = matrix(
  ['v3/4.7.3-4', 'v5/4.7.3-4'],
  [
    {
      id: 'composed',
      title: 'tells a composed character from the same decomposed',
      filter: '{t}/caf\u00E9',
      matching: ['{t}/caf\u00E9'],
      others: ['{t}/cafe\u0301', '{t}/cafe', '{t}/caf\u00E9\u0301'],
    },
    {
      id: 'decomposed',
      title: 'tells a decomposed character from the same composed',
      filter: '{t}/cafe\u0301',
      matching: ['{t}/cafe\u0301'],
      others: ['{t}/caf\u00E9', '{t}/cafe', '{t}/cafe\u0301\u0301'],
    },
    {
      id: 'equivalent-characters',
      title: 'tells characters apart that Unicode calls equivalent',
      filter: '{t}/\u212B\u2126',
      matching: ['{t}/\u212B\u2126'],
      others: ['{t}/\u00C5\u03A9', '{t}/A\u030A\u03A9', '{t}/\u00C5\u2126'],
    },
    {
      id: 'compatible-characters',
      title: 'tells characters apart that look alike',
      filter: '{t}/Ae\u0301fi1',
      matching: ['{t}/Ae\u0301fi1'],
      others: ['{t}/\uFF21e\u0301fi1', '{t}/Ae\u0301\uFB01\u00B9', '{t}/\u0410e\u0301fi1', '{t}/Ae\u0301fi\u0661'],
    },
    {
      id: 'escapes-and-dots',
      title: 'takes percent signs, dots and backslashes for what they are',
      refusable: true,
      filter: '{t}/e\u0301/a!b',
      matching: ['{t}/e\u0301/a!b'],
      others: [
        '{t}/e\u0301/a%21b',
        '{t}/%C3%A9/a!b',
        '{t}/x/../e\u0301/a!b',
        '{t}/./e\u0301/a!b',
        '{t}/e\u0301\\a!b',
        '{t}/\u00E9/a!b',
      ],
    },
    {
      id: 'invisible-characters',
      title: 'keeps invisible characters',
      refusable: true,
      filter: '{t}/e\u0301\u200B\u00AD\u200E',
      matching: ['{t}/e\u0301\u200B\u00AD\u200E'],
      others: ['{t}/e\u0301', '{t}/e\u0301\u200B', '{t}/e\u0301\u00A0'],
    },
  ],
);

const alteredElsewhere: readonly Case[] = [
  {
    id: 'unsubscribe-not-normalised',
    title: 'keeps a subscription when UNSUBSCRIBE names the same characters composed otherwise',
    covers: ['v3/4.7.3-4', 'v5/4.7.3-4'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(`${topic}/cafe\u0301`);
      await subscriber.unsubscribe(`${topic}/caf\u00E9`);
      await publisher.publish({ topic: `${topic}/cafe\u0301`, payload: 'still', qos: 1 });
      await subscriber.receive({ topic: `${topic}/cafe\u0301`, payload: 'still' });
    },
  },
  {
    id: 'will-topic-not-normalised',
    title: 'publishes a will to its Will Topic as it was given',
    covers: ['v3/4.7.3-4', 'v5/4.7.3-4'],
    needs: ['wildcards'],
    async run({ connect, topic }) {
      const watcher = await connect({ name: 'watcher' });
      await watcher.subscribe(`${topic}/+`);
      const client = await connect({ will: { topic: `${topic}/cafe\u0301`, payload: 'will' } });
      client.drop();
      await watcher.receive({ topic: `${topic}/cafe\u0301`, payload: 'will' });
    },
  },
];

// ── No characters at all, and as many as there can be ─────────────────────────────────────────────────────────

const emptyFilters: readonly Case[] = (
  [
    ['alone', [''], 0],
    ['first', ['', '{t}'], 0],
    ['last', ['{t}', ''], 1],
    ['twice', ['', ''], 1],
  ] as const
).map(([id, filters, empty]) => ({
  id: `empty-filter-${id}`,
  title: `closes the connection on a SUBSCRIBE with an empty Topic Filter (${id})`,
  covers: ['v3/4.7.3-1', 'v3/4.8.0-1', 'v5/4.7.3-1', 'v5/4.13.1-1'],
  async run(context) {
    const expected = 'the connection closes';
    const client = await context.connect();
    client.send(subscribe(1, ...filters.map((filter): [string, QoS] => [fill(filter, context), 0])));
    const answer = await answerOrClose(context, client, expected);
    if (!answer) return;
    if (answer.type !== 'SUBACK') return context.fail(expected, answer.type);
    const given = answer.codes[empty] ?? 0;
    if (given < 0x80) context.fail(expected, `SUBACK ${code(given)} for an empty Topic Filter`);
    context.nonStrict(`the empty Topic Filter is refused by SUBACK ${code(given)} instead of closing the connection`);
  },
}));

/** A Topic Name with so many bytes. */
function longTopic(topic: string, size: number, filling = 'L'): string {
  return `${topic}/${filling.repeat(65_535)}`.slice(0, size);
}

/** A long name works, unchanged; or the broker has a limit, and refuses it or closes. */
async function expectUncut(context: Context, filter: string, topic: string, shorter: string): Promise<void> {
  const expected = [
    'the message with its Topic Name',
    'a refusal or the end of the connection (a limit of the broker)',
  ];
  const size = Buffer.byteLength(topic);
  const limit = `the broker takes no Topic Name of ${size} bytes`;
  const [publisher, subscriber] = [await context.connect(), await context.connect()];
  const levels = topic.split('/').length;
  const answerOf = async (client: Peer) => {
    if (levels < 1_000) return answerOrClose(context, client, expected);
    const answer = await client.next();
    if (answer || (await client.isClosed(0))) return answer;
    // The standard names no time, and a broker that keeps topics as trees is busy for a while.
    return context.couldNotRun(`the broker needs longer for ${levels} levels than an answer may take (--timeout)`);
  };
  subscriber.send(subscribe(1, [filter, 0]));
  const answer = await answerOf(subscriber);
  if (!answer || (answer.type === 'SUBACK' && (answer.codes[0] ?? 0x80) >= 0x80)) context.notApplicable(limit);
  for (const [name, packetId] of [
    [shorter, 1],
    [topic, 2],
  ] as const) {
    publisher.send(publish({ topic: name, payload: context.token, qos: 1, packetId }));
    const acknowledgement = await answerOf(publisher);
    const isRefused = acknowledgement?.type === 'PUBACK' && (acknowledgement.code ?? 0) >= 0x80;
    if (!acknowledgement || isRefused) context.notApplicable(limit);
  }
  const message = await answerOf(subscriber);
  if (message?.type !== 'PUBLISH') return context.fail(expected, message?.type ?? 'the connection closes');
  if (message.topic !== topic) context.fail(expected, `PUBLISH to ${shown(message.topic)}`);
}

/** Brokers that keep topics as trees need seconds for so many levels, and some serve nobody else meanwhile. */
const busy = { tags: ['slow'] } as const;

const longTopics: readonly Case[] = [
  ...[65_535, 65_534, 32_768].map(
    (size): Case => ({
      id: `topic-of-${size}-bytes`,
      title: `delivers a Topic Name of ${size.toLocaleString('en')} bytes uncut, and tells it from one that is a byte shorter`,
      covers: ['v3/4.7.3-3', 'v5/4.7.3-3'],
      run: (context) => {
        const topic = longTopic(context.topic, size);
        return expectUncut(context, topic, topic, topic.slice(0, -1));
      },
    }),
  ),
  {
    id: 'filter-with-hash-of-65535-bytes',
    title: 'matches a Topic Filter of 65,535 bytes that ends with #',
    covers: ['v3/4.7.3-3', 'v5/4.7.3-3'],
    needs: ['wildcards'],
    run: (context) => {
      const topic = longTopic(context.topic, 65_533);
      return expectUncut(context, `${topic}/#`, topic, topic.slice(0, -1));
    },
  },
  ...[100, 200, 10_000, 32_000].map(
    (levels): Case => ({
      id: `levels-${levels}`,
      title: `delivers a Topic Name of ${levels.toLocaleString('en')} levels more`,
      covers: ['v3/4.7.3~topic-distinctness', 'v5/4.7.3~topic-distinctness'],
      ...(levels > 10_000 && busy),
      run: (context) => {
        const topic = `${context.topic}${'/L'.repeat(levels)}`;
        return expectUncut(context, topic, topic, topic.slice(0, -2));
      },
    }),
  ),
  {
    id: 'levels-of-nothing',
    title: 'delivers a Topic Name of 65,535 bytes that is almost nothing but separators',
    covers: ['v3/4.7.3-3', 'v5/4.7.3-3'],
    ...busy,
    run: (context) => {
      const topic = longTopic(context.topic, 65_535, '/');
      return expectUncut(context, topic, topic, topic.slice(0, -1));
    },
  },
];

export const topicNames = section('4.7.3 Topic semantic and usage', [
  ...distinct,
  ...unaltered,
  ...alteredElsewhere,
  ...emptyFilters,
  ...longTopics,
]);
