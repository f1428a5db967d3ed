/** 4.7 Topic Names and Topic Filters: level separators and wildcards, and where wildcards may not be. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { publish, subscribe, unsubscribe } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { dollarTopics } from './4.7.2-dollar-topics.ts';
import { topicNames } from './4.7.3-topic-names.ts';
import { answerOrClose } from './answer.ts';
import { fill, matrix } from './matching.ts';
import { badWillTopic, judge } from './refusal.ts';

// ── 4.7.1: separators and wildcards ──────────────────────────────────────────────────────────────────────────────────

const separators = matrix(
  ['v3/4.7.1.1~topic-level-separator', 'v5/4.7.3~topic-distinctness'],
  [
    {
      id: 'empty-level-within',
      title: 'tells a Topic Name with an empty level from one without',
      filter: '{t}//a',
      matching: ['{t}//a'],
      others: ['{t}/a', '{t}///a', '{t}//a/'],
    },
    {
      id: 'empty-level-last',
      title: "takes a '/' at the end of a Topic Name for an empty level",
      filter: '{t}/a/',
      matching: ['{t}/a/'],
      others: ['{t}/a', '{t}/a//', '{t}//a'],
    },
    {
      id: 'empty-level-first',
      title: "takes a '/' at the beginning of a Topic Name for an empty level",
      filter: '/{t}',
      matching: ['/{t}'],
      others: ['{t}', '//{t}', '{t}/'],
    },
    {
      id: 'empty-levels-everywhere',
      title: 'delivers a Topic Name with empty levels everywhere',
      filter: '//{t}//a//',
      matching: ['//{t}//a//'],
      others: ['{t}/a', '/{t}//a//', '//{t}//a/', '//{t}/a//'],
    },
    {
      id: 'plus-for-empty-level',
      title: "takes an empty level for '+'",
      filter: '{t}/+/a',
      matching: ['{t}//a', '{t}/x/a'],
      others: ['{t}/a', '{t}///a'],
    },
    {
      id: 'separator-alone',
      title: "delivers to the Topic Name '/', which is not '//'",
      filter: '/',
      matching: ['/'],
      others: ['//', '{k}', '/{k}'],
      live: true,
    },
    {
      id: 'separators-alone',
      title: "delivers to the Topic Name '//', which is not '/'",
      filter: '//',
      matching: ['//'],
      others: ['/', '///', '//{k}'],
      live: true,
    },
  ],
);

const multiLevel = matrix(
  ['v3/4.7.1.2~multi-level-scope', 'v5/4.7.1.2~multi-level-scope'],
  [
    {
      id: 'hash-parent-and-children',
      title: "matches the parent level and any number of levels below it with '#'",
      filter: '{t}/#',
      matching: ['{t}', '{t}/', '{t}/a', '{t}/a/b', '{t}/a/b/c/d', '{t}//'],
      others: ['{t}x', '{t}x/a', '/{t}', '/{t}/a', 'x{t}/a'],
    },
    {
      id: 'hash-below-a-level',
      title: "matches with '#' below its level only",
      filter: '{t}/a/#',
      matching: ['{t}/a', '{t}/a/', '{t}/a/b', '{t}/a/b/c'],
      others: ['{t}', '{t}/', '{t}/ab', '{t}/ab/c', '{t}/A/b', '{t}/b', '{t}/b/a'],
    },
    {
      id: 'hash-after-empty-level',
      title: "matches with '#' after an empty level",
      filter: '{t}//#',
      matching: ['{t}/', '{t}//', '{t}//a', '{t}//a/b'],
      others: ['{t}', '{t}/a', '{t}/a/', '{t}/a//'],
    },
    {
      id: 'plus-before-hash',
      title: "matches with '+' and '#' in one filter",
      filter: '{t}/+/#',
      matching: ['{t}/a', '{t}/', '{t}/a/b', '{t}//b/c'],
      others: ['{t}', '{t}x/a'],
    },
    {
      id: 'plus-name-hash',
      title: "matches with '+', a name and '#' in one filter",
      filter: '{t}/+/tennis/#',
      matching: ['{t}/sport/tennis', '{t}/sport/tennis/', '{t}/a/tennis/b/c', '{t}//tennis'],
      others: ['{t}/tennis', '{t}/a/b/tennis', '{t}/a/tenni', '{t}/a/tennisx', '{t}/a/Tennis'],
    },
    {
      id: 'plus-first-before-hash',
      title: "matches with '+' as the first level and '#' as the last",
      filter: '+/{k}/#',
      matching: ['a/{k}', 'a/{k}/b', '/{k}', '/{k}/b/c'],
      others: ['{k}', '{k}/a', 'a/b/{k}', 'a/b/{k}/c', 'a/{k}x'],
    },
    {
      id: 'hash-alone',
      title: "matches every Topic Name that does not begin with '$' with '#'",
      filter: '#',
      matching: ['{t}/a/b', '{k}', '/{k}', '{k}/', '/', '{t}/$a'],
      others: [],
      live: true,
    },
    {
      id: 'hash-below-the-first-separator',
      title: "matches every Topic Name that begins with '/' with '/#'",
      filter: '/#',
      matching: ['/', '/{k}', '/{k}/a/b', '//'],
      others: ['{k}', '{k}/', '{k}/a'],
      live: true,
    },
  ],
);

const singleLevel = matrix(
  ['v3/4.7.1.3~single-level-scope', 'v5/4.7.1.3~single-level-scope'],
  [
    {
      id: 'plus-last',
      title: "matches one level, an empty one too, with '+' as the last level",
      filter: '{t}/+',
      matching: ['{t}/a', '{t}/'],
      others: ['{t}', '{t}/a/b', '{t}/a/', '{t}//', '{t}x/a'],
    },
    {
      id: 'plus-within',
      title: "matches one level, an empty one too, with '+' between two others",
      filter: '{t}/+/b',
      matching: ['{t}/a/b', '{t}//b'],
      others: ['{t}/b', '{t}/a', '{t}/a/c/b', '{t}/a/b/', '{t}/a/b/c'],
    },
    {
      id: 'plus-first',
      title: "matches one level, an empty one too, with '+' as the first level",
      filter: '+/{k}/a',
      matching: ['x/{k}/a', '/{k}/a'],
      others: ['{k}/a', 'x/y/{k}/a', 'x/{k}', 'x/{k}/a/b'],
    },
    {
      id: 'plus-twice',
      title: "matches one level with each '+'",
      filter: '{t}/+/+',
      matching: ['{t}/a/b', '{t}/a/', '{t}//b', '{t}//'],
      others: ['{t}', '{t}/a', '{t}/a/b/c', '{t}///'],
    },
    {
      id: 'plus-apart',
      title: "matches one level with each '+' of several that are apart",
      filter: '{t}/+/b/+/d',
      matching: ['{t}/a/b/c/d', '{t}//b//d'],
      others: ['{t}/a/b/d', '{t}/a/b/c', '{t}/a/x/c/d', '{t}/a/b/c/c/d', '{t}/a/b/c/d/e'],
    },
    {
      id: 'plus-before-empty-level',
      title: "matches one level with '+' before an empty level",
      filter: '{t}/+/',
      matching: ['{t}/a/', '{t}//'],
      others: ['{t}/', '{t}/a', '{t}/a/b', '{t}/a//'],
    },
    {
      id: 'plus-alone',
      title: "matches Topic Names of one level with '+'",
      filter: '+',
      matching: ['{k}'],
      others: ['/{k}', '{k}/', '{k}/a', '/'],
      live: true,
    },
    {
      id: 'plus-plus-alone',
      title: "matches Topic Names of two levels with '+/+'",
      filter: '+/+',
      matching: ['/{k}', '{k}/', '{k}/a', '/'],
      others: ['{k}', '/{k}/', '{k}/a/b', '//'],
      live: true,
    },
    {
      id: 'plus-below-the-first-separator',
      title: "matches Topic Names of an empty level and another with '/+'",
      filter: '/+',
      matching: ['/{k}', '/'],
      others: ['{k}', '{k}/', '/{k}/', '//', '/{k}/a'],
      live: true,
    },
  ],
);

/** Filters with `#` where it may not be; `{t}` and `{k}` as in the matrix. */
const misplacedHash: readonly (readonly [id: string, filter: string])[] = [
  ['after-a-name', '{t}#'],
  ['before-a-name', '{t}/#a'],
  ['at-the-end-of-a-level', '{t}/a#'],
  ['within-a-name', '{t}/a#b'],
  ['not-last', '{t}/#/a'],
  ['before-a-separator', '{t}/#/'],
  ['first-level-not-last', '#/{k}'],
  ['after-separator-not-last', '/#/{k}'],
  ['first-before-a-name', '#{k}'],
  ['twice', '{t}/#/#'],
  ['twice-in-a-level', '{t}/##'],
  ['twice-alone', '##'],
  ['before-plus', '{t}/#+'],
  ['before-plus-level', '{t}/#/+'],
];

