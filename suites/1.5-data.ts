/** 1.2 Terminology and 1.5 Data representations: integers, text and bytes go through the broker as they are. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { publish, subscribe, unsubscribe } from '../harness/wire/build.ts';
import { answerOrClose } from './answer.ts';
import { expectMatching, shown } from './matching.ts';
import { badIdentifier, but, either, judge } from './refusal.ts';

// ── 1.2: one subscription for each filter ────────────────────────────────────────────────────────────────────────────

const terminology: readonly Case[] = ([0, 2] as const).map((qos) => ({
  id: `one-subscription-per-filter-qos${qos}`,
  title: `delivers a QoS ${qos} message once to each client, however often it subscribed with the same filter`,
  covers: ['v3/1.2~one-subscription-per-filter', 'v5/3.8.4-3'],
  ...(qos === 2 && { needs: ['qos2'] as const }),
  async run({ connect, topic }) {
    const publisher = await connect({ name: 'publisher' });
    const subscribers = [await connect({ name: 'once' }), await connect({ name: 'thrice' })];
    for (const [index, subscriber] of subscribers.entries()) {
      for (let times = 0; times <= 2 * index; times++) await subscriber.subscribe(topic, qos);
    }
    await publisher.publish({ topic, payload: 'message', qos });
    await publisher.publish({ topic, payload: 'fence', qos });
    for (const subscriber of subscribers) {
      await subscriber.receive({ payload: 'message', qos });
      await subscriber.receive({ payload: 'fence', qos });
    }
  },
}));

// ── 1.5.2: integers ──────────────────────────────────────────────────────────────────────────────────────────────────

const integers: readonly Case[] = [
  {
    id: 'identifiers-high-byte-first',
    title: 'repeats Packet Identifiers with their high byte first',
    covers: ['v3/1.5.2~big-endian-integers'],
    async run({ connect, topic }) {
      const client = await connect();
      for (const packetId of [0x0001, 0x0100, 0x0102, 0x0201, 0x00ff, 0xff00]) {
        client.send(publish({ topic, qos: 1, packetId }));
        await client.expect('PUBACK', { packetId });
        // Another topic: an acknowledged message may still be on its way.
        client.send(subscribe(packetId, [`${topic}/quiet`, 0]));
        await client.expect('SUBACK', { packetId });
        client.send(unsubscribe(packetId, `${topic}/quiet`));
        await client.expect('UNSUBACK', { packetId });
      }
    },
  },
  ...[0x0100, 0x0102, 0x0201, 0x1000].map(
    (length): Case => ({
      id: `string-length-${length.toString(16)}`,
      title: `reads and writes the length of a Topic Name of ${length} bytes with its high byte first`,
      covers: ['v3/1.5.2~big-endian-integers'],
      run: (context) => {
        const name = `${context.topic}/`.padEnd(length, 'l');
        return expectMatching(context, { filter: name, matching: [name], others: [name.slice(1)] });
      },
    }),
  ),
];

// ── 1.5.3: text ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** The first and last characters of each length in UTF-8, and around what UTF-8 leaves out. */
const characters: readonly (readonly [id: string, character: string])[] = [
  ['u-00a0', '\u00A0'],
  ['u-07ff', '\u07FF'],
  ['u-0800', '\u0800'],
  ['u-d7ff', '\uD7FF'],
  ['u-e000', '\uE000'],
  ['u-fffd', '\uFFFD'],
  ['u-10000', '\u{10000}'],
  ['u-2a6d4', '\u{2A6D4}'],
  ['u-10fffd', '\u{10FFFD}'],
];

