/** 3.1.2.10 Keep Alive: who is silent for too long is disconnected, who sends anything in time is not. */

import { type Capability, type Case, type Context, chapter, section } from '../harness/case.ts';
import { pingreq, pubrel } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import type { Peer } from './session.ts';
import { watch, willTo } from './will.ts';

// ── Silence ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** MQTT 5.0: a server may demand a Keep Alive of its own, which then applies. How it keeps to that is the matter of section 3.2.2.3.14. */
function requireOwnKeepAlive({ notApplicable }: Context, { connack }: Peer, keepAlive: number): void {
  const demanded = connack?.properties?.serverKeepAlive;
  if (demanded !== undefined && demanded !== keepAlive)
    notApplicable(`the broker demands a Keep Alive of ${demanded} s`);
}

/**
 * Waits until the broker disconnects a client whose last packet was sent just now, and records how long that took: one and a half
 * times Keep Alive and the tolerance of the target at most. An idle client may be dropped earlier. Throws Violation.
 */
async function expectTimeOut(context: Context, client: Peer, keepAlive: number): Promise<void> {
  const { seconds, toleranceMs, trait } = context;
  requireOwnKeepAlive(context, client, keepAlive);
  const expected = `the connection closes ${1.5 * keepAlive} s after the last packet (${toleranceMs / 1000} s more are tolerated)`;
  const withinMs = seconds(1.5 * keepAlive) + toleranceMs;
  const silentMs = await client.expectClose({ withinMs, probe: false, expected });
  const times = `${(silentMs / seconds(keepAlive)).toFixed(2)} × Keep Alive`;
  trait('disconnects a silent client after', times);
  if (silentMs < seconds(keepAlive)) trait('disconnects an idle client before its Keep Alive', `after ${times}`);
}

const silence: readonly Case[] = [
  ...[1, 2].map(
    (keepAlive): Case => ({
      id: `silent-client-${keepAlive}-s`,
      title: `disconnects a client that is silent after CONNECT (Keep Alive ${keepAlive} s), and publishes its will`,
      covers: ['v3/3.1.2-24', 'v3/1.5.2~big-endian-integers', 'v5/3.1.2-22'],
      waits: 1.5 * keepAlive,
      async run(context) {
        const { connect, topic } = context;
        const watcher = await watch(context, topic);
        const client = await connect({ keepAlive, will: willTo(topic) });
        await expectTimeOut(context, client, keepAlive);
        await watcher.receive({ topic, payload: 'will' });
      },
    }),
  ),
  {
    id: 'silent-after-a-packet',
    title: 'disconnects a client that falls silent after it has sent a PINGREQ in time',
    covers: ['v3/3.1.2-24', 'v5/3.1.2-22'],
    waits: 4.8,
    async run(context) {
      const client = await context.connect({ keepAlive: 2 });
      await staysOpen(context, client, { keepAlive: 2, every: 1.8, times: 1 }, ping(client));
      await expectTimeOut(context, client, 2);
    },
  },
  {
    id: 'received-packets-do-not-count',
    title: 'disconnects a silent client although it is sent messages all the time',
    covers: ['v3/3.1.2-24', 'v5/3.1.2-22'],
    waits: 1.5,
    async run(context) {
      const { connect, topic, now, seconds, toleranceMs, fail } = context;
      const publisher = await connect({ name: 'publisher' });
      const subscriber = await connect({ name: 'subscriber', keepAlive: 1 });
      requireOwnKeepAlive(context, subscriber, 1);
      await subscriber.subscribe(topic);
      const deadline = now() + seconds(1.5) + toleranceMs;
      do {
        if (now() > deadline) fail('the connection closes', 'the connection stays open');
        await publisher.publish({ topic, payload: 'tick' });
      } while (!(await subscriber.isClosed(200)));
    },
  },
  {
    id: 'session-outlives-silence',
    title: 'keeps the session of a client that it disconnects for silence',
    covers: ['v3/3.1.2-24', 'v3/3.1.2-5', 'v5/3.1.2-22', 'v5/4.1~session-state-parts'],
    needs: ['qos1'],
    waits: 1.5,
    async run(context) {
      const { connect, topic, clientId } = context;
      const session = { clientId: clientId('sleeper'), clean: false };
      const publisher = await connect({ name: 'publisher' });
      const sleeper = await connect({ ...session, keepAlive: 1 });
      await sleeper.subscribe(topic, 1);
      await expectTimeOut(context, sleeper, 1);
      await publisher.publish({ topic, payload: 'missed', qos: 1 });
      const again = await connect({ ...session, name: 'sleeper again' });
      await again.receive({ topic, payload: 'missed', qos: 1 });
    },
  },
  {
    id: 'newest-connect-counts',
    title: 'goes by the Keep Alive of the CONNECT that took over, not by that of the connection before',
    covers: ['v3/3.1.2-24', 'v5/3.1.2-22'],
    waits: 6,
    async run(context) {
      const { connect, clientId } = context;
      const [calm, strict] = [{ keepAlive: 60 }, { keepAlive: 1 }];
      await connect({ clientId: clientId('first'), ...calm });
      const hurried = await connect({ clientId: clientId('first'), ...strict });
      await connect({ clientId: clientId('second'), ...strict });
      const patient = await connect({ clientId: clientId('second'), ...calm });
      await Promise.all([
        expectTimeOut(context, hurried, 1),
        staysOpen(context, patient, { ...every2Seconds, keepAlive: 60 }, ping(patient)),
      ]);
    },
  },
];

