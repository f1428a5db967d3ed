/** 3.2.2.3 CONNACK Properties (MQTT 5.0): what the server announces of itself holds, and what it does not announce is served. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { pingreq, subscribe } from '../harness/wire/build.ts';
import type { Properties } from '../harness/wire/packet.ts';
import { limitsAnnounced } from './3.2.2.3.3-limits.ts';
import { told } from './announced.ts';
import { answerOrClose } from './answer.ts';
import type { ConnectOptions, Peer } from './session.ts';

// ── 3.2.2.3: the properties themselves ───────────────────────────────────────────────────────────────────────────────

const connects: readonly (readonly [id: string, words: string, options: ConnectOptions])[] = [
  ['plain', 'a client that says nothing of itself', {}],
  ['stored', 'a client whose session is kept', { clean: false }],
  [
    'response-information',
    'a client that asks for Response Information',
    { properties: { requestResponseInformation: 1 } },
  ],
  ['no-problem-information', 'a client that wants no Reason Strings', { properties: { requestProblemInformation: 0 } }],
  [
    'all',
    'a client that gives all its limits',
    { properties: { receiveMaximum: 1, maximumPacketSize: 1_000, topicAliasMaximum: 3, sessionExpiryInterval: 5 } },
  ],
];

const form: readonly Case[] = connects.map(([id, words, options]) => ({
  id: `properties-for-${id}`,
  title: `sends ${words} a CONNACK with the properties that it may have, each once and with a value that it may have`,
  covers: ['v5/3.2.2.3~connack-properties', 'v5/3.2.2.3.7~assigned-client-identifier', 'v5/4.12.0-6'],
  // The decoder judges the CONNACK as it arrives, and so does the watch.
  async run({ open, connectPacket }) {
    const client = await open();
    client.send(connectPacket(options));
    await client.expect('CONNACK', { code: 0, sessionPresent: false });
    await client.fence();
  },
}));

// ── 3.2.2.3.2: Session Expiry Interval ───────────────────────────────────────────────────────────────────────────────

const sessionExpiry: readonly Case[] = [
  {
    id: 'expiry-as-asked',
    title: 'keeps a session for as long as it was asked to, unless CONNACK says otherwise',
    covers: ['v5/3.2.2.3.2~session-expiry-announced'],
    waits: 5,
    async run({ connect, clientId, seconds, elapse, now, inTime, trait, fail }) {
      const session = { clientId: clientId(), clean: false };
      const client = await connect({ ...session, properties: { sessionExpiryInterval: 7 } });
      const { sessionExpiryInterval: applied = 7 } = told(client);
      trait('Session Expiry Interval of 7 s', applied === 7 ? 'as asked' : `lowered to ${applied} s`);
      const leftMs = now();
      await client.disconnect();
      // Seconds are coarse: looked at two seconds before the interval that applies ends.
      await elapse(seconds(Math.max(0, Math.min(applied, 7) - 2)));
      const again = await connect({ ...session, name: 'again' });
      if (applied > 2) inTime(leftMs, seconds(applied - 1));
      if (applied > 2 && !again.connack?.sessionPresent) {
        fail(`Session Present 1 within the Session Expiry Interval of ${applied} s`, 'Session Present 0');
      }
    },
  },
];

// ── 3.2.2.3.7: Assigned Client Identifier ────────────────────────────────────────────────────────────────────────────

/** Connects without a Client Identifier and returns the one that the server has made up. */
async function assigned(context: Context, options: ConnectOptions = {}): Promise<readonly [Peer, string]> {
  const { open, connectPacket, fail, notApplicable } = context;
  const client = await open(options.name);
  client.send(connectPacket({ ...options, clientId: '' }));
  const answer = await client.next();
  if (answer?.type !== 'CONNACK' || answer.code !== 0)
    return notApplicable('the broker serves no empty Client Identifier');
  const identifier = answer.properties?.assignedClientIdentifier ?? '';
  if (identifier === '') return fail('CONNACK with an Assigned Client Identifier', 'CONNACK without', 'v5/3.2.2-16');
  if (answer.sessionPresent) fail('Session Present 0 for a new Client Identifier', 'Session Present 1', 'v5/3.2.2-3');
  return [client, identifier];
}

