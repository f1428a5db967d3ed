/** 4.13 Handling errors (MQTT 5.0): Reason Codes that fit, errors in acknowledgements, and explanations that are not too large. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import {
  auth,
  type ConnectFields,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe,
  unsubscribe,
} from '../harness/wire/build.ts';
import { challengeMethod } from '../harness/wire/challenge.ts';
import { encode } from '../harness/wire/encode.ts';
import type { Packet, Properties, Publish } from '../harness/wire/packet.ts';
import { limitsOf, told } from './announced.ts';
import { answerOrClose } from './answer.ts';
import type { Peer } from './session.ts';

// ── 4.13.1: the Reason Code that fits ────────────────────────────────────────────────────────────────────────────────

/** What a client does wrong; not applicable where CONNACK permits it. */
type Offence = (client: Peer, context: Context) => void | Promise<void>;

/** Ends the case where the server has not announced what the offence is against. */
function unless(isAnnounced: boolean, { notApplicable }: Context, what: string): void {
  if (!isAnnounced) notApplicable(`CONNACK does not have ${what}`);
}

const malformed: readonly (readonly [id: string, words: string, offend: Offence])[] = [
  ['reserved-flags', 'reserved flags', (client) => client.sendBytes([0xc1, 0x00], 'a PINGREQ with flags')],
  ['qos-3', 'QoS 3', (client, { topic }) => client.send(publish({ topic }), { header: [0x36] })],
  [
    'ill-formed-text',
    'a Topic Name that is not UTF-8',
    (client, { topic }) => client.send(publish({ topic }), { topic: [0x61, 0xff] }),
  ],
  ['u-0000', 'U+0000 in a Topic Filter', (client, { topic }) => client.send(subscribe(1, [`${topic}/\0`, 0]))],
  [
    'surplus',
    'bytes behind its last Topic Filter',
    (client, { topic }) => client.send(unsubscribe(1, topic), { surplus: [0x00] }),
  ],
  [
    'unknown-property',
    'a property that there is not',
    (client) => client.sendBytes([0x62, 0x06, 0x00, 0x01, 0x00, 0x02, 0x7f, 0x00], 'a PUBREL with property 7F'),
  ],
];

