/** 3.3.2.3 PUBLISH Properties (MQTT 5.0): what goes on to the subscribers as it came. Expiry and Topic Aliases have files of their own. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { hex, type PublishFields, publish, pubrel, text, utf8 } from '../harness/wire/build.ts';
import type { Properties, Publish, QoS } from '../harness/wire/packet.ts';
import { messageExpiry } from './3.3.2.3.3-message-expiry.ts';
import { topicAliases } from './3.3.2.3.4-topic-alias.ts';
import { publishAccepted } from './accepted.ts';
import { answerOrClose } from './answer.ts';
import { needsQoS } from './needs.ts';
import type { Peer } from './session.ts';

// ── As they came ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** The properties that go on unchanged, and what is broken when one of them does not. */
const rules = {
  payloadFormatIndicator: 'v5/3.3.2-4',
  responseTopic: 'v5/3.3.2-15',
  correlationData: 'v5/3.3.2-16',
  userProperties: 'v5/3.3.2-17',
  contentType: 'v5/3.3.2-20',
} as const satisfies Partial<Record<keyof Properties, RequirementId>>;

const names = Object.keys(rules) as readonly (keyof typeof rules)[];

/** These properties have arrived as they were sent, and none beside them. Throws Violation. */
function judgeForwarded({ fail, nonStrict }: Context, { properties: got = {} }: Publish, sent: Properties): void {
  for (const name of names) {
    const [expected, actual] = [told(sent[name]), told(got[name])];
    if (expected === actual) continue;
    if (name === 'payloadFormatIndicator' && !sent[name] && !got[name]) {
      // The standard says that both mean the same, and that the indicator is not altered.
      nonStrict(`payloadFormatIndicator ${actual} where ${expected} was sent`);
      continue;
    }
    const isReordered = name === 'userProperties' && inOrder(sent.userProperties) === inOrder(got.userProperties);
    fail(`${name} ${cut(expected)}`, `${name} ${cut(actual)}`, isReordered ? 'v5/3.3.2-18' : rules[name]);
  }
}

/** For people. */
function cut(words: string): string {
  return words.length > 200 ? `${words.slice(0, 60)}…${words.slice(-60)} (${words.length} characters)` : words;
}

/** A value for comparison. */
function told(value: Properties[(typeof names)[number]]): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'absent';
  return value instanceof Uint8Array ? `0x${hex(value)}` : JSON.stringify(value);
}

/** User Properties without their order. */
function inOrder(pairs: Properties['userProperties'] = []): string {
  return JSON.stringify(pairs.map((pair) => JSON.stringify(pair)).sort());
}

/** A way that a message takes to a subscriber. */
interface Way {
  readonly id: string;
  readonly title: string;
  readonly qos: QoS;
  readonly needs: NonNullable<Case['needs']>;
  /** Publishes the message and returns what arrived. */
  bring(context: Context, message: PublishFields): Promise<readonly Publish[]>;
}

async function bringLive(context: Context, message: PublishFields): Promise<readonly Publish[]> {
  const { connect, topic } = context;
  const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
  await subscriber.subscribe(topic, message.qos);
  await publisher.publish(message);
  return [await subscriber.receive({ topic })];
}

