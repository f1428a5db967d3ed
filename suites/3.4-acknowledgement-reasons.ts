/** 3.4 to 3.7: Reason Codes and properties of PUBACK, PUBREC, PUBREL and PUBCOMP, in both directions (MQTT 5.0). */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { type OutcomeFields, pingreq, puback, pubcomp, publish, pubrec, pubrel } from '../harness/wire/build.ts';
import { encode } from '../harness/wire/encode.ts';
import type { Acknowledgement, Packet } from '../harness/wire/packet.ts';
import { publishAccepted } from './accepted.ts';
import { answerOrClose } from './answer.ts';
import { hold, receiveBehind } from './held.ts';
import { needsQoS } from './needs.ts';
import type { Peer } from './session.ts';

// ── From the client ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What an acknowledgement says, in every form that the standard allows. */
type Said = readonly [id: string, words: string, fields: OutcomeFields | undefined];

const explained = {
  properties: {
    reasonString: 'weil es so ist: ü',
    userProperties: [
      ['a', '1'],
      ['a', '1'],
    ],
  },
} as const;

/** Success, in as many or few bytes as one likes. */
const success: readonly Said[] = [
  ['short', 'without a Reason Code', undefined],
  ['code', 'with 0x00 and no Property Length', { code: 0 }],
  ['long', 'with 0x00 and no properties', { code: 0, properties: {} }],
  ['explained', 'with 0x00, a Reason String and User Properties', { code: 0, ...explained }],
];

/** The failures that a PUBACK or PUBREC may report. */
const failures = [0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99].flatMap((reason): readonly Said[] => [
  [`failure-${reason.toString(16)}`, `with ${code(reason)}`, { code: reason }],
]);
const explainedFailure: Said = [
  'failure-explained',
  'with 0x83, a Reason String and User Properties',
  { code: 0x83, ...explained },
];
const everyFailure = [...failures, explainedFailure];

const notFound: Said = ['not-found', 'with 0x92', { code: 0x92 }];

/**
 * A client acknowledges, and the exchange has come to its end: the connection stays, and neither there nor on the next one anything of
 * it comes again.
 */
function endsExchange(
  qos: 1 | 2,
  [id, words, fields]: Said,
  type: 'PUBACK' | 'PUBREC' | 'PUBCOMP',
  covers: Case['covers'],
): Case {
  const make = { PUBACK: puback, PUBREC: pubrec, PUBCOMP: pubcomp }[type];
  const isFailure = (fields?.code ?? 0) >= 0x80;
  return {
    id,
    title: `takes a ${type} ${words} for the end of the exchange, and sends nothing of it any more`,
    covers,
    needs: needsQoS(qos),
    async run(context) {
      const { topic } = context;
      const { publisher, subscriber, packetId, again } = await hold(context, qos);
      if (type === 'PUBCOMP') {
        subscriber.send(pubrec(packetId));
        await subscriber.expect('PUBREL', { packetId });
      }
      subscriber.send(make(packetId, fields));
      await subscriber.expectNothing(`no answer to ${type} ${words}`);
      await publisher.publish({ topic, payload: 'next', qos });
      await subscriber.receive({ payload: 'next', dup: false });
      await subscriber.fence();
      subscriber.drop();
      const back = await again();
      await publisher.publish({ topic, payload: 'fence', qos });
      if (qos === 2) await back.expect('PUBLISH', { payload: 'fence' });
      // Of a failure it is said that it must not come again (v5/4.4.0-2).
      else await receiveBehind(context, back, (each) => each === 'next' || (!isFailure && each === 'held'), 'fence');
    },
  };
}

/** A PUBREC that takes the message is answered with PUBREL. */
function goesOn([id, words, fields]: Said): Case {
  return {
    id,
    title: `answers a PUBREC ${words} with PUBREL`,
    covers: ['v5/4.3.3-4', 'v5/3.6.2-1'],
    needs: ['qos2'],
    async run(context) {
      const { subscriber, packetId } = await hold(context, 2);
      subscriber.send(pubrec(packetId, fields));
      await subscriber.expect('PUBREL', { packetId, code: 0 });
      subscriber.send(pubcomp(packetId));
      await subscriber.expectNothing('nothing after PUBCOMP');
    },
  };
}

