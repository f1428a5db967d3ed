/** The sessions of a play: which connections share one, and whether all that may be in it is known (sections 3.1.2.4 and 4.1). */

import { caseName } from '../record.ts';
import { expirySeconds, isLetIn, isRefused, type Life, never, outlives } from './life.ts';

/** One session of one Client Identifier, from the CONNECT that made it to the one that made the next. */
export interface Session {
  readonly clientId: string;
  /** The connections that the broker gave this session, oldest first. */
  readonly lives: readonly Life[];
  /**
   * Whether these are all that ever had it, and it began empty. If not, a CONNECT without an answer may have discarded or filled
   * it, or the order of two is open: then nothing is to be said about it.
   */
  readonly known: boolean;
  /** Order of the CONNECT that made the next session of this Client Identifier, or that may have. */
  readonly until: number;
}

/** What Session Present has to be, and what it was. */
export interface Presence {
  readonly life: Life;
  readonly expected: boolean;
  readonly actual: boolean;
}

/** When what happened in the play, in milliseconds. */
export interface Times {
  readonly durationMs: number;
  atMs(order: number): number;
}

/** How late a session may end after its time: brokers look for those that are over now and then. */
const toleranceMs = 1_000;

interface Growing {
  clientId: string;
  lives: Life[];
  known: boolean;
  until: number;
}

/** The sessions that connections were given, and where Session Present tells of another one than there has to be. */
export function sessionsOf(
  lives: readonly Life[],
  times: Times,
): {
  readonly sessions: readonly Session[];
  readonly wrong: readonly Presence[];
} {
  const sessions: Session[] = [];
  const wrong: Presence[] = [];
  for (const [clientId, ofClient] of byClient(lives)) {
    let current: Growing | undefined;
    // Names without the name of the case may be in use by other cases as well.
    const isOurs = clientId.includes(caseName);
    for (const [index, life] of ofClient.entries()) {
      if (isRefused(life)) continue;
      const before = ofClient.slice(0, index);
      const isOrdered = before.every((other) => isConcluded(other, life.connect.order));
      if (!isLetIn(life)) {
        if (current) current.known = false;
        continue;
      }
      const present = life.connack?.packet.sessionPresent ?? false;
      if (isOurs && isOrdered) {
        const expected = presenceOf(life, current, before, times);
        if (expected !== undefined && expected !== present) wrong.push({ life, expected, actual: present });
      }
      const continues: boolean = present && !life.connect.packet.clean;
      if (continues && current) {
        current.lives.push(life);
        current.known &&= isOrdered && current.lives[0]?.version === life.version;
        continue;
      }
      if (current) {
        current.until = life.connect.order;
        current.known &&= isOrdered;
      }
      current = { clientId, lives: [life], known: isOurs && isOrdered && !present, until: never };
      sessions.push(current);
    }
  }
  return { sessions, wrong };
}

/** By the identifier that the broker knows the client by: one that it assigned to a client without one is of this connection alone. */
function byClient(lives: readonly Life[]): ReadonlyMap<string, readonly Life[]> {
  const found = new Map<string, Life[]>();
  for (const life of lives) {
    const { clientId } = life.connect.packet;
    const key = clientId === '' ? `${caseName}, nameless ${life.connection.connection}` : clientId;
    const list = found.get(key) ?? [];
    list.push(life);
    found.set(key, list);
  }
  return found;
}

/** Whether what a CONNECT does to the session was done before another CONNECT was sent. */
function isConcluded(life: Life, before: number): boolean {
  return (life.connack?.order ?? never) < before;
}

/** Session Present as it has to be in answer to this CONNECT; undefined where that is open. */
function presenceOf(
  life: Life,
  current: Growing | undefined,
  before: readonly Life[],
  { durationMs, atMs }: Times,
): boolean | undefined {
  if (life.connect.packet.clean) return false;
  const served = before.filter((other) => !isRefused(other));
  if (served.length === 0) return false;
  const last = current?.lives.at(-1);
  if (!current?.known || !last || served.at(-1) !== last || last.version !== life.version) return undefined;
  if (outlives(last, durationMs)) return true;
  // The session ends a time after this side saw the broker end its connection, or at once.
  const { closed } = last.connection;
  if (closed?.by !== 'broker' || closed.order > life.connect.order) return undefined;
  const seconds = expirySeconds(last);
  const passedMs = atMs(life.connect.order) - atMs(closed.order);
  return seconds === 0 || passedMs > 1_000 * seconds + toleranceMs ? false : undefined;
}
