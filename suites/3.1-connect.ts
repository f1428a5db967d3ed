/** 3.1 CONNECT: the first packet, protocol name and level, connect flags, user name and password, order of the payload. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import type { Bend } from '../harness/wire/bend.ts';
import {
  connack,
  disconnect,
  pingreq,
  pingresp,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
} from '../harness/wire/build.ts';
import type { Connect, Packet, Properties, QoS } from '../harness/wire/packet.ts';
import { told } from './announced.ts';
import { anybody, fullCredentials, requireOpenDoor } from './credentials.ts';
import { badCredentials, badLevel, but, judge, malformed, type Outcomes, otherProtocol } from './refusal.ts';
import { type Peer, reconnect } from './session.ts';

// ── 3.1: CONNECT is the first packet, and there is one ───────────────────────────────────────────────────────────────

/** Every packet that is no CONNECT. */
const otherPackets: readonly (readonly [id: string, make: (topic: string) => Packet])[] = [
  ['publish-qos0', (topic) => publish({ topic, payload: 'early' })],
  ['publish-qos1', (topic) => publish({ topic, payload: 'early', qos: 1, packetId: 1 })],
  ['publish-qos2', (topic) => publish({ topic, payload: 'early', qos: 2, packetId: 1 })],
  ['puback', () => puback(1)],
  ['pubrec', () => pubrec(1)],
  ['pubrel', () => pubrel(1)],
  ['pubcomp', () => pubcomp(1)],
  ['subscribe', (topic) => subscribe(1, [topic, 1])],
  ['unsubscribe', (topic) => unsubscribe(1, topic)],
  ['pingreq', () => pingreq()],
  ['disconnect', () => disconnect()],
  ['connack', () => connack()],
  ['suback', () => suback(1, [0])],
  ['unsuback', () => unsuback(1)],
  ['pingresp', () => pingresp()],
];

function nameOf(id: string): string {
  return id.toUpperCase().replace(/-QOS(\d)/, ' with QoS $1');
}

const first: readonly Case[] = [
  ...otherPackets.map(
    ([id, make]): Case => ({
      id: `first-packet-${id}`,
      title: `closes a connection whose first packet is ${nameOf(id)}, and answers nothing`,
      covers: ['v3/3.1.0-1', 'v3/4.8.0-1', 'v5/3.1.0-1', 'v5/4.13.1-1'],
      async run({ open, topic }) {
        const stranger = await open('stranger');
        stranger.send(make(topic));
        await stranger.expectClose();
      },
    }),
  ),
  ...[0, 15].map(
    (type): Case => ({
      id: `first-packet-type-${type}`,
      title: `closes a connection whose first packet has the reserved type ${type}`,
      covers: ['v3/3.1.0-1', 'v3/4.8.0-1', 'v5/3.1.0-1', 'v5/4.13.1-1'],
      async run({ open }) {
        const stranger = await open('stranger');
        stranger.sendBytes([type << 4, 0], `a packet of type ${type}`);
        await stranger.expectClose();
      },
    }),
  ),
  ...otherPackets
    .filter(([id]) => /^(publish|subscribe|unsubscribe|pingreq|disconnect)/.test(id))
    .map(
      ([id, make]): Case => ({
        id: `connect-after-${id}`,
        title: `lets no CONNECT make up for a ${nameOf(id)} before it`,
        covers: ['v3/3.1.0-1', 'v5/3.1.0-1'],
        async run(context) {
          const { open, connectPacket, topic } = context;
          const session = { clientId: context.clientId(), clean: false };
          const stranger = await open('stranger');
          stranger.sendTogether(make(topic), connectPacket(session));
          await stranger.expectClose({ expected: 'the connection closes without CONNACK' });
          await reconnect(context, session, false);
        },
      }),
    ),
  ...([0, 1, 2] as const).map(
    (qos): Case => ({
      id: `early-publish-reaches-nobody-qos${qos}`,
      title: `delivers no QoS ${qos} message that came before CONNECT, and retains none`,
      covers: ['v3/3.1.0-1', 'v5/3.1.0-1'],
      needs: qos === 0 ? [] : [`qos${qos}`],
      run: (context) => expectUnheard(context, qos),
    }),
  ),
];