function named(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** A name with the character at its beginning, within and at its end; the beginning is where a byte order mark would stand. */
function around(character: string, name: string): string {
  return `${character}${name}/${character}a${character}${character}b${character}`;
}

/** Fields that are text, and what a broker does with a character in them. */
const fields: readonly {
  readonly id: string;
  readonly title: (character: string) => string;
  readonly expect: (context: Context, character: string) => Promise<void>;
}[] = [
  {
    id: 'topic',
    title: (character) => `delivers a Topic Name with ${character} unchanged`,
    async expect(context, character) {
      const name = around(character, context.topic);
      await expectMatching(context, { filter: name, matching: [name], others: [around('', context.topic)] });
    },
  },
  {
    id: 'topic-retained',
    title: (character) => `keeps a retained message under a Topic Name with ${character}`,
    async expect(context, character) {
      const name = around(character, context.topic);
      const match = { filter: name, matching: [name], others: [around('', context.topic)] };
      await expectMatching(context, match, 'retained');
    },
  },
  {
    id: 'unsubscribe',
    title: (character) => `ends the subscription that UNSUBSCRIBE names with ${character}, and no other`,
    expect: (context, character) => expectUnsubscribed(context, around(character, context.topic)),
  },
  {
    id: 'will-topic',
    title: (character) => `publishes a will to a Will Topic with ${character}`,
    expect: (context, character) => expectWill(context, around(character, context.topic)),
  },
];

async function expectUnsubscribed({ connect, topic }: Context, name: string): Promise<void> {
  const [publisher, subscriber] = [await connect(), await connect()];
  await subscriber.subscribe(name);
  await subscriber.subscribe(around('', topic));
  subscriber.send(unsubscribe(99, name));
  await subscriber.expect('UNSUBACK', { packetId: 99 });
  await publisher.publish({ topic: name, payload: 'too late', qos: 1 });
  await subscriber.subscribe(name);
  await publisher.publish({ topic: name, payload: 'fence', qos: 1 });
  await subscriber.receive({ topic: name, payload: 'fence' });
  await publisher.publish({ topic: around('', topic), payload: 'still', qos: 1 });
  await subscriber.receive({ topic: around('', topic), payload: 'still' });
}

async function expectWill({ connect, open, connectPacket, clientId }: Context, name: string): Promise<void> {
  const watcher = await connect({ name: 'watcher' });
  await watcher.subscribe(name);
  const client = await open('client');
  client.send(connectPacket({ clientId: clientId('client'), will: { topic: name, payload: 'will' } }));
  await client.expect('CONNACK', { code: 0 });
  client.drop();
  await watcher.receive({ topic: name, payload: 'will' });
}

const text: readonly Case[] = fields.flatMap(({ id, title, expect }) =>
  characters.map(
    ([slug, character]): Case => ({
      id: `${id}-${slug}`,
      title: title(named(character)),
      covers: ['v3/1.5.3-1', 'v5/1.5.4-1'],
      run: (context) => expect(context, character),
    }),
  ),
);

const byteOrderMark = '\uFEFF';

const marks: readonly Case[] = [
  ...fields.map(
    ({ id, title, expect }): Case => ({
      id: `${id}-byte-order-mark`,
      title: title('U+FEFF'),
      covers: ['v3/1.5.3-3', 'v5/1.5.4-3'],
      run: (context) => expect(context, byteOrderMark),
    }),
  ),
  {
    id: 'topic-byte-order-mark-through-wildcard',
    title: 'delivers Topic Names with U+FEFF unchanged to a filter with a wildcard',
    covers: ['v3/1.5.3-3', 'v5/1.5.4-3'],
    needs: ['wildcards'],
    run: (context) =>
      expectMatching(context, {
        filter: '{t}/+',
        matching: [`{t}/${byteOrderMark}`, `{t}/${byteOrderMark}a`, `{t}/a${byteOrderMark}b`, `{t}/a${byteOrderMark}`],
        others: [`{t}${byteOrderMark}/a`],
      }),
  },
  {
    id: 'unsubscribe-without-byte-order-mark',
    title: 'keeps a subscription with U+FEFF when UNSUBSCRIBE names it without',
    covers: ['v3/1.5.3-3', 'v5/1.5.4-3'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      const name = `${byteOrderMark}${topic}`;
      await subscriber.subscribe(name);
      await subscriber.unsubscribe(topic);
      await publisher.publish({ topic: name, payload: 'still', qos: 1 });
      await subscriber.receive({ topic: name, payload: 'still' });
    },
  },
  {
    id: 'client-id-byte-order-mark',
    title: 'tells a Client Identifier with U+FEFF from the same without, or refuses it',
    covers: ['v3/1.5.3-3', 'v5/1.5.4-3'],
    async run(context) {
      const { connect, open, connectPacket, clientId } = context;
      const plain = await connect({ clientId: clientId() });
      const marked = await open('marked');
      marked.send(connectPacket({ clientId: `${byteOrderMark}${clientId()}` }));
      if ((await judge(context, marked, allowedIdentifier)) === 'refused') {
        context.notApplicable('the broker serves no such Client Identifier');
      }
      await marked.fence();
      await plain.fence();
    },
  },
];

const allowedIdentifier = but(badIdentifier, { expected: ['CONNACK 0x00'], served: 'right' });

// ── 1.5.3: text that is better not used ──────────────────────────────────────────────────────────────────────────────

/** Control characters and non-characters: a broker may close on them, or take them as they are. */
const unusual: readonly (readonly [id: string, character: string])[] = [
  ['u-0001', '\u0001'],
  ['u-001f', '\u001F'],
  ['u-007f', '\u007F'],
  ['u-0080', '\u0080'],
  ['u-009f', '\u009F'],
  ['u-fdd0', '\uFDD0'],
  ['u-fdef', '\uFDEF'],
  ['u-fffe', '\uFFFE'],
  ['u-ffff', '\uFFFF'],
  ['u-1fffe', '\u{1FFFE}'],
  ['u-10ffff', '\u{10FFFF}'],
];

/** The message arrives unchanged, or its author or its subscriber is refused: the connection closes, or in 5.0 a Reason Code says so. */
async function expectUnchangedOrClosed(context: Context, character: string): Promise<void> {
  const { connect, topic, trait, fail } = context;
  const name = `${topic}/${character}a${character}`;
  const expected = [
    'the message arrives unchanged',
    'the connection closes',
    'in 5.0 a Reason Code that refuses the topic',
  ];
  const [publisher, subscriber, watcher] = [await connect(), await connect(), await connect()];
  await watcher.subscribe(`${topic}/+`);
  subscriber.send(subscribe(1, [name, 0]));
  const suback = await answerOrClose(context, subscriber, expected);
  publisher.send(publish({ topic: name, payload: context.token, qos: 1, packetId: 1 }));
  const puback = await answerOrClose(context, publisher, expected);
  const isPublished = puback?.type === 'PUBACK' && (puback.code ?? 0) < 0x80;
  const isSubscribed = suback?.type === 'SUBACK' && (suback.codes[0] ?? 0x80) < 0x80;
  trait(`${named(character)} in a topic`, isSubscribed && isPublished ? 'served' : 'refused');
  const receivers = [...(isPublished ? [watcher] : []), ...(isPublished && isSubscribed ? [subscriber] : [])];
  for (const receiver of receivers) {
    const message = await receiver.message();
    if (message.topic !== name) fail(expected, `PUBLISH to ${shown(message.topic)}`);
  }
}

const discouraged: readonly Case[] = unusual.map(([id, character]) => ({
  id: `unusual-${id}`,
  title: `delivers a Topic Name with ${named(character)} unchanged, or refuses it`,
  covers: ['v3/1.5.3~control-characters', 'v5/1.5.4~control-characters'],
  needs: ['wildcards'],
  run: (context) => expectUnchangedOrClosed(context, character),
}));

const unusualNames = either({
  expected: ['CONNACK 0x00', 'a CONNACK that refuses, then the connection closes', 'the connection closes'],
  codes: [],
  otherCode: 'right',
  noConnack: 'right',
  served: 'right',
  ignored: 'wrong',
});

const discouragedInConnect: readonly Case[] = (
  [
    ['client-id', 'a Client Identifier'],
    ['user-name', 'a user name'],
    ['will-topic', 'a Will Topic'],
  ] as const
).map(([id, words]) => ({
  id: `unusual-in-${id}`,
  title: `serves a client with ${words} of control characters and non-characters, or closes the connection`,
  covers: ['v3/3.1.4-4', 'v5/3.1.4-5'],
  async run(context) {
    const { open, connectPacket, clientId, topic } = context;
    for (const [name, character] of unusual) {
      const unlike = { 'client-id': clientId(), 'user-name': 'user', 'will-topic': topic }[id] + character;
      const client = await open(name);
      client.send(
        connectPacket({
          clientId: id === 'client-id' ? unlike : clientId(name),
          ...(id === 'user-name' && { userName: unlike }),
          ...(id === 'will-topic' && { will: { topic: unlike, payload: 'will' } }),
        }),
      );
      await judge(context, client, unusualNames);
      client.leave();
    }
  },
}));

// ── 1.5.3: bytes that are no text ────────────────────────────────────────────────────────────────────────────────────

/** Byte sequences that text may not hold, or that a careless reader takes for an end or a mark. */
const sequences: readonly (readonly [id: string, words: string, bytes: readonly number[]])[] = [
  ['zero', 'U+0000', [0x61, 0x00, 0x62, 0x00]],
  ['stray-continuation', 'a stray continuation byte', [0x80]],
  ['ff-fe', 'the bytes FF FE', [0xff, 0xfe]],
  ['surrogate', 'a surrogate', [0xed, 0xa0, 0x80]],
  ['overlong', 'an overlong form', [0xc0, 0x80]],
  ['cut', 'half a character', [0xf0, 0x9f, 0x98]],
  ['byte-order-mark', 'a byte order mark', [0xef, 0xbb, 0xbf, 0x61]],
  ['line-ends', 'line ends', [0x0d, 0x0a, 0x0a, 0x1a]],
];

const binary: readonly Case[] = [
  {
    id: 'payload-of-any-bytes',
    title: 'delivers payloads that are no text unchanged',
    covers: ['v3/3.3.3~payload-opaque', 'v5/3.3.3~payload-opaque'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect(), await connect()];
      await subscriber.subscribe(topic);
      for (const [, , bytes] of sequences) {
        await publisher.publish({ topic, payload: Uint8Array.from(bytes), qos: 1 });
        await subscriber.receive({ topic, payload: Uint8Array.from(bytes) });
      }
    },
  },
  ...sequences.map(
    ([id, words, bytes]): Case => ({
      id: `will-message-with-${id}`,
      title: `publishes a Will Message with ${words} unchanged`,
      covers: ['v3/3.1.3.3~will-message-bytes'],
      async run({ connect, open, connectPacket, clientId, topic }) {
        const will = { topic, payload: Uint8Array.from(bytes) };
        const watcher = await connect({ name: 'watcher' });
        await watcher.subscribe(topic);
        const client = await open('client');
        client.send(connectPacket({ clientId: clientId('client'), will }));
        await client.expect('CONNACK', { code: 0 });
        client.drop();
        await watcher.receive(will);
      },
    }),
  ),
];

export const dataRepresentations = chapter(
  '1 Terminology and data representations',
  section('1.2 Terminology', terminology),
  section('1.5.2 Integer data values', integers),
  section({ v3: '1.5.3 UTF-8 encoded strings', v5: '1.5.4 UTF-8 Encoded String' }, [
    ...text,
    ...marks,
    ...discouraged,
    ...discouragedInConnect,
    ...binary,
  ]),
);
