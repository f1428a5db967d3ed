/** What a server of MQTT 5.0 announces of itself in CONNACK (section 3.2.2.3). */

import type { Context } from '../harness/case.ts';
import { encode } from '../harness/wire/encode.ts';
import type { Connect, Properties } from '../harness/wire/packet.ts';
import type { Peer } from './session.ts';

/** What a client is told about the server. */
export function told({ connack }: Peer): Properties {
  return connack?.properties ?? {};
}

/** What a server of 5.0 announces, with what is assumed if it says nothing. */
export function limitsOf(
  client: Peer,
): Required<Pick<Properties, 'maximumQoS' | 'receiveMaximum' | 'maximumPacketSize' | 'topicAliasMaximum'>> {
  const {
    maximumQoS = 2,
    receiveMaximum = 65_535,
    maximumPacketSize = 268_435_460,
    topicAliasMaximum = 0,
  } = told(client);
  return { maximumQoS, receiveMaximum, maximumPacketSize, topicAliasMaximum };
}

/**
 * A CONNECT goes out before the client is told how large a packet may be: one that is large is tried only on a server that has told
 * another client to take it.
 */
export async function checkTaken({ connect, version, notApplicable }: Context, packet: Connect): Promise<void> {
  const size = encode(packet, version).length;
  if (version === 'v3' || size < 500) return;
  const before = await connect({ name: 'client before' }).catch(() => undefined);
  // That such a client is let in is the matter of other cases.
  const { maximumPacketSize } = before ? limitsOf(before) : { maximumPacketSize: size };
  if (size > maximumPacketSize)
    notApplicable(`CONNACK has Maximum Packet Size ${maximumPacketSize}, and this CONNECT has ${size} bytes`);
}

/** What comes next is the message of another client. Throws Violation. */
export async function expectFence({ connect, topic }: Context, watcher: Peer): Promise<void> {
  const other = await connect({ name: 'other' });
  await other.publish({ topic, payload: 'fence' });
  await watcher.receive({ topic, payload: 'fence' });
}
