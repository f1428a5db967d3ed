/** A publisher and a subscriber that lose connections at random still get each message as often as its QoS says. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Version, versionOf } from '../harness/spec/index.ts';
import { connect, puback, pubcomp, publish, pubrec, pubrel, subscribe } from '../harness/wire/build.ts';
import type { Connect, Packet, Publish, QoS } from '../harness/wire/packet.ts';
import type { Choices, Gate } from './broker.ts';
import { type Stage, start, type TestClient } from './testClient.ts';

/** How both connect: with a session that lasts. */
function lasting(clientId: string, version: Version, receiveMaximum: number): Connect {
  const session = { clientId, clean: false, keepAlive: 0 };
  if (version === 'v3') return connect(session);
  return connect({ ...session, protocolLevel: 5, properties: { sessionExpiryInterval: 60, receiveMaximum } });
}

/** A publisher as section 4.3 has it: what is not acknowledged goes out again on reconnect. */
class Publisher {
  readonly #stage: Stage;
  readonly #version: Version;
  #client: TestClient;
  /** What to send again, by identifier; an identifier that is free is used again at once. */
  readonly #unacknowledged = new Map<number, Packet>();

  constructor(stage: Stage, version: Version) {
    this.#stage = stage;
    this.#version = version;
    this.#client = this.#connect();
  }

  publish(qos: QoS, payload: string): void {
    let packetId = 1;
    while (this.#unacknowledged.has(packetId)) packetId++;
    const packet = publish({ topic: 't', qos, payload, packetId });
    if (qos > 0) this.#unacknowledged.set(packetId, { ...packet, dup: true });
    this.#client.send(packet);
  }

  /** Reads what has come and answers it. */
  read(): void {
    for (const packet of this.#client.read()) {
      if (packet.type === 'PUBACK' || packet.type === 'PUBCOMP') this.#unacknowledged.delete(packet.packetId);
      if (packet.type !== 'PUBREC') continue;
      this.#unacknowledged.set(packet.packetId, pubrel(packet.packetId));
      this.#client.send(pubrel(packet.packetId));
    }
  }

  /** Loses the connection with all that was not read, and comes back. */
  reconnect(): void {
    this.#client.drop();
    this.#client = this.#connect();
    this.#client.send(...this.#unacknowledged.values());
  }

  #connect(): TestClient {
    return this.#stage.open(this.#version).send(lasting('publisher', this.#version, 100));
  }
}

/** A subscriber as section 4.3 has it. It answers when it is told to. */
class Subscriber {
  readonly #stage: Stage;
  readonly #version: Version;
  readonly #receiveMaximum: number;
  #client: TestClient | undefined;
  /** Messages that the server may not leave without PUBACK or PUBCOMP in greater number. */
  #unfinished = 0;
  greatestUnfinished = 0;
  /** QoS 2 identifiers that are not released. */
  readonly #known = new Set<number>();
  #answers: Packet[] = [];
  /** The messages that its application gets. */
  readonly delivered: { qos: QoS; dup: boolean; number: number }[] = [];

  constructor(stage: Stage, version: Version, receiveMaximum: number) {
    this.#stage = stage;
    this.#version = version;
    this.#receiveMaximum = receiveMaximum;
    this.connect();
    this.#client?.send(subscribe(1, ['t', 2]));
  }

  connect(): void {
    if (this.#client) return;
    this.#unfinished = 0;
    this.#client = this.#stage.open(this.#version).send(lasting('subscriber', this.#version, this.#receiveMaximum));
  }

  /** Loses the connection with all that was not read, and the answers that were not sent. */
  leave(): void {
    this.#client?.drop();
    this.#client = undefined;
    this.#answers = [];
  }

  read(): void {
    for (const packet of this.#client?.read() ?? []) {
      if (packet.type === 'PUBLISH') this.#receive(packet);
      if (packet.type !== 'PUBREL') continue;
      this.#known.delete(packet.packetId);
      this.#answers.push(pubcomp(packet.packetId));
    }
  }

  #receive({ qos, dup, packetId = 0, payload }: Publish): void {
    if (qos > 0) this.greatestUnfinished = Math.max(this.greatestUnfinished, ++this.#unfinished);
    const repeated = qos === 2 && this.#known.has(packetId);
    if (!repeated) this.delivered.push({ qos, dup, number: Number(Buffer.from(payload).toString()) });
    if (qos === 2) this.#known.add(packetId);
    if (qos > 0) this.#answers.push(qos === 1 ? puback(packetId) : pubrec(packetId));
  }

  /** Sends the oldest answers. */
  answer(count: number): void {
    const answers = this.#answers.splice(0, count);
    for (const { type } of answers) if (type !== 'PUBREC') this.#unfinished = Math.max(0, this.#unfinished - 1);
    this.#client?.send(...answers);
  }

  get busy(): boolean {
    return this.#answers.length > 0;
  }
}

type Action =
  | { readonly type: 'publish'; readonly qos: QoS }
  | { readonly type: 'answer'; readonly count: number }
  | { readonly type: 'publisher reads' | 'publisher reconnects' | 'subscriber reads' | 'subscriber leaves' }
  | { readonly type: 'subscriber connects' | 'subscriber reconnects' };

const simple = (type: Exclude<Action['type'], 'publish' | 'answer'>) => fc.constant<Action>({ type });

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('publish' as const), qos: fc.constantFrom<QoS>(0, 1, 2) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('answer' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: simple('subscriber reads') },
  { weight: 2, arbitrary: simple('publisher reads') },
  simple('publisher reconnects'),
  simple('subscriber leaves'),
  simple('subscriber connects'),
  { weight: 2, arbitrary: simple('subscriber reconnects') },
);

