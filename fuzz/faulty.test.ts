/** Each oracle fires on a broker that is broken in ways no requirement's gate is for, and is silent on a whole one. */

import { afterEach, describe, expect, it } from 'vitest';
import { realClock, VirtualClock } from '../harness/clock.ts';
import { connect, publish, subscribe } from '../harness/wire/build.ts';
import type { Packet } from '../harness/wire/packet.ts';
import { dataFrom } from './data.ts';
import type { Discovery } from './events.ts';
import { type Fault, faultyBroker, forgetLeaks } from './faulty.fixture.ts';
import { fingerprint } from './finding.ts';
import { type FuzzOptions, fuzz } from './fuzz.ts';
import { judgeAll } from './judge.ts';
import { playedFaulty } from './memory.fixture.ts';
import { lookForLife } from './oracle/alive.ts';
import { play } from './play.ts';
import type { Script, Step } from './script.ts';
import { Witness } from './witness.ts';

const manners = { answersBeforeClose: true, closesAfterFin: true };

function scriptOf(...steps: readonly Step[]): Script {
  const hello: Step = { client: 0, do: 'send', packet: dataFrom(connect({ clientId: 'CASE00a' })) };
  return { clients: [{ version: 'v3' }], steps: [hello, ...steps] };
}

const trigger = (fault: Fault): Step => ({
  client: 0,
  do: 'send',
  packet: dataFrom(subscribe(1, [`CASE00/${fault}`, 0])),
});

/** A PINGREQ that is too long by two bytes, which are another one. */
const surplus: Step = { client: 0, do: 'raw', hex: 'c002c000' };

describe('the look for life', () => {
  it.each<[Fault, boolean]>([
    ['none', true],
    ['crash', false],
    ['late', true],
    ['mute', false],
  ])('after a case that meets %s: %s', async (fault, isAlive) => {
    const clock = new VirtualClock();
    const stage = { transport: faultyBroker(fault, clock), clock, timeoutMs: 1_000, manners };
    await clock.run(play(scriptOf(trigger(fault)), stage));
    expect((await clock.run(lookForLife(stage))) === undefined).toBe(isAlive);
  });
});

describe('the oracles of one play', () => {
  it.each<[Fault, Step[], RegExp]>([
    ['none', [trigger('hang'), { client: 0, do: 'fence' }], /^$/],
    ['hang', [trigger('hang'), { client: 0, do: 'fence' }], /^hang: /],
    ['none', [surplus], /^$/],
    ['desync', [surplus], /PINGREQ/],
  ])('with %s', async (fault, steps, kind) => {
    const found = judgeAll(await playedFaulty(scriptOf(...steps), fault));
    expect(found.map((each) => each.kind).join(', ')).toMatch(kind);
  });
});

describe('a witness', () => {
  afterEach(forgetLeaks);

  it('finds that the memory of the broker rises', { timeout: 30_000 }, async () => {
    const clock = new VirtualClock();
    const stage = { transport: faultyBroker('leak', clock), clock, timeoutMs: 1_000, manners };
    const witness = new Witness(stage, 'v3', () => process.pid);
    await clock.run(witness.enter());
    for (let cases = 0; cases <= 1_000; cases++) {
      await clock.run(play(scriptOf(), stage));
      if (cases % 100 === 0) await clock.run(witness.look(cases));
    }
    witness.leave();
    expect(witness.leak?.kind).toBe('memory rises with every play');
  });
});

