/** 3.1.3.2 Will Properties: how long a will waits, what ends the wait, and what is published with it (MQTT 5.0). */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import { disconnect } from '../harness/wire/build.ts';
import type { Properties } from '../harness/wire/packet.ts';
import { judge, refused } from './refusal.ts';
import { byReset, type ConnectOptions, type Ending, endings, type Peer } from './session.ts';
import { expectNoWill, watch, willTo } from './will.ts';

// ── 3.1.3.2.2: Will Delay Interval ───────────────────────────────────────────────────────────────────────────────────

interface Delayed {
  /** Will Delay Interval and Session Expiry Interval in seconds; undefined: no such property. */
  readonly delay?: number | undefined;
  readonly expiry?: number | undefined;
}

/** Connects a client with a will that waits. What the server applies in place of its session's expiry has to be long enough for the case. */
async function connectDelayed(
  context: Context,
  { delay, expiry }: Delayed,
  fields: ConnectOptions = {},
  payload = 'will',
): Promise<Peer> {
  const { connect, topic, clientId, notApplicable } = context;
  const client = await connect({
    clientId: clientId('client'),
    clean: false,
    ...fields,
    will: willTo(topic, { payload, ...(delay !== undefined && { properties: { willDelayInterval: delay } }) }),
    properties: expiry === undefined ? {} : { sessionExpiryInterval: expiry },
  });
  const asked = expiry ?? 0;
  const applied = client.connack?.properties?.sessionExpiryInterval ?? asked;
  if (applied !== asked && Math.min(applied, asked) < 60) {
    notApplicable(`the broker keeps the session for ${applied} s where ${asked} s were asked for`);
  }
  return client;
}

/**
 * Waits for the will, which is due so many seconds after the end of the connection: not earlier than a second before, for
 * whole seconds are all that the standard knows, and not later than the tolerance of the target. Throws Violation.
 */
async function expectWillAfter(context: Context, watcher: Peer, due: number, endedMs: number): Promise<void> {
  const { now, seconds, toleranceMs, topic, fail } = context;
  const message = await watcher.next(Math.max(1, Math.max(endedMs, now()) + seconds(due) + toleranceMs - now()));
  const tookMs = now() - endedMs;
  const expected = `the will ${due} s after the end of the connection (${toleranceMs / 1000} s more are tolerated)`;
  if (message?.type !== 'PUBLISH' || message.topic !== topic) {
    return fail(expected, message ? message.type : `no will within ${(tookMs / 1000).toFixed(1)} s`);
  }
  if (tookMs < seconds(due - 1)) fail(expected, `the will after ${(tookMs / 1000).toFixed(1)} s`);
  await watcher.acknowledge(message);
}

interface Wait extends Delayed {
  readonly id: string;
  /** When the will is due, in seconds. */
  readonly due: number;
  readonly covers: Case['covers'];
}

const delayElapsed = ['v5/3.1.2-8'] as const;
const sessionEnds = ['v5/3.1.2-8', 'v5/3.1.3.2.2~will-at-session-end'] as const;

const waits: readonly Wait[] = [
  { id: 'no-delay', expiry: 600, due: 0, covers: delayElapsed },
  { id: 'delay-0', delay: 0, expiry: 600, due: 0, covers: delayElapsed },
  { id: 'delay-1', delay: 1, expiry: 600, due: 1, covers: sessionEnds },
  { id: 'delay-3', delay: 3, expiry: 600, due: 3, covers: sessionEnds },
  { id: 'delay-3-for-ever', delay: 3, expiry: 0xffff_ffff, due: 3, covers: sessionEnds },
  { id: 'delay-600-session-3', delay: 600, expiry: 3, due: 3, covers: sessionEnds },
  { id: 'delay-greatest-session-2', delay: 0xffff_ffff, expiry: 2, due: 2, covers: sessionEnds },
  { id: 'delay-2-session-2', delay: 2, expiry: 2, due: 2, covers: sessionEnds },
  { id: 'delay-600-session-0', delay: 600, expiry: 0, due: 0, covers: delayElapsed },
  { id: 'delay-600-session-absent', delay: 600, due: 0, covers: delayElapsed },
];

