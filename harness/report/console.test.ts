import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../events.ts';
import { type ConsoleOptions, consoleReport } from './console.ts';
import { exampleCase, exampleResult, exampleRun } from './example-run.fixture.ts';
import { fold } from './fold.ts';
import { traits } from './summary.ts';

const defaults: ConsoleOptions = {
  terminal: false,
  colors: false,
  verbosity: 0,
  github: false,
  reports: [],
  now: () => 0,
};

function print(events: readonly RunEvent[], options: Partial<ConsoleOptions> = {}): string {
  const report = consoleReport({ ...defaults, ...options });
  return events.map((event) => report.take(event)).join('');
}

const [failed, passed, lacking, weak] = [
  exampleCase('fails'),
  exampleCase('passes', { chapter: '3.1 CONNECT' }),
  exampleCase('lacks'),
  exampleCase('weak', { chapter: '3.1 CONNECT', strength: 'SHOULD' }),
];
const mixed = exampleRun(
  [
    [passed, exampleResult(passed, 'pass', { traits: [{ name: 'Keep Alive lateness', value: '2.4 s' }] })],
    [weak, exampleResult(weak, 'pass', { traits: [{ name: 'Keep Alive lateness', value: '0.1 s' }] })],
    [failed, exampleResult(failed, 'fail')],
    [lacking, exampleResult(lacking, 'not-applicable', { reason: 'no shared subscriptions' })],
  ],
  { exitCode: 1 },
);

describe('consoleReport', () => {
  it('prints a line a chapter, the failures explained, the summary and the verdict, without control characters', () => {
    const text = print(mixed, {
      reports: ['out/junit.xml'],
      acceptCommand: 'npx mqtt-conform baseline write -t localhost:1883',
    });
    expect(text).not.toMatch(/(?!\n)\p{Cc}/u);
    const lines = text.split('\n');
    expect(lines.slice(0, 2)).toEqual([
      'mqtt-conform 0.1.0  localhost:1883  MQTT 3.1.1  4 cases',
      '  without wildcards: SUBACK 0x80',
    ]);
    expect(text).toMatch(/^✔ MQTT 3\.1\.1 · 3\.1 CONNECT +2 passed {2}0\.11 s$/m);
    expect(text).toMatch(/^✖ MQTT 3\.1\.1 · 3\.8 SUBSCRIBE +1 failed, 1 not applicable {2}0\.11 s$/m);
    expect(lines).toContain('  actual    SUBACK 0x00');
    expect(lines).toContain('4 cases in 7.2 s: 2 passed, 1 failed, 1 not applicable');
    expect(lines).toContain('  by level        MUST   1 of 2 applicable passed');
    expect(lines).toContain('                  SHOULD 1 of 1 applicable passed');
    expect(lines).toContain('  traits          Keep Alive lateness: 0.1 s to 2.4 s (2 times)');
    expect(lines).toContain('  not applicable  1 case: no shared subscriptions');
    expect(lines).toContain('  reports         out/junit.xml');
    expect(lines).toContain('  known?          accept these: npx mqtt-conform baseline write -t localhost:1883');
    expect(lines.slice(-2)).toEqual(['not conformant: 1 failed', '']);
  });

  it('is one line when quiet', () => {
    expect(print(mixed, { verbosity: -1 })).toBe('not conformant: 1 failed\n');
  });

  it('prints a line a case, and every packet, on demand', () => {
    expect(print(mixed, { verbosity: 1 })).toContain('✖ v3/3.8.1/fails  0.11 s  failed: SUBACK 0x00\n✔'.slice(0, -1));
    const all = print(mixed.slice(0, -1), { verbosity: 2 });
    expect(all).toContain('    3 ms →  SUBSCRIBE id=1 t/1 QoS 0');
  });

  it('rewrites one line on a terminal, and never lets it wrap', () => {
    const report = consoleReport({ ...defaults, terminal: true, columns: 60 });
    const draws = mixed.slice(0, -1).map((event) => report.take(event));
    expect(draws.slice(1).every((text) => text.startsWith('\r\x1b[2K') && !text.includes('\n'))).toBe(true);
    const last = draws.at(-1)?.slice(5) ?? '';
    expect(last).toMatch(/^█{20} 4\/4 {2}1 failed {2}/);
    expect(last.length).toBeLessThan(60);
    expect(report.tick()).toBe(draws.at(-1));
    const end = report.take(mixed.at(-1) as RunEvent);
    expect(end.startsWith('\r\x1b[2K')).toBe(true);
    expect(end.slice(5)).not.toContain('\x1b');
    expect(report.tick()).toBe('');
  });

  it('paints where colours are wanted', () => {
    expect(print(mixed, { colors: true })).toContain('\x1b[31m');
  });

  it('folds explanations under GitHub Actions', () => {
    const lines = print(mixed, { github: true }).split('\n');
    const start = lines.findIndex((line) => line.startsWith('::group::✖ v3/3.8.1/fails'));
    expect(start).toBeGreaterThan(0);
    expect(lines.indexOf('::endgroup::')).toBeGreaterThan(start + 5);
  });

  it('tells an unreachable target in one line, not in one for each case', () => {
    const cases = ['a', 'b', 'c'].map((slug) => exampleCase(slug));
    const text = print(
      exampleRun(
        cases.map((info) => [info, exampleResult(info, 'could-not-run', { attempts: 0 })] as const),
        { exitCode: 3, problem: 'localhost:1883: connection refused' },
      ),
    );
    expect(text).not.toContain('v3/3.8.1/');
    expect(text.split('\n').at(-2)).toBe('no verdict: localhost:1883: connection refused (3 of 3 cases not run)');
  });

  it.each([
    [{ exitCode: 0 }, 'pass', 'conformant: 1 applicable case, no unexpected failure'],
    [
      { exitCode: 0 },
      'expected-failure',
      'conformant but for 1 known finding (see the baseline): 1 applicable case, no unexpected failure',
    ],
    [{ exitCode: 1 }, 'stale', 'not conformant: 1 stale baseline entry'],
    [{ exitCode: 1, problem: 'the target was lost' }, 'crash', 'not conformant: 1 crash; the target was lost'],
    [{ exitCode: 3 }, 'could-not-run', 'no verdict: 1 of 1 MUST case could not run'],
    [{ exitCode: 3 }, 'not-applicable', 'no verdict: no MUST case applies to this broker'],
    [{ exitCode: 130, problem: 'interrupted' }, 'fail', 'no verdict: interrupted (so far 1 failed)'],
    [{ exitCode: 70, problem: 'TypeError: x\n  at y' }, 'pass', 'no verdict: TypeError: x'],
  ] as const)('ends %j after %s in words', (end, verdict, line) => {
    const info = exampleCase('only');
    const text = print(exampleRun([[info, exampleResult(info, verdict)]], end));
    expect(text.split('\n').at(-2)).toBe(line);
  });
});

describe('traits', () => {
  it('counts choices and spans figures', () => {
    const values = ['close', 'close', 'ignore'];
    const cases = values.map((value, index) => {
      const info = exampleCase(`c${index}`);
      return [info, exampleResult(info, 'pass', { traits: [{ name: 'second CONNECT', value }] })] as const;
    });
    expect(traits(fold(exampleRun(cases)))).toEqual([
      { name: 'second CONNECT', value: 'close (2 times), ignore (1 time)' },
    ]);
  });
});
