/** 3.1.4 CONNECT Response: validation, take-over, what comes before CONNACK, and that a refused CONNECT has no effect. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import type { Bend } from '../harness/wire/bend.ts';
import { disconnect, pingreq, publish, pubrel, subscribe, text, unsubscribe } from '../harness/wire/build.ts';
import { encode } from '../harness/wire/encode.ts';
import type { Connect, Packet } from '../harness/wire/packet.ts';
import { anybody } from './credentials.ts';
import {
  badCredentials,
  badIdentifier,
  badLevel,
  but,
  judge,
  malformed,
  type Outcomes,
  otherProtocol,
} from './refusal.ts';
import { type Peer, reconnect } from './session.ts';

// ── A valid CONNECT is accepted ──────────────────────────────────────────────────────────────────────────────────────

const acceptance: readonly Case[] = [
  ...[0, 1, 65_535].map(
    (keepAlive): Case => ({
      id: `accepts-keep-alive-${keepAlive}`,
      title: `answers a CONNECT with Keep Alive ${keepAlive} by CONNACK 0x00`,
      covers: ['v3/3.1.4-4', 'v5/3.1.4-5'],
      async run({ open, connectPacket }) {
        const client = await open();
        client.send(connectPacket({ keepAlive }));
        await client.expect('CONNACK', { code: 0, sessionPresent: false });
        await client.fence();
      },
    }),
  ),
  {
    id: 'accepts-same-client-later',
    title: 'lets a client in again as soon as it has left, many times over',
    covers: ['v3/3.1.4-4', 'v5/3.1.4-5'],
    async run({ open, connectPacket }) {
      for (let round = 1; round <= 10; round++) {
        const client = await open(`round ${round}`);
        client.send(connectPacket());
        await client.expect('CONNACK', { code: 0, sessionPresent: false });
        if (round % 2 === 0) client.drop();
        else await client.disconnect();
      }
    },
  },
];

// ── Take-over ────────────────────────────────────────────────────────────────────────────────────────────────────────

const takenOver = 'the connection that was taken over closes';

function sessionName(clean: boolean): string {
  return `CleanSession ${Number(clean)}`;
}

const combinations = [false, true].flatMap((before) => [false, true].map((after) => [before, after] as const));

const takeOver: readonly Case[] = [
  ...combinations.map(
    ([before, after]): Case => ({
      id: `take-over-clean-${Number(before)}-by-clean-${Number(after)}`,
      title: `closes the connection of a client with ${sessionName(before)} when it connects again with ${sessionName(after)}`,
      covers: ['v3/3.1.4-2', 'v5/3.1.4-3'],
      async run(context) {
        const clientId = context.clientId();
        const older = await context.connect({ clientId, clean: before, name: 'older' });
        const newer = await context.connect({ clientId, clean: after, name: 'newer' });
        await older.expectClose({ expected: takenOver });
        await newer.fence();
      },
    }),
  ),
  ...combinations.map(
    ([before, after]): Case => ({
      id: `take-over-traffic-clean-${Number(before)}-by-clean-${Number(after)}`,
      title: `delivers messages once to a client with ${sessionName(after)} that has taken over one with ${sessionName(before)}`,
      covers: ['v3/3.1.4-2', 'v5/3.1.4-3'],
      async run(context) {
        const { topic } = context;
        const clientId = context.clientId();
        const publisher = await context.connect({ name: 'publisher' });
        const older = await context.connect({ clientId, clean: before, name: 'older' });
        await older.subscribe(topic);
        const newer = await context.connect({ clientId, clean: after, name: 'newer' });
        await older.expectClose({ expected: takenOver });
        await newer.subscribe(topic);
        await publisher.publish({ topic, payload: 'once' });
        await publisher.publish({ topic, payload: 'fence' });
        await newer.receive({ payload: 'once' });
        await newer.receive({ payload: 'fence' });
      },
    }),
  ),
  {
    id: 'take-over-of-busy-client',
    title: 'closes the connection of a client in the middle of QoS 2 exchanges when it connects again',
    covers: ['v3/3.1.4-2', 'v5/3.1.4-3'],
    needs: ['qos2'],
    async run({ connect, clientId, topic }) {
      const publisher = await connect({ name: 'publisher' });
      const older = await connect({ clientId: clientId(), name: 'older' });
      await older.subscribe(topic, 2);
      older.send(publish({ topic: `${topic}/own`, payload: 'unfinished', qos: 2, packetId: 9 }));
      await older.expect('PUBREC', { packetId: 9 });
      await publisher.publish({ topic, payload: 'unfinished', qos: 2 });
      await older.message({ payload: 'unfinished' });
      const newer = await connect({ clientId: clientId(), name: 'newer' });
      await older.expectClose({ expected: takenOver });
      await newer.fence();
    },
  },
  {
    id: 'take-over-of-silent-connection',
    title: 'closes the older connection although the older client does not read or write',
    covers: ['v3/3.1.4-2', 'v5/3.1.4-3'],
    async run({ connect, clientId }) {
      const older = await connect({ clientId: clientId(), keepAlive: 0, name: 'older' });
      await connect({ clientId: clientId(), name: 'newer' });
      await older.expectClose({ probe: false, expected: takenOver });
    },
  },
  {
    id: 'take-over-storm-in-a-row',
    title: 'leaves one connection after 20 take-overs in a row, with the session of the first',
    covers: ['v3/3.1.4-2', 'v3/3.1.2-4', 'v5/3.1.4-3', 'v5/3.1.2-5', 'v5/3.1.2-23'],
    needs: ['qos1'],
    async run(context) {
      const { topic } = context;
      const session = { clientId: context.clientId(), clean: false };
      const publisher = await context.connect({ name: 'publisher' });
      const all = [await context.connect({ ...session, name: 'client 0' })];
      await all[0]?.subscribe(topic, 1);
      for (let index = 1; index <= 20; index++) {
        const client = await context.connect({ ...session, name: `client ${index}` }).catch(() => undefined);
        // Some brokers hold clients off that push each other out without end.
        if (!client) return context.notApplicable(`the broker lets in ${index} connections in a row, and no more`);
        all.push(client);
      }
      const last = all.pop();
      for (const older of all) await older.expectClose({ expected: takenOver });
      await publisher.publish({ topic, payload: 'for the last', qos: 1 });
      await last?.receive({ payload: 'for the last' });
    },
  },
  ...[false, true].map(
    (clean): Case => ({
      id: `take-over-storm-at-once-clean-${Number(clean)}`,
      title: `leaves one connection of 20 that connect at the same time with one Client Identifier and ${sessionName(clean)}`,
      covers: ['v3/3.1.4-2', 'v5/3.1.4-3'],
      async run(context) {
        const { open, connectPacket, fail } = context;
        const peers: Peer[] = [];
        for (let index = 1; index <= 20; index++) peers.push(await open(`client ${index}`));
        for (const peer of peers) peer.send(connectPacket({ clean }));
        const left = await survivors(peers);
        if (left !== 1) fail('one of 20 connections with the same Client Identifier stays', `${left} connections stay`);
      },
    }),
  ),
];

/** How many of these connections stay open once the broker has come to rest. */
async function survivors(peers: readonly Peer[]): Promise<number> {
  const connacks = await Promise.all(peers.map((peer) => peer.next()));
  const accepted = peers.filter((_, index) => connacks[index]?.type === 'CONNACK');
  for (const peer of accepted) peer.send(pingreq());
  const pongs = await Promise.all(accepted.map((peer) => peer.next()));
  const open = accepted.filter((_, index) => pongs[index]?.type === 'PINGRESP');
  return open.length > 1 ? leftOf(open) : open.length;
}

