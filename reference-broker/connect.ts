/** CONNECT: what the server checks, and whom it lets in (sections 3.1 and 3.2). */

import type { RequirementId, Version } from '../harness/spec/index.ts';
import { challengeMethod } from '../harness/wire/challenge.ts';
import { Malformed } from '../harness/wire/malformed.ts';
import type { Connect } from '../harness/wire/packet.ts';
import { checkTopicName } from '../harness/wire/topic.ts';
import { text } from '../harness/wire/utf8.ts';
import { challenge } from './authenticate.ts';
import type { ClientConnection } from './connection.ts';
import { distribute, resume } from './deliver.ts';
import { isText } from './form.ts';
import type { Obeys } from './obeys.ts';
import { reasonCodes } from './reasons.ts';
import type { Server } from './server.ts';
import { Session } from './session.ts';
import { keyOf, takeSession } from './sessions.ts';
import { announceClients } from './sys.ts';
import { announcement } from './terms.ts';
import { messageOfWill, willOf } from './will.ts';

/** The Connect Return codes of 3.1.1, section 3.2.2.3. */
const returnCodes = {
  unacceptableProtocolLevel: 1,
  identifierRejected: 2,
  serverUnavailable: 3,
  badUserNameOrPassword: 4,
  notAuthorised: 5,
} as const;

/** Why a well-formed CONNECT is refused: the code for it, and the requirement that demands this answer. */
type Refusal = readonly [code: number, by: RequirementId];

/** What the server says to whom it does not let in, in both versions. */
const refusals = {
  identifier: {
    v3: [returnCodes.identifierRejected, 'v3/3.1.3-9'],
    v5: [reasonCodes.clientIdentifierNotValid, 'v5/3.1.3-8'],
  },
  credentials: {
    v3: [returnCodes.badUserNameOrPassword, 'v3/3.1.4~refusal-closes'],
    v5: [reasonCodes.badUserNameOrPassword, 'v5/3.1.4-2'],
  },
  notAuthorised: {
    v3: [returnCodes.notAuthorised, 'v3/3.1.4~refusal-closes'],
    v5: [reasonCodes.notAuthorized, 'v5/3.1.4-2'],
  },
  unavailable: {
    v3: [returnCodes.serverUnavailable, 'v3/3.1.4~refusal-closes'],
    v5: [reasonCodes.serverUnavailable, 'v5/3.1.4-2'],
  },
} as const satisfies Record<string, Record<Version, Refusal>>;

/** Section 3.1.4. Throws `Malformed` for a Will Topic that is no Topic Name. */
export function receiveConnect(connection: ClientConnection, packet: Connect): void {
  const { server, dialect } = connection;
  if (!isOurProtocol(server, packet)) return refuseProtocol(connection, packet);
  if (levelOf[dialect.version] !== packet.protocolLevel) return refuseLevel(connection, packet);
  checkWillTopic(packet, dialect.version);
  const refusal = refusalOf(server, packet, dialect.version, dialect.obeys) ?? willRefusal(connection, packet);
  if (refusal) return refuse(connection, packet, refusal);
  const method = packet.properties?.authenticationMethod;
  if (method === undefined) return letIn(connection, packet);
  const has = server.secret !== undefined && method === challengeMethod;
  if (has) challenge(connection, packet, method);
  else refuse(connection, packet, [reasonCodes.badAuthenticationMethod, 'v5/4.12.0-1']);
}

/** The Protocol Levels that are served (section 3.1.2.2). */
const levelOf: Readonly<Record<Version, number>> = { v3: 4, v5: 5 };

/** Section 3.1.2.1: the name of this protocol is `MQTT`. */
function isOurProtocol({ obeysIn }: Server, { protocolName, protocolLevel }: Connect): boolean {
  const obeys = obeysIn[protocolLevel === levelOf.v5 ? 'v5' : 'v3'];
  if (!obeys('v3/3.1.2-1', 'v5/3.1.2-1')) return true;
  if (protocolName === 'MQTT') return true;
  return protocolName.toUpperCase() === 'MQTT' && !obeys('v3/3.1.2.1~protocol-name', 'v5/3.1.2-1#case');
}

/** Another protocol may be refused in silence, or with the code for a protocol level that is not supported. */
function refuseProtocol(connection: ClientConnection, packet: Connect): void {
  const { server, dialect } = connection;
  if (dialect.version === 'v5') {
    return refuse(connection, packet, [reasonCodes.unsupportedProtocolVersion, 'v5/3.1.2-1']);
  }
  if (server.choices.badConnect === 'close') connection.end('refused');
  else refuse(connection, packet, [returnCodes.unacceptableProtocolLevel, 'v3/3.1.2-1']);
}