const assignedIdentifier: readonly Case[] = [
  {
    id: 'assigned-identifiers-distinct',
    title: 'gives clients without a Client Identifier ones that no other has, connected or stored, and serves them all',
    covers: ['v5/3.2.2-16'],
    needs: ['empty-client-id'],
    async run(context) {
      const { fail } = context;
      const all = new Set<string>();
      const clients: Peer[] = [];
      for (let count = 1; count <= 6; count++) {
        const kept = count % 2 === 0;
        const options = { name: `client ${count}`, clean: !kept, properties: { sessionExpiryInterval: kept ? 5 : 0 } };
        const [client, identifier] = await assigned(context, options);
        if (all.has(identifier)) fail('a Client Identifier that is not in use', `'${identifier}' again`, 'v5/3.2.2-16');
        all.add(identifier);
        // Some leave, with their sessions kept.
        if (count % 4 === 0) await client.disconnect();
        else clients.push(client);
      }
      for (const client of clients) await client.fence();
    },
  },
  {
    id: 'assigned-identifier-resumes',
    title: 'resumes a session by the Client Identifier that it assigned',
    covers: ['v5/3.2.2-16'],
    needs: ['empty-client-id', 'qos1'],
    async run(context) {
      const { connect, topic, couldNotRun } = context;
      const kept = { clean: false, properties: { sessionExpiryInterval: 600 } };
      const [client, clientId] = await assigned(context, kept);
      await client.subscribe(topic, 1);
      await client.disconnect();
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish({ topic, payload: 'meanwhile', qos: 1 });
      const again = await connect({ ...kept, clientId, name: 'again' });
      if (!again.connack?.sessionPresent) couldNotRun('the session is not kept');
      await again.receive({ payload: 'meanwhile' });
    },
  },
  {
    id: 'own-identifier-stays',
    title: 'assigns no Client Identifier to a client that has one, whether its session is new or not',
    covers: ['v5/3.2.2.3.7~assigned-client-identifier'],
    async run({ connect, clientId }) {
      // The watch of every CONNACK judges.
      for (const name of ['new', 'resumed']) await connect({ name, clientId: clientId(), clean: false });
    },
  },
];

// ── 3.2.2.3.11 to 3.2.2.3.13: what may be unavailable ────────────────────────────────────────────────────────────────

/** What a server need not serve if it says so. */
interface Ability {
  readonly id: string;
  readonly words: string;
  readonly property:
    | 'wildcardSubscriptionAvailable'
    | 'subscriptionIdentifierAvailable'
    | 'sharedSubscriptionAvailable';
  readonly code: number;
  readonly rule: RequirementId;
  readonly filter: (topic: string) => string;
  readonly properties?: Properties;
}

const abilities: readonly Ability[] = [
  {
    id: 'wildcard-plus',
    words: 'a Topic Filter with +',
    property: 'wildcardSubscriptionAvailable',
    code: 0xa2,
    rule: 'v5/3.2.2.3.11~wildcard-unavailable',
    filter: (topic) => `${topic}/+`,
  },
  {
    id: 'wildcard-hash',
    words: 'a Topic Filter with #',
    property: 'wildcardSubscriptionAvailable',
    code: 0xa2,
    rule: 'v5/3.2.2.3.11~wildcard-unavailable',
    filter: (topic) => `${topic}/#`,
  },
  {
    id: 'subscription-identifier',
    words: 'a Subscription Identifier',
    property: 'subscriptionIdentifierAvailable',
    code: 0xa1,
    rule: 'v5/3.2.2.3.12~subscription-identifier-unavailable',
    filter: (topic) => `${topic}/a`,
    properties: { subscriptionIdentifiers: [1] },
  },
  {
    id: 'shared-subscription',
    words: 'a Shared Subscription',
    property: 'sharedSubscriptionAvailable',
    code: 0x9e,
    rule: 'v5/3.2.2.3.13~shared-unavailable',
    filter: (topic) => `$share/group/${topic}/a`,
  },
];

