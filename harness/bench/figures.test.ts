import { expect, it } from 'vitest';
import { grouped, median, spread, table } from './figures.ts';

it('takes the middle value, in order of size, or the mean of the two in the middle', () => {
  expect(median([10, 9, 100])).toBe(10);
  expect(median([4, 1, 2, 10])).toBe(3);
  expect(median([7])).toBe(7);
  expect(() => median([])).toThrow(RangeError);
});

it('prints figures and columns', () => {
  expect(spread([3, 1.5, 2])).toBe('2.00 × (1.50–3.00)');
  expect(grouped(1_234_567.8)).toBe('1,234,568');
  expect(
    table([
      ['', 'one'],
      ['long', '2'],
    ]),
  ).toBe('         one\n  long     2\n');
});
