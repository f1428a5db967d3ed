import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../harness/cli/temporary.fixture.ts';
import { realClock } from '../harness/clock.ts';
import { memory, type Transport, tcp } from '../harness/transport.ts';
import { connect, publish } from '../harness/wire/build.ts';
import { type BrokerOptions, createBroker } from '../reference-broker/broker.ts';
import { dataFrom } from './data.ts';
import type { Discovery, FuzzEvent } from './events.ts';
import { faultyBroker } from './faulty.fixture.ts';
import { type FuzzOptions, fuzz } from './fuzz.ts';
import { caseName } from './record.ts';
import { fuzzConsole } from './report/console.ts';
import { fuzzJson, fuzzMarkdown } from './report/files.ts';
import { foldFuzz } from './report/fold.ts';
import { fuzzJunit } from './report/junit.ts';

type Options = Partial<Omit<FuzzOptions, 'target'>> & { readonly transport?: Transport };

async function run(broker: BrokerOptions, { transport, ...options }: Options = {}): Promise<FuzzEvent[]> {
  const target = { name: 'a test', options: '', transport: transport ?? memory(createBroker(broker)) };
  const events: FuzzEvent[] = [];
  const fixed = { seed: 'test', only: 'packets', runs: 300, regression: [], timeoutMs: 200 } as const;
  for await (const event of fuzz({ target, ...fixed, ...options })) events.push(event);
  return events;
}

function end(events: readonly FuzzEvent[]) {
  const last = events.at(-1);
  if (last?.type !== 'fuzz-finished') throw new Error('no end');
  return last;
}

const broken: BrokerOptions = { faults: ['v3/2.2.2-2'] };
const brokenRuns = 600;

