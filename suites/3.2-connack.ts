/** 3.2 CONNACK: the first packet from the server, Session Present, return codes, and the end of a connection that is refused. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import type { Bend } from '../harness/wire/bend.ts';
import { type ConnectFields, pingreq, publish, pubrec, subscribe } from '../harness/wire/build.ts';
import type { Connect } from '../harness/wire/packet.ts';
import { either, judge, malformed, refusedInAnyWay } from './refusal.ts';
import { byDisconnect, byReset, byTakeOver, type Peer, reconnect } from './session.ts';

// ── 3.2: CONNACK comes first, and once ───────────────────────────────────────────────────────────────────────────────

/** Builds up a session with something to send, and leaves it. */
type Debt = (context: Context, client: Peer) => Promise<void>;

const debts: readonly (readonly [id: string, words: string, qos: 1 | 2, leave: Debt])[] = [
  [
    'queued',
    'messages wait for the client',
    1,
    async ({ connect, topic }, client) => {
      await client.subscribe(topic, 1);
      await client.disconnect();
      const publisher = await connect({ name: 'publisher' });
      for (const payload of ['1', '2', '3']) await publisher.publish({ topic, payload, qos: 1 });
    },
  ],
  [
    'unacknowledged-publish',
    'a PUBLISH has to be sent again',
    1,
    async ({ connect, topic }, client) => {
      await client.subscribe(topic, 1);
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish({ topic, payload: '1', qos: 1 });
      await client.message({ payload: '1' });
      client.drop();
    },
  ],
  [
    'unanswered-pubrel',
    'a PUBREL has to be sent again',
    2,
    async ({ connect, topic }, client) => {
      await client.subscribe(topic, 2);
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish({ topic, payload: '1', qos: 2 });
      const { packetId = 0 } = await client.message({ payload: '1' });
      client.send(pubrec(packetId));
      await client.expect('PUBREL', { packetId });
      client.drop();
    },
  ],
];

const firstPacket: readonly Case[] = [
  {
    id: 'nothing-before-connect',
    title: 'sends nothing until a CONNECT arrives, then CONNACK alone',
    covers: ['v3/3.2.0-1', 'v3/3.2.2.1~acknowledge-flags', 'v5/3.2.0-1', 'v5/3.2.0-2', 'v5/3.2.2-1'],
    async run({ open, connect, connectPacket }) {
      const client = await open('client');
      // Another client's round trips leave time for an early word.
      await (await connect({ name: 'other' })).fence();
      client.send(connectPacket());
      await client.expect('CONNACK', { code: 0, sessionPresent: false });
      await client.expectNothing('one CONNACK');
    },
  },
  ...debts.map(
    ([id, words, qos, leave]): Case => ({
      id: `connack-first-${id}`,
      title: `sends CONNACK first when ${words}`,
      covers: ['v3/3.2.0-1', 'v5/3.2.0-1'],
      needs: [`qos${qos}`],
      async run(context) {
        const session = { clientId: context.clientId(), clean: false };
        await leave(context, await context.connect(session));
        const again = await context.open('again');
        again.send(context.connectPacket(session));
        await again.expect('CONNACK', { code: 0 });
        await again.fence();
      },
    }),
  ),
  {
    id: 'connack-first-retained',
    title: 'sends CONNACK before a retained message that a SUBSCRIBE in the same segment asks for',
    covers: ['v3/3.2.0-1', 'v5/3.2.0-1'],
    needs: ['qos1'],
    async run({ connect, open, connectPacket, topic }) {
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish({ topic, payload: 'retained', qos: 1, retain: true });
      const client = await open('client');
      client.sendTogether(connectPacket(), subscribe(1, [topic, 1]), pingreq());
      await client.expect('CONNACK', { code: 0 });
      await client.receive({ payload: 'retained' });
    },
  },
  {
    id: 'connack-first-own-message',
    title: 'sends CONNACK before a message that the client sends to itself in the same segment',
    covers: ['v3/3.2.0-1', 'v5/3.2.0-1'],
    needs: ['qos1'],
    async run(context) {
      const { connect, open, connectPacket, topic, clientId } = context;
      const session = { clientId: clientId(), clean: false };
      const before = await connect(session);
      await before.subscribe(topic, 1);
      await before.disconnect();
      const client = await open('again');
      client.sendTogether(connectPacket(session), publish({ topic, payload: 'to myself', qos: 1, packetId: 1 }));
      await client.expect('CONNACK', { code: 0 });
      await client.receive({ payload: 'to myself' });
    },
  },
];

// ── 3.2.2.2: Session Present ─────────────────────────────────────────────────────────────────────────────────────────