const misplacedPlus: readonly (readonly [id: string, filter: string])[] = [
  ['after-a-name', '{t}+'],
  ['at-the-end-of-a-level', '{t}/a+'],
  ['at-the-beginning-of-a-level', '{t}/+a'],
  ['within-a-level', '{t}/a+b/c'],
  ['between-separators', '{t}/+a+/c'],
  ['first-before-a-name', '+{k}'],
  ['first-level-before-a-name', '+{k}/+'],
  ['twice-in-a-level', '{t}/++'],
  ['twice-alone', '++'],
  ['before-hash', '{t}/+#'],
];

/** A filter that is none may end the connection or be refused in SUBACK; what it may not is work. */
async function expectRefused(context: Context, filters: readonly string[], invalid: number): Promise<void> {
  const refusal = context.version === 'v3' ? '0x80' : 'a code that refuses';
  const expected = [
    'the connection closes',
    filters.length > 1 ? `SUBACK with ${refusal} for filter ${invalid + 1}` : `SUBACK with ${refusal}`,
  ];
  const client = await context.connect();
  client.send(subscribe(1, ...filters.map((filter): [string, QoS] => [fill(filter, context), 0])));
  const answer = await answerOrClose(context, client, expected);
  if (!answer) return;
  if (answer.type !== 'SUBACK') context.fail(expected, answer.type);
  else if ((answer.codes[invalid] ?? 0) < 0x80) context.fail(expected, `SUBACK ${answer.codes.map(code).join(' ')}`);
}