function inWords({ delay, expiry }: Delayed): string {
  const session = expiry === undefined ? 'none' : `${expiry} s`;
  return `Will Delay Interval ${delay === undefined ? 'none' : `${delay} s`}, Session Expiry Interval ${session}`;
}

const published: readonly Case[] = [
  ...waits.map((wait): Case => {
    const { id, due, covers } = wait;
    return {
      id: `published-${id}`,
      title: `publishes a will ${due === 0 ? 'at once' : `after ${due} s`} (${inWords(wait)})`,
      covers,
      ...(due > 0 && { waits: due }),
      async run(context) {
        const { topic, now } = context;
        const watcher = await watch(context, topic);
        const client = await connectDelayed(context, wait);
        const endedMs = now();
        client.drop();
        await expectWillAfter(context, watcher, due, endedMs);
      },
    };
  }),
  ...endings
    .filter(({ id }) => !['disconnect', 'rst', 'take-over'].includes(id))
    .map(
      (ending): Case => ({
        id: `published-late-after-${ending.id}`,
        title: `publishes a will with Will Delay Interval 2 s after a connection ended by ${ending.title}`,
        covers: ['v5/3.1.2-8'],
        waits: 2 + (ending.waits ?? 0),
        async run(context) {
          const { topic, now, seconds } = context;
          const watcher = await watch(context, topic);
          const connectMs = now();
          const client = await connectDelayed(context, { delay: 2, expiry: 600 }, { keepAlive: ending.keepAlive });
          const lastMs = ending.keepAlive === undefined ? now() : connectMs;
          await ending.end(client, context);
          // A silent client is gone when one and a half times its Keep Alive is over, however late that is found out.
          await expectWillAfter(context, watcher, 2, lastMs + seconds(1.5 * (ending.keepAlive ?? 0)));
        },
      }),
    ),
  {
    id: 'published-once-while-session-lasts',
    title: 'publishes a will when its delay is over and not again: the session lasts and has no will any more',
    covers: ['v5/3.1.2-10', 'v5/3.1.2-8'],
    waits: 3,
    async run(context) {
      const { connect, topic, clientId, now, elapse, seconds } = context;
      const watcher = await watch(context, topic);
      const client = await connectDelayed(context, { delay: 1, expiry: 600 });
      const endedMs = now();
      client.drop();
      await expectWillAfter(context, watcher, 1, endedMs);
      const again = await connect({ clientId: clientId('client'), clean: false, name: 'again' });
      again.drop();
      // If it is still there it has a delay again.
      await elapse(seconds(2));
      await expectNoWill(context, watcher);
    },
  },
  {
    id: 'delay-beyond-timers',
    title: 'does not publish a will with Will Delay Interval 0xFFFFFFFF at once',
    covers: ['v5/3.1.2-8'],
    waits: 2,
    async run(context) {
      const watcher = await watch(context, context.topic);
      const client = await connectDelayed(context, { delay: 0xffff_ffff, expiry: 0xffff_ffff });
      client.drop();
      await context.elapse(context.seconds(2));
      await expectNoWill(context, watcher);
    },
  },
  {
    id: 'ended-by-clean-start',
    title: 'publishes a will that waits when a connection with Clean Start 1 ends its session',
    covers: ['v5/3.1.3.2.2~will-at-session-end'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const watcher = await watch(context, topic);
      const client = await connectDelayed(context, { delay: 600, expiry: 600 });
      await byReset.end(client, context);
      await connect({ clientId: clientId('client'), clean: true, name: 'again' });
      await watcher.receive({ topic, payload: 'will' });
      await expectNoWill(context, watcher);
    },
  },
];

// ── 3.1.3.2.2: the client comes back in time ─────────────────────────────────────────────────────────────────────────

/** The Will Delay Interval of a client that comes back in time, in seconds. */
const delay = 3;

