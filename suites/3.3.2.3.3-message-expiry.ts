/** 3.3.2.3.3 Message Expiry Interval (MQTT 5.0): what waits counts down, and is not sent any more when its time is over. */

import { type Case, type Context, section } from '../harness/case.ts';
import { publish, pubrel, text } from '../harness/wire/build.ts';
import type { Publish, QoS } from '../harness/wire/packet.ts';
import { needsQoS } from './needs.ts';
import { expectRetained } from './retained.ts';
import type { Peer } from './session.ts';

/** Seconds that a message waits, where it has to. */
const waits = 3;

/** An interval that passes meanwhile, and one that does not, in seconds. */
const [soon, late] = [1, 100];

const expiring = (seconds: number) => ({ properties: { messageExpiryInterval: seconds } });

// ── What waits ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** A place where messages wait, and how they are let go. */
interface Place {
  readonly id: string;
  /** `that waits for …`. */
  readonly title: string;
  readonly needs: NonNullable<Case['needs']>;
  readonly qos: QoS;
  /** Prepares a subscription; returns what lets the messages that were published meanwhile come. */
  block(context: Context, publisher: Peer): Promise<() => Promise<Peer>>;
  readonly retain?: true;
}

const queue = (qos: 1 | 2): Place => ({
  id: `queued-qos${qos}`,
  title: `a QoS ${qos} message that waits for a client that is away`,
  needs: needsQoS(qos),
  qos,
  async block({ connect, topic, clientId }) {
    const session = { clientId: clientId('subscriber'), clean: false };
    const subscriber = await connect({ ...session, name: 'subscriber' });
    await subscriber.subscribe(topic, qos);
    await subscriber.disconnect();
    return () => connect({ ...session, name: 'subscriber again' });
  },
});

const quota = (qos: 1 | 2): Place => ({
  id: `blocked-qos${qos}`,
  title: `a QoS ${qos} message that waits because the client's Receive Maximum is reached`,
  needs: needsQoS(qos),
  qos,
  async block({ connect, topic }, publisher) {
    const subscriber = await connect({ name: 'subscriber', properties: { receiveMaximum: 1 } });
    await subscriber.subscribe(topic, qos);
    await publisher.publish({ topic, payload: 'before', qos });
    const before = await subscriber.message({ payload: 'before' });
    return async () => {
      await subscriber.acknowledge(before);
      return subscriber;
    };
  },
});

const store: Place = {
  id: 'retained',
  title: 'a retained message',
  needs: ['retain'],
  qos: 1,
  retain: true,
  async block({ connect, topic }) {
    return async () => {
      const subscriber = await connect({ name: 'subscriber' });
      await subscriber.subscribe(topic);
      return subscriber;
    };
  },
};

const queues: readonly Place[] = [queue(1), queue(2), quota(1), quota(2)];

/**
 * Judges the interval of a message that was sent with `late` seconds and waited between `least` and `most` milliseconds. Seconds are
 * coarse: one of them more or less is right.
 */
function judgeRest({ fail }: Context, { properties }: Publish, least: number, most: number, sent = late): void {
  const { messageExpiryInterval: rest } = properties ?? {};
  const [lowest, highest] = [sent - Math.ceil(most / 1_000) - 1, Math.min(sent, sent - Math.floor(least / 1_000) + 1)];
  if (rest !== undefined && rest >= lowest && rest <= highest) return;
  fail(
    `Message Expiry Interval ${lowest} to ${highest}, which is ${sent} without the time of waiting`,
    rest === undefined ? 'no Message Expiry Interval' : `Message Expiry Interval ${rest}`,
    'v5/3.3.2-6',
  );
}

