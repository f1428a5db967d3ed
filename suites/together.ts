/** Many messages at once, where one after the other would take its time. */

import type { Context } from '../harness/case.ts';
import { type PublishFields, publish } from '../harness/wire/build.ts';
import type { Peer } from './session.ts';

/** How many QoS 1 and 2 messages the broker takes at a time from this client (5.0, section 3.2.2.3.3). */
export function receiveMaximumOf({ connack }: Peer): number {
  return connack?.properties?.receiveMaximum ?? 65_535;
}

/**
 * Publishes messages with QoS 1 in one segment, by a client that gets none itself, and waits until all are acknowledged; fewer at a time where the broker
 * takes no more (5.0).
 * It is set-up: an answer that does not come ends the case as could-not-run.
 */
export async function publishTogether(
  { couldNotRun }: Context,
  publisher: Peer,
  messages: readonly PublishFields[],
): Promise<void> {
  const atOnce = receiveMaximumOf(publisher);
  for (let begin = 0; begin < messages.length; begin += atOnce) {
    const some = messages.slice(begin, begin + atOnce);
    publisher.sendTogether(...some.map((message) => publish({ ...message, qos: 1, packetId: publisher.freshId() })));
    for (let missing = some.length; missing > 0; missing--) {
      const answer = await publisher.next();
      if (answer?.type !== 'PUBACK') couldNotRun(`${missing} of ${some.length} messages are not acknowledged`);
    }
  }
}
