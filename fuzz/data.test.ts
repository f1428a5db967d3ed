import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../harness/wire/encode.ts';
import { bytesFrom, dataFrom, dataFromBytes, packetFrom } from './data.ts';
import { packet } from './packets.fixture.ts';
import { bytesOf, written } from './written.ts';

describe('packets in a script', () => {
  it.each(['v3', 'v5'] as const)('keep every byte through JSON (%s)', (version) => {
    fc.assert(
      fc.property(packet[version], (any) => {
        const data = JSON.parse(JSON.stringify(dataFrom(any)));
        expect(encode(packetFrom(data), version)).toEqual(encode(any, version));
        expect(bytesOf({ client: 0, do: 'send', packet: data }, version)).toEqual(encode(any, version));
      }),
      { numRuns: 200 },
    );
  });

  it('are bent as the step says', () => {
    const step = { client: 0, do: 'send', packet: { type: 'PINGREQ' }, bend: { header: [0xc1] } } as const;
    expect(Array.from(bytesOf(step, 'v3'))).toEqual([0xc1, 0x00]);
  });
});

describe('what was written before', () => {
  const bend = { surplus: [0x61] };
  const disconnect = { type: 'DISCONNECT', code: 4 } as const;

  it('is not taken for another packet under the same bend', () => {
    expect(Array.from(written({ type: 'PINGREQ' }, 'v5', bend).bytes)).toEqual([0xc0, 1, 0x61]);
    expect(Array.from(written({ type: 'PINGRESP' }, 'v5', bend).bytes)).toEqual([0xd0, 1, 0x61]);
  });

  it('nor for that of another version, with or without a bend', () => {
    expect(Array.from(written(disconnect, 'v5').bytes)).toEqual([0xe0, 1, 4]);
    expect(Array.from(written(disconnect, 'v3').bytes)).toEqual([0xe0, 0]);
    expect(Array.from(written(disconnect, 'v5', bend).bytes)).toEqual([0xe0, 2, 4, 0x61]);
  });

  it('is forgotten some time, and then written anew', () => {
    const first = written(disconnect, 'v5');
    expect(written(disconnect, 'v5')).toBe(first);
    for (let count = 0; count < 20_000; count++) written({ type: 'PINGREQ' }, 'v5');
    const again = written(disconnect, 'v5');
    expect(again).not.toBe(first);
    expect(again.bytes).toEqual(first.bytes);
  });

  it('is one packet, unless its length says something else', () => {
    expect(written(disconnect, 'v5', bend).isWhole).toBe(true);
    for (const length of [[1], [3], [0xff, 0xff, 0xff, 0xff, 0x7f]])
      expect(written(disconnect, 'v5', { remainingLength: length, ...bend }).isWhole).toBe(false);
  });
});

describe('bytes in a script', () => {
  it('are text where that can be read, else hex', () => {
    expect(dataFromBytes(Buffer.from('on 1'))).toBe('on 1');
    expect(dataFromBytes(Uint8Array.of(0x0a, 0xff))).toEqual({ hex: '0aff' });
    expect(dataFromBytes(new Uint8Array(0))).toBe('');
  });

  it('are filled up to the length that they say', () => {
    expect(Buffer.from(bytesFrom({ text: 'm1 ', length: 5 })).toString('hex')).toBe('6d3120ffff');
    expect(Buffer.from(bytesFrom({ text: 'm1 ', length: 2 })).toString()).toBe('m1 ');
  });

  it('keep every byte', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (any) => {
        expect(Array.from(bytesFrom(dataFromBytes(any)))).toEqual([...any]);
      }),
    );
  });
});