/** Waits until one of these connections is left: a broker may close the older ones after it has accepted the newest. */
function leftOf(peers: readonly Peer[]): Promise<number> {
  return new Promise((resolve, reject) => {
    let left = peers.length;
    const closings = peers.map(async (peer) => {
      if (await peer.isClosed()) left--;
      if (left <= 1) resolve(left);
    });
    Promise.all(closings).then(() => resolve(left), reject);
  });
}

// ── What is refused has no effect ────────────────────────────────────────────────────────────────────────────────────

/** A CONNECT that is not to be served, made from one that would be. */
interface Refused {
  readonly id: string;
  readonly title: string;
  readonly covers: Case['covers'];
  readonly fields: Partial<Connect>;
  readonly bend?: Bend;
  readonly outcomes: Outcomes;
  /** Whether the standard names the CONNACK: then what follows is not processed by v3/3.1.4-5, else because the connection closes. */
  readonly answered?: true;
}

const will = { topic: 'will', payload: new Uint8Array(0), qos: 0, retain: false } as const;
const nobody = { userName: anybody.userName, password: Buffer.from(anybody.password) };

const malformedConnects: readonly Refused[] = (
  [
    ['reserved-flag', 'the reserved connect flag', 'v3/3.1.2-3', {}, { connectFlags: { add: 0x01 } }],
    ['header-flags', 'flags in the fixed header', 'v3/2.2.2-2', {}, { header: [0x11] }],
    ['will-qos-3', 'Will QoS 3', 'v3/3.1.2-14', { will }, { connectFlags: { add: 0x18 } }],
    ['will-qos-without-will', 'a Will QoS and no will', 'v3/3.1.2-13', {}, { connectFlags: { add: 0x08 } }],
    [
      'password-without-user-name',
      'a password and no user name',
      'v3/3.1.2-22',
      nobody,
      { connectFlags: { add: -0x80 }, 'userName.length': [], userName: [] },
    ],
    [
      'password-missing',
      'a password that is announced and missing',
      'v3/3.1.2-21',
      nobody,
      { 'password.length': [], password: [] },
    ],
    ['surplus-byte', 'a byte too many', 'v3/2.4~surplus-bytes', {}, { surplus: [0] }],
    ['invalid-utf8', 'a user name that is no UTF-8', 'v3/3.1.3-11', nobody, { userName: [0xc3, 0x28] }],
  ] as readonly (readonly [string, string, RequirementId, Partial<Connect>, Bend])[]
).map(([id, what, requirement, fields, bend]) => ({
  id,
  title: `a CONNECT with ${what}`,
  covers: ['v3/3.1.4-1', requirement],
  fields,
  bend,
  // How it is refused is the matter of other cases; if it is served, there is nothing to be seen here.
  outcomes: { ...malformed, otherCode: 'right', served: 'right' },
}));

