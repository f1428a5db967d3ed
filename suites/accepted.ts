/** A PUBLISH whose acceptance is what a case judges, not its set-up. */

import type { Context } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import { type PublishFields, publish, pubrel } from '../harness/wire/build.ts';
import type { Peer } from './session.ts';

/**
 * Publishes and completes the handshake. Throws Violation when the server does not answer, or in 5.0 with a Reason Code that refuses
 * the message.
 */
export async function publishAccepted({ fail }: Context, publisher: Peer, message: PublishFields): Promise<void> {
  const { qos = 0, packetId = publisher.freshId() } = message;
  publisher.send(publish({ ...message, packetId }));
  if (qos === 0) return;
  const answer = await publisher.expect(qos === 1 ? 'PUBACK' : 'PUBREC', { packetId });
  const { code: reason = 0 } = answer;
  if (reason >= 0x80) fail(`${answer.type} that accepts the message`, `${answer.type} ${code(reason)}`);
  if (qos === 1) return;
  publisher.send(pubrel(packetId));
  await publisher.expect('PUBCOMP', { packetId });
}
