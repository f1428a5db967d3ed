/** A message from the server that a client has read and not acknowledged: what has to come again on its next connection. */

import type { Context } from '../harness/case.ts';
import type { Properties } from '../harness/wire/packet.ts';
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
export async function hold({ connect, topic, clientId }: Context, qos: 1 | 2, properties?: Properties): Promise<Held> {
  const session = { clientId: clientId('subscriber'), clean: false };
  const publisher = await connect({ name: 'publisher' });
  const subscriber = await connect({ ...session, name: 'subscriber' });
  await subscriber.subscribe(topic, qos);
  await publisher.publish({ topic, payload: 'held', qos, properties });
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
