/** 3.1.3.1 Client Identifier: which ones are served, which are refused and how, and that each is the key of a session of its own. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import type { ConnectFields } from '../harness/wire/build.ts';
import { anybody, requireOpenDoor } from './credentials.ts';
import { badIdentifier, but, judge, type Outcomes } from './refusal.ts';
import { expectForgotten, type Peer } from './session.ts';
import { expectNoWill, watch, willTo } from './will.ts';

// ── Identifiers that every server serves ─────────────────────────────────────────────────────────────────────────────

const digits = '0123456789';
const lowerCase = 'abcdefghijklmnopqrstuvwxyz';
const upperCase = lowerCase.toUpperCase();
const alphabet = digits + lowerCase + upperCase;

/** A CONNECT with this identifier is accepted. Codes 3 to 5 tell of the server's state and policy, not of the identifier. */
async function expectAccepted(context: Context, clientId: string, clean: boolean): Promise<void> {
  const client = await context.open();
  client.send(context.connectPacket({ clientId, clean }));
  const answer = await client.next();
  if (answer?.type === 'CONNACK' && answer.code === 0) return client.leave();
  if (answer?.type === 'CONNACK' && answer.code > 2) {
    context.couldNotRun(`the broker refuses the client, not its identifier: CONNACK 0x0${answer.code}`);
  }
  const actual = answer?.type === 'CONNACK' ? `CONNACK 0x0${answer.code}` : (answer?.type ?? 'no CONNACK');
  context.fail(`CONNACK 0x00 for the Client Identifier ${clientId}`, actual);
}

/** With both values of CleanSession. */
async function expectAcceptedBothWays(context: Context, clientId: string): Promise<void> {
  await expectAccepted(context, clientId, true);
  await expectAccepted(context, clientId, false);
}

/** A number below the limit that is the same within a case, and mostly another in other runs. */
function draw(token: string, limit: number): number {
  return [...token].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 1_000_003, 7) % limit;
}

/** An identifier of this length that is the case's own. */
function ofLength(context: Context, length: number): string {
  return context.clientId().padEnd(length, alphabet);
}

/** Allowed by the letter, and not always expected by the programs that are given them. */
const words: readonly (readonly [id: string, word: string])[] = [
  ['zero', '0'],
  ['leading-zeros', '007'],
  ['exponent', '1e5'],
  ['hexadecimal', '0x1F'],
  ['null', 'null'],
  ['undefined', 'undefined'],
  ['true', 'true'],
  ['nan', 'NaN'],
  ['constructor', 'constructor'],
  ['to-string', 'toString'],
  ['has-own-property', 'hasOwnProperty'],
];

const accepted: readonly Case[] = [
  ...(
    [
      ['digits', 'digits', digits],
      ['lower-case', 'lower case letters', lowerCase],
      ['upper-case', 'upper case letters', upperCase],
    ] as const
  ).map(
    ([id, name, characters]): Case => ({
      id: `accepts-${id}`,
      title: `serves Client Identifiers with each of the ${characters.length} ${name}`,
      covers: ['v3/3.1.3-5'],
      async run(context) {
        for (const character of characters) await expectAccepted(context, context.clientId() + character, true);
      },
    }),
  ),
  {
    id: 'accepts-1-character',
    title: 'serves a Client Identifier of 1 character',
    covers: ['v3/3.1.3-5'],
    // There are few of them: which one is drawn keeps runs on the same broker out of each other's way. 0 has its own case.
    run: (context) => expectAcceptedBothWays(context, alphabet.charAt(1 + draw(context.token, 61))),
  },
  {
    id: 'accepts-2-characters',
    title: 'serves a Client Identifier of 2 characters',
    covers: ['v3/3.1.3-5'],
    run: (context) => {
      const drawn = [context.token, `${context.token}2`].map((token) => alphabet.charAt(draw(token, 62)));
      return expectAcceptedBothWays(context, drawn.join(''));
    },
  },
  ...[16, 20, 22, 23].map(
    (length): Case => ({
      id: `accepts-${length}-characters`,
      title: `serves a Client Identifier of ${length} characters`,
      covers: ['v3/3.1.3-5'],
      run: (context) => expectAcceptedBothWays(context, ofLength(context, length)),
    }),
  ),
  {
    id: 'accepts-23-digits',
    title: 'serves a Client Identifier of 23 digits',
    covers: ['v3/3.1.3-5'],
    run: (context) => expectAcceptedBothWays(context, `${draw(context.token, 1_000_003)}`.padStart(23, '9')),
  },
  ...words.map(
    ([id, word]): Case => ({
      id: `accepts-${id}`,
      title: `serves the Client Identifier ${word}`,
      covers: ['v3/3.1.3-5'],
      run: (context) => expectAcceptedBothWays(context, word),
    }),
  ),
];

