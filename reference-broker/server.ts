/** The state of the server, and what it was started with: all that the files of the broker share. */

import type { Clock } from '../harness/clock.ts';
import type { Choices } from './choices.ts';
import type { ClientConnection } from './connection.ts';
import type { Obeys } from './obeys.ts';
import type { Output } from './output.ts';
import type { Retained } from './retained.ts';
import type { Session } from './session.ts';
import type { Subscriptions } from './subscriptions.ts';

/** The bounds of what the server takes upon itself. */
export interface Limits {
  /** Bytes of the greatest packet that is read. */
  readonly maximumPacketSize: number;
  /** Bytes of messages that wait for one client or for its acknowledgement; one that finds no room is dropped. */
  readonly maximumHeldBytes: number;
  /** Sessions, connected or not; a client that would make one more is refused with CONNACK 0x03. */
  readonly maximumSessions: number;
  /** Bytes of retained messages; one that finds no room is handed on and not kept. */
  readonly maximumRetainedBytes: number;
  /** Milliseconds within which a connection has to bring a CONNECT. */
  readonly connectTimeoutMs: number;
}

export interface Server {
  readonly obeys: Obeys;
  readonly choices: Choices;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Passwords by user name; without it every client is let in. */
  readonly credentials: ReadonlyMap<string, string> | undefined;
  readonly output: Output;
  readonly connections: Set<ClientConnection>;
  /** By Client Identifier. */
  readonly sessions: Map<string, Session>;
  readonly subscriptions: Subscriptions;
  readonly retained: Retained;
  /** A Client Identifier for a client that gave none, different from all others (section 3.1.3.1). */
  assignIdentifier(): string;
}
