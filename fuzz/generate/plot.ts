/** A session script in the making: its steps so far, and what its clients know of their own state. */

import type { Version } from '../../harness/spec/index.ts';
import type { QoS } from '../../harness/wire/packet.ts';
import type { PacketData, Script, Step } from '../script.ts';
import { connectOf, fence, send } from './scenes.ts';

export type PacketOf<T extends PacketData['type']> = Extract<PacketData, { readonly type: T }>;

/** A PUBLISH that is not known to be acknowledged to its end. */
interface Unfinished {
  readonly packet: PacketOf<'PUBLISH'>;
  released: boolean;
}

/** What the clients of one Client Identifier know of their session. */
interface Session {
  /** In the order of sending. */
  readonly unfinished: Map<number, Unfinished>;
  lastId: number;
  /** How long the broker keeps it when the connection ends, in seconds. */
  keptSeconds: number;
}

/** A connection of the script: one entry of its `clients`. Several may use the same Client Identifier. */
export interface Actor {
  readonly client: number;
  readonly letter: string;
  readonly version: Version;
  connected: boolean;
  readonly session: Session;
}

export class Plot {
  readonly steps: Step[] = [];
  readonly actors: readonly Actor[];
  #messages = 0;

  /** @param cast version and letter of each client; the letter ends its Client Identifier. */
  constructor(cast: readonly (readonly [version: Version, letter: string])[], firstId: number) {
    const sessions = new Map<string, Session>();
    this.actors = cast.map(([version, letter], client) => {
      const session = sessions.get(letter) ?? { unfinished: new Map(), lastId: firstId, keptSeconds: 0 };
      sessions.set(letter, session);
      return { client, letter, version, connected: false, session };
    });
  }

  script(): Script {
    return { clients: this.actors.map(({ version }) => ({ version })), steps: this.steps };
  }

  send({ client }: Actor, packet: PacketData): void {
    this.steps.push(send(packet, client));
  }

  /** Connects; another connection of the same Client Identifier is taken over. What is unfinished is sent again if the session is resumed. */
  connect(actor: Actor, fields: Partial<PacketOf<'CONNECT'>>): void {
    for (const other of this.actors) if (other.letter === actor.letter) other.connected = false;
    const packet = connectOf(actor.version, actor.letter, fields);
    this.send(actor, packet);
    actor.connected = true;
    const { session } = actor;
    const forever = packet.clean ? 0 : Number.POSITIVE_INFINITY;
    session.keptSeconds = actor.version === 'v3' ? forever : (packet.properties?.sessionExpiryInterval ?? 0);
    if (packet.clean) return session.unfinished.clear();
    this.resend(actor);
  }

  /** Section 4.4: PUBLISH with DUP, or PUBREL, in the order in which they were first sent. */
  resend(actor: Actor): void {
    for (const [packetId, { packet, released }] of actor.session.unfinished) {
      this.send(actor, released ? { type: 'PUBREL', packetId } : { ...packet, dup: true });
    }
  }

  /** An identifier that this session does not use, most often the next one. */
  freshId({ session }: Actor): number {
    do session.lastId = (session.lastId % 65_535) + 1;
    while (session.unfinished.has(session.lastId));
    return session.lastId;
  }

  /** A payload that no other message of the script has, padded to about so many bytes. */
  payload(size = 0): string {
    const name = `m${++this.#messages}`;
    return size > name.length ? `${name} ${'.'.repeat(size - name.length - 1)}` : name;
  }

  /** A payload of its own with so many bytes, however many that are. */
  largePayload(length: number): { readonly text: string; readonly length: number } {
    return { text: `${this.payload()} `, length };
  }

  publish(actor: Actor, topic: string, qos: QoS, fields: Partial<PacketOf<'PUBLISH'>> = {}): void {
    const packetId = qos > 0 ? this.freshId(actor) : undefined;
    const packet: PacketOf<'PUBLISH'> = {
      type: 'PUBLISH',
      dup: false,
      qos,
      retain: false,
      topic,
      payload: this.payload(),
      ...(packetId !== undefined && { packetId }),
      ...fields,
    };
    this.send(actor, packet);
    if (packetId !== undefined) actor.session.unfinished.set(packetId, { packet, released: false });
  }

  /** A fence: all that was sent is answered, so that exchanges of QoS 1 and released ones of QoS 2 are over. */
  fence(actor: Actor): void {
    this.steps.push(fence(actor.client));
    this.#answered(actor);
  }

  /** Answers what the broker has sent, and what it sends then, to the end or for so many rounds; each of them behind a fence. */
  acknowledge(actor: Actor, rounds?: number): void {
    this.steps.push({ client: actor.client, do: 'acknowledge', ...(rounds !== undefined && { rounds }) });
    for (let round = 0; round < (rounds ?? 2); round++) {
      this.#answered(actor);
      for (const unfinished of actor.session.unfinished.values()) unfinished.released = true;
    }
  }

  #answered({ session: { unfinished } }: Actor): void {
    for (const [packetId, { packet, released }] of unfinished) {
      if (packet.qos === 1 || released) unfinished.delete(packetId);
    }
  }

  /** Ends the connection: with DISCONNECT, FIN, or RST. */
  leave(actor: Actor, how: 'disconnect' | 'close' | 'drop', code?: number): void {
    if (how === 'disconnect') this.send(actor, { type: 'DISCONNECT', ...(code !== undefined && { code }) });
    this.steps.push({ client: actor.client, do: how === 'drop' ? 'drop' : 'close' });
    actor.connected = false;
  }

  pause(actor: Actor): void {
    this.steps.push({ client: actor.client, do: 'pause' });
  }

  resume(actor: Actor): void {
    this.steps.push({ client: actor.client, do: 'resume' });
  }

  wait(ms: number): void {
    this.steps.push({ client: 0, do: 'wait', ms });
  }
}