// ── The empty identifier ─────────────────────────────────────────────────────────────────────────────────────────────

const emptyWithoutCleanSession: readonly (readonly [id: string, words: string, more: Partial<ConnectFields>])[] = [
  ['plain', 'nothing else', {}],
  ['with-keep-alive-0', 'Keep Alive 0', { keepAlive: 0 }],
  ['with-user-name', 'a user name', { userName: anybody.userName }],
  ['with-password', 'user name and password', anybody],
];

const refusedEmpty: Case['covers'] = ['v3/3.1.3-8', 'v3/3.1.3-7', 'v3/3.2.2-4', 'v3/3.2.2-5'];

const empty: readonly Case[] = [
  ...emptyWithoutCleanSession.map(
    ([id, what, more]): Case => ({
      id: `empty-without-clean-session-${id}`,
      title: `answers an empty Client Identifier with CleanSession 0 and ${what} by CONNACK 0x02, and closes`,
      covers: refusedEmpty,
      async run(context) {
        if (more.userName) await requireOpenDoor(context);
        const client = await context.open();
        client.send(context.connectPacket({ clientId: '', clean: false, ...more }));
        await judge(context, client, badIdentifier);
      },
    }),
  ),
  {
    id: 'empty-without-clean-session-with-will',
    title: 'answers an empty Client Identifier with CleanSession 0 and a will by CONNACK 0x02, and publishes no will',
    covers: refusedEmpty,
    async run(context) {
      const watcher = await watch(context, context.topic);
      const client = await context.open('client');
      client.send(context.connectPacket({ clientId: '', clean: false, will: willTo(context.topic) }));
      await judge(context, client, badIdentifier);
      await expectNoWill(context, watcher);
    },
  },
  {
    id: 'empty-without-clean-session-again-and-again',
    title: 'answers an empty Client Identifier with CleanSession 0 by CONNACK 0x02 each of 20 times',
    covers: refusedEmpty,
    async run(context) {
      for (let attempt = 1; attempt <= 20; attempt++) {
        const client = await context.open(`attempt ${attempt}`);
        client.send(context.connectPacket({ clientId: '', clean: false }));
        await judge(context, client, badIdentifier);
      }
    },
  },
  {
    id: 'empty-with-clean-session',
    title: 'serves an empty Client Identifier with CleanSession 1, or answers it by CONNACK 0x02 and closes',
    covers: ['v3/3.1.3-9'],
    run: (context) => tryIdentifier(context, '', 'an empty Client Identifier', strict),
  },
  {
    id: 'empty-are-distinct-clients',
    title: 'takes clients with an empty Client Identifier for different ones, each with a session of its own',
    covers: ['v3/3.1.3-6', 'v5/3.1.3-6'],
    needs: ['empty-client-id'],
    async run(context) {
      const { connect, topic } = context;
      const author = await connect({ name: 'author' });
      const clients: Peer[] = [];
      for (const name of ['a', 'b', 'c']) clients.push(await connect({ clientId: '', name }));
      for (const client of clients) await client.fence();
      for (const [index, client] of clients.entries()) await client.subscribe(`${topic}/${index}`);
      for (const index of clients.keys()) await author.publish({ topic: `${topic}/${index}`, payload: 'for one' });
      for (const index of clients.keys()) await author.publish({ topic: `${topic}/${index}`, payload: 'fence' });
      for (const [index, client] of clients.entries()) {
        await client.receive({ topic: `${topic}/${index}`, payload: 'for one' });
        await client.receive({ topic: `${topic}/${index}`, payload: 'fence' });
        await client.disconnect();
      }
      const later = await connect({ clientId: '', name: 'later' });
      await expectForgotten(context, later, author, [`${topic}/0`, `${topic}/1`]);
    },
  },
  {
    id: 'empty-have-wills-of-their-own',
    title: 'keeps apart the wills of clients with an empty Client Identifier',
    covers: ['v3/3.1.3-6', 'v5/3.1.3-6'],
    needs: ['empty-client-id'],
    async run(context) {
      const { connect, topic } = context;
      const watcher = await connect({ name: 'watcher' });
      await watcher.subscribe(topic);
      const first = await connect({ clientId: '', name: 'first', will: { topic, payload: 'first' } });
      const second = await connect({ clientId: '', name: 'second', will: { topic, payload: 'second' } });
      await first.fence();
      second.drop();
      await watcher.receive({ topic, payload: 'second' });
      await first.fence();
      first.drop();
      await watcher.receive({ topic, payload: 'first' });
    },
  },
];

