/** What a server of MQTT 5.0 announces of itself in CONNACK (section 3.2.2.3). */

import type { Context } from '../harness/case.ts';
import type { Properties } from '../harness/wire/packet.ts';
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

/** What comes next is the message of another client. Throws Violation. */
export async function expectFence({ connect, topic }: Context, watcher: Peer): Promise<void> {
  const other = await connect({ name: 'other' });
  await other.publish({ topic, payload: 'fence' });
  await watcher.receive({ topic, payload: 'fence' });
}