/** A message before CONNECT reaches neither those who are subscribed nor those who subscribe later. */
async function expectUnheard({ connect, open, topic }: Context, qos: QoS): Promise<void> {
  const subscriber = await connect({ name: 'subscriber' });
  await subscriber.subscribe(topic);
  const stranger = await open('stranger');
  stranger.send(publish({ topic, payload: 'early', qos, retain: true, ...(qos > 0 && { packetId: 1 }) }));
  await stranger.expectClose();
  const late = await connect({ name: 'late subscriber' });
  await late.subscribe(topic);
  const publisher = await connect({ name: 'publisher' });
  await publisher.publish({ topic, payload: 'fence', qos });
  await subscriber.receive({ payload: 'fence' });
  await late.receive({ payload: 'fence' });
}

/** A CONNECT that comes second, made from the one that was accepted. */
const secondConnects: readonly (readonly [id: string, words: string, fields: Partial<Connect>, bend?: Bend])[] = [
  ['same', 'the same', {}],
  ['other-client-id', 'one with another Client Identifier', { clientId: 'other' }],
  ['other-clean-session', 'one for a session that is stored', { clean: false }],
  ['other-keep-alive', 'one with another Keep Alive', { keepAlive: 0 }],
  ['level-3', 'one with Protocol Level 3', { protocolLevel: 3 }],
  ['level-5', 'one of MQTT 5.0', { protocolLevel: 5 }, { keepAlive: { append: [0] } }],
  ['level-255', 'one with Protocol Level 255', { protocolLevel: 255 }],
  ['other-name', 'one of another protocol', { protocolName: 'MQIsdp', protocolLevel: 3 }],
  ['reserved-flag', 'a malformed one', {}, { connectFlags: [0x03] }],
];

const second: readonly Case[] = [
  ...secondConnects.map(
    ([id, words, fields, bend]): Case => ({
      id: `second-connect-${id}`,
      title: `closes the connection on a second CONNECT: ${words}`,
      covers: ['v3/3.1.0-2', 'v3/4.8.0-1', 'v5/3.1.0-2', 'v5/4.13.1-1'],
      async run({ connect, connectPacket, clientId }) {
        const client = await connect({ clientId: clientId() });
        const other = fields.clientId === undefined ? {} : { clientId: clientId(fields.clientId) };
        client.send({ ...connectPacket(), ...fields, ...other }, bend);
        await client.expectClose({ expected: 'the connection closes without a second CONNACK' });
      },
    }),
  ),
  {
    id: 'second-connect-pipelined',
    title: 'closes the connection on two CONNECTs in one segment, with one CONNACK at most',
    covers: ['v3/3.1.0-2', 'v5/3.1.0-2'],
    async run({ open, connectPacket }) {
      const client = await open();
      client.sendTogether(connectPacket(), connectPacket());
      await client.expectClose({ allow: ['CONNACK'] });
    },
  },
  {
    id: 'second-connect-after-traffic',
    title: 'closes a connection that has been in use for a while on a second CONNECT',
    covers: ['v3/3.1.0-2', 'v5/3.1.0-2'],
    async run({ connect, connectPacket, topic }) {
      const client = await connect({ name: 'client' });
      await client.subscribe(topic);
      await client.publish({ topic, payload: 'traffic' });
      await client.receive({ payload: 'traffic' });
      client.send(connectPacket());
      await client.expectClose({ expected: 'the connection closes without a second CONNACK' });
    },
  },
  ...[false, true].map(
    (clean): Case => ({
      id: `second-connect-wipes-nothing-clean-${Number(clean)}`,
      title: `keeps the stored session of a client that sends a second CONNECT, ${clean ? 'a clean' : 'a stored'} one`,
      covers: ['v3/3.1.0-2', 'v3/3.1.2-4', 'v5/3.1.0-2', 'v5/3.1.2-5', 'v5/3.1.2-23'],
      needs: ['qos1'],
      async run({ connect, connectPacket, clientId, topic }) {
        const session = { clientId: clientId(), clean: false };
        const publisher = await connect({ name: 'publisher' });
        const client = await connect(session);
        await client.subscribe(topic, 1);
        client.send(connectPacket({ ...session, clean }));
        await client.expectClose({ expected: 'the connection closes without a second CONNACK' });
        const again = await connect({ ...session, name: 'again' });
        await publisher.publish({ topic, payload: 'still subscribed', qos: 1 });
        await again.receive({ payload: 'still subscribed' });
      },
    }),
  ),
  {
    id: 'second-connect-evicts-nobody',
    title: 'leaves alone the client whose Client Identifier a second CONNECT on another connection names',
    covers: ['v3/4.8~others-unaffected', 'v5/4.13.1~others-unaffected'],
    async run({ connect, connectPacket, clientId }) {
      const bystander = await connect({ name: 'bystander' });
      const client = await connect({ name: 'client' });
      client.send(connectPacket({ clientId: clientId('bystander') }));
      // That this connection closes is the matter of other cases.
      if (!(await client.isClosed())) client.drop();
      await bystander.fence();
    },
  },
];

