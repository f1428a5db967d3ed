/** 3.1.2.11.2 Session Expiry Interval: how long a session outlives its connection, and that DISCONNECT may change it (MQTT 5.0). */

import { type Case, type Context, section } from '../harness/case.ts';
import { disconnect } from '../harness/wire/build.ts';
import { byDisconnect, byReset, type ConnectOptions, endings, expectForgotten, type Peer } from './session.ts';
import { watch, willTo } from './will.ts';

/** A session that does not expire. */
const never = 0xffff_ffff;

/** In seconds, or no such property. */
type Interval = number | undefined;

function words(interval: Interval): string {
  if (interval === undefined) return 'no Session Expiry Interval';
  return `Session Expiry Interval ${interval === never ? '0xFFFFFFFF' : interval}`;
}

/**
 * Connects the client whose session is looked at. A server may apply another interval than that asked for; the case is then not
 * applicable, unless both are longer than any case takes.
 */
async function begin(context: Context, interval: Interval, fields: ConnectOptions = {}): Promise<Peer> {
  const properties = interval === undefined ? {} : { sessionExpiryInterval: interval };
  const client = await context.connect({ clientId: context.clientId('session'), ...fields, properties });
  const asked = interval ?? 0;
  const applied = client.connack?.properties?.sessionExpiryInterval ?? asked;
  if (applied === asked || Math.min(applied, asked) > 60) return client;
  return context.notApplicable(`the broker keeps the session for ${applied} s where ${asked} s were asked for`);
}

/** A session that has to be there still. */
interface Lasting {
  /** When its client set out to leave, by `now`. */
  readonly leftMs: number;
  /** Its Session Expiry Interval, in seconds. */
  readonly interval: number;
}

/**
 * Connects again with Clean Start 0 and judges whether there still is a session; where it lasts for some seconds only, if the client
 * was back a second before they are over, for whole seconds are all that the standard knows. Throws Violation.
 */
async function comeBack(
  context: Context,
  sessionPresent: boolean,
  fields: ConnectOptions = {},
  lasting?: Lasting,
): Promise<Peer> {
  const clientId = context.clientId('session');
  const client = await context.connect({ clientId, clean: false, name: 'client again', ...fields });
  if (lasting) context.inTime(lasting.leftMs, context.seconds(lasting.interval - 1));
  if (client.connack?.sessionPresent === sessionPresent) return client;
  return context.fail(
    `CONNACK with Session Present ${Number(sessionPresent)}`,
    `CONNACK with Session Present ${Number(!sessionPresent)}`,
  );
}

// ── With the connection ──────────────────────────────────────────────────────────────────────────────────────────────

/** A session that is not to outlive its connection. That of a clean session without the property: see section 3.1.2.4. */
const short: readonly (readonly [id: string, interval: Interval, clean: boolean, covers: Case['covers']])[] = [
  ['absent', undefined, false, ['v5/3.1.2.11.2~session-expiry', 'v5/4.1.0-2']],
  ['0', 0, true, ['v5/4.1.0-2']],
];

const withConnection = short.flatMap(([id, interval, clean, covers]) =>
  endings.map(
    (ending): Case => ({
      id: `${id}-ends-with-${ending.id}`,
      title: `ends a session with ${words(interval)} (Clean Start ${Number(clean)}) with its connection, here by ${ending.title}`,
      covers,
      ...(ending.waits !== undefined && { waits: ending.waits }),
      async run(context) {
        const client = await begin(context, interval, { clean, keepAlive: ending.keepAlive });
        await client.subscribe(context.topic);
        await ending.end(client, context);
        await comeBack(context, false);
      },
    }),
  ),
);

// ── Beyond it ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Numbers that a server may get wrong: a sign bit, an overflow when it counts in milliseconds, the greatest, and what is no number. */
const long: readonly (readonly [interval: number, covers: Case['covers']])[] = [
  [3, ['v5/3.1.2-23']],
  [65_536, ['v5/3.1.2-23']],
  [4_294_968, ['v5/3.1.2-23']],
  [0x7fff_ffff, ['v5/3.1.2-23']],
  [0x8000_0000, ['v5/3.1.2-23']],
  [0xffff_fffe, ['v5/3.1.2-23']],
  [never, ['v5/3.1.2-23', 'v5/3.1.2.11.2~session-expiry']],
];