// ── Identifiers that a server may serve ──────────────────────────────────────────────────────────────────────────────

const strict = but(badIdentifier, { expected: ['CONNACK 0x00'], served: 'right' });

/** A server may close on control characters and non-characters (v3/1.5.3~control-characters). */
const questionable = but(strict, { noConnack: 'right' });

/** A server may find the packet too large to look into. */
const large = but(strict, { noConnack: 'tolerated' });

/** Judges the answer; a client that is served can be served. */
async function tryIdentifier(context: Context, clientId: string, words: string, outcomes: Outcomes): Promise<void> {
  const client = await context.open();
  client.send(context.connectPacket({ clientId }));
  const outcome = await judge(context, client, outcomes);
  context.trait(words, outcome);
  if (outcome === 'served') await client.fence();
}

const others: readonly (readonly [id: string, words: string, make: (own: string) => string, outcomes: Outcomes])[] = [
  ['24-characters', 'a Client Identifier of 24 characters', (own) => own.padEnd(24, alphabet), strict],
  ['100-characters', 'a Client Identifier of 100 characters', (own) => own.padEnd(100, alphabet), strict],
  ['65535-characters', 'a Client Identifier of 65,535 characters', (own) => own.padEnd(65_535, alphabet), large],
  ['space', 'a Client Identifier with a space', (own) => `${own} a`, strict],
  ['only-spaces-around', 'a Client Identifier between spaces', (own) => ` ${own} `, strict],
  ['hyphen', 'a Client Identifier with a hyphen', (own) => `${own}-a`, strict],
  ['underscore', 'a Client Identifier with underscores', (own) => `__${own}__`, strict],
  ['slash', 'a Client Identifier with slashes', (own) => `/${own}/`, strict],
  ['parent-directory', 'a Client Identifier like a path', (own) => `../../${own}`, strict],
  ['plus', 'a Client Identifier with a plus sign', (own) => `${own}+`, strict],
  ['hash', 'a Client Identifier with a hash sign', (own) => `${own}#`, strict],
  ['dollar', 'a Client Identifier with a dollar sign', (own) => `$${own}`, strict],
  ['quotes', 'a Client Identifier with quotes', (own) => `'${own}"; --`, strict],
  ['percent', 'a Client Identifier with percent signs', (own) => `%s%n%00${own}`, strict],
  ['two-byte', 'a Client Identifier with characters of two bytes', (own) => `${own}äß`, strict],
  ['three-byte', 'a Client Identifier with characters of three bytes', (own) => `${own}€漢`, strict],
  ['four-byte', 'a Client Identifier with a character of four bytes', (own) => `${own}𠜎`, strict],
  ['byte-order-mark', 'a Client Identifier that begins with U+FEFF', (own) => `\uFEFF${own}`, strict],
  ['line-feed', 'a Client Identifier with a line feed', (own) => `${own}\na`, questionable],
  ['control-character', 'a Client Identifier with U+0001', (own) => `${own}\u0001`, questionable],
  ['delete', 'a Client Identifier with U+007F', (own) => `${own}\u007F`, questionable],
  ['c1-control', 'a Client Identifier with U+0080', (own) => `${own}\u0080`, questionable],
  ['non-character', 'a Client Identifier with U+FFFF', (own) => `${own}\uFFFF`, questionable],
];

