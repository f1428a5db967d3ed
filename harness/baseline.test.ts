import { describe, expect, it } from 'vitest';
import { applyBaseline, type Baseline, checkCasesExist, parseBaseline, readBaseline } from './baseline.ts';
import { UsageError } from './errors.ts';
import { type CaseResult, exitCodeOf, type Verdict } from './events.ts';
import { exampleCase, exampleResult } from './report/example-run.fixture.ts';

const info = exampleCase('reserved-flags');

async function listing(fields: string): Promise<Baseline> {
  return parseBaseline(`# known\n\n- case: ${info.id}\n${fields}`, 'b.yaml', '2026-06-15');
}

describe('parseBaseline', () => {
  it('reads entries with their lines', async () => {
    const baseline = await listing(
      '  expect: fail\n  match: SUBACK\n  issue: 12\n- case: v3/3.1/x\n  expect: crash\n  expires: 2026-06-14\n',
    );
    expect(baseline.entries).toEqual([
      { case: info.id, expect: 'fail', match: 'SUBACK', issue: '12', line: 3, expired: false },
      { case: 'v3/3.1/x', expect: 'crash', expires: '2026-06-14', line: 7, expired: true },
    ]);
  });

  it('excuses until the end of the last day', async () => {
    const { entries } = await listing('  expect: fail\n  expires: 2026-06-15\n');
    expect(entries[0]?.expired).toBe(false);
  });

  it.each(['', '# nothing yet\n', '[]\n'])('takes %j for an empty list', async (text) => {
    expect((await parseBaseline(text, 'b.yaml')).entries).toEqual([]);
  });

  it.each([
    ['case: x', 'b.yaml:1: a baseline is a list'],
    ['\n- x', 'b.yaml:2: an entry needs "case" and "expect"'],
    ['- expect: fail', 'b.yaml:1: an entry needs "case"'],
    ['- case: x\n\n- case: y\n  expect: pass', 'b.yaml:1: "expect" has to be one of fail, non-strict'],
    ['- case: x\n  expect: fail\n  reson: y', 'b.yaml:1: unknown field "reson"'],
    ['- case: x\n  expect: fail\n  reason: [1]', 'b.yaml:1: "reason" has to be a text'],
    ['- case: x\n  expect: fail\n  expires: tomorrow', 'b.yaml:1: "expires" has to be a date'],
    ['- case: x\n  expect: fail\n  expires: 2026-13-45', 'b.yaml:1: "expires" has to be a date'],
    ['- case: x\n  expect: fail\n- case: x\n  expect: fail', 'b.yaml:3: x is listed twice (line 1)'],
    ['- case: x\n  expect: "fail', 'b.yaml:2: '],
    ['- case: x\n  case: y', 'b.yaml:2: '],
    ['- *nowhere', 'b.yaml:1: '],
  ])('refuses %j', async (text, message) => {
    const parsing = parseBaseline(text, 'b.yaml');
    await expect(parsing).rejects.toThrow(UsageError);
    await expect(parsing).rejects.toThrow(message);
  });

  it('refuses a file that is not there', async () => {
    await expect(readBaseline('/nowhere/b.yaml', 'b.yaml')).rejects.toThrow(/cannot read the baseline b.yaml/);
  });
});

describe('checkCasesExist', () => {
  it('names file, line and the nearest case', async () => {
    const baseline = await parseBaseline('\n- case: v3/3.8.1/reserved-flag\n  expect: fail', 'b.yaml');
    expect(() => checkCasesExist(baseline, new Set([info.id]))).toThrow(
      new UsageError(`b.yaml:2: there is no case v3/3.8.1/reserved-flag; did you mean ${info.id}?`),
    );
  });
});

describe('applyBaseline', () => {
  function verdictOf(baseline: Baseline, verdict: Verdict, differences: Partial<CaseResult> = {}): CaseResult {
    return applyBaseline(exampleResult(info, verdict, differences), info, baseline);
  }

  it.each(['fail', 'crash', 'flaky', 'non-strict', 'could-not-run'] as const)(
    'accepts a listed %s',
    async (verdict) => {
      const baseline = await listing(`  expect: ${verdict}\n  reason: because\n`);
      const result = verdictOf(baseline, verdict);
      expect(result.verdict).toBe('expected-failure');
      expect(result.baseline).toEqual({ file: 'b.yaml', line: 3, reason: 'because' });
      expect(exitCodeOf([info], new Map([[info.id, result]]))).toBe(0);
    },
  );

  it.each(['pass', 'info', 'non-strict', 'not-applicable'] as const)('calls an entry stale on %s', async (verdict) => {
    const result = verdictOf(await listing('  expect: fail\n'), verdict);
    expect(result.verdict).toBe('stale');
    expect(result.reason).toMatch(/^b.yaml:3 lists it as fail, but it .* now: remove the entry$/);
    expect(exitCodeOf([info], new Map([[info.id, result]]))).toBe(1);
  });

  it('keeps the verdict of what fails in another way, and names the entry', async () => {
    const crash = verdictOf(await listing('  expect: fail\n'), 'crash');
    expect([crash.verdict, crash.reason]).toEqual(['crash', 'reason of crash (b.yaml:3 lists it as fail)']);
    const other = verdictOf(await listing('  expect: fail\n  match: CONNACK\n'), 'fail');
    expect([other.verdict, other.reason]).toEqual([
      'fail',
      'SUBACK 0x00 (b.yaml:3 lists it as fail matching "CONNACK")',
    ]);
  });

  it('accepts only what matches', async () => {
    expect(verdictOf(await listing('  expect: fail\n  match: SUBACK\n'), 'fail').verdict).toBe('expected-failure');
  });

  it('lets could-not-run stay: a lost target is neither a stale entry nor an expected failure', async () => {
    expect(verdictOf(await listing('  expect: fail\n'), 'could-not-run').verdict).toBe('could-not-run');
    const listed = await listing('  expect: could-not-run\n');
    expect(verdictOf(listed, 'could-not-run', { attempts: 0 }).verdict).toBe('could-not-run');
  });

  it('ignores expired entries and other cases', async () => {
    const expired = await listing('  expect: fail\n  expires: 2026-01-01\n');
    expect(verdictOf(expired, 'fail').verdict).toBe('fail');
    expect(verdictOf(expired, 'pass').verdict).toBe('pass');
    const other = exampleCase('other');
    expect(applyBaseline(exampleResult(other, 'fail'), other, await listing('  expect: fail\n')).verdict).toBe('fail');
  });
});