const specific: readonly (readonly [id: string, words: string, reasons: readonly number[], offend: Offence])[] = [
  [
    'second-connect',
    'a second CONNECT',
    [0x82],
    (client, { connectPacket }) => client.send(connectPacket({ clientId: client.clientId })),
  ],
  [
    'auth',
    'AUTH of a client without a method',
    [0x82],
    (client) => client.send(auth({ code: 0x19, properties: { authenticationMethod: 'X' } })),
  ],
  ['connack', 'a CONNACK', [0x82, 0x81], (client) => client.sendBytes([0x20, 0x03, 0x00, 0x00, 0x00], 'a CONNACK')],
  [
    'repeated-property',
    'a property that is repeated',
    [0x82],
    (client, { topic }) =>
      client.sendBytes(
        [0x30, topic.length + 13, 0, topic.length, ...Buffer.from(topic), 0x0a, 2, 0, 0, 0, 9, 2, 0, 0, 0, 9],
        'a PUBLISH with two Message Expiry Intervals',
      ),
  ],
  [
    'no-filter',
    'a SUBSCRIBE without a Topic Filter',
    [0x82, 0x81],
    (client) => client.sendBytes([0x82, 0x03, 0x00, 0x01, 0x00], 'a SUBSCRIBE without a Topic Filter'),
  ],
  [
    'subscription-identifier-0',
    'Subscription Identifier 0',
    [0x82, 0x81],
    (client, { topic }) =>
      client.send(subscribe({ packetId: 1, properties: { subscriptionIdentifiers: [0] } }, [topic, 0])),
  ],
  [
    'no-local-shared',
    'No Local for a Shared Subscription',
    [0x82],
    (client, { topic }) => client.send(subscribe(1, { filter: `$share/group/${topic}`, qos: 0, noLocal: true })),
  ],
  ['no-topic', 'a PUBLISH with neither topic nor alias', [0x82], (client) => client.send(publish({ topic: '' }))],
  [
    'wildcard',
    'a Topic Name with a wildcard',
    [0x90, 0x81, 0x82],
    (client, { topic }) => client.send(publish({ topic: `${topic}/+` })),
  ],
  [
    'receive-maximum',
    'more messages than Receive Maximum',
    [0x93],
    async (client, context) => {
      const { receiveMaximum: most } = limitsOf(client);
      unless(most <= 2_000, context, 'a small Receive Maximum');
      const ids = Array.from({ length: most }, () => client.freshId());
      client.sendTogether(...ids.map((packetId) => publish({ topic: context.topic, qos: 2, packetId })));
      for (const packetId of ids) await client.pick('PUBREC', { packetId });
      client.sendRegardless(publish({ topic: context.topic, qos: 2, packetId: client.freshId() }));
    },
  ],
  [
    'topic-alias',
    'a Topic Alias above the maximum',
    [0x94],
    (client, context) => {
      const { topicAliasMaximum: most } = limitsOf(client);
      unless(most < 65_535, context, 'a lower Topic Alias Maximum');
      client.sendRegardless(publish({ topic: context.topic, properties: { topicAlias: most + 1 } }));
    },
  ],
  [
    'topic-alias-0',
    'Topic Alias 0',
    [0x94],
    (client, { topic }) => client.send(publish({ topic, properties: { topicAlias: 0 } })),
  ],
  [
    'packet-too-large',
    'a packet above Maximum Packet Size',
    [0x95],
    (client, context) => {
      const { maximumPacketSize: most } = limitsOf(client);
      unless(most <= 20 * 2 ** 20, context, 'a Maximum Packet Size');
      client.sendRegardless(publish({ topic: context.topic, payload: new Uint8Array(most) }));
    },
  ],
  [
    'retain',
    'RETAIN 1 where it is not available',
    [0x9a],
    (client, context) => {
      unless(told(client).retainAvailable === 0, context, 'Retain Available 0');
      client.sendRegardless(publish({ topic: context.topic, payload: 'kept?', retain: true }));
    },
  ],
  [
    'qos',
    'a QoS above Maximum QoS',
    [0x9b],
    (client, context) => {
      unless(limitsOf(client).maximumQoS < 2, context, 'Maximum QoS');
      client.sendRegardless(publish({ topic: context.topic, qos: 2, packetId: 1 }));
    },
  ],
];

/** Closing without a word, or with another one, is right, but not what the standard prefers. */
function fittingReason(id: string, words: string, reasons: readonly number[], offend: Offence): Case {
  return {
    id: `reason-${id}`,
    title: `says by DISCONNECT ${reasons.map(code).join(' or ')} why it closes the connection on ${words}`,
    covers: ['v5/4.13.1~error-reason-codes'],
    ...(id === 'receive-maximum' && { needs: ['qos2'] as const }),
    async run(context) {
      const client = await context.connect();
      await offend(client, context);
      await client.expectClose({ reasons, reasonNeeded: true });
    },
  };
}

const silence: Case = {
  id: 'reason-keep-alive',
  title: 'says by DISCONNECT 0x8D why it closes the connection of a client that is silent beyond its Keep Alive',
  covers: ['v5/4.13.1~error-reason-codes'],
  waits: 2,
  async run({ connect, seconds, toleranceMs, notApplicable }) {
    const client = await connect({ keepAlive: 1 });
    const { serverKeepAlive } = told(client);
    if (serverKeepAlive !== undefined) notApplicable(`CONNACK has Server Keep Alive ${serverKeepAlive}`);
    await client.expectClose({
      probe: false,
      withinMs: seconds(1.5) + toleranceMs,
      reasons: [0x8d],
      reasonNeeded: true,
    });
  },
};

