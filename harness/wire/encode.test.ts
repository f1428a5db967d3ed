/** Parts, bends and lengths. */

import { describe, expect, it } from 'vitest';
import { auth, connect, disconnect, fromHex, hex, pingreq, puback, publish, subscribe, unsuback } from './build.ts';
import { encode, parts, remainingLength, truncated, truncatedAt } from './encode.ts';
import { remainingLengths } from './examples.ts';
import { packetSize } from './length.ts';

const message = publish({ topic: 'a/b', payload: 'hi', qos: 1, packetId: 10 });

describe('parts', () => {
  it('are named in the words of the standard', () => {
    const everything = connect({ clientId: 'c', will: { topic: 'w' }, userName: 'u', password: 'p' });
    expect(parts(everything, 'v3').map(({ name }) => name)).toEqual([
      'header',
      'remainingLength',
      'protocolName.length',
      'protocolName',
      'protocolLevel',
      'connectFlags',
      'keepAlive',
      'clientId.length',
      'clientId',
      'will.topic.length',
      'will.topic',
      'will.payload.length',
      'will.payload',
      'userName.length',
      'userName',
      'password.length',
      'password',
      'surplus',
    ]);
  });

  it('have an index where a field repeats', () => {
    expect(parts(subscribe(1, ['a', 0], ['b', 1]), 'v3').map(({ name }) => name)).toEqual([
      'header',
      'remainingLength',
      'packetId',
      'filters.0.filter.length',
      'filters.0.filter',
      'filters.0.options',
      'filters.1.filter.length',
      'filters.1.filter',
      'filters.1.options',
      'surplus',
    ]);
  });

  it('do not copy the payload', () => {
    const large = publish({ topic: 'a', payload: new Uint8Array(1000) });
    expect(parts(large, 'v3').find(({ name }) => name === 'payload')?.bytes).toBe(large.payload);
  });
});

describe('parts of 5.0', () => {
  it('name each property, in the packet and in its will', () => {
    const packet = connect({
      clientId: 'c',
      protocolLevel: 5,
      properties: {
        receiveMaximum: 10,
        userProperties: [
          ['a', 'b'],
          ['c', 'd'],
        ],
      },
      will: { topic: 'w', properties: { contentType: 't' } },
    });
    expect(parts(packet, 'v5').map(({ name, bytes }) => [name, hex(bytes)])).toEqual([
      ['header', '10'],
      ['remainingLength', '29'],
      ['protocolName.length', '00 04'],
      ['protocolName', '4D 51 54 54'],
      ['protocolLevel', '05'],
      ['connectFlags', '06'],
      ['keepAlive', '00 3C'],
      ['properties.length', '11'],
      ['properties.receiveMaximum', '21 00 0A'],
      ['properties.userProperties.0', '26 00 01 61 00 01 62'],
      ['properties.userProperties.1', '26 00 01 63 00 01 64'],
      ['properties.other', ''],
      ['clientId.length', '00 01'],
      ['clientId', '63'],
      ['will.properties.length', '04'],
      ['will.properties.contentType', '03 00 01 74'],
      ['will.properties.other', ''],
      ['will.topic.length', '00 01'],
      ['will.topic', '77'],
      ['will.payload.length', '00 00'],
      ['will.payload', ''],
      ['surplus', ''],
    ]);
  });

  it.each([
    ['says what is given of an outcome: nothing', puback(10), '40 02 00 0A'],
    ['says what is given of an outcome: a code', puback(10, { code: 0 }), '40 03 00 0A 00'],
    ['says what is given of an outcome: no properties', puback(10, { properties: {} }), '40 04 00 0A 00 00'],
    ['says what is given of an outcome: both', disconnect({ code: 4, properties: {} }), 'E0 02 04 00'],
    [
      'keeps the order of properties',
      publish({ topic: 'a', properties: { topicAlias: 1, contentType: '' } }),
      '30 0A 00 01 61 06 23 00 01 03 00 00',
    ],
  ])('%s', (_what, packet, expected) => {
    expect(hex(encode(packet, 'v5'))).toBe(expected);
    expect(hex(Buffer.concat(parts(packet, 'v5').map(({ bytes }) => bytes)))).toBe(expected);
  });

  const aliased = publish({ topic: 'a', payload: 'x', properties: { topicAlias: 1 } });

  it.each([
    ['repeats a property', { 'properties.topicAlias': { repeat: 2 } }, '30 0B 00 01 61 06 23 00 01 23 00 01 78'],
    ['removes a property', { 'properties.topicAlias': [] }, '30 05 00 01 61 00 78'],
    ['cuts a property', { 'properties.topicAlias': { keep: 2 } }, '30 07 00 01 61 02 23 00 78'],
    ['adds to the number of a property', { 'properties.topicAlias': { add: 299 } }, '30 08 00 01 61 03 23 01 2C 78'],
    ['adds what is no property', { 'properties.other': [0x7f, 1] }, '30 0A 00 01 61 05 23 00 01 7F 01 78'],
    ['adds to Property Length', { 'properties.length': { add: 125 } }, '30 09 00 01 61 80 01 23 00 01 78'],
    ['removes Property Length', { 'properties.length': [] }, '30 07 00 01 61 23 00 01 78'],
  ])('a bend %s', (_what, bend, expected) => {
    expect(hex(encode(aliased, 'v5', bend))).toBe(expected);
  });

  it('a property that the packet does not have is an error', () => {
    expect(() => encode(aliased, 'v5', { 'properties.contentType': [] })).toThrow(RangeError);
  });

  it('3.1.1 leaves out what it does not have, and has no AUTH', () => {
    expect(hex(encode(aliased, 'v3'))).toBe('30 04 00 01 61 78');
    expect(hex(encode(disconnect({ code: 4, properties: {} }), 'v3'))).toBe('E0 00');
    expect(hex(encode(unsuback(1, [0]), 'v3'))).toBe('B0 02 00 01');
    expect(() => encode(auth(), 'v3')).toThrow(RangeError);
  });
});

