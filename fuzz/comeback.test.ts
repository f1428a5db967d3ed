/** A broker that this tool starts, and that dies of one case among many: the run finds that case, and goes on. */

import { afterEach, describe, expect, it } from 'vitest';
import { type BrokerCommand, BrokerProcess } from '../harness/broker-process.ts';
import { realClock } from '../harness/clock.ts';
import { type Death, mortalBroker } from '../harness/mortal-broker.fixture.ts';
import { freePort } from '../harness/port.ts';
import { parseTarget } from '../harness/target.ts';
import { connect, subscribe } from '../harness/wire/build.ts';
import { comeBack } from './comeback.ts';
import { dataFrom } from './data.ts';
import type { FuzzEvent } from './events.ts';
import { fuzz } from './fuzz.ts';
import { lookForLife } from './oracle/alive.ts';
import { play } from './play.ts';
import { fuzzConsole } from './report/console.ts';
import type { Script, Step } from './script.ts';

const trigger = '/fatal';
/** A deadline for a slow machine: nothing takes so long. */
const patienceMs = 50_000;
const manners = { answersBeforeClose: true, closesAfterFin: true };
const started: BrokerProcess[] = [];

afterEach(async () => {
  for (const each of started.splice(0)) await each.stop();
});

const hello: Step = { client: 0, do: 'send', packet: dataFrom(connect({ clientId: 'CASE00a' })) };
const deadly: Step = { client: 0, do: 'send', packet: dataFrom(subscribe(1, [`CASE00${trigger}`, 0])) };

function scriptOf(...steps: readonly Step[]): Script {
  return { clients: [{ version: 'v3' }], steps: [hello, ...steps] };
}

async function broker(command: string, options: Partial<BrokerCommand> = {}) {
  const port = await freePort();
  const process = new BrokerProcess({ command: command.replace('{port}', String(port)), port, ...options });
  started.push(process);
  process.start();
  return { ...parseTarget(`127.0.0.1:${port}`), process };
}

const usual = Array.from({ length: 30 }, () => ({ name: 'usual', script: scriptOf() }));
const cases = [...usual, { name: 'deadly', script: scriptOf(deadly, { client: 0, do: 'fence' }) }, ...usual];

async function run(target: Awaited<ReturnType<typeof broker>>) {
  const events: FuzzEvent[] = [];
  const limits = { regression: cases, runs: cases.length, seed: 'comeback', jobs: 4 };
  for await (const event of fuzz({ target, versions: ['v3'], waitForMs: patienceMs, ...limits })) events.push(event);
  const finished = events.at(-1);
  if (finished?.type !== 'fuzz-finished') throw new Error('no end');
  const warnings = events.flatMap((event) => (event.type === 'fuzz-warning' ? [event.text] : []));
  const alive = finished.discoveries.filter(({ finding }) => finding.oracle === 'alive');
  return { ...finished, warnings, alive, events };
}

describe('a broker that dies', () => {
  it.each<[Death, string, RegExp]>([
    ['exit', 'gone: exit code 3', /^the broker ended with exit code 3$/],
    ['SIGSEGV', 'gone: SIGSEGV', /^the broker ended by SIGSEGV \(exit code 139\)$/],
  ])('is started again, and the case is found: %s', async (death, kind, how) => {
    const target = await broker(await mortalBroker(trigger, death));
    const { exitCode, problem, alive, counts, warnings, events } = await run(target);
    expect([exitCode, problem]).toEqual([1, undefined]);
    // Those that were at work are not counted.
    expect(counts.cases).toBeGreaterThan(1.5 * usual.length);
    const found = alive.find(({ finding }) => finding.kind === kind);
    expect(found?.certainty).toBe('confirmed');
    expect(JSON.stringify(found?.script)).toContain(trigger);
    const [first, ...others] = found?.finding.actual.split('\n') ?? [];
    expect(first).toMatch(how);
    expect(others).toContain(`  assertion failed: ${trigger}`);
    expect(warnings.join('\n')).toMatch(/, and was started again$/m);
    const text = events.map(fuzzConsole({ terminal: false, colors: false, quiet: false, reports: [] })).join('');
    expect(text).toContain(`\n               assertion failed: ${trigger}\n`);
    expect(text).toMatch(new RegExp(`^  ✖ alive-\\S+ {2}\\d+ cases? {2}${how.source.slice(1)}`, 'm'));
  });

  it('is killed and started again when it hangs', async () => {
    const { process, transport } = await broker(await mortalBroker(trigger, 'hang'));
    const stage = { transport, clock: realClock, timeoutMs: 500, manners };
    const endMs = performance.now() + patienceMs;
    while ((await lookForLife(stage)) !== undefined && performance.now() < endMs);
    await play(scriptOf(deadly), stage);
    const why = await lookForLife(stage);
    expect(why).toBeDefined();
    const lost = { stage, version: 'v3', process, why: String(why), isInterrupted: () => false } as const;
    const { isBack, end } = await comeBack(lost);
    expect(isBack).toBe(true);
    expect(end).toMatchObject({ wasKilled: true, isOfItself: false });
    expect(end?.said).toContain(`assertion failed: ${trigger}`);
    expect(await lookForLife(stage)).toBeUndefined();
  });

  it('counts although no case does it again', async () => {
    const target = await broker(await mortalBroker(trigger, 'SIGSEGV', { once: true }));
    const { exitCode, alive } = await run(target);
    expect(exitCode).toBe(1);
    expect(alive).toMatchObject([{ certainty: 'seen once', finding: { kind: 'gone: SIGSEGV' } }]);
  });

  it('is given up when it was started again too often', async () => {
    const target = await broker(await mortalBroker(trigger, 'exit'), { restartsAtMost: 1 });
    const { exitCode, problem, alive } = await run(target);
    expect(exitCode).toBe(1);
    expect(problem).toMatch(
      /^the target is lost: the broker ended with exit code 3; it was started again so often [^\n]+$/,
    );
    expect(alive).toHaveLength(1);
  });

  it('gives no verdict if it ends before it serves', async () => {
    const { exitCode, problem } = await run(await broker('echo "Error: no licence"; exit 7'));
    expect([exitCode, problem]).toEqual([3, 'the broker ended with exit code 7: Error: no licence']);
  });
});
