/** What the decoder leaves to others, and where it says that a fault is. */

import { describe, expect, it } from 'vitest';
import type { Version } from '../spec/index.ts';
import { connect, fromHex, publish, subscribe } from './build.ts';
import { decode, Malformed } from './decode.ts';
import { encode } from './encode.ts';

describe('not judged by the decoder', () => {
  it('the protocol name', () => {
    const packet = connect({ clientId: 'c', protocolName: 'MQIsdp' });
    expect(decode(encode(packet, 'v3'), 'v3')).toEqual(packet);
  });

  it.each([0, 3, 5, 6, 0x84, 255])('what follows the protocol level %d', (protocolLevel) => {
    const packet = connect({ clientId: '', protocolLevel, keepAlive: 0 });
    const bytes = encode(packet, 'v3', { connectFlags: [0x01], surplus: [1, 2, 3] });
    expect(decode(bytes, 'v3')).toEqual(packet);
    expect(decode(encode(packet, 'v3', { connectFlags: [], keepAlive: [], 'clientId.length': [] }), 'v3')).toEqual(
      packet,
    );
  });

  it('DUP with QoS 0', () => {
    expect(decode(fromHex('38 03 00 01 61'), 'v3')).toMatchObject({ dup: true, qos: 0, topic: 'a' });
  });

  it('wildcards in a Topic Name, and the syntax of a Topic Filter', () => {
    expect(decode(encode(publish({ topic: 'a/#' }), 'v3'), 'v3')).toMatchObject({ topic: 'a/#' });
    expect(decode(encode(subscribe(1, ['#/a+', 1]), 'v3'), 'v3')).toMatchObject({
      filters: [{ filter: '#/a+', qos: 1 }],
    });
  });

  it('the identifier of an acknowledgement', () => {
    expect(decode(fromHex('40 02 00 00'), 'v3')).toEqual({ type: 'PUBACK', packetId: 0 });
    expect(decode(fromHex('B0 02 00 00'), 'v3')).toEqual({ type: 'UNSUBACK', packetId: 0 });
  });

  it('a Remaining Length in more bytes than needed', () => {
    expect(decode(fromHex('C0 80 80 80 00'), 'v3')).toEqual({ type: 'PINGREQ' });
    expect(decode(fromHex('40 82 00 00 0A'), 'v3')).toEqual({ type: 'PUBACK', packetId: 10 });
  });

  it('an empty Client Identifier with Clean Session 0', () => {
    const packet = connect({ clientId: '', clean: false });
    expect(decode(encode(packet, 'v3'), 'v3')).toEqual(packet);
  });
});

describe('empty topics', () => {
  it.each([
    ['Topic Filter of a SUBSCRIBE', '82 05 00 01 00 00 00', 'filters.0.filter', 6],
    ['second Topic Filter of a SUBSCRIBE', '82 09 00 01 00 01 61 00 00 00 00', 'filters.1.filter', 10],
    ['Will Topic', '10 11 00 04 4D 51 54 54 04 06 00 3C 00 01 63 00 00 00 00', 'will.topic', 17],
  ])('%s', (_what, digits, part, offset) => {
    expect(faultOf(digits)).toMatchObject({ part, offset });
    expect(faultOf(digits).requirements).toContain('v3/4.7.3-1');
  });
});

describe('the offset of a fault', () => {
  it.each([
    ['the header', 'C1 00', 'header', 0],
    ['a Remaining Length without end', '30 80', 'remainingLength', 1],
    ['a Remaining Length beyond the bytes', '30 05 00 01 61', 'remainingLength', 1],
    ['bytes after the packet', 'C0 00 00', 'surplus', 2],
    ['the connect flags', '10 0D 00 04 4D 51 54 54 04 03 00 3C 00 01 63', 'connectFlags', 9],
    ['an identifier behind a two byte Remaining Length', '82 82 00 00 00', 'packetId', 3],
    ['the length of a topic', '30 05 00 04 61 62 63', 'topic.length', 2],
    ['the first ill-formed byte of a topic', '30 07 00 05 61 C3 A9 ED A0', 'topic', 7],
    ['a zero in a topic', '30 06 00 04 C3 A9 00 61', 'topic', 6],
    ['a requested QoS', '82 0A 00 01 00 01 61 00 00 01 62 03', 'filters.1.options', 11],
    ['a return code', '90 05 00 01 00 80 03', 'codes.2', 6],
    ['surplus in a fixed packet', '40 03 00 01 00', 'surplus', 4],
  ])('%s', (_what, digits, part, offset) => {
    expect(faultOf(digits)).toMatchObject({ part, offset });
  });
});

describe('surplus in a CONNECT', () => {
  const plain = '00 04 4D 51 54 54 04 02 00 3C 00 01 63';
  const absent = ['v3/3.1.2-11', 'v3/3.1.2-18', 'v3/3.1.2-20'];

  it('with the form of fields breaks the flags that say that they are absent', () => {
    expect(faultOf(`10 10 ${plain} 00 01 78`).requirements).toEqual(expect.arrayContaining(absent));
  });

  it('without the form of fields does not', () => {
    const { requirements } = faultOf(`10 0E ${plain} 00`);
    expect(requirements).toEqual(['v3/2.4~surplus-bytes', 'v3/3.1.4-1']);
  });
});

