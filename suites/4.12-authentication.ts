/** 3.15 AUTH and 4.12 Enhanced authentication (MQTT 5.0): challenges, proofs, and what may go wrong with them. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { auth, pingreq, publish, subscribe } from '../harness/wire/build.ts';
import { challengeMethod } from '../harness/wire/challenge.ts';
import type { Auth, Properties } from '../harness/wire/packet.ts';
import { either, judge, refused } from './refusal.ts';
import type { ConnectOptions, Peer } from './session.ts';

/** AUTH with the method of the connection. */
function authenticate(code: number, properties: Properties = {}): Auth {
  return auth({ code, properties: { authenticationMethod: challengeMethod, ...properties } });
}

/** The challenge that comes next. Throws Violation for an AUTH that is none. */
async function challenge(client: Peer): Promise<Uint8Array> {
  const wanted = { code: 0x18, properties: { authenticationMethod: challengeMethod } };
  const { properties = {} } = await client.expect('AUTH', wanted);
  return properties.authenticationData ?? new Uint8Array(0);
}

/** A client that was asked for a proof, and what it has to prove. */
async function challenged(context: Context, options: ConnectOptions = {}): Promise<readonly [Peer, Uint8Array]> {
  const { open, connectPacket, clientId } = context;
  const { name = 'client', properties, ...fields } = options;
  const client = await open(name);
  const asks = { ...properties, authenticationMethod: challengeMethod };
  client.send(connectPacket({ clientId: clientId(name), ...fields, properties: asks }));
  return [client, await challenge(client)];
}

/** The answer to a challenge. */
function answerTo({ proof }: Context, data: Uint8Array): Auth {
  return authenticate(0x18, { authenticationData: proof(data) });
}

/** A client that has proved what it knows and is let in. */
async function authenticated(context: Context, options: ConnectOptions = {}): Promise<Peer> {
  const [client, data] = await challenged(context, options);
  client.send(answerTo(context, data));
  await client.expect('CONNACK', { code: 0, properties: { authenticationMethod: challengeMethod } });
  return client;
}

// ── 4.12: the method ─────────────────────────────────────────────────────────────────────────────────────────────────

const unsupported: readonly (readonly [id: string, words: string, options: ConnectOptions])[] = [
  ['alone', 'alone', { properties: { authenticationMethod: 'X-UNKNOWN' } }],
  [
    'with-data',
    'with Authentication Data',
    { properties: { authenticationMethod: 'X-UNKNOWN', authenticationData: Uint8Array.of(1, 2, 3) } },
  ],
  ['empty', 'that is empty', { properties: { authenticationMethod: '' } }],
  ['with-stored-session', 'of a client with a stored session', { clean: false }],
];

const methods: readonly Case[] = [
  ...unsupported.map(
    ([id, words, options]): Case => ({
      id: `unsupported-method-${id}`,
      title: `lets in no client with an Authentication Method that it does not know, ${words}`,
      covers: ['v5/4.12.0-1'],
      async run(context) {
        const { open, connectPacket, connect, clientId } = context;
        const { clean = true, properties = { authenticationMethod: 'X-UNKNOWN' } } = options;
        if (!clean) await (await connect({ name: 'before', clientId: clientId(), clean })).disconnect();
        const client = await open('client');
        client.send(connectPacket({ clean, properties }));
        await judge(context, client, either(refused(0x8c, 0x87)));
      },
    }),
  ),
  {
    id: 'no-auth-for-plain-client',
    title: 'sends no AUTH, and no Authentication Method in CONNACK, to a client that named no method',
    covers: ['v5/4.12.0-6'],
    async run({ connect, clientId, topic }) {
      for (const name of ['first', 'again']) {
        const client = await connect({ name, clientId: clientId(), clean: false });
        await client.subscribe(topic);
        await client.expectNothing('no AUTH');
        await client.disconnect();
      }
    },
  },
];

// ── 4.12: the exchange before CONNACK ────────────────────────────────────────────────────────────────────────────────

const exchange: readonly Case[] = [
  {
    id: 'challenge-and-proof',
    title: 'asks for a proof by AUTH 0x18 with the method of the CONNECT, then lets the client in, and serves it',
    covers: ['v5/4.12.0-2', 'v5/4.12.0-5', 'v5/3.15.2-1'],
    needs: ['authentication'],
    async run(context) {
      const client = await authenticated(context);
      await client.subscribe(context.topic);
      await client.publish({ topic: context.topic, payload: 'served' });
      await client.receive({ payload: 'served' });
    },
  },
  {
    id: 'session-resumed-by-proof',
    title: 'resumes the session of a client that has proved what it knows',
    covers: ['v5/4.12.0-5', 'v5/3.2.2-3'],
    needs: ['authentication', 'qos1'],
    async run(context) {
      const session = { clientId: context.clientId(), clean: false, properties: { sessionExpiryInterval: 600 } };
      const client = await authenticated(context, session);
      await client.subscribe(context.topic, 1);
      await client.disconnect();
      const [again, data] = await challenged(context, { ...session, name: 'again' });
      again.send(answerTo(context, data));
      await again.expect('CONNACK', { code: 0, sessionPresent: true });
    },
  },
];