describe('a bend', () => {
  it.each([
    ['replaces', { topic: [0x78] }, '32 07 00 01 78 00 0A 68 69'],
    ['removes', { packetId: [] }, '32 07 00 03 61 2F 62 68 69'],
    ['repeats', { packetId: { repeat: 2 } }, '32 0B 00 03 61 2F 62 00 0A 00 0A 68 69'],
    ['appends', { topic: { append: [0xff] } }, '32 0A 00 04 61 2F 62 FF 00 0A 68 69'],
    ['cuts', { payload: { keep: 1 } }, '32 08 00 03 61 2F 62 00 0A 68'],
    ['adds', { 'topic.length': { add: 300 } }, '32 09 01 2F 61 2F 62 00 0A 68 69'],
    ['subtracts', { packetId: { add: -11 } }, '32 09 00 03 61 2F 62 FF FF 68 69'],
    ['adds to Remaining Length', { remainingLength: { add: 119 } }, '32 80 01 00 03 61 2F 62 00 0A 68 69'],
    ['sets Remaining Length', { remainingLength: [0x80, 0x00] }, '32 80 00 00 03 61 2F 62 00 0A 68 69'],
    ['sets a length apart from its content', { topic: [0x78], 'topic.length': [0, 9] }, '32 07 00 09 78 00 0A 68 69'],
    ['adds bytes at the end', { surplus: [1, 2] }, '32 0B 00 03 61 2F 62 00 0A 68 69 01 02'],
    ['changes the header', { header: [0x36] }, '36 09 00 03 61 2F 62 00 0A 68 69'],
  ])('%s a part', (_what, bend, expected) => {
    expect(hex(encode(message, 'v3', bend))).toBe(expected);
  });

  it('of nothing changes nothing', () => {
    expect(encode(message, 'v3', {})).toEqual(encode(message, 'v3'));
  });

  it('of a part that the packet does not have is an error', () => {
    expect(() => encode(pingreq(), 'v3', { packetId: [1] })).toThrow(/PINGREQ has no part 'packetId'/);
    expect(() => encode(message, 'v3', { toString: [1] })).toThrow(RangeError);
  });

  it('may make a string longer than its length can say', () => {
    const bytes = encode(message, 'v3', { topic: { repeat: 30_000 } });
    expect(hex(bytes.subarray(4, 6))).toBe(hex(Uint8Array.of((90_000 & 0xffff) >> 8, 90_000 & 0xff)));
  });
});

