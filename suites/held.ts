/** What a client has acknowledged and what not: the one has to come again on its next connection, the other has no reason to. */

import type { Context } from '../harness/case.ts';
import { text } from '../harness/wire/build.ts';
import type { Properties, Publish } from '../harness/wire/packet.ts';
import type { Peer } from './session.ts';

/** A message of the server's that the subscriber, whose session is kept, has read and not acknowledged. */
export interface Held {
  readonly publisher: Peer;
  readonly subscriber: Peer;
  readonly packetId: number;
  /** Connects the subscriber again. */
  again(): Promise<Peer>;
}

/** Brings a message of this QoS, in 5.0 with properties if given, to a client whose session is kept, and leaves it without an acknowledgement. */
export async function hold(context: Context, qos: 1 | 2, properties?: Properties): Promise<Held> {
  const { connect, topic, clientId, now, inTime, seconds } = context;
  const session = { clientId: clientId('subscriber'), clean: false };
  const publisher = await connect({ name: 'publisher' });
  const subscriber = await connect({ ...session, name: 'subscriber' });
  await subscriber.subscribe(topic, qos);
  const sentMs = now();
  await publisher.publish({ topic, payload: 'held', qos, properties });
  if (properties?.messageExpiryInterval !== undefined) inTime(sentMs, seconds(properties.messageExpiryInterval));
  const { packetId = 0 } = await subscriber.message({ payload: 'held', qos, dup: false });
  return { publisher, subscriber, packetId, again: () => connect({ ...session, name: 'subscriber again' }) };
}

/** Until the broker has done with all that this client sent: it answers a PINGREQ, or closes. */
export async function settle(client: Peer): Promise<void> {
  await client.fence().catch(() => undefined);
}

/** Another Packet Identifier. */
export function otherThan(packetId: number): number {
  return (packetId % 65_535) + 1;
}

/**
 * A QoS 1 message comes again although its PUBACK was read. Nothing forbids that: "unacknowledged until PUBACK" (v3/4.3.2-1) and what has to
 * be sent again (v3/4.4.0-1) say what a server must keep, no rule says what it must forget, and at least once is all that QoS 1 promises.
 * For QoS 2 there is such a rule (v3/4.3.3-1). So the outcome is right, and not the preferred one.
 */
export function acknowledgedAgain({ nonStrict }: Context): void {
  nonStrict('a QoS 1 message comes again although it was acknowledged');
}

/**
 * Takes the next message, which must have this payload, and completes its handshake. In front of it a QoS 1 message may come again
 * that was acknowledged. Throws Violation.
 */
export async function receiveBehind(
  context: Context,
  client: Peer,
  acknowledged: (payload: string) => boolean,
  payload: string,
): Promise<Publish> {
  for (;;) {
    const message = await client.receive();
    if (text(message.payload) === payload) return message;
    if (message.qos !== 1 || !acknowledged(text(message.payload))) {
      context.fail(`PUBLISH with payload '${payload}'`, `PUBLISH with payload '${text(message.payload)}'`);
    }
    acknowledgedAgain(context);
  }
}