// ── 3.1.2.1 and 3.1.2.2: what protocol it is ─────────────────────────────────────────────────────────────────────────

const otherNames: readonly (readonly [id: string, name: string])[] = [
  ['lower-case', 'mqtt'],
  ['title-case', 'Mqtt'],
  ['last-letter-lower-case', 'MQTt'],
  ['too-short', 'MQT'],
  ['too-long', 'MQTTX'],
  ['trailing-space', 'MQTT '],
  ['empty', ''],
  ['other-letter', 'MQTP'],
  ['http', 'HTTP'],
  ['byte-order-mark', '\uFEFFMQTT'],
];

/** Half of one protocol, half of another: refusing is expected; serving it may be meant as a kindness to old clients. */
const mixtures: readonly (readonly [id: string, name: string, level: number, covers: Case['covers']])[] = [
  ['name-3-1-with-level-4', 'MQIsdp', 4, ['v3/3.1.2-1']],
  ['name-3-1-1-with-level-3', 'MQTT', 3, ['v3/3.1.2-2']],
  ['name-3-1-with-level-5', 'MQIsdp', 5, ['v5/3.1.2-1']],
];

const mixture: Outcomes = { ...otherProtocol, v3: { ...otherProtocol.v3, served: 'tolerated', ignored: 'wrong' } };

async function answerTo(context: Context, fields: Partial<Connect>, outcomes: Outcomes, bend?: Bend): Promise<Peer> {
  const client = await context.open();
  client.send({ ...context.connectPacket(), ...fields }, bend);
  await judge(context, client, outcomes);
  return client;
}

const protocolName: readonly Case[] = [
  ...otherNames.map(
    ([id, name]): Case => ({
      id: `name-${id}`,
      title: `does not serve a client under the protocol name ${JSON.stringify(name)}`,
      covers:
        name.toUpperCase() === 'MQTT'
          ? ['v3/3.1.2-1', 'v3/3.1.2.1~protocol-name', 'v5/3.1.2-1']
          : ['v3/3.1.2-1', 'v5/3.1.2-1'],
      run: async (context) => void (await answerTo(context, { protocolName: name }, otherProtocol)),
    }),
  ),
  ...mixtures.map(
    ([id, name, level, covers]): Case => ({
      id,
      title: `does not take ${name} with Protocol Level ${level} for ${level === 5 ? 'MQTT 5.0' : 'MQTT 3.1.1'}`,
      covers,
      run: async (context) => void (await answerTo(context, { protocolName: name, protocolLevel: level }, mixture)),
    }),
  ),
  {
    id: 'mqtt-3-1',
    title: 'serves or refuses a client of MQTT 3.1, as it likes',
    covers: ['v3/3.1.4~other-protocols'],
    async run(context) {
      const client = await context.open();
      client.send({ ...context.connectPacket(), protocolName: 'MQIsdp', protocolLevel: 3 });
      context.trait('MQTT 3.1', await judge(context, client, but(otherProtocol, { served: 'right' })));
    },
  },
  {
    id: 'name-and-level',
    title: 'serves a client under the protocol name MQTT with the Protocol Level of the version',
    covers: ['v3/3.1.4-4', 'v5/3.1.4-5'],
    async run({ open, connectPacket }) {
      const client = await open();
      client.send(connectPacket());
      await client.expect('CONNACK', { code: 0, sessionPresent: false });
    },
  },
];

