/** The sending side: QoS, redelivery, queues and the window of messages in flight. */

import { describe, expect, it } from 'vitest';
import {
  connack,
  connect,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  suback,
  subscribe,
  unsubscribe,
} from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { type Stage, start, type TestClient } from './testClient.ts';

/** A client with CleanSession 0 that is subscribed to `t`, and one that publishes. */
function pair(stage: Stage, qos: QoS): [TestClient, TestClient] {
  const subscriber = stage.connect('s', { clean: false }).send(subscribe(1, ['t', qos]));
  subscriber.read();
  return [subscriber, stage.connect('p')];
}

const back = (stage: Stage) => stage.open().send(connect({ clientId: 's', clean: false }));

describe('3.8.4 and 4.3 the QoS of a delivery', () => {
  it.each([0, 1, 2] as const)('is the lower one, with a subscription of QoS %i', (granted) => {
    const [subscriber, publisher] = pair(start(), granted);
    const seen = ([0, 1, 2] as const).map((qos) => {
      publisher.send(publish({ topic: 't', qos, packetId: 5 }));
      const [packet] = subscriber.read();
      return packet?.type === 'PUBLISH' ? packet.qos : packet;
    });
    expect(seen).toEqual([0, Math.min(1, granted), Math.min(2, granted)]);
  });

  it('never passes DUP or RETAIN on', () => {
    const [subscriber, publisher] = pair(start(), 1);
    publisher.send(publish({ topic: 't', qos: 1, packetId: 5, dup: true, retain: true }));
    expect(subscriber.read()).toEqual([publish({ topic: 't', qos: 1, packetId: 1 })]);
  });
});

describe('4.3.3 QoS 2 as sender', () => {
  it('goes through PUBREC, PUBREL and PUBCOMP, and then uses the next identifier', () => {
    const [subscriber, publisher] = pair(start(), 2);
    publisher.send(publish({ topic: 't', qos: 2, packetId: 5 }));
    expect(subscriber.read()).toEqual([publish({ topic: 't', qos: 2, packetId: 1 })]);
    expect(subscriber.send(pubrec(1)).read()).toEqual([pubrel(1)]);
    expect(subscriber.send(pubrec(1)).read()).toEqual([pubrel(1)]);
    expect(subscriber.send(pubcomp(1)).read()).toEqual([]);
    publisher.send(pubrel(5), publish({ topic: 't', qos: 2, packetId: 5 }));
    expect(subscriber.read()).toEqual([publish({ topic: 't', qos: 2, packetId: 2 })]);
  });

  it('completes what was begun although the subscription has ended', () => {
    const [subscriber, publisher] = pair(start(), 2);
    publisher.send(publish({ topic: 't', qos: 2, packetId: 5 }));
    subscriber.send(unsubscribe(2, 't')).read();
    expect(subscriber.send(pubrec(1)).read()).toEqual([pubrel(1)]);
  });
});

describe('4.4 Message delivery retry', () => {
  it('sends what is unacknowledged again, in order, then what waited', () => {
    const stage = start();
    const [subscriber, publisher] = pair(stage, 2);
    const send = (payload: string, qos: QoS, packetId: number) =>
      publisher.send(publish({ topic: 't', payload, qos, packetId }));
    send('one', 1, 1);
    send('two', 2, 2);
    send('three', 1, 3);
    send('four', 2, 4);
    subscriber.send(puback(1), pubrec(2));
    subscriber.drop();
    send('five', 1, 5);
    const again = back(stage);
    expect(again.read()).toEqual([
      connack({ sessionPresent: true }),
      publish({ topic: 't', payload: 'three', qos: 1, packetId: 3, dup: true }),
      publish({ topic: 't', payload: 'four', qos: 2, packetId: 4, dup: true }),
      pubrel(2),
      publish({ topic: 't', payload: 'five', qos: 1, packetId: 5 }),
    ]);
    again.send(puback(3), pubrec(4), pubcomp(4), pubcomp(2), puback(5)).drop();
    expect(back(stage).read()).toEqual([connack({ sessionPresent: true })]);
  });

  it('sends again on a timer, marked as repetition, when it chooses to', () => {
    const stage = start({ choices: { resendIntervalMs: 1_000 } });
    const [subscriber, publisher] = pair(stage, 1);
    publisher.send(publish({ topic: 't', qos: 1, packetId: 1 }));
    subscriber.read();
    stage.elapse(2_500);
    const repetition = publish({ topic: 't', qos: 1, packetId: 1, dup: true });
    expect(subscriber.read()).toEqual([repetition, repetition]);
    subscriber.send(puback(1));
    stage.elapse(5_000);
    expect(subscriber.read()).toEqual([]);
  });
});

