/** The sending side: messages to the clients that subscribed (sections 3.3.5, 4.3 to 4.6). */

import type { QoS } from '../harness/wire/packet.ts';
import type { ClientConnection } from './connection.ts';
import type { Message } from './message.ts';
import { lowerQoS } from './message.ts';
import type { Server } from './server.ts';
import type { Outgoing, Sent, Session } from './session.ts';

/** Takes ownership of a message: it is due to every session with a matching subscription, and may become retained (section 4.5). */
export function distribute(server: Server, message: Message, publisher?: Session): void {
  const { obeys } = server;
  server.retained.take(message);
  if (message.payload.length === 0 && message.retain && !obeys('v3/3.3.1-10#forward')) return;
  const due = server.subscriptions.recipients(message.topic);
  for (const { session, qos } of obeys('v3/4.5.0-1') ? due : due.slice(0, 1)) {
    if (session === publisher && !obeys('v3/4.5~own-messages')) continue;
    deliver(server, session, message, qos, isRetained(server, message));
  }
}

/** RETAIN of a message to an established subscription is 0, whatever the publisher set (section 3.3.1.3). */
function isRetained({ obeys }: Server, message: Message): boolean {
  if (message.payload.length === 0 && !obeys('v3/3.3.1.3~empty-retained-forwarded')) return message.retain;
  return message.retain && !obeys('v3/3.3.1-9');
}

/** A message to one session, at the lower of its QoS and the granted one: sent now, or kept until it can be. */
export function deliver(server: Server, session: Session, message: Message, granted: QoS, retain: boolean): void {
  const { obeys } = server;
  const qos = obeys('v3/3.8.4-6') ? lowerQoS(message.qos, granted) : message.qos;
  const { connection, inFlight } = session;
  if (qos === 0 && connection) return sendAtMostOnce(connection, message, retain);
  if (inFlight.size > 0 && !obeys('v3/4.3.2~several-in-flight')) return;
  const outgoing = { message, qos, retain };
  if (connection && session.queue.length === 0 && hasRoomInFlight(server, session))
    transmit(connection, session, outgoing);
  else enqueue(server, session, outgoing);
}

function hasRoomInFlight({ choices }: Server, session: Session): boolean {
  return session.inFlight.size < choices.inFlightWindow;
}

/** Section 4.3.1. A client that reads too slowly loses these first. */
function sendAtMostOnce(connection: ClientConnection, message: Message, retain: boolean): void {
  if (connection.link.congested) return;
  const { obeys, output } = connection.server;
  const packet = output.publish(message, 0, retain);
  connection.send(packet, obeys('v3/4.6.0-5', 'v3/4.6.0-6'));
  if (!obeys('v3/4.3.1-1#once')) connection.send(packet);
}

/** What sections 4.3.2 and 4.3.3 demand of the sender alike. */
const senderRules = {
  1: { unused: 'v3/4.3.2-1#unused', first: 'v3/4.3.2-1#first-dup', held: 'v3/4.3.2-1#held' },
  2: { unused: 'v3/4.3.3-1#unused', first: 'v3/4.3.3-1#first-dup', held: 'v3/4.3.3-1#held' },
} as const;

/** Sends a message for the first time; from QoS 1 on it is held until the client has acknowledged it. */
function transmit(connection: ClientConnection, session: Session, { message, qos, retain }: Outgoing): void {
  if (qos === 0) return sendAtMostOnce(connection, message, retain);
  const { obeys, output } = connection.server;
  const rules = senderRules[qos];
  const packetId = session.nextPacketId(obeys, rules.unused);
  const sent: Sent = { message, qos, retain, packetId, waitsFor: qos === 1 ? 'PUBACK' : 'PUBREC' };
  if (obeys(rules.held)) session.inFlight.set(packetId, sent);
  const packet = output.publish(message, qos, retain, packetId, !obeys(rules.first));
  connection.send(packet, obeys('v3/4.6.0-5', 'v3/4.6.0-6'));
}

/** Keeps a message until the client is back or has acknowledged others (section 3.1.2.4). */
function enqueue({ obeys, choices, limits }: Server, session: Session, outgoing: Outgoing): void {
  let copies = 1;
  if (outgoing.qos === 0 && choices.qos0Offline === 'drop') copies = 0;
  if (outgoing.qos === 0 && !obeys('v3/3.1.2.4~qos0-stored-offline')) copies = 2;
  if (outgoing.qos > 0 && !session.connection && !obeys('v3/3.1.2-5')) copies = 0;
  const bytes = sizeOf(outgoing.message);
  for (; copies > 0 && session.queuedBytes + bytes <= limits.maximumQueuedBytes; copies--) {
    session.queue.push(outgoing);
    session.queuedBytes += bytes;
  }
}