function asAnnounced(ability: Ability): Case {
  const { id, words, property, rule } = ability;
  return {
    id: `${id}-as-announced`,
    title: `grants ${words} and delivers by it; or refuses it, if CONNACK rules it out, by a Reason Code or by closing`,
    covers: ['v5/3.2.2.3~announced-abilities', rule],
    async run(context) {
      const client = await context.connect({ name: 'client' });
      client.sendRegardless(
        subscribe({ packetId: 1, properties: ability.properties }, [ability.filter(context.topic), 0]),
      );
      if (told(client)[property] === 0) await expectUnavailable(context, client, ability);
      else await expectServed(context, client, ability);
    },
  };
}

async function expectServed({ connect, topic, notApplicable, fail }: Context, client: Peer, { words }: Ability) {
  const { codes } = await client.expect('SUBACK', { packetId: 1 });
  const [granted = 0x80] = codes;
  // A single request may still be refused for reasons of its own, but not because such requests are not served.
  const hasOwnReason = [0x80, 0x83, 0x87, 0x97].includes(granted);
  if (hasOwnReason) notApplicable(`the broker refuses this subscription (${code(granted)})`);
  if (granted >= 0x80) fail(`SUBACK that grants ${words}, as CONNACK does not rule it out`, `SUBACK ${code(granted)}`);
  const publisher = await connect({ name: 'publisher' });
  await publisher.publish({ topic: `${topic}/a`, payload: 'served' });
  await client.receive({ topic: `${topic}/a`, payload: 'served' });
}

async function expectUnavailable(context: Context, client: Peer, { code: reason, rule }: Ability): Promise<void> {
  const { connect, topic, nonStrict, fail } = context;
  const expected = [`DISCONNECT ${code(reason)}`, 'the connection closes', `SUBACK ${code(reason)}`];
  const answer = await answerOrClose(context, client, expected, rule);
  const given = answer?.type === 'SUBACK' ? (answer.codes[0] ?? 0) : client.disconnected?.code;
  const words = `${answer ? answer.type : 'DISCONNECT'} ${code(given ?? 0)}`;
  if (answer && (answer.type !== 'SUBACK' || (given ?? 0) < 0x80)) fail(expected, words, rule);
  if (given !== undefined && given !== reason) nonStrict(`${words}; preferred: ${expected.join(' or ')}`);
  if (!answer) return;
  const publisher = await connect({ name: 'publisher' });
  await publisher.publish({ topic: `${topic}/a`, payload: 'not subscribed' });
  await publisher.fence();
  await client.expectNothing('no message for a subscription that was refused', rule);
}

// ── 3.2.2.3.14: Server Keep Alive ────────────────────────────────────────────────────────────────────────────────────

/** A client with this Keep Alive of a server that has one of its own, in seconds, that is short enough to wait for. */
async function serverKeepAlive(context: Context, keepAlive: number, longest: number): Promise<readonly [Peer, number]> {
  const client = await context.connect({ name: `Keep Alive ${keepAlive}`, keepAlive });
  const { serverKeepAlive: own } = told(client);
  if (own === undefined) return context.notApplicable('CONNACK has no Server Keep Alive');
  if (own === 0 || own > longest) return context.notApplicable(`Server Keep Alive is ${own} s`);
  return [client, own];
}

