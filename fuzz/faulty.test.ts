/** What no requirement's gate is for is found all the same: a broker that crashes, hangs, or takes what is no packet for one. */

import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../harness/clock.ts';
import { connect, subscribe } from '../harness/wire/build.ts';
import { dataFrom } from './data.ts';
import { type Fault, faultyBroker } from './faulty.fixture.ts';
import { judgeAll } from './judge.ts';
import { playedFaulty } from './memory.fixture.ts';
import { lookForLife } from './oracle/alive.ts';
import { play } from './play.ts';
import type { Script, Step } from './script.ts';

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

describe('the look for life', () => {
  it.each<[Fault, boolean]>([
    ['none', true],
    ['crash', false],
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
    // A PINGREQ that is too long by two bytes, which are another one.
    ['none', [{ client: 0, do: 'raw', hex: 'c002c000' }], /^$/],
    ['desync', [{ client: 0, do: 'raw', hex: 'c002c000' }], /PINGREQ/],
  ])('with %s', async (fault, steps, kind) => {
    const found = judgeAll(await playedFaulty(scriptOf(...steps), fault));
    expect(found.map((each) => each.kind).join(', ')).toMatch(kind);
  });
});
