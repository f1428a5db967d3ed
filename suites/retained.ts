/** What is retained, as a new subscriber sees it: judged behind a fence that is a retained message itself. */

import type { Context } from '../harness/case.ts';
import { type Content, text } from '../harness/wire/build.ts';
import type { Publish, QoS } from '../harness/wire/packet.ts';
import type { Peer } from './session.ts';

/**
 * Waits until a subscription is established to the last: a server may look for retained messages after SUBACK, and would
 * rightly send with RETAIN 1 what it finds then.
 */
export async function establish(publisher: Peer, subscriber: Peer, topic: string): Promise<void> {
  await publisher.publish({ topic, payload: 'established?', qos: 1 });
  await subscriber.receive({ payload: 'established?' });
  await subscriber.fence();
}

/**
 * A retained message that has to arrive: its payload or, where its form is judged as well, payload and QoS, with RETAIN 1 and
 * DUP 0.
 */
export type Kept = string | readonly [payload: string, qos: QoS];

/** What a new subscription brought. */
export interface Brought {
  readonly messages: readonly Publish[];
  /** Whether the fence came, so that nothing more is to be expected than what is due. */
  readonly complete: boolean;
}

/**
 * Subscribes with a new client, and takes what is retained for it. The fence is retained by the publisher, behind all that
 * it sent before, and subscribed to behind the filter. A server may look for what matches each filter on its own, so that
 * the fence comes first: payloads that are due are waited for.
 */
export async function bringRetained(
  { connect, topic }: Context,
  publisher: Peer,
  filter: string,
  qos: QoS,
  due: readonly string[] = [],
): Promise<Brought> {
  const fence = `${topic}-fence`;
  await publisher.publish({ topic: fence, payload: 'fence', qos: 1, retain: true });
  const subscriber = await connect();
  await subscriber.subscribe(filter, qos);
  await subscriber.subscribe(fence, qos);
  const messages: Publish[] = [];
  const take = async () => {
    const packet = await subscriber.next();
    if (packet?.type !== 'PUBLISH') return false;
    await subscriber.acknowledge(packet);
    messages.push(packet);
    return true;
  };
  while (messages.at(-1)?.topic !== fence) {
    if (!(await take())) return { messages, complete: false };
  }
  // A small window of messages in flight may hold others back: each acknowledgement lets more through.
  await subscriber.fence();
  while (subscriber.waiting.length > 0) {
    await take();
    await subscriber.fence();
  }
  while (without(due, payloadsOf(messages)).length > 0 && (await take()));
  subscriber.leave();
  return { messages: messages.filter((message) => message.topic !== fence), complete: true };
}

/**
 * A new subscriber gets exactly these retained messages, each once, in any order. Throws Violation.
 * When nothing is expected and not even the fence comes, nothing is proved: the case could not run.
 */
export async function expectRetained(
  context: Context,
  publisher: Peer,
  filter: string,
  qos: QoS,
  ...expected: readonly Kept[]
): Promise<void> {
  const { fail, couldNotRun } = context;
  const wanted = expected.map((kept) => (typeof kept === 'string' ? kept : kept[0]));
  const { messages, complete } = await bringRetained(context, publisher, filter, qos, wanted);
  const payloads = payloadsOf(messages);
  const [missing, surplus] = [without(wanted, payloads), without(payloads, wanted)];
  if (missing.length + surplus.length > 0) {
    const actual = `${list(payloads)}; missing: ${list(missing)}; too many: ${list(surplus)}`;
    fail(`for the new subscription: ${list(wanted)}`, actual);
  }
  if (!complete && wanted.length === 0) {
    couldNotRun('the retained message that has to come behind does not come, so nothing is proved');
  }
  for (const kept of expected) if (typeof kept !== 'string') judgeForm(context, messages, kept);
}

/** The right message in a wrong form breaks a rule of its own. */
function judgeForm({ fail }: Context, messages: readonly Publish[], [payload, qos]: readonly [string, QoS]): void {
  const message = messages.find((each) => text(each.payload) === payload);
  const expected = told({ payload, qos, retain: true, dup: false });
  if (!message || told(message) === expected) return;
  if (!message.retain) fail(expected, told(message), 'v3/3.3.1-8', 'v5/3.3.1.3~retain-flag-on-subscribe');
  if (message.dup) fail(expected, told(message), 'v3/3.3.1-3', 'v5/3.3.1-3');
  fail(expected, told(message), message.qos > qos ? 'v3/3.8.4-6' : 'v3/3.3.1-5', 'v5/3.3.1-5');
}

function payloadsOf(messages: readonly Publish[]): readonly string[] {
  return messages.map(({ payload }) => text(payload));
}

/** What is left of some lines when others are taken away, each as often as it is there. */
function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...lines];
  for (const other of others) {
    const index = left.indexOf(other);
    if (index >= 0) left.splice(index, 1);
  }
  return left;
}

function list(payloads: readonly string[]): string {
  if (payloads.length === 0) return 'nothing';
  const more = payloads.length > 6 ? ` and ${payloads.length - 6} more` : '';
  return `${payloads
    .slice(0, 6)
    .map((payload) => `'${payload}'`)
    .join(', ')}${more}`;
}

type Told = Pick<Publish, 'qos' | 'retain' | 'dup'> & { readonly payload: Content };

/** One message in words. */
export function told({ payload, qos, retain, dup }: Told): string {
  const words = typeof payload === 'string' ? payload : text(payload);
  return `PUBLISH '${words}' QoS ${qos} RETAIN ${Number(retain)}${dup ? ' DUP 1' : ''}`;
}

/** Where `retainAll` leaves messages: below the topic of the case. */
export const places = ['', '/1', '/2', '/b', '/b/3', '/b/3/c'];

/** Leaves a retained message at each of the places; its payload names the place. */
export async function retainAll({ connect, topic }: Context, qos: QoS): Promise<Peer> {
  const publisher = await connect({ name: 'publisher' });
  for (const place of places) {
    await publisher.publish({ topic: topic + place, payload: `at ${place}`, qos, retain: true });
  }
  return publisher;
}
