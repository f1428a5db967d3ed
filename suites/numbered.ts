/** Numbered messages: published in quick succession, taken and judged by their order (sections 4.4 and 4.6). */

import type { Context } from '../harness/case.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import { puback, pubcomp, publish, pubrec, pubrel, text } from '../harness/wire/build.ts';
import type { Publish, QoS } from '../harness/wire/packet.ts';
import { acknowledgedAgain } from './held.ts';
import type { Peer } from './session.ts';

/** Which messages are published: their payloads are the numbers from `from` to `to`. */
export interface Numbers {
  readonly topic: string;
  readonly qos: QoS;
  readonly from?: number;
  readonly to: number;
  /** Adds so many bytes to the payload of a message. */
  readonly padding?: (number: number) => number;
}

/** So many messages are sent at once; a server may hold back more QoS 2 messages than it can remember. */
const together = { 0: 200, 1: 200, 2: 20 } as const;

/** Publishes numbered messages, many in one segment, and completes their handshakes. Failing to is could-not-run. */
export async function publishNumbered(context: Context, publisher: Peer, numbers: Numbers): Promise<void> {
  const { topic, qos, from = 1, to, padding = () => 0 } = numbers;
  // A server of 5.0 says how many it takes at a time.
  const { receiveMaximum = together[qos] } = publisher.connack?.properties ?? {};
  const most = qos === 0 ? together[qos] : Math.min(together[qos], receiveMaximum);
  for (let first = from; first <= to; first += most) {
    const last = Math.min(to, first + most - 1);
    const messages = Array.from({ length: last - first + 1 }, (_, index) => {
      const number = first + index;
      const payload = `${number}${' '.repeat(padding(number))}`;
      return publish({ topic, qos, payload, packetId: publisher.freshId() });
    });
    publisher.sendTogether(...messages);
    const ids = messages.flatMap(({ packetId }) => packetId ?? []);
    if (qos === 1) await answers(context, publisher, 'PUBACK', ids);
    if (qos !== 2) continue;
    await answers(context, publisher, 'PUBREC', ids);
    publisher.sendTogether(...ids.map((id) => pubrel(id)));
    await answers(context, publisher, 'PUBCOMP', ids);
  }
  await publisher.fence();
}

/** Takes the acknowledgements of these packets, in any order. */
async function answers(
  { couldNotRun }: Context,
  publisher: Peer,
  type: 'PUBACK' | 'PUBREC' | 'PUBCOMP',
  ids: readonly number[],
): Promise<void> {
  const open = new Set(ids);
  while (open.size > 0) {
    const packet = await publisher.next();
    if (packet?.type !== type || !open.delete(packet.packetId)) {
      couldNotRun(`${packet?.type ?? 'nothing'} comes where ${type} of ${open.size} messages is due`);
    }
  }
}

/** The number of a message; NaN if it is none. */
export function numberOf({ payload }: Publish): number {
  return Number.parseInt(text(payload), 10);
}

/** How missing messages are judged. */
export interface Losses {
  /** What is broken when one is missing. */
  readonly requirement: RequirementId;
  /** QoS 0 messages may get lost. */
  readonly allowed?: boolean;
  /** What was acknowledged on an earlier connection, and is not waited for. */
  readonly acknowledged?: ReadonlySet<number>;
}

/**
 * Takes numbered messages until so many different ones have come, acknowledges each, and returns the first copies in the order
 * of their arrival. Throws Violation when one is missing, or comes again without DUP.
 */
export async function takeNumbered(
  context: Context,
  subscriber: Peer,
  count: number,
  { requirement, allowed = false, acknowledged }: Losses,
): Promise<readonly Publish[]> {
  const { fail, trait } = context;
  const first = new Map<number, Publish>();
  // The handshakes overlap: to wait for each PUBREL would take a round trip for each message.
  while (first.size < count) {
    const packet = await subscriber.next();
    if (!packet && allowed) {
      trait('QoS 0 messages lost', `${count - first.size} of ${count}`);
      break;
    }
    if (packet?.type === 'PUBREL') {
      subscriber.send(pubcomp(packet.packetId));
      continue;
    }
    if (packet?.type !== 'PUBLISH') {
      return fail(`${count} messages`, `${first.size} messages, then ${packet?.type ?? 'nothing more'}`, requirement);
    }
    const { qos, packetId = 0 } = packet;
    if (qos === 1) subscriber.send(puback(packetId));
    if (qos === 2) subscriber.send(pubrec(packetId));
    const number = numberOf(packet);
    if (qos === 1 && acknowledged?.has(number)) {
      acknowledgedAgain(context);
      continue;
    }
    if (first.has(number) && !packet.dup) fail('each message once, or again with DUP 1', `message ${number} twice`);
    if (!first.has(number)) first.set(number, packet);
  }
  return [...first.values()];
}

/** Takes the messages that a server sends before any of them is acknowledged: `least` at least and `most` at most. Throws Violation. */
export async function takeUnacknowledged(subscriber: Peer, most: number, least = 1): Promise<Publish[]> {
  const taken: Publish[] = [];
  while (taken.length < least) taken.push(await subscriber.message());
  // They may come one by one; a server that waits for acknowledgements now will send no more, however often it is asked.
  for (let tries = 20; tries > 0 && taken.length < most; tries--) {
    await subscriber.fence();
    while (subscriber.waiting.length > 0) taken.push(await subscriber.message());
  }
  return taken;
}

/** The numbers ascend. Throws Violation. */
export function expectAscending(
  { fail }: Context,
  messages: readonly Publish[],
  ...requirements: readonly RequirementId[]
): void {
  let before = Number.NEGATIVE_INFINITY;
  for (const number of messages.map(numberOf)) {
    if (!(number > before)) {
      fail(
        'messages in the order in which they were published',
        `message ${number} after message ${before}`,
        ...requirements,
      );
    }
    before = number;
  }
}
