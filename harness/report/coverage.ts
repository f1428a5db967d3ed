/** The coverage of the standard, as data and as Markdown: each requirement with what judges it, or why nothing does. */

import type { CaseInfo } from '../events.ts';
import {
  type RequirementId,
  requirement,
  requirementIds,
  sectionTitle,
  specUrl,
  type Version,
  versionName,
  versionOf,
} from '../spec/index.ts';
import { type Excuse, excuseOf } from '../spec/uncovered.ts';
import { groupBy } from './fold.ts';
import { code, markdown, table } from './markdown.ts';
import { enumerate, plural } from './text.ts';

/**
 * How a requirement is covered, in exactly one way.
 * - `proven`: cases judge it, and the proof holds each of them
 * - `not observable`: no client can see whether a broker obeys it
 * - `not exercised`: a client could see it, given something that does not exist yet
 * - `open`: none of these, which no released version has
 */
export type CoverageState = 'proven' | Excuse['kind'] | 'open';

/** A requirement with what judges it. */
export interface CoverageRow {
  readonly id: RequirementId;
  readonly level: string;
  /** Whom it binds. */
  readonly party: string;
  readonly section: string;
  readonly url: string;
  /** In our words. */
  readonly text: string;
  readonly state: CoverageState;
  /** Ids of the cases that judge it. */
  readonly cases: readonly string[];
  /** The gates of the reference broker that obey it: what `broker --break` takes. */
  readonly gates: readonly string[];
  /** What has to be given before a client can observe all of it. */
  readonly needs?: string;
  /** Why no case judges it. */
  readonly excuse?: string;
}

/** Every requirement of the versions that the cases are for, in the order of the standard. */
export function coverage(cases: readonly CaseInfo[], gates: readonly string[]): CoverageRow[] {
  const versions = new Set(cases.map(({ version }) => version));
  const gatesOf = groupBy(gates, (gate) => gate.replace(/#.*/, ''));
  return requirementIds
    .filter((id) => versions.has(versionOf(id)))
    .map((id) => {
      const { level, party, section, text, needs } = requirement(id);
      const own = cases.filter(({ covers }) => covers.includes(id)).map((info) => info.id);
      const excuse = own.length === 0 ? excuseOf(id) : undefined;
      return {
        id,
        level,
        party,
        section,
        url: specUrl(id),
        text,
        state: own.length > 0 ? 'proven' : (excuse?.kind ?? 'open'),
        cases: own,
        gates: gatesOf.get(id) ?? [],
        ...(needs ? { needs } : {}),
        ...(excuse ? { excuse: excuse.reason } : {}),
      };
    });
}

/** `208 requirements: 188 proven, 15 not observable, 5 not exercised`. */
export function coverageLine(rows: readonly CoverageRow[]): string {
  const groups = [...groupBy(rows, ({ state }) => state)].map(([state, { length }]) =>
    state === 'open' ? `${length} with no case yet` : `${length} ${state}`,
  );
  return `${plural(rows.length, 'requirement')}: ${groups.join(', ')}`;
}

/** A thing that everybody who learns MQTT is told, and the cases that hold it. */
export interface EssentialRow {
  readonly topic: string;
  readonly statement: string;
  /** Ids of cases or globs of them, each with the number of cases that it names. */
  readonly cases: readonly { readonly selector: string; readonly count: number }[];
}

const introduction = [
  '# What the cases cover',
  '',
  'Made by `npm run docs`; not to be edited.',
  '',
  'A requirement is *proven* when cases judge it, and each of these cases passes on the reference broker and fails on the reference',
  'broker with this requirement broken. Of level MAY, where nothing can be broken, the cases record what a broker chooses.',
  'Every other requirement has an excuse, with its reason. A *gate* is the place in the reference broker that obeys a requirement, or an',
  'aspect of it (behind `#`): `npx mqtt-conform broker --break GATE` breaks it on purpose.',
  '',
];

/** The document of all this, for the versions in `rows`. */
export function coverageDocument(
  rows: readonly CoverageRow[],
  cases: readonly CaseInfo[],
  essentials: readonly EssentialRow[],
): string {
  const versions = [...groupBy(rows, ({ id }) => versionOf(id))] as [Version, CoverageRow[]][];
  const lines = [
    ...introduction,
    ...versions.map(([version, own]) => {
      const count = cases.filter((info) => info.version === version).length;
      const gates = own.reduce((sum, row) => sum + row.gates.length, 0);
      return `**${versionName(version)}:** ${coverageLine(own)}; ${plural(count, 'case')}, ${plural(gates, 'gate')} of the reference broker.`;
    }),
    '',
    ...essentialsSection(essentials),
    ...versions.flatMap(([version, own]) => versionSection(version, own)),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function essentialsSection(essentials: readonly EssentialRow[]): string[] {
  const topics = [...groupBy(essentials, ({ topic }) => topic)];
  return [
    '## The essentials',
    '',
    'What every course and book teaches, with the cases that hold a broker to it. The names are selectors: `npx mqtt-conform -t HOST:PORT NAME`.',
    '',
    ...topics.flatMap(([topic, rows]) => [
      `### ${topic}`,
      '',
      ...table(
        ['what is taught', 'cases'],
        rows.map(({ statement, cases }) => [statement, cases.map(named).join(', ')]),
      ),
    ]),
  ];
}

function named({ selector, count }: EssentialRow['cases'][number]): string {
  return /[*?]/.test(selector) ? `${code(selector)} (${count})` : code(selector);
}

function versionSection(version: Version, rows: readonly CoverageRow[]): string[] {
  const excused = rows.filter(({ state }) => state !== 'proven');
  return [
    `## ${versionName(version)}: what no case judges`,
    '',
    ...table(
      ['requirement', 'level', 'why'],
      excused.map((row) => [code(row.id), row.level, markdown(`${row.state}: ${row.excuse ?? 'no case yet'}`)]),
    ),
    `## ${versionName(version)}: every requirement`,
    '',
    ...[...groupBy(rows, ({ section }) => section)].flatMap(([section, own]) => [
      `### ${`${section} ${sectionTitle(version, section) ?? ''}`.trim()}`,
      '',
      ...own.flatMap(requirementLines),
      '',
    ]),
  ];
}

const mostCases = 6;

function requirementLines(row: CoverageRow): string[] {
  const binds = row.party === 'both' ? 'client and server' : row.party;
  const gates = row.gates.map(code);
  return [
    `- ${link(row)} **${row.level}** (${binds}): ${markdown(row.text)}`,
    row.excuse === undefined
      ? `  - ${plural(row.cases.length, 'case')}: ${enumerate(row.cases.map(code), mostCases)}`
      : `  - ${row.state}: ${markdown(row.excuse)}`,
    ...(gates.length > 0 ? [`  - ${plural(gates.length, 'gate')}: ${gates.join(', ')}`] : []),
    ...(row.needs && row.state === 'proven' ? [`  - needs: ${markdown(row.needs)}`] : []),
  ];
}

function link({ id, url }: CoverageRow): string {
  return `[${markdown(id)}](${url})`;
}
