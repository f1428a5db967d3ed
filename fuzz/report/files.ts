/** A fuzz run as JSON and as Markdown. */

import { block, code, markdown, table } from '../../harness/report/markdown.ts';
import { type FuzzEvent, gates } from '../events.ts';
import { verdictOf } from './console.ts';
import { explainDiscovery, headline } from './explanation.ts';
import { foldFuzz } from './fold.ts';

/** The whole run as one JSON document. */
export function fuzzJson(events: Iterable<FuzzEvent>): string {
  const { started, finished, discoveries, warnings } = foldFuzz(events);
  const document = {
    format: 1,
    verdict: finished ? verdictOf(finished) : 'the run ended without an end',
    ...(started && { run: { ...started, type: undefined } }),
    ...(finished && { counts: finished.counts, exitCode: finished.exitCode, problem: finished.problem }),
    warnings,
    findings: discoveries,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The whole run as Markdown: a table of the findings, then each explained. */
export function fuzzMarkdown(events: Iterable<FuzzEvent>): string {
  const { started, finished, discoveries } = foldFuzz(events);
  const options = { targetOptions: started?.targetOptions ?? '' };
  return [
    '# Fuzz run',
    '',
    markdown(finished ? verdictOf(finished) : 'the run ended without an end'),
    '',
    ...(started
      ? [`${code(started.target)}, seed ${code(started.seed)}, ${finished?.counts.cases ?? 0} cases`, '']
      : []),
    ...table(
      ['finding', 'requirement', 'cases', 'what'],
      discoveries.map((each) => [
        `${gates(each) ? '✖' : '!'} ${code(each.id)}`,
        each.finding.requirements[0] ?? '',
        String(each.cases),
        markdown(headline(each)),
      ]),
    ),
    ...discoveries.flatMap((each) => [...block(explainDiscovery(each, options)), '']),
  ].join('\n');
}