describe('a client that stops reading', () => {
  /** Half a megabyte for a client that does not read for so long. */
  const stalled = (ms: number): Script => {
    const topic = 'CASE00/stalled';
    const send = (packet: Packet, client: number): Step => ({ client, do: 'send', packet: dataFrom(packet) });
    const payload = 'x'.repeat(50_000);
    const floods = Array.from({ length: 10 }, () => send(publish({ topic, payload }), 1));
    return {
      clients: [{ version: 'v3' }, { version: 'v3' }],
      steps: [
        send(connect({ clientId: 'CASE00a' }), 0),
        send(subscribe(1, [topic, 0]), 0),
        { client: 0, do: 'fence' },
        send(connect({ clientId: 'CASE00b' }), 1),
        { client: 1, do: 'fence' },
        { client: 0, do: 'pause' },
        ...floods,
        { client: 1, do: 'wait', ms },
        { client: 0, do: 'acknowledge' },
      ],
    };
  };

  it.each<[Fault, number, RegExp]>([
    ['none', 3_000, /^$/],
    ['blocked', 3_000, /^another client has to wait$/],
    // Held up for a moment, which nobody minds.
    ['blocked', 300, /^$/],
  ])('holds up another one or not, on a broker with %s for %i ms', async (fault, ms, kind) => {
    const clock = new VirtualClock();
    const stage = { transport: faultyBroker(fault, clock), clock, timeoutMs: 5_000, manners };
    const witness = new Witness(stage, 'v3');
    await clock.run(witness.enter());
    const weighed = await clock.run(witness.weigh(stalled(ms), 1));
    witness.leave();
    expect(weighed.map(({ finding }) => finding.kind).join()).toMatch(kind);
    for (const { recording } of weighed) expect(judgeAll(recording)).toEqual([]);
  });

  it('is no hang of who floods it, which a broker may keep waiting', async () => {
    const { clients, steps } = stalled(1);
    const waiting: Script = { clients, steps: [...steps.slice(0, -1), { client: 1, do: 'fence' }] };
    const found = judgeAll(await playedFaulty(waiting, 'blocked'));
    expect(found).toMatchObject([{ kind: 'hang: PINGRESP', unclear: true }]);
  });
});

describe('a whole run', () => {
  /** What a run finds that has a case with the trigger of the fault among others. */
  async function found(fault: Fault, options: Partial<FuzzOptions>): Promise<readonly Discovery[]> {
    const target = { name: fault, options: '', transport: faultyBroker(fault, realClock) };
    const usual = Array.from({ length: 400 }, () => ({ name: 'usual', script: scriptOf() }));
    const steps: Step[] = fault === 'desync' ? [surplus] : [trigger(fault), { client: 0, do: 'fence' }];
    const regression = [...usual, { name: 'trigger', script: scriptOf(...steps) }];
    const given: FuzzOptions = { target, regression, seed: 'faulty', only: 'sessions', timeoutMs: 5_000, ...options };
    for await (const event of fuzz(given)) if (event.type === 'fuzz-finished') return event.discoveries;
    return [];
  }

  it.each<[Fault, Partial<FuzzOptions>, string, RegExp]>([
    ['crash', { runs: 450, timeoutMs: 200 }, 'alive', /^gone$|^does not serve$/],
    ['hang', { runs: 450, timeoutMs: 200 }, 'alive', /^hang/],
    ['duplicate', { runs: 450 }, 'history', /./],
    ['loss', { runs: 450 }, 'history', /^lost/m],
    ['disorder', { runs: 500 }, 'history', /order/],
    ['desync', { runs: 420 }, 'standard', /./],
    ['slow', { runs: 420, jobs: 1 }, 'resources', /^another client has to wait$/],
    ['busy', { runs: 420, jobs: 1, pid: process.pid }, 'resources', /^a case that keeps the processor busy$/],
  ])('finds %s', { timeout: 60_000 }, async (fault, options, oracle, kind) => {
    const discoveries = await found(fault, options);
    const ofOracle = discoveries.filter(({ finding }) => finding.oracle === oracle);
    expect(ofOracle.map(({ finding }) => finding.kind).join('\n')).toMatch(kind);
  });

  it('keeps the script that shows a loss by itself', { timeout: 60_000 }, async () => {
    const discoveries = await found('loss', { runs: 450 });
    const lost = discoveries.find(
      ({ finding, certainty }) => finding.kind.startsWith('lost') && certainty === 'confirmed',
    );
    const again = judgeAll(await playedFaulty(lost?.script ?? scriptOf(), 'loss'));
    expect(again.map(fingerprint)).toContain(lost?.id);
  });

  it('finds nothing on a whole broker', { timeout: 60_000 }, async () => {
    expect(await found('none', { maxTimeMs: 3_000, pid: process.pid })).toEqual([]);
  });
});
