/** The sending side: messages to the clients that subscribed (sections 3.3.5, 4.3 to 4.6). */

import type { QoS } from '../harness/wire/packet.ts';
import type { ClientConnection } from './connection.ts';
import { lowerQoS, type Message, sizeOf } from './message.ts';
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
  const qos = deliveredQoS(server, message.qos, granted);
  const { connection } = session;
  if (!connection) return keep(server, session, { message, qos, retain });
  if (qos === 0) return sendAtMostOnce(connection, message, retain);
  if (session.inFlight.size > 0 && !obeys('v3/4.3.2~several-in-flight')) return;
  if (!hold(server, session, message)) return;
  session.queue.push({ message, qos, retain });
  sendQueued(connection, session);
}

/** Section 3.8.4. */
function deliveredQoS({ obeys }: Server, published: QoS, granted: QoS): QoS {
  if (!obeys('v3/3.8.4-6#granted')) return published;
  return obeys('v3/3.8.4-6#published') ? lowerQoS(published, granted) : granted;
}

/** Keeps a message for a client that is away: from QoS 1 on it has to, below it may (section 3.1.2.4). */
function keep(server: Server, session: Session, outgoing: Outgoing): void {
  const { obeys, choices } = server;
  const { message, qos } = outgoing;
  let copies = Number(qos > 0 ? obeys('v3/3.1.2-5') : choices.qos0Offline === 'queue');
  if (qos === 0 && !obeys('v3/3.1.2.4~qos0-stored-offline')) copies = 2;
  for (; copies > 0 && hold(server, session, message); copies--) {
    if (qos > 0) session.queue.push(outgoing);
    else session.missed.push(outgoing);
  }
}

/** Reserves room for a message until it is released; false if there is none. */
function hold({ limits }: Server, session: Session, message: Message): boolean {
  const bytes = sizeOf(message);
  if (session.heldBytes + bytes > limits.maximumHeldBytes) return false;
  session.heldBytes += bytes;
  return true;
}

function release(session: Session, message: Message): void {
  session.heldBytes -= sizeOf(message);
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

/** Sends what waits, in order, as far as the window of messages in flight allows. */
function sendQueued(connection: ClientConnection, session: Session): void {
  const { choices } = connection.server;
  while (session.queue.length > 0 && session.inFlight.size < choices.inFlightWindow) {
    const next = session.queue.shift();
    if (next?.qos) transmit(connection, session, next, next.qos);
  }
}

/** Sends a message for the first time, and holds it until the client has acknowledged it. */
function transmit(connection: ClientConnection, session: Session, { message, retain }: Outgoing, qos: 1 | 2): void {
  const { obeys, output } = connection.server;
  const rules = senderRules[qos];
  const packetId = session.nextPacketId(obeys, rules.unused);
  if (obeys(rules.held)) {
    session.inFlight.set(packetId, { message, qos, retain, packetId, waitsFor: qos === 1 ? 'PUBACK' : 'PUBREC' });
  }
  const packet = output.publish(message, qos, retain, packetId, !obeys(rules.first));
  connection.send(packet, obeys('v3/4.6.0-5', 'v3/4.6.0-6'));
}

/** The exchange of a message is complete: its identifier is free, and the next message may go. */
function complete(connection: ClientConnection, session: Session, { message, packetId }: Sent): void {
  session.inFlight.delete(packetId);
  release(session, message);
  sendQueued(connection, session);
}

/** Continues a session on a new connection: what was not acknowledged goes out again, then what has waited (section 4.4). */
export function resume(connection: ClientConnection, session: Session): void {
  const { server } = connection;
  const { obeys } = server;
  // Resuming makes no new subscription, so it brings no retained messages.
  if (!obeys('v3/3.3.1-6#only-new')) {
    const retained = [...session.filters.keys()].flatMap((filter) => server.retained.matching(filter));
    for (const message of retained) deliver(server, session, message, 2, true);
  }
  resendUnacknowledged(connection, session, obeys('v3/3.3.1-1'));
  for (let next = session.missed.shift(); next; next = session.missed.shift()) {
    release(session, next.message);
    sendAtMostOnce(connection, next.message, next.retain);
  }
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
  const sent = session.inFlight.get(packetId);
  if (sent?.waitsFor !== 'PUBACK') return receiveUnknown(connection, session, 'PUBACK', packetId);
  if (obeys('v3/4.3.2-1#acknowledged')) complete(connection, session, sent);
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
  const sent = session.inFlight.get(packetId);
  if (sent?.waitsFor !== 'PUBCOMP') return receiveUnknown(connection, session, 'PUBCOMP', packetId);
  if (obeys('v3/4.3.3-1#complete')) complete(connection, session, sent);
}

/** An acknowledgement that fits no exchange touches none. */
function receiveUnknown(
  connection: ClientConnection,
  session: Session,
  type: 'PUBACK' | 'PUBREC' | 'PUBCOMP',
  packetId: number,
): void {
  const { obeys, choices, output } = connection.server;
  const [oldest] = session.inFlight.values();
  if (oldest && !obeys('v3/4.3.3~unknown-acknowledgements')) complete(connection, session, oldest);
  if (choices.unknownAck === 'close') connection.end('protocol error');
  if (choices.unknownAck === 'answer' && type === 'PUBREC') connection.send(output.acknowledgement('PUBREL', packetId));
}
