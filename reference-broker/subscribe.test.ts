/** SUBSCRIBE and UNSUBSCRIBE, and their answers. */

import { describe, expect, it } from 'vitest';
import { puback, publish, suback, subscribe, unsuback, unsubscribe } from '../harness/wire/build.ts';
import type { Packet } from '../harness/wire/packet.ts';
import { start } from './testClient.ts';

const one = (payload: string) => publish({ topic: 't', payload });

describe('3.8.4 SUBSCRIBE Response', () => {
  it('has a code for each filter, in their order', () => {
    const client = start()
      .connect('a')
      .send(subscribe(256, ['z', 2], ['a', 0], ['m', 1], ['a', 1]));
    expect(client.read()).toEqual([suback(256, [2, 0, 1, 1])]);
  });

  it('grants no more than it chooses to', () => {
    const client = start({ choices: { grantedQoS: 1 } })
      .connect('a')
      .send(subscribe(1, ['z', 2], ['a', 0]));
    expect(client.read()).toEqual([suback(1, [1, 0])]);
  });

  it('replaces the subscription with the same filter', () => {
    const client = start()
      .connect('a')
      .send(subscribe(1, ['t', 0]), subscribe(2, ['t', 1]));
    client.read();
    client.send(publish({ topic: 't', qos: 1, packetId: 9 }));
    expect(client.read()).toEqual([publish({ topic: 't', qos: 1, packetId: 1 }), puback(9)]);
  });

  it.each([
    ['close', [], true],
    ['0x80', [suback(1, [0, 0x80])], false],
  ] as const)('answers a misplaced wildcard: %s', (invalidFilter, packets, closed) => {
    const client = start({ choices: { invalidFilter } })
      .connect('a')
      .send(subscribe(1, ['t', 0], ['a#', 0]));
    expect([client.read(), client.closed]).toEqual([packets, closed]);
    if (!closed) expect(client.send(one('x')).read()).toEqual([one('x')]);
  });

  it('takes as many filters as fit into a packet', () => {
    const filters = Array.from({ length: 200_000 }, (_, index) => ({ filter: `${index}`, qos: 0 }) as const);
    const client = start().connect('a').send({ type: 'SUBSCRIBE', packetId: 1, filters });
    expect(client.read()).toEqual([suback(1, Array(filters.length).fill(0))]);
  });

  it('refuses wildcards when it chooses to', () => {
    const client = start({ choices: { wildcards: 'refuse' } })
      .connect('a')
      .send(subscribe(1, ['+', 0], ['t', 0]));
    expect(client.read()).toEqual([suback(1, [0x80, 0])]);
    expect(client.send(one('x')).read()).toEqual([one('x')]);
  });
});

describe('3.10.4 UNSUBSCRIBE Response', () => {
  it('ends exactly the named subscriptions, and is answered in any case', () => {
    const client = start()
      .connect('a')
      .send(subscribe(1, ['t', 0], ['+', 0], ['u', 0]));
    client.read();
    client.send(unsubscribe(2, 't/', 'T', '#', 'nothing'), one('x'));
    expect(client.read()).toEqual([unsuback(2), one('x')]);
    client.send(unsubscribe(3, '+', 'u'), one('y'));
    expect(client.read()).toEqual([unsuback(3), one('y')]);
    client.send(unsubscribe(4, 't'), one('z'));
    expect(client.read()).toEqual([unsuback(4)]);
  });
});

describe('3.8.3.1 Subscription Options', () => {
  const message = (fields = {}) => publish({ topic: 't', payload: 'x', ...fields });

  it('No Local keeps the messages of the client itself away', () => {
    const stage = start();
    const client = stage.connect5('a').send(subscribe(1, { filter: 't', qos: 0, noLocal: true }));
    client.read();
    client.send(message());
    expect(client.read()).toEqual([]);
    stage.connect5('b').send(message());
    expect(client.read()).toEqual([message()]);
    // Another subscription of its own still brings them.
    client.send(subscribe(2, ['+', 0])).read();
    expect(client.send(message()).read()).toEqual([message()]);
    const shared = stage.connect5('c').send(subscribe(1, { filter: '$share/g/t', qos: 0, noLocal: true }));
    expect([shared.read(), shared.closed]).toMatchObject([[{ type: 'DISCONNECT', code: 0x82 }], true]);
  });

  it('Retain As Published keeps the flag', () => {
    const stage = start();
    const options = { filter: 't', qos: 0 } as const;
    const [as, not] = [true, false].map((retainAsPublished) => {
      const client = stage.connect5(`${retainAsPublished}`).send(subscribe(1, { ...options, retainAsPublished }));
      client.read();
      return client;
    });
    for (const retain of [true, false]) stage.connect5('p').send(message({ retain }));
    expect(as?.read()).toEqual([message({ retain: true }), message()]);
    expect(not?.read()).toEqual([message(), message()]);
  });

  it.each([
    [0, [1, 1, 1]],
    [1, [1, 0, 1]],
    [2, [0, 0, 0]],
  ] as const)('Retain Handling %i', (retainHandling, expected) => {
    const stage = start();
    stage.connect5('p').send(message({ retain: true }));
    const client = stage.connect5('a');
    const filter = { filter: 't', qos: 0, retainHandling } as const;
    const retained = () => client.read().filter((packet) => packet.type === 'PUBLISH' && packet.retain).length;
    const counts = [0, 1].map(() => {
      client.send(subscribe(1, filter));
      return retained();
    });
    client.send(unsubscribe(3, 't'), subscribe(1, filter));
    expect([...counts, retained()]).toEqual(expected);
  });
});