const reasonCodes: readonly Case[] = [
  ...malformed.map(([id, words, offend]) => fittingReason(id, words, [0x81], offend)),
  ...specific.map(([id, words, reasons, offend]) => fittingReason(id, words, reasons, offend)),
  silence,
];

// ── 4.13.2: errors in acknowledgements ───────────────────────────────────────────────────────────────────────────────

const failures = [0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];

/** A client that is told one message after the other. */
async function subscribed({ connect, topic }: Context): Promise<readonly [publisher: Peer, client: Peer]> {
  const [publisher, client] = [await connect({ name: 'publisher' }), await connect({ name: 'client' })];
  await client.subscribe(`${topic}/1`, 1);
  await client.subscribe(`${topic}/2`, 2);
  return [publisher, client];
}

/** Answers a message with an error; what follows goes on as ever. */
async function expectLocal(context: Context, qos: 1 | 2, refuse: (client: Peer, message: Publish) => Promise<void>) {
  const { topic } = context;
  const [publisher, client] = await subscribed(context);
  for (const payload of ['refused', 'refused too']) {
    await publisher.publish({ topic: `${topic}/${qos}`, payload, qos });
    await refuse(client, await client.message({ payload }));
  }
  for (const other of [1, 2] as const) {
    await publisher.publish({ topic: `${topic}/${other}`, payload: 'next', qos: other });
    await client.receive({ payload: 'next' });
  }
  await client.expectNothing('no message again, and no DISCONNECT');
}

const local: readonly Case[] = [
  ...failures.flatMap((reason): readonly Case[] => [
    {
      id: `puback-${code(reason).toLowerCase()}`,
      title: `goes on serving a client that answers a message with PUBACK ${code(reason)}`,
      covers: ['v5/4.13.2~acknowledgement-errors-local'],
      needs: ['qos1', 'qos2'],
      run: (context) =>
        expectLocal(context, 1, async (client, { packetId = 0 }) => client.send(puback(packetId, { code: reason }))),
    },
    {
      id: `pubrec-${code(reason).toLowerCase()}`,
      title: `goes on serving a client that answers a message with PUBREC ${code(reason)}`,
      covers: ['v5/4.13.2~acknowledgement-errors-local'],
      needs: ['qos1', 'qos2'],
      run: (context) =>
        expectLocal(context, 2, async (client, { packetId = 0 }) => client.send(pubrec(packetId, { code: reason }))),
    },
  ]),
  {
    id: 'refused-requests',
    title: 'goes on serving a client after SUBACK, UNSUBACK and PUBACK that refuse or find nothing',
    covers: ['v5/3.9.3-2'],
    needs: ['qos1', 'denied-topic'],
    async run({ connect, topic, deniedTopic, fail }) {
      const client = await connect();
      const denied = deniedTopic();
      client.send(subscribe(1, [denied, 0]));
      const { codes } = await client.expect('SUBACK', { packetId: 1 });
      if ((codes[0] ?? 0) < 0x80) fail('SUBACK that refuses', `SUBACK ${code(codes[0] ?? 0)}`);
      client.send(unsubscribe(2, topic));
      await client.expect('UNSUBACK', { packetId: 2 });
      client.send(pubcomp(99, { code: 0x92 }));
      client.send(pubrel(98));
      await client.expect('PUBCOMP', { packetId: 98 });
      await client.subscribe(topic);
      await client.publish({ topic, payload: 'served' });
      await client.receive({ payload: 'served' });
    },
  },
];

// ── 4.13.2: several errors ───────────────────────────────────────────────────────────────────────────────────────────

