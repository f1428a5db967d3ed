/** JUnit XML as GitHub's test reporters, GitLab and Jenkins read it: flat, with stable names, one outcome a case. */

import type { Builder, TestCase, TestSuite } from 'junit-report-builder';
import { neverRan } from '../baseline.ts';
import type { CaseInfo, CaseResult, RunEvent } from '../events.ts';
import { type RequirementId, versionName } from '../spec/index.ts';
import { actually, explain, verdictNames } from './explanation.ts';
import { fold, groupBy, type Report } from './fold.ts';
import { verdictLine } from './summary.ts';
import { clean } from './text.ts';

/**
 * The whole run as JUnit XML. Failures plus errors are zero exactly when the exit code is zero: where no case tells why the
 * run has no verdict (the target was unreachable, say), a test case of the run itself does.
 */
export async function junit(events: Iterable<RunEvent>): Promise<string> {
  // Its types describe a CommonJS module with a `default` of its own; what it exports is the builder.
  const { default: factory } = (await import('junit-report-builder')) as unknown as { default: Builder };
  const report = fold(events);
  const builder: Builder = factory.newBuilder().name('mqtt-conform');
  let blamed = 0;
  for (const [name, cases] of groupBy(report.cases, suiteName)) {
    const suite = builder.testSuite().name(name);
    addProperties(suite, report);
    let durationMs = 0;
    for (const info of cases) {
      const result = report.results.get(info.id) ?? notRun(info, report);
      durationMs += result.durationMs;
      blamed += addCase(suite, info, result, report);
    }
    suite.time(seconds(durationMs));
  }
  if (report.finished?.exitCode !== 0 && (blamed === 0 || report.finished?.problem || !report.finished)) {
    addRun(builder, report);
  }
  return builder.build();
}

/** `MQTT 3.1.1 · 3.3 PUBLISH`. */
function suiteName(info: CaseInfo): string {
  return clean(`${versionName(info.version)} · ${info.chapter}`);
}

/** `mqtt311.publish`: Jenkins takes what is before the last dot for a package. */
function className(info: CaseInfo): string {
  const version = info.version === 'v5' ? 'mqtt5' : 'mqtt311';
  const title = info.chapter.replace(/^[\d.–-]+\s*/, '') || info.chapter;
  const words = title.toLowerCase().match(/[a-z0-9]+/g) ?? ['cases'];
  return `${version}.${words.join('-')}`;
}

function addProperties(suite: TestSuite, { started }: Report): void {
  if (!started) return;
  suite.property('target', clean(started.target));
  suite.property('versions', started.versions.map(versionName).join(', '));
  suite.property('seed', started.seed);
  suite.property('tool', clean(started.tool));
  if (started.baseline) {
    suite.property('baseline', clean(`${started.baseline.file} (${started.baseline.entries} entries)`));
  }
}

/** Adds a case; tells how many failures and errors that makes. */
function addCase(suite: TestSuite, info: CaseInfo, result: CaseResult, report: Report): 0 | 1 {
  const testCase = suite
    .testCase()
    .className(className(info))
    .name(clean(`${info.id} [${info.strength}] ${info.title}`))
    .time(seconds(result.durationMs));
  const message = `${verdictNames[result.verdict]}: ${actually(result)}`;
  switch (result.verdict) {
    case 'pass':
      return 0;
    case 'fail':
    case 'crash':
    case 'flaky':
    case 'stale':
      testCase.failure(message, failureType(info, result)).stacktrace(body(message, info, result, report));
      return 1;
    case 'could-not-run':
      // Only a MUST case takes the verdict away from the run; and what the end of the run left over is told once, there.
      if (info.strength !== 'MUST' || neverRan(result)) return skip(testCase, message);
      testCase.error(message, result.verdict, body(message, info, result, report));
      return 1;
    default:
      return skip(testCase, message);
  }
}

function failureType(info: CaseInfo, result: CaseResult): RequirementId | string {
  return result.verdict === 'fail' ? (result.finding?.requirements[0] ?? info.covers[0] ?? 'fail') : result.verdict;
}

function body(message: string, info: CaseInfo, result: CaseResult, report: Report): string {
  const targetOptions = report.started?.targetOptions ?? '';
  const text = [message, '', ...explain(info, result, { targetOptions })].join('\n');
  // It becomes a CDATA section, and the builder escapes only the first end of one.
  return text.replaceAll(']]>', ']] >');
}

/** The builder writes no message with `skipped`, so the element is added here. */
function skip(testCase: TestCase, message: string): 0 {
  const build = testCase.build.bind(testCase);
  testCase.getSkippedCount = () => 1;
  testCase.build = (parent) => {
    const element = build(parent);
    element.ele('skipped', { message });
    return element;
  };
  return 0;
}

function notRun(info: CaseInfo, { finished }: Report): CaseResult {
  return {
    case: info.id,
    verdict: 'could-not-run',
    reason: finished?.problem ?? 'the run ended before this case',
    traits: [],
    trace: [],
    durationMs: 0,
    attempts: 0,
  };
}

/** A test case for the run itself. */
function addRun(builder: Builder, report: Report): void {
  const { text } = verdictLine(report);
  const suite = builder.testSuite().name('mqtt-conform');
  addProperties(suite, report);
  suite
    .testCase()
    .className('mqtt-conform.run')
    .name('the run comes to a verdict')
    .time(0)
    .error(text, 'no-verdict', text);
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}