describe('3.8.2.1.2 Subscription Identifier', () => {
  const identified = (packetId: number, identifier: number) => ({
    packetId,
    properties: { subscriptionIdentifiers: [identifier] },
  });
  const identifiers = (client: { read(): Packet[] }) =>
    client.read().flatMap((packet) => (packet.type === 'PUBLISH' ? [packet.properties?.subscriptionIdentifiers] : []));
  const lasting = { clean: false, properties: { sessionExpiryInterval: 60 } };

  it('comes with each message, those of all subscriptions with one copy', () => {
    const stage = start();
    const client = stage.connect5('a');
    client.send(subscribe(identified(1, 1), ['t', 0]), subscribe(identified(2, 300), ['+', 1]), subscribe(3, ['#', 0]));
    const other = stage.connect5('b').send(subscribe(identified(1, 7), ['t', 0]));
    stage.connect5('p').send(one('x'));
    expect(identifiers(client).map((list) => list?.toSorted())).toEqual([[1, 300]]);
    expect(identifiers(other)).toEqual([[7]]);
  });

  it('comes with its own copy when there are several', () => {
    const stage = start({ choices: { overlapping: 'each' } });
    const client = stage.connect5('a');
    client.send(subscribe(identified(1, 1), ['t', 0]), subscribe(identified(2, 2), ['+', 0]), subscribe(3, ['#', 0]));
    stage.connect5('p').send(one('x'));
    expect(identifiers(client).sort()).toEqual([[1], [2], undefined]);
  });

  it('belongs to the subscription: replaced with it, kept with the session, gone with it', () => {
    const stage = start();
    const client = stage.connect5('a', lasting).send(subscribe(identified(1, 1), ['t', 0]));
    const seen = (of = client) => {
      stage.connect5('p').send(one('x'));
      return identifiers(of);
    };
    expect(seen()).toEqual([[1]]);
    client.send(subscribe(identified(2, 2), ['t', 0]));
    expect(seen()).toEqual([[2]]);
    client.drop();
    const again = stage.connect5('a', lasting);
    expect(seen(again)).toEqual([[2]]);
    again.send(subscribe(3, ['t', 0]));
    expect(seen(again)).toEqual([undefined]);
  });

  it('is sent with retained messages, and to nobody of 3.1.1', () => {
    const stage = start();
    stage.connect('p').send(publish({ topic: 't', payload: 'x', retain: true }));
    const client = stage.connect5('a', lasting).send(subscribe(identified(1, 1), ['t', 1]));
    expect(identifiers(client)).toEqual([[1]]);
    client.drop();
    const older = stage.connect('a', { clean: false });
    stage.connect('p').send(one('x'));
    expect(older.read()).toEqual([one('x')]);
  });
});

describe('3.9.3 what is not served', () => {
  const identifier = { packetId: 1, properties: { subscriptionIdentifiers: [1] } };
  const limits = {
    wildcardSubscriptionAvailable: false,
    subscriptionIdentifierAvailable: false,
    sharedSubscriptionAvailable: false,
  };

  it.each([
    ['a wildcard', subscribe(1, ['a/#', 0]), 0xa2],
    ['a Subscription Identifier', subscribe(identifier, ['a', 0]), 0xa1],
    ['a Shared Subscription', subscribe(1, ['$share/g/a', 0]), 0x9e],
  ])('%s is refused in DISCONNECT or SUBACK', (_, packet, code) => {
    const closing = start(limits).connect5('a').send(packet);
    expect([closing.read(), closing.closed]).toMatchObject([[{ type: 'DISCONNECT', code }], true]);
    const staying = start({ ...limits, choices: { unavailable: 'SUBACK' } })
      .connect5('a')
      .send(packet);
    expect([staying.read(), staying.closed]).toMatchObject([[{ type: 'SUBACK', codes: [code] }], false]);
  });

  it('QoS beyond the maximum is granted as far as it goes', () => {
    const client = start({ maximumQoS: 1 })
      .connect5('a')
      .send(subscribe(1, ['a', 0], ['b', 1], ['c', 2]));
    expect(client.read()).toEqual([suback(1, [0, 1, 1])]);
  });

  it('what is forbidden gets 0x87, in 3.1.1 0x80', () => {
    const stage = start({ denied: ['secret'] });
    const packet = subscribe(1, ['a', 0], ['secret', 0], ['b', 1]);
    expect(stage.connect5('a').send(packet).read()).toMatchObject([{ codes: [0, 0x87, 1] }]);
    expect(stage.connect('b').send(packet).read()).toMatchObject([{ codes: [0, 0x80, 1] }]);
  });

  it.each([
    ['accept', [0], [0x00]],
    ['0x91', [0x91], [0x91]],
  ] as const)('an identifier in use: %s', (identifierInUse, subscribed, ended) => {
    const client = start({ choices: { identifierInUse } })
      .connect5('a')
      .send(publish({ topic: 't', qos: 2, packetId: 1 }));
    client.read();
    const answers = client.send(subscribe(1, ['a', 0]), unsubscribe(1, 'a')).read();
    expect(answers).toMatchObject([{ codes: subscribed }, { codes: ended }]);
  });
});