/** Ends the case unless the client was back a second before its will was due: whole seconds are all that the standard knows. */
function expectBack({ inTime, seconds }: Context, endedMs: number): void {
  inTime(endedMs, seconds(delay - 1));
}

/** Comes back before the will is published; the case then waits until it would be. */
function comesBack(id: string, title: string, ending: Ending, back: ConnectOptions): Case {
  return {
    id: `withheld-${id}`,
    title: `does not publish a will that waits when the client comes back in time ${title}`,
    covers: ['v5/3.1.3-9'],
    waits: delay + 1,
    async run(context) {
      const { connect, topic, clientId, now, elapse, seconds } = context;
      const watcher = await watch(context, topic);
      const client = await connectDelayed(context, { delay, expiry: 600 });
      const endedMs = now();
      await ending.end(client, context);
      await connect({ clientId: clientId('client'), clean: false, name: 'again', keepAlive: 60, ...back });
      expectBack(context, endedMs);
      await elapse(seconds(delay + 1));
      await expectNoWill(context, watcher);
    },
  };
}

const protocolError = endings.find(({ id }) => id === 'protocol-error') ?? byReset;

const withheld: readonly Case[] = [
  comesBack('after-rst', 'after a reset', byReset, {}),
  comesBack('after-protocol-error', 'after a protocol error', protocolError, {}),
  comesBack('with-expiry-absent', 'with a session that is to end with the connection', byReset, { properties: {} }),
  {
    id: 'withheld-for-newer-will',
    title: 'publishes the will that the client comes back with, and not the one that waited',
    covers: ['v5/3.1.3-9'],
    waits: delay + 1,
    async run(context) {
      const { topic, now, elapse, seconds } = context;
      const watcher = await watch(context, topic);
      const client = await connectDelayed(context, { delay, expiry: 600 });
      const endedMs = now();
      client.drop();
      const again = await connectDelayed(context, { expiry: 600 }, { name: 'again' }, 'newer');
      expectBack(context, endedMs);
      await elapse(seconds(delay + 1));
      await expectNoWill(context, watcher);
      again.drop();
      await watcher.receive({ topic, payload: 'newer' });
      await expectNoWill(context, watcher);
    },
  },
  {
    id: 'deleted-with-delay',
    title: 'publishes no will with a delay after DISCONNECT 0x00, neither then nor when the session ends',
    covers: ['v5/3.14.4-3'],
    waits: 3,
    async run(context) {
      const { topic, elapse, seconds } = context;
      const watcher = await watch(context, topic);
      const client = await connectDelayed(context, { delay: 1, expiry: 2 });
      await client.disconnect();
      await elapse(seconds(3));
      await expectNoWill(context, watcher);
    },
  },
];

// ── 3.1.3.2.2: take-over ─────────────────────────────────────────────────────────────────────────────────────────────

const takeOvers = [0, 2].flatMap((delay) =>
  [0, 600].flatMap((expiry) => [false, true].map((clean) => ({ delay, expiry, clean }))),
);

const takenOver = takeOvers.map(({ delay, expiry, clean }): Case => {
  const lasts = !clean && delay > 0 && expiry > 0;
  return {
    id: `take-over-delay-${delay}-session-${expiry}-clean-start-${Number(clean)}`,
    title: `publishes ${lasts ? 'no' : 'the'} will of a connection (${inWords({ delay, expiry })}) that one with Clean Start ${Number(clean)} takes over`,
    covers: lasts
      ? ['v5/3.1.3.2.2~will-on-take-over', 'v5/3.1.3-9']
      : delay > 0 && expiry > 0
        ? ['v5/3.1.3.2.2~will-at-session-end']
        : ['v5/3.1.3.2.2~will-on-take-over'],
    ...(lasts && { waits: 3 }),
    async run(context) {
      const { connect, topic, clientId, elapse, seconds } = context;
      const watcher = await watch(context, topic);
      await connectDelayed(context, { delay, expiry });
      const properties = { sessionExpiryInterval: 600 };
      const newer = await connect({ clientId: clientId('client'), clean, name: 'newer', properties });
      await newer.fence();
      // Clean Start 1 ends the session, and so does the end of a connection with Session Expiry Interval 0.
      if (lasts) await elapse(seconds(3));
      else await watcher.receive({ topic, payload: 'will' });
      await expectNoWill(context, watcher);
    },
  };
});

