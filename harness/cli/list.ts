/** The command `list`: the cases, or every requirement with its cases or the reason why it has none. */

import type { ExitCode } from '../events.ts';
import { type CoverageRow, coverage, coverageLine } from '../report/coverage.ts';
import { groupBy } from '../report/fold.ts';
import { plural } from '../report/text.ts';
import type { SelectedCase } from '../select.ts';
import { versionName, versionOf } from '../spec/index.ts';
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
    const { consulted } = await import('../../reference-broker/consulted.ts');
    const infos = all.map(({ info }) => info);
    const rows = coverage(infos, consulted).filter((row) => given.mqtt?.includes(versionOf(row.id)) ?? true);
    io.stdout.write(asData ? data(rows) : coverageText(rows));
  } else {
    io.stdout.write(asData ? data(cases.map(({ info }) => info)) : casesText(cases));
  }
  return 0;
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
  const lines = rows.flatMap(({ id, level, party, state, cases, excuse }) => {
    const head = `${id.padEnd(width)}  ${level.padEnd(10)}  ${party.padEnd(6)}  `;
    const [first = excuse ? `${state}: ${excuse}` : 'no case yet', ...rest] = cases;
    return [`${head}${first}`, ...rest.map((each) => `${' '.repeat(head.length)}${each}`)];
  });
  return `${[...lines, '', coverageLine(rows)].join('\n')}\n`;
}
