/** Recorded runs side by side as Markdown: brokers as columns, broken requirements as rows, and below each finding with its packets. */

import type { CaseInfo, CaseResult, RunEvent, Verdict, WireEntry } from '../events.ts';
import { type RequirementId, requirement, requirementIds, specUrl, versionName } from '../spec/index.ts';
import { actually, explain, namedRequirement, verdictNames } from './explanation.ts';
import { type Finished, finishedCases, fold, groupBy, type Report } from './fold.ts';
import { block, code, markdown, table } from './markdown.ts';
import { lacks, notSpokenLines, tally, totals, traits, verdictLine } from './summary.ts';
import { enumerate, plural, shorten } from './text.ts';

/** The recording of one broker. */
export interface Recording {
  /** How the broker is called: `mosquitto 2.0.11`. The target's address unless given. */
  readonly name?: string | undefined;
  readonly events: Iterable<RunEvent>;
}

interface Column {
  readonly name: string;
  readonly report: Report;
  readonly finished: readonly Finished[];
  /** What stands against the broker, known or not. */
  readonly broken: readonly Finished[];
  /** Options that name the target on a command line. */
  readonly targetOptions: string;
}

const against: ReadonlySet<Verdict> = new Set(['fail', 'crash', 'flaky', 'expected-failure']);