describe('a truncated packet', () => {
  it('has a Remaining Length that fits', () => {
    expect(hex(truncated(message, 'v3', 3))).toBe('32 03 00 03 61');
    expect(hex(truncated(message, 'v3', 0))).toBe('32 00');
    expect(truncated(message, 'v3', 1000)).toEqual(encode(message, 'v3'));
  });

  it('can end within a part', () => {
    expect(hex(truncatedAt(message, 'v3', 'packetId', 1))).toBe('32 06 00 03 61 2F 62 00');
    expect(() => truncatedAt(message, 'v3', 'header')).toThrow(RangeError);
  });
});

describe('Remaining Length', () => {
  it.each(remainingLengths)('%d', (value, digits) => {
    expect(hex(remainingLength(value))).toBe(digits);
    const header = fromHex(`30 ${digits}`);
    expect(packetSize(header, 0, header.length, 'v3')).toBe(header.length + value);
  });

  it.each(remainingLengths.filter(([value]) => value <= 2_097_152 && value >= 3))(
    'of a PUBLISH: %d',
    (value, digits) => {
      const bytes = encode(publish({ topic: 'a', payload: new Uint8Array(value - 3) }), 'v3');
      const header = fromHex(`30 ${digits}`);
      expect(hex(bytes.subarray(0, header.length))).toBe(hex(header));
      expect(bytes.length).toBe(header.length + value);
    },
  );

  it('can be padded', () => {
    expect(hex(remainingLength(2, 2))).toBe('82 00');
    expect(hex(remainingLength(0, 4))).toBe('80 80 80 00');
    expect(hex(remainingLength(300, 3))).toBe('AC 82 00');
  });

  it('has its limits', () => {
    expect(() => remainingLength(268_435_456)).toThrow(RangeError);
    expect(() => remainingLength(-1)).toThrow(RangeError);
    expect(() => remainingLength(128, 1)).toThrow(RangeError);
  });
});

describe('what the format cannot hold', () => {
  it.each([
    ['an identifier above 65535', puback(65_536)],
    ['a negative identifier', puback(-1)],
    ['a fraction', puback(1.5)],
    ['a topic of 65536 bytes', publish({ topic: 'x'.repeat(65_536) })],
    [
      'a Will Message of 65536 bytes',
      connect({ clientId: 'c', will: { topic: 'w', payload: new Uint8Array(65_536) } }),
    ],
    ['a QoS 1 PUBLISH without an identifier', publish({ topic: 'a', qos: 1 })],
  ])('%s is an error', (_what, packet) => {
    expect(() => encode(packet, 'v3')).toThrow(RangeError);
    expect(() => parts(packet, 'v3')).toThrow(RangeError);
  });

  it.each([
    ['a property of another number', { topicAlias: 65_536 }],
    ['a negative property', { messageExpiryInterval: -1 }],
    ['a property above its four bytes', { messageExpiryInterval: 2 ** 32 }],
    ['a Subscription Identifier above its four bytes', { subscriptionIdentifiers: [268_435_456] }],
    ['a string property of 65536 bytes', { contentType: 'x'.repeat(65_536) }],
    ['an unknown property', { toString: 1 } as object],
  ])('%s is an error', (_what, properties) => {
    const packet = publish({ topic: 'a', properties });
    expect(() => encode(packet, 'v5')).toThrow(RangeError);
    expect(() => parts(packet, 'v5')).toThrow(RangeError);
  });

  it('begins after 65535 bytes of topic', () => {
    expect(encode(publish({ topic: 'x'.repeat(65_535) }), 'v3').length).toBe(4 + 2 + 65_535);
  });
});
