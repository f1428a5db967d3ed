/** Scripts of several clients of both versions with sessions, wills, retained messages and exchanges left at every step. */

import type { Version } from '../../harness/spec/index.ts';
import { encode } from '../../harness/wire/encode.ts';
import type { QoS, RetainHandling } from '../../harness/wire/packet.ts';
import { packetFrom } from '../data.ts';
import type { Random } from '../random.ts';
import { caseName } from '../record.ts';
import type { PacketData, Script } from '../script.ts';
import { bendsOf } from './bends.ts';
import { type Actor, type PacketOf, Plot } from './plot.ts';
import { scenes } from './scenes.ts';
import { timedScript } from './timed.ts';

const topics = ['a', 'a/b', 'c', 'c/b', 'a//b', ''].map((rest) => `${caseName}/${rest}`);
const filters = ['#', 'a', '+', 'a/#', '+/b', 'a/b', '+/+', 'a/+/b', '+/#', ''].map((rest) => `${caseName}/${rest}`);
/** Names that are different although they look alike: nothing of a name may be changed on the way. */
const alike = ['A', ' a', 'a ', '\u00e9', 'e\u0301', '\ufeffa'].map((rest) => `${caseName}/${rest}`);
const shared = ['a', '#', '+/b'].map((rest) => `$share/g/${caseName}/${rest}`);
const someQoS: readonly QoS[] = [0, 1, 1, 2, 2];

/** One script in so many has a client that stops reading: what it is sent then is dear. */
const stallsOneIn = 400;

/**
 * A script: an opening in which somebody listens, some acts, then most often all that is left over is fetched. What stays on the broker
 * after it is swept away by who plays it.
 * @param ordinal counts the session scripts of this seed
 */
export function sessionScript(random: Random, versions: readonly Version[], ordinal: number): Script {
  const timed = timedScript(random, versions, ordinal);
  if (timed) return timed;
  const plot = new Plot(castOf(random, versions), random.oneIn(20) ? 65_533 : random.pick([0, 0, 255, 1000]));
  const [listener] = plot.actors as readonly [Actor];
  connect(plot, random, listener);
  subscribe(plot, random, listener);
  for (let left = random.between(2, 11); left > 0; left--) act(plot, random);
  if (ordinal % stallsOneIn === stallsOneIn / 2) stall(plot, random, random.pick(plot.actors));
  finish(plot, random);
  return plot.script();
}

function topicOf(random: Random): string {
  return random.pick(random.oneIn(12) ? alike : topics);
}

function filterOf(random: Random): string {
  return random.pick(random.oneIn(12) ? alike : filters);
}

/** Two to four clients; one in three scripts has two connections with the same Client Identifier. */
function castOf(random: Random, versions: readonly Version[]): (readonly [Version, string])[] {
  const letters = random.oneIn(3) ? ['a', 'b', 'a', 'b'] : ['a', 'b', 'c', 'd'];
  return letters.slice(0, random.pick([2, 2, 3, 4])).map((letter) => [random.pick(versions), letter] as const);
}

type Act = (plot: Plot, random: Random, actor: Actor) => void;

function act(plot: Plot, random: Random): void {
  const actor = random.pick(plot.actors);
  if (actor.connected) return random.pick(acts)(plot, random, actor);
  connect(plot, random, actor);
  if (random.oneIn(2)) subscribe(plot, random, actor);
}

// ── Connecting ───────────────────────────────────────────────────────────────────────────────────────────────────────

const connect: Act = (plot, random, actor) => {
  const clean = random.oneIn(3);
  plot.connect(actor, {
    clean,
    keepAlive: random.pick([60, 60, 0, 65_535]),
    ...(random.oneIn(4) && { will: willOf(plot, random, actor) }),
    ...(actor.version === 'v5' && { properties: connectProperties(random) }),
  });
};

function willOf(plot: Plot, random: Random, { version }: Actor): NonNullable<PacketOf<'CONNECT'>['will']> {
  const retain = random.oneIn(4);
  const topic = topicOf(random);
  const properties = random.pick([{ willDelayInterval: 0 }, { willDelayInterval: 1 }, { contentType: 'will' }]);
  const given = version === 'v5' && random.oneIn(2) ? { properties } : {};
  return { topic, payload: plot.payload(), qos: random.pick(someQoS), retain, ...given };
}