/** A level that is neither of the two is answered in the form of 3.1.1, which demands an answer. */
function refuseLevel(connection: ClientConnection, packet: Connect): void {
  const { server } = connection;
  if (server.obeys('v5/3.1.2-2')) {
    return refuse(connection, packet, [returnCodes.unacceptableProtocolLevel, 'v3/3.1.2-2']);
  }
  connection.send(connection.dialect.output.connack(false, returnCodes.unacceptableProtocolLevel));
}

/** A Will is published as it is given, so its topic has to be a Topic Name (sections 3.1.3.2 and 4.7). */
function checkWillTopic({ will }: Connect, version: Version): void {
  const broken = will && checkTopicName(will.topic, version);
  if (!broken) return;
  const rule = version === 'v3' ? 'v3/3.1.4-1' : 'v5/3.1.4-1';
  const reason = 'a Will Topic that is no Topic Name';
  throw new Malformed([...broken, rule], reason, 'will.topic', 0, reasonCodes.topicNameInvalid);
}

function refusalOf(server: Server, packet: Connect, version: Version, obeys: Obeys): Refusal | undefined {
  const { sessions, limits } = server;
  const { clientId, clean } = packet;
  const needsIdentifier = version === 'v3' && clientId === '' && !clean;
  if (needsIdentifier && obeys('v3/3.1.3-7')) return [returnCodes.identifierRejected, 'v3/3.1.3-8'];
  if (!isServedIdentifier(server, clientId, obeys)) return refusals.identifier[version];
  const isPasswordAlone = packet.password !== undefined && packet.userName === undefined;
  if (isPasswordAlone && !obeys('v5/3.1.2.9~password-without-user-name'))
    return [reasonCodes.protocolError, 'v5/3.1.4-2'];
  if (!isGoodPassword(server, packet, obeys)) return refusals.credentials[version];
  // A client that knows nothing but the standard is served.
  if (packet.userName === undefined && !obeys('v3/7.0.0-2')) return refusals.notAuthorised[version];
  if (!clean && !sessions.has(clientId) && !obeys('v5/3.1.2-6')) return refusals.unavailable[version];
  return sessions.size < limits.maximumSessions || sessions.has(clientId) ? undefined : refusals.unavailable[version];
}

/** Section 3.1.3.1: which Client Identifiers are served. The empty one is replaced by one that the server makes up. */
function isServedIdentifier({ choices }: Server, clientId: string, obeys: Obeys): boolean {
  if (clientId === '') return choices.emptyClientId === 'accept';
  if (!/^[0-9a-zA-Z]{1,23}$/.test(clientId)) return choices.otherClientIds === 'accept';
  if (clientId.length === 23 && !obeys('v3/3.1.3-5#length', 'v5/3.1.3-5#length')) return false;
  if (/[A-Z]/.test(clientId) && !obeys('v3/3.1.3-5#characters', 'v5/3.1.3-5#characters')) return false;
  return obeys('v3/3.1.3-5#served', 'v5/3.1.3-5#served');
}

/** Sections 3.1.3.4 and 3.1.3.5 (3.1.3.6 in 5.0): a password is any bytes, and in 5.0 it needs no user name. */
function isGoodPassword({ credentials }: Server, { userName, password }: Connect, obeys: Obeys): boolean {
  if (password && !obeys('v3/3.1.3.5~password-bytes') && !/^[ -~]+$/.test(text(password))) return false;
  if (!credentials) return true;
  return userName !== undefined && password !== undefined && credentials.get(userName) === text(password);
}

/** A Will that the server has announced not to publish as it is, or that is not what it says (sections 3.2.2.3.4, 3.2.2.3.5, 3.1.3.2.3). */
function willRefusal({ server, dialect }: ClientConnection, { will }: Connect): Refusal | undefined {
  const { limits, choices } = server;
  // What a client of 3.1.1 cannot be told does not concern it.
  if (!will || dialect.version === 'v3') return undefined;
  if (will.qos > limits.maximumQoS) return [reasonCodes.qosNotSupported, 'v5/3.2.2-12'];
  if (will.retain && !limits.retainAvailable) return [reasonCodes.retainNotSupported, 'v5/3.2.2-13'];
  if (will.properties?.payloadFormatIndicator !== 1 || choices.payloadFormat === 'unchecked') return undefined;
  if (isText(will.payload)) return undefined;
  return [reasonCodes.payloadFormatInvalid, 'v5/3.1.3.2.3~will-payload-format'];
}

