/** UTF-8 and hexadecimal text: between strings, bytes and what a person reads. */

const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The UTF-8 bytes of a string. A lone surrogate, which UTF-8 cannot express, becomes U+FFFD: ill-formed text is sent
 * with a bend.
 */
export function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

/**
 * Bytes as text for display: U+FFFD stands for what is not UTF-8, and U+FEFF is kept. Not for judging; that is
 * `findIllFormed`.
 */
export function text(bytes: Uint8Array): string {
  return lenient.decode(bytes);
}

/** Bytes as `82 0A 00`. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
}

/**
 * The bytes of `82 0A 00`: two digits each, with white space where it pleases. Throws a `SyntaxError` on anything
 * else.
 */
export function fromHex(digits: string): Uint8Array {
  const packed = digits.replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(packed)) throw new SyntaxError(`not bytes in hexadecimal: ${digits}`);
  return Buffer.from(packed, 'hex');
}

/**
 * The offset of the first byte sequence in [start, end) that is not well-formed UTF-8, or -1 (section 1.5.3, RFC 3629).
 * Ill-formed are stray and missing continuation bytes, overlong forms, surrogates and anything above U+10FFFF.
 */
export function findIllFormed(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let at = start;
  while (at < end) {
    const size = sequenceLength(bytes, at, end);
    if (size === 0) return at;
    at += size;
  }
  return -1;
}

/** The length of the well-formed sequence at `at`, or 0: the table of well-formed sequences in RFC 3629, section 4. */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  // The range of the second byte is what keeps overlong forms, surrogates and the far end out.
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return continues(bytes, at, end, 2, 0x80, 0xbf);
  if (lead < 0xf0) return continues(bytes, at, end, 3, lead === 0xe0 ? 0xa0 : 0x80, lead === 0xed ? 0x9f : 0xbf);
  if (lead < 0xf5) return continues(bytes, at, end, 4, lead === 0xf0 ? 0x90 : 0x80, lead === 0xf4 ? 0x8f : 0xbf);
  return 0;
}

function continues(bytes: Uint8Array, at: number, end: number, size: number, low: number, high: number): number {
  if (at + size > end) return 0;
  const second = bytes[at + 1] ?? 0;
  if (second < low || second > high) return 0;
  for (let next = at + 2; next < at + size; next++) {
    if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return size;
}