const several: readonly Case[] = [
  {
    id: 'several-errors',
    title: 'closes the connection on a packet with several errors, for whichever of them',
    covers: ['v5/4.13.2~several-errors'],
    async run({ connect, topic, trait }) {
      const client = await connect();
      client.send(publish({ topic: `${topic}/#`, properties: { topicAlias: 0 } }), { header: [0x36] });
      await client.expectClose();
      const given = client.disconnected?.code;
      trait('of several errors', given === undefined ? 'closes without DISCONNECT' : `DISCONNECT ${code(given)}`);
    },
  },
];

// ── 2.4: Packet Identifiers in use ───────────────────────────────────────────────────────────────────────────────────

const packetsInUse: readonly (readonly [
  id: string,
  words: string,
  make: (topic: string) => Packet,
  answer: 'SUBACK' | 'UNSUBACK' | 'PUBACK',
])[] = [
  ['subscribe', 'a SUBSCRIBE', (topic) => subscribe(7, [`${topic}/a`, 0], [`${topic}/b`, 0]), 'SUBACK'],
  ['unsubscribe', 'an UNSUBSCRIBE', (topic) => unsubscribe(7, `${topic}/a`, `${topic}/b`), 'UNSUBACK'],
  ['publish', 'a QoS 1 PUBLISH', (topic) => publish({ topic, payload: 'm', qos: 1, packetId: 7 }), 'PUBACK'],
];

/** The codes of an answer, one or several. */
function codesOf(answer: Packet): readonly number[] {
  if ('codes' in answer && answer.codes) return answer.codes;
  return [('code' in answer && answer.code) || 0];
}

const inUse: readonly Case[] = packetsInUse.map(([id, words, make, wanted]) => ({
  id: `identifier-in-use-${id}`,
  title: `serves ${words} with the Packet Identifier of a QoS 2 message that is not complete, refuses it with 0x91, or closes`,
  covers: ['v5/2.4~identifier-in-use'],
  needs: ['qos1', 'qos2'],
  async run(context) {
    const { connect, topic, trait, fail, notApplicable } = context;
    const client = await connect();
    if (limitsOf(client).receiveMaximum < 2) notApplicable('CONNACK has Receive Maximum 1');
    client.send(publish({ topic: `${topic}/own`, payload: 'open', qos: 2, packetId: 7 }));
    await client.expect('PUBREC', { packetId: 7 });
    client.sendRegardless(make(topic));
    const expected = [`${wanted} id=7`, `${wanted} id=7 with 0x91 for everything`, 'the connection closes'];
    const answer = await answerOrClose(context, client, expected);
    if (answer && (answer.type !== wanted || answer.packetId !== 7)) fail(expected, answer.type);
    const codes = answer ? codesOf(answer) : [];
    const isRefused = codes.includes(0x91);
    if (isRefused && codes.some((each) => each !== 0x91)) fail(expected, codes.map(code).join(' '));
    trait(`${words} with an identifier in use`, !answer ? 'closes' : isRefused ? 'refused with 0x91' : 'served');
    if (!answer) return;
    client.send(pubrel(7));
    await client.expect('PUBCOMP', { packetId: 7 });
  },
}));

// ── Explanations within the client's Maximum Packet Size ─────────────────────────────────────────────────────────────

/** A packet by which a server explains itself, and how to get one; undefined if the server closes without. */
interface Explained {
  readonly type: 'CONNACK' | 'DISCONNECT' | 'AUTH';
  readonly words: string;
  readonly covers: Case['covers'];
  readonly needs?: Case['needs'];
  provoke(context: Context, name: string, properties: Properties): Promise<Packet | undefined>;
}

async function opened({ open, connectPacket, clientId }: Context, name: string, fields: Partial<ConnectFields>) {
  const client = await open(name);
  client.send(connectPacket({ clientId: clientId(name), ...fields }));
  return client.next();
}

