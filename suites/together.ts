/** Many messages at once, where one after the other would take its time. */

import type { Context } from '../harness/case.ts';
import { type PublishFields, publish } from '../harness/wire/build.ts';
import type { Peer } from './session.ts';

/**
 * Publishes messages with QoS 1 in one segment, by a client that gets none itself, and waits until all are acknowledged.
 * It is set-up: an answer that does not come ends the case as could-not-run.
 */
export async function publishTogether(
  { couldNotRun }: Context,
  publisher: Peer,
  messages: readonly PublishFields[],
): Promise<void> {
  publisher.sendTogether(...messages.map((message) => publish({ ...message, qos: 1, packetId: publisher.freshId() })));
  for (let missing = messages.length; missing > 0; missing--) {
    const answer = await publisher.next();
    if (answer?.type !== 'PUBACK') couldNotRun(`${missing} of ${messages.length} messages are not acknowledged`);
  }
}
