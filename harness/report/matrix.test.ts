import { describe, expect, it } from 'vitest';
import type { CaseInfo, CaseResult, Verdict, WireEntry } from '../events.ts';
import { exampleCase, exampleResult, exampleRun } from './example-run.fixture.ts';
import { matrix } from './matrix.ts';

const [subscribe, will, clientId, ping, odd] = [
  exampleCase('subscribe'),
  exampleCase('will', { covers: ['v3/3.1.2-8'] }),
  exampleCase('client-id', { covers: ['v3/3.1.3-5'] }),
  exampleCase('ping', { covers: ['v3/3.12.4-1'] }),
  exampleCase('odd', { covers: ['v3/4.5~unrequested-messages'], strength: 'MAY' }),
];

/** A failure of the requirement that the case judges, with this outcome. */
function broken(info: CaseInfo, actual: string, differences: Partial<CaseResult> = {}): CaseResult {
  const requirements = info.covers;
  return exampleResult(info, 'fail', {
    reason: actual,
    finding: { requirements, expected: ['else'], actual },
    ...differences,
  });
}

function run(...ends: readonly (readonly [CaseInfo, CaseResult?])[]) {
  return exampleRun(ends, { exitCode: 1 });
}

const passed = (info: CaseInfo) => [info, exampleResult(info, 'pass')] as const;

const row = (document: string, start: string) =>
  document
    .split('\n')
    .find((line) => line.startsWith(start))
    ?.split(' | ')
    .slice(1)
    .map((text) => text.replace(' |', ''));

