/** The whole of the standard is accounted for, and the committed documents say so. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { consulted } from '../../reference-broker/consulted.ts';
import { chapters } from '../../suites/index.ts';
import { coverage } from '../report/coverage.ts';
import { allCases } from '../select.ts';
import { isRequirementId, requirement, type Version, versionOf } from '../spec/index.ts';
import { unexercised } from '../spec/uncovered.ts';
import { coverageMarkdown, gatesModule } from './documents.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const cases = allCases(chapters);
const rows = coverage(
  cases.map(({ info }) => info),
  consulted,
);

describe('every requirement is in exactly one of: proven, excused with a reason', () => {
  it('none is open', () => {
    expect(rows.filter(({ state }) => state === 'open').map(({ id }) => id)).toEqual([]);
  });

  it('nothing is excused that has a case', () => {
    const covered = rows.filter((row) => row.cases.length > 0);
    expect(covered.filter(({ id }) => unexercised[id] !== undefined).map(({ id }) => id)).toEqual([]);
    expect(covered.filter(({ id }) => requirement(id).observable === 'no').map(({ id }) => id)).toEqual([]);
  });

  it('nothing is excused twice, or without a reason', () => {
    for (const [id, reason] of Object.entries(unexercised)) {
      expect(isRequirementId(id) && requirement(id).observable).not.toBe('no');
      expect(reason.length).toBeGreaterThan(10);
    }
    expect(rows.filter(({ state, excuse }) => state !== 'proven' && !excuse).map(({ id }) => id)).toEqual([]);
  });

  it.each<Version>(['v3', 'v5'])('%s: what is not exercised stays within a twentieth of all', (version) => {
    const own = rows.filter(({ id }) => versionOf(id) === version);
    expect(own.length).toBeGreaterThan(100);
    expect(own.filter(({ state }) => state === 'not exercised').length).toBeLessThanOrEqual(own.length * 0.05);
  });
});

describe('what `npm run docs` has written', () => {
  it('docs/coverage.md is up to date', () => {
    expect(read('docs/coverage.md')).toBe(coverageMarkdown(cases, consulted));
  });

  it('reference-broker/consulted.ts is in the form that it writes', () => {
    expect(read('reference-broker/consulted.ts')).toBe(gatesModule(consulted));
  });

  it('reference-broker/consulted.ts has every gate that the sources of the broker write out', () => {
    const sources = readdirSync(new URL('reference-broker/', root)).filter(
      (name) =>
        /^\w+\.ts$/.test(name) &&
        !['consulted.ts', 'excuses.ts', 'prove.ts', 'testClient.ts', 'ungated.ts'].includes(name),
    );
    const written = sources.flatMap((name) =>
      [
        ...read(`reference-broker/${name}`)
          .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
          .matchAll(/'(v[35]\/[^']+)'/g),
      ].map(([, gate]) => gate),
    );
    expect(written.length).toBeGreaterThan(100);
    const listed = new Set<string | undefined>(consulted);
    // What is written without an aspect may be given one where it is asked.
    const asked = (gate = '') => listed.has(gate) || consulted.some((each) => each.startsWith(`${gate}#`));
    const versions = new Set(cases.map(({ version }) => version));
    expect(written.filter((gate = '') => versions.has(versionOf(gate)) && !asked(gate))).toEqual([]);
  });

  it('each gate obeys what a case judges', () => {
    const proven = new Set<string>(rows.filter(({ state }) => state === 'proven').map(({ id }) => id));
    expect(consulted.filter((gate) => !proven.has(gate.replace(/#.*/, '')))).toEqual([]);
  });
});