function connectProperties(random: Random): NonNullable<PacketOf<'CONNECT'>['properties']> {
  return {
    ...(!random.oneIn(4) && { sessionExpiryInterval: random.pick([1, 5, 5, 5, 5, 60, 0]) }),
    ...(random.oneIn(3) && { receiveMaximum: random.pick([1, 2, 10, 65_535]) }),
    ...(random.oneIn(6) && { maximumPacketSize: random.pick([20, 64, 4096]) }),
    ...(random.oneIn(4) && { topicAliasMaximum: random.pick([1, 10]) }),
    ...(random.oneIn(8) && { requestProblemInformation: random.below(2) }),
    ...(random.oneIn(8) && { userProperties: [['name', 'value']] }),
  };
}

/** Leaves in one of three ways, in 5.0 with DISCONNECT also so that the will is sent. */
const leave: Act = (plot, random, actor) => {
  const how = random.pick(['drop', 'drop', 'close', 'disconnect'] as const);
  plot.leave(actor, how, actor.version === 'v5' && random.oneIn(3) ? 4 : undefined);
};

/** Leaves, misses something, and resumes the session. */
const resume: Act = (plot, random, actor) => {
  leave(plot, random, actor);
  const other = random.pick(plot.actors);
  if (other.connected && random.oneIn(2)) message(plot, random, other);
  plot.connect(actor, persistent(actor));
};

/** Connects with the Client Identifier of another connection, if any of the script has the same. */
const takeOver: Act = (plot, random, actor) => {
  const twin = plot.actors.find((other) => other !== actor && other.letter === actor.letter);
  if (twin) connect(plot, random, twin);
  else resume(plot, random, actor);
};

// ── Subscribing ──────────────────────────────────────────────────────────────────────────────────────────────────────

const subscribe: Act = (plot, random, actor) => {
  const packetId = plot.freshId(actor);
  const count = random.pick([1, 1, 1, 2, 3]);
  const identifier = actor.version === 'v5' && random.oneIn(4);
  plot.send(actor, {
    type: 'SUBSCRIBE',
    packetId,
    filters: Array.from({ length: count }, () => subscription(random, actor.version)),
    ...(identifier && { properties: { subscriptionIdentifiers: [random.pick([1, 127, 128, 268_435_455])] } }),
  });
};

function subscription(random: Random, version: Version): PacketOf<'SUBSCRIBE'>['filters'][number] {
  const plain = { filter: filterOf(random), qos: random.pick(someQoS) };
  if (version === 'v3' || random.oneIn(2)) return plain;
  if (random.oneIn(4)) return { ...plain, filter: random.pick(shared) };
  return {
    ...plain,
    noLocal: random.oneIn(4),
    retainAsPublished: random.oneIn(2),
    retainHandling: random.below(3) as RetainHandling,
  };
}

const unsubscribe: Act = (plot, random, actor) => {
  const count = random.pick([1, 1, 2]);
  plot.send(actor, {
    type: 'UNSUBSCRIBE',
    packetId: plot.freshId(actor),
    filters: Array.from({ length: count }, () => filterOf(random)),
  });
};

// ── Publishing ───────────────────────────────────────────────────────────────────────────────────────────────────────

const message: Act = (plot, random, actor) => {
  const retain = random.oneIn(5);
  plot.publish(actor, topicOf(random), random.pick(someQoS), {
    retain,
    payload:
      retain && random.oneIn(4) ? '' : plot.payload(random.oneIn(100) ? 70_000 : random.pick([0, 0, 0, 130, 1000])),
    ...(actor.version === 'v5' && random.oneIn(3) && { properties: messageProperties(random) }),
  });
};

function messageProperties(random: Random): NonNullable<PacketOf<'PUBLISH'>['properties']> {
  return random.pick<NonNullable<PacketOf<'PUBLISH'>['properties']>>([
    { payloadFormatIndicator: 1 },
    { messageExpiryInterval: random.pick([1, 60]) },
    { topicAlias: random.pick([1, 2]) },
    {
      userProperties: [
        ['a', '1'],
        ['a', '2'],
        ['', ''],
      ],
    },
    { contentType: 'text', responseTopic: `${caseName}/reply`, correlationData: { hex: '0001' } },
  ]);
}

/** The exchanges of both sides to their end. */
const complete: Act = (plot, _random, actor) => plot.acknowledge(actor);