// ── Packets in time ──────────────────────────────────────────────────────────────────────────────────────────────────

interface Rhythm {
  /** Seconds, as in the CONNECT; 0 if there is none to keep. */
  readonly keepAlive: number;
  /** Seconds between two packets. */
  readonly every: number;
  readonly times: number;
}

const every2Seconds = { every: 2, times: 3 };

/** Sends a sign of life: the same packet type each time, and no other. */
type Sign = (tick: number) => Promise<unknown>;

/**
 * Sends a sign of life in a rhythm that keeps a connection alive. Throws Violation when it closes all the same, and CouldNotRun
 * when it was this machine that did not keep the rhythm.
 */
async function staysOpen(context: Context, client: Peer, rhythm: Rhythm, sign: Sign): Promise<void> {
  const { elapse, now, inTime, seconds, fail } = context;
  const { keepAlive, every, times } = rhythm;
  /** The client has to send within its Keep Alive; a server has no right to close before one and a half times that. */
  const within = (sinceMs: number, share: number) => keepAlive === 0 || inTime(sinceMs, seconds(share * keepAlive));
  /** A close that comes so late behind what was sent before may be due to silence: on a busy machine what is sent now was not read in time. */
  const answered = async (sign: Promise<unknown>, lastMs: number) => {
    await sign.catch((error: unknown) => {
      if (client.ended) within(lastMs, 1.5);
      throw error;
    });
  };
  // Setting the scene may have taken its time: the rhythm begins here.
  let lastMs = now();
  await client.fence();
  for (let tick = 1; tick <= times; tick++) {
    await elapse(Math.max(0, lastMs + seconds(every) - now()));
    if (await client.isClosed(0)) {
      within(lastMs, 1);
      fail(`the connection stays open: a packet comes every ${every} s`, `the connection closes`);
    }
    const sentMs = now();
    await answered(sign(tick), lastMs);
    lastMs = sentMs;
  }
  await answered(client.fence(), lastMs);
}

/** Sets the scene for a sign of life. */
type MakeSign = (client: Peer, context: Context) => Sign | Promise<Sign>;

function ping(client: Peer): Sign {
  return () => client.fence();
}

function publishing(qos: QoS): MakeSign {
  return (client, { topic }) => {
    return () => client.publish({ topic, qos });
  };
}

function subscribing(client: Peer, { topic }: Context): Sign {
  return () => client.request([topic, 0]);
}

function unsubscribing(client: Peer, { topic }: Context): Sign {
  return () => client.unsubscribe(topic);
}

/** Acknowledges a message each time; the next one then waits for its acknowledgement. */
function acknowledging(qos: QoS): MakeSign {
  return async (client, { connect, topic }) => {
    const publisher = await connect({ name: 'publisher' });
    await client.subscribe(topic, qos);
    const next = async (tick: number) => {
      await publisher.publish({ topic, payload: `${tick}`, qos });
      // Until it is acknowledged a server may send it again; those copies are passed over.
      return client.pick('PUBLISH', { payload: `${tick}` });
    };
    let waiting = await next(0);
    return async (tick) => {
      await client.acknowledge(waiting);
      waiting = await next(tick);
    };
  };
}

/** Repeats a PUBREL each time, which is answered as often as it comes. */
async function releasing(client: Peer, { topic }: Context): Promise<Sign> {
  await client.publish({ topic, qos: 2, packetId: 1 });
  return () => {
    client.send(pubrel(1));
    return client.expect('PUBCOMP', { packetId: 1 });
  };
}