/** Behind these a CONNECT that is valid makes the rest valid for whoever passes over what is malformed. */
const ignorable = malformedConnects
  .filter(({ id }) => id === 'reserved-flag' || id === 'password-missing')
  .map((each): Refused => ({ ...each, outcomes: malformed }));

const otherRefusals: readonly Refused[] = [
  {
    id: 'bad-level',
    title: 'a CONNECT with Protocol Level 6',
    covers: ['v3/3.1.2-2', 'v5/3.1.2-2'],
    fields: { protocolLevel: 6 },
    outcomes: but(badLevel, { noConnack: 'right', otherCode: 'right' }),
    answered: true,
  },
  {
    id: 'other-name',
    title: 'a CONNECT of another protocol',
    covers: ['v3/3.1.2-1', 'v5/3.1.2-1'],
    fields: { protocolName: 'MQTX' },
    outcomes: otherProtocol,
  },
];

const emptyIdentifier: Refused = {
  id: 'empty-id',
  title: 'a CONNECT with an empty Client Identifier and CleanSession 0',
  covers: ['v3/3.1.3-8'],
  fields: { clientId: '', clean: false },
  outcomes: but(badIdentifier, { noConnack: 'right', otherCode: 'right', served: 'right' }),
  answered: true,
};

const wrongCredentials: Refused = {
  id: 'wrong-credentials',
  title: 'a CONNECT with the wrong user name and password',
  covers: ['v3/3.1.4~refusal-closes'],
  fields: nobody,
  outcomes: but(badCredentials, { served: 'right' }),
  answered: true,
};

/** Cases for brokers that ask for credentials. */
function tagsOf(refused: Refused): { tags?: readonly string[] } {
  return refused === wrongCredentials ? { tags: ['credentials'] } : {};
}

/** Sends the CONNECT, with more packets in the same segment if there are any, and judges that it is not served. */
async function intrude(
  context: Context,
  { fields, bend, title, outcomes }: Refused,
  { clientId, clean = true }: { clientId: string; clean?: boolean },
  behind: readonly Packet[] = [],
): Promise<void> {
  const packet = { ...context.connectPacket({ clientId, clean }), ...fields };
  const intruder = await context.open('intruder');
  if (behind.length === 0) intruder.send(packet, bend);
  else {
    const bytes = [encode(packet, context.version, bend), ...behind.map((each) => encode(each, context.version))];
    intruder.sendBytes(Buffer.concat(bytes), `${title}, then ${behind.map(({ type }) => type).join(', ')}`);
  }
  if ((await judge(context, intruder, outcomes)) === 'refused') return;
  context.notApplicable('the broker serves it');
}