const ways: readonly Way[] = [
  ...([0, 1, 2] as const).map(
    (qos): Way => ({
      id: `qos${qos}`,
      title: `in a QoS ${qos} message`,
      qos,
      needs: needsQoS(qos),
      bring: bringLive,
    }),
  ),
  {
    id: 'lowered',
    title: 'in a QoS 1 message to a QoS 0 subscription',
    qos: 1,
    needs: ['qos1'],
    async bring({ connect, topic }, message) {
      const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
      await subscriber.subscribe(topic, 0);
      await publisher.publish(message);
      return [await subscriber.receive({ topic })];
    },
  },
  {
    id: 'every-receiver',
    title: 'to each of several receivers',
    qos: 1,
    needs: ['qos1', 'wildcards'],
    async bring({ connect, topic }, message) {
      const publisher = await connect({ name: 'publisher' });
      const receivers: Peer[] = [];
      for (const [filter, qos] of [
        [topic, 1],
        [`${topic}/#`, 0],
        [topic, 0],
      ] as const) {
        const receiver = await connect({ name: `receiver ${receivers.length + 1}` });
        await receiver.subscribe(filter, qos);
        receivers.push(receiver);
      }
      await publisher.publish(message);
      return Promise.all(receivers.map((receiver) => receiver.receive({ topic })));
    },
  },
  ...[false, true].map(
    (isLive): Way => ({
      id: isLive ? 'retain-live' : 'retained',
      title: isLive ? 'in a message with RETAIN 1 to those who are subscribed' : 'in a retained message',
      qos: 1,
      needs: ['retain', 'qos1'],
      async bring({ connect, topic }, message) {
        const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
        if (isLive) await subscriber.subscribe(topic, 1);
        await publisher.publish({ ...message, retain: true });
        if (!isLive) await subscriber.subscribe(topic, 1);
        return [await subscriber.receive({ topic })];
      },
    }),
  ),
  {
    id: 'queued',
    title: 'in a message that waits for a client that is away',
    qos: 1,
    needs: ['qos1'],
    async bring({ connect, topic, clientId }, message) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const subscriber = await connect({ ...session, name: 'subscriber' });
      await subscriber.subscribe(topic, 1);
      await subscriber.disconnect();
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish(message);
      const again = await connect({ ...session, name: 'subscriber again' });
      return [await again.receive({ topic })];
    },
  },
  {
    id: 'redelivered',
    title: 'in a message that is sent again',
    qos: 1,
    needs: ['qos1'],
    async bring({ connect, topic, clientId }, message) {
      const session = { clientId: clientId('subscriber'), clean: false };
      const subscriber = await connect({ ...session, name: 'subscriber' });
      await subscriber.subscribe(topic, 1);
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish(message);
      const first = await subscriber.message({ topic });
      subscriber.drop();
      const again = await connect({ ...session, name: 'subscriber again' });
      return [first, await again.receive({ topic })];
    },
  },
  {
    id: 'shared',
    title: 'to a Shared Subscription',
    qos: 1,
    needs: ['qos1', 'shared-subscriptions'],
    async bring({ connect, topic, token }, message) {
      const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
      await subscriber.subscribe(`$share/${token.replaceAll('/', '-')}/${topic}`, 1);
      await publisher.publish(message);
      return [await subscriber.receive({ topic })];
    },
  },
];

/** Properties of a message, and what is broken when they do not arrive. */
interface Row {
  readonly id: string;
  /** `a Content Type that is no MIME type`. */
  readonly title: string;
  readonly covers: Case['covers'];
  readonly properties: Properties;
  readonly payload?: string | Uint8Array;
}

function passedOn({ id, title, covers, properties, payload = 'message' }: Row, way: Way): Case {
  return {
    id: `${id}-${way.id}`,
    title: `passes on ${title} unchanged ${way.title}`,
    covers,
    needs: way.needs,
    async run(context) {
      const { topic } = context;
      for (const message of await way.bring(context, { topic, payload, qos: way.qos, properties })) {
        judgeForwarded(context, message, properties);
      }
    },
  };
}

const [, live] = ways as readonly [Way, Way, ...Way[]];

/** Rows with one property each, on the plainest way. */
function sectionOf(title: string, rows: readonly Row[], more: readonly Case[] = []) {
  return section(title, [...rows.map((row) => passedOn(row, live)), ...more]);
}

const long = 0xffff;
const responseTopic: Case['covers'] = ['v5/3.3.2-15'];
const correlation: Case['covers'] = ['v5/3.3.2-16'];
const pairs: Case['covers'] = ['v5/3.3.2-17'];
const orderedPairs: Case['covers'] = ['v5/3.3.2-17', 'v5/3.3.2-18'];
const contentType: Case['covers'] = ['v5/3.3.2-20'];

const all: Properties = {
  payloadFormatIndicator: 1,
  contentType: 'text/plain',
  responseTopic: 'responses/one',
  correlationData: Uint8Array.of(0x00, 0xff, 0xc0, 0x80),
  userProperties: [
    ['b', '1'],
    ['a', '2'],
    ['b', '0'],
    ['a', '2'],
    ['', ''],
  ],
};
const everything: Case['covers'] = [...Object.values(rules), 'v5/3.3.2-18'];