const explained: readonly Explained[] = [
  {
    type: 'CONNACK',
    words: 'a client that is refused',
    covers: ['v5/3.2.2-19', 'v5/3.2.2-20'],
    provoke: (context, name, properties) =>
      opened(context, name, { properties: { ...properties, authenticationMethod: 'X-UNKNOWN' } }),
  },
  {
    type: 'DISCONNECT',
    words: 'a client whose connection it ends',
    covers: ['v5/3.14.2-3', 'v5/3.14.2-4'],
    async provoke({ connect }, name, properties) {
      const client = await connect({ name, properties });
      client.sendBytes([0x00, 0x00], 'a packet of the reserved type 0');
      // Whether it closes is the matter of other cases.
      await client.isClosed();
      return client.disconnected;
    },
  },
  {
    type: 'AUTH',
    words: 'a client that has to prove what it knows',
    covers: ['v5/3.15.2-2', 'v5/3.15.2-3'],
    needs: ['authentication'],
    provoke: (context, name, properties) =>
      opened(context, name, { properties: { ...properties, authenticationMethod: challengeMethod } }),
  },
];

function sizeOf(packet: Packet): number {
  return encode(packet, 'v5').length;
}

/** Maximum Packet Sizes that the explained packet just exceeds with all, or with its Reason String, and that the rest of it fits into. */
function sizesFor(packet: Packet, least: number): readonly number[] {
  const { properties = {} } = packet as { readonly properties?: Properties };
  const { reasonString, userProperties, ...needed } = properties;
  if (reasonString === undefined && userProperties === undefined) return [];
  const bare = sizeOf({ ...packet, properties: needed } as Packet);
  const withText = sizeOf({
    ...packet,
    properties: { ...needed, ...(reasonString !== undefined && { reasonString }) },
  } as Packet);
  const all = sizeOf(packet);
  const sizes = [all - 1, withText - 1, bare].filter((size) => size >= bare && size >= least && size < all);
  return [...new Set(sizes)];
}

/** How large a CONNACK 0x00 is: one that says less than this does not let the client in. */
async function sizeOfConnack({ connect }: Context): Promise<number> {
  const { connack } = await connect({ name: 'plain' });
  return connack ? sizeOf(connack) : 0;
}

const withinSize: readonly (readonly [type: Explained['type'], all: readonly Case[]])[] = explained.map(
  ({ type, words, covers, needs = [], provoke }) => [
    type,
    [
      {
        id: `explanation-within-size-${type.toLowerCase()}`,
        title: `leaves out of ${type} to ${words} what would exceed the client's Maximum Packet Size: Reason String, User Properties`,
        covers,
        needs,
        async run(context) {
          const { notApplicable, fail } = context;
          const packet = await provoke(context, 'without a limit', {});
          if (packet?.type !== type) return notApplicable(`the broker sends no ${type} to ${words}`);
          const least = type === 'DISCONNECT' ? await sizeOfConnack(context) : 0;
          const sizes = sizesFor(packet, least);
          if (sizes.length === 0) notApplicable(`the broker sends no ${type} that could be too large`);
          for (const size of sizes) {
            // That nothing larger comes is watched. A server may also close without a word, except where the client has to answer.
            const limited = await provoke(context, `limit ${size}`, { maximumPacketSize: size });
            if (limited ? limited.type !== type : type === 'AUTH') {
              fail(`${type} of ${size} bytes at most`, limited?.type ?? 'no answer');
            }
          }
        },
      },
    ],
  ],
);

export const errorReasons = chapter(
  '4.13 Handling errors: Reason Codes',
  section('2.4 Reason Code', inUse),
  ...withinSize.map(([type, all]) =>
    section(
      {
        CONNACK: '3.2.2.3.9 CONNACK Reason String',
        DISCONNECT: '3.14.2.2.3 DISCONNECT Reason String',
        AUTH: '3.15.2.2.4 AUTH Reason String',
      }[type],
      all,
    ),
  ),
  section('4.13.1 Malformed Packet and Protocol Errors', reasonCodes),
  section('4.13.2 Other errors', [...local, ...several]),
);
