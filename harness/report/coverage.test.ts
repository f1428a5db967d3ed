import { describe, expect, it } from 'vitest';
import { coverage, coverageDocument, coverageLine } from './coverage.ts';
import { exampleCase } from './example-run.fixture.ts';

const cases = [
  exampleCase('one', { covers: ['v3/3.8.1-1', 'v3/2.2.2-2'] }),
  ...Array.from({ length: 9 }, (_, index) => exampleCase(`c${index}`)),
];
const rows = coverage(cases, ['v3/2.2.2-2', 'v3/2.2.2-2#output']);
const row = (id: string) => rows.find((each) => each.id === id);

describe('coverage', () => {
  it('gives each requirement its cases, its gates, and a state of its own', () => {
    expect(row('v3/2.2.2-2')).toMatchObject({
      level: 'MUST',
      party: 'both',
      section: '2.2.2',
      text: expect.stringContaining('close the connection'),
      url: expect.stringContaining('docs.oasis-open.org'),
      state: 'proven',
      cases: ['v3/3.8.1/one'],
      gates: ['v3/2.2.2-2', 'v3/2.2.2-2#output'],
    });
    expect(row('v3/3.8.1-1')).toMatchObject({ state: 'proven', gates: [] });
    expect(row('v3/3.8.1-1')?.cases).toHaveLength(10);
    expect(row('v3/2.3.1-2')).toMatchObject({
      state: 'not observable',
      excuse: expect.stringMatching(/client/),
      cases: [],
    });
    expect(row('v3/6.0.0-1')).toMatchObject({ state: 'not exercised', excuse: expect.stringMatching(/WebSocket/) });
    expect(row('v3/3.1.0-1')).toMatchObject({ state: 'open', cases: [] });
    expect(row('v3/3.1.0-1')).not.toHaveProperty('excuse');
  });

  it('speaks of the versions that there are cases for', () => {
    expect(rows.every(({ id }) => id.startsWith('v3/'))).toBe(true);
    expect(coverage([], [])).toEqual([]);
  });

  it('counts states', () => {
    expect(coverageLine(rows)).toMatch(
      /^\d+ requirements: \d+ with no case yet, 2 proven, \d+ not observable, 5 not exercised$/,
    );
  });
});

describe('coverageDocument', () => {
  const document = coverageDocument(rows, cases, [
    {
      topic: 'Packets',
      statement: 'SUBSCRIBE begins with `82`.',
      cases: [
        { selector: 'v3/3.8.1/c*', count: 9 },
        { selector: 'v3/3.8.1/one', count: 1 },
      ],
    },
  ]);

  it('sums up, names the cases of the essentials, and collapses many cases', () => {
    expect(document).toContain('**MQTT 3.1.1:** ');
    expect(document).toContain('; 10 cases, 2 gates of the reference broker.');
    expect(document).toContain('| SUBSCRIBE begins with `82`. | `v3/3.8.1/c*` (9), `v3/3.8.1/one` |');
    expect(document).toContain(
      '  - 10 cases: `v3/3.8.1/one`, `v3/3.8.1/c0`, `v3/3.8.1/c1`, `v3/3.8.1/c2`, `v3/3.8.1/c3`, `v3/3.8.1/c4` and 4 more',
    );
    expect(document).toContain('  - 2 gates: `v3/2.2.2-2`, `v3/2.2.2-2#output`');
  });

  it('has each requirement once, also what no case judges', () => {
    const listed = document.match(/^- \[v3\/.*?\]\(/gm) ?? [];
    expect(new Set(listed).size).toBe(rows.length);
    expect(document).toContain('| `v3/6.0.0-1` | MUST | not exercised: ');
    expect(document).toContain('| `v3/3.1.0-1` | MUST | open: no case yet |');
  });
});
