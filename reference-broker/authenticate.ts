/**
 * Enhanced authentication (MQTT 5.0, section 4.12), with one method that is built in, that of `wire/challenge.ts`. It is there
 * so that AUTH has an implementation; challenges can be foreseen, so it protects nothing.
 */

import { proofOf } from '../harness/wire/challenge.ts';
import { Malformed } from '../harness/wire/malformed.ts';
import type { Auth, Connect } from '../harness/wire/packet.ts';
import { letIn, refuse } from './connect.ts';
import type { ClientConnection } from './connection.ts';
import { reasonCodes } from './reasons.ts';

/** The state of the exchange on a connection. */
export interface Authentication {
  /** The Authentication Method of the CONNECT, which stays that of the connection. */
  readonly method: string;
  /** The CONNECT that waits for the first proof; later ones are re-authentications. */
  pending: Connect | undefined;
  /** What the client has to answer, if it has to. */
  challenge: Uint8Array | undefined;
}

/** A CONNECT with an Authentication Method that the server has: the client is let in when it has answered. */
export function challenge(connection: ClientConnection, packet: Connect, method: string): void {
  connection.authentication = { method, pending: packet, challenge: undefined };
  connection.expectWithin(connection.server.limits.connectTimeoutMs);
  sendChallenge(connection, connection.authentication);
}

function sendChallenge(connection: ClientConnection, authentication: Authentication): void {
  const { obeys, output } = connection.dialect;
  authentication.challenge = connection.server.newChallenge();
  const code = obeys('v5/4.12.0-2') ? reasonCodes.continueAuthentication : reasonCodes.success;
  connection.send(output.auth(code, { ...methodOf(connection), authenticationData: authentication.challenge }));
}

/** Every AUTH repeats the method. */
function methodOf({ authentication, dialect }: ClientConnection): { authenticationMethod?: string } {
  const repeats = authentication && dialect.obeys('v5/4.12.0-5#AUTH');
  return repeats ? { authenticationMethod: authentication.method } : {};
}

/** Section 3.15. Throws `Malformed` for an AUTH that does not belong there. */
export function receiveAuth(connection: ClientConnection, packet: Auth): void {
  const { authentication, server } = connection;
  if (!authentication) {
    throw fault(['v5/3.15~auth-without-method', 'v5/4.12.0-7'], 'AUTH without an Authentication Method in CONNECT');
  }
  const { authenticationMethod: method, authenticationData = new Uint8Array(0) } = packet.properties ?? {};
  if (method === undefined) throw fault(['v5/3.15.2.2.2~auth-method-missing'], 'AUTH without Authentication Method');
  if (method !== authentication.method) {
    throw fault(['v5/3.15~auth-without-method', 'v5/4.12.1-1', 'v5/4.12.0-5'], `another method: ${method}`);
  }
  if (packet.code === reasonCodes.reauthenticate) return reauthenticate(connection, authentication);
  if (packet.code !== reasonCodes.continueAuthentication || !authentication.challenge) {
    throw fault(['v5/4.12.0-3', 'v5/3.15.2-1'], `an AUTH with ${packet.code} that answers nothing`);
  }
  const proof = proofOf(authentication.challenge, server.secret ?? '');
  authentication.challenge = undefined;
  if (proof.length === authenticationData.length && Buffer.compare(proof, authenticationData) === 0) accept(connection);
  else reject(connection);
}

/** Section 4.12.1: at any time after CONNACK, while all else goes on. */
function reauthenticate(connection: ClientConnection, authentication: Authentication): void {
  if (authentication.pending) throw fault(['v5/4.12.0-3'], 're-authentication before CONNACK');
  if (connection.dialect.obeys('v5/4.12.1~reauthentication')) sendChallenge(connection, authentication);
}

function accept(connection: ClientConnection): void {
  const { authentication, dialect } = connection;
  const connect = authentication?.pending;
  if (!connect) return connection.send(dialect.output.auth(reasonCodes.success, methodOf(connection)));
  authentication.pending = undefined;
  letIn(connection, connect);
}

function reject(connection: ClientConnection): void {
  const { authentication, dialect } = connection;
  const connect = authentication?.pending;
  if (connect) {
    if (dialect.obeys('v5/4.12.0-4')) refuse(connection, connect, [reasonCodes.notAuthorized, 'v5/4.12.0-4']);
    else accept(connection);
  } else if (dialect.obeys('v5/4.12.1-2')) connection.end('protocol error', reasonCodes.notAuthorized);
}

function fault(requirements: Malformed['requirements'], reason: string): Malformed {
  return new Malformed(requirements, reason, 'header', 0, reasonCodes.protocolError);
}