describe('matrix', () => {
  const second = exampleCase('second', { covers: ['v3/3.1.2-8'] });
  const document = matrix([
    {
      name: 'sound-1.0',
      events: run(passed(subscribe), passed(will), [
        odd,
        exampleResult(odd, 'info', { traits: [{ name: 'asked', value: 'no' }] }),
      ]),
    },
    {
      name: 'faulty_2.0',
      events: run(
        [
          subscribe,
          broken(subscribe, 'SUBACK 0x00', {
            finding: { requirements: ['v3/3.8.1-1', 'v3/3.1.2-8'], expected: ['a'], actual: 'b' },
          }),
        ],
        [will, broken(will, "PUBLISH id=7 x/abc1 'a'")],
        [second, broken(second, "PUBLISH id=8 x/abc2 'b'")],
        [clientId, exampleResult(clientId, 'not-applicable')],
        [odd, exampleResult(odd, 'info', { traits: [{ name: 'asked', value: 'yes | no' }] })],
      ),
    },
    { events: run([subscribe, exampleResult(subscribe, 'not-applicable')], [will]) },
  ]);

  it('counts verdicts and levels for each broker, by its name or else its address', () => {
    expect(row(document, '| cases |')).toEqual(['sound-1.0', 'faulty\\_2.0', 'localhost:1883']);
    expect(row(document, '| failed |')).toEqual(['0', '3', '0']);
    expect(row(document, '| not run |')).toEqual(['0', '0', '1']);
    expect(row(document, '| MUST: passed')).toEqual(['2 of 2', '0 of 3', '0 of 1']);
    expect(row(document, '| MAY: passed')).toEqual(['1 of 1', '1 of 1', '–']);
    expect(document).not.toContain('| flaky |');
  });

  it('has a row for each broken requirement: how many cases show it, else what is known of it', () => {
    expect(row(document, '| [v3/3.8.1-1]')).toEqual(['✓', '1', '–']);
    // A case that names it second counts, too; a case that never ran says nothing.
    expect(row(document, '| [v3/3.1.2-8]')).toEqual(['✓', '3', '?']);
    expect(row(document, '| [v3/3.1.3-5]')).toBeUndefined();
    expect(document.indexOf('| [v3/3.1.2-8]')).toBeLessThan(document.indexOf('| [v3/3.8.1-1]'));
  });

  it('explains each broken requirement once, with packets, and names the others that end alike', () => {
    expect(document).toContain('### v3/3.1.2-8 (2 cases)\n````text\n✖ v3/3.8.1/will   MUST v3/3.1.2-8');
    expect(document).toContain('SUBSCRIBE id=1 t/1 QoS 0  80 09');
    expect(document).toContain('npx mqtt-conform -t localhost:1883 v3/3.8.1/will');
    expect(document).toContain('````\n- the same: `v3/3.8.1/second`\n');
  });

  it('shows traits where brokers differ', () => {
    expect(row(document, '| asked |')).toEqual(['no', 'yes \\| no', '–']);
    const alike = run([odd, exampleResult(odd, 'info', { traits: [{ name: 'asked', value: 'no' }] })]);
    expect(matrix([{ events: alike }, { events: alike }])).not.toContain('asked');
    expect(matrix([{ events: alike }])).toContain('| asked | no |');
  });

  it('names what a broker lacks, what could not run, and what is not strict', () => {
    const text = matrix([
      { events: run([ping, exampleResult(ping, 'could-not-run')], [will, exampleResult(will, 'non-strict')]) },
    ]);
    expect(text).toContain('- without `wildcards`: SUBACK 0x80');
    expect(text).toContain('### Could not run\n\n- reason of could-not-run: `v3/3.8.1/ping`');
    expect(text).toContain('### Right, but not as it should be\n\n- reason of non-strict: `v3/3.8.1/will`');
    expect(text).toContain('No requirement is broken.');
  });

  it.each(['crash', 'flaky', 'expected-failure'] satisfies Verdict[])('counts %s against the broker', (verdict) => {
    const result = { ...broken(will, 'gone'), verdict };
    expect(row(matrix([{ events: run([will, result]) }]), '| [v3/3.1.2-8]')).toEqual(['1']);
  });

  it('tells outcomes apart, the most frequent with its packets', () => {
    const cases = ['a', 'b', 'c', 'd', 'e', 'f'].map((slug) => exampleCase(slug));
    const actual = ['the connection stays open', ...Array(5).fill('SUBACK id=1 0x00, and PINGREQ still answered')];
    const text = matrix([{ events: run(...cases.map((info, index) => [info, broken(info, actual[index])] as const)) }]);
    expect(text).toContain('### v3/3.8.1-1 (6 cases)\n````text\n✖ v3/3.8.1/b ');
    expect(text).toContain(
      '- the same: `v3/3.8.1/c`, `v3/3.8.1/d`, `v3/3.8.1/e`, `v3/3.8.1/f`\n- the connection stays open: `v3/3.8.1/a`\n',
    );
  });

  it('shows the packets of one case with one outcome once, with the first broker that has them', () => {
    const events = () => run([will, broken(will, 'SUBACK 0x00')], [second, broken(second, 'SUBACK 0x00')]);
    const other = run([will, broken(will, 'SUBACK 0x01')]);
    const text = matrix([
      { name: 'one', events: events() },
      { name: 'two', events: events() },
      { name: 'three', events: other },
    ]);
    expect(text.match(/✖ v3\/3.8.1\/will/g)).toHaveLength(2);
    expect(text).toContain(
      '### v3/3.1.2-8 (2 cases)\n- SUBACK 0x00: `v3/3.8.1/will`, `v3/3.8.1/second` (packets: `v3/3.8.1/will` at one)\n',
    );
    expect(text.slice(text.indexOf('## three'))).toMatch(/actual +SUBACK 0x01/);
  });

  it('shortens long traces to their end and what is marked', () => {
    const trace = Array.from(
      { length: 30 },
      (_, at): WireEntry => ({
        at,
        peer: 'client 1',
        direction: 'sent',
        reading: `packet ${at}`,
        hex: 'C000',
        length: 2,
        ...(at === 3 ? { mark: { offset: 0, length: 1, text: 'here' } } : {}),
      }),
    );
    const text = matrix([{ events: run([will, broken(will, 'x', { trace })]) }]);
    expect(text.match(/packet \d+/g)).toEqual(['packet 3', 'packet 26', 'packet 27', 'packet 28', 'packet 29']);
    expect(text).toContain('25 entries are left out');
    expect(text).toContain('^^ here');
  });

  it('lets no text of a broker become Markdown', () => {
    const text = matrix([
      {
        name: '<b>|',
        events: run(
          [will, broken(will, '```` | <script>')],
          [ping, exampleResult(ping, 'could-not-run', { reason: '*a*|<i>' })],
        ),
      },
    ]);
    expect(text.split('\n').filter((line) => line.startsWith('````'))).toEqual(['````text', '````']);
    expect(text).toContain('- \\*a\\*\\|&lt;i>: `v3/3.8.1/ping`');
    expect(text).toContain('## &lt;b>\\|');
  });

  it('says why there is no verdict', () => {
    const text = matrix([
      { name: 'gone', events: exampleRun([[will]], { exitCode: 3, problem: 'connection refused' }) },
    ]);
    expect(text).toContain('**no verdict: connection refused (1 of 1 case not run)**');
  });
});