const countedDown = [...queues, store].map(
  ({ id, title, needs, qos, retain, block }): Case => ({
    id: `${id}-counts-down`,
    title: `sends ${title} with what is left of its Message Expiry Interval`,
    covers: ['v5/3.3.2-6'],
    needs,
    waits,
    async run(context) {
      const { connect, topic, seconds, elapse, now } = context;
      const publisher = await connect({ name: 'publisher' });
      const release = await block(context, publisher);
      const before = now();
      await publisher.publish({ topic, payload: 'waiting', qos, ...(retain && { retain }), ...expiring(late) });
      const published = now();
      await elapse(seconds(waits));
      const least = now() - published;
      const subscriber = await release();
      judgeRest(context, await subscriber.receive({ payload: 'waiting' }), least, now() - before);
    },
  }),
);

const expired = queues.map(
  ({ id, title, needs, qos, block }): Case => ({
    id: `${id}-expires`,
    title: `does not send ${title} once its Message Expiry Interval is over, but others that wait`,
    covers: ['v5/3.3.2-5'],
    needs,
    waits,
    async run(context) {
      const { connect, topic, seconds, elapse, fail } = context;
      const publisher = await connect({ name: 'publisher' });
      const online = await connect({ name: 'subscriber that is there' });
      await online.subscribe(topic);
      const release = await block(context, publisher);
      const messages = [
        ['over', soon],
        ['not over', late],
        ['over as well', soon],
        ['for ever', undefined],
      ] as const;
      for (const [payload, interval] of messages) {
        await publisher.publish({ topic, payload, qos, ...(interval !== undefined && expiring(interval)) });
      }
      await elapse(seconds(waits));
      const subscriber = await release();
      for (const payload of ['not over', 'for ever']) {
        const message = await subscriber.next();
        // That the others come is what another statement demands.
        if (message?.type !== 'PUBLISH') return fail(`'${payload}'`, message?.type ?? 'no message', 'v5/4.5.0-1');
        if (text(message.payload) !== payload) fail(`'${payload}'`, `'${text(message.payload)}'`, 'v5/3.3.2-5');
        await subscriber.acknowledge(message);
      }
    },
  }),
);

// ── What does not wait ───────────────────────────────────────────────────────────────────────────────────────────────

const intervals = [1, 60, late, 0x8000_0000];

/** The largest is no sign that a message does not expire: it is an interval like the others. */
const longest = 0xffff_ffff;

const atOnce = ([0, 1, 2] as const).flatMap((qos) =>
  (
    [
      [`live-qos${qos}`, 'the Message Expiry Interval', intervals],
      [`live-longest-qos${qos}`, 'the longest Message Expiry Interval', [longest]],
    ] as const
  ).map(
    ([id, what, values]): Case => ({
      id,
      title: `sends a QoS ${qos} message on at once with ${what} that it came with`,
      covers: ['v5/3.3.2-6'],
      needs: needsQoS(qos),
      async run(context) {
        const { connect, topic, now, inTime } = context;
        const [publisher, subscriber] = [await connect({ name: 'publisher' }), await connect({ name: 'subscriber' })];
        await subscriber.subscribe(topic, qos);
        for (const seconds of values) {
          const before = now();
          await publisher.publish({ topic, payload: `${seconds}`, qos, ...expiring(seconds) });
          await publisher.fence();
          inTime(before, context.seconds(seconds));
          judgeRest(context, await subscriber.receive({ topic }), 0, now() - before, seconds);
        }
      },
    }),
  ),
);

const without: readonly Case[] = [...queues, store].map(
  ({ id, title, needs, qos, retain, block }): Case => ({
    id: `${id}-without-interval`,
    title: `sends ${title} without a Message Expiry Interval if it came without one`,
    covers: ['v5/3.3.2.3.3~no-message-expiry'],
    needs,
    waits,
    async run(context) {
      const { connect, topic, seconds, elapse, fail } = context;
      const publisher = await connect({ name: 'publisher' });
      const release = await block(context, publisher);
      await publisher.publish({ topic, payload: 'for ever', qos, ...(retain && { retain }) });
      await elapse(seconds(waits));
      const { properties } = await (await release()).receive({ payload: 'for ever' });
      const { messageExpiryInterval } = properties ?? {};
      if (messageExpiryInterval !== undefined)
        fail('no Message Expiry Interval', `Message Expiry Interval ${messageExpiryInterval}`);
    },
  }),
);

