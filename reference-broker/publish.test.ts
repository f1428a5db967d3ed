/** The receiving side: answers, duplicates, topics and payloads. */

import { describe, expect, it } from 'vitest';
import { puback, pubcomp, publish, pubrec, pubrel, subscribe } from '../harness/wire/build.ts';
import type { QoS } from '../harness/wire/packet.ts';
import { type Stage, start } from './testClient.ts';

/** A publisher, and how many messages have come to a subscriber of everything since last asked. */
function watched(stage: Stage) {
  const watcher = stage.connect('w').send(subscribe(1, ['#', 0], ['$test/#', 0]));
  watcher.read();
  const seen = () => watcher.read().flatMap((packet) => (packet.type === 'PUBLISH' ? String(packet.payload) : []));
  return { publisher: stage.connect('p', { clean: false }), seen };
}

const message = (qos: QoS, packetId: number, payload = '') => publish({ topic: 't', qos, packetId, payload });

describe('3.3.4 the answer to PUBLISH', () => {
  it('depends on its QoS, and comes in order', () => {
    const { publisher } = watched(start());
    publisher.send(message(0, 0), message(1, 9), message(2, 8), message(1, 7), message(2, 6));
    expect(publisher.read()).toEqual([puback(9), pubrec(8), puback(7), pubrec(6)]);
  });
});

describe('4.3.2 QoS 1 as receiver', () => {
  it('takes a repeated identifier for a new message, whatever DUP says', () => {
    const { publisher, seen } = watched(start());
    publisher.send(message(1, 7, 'a'), message(1, 7, 'a'), { ...message(1, 7, 'a'), dup: true });
    expect(publisher.read()).toEqual([puback(7), puback(7), puback(7)]);
    expect(seen()).toEqual(['a', 'a', 'a']);
  });
});

describe.each(['PUBLISH', 'PUBREL'] as const)('4.3.3 QoS 2 as receiver, handing on at %s', (deliverOn) => {
  it('hands a message on once, however often it comes before PUBREL', () => {
    const { publisher, seen } = watched(start({ choices: { deliverOn } }));
    publisher.send(message(2, 7, 'a'), { ...message(2, 7, 'a'), dup: true }, message(2, 7, 'b'));
    expect(publisher.read()).toEqual([pubrec(7), pubrec(7), pubrec(7)]);
    expect(seen()).toEqual(deliverOn === 'PUBLISH' ? ['a'] : []);
    publisher.send(pubrel(7), pubrel(7));
    expect(publisher.read()).toEqual([pubcomp(7), pubcomp(7)]);
    expect(seen()).toEqual(deliverOn === 'PUBREL' ? ['a'] : []);
    publisher.send(message(2, 7, 'c'), pubrel(7));
    expect(seen()).toEqual(['c']);
  });

  it('does so across a reconnect', () => {
    const stage = start({ choices: { deliverOn } });
    const { publisher, seen } = watched(stage);
    publisher.send(message(2, 7, 'a')).drop();
    const again = stage.connect('p', { clean: false }).send({ ...message(2, 7, 'a'), dup: true }, pubrel(7));
    expect(again.read()).toEqual([pubrec(7), pubcomp(7)]);
    expect(seen()).toEqual(['a']);
  });
});

describe('topics that a client may not publish to', () => {
  it.each([
    ['deliver', ['x'], false],
    ['ignore', [], false],
    ['close', [], true],
  ] as const)('%s what goes to $ topics', (dollarTopics, expected, closed) => {
    const { publisher, seen } = watched(start({ choices: { dollarTopics } }));
    publisher.send(publish({ topic: '$test/a', payload: 'x', qos: 1, packetId: 1, retain: true }));
    expect([seen(), publisher.closed]).toEqual([expected, closed]);
    expect(publisher.read()).toEqual(closed ? [] : [puback(1)]);
  });

  it.each(['#', 'a/+', '+'])('closes for the Topic Name %j', (topic) => {
    const { publisher, seen } = watched(start());
    publisher.send(publish({ topic, payload: 'x' }));
    expect([seen(), publisher.closed]).toEqual([[], true]);
  });
});

describe('4.2 the byte stream', () => {
  it('may be cut anywhere', () => {
    const { publisher, seen } = watched(start());
    const bytes = Uint8Array.of(0x32, 0x06, 0, 1, 0x74, 0, 9, 0x61, 0xc0, 0x00);
    for (const byte of bytes) publisher.sendBytes(Uint8Array.of(byte));
    expect(publisher.read()).toEqual([puback(9), { type: 'PINGRESP' }]);
    expect(seen()).toEqual(['a']);
  });

  it('closes for a packet beyond the limit, and for a Remaining Length of five bytes', () => {
    const stage = start({ maximumPacketSize: 1_000 });
    const large = stage.connect('a').sendBytes(Uint8Array.of(0x30, 0xff, 0x7f));
    const endless = stage.connect('b').sendBytes(Uint8Array.of(0xc0, 0x80, 0x80, 0x80, 0x80));
    expect([large.closed, endless.closed]).toEqual([true, true]);
  });
});

describe('payloads', () => {
  it('of any size are passed on unchanged', () => {
    const stage = start();
    const client = stage.connect('a').send(subscribe(1, ['t', 1]));
    client.read();
    for (const size of [0, 1, 120, 121, 122, 123, 16_376, 16_377, 16_378, 16_379, 2_097_142, 2_097_150]) {
      const payload = Buffer.alloc(size, 'payload');
      client.send(publish({ topic: 't', payload, qos: 1, packetId: 1 }));
      const [packet] = client.read();
      expect(packet?.type === 'PUBLISH' && payload.equals(packet.payload)).toBe(true);
    }
  });
});

