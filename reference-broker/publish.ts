/** The receiving side of PUBLISH: topic, payload, and the answer that its QoS demands (sections 3.3 and 4.3). */

import type { RequirementId, Version } from '../harness/spec/index.ts';
import { Malformed } from '../harness/wire/malformed.ts';
import type { Publish } from '../harness/wire/packet.ts';
import type { ClientConnection } from './connection.ts';
import { distribute } from './deliver.ts';
import { hasExpired } from './expiry.ts';
import { isText } from './form.ts';
import { forwarded, type Message, message } from './message.ts';
import type { Obeys } from './obeys.ts';
import { reasonCodes } from './reasons.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import { asGiven, hasWildcard } from './topics.ts';

/** A message from a client, and what the server makes of it. */
interface Received {
  readonly packetId: number;
  /** Undefined for one that the client may not send. */
  readonly accepted: Message | undefined;
  /** For the acknowledgement in 5.0. */
  readonly code: number;
}

/** Section 3.3. Throws `Malformed` for a topic with wildcards, and in 5.0 for what the server has announced not to take. */
export function receivePublish(connection: ClientConnection, session: Session, packet: Publish): void {
  const { server, dialect } = connection;
  const { version, obeys } = dialect;
  const { packetId = 0 } = packet;
  const topic = version === 'v5' ? dialect.aliases.topicOf(packet) : packet.topic;
  checkTopic(topic, version);
  if (version === 'v5') checkAnnounced(connection, packet);
  else if (packet.qos > server.choices.grantedQoS && server.choices.greaterQoS === 'close') {
    return connection.end('protocol error');
  }
  const received = messageOf(server, packet, topic, obeys);
  const refusal = refusalOf(server, received, obeys);
  const isClosing = refusal === reasonCodes.notAuthorized && server.choices.dollarTopics === 'close';
  if (isClosing) return connection.end('protocol error', refusal);
  if (
    refusal === reasonCodes.payloadFormatInvalid &&
    (packet.qos === 0 || server.choices.payloadFormat === 'DISCONNECT')
  ) {
    return connection.end('protocol error', refusal);
  }
  // What a client may not publish is acknowledged as usual, in 5.0 with a code that says so, or the connection is closed.
  if (refusal !== undefined && !obeys('v3/3.3.5-2', 'v5/3.4.2.1~publish-forbidden#answered')) return;
  const isGuarded = obeys('v3/4.7.2~dollar-topics-guarded', 'v5/4.7.2~dollar-topics-guarded');
  const isDropped = refusal === reasonCodes.notAuthorized ? isGuarded : refusal !== undefined;
  const accepted = isDropped ? undefined : received;
  // Clients and server choose their identifiers independently of each other.
  const isIndependent = obeys('v3/2.3.1~independent-identifiers', 'v5/2.2.1~independent-identifiers');
  if (!isIndependent && session.inFlight.has(packetId)) return;
  if (packetId > 0x7fff && !obeys('v3/2.3.1~identifier-reuse#range')) return;
  if (packet.qos === 0) return receiveAtMostOnce(connection, session, accepted);
  const code = version === 'v5' ? codeFor(session, server, refusal, received) : reasonCodes.success;
  if (packet.qos === 1) receiveAtLeastOnce(connection, session, { packetId, accepted, code });
  else receiveExactlyOnce(connection, session, { packetId, accepted, code });
}

/** Section 4.7: wildcards are for Topic Filters. */
function checkTopic(topic: string, version: Version): void {
  if (!hasWildcard(topic)) return;
  throw new Malformed(wildcardRules[version], 'a Topic Name with a wildcard', 'topic', 0, reasonCodes.topicNameInvalid);
}

const wildcardRules = {
  v3: ['v3/3.3.2-2', 'v3/4.7.1-1'],
  v5: ['v5/3.3.2-2', 'v5/4.7.0-1'],
} as const satisfies Record<Version, readonly RequirementId[]>;

