/** Scripts about what the standard measures in seconds: Keep Alive, the delay of a Will, and what expires. Rare, because they take as long. */

import type { Version } from '../../harness/spec/index.ts';
import type { QoS } from '../../harness/wire/packet.ts';
import type { Random } from '../random.ts';
import { caseName } from '../record.ts';
import type { Script } from '../script.ts';
import { type Actor, type PacketOf, Plot } from './plot.ts';

/** One session script in so many waits some seconds; one in so many waits until silence is sure to be noticed. */
const shortOneIn = 250;
const silentOneIn = 1_000;

type Make = (random: Random, versions: readonly Version[]) => Script;

/** The script in the place of the session script with this number; most often there is none. @param ordinal counts the session scripts of a seed */
export function timedScript(random: Random, versions: readonly Version[], ordinal: number): Script | undefined {
  if (ordinal % silentOneIn === silentOneIn / 2) return silence(random, versions);
  if (ordinal % shortOneIn !== shortOneIn / 2 || !versions.includes('v5')) return undefined;
  const make = shorts[Math.floor(ordinal / shortOneIn) % shorts.length] as Make;
  return make(random, versions);
}

const topic = `${caseName}/a`;
const other = `${caseName}/c`;
/** Longer than any of these scripts. */
const longSeconds = 60;
const leavings = ['close', 'disconnect'] as const;
const abruptly = ['drop', 'close'] as const;

function subscribe(plot: Plot, actor: Actor, filter: string, qos: QoS): void {
  plot.send(actor, { type: 'SUBSCRIBE', packetId: plot.freshId(actor), filters: [{ filter, qos }] });
}

function kept(seconds: number): Partial<PacketOf<'CONNECT'>> {
  return { clean: false, properties: { sessionExpiryInterval: seconds } };
}

// ── Keep Alive ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** So long a client is silent, in pieces: one and a half times Keep Alive 1, and 6 s, for brokers look only every few seconds. */
const piecesMs = Array.from({ length: 8 }, () => 1_000);

/**
 * Of each version one client falls silent that said Keep Alive 1, and has a Will. It is sent messages by another one that keeps to its Keep Alive of 2
 * without PINGREQ. One that asked for much more time, or for none, is silent as well.
 */
function silence(random: Random, versions: readonly Version[]): Script {
  const best: Version = versions.includes('v5') ? 'v5' : 'v3';
  const both = [...new Set(versions)];
  const cast = [best, best, ...both].map((version, at) => [version, 'abcd'[at] as string] as const);
  const plot = new Plot(cast, 0);
  const [busy, calm, ...silent] = plot.actors as readonly [Actor, Actor, ...Actor[]];
  plot.connect(busy, { keepAlive: 2 });
  subscribe(plot, busy, other, random.pick<QoS>([1, 2]));
  plot.fence(busy);
  plot.connect(calm, { keepAlive: random.pick([0, 60, 43_691, 65_535]) });
  plot.fence(calm);
  for (const actor of silent) {
    const will = { topic: other, payload: plot.payload(), qos: random.pick<QoS>([1, 2]), retain: false };
    plot.connect(actor, { keepAlive: 1, will, clean: random.oneIn(2) });
    subscribe(plot, actor, topic, 0);
    plot.fence(actor);
  }
  for (const ms of piecesMs) {
    plot.wait(ms);
    plot.publish(busy, topic, 1);
  }
  for (const actor of [...silent, calm]) plot.fence(actor);
  plot.acknowledge(busy);
  return plot.script();
}

// ── What expires ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Messages that expire while their subscriber is away, or while they are retained, and a session that expires. */
function expiry(random: Random, versions: readonly Version[]): Script {
  const someone = random.pick(versions);
  const plot = new Plot(
    [
      ['v5', 'a'],
      ['v5', 'b'],
      [someone, 'c'],
      ['v5', 'd'],
    ],
    0,
  );
  const [publisher, away, late, forgotten] = plot.actors as readonly [Actor, Actor, Actor, Actor];
  plot.connect(away, kept(longSeconds));
  subscribe(plot, away, topic, random.pick<QoS>([1, 2]));
  plot.fence(away);
  plot.leave(away, random.pick(leavings));
  const seconds = random.pick([1, 1, 1, 0xffff_ffff]);
  plot.connect(forgotten, kept(seconds));
  plot.fence(forgotten);
  plot.leave(forgotten, random.pick(leavings));
  plot.connect(publisher, {});
  const intervals = [1, longSeconds, undefined].map((each) =>
    each === undefined ? {} : { properties: { messageExpiryInterval: each } },
  );
  for (const fields of intervals) plot.publish(publisher, topic, random.pick<QoS>([1, 2]), fields);
  for (const [at, fields] of intervals.entries()) {
    plot.publish(publisher, `${other}/${at}`, 1, { ...fields, retain: true });
  }
  plot.acknowledge(publisher);
  plot.wait(2_600);
  plot.connect(away, kept(longSeconds));
  plot.acknowledge(away);
  plot.connect(late, {});
  subscribe(plot, late, `${other}/+`, random.pick<QoS>([0, 0, 1]));
  plot.acknowledge(late);
  plot.connect(forgotten, kept(1));
  plot.fence(forgotten);
  return plot.script();
}

// ── Wills that wait ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Wills that are due after a time, at the end of their session, much later, or never, because their client comes back or is taken over. */
function willDelay(random: Random, versions: readonly Version[]): Script {
  const letters = ['a', 'b', 'c', 'd', 'e', 'e'].map((letter) => ['v5', letter] as const);
  const plot = new Plot([[random.pick(versions), 'w'], ...letters], 0);
  const [watcher, due, atEnd, later, back, taken, taker] = plot.actors as readonly Actor[] & Record<number, Actor>;
  if (!watcher || !due || !atEnd || !later || !back || !taken || !taker) return plot.script();
  plot.connect(watcher, {});
  subscribe(plot, watcher, topic, random.pick<QoS>([1, 2]));
  plot.fence(watcher);
  const enter = (actor: Actor, willDelayInterval: number, seconds: number) => {
    const given = { topic, payload: plot.payload(), qos: random.pick<QoS>([1, 2]), retain: false };
    plot.connect(actor, { ...kept(seconds), will: { ...given, properties: { willDelayInterval } } });
    plot.fence(actor);
  };
  enter(due, 1, longSeconds);
  enter(atEnd, longSeconds, 1);
  enter(later, random.pick([5, longSeconds, 0xffff_ffff]), longSeconds);
  enter(back, 2, longSeconds);
  enter(taken, 2, longSeconds);
  for (const actor of [due, atEnd, later, back]) plot.leave(actor, random.pick(abruptly));
  for (const actor of [back, taker]) {
    plot.connect(actor, kept(longSeconds));
    plot.fence(actor);
  }
  plot.acknowledge(watcher);
  for (const ms of [2_000, 1_800]) plot.wait(ms);
  plot.acknowledge(watcher);
  return plot.script();
}

const shorts: readonly Make[] = [expiry, willDelay];
