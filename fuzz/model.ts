/** What must be the case after what the clients of a play did, as far as acknowledgements prove it; the rest is left unknown. */

import type { PacketType } from '../harness/wire/packet.ts';
import { type Delivery, type Exchange, receptionOf } from './model/delivery.ts';
import { isDoubtful, isLetIn, type Life, lifeOf } from './model/life.ts';
import { type Content, type Publication, publicationsOf } from './model/publication.ts';
import { type Presence, type Session, sessionsOf } from './model/session.ts';
import { type Subscription, subscriptionsOf } from './model/subscription.ts';
import type { Recording } from './record.ts';

/** A session with all that belongs to it. */
export interface Told extends Session {
  readonly subscriptions: readonly Subscription[];
  readonly deliveries: readonly Delivery[];
  readonly exchanges: readonly Exchange[];
  /** Whether the client acknowledged only what was sent to it. */
  readonly isSound: boolean;
}

export interface Model {
  readonly recording: Recording;
  readonly lives: readonly Life[];
  /** None if nobody published or received anything. */
  readonly sessions: readonly Told[];
  /** Where Session Present is not as it has to be. */
  readonly presences: readonly Presence[];
  readonly publications: readonly Publication[];
  /** The publications by what subscribers get of them. */
  readonly byContent: ReadonlyMap<Content, readonly Publication[]>;
  /**
   * Some broker may have gone on after what it has to end the connection at: then more may have happened than this side knows, and the model
   * has nothing but the lives.
   */
  readonly hasFaults: boolean;
}

/**
 * The model of a play; undefined if a CONNECT that is no such was let in, or something else was sent that no strict broker can read as a CONNECT
 * and yet is served: then anything may have happened.
 */
export function modelOf(recording: Recording): Model | undefined {
  const { durationMs } = recording;
  const lives: Life[] = [];
  let hasFaults = false;
  for (const connection of recording.connections) {
    if (isDoubtful(connection)) hasFaults = true;
    const life = lifeOf(connection);
    if (life) lives.push(life);
    else if (connection.received.some(({ packet }) => packet?.type === 'CONNACK' && packet.code === 0))
      return undefined;
  }
  if (!lives.some(isLetIn)) return undefined;
  const lean = { recording, lives, sessions: [], presences: [], publications: [], byContent: new Map(), hasFaults };
  if (hasFaults) return lean;
  const { sessions, wrong } = sessionsOf(lives, { durationMs, atMs: (order) => recording.happened[order]?.atMs ?? 0 });
  if (lives.every(isQuiet)) return { ...lean, presences: wrong };
  const publications = publicationsOf(lives, sessions, durationMs);
  return {
    ...lean,
    sessions: sessions.map(told),
    presences: wrong,
    publications,
    byContent: grouped(publications),
  };
}

/** What has nothing to do with messages. */
const quiet: ReadonlySet<PacketType> = new Set([
  'CONNACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
]);

/** Whether a client neither published nor received anything: then its lives and sessions are all there is to tell. */
function isQuiet({ connect, both }: Life): boolean {
  return connect.packet.will === undefined && both.every(({ packet }) => quiet.has(packet.type));
}

function told(session: Session): Told {
  const { clientId, lives, known, until } = session;
  const { deliveries, exchanges, isSound } = receptionOf(session);
  const subscriptions = subscriptionsOf(session);
  return { clientId, lives, known, until, subscriptions, deliveries, exchanges, isSound };
}

function grouped(publications: readonly Publication[]): ReadonlyMap<Content, readonly Publication[]> {
  const found = new Map<Content, Publication[]>();
  for (const each of publications) {
    const list = found.get(each.content);
    if (list) list.push(each);
    else found.set(each.content, [each]);
  }
  return found;
}
