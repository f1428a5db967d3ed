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
  const topics = new Map<string, Version>();
  const wills = new Map<string, Version>();
  for (const { packet, version } of inOrder(connections)) {
    if (packet.type === 'CONNECT') note(sessions, packet.clientId, version, outlives(packet));
    if (packet.type === 'PUBLISH' && packet.retain) note(topics, packet.topic, version, packet.payload.length > 0);
    if (packet.type === 'CONNECT' && packet.will?.retain) wills.set(packet.will.topic, version);
  }
  // A Will comes when its connection has ended, so after all that its client and others have removed.
  for (const [topic, version] of wills) note(topics, topic, version, true);
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
    for (const topic of [...topics.keys()].slice(0, removedAtMost)) send(publish({ topic, retain: true }));
    send(disconnect());
  }
  return { clients, steps };
}

/** Whether anything of a connection can be left. Most often nothing can. */
function leavesAnything({ sent, version }: Connection): boolean {
  if (!version) return false;
  for (const { packet } of sent) {
    if (packet?.type === 'PUBLISH' && packet.retain) return true;
    if (packet?.type === 'CONNECT' && (outlives(packet) || packet.will?.retain)) return true;
  }
  return false;
}

/** What was sent on connections that were let in, or that ended before anybody could tell. */
function inOrder(connections: Recording['connections']) {
  const sent: { packet: Packet; version: Version; order: number }[] = [];
  for (const connection of connections) {
    const { version, received } = connection;
    const isRefused = received.some(({ packet }) => packet?.type === 'CONNACK' && packet.code !== 0);
    if (!version || isRefused) continue;
    const aliases = new Map<number, string>();
    for (const { packet: given, order } of connection.sent) {
      const packet = given?.type === 'PUBLISH' ? unaliased(given, aliases) : given;
      if (packet && leaves(packet)) sent.push({ packet, version, order });
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
  return packet.type === 'CONNECT' || (packet.type === 'PUBLISH' && packet.retain);
}

function note(left: Map<string, Version>, name: string, version: Version, isKept: boolean): void {
  if (isKept && name !== '') left.set(name, version);
  else left.delete(name);
}

/** A session of a few seconds ends before it matters. */
function outlives({ clean, properties, protocolLevel }: Connect): boolean {
  return protocolLevel === 5 ? (properties?.sessionExpiryInterval ?? 0) > 5 : !clean;
}
