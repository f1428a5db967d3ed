/** Reason Strings and User Properties that would make an answer too large for the client (MQTT 5.0, sections 3.9.2.1 and 3.11.2.1). */

import type { Context } from '../harness/case.ts';
import { encode } from '../harness/wire/encode.ts';
import type { Packet, Suback, Unsuback } from '../harness/wire/packet.ts';
import type { Peer } from './session.ts';

/** The properties that only explain. */
export const explanations = ['reasonString', 'userProperties'] as const;

export type Explanation = (typeof explanations)[number];

/** As reports call them. */
export const nameOf: Readonly<Record<Explanation, string>> = {
  reasonString: 'Reason String',
  userProperties: 'User Properties',
};

function sizeOf(packet: Packet): number {
  return encode(packet, 'v5').length;
}

/**
 * Has a client answered, and then one whose Maximum Packet Size is a byte too small for the answer with this explanation alone: it
 * gets the same codes, in a packet that is small enough. Throws Violation, also when no answer comes.
 */
export async function expectLeftOut(
  { connect, fail, notApplicable }: Context,
  which: Explanation,
  ask: (client: Peer) => Promise<Suback | Unsuback>,
): Promise<void> {
  const client = await connect({ name: 'client' });
  const answer = await ask(client);
  const { properties: given = {} } = answer;
  if (given[which] === undefined) return notApplicable(`${answer.type} has no ${nameOf[which]}`);
  // Too much even when the other explanation is left out.
  const limit = sizeOf({ ...answer, properties: { [which]: given[which] } }) - 1;
  const accepted = client.connack ? sizeOf(client.connack) : 0;
  if (limit < accepted) notApplicable(`CONNACK alone has ${accepted} bytes`);
  const small = await connect({ name: 'client of small packets', properties: { maximumPacketSize: limit } });
  const { codes, type } = await ask(small);
  // That no packet is larger is judged with every packet.
  if (codes?.join() !== answer.codes?.join()) fail(`${type} with the same codes`, `${type} with other codes`);
}
