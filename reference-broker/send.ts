/** The sending side of QoS 0, 1 and 2: sections 4.3, 4.4, 4.6 and, in 5.0, 4.9. */

import type { Acknowledgement } from '../harness/wire/packet.ts';
import type { ClientConnection } from './connection.ts';
import { deliver, isOver, release } from './deliver.ts';
import type { Obeys } from './obeys.ts';
import { reasonCodes } from './reasons.ts';
import type { Outgoing, Sent, Session } from './session.ts';

/** Messages of a topic keep their order. */
function keepsOrder(obeys: Obeys): boolean {
  return obeys('v3/4.6.0-5', 'v3/4.6.0-6', 'v5/4.6.0-5', 'v5/4.6.0-6');
}

/** Section 4.3.1. A client that reads too slowly loses these first, and what is too large for it is dropped. */
export function sendAtMostOnce(connection: ClientConnection, outgoing: Outgoing): void {
  if (connection.link.congested) return;
  const { obeys, publications } = connection.dialect;
  const packet = publications.encode(outgoing);
  if (!packet) return;
  connection.send(packet, keepsOrder(obeys));
  if (!obeys('v3/4.3.1-1#once', 'v5/4.3.1-1#once')) connection.send(packet);
}

/** What sections 4.3.2 and 4.3.3 demand of the sender alike. */
const senderRules = {
  1: {
    unused: ['v3/4.3.2-1#unused', 'v5/4.3.2-1'],
    first: ['v3/4.3.2-1#first-dup', 'v5/4.3.2-2'],
    held: ['v3/4.3.2-1#held', 'v5/4.3.2-3#held'],
  },
  2: {
    unused: ['v3/4.3.3-1#unused', 'v5/4.3.3-1'],
    first: ['v3/4.3.3-1#first-dup', 'v5/4.3.3-2'],
    held: ['v3/4.3.3-1#held', 'v5/4.3.3-3'],
  },
} as const;

/** Sends what waits, in order, as far as the window of messages in flight and the client's Receive Maximum allow. */
export function sendQueued(connection: ClientConnection, session: Session): void {
  const { choices, clock } = connection.server;
  const { sendQuota } = connection.dialect;
  while (session.resend.length > 0 && sendQuota.allows) {
    const sent = session.resend.shift();
    if (sent && session.inFlight.get(sent.packetId) === sent) sendAgain(connection, session, sent, true, true);
  }
  // Whatever the window is, there is room for one.
  const hasRoom = () => session.inFlight.size === 0 || session.inFlight.size < choices.inFlightWindow;
  while (session.queue.length > 0 && hasRoom() && sendQuota.allows) {
    const next = session.queue.shift();
    if (!next?.qos) continue;
    if (isOver(next, session, clock)) release(session, next.message);
    else transmit(connection, session, next, next.qos);
  }
}

/** Sends a message for the first time, and holds it until the client has acknowledged it. */
function transmit(connection: ClientConnection, session: Session, outgoing: Outgoing, qos: 1 | 2): void {
  const { obeys, publications, sendQuota } = connection.dialect;
  const rules = senderRules[qos];
  const packetId = session.nextPacketId(rules.unused);
  const packet = publications.encode(outgoing, packetId, !obeys(...rules.first));
  // For what is too large the client is taken to have acknowledged it.
  if (!packet && obeys('v5/3.1.2-25')) return release(session, outgoing.message);
  if (obeys(...rules.held)) {
    const { message, retain, identifiers, group } = outgoing;
    const waitsFor = qos === 1 ? 'PUBACK' : 'PUBREC';
    session.inFlight.set(packetId, { message, qos, retain, identifiers, group, packetId, waitsFor, quota: sendQuota });
  }
  sendQuota.take();
  if (packet) connection.send(packet, keepsOrder(obeys));
}

/** The exchange of a message is complete: its identifier is free, and the next message may go. */
function complete(connection: ClientConnection, session: Session, { message, packetId }: Sent): void {
  session.inFlight.delete(packetId);
  release(session, message);
  sendQueued(connection, session);
}

/** As if the acknowledgement had got lost: the message goes out once more, before those that are younger. */
export function takeBackAcknowledged(session: Session): void {
  const { acknowledged, inFlight } = session;
  session.acknowledged = undefined;
  if (!acknowledged || inFlight.has(acknowledged.packetId)) return;
  const younger = [...inFlight];
  inFlight.clear();
  for (const [packetId, sent] of [[acknowledged.packetId, acknowledged] as const, ...younger])
    inFlight.set(packetId, sent);
}

/**
 * Sends every unacknowledged PUBLISH and PUBREL again, with its identifier and in the order of the first time (4.4, 4.6).
 * What is sent for the first time on this connection `counts` against its quota.
 */
export function resendUnacknowledged(
  connection: ClientConnection,
  session: Session,
  dup: boolean,
  counts: boolean,
): void {
  const { obeys, output, sendQuota } = connection.dialect;
  const unacknowledged = [...session.inFlight.values()];
  if (!obeys('v3/4.6.0-1')) unacknowledged.reverse();
  for (const sent of unacknowledged) {
    if (sent.waitsFor === 'PUBCOMP' && obeys('v3/4.3.3-1#no-publish-after-pubrel', 'v5/4.3.3-6')) {
      const again = obeys('v3/4.4.0-1#PUBREL', 'v5/4.4.0-1#PUBREL', 'v5/4.3.3-5#again');
      if (again) connection.send(output.acknowledgement('PUBREL', sent.packetId));
    } else if (obeys('v3/4.4.0-1#PUBLISH', 'v5/4.4.0-1#PUBLISH')) {
      if (!counts || sendQuota.allows) sendAgain(connection, session, sent, dup, counts);
      else session.resend.push(sent);
    }
  }
}