const keepAlive: readonly Case[] = [
  ...[0, 600, 1].map(
    (asked): Case => ({
      id: `server-keep-alive-instead-of-${asked}`,
      title: `goes by its Server Keep Alive for a client whose own Keep Alive is ${asked}: silence ends the connection, and not before`,
      covers: ['v5/3.2.2.3.14~server-keep-alive'],
      waits: 15,
      async run(context) {
        const { seconds, toleranceMs, elapse, now, inTime, fail } = context;
        const startMs = now();
        const [client, own] = await serverKeepAlive(context, asked, 10);
        // A client that uses the value that it was told is served.
        await elapse(seconds(own));
        const closed = await client.isClosed(0);
        inTime(startMs, seconds(1.5 * own));
        if (closed) fail(`the connection stays open for ${1.5 * own} s`, `it closes within ${own} s`);
        await client.fence();
        await client.expectClose({
          probe: false,
          withinMs: seconds(1.5 * own) + toleranceMs,
          reasons: [0x8d],
          expected: `the connection closes after ${1.5 * own} s of silence`,
        });
      },
    }),
  ),
  {
    id: 'own-keep-alive-without-server-keep-alive',
    title: "goes by the client's Keep Alive if CONNACK has no Server Keep Alive: not before, and not much later",
    covers: ['v5/3.2.2-22'],
    waits: 3,
    async run({ connect, seconds, toleranceMs, elapse, now, inTime, notApplicable }) {
      const startMs = now();
      const [client, patient, off] = [
        await connect({ name: 'Keep Alive 2', keepAlive: 2 }),
        await connect({ name: 'Keep Alive 10', keepAlive: 10 }),
        await connect({ name: 'Keep Alive 0', keepAlive: 0 }),
      ];
      if (told(client).serverKeepAlive !== undefined) notApplicable('CONNACK has a Server Keep Alive');
      await elapse(seconds(1.9));
      // Its silence is broken within the Keep Alive, so that the connection goes on.
      await client.fence().catch((error: unknown) => {
        if (client.ended) inTime(startMs, seconds(3));
        throw error;
      });
      await client.expectClose({ probe: false, withinMs: seconds(3) + toleranceMs, reasons: [0x8d] });
      inTime(startMs, seconds(14));
      await patient.fence();
      await off.fence();
    },
  },
];

// ── 3.2.2.3.15: Response Information ─────────────────────────────────────────────────────────────────────────────────

const responseInformation: readonly Case[] = [
  {
    id: 'response-information-asked-for',
    title: 'sends Response Information, or none, to a client that asks for it; and a Response Topic can begin with it',
    covers: ['v5/3.2.2.3.15~response-information'],
    async run({ connect, trait, fail }) {
      const client = await connect({ properties: { requestResponseInformation: 1 } });
      const { responseInformation: given } = told(client);
      trait('Response Information', given === undefined ? 'none' : 'sent');
      if (given !== undefined && /[+#]/.test(given))
        fail('a string without wildcards', `Response Information '${given}'`);
    },
  },
  {
    id: 'response-information-not-asked-for',
    title: 'sends no Response Information to a client that does not ask for it',
    covers: ['v5/3.1.2-28'],
    async run({ connect }) {
      // The watch of every CONNACK judges.
      await connect();
      await connect({ properties: { requestResponseInformation: 0 } });
    },
  },
];

// ── 4.11: Server Reference ───────────────────────────────────────────────────────────────────────────────────────────

const serverReference: readonly Case[] = [
  {
    id: 'server-reference-only-elsewhere',
    title: 'sends a Server Reference to no client that it serves',
    covers: ['v5/4.11~server-reference'],
    async run({ connect, fail, trait }) {
      const client = await connect();
      const { serverReference: given } = told(client);
      trait('Server Reference', given === undefined ? 'none' : 'sent');
      if (given !== undefined) fail('no Server Reference in a CONNACK 0x00', `Server Reference '${given}'`);
      client.sendTogether(pingreq());
      await client.expect('PINGRESP');
    },
  },
];

export const connackProperties = chapter(
  '3.2.2.3 CONNACK Properties',
  section('3.2.2.3 CONNACK Properties', form),
  section('3.2.2.3.2 Session Expiry Interval', sessionExpiry),
  ...limitsAnnounced,
  section('3.2.2.3.7 Assigned Client Identifier', assignedIdentifier),
  section('3.2.2.3.11 Wildcard Subscription Available', abilities.slice(0, 2).map(asAnnounced)),
  section('3.2.2.3.12 Subscription Identifiers Available', abilities.slice(2, 3).map(asAnnounced)),
  section('3.2.2.3.13 Shared Subscription Available', abilities.slice(3).map(asAnnounced)),
  section('3.2.2.3.14 Server Keep Alive', keepAlive),
  section('3.2.2.3.15 Response Information', responseInformation),
  section('4.11 Server redirection', serverReference),
);