const otherIdentifiers = others.map(
  ([id, what, make, outcomes]): Case => ({
    id: `other-${id}`,
    title: `serves ${what}, or answers it by CONNACK 0x02 and closes`,
    covers: ['v3/3.1.3-9', 'v3/3.1.3.1~other-client-ids'],
    run: (context) => tryIdentifier(context, make(context.clientId()), what, outcomes),
  }),
);

// ── The key of the session ───────────────────────────────────────────────────────────────────────────────────────────

/** Two identifiers that differ, however little, stand for two clients with a session each. */
async function expectDistinct(context: Context, one: string, other: string): Promise<void> {
  const { connect, topic } = context;
  const [first, second] = [
    { clientId: one, clean: false, name: 'first' },
    { clientId: other, clean: false, name: 'second' },
  ];
  const author = await connect({ name: 'author' });
  const a = await connect(first);
  await a.subscribe(topic, 1);
  const b = await connect(second);
  await a.fence();
  await author.publish({ topic, payload: 'for the first', qos: 1 });
  await a.receive({ topic, payload: 'for the first' });
  await b.subscribe(`${topic}/second`);
  await author.publish({ topic: `${topic}/second`, payload: 'for the second' });
  await b.receive({ topic: `${topic}/second`, payload: 'for the second' });
  await a.disconnect();
  await b.fence();
  await b.disconnect();
  const again = await connect(first);
  await author.publish({ topic: `${topic}/second`, payload: 'for the absent' });
  await author.publish({ topic, payload: 'for the first', qos: 1 });
  await again.receive({ topic, payload: 'for the first' });
}

/** Ends the case as not applicable if the broker does not serve this identifier. */
async function requireServed(context: Context, clientId: string): Promise<void> {
  const client = await context.open();
  client.send(context.connectPacket({ clientId }));
  const answer = await client.next();
  if (answer?.type !== 'CONNACK' || answer.code !== 0) context.notApplicable('the broker refuses such identifiers');
  await client.disconnect();
}

const distinct: readonly Case[] = [
  ...(
    [
      ['case', 'case alone', (own) => [`${own}aB`, `${own}Ab`]],
      ['last-character', 'their last character', (own) => [`${own}1`, `${own}2`]],
      ['first-character', 'their first character', (own) => [`a${own}`, `b${own}`]],
      ['length', 'length alone', (own) => [`${own}0`, `${own}00`]],
      ['character-23', 'their 23rd character', (own) => [own.padEnd(22, '0') + 1, own.padEnd(22, '0') + 2]],
    ] as readonly (readonly [id: string, words: string, make: (own: string) => [string, string]])[]
  ).map(
    ([id, what, make]): Case => ({
      id: `distinct-by-${id}`,
      title: `gives clients whose identifiers differ in ${what} sessions of their own`,
      covers: ['v3/3.1.3-2', 'v5/3.1.3-2'],
      needs: ['qos1'],
      run: (context) => expectDistinct(context, ...make(context.clientId())),
    }),
  ),
  {
    id: 'distinct-beyond-23-characters',
    title: 'tells clients apart whose long identifiers have the first 23 characters in common',
    covers: ['v3/3.1.3-2', 'v3/3.1.3.1~other-client-ids', 'v5/3.1.3-2'],
    needs: ['qos1'],
    async run(context) {
      const common = ofLength(context, 30);
      await requireServed(context, `${common}1`);
      await expectDistinct(context, `${common}1`, `${common}2`);
    },
  },
  {
    id: 'distinct-by-byte-order-mark',
    title: 'tells apart clients whose identifiers differ in a leading U+FEFF',
    covers: ['v3/1.5.3-3', 'v5/1.5.4-3'],
    needs: ['qos1'],
    async run(context) {
      const own = context.clientId();
      await requireServed(context, `\uFEFF${own}`);
      await expectDistinct(context, `\uFEFF${own}`, own);
    },
  },
];

export const clientIdentifier = chapter(
  '3.1.3.1 Client Identifier',
  section('3.1.3.1 Client Identifier', [...accepted, ...empty, ...otherIdentifiers, ...distinct]),
);
