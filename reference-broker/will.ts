/** The Will: published when a connection ends in any way but by DISCONNECT (section 3.1.2.5). */

import type { Will } from '../harness/wire/packet.ts';
import { distribute } from './deliver.ts';
import { type Message, message } from './message.ts';
import type { Gate, Obeys } from './obeys.ts';
import { mayPublish } from './publish.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import { asGiven } from './topics.ts';

/** How a connection ended. After a shutdown of the server wills may wait for its next start; this server forgets them. */
export type End = 'DISCONNECT' | 'network' | 'keep alive' | 'protocol error' | 'take-over' | 'refused' | 'shutdown';

const triggers = {
  DISCONNECT: undefined,
  network: ['v3/3.1.2-8#network', 'v3/3.1.2.5~will-triggers#network'],
  'keep alive': ['v3/3.1.2-8#keep-alive', 'v3/3.1.2.5~will-triggers#keep-alive'],
  'protocol error': ['v3/3.1.2-8#protocol-error', 'v3/3.1.2.5~will-triggers#protocol-error'],
  'take-over': ['v3/3.1.2-8#take-over', 'v3/3.1.2.5~will-on-take-over'],
  refused: undefined,
  shutdown: undefined,
} as const satisfies Record<End, readonly Gate[] | undefined>;

/** The message of a Will (sections 3.1.2.6, 3.1.2.7 and 3.1.3). */
export function messageOfWill(will: Will, obeys: Obeys): Message {
  const fields = obeys('v3/3.1.3-1') ? will : swapped(will);
  const lengthBytes = Uint8Array.of(fields.payload.length >> 8, fields.payload.length & 0xff);
  return message({
    topic: asGiven(fields.topic, obeys),
    payload: obeys('v3/3.1.3.3~will-message-bytes')
      ? Buffer.from(fields.payload)
      : Buffer.concat([lengthBytes, fields.payload]),
    qos: obeys('v3/3.1.2.6~will-delivered-like-any-message') ? will.qos : 0,
    // With Will Retain 0 it is an ordinary message, with 1 a retained one.
    retain: will.retain ? obeys('v3/3.1.2-17') : !obeys('v3/3.1.2-16'),
    dup: false,
  });
}

function swapped(will: Will): Will {
  return { ...will, topic: Buffer.from(will.payload).toString(), payload: Buffer.from(will.topic) };
}

/** What becomes of the Will of a session whose connection has ended: it is deleted, and published unless DISCONNECT came. */
export function endWill(server: Server, session: Session, end: End): void {
  const { obeys, clock } = server;
  const { will } = session;
  if (!will) return;
  const deleted = end === 'DISCONNECT' ? 'v3/3.1.2-10#DISCONNECT' : 'v3/3.1.2-10#published';
  if (obeys(deleted, 'v3/3.1.2-12')) session.will = undefined;
  const gates = triggers[end];
  if (!gates || !obeys(...gates) || !mayPublish(server, will.topic)) return;
  if (obeys('v3/3.1.2.5~will-published-promptly')) distribute(server, will);
  else clock.after(30_000, () => distribute(server, will));
}