function misplaced(sign: 'hash' | 'plus', rows: readonly (readonly [id: string, filter: string])[]): Case[] {
  const covers: readonly RequirementId[] =
    sign === 'hash' ? ['v3/4.7.1-2', 'v5/4.7.1-1'] : ['v3/4.7.1-3', 'v5/4.7.1-2'];
  return rows.map(([id, filter]) => ({
    id: `misplaced-${sign}-${id}`,
    title: `refuses a subscription to ${filter.replaceAll(/\{.\}/g, 'topic')}`,
    covers: [...covers, 'v3/4.8.0-1', 'v5/3.8.4~refused-filter'],
    run: (context) => expectRefused(context, [filter], 0),
  }));
}

const refusedInLists: Case = {
  id: 'misplaced-hash-in-a-list',
  title: 'refuses a subscription to topic/#/a among others that are valid',
  covers: ['v3/4.7.1-2', 'v3/4.8.0-1', 'v5/4.7.1-1', 'v5/3.8.4~refused-filter'],
  run: (context) => expectRefused(context, ['{t}/a', '{t}/#/a', '{t}/b'], 1),
};

const unsubscribed: Case = {
  id: 'unsubscribe-from-misplaced-wildcards',
  title: 'answers UNSUBSCRIBE with a filter that is none by UNSUBACK, or closes',
  covers: ['v3/3.10.4-5', 'v5/3.10.4-5'],
  async run(context) {
    const expected = ['UNSUBACK', 'the connection closes'];
    for (const filter of ['{t}#', '{t}/#/a', '{t}+', '{t}/a+/b']) {
      const client = await context.connect();
      client.send(unsubscribe(1, fill(filter, context)));
      const answer = await answerOrClose(context, client, expected);
      if (answer && answer.type !== 'UNSUBACK') context.fail(expected, answer.type);
    }
  },
};

