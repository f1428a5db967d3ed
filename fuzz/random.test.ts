import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';

const first = (seed: string, index: number) => {
  const random = new Random(seed, index);
  return Array.from({ length: 8 }, () => random.uint32());
};

describe('Random', () => {
  it('gives the same numbers for the same seed and index', () => {
    expect(first('a', 7)).toEqual(first('a', 7));
  });

  it('gives others for other seeds and indices, far ones too', () => {
    const indices = [0, 1, 2, 2 ** 32, 2 ** 32 + 1];
    const all = ['a', 'b', ''].flatMap((seed) => indices.map((index) => first(seed, index).join()));
    expect(new Set(all).size).toBe(all.length);
  });

  it('picks all of a list about as often, over neighbouring indices', () => {
    const counts = new Map<number, number>();
    for (let index = 0; index < 10_000; index++) {
      const picked = new Random('seed', index).below(10);
      counts.set(picked, (counts.get(picked) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('keeps to its limits', () => {
    const random = new Random('limits');
    for (let round = 0; round < 1000; round++) {
      expect([3, 4, 5]).toContain(random.between(3, 5));
      expect(random.below(1)).toBe(0);
    }
  });
});
