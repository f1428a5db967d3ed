/** 4.4 Message delivery retry: what a client has not acknowledged comes again when it comes back, and nothing else does. */

import { type Case, type Context, chapter, section } from '../harness/case.ts';
import { pubcomp, pubrec, text } from '../harness/wire/build.ts';
import type { Publish, QoS } from '../harness/wire/packet.ts';
import { acknowledgedAgain, hold, receiveBehind } from './held.ts';
import { needsQoS } from './needs.ts';
import { numberOf, publishNumbered, takeUnacknowledged } from './numbered.ts';
import {
  byDisconnect,
  byReset,
  byTakeOver,
  type ConnectOptions,
  type Ending,
  endings,
  type Peer,
  withinKeepAlive,
} from './session.ts';

// ── One message ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** How far a message has come when the connection ends. */
interface Stage {
  readonly id: string;
  readonly title: string;
  readonly qos: QoS;
  /** What the client sends again: the whole message, or the PUBREL behind it. */
  readonly resent: 'PUBLISH' | 'PUBREL';
  readonly covers: Case['covers'];
}

const stages: readonly Stage[] = [
  {
    id: 'qos-1-publish',
    title: 'a QoS 1 PUBLISH with the same Packet Identifier',
    qos: 1,
    resent: 'PUBLISH',
    covers: ['v3/4.4.0-1', 'v3/2.3.1-4', 'v5/4.4.0-1', 'v5/2.2.1-4'],
  },
  {
    id: 'qos-2-publish',
    title: 'a QoS 2 PUBLISH with the same Packet Identifier',
    qos: 2,
    resent: 'PUBLISH',
    covers: ['v3/4.4.0-1', 'v3/2.3.1-4', 'v5/4.4.0-1', 'v5/2.2.1-4'],
  },
  {
    id: 'pubrel',
    title: 'PUBREL, and not the PUBLISH that PUBREC has acknowledged',
    qos: 2,
    resent: 'PUBREL',
    covers: ['v3/4.4.0-1', 'v3/4.3.3-1', 'v5/4.4.0-1', 'v5/4.3.3-4', 'v5/4.3.3-5', 'v5/4.3.3-6'],
  },
];

/** A subscriber with a session that lasts, which has received a message and not completed its handshake. */
interface Interrupted {
  readonly session: ConnectOptions & { readonly clientId: string };
  readonly publisher: Peer;
  readonly subscriber: Peer;
  readonly message: Publish & { readonly packetId: number };
}

async function interrupt(context: Context, { qos, resent }: Stage, keepAlive = 60): Promise<Interrupted> {
  const { connect, topic, clientId } = context;
  const session = { clientId: clientId('subscriber'), clean: false };
  const publisher = await connect({ name: 'publisher' });
  const subscriber = await connect({ ...session, keepAlive, name: 'subscriber' });
  await subscriber.subscribe(topic, qos);
  await publisher.publish({ topic, payload: 'kept', qos });
  const message = await subscriber.message({ topic, payload: 'kept', qos, dup: false });
  const { packetId = 0 } = message;
  if (resent === 'PUBREL') {
    subscriber.send(pubrec(packetId));
    await subscriber.pick('PUBREL', { packetId });
  }
  return { session, publisher, subscriber, message: { ...message, packetId } };
}

/** Judges what comes again, but for DUP, and leaves it unacknowledged. Throws Violation. */
async function expectAgain(client: Peer, { resent, qos }: Stage, { topic, packetId }: Interrupted['message']) {
  if (resent === 'PUBREL') await client.expect('PUBREL', { packetId });
  else await client.message({ topic, payload: 'kept', qos, packetId });
}

/** Completes the handshake of what came again. */
async function complete(client: Peer, { resent }: Stage, message: Interrupted['message']): Promise<void> {
  if (resent === 'PUBREL') client.send(pubcomp(message.packetId));
  else await client.acknowledge(message);
}

function resentAfter(stage: Stage, { id, title, keepAlive, waits, end }: Ending): Case {
  return {
    id: `${stage.id}-after-${id}`,
    title: `sends ${stage.title} again when the client is back after ${title}`,
    covers: stage.covers,
    needs: needsQoS(stage.qos),
    ...(waits !== undefined && { waits }),
    async run(context) {
      const { session, publisher, subscriber, message } = await withinKeepAlive(context, keepAlive, () =>
        interrupt(context, stage, keepAlive),
      );
      await end(subscriber, context);
      const again = await context.connect({ ...session, name: 'subscriber again' });
      await expectAgain(again, stage, message);
      await complete(again, stage, message);
      await publisher.publish({ topic: message.topic, payload: 'next', qos: stage.qos });
      await again.receive({ payload: 'next', qos: stage.qos, dup: false });
    },
  };
}