// ── 4.7.1: no wildcards in Topic Names ───────────────────────────────────────────────────────────────────────────────

const wildcardNames: readonly (readonly [id: string, topic: string])[] = [
  ['hash-alone', '#'],
  ['plus-alone', '+'],
  ['hash-last', '{t}/#'],
  ['plus-level', '{t}/+/a'],
  ['hash-in-a-name', '{t}/a#b'],
  ['plus-in-a-name', '{t}/a+'],
];

const wildcardsInNames: readonly Case[] = wildcardNames.flatMap(([id, pattern], index) =>
  ([0, 1, 2] as const).map((qos): Case => {
    const name = pattern.replace('{t}', 'topic');
    return {
      id: `wildcard-in-topic-name-${id}-qos${qos}`,
      title: `closes the connection on a QoS ${qos} PUBLISH to ${name}, which reaches nobody`,
      covers: ['v3/4.7.1-1', 'v3/3.3.2-2', 'v3/4.8.0-1', 'v5/4.7.0-1', 'v5/3.3.2-2', 'v5/4.13.1-1'],
      ...(qos === 2 && { needs: ['qos2'] as const }),
      async run(context) {
        const { connect, topic } = context;
        const subscriber = await connect({ name: 'subscriber' });
        await subscriber.subscribe(`${topic}/a`);
        const publisher = await connect({ name: 'publisher' });
        // Nothing is left behind in the topics of all.
        const retain = pattern.startsWith('{t}') && (index + qos) % 2 === 1;
        publisher.send(
          publish({
            topic: fill(pattern, context),
            payload: context.token,
            qos,
            retain,
            ...(qos > 0 && { packetId: 1 }),
          }),
        );
        await publisher.expectClose();
        const other = await connect({ name: 'another publisher' });
        await other.publish({ topic: `${topic}/a`, payload: 'fence', qos });
        await subscriber.receive({ payload: 'fence' });
      },
    };
  }),
);

const wildcardsInWills: readonly Case[] = ['{t}/#', '{t}/+/a', '+', '#'].map((pattern) => ({
  id: `wildcard-in-will-topic-${pattern.replace('{t}/', 'below-').replace('/a', '-a').replace('#', 'hash').replace('+', 'plus')}`,
  title: `lets in no client with the Will Topic ${pattern.replace('{t}', 'topic')}`,
  covers: ['v3/4.7.1-1', 'v3/3.1.4-1', 'v5/4.7.0-1'],
  needs: ['wildcards'],
  async run(context) {
    const { connect, open, connectPacket, topic } = context;
    const watcher = await connect({ name: 'watcher' });
    await watcher.subscribe(`${topic}/#`);
    const client = await open('client');
    client.send(connectPacket({ will: { topic: fill(pattern, context), payload: context.token } }));
    // A client may be let in, as long as its will is never published as it is: that the watch of every PUBLISH tells.
    if ((await judge(context, client, badWillTopic)) === 'served') {
      // A will to the topics of all must not get out: some brokers match it with every subscription that there is.
      if (pattern.startsWith('{t}')) client.drop();
      else await client.disconnect();
    }
    const other = await connect({ name: 'other', will: { topic: `${topic}/x/a`, payload: 'fence' } });
    other.drop();
    await watcher.receive({ payload: 'fence' });
  },
}));

export const topics = chapter(
  '4.7 Topic Names and Topic Filters',
  section('4.7.1 Topic wildcards', [...wildcardsInNames, ...wildcardsInWills]),
  section('4.7.1.1 Topic level separator', separators),
  section('4.7.1.2 Multi-level wildcard', [
    ...multiLevel,
    ...misplaced('hash', misplacedHash),
    refusedInLists,
    unsubscribed,
  ]),
  section('4.7.1.3 Single level wildcard', [...singleLevel, ...misplaced('plus', misplacedPlus)]),
  dollarTopics,
  topicNames,
);
