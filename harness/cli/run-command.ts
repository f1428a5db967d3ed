/** The command `run`: from arguments to a followed run, against the target or against the embedded reference broker. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Baseline, baselineName, checkCasesExist, readBaseline } from '../baseline.ts';
import { BrokerProcess, defaultReadyMs } from '../broker-process.ts';
import { Unreachable, UsageError } from '../errors.ts';
import type { ExitCode, RunEvent } from '../events.ts';
import { freePort } from '../port.ts';
import type { RunOptions } from '../run.ts';
import { allCases, type SelectedCase, select } from '../select.ts';
import type { Strength, Version } from '../spec/index.ts';
import type { Target } from '../target.ts';
import { follow } from './follow.ts';
import type { Io } from './io.ts';
import { openReports, runReports } from './report-files.ts';
import { expandSelectors, quote, type ReportKind } from './values.ts';

/** What says where the broker is. */
export interface TargetArguments {
  readonly target?: string;
  /** A command that starts the broker. */
  readonly start?: string;
  readonly waitFor?: number;
  readonly user?: string;
  readonly password?: string;
  readonly authSecret?: string;
  readonly deniedTopic?: string;
  readonly prefix?: string;
}

/** What says which cases. */
export interface SelectArguments {
  readonly exclude?: readonly string[];
  readonly mqtt?: readonly Version[];
  readonly level?: readonly Strength[];
}

/** Everything that `run` takes. Times are in milliseconds. */
export interface RunArguments extends TargetArguments, SelectArguments {
  /** A file, or false for none. */
  readonly baseline?: string | false;
  readonly jobs?: number;
  readonly timeout?: number;
  readonly tolerance?: number;
  readonly retries?: number;
  readonly bail?: number | true;
  readonly maxTime?: number;
  readonly seed?: string;
  /** Fuzz cases a second on other connections; true for as many as usual. */
  readonly noise?: number | true;
  readonly trace?: 'failures' | 'all';
  readonly report?: readonly ReportKind[];
  readonly out?: string;
  readonly verbose: number;
  readonly quiet?: boolean;
  readonly color: boolean;
}

const defaultDirectory = 'mqtt-conform-report';

/** Runs the selected cases and reports. */
export async function runCommand(selectors: readonly string[], given: RunArguments, io: Io): Promise<ExitCode> {
  const { all, cases } = await casesToRun(selectors, given, io);
  const isNamed = namesTarget(given, io);
  const baseline = await findBaseline(given, isNamed, all, io);
  if (given.out !== undefined && !given.report) throw new UsageError('--out: no report is asked for; add -r junit');
  const files = openReports(runReports, given.report ?? [], given.out ?? defaultDirectory, io.cwd);
  const verbosity = given.quiet ? -1 : Math.max(given.verbose, given.trace === 'all' ? 2 : 0);
  const { target, close } = await openTarget(given, io);
  let noise: Awaited<ReturnType<typeof startNoise>> | undefined;
  try {
    noise = given.noise === undefined ? undefined : await startNoise(target, given.noise, given.seed);
    return await follow(
      await startRun(target, cases, { ...given, trace: verbosity > 1 ? 'all' : 'failures' }, baseline, io.signal),
      {
        color: given.color,
        verbosity,
        files,
        ...(isNamed && { acceptCommand: acceptCommand(files.paths, target, selectors) }),
        ...remarkOf(isNamed, noise?.seed),
      },
      io,
    );
  } finally {
    await noise?.stop();
    await close();
  }
}

/** Fuzz cases on other connections for as long as the run takes. */
async function startNoise(target: Target, noise: number | true, given = randomSeed()) {
  const { Noise } = await import('../../fuzz/noise.ts');
  const playing = new Noise({ target, seed: given, ...(noise !== true && { perSecond: noise }) });
  playing.start();
  return { seed: given, stop: () => playing.stop() };
}

function randomSeed(): string {
  return Math.random().toString(36).slice(2, 8);
}

