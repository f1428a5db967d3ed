/** The files that `npm run docs` writes, as text: a list of gates, and the coverage of the standard. */

import type { Gate } from '../../reference-broker/obeys.ts';
import { type Essential, essentials } from '../../suites/essentials.ts';
import { coverage, coverageDocument, type EssentialRow } from '../report/coverage.ts';
import { type SelectedCase, select } from '../select.ts';

/** The module that lists the gates of the reference broker, formatted as the project is. */
export function gatesModule(gates: Iterable<Gate>): string {
  return [
    '/** Made by `npm run docs`, not to be edited: every gate that the reference broker consults in the proof of the cases. */',
    '',
    "import type { Gate } from './obeys.ts';",
    '',
    'export const consulted: readonly Gate[] = [',
    ...[...gates].sort().map((gate) => `  '${gate}',`),
    '];',
    '',
  ].join('\n');
}

/** docs/coverage.md. Throws UsageError if a row of the essentials names no case. */
export function coverageMarkdown(cases: readonly SelectedCase[], gates: readonly Gate[]): string {
  const infos = cases.map(({ info }) => info);
  return coverageDocument(
    coverage(infos, gates),
    infos,
    essentials.map((each) => counted(each, cases)),
  );
}

function counted({ topic, statement, cases: selectors }: Essential, cases: readonly SelectedCase[]): EssentialRow {
  const everything = { exclude: [], versions: ['v3', 'v5'], levels: ['MUST', 'SHOULD', 'MAY'] } as const;
  const counts = selectors.map((selector) => ({
    selector,
    count: select(cases, { include: [selector], ...everything }).length,
  }));
  return { topic, statement, cases: counts };
}
