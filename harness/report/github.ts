/** What GitHub Actions shows beside the log: annotations of the first failures, and a job summary in Markdown. */

import type { RunEvent } from '../events.ts';
import { versionName } from '../spec/index.ts';
import { actually, explain, verdictNames } from './explanation.ts';
import { type Finished, finishedCases, fold, type Report } from './fold.ts';
import { block, markdown, table } from './markdown.ts';
import { countRows, gates, reasons, tally, totals, traits, verdictLine } from './summary.ts';
import { clean, plural } from './text.ts';

/** GitHub shows ten annotations of a step; one is left for what follows. */
const mostAnnotations = 9;
/** A job summary may have 1 MiB. */
const mostExplained = 20;

/** Workflow commands: at most nine errors, and how many there are beyond. Empty if nothing failed. */
export function annotations(events: Iterable<RunEvent>): string {
  const report = fold(events);
  const failed = failures(report);
  const lines = failed
    .slice(0, mostAnnotations)
    .map(({ info, result }) => command('error', `${verdictNames[result.verdict]}: ${info.id}`, actually(result)));
  if (failed.length > mostAnnotations) {
    lines.push(command('notice', 'mqtt-conform', `and ${failed.length - mostAnnotations} more`));
  }
  if (failed.length === 0 && report.finished?.exitCode !== 0) {
    lines.push(command('error', 'mqtt-conform', verdictLine(report).text));
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** The job summary. */
export function jobSummary(events: Iterable<RunEvent>): string {
  const report = fold(events);
  const { conformant, text } = verdictLine(report);
  const target = report.started ? `${code(report.started.target)}, ` : '';
  const versions = report.started?.versions.map(versionName).join(' and ') ?? '';
  return [
    `### ${conformant ? '✅' : report.finished?.exitCode === 1 ? '❌' : '⚠️'} ${markdown(text)}`,
    '',
    `${target}${versions}`,
    '',
    ...table(
      ['verdict', 'cases'],
      countRows(tally(report)).map(([name, number]) => [name, String(number)]),
    ),
    ...table(
      ['level', 'passed', 'applicable'],
      totals(report).map((total) => [total.strength, String(total.passed), String(total.applicable)]),
    ),
    ...failedSection(failures(report), report),
    ...list('Not applicable', reasons(report, 'not-applicable').map(reasonLine)),
    ...list('Could not run', reasons(report, 'could-not-run').map(reasonLine)),
    ...list(
      'Traits',
      traits(report).map(({ name, value }) => `${name}: ${value}`),
    ),
  ].join('\n');
}

function failures(report: Report): Finished[] {
  return finishedCases(report).filter(({ info, result }) => gates(info, result));
}

function failedSection(failed: readonly Finished[], report: Report): string[] {
  if (failed.length === 0) return [];
  const targetOptions = report.started?.targetOptions ?? '';
  const details = failed
    .slice(0, mostExplained)
    .flatMap(({ info, result }) => [
      `<details><summary>${code(info.id)} ${markdown(actually(result))}</summary>`,
      '',
      ...block(explain(info, result, { targetOptions })),
      '',
      '</details>',
      '',
    ]);
  const rest = failed.length - mostExplained;
  return ['#### Failures', '', ...details, ...(rest > 0 ? [`and ${rest} more`, ''] : [])];
}

function reasonLine({ reason, cases }: { reason: string; cases: readonly string[] }): string {
  return `${plural(cases.length, 'case')}: ${reason}`;
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`#### ${title}`, '', ...lines.map((line) => `- ${markdown(line)}`), ''];
}

function code(text: string): string {
  return `<code>${markdown(text)}</code>`;
}

function command(kind: 'error' | 'notice', title: string, message: string): string {
  const escaped = (text: string) => clean(text).replaceAll('%', '%25');
  const property = escaped(title).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return `::${kind} title=${property}::${escaped(message)}`;
}
