/** Where one attempt at one case takes place: its connections, its names, its trace, and the cleaning up behind it. */

import type { Context } from './case.ts';
import type { Clock } from './clock.ts';
import { CouldNotRun, NotApplicable, Unreachable, Violation } from './errors.ts';
import type { Trait, WireEntry } from './events.ts';
import { type ConnectOptions, Peer } from './peer.ts';
import { ofVersion, type RequirementId, type Version } from './spec/index.ts';
import type { Target } from './target.ts';
import * as build from './wire/build.ts';
import { proofOf } from './wire/challenge.ts';
import type { Connect, Packet } from './wire/packet.ts';

/** What all scenes of a run have in common. */
export interface Stage {
  readonly target: Target;
  readonly clock: Clock;
  /** How long any single answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** How much later than the standard's moment the target may act, in milliseconds. */
  readonly toleranceMs: number;
  /** What all topics of the run begin with. */
  readonly prefix: string;
  /** Six characters 0-9a-z that no other run has. */
  readonly runToken: string;
}

/** How long a session of 5.0 outlives its connection unless a case says so itself, in seconds; longer than any case. */
const keptSeconds = 600;

/** No case needs more entries to be understood; a flood must not fill memory. */
const traceLimit = 2000;

/** The functions of the context are fields, not methods, so that a case can take the context apart. */
export class Scene implements Context {
  readonly version: Version;
  readonly topic: string;
  readonly token: string;
  readonly trace: WireEntry[] = [];
  readonly traits: Trait[] = [];
  /** Why the outcome is right but not the preferred one. */
  softReason: string | undefined;
  /** The first broken rule that holds for every packet, whatever the case made of it. */
  violation: Violation | undefined;
  /** When bytes were last sent, by the run's clock; tells who was at work when a target died. */
  lastSentMs = 0;
  readonly #stage: Stage;
  readonly #startedMs: number;
  readonly #peers: Peer[] = [];
  readonly #retained = new Set<string>();
  readonly #sessions = new Map<string, Version>();
  /** What ends the waits of the case when it is given up. */
  readonly #abandoned: (() => void)[] = [];
  #cleaning = false;
  readonly #clientIds = new Map<string, string>();

  constructor(stage: Stage, version: Version, ordinal: number, attempt: number) {
    this.#stage = stage;
    this.version = version;
    this.token = `${stage.runToken}${ordinal.toString(36).padStart(3, '0')}${attempt > 1 ? attempt : ''}`;
    this.topic = `${stage.prefix}/${this.token}`;
    this.#startedMs = stage.clock.now();
  }

  get toleranceMs(): number {
    return this.#stage.toleranceMs;
  }

  get timeoutMs(): number {
    return this.#stage.timeoutMs;
  }

  readonly clientId = (name = 'client'): string => {
    const known = this.#clientIds.get(name);
    if (known) return known;
    const fresh = `mc${this.token}${(this.#clientIds.size + 1).toString(36).toUpperCase()}`;
    this.#clientIds.set(name, fresh);
    return fresh;
  };