// ── 3.14: DISCONNECT with Will Message ───────────────────────────────────────────────────────────────────────────────

/** Every Reason Code of a client's DISCONNECT but 0x00. */
const reasons = [0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];

/** With other properties and a delay. */
const partings: readonly (readonly [id: string, wait: Delayed, properties: Properties | undefined, due: number])[] = [
  ['at-once', { expiry: 0 }, undefined, 0],
  ['with-properties', { expiry: 0 }, { reasonString: 'why not', userProperties: [['name', 'value']] }, 0],
  ['delay-2', { delay: 2, expiry: 600 }, undefined, 2],
  ['delay-600-session-0', { delay: 600, expiry: 600 }, { sessionExpiryInterval: 0 }, 0],
  ['delay-600-session-2', { delay: 600, expiry: 600 }, { sessionExpiryInterval: 2 }, 2],
];

const disconnectWithWill: readonly Case[] = [
  ...reasons.map(
    (reason): Case => ({
      id: `will-published-${code(reason).toLowerCase()}`,
      title: `publishes the will of a client that sends DISCONNECT ${code(reason)}`,
      covers: reason === 0x04 ? ['v5/3.14~disconnect-with-will', 'v5/3.1.2-8'] : ['v5/3.1.2-8'],
      async run(context) {
        const { connect, topic } = context;
        const watcher = await watch(context, topic);
        const client = await connect({ will: willTo(topic) });
        client.send(disconnect({ code: reason }));
        await watcher.receive({ topic, payload: 'will' });
        await expectNoWill(context, watcher);
      },
    }),
  ),
  ...partings.map(
    ([id, wait, properties, due]): Case => ({
      id: `will-published-with-${id}`,
      title: `publishes a will ${due === 0 ? 'at once' : `after ${due} s`} (${inWords(wait)}) on DISCONNECT 0x04${properties ? ' with properties' : ''}`,
      covers: ['v5/3.14~disconnect-with-will'],
      ...(due > 0 && { waits: due }),
      async run(context) {
        const { topic, now } = context;
        const watcher = await watch(context, topic);
        const client = await connectDelayed(context, wait);
        const endedMs = now();
        client.send(disconnect({ code: 0x04, properties }));
        await expectWillAfter(context, watcher, due, endedMs);
      },
    }),
  ),
];

// ── 3.1.3.2: what is published with a will ───────────────────────────────────────────────────────────────────────────

const inOrder: NonNullable<Properties['userProperties']> = [
  ['a', '1'],
  ['b', '2'],
  ['a', '3'],
  ['a', '1'],
  ['', ''],
];

const everything: Properties = {
  payloadFormatIndicator: 1,
  contentType: 'text/plain',
  responseTopic: 'response/topic',
  correlationData: Uint8Array.of(0, 1, 0xfe, 0xff),
  userProperties: inOrder,
};

const names = [
  'payloadFormatIndicator',
  'contentType',
  'responseTopic',
  'correlationData',
  'userProperties',
  'messageExpiryInterval',
  'willDelayInterval',
] as const satisfies readonly (keyof Properties)[];

/** Judges that what was published has these properties and no others of a will. Throws Violation. */
function expectOnly(context: Context, found: Properties | undefined, given: Properties): void {
  const surplus = names.filter((name) => given[name] === undefined && found?.[name] !== undefined);
  if (surplus.length > 0) context.fail('no property that the will does not have', `PUBLISH has ${surplus.join(', ')}`);
}