const beyondConnection: readonly Case[] = [
  ...long.flatMap(([interval, covers]) =>
    [byDisconnect, byReset].map(
      (ending): Case => ({
        id: `${interval}-outlives-${ending.id}`,
        title: `keeps a session that began with Clean Start 1 and ${words(interval)} when its connection ends by ${ending.title}`,
        covers,
        needs: ['qos1'],
        waits: 1.2,
        async run(context) {
          const { connect, topic, elapse, seconds, now } = context;
          const publisher = await connect({ name: 'publisher' });
          const client = await begin(context, interval, { clean: true });
          await client.subscribe(topic, 1);
          const leftMs = now();
          await ending.end(client, context);
          await publisher.publish({ topic, payload: 'while away', qos: 1 });
          await elapse(seconds(1.2));
          const again = await comeBack(context, true, {}, { leftMs, interval });
          await again.receive({ topic, payload: 'while away', qos: 1 });
        },
      }),
    ),
  ),
  {
    id: 'begins-with-each-end',
    title: 'counts the Session Expiry Interval from the end of the last connection',
    covers: ['v5/3.1.2-23'],
    waits: 6,
    async run(context) {
      const { elapse, seconds, now } = context;
      const interval = 5;
      const properties = { sessionExpiryInterval: interval };
      const client = await begin(context, interval, { clean: false });
      const firstMs = now();
      await client.disconnect();
      await elapse(seconds(3));
      const again = await comeBack(context, true, { properties }, { leftMs: firstMs, interval });
      const secondMs = now();
      await again.disconnect();
      await elapse(seconds(3));
      await comeBack(context, true, {}, { leftMs: secondMs, interval });
    },
  },
  {
    id: 'newest-counts-longer',
    title: 'goes by the Session Expiry Interval of the newest CONNECT: a longer one',
    covers: ['v5/3.1.2-23'],
    waits: 4,
    async run(context) {
      const interval = 3;
      const client = await begin(context, interval, { clean: false });
      const leftMs = context.now();
      await client.disconnect();
      const properties = { sessionExpiryInterval: 600 };
      const again = await comeBack(context, true, { properties }, { leftMs, interval });
      await again.disconnect();
      await context.elapse(context.seconds(interval + 1));
      await comeBack(context, true);
    },
  },
  {
    id: 'does-not-run-while-connected',
    title: 'keeps the session of a client that is connected for longer than its Session Expiry Interval',
    covers: ['v5/4.1.0-1'],
    waits: 3,
    async run(context) {
      const { connect, topic, seconds, couldNotRun } = context;
      const subscriber = await begin(context, 1, { keepAlive: 0 });
      await subscriber.subscribe(topic);
      if (await subscriber.isClosed(seconds(3))) couldNotRun('the broker drops an idle client, as it may');
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish({ topic, payload: 'still subscribed' });
      await subscriber.receive({ topic, payload: 'still subscribed' });
    },
  },
];

// ── Its end ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const over: readonly Case[] = [
  ...[1, 2].flatMap((interval) =>
    [byDisconnect, byReset].map(
      (ending): Case => ({
        id: `${interval}-is-over-after-${ending.id}`,
        title: `discards a session with ${words(interval)} so many seconds after its connection ended by ${ending.title}`,
        covers: ['v5/4.1.0-2', 'v5/3.1.2.11.2~session-expiry'],
        waits: interval,
        async run(context) {
          const { connect, topic, elapse, seconds, toleranceMs } = context;
          const topics = [`${topic}/1`, `${topic}/2`] as const;
          const author = await connect({ name: 'author' });
          const client = await begin(context, interval, { clean: false });
          for (const each of topics) await client.subscribe(each);
          await ending.end(client, context);
          await elapse(seconds(interval) + toleranceMs);
          const again = await comeBack(context, false);
          await expectForgotten(context, again, author, topics);
        },
      }),
    ),
  ),
  ...([undefined, 0] as const).map(
    (interval): Case => ({
      id: `newest-counts-${interval ?? 'absent'}`,
      title: `goes by the Session Expiry Interval of the newest CONNECT: ${words(interval)}`,
      covers: interval === undefined ? ['v5/3.1.2.11.2~session-expiry', 'v5/4.1.0-2'] : ['v5/4.1.0-2'],
      async run(context) {
        const client = await begin(context, 600, { clean: false });
        await client.disconnect();
        const properties = interval === undefined ? {} : { sessionExpiryInterval: interval };
        const again = await comeBack(context, true, { properties });
        if (again.connack?.properties?.sessionExpiryInterval) context.notApplicable('the broker keeps it for longer');
        await again.disconnect();
        await comeBack(context, false);
      },
    }),
  ),
  {
    id: 'retained-outlives-expiry',
    title: 'keeps the retained message of a client whose session has expired',
    covers: ['v5/4.1~session-state-parts'],
    needs: ['qos1', 'retain'],
    waits: 1,
    async run(context) {
      const { connect, topic, elapse, seconds, toleranceMs } = context;
      const publisher = await begin(context, 1);
      await publisher.publish({ topic, payload: 'retained', qos: 1, retain: true });
      await publisher.disconnect();
      await elapse(seconds(1) + toleranceMs);
      const reader = await connect({ name: 'reader' });
      await reader.subscribe(topic, 1);
      await reader.receive({ topic, payload: 'retained' });
    },
  },
];

