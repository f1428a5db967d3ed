/** Removes what a play leaves on the broker: sessions and retained messages, so that millions of cases leave nothing. */

import type { Version } from '../harness/spec/index.ts';
import { connect, disconnect, publish } from '../harness/wire/build.ts';
import type { Connect, Packet, Publish } from '../harness/wire/packet.ts';
import { dataFrom } from './data.ts';
import { play, type Stage } from './play.ts';
import type { Connection, Recording } from './record.ts';
import type { Script, ScriptClient, Step } from './script.ts';

/** Never more than this for one case: what shall be removed costs as much as the case. */
const removedAtMost = 20;

/** Removes what a play may have left; does nothing, at no cost, for one that left nothing. Resolves also when the target is gone. */
export async function sweep(recording: Recording, stage: Stage): Promise<void> {
  const script = sweepOf(recording);
  if (script) await play(script, stage, recording.name).catch(() => {});
}

/** The script that removes what a play may have left; undefined for one that left nothing, or removed it itself. */
export function sweepOf({ connections }: Recording): Script | undefined {
  if (!connections.some(leavesAnything)) return undefined;
  const sessions = new Map<string, Version>();
  // Whether one was removed again depends on when a broker takes a message of QoS 2, and a Will comes after all that its client has done.
  const topics = new Set<string>();
  for (const { packet, version, isSure } of inOrder(connections)) {
    if (packet.type === 'PUBLISH') topics.add(packet.topic);
    if (packet.type !== 'CONNECT') continue;
    if (outlives(packet)) sessions.set(packet.clientId, version);
    else if (packet.clean && isSure) sessions.delete(packet.clientId);
    if (packet.will?.retain) topics.add(packet.will.topic);
  }
  sessions.delete('');
  topics.delete('');
  if (sessions.size + topics.size === 0) return undefined;
  const clients: ScriptClient[] = [];
  const steps: Step[] = [];
  const send = (packet: Packet) => steps.push({ client: clients.length - 1, do: 'send', packet: dataFrom(packet) });
  const come = (clientId: string, version: Version) => {
    clients.push({ version });
    send(connect({ clientId, protocolLevel: version === 'v5' ? 5 : 4 }));
  };
  for (const [clientId, version] of [...sessions].slice(0, removedAtMost)) {
    come(clientId, version);
    if (clients.length < sessions.size || topics.size === 0) send(disconnect());
  }
  if (topics.size > 0) {
    if (clients.length === 0) come('', 'v3');
    for (const topic of wildcardsLast(topics).slice(0, removedAtMost)) send(publish({ topic, retain: true }));
    send(disconnect());
  }
  return { clients, steps };
}

/** Whether anything of a connection can be left. Most often nothing can. */
function leavesAnything({ sent, version }: Connection): boolean {
  if (!version) return false;
  for (const { packet } of sent) {
    if (packet?.type === 'PUBLISH' && packet.retain && packet.payload.length > 0) return true;
    if (packet?.type === 'CONNECT' && (outlives(packet) || packet.will?.retain)) return true;
  }
  return false;
}

interface Swept {
  readonly packet: Packet;
  readonly version: Version;
  readonly order: number;
  /** The broker is sure to have taken it for what it is: only then can it have removed anything. */
  readonly isSure: boolean;
}

/** What was sent on connections that were let in, or that ended before anybody could tell. */
function inOrder(connections: Recording['connections']) {
  const sent: Swept[] = [];
  for (const connection of connections) {
    const { version, received } = connection;
    const isRefused = received.some(({ packet }) => packet?.type === 'CONNACK' && packet.code !== 0);
    if (!version || isRefused) continue;
    const aliases = new Map<number, string>();
    const isLetIn = received.some(({ packet }) => packet?.type === 'CONNACK');
    for (const { packet: given, order, fate } of connection.sent) {
      const packet = given?.type === 'PUBLISH' ? unaliased(given, aliases) : given;
      if (packet && leaves(packet)) sent.push({ packet, version, order, isSure: isLetIn && fate === 'fair' });
    }
  }
  return connections.length > 1 ? sent.sort((one, other) => one.order - other.order) : sent;
}

/** The PUBLISH with the Topic Name that its Topic Alias stands for on this connection (5.0). */
function unaliased(packet: Publish, aliases: Map<number, string>): Publish {
  const alias = packet.properties?.topicAlias;
  if (alias === undefined) return packet;
  if (packet.topic !== '') aliases.set(alias, packet.topic);
  return { ...packet, topic: packet.topic || (aliases.get(alias) ?? '') };
}

function leaves(packet: Packet): boolean {
  return packet.type === 'CONNECT' || (packet.type === 'PUBLISH' && packet.retain && packet.payload.length > 0);
}

/** A broker that took one with wildcards may close on it now. */
function wildcardsLast(topics: Iterable<string>): readonly string[] {
  const isWild = (topic: string) => Number(/[+#]/.test(topic));
  return [...topics].sort((one, other) => isWild(one) - isWild(other));
}

/** A session of a few seconds ends before it matters, unless a Will that is to be retained waits: for its delay, or wrongly for longer than its session. */
function outlives({ clean, properties, protocolLevel, will }: Connect): boolean {
  if (protocolLevel !== 5) return !clean;
  const waits = will?.retain === true && (will.properties?.willDelayInterval ?? 0) > 0;
  return waits || (properties?.sessionExpiryInterval ?? 0) > 5;
}