const together = section('3.3.2.3 PUBLISH Properties', [
  ...ways.map((way) => passedOn({ id: 'all', title: 'all properties', covers: everything, properties: all }, way)),
  ...ways.map((way): Case => {
    const none = passedOn(
      { id: 'none', title: 'no properties', covers: ['v5/3.3.2.3.3~no-message-expiry'], properties: {} },
      way,
    );
    return {
      ...none,
      title: `adds no property to a message without any, ${way.title}`,
      async run(context) {
        const { topic, fail } = context;
        for (const message of await way.bring(context, { topic, payload: 'message', qos: way.qos })) {
          judgeForwarded(context, message, {});
          const { messageExpiryInterval } = message.properties ?? {};
          if (messageExpiryInterval !== undefined) {
            fail('no Message Expiry Interval, as none was sent', `Message Expiry Interval ${messageExpiryInterval}`);
          }
        }
      },
    };
  }),
]);

// ── 3.3.2.3.2 Payload Format Indicator ───────────────────────────────────────────────────────────────────────────────

/** What no UTF-8 has: a lone continuation byte. */
const noText = Uint8Array.of(0x61, 0x80, 0x62);

/** What has the form that it claims can't be refused for it. */
const taken: Way = {
  ...live,
  async bring(context, message) {
    const { connect, topic } = context;
    const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
    await subscriber.subscribe(topic, message.qos);
    await publishAccepted(context, publisher, message);
    return [await subscriber.receive({ topic, payload: message.payload ?? '' })];
  },
};

/** A payload that is not the text that it claims to be: refused with a code or passed on, as the server likes. */
const unchecked = ([0, 1, 2] as const).map(
  (qos): Case => ({
    id: `no-text-qos${qos}`,
    title: `may refuse a QoS ${qos} message whose payload is not the UTF-8 text that it claims to be; records what it does`,
    covers: ['v5/3.3.2.3.2~payload-format-checked'],
    needs: needsQoS(qos),
    async run(context) {
      const { connect, topic, trait, fail } = context;
      const [publisher, other, subscriber] = [await connect(), await connect(), await connect()];
      await subscriber.subscribe(topic, qos);
      const packetId = qos > 0 ? 7 : undefined;
      publisher.send(publish({ topic, payload: noText, qos, packetId, properties: { payloadFormatIndicator: 1 } }));
      const record = (what: string) => trait('on a payload that is not the text that it claims to be', what);
      const step = qos === 1 ? 'PUBACK' : qos === 2 ? 'PUBREC' : 'PINGRESP';
      if (qos === 0) publisher.send({ type: 'PINGREQ' });
      const expected = [`${step}, with 0x99 if it is refused`, 'the connection closes, with DISCONNECT 0x99'];
      const answer = await answerOrClose(context, publisher, expected);
      if (answer && answer.type !== step) fail(expected, answer.type);
      const refusal = answer && 'code' in answer ? (answer.code ?? 0) : 0;
      if (!answer) record('closes the connection');
      else if (refusal >= 0x80) record(`answers with ${code(refusal)}`);
      if (answer && qos === 2 && refusal < 0x80) publisher.send(pubrel(7));
      await other.publish({ topic, payload: 'fence', qos });
      const first = await subscriber.receive({ topic });
      if (text(first.payload) === 'fence') return;
      if (refusal >= 0x80) fail('a message that is refused is not passed on', 'the message is passed on');
      if (hex(first.payload) !== hex(noText)) fail('the payload as it came', `the payload 0x${hex(first.payload)}`);
      record('passes it on');
    },
  }),
);

const payloadFormat = section('3.3.2.3.2 Payload Format Indicator', [
  ...(
    [
      ['text', 'a Payload Format Indicator of 1', 1, 'Ünïcödé 日本 🚀'],
      ['empty-text', 'a Payload Format Indicator of 1 without a payload', 1, ''],
      ['text-of-control-characters', 'a Payload Format Indicator of 1 with control characters', 1, 'a\tb\r\n'],
      ['bytes', 'a Payload Format Indicator of 0', 0, noText],
    ] as const
  ).map(([id, title, payloadFormatIndicator, payload]) =>
    passedOn(
      {
        id,
        title,
        covers: ['v5/3.3.2-4', ...(payloadFormatIndicator ? (['v5/3.3.2.3.2~payload-format-checked'] as const) : [])],
        properties: { payloadFormatIndicator },
        payload,
      },
      taken,
    ),
  ),
  ...unchecked,
]);

