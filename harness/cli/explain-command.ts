/** The command `explain`: a requirement, a section or a case, in our words. */

import { UsageError } from '../errors.ts';
import type { ExitCode } from '../events.ts';
import { allCases, nearest, requirementsNamed, type SelectedCase } from '../select.ts';
import {
  type RequirementId,
  requirement,
  requirementIds,
  sectionTitle,
  specUrl,
  versionName,
  versionOf,
} from '../spec/index.ts';
import { excuseOf } from '../spec/uncovered.ts';
import type { Io } from './io.ts';

/**
 * Explains what the id names.
 * @throws UsageError with the nearest ids if it names nothing
 */
export async function explainCommand(id: string, io: Io): Promise<ExitCode> {
  const { chapters } = await import('../../suites/index.ts');
  const cases = allCases(chapters);
  io.stdout.write(`${explanationOf(id, cases).join('\n')}\n`);
  return 0;
}

function explanationOf(id: string, cases: readonly SelectedCase[]): string[] {
  const wanted = id.toLowerCase();
  const own = cases.filter(({ info }) => info.id === wanted || info.id.slice(3) === wanted);
  if (own.length > 0) return separated(own.map(explainCase));
  const named = requirementsNamed(wanted);
  if (named.length > 0) return separated(named.map((each) => explainRequirement(each, cases)));
  const inSection = requirementIds.filter((each) =>
    [requirement(each).section, `${versionOf(each)}/${requirement(each).section}`].includes(wanted),
  );
  if (inSection.length > 0) return separated(inSection.map((each) => explainRequirement(each, cases)));
  const near = nearest(wanted, [...requirementIds, ...cases.map(({ info }) => info.id)]);
  const hint = near.length > 0 ? `did you mean ${near.join(', ')}?` : 'see: mqtt-conform list --coverage';
  throw new UsageError(`'${id}' is neither a requirement nor a section nor a case; ${hint}`);
}

function explainRequirement(id: RequirementId, cases: readonly SelectedCase[]): string[] {
  const { level, party, section, text, needs } = requirement(id);
  const version = versionOf(id);
  const binds = party === 'both' ? 'client and server' : `the ${party}`;
  const covering = cases.filter(({ info }) => info.covers.includes(id));
  const excuse = excuseOf(id);
  const unjudged = excuse ? `none, ${excuse.kind}: ${excuse.reason}` : 'none yet';
  return [
    id,
    `  ${text}`,
    fact('level', `${level}, binds ${binds}`),
    fact('section', `${versionName(version)}, ${section} ${sectionTitle(version, section) ?? ''}`.trimEnd()),
    fact('standard', specUrl(id)),
    ...(needs ? [fact('needs', needs)] : []),
    ...facts('cases', covering.length > 0 ? covering.map(({ info }) => `${info.id}  ${info.title}`) : [unjudged]),
  ];
}

function explainCase({ info, case: each }: SelectedCase): string[] {
  return [
    info.id,
    `  ${info.title}`,
    fact('section', `${versionName(info.version)}, ${info.section}`),
    ...(each.needs?.length ? [fact('needs', each.needs.join(', '))] : []),
    ...(each.waits ? [fact('waits', `${each.waits} s at least: the standard names this time`)] : []),
    ...(info.tags.length > 0 ? [fact('tags', info.tags.join(', '))] : []),
    ...info.covers.flatMap((id) => [
      fact(requirement(id).level, id),
      fact('', requirement(id).text),
      fact('', specUrl(id)),
    ]),
  ];
}

function separated(blocks: readonly string[][]): string[] {
  return blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]));
}

function facts(label: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => fact(index === 0 ? label : '', line));
}

function fact(label: string, text: string): string {
  return `  ${label.padEnd(11)}${text}`;
}
