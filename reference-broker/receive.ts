/** A whole packet from a client: whether it may come now, and which section of chapter 3 it belongs to. */

import { decode } from '../harness/wire/decode.ts';
import { Malformed } from '../harness/wire/malformed.ts';
import { type Packet, packetTypes } from '../harness/wire/packet.ts';
import { receiveAuth } from './authenticate.ts';
import { receiveConnect } from './connect.ts';
import type { ClientConnection } from './connection.ts';

import { Dialect } from './dialect.ts';
import { receiveDisconnect } from './disconnect.ts';
import { isWelcome, versionOfConnect } from './form.ts';
import { receivePublish, receivePubrel } from './publish.ts';
import { reasonCodes } from './reasons.ts';
import { receivePuback, receivePubcomp, receivePubrec } from './send.ts';
import type { Session } from './session.ts';
import { receiveSubscribe, receiveUnsubscribe } from './subscribe.ts';
import { termsOf, unlimited } from './terms.ts';

/** Section 3.1: the first packet is CONNECT, and no other is. Throws `Malformed`. */
export function receiveFrame(connection: ClientConnection, frame: Uint8Array): void {
  const { session, authentication } = connection;
  const isConnect = packetTypes[(frame[0] ?? 0) >> 4] === 'CONNECT';
  if (session && isConnect) throw outOfPlace(['v3/3.1.0-2', 'v5/3.1.0-2'], 'a second CONNECT');
  if (session) return receiveConnected(connection, session, frame);
  if (authentication) return receiveAnswer(connection, frame);
  connection.stopTimer();
  if (!isConnect) throw outOfPlace(['v3/3.1.0-1', 'v5/3.1.0-1'], 'a packet before CONNECT');
  receiveFirst(connection, frame);
  // What follows in the same segment counts, although the client has not seen a CONNACK yet.
  const pipelining = ['v3/3.1.4~pipelining-before-connack', 'v5/3.1.4~pipelining-before-connack'] as const;
  if (!connection.dialect.obeys(...pipelining)) connection.forgetInput();
}

function outOfPlace(requirements: Malformed['requirements'], reason: string): Malformed {
  return new Malformed(requirements, reason, 'header', 0, reasonCodes.protocolError);
}

/** Whatever is wrong with a CONNECT is answered in the version that it claims to be. */
function receiveFirst(connection: ClientConnection, frame: Uint8Array): void {
  const { server } = connection;
  const version = versionOfConnect(frame);
  if (!version) throw faultOfEither(frame);
  if (version === 'v5') connection.dialect = new Dialect(server, version, unlimited);
  const packet = read(connection, frame);
  if (packet?.type !== 'CONNECT') return;
  if (version === 'v5') connection.dialect = new Dialect(server, version, termsOf(packet));
  receiveConnect(connection, packet);
}

/** What is wrong with a CONNECT that does not even tell its version, by the rules of both. */
function faultOfEither(frame: Uint8Array): Malformed {
  const rules = (['v3', 'v5'] as const).flatMap((version) => {
    try {
      decode(frame, version);
    } catch (error) {
      if (error instanceof Malformed) return error.requirements;
      throw error;
    }
    return [];
  });
  return new Malformed(rules, 'no Protocol Level', 'protocolLevel', 0);
}

/** The packet, or `undefined` if it is to be passed over. */
function read({ server, dialect }: ClientConnection, frame: Uint8Array): Packet | undefined {
  const packet = decode(frame, dialect.version);
  return isWelcome(server, dialect, frame, packet) ? packet : undefined;
}

/** Section 4.12: until CONNACK a client that authenticates sends AUTH, or DISCONNECT. */
function receiveAnswer(connection: ClientConnection, frame: Uint8Array): void {
  const packet = read(connection, frame);
  if (packet?.type === 'AUTH') return receiveAuth(connection, packet);
  if (packet?.type === 'DISCONNECT') return connection.end('refused');
  throw outOfPlace(['v5/3.1.2-30', 'v5/3.1.0-2'], `${packet?.type} before CONNACK`);
}

function receiveConnected(connection: ClientConnection, session: Session, frame: Uint8Array): void {
  const { obeys, sendQuota } = connection.dialect;
  const packet = read(connection, frame);
  if (!packet) return;
  if (packet.type === 'PINGREQ' || obeys('v3/3.1.2-24#any-packet', 'v5/3.1.2-22#any-packet')) connection.heard();
  // Whatever the client owes, its other packets are handled.
  if (sendQuota.isExhausted && waitsForQuota(packet) && !obeys('v5/3.3.4-10', 'v5/4.9.0-3')) return;
  switch (packet.type) {
    case 'PUBLISH':
      return receivePublish(connection, session, packet);
    case 'PUBACK':
      return receivePuback(connection, session, packet);
    case 'PUBREC':
      return receivePubrec(connection, session, packet);
    case 'PUBREL':
      return receivePubrel(connection, session, packet.packetId);
    case 'PUBCOMP':
      return receivePubcomp(connection, session, packet);
    case 'SUBSCRIBE':
      return receiveSubscribe(connection, session, packet);
    case 'UNSUBSCRIBE':
      return receiveUnsubscribe(connection, session, packet);
    case 'PINGREQ':
      return answerPing(connection);
    case 'DISCONNECT':
      return receiveDisconnect(connection, session, packet);
    case 'AUTH':
      return receiveAuth(connection, packet);
    default:
      throw outOfPlace(['v3/2.2.1~packet-direction', 'v5/2.1.2~packet-direction'], `${packet.type} from a client`);
  }
}

/** What a server could wrongly let wait until it may send again. */
function waitsForQuota({ type }: Packet): boolean {
  return type === 'PINGREQ' || type === 'SUBSCRIBE' || type === 'UNSUBSCRIBE' || type === 'PUBLISH';
}

/** Section 3.12.4. */
function answerPing(connection: ClientConnection): void {
  const { obeys, output } = connection.dialect;
  if (!connection.isKeptAlive && !obeys('v3/3.1.2.10~ping-any-time')) return;
  if (!obeys('v3/3.12.4-1', 'v5/3.12.4-1#answered')) return;
  connection.send(output.pingresp());
  if (!obeys('v3/3.12~one-pingresp-each', 'v5/3.12.4-1#one-each')) connection.send(output.pingresp());
}