// ── Response Topic, Correlation Data, User Property, Content Type ────────────────────────────────────────────────────

/** Response Topics that are none, as no message can be published to them. */
const wildcardResponses = (
  [
    ['hash', '#'],
    ['hash-below', 'to/#'],
    ['plus', '+'],
    ['plus-within', 'to/+/reply'],
  ] as const
).map(
  ([id, responseTopic]): Case => ({
    id: `wildcard-${id}`,
    title: `does not pass on the Response Topic ${responseTopic}: refuses the message, or closes`,
    covers: ['v5/3.3.2-14'],
    needs: ['qos1'],
    async run(context) {
      const { connect, topic, fail } = context;
      const [publisher, other, subscriber] = [await connect(), await connect(), await connect()];
      await subscriber.subscribe(topic, 1);
      publisher.send(publish({ topic, payload: 'to nowhere', qos: 1, packetId: 7, properties: { responseTopic } }));
      const expected = ['PUBACK, and the message is not passed on as it is', 'the connection closes'];
      const answer = await answerOrClose(context, publisher, expected);
      if (answer && answer.type !== 'PUBACK') fail(expected, answer.type);
      await other.publish({ topic, payload: 'fence', qos: 1 });
      const { properties } = await subscriber.receive();
      const passedOn = properties?.responseTopic;
      if (passedOn !== undefined) fail(expected, `PUBLISH with Response Topic ${passedOn}`);
    },
  }),
);

const response = sectionOf(
  '3.3.2.3.5 Response Topic',
  [
    { id: 'plain', title: 'a Response Topic', covers: responseTopic, properties: { responseTopic: 'to/reply' } },
    {
      id: 'guarded',
      title: 'a Response Topic that begins with $',
      covers: responseTopic,
      properties: { responseTopic: '$SYS/to' },
    },
    {
      id: 'characters',
      title: 'a Response Topic of any characters',
      covers: responseTopic,
      properties: { responseTopic: '/Ü 日本//🚀 \u{feff}' },
    },
    {
      id: 'longest',
      title: 'a Response Topic of 65,535 bytes',
      covers: responseTopic,
      properties: { responseTopic: 'r'.repeat(long) },
    },
    {
      id: 'with-data',
      title: 'a Response Topic with Correlation Data',
      covers: [...responseTopic, ...correlation],
      properties: { responseTopic: 'to/reply', correlationData: utf8('42') },
    },
  ],
  wildcardResponses,
);

const correlationData = sectionOf('3.3.2.3.6 Correlation Data', [
  {
    id: 'empty',
    title: 'empty Correlation Data',
    covers: correlation,
    properties: { correlationData: new Uint8Array(0) },
  },
  {
    id: 'no-text',
    title: 'Correlation Data that is no text',
    covers: correlation,
    properties: { correlationData: Uint8Array.of(0x00, 0xff, 0xc0, 0x80) },
  },
  {
    id: 'every-byte',
    title: 'Correlation Data of every byte',
    covers: correlation,
    properties: { correlationData: Uint8Array.from({ length: 256 }, (_, byte) => byte) },
  },
  {
    id: 'longest',
    title: 'Correlation Data of 65,535 bytes',
    covers: correlation,
    properties: { correlationData: new Uint8Array(long).fill(0x5a) },
  },
]);

/** More pairs than anybody needs, of two names. */
const fifty = Array.from({ length: 50 }, (_, index) => [`n${index % 2}`, `${index % 7}`] as const);

