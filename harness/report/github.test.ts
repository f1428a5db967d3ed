import { describe, expect, it } from 'vitest';
import { exampleCase, exampleResult, exampleRun } from './example-run.fixture.ts';
import { annotations, jobSummary } from './github.ts';

function failing(count: number) {
  const cases = Array.from({ length: count }, (_, index) => exampleCase(`c${index}`));
  return exampleRun(
    cases.map((info) => [info, exampleResult(info, 'fail')] as const),
    { exitCode: count > 0 ? 1 : 0 },
  );
}

describe('annotations', () => {
  it('stays below the ten that GitHub shows', () => {
    const lines = annotations(failing(12)).trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('::error '))).toHaveLength(9);
    expect(lines[0]).toBe('::error title=failed%3A v3/3.8.1/c0::SUBACK 0x00');
    expect(lines.at(-1)).toBe('::notice title=mqtt-conform::and 3 more');
  });

  it('says why there is no verdict, and nothing when all is well', () => {
    expect(annotations(exampleRun([], { exitCode: 3, problem: '100%\nlost' }))).toBe(
      '::error title=mqtt-conform::no verdict: 100%25\n',
    );
    const info = exampleCase('fine');
    expect(annotations(exampleRun([[info, exampleResult(info, 'pass')]]))).toBe('');
  });

  it('lets no text of the broker become a command', () => {
    const info = exampleCase('evil');
    const evil = exampleResult(info, 'fail', { reason: 'x\n::set-env name=A::b' });
    expect(
      annotations(exampleRun([[info, evil]], { exitCode: 1 }))
        .trimEnd()
        .split('\n'),
    ).toHaveLength(1);
  });
});

describe('jobSummary', () => {
  it('has the verdict, the counts and the explanations', () => {
    const text = jobSummary(failing(25));
    expect(text).toContain('### ❌ not conformant: 25 failed');
    expect(text).toContain('| failed | 25 |');
    expect(text).toContain('| MUST | 0 | 25 |');
    expect(text.match(/<details>/g)).toHaveLength(20);
    expect(text).toContain('and 5 more');
    expect(text).toContain('^^ flags 0000, must be 0010');
  });

  it('shows text of the broker as text', () => {
    const info = exampleCase('evil');
    const evil = exampleResult(info, 'fail', { reason: '</details><script>*x*' });
    const text = jobSummary(exampleRun([[info, evil]], { exitCode: 1 }));
    expect(text).toContain('&lt;/details>&lt;script>\\*x\\*');
  });
});