/** A PUBREL is answered with PUBCOMP. */
function released([id, words, fields]: Said): Case {
  return {
    id,
    title: `answers a PUBREL ${words} with PUBCOMP, and delivers the message`,
    covers: ['v5/4.3.3-11', 'v5/3.7.2-1'],
    needs: ['qos2'],
    async run({ connect, topic }) {
      const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
      await subscriber.subscribe(topic, 2);
      publisher.send(publish({ topic, payload: 'message', qos: 2, packetId: 7 }));
      await publisher.expect('PUBREC', { packetId: 7 });
      publisher.send(pubrel(7, fields));
      await publisher.expect('PUBCOMP', { packetId: 7, code: 0 });
      await subscriber.receive({ payload: 'message' });
    },
  };
}

const refuses: readonly RequirementId[] = ['v5/4.4.0-2', 'v5/4.13.2~acknowledgement-errors-local'];

// ── From the server ──────────────────────────────────────────────────────────────────────────────────────────────────

const noSubscribers: readonly Case[] = ([1, 2] as const).flatMap((qos) => {
  const type = qos === 1 ? 'PUBACK' : 'PUBREC';
  const covers: Case['covers'] = ['v5/3.4.2.1~no-matching-subscribers'];
  return [
    {
      id: `nobody-qos${qos}`,
      title: `may say in ${type} that nobody has subscribed; records whether it does`,
      covers,
      needs: needsQoS(qos),
      async run({ connect, topic, trait, fail }) {
        const publisher = await connect();
        publisher.send(publish({ topic, payload: 'for nobody', qos, packetId: 7 }));
        const { code: reason = 0 } = await publisher.expect(type, { packetId: 7 });
        if (reason !== 0 && reason !== 0x10) fail(`${type} 0x00 or 0x10`, `${type} ${code(reason)}`);
        trait(`${type} for a message that nobody has subscribed to`, code(reason));
        if (qos === 1) return;
        publisher.send(pubrel(7));
        await publisher.expect('PUBCOMP', { packetId: 7, code: 0 });
      },
    },
    {
      id: `somebody-qos${qos}`,
      title: `does not say in ${type} that nobody has subscribed when somebody has`,
      covers,
      needs: needsQoS(qos),
      async run({ connect, topic, fail }) {
        const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
        await subscriber.subscribe(topic, qos);
        publisher.send(publish({ topic, payload: 'for one', qos, packetId: 7 }));
        const { code: reason = 0 } = await publisher.expect(type, { packetId: 7 });
        if (reason === 0x10) fail(`${type} 0x00`, `${type} 0x10`);
      },
    },
  ];
});

/** Messages to a topic that nobody may use. */
const forbidden: readonly Case[] = [
  {
    id: 'forbidden-qos0',
    title: 'answers no QoS 0 PUBLISH to a topic that is denied to the client, or closes',
    covers: ['v5/3.3.4-1'],
    needs: ['denied-topic'],
    async run(context) {
      const publisher = await context.connect();
      publisher.send(publish({ topic: context.deniedTopic(), payload: context.token }));
      publisher.send(pingreq());
      const expected = ['no answer', 'the connection closes'];
      const answer = await answerOrClose(context, publisher, expected);
      if (answer && answer.type !== 'PINGRESP') context.fail(expected, answer.type);
    },
  },
  ...([1, 2] as const).map((qos): Case => {
    const type = qos === 1 ? 'PUBACK' : 'PUBREC';
    return {
      id: `forbidden-qos${qos}`,
      title: `answers a QoS ${qos} PUBLISH to a topic that is denied to the client with ${type} 0x87, or closes`,
      covers: ['v5/3.4.2.1~publish-forbidden'],
      needs: ['denied-topic', ...needsQoS(qos)],
      async run(context) {
        const publisher = await context.connect();
        const expected = [`${type} 0x87, or another code from 0x80 on`, 'the connection closes'];
        publisher.send(publish({ topic: context.deniedTopic(), payload: context.token, qos, packetId: 7 }));
        const answer = await answerOrClose(context, publisher, expected);
        if (!answer) return context.trait('on a PUBLISH to a denied topic', 'closes the connection');
        if (answer.type !== type || answer.packetId !== 7) return context.fail(expected, answer.type);
        const { code: reason = 0 } = answer;
        if (reason < 0x80) context.fail(expected, `${type} ${code(reason)}`);
        context.trait('on a PUBLISH to a denied topic', code(reason));
      },
    };
  }),
];

