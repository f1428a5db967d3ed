/** The history oracle on scripts by hand: silent on what the standard permits, whatever the broker chooses, and loud on each kind of fault. */

import { describe, expect, it } from 'vitest';
import type { Version } from '../../harness/spec/index.ts';
import {
  connect,
  disconnect,
  puback,
  publish,
  pubrec,
  pubrel,
  subscribe,
  unsubscribe,
} from '../../harness/wire/build.ts';
import { encode } from '../../harness/wire/encode.ts';
import type { Packet, Properties, QoS } from '../../harness/wire/packet.ts';
import type { Choices, Gate } from '../../reference-broker/broker.ts';
import { dataFrom } from '../data.ts';
import type { Fault } from '../faulty.fixture.ts';
import { played, playedFaulty } from '../memory.fixture.ts';
import type { Script, Step } from '../script.ts';
import { history, settled } from './history.ts';

const topic = 'CASE00/t';

/** Clients by their letter, and what they do. */
class Scene {
  readonly #version: Version;
  readonly #steps: Step[] = [];
  readonly #ids = new Map<number, number>();

  constructor(version: Version = 'v3') {
    this.#version = version;
  }

  send(client: number, ...packets: readonly Packet[]): this {
    for (const packet of packets) this.#steps.push({ client, do: 'send', packet: dataFrom(packet) });
    return this;
  }

  bytes(client: number, hex: string): this {
    this.#steps.push({ client, do: 'raw', hex });
    return this;
  }

