/**
 * What happens too early, too late or not at all by the clock: Keep Alive (section 3.1.2.10), Will Delay Interval (3.1.3.2.2) and Message Expiry
 * Interval (3.3.2.3.3). The times of the broker are known only from this side, which may be late itself: each is held between what was surely read
 * before and what was surely seen after, and brokers may count in whole seconds.
 */

import { lastReadAt } from '../model/answers.ts';
import type { Delivery } from '../model/delivery.ts';
import { expirySeconds, isLetIn, type Life, never } from '../model/life.ts';
import type { Publication } from '../model/publication.ts';
import type { Model, Told } from '../model.ts';
import type { Finding } from '../record.ts';
import { explanationsOf } from './explained.ts';
import { broken, isOurs, type Rule, shown } from './law.ts';

const rules = {
  silent: { v3: ['v3/3.1.2-24'], v5: ['v5/3.1.2-22'] },
  notSilent: { v3: [], v5: ['v5/3.1.2-22'] },
  expired: { v3: ['v5/3.3.2-5'], v5: ['v5/3.3.2-5'] },
  retained: { v3: ['v5/3.3.2.3.3~retained-expiry'], v5: ['v5/3.3.2.3.3~retained-expiry'] },
  reduced: { v3: [], v5: ['v5/3.3.2-6'] },
  delay: { v3: [], v5: ['v5/3.1.2-8'] },
  cameBack: { v3: [], v5: ['v5/3.1.3-9'] },
} as const satisfies Record<string, Rule>;

/** The standard gives no latest time for the end of a silent connection, and brokers look every few seconds. */
const silenceToleranceMs = 6_000;
/** Clocks that count in whole seconds, on both sides. */
const roundingMs = 1_250;
const keepAliveTimeout = 0x8d;

/** Findings about what the clock says. */
export function* judgeTimes(model: Model): Generator<Finding> {
  for (const life of model.lives) {
    yield* judgeSilence(model, life);
    yield* judgeTimeout(model, life);
  }
  if (model.hasFaults) return;
  yield* judgeDelays(model);
  if (model.recording.durationMs < roundingMs) return;
  for (const session of model.sessions) {
    if (!session.known) continue;
    for (const delivery of session.deliveries) {
      const found = judgeExpiry(model, session, delivery);
      if (found) yield found;
    }
  }
}

function timeOf({ recording: { happened } }: Model, order: number): number {
  return happened[order]?.atMs ?? 0;
}

/** What applies to a connection, in seconds (v5/3.2.2-22). */
function keepAliveOf({ connect, connack }: Life): number {
  return connack?.packet.properties?.serverKeepAlive ?? connect.packet.keepAlive;
}

// ── Keep Alive ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** A client that has sent nothing for far longer than its Keep Alive, and is served all the same. */
function* judgeSilence(model: Model, life: Life): Generator<Finding> {
  const keepAlive = keepAliveOf(life);
  const limitMs = 1_500 * keepAlive + silenceToleranceMs;
  if (keepAlive === 0 || !isLetIn(life) || model.recording.durationMs < limitMs) return;
  const readAt = lastReadAt(life);
  /** Since when the broker is sure to have read all that was sent; what is on its way was not sent now. */
  let quietAt = never;
  let pings = 0;
  let isPingLast = true;
  for (const { by, order, packet } of life.both) {
    if (by === 'client') {
      const silentMs = timeOf(model, order) - timeOf(model, quietAt);
      if (quietAt !== never && silentMs >= limitMs && order <= readAt) {
        const expected = `the connection closes after ${1.5 * keepAlive} s of silence (${silenceToleranceMs / 1_000} s more are tolerated)`;
        const actual = `${packet.type} is answered after ${Math.round(silentMs / 100) / 10} s of silence`;
        return yield broken(
          'silent client not disconnected',
          { rule: rules.silent, version: life.version },
          { expected, actual, at: order },
        );
      }
      quietAt = never;
      // Its answer tells that all before it was read.
      isPingLast = packet.type === 'PINGREQ';
      if (isPingLast) pings++;
    } else if (packet.type === 'CONNACK' || packet.type === 'PINGRESP') {
      if (packet.type === 'PINGRESP') pings--;
      if (pings === 0 && isPingLast) quietAt = order;
    }
  }
}

/** A DISCONNECT that says that the Keep Alive is over, before it can be. */
function* judgeTimeout(model: Model, life: Life): Generator<Finding> {
  const last = life.received.at(-1);
  if (last?.packet.type !== 'DISCONNECT' || last.packet.code !== keepAliveTimeout || !isLetIn(life)) return;
  const keepAlive = keepAliveOf(life);
  const silentMs = timeOf(model, last.order) - timeOf(model, lastReadAt(life));
  if (keepAlive > 0 && silentMs >= 1_000 * keepAlive) return;
  const expected = `no Keep Alive timeout ${keepAlive === 0 ? 'with Keep Alive 0' : `within ${keepAlive} s`}`;
  yield broken(
    'Keep Alive timeout of a client that is not silent',
    { rule: rules.notSilent, version: life.version },
    { expected, actual: `DISCONNECT 0x8D after ${Math.round(silentMs)} ms at the most`, at: last.order },
  );
}

// ── Will Delay Interval ──────────────────────────────────────────────────────────────────────────────────────────────

