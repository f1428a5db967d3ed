/** The receiving side of PUBLISH: topic, payload, and the answer that its QoS demands (sections 3.3 and 4.3). */

import { Malformed } from '../harness/wire/malformed.ts';
import type { Publish } from '../harness/wire/packet.ts';
import type { ClientConnection } from './connection.ts';
import { distribute } from './deliver.ts';
import { type Message, message } from './message.ts';
import type { Obeys } from './obeys.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import { asGiven, hasWildcard } from './topics.ts';

/** Section 3.3. Throws `Malformed` for a topic with wildcards. */
export function receivePublish(connection: ClientConnection, session: Session, packet: Publish): void {
  const { server } = connection;
  if (hasWildcard(packet.topic)) {
    throw new Malformed(['v3/3.3.2-2', 'v3/4.7.1-1'], 'a Topic Name with a wildcard', 'topic', 0);
  }
  const received = messageOf(server, packet);
  const allowed = mayPublish(server, received.topic);
  if (!allowed && server.choices.dollarTopics === 'close') return connection.end('protocol error');
  // What a client may not publish is acknowledged as usual, or the connection is closed.
  if (!allowed && !server.obeys('v3/3.3.5-2')) return;
  const accepted = allowed || !server.obeys('v3/4.7.2~dollar-topics-guarded') ? received : undefined;
  const packetId = packet.packetId ?? 0;
  // Clients and server choose their identifiers independently of each other.
  if (session.inFlight.has(packetId) && !server.obeys('v3/2.3.1~independent-identifiers')) return;
  if (packetId > 0x7fff && !server.obeys('v3/2.3.1~identifier-reuse#range')) return;
  switch (packet.qos) {
    case 0:
      return receiveAtMostOnce(connection, session, accepted);
    case 1:
      return receiveAtLeastOnce(connection, session, packetId, accepted);
    case 2:
      return receiveExactlyOnce(connection, session, packetId, accepted);
  }
}

/** The message of a PUBLISH, with topic and payload as they came. Its payload is a copy if it may outlive the packet. */
function messageOf({ obeys, choices }: Server, packet: Publish): Message {
  const outlives = packet.qos > 0 || packet.retain || choices.qos0Offline === 'queue';
  const payload = unchanged(packet.payload, obeys);
  return message({
    ...packet,
    topic: asGiven(packet.topic, obeys),
    payload: outlives ? Buffer.from(payload) : payload,
  });
}

/** The payload is opaque: any bytes, any number of them (section 3.3.3). */
function unchanged(payload: Uint8Array, obeys: Obeys): Uint8Array {
  let given = payload;
  if (!obeys('v3/3.3.3~payload-opaque')) given = new TextEncoder().encode(new TextDecoder().decode(given));
  if (!obeys('v3/2.2.3~remaining-length-borders')) given = given.subarray(0, 100);
  if (!obeys('v3/7.1.1-1')) given = given.subarray(0, 0xffff);
  return given;
}

/** Whether clients may publish to a topic: those that begin with `$` are the server's own (section 4.7.2). */
export function mayPublish({ choices }: Server, topic: string): boolean {
  return !topic.startsWith('$') || choices.dollarTopics === 'deliver';
}

function receiveAtMostOnce(connection: ClientConnection, session: Session, accepted: Message | undefined): void {
  const { server } = connection;
  if (accepted) distribute(server, accepted, session);
  if (!server.obeys('v3/3.3.4-1#none')) connection.send(server.output.acknowledgement('PUBACK', 1));
}

/** Section 4.3.2. Once PUBACK is sent, the identifier stands for a new message, whatever DUP says. */
function receiveAtLeastOnce(
  connection: ClientConnection,
  session: Session,
  packetId: number,
  accepted: Message | undefined,
): void {
  const { obeys, choices, output } = connection.server;
  const acknowledge = () => {
    if (!obeys('v3/3.3.4-1#PUBACK', 'v3/4.3.2-2#PUBACK')) return;
    connection.send(output.acknowledgement('PUBACK', packetId), obeys('v3/4.6.0-2'));
  };
  if (choices.acknowledge === 'first') acknowledge();
  const isNew = obeys('v3/4.3.2-2#new') || !session.unreleased.has(packetId);
  if (!obeys('v3/4.3.2-2#new')) session.unreleased.set(packetId, undefined);
  const isRepeat = accepted?.dup && !obeys('v3/3.3.1.1~dup-is-no-proof');
  if (accepted && isNew && !isRepeat) distribute(connection.server, accepted, session);
  if (choices.acknowledge === 'last') acknowledge();
}

/** Section 4.3.3. An identifier not yet released marks a retransmission: it is acknowledged again and not handed on again. */
function receiveExactlyOnce(
  connection: ClientConnection,
  session: Session,
  packetId: number,
  accepted: Message | undefined,
): void {
  const { server } = connection;
  const { obeys, choices, output } = server;
  const retransmitted = session.unreleased.has(packetId) && obeys('v3/4.3.3-2#once');
  const handOn = accepted && !retransmitted && !(accepted.dup && !obeys('v3/3.3.1.1~dup-is-no-proof'));
  const acknowledge = () => {
    if (!obeys('v3/3.3.4-1#PUBREC', 'v3/4.3.3-2#PUBREC')) return;
    if (retransmitted && !obeys('v3/4.3.3-2#PUBREC-again')) return;
    connection.send(output.acknowledgement('PUBREC', packetId), obeys('v3/4.6.0-3'));
  };
  if (choices.acknowledge === 'first') acknowledge();
  if (handOn && (choices.deliverOn === 'PUBLISH' || !obeys('v3/4.3.3~delivery-method')))
    distribute(server, accepted, session);
  if (!retransmitted) session.unreleased.set(packetId, waitsForRelease(server, handOn ? accepted : undefined));
  if (choices.acknowledge === 'last') acknowledge();
}

function waitsForRelease({ obeys, choices }: Server, accepted: Message | undefined): Message | undefined {
  return choices.deliverOn === 'PUBREL' || !obeys('v3/4.3.3~delivery-method') ? accepted : undefined;
}

/** PUBREL: the identifier is free for a new message. It is answered even if it is unknown, for it may be a repetition (section 4.3.3). */
export function receivePubrel(connection: ClientConnection, session: Session, packetId: number): void {
  const { server } = connection;
  const { obeys, output } = server;
  const waiting = session.unreleased.get(packetId);
  if (obeys('v3/4.3.3-2#release', 'v3/2.3.1~identifier-reuse#release')) session.unreleased.delete(packetId);
  if (waiting) distribute(server, waiting, session);
  if (obeys('v3/4.3.3-2#PUBCOMP')) connection.send(output.acknowledgement('PUBCOMP', packetId));
}