/** What a client of 5.0 was told in CONNACK not to send; also a Response Topic that is none. */
function checkAnnounced(
  { server, dialect }: ClientConnection,
  { qos, retain, properties, packetId = 0 }: Publish,
): void {
  const { limits } = server;
  if (qos > limits.maximumQoS) {
    const rules = ['v5/3.2.2.3.4~maximum-qos-exceeded', 'v5/3.2.2-11'] as const;
    throw new Malformed(rules, `QoS ${qos} of ${limits.maximumQoS}`, 'header', 0, reasonCodes.qosNotSupported);
  }
  if (retain && !limits.retainAvailable) {
    const rules = ['v5/3.2.2.3.5~retain-unavailable', 'v5/3.2.2-14'] as const;
    throw new Malformed(rules, 'RETAIN 1', 'header', 0, reasonCodes.retainNotSupported);
  }
  if (hasWildcard(properties?.responseTopic ?? '')) {
    const reason = 'a Response Topic with a wildcard';
    throw new Malformed(['v5/3.3.2-14'], reason, 'properties.responseTopic', 0, reasonCodes.protocolError);
  }
  if (qos > 0) dialect.receiveQuota.receive(packetId, qos as 1 | 2);
}

/** The message of a PUBLISH, with topic and payload as they came. Its payload is a copy if it may outlive the packet. */
function messageOf({ choices, clock }: Server, packet: Publish, topic: string, obeys: Obeys): Message {
  const outlives = packet.qos > 0 || packet.retain || choices.qos0Offline === 'queue';
  const payload = unchanged(packet.payload, obeys);
  const seconds = packet.properties?.messageExpiryInterval;
  const { qos, retain, dup } = packet;
  return message({
    qos,
    retain,
    dup,
    topic: asGiven(topic, obeys),
    payload: outlives ? Buffer.from(payload) : payload,
    properties: packet.properties && forwarded(packet, obeys),
    expiry: seconds === undefined ? undefined : { seconds, since: clock.now() },
  });
}

/** The payload is opaque: any bytes, any number of them (section 3.3.3). */
function unchanged(payload: Uint8Array, obeys: Obeys): Uint8Array {
  let given = payload;
  if (!obeys('v3/3.3.3~payload-opaque', 'v5/3.3.3~payload-opaque'))
    given = new TextEncoder().encode(new TextDecoder().decode(given));
  if (!obeys('v3/2.2.3~remaining-length-borders')) given = given.subarray(0, 100);
  if (!obeys('v3/7.1.1-1')) given = given.subarray(0, 0xffff);
  return given;
}

/** Why a message is not handed on, if it is not. */
function refusalOf(server: Server, { topic, payload, properties }: Message, obeys: Obeys): number | undefined {
  if (!mayPublish(server, topic)) return reasonCodes.notAuthorized;
  if (payload.length === 0 && !obeys('v5/3.3.3~empty-payload')) return reasonCodes.implementationSpecificError;
  const claimsText = properties?.payloadFormatIndicator === 1 && server.choices.payloadFormat !== 'unchecked';
  const isRefused = claimsText && isText(payload) !== obeys('v5/3.3.2.3.2~payload-format-checked');
  return isRefused ? reasonCodes.payloadFormatInvalid : undefined;
}

/** Whether clients may publish to a topic: those that begin with `$` are the server's own (section 4.7.2). */
export function mayPublish({ choices, denied }: Server, topic: string): boolean {
  if (denied?.forbidsTopic(topic)) return false;
  return !topic.startsWith('$') || choices.dollarTopics === 'deliver';
}

/** The Reason Code of PUBACK or PUBREC (section 3.4.2.1). */
function codeFor(session: Session, server: Server, refusal: number | undefined, { topic }: Message): number {
  const { obeys } = session;
  if (refusal !== undefined) return obeys('v5/3.4.2.1~publish-forbidden#code') ? refusal : reasonCodes.success;
  const nobody = !server.subscriptions.matchesAny(topic, session) || !obeys('v5/3.4.2.1~no-matching-subscribers');
  return nobody && server.choices.noSubscribers === '0x10' ? reasonCodes.noMatchingSubscribers : reasonCodes.success;
}

function receiveAtMostOnce(connection: ClientConnection, session: Session, accepted: Message | undefined): void {
  const { server, dialect } = connection;
  if (accepted) distribute(server, accepted, session);
  if (!dialect.obeys('v3/3.3.4-1#none', 'v5/3.3.4-1#none'))
    connection.send(dialect.output.acknowledgement('PUBACK', 1));
}