/** What is to be said before the results. */
function remarkOf(isNamed: boolean, noise: string | undefined): { remark?: string } {
  const remarks = [
    ...(!isNamed ? ['no --target is given: this run shows the embedded reference broker'] : []),
    ...(noise === undefined
      ? []
      : [`with noise: fuzz cases run beside the cases, and a crash may be theirs (mqtt-conform fuzz --seed ${noise})`]),
  ];
  return remarks.length > 0 ? { remark: remarks.join('; ') } : {};
}

/** All cases there are, and the selected ones. */
export async function selectCases(
  selectors: readonly string[],
  given: SelectArguments,
  io: Io,
): Promise<{ all: readonly SelectedCase[]; cases: SelectedCase[] }> {
  const { chapters } = await import('../../suites/index.ts');
  const all = allCases(chapters);
  const cases = select(all, {
    include: await expandSelectors(selectors, io.cwd),
    exclude: await expandSelectors(given.exclude ?? [], io.cwd),
    versions: given.mqtt ?? ['v3', 'v5'],
    levels: given.level ?? ['MUST', 'SHOULD', 'MAY'],
  });
  return { all, cases };
}

/** What a run without selectors leaves out: cases that wait for minutes, which run when they are selected (`tag:slow`). */
export async function casesToRun(
  selectors: readonly string[],
  given: SelectArguments,
  io: Io,
): Promise<{ all: readonly SelectedCase[]; cases: SelectedCase[] }> {
  const { all, cases } = await selectCases(selectors, given, io);
  return { all, cases: selectors.length > 0 ? cases : cases.filter(({ info }) => !info.tags.includes('slow')) };
}

/** Where the broker is, by the option or the environment. */
function targetAddress(given: TargetArguments, io: Io): string | undefined {
  return given.target ?? (io.env.MQTT_CONFORM_TARGET || undefined);
}

/** Whether there is a broker of the user's: without, the reference broker stands in. */
export function namesTarget(given: TargetArguments, io: Io): boolean {
  return given.start !== undefined || targetAddress(given, io) !== undefined;
}

/** How long the target is waited for, in milliseconds: one that is started here always needs a while. */
export function waitForMs(given: TargetArguments): number | undefined {
  return given.waitFor ?? (given.start === undefined ? undefined : defaultReadyMs);
}

/**
 * The target, which is started if the user says how; or the reference broker on a free port of the loopback interface. Until `close` is called
 * there may be processes.
 * @throws UsageError if the target cannot be what the user says
 */
export async function openTarget(
  given: TargetArguments,
  io: Io,
): Promise<{ target: Target; close: () => Promise<void> }> {
  const { parseTarget } = await import('../target.ts');
  const address = targetAddress(given, io);
  if (given.start !== undefined) return startTarget(given.start, given, address, io);
  if (address !== undefined) return { target: await namedTarget(given, address), close: async () => {} };
  const [{ createBroker }, { listen }] = await Promise.all([
    import('../../reference-broker/broker.ts'),
    import('../../reference-broker/listen.ts'),
  ]);
  // The embedded broker shows what needs a secret or a denied topic, too.
  const secret = given.authSecret ?? 'mqtt-conform';
  const deniedTopic = given.deniedTopic ?? 'mqtt-conform/denied';
  const broker = createBroker({ secret, denied: [deniedTopic] });
  const listener = await listen(broker, { port: 0, host: '127.0.0.1' });
  const target = {
    ...parseTarget(`127.0.0.1:${listener.port}`),
    name: 'the reference broker',
    options: '',
    secret,
    deniedTopic,
  };
  return { target, close: async () => listener.close() };
}

async function namedTarget(given: TargetArguments, address: string): Promise<Target> {
  const { parseTarget } = await import('../target.ts');
  const target = parseTarget(address, {
    ...(given.user !== undefined ? { userName: given.user } : {}),
    ...(given.password !== undefined ? { password: given.password } : {}),
  });
  return {
    ...target,
    ...(given.authSecret !== undefined && { secret: given.authSecret }),
    ...(given.deniedTopic !== undefined && { deniedTopic: given.deniedTopic }),
  };
}

