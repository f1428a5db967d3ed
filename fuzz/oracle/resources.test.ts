import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../harness/clock.ts';
import { connect, subscribe } from '../../harness/wire/build.ts';
import { dataFrom } from '../data.ts';
import { type Fault, faultyBroker, forgetLeaks } from '../faulty.fixture.ts';
import { playedFaulty } from '../memory.fixture.ts';
import { play } from '../play.ts';
import type { Script } from '../script.ts';
import { judgeCpu, judgeMemory, leakedBytes, measureMemory, Neighbour, usageOf } from './resources.ts';

const mebibyte = 2 ** 20;
const samplesOf = (...mebibytes: readonly number[]) =>
  mebibytes.map((size, at) => ({ plays: 100 * (at + 1), residentBytes: size * mebibyte }));
const hello: Script = {
  clients: [{ version: 'v3' }],
  steps: [{ client: 0, do: 'send', packet: dataFrom(connect({ clientId: 'CASE00a' })) }],
};

describe('usageOf', () => {
  it('reads memory and processor time of a process', () => {
    const usage = usageOf(process.pid);
    const { user, system } = process.cpuUsage();
    expect(usage?.residentBytes).toBeGreaterThan(10 * mebibyte);
    expect(Math.abs((usage?.cpuMs ?? 0) - (user + system) / 1_000)).toBeLessThan(2_000);
  });

  it('is undefined without such a process', () => expect(usageOf(2 ** 30)).toBeUndefined());
});

describe('memory', () => {
  it.each([
    ['that stays', samplesOf(50, 50, 50, 50, 50, 50, 50, 50, 50)],
    ['that grows to a size', samplesOf(20, 40, 60, 70, 75, 78, 80, 81, 82)],
    ['that grows slower and slower', samplesOf(10, 40, 60, 80, 95, 105, 110, 112, 113)],
    ['that is given back in between', samplesOf(50, 60, 70, 80, 90, 70, 80, 90, 100)],
    ['that was not looked at often enough', samplesOf(10, 20, 30, 40, 50)],
  ])('%s is no leak', (_what, samples) => expect(leakedBytes(samples)).toBe(0));

  it('that rises in every round is one', () => {
    const samples = samplesOf(10, 20, 30, 40, 50, 60, 70, 80, 90);
    expect(leakedBytes(samples)).toBeCloseTo(mebibyte / 10);
    expect(judgeMemory(samples)).toMatchObject({ oracle: 'resources', unclear: true });
  });

  describe('of a broker', () => {
    afterEach(forgetLeaks);

    it('rises with one that keeps something of each connection', async () => {
      const samples = await measureMemory(() => playedFaulty(hello, 'leak'), process.pid, {
        rounds: 9,
        playsPerRound: 80,
      });
      expect(leakedBytes(samples)).toBeGreaterThan(32 * 1_024);
    });
  });
});

describe('processor time', () => {
  it.each([
    [5_000, 1, true],
    [900, 1, false],
    [5_000, 100, false],
  ])('%d ms where %d ms are usual: %s', (cpuMs, usualMs, isMuch) =>
    expect(judgeCpu(cpuMs, usualMs) !== undefined).toBe(isMuch),
  );
});

describe('a neighbour', () => {
  async function meanwhile(fault: Fault): Promise<string | undefined> {
    const clock = new VirtualClock();
    const transport = faultyBroker(fault, clock);
    const neighbour = new Neighbour();
    const stage = { transport, clock, timeoutMs: 10_000, manners: { answersBeforeClose: true, closesAfterFin: true } };
    const script: Script = {
      clients: hello.clients,
      steps: [
        ...hello.steps,
        { client: 0, do: 'send', packet: dataFrom(subscribe(1, [`CASE00/${fault}`, 0])) },
        { client: 0, do: 'wait', ms: 4_000 },
      ],
    };
    await clock.run(neighbour.enter(stage, 'neighbour', 'v3'));
    await clock.run(play(script, stage));
    const finding = neighbour.take();
    neighbour.leave();
    return finding?.kind;
  }

  it.each<[Fault, string | undefined]>([
    ['none', undefined],
    ['hang', undefined],
    ['slow', 'another client has to wait'],
    ['crash', 'another client is thrown out'],
  ])('of a broker with the fault %s', async (fault, kind) => expect(await meanwhile(fault)).toBe(kind));
});