const protocolLevel: readonly Case[] = [
  ...[0, 1, 2, 6, 7, 127, 128, 255].map(
    (level): Case => ({
      id: `level-${level}`,
      title: `refuses Protocol Level ${level}, says so as its version asks, and closes`,
      covers: ['v3/3.1.2-2', 'v3/3.2.2-4', 'v3/3.2.2-5', 'v3/3.2.2.3~fitting-return-code', 'v5/3.1.2-2'],
      run: async (context) => void (await answerTo(context, { protocolLevel: level }, badLevel)),
    }),
  ),
  {
    id: 'level-before-flags',
    title: 'refuses an unknown Protocol Level or closes when the CONNECT is malformed beyond it too',
    covers: ['v3/3.1.2-2', 'v5/3.1.2-2'],
    run: async (context) =>
      void (await answerTo(
        context,
        { protocolLevel: 6 },
        but(badLevel, { expected: malformed.v3.expected, noConnack: 'right' }),
        { connectFlags: [0x03] },
      )),
  },
];

// ── 3.1.2.3, 3.1.2.8, 3.1.2.9: flags ─────────────────────────────────────────────────────────────────────────────────

const wills = [
  undefined,
  ...([0, 1, 2] as const).flatMap((qos) => [false, true].map((retain) => ({ qos, retain }) as const)),
];

/** Connects and disconnects a client that is to be served; returns what it is told. */
async function expectServed(
  context: Context,
  fields: Partial<Parameters<Context['connectPacket']>[0]>,
): Promise<Properties> {
  const client = await context.open();
  client.send(context.connectPacket(fields));
  await client.expect('CONNACK', { code: 0, sessionPresent: false });
  await client.fence();
  client.leave();
  return told(client);
}

async function expectEveryCombination(context: Context, credentials: object): Promise<void> {
  // A server of 5.0 says which wills it does not take.
  const { maximumQoS = 2, retainAvailable = 1 } = await expectServed(context, credentials);
  const taken = wills.filter((will) => !will || (will.qos <= maximumQoS && Number(will.retain) <= retainAvailable));
  for (const clean of [true, false]) {
    for (const will of taken) {
      const named = { clientId: context.clientId(`${clean} ${will?.qos} ${will?.retain}`) };
      const full = will && { topic: `${context.topic}/will`, payload: 'will', ...will };
      await expectServed(context, { ...named, ...credentials, clean, will: full });
    }
  }
}

const connectFlags: readonly Case[] = [
  {
    id: 'every-combination',
    title: 'serves every combination of session, clean or stored, and will that is allowed',
    covers: ['v3/3.1.4-4', 'v5/3.1.4-5'],
    run: (context) => expectEveryCombination(context, {}),
  },
  {
    id: 'every-combination-with-user-name',
    title: 'serves every combination of session, clean or stored, and will that is allowed, with a user name',
    covers: ['v3/3.1.4-4', 'v5/3.1.4-5'],
    async run(context) {
      await requireOpenDoor(context);
      await expectEveryCombination(context, { userName: anybody.userName });
    },
  },
  {
    id: 'every-combination-with-password',
    title:
      'serves every combination of session, clean or stored, and will that is allowed, with user name and password',
    covers: ['v3/3.1.4-4', 'v5/3.1.4-5'],
    async run(context) {
      await requireOpenDoor(context);
      await expectEveryCombination(context, anybody);
    },
  },
];

/** Well-formed user names. A server may have reasons of its own not to let them in; it may not call them malformed. */
const userNames: readonly (readonly [id: string, words: string, userName: string])[] = [
  ['empty', 'an empty user name', ''],
  ['multi-byte', 'a user name of characters of two, three and four bytes', 'ü€𠜎'],
  ['byte-order-mark', 'a user name that begins with U+FEFF', '\uFEFFuser'],
  ['longest', 'a user name of 65,535 bytes', 'u'.repeat(65_535)],
];

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);

/** Passwords are any bytes, so who lets in the one above has to let in those that are `sure`; a server may limit their length. */
const passwords: readonly (readonly [id: string, words: string, password: Uint8Array, sure: boolean])[] = [
  ['empty', 'an empty password', new Uint8Array(0), false],
  ['every-byte', 'a password of all 256 bytes', everyByte, true],
  ['no-utf8', 'a password that is no UTF-8', Uint8Array.of(0xc3, 0x28, 0xed, 0xa0, 0x80, 0xff), true],
  ['nul', 'a password with bytes 00', Uint8Array.of(0x61, 0, 0x62, 0), true],
  ['longest', 'a password of 65,535 bytes', new Uint8Array(65_535).fill(0x70), false],
];