  /** Packets as the bytes of one step. */
  raw(client: number, ...packets: readonly Packet[]): this {
    return this.bytes(client, Buffer.concat(packets.map((packet) => encode(packet, this.#version))).toString('hex'));
  }

  do(client: number, ...steps: readonly ('acknowledge' | 'fence' | 'drop' | 'close')[]): this {
    for (const step of steps) this.#steps.push({ client, do: step });
    return this;
  }

  connect(client: number, fields: Partial<Parameters<typeof connect>[0]> = {}, properties: Properties = {}): this {
    const lasting: Properties = this.#version === 'v5' ? { sessionExpiryInterval: 600, ...properties } : {};
    const protocolLevel = this.#version === 'v5' ? 5 : 4;
    const given = { clientId: `CASE00${'abcd'[client]}`, clean: false, keepAlive: 0, protocolLevel };
    return this.send(client, connect({ ...given, properties: lasting, ...fields }));
  }

  subscribe(client: number, filter: string, qos: QoS, options: object = {}): this {
    return this.send(client, subscribe(this.#id(client), { filter, qos, ...options }));
  }

  publish(client: number, payload: string, qos: QoS, more: Partial<Parameters<typeof publish>[0]> = {}): this {
    return this.send(client, publish({ topic, payload, qos, packetId: this.#id(client), ...more }));
  }

  get script(): Script {
    const clients = Array.from({ length: 3 }, () => ({ version: this.#version }));
    return settled({ clients, steps: this.#steps }, 0);
  }

  #id(client: number): number {
    const id = (this.#ids.get(client) ?? 0) + 1;
    this.#ids.set(client, id);
    return id;
  }
}

async function kinds(scene: Scene, faults: readonly Gate[] = [], choices: Partial<Choices> = {}): Promise<string[]> {
  const found = history(await played(scene.script, { faults, choices }));
  return [...new Set(found.map(({ kind }) => kind))];
}

const offline = (version: Version) =>
  new Scene(version)
    .connect(0)
    .subscribe(0, topic, 2)
    .do(0, 'fence', 'drop')
    .connect(1)
    .publish(1, 'm1', 1)
    .publish(1, 'm2', 2)
    .do(1, 'acknowledge')
    .connect(0)
    .do(0, 'acknowledge')
    .publish(1, 'm3', 1)
    .do(1, 'acknowledge');
const interrupted = (version: Version) =>
  new Scene(version)
    .connect(0)
    .subscribe(0, topic, 2)
    .do(0, 'fence')
    .connect(1)
    .publish(1, 'm1', 1)
    .publish(1, 'm2', 2)
    .publish(1, 'm3', 1)
    .do(1, 'acknowledge')
    .do(0, 'fence')
    .send(0, pubrec(2))
    .do(0, 'fence', 'drop')
    .connect(0);
const will = { topic, payload: 'will', qos: 1 as const };

/** What a broker has to do right, and the gates that are noticed when it does not. */
const scenes: readonly (readonly [name: string, scene: Scene, gates: readonly (readonly [Gate, RegExp])[]])[] = [
  [
    'a session with messages while the client is away, 3.1.1',
    offline('v3'),
    [
      ['v3/3.1.2-5', /lost message/],
      ['v3/3.1.2-4#kept', /session not resumed/],
      ['v3/3.2.2-2', /session not resumed/],
      ['v3/4.1.0-1#subscriptions', /lost message/],
    ],
  ],
  [
    'a session with messages while the client is away, 5.0',
    offline('v5'),
    [
      ['v5/3.1.2-23', /session not resumed/],
      ['v5/4.1~session-state-parts#pending', /lost message/],
    ],
  ],
  [
    'exchanges that are left and resumed, 3.1.1',
    interrupted('v3'),
    [
      ['v3/4.4.0-1#PUBLISH', /lost redelivery/],
      ['v3/4.4.0-1#PUBREL', /lost redelivery of PUBREL/],
      ['v3/3.3.1-1', /DUP 0/],
      ['v3/4.1.0-1#in-flight', /lost redelivery/],
      ['v3/4.3.3-1#no-publish-after-pubrel', /PUBLISH after PUBREL/],
      ['v3/4.6.0-1', /order of redelivery/],
    ],
  ],
  ['exchanges that are left and resumed, 5.0', interrupted('v5'), [['v5/4.3.3-6', /PUBLISH after PUBREL/]]],
  [
    'a QoS 2 message that is sent twice in one exchange',
    new Scene()
      .connect(0)
      .subscribe(0, topic, 2)
      .connect(1)
      .publish(1, 'm1', 2)
      .do(1, 'fence', 'drop')
      .connect(1)
      .send(1, publish({ topic, payload: 'm1', qos: 2, packetId: 1, dup: true }))
      .do(1, 'acknowledge'),
    [
      ['v3/4.3.3-2#once', /QoS 2 message delivered again/],
      ['v3/4.1.0-1#unreleased', /QoS 2 message delivered again/],
    ],
  ],
  [
    'the same identifier for one message after the other',
    new Scene()
      .connect(0)
      .subscribe(0, topic, 2)
      .connect(1)
      .publish(1, 'm1', 2, { packetId: 7 })
      .do(1, 'acknowledge')
      .publish(1, 'm2', 2, { packetId: 7 })
      .do(1, 'acknowledge'),
    [['v3/4.3.3-2#release', /lost message/]],
  ],
  [
    'retained messages: replaced, deleted, for new subscriptions',
    new Scene()
      .connect(1)
      .publish(1, 'old', 1, { retain: true })
      .publish(1, 'new', 1, { retain: true })
      .do(1, 'fence')
      .connect(0)
      .subscribe(0, topic, 1)
      .do(0, 'acknowledge')
      .publish(1, 'live', 1, { retain: true })
      .do(1, 'fence')
      .do(0, 'acknowledge')
      .publish(1, '', 1, { retain: true })
      .do(1, 'fence')
      .do(0, 'acknowledge')
      .connect(2)
      .subscribe(2, '#', 1),
    [
      ['v3/3.3.1-8', /RETAIN 0/],
      ['v3/3.3.1-9', /RETAIN 1/],
      ['v3/3.3.1-6#sent', /lost retained message/],
      ['v3/3.3.1-5#stored', /lost retained message/],
      ['v3/3.3.1-10#delete', /before the subscription/],
      ['v3/3.3.1-5#qos', /wrong QoS/],
    ],
  ],
  [
    'subscriptions: the lower QoS, an end, overlaps',
    new Scene()
      .connect(0)
      .subscribe(0, 'CASE00/+', 1)
      .subscribe(0, 'CASE00/#', 2)
      .connect(1)
      .publish(1, 'm1', 2)
      .publish(1, 'm2', 1)
      .do(1, 'acknowledge')
      .do(0, 'acknowledge')
      .send(0, unsubscribe(9, 'CASE00/#', 'CASE00/+'))
      .do(0, 'fence')
      .publish(1, 'm3', 1)
      .do(1, 'acknowledge'),
    [
      ['v3/3.10.4-1#ended', /delivery after UNSUBACK/],
      ['v3/3.3.5-1', /lost QoS/],
    ],
  ],
  [
    'one subscription, with the lower of two QoS',
    new Scene()
      .connect(0)
      .subscribe(0, 'CASE00/+', 1)
      .connect(1)
      .publish(1, 'm1', 2)
      .publish(1, 'm2', 0)
      .do(1, 'acknowledge'),
    [
      ['v3/3.8.4-6#granted', /wrong QoS/],
      ['v3/3.8.4-6#published', /wrong QoS/],
      ['v3/4.3.1-1#once', /QoS 0 message delivered again/],
    ],
  ],
  [
    'a Will after a drop, and none after DISCONNECT',
    new Scene()
      .connect(0)
      .subscribe(0, topic, 1)
      .do(0, 'fence')
      .connect(1, { will })
      .do(1, 'fence', 'drop')
      .connect(2, { will: { ...will, payload: 'other' } })
      .do(2, 'fence')
      .send(2, disconnect())
      .do(2, 'close')
      .do(0, 'acknowledge'),
    [
      ['v3/3.1.2-8#network', /lost Will/],
      ['v3/3.1.2-8#not-before', /Will published too early/],
      ['v3/3.14.4-3', /Will published too early or after DISCONNECT/],
    ],
  ],
  [
    'properties that go on, and identifiers of subscriptions',
    new Scene('v5')
      .connect(0)
      .send(
        0,
        subscribe(
          { packetId: 90, properties: { subscriptionIdentifiers: [5] } },
          { filter: topic, qos: 1, retainAsPublished: true },
        ),
      )
      .connect(1)
      .publish(1, 'm1', 1, {
        retain: true,
        properties: {
          payloadFormatIndicator: 1,
          contentType: 'c',
          responseTopic: 'r',
          correlationData: Buffer.from('d'),
          userProperties: [
            ['a', '1'],
            ['b', '2'],
          ],
        },
      })
      .do(1, 'acknowledge'),
    [
      ['v5/3.3.2-4', /payloadFormatIndicator/],
      ['v5/3.3.2-15', /responseTopic/],
      ['v5/3.3.2-16', /correlationData/],
      ['v5/3.3.2-17', /userProperties/],
      ['v5/3.3.2-18', /userProperties/],
      ['v5/3.3.2-20', /contentType/],
      ['v5/3.3.4-3', /Subscription Identifier missing/],
      ['v5/3.3.1-13', /RETAIN not as published/],
    ],
  ],
  [
    'Receive Maximum',
    new Scene('v5')
      .connect(0, {}, { receiveMaximum: 1 })
      .subscribe(0, topic, 1)
      .connect(1)
      .publish(1, 'm1', 1)
      .publish(1, 'm2', 1)
      .do(1, 'acknowledge'),
    [['v5/4.9.0-2', /Receive Maximum/]],
  ],
  [
    'what a client of 5.0 does not take, also on a later connection',
    new Scene('v5')
      .connect(0)
      .subscribe(0, topic, 1)
      .do(0, 'fence')
      .connect(1)
      .publish(1, 'm'.repeat(60), 1)
      .do(1, 'acknowledge')
      .do(0, 'fence', 'drop')
      .connect(0, {}, { maximumPacketSize: 50, requestProblemInformation: 0 })
      .send(0, pubrel(77))
      .do(0, 'fence', 'drop')
      .connect(0)
      .publish(1, 'm2', 1)
      .do(1, 'acknowledge'),
    [
      ['v5/3.1.2-24', /packet too large/],
      ['v5/3.1.2-29', /problem information/],
    ],
  ],
  [
    'a client without an identifier',
    new Scene('v5').connect(0, { clientId: '', clean: true }),
    [['v5/3.2.2-16#announced', /Assigned/]],
  ],
  [
    'a Topic Alias that nobody has allowed',
    new Scene('v5')
      .connect(0)
      .subscribe(0, topic, 0)
      .do(0, 'fence')
      .connect(1)
      .publish(1, 'm1', 1, { properties: { topicAlias: 2 } })
      .do(1, 'acknowledge'),
    [['v5/3.3.2.3.4~topic-alias-not-forwarded', /Topic Alias above the maximum/]],
  ],
  [
    'retained messages that are sent in one go',
    new Scene()
      .connect(1)
      .do(1, 'fence')
      .raw(
        1,
        publish({ topic, payload: 'old', qos: 1, packetId: 1, retain: true }),
        publish({ topic, payload: 'new', qos: 1, packetId: 2, retain: true }),
      )
      .do(1, 'fence')
      .connect(0)
      .subscribe(0, topic, 1),
    [['v3/3.3.1-6#last', /before the subscription/]],
  ],
  [
    'a DISCONNECT that a broker may refuse, before which there is a Will',
    new Scene()
      .connect(0)
      .subscribe(0, topic, 1)
      .do(0, 'fence')
      .connect(1, { will })
      .do(1, 'fence')
      .bytes(1, 'e0808000')
      .do(1, 'close')
      .do(0, 'acknowledge'),
    [],
  ],
  [
    'acknowledgements of all kinds',
    new Scene()
      .connect(0)
      .subscribe(0, 'CASE00/x', 1)
      .send(0, unsubscribe(9, 'CASE00/y'))
      .publish(0, 'm1', 1)
      .publish(0, 'm2', 2)
      .do(0, 'acknowledge'),
    [
      ['v3/3.3.4-1#PUBACK', /lost PUBACK/],
      ['v3/3.3.4-1#PUBREC', /lost PUBREC/],
      ['v3/4.3.3-2#PUBCOMP', /lost PUBCOMP/],
      ['v3/3.8.4-1', /lost SUBACK/],
      ['v3/3.10.4-5', /lost UNSUBACK/],
    ],
  ],
];

/** What the standard leaves to a broker and concerns what is delivered. */
const alternatives: readonly Partial<Choices>[] = [
  { overlapping: 'each' },
  { qos0Offline: 'queue' },
  { grantedQoS: 0 },
  { grantedQoS: 1 },
  { deliverOn: 'PUBREL' },
  { acknowledge: 'first' },
  { wildcards: 'refuse' },
  { retainedBeforeSuback: true },
  { retainedQoS0: 'drop' },
  { resendIntervalMs: 500 },
  { inFlightWindow: 1 },
  { paddedLength: 'close' },
];

describe.each(scenes)('%s', (_name, scene, gates) => {
  it('is silent when the broker does right', async () => expect(await kinds(scene)).toEqual([]));

  it.each(alternatives)('is silent when the broker chooses %o', async (choices) =>
    expect(await kinds(scene, [], choices)).toEqual([]),
  );

  it.each(gates)('notices %s broken', async (gate, kind) => {
    expect((await kinds(scene, [gate])).join(', ')).toMatch(kind);
  });
});

describe('a broker that passes over a packet that has to end the connection', () => {
  // It takes the SUBSCRIBE behind a PUBREC with a Reason Code that is none, and closes for the second CONNECT.
  const scene = new Scene('v5')
    .connect(0)
    .connect(1)
    .bytes(0, '5003000926')
    .send(0, subscribe(1, [`${topic}`, 1]))
    .do(0, 'fence')
    .send(1, publish({ topic, payload: 'm1' }))
    .do(1, 'fence')
    .do(0, 'fence')
    .connect(0);

  it('is not said to deliver without a subscription what comes for the SUBSCRIBE behind it', async () => {
    const recording = await played(scene.script, { faults: ['v5/3.5.2-1'] });
    const [first] = recording.connections;
    expect(first?.received.some(({ packet }) => packet?.type === 'PUBLISH')).toBe(true);
    expect(first?.closed?.by).toBe('broker');
    expect(history(recording)).toEqual([]);
  });
});

describe('faults that no gate is for', () => {
  const busy = new Scene()
    .connect(0)
    .subscribe(0, topic, 1)
    .do(0, 'fence')
    .connect(1)
    .publish(1, 'm1', 1)
    .publish(1, 'm2', 1)
    .publish(1, 'm3', 0)
    .publish(1, 'm4', 0)
    .do(1, 'acknowledge');
  it.each<[Fault, RegExp]>([
    ['none', /^$/],
    ['duplicate', /QoS 0 message delivered again/],
    ['loss', /lost message/],
    ['disorder', /order of QoS 1 messages/],
  ])('%s', async (fault, kind) => {
    const found = history(await playedFaulty(busy.script, fault));
    expect(found.map((each) => each.kind).join(', ')).toMatch(kind);
  });
});

describe('what proves nothing', () => {
  it.each<[string, Scene]>([
    [
      'a QoS 0 message that does not come',
      new Scene().connect(0).subscribe(0, topic, 1).do(0, 'fence').connect(1).publish(1, 'm1', 0),
    ],
    [
      'a message that is not acknowledged',
      new Scene().connect(0).subscribe(0, topic, 1).do(0, 'fence').connect(1).publish(1, 'm1', 1).do(1, 'drop'),
    ],
    [
      'an acknowledgement of what was not sent',
      new Scene()
        .connect(0)
        .subscribe(0, topic, 1)
        .send(0, puback(1), puback(2))
        .do(0, 'fence')
        .connect(1)
        .publish(1, 'm1', 1)
        .do(1, 'fence'),
    ],
    ['a release of what was not sent', new Scene().connect(0).send(0, pubrel(3)).do(0, 'fence')],
  ])('%s', async (_name, scene) => {
    const recording = await played(scene.script);
    // The same play, with all that the broker delivers taken away.
    const silent = {
      ...recording,
      connections: recording.connections.map((each) => ({
        ...each,
        received: each.received.filter(({ packet }) => packet?.type !== 'PUBLISH'),
      })),
    };
    expect(history(silent)).toEqual([]);
  });
});
