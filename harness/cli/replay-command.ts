/** The command `replay`: plays a finding, a script or bytes in hex again, and says what happens. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import pc from 'picocolors';
import type { Discovery } from '../../fuzz/events.ts';
import type { Stage } from '../../fuzz/play.ts';
import type { Finding, Recording } from '../../fuzz/record.ts';
import type { Script } from '../../fuzz/script.ts';
import { realClock } from '../clock.ts';
import { Unreachable, UsageError } from '../errors.ts';
import type { ExitCode } from '../events.ts';
import { dump } from '../report/dump.ts';
import { clean, type Paint, plain, plural } from '../report/text.ts';
import type { Target } from '../target.ts';
import { toolVersion } from '../version.ts';
import { embedded } from './fuzz-command.ts';
import { hasColors, type Io } from './io.ts';
import { namesTarget, openTarget, type TargetArguments, waitForMs } from './run-command.ts';
import { reasonOf } from './values.ts';

/** Everything that `replay` takes. Times are in milliseconds. */
export interface ReplayArguments extends TargetArguments {
  readonly timeout?: number;
  readonly times?: number;
  readonly minimise?: boolean;
  readonly color: boolean;
}

/** A process is over some time after its connections. */
const endingMs = 2_000;

/** Exit code 1 if any play shows a finding that counts. */
export async function replayCommand(file: string, given: ReplayArguments, io: Io): Promise<ExitCode> {
  const { parseScript } = await import('../../fuzz/foreign.ts');
  const script = parseScript(await read(file, io), file === '-' ? 'the standard input' : file);
  const { target, close }: { target: Target; close: () => Promise<void> } = namesTarget(given, io)
    ? await openTarget(given, io)
    : await embedded();
  try {
    const base = {
      transport: target.transport,
      clock: realClock,
      timeoutMs: given.timeout ?? 5_000,
      ...(target.credentials && { credentials: target.credentials }),
    };
    const stage = await stageOf(base, target, given, io);
    return await replay(script, stage, { given, io, target });
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    io.stderr.write(`mqtt-conform: ${clean(error.message)}\n`);
    return 3;
  } finally {
    await close();
  }
}

/** Where to play; waits for the target if it is to. Rejects with Unreachable. */
async function stageOf(base: Omit<Stage, 'manners'>, target: Target, given: ReplayArguments, io: Io): Promise<Stage> {
  const waitMs = waitForMs(given);
  if (waitMs === undefined) {
    const { findManners } = await import('../../fuzz/fence.ts');
    return { ...base, manners: await findManners(base) };
  }
  const { meet } = await import('../../fuzz/fuzz.ts');
  const met = await meet(base, { target, waitForMs: waitMs, ...(io.signal && { signal: io.signal }) });
  if (typeof met === 'string') throw new Unreachable(met);
  return met.stage;
}

async function read(file: string, io: Io): Promise<string> {
  if (file === '-') return text(process.stdin);
  try {
    return await readFile(resolve(io.cwd, file), 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${reasonOf(error)}`);
  }
}

interface Surroundings {
  readonly given: ReplayArguments;
  readonly io: Io;
  readonly target: Target;
}

async function replay(script: Script, stage: Stage, around: Surroundings): Promise<ExitCode> {
  const { given, io } = around;
  const [{ play }, { judgeAll }, { lookForLife }, { sweep }, { patient }] = await Promise.all([
    import('../../fuzz/play.ts'),
    import('../../fuzz/judge.ts'),
    import('../../fuzz/oracle/alive.ts'),
    import('../../fuzz/sweep.ts'),
    import('../../fuzz/verify.ts'),
  ]);
  const paint: Paint = hasColors(io, given.color) ? pc.createColors(true) : plain;
  const seen = new Map<string, { finding: Finding; recording: Recording; times: number }>();
  let last: Recording | undefined;
  let played = 0;
  let gone: string | undefined;
  while (played < (given.times ?? 1) && gone === undefined && !io.signal?.aborted) {
    last = await play(script, stage);
    played++;
    for (const found of judgeAll(last)) {
      const finding = await patient(found, script, stage);
      const known = seen.get(finding.kind);
      seen.set(finding.kind, { finding, recording: last, times: (known?.times ?? 0) + 1 });
    }
    gone = last.unreachable ?? (await lookForLife(stage));
    if (gone === undefined) await sweep(last, stage);
  }
  if (!last) return 130;
  const { traceOf } = await import('../../fuzz/finding.ts');
  if (seen.size === 0) print(io, dump(traceOf(last), { paint }));
  for (const { finding, recording, times } of seen.values()) {
    const discovery = await discoveryOf(finding, recording, times === played, stage, around);
    const { explainDiscovery } = await import('../../fuzz/report/explanation.ts');
    print(io, [
      '',
      ...explainDiscovery({ ...discovery, cases: times }, { targetOptions: around.target.options, paint }),
    ]);
    if (given.minimise) print(io, await printed(discovery));
  }
  const counting = [...seen.values()].filter(({ finding }) => !finding.unclear).length;
  if (gone !== undefined) {
    const end = await around.target.process?.endsWithin(endingMs);
    const said = end?.said.map((line) => `  ${clean(line)}`) ?? [];
    const why = end ? `the broker ${end.how}${said.length > 0 ? '; its last output:' : ''}` : clean(gone);
    print(io, ['', paint.red(`the target does not serve any more: ${why}`), ...said]);
  }
  print(io, ['', `${plural(played, 'play')} against ${around.target.name}: ${plural(counting, 'finding')}`]);
  if (io.signal?.aborted) return 130;
  return counting > 0 || gone !== undefined ? 1 : 0;
}

async function discoveryOf(
  finding: Finding,
  recording: Recording,
  isSure: boolean,
  stage: Stage,
  { given, io, target: { name } }: Surroundings,
): Promise<Discovery> {
  const { fingerprint, traceOf } = await import('../../fuzz/finding.ts');
  const discovery: Discovery = {
    id: fingerprint(finding),
    finding,
    certainty: isSure ? 'confirmed' : 'flaky',
    cases: 1,
    seed: '',
    origin: { from: 'replayed', index: 0 },
    target: name,
    tool: `mqtt-conform ${toolVersion}`,
    script: recording.script,
    trace: traceOf(recording, finding),
  };
  if (!given.minimise) return discovery;
  const { verify } = await import('../../fuzz/verify.ts');
  return verify(discovery, { stage, isHurried: () => io.signal?.aborted === true });
}

/** The smallest script as JSON, and as the source of a conformance case. */
async function printed({ script, finding, id }: Discovery): Promise<string[]> {
  const { caseSource } = await import('../../fuzz/print.ts');
  const { requirements, expected, actual } = finding;
  return [
    '',
    JSON.stringify(script),
    '',
    ...caseSource(script, { id, title: actual, requirements, expected }).split('\n'),
  ];
}

function print(io: Io, lines: readonly string[]): void {
  io.stdout.write(lines.map((line) => `${line}\n`).join(''));
}