/** Ways to get a PUBREC from 0x80 on. */
const refusedPublishes: readonly (readonly [
  id: string,
  title: string,
  needs: Case['needs'] & object,
  message: (context: Context) => Parameters<typeof publish>[0],
])[] = [
  [
    'forbidden',
    'that was refused because its topic is denied',
    ['denied-topic'],
    (context) => ({ topic: context.deniedTopic(), payload: context.token }),
  ],
  [
    'no-text',
    'that was refused because its payload is not the text that it claims to be',
    [],
    ({ topic }) => ({ topic, payload: Uint8Array.of(0x80), properties: { payloadFormatIndicator: 1 } }),
  ],
];

const identifierFree = refusedPublishes.map(
  ([id, title, needs, message]): Case => ({
    id: `identifier-free-after-${id}`,
    title: `takes a PUBLISH with the Packet Identifier of a QoS 2 message ${title} for a new message`,
    covers: ['v5/4.3.3-9'],
    needs: ['qos2', ...needs],
    async run(context) {
      const { connect, topic, notApplicable } = context;
      const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
      await subscriber.subscribe(topic, 2);
      publisher.send(publish({ ...message(context), qos: 2, packetId: 7 }));
      const answer = await publisher.next();
      if (answer?.type !== 'PUBREC' || (answer.code ?? 0) < 0x80) {
        return notApplicable('the broker does not refuse the message with PUBREC');
      }
      for (const payload of ['new', 'new too']) {
        await publishAccepted(context, publisher, { topic, payload, qos: 2, packetId: 7 });
        await subscriber.receive({ payload });
      }
    },
  }),
);

/** Circumstances of a PUBREL that the server knows nothing of. */
const unknownPubrels: readonly (readonly [
  id: string,
  title: string,
  fields: OutcomeFields | undefined,
  prepare: (context: Context) => Promise<Peer>,
])[] = [
  ['never-seen', 'that it has never seen', undefined, ({ connect }) => connect()],
  ['never-seen-not-found', 'that it has never seen, with 0x92', { code: 0x92 }, ({ connect }) => connect()],
  [
    'completed',
    'of an exchange that is complete',
    undefined,
    async ({ connect, topic }) => {
      const client = await connect();
      await client.publish({ topic, payload: 'done', qos: 2, packetId: 4711 });
      return client;
    },
  ],
  [
    'former-session',
    'of a session that has ended',
    undefined,
    async ({ connect, topic, clientId }) => {
      const session = { clientId: clientId() };
      const client = await connect({ ...session, name: 'client' });
      client.send(publish({ topic, payload: 'half', qos: 2, packetId: 4711 }));
      await client.pick('PUBREC', { packetId: 4711 });
      client.drop();
      return connect({ ...session, name: 'client again' });
    },
  ],
];

const unknownPubrel = unknownPubrels.map(
  ([id, title, fields, prepare]): Case => ({
    id: `unknown-${id}`,
    title: `answers a PUBREL with a Packet Identifier ${title} by PUBCOMP 0x92, and goes on`,
    covers: ['v5/3.7.2.1~pubrel-unknown', 'v5/4.3.3-11', 'v5/3.7.2-1'],
    needs: ['qos2'],
    async run(context) {
      const client = await prepare(context);
      client.send(pubrel(4711, fields));
      const expected = 'PUBCOMP id=4711 with 0x92';
      const answer = await answerOrClose(context, client, expected);
      if (!answer) return context.nonStrict(`the connection closes; preferred: ${expected}`);
      if (answer.type !== 'PUBCOMP' || answer.packetId !== 4711) return context.fail(expected, answer.type);
      context.trait('PUBCOMP for an unknown PUBREL', code(answer.code ?? 0));
      await client.expectNothing('nothing after PUBCOMP');
    },
  }),
);

const unknownPubrec: Case = {
  id: 'unknown',
  title: 'may answer a PUBREC with an unknown Packet Identifier by PUBREL 0x92, ignore it, or close; records which',
  covers: ['v5/3.6.2.1~pubrec-unknown'],
  needs: ['qos2'],
  async run(context) {
    const client = await context.connect();
    client.send(pubrec(4711));
    client.send(pingreq());
    const expected = ['PUBREL id=4711 with 0x92', 'no answer', 'the connection closes'];
    const answer = await answerOrClose(context, client, expected);
    const record = (what: string) => context.trait('on an unknown PUBREC', what);
    if (!answer) return record('closes the connection');
    if (answer.type === 'PINGRESP') return record('ignores it');
    if (answer.type !== 'PUBREL' || answer.packetId !== 4711) return context.fail(expected, answer.type);
    record(`PUBREL ${code(answer.code ?? 0)}`);
  },
};

