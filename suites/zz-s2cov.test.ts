import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { requirement, requirementIds } from '../harness/spec/index.ts';
import { chapters } from './index.ts';

test('cov', () => {
  const cov = new Map<string, string[]>();
  for (const c of chapters)
    for (const s of c.sections)
      for (const k of s.cases)
        for (const id of k.covers) cov.set(id, [...(cov.get(id) ?? []), `${s.titles.v5.split(' ')[0]}/${k.id}`]);
  const out: string[] = [];
  for (const id of requirementIds)
    if (id.startsWith('v5/'))
      out.push(
        `${id} ${cov.get(id)?.length ?? 0} ${requirement(id).observable} ${(cov.get(id) ?? []).slice(0, 3).join(' ')}`,
      );
  writeFileSync('/tmp/s2cov.txt', out.join('\n'));
});