/** The seconds after the end of its connection at which a Will is due: those of its delay, or of its session if that ends before. */
export function delayOf({ life, properties }: Publication): number {
  return Math.min(properties.willDelayInterval ?? 0, expirySeconds(life));
}

/** The next connections of the same Client Identifier: they cancel a Will that waits, or make it due. */
export function comesBack({ lives }: Model, life: Life): Life | undefined {
  const { clientId } = life.connect.packet;
  return lives.find(
    ({ connect }) => connect.order > life.connect.order && connect.packet.clientId === clientId && clientId !== '',
  );
}

/** How late a Will may come after its time: brokers count in whole seconds, and look once in each. */
export const willToleranceMs = 2_500;

/** Wills that came too soon, or that never should have come. */
function* judgeDelays(model: Model): Generator<Finding> {
  for (const will of model.publications) {
    if (!will.isWill || delayOf(will) < 2 || !isOurs(will.topic) || !isLetIn(will.life)) continue;
    if (model.byContent.get(will.content)?.length !== 1) continue;
    const endsAfterMs = timeOf(model, lastReadAt(will.life));
    /** If it is before this, it is before the end of the delay. */
    const soonMs = endsAfterMs + 1_000 * (delayOf(will) - 1);
    const next = comesBack(model, will.life);
    if (next && !isResumed(next)) continue;
    if (next && !(timeOf(model, next.connack?.order ?? never) < soonMs)) continue;
    // A DISCONNECT may have ended the session.
    if (will.life.disconnectAt !== never) continue;
    for (const session of model.sessions) {
      const came = session.deliveries.find(({ content }) => content === will.content);
      if (!came) continue;
      const actual = `it came at most ${Math.round(timeOf(model, came.order) - endsAfterMs)} ms after its connection ended`;
      const at = { actual, at: came.order };
      if (next) {
        const expected = 'no Will of a client that resumed its session within the Will Delay Interval';
        yield broken('Will of a client that came back', { rule: rules.cameBack, version: 'v5' }, { expected, ...at });
      } else if (timeOf(model, came.order) < soonMs) {
        const expected = `the Will to ${shown(will.topic)} after its delay of ${delayOf(will)} s`;
        yield broken('Will before its delay is over', { rule: rules.delay, version: 'v5' }, { expected, ...at });
      } else continue;
      break;
    }
  }
}

function isResumed(life: Life): boolean {
  return (
    isLetIn(life) && life.version === 'v5' && !life.connect.packet.clean && life.connack?.packet.sessionPresent === true
  );
}

// ── Message Expiry Interval ──────────────────────────────────────────────────────────────────────────────────────────

/** A message that came although its time was over, or that says that it has more time left than it has. */
function judgeExpiry(model: Model, session: Told, delivery: Delivery): Finding | undefined {
  const { packet, repeats, topic, life, order } = delivery;
  if (repeats || packet.dup || !isOurs(topic)) return undefined;
  const published = model.byContent.get(delivery.content) ?? [];
  if (published.length === 0 || !published.every(({ properties }) => (properties.messageExpiryInterval ?? 0) > 0)) {
    return undefined;
  }
  const explanations = explanationsOf(model, session, delivery);
  if (explanations.length === 0) return undefined;
  const waits = explanations.map(({ publication, subscription, live }) => {
    const given = publication.properties.messageExpiryInterval ?? 0;
    // Another member of the group may have been sent it in time.
    if (subscription.isShared) return { given, waitedMs: 0 };
    const fromAt = live ? absentUntil(session, delivery, publication) : subscription.sentAt;
    const waitedMs = fromAt > publication.takenAt ? timeOf(model, fromAt) - timeOf(model, publication.takenAt) : 0;
    return { given, waitedMs };
  });
  const at = { at: order };
  if (waits.every(({ given, waitedMs }) => waitedMs >= 1_000 * given + roundingMs)) {
    const isRetained = explanations.every(({ live }) => !live);
    const [first] = waits;
    const expected = `no message that has waited longer than its Message Expiry Interval of ${first?.given} s`;
    const actual = `it came after ${Math.round((first?.waitedMs ?? 0) / 100) / 10} s`;
    const rule = isRetained ? rules.retained : rules.expired;
    return broken('expired message', { rule, version: life.version }, { expected, actual, ...at });
  }
  const left = packet.properties?.messageExpiryInterval;
  if (left === undefined) return undefined;
  const isMore = waits.every(({ given, waitedMs }) => left <= given && 1_000 * (given - left) < waitedMs - roundingMs);
  if (!isMore) return undefined;
  const [first] = waits;
  const expected = `a Message Expiry Interval of ${first?.given} s less the ${Math.round((first?.waitedMs ?? 0) / 1_000)} s that it waited`;
  return broken(
    'Message Expiry Interval not reduced',
    { rule: rules.reduced, version: life.version },
    { expected, actual: `${left} s`, ...at },
  );
}

/** The CONNECT up to which the broker cannot have handed a message on to a session that had no connection when it came; -1 if it may have had one. */
function absentUntil({ lives }: Told, { life }: Delivery, { order }: Publication): number {
  const before = lives.slice(0, lives.indexOf(life));
  // That a broker closes is sure to be known to it; that a client drops the connection it may see late.
  const isAway = before.every(({ connection: { closed } }) => closed?.by === 'broker' && closed.order < order);
  return isAway && life.connect.order > order ? life.connect.order : -1;
}
