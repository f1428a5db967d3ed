/** 4.8.2 Shared Subscriptions: what is a shared Topic Filter, what is none, and what it matches (MQTT 5.0). */

import type { Case } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { publish, subscribe } from '../harness/wire/build.ts';
import { answerOrClose } from './answer.ts';
import { fill } from './matching.ts';

/** Filters that begin like shared ones and are none; `{t}` stands for the case's topic. */
const invalid: readonly (readonly [id: string, filter: string, breaks: RequirementId])[] = [
  ['empty-name', '$share//{t}', 'v5/4.8.2-1'],
  ['nothing', '$share/', 'v5/4.8.2-1'],
  ['no-filter', '$share/group', 'v5/4.8.2-2'],
  ['empty-filter', '$share/group/', 'v5/4.8.2-2'],
  ['plus', '$share/+/{t}', 'v5/4.8.2-2'],
  ['hash', '$share/#/{t}', 'v5/4.8.2-2'],
  ['hash-alone', '$share/#', 'v5/4.8.2-2'],
  ['plus-in-name', '$share/a+b/{t}', 'v5/4.8.2-2'],
  ['hash-in-name', '$share/a#/{t}', 'v5/4.8.2-2'],
  ['misplaced-hash', '$share/group/{t}#', 'v5/4.7.1-1'],
  ['hash-not-last', '$share/group/{t}/#/a', 'v5/4.7.1-1'],
  ['misplaced-plus', '$share/group/{t}/a+', 'v5/4.7.1-2'],
];

/** Shared filters that are unusual and valid, and Topic Names that they match and do not match. */
const valid: readonly (readonly [id: string, filter: string, matching: string, other: string])[] = [
  ['empty-first-level', '$share/group//{t}', '/{t}', '{t}'],
  ['plus', '$share/group/{t}/+', '{t}/a', '{t}/a/b'],
  ['hash', '$share/group/{t}/#', '{t}/a/b', '{t}x'],
  ['non-ascii-name', '$share/gr\u00FCn \u{1F600}/{t}', '{t}', '{t}/a'],
  ['name-of-dollar', '$share/$share/{t}', '{t}', 'group/{t}'],
  ['one-character', '$share/g/{t}', '{t}', 'g/{t}'],
];

export const filters: readonly Case[] = [
  ...invalid.map(
    ([id, filter, breaks]): Case => ({
      id: `invalid-${id}`,
      title: `refuses a subscription to ${filter.replace('{t}', 'topic')}`,
      covers: [breaks, 'v5/3.8.4~refused-filter'],
      async run(context) {
        const { connect, topic, fail } = context;
        const expected = ['the connection closes', 'SUBACK with a code that refuses for filter 2'];
        const client = await connect();
        client.send(subscribe(77, [`${topic}/a`, 0], [fill(filter, context), 0]));
        const answer = await answerOrClose(context, client, expected);
        if (!answer) return;
        if (answer.type !== 'SUBACK') return fail(expected, answer.type);
        if ((answer.codes[1] ?? 0) < 0x80) fail(expected, `SUBACK ${answer.codes.map(code).join(' ')}`);
      },
    }),
  ),
  ...valid.map(
    ([id, filter, matching, other]): Case => ({
      id: `valid-${id}`,
      title: `delivers what matches for a subscription to ${filter.replace('{t}', 'topic')}, and nothing else`,
      covers: ['v5/3.3.2-3'],
      needs: /[+#]/.test(filter) ? ['wildcards'] : [],
      async run(context) {
        const { connect } = context;
        const [publisher, client] = [await connect(), await connect()];
        await client.subscribe(fill(filter, context));
        for (const name of [other, matching]) {
          const topic = fill(name, context);
          publisher.send(publish({ topic, payload: topic }));
        }
        const topic = fill(matching, context);
        await client.receive({ topic, payload: topic });
        await client.expectNothing('one message');
      },
    }),
  ),
  {
    id: 'dollar-topics',
    title: "matches no Topic Name that begins with '$' with a shared filter that begins with a wildcard",
    covers: ['v5/4.7.2-1'],
    needs: ['dollar-topics', 'wildcards'],
    tags: ['top-level'],
    async run({ connect, token }) {
      const [publisher, client] = [await connect(), await connect()];
      await client.subscribe(`$share/${token}/+/${token}`);
      for (const topic of [`$mc/${token}`, `mc/${token}`]) await publisher.publish({ topic, payload: 'm', qos: 1 });
      await client.receive({ topic: `mc/${token}`, payload: 'm' });
      await client.expectNothing('one message');
    },
  },
];