// ── Retained messages ────────────────────────────────────────────────────────────────────────────────────────────────

/** Messages retained one after the other: what is left of them when the time is over. */
const kept: readonly (readonly [
  id: string,
  title: string,
  intervals: readonly (number | undefined)[],
  left: boolean,
])[] = [
  ['retained-expires', 'removes a retained message when its Message Expiry Interval is over', [soon], false],
  ['retained-not-over', 'keeps a retained message as long as its Message Expiry Interval is not over', [late], true],
  [
    'retained-renewed',
    'keeps a retained message that has replaced one whose Message Expiry Interval is over',
    [soon, late],
    true,
  ],
  [
    'retained-for-good',
    'keeps a retained message without Message Expiry Interval that has replaced one with it',
    [soon, undefined],
    true,
  ],
  [
    'retained-shortened',
    'removes a retained message with a short Message Expiry Interval that has replaced one with a long one',
    [late, soon],
    false,
  ],
  [
    'retained-limited',
    'removes a retained message with a Message Expiry Interval that has replaced one without',
    [undefined, soon],
    false,
  ],
];

const retained = kept.map(
  ([id, title, intervals, left]): Case => ({
    id,
    title,
    covers: [left ? 'v5/3.3.1-5' : 'v5/3.3.2.3.3~retained-expiry'],
    needs: ['retain'],
    waits,
    async run(context) {
      const { connect, topic, seconds, elapse } = context;
      const publisher = await connect({ name: 'publisher' });
      for (const [index, interval] of intervals.entries()) {
        const properties = interval === undefined ? {} : expiring(interval);
        await publisher.publish({ topic, payload: `${index}`, qos: 1, retain: true, ...properties });
      }
      await elapse(seconds(waits));
      await expectRetained(context, publisher, topic, 0, ...(left ? [`${intervals.length - 1}`] : []));
    },
  }),
);

const received: readonly Case[] = [
  {
    id: 'retained-came-in-time',
    title: 'removes an expired retained message although it has been sent to earlier subscribers',
    covers: ['v5/3.3.2.3.3~retained-expiry'],
    needs: ['retain'],
    waits,
    async run(context) {
      const { connect, topic, seconds, elapse, now, inTime } = context;
      const publisher = await connect({ name: 'publisher' });
      const early = await connect({ name: 'early subscriber' });
      const sinceMs = now();
      await publisher.publish({ topic, payload: 'kept', qos: 1, retain: true, ...expiring(2) });
      await early.subscribe(topic);
      inTime(sinceMs, seconds(2));
      await early.receive({ payload: 'kept', retain: true });
      await elapse(seconds(waits));
      await expectRetained(context, publisher, topic, 0);
    },
  },
  {
    id: 'exchange-goes-on',
    title: 'completes the QoS 2 exchange of a message that expires before its PUBREL',
    covers: ['v5/4.3.3-13'],
    needs: ['qos2'],
    waits,
    async run(context) {
      const { connect, topic, seconds, elapse, couldNotRun } = context;
      const publisher = await connect({ name: 'publisher' });
      publisher.send(publish({ topic, payload: 'over', qos: 2, packetId: 7, ...expiring(soon) }));
      const { code = 0 } = await publisher.expect('PUBREC', { packetId: 7 });
      if (code >= 0x80) couldNotRun('the broker refuses the message');
      await elapse(seconds(waits));
      publisher.send(pubrel(7));
      await publisher.expect('PUBCOMP', { packetId: 7, code: 0 });
    },
  },
];

export const messageExpiry = section('3.3.2.3.3 Message Expiry Interval', [
  ...atOnce,
  ...countedDown,
  ...expired,
  ...without,
  ...retained,
  ...received,
]);