describe('fuzz', () => {
  it('finds nothing in the reference broker', async () => {
    const { exitCode, discoveries, counts } = end(await run({}));
    expect({ exitCode, discoveries, cases: counts.cases }).toEqual({ exitCode: 0, discoveries: [], cases: 300 });
  });

  it('finds a broken gate, makes sure of it and makes it small', async () => {
    const saved: Discovery[] = [];
    const save = (discovery: Discovery) => {
      saved.push(discovery);
      return `${discovery.id}.json`;
    };
    const events = await run(broken, {
      runs: 1_500,
      save,
      against: { name: 'another', transport: memory(createBroker()) },
    });
    const { exitCode, discoveries } = end(events);
    expect(exitCode).toBe(1);
    const found = discoveries.find(({ finding }) => finding.requirements.some((id) => /2\.2\.2-/.test(id)));
    expect(found).toMatchObject({ certainty: 'confirmed', seed: 'test', target: 'a test' });
    expect(found?.finding.unclear).toBeUndefined();
    expect(found?.script.steps.length).toBeLessThanOrEqual(4);
    expect(saved.map(({ id }) => id)).toContain(found?.id);
  });

  it('does not count what another broker shows as well', async () => {
    const against = { name: 'another', transport: memory(createBroker(broken)) };
    const { exitCode, discoveries } = end(await run(broken, { runs: brokenRuns, against }));
    expect(discoveries.length).toBeGreaterThan(0);
    expect(discoveries.every(({ finding, sharedWith }) => finding.unclear && sharedWith === 'another')).toBe(true);
    expect(exitCode).toBe(0);
  });

  it('makes the same cases of the same seed, and others of another', async () => {
    const corpusOf = async (seed: string) => {
      const folder = await temporaryFolder();
      await run({}, { seed, corpusDirectory: folder });
      return readdirSync(folder).sort();
    };
    const [once, again, other] = [await corpusOf('a'), await corpusOf('a'), await corpusOf('b')];
    expect(once.length).toBeGreaterThan(20);
    expect(again).toEqual(once);
    expect(other).not.toEqual(once);
  });

  it('plays a corpus first, and leaves out what it cannot read with one clear line', async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, 'a.hex'), '10 0c 00 04 4d 51 54 54 04 02 00 3c 00 00');
    writeFileSync(join(folder, 'b.json'), 'junk');
    const events = await run({}, { corpusDirectory: folder, runs: 1 });
    const warnings = events.flatMap((event) => (event.type === 'fuzz-warning' ? [event.text] : []));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^corpus: b\.json is left out: [^\n]+$/);
    expect(events.find(({ type }) => type === 'fuzz-started')).toMatchObject({ corpus: 1 });
    expect(end(events).exitCode).toBe(0);
  });

  it('goes on where the corpus cannot be written', async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const events = await run({}, { corpusDirectory: join(folder, 'file'), runs: 50 });
    expect(events.filter(({ type }) => type === 'fuzz-warning')).toHaveLength(1);
    expect(end(events)).toMatchObject({ exitCode: 0, counts: { cases: 50 } });
  });

  it('ends with 3 where nobody listens', async () => {
    const events = await run({}, { transport: tcp('127.0.0.1', 9) });
    expect(events).toHaveLength(1);
    expect(end(events)).toMatchObject({ exitCode: 3 });
  });

  it('ends with 130 when it is interrupted, with what it knows', async () => {
    const interruption = new AbortController();
    const transport = memory(createBroker());
    let opened = 0;
    const counting: Transport = {
      open: (...given) => {
        if (++opened === 100) interruption.abort();
        return transport.open(...given);
      },
    };
    const last = end(await run({}, { transport: counting, signal: interruption.signal, runs: 100_000 }));
    expect(last).toMatchObject({ exitCode: 130, problem: 'interrupted' });
    expect(last.counts.cases).toBeGreaterThan(0);
  });

  it('does not wait for a case that takes minutes when it is interrupted', async () => {
    const interruption = new AbortController();
    const transport = memory(createBroker());
    const patient = { clients: [{ version: 'v3' as const }], steps: [{ client: 0, do: 'wait', ms: 600_000 } as const] };
    const regression = [{ name: 'patient', script: patient }];
    let opened = 0;
    const counting: Transport = {
      open: (...given) => {
        if (++opened === 100) interruption.abort();
        return transport.open(...given);
      },
    };
    const last = end(await run({}, { transport: counting, regression, signal: interruption.signal, runs: 100_000 }));
    expect(last).toMatchObject({ exitCode: 130, problem: 'interrupted' });
  });

  it.each(['crash', 'hang'] as const)('finds a broker that falls over, and keeps the case: %s', async (fault) => {
    const packet = dataFrom(publish({ topic: `${caseName}/${fault}` }));
    const hello = dataFrom(connect({ clientId: `${caseName}a` }));
    const sent = [hello, packet].map((each) => ({ client: 0, do: 'send', packet: each }) as const);
    const steps = [...sent, { client: 0, do: 'fence' } as const];
    const regression = [{ name: 'trigger', script: { clients: [{ version: 'v3' as const }], steps } }];
    const transport = faultyBroker(fault, realClock);
    const { exitCode, discoveries } = end(await run({}, { transport, regression, runs: 200, timeoutMs: 200, jobs: 1 }));
    expect(exitCode).toBe(1);
    const found = discoveries.find(({ finding }) => finding.oracle === 'alive');
    const kept = [found?.script, found?.original, ...(found?.suspects ?? [])];
    expect(JSON.stringify(kept)).toContain(`${caseName}/${fault}`);
  });
});

describe('reports of a fuzz run', () => {
  it('agree with the exit code', async () => {
    for (const [broker, runs] of [
      [{}, 50],
      [broken, brokenRuns],
    ] as const) {
      const events = await run(broker, { runs });
      const xml = await fuzzJunit(events);
      const failed = (xml.match(/<(failure|error)\b/g) ?? []).length;
      expect(failed === 0).toBe(end(events).exitCode === 0);
      expect(JSON.parse(fuzzJson(events))).toMatchObject({ exitCode: end(events).exitCode });
      expect(fuzzMarkdown(events)).toContain('# Fuzz run');
      expect(foldFuzz(events).discoveries).toEqual(end(events).discoveries);
      const screen = fuzzConsole({ terminal: false, colors: false, quiet: false, reports: [] });
      const text = events.map(screen).join('');
      expect(text).not.toContain('\x1b');
      expect(text).toMatch(runs === 50 ? /no finding in 50 cases\n$/ : /\d+ findings?.*\n$/);
    }
  });
});