/** CONNACK with a code, after which the connection closes and nothing that follows is read (sections 3.1.4, 3.2.2.3). */
export function refuse(connection: ClientConnection, packet: Connect, [code, by]: Refusal): void {
  const { server, dialect } = connection;
  const { version, obeys, output } = dialect;
  const fitting = obeys('v3/3.2.2.3~fitting-return-code') ? code : 6;
  const answers = version === 'v3' ? obeys(`${by}#CONNACK`) : server.choices.errorAnswer === 'send';
  if (version === 'v5' && !obeys('v5/3.14.0-1')) connection.send(output.disconnect(code));
  if (answers) connection.send(output.connack(!obeys('v3/3.2.2-4', 'v5/3.2.2-6'), fitting));
  if (packet.will && !obeys('v3/3.1.2-8#accepted', 'v5/3.1.2-8#accepted')) {
    distribute(server, messageOfWill(packet.will, obeys, server.clock.now()));
  }
  if (!obeys('v3/3.1.4-3#after-checks', 'v5/3.1.4-4#after-checks')) {
    takeSession(connection, packet, keyOf(connection, packet.clientId));
  }
  const ignores = obeys('v3/3.1.4-5', 'v5/3.1.4-6');
  if (!ignores) return connection.open(new Session('', version, obeys, 0), 0);
  const closes = answers ? obeys('v5/3.2.2-7', 'v5/4.13.2-1#CONNACK') : true;
  if (closes && obeys('v3/3.2.2-5', `${by}#close`)) connection.end('refused');
}

/** The steps of section 3.1.4 after the checks, in their order. */
export function letIn(connection: ClientConnection, packet: Connect): void {
  const { server, dialect } = connection;
  const { version, obeys, output } = dialect;
  const key = keyOf(connection, packet.clientId);
  if (obeys('v3/3.1.4-2', 'v5/3.1.4-3')) server.sessions.get(key)?.connection?.end('take-over');
  const { session, present } = takeSession(connection, packet, key);
  if (packet.will) session.will = willOf(packet.will, obeys);
  connection.open(session, keepAliveOf(server, packet, version, obeys));
  if (session.will && !obeys('v3/3.1.2-8#not-before', 'v5/3.1.2-8#not-before')) {
    distribute(server, messageOfWill(session.will.will, obeys, server.clock.now()));
  }
  // CONNACK is the first packet to the client.
  if (!obeys('v3/3.2.0-1', 'v3/3.1.4~take-over-order', 'v5/3.2.0-1')) resume(connection, session);
  if (!obeys('v3/3.2.0-1#first', 'v5/3.2.0-1#first')) connection.send(output.pingresp());
  const properties = version === 'v5' ? announcement(server, packet, session, obeys) : undefined;
  const connack = output.connack(sessionPresent(packet, present, obeys), reasonCodes.success, properties);
  // Whom the server cannot tell that it lets them in it cannot let in.
  if (connack.length > dialect.terms.maximumPacketSize && obeys('v5/3.1.2-24')) return connection.end('refused');
  if (obeys('v3/3.1.4-4', 'v5/3.1.4-5')) connection.send(connack);
  if (!obeys('v5/3.2.0-2')) connection.send(connack);
  resume(connection, session);
  announceClients(server);
}

/** Section 3.2.2.2; 3.2.2.1.1 in 5.0. */
function sessionPresent({ clean }: Connect, present: boolean, obeys: Obeys): boolean {
  if (clean) return !obeys('v3/3.2.2-1', 'v5/3.2.2-2');
  return present ? obeys('v3/3.2.2-2', 'v5/3.2.2-3#present') : !obeys('v3/3.2.2-3', 'v5/3.2.2-3#absent');
}

/**
 * Section 3.1.2.10: seconds, high byte first as every integer (section 1.5.2). The server may demand its own Keep Alive
 * of a client that can be told so (section 3.2.2.3.14).
 */
function keepAliveOf({ limits }: Server, { keepAlive }: Connect, version: Version, obeys: Obeys): number {
  if (!obeys('v3/1.5.2~big-endian-integers#keep-alive', 'v5/3.1.2-22#big-endian'))
    return (keepAlive >> 8) | ((keepAlive & 0xff) << 8);
  const own = version === 'v5' ? limits.serverKeepAlive : undefined;
  if (own === undefined) return obeys('v5/3.2.2-22') ? keepAlive : 1;
  return obeys('v5/3.2.2.3.14~server-keep-alive') ? own : keepAlive;
}