const forwarded: readonly (readonly [id: string, words: string, properties: Properties, covers: Case['covers']])[] = [
  ['none', 'no property', {}, ['v5/3.1.2-7']],
  ['payload-format-1', 'Payload Format Indicator 1', { payloadFormatIndicator: 1 }, ['v5/3.1.3.2~will-properties']],
  ['content-type', 'a Content Type', { contentType: 'größe/€' }, ['v5/3.1.3.2~will-properties']],
  ['response-topic', 'a Response Topic', { responseTopic: 'response/topic' }, ['v5/3.1.3.2~will-properties']],
  [
    'correlation-data',
    'Correlation Data',
    { correlationData: Uint8Array.of(0, 0x80, 0xff, 0) },
    ['v5/3.1.3.2~will-properties'],
  ],
  [
    'user-properties',
    'User Properties, in their order',
    { userProperties: inOrder },
    ['v5/3.1.3.2~will-properties', 'v5/3.1.3-10'],
  ],
  ['everything', 'every property', everything, ['v5/3.1.3.2~will-properties', 'v5/3.1.3-10']],
];

const properties: readonly Case[] = [
  ...forwarded.map(
    ([id, words, given, covers]): Case => ({
      id: `published-with-${id}`,
      title: `publishes a will with ${words}, and with nothing more`,
      covers,
      async run(context) {
        const { connect, topic } = context;
        const watcher = await watch(context, topic);
        const client = await connect({ will: willTo(topic, { properties: given }) });
        client.drop();
        const message = await watcher.receive({ topic, payload: 'will', properties: given });
        expectOnly(context, message.properties, given);
      },
    }),
  ),
  {
    id: 'published-with-payload-format-0',
    title: 'publishes a will with Payload Format Indicator 0 with that, or at least without 1',
    covers: ['v5/3.1.3.2~will-properties'],
    async run(context) {
      const { connect, topic, fail, nonStrict } = context;
      const watcher = await watch(context, topic);
      const client = await connect({ will: willTo(topic, { properties: { payloadFormatIndicator: 0 } }) });
      client.drop();
      const { payloadFormatIndicator: found } = (await watcher.receive({ topic, payload: 'will' })).properties ?? {};
      if (found === undefined) nonStrict('leaves out Payload Format Indicator 0, which means the same');
      else if (found !== 0) fail('Payload Format Indicator 0, or none', `Payload Format Indicator ${found}`);
    },
  },
  {
    id: 'delay-is-not-forwarded',
    title: 'publishes a will without its Will Delay Interval',
    covers: ['v5/3.1.3.2~will-properties'],
    async run(context) {
      const { connect, topic } = context;
      const watcher = await watch(context, topic);
      const given = { contentType: 'text/plain' };
      const client = await connect({ will: willTo(topic, { properties: { ...given, willDelayInterval: 0 } }) });
      client.drop();
      const message = await watcher.receive({ topic, payload: 'will', properties: given });
      expectOnly(context, message.properties, given);
    },
  },
  {
    id: 'retained-with-everything',
    title: 'retains a will with all its properties, User Properties in their order',
    covers: ['v5/3.1.3.2~will-properties', 'v5/3.1.3-10'],
    needs: ['retain', 'qos1'],
    async run(context) {
      const { connect, topic } = context;
      const watcher = await watch(context, topic);
      const client = await connect({ will: willTo(topic, { retain: true, properties: everything }) });
      client.drop();
      await watcher.receive({ topic, payload: 'will' });
      // Storing may lag behind the delivery to others.
      for (let tries = 20; ; tries--) {
        const late = await connect({ name: `late subscriber ${tries}` });
        await late.subscribe(topic, 1);
        await late.fence();
        if (late.waiting.length > 0 || tries === 0) {
          await late.receive({ topic, payload: 'will', retain: true, properties: everything });
          return;
        }
        await late.isClosed(50);
      }
    },
  },
  {
    id: 'retain-as-published',
    title: 'sends a retained will with RETAIN 1 to a subscription with Retain As Published, with 0 to another',
    covers: ['v5/3.1.2-15', 'v5/3.3.1-13'],
    needs: ['retain'],
    async run({ connect, topic }) {
      const plain = await connect({ name: 'plain' });
      await plain.subscribe(topic);
      const asPublished = await connect({ name: 'as published' });
      await asPublished.subscribe(topic, 0, { retainAsPublished: true });
      const client = await connect({ will: willTo(topic, { retain: true, qos: 0 }) });
      client.drop();
      await asPublished.receive({ topic, payload: 'will', retain: true });
      await plain.receive({ topic, payload: 'will', retain: false });
    },
  },
  {
    id: 'not-retained-as-published',
    title: 'sends a will with Will Retain 0 with RETAIN 0 to a subscription with Retain As Published',
    covers: ['v5/3.1.2-14'],
    async run({ connect, topic }) {
      const subscriber = await connect({ name: 'subscriber' });
      await subscriber.subscribe(topic, 0, { retainAsPublished: true });
      const client = await connect({ will: willTo(topic, { qos: 0 }) });
      client.drop();
      await subscriber.receive({ topic, payload: 'will', retain: false });
    },
  },
];