/** Starts the broker; whoever uses the target waits for it. */
async function startTarget(start: string, given: TargetArguments, address: string | undefined, io: Io) {
  if (process.platform === 'win32')
    throw new UsageError('--start needs a POSIX shell; start the broker, and give --target');
  if (start.trim() === '') throw new UsageError('--start: there is no command');
  if (address === undefined && !start.includes('{port}')) {
    throw new UsageError(
      `--start: write {port} where the command takes its port, or say with --target where it listens`,
    );
  }
  const named = await namedTarget(given, address ?? `127.0.0.1:${await freePort()}`);
  const port = Number(named.name.replace(/^.*:/, ''));
  if (await isServed(named)) throw new UsageError(`--start: something listens at ${named.name} already`);
  const broker = new BrokerProcess({
    command: start.replaceAll('{port}', String(port)),
    port,
    cwd: io.cwd,
    env: io.env,
    readyMs: waitForMs(given) ?? defaultReadyMs,
  });
  const options = [`--start ${quote(start)}`, ...(address === undefined ? [] : [named.options])].join(' ');
  broker.start();
  return { target: { ...named, options, process: broker }, close: () => broker.stop() };
}

/** What listens where the broker is to listen would be taken for it. */
async function isServed({ transport }: Target): Promise<boolean> {
  try {
    (await transport.open({ data: () => {}, closed: () => {} }, 2_000)).reset();
    return true;
  } catch (error) {
    if (error instanceof Unreachable) return false;
    throw error;
  }
}

/** The events of a run with these arguments. */
export async function startRun(
  target: Target,
  cases: readonly SelectedCase[],
  given: RunArguments,
  baseline?: Baseline,
  signal?: AbortSignal,
): Promise<AsyncIterable<RunEvent>> {
  const { run } = await import('../run.ts');
  const options: { -readonly [K in keyof RunOptions]: RunOptions[K] } = { target, cases };
  if (given.jobs !== undefined) options.jobs = given.jobs;
  if (given.timeout !== undefined) options.timeoutMs = given.timeout;
  if (given.tolerance !== undefined) options.toleranceMs = given.tolerance;
  if (given.retries !== undefined) options.retries = given.retries;
  if (given.bail !== undefined) options.bail = given.bail === true ? 1 : given.bail;
  if (given.maxTime !== undefined) options.maxTimeMs = given.maxTime;
  const waitMs = waitForMs(given);
  if (waitMs !== undefined) options.waitForMs = waitMs;
  if (given.prefix !== undefined) options.prefix = given.prefix;
  if (given.seed !== undefined) options.seed = given.seed;
  if (given.trace === 'all') options.traceAll = true;
  if (baseline) options.baseline = baseline;
  if (signal) options.signal = signal;
  return run(options);
}

/** The named baseline, or the one in the working directory, which is about a broker of the user's, not the embedded one. */
async function findBaseline(
  given: RunArguments,
  hasTarget: boolean,
  all: readonly SelectedCase[],
  io: Io,
): Promise<Baseline | undefined> {
  if (given.baseline === false) return undefined;
  const found = hasTarget && existsSync(resolve(io.cwd, baselineName)) ? baselineName : undefined;
  const name = given.baseline ?? found;
  if (name === undefined) return undefined;
  const baseline = await readBaseline(resolve(io.cwd, name), name);
  checkCasesExist(baseline, new Set(all.map(({ info }) => info.id)));
  return baseline;
}

function acceptCommand(paths: readonly string[], target: Target, selectors: readonly string[]): string {
  const record = paths.find((path) => path.endsWith('json'));
  const source = record ? [`--from ${quote(record)}`] : [target.options, ...selectors.map(quote)];
  return ['npx mqtt-conform baseline write', ...source].join(' ');
}