const lenient = but(badCredentials, { expected: ['CONNACK 0x00'], served: 'right' });

const userName: readonly Case[] = userNames.map(
  ([id, words, name]): Case => ({
    id: `user-name-${id}`,
    title: `serves ${words}, or refuses it as it refuses credentials`,
    covers: ['v3/3.1.4-4', 'v5/3.1.4-5'],
    async run(context) {
      await requireOpenDoor(context);
      await answerTo(context, { userName: name }, but(lenient, { ignored: 'wrong' }));
    },
  }),
);

const password: readonly Case[] = passwords.map(
  ([id, words, bytes, sure]): Case => ({
    id: `password-${id}`,
    title: `serves ${words}${sure ? ' like any other' : ', or refuses it as it refuses credentials'}`,
    covers: sure ? ['v3/3.1.3.5~password-bytes', 'v5/3.1.4-5'] : ['v3/3.1.4-4', 'v5/3.1.4-5'],
    async run(context) {
      await requireOpenDoor(context);
      if (sure) await expectServed(context, { ...anybody, password: bytes });
      else await answerTo(context, { userName: anybody.userName, password: bytes }, lenient);
    },
  }),
);

/** MQTT 5.0: a password needs no user name. It may be refused as wrong, and not as malformed. */
const passwordAlone: readonly Case[] = [
  {
    id: 'password-without-user-name',
    title: 'serves a password without a user name, or refuses it as it refuses credentials, and not as malformed',
    covers: ['v5/3.1.2.9~password-without-user-name'],
    async run(context) {
      const { open, connectPacket, fail, trait } = context;
      const { userName: _, ...plain } = connectPacket();
      const client = await open();
      client.send({ ...plain, password: Buffer.from(anybody.password) });
      const answer = await client.next();
      if (answer?.type !== 'CONNACK') return trait('password without user name', 'closes the connection');
      if (answer.code === 0x81 || answer.code === 0x82) {
        fail(['CONNACK 0x00', 'CONNACK 0x86 or 0x87, then the connection closes'], `CONNACK ${code(answer.code)}`);
      }
      trait('password without user name', answer.code === 0 ? 'served' : 'refused');
      if (answer.code === 0) await client.fence();
      else await client.expectClose();
    },
  },
];

// ── 3.1.3: the order of the payload ──────────────────────────────────────────────────────────────────────────────────

/** A CONNECT with all five fields is understood: the will that it names is published. */
async function expectWill(context: Context, message: string | Uint8Array): Promise<void> {
  const will = { topic: `${context.topic}/will`, payload: message };
  const watcher = await context.connect({ name: 'watcher' });
  await watcher.subscribe(will.topic);
  const client = await context.connect({ name: 'client', will, ...(await fullCredentials(context)) });
  client.drop();
  await watcher.receive(will);
}

const payload: readonly Case[] = [
  {
    id: 'order-of-fields',
    title: 'reads Client Identifier, Will Topic, Will Message, user name and password in this order',
    covers: ['v3/3.1.3-1', 'v5/3.1.3-1'],
    run: (context) => expectWill(context, 'last words'),
  },
  {
    id: 'boundaries-of-fields',
    title: 'tells the fields of the payload apart by their lengths alone',
    covers: ['v3/3.1.3-1', 'v5/3.1.3-1'],
    // The Will Message looks like the fields around it.
    run: (context) => expectWill(context, Uint8Array.of(0, 1, 0x61, 0, 0, 0, 3, 0, 1, 0x62)),
  },
];

export const connect = chapter(
  '3.1 CONNECT',
  section('3.1 CONNECT – Client requests a connection to a Server', [...first, ...second]),
  section('3.1.2.1 Protocol Name', protocolName),
  section({ v3: '3.1.2.2 Protocol Level', v5: '3.1.2.2 Protocol Version' }, protocolLevel),
  section('3.1.2.3 Connect Flags', connectFlags),
  section('3.1.3 CONNECT Payload', payload),
  section({ v3: '3.1.3.4 User Name', v5: '3.1.3.5 User Name' }, userName),
  section({ v3: '3.1.3.5 Password', v5: '3.1.3.6 Password' }, password),
  section('3.1.2.9 Password Flag', passwordAlone),
);
