/** UTF-8 against the decoder of the platform. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findIllFormed, fromHex, hex, text, utf8 } from './utf8.ts';

/** Whether the platform takes the bytes for UTF-8. */
function platformAccepts(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

describe('ill-formed UTF-8', () => {
  // Bytes around every border of the table of well-formed sequences.
  const borders = [
    0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
    0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff,
  ];

  it('is the same for us and the platform, and begins where the platform stops', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...borders), { maxLength: 6 }), (values) => {
        const bytes = Uint8Array.from(values);
        const at = findIllFormed(bytes);
        expect(at < 0).toBe(platformAccepts(bytes));
        if (at >= 0) {
          expect(platformAccepts(bytes.subarray(0, at))).toBe(true);
          for (const end of [1, 2, 3, 4]) {
            if (at + end <= bytes.length) expect(platformAccepts(bytes.subarray(at, at + end))).toBe(false);
          }
        }
      }),
      { numRuns: 20_000 },
    );
  });

  it('is no code point, and each surrogate', () => {
    for (let code = 0; code <= 0x10ffff; code += code < 0x10000 ? 1 : 0x101) {
      const surrogate = code >= 0xd800 && code <= 0xdfff;
      const bytes = surrogate
        ? Uint8Array.of(0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
        : utf8(String.fromCodePoint(code));
      if (findIllFormed(bytes) !== (surrogate ? 0 : -1)) expect.fail(`U+${code.toString(16)}`);
    }
  });

  it('is looked for within the given range only', () => {
    const bytes = fromHex('FF C3 A9 FF');
    expect(findIllFormed(bytes, 1, 3)).toBe(-1);
    expect(findIllFormed(bytes, 1, 2)).toBe(1);
    expect(findIllFormed(bytes, 1)).toBe(3);
  });
});

describe('text for display', () => {
  it('keeps the byte order mark', () => {
    expect(text(fromHex('EF BB BF 61'))).toBe('\uFEFFa');
  });

  it('shows what is not UTF-8', () => {
    expect(text(fromHex('61 FF 62'))).toBe('a\uFFFDb');
  });
});

describe('hexadecimal', () => {
  it('goes there and back', () => {
    expect(hex(fromHex('82 0a\n00FF'))).toBe('82 0A 00 FF');
  });

  it.each(['8', '8G', '0x82', '82,0A'])('does not take %j', (digits) => {
    expect(() => fromHex(digits)).toThrow(SyntaxError);
  });
});