/** Section 4.3.2. Once PUBACK is sent, the identifier stands for a new message, whatever DUP says. */
function receiveAtLeastOnce(connection: ClientConnection, session: Session, received: Received): void {
  const { server, dialect } = connection;
  const { choices } = server;
  const { obeys, output } = dialect;
  const { packetId, accepted, code } = received;
  const acknowledge = () => {
    if (!obeys('v3/3.3.4-1#PUBACK', 'v3/4.3.2-2#PUBACK', 'v5/3.3.4-1#PUBACK', 'v5/4.3.2-4#PUBACK')) return;
    connection.send(output.acknowledgement('PUBACK', packetId, code), obeys('v3/4.6.0-2'));
  };
  if (choices.acknowledge === 'first') acknowledge();
  const isNew = obeys('v3/4.3.2-2#new', 'v5/4.3.2-5') || !session.unreleased.has(packetId);
  if (!obeys('v3/4.3.2-2#new', 'v5/4.3.2-5')) session.unreleased.set(packetId, {});
  const isRepeat = accepted?.dup && !obeys('v3/3.3.1.1~dup-is-no-proof', 'v5/4.3.2-5#dup');
  if (accepted && isNew && !isRepeat) distribute(server, accepted, session);
  if (choices.acknowledge === 'last') acknowledge();
}

/** Section 4.3.3. An identifier not yet released marks a retransmission: it is acknowledged again and not handed on again. */
function receiveExactlyOnce(connection: ClientConnection, session: Session, received: Received): void {
  const { server, dialect } = connection;
  const { obeys, output } = dialect;
  const { packetId, accepted, code } = received;
  const retransmitted = session.unreleased.has(packetId) && obeys('v3/4.3.3-2#once', 'v5/4.3.3-10#once');
  const isRepeat = accepted?.dup && !obeys('v3/3.3.1.1~dup-is-no-proof', 'v5/4.3.3-12#dup');
  const handOn = accepted && !retransmitted && !isRepeat ? accepted : undefined;
  const acknowledge = () => {
    if (!obeys('v3/3.3.4-1#PUBREC', 'v3/4.3.3-2#PUBREC', 'v5/3.3.4-1#PUBREC', 'v5/4.3.3-8#PUBREC')) return;
    if (retransmitted && !obeys('v3/4.3.3-2#PUBREC-again', 'v5/4.3.3-10#PUBREC')) return;
    connection.send(output.acknowledgement('PUBREC', packetId, code), obeys('v3/4.6.0-3'));
  };
  const onPublish = server.choices.deliverOn === 'PUBLISH' || !obeys('v3/4.3.3~delivery-method');
  const onPubrel = server.choices.deliverOn === 'PUBREL' || !obeys('v3/4.3.3~delivery-method');
  if (server.choices.acknowledge === 'first') acknowledge();
  if (handOn && onPublish) distribute(server, handOn, session);
  // A message that is refused is not waited for: its identifier stands for a new one.
  const isRefused = code >= 0x80 && obeys('v5/4.3.3-9');
  if (isRefused) dialect.receiveQuota.complete(packetId);
  else if (!retransmitted) {
    session.unreleased.set(packetId, { waiting: onPubrel ? handOn : undefined, expiry: handOn?.expiry });
  }
  if (server.choices.acknowledge === 'last') acknowledge();
}

/**
 * PUBREL: the identifier is free for a new message. It is answered even if it is unknown, for it may be a repetition
 * (section 4.3.3), and even if the message has expired.
 */
export function receivePubrel(connection: ClientConnection, session: Session, packetId: number): void {
  const { server, dialect } = connection;
  const { obeys, output } = dialect;
  const unreleased = session.unreleased.get(packetId);
  const now = server.clock.now();
  if (obeys('v3/4.3.3-2#release', 'v3/2.3.1~identifier-reuse#release', 'v5/4.3.3-12')) {
    session.unreleased.delete(packetId);
  }
  dialect.receiveQuota.complete(packetId);
  const isOver = hasExpired(unreleased?.expiry, now) && obeys('v5/3.3.2-5');
  if (unreleased?.waiting && !isOver) distribute(server, unreleased.waiting, session);
  if (isOver && !obeys('v5/4.3.3-13')) return;
  const isUnknown = !unreleased && dialect.version === 'v5';
  if (isUnknown && !obeys('v5/3.7.2.1~pubrel-unknown')) return;
  const tells = isUnknown && server.choices.unknownPubrel === '0x92';
  const code = tells ? reasonCodes.packetIdentifierNotFound : reasonCodes.success;
  if (obeys('v3/4.3.3-2#PUBCOMP', 'v5/4.3.3-11#PUBCOMP')) {
    connection.send(output.acknowledgement('PUBCOMP', packetId, code));
  }
}
