/** Every case both ways, every gate killed, every covered id consulted. */

import { afterAll, describe, expect, it } from 'vitest';
import { allCases } from '../harness/select.ts';
import { versionOf } from '../harness/spec/index.ts';
import { chapters } from '../suites/index.ts';
import { consulted as listed } from './consulted.ts';
import { excuses } from './excuses.ts';
import type { Gate } from './obeys.ts';
import { prove, requirementOf } from './prove.ts';

const cases = allCases(chapters);

describe('every case passes on the reference broker, and fails when what it covers is broken', () => {
  const consulted = new Set<Gate>();
  const killed = new Set<Gate>();
  let proven = 0;

  it.each(cases.map((each) => [each.info.id, each] as const))('%s', async (_id, each) => {
    const proof = await prove(each);
    for (const gate of proof.consulted) consulted.add(gate);
    for (const gate of proof.killed) killed.add(gate);
    proven++;
    expect(proof.problems).toEqual([]);
  });

  afterAll(() => {
    // With a filter on test names only some cases ran: nothing can be said about the gates then.
    if (proven < cases.length) return;
    // Where no connection is concerned the broker asks for both versions, also while cases of one run.
    const versions = new Set(cases.map(({ version }) => version));
    const judged = [...consulted].filter((gate) => versions.has(versionOf(gate)));
    const alive = judged.filter((gate) => !killed.has(gate) && !excuses[gate] && !excuses[requirementOf(gate)]);
    expect(alive, 'gates that no case notices').toEqual([]);
    expect(judged.sort(), 'the list of gates: npm run docs').toEqual(listed);
  });
});
