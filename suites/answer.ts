/** What a connection answers that the broker may just as well close. */

import type { Context } from '../harness/case.ts';
import type { RequirementId } from '../harness/spec/index.ts';
import type { Packet } from '../harness/wire/packet.ts';
import type { Peer } from './session.ts';

/**
 * The next packet, taken, or undefined when the connection closes instead, in 5.0 with or without a DISCONNECT. Throws Violation when
 * neither happens in time.
 */
export async function answerOrClose(
  { fail }: Context,
  client: Peer,
  expected: string | readonly string[],
  ...requirements: readonly RequirementId[]
): Promise<Packet | undefined> {
  const answer = await client.next();
  if (!answer && !(await client.isClosed(0)))
    fail(expected, 'no answer, and the connection stays open', ...requirements);
  if (answer?.type !== 'DISCONNECT') return answer;
  await client.expectClose();
  return undefined;
}