const sessionPresent: readonly Case[] = [
  {
    id: 'absent-for-unknown-client',
    title: 'sets Session Present 0 for a client that it does not know, whether it asks for a new session or not',
    covers: ['v3/3.2.2-1', 'v3/3.2.2-3', 'v5/3.2.2-2', 'v5/3.2.2-3'],
    async run(context) {
      await reconnect(context, { clientId: context.clientId('a'), clean: true }, false);
      await reconnect(context, { clientId: context.clientId('b'), clean: false }, false);
    },
  },
  ...[byDisconnect, byReset, byTakeOver].map(
    (ending): Case => ({
      id: `present-after-${ending.id}`,
      title: `sets Session Present 1 for a session without any content, after ${ending.title}`,
      covers: [
        'v3/3.2.2-2',
        'v3/3.1.2-4',
        'v3/3.2.2.1~acknowledge-flags',
        'v5/3.2.2-3',
        'v5/3.1.2-5',
        'v5/3.1.2-23',
        'v5/3.2.2-1',
      ],
      async run(context) {
        const session = { clientId: context.clientId(), clean: false };
        const client = await reconnect(context, session, false);
        await ending.end(client, context);
        await reconnect(context, { ...session, name: 'again' }, true);
      },
    }),
  ),
  {
    id: 'absent-after-expiry-0',
    title: 'sets Session Present 0 for a session whose Session Expiry Interval was 0, or was not given',
    covers: ['v5/3.2.2-3'],
    async run(context) {
      const clientId = context.clientId();
      for (const properties of [{ sessionExpiryInterval: 0 }, {}]) {
        const client = await reconnect(context, { clientId, clean: false, properties }, false);
        await client.subscribe(context.topic, 0);
        await client.disconnect();
      }
      await reconnect(context, { clientId, clean: false, name: 'again' }, false);
    },
  },
  {
    id: 'present-each-time',
    title: 'sets Session Present 1 each time that a client resumes its session',
    covers: ['v3/3.2.2-2', 'v5/3.2.2-3'],
    needs: ['qos1'],
    async run(context) {
      const session = { clientId: context.clientId(), clean: false };
      const client = await reconnect(context, session, false);
      await client.subscribe(context.topic, 1);
      await client.disconnect();
      for (let round = 1; round <= 5; round++) {
        await (await reconnect(context, { ...session, name: `round ${round}` }, true)).disconnect();
      }
    },
  },
  ...[byDisconnect, byReset, byTakeOver].map(
    (ending): Case => ({
      id: `absent-for-clean-session-over-stored-after-${ending.id}`,
      title: `sets Session Present 0 for a client that wants a new session although one is stored, after ${ending.title}`,
      covers: ['v3/3.2.2-1', 'v5/3.2.2-2'],
      async run(context) {
        const clientId = context.clientId();
        const client = await reconnect(context, { clientId, clean: false }, false);
        await client.subscribe(context.topic);
        await ending.end(client, context);
        await reconnect(context, { clientId, clean: true, name: 'again' }, false);
      },
    }),
  ),
  ...[byDisconnect, byReset, byTakeOver].map(
    (ending): Case => ({
      id: `absent-behind-clean-session-after-${ending.id}`,
      title: `sets Session Present 0 for a client that resumes a session which was not to be kept, after ${ending.title}`,
      covers: ['v3/3.2.2-3', 'v5/3.2.2-3'],
      async run(context) {
        const clientId = context.clientId();
        const client = await reconnect(context, { clientId, clean: true }, false);
        await client.subscribe(context.topic);
        await ending.end(client, context);
        await reconnect(context, { clientId, clean: false, name: 'again' }, false);
      },
    }),
  ),
  {
    id: 'flip-flop',
    title: 'sets Session Present by what is stored when a client asks for a new session, or not, by turns',
    covers: ['v3/3.2.2-1', 'v3/3.2.2-2', 'v3/3.2.2-3', 'v5/3.2.2-2', 'v5/3.2.2-3'],
    needs: ['qos1'],
    async run(context) {
      const clientId = context.clientId();
      for (let round = 1; round <= 3; round++) {
        for (const [clean, present] of [
          [false, false],
          [false, true],
          [true, false],
        ] as const) {
          const client = await reconnect(context, { clientId, clean }, present);
          await client.subscribe(context.topic, 1);
          await client.disconnect();
        }
      }
    },
  },
];

// ── 3.2.2.3: return codes ────────────────────────────────────────────────────────────────────────────────────────────

/** Well-formed CONNECTs that every server has to refuse, with the return code that the standard names. */
const refusals: readonly (readonly [id: string, words: string, fields: Partial<Connect>, code: number])[] = [
  ['bad-level', 'an unknown Protocol Level', { protocolLevel: 7 }, 1],
  ['empty-id', 'an empty Client Identifier with CleanSession 0', { clientId: '', clean: false }, 2],
];

/** Sends a CONNECT that has to be refused. Whether it is, and by a CONNACK, is the matter of other cases, so it is not judged again. */
async function refused(context: Context, fields: Partial<Connect>, code: number): Promise<Peer> {
  const { open, connectPacket, notApplicable, fail } = context;
  const client = await open();
  client.send({ ...connectPacket(), ...fields });
  const answer = await client.next();
  if (answer?.type !== 'CONNACK' || answer.code === 0)
    return notApplicable('the broker does not refuse this by a CONNACK');
  if (answer.code === code) return client;
  return fail(`CONNACK 0x0${code}`, `CONNACK 0x0${answer.code}`, 'v3/3.2.2.3~fitting-return-code');
}

