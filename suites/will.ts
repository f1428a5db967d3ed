/** What cases about wills have in common: a client that sees them, the proof that none is on its way, malformed CONNECTs. */

import type { Case, Context } from '../harness/case.ts';
import type { Bend } from '../harness/wire/bend.ts';
import { text, type WillFields } from '../harness/wire/build.ts';
import { judge, malformed } from './refusal.ts';
import type { Peer } from './session.ts';

/** A will with payload 'will', at QoS 1 so that it does not get lost on its way, unless told. */
export function willTo(topic: string, fields: Partial<WillFields> = {}): WillFields {
  return { topic, payload: 'will', qos: 1, ...fields };
}

/** Connects a client that sees what is published to a topic, at QoS 1 if the broker grants it. */
export async function watch({ connect, couldNotRun }: Context, filter: string): Promise<Peer> {
  const watcher = await connect({ name: 'watcher' });
  const [granted = 0x80] = await watcher.request([filter, 1]);
  if (granted >= 0x80) couldNotRun(`the broker refuses the subscription to ${filter}`);
  return watcher;
}

/**
 * Proves that no will to this topic is on its way: the will of another client, which drops now, is the next message. Throws
 * Violation when another one comes. When none comes nothing is proved: wills as such are the matter of other cases.
 */
export async function expectNoWill(context: Context, watcher: Peer, topic = context.topic): Promise<void> {
  const { connect, couldNotRun, fail } = context;
  const other = await connect({ will: willTo(topic, { payload: 'fence' }) });
  other.drop();
  const next = await watcher.next();
  if (!next) return couldNotRun('the will that has to come behind does not come either, so nothing is proved');
  if (next.type !== 'PUBLISH') return fail('no will', next.type);
  if (text(next.payload) !== 'fence') fail('no will', `PUBLISH '${text(next.payload)}' to ${next.topic}`);
  await watcher.acknowledge(next);
}

/** Proves that no message is retained: what is published next is the first that a new subscription brings. */
export async function expectNotRetained({ connect, topic }: Context): Promise<void> {
  const late = await connect({ name: 'late subscriber' });
  await late.subscribe(topic);
  await late.fence();
  await late.publish({ topic, payload: 'live' });
  await late.receive({ payload: 'live', retain: false });
}

/** A CONNECT that is wrong: with this will or without one, and damaged. */
export type WrongConnect = readonly [id: string, title: string, will: Partial<WillFields> | undefined, bend: Bend];

/** Cases that a malformed CONNECT is answered by closing, without CONNACK (section 3.1.4). */
export function closesOn(covers: Case['covers'], ...rows: readonly WrongConnect[]): readonly Case[] {
  return rows.map(
    ([id, title, will, bend]): Case => ({
      id,
      title: `closes the connection on a CONNECT with ${title}`,
      covers,
      async run(context) {
        const { open, connectPacket, topic } = context;
        const client = await open('client');
        client.send(connectPacket(will && { will: willTo(topic, will) }), bend);
        await judge(context, client, malformed);
      },
    }),
  );
}

/** Adds to the connect flags, so that those of user name and password stay as they are. */
export function flags(add: number): Bend {
  return { connectFlags: { add } };
}
