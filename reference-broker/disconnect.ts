/** DISCONNECT from the client: nothing that follows is read, and the Will is discarded unless it is asked for (section 3.14). */

import { Malformed } from '../harness/wire/malformed.ts';
import type { Disconnect } from '../harness/wire/packet.ts';
import type { ClientConnection } from './connection.ts';
import { reasonCodes } from './reasons.ts';
import type { Session } from './session.ts';
import { expiryApplied } from './terms.ts';

/** Section 3.14.4. Throws `Malformed` for a Session Expiry Interval after a CONNECT that had none. */
export function receiveDisconnect(connection: ClientConnection, session: Session, packet: Disconnect): void {
  const { version, obeys } = connection.dialect;
  if (version === 'v5') setExpiry(connection, session, packet);
  // What is left out of the packet is 0x00, and no properties.
  const isShort = packet.properties === undefined;
  if (isShort && !obeys('v5/3.14.2.1~disconnect-lengths')) return connection.end('network');
  // Any reason but a normal disconnection leaves the Will to be published.
  if ((packet.code ?? reasonCodes.success) !== reasonCodes.success) return connection.end('DISCONNECT with will');
  if (obeys('v3/3.14.4-2', 'v5/3.14.4-1#behind'))
    connection.end(obeys('v3/3.14.4-3', 'v5/3.14.4-3') ? 'DISCONNECT' : 'network');
  else session.will = undefined;
}

/** A client may have its session kept for another time than it said first, but not when it said that it wants none. */
function setExpiry({ server, dialect }: ClientConnection, session: Session, { properties }: Disconnect): void {
  const { obeys } = dialect;
  const asked = properties?.sessionExpiryInterval;
  if (asked === undefined) return;
  if (asked > 0 && session.expirySeconds === 0) {
    const rule = 'v5/3.14.2.2.2~disconnect-session-expiry';
    const reason = 'a Session Expiry Interval after a CONNECT without';
    throw new Malformed([rule], reason, 'properties.sessionExpiryInterval', 0, reasonCodes.protocolError);
  }
  if (obeys('v5/3.14.2.2.2~disconnect-session-expiry#applied')) {
    session.expirySeconds = expiryApplied(asked, server, obeys);
  }
}
