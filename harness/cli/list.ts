/** The command `list`: the cases, or every requirement with its cases or the reason why it has none. */

import type { ExitCode } from '../events.ts';
import { groupBy } from '../report/fold.ts';
import { plural } from '../report/text.ts';
import type { SelectedCase } from '../select.ts';
import { requirement, requirementIds, specUrl, versionName, versionOf } from '../spec/index.ts';
import type { Io } from './io.ts';
import { type SelectArguments, selectCases } from './run-command.ts';

export interface ListArguments extends SelectArguments {
  readonly coverage?: boolean;
  readonly report?: readonly string[];
}

/** Prints the selected cases, or the coverage of the requirements. */
export async function listCommand(selectors: readonly string[], given: ListArguments, io: Io): Promise<ExitCode> {
  const { all, cases } = await selectCases(selectors, given, io);
  const asData = given.report?.includes('json') ?? false;
  if (given.coverage) {
    const rows = coverage(all).filter((row) => given.mqtt?.includes(versionOf(row.id)) ?? true);
    io.stdout.write(asData ? data(rows) : coverageText(rows));
  } else {
    io.stdout.write(asData ? data(cases.map(({ info }) => info)) : casesText(cases));
  }
  return 0;
}

/** A requirement with what judges it. */
export interface CoverageRow {
  readonly id: (typeof requirementIds)[number];
  readonly level: string;
  readonly party: string;
  readonly section: string;
  readonly url: string;
  readonly cases: readonly string[];
  /** Why no case judges it: no client can observe it. */
  readonly excuse?: string;
}

/** Every requirement of the versions that the cases are for. */
export function coverage(all: readonly SelectedCase[]): CoverageRow[] {
  const versions = new Set(all.map(({ version }) => version));
  return requirementIds
    .filter((id) => versions.has(versionOf(id)))
    .map((id) => {
      const { level, party, section, observable, why } = requirement(id);
      const cases = all.filter(({ info }) => info.covers.includes(id)).map(({ info }) => info.id);
      const excuse = cases.length === 0 && observable === 'no' ? (why ?? 'not observable') : undefined;
      return { id, level, party, section, url: specUrl(id), cases, ...(excuse ? { excuse } : {}) };
    });
}

function data(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function casesText(cases: readonly SelectedCase[]): string {
  const width = Math.max(...cases.map(({ info }) => info.id.length));
  const lines = [...groupBy(cases, ({ info }) => `${versionName(info.version)} · ${info.section}`)].flatMap(
    ([title, group]) => [
      title,
      ...group.map(({ info }) => `  ${info.id.padEnd(width)}  ${info.strength.padEnd(6)}  ${info.title}`),
      '',
    ],
  );
  return `${[...lines, plural(cases.length, 'case')].join('\n')}\n`;
}

function coverageText(rows: readonly CoverageRow[]): string {
  const width = Math.max(...rows.map(({ id }) => id.length));
  const lines = rows.flatMap(({ id, level, party, cases, excuse }) => {
    const head = `${id.padEnd(width)}  ${level.padEnd(10)}  ${party.padEnd(6)}  `;
    const [first = excuse ? `not observable: ${excuse}` : 'no case yet', ...rest] = cases;
    return [`${head}${first}`, ...rest.map((each) => `${' '.repeat(head.length)}${each}`)];
  });
  const covered = rows.filter(({ cases }) => cases.length > 0).length;
  const excused = rows.filter(({ excuse }) => excuse).length;
  const open = rows.length - covered - excused;
  const total = `${plural(rows.length, 'requirement')}: ${covered} with cases, ${excused} not observable, ${open} with no case yet`;
  return `${[...lines, '', total].join('\n')}\n`;
}