function withoutEffect(refused: Refused): readonly Case[] {
  const { id, title, covers, answered } = refused;
  const tags = tagsOf(refused);
  return [
    {
      id: `evicts-nobody-${id}`,
      title: `refuses ${title}, and leaves alone the client whose identifier it names`,
      covers,
      ...tags,
      async run(context) {
        const live = await context.connect({ name: 'live' });
        await intrude(context, refused, live);
        live.send(pingreq());
        if ((await live.next())?.type === 'PINGRESP') return;
        context.nonStrict('a CONNECT that is refused ends the connection of the client whose identifier it names');
      },
    },
    {
      id: `wipes-nothing-${id}`,
      title: `refuses ${title}, and keeps the stored session whose identifier it names`,
      covers: answered ? [...covers, 'v3/3.1.2-4', 'v3/3.1.4-3'] : [...covers, 'v3/3.1.2-4'],
      needs: ['qos1'],
      ...tags,
      async run(context) {
        const { topic } = context;
        const session = { clientId: context.clientId(), clean: false };
        const publisher = await context.connect({ name: 'publisher' });
        const client = await context.connect(session);
        await client.subscribe(topic, 1);
        await client.disconnect();
        await intrude(context, refused, { clientId: session.clientId });
        const again = await context.connect({ ...session, name: 'again' });
        await publisher.publish({ topic, payload: 'still subscribed', qos: 1 });
        await again.receive({ payload: 'still subscribed' });
      },
    },
    {
      id: `creates-nothing-${id}`,
      title: `refuses ${title} and CleanSession 0, and makes no session for it`,
      covers,
      ...tags,
      async run(context) {
        const session = { clientId: context.clientId(), clean: false };
        await intrude(context, refused, session);
        await reconnect(context, session, false);
      },
    },
  ];
}

/** What a client may send without waiting for CONNACK. */
function everything(topic: string): readonly Packet[] {
  return [
    subscribe(1, [topic, 0]),
    publish({ topic, payload: 'refused' }),
    publish({ topic, payload: 'refused', qos: 1, packetId: 2 }),
    publish({ topic, payload: 'refused', qos: 2, packetId: 3 }),
    pubrel(3),
    publish({ topic, payload: 'refused', qos: 1, packetId: 4, retain: true }),
    unsubscribe(5, topic),
    pingreq(),
  ];
}

function processesNothing(refused: Refused): Case {
  // Whether it is answered at all is the matter of other cases.
  const outcomes: Outcomes = refused.answered ? but(refused.outcomes, { ignored: 'right' }) : refused.outcomes;
  return {
    id: `processes-nothing-after-${refused.id}`,
    title: `processes nothing that follows ${refused.title} in the same segment`,
    covers: refused.answered ? ['v3/3.1.4-5'] : refused.covers,
    needs: ['qos1'],
    ...tagsOf(refused),
    async run(context) {
      const { connect, topic } = context;
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish({ topic, payload: 'retained', qos: 1, retain: true });
      const witness = await connect({ name: 'witness' });
      await witness.subscribe(topic, 1);
      await witness.receive({ payload: 'retained' });
      const intruder = { clientId: context.clientId('intruder') };
      const valid = ignorable.includes(refused) ? [context.connectPacket(intruder)] : [];
      await intrude(context, { ...refused, outcomes }, intruder, [...valid, ...everything(topic)]);
      const late = await connect({ name: 'late' });
      await late.subscribe(topic, 1);
      await late.receive({ payload: 'retained' });
      await publisher.publish({ topic, payload: 'fence', qos: 1 });
      for (const client of [witness, late]) await client.receive({ payload: 'fence' });
    },
  };
}

const refusals: readonly Case[] = [
  ...[...malformedConnects, ...otherRefusals, wrongCredentials].flatMap(withoutEffect),
  ...[...ignorable, ...otherRefusals, emptyIdentifier, wrongCredentials].map(processesNothing),
];

/** What a target that asks for credentials must not take for them. */
type Impostor = (own: { userName: string; password: string }) => { userName?: string; password?: string };

