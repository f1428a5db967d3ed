/** 3.1.3.2 Will Topic and 3.1.3.3 Will Message: the fields of a will, as they are given. */

import { type Case, section } from '../harness/case.ts';
import { checkTaken } from './announced.ts';
import { badWillTopic, judge } from './refusal.ts';
import { closesOn, expectNoWill, type WrongConnect, watch, willTo } from './will.ts';

const goodTopics: readonly (readonly [id: string, name: string])[] = [
  ['spaces', ' two  words '],
  ['two-byte-characters', '\u00a0\u07ff'],
  ['three-byte-characters', '\u0800\ud7ff\ue000'],
  ['four-byte-characters', '\u{10000}\u{2a6d4}\u{10fffd}'],
  ['decomposed', 'e\u0301'],
];

const illFormed: readonly (readonly [id: string, title: string, bytes: readonly number[]])[] = [
  ['lone-continuation', 'a continuation byte alone', [0x80]],
  ['byte-ff', 'the byte FF', [0xff]],
  ['truncated', 'a character cut off', [0xe2, 0x82]],
  ['overlong', 'an overlong U+0000', [0xc0, 0x80]],
  ['surrogate', 'a surrogate', [0xed, 0xa0, 0x80]],
  ['surrogate-pair', 'a pair of surrogates', [0xed, 0xa0, 0x81, 0xed, 0xb0, 0x80]],
  ['beyond-unicode', 'a code point beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
];

function publishedTo(id: string, title: string, covers: Case['covers'], name: string): Case {
  return {
    id: `topic-${id}`,
    title: `publishes a will to a Will Topic with ${title}, exactly as it is given`,
    covers,
    async run(context) {
      const { connect, notApplicable } = context;
      const topic = `${context.topic}/${name}`;
      const watcher = await connect({ name: 'watcher' });
      const [granted = 0x80] = await watcher.request([topic, 1]);
      if (granted === 0x80) notApplicable('the broker refuses the subscription to this topic');
      const client = await connect({ will: willTo(topic) });
      client.drop();
      await watcher.receive({ topic, payload: 'will' });
    },
  };
}

export const willTopic = section({ v3: '3.1.3.2 Will Topic', v5: '3.1.3.3 Will Topic' }, [
  ...goodTopics.map(([id, name]) =>
    publishedTo(
      id,
      id.replaceAll('-', ' '),
      id === 'decomposed' ? ['v3/4.7.3-4', 'v5/4.7.3-4'] : ['v3/3.1.2-8', 'v5/3.1.2-7', 'v5/3.1.2-8'],
      name,
    ),
  ),
  publishedTo('u-feff', 'U+FEFF', ['v3/1.5.3-3', 'v5/1.5.4-3'], '\ufeffbegin'),
  ...closesOn(
    ['v3/3.1.3-10', 'v3/1.5.3-1', 'v3/3.1.4-1'],
    ...illFormed.map(
      ([id, title, bytes]): WrongConnect => [
        `ill-formed-${id}`,
        `a Will Topic of ill-formed UTF-8: ${title}`,
        {},
        { 'will.topic': { append: bytes } },
      ],
    ),
  ),
  ...closesOn(
    ['v3/3.1.3-10', 'v3/1.5.3-2', 'v3/3.1.4-1'],
    ['u-0000-alone', 'U+0000 as Will Topic', {}, { 'will.topic': [0] }],
    ['u-0000-at-end', 'U+0000 at the end of the Will Topic', {}, { 'will.topic': { append: [0] } }],
    ['u-0000-within', 'U+0000 within the Will Topic', {}, { 'will.topic': { append: [0, 0x61] } }],
  ),
  {
    id: 'empty',
    title: 'refuses a Will Topic without a character',
    covers: ['v3/4.7.3-1', 'v3/3.1.4-1', 'v5/4.7.3-1'],
    async run(context) {
      const { open, connectPacket } = context;
      const client = await open('client');
      client.send(connectPacket({ will: willTo('') }));
      await judge(context, client, badWillTopic);
    },
  },
  ...(
    [
      ['plus', '+'],
      ['hash', '#'],
      ['wildcard-within-level', 'a+b'],
    ] as const
  ).map(
    ([id, level]): Case => ({
      id: `with-${id}`,
      title: `refuses a Will Topic with a wildcard (${level}), or at least publishes nothing to it`,
      covers: ['v3/4.7.1-1', 'v3/3.1.4-1', 'v5/4.7.0-1'],
      needs: ['wildcards'],
      async run(context) {
        const { open, connectPacket, topic } = context;
        const watcher = await watch(context, `${topic}/#`);
        const client = await open('client');
        client.send(connectPacket({ will: willTo(`${topic}/${level}`) }));
        await judge(context, client, badWillTopic);
        client.drop();
        await expectNoWill(context, watcher, `${topic}/fence`);
      },
    }),
  ),
]);

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);

const payloads: readonly (readonly [id: string, title: string, payload: Uint8Array])[] = [
  ['empty', 'no byte', new Uint8Array(0)],
  ['one-byte', 'one byte', Uint8Array.of(0)],
  ['every-byte', 'every byte from 00 to FF', everyByte],
  ['no-utf8', 'bytes that are no UTF-8', Uint8Array.of(0xc0, 0x80, 0xed, 0xa0, 0x80, 0xff, 0xfe)],
  ['65535-bytes', '65535 bytes', Uint8Array.from({ length: 65_535 }, (_, at) => at % 251)],
];

export const willMessage = section(
  { v3: '3.1.3.3 Will Message', v5: '3.1.3.4 Will Payload' },
  payloads.map(
    ([id, title, payload]): Case => ({
      id,
      title: `publishes a Will Message of ${title} unchanged, without its length`,
      covers: [
        'v3/3.1.3.3~will-message-bytes',
        ...(payload.length === 0 ? (['v5/3.1.2-7'] as const) : (['v3/3.1.3-1', 'v5/3.1.3-1'] as const)),
      ],
      async run(context) {
        const { connect, connectPacket, topic } = context;
        const watcher = await watch(context, topic);
        const will = willTo(topic, { payload });
        await checkTaken(context, connectPacket({ will }));
        const client = await connect({ will });
        client.drop();
        await watcher.receive({ topic, payload });
      },
    }),
  ),
);