export const sessionExpiry = section('3.1.2.11.2 Session Expiry Interval', [
  ...withConnection,
  ...beyondConnection,
  ...over,
]);

// ── 3.14.2.2.2: DISCONNECT ───────────────────────────────────────────────────────────────────────────────────────────

/** Sends a DISCONNECT and leaves; returns when the broker has ended the connection too. */
async function depart(client: Peer, interval: Interval, code = 0): Promise<void> {
  client.send(
    disconnect(interval === undefined ? { code } : { code, properties: { sessionExpiryInterval: interval } }),
  );
  client.halfClose();
  await client.isClosed();
  client.drop();
}

interface Change {
  readonly id: string;
  readonly from: number;
  readonly to: Interval;
  readonly code?: number;
  /** How long the client is away, in seconds. */
  readonly away: number;
  /** Whether it finds its session when it comes back. */
  readonly present: boolean;
  readonly covers: Case['covers'];
}

const changed = ['v5/3.14.2.2.2~disconnect-session-expiry'] as const;

const changes: readonly Change[] = [
  { id: 'ended-at-once', from: 600, to: 0, away: 0, present: false, covers: changed },
  { id: 'ended-at-once-with-will', from: 600, to: 0, code: 4, away: 0, present: false, covers: changed },
  { id: 'ended-at-once-never', from: never, to: 0, away: 0, present: false, covers: changed },
  { id: 'shortened', from: 600, to: 1, away: 1, present: false, covers: changed },
  { id: 'prolonged', from: 2, to: 600, away: 4, present: true, covers: changed },
  { id: 'prolonged-for-ever', from: 2, to: never, away: 4, present: true, covers: changed },
  { id: 'unchanged', from: 600, to: undefined, away: 0, present: true, covers: ['v5/3.1.2-23'] },
  { id: 'unchanged-with-will', from: 600, to: undefined, code: 4, away: 0, present: true, covers: ['v5/3.1.2-23'] },
];

function titleOf({ from, to, code, present }: Change): string {
  const what = `a session with ${words(from)} after a DISCONNECT ${code === 4 ? '0x04 ' : ''}with ${words(to)}`;
  return present ? `keeps ${what}` : `discards ${what}, when that is over`;
}

export const disconnectExpiry = section('3.14.2.2.2 Session Expiry Interval', [
  ...changes.map((change): Case => {
    const { id, from, to, code, away, present, covers } = change;
    return {
      id: `session-${id}`,
      title: titleOf(change),
      covers,
      ...(away > 0 && { waits: away }),
      async run(context) {
        const client = await begin(context, from, { clean: false });
        await depart(client, to, code);
        if (away > 0) await context.elapse(context.seconds(away) + (present ? 0 : context.toleranceMs));
        await comeBack(context, present);
      },
    };
  }),
  ...([undefined, 0] as const).map(
    (interval): Case => ({
      id: `session-not-begun-${interval ?? 'absent'}`,
      title: `takes a DISCONNECT with a Session Expiry Interval for none after a CONNECT with ${words(interval)}: publishes the will, keeps no session`,
      covers: changed,
      async run(context) {
        const { topic } = context;
        const watcher = await watch(context, topic);
        const client = await begin(context, interval, { will: willTo(topic) });
        client.send(disconnect({ code: 0, properties: { sessionExpiryInterval: 600 } }));
        await client.expectClose({ reasons: [0x82] });
        await watcher.receive({ topic, payload: 'will' });
        await comeBack(context, false);
      },
    }),
  ),
  {
    id: 'session-0-stays-0',
    title: 'takes a DISCONNECT with Session Expiry Interval 0 after a CONNECT with 0: publishes no will',
    covers: ['v5/3.14.4-3'],
    async run(context) {
      const { connect, topic } = context;
      const watcher = await watch(context, topic);
      const client = await begin(context, 0, { will: willTo(topic) });
      await depart(client, 0);
      const other = await connect({ will: willTo(topic, { payload: 'fence' }) });
      other.drop();
      await watcher.receive({ payload: 'fence' });
    },
  },
]);
