import { describe, expect, it } from 'vitest';
import type { WireEntry } from '../events.ts';
import { dump } from './dump.ts';
import { exampleCase, exampleResult } from './example-run.fixture.ts';
import { explain, explainAll } from './explanation.ts';
import { clean, duration, plain, shorten } from './text.ts';

const targetOptions = '-t localhost:1883';
const info = exampleCase('reserved-flags');

describe('explain', () => {
  it('can be pasted into a bug report as it is', () => {
    expect(explain(info, exampleResult(info, 'fail'), { targetOptions })).toEqual([
      '✖ v3/3.8.1/reserved-flags   MUST v3/3.8.1-1 (section 3.8.1)   0.11 s',
      expect.stringMatching(/^ {2}\S.*0010.*\S$/),
      '  case      closes on reserved flags of SUBSCRIBE',
      '  expected  the connection closes',
      '            or a reset',
      '  actual    SUBACK 0x00',
      '    3 ms →  SUBSCRIBE id=1 t/1 QoS 0  80 09 00 01 00 00 03 74 2F 31 00',
      '                                      ^^ flags 0000, must be 0010',
      '    4 ms ←  SUBACK id=1 0x00          90 04 00 01 00',
      '  reproduce npx mqtt-conform -t localhost:1883 v3/3.8.1/reserved-flags',
    ]);
  });

  it('names other broken requirements, attempts and the baseline entry', () => {
    const result = exampleResult(info, 'stale', {
      finding: { requirements: ['v3/3.8.1-1', 'v3/2.2.2-2'], expected: ['x'], actual: 'y' },
      attempts: 3,
      baseline: { file: 'b.yaml', line: 7, reason: 'known' },
    });
    const lines = explain(info, result, { targetOptions: '' });
    expect(lines).toContain('  stale      reason of stale');
    expect(lines).toContain('  breaks too v3/2.2.2-2');
    expect(lines).toContain('  attempts   3');
    expect(lines).toContain('  baseline   b.yaml:7 known');
    expect(lines.at(-1)).toBe('  reproduce  npx mqtt-conform v3/3.8.1/reserved-flags');
  });

  it('lets no control character of the broker through', () => {
    const result = exampleResult(info, 'fail', {
      finding: { requirements: [], expected: ['\x1b[2J'], actual: 'a\nb\x07\u202e\ud800' },
      trace: [{ at: 0, peer: '\x1b', direction: 'received', reading: '\x9b\r', hex: '00' }],
    });
    expect(explain(info, result, { targetOptions }).join('\n')).not.toMatch(/[\p{Cs}\u202e]|(?!\n)\p{Cc}/u);
  });

  it('groups what tells the same', () => {
    const items = ['a', 'b', 'c', 'd'].map((slug) => {
      const own = exampleCase(slug);
      return { info: own, result: exampleResult(own, 'fail') };
    });
    const other = exampleCase('other');
    items.splice(1, 0, { info: other, result: exampleResult(other, 'crash') });
    const explained = explainAll(items, { targetOptions, perGroup: 2 });
    expect(explained.map(([head]) => head?.split('   ')[0])).toEqual([
      '✖ v3/3.8.1/a',
      '✖ v3/3.8.1/b',
      '✖ v3/3.8.1/other',
    ]);
    expect(explained[1]?.at(-1)).toBe('  the same in 2 more cases: v3/3.8.1/c, v3/3.8.1/d');
  });
});

describe('dump', () => {
  const bytes = (count: number) =>
    Array.from({ length: count }, (_, index) => (index % 256).toString(16).padStart(2, '0'));
  const entry = (differences: Partial<WireEntry>): WireEntry => ({
    at: 1,
    peer: 'client 1',
    direction: 'received',
    reading: 'PUBLISH',
    ...differences,
  });

  it('keeps the window of long packets around the mark', () => {
    const [line = '', carets = ''] = dump(
      [entry({ hex: bytes(256).join(''), length: 300, mark: { offset: 100, length: 2, text: 'wrong' } })],
      { paint: plain },
    );
    expect(line).toMatch(/PUBLISH {2}… .* 64 65 .* … \(300 bytes\)$/);
    expect(line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('64 65');
    expect(carets.trim()).toBe('^^^^^ wrong');
  });

  it.each([
    [{ offset: 2, length: 1, text: 'missing' }, '^^ missing'],
    [{ offset: 0, length: 99, text: 'all' }, '^^^^^ all'],
    [{ offset: 900, length: 1, text: 'beyond' }, '^^ beyond'],
  ])('marks %j within or just behind the bytes', (mark, carets) => {
    const lines = dump([entry({ hex: '0102', mark })], { paint: plain });
    expect(lines).toHaveLength(2);
    expect(lines[1]?.trim()).toBe(carets);
  });

  it('shows both ends of long packets without a mark', () => {
    const [line] = dump([entry({ hex: bytes(60).join(''), length: 60 })], { paint: plain });
    expect(line).toMatch(/ 00 01 02 .* … 34 35 36 37 38 39 3a 3b \(60 bytes\)$/);
    const [cut] = dump([entry({ hex: bytes(256).join(''), length: 9999 })], { paint: plain });
    expect(cut).toMatch(/ 00 01 02 .* … \(9999 bytes\)$/);
  });

  it('puts the hex below the reading where columns are few', () => {
    const trace = [
      entry({ hex: bytes(40).join(''), reading: 'x'.repeat(40), mark: { offset: 1, length: 1, text: 'this' } }),
    ];
    const lines = dump(trace, { paint: plain, columns: 80 });
    expect(lines).toHaveLength(3);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
    expect(lines[1]?.slice(lines[2]?.indexOf('^')).startsWith('01')).toBe(true);
  });

  it('names connections only where there are several, and shortens long traces but never a marked packet', () => {
    const trace = Array.from({ length: 60 }, (_, index) =>
      entry({
        at: index,
        reading: `PUBLISH ${index}`,
        hex: '30',
        ...(index === 30 ? { mark: { offset: 0, length: 1, text: 'here' } } : {}),
      }),
    );
    const lines = dump(trace, { paint: plain });
    expect(lines.filter((line) => /… \d+ more …/.test(line)).map((line) => line.trim())).toEqual([
      '… 22 more …',
      '… 17 more …',
    ]);
    expect(lines.some((line) => line.includes('PUBLISH 30 '))).toBe(true);
    expect(lines.join()).not.toContain('client 1');
    expect(dump(trace, { paint: plain, whole: true })).toHaveLength(61);
    const several = dump([entry({}), entry({ peer: 'subscriber', at: 12_345, direction: 'note' })], { paint: plain });
    expect(several).toEqual(['    1 ms client 1   ←  PUBLISH', '  12.3 s subscriber ·  PUBLISH']);
  });
});

describe('text', () => {
  it('says durations as people do', () => {
    expect([3, 110, 7_200, 99_960, 200_400].map(duration)).toEqual([
      '3 ms',
      '0.11 s',
      '7.2 s',
      '1 min 40 s',
      '3 min 20 s',
    ]);
  });

  it('shortens in the middle', () => {
    expect(shorten('abcdefghij', 5)).toBe('ab…ij');
    expect(shorten('abcde', 5)).toBe('abcde');
  });

  it('keeps letters of any script', () => {
    expect(clean('Grüße 温度 😀')).toBe('Grüße 温度 😀');
  });
});
