/** `npm run docs`: proves every case, and writes into the working directory what follows from that. */

import { mkdir, writeFile } from 'node:fs/promises';
import type { Gate } from '../../reference-broker/obeys.ts';
import { prove } from '../../reference-broker/prove.ts';
import { chapters } from '../../suites/index.ts';
import { allCases } from '../select.ts';
import { versionOf } from '../spec/index.ts';
import { coverageMarkdown, gatesModule } from './documents.ts';

const cases = allCases(chapters);
const versions = new Set(cases.map(({ version }) => version));
const gates = new Set<Gate>();
const problems: string[] = [];
for (const each of cases) {
  const proof = await prove(each);
  // Where no connection is concerned the broker asks for both versions.
  for (const gate of proof.consulted) if (versions.has(versionOf(gate))) gates.add(gate);
  problems.push(...proof.problems.map((problem) => `${proof.case} ${problem}`));
}

if (problems.length > 0) {
  // A document that says "proven" must not come from this.
  console.error(['nothing is written, for the proof fails:', ...problems].join('\n'));
  process.exitCode = 1;
} else {
  const sorted = [...gates].sort();
  await mkdir('docs', { recursive: true });
  await writeFile('docs/coverage.md', coverageMarkdown(cases, sorted));
  await writeFile('reference-broker/consulted.ts', gatesModule(sorted));
  console.log('written: docs/coverage.md, reference-broker/consulted.ts');
}
