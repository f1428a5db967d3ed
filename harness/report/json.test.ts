import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
import { exampleCase, exampleResult, exampleRun } from './example-run.fixture.ts';
import { json, ndjson, readEvents } from './json.ts';

const [failed, passed, left] = [exampleCase('a'), exampleCase('b'), exampleCase('c', { strength: 'MAY' })];
const events = exampleRun([[failed, exampleResult(failed, 'fail')], [passed, exampleResult(passed, 'pass')], [left]], {
  exitCode: 1,
});

describe('ndjson', () => {
  it('can be read again, also when its last line is cut off', () => {
    const log = events.map(ndjson).join('');
    expect(log.split('\n')).toHaveLength(events.length + 1);
    expect(readEvents(log, 'x')).toEqual(events);
    expect(readEvents(log.slice(0, -20), 'x')).toEqual(events.slice(0, -1));
  });
});

describe('json', () => {
  it('has the verdict, the counts and every case', () => {
    const document = JSON.parse(json(events));
    expect(document).toMatchObject({
      format: 1,
      verdict: 'not conformant: 1 failed',
      run: { target: 'localhost:1883', versions: ['v3'] },
      counts: { pass: 1, fail: 1, 'not-run': 1 },
      totals: [
        { strength: 'MUST', applicable: 2, passed: 1 },
        { strength: 'MAY', applicable: 1, passed: 0 },
      ],
      end: { exitCode: 1 },
    });
    expect(
      document.cases.map((each: { id: string; result?: { verdict: string } }) => [each.id, each.result?.verdict]),
    ).toEqual([
      ['v3/3.8.1/a', 'fail'],
      ['v3/3.8.1/b', 'pass'],
      ['v3/3.8.1/c', undefined],
    ]);
  });

  it('gives the events back, all but the moments at which cases started', () => {
    const told = (event: RunEvent) => event.type !== 'case-started';
    expect(readEvents(json(events), 'x')).toEqual(events.filter(told));
  });
});

describe('readEvents', () => {
  it.each([
    ['', 'x: this report is empty'],
    ['{"a":1}', 'x:1: this is no report of mqtt-conform'],
    [`${ndjson(events[0] as RunEvent)}hello\n`, 'x:2: this is no report of mqtt-conform'],
    ['<xml/>', 'x:1: this is no report'],
    ['{"type":"case-finished","result":{"verdict":"fine"}}', 'x:1: this is no report'],
  ])('refuses %j', (text, message) => {
    expect(() => readEvents(text, 'x')).toThrow(UsageError);
    expect(() => readEvents(text, 'x')).toThrow(message);
  });
});