/** A message, and its exchange left after one of its packets. */
const partly: Act = (plot, random, actor) => {
  plot.publish(actor, topicOf(random), random.pick([1, 2, 2]));
  const rounds = random.below(4);
  if (rounds === 1) plot.fence(actor);
  else if (rounds > 1) plot.acknowledge(actor, rounds - 1);
  if (random.oneIn(2)) resume(plot, random, actor);
};

/** The same exchange a second time: PUBLISH with DUP, or PUBREL, as after a connection that broke. */
const again: Act = (plot, random, actor) => {
  partly(plot, random, actor);
  plot.resend(actor);
};

/** A topic by its alias, the second time without its name. */
const aliased: Act = (plot, random, actor) => {
  if (actor.version === 'v3') return message(plot, random, actor);
  const properties = { topicAlias: random.pick([1, 2, 2, 10]) };
  if (!random.oneIn(8)) plot.publish(actor, topicOf(random), random.pick(someQoS), { properties });
  plot.publish(actor, '', random.pick(someQoS), { properties });
};

const flood: Act = (plot, random, actor) => {
  const topic = topicOf(random);
  const qos = random.pick(someQoS);
  for (let left = random.pick([3, 5, 5, 10, 10, 30, 120]); left > 0; left--) plot.publish(actor, topic, qos);
};

/** A second message with the identifier of one whose exchange is over. */
const reuse: Act = (plot, random, actor) => {
  const topic = topicOf(random);
  const qos = random.pick([1, 2, 2] as const);
  plot.publish(actor, topic, qos);
  plot.acknowledge(actor);
  actor.session.lastId--;
  plot.publish(actor, topic, qos);
};

/** A retained message, its removal, and a subscription that it must not come with. */
const forget: Act = (plot, random, actor) => {
  const topic = topicOf(random);
  plot.publish(actor, topic, 1, { retain: true });
  plot.publish(actor, topic, 1, { retain: true, payload: '' });
  plot.fence(actor);
  plot.send(actor, { type: 'SUBSCRIBE', packetId: plot.freshId(actor), filters: [{ filter: topic, qos: 1 }] });
};

/** An alias that was set on the connection before: the broker ends this one. */
const staleAlias: Act = (plot, random, actor) => {
  if (actor.version === 'v3') return message(plot, random, actor);
  const properties = { topicAlias: 1 };
  plot.publish(actor, topicOf(random), 1, { properties });
  plot.fence(actor);
  plot.leave(actor, random.pick(['drop', 'close']));
  plot.connect(actor, persistent(actor));
  const packet = { type: 'PUBLISH', dup: false, qos: 1, retain: false, topic: '', properties } as const;
  plot.send(actor, { ...packet, packetId: plot.freshId(actor), payload: plot.payload() });
  plot.send(actor, { type: 'PINGREQ' });
  actor.connected = false;
};

/** Comes back when the session is over. Rare, because it takes time. */
const expire: Act = (plot, random, actor) => {
  if (actor.version === 'v3' || !random.oneIn(20)) return message(plot, random, actor);
  plot.leave(actor, 'close');
  plot.connect(actor, { clean: false, properties: { sessionExpiryInterval: 1 } });
  plot.leave(actor, 'close');
  plot.wait(2_500);
  plot.connect(actor, persistent(actor));
  plot.fence(actor);
};

const acknowledge: Act = (plot, random, actor) => plot.acknowledge(actor, random.between(1, 2));
const fence: Act = (plot, _random, actor) => plot.fence(actor);

// ── Not reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Sizes of messages, and how many of them: never more than about 8 MB. */
const floods: readonly (readonly [bytes: number, counts: readonly number[]])[] = [
  [0, [5, 18, 60, 200]],
  [1_000, [15, 60, 200]],
  [64_000, [5, 18, 18, 60, 60, 120]],
];
/** A 5.0 server may take no more than this many at a time, and less is unusual. */
const atOnce5 = 18;