/** About what a waiting message takes, in bytes. */
function sizeOf({ topic, payload }: Message): number {
  return 200 + topic.length + payload.length;
}

/** Sends what waits, in order, as far as the window of messages in flight allows. */
function sendQueued(connection: ClientConnection, session: Session): void {
  const { queue } = session;
  for (let next = queue.peek(); next; next = queue.peek()) {
    if (next.qos > 0 && !hasRoomInFlight(connection.server, session)) return;
    queue.shift();
    session.queuedBytes -= sizeOf(next.message);
    transmit(connection, session, next);
  }
}

/** Continues a session on a new connection: what was not acknowledged goes out again, then what has waited (section 4.4). */
export function resume(connection: ClientConnection, session: Session): void {
  const { obeys } = connection.server;
  if (!obeys('v3/3.3.1-6#only-new')) {
    for (const message of [...session.filters.keys()].flatMap((filter) =>
      connection.server.retained.matching(filter),
    )) {
      deliver(connection.server, session, message, 2, true);
    }
  }
  resendUnacknowledged(connection, session, obeys('v3/3.3.1-1'));
  sendQueued(connection, session);
}

/** Sends every unacknowledged PUBLISH and PUBREL again, with its identifier and in the order of the first time (4.4, 4.6). */
export function resendUnacknowledged(connection: ClientConnection, session: Session, dup: boolean): void {
  const { obeys, output } = connection.server;
  const unacknowledged = [...session.inFlight.values()];
  if (!obeys('v3/4.6.0-1')) unacknowledged.reverse();
  for (const sent of unacknowledged) {
    if (sent.waitsFor === 'PUBCOMP' && obeys('v3/4.3.3-1#no-publish-after-pubrel')) {
      if (obeys('v3/4.4.0-1#PUBREL')) connection.send(output.acknowledgement('PUBREL', sent.packetId));
    } else if (obeys('v3/4.4.0-1#PUBLISH')) {
      const packetId = obeys('v3/4.4.0-1#identifier', 'v3/2.3.1-4#resend')
        ? sent.packetId
        : (sent.packetId % 0xffff) + 1;
      connection.send(output.publish(sent.message, sent.qos, sent.retain, packetId, dup));
    }
  }
}

/** PUBACK: the message is delivered (section 4.3.2). */
export function receivePuback(connection: ClientConnection, session: Session, packetId: number): void {
  const { obeys } = connection.server;
  if (session.inFlight.get(packetId)?.waitsFor !== 'PUBACK')
    return receiveUnknown(connection, session, 'PUBACK', packetId);
  if (obeys('v3/4.3.2-1#acknowledged')) session.inFlight.delete(packetId);
  sendQueued(connection, session);
}

/** PUBREC: the client has the message, which therefore is not sent again; PUBREL follows, as often as PUBREC comes (section 4.3.3). */
export function receivePubrec(connection: ClientConnection, session: Session, packetId: number): void {
  const { obeys, output } = connection.server;
  const sent = session.inFlight.get(packetId);
  if (!sent || sent.waitsFor === 'PUBACK') return receiveUnknown(connection, session, 'PUBREC', packetId);
  sent.waitsFor = 'PUBCOMP';
  // PUBRELs go out in the order of the PUBRECs, also when they have to go out again.
  session.inFlight.delete(packetId);
  session.inFlight.set(packetId, sent);
  if (obeys('v3/4.3.3-1#PUBREL')) connection.send(output.acknowledgement('PUBREL', packetId), obeys('v3/4.6.0-4'));
}

/** PUBCOMP: the exchange is complete and its identifier free (section 4.3.3). */
export function receivePubcomp(connection: ClientConnection, session: Session, packetId: number): void {
  const { obeys } = connection.server;
  if (session.inFlight.get(packetId)?.waitsFor !== 'PUBCOMP')
    return receiveUnknown(connection, session, 'PUBCOMP', packetId);
  if (obeys('v3/4.3.3-1#complete')) session.inFlight.delete(packetId);
  sendQueued(connection, session);
}

/** An acknowledgement that fits no exchange touches none. */
function receiveUnknown(
  connection: ClientConnection,
  session: Session,
  type: 'PUBACK' | 'PUBREC' | 'PUBCOMP',
  packetId: number,
): void {
  const { obeys, choices, output } = connection.server;
  const [oldest] = session.inFlight.keys();
  if (oldest !== undefined && !obeys('v3/4.3.3~unknown-acknowledgements')) session.inFlight.delete(oldest);
  if (choices.unknownAck === 'close') connection.end('protocol error');
  if (choices.unknownAck === 'answer' && type === 'PUBREC') connection.send(output.acknowledgement('PUBREL', packetId));
}