function resentRepeatedly(stage: Stage): Case {
  return {
    id: `${stage.id}-repeatedly`,
    title: `sends ${stage.title} again after each of five drops, and no more once it is acknowledged`,
    covers: stage.covers,
    needs: needsQoS(stage.qos),
    async run(context) {
      const { session, publisher, subscriber, message } = await interrupt(context, stage);
      let client = subscriber;
      for (let drops = 1; drops <= 5; drops++) {
        client.drop();
        client = await context.connect({ ...session, name: `subscriber ${drops}` });
        await expectAgain(client, stage, message);
      }
      await complete(client, stage, message);
      await client.fence();
      client.drop();
      const last = await context.connect({ ...session, name: 'subscriber at last' });
      await publisher.publish({ topic: message.topic, payload: 'next', qos: stage.qos });
      // Its DUP is open: the broker may have tried to send it on the connection that was just ending.
      if (stage.qos === 1) await receiveBehind(context, last, (payload) => payload === 'kept', 'next');
      else await last.expect('PUBLISH', { payload: 'next' });
    },
  };
}

const single: readonly Case[] = stages.flatMap((stage) => [
  ...endings.map((ending) => resentAfter(stage, ending)),
  resentRepeatedly(stage),
]);

// ── Several messages ─────────────────────────────────────────────────────────────────────────────────────────────────

/** What a client knows of a message when its connection ends. */
type Known = Publish | undefined;

/** Takes messages until each that is due has come, with the Packet Identifier that it had. Acknowledges each. Throws Violation. */
async function expectDue(context: Context, client: Peer, due: Map<number, Known>): Promise<void> {
  const { fail } = context;
  while (due.size > 0) {
    const message = await client.receive();
    const number = numberOf(message);
    if (!due.has(number) && message.qos === 1) {
      acknowledgedAgain(context);
      continue;
    }
    if (!due.has(number)) fail('what was not acknowledged, each message once', `message '${text(message.payload)}'`);
    const known = due.get(number);
    if (known && message.packetId !== known.packetId) {
      fail(`message ${number} with id ${known.packetId}`, `message ${number} with id ${message.packetId}`);
    }
    due.delete(number);
  }
}

/** The numbers from 1 to `last`, none of them known. */
function numbersTo(last: number): Map<number, Known> {
  return new Map(Array.from({ length: last }, (_, index) => [index + 1, undefined]));
}

function unacknowledgedOnly(qos: 1 | 2): Case {
  return {
    id: `acknowledged-not-resent-qos-${qos}`,
    title: `sends the unacknowledged of several QoS ${qos} messages again, and the acknowledged ones not`,
    covers: [
      'v3/4.4.0-1',
      'v5/4.4.0-1',
      ...(qos === 1 ? (['v3/4.3.2-1', 'v5/4.3.2-3'] as const) : (['v3/4.3.3-1', 'v5/4.3.3-3'] as const)),
    ],
    needs: needsQoS(qos),
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const subscriber = await connect({ ...session, name: 'subscriber' });
      await subscriber.subscribe(topic, qos);
      const publisher = await connect({ name: 'publisher' });
      await publishNumbered(context, publisher, { topic, qos, to: 6 });
      const due = numbersTo(6);
      for (let taken = 1; taken <= 3; taken++) due.delete(numberOf(await subscriber.receive()));
      for (const message of await takeUnacknowledged(subscriber, 3)) due.set(numberOf(message), message);
      subscriber.drop();
      const again = await connect({ ...session, name: 'subscriber again' });
      await expectDue(context, again, due);
      await publisher.publish({ topic, payload: 'end', qos });
      await receiveBehind(context, again, (payload) => payload !== 'end', 'end');
    },
  };
}

function takenOver(ending: Ending, qos: 1 | 2): Case {
  const count = 50;
  return {
    id: `queue-after-${ending.id}-qos-${qos}`,
    title: `delivers all of ${count} waiting QoS ${qos} messages, each once, across ${ending.title} in their midst`,
    covers: ['v3/4.4.0-1', 'v3/4.5.0-1', 'v5/4.4.0-1', 'v5/4.5.0-1'],
    needs: needsQoS(qos),
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      // A second subscriber, so that the session is not the only one that the messages go to.
      const other = await connect({ name: 'other subscriber' });
      await other.subscribe(topic, qos);
      const subscriber = await connect({ ...session, name: 'subscriber' });
      await subscriber.subscribe(topic, qos);
      const publisher = await connect({ name: 'publisher' });
      await publishNumbered(context, publisher, { topic, qos, to: count });
      const due = numbersTo(count);
      for (let taken = 1; taken <= 5; taken++) due.delete(numberOf(await subscriber.receive()));
      for (const message of await takeUnacknowledged(subscriber, count - 5)) due.set(numberOf(message), message);
      await ending.end(subscriber, context);
      const again = await connect({ ...session, name: 'subscriber again' });
      await expectDue(context, again, due);
      await publisher.publish({ topic, payload: 'end', qos });
      await receiveBehind(context, again, (payload) => payload !== 'end', 'end');
    },
  };
}