/** A client stops reading while it is sent messages, by another client or itself, or the acknowledgements of its own. */
const stall: Act = (plot, random, actor) => {
  const mode = random.pick(['others', 'others', 'itself', 'acknowledgements'] as const);
  const others = plot.actors.filter(({ letter }) => letter !== actor.letter);
  const publisher = mode === 'others' && others.length > 0 ? random.pick(others) : actor;
  for (const each of new Set([actor, publisher])) if (!each.connected) connect(plot, random, each);
  const topic = `${caseName}/stalled`;
  if (mode !== 'acknowledgements') {
    const filters = [{ filter: topic, qos: random.pick<QoS>([0, 1, 2]) }];
    plot.send(actor, { type: 'SUBSCRIBE', packetId: plot.freshId(actor), filters });
  }
  if (!random.oneIn(4)) plot.fence(actor);
  plot.pause(actor);
  const qos = mode === 'acknowledgements' ? random.pick<QoS>([1, 2]) : random.pick<QoS>([0, 0, 1, 2]);
  const [bytes, counts] = random.pick(floods);
  const most = qos > 0 && publisher.version === 'v5' ? atOnce5 : Number.POSITIVE_INFINITY;
  for (let left = Math.min(random.pick(counts), most); left > 0; left--) {
    plot.publish(publisher, topic, qos, bytes > 0 ? { payload: plot.largePayload(bytes) } : {});
  }
  for (let left = random.below(3); left > 0; left--) act(plot, random);
  if (random.oneIn(2)) plot.wait(random.pick([20, 100, 300]));
  readOn(plot, random, actor);
};

/** Most often it reads all, then; else it goes, or stays as it is until the end. */
const readOn: Act = (plot, random, actor) => {
  const how = random.pick(['resume', 'resume', 'acknowledge', 'acknowledge', 'leave', 'come back', 'stay'] as const);
  if (how === 'stay' || !actor.connected) return;
  if (how === 'resume') plot.resume(actor);
  if (how === 'resume' || how === 'acknowledge') return plot.acknowledge(actor, random.pick([undefined, 1]));
  if (how === 'leave') leave(plot, random, actor);
  else resume(plot, random, actor);
};

// ── Breaking the rules ───────────────────────────────────────────────────────────────────────────────────────────────

/** One part of one packet bent, or a packet that has no place in a connection. The broker ends the connection. */
const offend: Act = (plot, random, actor) => {
  const scene = random.pick(scenes.filter(({ version, before }) => version === actor.version && before.length > 0));
  const part = random.pick(bendsOf(scene).filter((bends) => bends.length > 0));
  plot.steps.push({ client: actor.client, do: 'send', packet: scene.packet, bend: random.pick(part) });
  actor.connected = false;
};

/** The begin of a packet, then the end of the connection. */
const breakOff: Act = (plot, random, actor) => {
  const packet: PacketData = {
    type: 'PUBLISH',
    dup: false,
    qos: 1,
    retain: false,
    topic: topicOf(random),
    packetId: plot.freshId(actor),
    payload: plot.payload(),
  };
  const bytes = encode(packetFrom(packet), actor.version);
  const kept = Buffer.from(bytes.subarray(0, random.between(1, bytes.length - 1)));
  plot.steps.push({ client: actor.client, do: 'raw', hex: kept.toString('hex') });
  plot.leave(actor, random.pick(['drop', 'close']));
};

/** Time enough for what is measured in seconds: expiry, the delay of a will. Rare, because it is dear. */
const pause: Act = (plot, random) => {
  if (random.oneIn(60)) plot.wait(random.pick([1200, 2500]));
};

/** As often as each stands here. */
const acts: readonly Act[] = [
  message,
  message,
  message,
  message,
  partly,
  partly,
  again,
  complete,
  complete,
  acknowledge,
  fence,
  subscribe,
  subscribe,
  unsubscribe,
  leave,
  leave,
  resume,
  resume,
  takeOver,
  flood,
  aliased,
  reuse,
  forget,
  staleAlias,
  expire,
  offend,
  breakOff,
  pause,
];

// ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Every session once more, most often, so that what is queued is delivered and exchanges come to their end. */
function finish(plot: Plot, random: Random): void {
  if (random.oneIn(4)) return;
  const seen = new Set<string>();
  for (const actor of plot.actors) {
    const connected = plot.actors.find(({ letter, connected }) => letter === actor.letter && connected);
    if (seen.has(actor.letter)) continue;
    seen.add(actor.letter);
    const last = connected ?? actor;
    if (!connected && actor.session.keptSeconds === 0) continue;
    if (!connected) plot.connect(last, persistent(last));
    complete(plot, random, last);
  }
}

function persistent({ version }: Actor): Partial<PacketOf<'CONNECT'>> {
  return { clean: false, ...(version === 'v5' && { properties: { sessionExpiryInterval: 5 } }) };
}
