import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../harness/wire/encode.ts';
import { bytesFrom, dataFrom, dataFromBytes, packetFrom } from './data.ts';
import { packet } from './packets.fixture.ts';
import { bytesOf } from './written.ts';

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
