/** Messages to the clients that subscribed: who gets them, and what waits (sections 3.3.5 and 4.5; 3.3.4 in 5.0). */

import type { Clock } from '../harness/clock.ts';
import type { QoS } from '../harness/wire/packet.ts';
import type { ClientConnection } from './connection.ts';
import { hasExpired } from './expiry.ts';
import { lowerQoS, type Message, sizeOf } from './message.ts';
import { resendUnacknowledged, sendAtMostOnce, sendQueued, takeBackAcknowledged } from './send.ts';
import type { Server } from './server.ts';
import type { Outgoing, Session } from './session.ts';
import type { Recipient } from './subscriptions.ts';

/** Takes ownership of a message: it is due to every session with a matching subscription, and may become retained (section 4.5). */
export function distribute(server: Server, message: Message, publisher?: Session): void {
  const obeys = publisher?.obeys ?? server.obeys;
  server.retained.take(message, obeys);
  const isForwarded =
    message.payload.length > 0 || !message.retain || obeys('v3/3.3.1-10#forward', 'v5/3.3.1-6#forward');
  if (!isForwarded) return;
  const due = server.subscriptions.recipients(message.topic, publisher);
  for (const recipient of obeys('v3/4.5.0-1', 'v5/4.5.0-1') ? due : due.slice(0, 1)) {
    if (recipient.session === publisher && !obeys('v3/4.5~own-messages', 'v5/4.5.0-1#own')) continue;
    deliver(server, recipient, message, isRetained(server, recipient, message));
  }
}

/** RETAIN of a message to an established subscription is 0, whatever the publisher set (section 3.3.1.3), unless in 5.0 it asked for it. */
function isRetained({ limits }: Server, { session, retainAsPublished }: Recipient, message: Message): boolean {
  const { obeys } = session;
  if (retainAsPublished) {
    const unavailable = !limits.retainAvailable && obeys('v5/3.2.2.3.5~retain-unavailable#flags');
    return message.retain && obeys('v5/3.3.1-13') && !unavailable;
  }
  if (message.payload.length === 0 && !obeys('v3/3.3.1.3~empty-retained-forwarded')) return message.retain;
  return message.retain && !obeys('v3/3.3.1-9', 'v5/3.3.1-12');
}

/** A message to one session, at the lower of its QoS and the granted one: sent now, or kept until it can be. */
export function deliver(server: Server, recipient: Recipient, message: Message, retain: boolean): void {
  const { session, identifiers, group } = recipient;
  const { obeys, connection } = session;
  const qos = deliveredQoS(recipient, message.qos);
  const outgoing = { message, qos, retain, identifiers, group };
  if (!connection) return keep(server, session, outgoing);
  if (qos === 0) return sendAtMostOnce(connection, outgoing);
  if (session.inFlight.size > 0 && !obeys('v3/4.3.2~several-in-flight')) return;
  if (!hold(server, session, message)) return;
  session.queue.push(outgoing);
  sendQueued(connection, session);
}

/** Section 3.8.4; 4.8.2 for a group. */
function deliveredQoS({ session, qos: granted, group }: Recipient, published: QoS): QoS {
  const { obeys } = session;
  if (!obeys('v3/3.8.4-6#granted', 'v5/3.8.4-8#granted') || (group && !obeys('v5/4.8.2-3'))) return published;
  return obeys('v3/3.8.4-6#published', 'v5/3.8.4-8#published') ? lowerQoS(published, granted) : granted;
}

/** Keeps a message for a client that is away: from QoS 1 on it has to, below it may (section 3.1.2.4; 4.1 in 5.0). */
function keep(server: Server, session: Session, outgoing: Outgoing): void {
  const { obeys } = session;
  const { message, qos } = outgoing;
  const waits = obeys('v3/3.1.2-5', 'v5/4.1~session-state-parts#pending');
  let copies = Number(qos > 0 ? waits : server.choices.qos0Offline === 'queue');
  if (qos === 0 && !obeys('v3/3.1.2.4~qos0-stored-offline', 'v5/4.1~qos0-stored-offline')) copies = 2;
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

/** Gives back the room of a message. */
export function release(session: Session, message: Message): void {
  session.heldBytes -= sizeOf(message);
}

/** Whether a message that has waited is not to be sent any more (section 3.3.2.3.3). */
export function isOver({ message: { expiry } }: Outgoing, { obeys }: Session, clock: Clock): boolean {
  return expiry !== undefined && hasExpired(expiry, clock.now()) && obeys('v5/3.3.2-5');
}

/** Continues a session on a new connection: what was not acknowledged goes out again, then what has waited (section 4.4). */
export function resume(connection: ClientConnection, session: Session): void {
  const { server, dialect } = connection;
  const { obeys } = dialect;
  // Resuming makes no new subscription, so it brings no retained messages.
  if (!obeys('v3/3.3.1-6#only-new', 'v5/3.3.1-9#only-subscribe')) {
    for (const [filter, recipient] of session.filters) {
      for (const message of server.retained.matching(filter, server.clock.now()))
        deliver(server, { ...recipient, qos: 2 }, message, true);
    }
  }
  takeBackAcknowledged(session);
  resendUnacknowledged(connection, session, obeys('v3/3.3.1-1', 'v5/3.3.1-1'), true);
  for (let next = session.missed.shift(); next; next = session.missed.shift()) {
    release(session, next.message);
    if (!isOver(next, session, server.clock)) sendAtMostOnce(connection, next);
  }
  sendQueued(connection, session);
}

/**
 * What a session got as a member of a group goes to another member: when the session has ended all of it that was not
 * sent or sent with QoS 1, while QoS 2 stays with the client it was begun with (section 4.8.2).
 */
export function passOn(server: Server, session: Session, when: 'ended' | 'disconnected'): void {
  const { obeys } = session;
  const given: Outgoing[] = [];
  for (const sent of session.inFlight.values()) {
    const isMovable = sent.qos === 1 ? when === 'ended' : when === 'disconnected' || !obeys('v5/4.8.2-5');
    if (sent.group && isMovable) given.push(sent);
  }
  if (when === 'ended') {
    for (let next = session.queue.shift(); next; next = session.queue.shift()) if (next.group) given.push(next);
    if (!obeys('v5/4.8.2~shared-redistribution')) return;
  }
  for (const { message, retain, group } of given) {
    for (const recipient of group?.pick(obeys) ?? []) deliver(server, recipient, message, retain);
  }
}
