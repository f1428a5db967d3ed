/** 3.1.4 CONNECT Response: a CONNECT that is refused has no effect, nor has what follows it; credentials where they are asked for. */

import type { Case, Context } from '../harness/case.ts';
import { type RequirementId, versionOf } from '../harness/spec/index.ts';
import type { Bend } from '../harness/wire/bend.ts';
import { pingreq, publish, pubrel, subscribe, unsubscribe } from '../harness/wire/build.ts';
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
import { reconnect } from './session.ts';

// ── What is refused has no effect ────────────────────────────────────────────────────────────────────────────────────

/** A CONNECT that is not to be served, made from one that would be. */
interface Refused {
  readonly id: string;
  readonly title: string;
  readonly covers: Case['covers'];
  readonly fields: Partial<Connect>;
  readonly bend?: Bend;
  readonly outcomes: Outcomes;
  /** Whether the standard of 3.1.1 names the CONNACK. */
  readonly answered?: true;
  /** What says that nothing behind it is processed; where nothing is named it is that the connection closes. */
  readonly ignoredBy?: Case['covers'];
}

const will = { topic: 'will', payload: new Uint8Array(0), qos: 0, retain: false } as const;
const nobody = { userName: anybody.userName, password: Buffer.from(anybody.password) };

const malformedConnects: readonly Refused[] = (
  [
    ['reserved-flag', 'the reserved connect flag', ['v3/3.1.2-3', 'v5/3.1.2-3'], {}, { connectFlags: { add: 0x01 } }],
    ['header-flags', 'flags in the fixed header', ['v3/2.2.2-2', 'v5/2.1.3-1'], {}, { header: [0x11] }],
    ['will-qos-3', 'Will QoS 3', ['v3/3.1.2-14', 'v5/3.1.2-12'], { will }, { connectFlags: { add: 0x18 } }],
    [
      'will-qos-without-will',
      'a Will QoS and no will',
      ['v3/3.1.2-13', 'v5/3.1.2-11'],
      {},
      { connectFlags: { add: 0x08 } },
    ],
    [
      'password-without-user-name',
      'a password and no user name',
      ['v3/3.1.2-22'],
      nobody,
      { connectFlags: { add: -0x80 }, 'userName.length': [], userName: [] },
    ],
    [
      'password-missing',
      'a password that is announced and missing',
      ['v3/3.1.2-21', 'v5/3.1.2-19'],
      nobody,
      { 'password.length': [], password: [] },
    ],
    ['surplus-byte', 'a byte too many', ['v3/2.4~surplus-bytes', 'v5/2.1.4~content-length'], {}, { surplus: [0] }],
    [
      'invalid-utf8',
      'a user name that is no UTF-8',
      ['v3/3.1.3-11', 'v5/3.1.3-12'],
      nobody,
      { userName: [0xc3, 0x28] },
    ],
  ] as readonly (readonly [string, string, readonly RequirementId[], Partial<Connect>, Bend])[]
).map(([id, what, requirements, fields, bend]) => ({
  id,
  title: `a CONNECT with ${what}`,
  // Where there is no requirement of 5.0 the CONNECT is well-formed in 5.0.
  covers: ['v3/3.1.4-1', ...(requirements.length > 1 ? (['v5/3.1.4-1'] as const) : []), ...requirements],
  fields,
  bend,
  // How it is refused is the matter of other cases.
  outcomes: but(malformed, { otherCode: 'right' }),
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
    // Of which version what follows is nobody can say.
    ignoredBy: ['v3/3.1.4-5'],
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
  title: 'a CONNECT with an empty Client Identifier and a session to be stored',
  covers: ['v3/3.1.3-8', 'v5/3.1.3-8'],
  fields: { clientId: '', clean: false },
  outcomes: but(badIdentifier, { noConnack: 'right', otherCode: 'right', served: 'right' }),
  answered: true,
  ignoredBy: ['v3/3.1.4-5', 'v5/3.1.4-6'],
};

const wrongCredentials: Refused = {
  id: 'wrong-credentials',
  title: 'a CONNECT with the wrong user name and password',
  covers: ['v3/3.1.4~refusal-closes', 'v5/3.1.4-2'],
  fields: nobody,
  outcomes: but(badCredentials, { served: 'right' }),
  answered: true,
  ignoredBy: ['v3/3.1.4-5', 'v5/3.1.4-6'],
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

/** What keeps the session of a client that is away. */
function kept(covers: Case['covers']): Case['covers'] {
  const in5 = covers.some((id) => versionOf(id) === 'v5');
  return ['v3/3.1.2-4', ...(in5 ? (['v5/3.1.2-5', 'v5/3.1.2-23'] as const) : [])];
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
      covers: [...covers, ...kept(covers), ...(answered ? (['v3/3.1.4-3', 'v5/3.1.4-4'] as const) : [])],
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
      title: `refuses ${title} and a session to be stored, and makes none for it`,
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
    covers: refused.ignoredBy ?? refused.covers,
    needs: ['qos1', 'retain'],
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

export const refusals: readonly Case[] = [
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

export const credentials: readonly Case[] = impostors.map(
  ([id, words, make]): Case => ({
    id: `credentials-${id}`,
    title: `refuses ${words} and closes, where credentials are asked for`,
    covers: [
      'v3/3.1.4~refusal-closes',
      'v3/3.2.2-4',
      'v3/3.2.2-5',
      'v3/3.2.2.3~fitting-return-code',
      'v5/3.1.4-2',
      'v5/3.2.2-6',
      'v5/3.2.2-7',
    ],
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
