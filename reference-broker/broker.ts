/** The reference broker: MQTT 3.1.1 and 5.0 as one program to be read beside the standard. It does no I/O; `listen.ts` does. */

import { type Clock, realClock } from '../harness/clock.ts';
import { type Choices, defaultChoices } from './choices.ts';
import { ClientConnection } from './connection.ts';
import { DeniedFilters } from './denied.ts';
import { type Gate, gates } from './obeys.ts';
import { Retained } from './retained.ts';
import type { Limits, Server } from './server.ts';
import { Subscriptions } from './subscriptions.ts';
import { announceProgram } from './sys.ts';

export type { Choices } from './choices.ts';
export type { Gate } from './obeys.ts';
export type { Limits } from './server.ts';

/** A network connection as the broker sees it. */
export interface Link {
  /** Takes bytes to send. They may be shared with other links, so they are not to be changed. */
  send(bytes: Uint8Array): void;
  /** Closes in an orderly way, after all that was sent. */
  close(): void;
  /** Whether so much waits to be read by the client that QoS 0 messages are better dropped. */
  readonly congested?: boolean;
}

/** What a network connection tells the broker. */
export interface Connection {
  /** Bytes have arrived. They may be kept, so the caller does not change them any more. */
  feed(bytes: Uint8Array): void;
  /** The network connection is gone, or the client has half-closed it. */
  ended(): void;
}

export interface Broker {
  /** A network connection was opened. */
  accept(link: Link): Connection;
  /** Closes all connections and forgets their wills; sessions and retained messages stay. */
  close(): void;
}

export interface BrokerOptions extends Partial<Limits> {
  readonly clock?: Clock;
  /** What to break on purpose. */
  readonly faults?: Iterable<Gate>;
  /** What to do where the standard leaves it open. */
  readonly choices?: Partial<Choices>;
  /** Told of every choice that the broker consults. */
  readonly choosing?: (name: keyof Choices) => void;
  /** Told every gate that is asked, each time. */
  readonly consulted?: (gate: Gate) => void;
  /** Passwords by user name; without it every client is let in. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** Topic Filters that no client may subscribe to, and to whose topics none may publish. */
  readonly denied?: readonly string[];
  /** What clients prove to know by `challengeMethod` of `authenticate.ts`; without it no enhanced authentication is served. */
  readonly secret?: string;
}

/** What the broker serves unless it is told to serve less. */
export const defaultLimits: Limits = {
  maximumPacketSize: 16 * 2 ** 20,
  maximumHeldBytes: 64 * 2 ** 20,
  maximumSessions: 100_000,
  maximumRetainedBytes: 256 * 2 ** 20,
  connectTimeoutMs: 10_000,
  maximumQoS: 2,
  retainAvailable: true,
  wildcardSubscriptionAvailable: true,
  subscriptionIdentifierAvailable: true,
  sharedSubscriptionAvailable: true,
  receiveMaximum: 100,
  topicAliasMaximum: 10,
  serverKeepAlive: undefined,
  maximumSessionExpirySeconds: Number.POSITIVE_INFINITY,
};

/** Starts a broker. Throws a `RangeError` for a fault that names no requirement. */
export function createBroker(options: BrokerOptions = {}): Broker {
  const server = createServer(options);
  announceProgram(server);
  return {
    accept(link) {
      const connection = new ClientConnection(server, link);
      server.connections.add(connection);
      return connection;
    },
    close() {
      for (const connection of server.connections) connection.end('shutdown');
    },
  };
}

function createServer({
  faults,
  consulted,
  clock = realClock,
  credentials,
  secret,
  denied,
  ...options
}: BrokerOptions): Server {
  const obeys = gates(faults, consulted);
  const choices = watched({ ...defaultChoices, ...options.choices }, options.choosing);
  const limits: Limits = { ...defaultLimits, ...options };
  const sessions: Server['sessions'] = new Map();
  let assigned = 0;
  let challenges = 0;
  return {
    obeys,
    obeysIn: { v3: gates(faults, consulted, 'v3'), v5: gates(faults, consulted, 'v5') },
    choices,
    limits,
    clock,
    credentials: credentials && new Map(Object.entries(credentials)),
    secret,
    denied: denied && new DeniedFilters(denied, obeys),
    connections: new Set(),
    sessions,
    subscriptions: new Subscriptions(obeys, choices),
    retained: new Retained(obeys, choices, limits.maximumRetainedBytes),
    assignIdentifier(version) {
      // No client can give an identifier with U+0000, so this one is unique; nobody is told it in 3.1.1.
      if (version === 'v3') return obeys('v3/3.1.3-6') ? `\0${assigned++}` : '\0';
      if (!obeys('v5/3.1.3-6', 'v5/3.2.2-16#unique')) return 'assigned';
      do assigned++;
      while (sessions.has(`assigned${assigned}`));
      return `assigned${assigned}`;
    },
    newChallenge: () => Buffer.from(`challenge ${challenges++}`),
  };
}

function watched(choices: Choices, told?: (name: keyof Choices) => void): Choices {
  if (!told) return choices;
  return new Proxy(choices, {
    get(_, name: keyof Choices) {
      told(name);
      return choices[name];
    },
  });
}
