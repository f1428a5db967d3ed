import { writeFileSync } from 'node:fs';
import { it } from 'vitest';
import { examples } from '../harness/wire/examples.ts';

it('lists', () => {
  writeFileSync(
    '/tmp/s1-rows.txt',
    examples.v5.malformed
      .filter((r) => r.when === 'first' || /^(connect|will|disconnect)/.test(r.id))
      .map((r) => `${r.id} | ${r.codes.map((c) => c.toString(16)).join(',')} | ${r.requirements.join(' ')}`)
      .join('\n'),
  );
});