const impostors: readonly (readonly [id: string, words: string, make: Impostor])[] = [
  ['unknown-user', 'an unknown user', () => anybody],
  ['wrong-password', 'a wrong password', ({ userName, password }) => ({ userName, password: `${password}?` })],
  [
    'password-begun',
    'the begin of the password',
    ({ userName, password }) => ({ userName, password: password.slice(0, -1) }),
  ],
  ['empty-password', 'an empty password', ({ userName }) => ({ userName, password: '' })],
  ['no-password', 'a user name alone', ({ userName }) => ({ userName })],
  [
    'swapped',
    'user name and password swapped',
    ({ userName, password }) => ({ userName: password, password: userName }),
  ],
  ['nothing', 'neither user name nor password', () => ({})],
];

const credentials = impostors.map(
  ([id, words, make]): Case => ({
    id: `credentials-${id}`,
    title: `answers ${words} by CONNACK 0x04 or 0x05 and closes, where credentials are asked for`,
    covers: ['v3/3.1.4~refusal-closes', 'v3/3.2.2-4', 'v3/3.2.2-5', 'v3/3.2.2.3~fitting-return-code'],
    tags: ['credentials'],
    async run(context) {
      const { userName = anybody.userName, password, ...plain } = context.connectPacket();
      const own = { userName, password: password ? Buffer.from(password).toString() : anybody.password };
      const { userName: given, password: secret } = make(own);
      const client = await context.open();
      client.send({
        ...plain,
        ...(given !== undefined && { userName: given }),
        ...(secret !== undefined && { password: Buffer.from(secret) }),
      });
      const outcome = await judge(context, client, but(badCredentials, { served: 'right' }));
      if (outcome === 'served') context.notApplicable(`the broker lets in ${words}`);
    },
  }),
);

// ── Before and after CONNACK ─────────────────────────────────────────────────────────────────────────────────────────

const pipelining: readonly Case[] = [
  {
    id: 'pipelined-together',
    title: 'answers what a client sends in one segment with its CONNECT, CONNACK first',
    covers: ['v3/3.1.4~pipelining-before-connack', 'v5/3.1.4~pipelining-before-connack'],
    async run({ connect, open, connectPacket, topic }) {
      const witness = await connect({ name: 'witness' });
      await witness.subscribe(topic);
      const client = await open('client');
      client.sendTogether(
        connectPacket(),
        publish({ topic, payload: 'pipelined', qos: 1, packetId: 1 }),
        subscribe(2, [`${topic}/own`, 0]),
        unsubscribe(3, `${topic}/nothing`),
        pingreq(),
      );
      await client.expect('CONNACK', { code: 0 });
      await client.pick('PUBACK', { packetId: 1 });
      await client.pick('SUBACK', { packetId: 2 });
      await client.pick('UNSUBACK', { packetId: 3 });
      await client.pick('PINGRESP');
      await witness.receive({ payload: 'pipelined' });
      await client.publish({ topic: `${topic}/own`, payload: 'subscribed' });
      await client.receive({ payload: 'subscribed' });
    },
  },
  {
    id: 'pipelined-apart',
    title: 'answers what a client sends behind its CONNECT without waiting for CONNACK',
    covers: ['v3/3.8.4-1', 'v3/3.12.4-1', 'v5/3.8.4-1', 'v5/3.12.4-1'],
    async run({ open, connectPacket, topic }) {
      const client = await open();
      client.send(connectPacket());
      client.send(subscribe(1, [topic, 0]));
      client.send(pingreq());
      await client.expect('CONNACK', { code: 0 });
      await client.pick('SUBACK', { packetId: 1 });
      await client.pick('PINGRESP');
      await client.publish({ topic, payload: 'subscribed' });
      await client.receive({ payload: 'subscribed' });
    },
  },
  {
    id: 'pipelined-exactly-once',
    title: 'completes a QoS 2 exchange that begins in the segment of the CONNECT, and delivers the message once',
    covers: ['v3/3.1.4~pipelining-before-connack', 'v5/3.1.4~pipelining-before-connack'],
    needs: ['qos2'],
    async run({ connect, open, connectPacket, topic }) {
      const witness = await connect({ name: 'witness' });
      await witness.subscribe(topic, 2);
      const client = await open('client');
      client.sendTogether(connectPacket(), publish({ topic, payload: 'once', qos: 2, packetId: 1 }));
      await client.expect('CONNACK', { code: 0 });
      await client.expect('PUBREC', { packetId: 1 });
      client.send(pubrel(1));
      await client.expect('PUBCOMP', { packetId: 1 });
      await client.publish({ topic, payload: 'fence', qos: 2, packetId: 2 });
      await witness.receive({ payload: 'once' });
      await witness.receive({ payload: 'fence' });
    },
  },
  ...([0, 1] as const).map(
    (qos): Case => ({
      id: `pipelined-publish-and-disconnect-qos${qos}`,
      title: `delivers the QoS ${qos} message of a client that connects, publishes and disconnects in one segment`,
      covers: ['v3/3.1.4~pipelining-before-connack', 'v5/3.1.4~pipelining-before-connack'],
      async run({ connect, open, connectPacket, topic }) {
        const witness = await connect({ name: 'witness' });
        await witness.subscribe(topic);
        const client = await open('client');
        const message = publish({ topic, payload: 'and away', qos, ...(qos > 0 && { packetId: 1 }) });
        client.sendTogether(connectPacket(), message, disconnect());
        await witness.receive({ payload: 'and away' });
      },
    }),
  ),
  {
    id: 'pipelined-many',
    title: 'acknowledges each of 20 QoS 1 messages that come in the segment of the CONNECT',
    covers: ['v3/3.1.4~pipelining-before-connack', 'v5/3.1.4~pipelining-before-connack'],
    async run({ open, connectPacket, topic }) {
      const client = await open();
      const ids = Array.from({ length: 20 }, (_, index) => index + 1);
      const messages = ids.map((packetId) => publish({ topic, payload: `${packetId}`, qos: 1, packetId }));
      client.sendTogether(connectPacket(), ...messages);
      await client.expect('CONNACK', { code: 0 });
      for (const packetId of ids) await client.pick('PUBACK', { packetId });
    },
  },
];

