/** A finding of the fuzzer in words: requirement, what was expected and what happened, the packets, and how to see it again. */

import { dump } from '../../harness/report/dump.ts';
import { clean, type Paint, plain, plural } from '../../harness/report/text.ts';
import { requirement } from '../../harness/spec/index.ts';
import { type Discovery, gates } from '../events.ts';
import { shellLines } from '../print.ts';
import type { Finding } from '../record.ts';

export interface ExplanationOptions {
  /** Options that name the target on a command line; empty for the reference broker. */
  readonly targetOptions: string;
  readonly paint?: Paint;
  readonly columns?: number;
}

/** The whole explanation, as lines that can be pasted into a bug report. */
export function explainDiscovery(discovery: Discovery, options: ExplanationOptions): string[] {
  const { paint = plain, targetOptions, columns } = options;
  const { finding, script, suspects } = discovery;
  const [named] = finding.requirements;
  const facts: [string, string][] = finding.expected.map((outcome, index) =>
    index === 0 ? ['expected', clean(outcome)] : ['', `or ${clean(outcome)}`],
  );
  for (const [index, line] of linesOf(finding).entries())
    facts.push([index === 0 ? 'actual' : '', paint.red(clean(line))]);
  if (finding.requirements.length > 1) facts.push(['breaks too', finding.requirements.slice(1).join(', ')]);
  if (finding.unclear) facts.push(['unclear', 'the standard leaves it open, or it cannot be told from outside']);
  facts.push(['seen', `${certainty(discovery)}; ${plural(discovery.cases, 'case')}, first ${originOf(discovery)}`]);
  facts.push(['script', `${plural(script.steps.length, 'step')} of ${plural(script.clients.length, 'client')}`]);
  if (discovery.sharedWith) facts.push(['shared', `${discovery.sharedWith} does the same: perhaps this tool is wrong`]);
  const { elsewhere } = discovery;
  if (elsewhere)
    facts.push(['elsewhere', `${elsewhere.name}: ${listed(elsewhere.there)}; here: ${listed(elsewhere.here)}`]);
  if (suspects?.length)
    facts.push(['or', `one of ${suspects.length} other scripts that were at work, kept in the file`]);
  const fact = ([label, text]: [string, string]) => `  ${paint.dim(label.padEnd(11))}${text}`;
  return [
    heading(discovery, paint),
    ...(named ? [`  ${requirement(named).text}`] : []),
    ...facts.map(fact),
    ...dump(discovery.trace, { paint, ...(columns ? { columns } : {}) }),
    ...shell(discovery, targetOptions).map((line, index) => fact([index === 0 ? 'by hand' : '', line])),
    ...(discovery.file ? [fact(['reproduce', paint.bold(replayCommand(discovery.file, targetOptions))])] : []),
  ];
}

function listed(what: readonly string[]): string {
  return clean(what.join(', ')) || 'nothing more';
}

/** Longer lines say no more than the file. */
const longestShell = 400;

function shell({ script }: Discovery, targetOptions: string): string[] {
  const [, host = 'localhost', port = '1883'] = /-t (\S+):(\d+)/.exec(targetOptions) ?? [];
  const lines = shellLines(script, host, Number(port));
  return lines.join('\n').length <= longestShell ? lines : [];
}

/** The command that plays a finding again. */
export function replayCommand(file: string, targetOptions: string): string {
  return ['npx mqtt-conform replay', file, targetOptions].filter(Boolean).join(' ');
}

/** One line: what was found. */
export function headline({ finding }: Discovery): string {
  return clean(linesOf(finding)[0] ?? '');
}

/** What happened; with the last output of a broker that ended it is more than one line. */
function linesOf({ oracle, actual }: Finding): readonly string[] {
  return oracle === 'alive' ? actual.split('\n') : [actual];
}

/** How sure it is, in words. */
export function certainty({ certainty: how }: Discovery): string {
  switch (how) {
    case 'confirmed':
      return 'again each time';
    case 'flaky':
      return 'again only sometimes (flaky)';
    case 'not reproduced':
      return 'not again when played alone, so it does not count';
    case 'not repeatable':
      return 'the target did not come back, so it could not be tried again';
    case 'seen once':
      return 'no case does it again when played alone; the broker ended of itself, so it counts';
    case 'not tried':
      return 'over the whole run, in no case alone';
  }
}

function originOf({ origin, seed }: Discovery): string {
  const what = origin.name ?? (origin.kind ? `${origin.from}, ${origin.kind}` : origin.from);
  return `no. ${origin.index} (${what}) of seed ${seed}`;
}

function heading(discovery: Discovery, paint: Paint): string {
  const { finding, id } = discovery;
  const [named] = finding.requirements;
  const sign = gates(discovery) ? paint.red(`✖ ${id}`) : paint.yellow(`! ${id}`);
  const rule = named ? `${paint.bold(requirement(named).level)} ${named} (section ${requirement(named).section})` : '';
  return [sign, finding.oracle, rule].filter(Boolean).join('   ');
}