describe('3.1.2.4 messages for a client that is away', () => {
  it('wait from QoS 1 on, and QoS 0 only by choice', () => {
    const texts = (['drop', 'queue'] as const).map((qos0Offline) => {
      const stage = start({ choices: { qos0Offline } });
      const [subscriber, publisher] = pair(stage, 2);
      subscriber.drop();
      for (const qos of [0, 1, 2] as const) {
        publisher.send(publish({ topic: 't', payload: `${qos}`, qos, packetId: 1 + qos }));
      }
      return back(stage)
        .read()
        .map((packet) => (packet.type === 'PUBLISH' ? String(packet.payload) : packet.type));
    });
    expect(texts).toEqual([
      ['CONNACK', '1', '2'],
      ['CONNACK', '0', '1', '2'],
    ]);
  });

  it('are dropped when there is no room', () => {
    const stage = start({ maximumHeldBytes: 1_000 });
    const [subscriber, publisher] = pair(stage, 1);
    subscriber.drop();
    for (let id = 1; id <= 10; id++) publisher.send(publish({ topic: 't', qos: 1, packetId: id }));
    expect(back(stage).read()).toHaveLength(1 + 4);
    expect(publisher.closed).toBe(false);
  });
});

describe('the window of messages in flight', () => {
  it('holds back what does not fit and sends it as acknowledgements come', () => {
    const [subscriber, publisher] = pair(start({ choices: { inFlightWindow: 2 } }), 1);
    for (let id = 1; id <= 4; id++) publisher.send(publish({ topic: 't', payload: `${id}`, qos: 1, packetId: id }));
    expect(subscriber.read()).toHaveLength(2);
    expect(subscriber.send(puback(2)).read()).toEqual([publish({ topic: 't', payload: '3', qos: 1, packetId: 3 })]);
    expect(subscriber.send(puback(1), puback(3)).read()).toHaveLength(1);
  });

  it('gives an identifier again only when it is free, and never 0', () => {
    const [subscriber, publisher] = pair(start(), 1);
    const next = () => {
      publisher.send(publish({ topic: 't', qos: 1, packetId: 1 }));
      const [packet] = subscriber.read();
      return packet?.type === 'PUBLISH' ? (packet.packetId ?? 0) : 0;
    };
    expect(next()).toBe(1);
    for (let id = 2; id <= 0xffff; id++) subscriber.send(puback(next()));
    expect(next()).toBe(2);
  });
});

describe('a client that reads too slowly', () => {
  it('loses QoS 0 messages only', () => {
    const [subscriber, publisher] = pair(start(), 1);
    subscriber.congested = true;
    publisher.send(publish({ topic: 't', payload: 'lost' }));
    publisher.send(publish({ topic: 't', payload: 'kept', qos: 1, packetId: 1 }));
    subscriber.congested = false;
    publisher.send(publish({ topic: 't', payload: 'seen' }));
    expect(subscriber.read()).toEqual([
      publish({ topic: 't', payload: 'kept', qos: 1, packetId: 1 }),
      publish({ topic: 't', payload: 'seen' }),
    ]);
  });
});

describe('acknowledgements that fit no exchange', () => {
  it.each([
    ['ignore', [], false],
    ['answer', [pubrel(77)], false],
    ['close', [], true],
  ] as const)('%s', (unknownAck, packets, closed) => {
    const [subscriber, publisher] = pair(start({ choices: { unknownAck } }), 1);
    publisher.send(publish({ topic: 't', qos: 1, packetId: 1 }));
    subscriber.read();
    expect([subscriber.send(pubrec(77)).read(), subscriber.closed]).toEqual([packets, closed]);
  });

  it('a PUBREC does not complete a QoS 1 message', () => {
    const stage = start();
    const [subscriber, publisher] = pair(stage, 1);
    publisher.send(publish({ topic: 't', qos: 1, packetId: 1 }));
    subscriber.send(pubrec(1), pubcomp(1)).drop();
    expect(back(stage).read()).toContainEqual(publish({ topic: 't', qos: 1, packetId: 1, dup: true }));
  });
});

describe('3.3.5 overlapping subscriptions', () => {
  it.each([
    ['once', [2]],
    ['each', [0, 1, 2]],
  ] as const)('deliver %s', (overlapping, expected) => {
    const stage = start({ choices: { overlapping } });
    const client = stage.connect('a').send(subscribe(1, ['t/#', 0], ['t/+', 2], ['t/a', 1]));
    expect(client.read()).toEqual([suback(1, [0, 2, 1])]);
    client.send(publish({ topic: 't/a', qos: 2, packetId: 1 }));
    const seen = client.read().flatMap((packet) => (packet.type === 'PUBLISH' ? packet.qos : []));
    expect(seen.sort()).toEqual(expected);
  });
});