/** Message Expiry Intervals of a will: how long the client is connected before, and what the will's delay is, in seconds. */
const expiries: readonly (readonly [id: string, title: string, expiry: number, connected: number, delay: number])[] = [
  ['whole', 'publishes a will with its Message Expiry Interval', 1_000, 0, 0],
  ['not-while-connected', 'does not count the time that the client was connected', 1_000, 3, 0],
  ['not-while-delayed', 'publishes a will whose delay is longer than its Message Expiry Interval', 1, 0, 3],
];

const expiring = expiries.map(
  ([id, title, messageExpiryInterval, connected, delay]): Case => ({
    id: `message-expiry-${id}`,
    title: `${title}: the interval begins when the will is published`,
    covers: ['v5/3.1.3.2~will-properties'],
    ...(connected + delay > 0 && { waits: connected + delay }),
    async run(context) {
      const { connect, topic, elapse, seconds, now, toleranceMs, fail } = context;
      const watcher = await watch(context, topic);
      const given = { messageExpiryInterval, willDelayInterval: delay };
      const will = willTo(topic, { properties: given });
      const client = await connect({ clean: false, keepAlive: 0, will });
      if (connected > 0) await elapse(seconds(connected));
      const endedMs = now();
      client.drop();
      const message = await watcher.next(seconds(delay) + toleranceMs);
      if (message?.type !== 'PUBLISH') return fail('the will', message?.type ?? 'no will');
      const left = message.properties?.messageExpiryInterval;
      const least = messageExpiryInterval - Math.ceil((now() - endedMs) / 1000) + delay - 1;
      if (left !== undefined && left <= messageExpiryInterval && left >= least) return;
      fail(
        `PUBLISH with Message Expiry Interval ${messageExpiryInterval}, or what is left of it`,
        `Message Expiry Interval ${left ?? 'none'}`,
      );
    },
  }),
);

const payloadFormat: Case = {
  id: 'will-that-is-no-text',
  title: 'publishes a will that says it is text and is none, or refuses its CONNECT by CONNACK 0x99 or by closing',
  covers: ['v5/3.1.3.2.3~will-payload-format'],
  async run(context) {
    const { open, connectPacket, topic, trait } = context;
    const watcher = await watch(context, topic);
    const client = await open('client');
    const will = willTo(topic, { payload: Uint8Array.of(0xff, 0xfe), properties: { payloadFormatIndicator: 1 } });
    client.send(connectPacket({ will }));
    const outcome = { ...refused(0x99), served: 'right' } as const;
    const result = await judge(context, client, { v3: outcome, v5: outcome });
    trait('will that says it is text and is none', result);
    if (result === 'refused') return;
    client.drop();
    await watcher.receive({ topic, properties: { payloadFormatIndicator: 1 } });
  },
};

export const willProperties = chapter(
  '3.1.3.2 Will Properties',
  section('3.1.3.2 Will Properties', [...properties, ...expiring]),
  section('3.1.3.2.2 Will Delay Interval', [...published, ...withheld, ...takenOver]),
  section('3.1.3.2.3 Payload Format Indicator', [payloadFormat]),
  section('3.14 DISCONNECT', disconnectWithWill),
);
