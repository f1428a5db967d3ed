/** A fuzz run as JUnit XML: a test case for each oracle, and one more for each finding. */

import type { Builder, TestSuite } from 'junit-report-builder';
import { clean, plural } from '../../harness/report/text.ts';
import { type Discovery, type FuzzEvent, gates } from '../events.ts';
import { certainty, explainDiscovery, headline } from './explanation.ts';
import { type FuzzReport, foldFuzz } from './fold.ts';

/** Failures plus errors are zero exactly when the exit code is zero. */
export async function fuzzJunit(events: Iterable<FuzzEvent>): Promise<string> {
  // Its types describe a CommonJS module with a `default` of its own; what it exports is the builder.
  const { default: factory } = (await import('junit-report-builder')) as unknown as { default: Builder };
  const report = foldFuzz(events);
  const builder: Builder = factory.newBuilder().name('mqtt-conform fuzz');
  const suite = builder.testSuite().name('MQTT · fuzz');
  const { started, finished } = report;
  if (started) {
    suite.property('target', clean(started.target));
    suite.property('seed', started.seed);
    suite.property('tool', clean(started.tool));
  }
  suite.time(Math.round(finished?.counts.elapsedMs ?? 0) / 1_000);
  for (const oracle of started?.oracles ?? []) addOracle(suite, oracle, report);
  for (const discovery of report.discoveries) addDiscovery(suite, discovery, report);
  const { exitCode = 70, problem = 'the run ended without an end' } = finished ?? {};
  if (exitCode !== 0 && exitCode !== 1) {
    const text = clean(problem);
    suite
      .testCase()
      .className('mqtt-fuzz.run')
      .name('the run comes to a verdict')
      .time(0)
      .error(text, 'no-verdict', text);
  }
  return builder.build();
}

/** What an oracle found stands in test cases of its own; this one tells that it was at work. */
function addOracle(suite: TestSuite, oracle: string, { discoveries, finished }: FuzzReport): void {
  const found = discoveries.filter(({ finding }) => finding.oracle === oracle);
  const text = `${plural(finished?.counts.cases ?? 0, 'case')} judged, ${plural(found.length, 'finding')}`;
  suite.testCase().className(`mqtt-fuzz.${oracle}`).name(`oracle ${oracle}`).time(0).standardOutput(text);
}

function addDiscovery(suite: TestSuite, discovery: Discovery, { started }: FuzzReport): void {
  const { finding, id } = discovery;
  const testCase = suite.testCase().className(`mqtt-fuzz.${finding.oracle}`).name(clean(id)).time(0);
  const text = explainDiscovery(discovery, { targetOptions: started?.targetOptions ?? '' }).join('\n');
  if (!gates(discovery)) {
    testCase.skipped();
    testCase.standardOutput(`${certainty(discovery)}\n${text}`.replaceAll(']]>', ']] >'));
    return;
  }
  const message = headline(discovery);
  testCase
    .failure(message, finding.requirements[0] ?? finding.kind)
    .stacktrace(`${message}\n\n${text}`.replaceAll(']]>', ']] >'));
}
