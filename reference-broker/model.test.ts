/** A publisher and a subscriber that lose connections at random still get each message as often as its QoS says. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connect, puback, pubcomp, publish, pubrec, pubrel, subscribe } from '../harness/wire/build.ts';
import type { Packet, Publish, QoS } from '../harness/wire/packet.ts';
import type { Choices, Gate } from './broker.ts';
import { type Stage, start, type TestClient } from './testClient.ts';

/** A publisher as section 4.3 has it: what is not acknowledged goes out again on reconnect. */
class Publisher {
  readonly #stage: Stage;
  #client: TestClient;
  /** What to send again, by identifier; an identifier that is free is used again at once. */
  readonly #unacknowledged = new Map<number, Packet>();

  constructor(stage: Stage) {
    this.#stage = stage;
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
    return this.#stage.open().send(connect({ clientId: 'publisher', clean: false, keepAlive: 0 }));
  }
}

/** A subscriber as section 4.3 has it. It answers when it is told to. */
class Subscriber {
  readonly #stage: Stage;
  #client: TestClient | undefined;
  /** QoS 2 identifiers that are not released. */
  readonly #known = new Set<number>();
  #answers: Packet[] = [];
  /** The messages that its application gets. */
  readonly delivered: { qos: QoS; dup: boolean; number: number }[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
    this.connect();
    this.#client?.send(subscribe(1, ['t', 2]));
  }

  connect(): void {
    this.#client ??= this.#stage.open().send(connect({ clientId: 'subscriber', clean: false, keepAlive: 0 }));
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
    const repeated = qos === 2 && this.#known.has(packetId);
    if (!repeated) this.delivered.push({ qos, dup, number: Number(Buffer.from(payload).toString()) });
    if (qos === 2) this.#known.add(packetId);
    if (qos > 0) this.#answers.push(qos === 1 ? puback(packetId) : pubrec(packetId));
  }

  /** Sends the oldest answers. */
  answer(count: number): void {
    this.#client?.send(...this.#answers.splice(0, count));
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

/** Plays the actions, then lets everything come to rest. Returns what was sent and what came, by QoS. */
function play(actions: readonly Action[], chosen: Partial<Choices>, faults: readonly Gate[]) {
  const stage = start({ choices: chosen, faults });
  const publisher = new Publisher(stage);
  const subscriber = new Subscriber(stage);
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
  return { sent: (qos: QoS) => of(qos, sent), came: (qos: QoS) => of(qos, subscriber.delivered) };
}

const firsts = (numbers: readonly number[]) => [...new Set(numbers)];
const ascending = (numbers: readonly number[]) =>
  numbers.every((each, at) => at === 0 || each > (numbers[at - 1] ?? 0));

/** Throws unless QoS 0 messages come at most once, QoS 1 at least once and QoS 2 exactly once, each in order. */
function check(faults: readonly Gate[] = [], parameters: fc.Parameters<unknown> = {}): void {
  const property = fc.property(fc.array(action, { maxLength: 60, size: 'max' }), choices, (actions, chosen) => {
    const { sent, came } = play(actions, chosen, faults);
    expect(new Set(came(0)).size).toBe(came(0).length);
    expect(firsts(came(1)).sort((a, b) => a - b)).toEqual(sent(1));
    expect([...came(2)].sort((a, b) => a - b)).toEqual(sent(2));
    expect([came(0), firsts(came(1)), came(2)].every(ascending)).toBe(true);
  });
  fc.assert(property, { numRuns: 500, ...parameters });
}

describe('whatever a publisher and a subscriber do', () => {
  it('QoS 0 comes at most once, QoS 1 at least once, QoS 2 exactly once, each in order', () => check());
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
  ];
  it.each(faults)('%s', (fault) => expect(() => check([fault], { seed: 1, numRuns: 5_000 })).toThrow());
});