function marked(ending: Ending, qos: 1 | 2): Case {
  return {
    id: `dup-qos-${qos}-after-${ending.id}`,
    title: `sets DUP in the QoS ${qos} PUBLISHes that it sends again after ${ending.title}`,
    covers: ['v3/3.3.1-1', 'v5/3.3.1-1'],
    needs: needsQoS(qos),
    async run(context) {
      const { connect, topic, clientId, fail, couldNotRun } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const subscriber = await connect({ ...session, name: 'subscriber' });
      await subscriber.subscribe(topic, qos);
      const publisher = await connect({ name: 'publisher' });
      await publishNumbered(context, publisher, { topic, qos, to: 3 });
      const sent = new Set((await takeUnacknowledged(subscriber, 3)).map(numberOf));
      await ending.end(subscriber, context);
      const again = await connect({ ...session, name: 'subscriber again' });
      for (const _ of sent) {
        const message = await again.next();
        // That they come again is the matter of other cases.
        if (message?.type !== 'PUBLISH') return couldNotRun('not all messages come again');
        await again.acknowledge(message);
        const number = numberOf(message);
        if (sent.has(number) && !message.dup) fail(`message ${number} with DUP 1`, `message ${number} with DUP 0`);
      }
    },
  };
}

const several: readonly Case[] = [
  ...[byDisconnect, byReset, byTakeOver].flatMap((ending) => ([1, 2] as const).map((qos) => marked(ending, qos))),
  unacknowledgedOnly(1),
  unacknowledgedOnly(2),
  ...[byTakeOver, byReset].flatMap((ending) => ([1, 2] as const).map((qos) => takenOver(ending, qos))),
  {
    id: 'mixed-stages',
    title: 'sends unacknowledged PUBLISHes of QoS 1 and 2 and a PUBREL again, each with its own Packet Identifier',
    covers: ['v3/4.4.0-1', 'v3/4.3.3-1', 'v5/4.4.0-1', 'v5/4.3.3-3', 'v5/4.3.3-4', 'v5/4.3.3-5', 'v5/4.3.3-6'],
    needs: ['qos2'],
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('subscriber'), clean: false };
      const subscriber = await connect({ ...session, name: 'subscriber' });
      await subscriber.subscribe(topic, 2);
      const publisher = await connect({ name: 'publisher' });
      await publisher.publish({ topic, payload: 'half', qos: 2 });
      const { packetId = 0 } = await subscriber.message({ payload: 'half', qos: 2 });
      subscriber.send(pubrec(packetId));
      await subscriber.pick('PUBREL', { packetId });
      for (const [index, qos] of ([1, 2, 1, 2] as const).entries()) {
        await publisher.publish({ topic, payload: `${index + 1}`, qos });
      }
      const due = numbersTo(4);
      // A server with a window of one message sends none of them before PUBCOMP.
      for (const message of await takeUnacknowledged(subscriber, 4, 0)) due.set(numberOf(message), message);
      subscriber.drop();
      const again = await connect({ ...session, name: 'subscriber again' });
      await again.pick('PUBREL', { packetId });
      again.send(pubcomp(packetId));
      await expectDue(context, again, due);
      await again.expectNothing('nothing more');
    },
  },
];

// ── What has no bearing on it ────────────────────────────────────────────────────────────────────────────────────────

const [qos1] = stages as readonly [Stage, ...Stage[]];