function sendAgain(connection: ClientConnection, session: Session, sent: Sent, dup: boolean, counts: boolean): void {
  const { obeys, publications, sendQuota } = connection.dialect;
  const same = obeys('v3/4.4.0-1#identifier', 'v3/2.3.1-4#resend', 'v5/4.4.0-1#identifier');
  const packetId = same ? sent.packetId : (sent.packetId % 0xffff) + 1;
  const packet = publications.encode(sent, packetId, dup);
  // What was begun is sent again even if it has expired, but not to a client for which it is too large now.
  const isStale = !obeys('v5/4.3.3-7') && isOver(sent, session, connection.server.clock);
  if (!packet || isStale) {
    session.inFlight.delete(sent.packetId);
    return release(session, sent.message);
  }
  if (counts && obeys('v5/4.9~send-quota-per-connection')) {
    sendQuota.take();
    sent.quota = sendQuota;
  }
  connection.send(packet);
}

/** PUBACK: the message is delivered, or the client does not want it (section 4.3.2). */
export function receivePuback(connection: ClientConnection, session: Session, packet: Acknowledgement): void {
  const { obeys, sendQuota } = connection.dialect;
  const sent = session.inFlight.get(packet.packetId);
  if (sent?.waitsFor !== 'PUBACK') return receiveUnknown(connection, session, packet);
  if (isFailure(packet)) return rejected(connection, session, sent);
  if (!obeys('v3/4.3.2-1#acknowledged', 'v5/4.3.2-3#acknowledged')) return;
  if (obeys('v5/4.9~send-quota-refill#PUBACK')) sendQuota.give(sent.quota);
  if (connection.server.choices.acknowledgedQoS1 === 'repeat') session.acknowledged = sent;
  complete(connection, session, sent);
}

/** PUBREC: the client has the message, which therefore is not sent again; PUBREL follows, as often as PUBREC comes (section 4.3.3). */
export function receivePubrec(connection: ClientConnection, session: Session, packet: Acknowledgement): void {
  const { obeys, output } = connection.dialect;
  const { packetId } = packet;
  const sent = session.inFlight.get(packetId);
  if (!sent || sent.waitsFor === 'PUBACK') return receiveUnknown(connection, session, packet);
  if (isFailure(packet) && sent.waitsFor === 'PUBREC' && obeys('v5/4.3.3~pubrec-failure')) {
    return rejected(connection, session, sent);
  }
  sent.waitsFor = 'PUBCOMP';
  // PUBRELs go out in the order of the PUBRECs, also when they have to go out again.
  session.inFlight.delete(packetId);
  session.inFlight.set(packetId, sent);
  if (!obeys('v3/4.3.3-1#PUBREL', 'v5/4.3.3-4#PUBREL')) return;
  connection.send(output.acknowledgement('PUBREL', packetId), obeys('v3/4.6.0-4'));
}

/** PUBCOMP, with whatever code: the exchange is complete and its identifier free (section 4.3.3). */
export function receivePubcomp(connection: ClientConnection, session: Session, packet: Acknowledgement): void {
  const { obeys, sendQuota } = connection.dialect;
  const sent = session.inFlight.get(packet.packetId);
  if (sent?.waitsFor !== 'PUBCOMP') return receiveUnknown(connection, session, packet);
  if (!obeys('v3/4.3.3-1#complete', 'v5/4.3.3-5#complete')) return;
  if (obeys('v5/4.9~send-quota-refill#PUBCOMP')) sendQuota.give(sent.quota);
  complete(connection, session, sent);
}

/** Reason Codes from 0x80 on say that the client does not take the message. */
function isFailure({ code = reasonCodes.success }: Acknowledgement): boolean {
  return code >= 0x80;
}

/** That ends the exchange all the same: nothing is sent again, or to another client, and nothing else is concerned. */
function rejected(connection: ClientConnection, session: Session, sent: Sent): void {
  const { obeys, sendQuota } = connection.dialect;
  if (!obeys('v5/4.13.2~acknowledgement-errors-local')) return connection.end('protocol error');
  if (!obeys('v5/4.4.0-2')) return;
  const others = obeys('v5/4.8.2-6') ? [] : (sent.group?.pick(obeys) ?? []);
  if (obeys('v5/4.9~send-quota-refill#failure')) sendQuota.give(sent.quota);
  complete(connection, session, sent);
  for (const other of others) deliver(connection.server, other, sent.message, sent.retain);
}

/** An acknowledgement that fits no exchange touches none. */
function receiveUnknown(connection: ClientConnection, session: Session, { type, packetId }: Acknowledgement): void {
  const { choices } = connection.server;
  const { obeys, output, sendQuota } = connection.dialect;
  const [oldest] = session.inFlight.values();
  const touchesNone = obeys('v3/4.3.3~unknown-acknowledgements', 'v5/4.9~send-quota-refill#unknown');
  if (oldest && !touchesNone) {
    sendQuota.give(oldest.quota);
    complete(connection, session, oldest);
  }
  if (choices.unknownAck === 'close') connection.end('protocol error', reasonCodes.protocolError);
  const answers = choices.unknownAck === 'answer' && type === 'PUBREC';
  if (answers) connection.send(output.acknowledgement('PUBREL', packetId, reasonCodes.packetIdentifierNotFound));
}