/** Answers to a challenge that prove nothing. */
const wrongProofs: readonly (readonly [
  id: string,
  words: string,
  data: (context: Context, challenge: Uint8Array) => Properties,
])[] = [
  ['wrong', 'a wrong proof', () => ({ authenticationData: new Uint8Array(32) })],
  ['empty', 'an empty proof', () => ({ authenticationData: new Uint8Array(0) })],
  ['none', 'no proof', () => ({})],
  ['echo', 'the challenge itself', (_, data) => ({ authenticationData: data })],
  ['cut', 'half a proof', ({ proof }, data) => ({ authenticationData: proof(data).subarray(0, 16) })],
  [
    'of-another-challenge',
    'the proof of another challenge',
    ({ proof }, data) => ({ authenticationData: proof(data.map((byte) => byte ^ 1)) }),
  ],
];

/** AUTH packets that are not allowed as an answer to a challenge. */
const wrongAnswers: readonly (readonly [
  id: string,
  words: string,
  covers: Case['covers'],
  make: (proof: Uint8Array) => Auth,
])[] = [
  [
    'code-00',
    'AUTH 0x00, which only a server sends',
    ['v5/3.15.2-1'],
    (data) => authenticate(0x00, { authenticationData: data }),
  ],
  [
    'code-19',
    'AUTH 0x19, before it is let in',
    ['v5/4.12.0-3'],
    (data) => authenticate(0x19, { authenticationData: data }),
  ],
  [
    'other-method',
    'AUTH with another method',
    ['v5/4.12.0-5', 'v5/3.15~auth-without-method'],
    (data) => authenticate(0x18, { authenticationMethod: 'X-OTHER', authenticationData: data }),
  ],
  [
    'no-method',
    'AUTH without a method',
    ['v5/3.15.2.2.2~auth-method-missing'],
    (data) => auth({ code: 0x18, properties: { authenticationData: data } }),
  ],
  ['nothing', 'AUTH without anything', ['v5/3.15.2.2.2~auth-method-missing'], () => auth()],
];

const refusals: readonly Case[] = [
  ...wrongProofs.map(
    ([id, words, data]): Case => ({
      id: `proof-${id}`,
      title: `lets in no client that answers the challenge with ${words}`,
      covers: ['v5/4.12.0-4'],
      needs: ['authentication'],
      async run(context) {
        const [client, given] = await challenged(context);
        client.send(authenticate(0x18, data(context, given)));
        await judge(context, client, either(refused(0x87, 0x86, 0x8c, 0x80, 0x83)));
      },
    }),
  ),
  ...wrongAnswers.map(
    ([id, words, covers, make]): Case => ({
      id: `answer-${id}`,
      title: `lets in no client that answers the challenge with ${words}`,
      covers,
      needs: ['authentication'],
      async run(context) {
        const [client, data] = await challenged(context);
        client.send(make(context.proof(data)));
        await judge(context, client, either(refused(0x82, 0x81, 0x8c, 0x87)));
      },
    }),
  ),
  {
    id: 'wrong-proof-takes-nothing-over',
    title: 'leaves the connection of a client alone when another with its Client Identifier gives a wrong proof',
    covers: ['v5/4.12.0-4'],
    needs: ['authentication'],
    async run(context) {
      const session = { clientId: context.clientId() };
      const client = await authenticated(context, session);
      const [other] = await challenged(context, { ...session, name: 'other' });
      other.send(authenticate(0x18, { authenticationData: new Uint8Array(32) }));
      await judge(context, other, either(refused(0x87, 0x86, 0x8c, 0x80, 0x83)));
      await client.fence();
    },
  },
];

// ── 3.15: AUTH of a client that named no method ──────────────────────────────────────────────────────────────────────

const withoutMethod: readonly Case[] = (
  [
    ['continue', 'AUTH 0x18', () => authenticate(0x18)],
    ['continue-with-data', 'AUTH 0x18 with data', () => authenticate(0x18, { authenticationData: Uint8Array.of(1) })],
    ['reauthenticate', 'AUTH 0x19', () => authenticate(0x19)],
  ] as const
).map(([id, words, make]) => ({
  id: `auth-without-method-${id}`,
  title: `closes the connection on ${words} of a client that named no Authentication Method`,
  covers: ['v5/3.15~auth-without-method', 'v5/4.12.0-7', 'v5/4.13.1-1'],
  async run({ connect }) {
    const client = await connect();
    client.send(make());
    await client.expectClose({ reasons: [0x82, 0x8c] });
  },
}));