const circumstances: readonly Case[] = [
  {
    id: 'after-unsubscribe',
    title: 'sends an unacknowledged message again although the client has unsubscribed',
    covers: ['v3/4.4.0-1', 'v3/3.10.4-3', 'v5/4.4.0-1', 'v5/3.10.4-3'],
    needs: ['qos1'],
    async run(context) {
      const { session, subscriber, message } = await interrupt(context, qos1);
      await subscriber.unsubscribe(message.topic);
      subscriber.drop();
      const again = await context.connect({ ...session, name: 'subscriber again' });
      await expectAgain(again, qos1, message);
    },
  },
  {
    id: 'beside-new-messages',
    title: 'sends an unacknowledged message again beside those that were published while the client was away',
    covers: ['v3/4.4.0-1', 'v3/2.3.1-4', 'v5/4.4.0-1', 'v5/2.2.1-4'],
    needs: ['qos1'],
    async run(context) {
      const { connect, fail } = context;
      const { session, publisher, subscriber, message } = await interrupt(context, qos1);
      await subscriber.disconnect();
      await publisher.publish({ topic: message.topic, payload: 'new', qos: 1 });
      const again = await connect({ ...session, name: 'subscriber again' });
      // Which of them comes first is open, and a server with a window of one message sends the second when the first is acknowledged.
      const first = await again.receive();
      const second = await again.receive();
      const [old, fresh] = text(first.payload) === 'kept' ? [first, second] : [second, first];
      if (text(old.payload) !== 'kept' || old.packetId !== message.packetId) {
        fail(`'kept' again with id ${message.packetId}`, `'${text(old.payload)}' with id ${old.packetId}`);
      }
      // Its DUP is open: the broker may have tried to send it on the connection that was just ending.
      if (text(fresh.payload) !== 'new') fail("'new'", `'${text(fresh.payload)}'`);
    },
  },
  {
    id: 'clean-session',
    title: 'sends nothing again to a client that comes back and asks for a new session',
    covers: ['v3/3.1.2-6', 'v5/3.1.2-4'],
    needs: ['qos1'],
    async run(context) {
      const { session, subscriber } = await interrupt(context, qos1);
      subscriber.drop();
      const fresh = await context.connect({ ...session, clean: true, name: 'subscriber with a new session' });
      await fresh.expectNothing('nothing of the former session');
    },
  },
  {
    id: 'within-connection',
    title:
      'sends an unacknowledged message again within a connection only with DUP 1 and the same Packet Identifier, if at all',
    covers: ['v3/4.4~resend-only-on-reconnect'],
    needs: ['qos1'],
    waits: 3,
    async run(context) {
      const { seconds, trait, now } = context;
      const { subscriber, message } = await interrupt(context, qos1);
      const sentMs = now();
      await subscriber.isClosed(seconds(3));
      const [repeated] = subscriber.waiting;
      const when = ((now() - sentMs) / 1000).toFixed(0);
      trait(
        'sends again what is not acknowledged, within a connection',
        repeated ? `within ${when} s` : `not within ${when} s`,
      );
      if (repeated) await subscriber.message({ payload: 'kept', dup: true, packetId: message.packetId });
    },
  },
  {
    id: 'expired-once-sent',
    title:
      'sends an unacknowledged QoS 1 message again although its Message Expiry Interval is over, for it has been sent before',
    covers: ['v5/4.4.0-1'],
    needs: ['qos1'],
    waits: 3,
    async run(context) {
      const { topic, elapse, seconds, nonStrict } = context;
      const { publisher, subscriber, packetId, again } = await hold(context, 1, { messageExpiryInterval: 1 });
      subscriber.drop();
      await elapse(seconds(3));
      const back = await again();
      await publisher.publish({ topic, payload: 'fence', qos: 1 });
      const first = await back.receive();
      if (text(first.payload) === 'held' && first.packetId === packetId) return;
      // Only for QoS 2 does the standard say in so many words that expiry does not count any more (v5/4.3.3-7).
      nonStrict('a QoS 1 message that has been sent is not sent again once its Message Expiry Interval is over');
    },
  },
  ...stages.map(
    (stage): Case => ({
      id: `${stage.id}-not-within-connection`,
      title: `does not send ${stage.title} again while the connection lasts`,
      covers: ['v5/4.4.0-1'],
      needs: needsQoS(stage.qos),
      waits: 4,
      async run(context) {
        const { publisher, subscriber, message } = await interrupt(context, stage, 0);
        // A PUBLISH that comes again is judged as it comes (`harness/watch.ts`).
        if (await subscriber.isClosed(context.seconds(4))) {
          context.notApplicable('the broker closes the connection of a client that does not acknowledge');
        }
        await subscriber.expectNothing('nothing again while the connection lasts', 'v5/4.4.0-1');
        await complete(subscriber, stage, message);
        await publisher.publish({ topic: message.topic, payload: 'next', qos: stage.qos });
        await subscriber.receive({ payload: 'next', qos: stage.qos, dup: false });
      },
    }),
  ),
];

export const redelivery = chapter(
  '4.4 Message delivery retry',
  section('4.4 Message delivery retry', [...single, ...several, ...circumstances]),
);