const returnCodes: readonly Case[] = [
  ...refusals.flatMap(([id, words, fields, code]): readonly Case[] => [
    {
      id: `closes-after-${id}`,
      title: `closes the connection after the CONNACK 0x0${code} that refuses ${words}`,
      covers: ['v3/3.2.2-5', 'v3/3.2.2-4', 'v3/3.2.2.3~fitting-return-code'],
      async run(context) {
        const client = await refused(context, fields, code);
        await client.expectClose({ expected: 'the connection closes after a CONNACK that refuses' });
      },
    },
    {
      id: `session-absent-after-${id}`,
      title: `sets Session Present 0 in the CONNACK 0x0${code} that refuses ${words} to a client whose session is stored`,
      covers: ['v3/3.2.2-4'],
      async run(context) {
        const session = { clientId: context.clientId(), clean: false };
        const client = await context.connect(session);
        await client.subscribe(context.topic);
        await client.disconnect();
        await refused(context, { ...session, ...fields }, code);
      },
    },
  ]),
  {
    id: 'malformed-has-no-return-code',
    title: 'closes without CONNACK on a CONNECT for whose fault there is no return code',
    covers: ['v3/3.2.2-6', 'v3/3.1.4-1'],
    async run(context) {
      const client = await context.open();
      client.send(context.connectPacket(), { connectFlags: { add: 0x01 } });
      await judge(context, client, malformed);
    },
  },
];

// ── 3.2.2.2 of 5.0: Reason Codes ─────────────────────────────────────────────────────────────────────────────────────

/** CONNECTs that every server of 5.0 has to refuse, by a CONNACK or without. */
const faults: readonly (readonly [id: string, words: string, fields: Partial<Connect>, bend?: Bend])[] = [
  ['unknown-method', 'an unknown Authentication Method', { properties: { authenticationMethod: 'X-UNKNOWN' } }],
  ['receive-maximum-0', 'Receive Maximum 0', { properties: { receiveMaximum: 0 } }],
  ['problem-information-2', 'Request Problem Information 2', { properties: { requestProblemInformation: 2 } }],
  ['data-alone', 'Authentication Data alone', { properties: { authenticationData: Uint8Array.of(1) } }],
  ['reserved-flag', 'the reserved flag', {}, { connectFlags: { add: 0x01 } }],
];

const reasonCodes: readonly Case[] = faults.flatMap(([id, words, fields, bend]): readonly Case[] => {
  const refusedBy = async ({ open, connectPacket, notApplicable }: Context, session: Partial<ConnectFields>) => {
    const client = await open('refused');
    client.send(connectPacket({ ...session, ...fields }), bend);
    const answer = await client.next();
    // Without such a CONNACK nothing is left to judge: that the client is not let in is the matter of other cases.
    if (answer?.type === 'CONNACK' && answer.code >= 0x80) return client;
    return notApplicable('the broker does not refuse this by a CONNACK');
  };
  return [
    {
      id: `closes-after-${id}`,
      title: `closes the connection after the CONNACK that refuses ${words}, whose Reason Code is one of CONNACK`,
      covers: ['v5/3.2.2-7', 'v5/3.2.2-8', 'v5/4.13.2-1', 'v5/3.2.2-6'],
      async run(context) {
        const client = await refusedBy(context, {});
        await client.expectClose({ probe: true, expected: 'the connection closes after a CONNACK that refuses' });
      },
    },
    {
      id: `session-absent-after-${id}`,
      title: `sets Session Present 0 in the CONNACK that refuses ${words} to a client whose session is stored`,
      covers: ['v5/3.2.2-6'],
      async run(context) {
        const session = { clientId: context.clientId(), clean: false };
        const client = await context.connect(session);
        await client.subscribe(context.topic);
        await client.disconnect();
        await refusedBy(context, session);
      },
    },
    {
      id: `no-disconnect-after-${id}`,
      title: `sends no DISCONNECT to a client that is refused for ${words}`,
      covers: ['v5/3.14.0-1'],
      async run(context) {
        const client = await context.open('refused');
        client.send(context.connectPacket(fields), bend);
        // That nobody is let in for this is the matter of other cases, that nothing but CONNACK comes is watched.
        await judge(context, client, either({ ...refusedInAnyWay, served: 'right', ignored: 'right' }));
      },
    },
  ];
});

export const connack = chapter(
  '3.2 CONNACK',
  section('3.2 CONNACK – Acknowledge connection request', firstPacket),
  section({ v3: '3.2.2.2 Session Present', v5: '3.2.2.1.1 Session Present' }, sessionPresent),
  section('3.2.2.3 Connect Return code', returnCodes),
  section('3.2.2.2 Connect Reason Code', reasonCodes),
);
