/** What several chapters ask of sessions: resume one, end its connection in every way, prove that a session is forgotten. */

import type { Context } from '../harness/case.ts';
import { text } from '../harness/wire/build.ts';

/** One connection of a test client. */
export type Peer = Awaited<ReturnType<Context['connect']>>;

/** The fields of a CONNECT, and a name for the reports. */
export type ConnectOptions = NonNullable<Parameters<Context['connect']>[0]>;

/** Connects and judges Session Present (section 3.2.2.2). Throws Violation when it is the other one. */
export async function reconnect(context: Context, options: ConnectOptions, sessionPresent: boolean): Promise<Peer> {
  const client = await context.connect(options);
  if (client.connack?.sessionPresent === sessionPresent) return client;
  const absent =
    options.clean === false ? (['v3/3.2.2-3', 'v5/3.2.2-3'] as const) : (['v3/3.2.2-1', 'v5/3.2.2-2'] as const);
  return context.fail(
    `CONNACK with Session Present ${Number(sessionPresent)}`,
    `CONNACK with Session Present ${Number(!sessionPresent)}`,
    ...(sessionPresent ? (['v3/3.2.2-2', 'v5/3.2.2-3'] as const) : absent),
  );
}

/** Connects a client of 3.1.1; a server of 5.0 need not serve one. */
export async function connectOlder(context: Context, options: ConnectOptions = {}): Promise<Peer> {
  const { open, connectPacket, clientId, notApplicable } = context;
  const { name = 'client of 3.1.1', ...fields } = options;
  const client = await open(name, 'v3');
  client.send(connectPacket({ clientId: clientId(name), ...fields }, 'v3'));
  const answer = await client.next();
  if (answer?.type === 'CONNACK' && answer.code === 0) return client;
  return notApplicable('the broker does not serve clients of 3.1.1');
}

/** A way in which the connection of a client ends. */
export interface Ending {
  readonly id: string;
  /** `… when the connection ends by a reset (RST)`. */
  readonly title: string;
  /** The Keep Alive that the client has to connect with, in seconds. */
  readonly keepAlive?: number;
  /** Seconds that it takes. */
  readonly waits?: number;
  end(client: Peer, context: Context): Promise<void>;
}

/** Ends the connection when the broker does not do so in time: that it has to is the matter of other cases. */
async function closedOrDropped(client: Peer, withinMs: number): Promise<void> {
  await client.isClosed(withinMs);
  client.drop();
}

/** By DISCONNECT. */
export const byDisconnect: Ending = { id: 'disconnect', title: 'DISCONNECT', end: (client) => client.disconnect() };

/** By a TCP reset. */
export const byReset: Ending = { id: 'rst', title: 'a reset (RST)', end: async (client) => client.drop() };

/** By the next CONNECT with this Client Identifier: until then the connection stays open. */
export const byTakeOver: Ending = { id: 'take-over', title: 'take-over', end: async () => undefined };

/** Every way to end a connection. */
export const endings: readonly Ending[] = [
  byDisconnect,
  {
    id: 'fin',
    title: 'the end of the stream (FIN)',
    end: (client, { timeoutMs }) => {
      client.halfClose();
      return closedOrDropped(client, timeoutMs);
    },
  },
  byReset,
  byTakeOver,
  {
    id: 'protocol-error',
    title: 'a protocol error',
    end: (client, { timeoutMs }) => {
      client.sendBytes([0xf0, 0x00], 'a packet of the reserved type 15');
      return closedOrDropped(client, timeoutMs);
    },
  },
  {
    id: 'keep-alive',
    title: 'silence beyond Keep Alive',
    keepAlive: 1,
    waits: 2,
    end: (client, { seconds, toleranceMs }) => closedOrDropped(client, seconds(1.5) + toleranceMs),
  },
];

/**
 * What a client with this Keep Alive does before it falls silent. Throws CouldNotRun where that fails after more than a Keep Alive, for then
 * the broker may have closed the connection already.
 */
export async function withinKeepAlive<T>(
  { now, seconds, inTime }: Context,
  keepAlive: number | undefined,
  prepare: () => Promise<T>,
): Promise<T> {
  const sinceMs = now();
  try {
    return await prepare();
  } catch (error) {
    if (keepAlive !== undefined) inTime(sinceMs, seconds(keepAlive));
    throw error;
  }
}

/** A message whose way through the broker is watched. */
export interface Routed {
  readonly topic: string;
  readonly payload: string;
  readonly qos?: 0 | 1 | 2;
}

/**
 * Publishes, and waits until the message has come back to its author, who has to be subscribed to the topic. Then it is
 * routed: a subscription made from now on can't match it any more. (An acknowledgement alone does not say so.)
 */
export async function publishRouted(author: Peer, message: Routed): Promise<void> {
  await author.publish(message);
  await author.receive({ topic: message.topic, payload: message.payload });
}

/**
 * Proves that a client has neither the subscriptions nor the messages of a former session, which was subscribed to both
 * topics. Cleaning up need not be atomic (v3/3.1.2.4~clean-up-not-atomic), so the first topic has a second to be forgotten
 * before the other one tells. Throws Violation.
 */
export async function expectForgotten(
  context: Context,
  client: Peer,
  author: Peer,
  topics: readonly [string, string],
): Promise<void> {
  for (const topic of topics) {
    await author.subscribe(topic);
    await publishRouted(author, { topic, payload: 'for nobody' });
    await client.subscribe(topic);
    await author.publish({ topic, payload: 'fence' });
    const stale = await untilFence(client, topic);
    if (stale.length === 0) return;
    if (topic === topics[1]) {
      context.fail('nothing of a session that has ended', `PUBLISH ${stale.join(', ')}`);
    }
    context.trait('clean-up of a session that has ended', 'not at once');
    await context.elapse(context.seconds(1));
  }
}

/** What arrives before the fence on this topic. */
async function untilFence(client: Peer, topic: string): Promise<readonly string[]> {
  const before: string[] = [];
  for (;;) {
    const message = await client.receive();
    if (message.topic === topic && text(message.payload) === 'fence') return before;
    before.push(`'${text(message.payload)}' to ${message.topic}`);
  }
}
