/** Remaining Length: the variable-length encoding of section 2.2.3, in 5.0 the Variable Byte Integer of 1.5.5. */

import type { Version } from '../spec/index.ts';
import { Malformed } from './malformed.ts';

/** The greatest Remaining Length that four bytes can say. */
export const greatestRemainingLength = 268_435_455;

/**
 * A length in its variable-length encoding, in the fewest bytes or padded to `width` bytes.
 * Throws a `RangeError` for a length that four bytes, or `width` bytes, cannot say.
 */
export function remainingLength(value: number, width: number = widthOf(value)): Uint8Array {
  if (width < widthOf(value)) throw new RangeError(`${width} bytes cannot hold a Remaining Length of ${value}`);
  const bytes = new Uint8Array(width);
  let rest = value;
  for (let index = 0; index < width; index++) {
    bytes[index] = index < width - 1 ? (rest & 0x7f) | 0x80 : rest;
    rest >>>= 7;
  }
  return bytes;
}

/** How many bytes a Remaining Length takes at least. */
export function widthOf(value: number): 1 | 2 | 3 | 4 {
  if (!(value >= 0 && value <= greatestRemainingLength)) throw new RangeError(`a Remaining Length cannot be ${value}`);
  return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;
}

const tooLong = { v3: ['v3/2.2.3~remaining-length-limit'], v5: ['v5/1.5.5-1'] } as const;

/**
 * The size in bytes of the packet that begins at `start`, header included, or NaN if its header goes on after `end`.
 * Throws `Malformed` for a Remaining Length that goes on after its fourth byte. Padded ones pass: 3.1.1 does not
 * forbid them, and in 5.0 `decode` does.
 */
export function packetSize(bytes: Uint8Array, start: number, end: number, version: Version): number {
  let value = 0;
  for (let width = 1; width <= 4; width++) {
    if (start + width >= end) return Number.NaN;
    const byte = bytes[start + width] ?? 0;
    value |= (byte & 0x7f) << (7 * (width - 1));
    if (byte < 0x80) return 1 + width + value;
  }
  const reason = 'a Remaining Length that goes on after its fourth byte';
  throw new Malformed(tooLong[version], reason, 'remainingLength', 1, version === 'v5' ? 0x81 : undefined);
}
