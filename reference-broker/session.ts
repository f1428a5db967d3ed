/** The session state that the server keeps for a client (section 4.1), and the sessions by Client Identifier. */

import type { Cancel } from '../harness/clock.ts';
import type { Version } from '../harness/spec/index.ts';
import type { QoS } from '../harness/wire/packet.ts';
import type { ClientConnection } from './connection.ts';
import type { Expiry } from './expiry.ts';
import type { SendQuota } from './flow.ts';
import type { Message } from './message.ts';
import type { Gate, Obeys } from './obeys.ts';
import { Queue } from './queue.ts';
import type { Group } from './shared.ts';
import type { Recipient } from './subscriptions.ts';
import type { SessionWill } from './will.ts';

/** A message for one client, at the QoS and RETAIN that it has for this client. */
export interface Outgoing {
  readonly message: Message;
  readonly qos: QoS;
  readonly retain: boolean;
  /** The Subscription Identifiers of the subscriptions that it is for. */
  readonly identifiers?: readonly number[] | undefined;
  /** The group that this client gets it for. */
  readonly group?: Group | undefined;
}

/** A QoS 1 or 2 message that was sent and whose exchange is not complete. */
export interface Sent extends Outgoing {
  readonly packetId: number;
  /** What the client has to answer: PUBLISH, or after a PUBREC the PUBREL. */
  waitsFor: 'PUBACK' | 'PUBREC' | 'PUBCOMP';
  /** The quota of the connection that the PUBLISH went out on last. */
  quota: SendQuota | undefined;
}

/** A QoS 2 message from the client that was acknowledged by PUBREC and waits for PUBREL. */
export interface Unreleased {
  /** If it is handed on only then. */
  readonly waiting?: Message | undefined;
  readonly expiry?: Expiry | undefined;
}

export class Session {
  readonly clientId: string;
  /** The version of the connection that the session is on, or was on last. */
  version: Version;
  /** Asked for all that concerns this client. */
  obeys: Obeys;
  /** How long the session outlives its connection: 0 not at all, infinite for good. CleanSession is one of these two. */
  expirySeconds: number;
  /** The connection of the client, unless it is away. */
  connection: ClientConnection | undefined;
  /** The Will, until it is published or discarded. */
  will: SessionWill | undefined;
  /** Stops what would end the session, or publish its Will, after a time. */
  cancelExpiry: Cancel | undefined;
  cancelWill: Cancel | undefined;
  /** The subscriptions by Topic Filter. `Subscriptions` keeps it. */
  readonly filters = new Map<string, Recipient>();
  /** QoS 2 messages from the client, by their identifier. */
  readonly unreleased = new Map<number, Unreleased>();
  /** Messages on their way to the client, PUBLISHes in the order of their first transmission. */
  readonly inFlight = new Map<number, Sent>();
  /** Those of them that are to be sent again once the client takes more. */
  readonly resend = new Queue<Sent>();
  /** The QoS 1 message that was acknowledged last, where such a one is sent again. */
  acknowledged: Sent | undefined;
  /** QoS 1 and 2 messages that wait for the client to come back or to acknowledge others. */
  readonly queue = new Queue<Outgoing>();
  /** QoS 0 messages that wait for the client to come back. */
  readonly missed = new Queue<Outgoing>();
  /** About what the messages in flight and waiting take. */
  heldBytes = 0;
  /** Topic Aliases that outlived their connection, which is a fault. */
  readonly staleAliases = new Map<number, string>();
  #lastPacketId = 0;

  constructor(clientId: string, version: Version, obeys: Obeys, expirySeconds: number) {
    this.clientId = clientId;
    this.version = version;
    this.obeys = obeys;
    this.expirySeconds = expirySeconds;
  }

  /**
   * An identifier that is not in use and not 0 (section 2.3.1; 2.2.1 in 5.0), unless `unused` is broken. There always
   * is one: the window of messages in flight is far smaller than the number of identifiers.
   */
  nextPacketId(unused: readonly Gate[]): number {
    const { obeys } = this;
    if (!obeys('v3/2.3.1-4#unused', 'v5/2.2.1-4#unused', ...unused)) return 1;
    do {
      this.#lastPacketId = (this.#lastPacketId % 0xffff) + 1;
    } while (this.inFlight.has(this.#lastPacketId));
    return obeys('v3/2.3.1-1#output', 'v5/2.2.1-4#zero') ? this.#lastPacketId : this.#lastPacketId - 1;
  }
}