const userProperty = sectionOf(
  '3.3.2.3.7 User Property',
  [
    { id: 'one', title: 'one User Property', covers: pairs, properties: { userProperties: [['name', 'value']] } },
    {
      id: 'empty',
      title: 'a User Property of empty name and value',
      covers: pairs,
      properties: { userProperties: [['', '']] },
    },
    {
      id: 'characters',
      title: 'User Properties of any characters',
      covers: pairs,
      properties: {
        userProperties: [
          ['Ünï', '日本 🚀'],
          ['\u{feff}', '+/#'],
        ],
      },
    },
    {
      id: 'repeated',
      title: 'a User Property that is there twice',
      covers: pairs,
      properties: {
        userProperties: [
          ['a', '1'],
          ['a', '1'],
        ],
      },
    },
    {
      id: 'same-name',
      title: 'User Properties of one name in their order',
      covers: orderedPairs,
      properties: {
        userProperties: [
          ['a', '2'],
          ['a', '1'],
          ['a', '3'],
        ],
      },
    },
    {
      id: 'order',
      title: 'User Properties in their order, which is that of no alphabet',
      covers: orderedPairs,
      properties: {
        userProperties: [
          ['b', '1'],
          ['a', '2'],
          ['b', '0'],
          ['a', '2'],
        ],
      },
    },
    {
      id: 'fifty',
      title: 'fifty User Properties of two names in their order',
      covers: orderedPairs,
      properties: { userProperties: fifty },
    },
    {
      id: 'long',
      title: 'a User Property of 65,535 bytes',
      covers: pairs,
      properties: { userProperties: [['long', 'v'.repeat(long)]] },
    },
  ],
  [
    {
      id: 'interleaved',
      title: 'passes on User Properties in their order, also when other properties stand between them',
      covers: orderedPairs,
      async run(context) {
        const { connect, topic } = context;
        const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
        await subscriber.subscribe(topic);
        const userProperties = [
          ['b', '1'],
          ['a', '2'],
        ] as const;
        const between = { 'properties.other': [0x03, 0, 1, 0x74, 0x26, 0, 1, 0x61, 0, 1, 0x30] };
        publisher.send(publish({ topic, properties: { userProperties } }), between);
        const sent = { userProperties: [...userProperties, ['a', '0'] as const], contentType: 't' };
        judgeForwarded(context, await subscriber.receive({ topic }), sent);
      },
    },
    {
      id: 'without-problem-information',
      title: 'passes on User Properties to a client that wants none in other packets',
      covers: pairs,
      async run(context) {
        const { connect, topic } = context;
        const publisher = await connect({ name: 'publisher' });
        const subscriber = await connect({ name: 'subscriber', properties: { requestProblemInformation: 0 } });
        await subscriber.subscribe(topic);
        const properties: Properties = {
          userProperties: [
            ['a', '1'],
            ['b', '2'],
          ],
        };
        await publisher.publish({ topic, properties });
        judgeForwarded(context, await subscriber.receive({ topic }), properties);
      },
    },
    {
      id: 'not-left-out-for-size',
      title: 'does not leave out User Properties from a message to make it fit into what a client takes',
      covers: pairs,
      async run(context) {
        const { connect, topic } = context;
        const publisher = await connect({ name: 'publisher' });
        const maximumPacketSize = 400;
        const subscriber = await connect({ name: 'subscriber', properties: { maximumPacketSize } });
        await subscriber.subscribe(topic);
        // Without one of them it would fit.
        const filler = 'x'.repeat((maximumPacketSize - topic.length) / 2);
        const userProperties = ['a', 'b'].map((name) => [name, filler] as const);
        await publisher.publish({ topic, payload: 'too large', properties: { userProperties } });
        await publisher.publish({ topic, payload: 'fence' });
        await subscriber.receive({ topic, payload: 'fence' });
      },
    },
  ],
);

const typeOfContent = sectionOf('3.3.2.3.9 Content Type', [
  {
    id: 'mime',
    title: 'a Content Type that is a MIME type',
    covers: contentType,
    properties: { contentType: 'text/plain; charset=utf-8' },
  },
  {
    id: 'no-mime',
    title: 'a Content Type that is no MIME type',
    covers: contentType,
    properties: { contentType: 'Ünïcödé 🚀 \u{feff}' },
  },
  { id: 'empty', title: 'an empty Content Type', covers: contentType, properties: { contentType: '' } },
  {
    id: 'longest',
    title: 'a Content Type of 65,535 bytes',
    covers: contentType,
    properties: { contentType: 'c'.repeat(long) },
  },
]);

export const publishProperties = chapter(
  '3.3.2.3 PUBLISH Properties',
  together,
  payloadFormat,
  messageExpiry,
  topicAliases,
  response,
  correlationData,
  userProperty,
  typeOfContent,
);