/** The document. One recording gives the report of that run. */
export function matrix(recordings: readonly Recording[]): string {
  const columns = recordings.map((each) => columnOf(each, recordings.length > 1 ? elsewhere : undefined));
  const rows = brokenRequirements(columns);
  const examples: Examples = new Map();
  const lines = [
    `# ${columns.length === 1 ? (columns[0]?.name ?? '') : 'Brokers side by side'}`,
    '',
    ...overview(columns),
    ...violations(columns, rows),
    ...traitTable(columns),
    ...columns.flatMap((column) => brokerSection(column, examples)),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

/** Where brokers are recorded to be compared, their addresses tell nobody anything. */
const elsewhere = '-t localhost:1883';

function columnOf({ name, events }: Recording, targetOptions: string | undefined): Column {
  const report = fold(events);
  const finished = finishedCases(report);
  return {
    name: markdown(name ?? report.started?.target ?? 'no target'),
    report,
    finished,
    broken: finished.filter(({ result }) => against.has(result.verdict)),
    targetOptions: targetOptions ?? report.started?.targetOptions ?? '',
  };
}

/** Each verdict that occurs, then cases passed of those that apply, by level. */
function overview(columns: readonly Column[]): string[] {
  const tallies = columns.map(({ report }) => tally(report));
  const verdicts = Object.entries(verdictNames) as [Verdict, string][];
  const levels = columns.map(({ report }) => totals(report));
  const versions = [...new Set(columns.flatMap(({ report }) => report.started?.versions ?? []))].map(versionName);
  const row = (name: string, cells: readonly number[]) => (cells.some(Boolean) ? [[name, ...cells.map(String)]] : []);
  return [
    versions.join(', '),
    '',
    ...table(
      ['cases', ...columns.map(({ name }) => name)],
      [
        ...verdicts.flatMap(([verdict, name]) =>
          row(
            name,
            tallies.map(({ counts }) => counts[verdict]),
          ),
        ),
        ...row(
          'not run',
          tallies.map(({ left }) => left),
        ),
        ...(['MUST', 'SHOULD', 'MAY'] as const).map((strength) => [
          `${strength}: passed of applicable`,
          ...levels.map((own) => {
            const total = own.find((each) => each.strength === strength);
            return total ? `${total.passed} of ${total.applicable}` : '–';
          }),
        ]),
      ],
    ),
  ];
}

/** In the order of the standard: each requirement that is the first to name for a finding. */
function brokenRequirements(columns: readonly Column[]): RequirementId[] {
  const named = new Set(
    columns.flatMap(({ broken }) => broken.map(({ info, result }) => namedRequirement(info, result))),
  );
  return requirementIds.filter((id) => named.has(id));
}

function violations(columns: readonly Column[], rows: readonly RequirementId[]): string[] {
  if (rows.length === 0) return ['No requirement is broken.', ''];
  return [
    '## Broken requirements',
    '',
    'A number counts the cases that show the requirement broken. ✓: none does, and one that judges it passed. –: none applies. ?: none has a verdict on it.',
    '',
    ...table(
      ['requirement', ...columns.map(({ name }) => name)],
      rows.map((id) => [described(id), ...columns.map((column) => cell(column, id))]),
    ),
  ];
}

function described(id: RequirementId): string {
  const { level, text } = requirement(id);
  return `[${markdown(id)}](${specUrl(id)}) **${level}** ${markdown(text)}`;
}

function cell({ report, finished, broken }: Column, id: RequirementId): string {
  const count = broken.filter(({ info, result }) => blames(info, result, id)).length;
  if (count > 0) return String(count);
  const own = finished.filter(({ info }) => info.covers.includes(id)).map(({ result }) => result.verdict);
  if (own.some((verdict) => ['pass', 'info', 'non-strict'].includes(verdict))) return '✓';
  const planned = report.cases.filter(({ covers }) => covers.includes(id)).length;
  return own.length === planned && own.every((verdict) => verdict === 'not-applicable') ? '–' : '?';
}

function blames(info: CaseInfo, result: CaseResult, id: RequirementId): boolean {
  return result.finding?.requirements.includes(id) || namedRequirement(info, result) === id;
}

/** What the brokers chose where the standard leaves it open; only where they differ, when there are several. */
function traitTable(columns: readonly Column[]): string[] {
  const values = columns.map(({ report }) => new Map(traits(report).map(({ name, value }) => [name, value])));
  const names = [...new Set(values.flatMap((own) => [...own.keys()]))].filter(
    (name) => columns.length === 1 || new Set(values.flatMap((own) => own.get(name) ?? [])).size > 1,
  );
  if (names.length === 0) return [];
  return [
    '## Traits',
    '',
    `What the standard leaves open${columns.length > 1 ? ', where the brokers differ' : ''}. None of this is a finding.`,
    '',
    ...table(
      ['trait', ...columns.map(({ name }) => name)],
      names.map((name) => [markdown(name), ...values.map((own) => markdown(own.get(name) ?? '–'))]),
    ),
  ];
}

function brokerSection(column: Column, examples: Examples): string[] {
  const { name, report, finished, broken } = column;
  const missing = report.started ? lacks(report.started) : [];
  const weak = finished.filter(({ result }) => result.verdict === 'non-strict');
  const stopped = finished.filter(({ result }) => result.verdict === 'could-not-run');
  const requirements = groupBy(broken, ({ info, result }) => namedRequirement(info, result) ?? '');
  return [
    `## ${name}`,
    '',
    `**${markdown(verdictLine(report).text)}**`,
    '',
    ...(report.started ? notSpokenLines(report.started).map((line) => `- ${markdown(line.trim())}`) : []),
    ...missing.map(({ name, why }) => `- without ${code(name)}: ${markdown(why)}`),
    ...(missing.length > 0 || report.started?.notSpoken ? [''] : []),
    ...[...requirements]
      .sort(byStandard)
      .flatMap(([id, group]) => requirementSection(id as RequirementId, group, column, examples)),
    ...outcomeList('Right, but not as it should be', weak),
    ...outcomeList('Could not run', stopped),
  ];
}

function byStandard([a]: [string, unknown], [b]: [string, unknown]): number {
  return requirementIds.indexOf(a as RequirementId) - requirementIds.indexOf(b as RequirementId);
}

/** Whose packets stand above, by requirement, case and outcome: another broker that ends alike has the same ones. */
type Examples = Map<string, string>;

/**
 * All that breaks one requirement: the most frequent outcome with its packets, unless these stand above with another broker, the others
 * in a line each.
 */
function requirementSection(
  id: RequirementId,
  group: readonly Finished[],
  { name, targetOptions }: Column,
  examples: Examples,
): string[] {
  const heading = `### ${markdown(id)} (${plural(group.length, 'case')})`;
  const outcomes = byOutcome(group);
  const [most = []] = outcomes;
  const key = ({ info, result }: Finished) => [id, info.id, outcome(result)].join('\n');
  const known = most.find((each) => examples.has(key(each)));
  if (known) {
    const above = ` (packets: ${code(known.info.id)} at ${examples.get(key(known))})`;
    return [heading, ...outcomes.map((each) => outcomeLine(each) + (each === most ? above : '')), ''];
  }
  const [example, ...same] = most;
  if (!example) return [];
  examples.set(key(example), name);
  return [
    // Without empty lines between what belongs together: these are the lines that make the document long.
    heading,
    ...block(explain(example.info, shortened(example.result), { targetOptions })),
    ...(same.length > 0 ? [`- the same: ${named(same)}`] : []),
    ...outcomes.slice(1).map(outcomeLine),
    '',
  ];
}

function outcomeList(title: string, group: readonly Finished[]): string[] {
  return group.length === 0 ? [] : [`### ${title}`, '', ...byOutcome(group).map(outcomeLine), ''];
}

const longestOutcome = 120;
const mostNamed = 3;

function outcomeLine(group: readonly Finished[]): string {
  const happened = group.slice(0, 1).map(({ result }) => markdown(shorten(actually(result), longestOutcome)));
  return `- ${happened}: ${named(group)}`;
}

function named(group: readonly Finished[]): string {
  const ids = group.map(({ info }) => code(info.id));
  return enumerate(ids, mostNamed);
}

/** Groups what happened in the same way, the most frequent first. */
function byOutcome(group: readonly Finished[]): Finished[][] {
  return [...groupBy(group, ({ result }) => outcome(result)).values()].sort((a, b) => b.length - a.length);
}

/** What happened, without what differs from case to case: names made for it, payloads, Packet Identifiers. */
function outcome(result: CaseResult): string {
  return actually(result)
    .replace(/^.*, and (?=PINGREQ still answered)/, '')
    .replace(/; what came instead: .*/, '')
    .replace(/('[^']*'(, )?)+/g, "'…'")
    .replace(/\b(id=|PUBACK |PUBREC |PUBREL |PUBCOMP |SUBACK |UNSUBACK |message |number )\d+/g, '$1…')
    .replace(/\S*\/\S*/g, '…/…');
}

/** The deviation is at the end: this many entries of it are kept, and all that are marked. */
const lastEntries = 4;

function shortened(result: CaseResult): CaseResult {
  const { trace } = result;
  const kept = trace.filter((entry, index) => entry.mark || index >= trace.length - lastEntries);
  const left = trace.length - kept.length;
  const [first] = kept;
  if (left < 2 || !first) return result;
  const note: WireEntry = {
    at: trace[0]?.at ?? 0,
    peer: first.peer,
    direction: 'note',
    reading: `${left} entries are left out`,
  };
  return { ...result, trace: [note, ...kept] };
}