// ── 4.12.1: Re-authentication ────────────────────────────────────────────────────────────────────────────────────────

/** Asks for re-authentication and returns the challenge. A server may need none (section 4.12.1). */
async function reauthenticate(context: Context, client: Peer): Promise<Uint8Array> {
  client.send(authenticate(0x19));
  const { code, properties = {} } = await client.pick('AUTH', {
    properties: { authenticationMethod: challengeMethod },
  });
  if (code === 0x00) context.notApplicable('the broker asks for no proof to authenticate again');
  return properties.authenticationData ?? new Uint8Array(0);
}

async function expectReauthenticated(context: Context, client: Peer): Promise<void> {
  const data = await reauthenticate(context, client);
  client.send(answerTo(context, data));
  await client.pick('AUTH', { code: 0x00, properties: { authenticationMethod: challengeMethod } });
}

const again: readonly Case[] = [
  {
    id: 'reauthentication',
    title: 'answers AUTH 0x19 with a challenge, and the proof with AUTH 0x00, as often as the client wants',
    covers: ['v5/4.12.1~reauthentication', 'v5/4.12.0-5'],
    needs: ['authentication'],
    async run(context) {
      const client = await authenticated(context);
      for (let times = 1; times <= 3; times++) await expectReauthenticated(context, client);
      await client.fence();
    },
  },
  {
    id: 'traffic-during-reauthentication',
    title: 'serves PUBLISH, SUBSCRIBE and PINGREQ of a client while it authenticates again',
    covers: ['v5/4.12.1~reauthentication'],
    needs: ['authentication', 'qos1'],
    async run(context) {
      const { topic } = context;
      const client = await authenticated(context);
      await client.subscribe(`${topic}/before`, 1);
      const data = await reauthenticate(context, client);
      client.sendTogether(
        subscribe(50, [`${topic}/during`, 0]),
        pingreq(),
        publish({ topic: `${topic}/before`, payload: 'during', qos: 1, packetId: 51 }),
      );
      await client.pick('SUBACK', { packetId: 50 });
      await client.pick('PINGRESP');
      await client.pick('PUBACK', { packetId: 51 });
      await client.receive({ topic: `${topic}/before`, payload: 'during' });
      client.send(answerTo(context, data));
      await client.pick('AUTH', { code: 0x00 });
      await client.publish({ topic: `${topic}/before`, payload: 'after', qos: 1 });
      await client.receive({ payload: 'after' });
    },
  },
  {
    id: 'in-flight-during-reauthentication',
    title: 'leaves messages on their way as they are when the client authenticates again',
    covers: ['v5/4.12.1~reauthentication'],
    needs: ['authentication', 'qos1'],
    async run(context) {
      const { topic } = context;
      const client = await authenticated(context);
      await client.subscribe(topic, 1);
      await client.publish({ topic, payload: 'held', qos: 1 });
      const held = await client.message({ payload: 'held' });
      await expectReauthenticated(context, client);
      await client.expectNothing('no message again');
      await client.acknowledge(held);
      await client.publish({ topic, payload: 'next', qos: 1 });
      await client.receive({ payload: 'next' });
    },
  },
  ...wrongProofs.map(
    ([id, words, data]): Case => ({
      id: `reauthentication-${id}`,
      title: `closes the connection of a client that authenticates again with ${words}`,
      covers: ['v5/4.12.1-2'],
      needs: ['authentication'],
      async run(context) {
        const client = await authenticated(context);
        const given = await reauthenticate(context, client);
        client.send(authenticate(0x18, data(context, given)));
        await client.expectClose({ reasons: [0x87, 0x8c, 0x80, 0x82, 0x83] });
      },
    }),
  ),
  ...(
    [
      ['other-method', 'another method', ['v5/4.12.1-1'], { authenticationMethod: 'X-OTHER' }],
      ['no-method', 'no method', ['v5/3.15.2.2.2~auth-method-missing'], {}],
    ] as const
  ).map(
    ([id, words, covers, properties]): Case => ({
      id: `reauthentication-with-${id}`,
      title: `closes the connection of a client that wants to authenticate again with ${words}`,
      covers,
      needs: ['authentication'],
      async run(context) {
        const client = await authenticated(context);
        client.send(auth({ code: 0x19, properties }));
        await client.expectClose({ reasons: [0x82, 0x8c, 0x81] });
      },
    }),
  ),
];

export const authentication = chapter(
  '4.12 Enhanced authentication',
  section('3.15 AUTH – Authentication exchange', withoutMethod),
  section('4.12 Enhanced authentication', [...methods, ...exchange, ...refusals]),
  section('4.12.1 Re-authentication', again),
);