  readonly open = async (name = `client ${this.#peers.length + 1}`, version = this.version): Promise<Peer> => {
    const peer = new Peer(name, {
      clock: this.#stage.clock,
      version,
      timeoutMs: this.timeoutMs,
      token: this.token,
      // Without the token: it is of no interest to the case itself, whatever it is subscribed to.
      settleTopic: `${this.#stage.prefix}/settle/${[...this.token].reverse().join('')}`,
      trace: (entry) => this.#record(entry),
      sent: (packet) => this.#sent(packet),
      violated: (violation) => {
        this.violation ??= violation;
      },
      nonStrict: this.nonStrict,
    });
    this.#peers.push(peer);
    peer.attach(await this.#stage.target.transport.open(peer, this.timeoutMs));
    return peer;
  };

  readonly connect = async (options: ConnectOptions = {}): Promise<Peer> => {
    const { name, version, ...fields } = options;
    const peer = await this.open(name, version);
    peer.send(this.connectPacket({ clientId: this.clientId(peer.name), ...fields }, version));
    await peer.accepted();
    return peer;
  };

  readonly connectPacket = (fields: Partial<build.ConnectFields> = {}, version = this.version): Connect => {
    return build.connect({
      ...this.#stage.target.credentials,
      protocolLevel: version === 'v5' ? 5 : 4,
      ...(version === 'v5' && fields.clean === false && { properties: { sessionExpiryInterval: keptSeconds } }),
      ...fields,
      clientId: fields.clientId ?? this.clientId(),
    });
  };

  readonly proof = (challenge: Uint8Array): Uint8Array => {
    const { secret } = this.#stage.target;
    return secret === undefined
      ? this.notApplicable('the target was given without a secret')
      : proofOf(challenge, secret);
  };

  readonly seconds = (count: number): number => {
    return count * 1000;
  };

  readonly elapse = (ms: number): Promise<void> => {
    return new Promise((resolve, reject) => {
      const cancel = this.#stage.clock.after(ms, resolve);
      this.#abandoned.push(() => {
        cancel();
        reject(new CouldNotRun('given up'));
      });
    });
  };
  /** Gives the case up at once: drops its connections, ends its waits. */
  abandon(): void {
    for (const give of this.#abandoned) give();
    for (const peer of this.#peers) peer.drop();
  }

  readonly now = (): number => {
    return this.#stage.clock.now() - this.#startedMs;
  };

  readonly inTime = (sinceMs: number, limitMs: number): void => {
    const passedMs = this.now() - sinceMs;
    if (passedMs < limitMs) return;
    const [passed, limit] = [passedMs, limitMs].map((ms) => (ms / 1000).toFixed(1));
    throw new CouldNotRun(
      `this machine, or the way to the broker, is too slow: ${passed} s where ${limit} s are given`,
    );
  };

  readonly trait = (name: string, value: string): void => {
    this.traits.push({ name, value });
  };

  readonly nonStrict = (reason: string): void => {
    this.softReason ??= reason;
  };

  readonly notApplicable = (reason: string): never => {
    throw new NotApplicable(reason);
  };

  readonly couldNotRun = (reason: string): never => {
    throw new CouldNotRun(reason);
  };

  readonly deniedTopic = (): string => {
    return this.#stage.target.deniedTopic ?? this.notApplicable('no topic was named that the target denies');
  };

  readonly fail = (
    expected: string | readonly string[],
    actual: string,
    ...requirements: readonly RequirementId[]
  ): never => {
    throw new Violation(expected, actual, ofVersion(this.version, requirements));
  };

  #record(entry: Omit<WireEntry, 'at'>): void {
    if (!this.#cleaning && this.trace.length < traceLimit) this.trace.push({ at: this.now(), ...entry });
  }

  /** Remembers what will have to be cleaned up. */
  #sent(packet: Packet | undefined): void {
    if (!this.#cleaning) this.lastSentMs = this.#stage.clock.now();
    if (packet?.type === 'PUBLISH' && packet.retain && packet.payload.length > 0) this.#retained.add(packet.topic);
    if (packet?.type !== 'CONNECT') return;
    const level5 = packet.protocolLevel === 5;
    if (level5 ? packet.properties?.sessionExpiryInterval : !packet.clean) {
      this.#sessions.set(packet.clientId, level5 ? 'v5' : 'v3');
    }
    if (packet.will?.retain && packet.will.payload.length > 0) this.#retained.add(packet.will.topic);
  }

  /**
   * Ends every connection of the case and removes what it left in the broker: stored sessions and retained messages. What can't
   * be cleaned is left: the names are this attempt's own.
   */
  async cleanUp(): Promise<void> {
    this.#cleaning = true;
    for (const peer of this.#peers) peer.leave();
    if (this.#retained.size === 0 && this.#sessions.size === 0) return;
    try {
      for (const [clientId, version] of this.#sessions) await this.#cleaner({ clientId, clean: true, version }, []);
      // A PUBLISH to a topic with a wildcard makes the broker close: those last.
      const topics = [...this.#retained].sort((a, b) => Number(/[+#]/.test(a)) - Number(/[+#]/.test(b)));
      if (topics.length > 0) await this.#cleaner({ clientId: this.clientId('cleaner') }, topics);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
    }
  }

  async #cleaner(fields: ConnectOptions, topics: readonly string[]): Promise<void> {
    const { version, ...connect } = fields;
    const peer = await this.open('clean-up', version);
    peer.send(this.connectPacket(connect, version));
    const answer = await peer.next();
    if (answer?.type === 'CONNACK' && answer.code === 0) {
      for (const topic of topics) peer.send(build.publish({ topic, retain: true }));
      await peer.disconnect();
    }
    peer.drop();
  }
}
