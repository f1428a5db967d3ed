/** The session state that the server keeps for a client (section 4.1), and the sessions by Client Identifier. */

import type { Version } from '../harness/spec/index.ts';
import type { QoS } from '../harness/wire/packet.ts';
import type { ClientConnection } from './connection.ts';
import type { Message } from './message.ts';
import type { Gate, Obeys } from './obeys.ts';
import { Queue } from './queue.ts';

/** A message for one client, at the QoS and RETAIN that it has for this client. */
export interface Outgoing {
  readonly message: Message;
  readonly qos: QoS;
  readonly retain: boolean;
}

/** A QoS 1 or 2 message that was sent and whose exchange is not complete. */
export interface Sent extends Outgoing {
  readonly packetId: number;
  /** What the client has to answer: PUBLISH, or after a PUBREC the PUBREL. */
  waitsFor: 'PUBACK' | 'PUBREC' | 'PUBCOMP';
}

export class Session {
  readonly clientId: string;
  readonly version: Version;
  /** CleanSession: the session ends with its connection. */
  clean: boolean;
  /** The connection of the client, unless it is away. */
  connection: ClientConnection | undefined;
  /** The Will, until it is published or discarded. */
  will: Message | undefined;
  /** The subscriptions: granted QoS by Topic Filter. `Subscriptions` keeps it. */
  readonly filters = new Map<string, QoS>();
  /** QoS 2 messages from the client that were acknowledged by PUBREC and wait for PUBREL. The message, if it is handed on only then. */
  readonly unreleased = new Map<number, Message | undefined>();
  /** Messages on their way to the client, PUBLISHes in the order of their first transmission. */
  readonly inFlight = new Map<number, Sent>();
  /** QoS 1 and 2 messages that wait for the client to come back or to acknowledge others. */
  readonly queue = new Queue<Outgoing>();
  /** QoS 0 messages that wait for the client to come back. */
  readonly missed = new Queue<Outgoing>();
  /** About what the messages in flight and waiting take. */
  heldBytes = 0;
  #lastPacketId = 0;

  constructor(clientId: string, clean: boolean, version: Version) {
    this.clientId = clientId;
    this.clean = clean;
    this.version = version;
  }

  /**
   * An identifier that is not in use and not 0 (section 2.3.1), unless `unused` is broken. There always is one: the
   * window of messages in flight is far smaller than the number of identifiers.
   */
  nextPacketId(obeys: Obeys, unused: Gate): number {
    if (!obeys('v3/2.3.1-4#unused', unused)) return 1;
    do {
      this.#lastPacketId = (this.#lastPacketId % 0xffff) + 1;
    } while (this.inFlight.has(this.#lastPacketId));
    return obeys('v3/2.3.1-1#output') ? this.#lastPacketId : this.#lastPacketId - 1;
  }
}