const order: readonly Case[] = [
  {
    id: 'take-over-then-connack-then-messages',
    title: 'sends CONNACK to a client that takes over, then its messages, and nothing more on the older connection',
    covers: ['v3/3.1.4~take-over-order', 'v3/3.2.0-1', 'v3/3.1.4-2', 'v5/3.2.0-1', 'v5/3.1.4-3'],
    needs: ['qos1'],
    async run({ connect, open, connectPacket, clientId, topic, nonStrict }) {
      const session = { clientId: clientId(), clean: false };
      const publisher = await connect({ name: 'publisher' });
      const older = await connect({ ...session, name: 'older' });
      await older.subscribe(topic, 1);
      await publisher.publish({ topic, payload: 'first', qos: 1 });
      await older.message({ payload: 'first' });
      const newer = await open('newer');
      newer.send(connectPacket(session));
      await newer.expect('CONNACK', { code: 0 });
      await publisher.publish({ topic, payload: 'second', qos: 1 });
      // The first message is sent again; that it is, and when, is the matter of section 4.4.
      while (text((await newer.receive()).payload) !== 'second');
      // It may take a moment to close: no more than that a message slips through is to be said against it.
      if (older.waiting.some(({ payload }) => text(payload) === 'second')) {
        nonStrict('sends a message on the connection that was taken over, behind the CONNACK on the other');
      }
      await older.expectClose({ allow: ['PUBLISH'], expected: takenOver });
    },
  },
];

/** The standard names no time: two minutes are long beyond any reasonable amount of it. */
const reasonableSeconds = 120;

const patience: readonly Case[] = [
  {
    id: 'connect-that-does-not-come',
    title: 'closes a connection on which no CONNECT, or the begin of one, comes within a reasonable time',
    covers: ['v3/3.1.4~connect-timeout', 'v5/3.1.4~connect-timeout'],
    waits: reasonableSeconds,
    tags: ['slow'],
    async run({ open, connectPacket, version, seconds, now }) {
      const silent = await open('silent');
      const halting = await open('halting');
      halting.sendBytes(encode(connectPacket(), version).subarray(0, 10), 'the first 10 bytes of a CONNECT');
      const expected = `the connection closes within ${reasonableSeconds} s`;
      await silent.expectClose({ withinMs: seconds(reasonableSeconds), expected });
      await halting.expectClose({ withinMs: Math.max(1, seconds(reasonableSeconds) - now()), expected });
    },
  },
];

export const connectResponse = chapter(
  '3.1.4 CONNECT Response',
  section('3.1.4 CONNECT Response', [
    ...acceptance,
    ...takeOver,
    ...refusals,
    ...credentials,
    ...pipelining,
    ...order,
    ...patience,
  ]),
);
