/** 3.9 SUBACK: which return codes there are, and that each stands at the place of its Topic Filter. */

import { type Case, chapter, section } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { subscribe } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { answerOrClose } from './answer.ts';

/** Requested QoS levels that are not the same backwards, for filters in no alphabetical order. */
const orders: readonly (readonly [id: string, levels: readonly QoS[]])[] = [
  ['ascending', [0, 1, 2]],
  ['descending', [2, 1, 0]],
  ['mixed', [2, 0, 1, 0, 2, 1, 1]],
];

const names = ['m', 'z', 'a', 'Z', 'b', 'y', 'c'];

const ordered = orders.map(
  ([id, levels]): Case => ({
    id: `order-${id}`,
    title: `lists the return codes for filters with QoS ${levels.join(', ')} in their order: each is the QoS of delivery`,
    covers: ['v3/3.9.3-1', 'v3/3.8.4-5', 'v5/3.9.3-1', 'v5/3.8.4-6', 'v5/3.8.4-7'],
    needs: ['qos2'],
    async run({ connect, topic, fail }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      const filters = levels.map((qos, index) => [`${topic}/${names[index]}`, qos] as const);
      subscriber.send(subscribe(77, ...filters));
      const { codes } = await subscriber.expect('SUBACK', { packetId: 77 });
      for (const [index, [filter, qos]] of filters.entries()) {
        const code = codes[index] ?? 0x80;
        if (code >= 0x80) continue;
        if (code > qos) fail(`a return code up to QoS ${qos} at place ${index + 1}`, `the return code ${code} there`);
        await publisher.publish({ topic: filter, payload: filter, qos: 2 });
        await subscriber.receive({ payload: filter, qos: code as QoS });
      }
    },
  }),
);

/** Topic Filters that a server may refuse, for what they are. Those with a misplaced wildcard it has to refuse. */
interface Refusable {
  readonly id: string;
  readonly title: string;
  readonly filter: (topic: string) => string;
  readonly breaks?: readonly RequirementId[];
  /** What it is in 5.0 is the matter of 4.8.2. */
  readonly shared?: true;
}

const refusable: readonly Refusable[] = [
  {
    id: 'shared',
    title: 'that looks like a shared subscription',
    filter: (topic) => `$share/group/${topic}`,
    shared: true,
  },
  {
    id: 'shared-damaged',
    title: 'that looks like a damaged shared subscription',
    filter: (topic) => `$share//${topic}`,
    shared: true,
  },
  { id: 'dollar', title: 'that begins with $', filter: (topic) => `$SYS/${topic}` },
  { id: 'dollar-wildcard', title: 'that begins with $ and has a wildcard', filter: (topic) => `$${topic}/#` },
  { id: 'long', title: 'of 60,000 bytes', filter: (topic) => `${topic}/`.padEnd(60_000, 'x') },
  { id: 'deep', title: 'of 500 levels', filter: (topic) => topic + '/x'.repeat(500) },
  {
    id: 'misplaced-hash',
    title: 'with a misplaced #',
    filter: (topic) => `${topic}/a#`,
    breaks: ['v3/4.7.1-2', 'v5/4.7.1-1'],
  },
  {
    id: 'misplaced-plus',
    title: 'with a misplaced +',
    filter: (topic) => `${topic}/a+/b`,
    breaks: ['v3/4.7.1-3', 'v5/4.7.1-2'],
  },
];

const between = refusable.map(
  ({ id, title, filter, breaks, shared }): Case => ({
    id: `code-for-${id}`,
    title: breaks
      ? `answers SUBSCRIBE with a filter ${title} between others by a code that refuses it at its place, or closes`
      : `answers SUBSCRIBE with a filter ${title} between others by a code that is allowed at its place, or closes`,
    covers: breaks ?? (shared ? ['v3/3.9.3-2'] : ['v3/3.9.3-2', 'v5/3.9.3-2']),
    async run(context) {
      const { connect, topic, fail, trait } = context;
      const subscriber = await connect();
      const wanted = `SUBACK with three codes${breaks ? ', of which the second refuses' : ''}`;
      const expected = [wanted, 'the connection closes'];
      subscriber.send(subscribe(77, [`${topic}/1`, 0], [filter(topic), 0], [`${topic}/3`, 0]));
      const answer = await answerOrClose(context, subscriber, expected);
      if (!answer) return trait(`on a Topic Filter ${title}`, 'closes');
      // Which codes there are at all is judged with every SUBACK.
      if (answer.type !== 'SUBACK') return fail(expected, answer.type);
      const [, second = 0, ...rest] = answer.codes;
      if (rest.length !== 1 || (breaks && second < 0x80)) fail(expected, `SUBACK ${answer.codes.map(code).join(' ')}`);
      trait(`on a Topic Filter ${title}`, second >= 0x80 ? 'refuses' : 'grants');
    },
  }),
);

export const subacknowledging = chapter(
  '3.9 SUBACK',
  section('3.9.3 SUBACK Payload', [
    ...ordered,
    ...between,
    {
      id: 'codes-of-many',
      title: 'answers a SUBSCRIBE for two hundred filters of all QoS levels by return codes that are allowed',
      covers: ['v3/3.9.3-2', 'v3/3.8.4-5', 'v5/3.9.3-2', 'v5/3.8.4-6'],
      async run({ connect, topic, fail }) {
        const subscriber = await connect();
        const filters = Array.from({ length: 200 }, (_, index) => [`${topic}/${index}`, (index % 3) as QoS] as const);
        const codes = await subscriber.request(...filters);
        const tooHigh = filters.findIndex(
          ([, qos], index) => (codes[index] ?? 0x80) < 0x80 && (codes[index] ?? 3) > qos,
        );
        if (tooHigh >= 0) fail('no more than the requested QoS', `${codes[tooHigh]} for QoS ${filters[tooHigh]?.[1]}`);
      },
    },
  ]),
);
