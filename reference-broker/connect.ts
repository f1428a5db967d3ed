/** CONNECT: what the server checks, whom it lets in, and the session that the client gets (sections 3.1 and 3.2). */

import type { RequirementId } from '../harness/spec/index.ts';
import { Malformed } from '../harness/wire/malformed.ts';
import type { Connect } from '../harness/wire/packet.ts';
import { checkTopicName } from '../harness/wire/topic.ts';
import { text } from '../harness/wire/utf8.ts';
import type { ClientConnection } from './connection.ts';
import { distribute, resume } from './deliver.ts';
import type { Server } from './server.ts';
import { Session } from './session.ts';
import { announceClients } from './sys.ts';
import { type End, endWill, messageOfWill } from './will.ts';

/** The Connect Return codes of section 3.2.2.3. */
const accepted = 0;
const unacceptableProtocolLevel = 1;
const identifierRejected = 2;
const serverUnavailable = 3;
const badUserNameOrPassword = 4;
const notAuthorised = 5;

/** Why a well-formed CONNECT is refused: its return code, and the requirement that demands this answer. */
type Refusal = readonly [code: number, by: RequirementId];

/** Section 3.1.4. Throws `Malformed` for a Will Topic that is no Topic Name. */
export function receiveConnect(connection: ClientConnection, packet: Connect): void {
  const { server } = connection;
  if (!isOurProtocol(server, packet.protocolName)) return refuseProtocol(connection, packet);
  if (packet.protocolLevel !== 4) return refuse(connection, packet, [unacceptableProtocolLevel, 'v3/3.1.2-2']);
  checkWillTopic(packet);
  const refusal = refusalOf(server, packet);
  if (refusal) return refuse(connection, packet, refusal);
  letIn(connection, packet);
}

/** Section 3.1.2.1: the name of this protocol is `MQTT`. */
function isOurProtocol({ obeys }: Server, name: string): boolean {
  if (!obeys('v3/3.1.2-1')) return true;
  return name === 'MQTT' || (name.toUpperCase() === 'MQTT' && !obeys('v3/3.1.2.1~protocol-name'));
}

/** Another protocol may be refused in silence, or with the code for a protocol level that is not supported. */
function refuseProtocol(connection: ClientConnection, packet: Connect): void {
  const silent = connection.server.choices.badConnect === 'close';
  if (silent) connection.end('refused');
  else refuse(connection, packet, [unacceptableProtocolLevel, 'v3/3.1.2-1']);
}

/** A Will is published as it is given, so its topic has to be a Topic Name (sections 3.1.3.2 and 4.7). */
function checkWillTopic({ will }: Connect): void {
  const broken = will && checkTopicName(will.topic);
  if (broken) throw new Malformed([...broken, 'v3/3.1.4-1'], 'a Will Topic that is no Topic Name', 'will.topic', 0);
}

function refusalOf(server: Server, packet: Connect): Refusal | undefined {
  const { obeys, sessions, limits } = server;
  const { clientId, clean } = packet;
  if (clientId === '' && !clean && obeys('v3/3.1.3-7')) return [identifierRejected, 'v3/3.1.3-8'];
  if (!isServedIdentifier(server, clientId)) return [identifierRejected, 'v3/3.1.3-9'];
  if (!isGoodPassword(server, packet)) return [badUserNameOrPassword, 'v3/3.1.4~refusal-closes'];
  // A client that knows nothing but the standard is served.
  if (packet.userName === undefined && !obeys('v3/7.0.0-2')) return [notAuthorised, 'v3/3.1.4~refusal-closes'];
  if (sessions.size < limits.maximumSessions || sessions.has(clientId)) return undefined;
  return [serverUnavailable, 'v3/3.1.4~refusal-closes'];
}

/** Section 3.1.3.1: which Client Identifiers are served. The empty one is replaced by one that the server makes up. */
function isServedIdentifier({ obeys, choices }: Server, clientId: string): boolean {
  if (clientId === '') return choices.emptyClientId === 'accept';
  if (!/^[0-9a-zA-Z]{1,23}$/.test(clientId)) return choices.otherClientIds === 'accept';
  if (clientId.length === 23 && !obeys('v3/3.1.3-5#length')) return false;
  if (/[A-Z]/.test(clientId) && !obeys('v3/3.1.3-5#characters')) return false;
  return obeys('v3/3.1.3-5#served');
}

/** Sections 3.1.3.4 and 3.1.3.5: a password is any bytes. */
function isGoodPassword({ obeys, credentials }: Server, { userName, password }: Connect): boolean {
  if (password && !obeys('v3/3.1.3.5~password-bytes') && !/^[ -~]+$/.test(text(password))) return false;
  if (!credentials) return true;
  return userName !== undefined && password !== undefined && credentials.get(userName) === text(password);
}

