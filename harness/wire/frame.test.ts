/** Framing of streams that are cut anywhere. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packet } from '../../fuzz/packets.fixture.ts';
import { fromHex, hex, pingreq, publish } from './build.ts';
import { encode } from './encode.ts';
import { Framer, TooLarge } from './frame.ts';
import { Malformed } from './malformed.ts';

/** All frames that are complete by now. */
function framesOf(framer: Framer): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let frame = framer.next(); frame; frame = framer.next()) frames.push(frame);
  return frames;
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const borders = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return borders.slice(1).map((border, index) => bytes.subarray(borders[index], border));
}

describe('framing', () => {
  it('gives the packets back, whatever the chunks', () => {
    const cases = fc.record({
      packets: fc.array(packet.v3, { minLength: 1, maxLength: 8 }),
      cuts: fc.array(fc.nat(), { maxLength: 30 }),
      readAfterEach: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ packets, cuts, readAfterEach }) => {
        const frames = packets.map((each) => encode(each, 'v3'));
        const framer = new Framer('v3');
        const read: Uint8Array[] = [];
        for (const chunk of split(Buffer.concat(frames), cuts)) {
          framer.push(chunk);
          if (readAfterEach) read.push(...framesOf(framer));
        }
        read.push(...framesOf(framer));
        expect(read.map(hex)).toEqual(frames.map(hex));
        expect(framer.pending).toBe(0);
      }),
    );
  });

  it('gives the packets back byte by byte', () => {
    const frames = [pingreq(), publish({ topic: 'a', payload: 'x'.repeat(300) }), pingreq()].map((each) =>
      encode(each, 'v3'),
    );
    const framer = new Framer('v3');
    const read: Uint8Array[] = [];
    for (const byte of Buffer.concat(frames)) {
      framer.push(Uint8Array.of(byte));
      read.push(...framesOf(framer));
    }
    expect(read.map(hex)).toEqual(frames.map(hex));
  });

  it('does not change a frame that was handed out', () => {
    const framer = new Framer('v3');
    const bytes = encode(publish({ topic: 'a', payload: 'one' }), 'v3');
    framer.push(bytes.subarray(0, 4));
    expect(framer.next()).toBeUndefined();
    framer.push(bytes.subarray(4));
    const first = framer.next();
    for (let count = 0; count < 50; count++) {
      framer.push(encode(publish({ topic: 'b', payload: 'two' }), 'v3').subarray(0, 5));
      framer.push(encode(publish({ topic: 'b', payload: 'two' }), 'v3').subarray(5));
      framesOf(framer);
    }
    expect(hex(first ?? new Uint8Array())).toBe(hex(bytes));
  });

  it('counts what is pending', () => {
    const framer = new Framer('v3');
    framer.push(fromHex('C0 00 C0 00 30'));
    expect(framer.pending).toBe(5);
    framer.next();
    expect(framer.pending).toBe(3);
    framer.next();
    framer.next();
    expect(framer.pending).toBe(1);
    framer.push(fromHex('05 00'));
    framer.next();
    expect(framer.pending).toBe(3);
  });

  it('makes no copy of a packet within one chunk', () => {
    const chunk = Buffer.concat([encode(pingreq(), 'v3'), encode(publish({ topic: 'a', payload: 'hi' }), 'v3')]);
    const framer = new Framer('v3');
    framer.push(chunk);
    expect(
      framesOf(framer).map((frame) => [frame.buffer === chunk.buffer, frame.byteOffset - chunk.byteOffset]),
    ).toEqual([
      [true, 0],
      [true, 2],
    ]);
  });
});

describe('a Remaining Length of five bytes', () => {
  it.each([[[5]], [[1, 4]], [[1, 1, 1, 1, 1]]])('is refused at its fourth byte, in chunks of %j', (sizes) => {
    const bytes = fromHex('30 FF FF FF FF');
    const framer = new Framer('v3');
    let at = 0;
    for (const size of sizes.slice(0, -1)) {
      framer.push(bytes.subarray(at, at + size));
      at += size;
      expect(framer.next()).toBeUndefined();
    }
    framer.push(bytes.subarray(at));
    expect(() => framer.next()).toThrow(Malformed);
    expect(() => framer.next()).toThrow(Malformed);
  });

  it('does not hide the packets before it', () => {
    const framer = new Framer('v3');
    framer.push(fromHex('C0 00 30 80 80 80 80 01'));
    expect(framer.next()).toEqual(encode(pingreq(), 'v3'));
    expect(() => framer.next()).toThrow(Malformed);
  });
});

describe('a limit', () => {
  it.each([[[6]], [[1, 5]], [[1, 1, 4]]])('is told as soon as the header is there, in chunks of %j', (sizes) => {
    const bytes = fromHex('30 64 00 01 61 62');
    const framer = new Framer('v3', 101);
    let fault: unknown;
    let at = 0;
    for (const size of sizes) {
      framer.push(bytes.subarray(at, at + size));
      at += size;
      try {
        expect(framer.next()).toBeUndefined();
      } catch (thrown) {
        fault ??= thrown;
      }
    }
    expect(fault).toBeInstanceOf(TooLarge);
    expect(fault).toMatchObject({ declared: 102, limit: 101 });
  });

  it('takes the header in', () => {
    const framer = new Framer('v3', 102);
    framer.push(encode(publish({ topic: 'a', payload: 'x'.repeat(97) }), 'v3'));
    expect(framer.next()?.length).toBe(102);
  });

  it('is by default no limit beyond that of the encoding', () => {
    const framer = new Framer('v3');
    framer.push(fromHex('30 FF FF FF 7F'));
    expect(framer.next()).toBeUndefined();
  });
});

it('a header of 256 MB takes no memory before the bytes arrive', () => {
  const before = process.memoryUsage().arrayBuffers;
  const framers = Array.from({ length: 1000 }, () => {
    const framer = new Framer('v3');
    framer.push(fromHex('30 FF FF FF 7F 00'));
    expect(framer.next()).toBeUndefined();
    return framer;
  });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  expect(framers.length).toBe(1000);
});

it('the bytes of a packet in single bytes are copied a constant number of times', () => {
  const size = 1 << 20;
  const framer = new Framer('v3');
  framer.push(encode(publish({ topic: 'a', payload: new Uint8Array(size) }), 'v3').subarray(0, 5));
  const buffers = new Set<ArrayBufferLike>();
  const set = Uint8Array.prototype.set;
  let copied = 0;
  Uint8Array.prototype.set = function (this: Uint8Array, ...[source, at]: Parameters<typeof set>) {
    copied += source.length;
    buffers.add(this.buffer);
    return set.call(this, source, at);
  };
  try {
    const byte = Uint8Array.of(0);
    for (let sent = 0; sent < size; sent++) {
      framer.push(byte);
      framer.next();
    }
  } finally {
    Uint8Array.prototype.set = set;
  }
  expect(framer.pending).toBe(5 + size);
  expect(copied).toBeLessThan(4 * size);
  expect(buffers.size).toBeLessThan(30);
});
