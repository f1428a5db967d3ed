/** The gates: what a fault breaks, and what it does not. */

import { describe, expect, it } from 'vitest';
import { type Gate, gates } from './obeys.ts';

describe('gates', () => {
  it('are all closed to faults by default', () => {
    expect(gates()('v3/4.3.3-2', 'v3/3.1.2-24#late')).toBe(true);
  });

  it('break with all aspects by the plain id, and one by one with a suffix', () => {
    const all = gates(['v3/3.1.2-24']);
    expect([all('v3/3.1.2-24'), all('v3/3.1.2-24#late'), all('v3/3.1.2-2')]).toEqual([false, false, true]);
    const late = gates(['v3/3.1.2-24#late']);
    expect([late('v3/3.1.2-24'), late('v3/3.1.2-24#late'), late('v3/3.1.2-24#early')]).toEqual([true, false, true]);
    expect(late('v3/4.3.3-2', 'v3/3.1.2-24#late')).toBe(false);
  });

  it('tell what was asked', () => {
    const asked: Gate[] = [];
    gates([], (gate) => asked.push(gate))('v3/4.3.3-2', 'v3/3.1.2-24#late');
    expect(asked).toEqual(['v3/4.3.3-2', 'v3/3.1.2-24#late']);
  });

  it('refuse to break what is no requirement', () => {
    expect(() => gates(['v3/9.9.9-9' as Gate])).toThrow(RangeError);
  });
});