const choices: fc.Arbitrary<Partial<Choices>> = fc.record({
  deliverOn: fc.constantFrom('PUBLISH', 'PUBREL'),
  acknowledge: fc.constantFrom('first', 'last'),
  qos0Offline: fc.constantFrom('drop', 'queue'),
  unknownAck: fc.constantFrom('ignore', 'answer'),
  overlapping: fc.constantFrom('once', 'each'),
  inFlightWindow: fc.integer({ min: 1, max: 4 }),
});

interface Setting {
  readonly version: Version;
  /** Of the subscriber. */
  readonly receiveMaximum: number;
}

/** Plays the actions, then lets everything come to rest. Returns what was sent and what came, by QoS. */
function play(actions: readonly Action[], chosen: Partial<Choices>, faults: readonly Gate[], setting: Setting) {
  const { version, receiveMaximum } = setting;
  const stage = start({ choices: chosen, faults });
  const publisher = new Publisher(stage, version);
  const subscriber = new Subscriber(stage, version, receiveMaximum);
  const sent: { qos: QoS; number: number }[] = [];
  for (const each of actions) {
    if (each.type === 'publish') {
      sent.push({ qos: each.qos, number: sent.length });
      publisher.publish(each.qos, `${sent.length - 1}`);
    } else if (each.type === 'answer') subscriber.answer(each.count);
    else if (each.type === 'publisher reads') publisher.read();
    else if (each.type === 'publisher reconnects') publisher.reconnect();
    else if (each.type === 'subscriber reads') subscriber.read();
    else if (each.type === 'subscriber connects') subscriber.connect();
    else {
      subscriber.leave();
      if (each.type === 'subscriber reconnects') subscriber.connect();
    }
  }
  publisher.reconnect();
  for (let round = 0; round < 3; round++) publisher.read();
  subscriber.connect();
  do {
    subscriber.answer(1_000);
    subscriber.read();
  } while (subscriber.busy);
  const of = (qos: QoS, list: readonly { qos: QoS; number: number }[]) =>
    list.flatMap((each) => (each.qos === qos ? each.number : []));
  return {
    sent: (qos: QoS) => of(qos, sent),
    came: (qos: QoS) => of(qos, subscriber.delivered),
    unfinished: subscriber.greatestUnfinished,
  };
}

const firsts = (numbers: readonly number[]) => [...new Set(numbers)];
const ascending = (numbers: readonly number[]) =>
  numbers.every((each, at) => at === 0 || each > (numbers[at - 1] ?? 0));

/** Throws unless QoS 0 messages come at most once, QoS 1 at least once and QoS 2 exactly once, each in order. */
function check(version: Version, faults: readonly Gate[] = [], parameters: fc.Parameters<unknown> = {}): void {
  const setting = fc.record({ version: fc.constant(version), receiveMaximum: fc.integer({ min: 1, max: 4 }) });
  const play60 = fc.array(action, { maxLength: 60, size: 'max' });
  const property = fc.property(play60, choices, setting, (actions, chosen, given) => {
    const { sent, came, unfinished } = play(actions, chosen, faults, given);
    if (version === 'v5') expect(unfinished).toBeLessThanOrEqual(given.receiveMaximum);
    expect(new Set(came(0)).size).toBe(came(0).length);
    expect(firsts(came(1)).sort((a, b) => a - b)).toEqual(sent(1));
    expect([...came(2)].sort((a, b) => a - b)).toEqual(sent(2));
    expect([came(0), firsts(came(1)), came(2)].every(ascending)).toBe(true);
  });
  fc.assert(property, { numRuns: 500, ...parameters });
}

describe('whatever a publisher and a subscriber do', () => {
  it.each(['v3', 'v5'] as const)(
    'in %s QoS 0 comes at most once, QoS 1 at least once, QoS 2 exactly once, each in order',
    (version) => check(version),
  );
});

describe('the model notices', () => {
  const faults: readonly Gate[] = [
    'v3/3.1.2-5',
    'v3/3.1.2-4#kept',
    'v3/4.1.0-1#queued',
    'v3/4.1.0-1#unreleased',
    'v3/4.3.1-1#once',
    'v3/4.3.2-1#held',
    'v3/4.3.2-2#new',
    'v3/4.3.3-1#held',
    'v3/4.3.3-1#no-publish-after-pubrel',
    'v3/4.3.3-2#once',
    'v3/4.3.3-2#release',
    'v3/4.3.3~delivery-method',
    'v3/4.4.0-1#PUBLISH',
    'v3/4.6.0-1',
    'v5/3.1.2-23',
    'v5/4.1~session-state-parts#pending',
    'v5/4.1~session-state-parts#queued',
    'v5/4.1~session-state-parts#unreleased',
    'v5/4.3.1-1#once',
    'v5/4.3.2-3#held',
    'v5/4.3.2-5',
    'v5/4.3.3-3',
    'v5/4.3.3-6',
    'v5/4.3.3-10#once',
    'v5/4.3.3-12',
    'v5/4.4.0-1#PUBLISH',
    'v5/4.9.0-1',
    'v5/4.9.0-2',
    'v5/4.9~send-quota-per-connection',
    'v5/4.9~send-quota-refill#own',
    'v5/4.9~send-quota-refill#PUBACK',
    'v5/4.9~send-quota-refill#PUBCOMP',
  ];
  it.each(faults)('%s', (fault) =>
    expect(() => check(versionOf(fault), [fault], { seed: 1, numRuns: 5_000 })).toThrow(),
  );
});
