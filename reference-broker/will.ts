/** The Will: published when a connection ends in any way but by a normal DISCONNECT, at once or after a delay (section 3.1.2.5). */

import type { Properties, Will } from '../harness/wire/packet.ts';
import { distribute } from './deliver.ts';
import { afterSeconds } from './expiry.ts';
import { type Message, message, userPropertiesOf } from './message.ts';
import type { Gate, Obeys } from './obeys.ts';
import { mayPublish } from './publish.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import { asGiven } from './topics.ts';

/** How a connection ended. After a shutdown of the server wills may wait for its next start; this server forgets them. */
export type End =
  | 'DISCONNECT'
  | 'DISCONNECT with will'
  | 'network'
  | 'keep alive'
  | 'protocol error'
  | 'take-over'
  | 'refused'
  | 'shutdown';

const triggers = {
  DISCONNECT: undefined,
  'DISCONNECT with will': ['v5/3.14~disconnect-with-will', 'v5/3.1.2-8#disconnect-with-will'],
  network: ['v3/3.1.2-8#network', 'v3/3.1.2.5~will-triggers#network', 'v5/3.1.2-8#network', 'v5/3.1.2-7'],
  'keep alive': [
    'v3/3.1.2-8#keep-alive',
    'v3/3.1.2.5~will-triggers#keep-alive',
    'v5/3.1.2-8#keep-alive',
    'v5/3.1.2.5~will-after-error#keep-alive',
  ],
  'protocol error': [
    'v3/3.1.2-8#protocol-error',
    'v3/3.1.2.5~will-triggers#protocol-error',
    'v5/3.1.2-8#protocol-error',
    'v5/3.1.2.5~will-after-error#protocol-error',
  ],
  'take-over': [
    'v3/3.1.2-8#take-over',
    'v3/3.1.2.5~will-on-take-over',
    'v5/3.1.2-8#take-over',
    'v5/3.1.3.2.2~will-on-take-over#published',
  ],
  refused: undefined,
  shutdown: undefined,
} as const satisfies Record<End, readonly Gate[] | undefined>;

/** A Will as the session keeps it. */
export interface SessionWill {
  readonly will: Will;
  /** Will Delay Interval. */
  readonly delaySeconds: number;
}

/** The Will of a CONNECT, with a payload of its own. */
export function willOf(will: Will, obeys: Obeys): SessionWill {
  const delaySeconds = will.properties?.willDelayInterval ?? 0;
  return {
    will: { ...will, payload: Buffer.from(will.payload) },
    delaySeconds: obeys('v5/3.1.2-8#delay') ? delaySeconds : 0,
  };
}

/** The message of a Will; its Message Expiry Interval begins now (sections 3.1.2.6, 3.1.2.7 and 3.1.3). */
export function messageOfWill(will: Will, obeys: Obeys, now: number): Message {
  const fields = obeys('v3/3.1.3-1', 'v5/3.1.3-1') ? will : swapped(will);
  const lengthBytes = Uint8Array.of(fields.payload.length >> 8, fields.payload.length & 0xff);
  const seconds = will.properties?.messageExpiryInterval;
  return message({
    topic: asGiven(fields.topic, obeys),
    payload: obeys('v3/3.1.3.3~will-message-bytes') ? fields.payload : Buffer.concat([lengthBytes, fields.payload]),
    qos: obeys('v3/3.1.2.6~will-delivered-like-any-message', 'v5/3.1.2-7#qos') ? will.qos : 0,
    // With Will Retain 0 it is an ordinary message, with 1 a retained one.
    retain: will.retain ? obeys('v3/3.1.2-17', 'v5/3.1.2-15') : !obeys('v3/3.1.2-16', 'v5/3.1.2-14'),
    dup: false,
    properties: propertiesOfWill(will, obeys),
    expiry: seconds === undefined ? undefined : { seconds, since: now },
  });
}

function swapped(will: Will): Will {
  return { ...will, topic: Buffer.from(will.payload).toString(), payload: Buffer.from(will.topic) };
}

/** All but the delay belongs to the message (section 3.1.3.2). */
function propertiesOfWill({ properties }: Will, obeys: Obeys): Properties | undefined {
  if (!properties || !obeys('v5/3.1.3.2~will-properties#forwarded')) return undefined;
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, willDelayInterval } = properties;
  return {
    ...(payloadFormatIndicator !== undefined && { payloadFormatIndicator }),
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData && { correlationData }),
    ...(willDelayInterval !== undefined && !obeys('v5/3.1.3.2~will-properties#no-delay') && { willDelayInterval }),
    ...userPropertiesOf(properties, true, obeys('v5/3.1.3-10')),
  };
}

/**
 * What becomes of the Will of a session whose connection has ended: it is deleted after DISCONNECT, and else published,
 * at the latest when the session ends.
 */
export function endWill(server: Server, session: Session, end: End): void {
  const { clock } = server;
  const { obeys, will } = session;
  if (!will) return;
  const gates = triggers[end];
  const due = gates !== undefined && obeys(...gates);
  const waits = end !== 'take-over' || obeys('v5/3.1.3.2.2~will-on-take-over#withheld');
  const delaySeconds = due && waits ? Math.min(will.delaySeconds, session.expirySeconds) : 0;
  if (delaySeconds > 0) {
    // A session that ends sooner publishes it then.
    const ownSeconds = delaySeconds < session.expirySeconds ? delaySeconds : Number.POSITIVE_INFINITY;
    session.cancelWill = afterSeconds(clock, ownSeconds, () => publishPendingWill(server, session));
    return;
  }
  const deleted =
    end === 'DISCONNECT'
      ? (['v3/3.1.2-10#DISCONNECT', 'v3/3.1.2-12', 'v5/3.1.2-10#DISCONNECT'] as const)
      : (['v3/3.1.2-10#published', 'v3/3.1.2-12', 'v5/3.1.2-10#published'] as const);
  if (obeys(...deleted)) session.will = undefined;
  if (!due) return;
  if (obeys('v3/3.1.2.5~will-published-promptly')) publishWill(server, session, will);
  else clock.after(30_000, () => publishWill(server, session, will));
}

/** Publishes a Will whose delay is over, or whose session ends before. */
export function publishPendingWill(server: Server, session: Session): void {
  const { will, cancelWill, obeys } = session;
  if (!will || !cancelWill) return;
  cancelWill();
  session.cancelWill = undefined;
  if (obeys('v5/3.1.2-10#delayed')) session.will = undefined;
  if (obeys('v5/3.1.3.2.2~will-at-session-end', 'v5/3.1.2-8#delayed')) publishWill(server, session, will);
}

function publishWill(server: Server, session: Session, { will }: SessionWill): void {
  const published = messageOfWill(will, session.obeys, server.clock.now());
  if (mayPublish(server, published.topic)) distribute(server, published, session);
}
