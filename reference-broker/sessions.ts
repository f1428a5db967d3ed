/** The life of a session: which one a CONNECT gets, how long it outlives the connection, and its end (sections 3.1.2.4, 3.1.2.11.2 and 4.1). */

import type { Connect } from '../harness/wire/packet.ts';
import type { ClientConnection } from './connection.ts';
import { passOn } from './deliver.ts';
import { afterSeconds } from './expiry.ts';
import type { Server } from './server.ts';
import { Session } from './session.ts';
import { announceClients } from './sys.ts';
import { expiryApplied } from './terms.ts';
import { type End, endWill, publishPendingWill } from './will.ts';

/** The stored session, or with CleanSession 1 (5.0: Clean Start 1) a new one after the stored one is discarded (section 3.1.2.4). */
export function takeSession(
  connection: ClientConnection,
  packet: Connect,
  key: string,
): { session: Session; present: boolean } {
  const { server, dialect } = connection;
  const { version, obeys } = dialect;
  const stored = server.sessions.get(key);
  const discards = packet.clean
    ? obeys('v3/3.1.2-6#previous', 'v3/3.1.4-3#clean-session', 'v5/3.1.2-4', 'v5/3.1.4-4#clean-start')
    : !obeys('v3/3.1.2-4#resumed', 'v3/3.1.4-3#clean-session', 'v5/3.1.2-5', 'v5/3.1.4-4#clean-start');
  const expirySeconds = expiryOf(connection, packet);
  if (stored && !discards) {
    wake(stored);
    stored.version = version;
    stored.obeys = obeys;
    stored.expirySeconds = expirySeconds;
    keepParts(server, stored);
    return { session: stored, present: true };
  }
  if (stored) discard(server, stored);
  const session = new Session(key, version, obeys, expirySeconds);
  server.sessions.set(key, session);
  return { session, present: false };
}

/** CleanSession 1 of 3.1.1 ends the session with its connection, 0 never does. */
function expiryOf({ server, dialect }: ClientConnection, { clean, properties }: Connect): number {
  if (dialect.version === 'v3') return clean ? 0 : Number.POSITIVE_INFINITY;
  return expiryApplied(properties?.sessionExpiryInterval, server, dialect.obeys);
}

/** The client is back: its session does not end, and a Will that waited is not published (section 3.1.3.2.2). */
function wake(session: Session): void {
  session.cancelExpiry?.();
  session.cancelExpiry = undefined;
  if (!session.obeys('v5/3.1.3-9') || !session.cancelWill) return;
  session.cancelWill();
  session.cancelWill = undefined;
  session.will = undefined;
}

/** The Client Identifier is what sessions are known by; a client that has none gets one (section 3.1.3.1). */
export function keyOf({ server, dialect }: ClientConnection, clientId: string): string {
  const { version, obeys } = dialect;
  if (clientId === '') return server.assignIdentifier(version);
  let key = clientId;
  if (!obeys('v3/3.1.3-2#key', 'v5/3.1.3-2#key')) return 'the one client';
  if (!obeys('v3/3.1.3-2#case', 'v5/3.1.3-2#case')) key = key.toLowerCase();
  if (!obeys('v3/3.1.3-2#whole', 'v5/3.1.3-2#whole')) key = key.slice(0, -1);
  if (!obeys('v3/3.1.3.1~other-client-ids')) key = key.slice(0, 23);
  if (!obeys('v3/1.5.3-3', 'v5/1.5.4-3')) key = key.replaceAll('\uFEFF', '');
  return key;
}

/** A session that is resumed has all that sections 3.1.2.4 and 4.1 list. */
function keepParts({ subscriptions }: Server, session: Session): void {
  const { obeys } = session;
  const keeps = (part: string) =>
    obeys(`v3/4.1.0-1#${part}`, `v3/3.1.2.4~session-state-parts#${part}`, `v5/4.1~session-state-parts#${part}`);
  if (!keeps('subscriptions')) subscriptions.deleteAll(session);
  if (!keeps('in-flight')) session.inFlight.clear();
  if (!keeps('queued')) session.queue.clear();
  if (!keeps('unreleased')) session.unreleased.clear();
  if (obeys('v5/3.8.4~subscription-identifier-state#kept')) return;
  for (const [filter, { identifiers: _, ...granted }] of [...session.filters]) {
    subscriptions.set(session, filter, granted);
  }
}

/** The end of a connection: its Will, and at once or after a time the end of its session. */
export function leaveSession(connection: ClientConnection, session: Session, end: End): void {
  const { server, dialect } = connection;
  const { obeys } = dialect;
  if (session.connection !== connection) return;
  session.connection = undefined;
  session.resend.clear();
  endWill(server, session, end);
  if (!obeys('v5/4.8.2-4')) passOn(server, session, 'disconnected');
  const { expirySeconds } = session;
  const lasts =
    expirySeconds === 0 ? !obeys('v3/3.1.2-6#ends', 'v5/4.1.0-2#at-once') : obeys('v3/3.1.2-4#kept', 'v5/3.1.2-23');
  if (!lasts) discard(server, session);
  else if (expirySeconds > 0) {
    const over = obeys('v5/4.1.0-2#expired', 'v5/3.1.2.11.2~session-expiry#over');
    session.cancelExpiry = afterSeconds(server.clock, over ? expirySeconds : Number.POSITIVE_INFINITY, () =>
      discard(server, session),
    );
  }
  if (!obeys('v3/4.1~retained-kept', 'v5/4.1~session-state-parts#retained')) server.retained.clear();
  announceClients(server);
}

/** Ends a session. Retained messages are no part of it. */
function discard(server: Server, session: Session): void {
  const { obeys } = session;
  session.cancelExpiry?.();
  publishPendingWill(server, session);
  server.subscriptions.deleteAll(session);
  if (server.sessions.get(session.clientId) === session) server.sessions.delete(session.clientId);
  passOn(server, session, 'ended');
  if (!obeys('v3/3.1.2-7', 'v5/4.1~session-state-parts#retained-apart')) server.retained.clear();
}
