/** Every row of the essentials names cases that exist. */

import { describe, expect, it } from 'vitest';
import { allCases, select } from '../harness/select.ts';
import { essentials } from './essentials.ts';
import { chapters } from './index.ts';

const cases = allCases(chapters);
const ids = new Set(cases.flatMap(({ info }) => [info.id, info.id.slice(3)]));

describe('essentials', () => {
  it('states each thing once', () => {
    expect(new Set(essentials.map(({ statement }) => statement)).size).toBe(essentials.length);
  });

  it.each(essentials.map((row) => [row.statement, row.cases] as const))('%s', (_statement, selectors) => {
    expect(selectors.length).toBeGreaterThan(0);
    for (const selector of selectors) {
      const include = [selector];
      const chosen = select(cases, { include, exclude: [], versions: ['v3', 'v5'], levels: ['MUST', 'SHOULD', 'MAY'] });
      expect(chosen.length).toBeGreaterThan(0);
      // A glob may stand for cases, not for requirements or sections that it happens to match.
      if (!/[*?]/.test(selector)) expect(ids).toContain(selector);
      else expect(selector).toMatch(/^(v[35]\/)?[\d.]+\/[^/]*[*?][^/]*$/);
    }
  });
});