/** CONNACK with a return code, after which the connection closes and nothing that follows is read (sections 3.1.4, 3.2.2.3). */
function refuse(connection: ClientConnection, packet: Connect, [code, by]: Refusal): void {
  const { server } = connection;
  const { obeys, output } = server;
  const fitting = obeys('v3/3.2.2.3~fitting-return-code') ? code : 6;
  if (obeys(`${by}#CONNACK`)) connection.send(output.connack(!obeys('v3/3.2.2-4'), fitting));
  if (packet.will && !obeys('v3/3.1.2-8#accepted')) distribute(server, messageOfWill(packet.will, obeys));
  if (!obeys('v3/3.1.4-3#after-checks')) takeSession(connection, packet, keyOf(server, packet.clientId));
  if (!obeys('v3/3.1.4-5')) return connection.open(new Session('', true, connection.version), 0);
  if (obeys('v3/3.2.2-5', `${by}#close`)) connection.end('refused');
}

/** The steps of section 3.1.4 after the checks, in their order. */
function letIn(connection: ClientConnection, packet: Connect): void {
  const { server } = connection;
  const { obeys, output } = server;
  const key = keyOf(server, packet.clientId);
  if (obeys('v3/3.1.4-2')) server.sessions.get(key)?.connection?.end('take-over');
  const { session, present } = takeSession(connection, packet, key);
  if (packet.will) session.will = messageOfWill(packet.will, obeys);
  connection.open(session, keepAliveOf(server, packet));
  if (session.will && !obeys('v3/3.1.2-8#not-before')) distribute(server, session.will);
  // CONNACK is the first packet to the client.
  if (!obeys('v3/3.2.0-1', 'v3/3.1.4~take-over-order')) resume(connection, session);
  if (!obeys('v3/3.2.0-1#first')) connection.send(output.pingresp());
  if (obeys('v3/3.1.4-4')) connection.send(output.connack(sessionPresent(server, packet, present), accepted));
  resume(connection, session);
  announceClients(server);
}

/** Section 3.1.2.10: seconds, high byte first as every integer (section 1.5.2). */
function keepAliveOf({ obeys }: Server, { keepAlive }: Connect): number {
  return obeys('v3/1.5.2~big-endian-integers#keep-alive') ? keepAlive : (keepAlive >> 8) | ((keepAlive & 0xff) << 8);
}

/** Section 3.2.2.2. */
function sessionPresent({ obeys }: Server, { clean }: Connect, present: boolean): boolean {
  if (clean) return !obeys('v3/3.2.2-1');
  return present ? obeys('v3/3.2.2-2') : !obeys('v3/3.2.2-3');
}

/** The stored session, or with CleanSession 1 a new one after the stored one is discarded (section 3.1.2.4). */
function takeSession(
  { server, version }: ClientConnection,
  packet: Connect,
  key: string,
): { session: Session; present: boolean } {
  const { obeys, sessions } = server;
  const stored = sessions.get(key);
  const discards = packet.clean
    ? obeys('v3/3.1.2-6#previous', 'v3/3.1.4-3#clean-session')
    : !obeys('v3/3.1.2-4#resumed', 'v3/3.1.4-3#clean-session');
  if (stored && !discards) {
    stored.clean = packet.clean;
    keepParts(server, stored);
    return { session: stored, present: true };
  }
  if (stored) discard(server, stored);
  const session = new Session(key, packet.clean, version);
  sessions.set(key, session);
  return { session, present: false };
}

/** The Client Identifier is what sessions are known by; a client that has none gets one (section 3.1.3.1). */
function keyOf({ obeys, assignIdentifier }: Server, clientId: string): string {
  if (clientId === '') return assignIdentifier();
  let key = clientId;
  if (!obeys('v3/3.1.3-2#key')) return 'the one client';
  if (!obeys('v3/3.1.3-2#case')) key = key.toLowerCase();
  if (!obeys('v3/3.1.3-2#whole')) key = key.slice(0, -1);
  if (!obeys('v3/3.1.3.1~other-client-ids')) key = key.slice(0, 23);
  if (!obeys('v3/1.5.3-3')) key = key.replaceAll('\uFEFF', '');
  return key;
}

/** A session that is resumed has all that sections 3.1.2.4 and 4.1 list. */
function keepParts({ obeys, subscriptions }: Server, session: Session): void {
  const keeps = (part: string) => obeys(`v3/4.1.0-1#${part}`, `v3/3.1.2.4~session-state-parts#${part}`);
  if (!keeps('subscriptions')) subscriptions.deleteAll(session);
  if (!keeps('in-flight')) session.inFlight.clear();
  if (!keeps('queued')) session.queue.clear();
  if (!keeps('unreleased')) session.unreleased.clear();
}

/** The end of a connection: its Will, and with CleanSession 1 the end of its session. */
export function leaveSession(connection: ClientConnection, session: Session, end: End): void {
  const { server } = connection;
  const { obeys } = server;
  if (session.connection !== connection) return;
  session.connection = undefined;
  endWill(server, session, end);
  const lasts = session.clean ? !obeys('v3/3.1.2-6#ends') : obeys('v3/3.1.2-4#kept');
  if (!lasts) discard(server, session);
  if (!obeys('v3/4.1~retained-kept')) server.retained.clear();
  announceClients(server);
}

/** Ends a session. Retained messages are no part of it. */
function discard(server: Server, session: Session): void {
  server.subscriptions.deleteAll(session);
  server.sessions.delete(session.clientId);
  if (!server.obeys('v3/3.1.2-7')) server.retained.clear();
}