describe('in 5.0', () => {
  it('what is left out is told, and what is not there is not', () => {
    expect(decode(fromHex('40 02 00 0A'), 'v5')).toEqual({ type: 'PUBACK', packetId: 10, code: 0 });
    expect(decode(fromHex('40 04 00 0A 10 00'), 'v5')).toEqual({ type: 'PUBACK', packetId: 10, code: 0x10 });
    expect(decode(fromHex('E0 00'), 'v5')).toEqual({ type: 'DISCONNECT', code: 0 });
    expect(decode(fromHex('30 04 00 01 61 00'), 'v5')).toEqual(decode(fromHex('30 03 00 01 61'), 'v3'));
  });

  it('a CONNECT of another level is another standard', () => {
    const packet = connect({ clientId: '', protocolLevel: 4, keepAlive: 0 });
    expect(decode(encode(packet, 'v3'), 'v5')).toEqual(packet);
  });

  it('a password needs no user name', () => {
    const packet = connect({ clientId: 'c', protocolLevel: 5, password: Uint8Array.of(0) });
    expect(decode(encode(packet, 'v5'), 'v5')).toMatchObject({ clientId: 'c', password: fromHex('00') });
  });

  it('lists of properties keep their order', () => {
    const properties = {
      userProperties: [
        ['b', '1'],
        ['a', '2'],
        ['b', '1'],
      ],
      subscriptionIdentifiers: [9, 1, 9],
    } as const;
    expect(decode(encode(publish({ topic: 'a', properties }), 'v5'), 'v5')).toMatchObject({ properties });
  });

  it('any Payload Format Indicator is read, and a topic may have wildcards', () => {
    const packet = publish({ topic: 'a/#', properties: { payloadFormatIndicator: 7, responseTopic: '#' } });
    expect(decode(encode(packet, 'v5'), 'v5')).toMatchObject({
      topic: 'a/#',
      properties: { payloadFormatIndicator: 7 },
    });
  });

  it.each([
    ['a repeated property', '30 0A 00 01 61 06 23 00 01 23 00 01', 'properties.topicAlias', 9, 0x82],
    ['a Topic Alias of 0', '30 07 00 01 61 03 23 00 00', 'properties.topicAlias', 6, 0x94],
    ['a property of another packet', '30 07 00 01 61 03 21 00 01', 'properties.receiveMaximum', 6, 0x81],
    [
      'a second Subscription Identifier',
      '82 0B 00 01 04 0B 01 0B 02 00 01 61 00',
      'properties.subscriptionIdentifiers.1',
      7,
      0x82,
    ],
    ['an unknown property', '30 06 00 01 61 02 7F 00', 'properties.other', 6, 0x81],
    ['a Property Length beyond the packet', '30 06 00 01 61 03 23 00', 'properties.length', 5, 0x81],
    ['a value beyond Property Length', '30 07 00 01 61 02 23 00 01', 'properties.topicAlias', 7, 0x81],
    ['a padded Remaining Length', 'C0 80 00', 'remainingLength', 1, 0x81],
    ['a reserved Subscription Option', '82 07 00 01 00 00 01 61 40', 'filters.0.options', 8, 0x81],
    ['a Retain Handling of 3', '82 07 00 01 00 00 01 61 30', 'filters.0.options', 8, 0x82],
    ['a SUBSCRIBE without a Topic Filter', '82 03 00 01 00', 'filters.0.filter.length', 5, 0x82],
    ['a Reason Code of another packet', '40 03 00 01 92', 'code', 4, 0x82],
    ['an empty topic without an alias', '30 03 00 00 00', 'topic', 4, 0x82],
  ])('%s has its place and Reason Code', (_what, digits, part, offset, code) => {
    expect(faultOf(digits, 'v5')).toMatchObject({ part, offset, code });
  });

  it('of CONNACK only its own requirements are broken', () => {
    const { requirements } = faultOf('20 06 00 00 03 21 00 00', 'v5');
    expect(requirements).toEqual(['v5/3.2.2.3~connack-properties']);
  });

  it('No Local is for every filter that is not shared', () => {
    const filters = ['$share', '$shared/g/t', '$SHARE/g/t'].map(
      (filter) => ({ filter, qos: 0, noLocal: true }) as const,
    );
    expect(decode(encode(subscribe(1, ...filters), 'v5'), 'v5')).toMatchObject({ filters });
  });

  it('many properties take time in proportion', () => {
    const userProperties = Array.from({ length: 100_000 }, (_, index) => ['name', String(index)] as const);
    const packet = decode(encode(publish({ topic: 'a', properties: { userProperties } }), 'v5'), 'v5');
    expect(packet.type === 'PUBLISH' && packet.properties?.userProperties?.length).toBe(100_000);
  });
});

it('payloads are views of the frame', () => {
  const frame = encode(publish({ topic: 'a', payload: 'hi' }), 'v3');
  const packet = decode(frame, 'v3');
  expect(packet.type === 'PUBLISH' && packet.payload.buffer).toBe(frame.buffer);
});

it('takes any Uint8Array, also one within a larger buffer', () => {
  const around = Uint8Array.from([9, 9, ...fromHex('30 05 00 01 61 68 69'), 9]);
  expect(decode(around.subarray(2, 9), 'v3')).toMatchObject({ type: 'PUBLISH', topic: 'a', payload: fromHex('68 69') });
});

function faultOf(digits: string, version: Version = 'v3'): Malformed {
  try {
    decode(fromHex(digits), version);
  } catch (fault) {
    if (fault instanceof Malformed) return fault;
    throw fault;
  }
  throw new Error(`not malformed: ${digits}`);
}
