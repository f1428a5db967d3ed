/** The state of the server, and what it was started with: all that the files of the broker share. */

import type { Clock } from '../harness/clock.ts';
import type { Version } from '../harness/spec/index.ts';
import type { QoS } from '../harness/wire/packet.ts';
import type { Choices } from './choices.ts';
import type { ClientConnection } from './connection.ts';
import type { DeniedFilters } from './denied.ts';
import type { Obeys } from './obeys.ts';
import type { Retained } from './retained.ts';
import type { Session } from './session.ts';
import type { Subscriptions } from './subscriptions.ts';

/** The bounds of what the server takes upon itself. Clients of MQTT 5.0 are told of those that concern them. */
export interface Limits {
  /** Bytes of the greatest packet that is read. */
  readonly maximumPacketSize: number;
  /** Bytes of messages that wait for one client or for its acknowledgement; one that finds no room is dropped. */
  readonly maximumHeldBytes: number;
  /** Sessions, connected or not; a client that would make one more is refused with CONNACK 0x03 or 0x88. */
  readonly maximumSessions: number;
  /** Bytes of retained messages; one that finds no room is handed on and not kept. */
  readonly maximumRetainedBytes: number;
  /** Milliseconds within which a connection has to bring a CONNECT, and then the answer to a challenge. */
  readonly connectTimeoutMs: number;
  /** What follows is for clients of MQTT 5.0 only: the greatest QoS in a PUBLISH (section 3.2.2.3.4). */
  readonly maximumQoS: QoS;
  readonly retainAvailable: boolean;
  readonly wildcardSubscriptionAvailable: boolean;
  readonly subscriptionIdentifierAvailable: boolean;
  readonly sharedSubscriptionAvailable: boolean;
  /** QoS 1 and 2 messages of one client that are read at a time (section 3.2.2.3.3). */
  readonly receiveMaximum: number;
  /** Topic Aliases of one client; 0 for none (section 3.2.2.3.8). */
  readonly topicAliasMaximum: number;
  /** Seconds that are demanded in place of the client's Keep Alive (section 3.2.2.3.14). */
  readonly serverKeepAlive: number | undefined;
  /** Seconds; a client that asks for more gets this Session Expiry Interval (section 3.2.2.3.2). */
  readonly maximumSessionExpirySeconds: number;
}

export interface Server {
  /** Asked where no connection or session is concerned: about the requirements of both versions. */
  readonly obeys: Obeys;
  /** Asked about one version. */
  readonly obeysIn: Readonly<Record<Version, Obeys>>;
  readonly choices: Choices;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Passwords by user name; without it every client is let in. */
  readonly credentials: ReadonlyMap<string, string> | undefined;
  /** What clients prove to know by the authentication method of `authenticate.ts`; without it there is no method. */
  readonly secret: string | undefined;
  /** What is forbidden, if anything is. */
  readonly denied: DeniedFilters | undefined;
  readonly connections: Set<ClientConnection>;
  /** By Client Identifier. */
  readonly sessions: Map<string, Session>;
  readonly subscriptions: Subscriptions;
  readonly retained: Retained;
  /** A Client Identifier for a client that gave none, different from all others (section 3.1.3.1). */
  assignIdentifier(version: Version): string;
  /** Bytes that were never a challenge before (section 4.12). */
  newChallenge(): Uint8Array;
}
