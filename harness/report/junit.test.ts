import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CaseInfo, type CaseResult, type ExitCode, exitCodeOf, type RunEvent, verdicts } from '../events.ts';
import { exampleCase, exampleResult, exampleRun } from './example-run.fixture.ts';
import { junit } from './junit.ts';

/** Counts as the file itself says, and as its elements add up to. */
function countsOf(xml: string): { declared: number; present: number } {
  const root = /<testsuites[^>]*>/.exec(xml)?.[0] ?? '';
  const attribute = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(root)?.[1] ?? Number.NaN);
  return {
    declared: attribute('failures') + attribute('errors'),
    present: (xml.match(/<(failure|error)[ >]/g) ?? []).length,
  };
}

describe('junit', () => {
  it('is flat, with stable names, one outcome a case', async () => {
    const [failed, passed, weak, unjudged] = [
      exampleCase('reserved-flags'),
      exampleCase('passes'),
      exampleCase('weak', { strength: 'SHOULD' }),
      exampleCase('unjudged', { chapter: '3.10 UNSUBSCRIBE' }),
    ];
    const xml = await junit(
      exampleRun(
        [
          [failed, exampleResult(failed, 'fail')],
          [passed, exampleResult(passed, 'pass')],
          [weak, exampleResult(weak, 'non-strict')],
          [unjudged, exampleResult(unjudged, 'could-not-run')],
        ],
        { exitCode: 1 },
      ),
    );
    expect(xml).toContain('<testsuites name="mqtt-conform" tests="4" failures="1" errors="1" skipped="1">');
    expect(xml).toContain(
      '<testsuite name="MQTT 3.1.1 · 3.8 SUBSCRIBE" time="0.33" tests="3" failures="1" errors="0" skipped="1">',
    );
    expect(xml).toContain('<testsuite name="MQTT 3.1.1 · 3.10 UNSUBSCRIBE"');
    expect(xml).toContain('<property name="target" value="localhost:1883"/>');
    expect(xml).toContain(
      '<testcase classname="mqtt311.subscribe" name="v3/3.8.1/reserved-flags [MUST] closes on reserved flags of SUBSCRIBE" time="0.11">',
    );
    expect(xml).toContain('<failure message="failed: SUBACK 0x00" type="v3/3.8.1-1"><![CDATA[failed: SUBACK 0x00\n');
    expect(xml).toContain('^^ flags 0000, must be 0010');
    expect(xml).toContain('<skipped message="non-strict: reason of non-strict"/>');
    expect(xml).toContain('<error message="could not run: reason of could-not-run" type="could-not-run">');
  });

  it('tells an unreachable target once, not once for each case', async () => {
    const cases = ['a', 'b', 'c'].map((slug) => exampleCase(slug));
    const xml = await junit(
      exampleRun(
        cases.map((info) => [info, exampleResult(info, 'could-not-run', { attempts: 0 })] as const),
        { exitCode: 3, problem: 'localhost:1883: connection refused' },
      ),
    );
    expect(countsOf(xml)).toEqual({ declared: 1, present: 1 });
    expect(xml).toContain('name="the run comes to a verdict"');
    expect(xml).toContain(
      '<error message="no verdict: localhost:1883: connection refused (3 of 3 cases not run)" type="no-verdict">',
    );
    expect(xml).toContain('tests="4" failures="0" errors="1" skipped="3"');
  });

  it('is XML whatever the broker sends', async () => {
    const info = exampleCase('garbage');
    const garbage = '\u0000\u001b\ud800\ufffe]]><evil a="&amp;">';
    const xml = await junit(
      exampleRun(
        [
          [
            info,
            exampleResult(info, 'fail', {
              reason: garbage,
              finding: { requirements: [], expected: [garbage], actual: garbage },
              trace: [{ at: 0, peer: garbage, direction: 'received', reading: garbage }],
            }),
          ],
        ],
        { exitCode: 1 },
      ),
    );
    expect(xml).not.toMatch(/[^\t\n\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
    expect(countsOf(xml)).toEqual({ declared: 1, present: 1 });
    // What is left outside of CDATA sections has no tag of the broker's.
    expect(xml.replace(/<!\[CDATA\[.*?\]\]>/gs, '')).not.toContain('<evil');
  });

  const result = fc.record({
    verdict: fc.constantFrom(...verdicts),
    strength: fc.constantFrom('MUST' as const, 'SHOULD' as const, 'MAY' as const),
    outcome: fc.constantFrom('finished' as const, 'unfinished' as const, 'untried' as const),
    chapter: fc.constantFrom('3.1 CONNECT', '3.8 SUBSCRIBE'),
  });

  it('has neither failures nor errors exactly when the exit code is 0', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(result, { maxLength: 8 }),
        fc.option(fc.constant('the target was lost'), { nil: undefined }),
        fc.constantFrom<(ExitCode | 'none' | 'no start')[]>(0, 0, 0, 70, 130, 'none', 'no start'),
        async (rows, problem, ending) => {
          const cases = rows.map(({ verdict, strength, outcome, chapter }, index): [CaseInfo, CaseResult?] => {
            const info = exampleCase(`c${index}`, { strength, chapter });
            if (outcome === 'unfinished') return [info];
            if (outcome === 'untried') return [info, exampleResult(info, 'could-not-run', { attempts: 0 })];
            return [info, exampleResult(info, verdict)];
          });
          const results = new Map(cases.flatMap(([info, own]) => (own ? [[info.id, own] as const] : [])));
          const judged = exitCodeOf(
            cases.map(([info]) => info),
            results,
          );
          const code = ending === 70 || ending === 130 ? ending : judged === 0 && problem ? 3 : judged;
          let events: RunEvent[] = exampleRun(cases, { exitCode: code, ...(problem ? { problem } : {}) });
          if (ending === 'none') events = events.slice(0, -1);
          if (ending === 'no start') events = events.slice(-1);
          const fine = code === 0 && ending !== 'none';
          const { declared, present } = countsOf(await junit(events));
          expect(declared).toBe(present);
          expect(declared === 0).toBe(fine);
        },
      ),
      { numRuns: 300 },
    );
  });
});
