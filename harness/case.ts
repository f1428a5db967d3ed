/** What a conformance case is: a data head and an async body. Types and the small functions that make them. */

import type { Trait } from './events.ts';
import type { ConnectOptions, Peer } from './peer.ts';
import type { RequirementId, Strength, Version } from './spec/index.ts';
import type { ConnectFields } from './wire/build.ts';
import type { Connect } from './wire/packet.ts';

/**
 * Something that a broker may lack without breaking the standard, found out by probing before the run. What every server must have
 * (sessions, and in 3.1.1 retained messages) is no capability: lacking it is a failure.
 */
export type Capability =
  /** Grants QoS 1. */
  | 'qos1'
  /** Grants QoS 2. */
  | 'qos2'
  /** Grants filters with wildcards. */
  | 'wildcards'
  /** Accepts a zero-length Client Identifier with CleanSession 1. */
  | 'empty-client-id'
  /** Accepts clients without credentials. */
  | 'anonymous'
  /** Delivers what clients publish to topics that begin with `$`. */
  | 'dollar-topics'
  /** Stores retained messages; every server of 3.1.1 has to. */
  | 'retain'
  /** Takes Subscription Identifiers (5.0). */
  | 'subscription-identifiers'
  /** Serves Shared Subscriptions (5.0). */
  | 'shared-subscriptions'
  /** Takes Topic Aliases (5.0). */
  | 'topic-aliases'
  /** Proves clients by the method of `wire/challenge.ts`, with the secret that was given for the target (5.0). */
  | 'authentication'
  /** A topic was named that nobody may use. */
  | 'denied-topic';

/** What a case is given: connections, names of its own, time, and ways to say what it saw. */
export interface Context {
  readonly version: Version;
  /** A topic of this case's own, `<prefix>/<run>/<case>`; sub-topics are made by appending levels. */
  readonly topic: string;
  /** The part of every own topic and client id that no other case has. Put it into payloads sent to topics without it. */
  readonly token: string;
  /** A Client Identifier of this case's own, of 1 to 23 characters 0-9a-zA-Z; the same for the same name. */
  clientId(name?: string): string;
  /** Connects a client and reads CONNACK 0. It is set-up: a refusal ends the case as could-not-run. */
  connect(options?: ConnectOptions): Promise<Peer>;
  /** Opens a network connection and sends nothing. Its version is that of the case unless given. */
  open(name?: string, version?: Version): Promise<Peer>;
  /**
   * A CONNECT with an own Client Identifier and the target's credentials unless given; to send on an opened connection. In 5.0 one
   * with `clean: false` and no properties asks for a session that outlives the connection, as it does in 3.1.1.
   */
  connectPacket(fields?: Partial<ConnectFields>, version?: Version): Connect;
  /** The topic that the target was told to deny to everybody; needs `denied-topic`. */
  deniedTopic(): string;
  /** What the client answers to a challenge of the target's (see `wire/challenge.ts`); needs `authentication`. */
  proof(challenge: Uint8Array): Uint8Array;
  /** Seconds in milliseconds: `seconds(1.5 * keepAlive)`. */
  seconds(count: number): number;
  /**
   * Lets time pass. Only where the standard itself names a time (Keep Alive); absence is proved with a fence instead.
   */
  elapse(ms: number): Promise<void>;
  /** Milliseconds since the case started. */
  now(): number;
  /**
   * Ends the case as could-not-run unless less than `limitMs` has passed since `sinceMs` (by `now`): where the standard gives the client
   * a time (to come back before a session expires, to send before Keep Alive runs out), a slow machine must not count against the broker.
   * To be called when the client has done its part, before the broker's is judged.
   */
  inTime(sinceMs: number, limitMs: number): void;
  /** How much later than the standard's moment the target may act, in milliseconds. */
  readonly toleranceMs: number;
  /** How long any single answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Records what the broker chose where the standard leaves it open, or a figure. */
  trait(name: Trait['name'], value: Trait['value']): void;
  /** Records that the outcome is right but not the preferred one: the verdict becomes non-strict instead of pass. */
  nonStrict(reason: string): void;
  /** Ends the case as not applicable. */
  notApplicable(reason: string): never;
  /** Ends the case as could-not-run: the set-up did not work, so nothing was judged. */
  couldNotRun(reason: string): never;
  /** Ends the case as failed. Of the requirements those of the case's version are named; what it covers, if there are none. */
  fail(expected: string | readonly string[], actual: string, ...requirements: readonly RequirementId[]): never;
}

/** One case, for every version of the protocol that its `covers` name. */
export interface Case {
  /** A slug that never changes: `a-z0-9-`, unique in its section. */
  readonly id: string;
  /** Says what the broker does: "closes…", "delivers…", "ignores…". */
  readonly title: string;
  /** What it judges. The strength of the case is that of the strongest of them. */
  readonly covers: readonly RequirementId[];
  /**
   * How much its outcome weighs, where that is less than what it covers: how thoroughly a server of 5.0 checks what no statement of its own
   * demands is up to it (v5/4.13.1~checking-depth).
   */
  readonly strength?: Strength;
  readonly needs?: readonly Capability[];
  readonly tags?: readonly string[];
  /** Seconds that the standard makes this case wait, at least. The longest start first. */
  readonly waits?: number;
  run(context: Context): Promise<void>;
}

/** A section of the standard with its cases. */
export interface Section {
  /** `3.1.2.10 Keep Alive`, as each version has it. */
  readonly titles: Readonly<Record<Version, string>>;
  readonly cases: readonly Case[];
}

/** A chapter of a suite: one file. */
export interface Chapter {
  /** `3.1 CONNECT`. */
  readonly title: string;
  readonly sections: readonly Section[];
}

/** A section from its title, which starts with its number; where the versions differ, from both titles. */
export function section(title: string | Readonly<Record<Version, string>>, cases: readonly Case[]): Section {
  return { titles: typeof title === 'string' ? { v3: title, v5: title } : title, cases };
}

/** A chapter from its title and sections. */
export function chapter(title: string, ...sections: readonly Section[]): Chapter {
  return { title, sections };
}