describe('3.3.2.3 properties', () => {
  const properties = {
    payloadFormatIndicator: 1,
    contentType: 'text/plain',
    responseTopic: 'answers',
    correlationData: Buffer.of(0, 0xff),
    userProperties: [
      ['b', '1'],
      ['a', '2'],
      ['b', ''],
    ] as const,
  };

  it.each([0, 1, 2] as const)('go on as they came, with QoS %i, but not the alias', (qos) => {
    const stage = start();
    const watcher = stage.connect5('w').send(subscribe(1, ['t', 2]));
    const older = stage.connect('o').send(subscribe(1, ['t', 2]));
    for (const client of [watcher, older]) client.read();
    stage.connect5('p').send(publish({ topic: 't', qos, packetId: 1, properties: { ...properties, topicAlias: 1 } }));
    expect(watcher.read()).toEqual([publish({ topic: 't', qos, packetId: 1, properties })]);
    expect(older.read()).toEqual([publish({ topic: 't', qos, packetId: 1 })]);
  });

  it('come with the retained message too', () => {
    const stage = start();
    stage.connect5('p').send(publish({ topic: 't', payload: 'x', retain: true, properties }));
    const watcher = stage.connect5('w').send(subscribe(1, ['t', 0]));
    expect(watcher.read().at(-1)).toEqual(publish({ topic: 't', payload: 'x', retain: true, properties }));
  });

  it('a Response Topic has no wildcards', () => {
    const client = start()
      .connect5('p')
      .send(publish({ topic: 't', properties: { responseTopic: 'a/+' } }));
    expect([client.read(), client.closed]).toMatchObject([[{ type: 'DISCONNECT', code: 0x82 }], true]);
  });
});

describe('3.4.2.1 Reason Codes', () => {
  const message5 = (qos: QoS, packetId: number, fields = {}) => publish({ topic: 't', qos, packetId, ...fields });

  it.each([
    ['0x10', 0x10],
    ['0x00', 0x00],
  ] as const)('of a message that nobody has subscribed to: %s', (noSubscribers, code) => {
    const stage = start({ choices: { noSubscribers } });
    const client = stage.connect5('p').send(message5(1, 1), message5(2, 2));
    expect(client.read()).toMatchObject([
      { type: 'PUBACK', code },
      { type: 'PUBREC', code },
    ]);
    stage.connect('s').send(subscribe(1, ['t', 0]));
    client.send(pubrel(2), message5(1, 1), message5(2, 2));
    expect(client.read()).toMatchObject([{ code: 0 }, { type: 'PUBACK', code: 0 }, { type: 'PUBREC', code: 0 }]);
  });

  it('of one that is forbidden, whose identifier is free at once', () => {
    const stage = start({ denied: ['secret/#'] });
    const { seen } = watched(stage);
    const client = stage.connect5('c').send(message5(1, 1, { topic: 'secret' }), message5(2, 2, { topic: 'secret/a' }));
    expect(client.read()).toMatchObject([
      { type: 'PUBACK', code: 0x87 },
      { type: 'PUBREC', code: 0x87 },
    ]);
    client.send(message5(2, 2, { payload: 'new' }), message5(0, 0, { topic: 'secret' }));
    expect([client.read(), seen(), client.closed]).toMatchObject([[{ type: 'PUBREC', code: 0 }], ['new'], false]);
    const older = stage.connect('o').send(message(1, 1), publish({ topic: 'secret', qos: 1, packetId: 2 }));
    expect(older.read()).toEqual([puback(1), puback(2)]);
    expect(seen()).toEqual(['']);
  });

  it.each([
    ['acknowledgement', [0x99, 0x99], 'DISCONNECT'],
    ['DISCONNECT', [0x99], undefined],
    ['unchecked', [0x10, 0x10], undefined],
  ] as const)('of a payload that is not the text it says: %s', (payloadFormat, codes, last) => {
    const client = start({ choices: { payloadFormat } }).connect5('c');
    const none = { payload: Uint8Array.of(0xff), properties: { payloadFormatIndicator: 1 } };
    client.send(message5(1, 1, none), message5(2, 2, none));
    expect(client.read().map((packet) => 'code' in packet && packet.code)).toEqual(codes);
    if (last) expect(client.send(message5(0, 0, none)).read()).toMatchObject([{ type: last, code: 0x99 }]);
  });

  it.each([
    ['0x92', 0x92],
    ['0x00', 0x00],
  ] as const)('of a PUBREL that is unknown: %s', (unknownPubrel, code) => {
    const client = start({ choices: { unknownPubrel } }).connect5('c').send(pubrel(9));
    expect([client.read(), client.closed]).toMatchObject([[{ type: 'PUBCOMP', code }], false]);
  });

  it('of what CONNACK has ruled out', () => {
    const stage = start({ maximumQoS: 1, retainAvailable: false });
    const above = stage.connect5('c').send(message5(2, 1));
    expect([above.read(), above.closed]).toMatchObject([[{ type: 'DISCONNECT', code: 0x9b }], true]);
    const retaining = stage.connect5('c').send(message5(0, 0, { retain: true }));
    expect([retaining.read(), retaining.closed]).toMatchObject([[{ type: 'DISCONNECT', code: 0x9a }], true]);
  });
});