// ── Within what the client takes ─────────────────────────────────────────────────────────────────────────────────────

/** What makes a server send an acknowledgement that it could explain; PUBREL is its own choice. */
const explainable: readonly (readonly [
  type: Acknowledgement['type'],
  words: string,
  provoke: (topic: string) => Packet,
  covers: Case['covers'],
])[] = [
  [
    'PUBACK',
    'a QoS 1 PUBLISH that nobody has subscribed to',
    (topic) => publish({ topic, payload: 'm', qos: 1, packetId: 7 }),
    ['v5/3.4.2-2', 'v5/3.4.2-3'],
  ],
  [
    'PUBREC',
    'a QoS 2 PUBLISH that nobody has subscribed to',
    (topic) => publish({ topic, payload: 'm', qos: 2, packetId: 7 }),
    ['v5/3.5.2-2', 'v5/3.5.2-3'],
  ],
  ['PUBREL', 'an unknown PUBREC', () => pubrec(7), ['v5/3.6.2-2', 'v5/3.6.2-3']],
  ['PUBCOMP', 'an unknown PUBREL', () => pubrel(7), ['v5/3.7.2-2', 'v5/3.7.2-3']],
];

function withinSize(wanted: Acknowledgement['type']): readonly Case[] {
  return explainable
    .filter(([type]) => type === wanted)
    .map(
      ([type, words, provoke, covers]): Case => ({
        id: 'within-maximum-packet-size',
        title: `sends no ${type} on ${words} that is larger than the client takes, but leaves out why`,
        covers,
        needs: type === 'PUBACK' ? ['qos1'] : ['qos2'],
        async run(context) {
          const { connect, topic, fail } = context;
          const { connack } = await connect({ name: 'client without a limit' });
          // The CONNACK has to fit as well.
          const maximumPacketSize = Math.max(24, connack ? encode(connack, 'v5').length + 5 : 0);
          const client = await connect({ name: 'client', properties: { maximumPacketSize } });
          client.send(provoke(topic));
          client.send(pingreq());
          const isOptional = type === 'PUBREL';
          const expected = [`${type} of ${maximumPacketSize} bytes at most`, ...(isOptional ? ['no answer'] : [])];
          const answer = await answerOrClose(context, client, expected);
          if (!answer) return;
          if (isOptional && answer.type === 'PINGRESP') return;
          if (answer.type !== type) fail(expected, answer.type);
        },
      }),
    );
}

export const acknowledgementReasons = chapter(
  '3.4–3.7 Reason Codes and properties of PUBACK, PUBREC, PUBREL, PUBCOMP',
  section('3.4.2.1 PUBACK Reason Code', [
    ...success.map((said) => endsExchange(1, said, 'PUBACK', ['v5/4.3.2-3'])),
    ...everyFailure.map((said) => endsExchange(1, said, 'PUBACK', refuses)),
    ...noSubscribers,
    ...forbidden,
  ]),
  section('3.4.2.2 PUBACK Properties', withinSize('PUBACK')),
  section('3.5.2.1 PUBREC Reason Code', [
    ...success.map(goesOn),
    ...everyFailure.map((said) => endsExchange(2, said, 'PUBREC', ['v5/4.3.3~pubrec-failure', ...refuses])),
    ...identifierFree,
  ]),
  section('3.5.2.2 PUBREC Properties', withinSize('PUBREC')),
  section('3.6.2.1 PUBREL Reason Code', [...success.map(released), unknownPubrec]),
  section('3.6.2.2 PUBREL Properties', withinSize('PUBREL')),
  section('3.7.2.1 PUBCOMP Reason Code', [
    ...[...success, notFound].map((said) => endsExchange(2, said, 'PUBCOMP', ['v5/4.3.3-5'])),
    ...unknownPubrel,
  ]),
  section('3.7.2.2 PUBCOMP Properties', withinSize('PUBCOMP')),
);
