/** Small runs made by hand, for the tests of the reports. */

import type { CaseInfo, CaseResult, RunEvent, Verdict } from '../events.ts';

/** A case of chapter 3.8 with this slug. */
export function exampleCase(slug: string, differences: Partial<CaseInfo> = {}): CaseInfo {
  return {
    id: `v3/3.8.1/${slug}`,
    version: 'v3',
    chapter: '3.8 SUBSCRIBE',
    section: '3.8.1 SUBSCRIBE Fixed header',
    title: 'closes on reserved flags of SUBSCRIBE',
    strength: 'MUST',
    covers: ['v3/3.8.1-1'],
    tags: [],
    ...differences,
  };
}

/** A result of a case, with what such a verdict comes with. */
export function exampleResult(info: CaseInfo, verdict: Verdict, differences: Partial<CaseResult> = {}): CaseResult {
  const failed = verdict === 'fail';
  return {
    case: info.id,
    verdict,
    ...(verdict === 'pass' ? {} : { reason: `reason of ${verdict}` }),
    ...(failed
      ? {
          reason: 'SUBACK 0x00',
          finding: {
            requirements: ['v3/3.8.1-1'],
            expected: ['the connection closes', 'a reset'],
            actual: 'SUBACK 0x00',
          },
        }
      : {}),
    traits: [],
    trace: failed
      ? [
          {
            at: 3,
            peer: 'client 1',
            direction: 'sent',
            reading: 'SUBSCRIBE id=1 t/1 QoS 0',
            hex: '80090001000003742F3100',
            length: 11,
            mark: { offset: 0, length: 1, text: 'flags 0000, must be 0010' },
          },
          { at: 4, peer: 'client 1', direction: 'received', reading: 'SUBACK id=1 0x00', hex: '9004000100', length: 5 },
        ]
      : [],
    durationMs: 110,
    attempts: 1,
    ...differences,
  };
}

/** A whole run: its cases with their results; a case without a result never ran. */
export function exampleRun(
  cases: readonly (readonly [CaseInfo, CaseResult?])[],
  end: Partial<Extract<RunEvent, { type: 'run-finished' }>> = {},
): RunEvent[] {
  return [
    {
      type: 'run-started',
      time: '2026-01-01T00:00:00.000Z',
      tool: 'mqtt-conform 0.1.0',
      target: 'localhost:1883',
      targetOptions: '-t localhost:1883',
      versions: ['v3'],
      seed: 'example',
      cases: cases.map(([info]) => info),
      capabilities: { v3: { qos2: true, wildcards: 'SUBACK 0x80' } },
    },
    ...cases.flatMap(([info, result], index): RunEvent[] =>
      result
        ? [
            { type: 'case-started', case: info.id, atMs: 1000 + index },
            { type: 'case-finished', result },
          ]
        : [],
    ),
    { type: 'run-finished', durationMs: 7_200, exitCode: 0, ...end },
  ];
}
