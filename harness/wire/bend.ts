/** Deliberate damage to a packet: what happens to each of its named parts. */

/**
 * What to do with one part: put other bytes in its place (`[]` removes it), repeat it, append to it, keep only its
 * first bytes, or add to its number (big-endian, wrapping round; for Remaining Length and Property Length before it is
 * encoded).
 */
export type Change =
  | Uint8Array
  | readonly number[]
  | { readonly repeat: number }
  | { readonly append: Uint8Array | readonly number[] }
  | { readonly keep: number }
  | { readonly add: number };

/** Changes by the name of the part. Plain JSON as long as bytes are given as numbers. */
export type Bend = Readonly<Record<string, Change>>;

/** The bytes of a part after a change. */
export function change(bytes: Uint8Array, how: Change): Uint8Array {
  if (how instanceof Uint8Array) return how;
  return isNumbers(how) ? fromNumbers(how) : changed(bytes, how);
}

/** As `Uint8Array.from`, which asks an array for its iterator, and takes several times as long for that. */
export function fromNumbers(numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = numbers[at] as number;
  return bytes;
}

function isNumbers(how: Change): how is readonly number[] {
  return Array.isArray(how);
}

function changed(bytes: Uint8Array, how: Exclude<Change, Uint8Array | readonly number[]>): Uint8Array {
  if ('repeat' in how) return Buffer.alloc(bytes.length * how.repeat, bytes);
  if ('append' in how) return Buffer.concat([bytes, change(bytes, how.append)]);
  if ('keep' in how) return bytes.subarray(0, how.keep);
  return added(bytes, how.add);
}

function added(bytes: Uint8Array, amount: number): Uint8Array {
  const sum = Uint8Array.from(bytes);
  let carry = amount;
  for (let at = sum.length - 1; at >= 0; at--) {
    const value = (sum[at] ?? 0) + carry;
    sum[at] = value & 0xff;
    carry = Math.floor(value / 256);
  }
  return sum;
}