/** What a client with Keep Alive 2 s may send to be alive. */
const signs: readonly (readonly [id: string, name: string, needs: readonly Capability[], make: MakeSign])[] = [
  ['pingreq', 'PINGREQ', [], ping],
  ['publish-qos-0', 'QoS 0 PUBLISH', [], publishing(0)],
  ['publish-qos-1', 'QoS 1 PUBLISH', [], publishing(1)],
  ['puback', 'PUBACK', ['qos1'], acknowledging(1)],
  ['pubrec-pubcomp', 'PUBREC and PUBCOMP', ['qos2'], acknowledging(2)],
  ['pubrel', 'PUBREL', ['qos2'], releasing],
  ['subscribe', 'SUBSCRIBE', [], subscribing],
  ['unsubscribe', 'UNSUBSCRIBE', [], unsubscribing],
];

/** Numbers that a server may get wrong: none, bytes swapped, a sign bit, an overflow when multiplied by 1.5, the greatest. */
const unusual: readonly (readonly [keepAlive: number, covers: Case['covers']])[] = [
  [0, ['v3/3.1.2.10~keep-alive-range', 'v5/3.1.2-22']],
  [256, ['v3/1.5.2~big-endian-integers', 'v5/3.1.2-22']],
  [32_768, ['v3/3.1.2.10~keep-alive-range', 'v5/3.1.2-22']],
  [43_691, ['v3/3.1.2.10~keep-alive-range', 'v5/3.1.2-22']],
  [65_535, ['v3/3.1.2.10~keep-alive-range', 'v5/3.1.2-22']],
];

const activity: readonly Case[] = [
  ...signs.map(
    ([id, name, needs, make]): Case => ({
      id: `kept-alive-by-${id}`,
      title: `keeps a client connected that sends ${name} within each Keep Alive, and nothing else`,
      covers: ['v3/3.1.2-24', 'v5/3.1.2-22'],
      needs,
      waits: 7.2,
      async run(context) {
        const client = await context.connect({ keepAlive: 2 });
        await staysOpen(context, client, { keepAlive: 2, every: 1.8, times: 4 }, await make(client, context));
      },
    }),
  ),
  ...unusual.map(
    ([keepAlive, covers]): Case => ({
      id: `keep-alive-${keepAlive}`,
      title: `serves a client with Keep Alive ${keepAlive} that sends a packet every 2 s`,
      covers,
      waits: 6,
      async run(context) {
        const { connect, topic } = context;
        const client = await connect({ keepAlive });
        const sign = () => client.publish({ topic, qos: 1 });
        await staysOpen(context, client, { ...every2Seconds, keepAlive }, sign);
      },
    }),
  ),
  {
    id: 'keep-alive-0-silent',
    title: 'disconnects no client with Keep Alive 0 that is silent for some seconds',
    covers: ['v3/3.1.2.10~keep-alive-range', 'v5/3.1.2-22'],
    waits: 6,
    async run(context) {
      const { connect, seconds, nonStrict, now } = context;
      const client = await connect({ keepAlive: 0 });
      requireOwnKeepAlive(context, client, 0);
      const startedMs = now();
      if (!(await client.isClosed(seconds(6)))) return client.fence();
      // Inactive clients may be dropped whatever their Keep Alive.
      nonStrict(`drops a client with Keep Alive 0 that is silent for ${((now() - startedMs) / 1000).toFixed(1)} s`);
    },
  },
  {
    id: 'pingreq-at-any-time',
    title: 'answers each PINGREQ of a client with Keep Alive 0: the first at once after CONNACK, then 20 together',
    covers: ['v3/3.1.2.10~ping-any-time', 'v3/3.12.4-1', 'v3/3.12~one-pingresp-each', 'v5/3.12.4-1'],
    async run({ connect }) {
      const client = await connect({ keepAlive: 0 });
      client.send(pingreq());
      await client.expect('PINGRESP');
      client.sendTogether(...Array.from({ length: 20 }, pingreq));
      for (let answers = 0; answers < 20; answers++) await client.expect('PINGRESP');
      await client.expectNothing('no further PINGRESP');
    },
  },
];

export const keepAlive = chapter('3.1 CONNECT: Keep Alive', section('3.1.2.10 Keep Alive', [...silence, ...activity]));
