/** When a session has come to rest: its client has answered all that came, and after that the broker has answered a PINGREQ. */

import { isAcknowledgement, packetIdOf } from '../model/answers.ts';
import type { Life } from '../model/life.ts';
import type { Model, Told } from '../model.ts';

/** A time at which nothing was on its way to a client for a reason that is the client's own. */
export interface Rest {
  readonly life: Life;
  /** Orders of the PINGREQ and of its PINGRESP. */
  readonly pingAt: number;
  readonly pongAt: number;
  /** Since when the client reads without a break; -1 for one that never stopped. What a broker has held back for it comes from here on. */
  readonly readsSince: number;
}

/**
 * Every time that a connection of a session came to rest, in order. What the broker took before is to be there: it may hand messages on later than it
 * acknowledges them, but not for ever (see `isPast`).
 */
export function restsOf({ recording }: Model, session: Told): readonly Rest[] {
  if (!session.known || !session.isSound) return [];
  return session.lives.flatMap((life) => {
    const isLate = recording.late.some((order) => recording.happened[order]?.connection === life.connection.connection);
    return isLate ? [] : restsOfLife(life).filter(isReading);
  });
}

function restOf(life: Life, pingAt: number, pongAt: number): Rest {
  const { stall } = life.connection;
  return { life, pingAt, pongAt, readsSince: stall && stall.from < pongAt ? stall.to : -1 };
}

/** Whether the PINGREQ was sent while the client read. */
function isReading({ pingAt, readsSince }: Rest): boolean {
  return readsSince < pingAt;
}

/** The last PINGREQ of a connection that was answered, whatever else was on its way. */
export function lastPing(life: Life): Rest | undefined {
  let last: Rest | undefined;
  const pings: number[] = [];
  for (const { by, order, packet } of life.both) {
    if (by === 'client' && packet.type === 'PINGREQ') pings.push(order);
    if (by !== 'broker' || packet.type !== 'PINGRESP') continue;
    const pingAt = pings.shift();
    if (pingAt !== undefined) last = restOf(life, pingAt, order);
  }
  return last && isReading(last) ? last : undefined;
}

function restsOfLife(life: Life): readonly Rest[] {
  const rests: Rest[] = [];
  let pings: { readonly order: number; readonly isQuiet: boolean }[] = [];
  /** Identifiers of messages that are on their way: some brokers send the next one only when they are through. */
  const open = new Set<number>();
  for (const { by, order, packet } of life.both) {
    const { type } = packet;
    if (by === 'client' && type === 'PINGREQ') pings.push({ order, isQuiet: open.size === 0 });
    else if (by === 'client' && isAcknowledgement(type)) {
      const ends = type !== 'PUBREC' || ('code' in packet && (packet.code ?? 0) >= 0x80);
      if (ends) open.delete(packetIdOf(packet) ?? 0);
      pings = pings.map((ping) => ({ ...ping, isQuiet: false }));
    } else if (by === 'broker' && (type === 'PUBREL' || (type === 'PUBLISH' && packet.qos > 0))) {
      open.add(packetIdOf(packet) ?? 0);
      pings = pings.map((ping) => ({ ...ping, isQuiet: false }));
    } else if (by === 'broker' && type === 'PINGRESP') {
      const ping = pings.shift();
      if (ping?.isQuiet) rests.push(restOf(life, ping.order, order));
    }
  }
  return rests;
}

/** Whether something happened so many milliseconds before another one. */
export function isPast({ recording: { happened } }: Model, order: number, until: number, patienceMs: number): boolean {
  return order < until && (happened[until]?.atMs ?? 0) - (happened[order]?.atMs ?? 0) >= patienceMs;
}

/** A client with a Maximum Packet Size does not get all, and what it does not get is done with (v5/3.1.2-25). */
export function takesAll({ lives }: Told): boolean {
  return lives.every(({ connect }) => connect.packet.properties?.maximumPacketSize === undefined);
}
