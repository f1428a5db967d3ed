import { describe, expect, it } from 'vitest';
import { realClock } from '../harness/clock.ts';
import { memory } from '../harness/transport.ts';
import { createBroker, type Gate } from '../reference-broker/broker.ts';
import { publishOf, send } from './generate/scenes.ts';
import { generate } from './generate.ts';
import { minimise } from './minimise.ts';
import { play } from './play.ts';
import type { Script, Step } from './script.ts';
import { bytesOf } from './written.ts';

/** A fault that shows when a test on the steps is true. */
const when = (test: (steps: readonly Step[]) => boolean) => async (script: Script) => test(script.steps);

const bytes = ({ clients, steps }: Script) =>
  Buffer.concat(
    steps.flatMap((step) =>
      step.do === 'send' || step.do === 'raw' ? [bytesOf(step, clients[step.client]?.version ?? 'v3')] : [],
    ),
  ).toString('hex');

const raw = (hex: string): Step => ({ client: 0, do: 'raw', hex: hex.replaceAll(' ', '') });
const connect = '10 0f 00 04 4d515454 04 02 00 3c 00 03 616263';

describe('minimise', () => {
  it('finds the one step that matters, in any session script', async () => {
    for (let index = 0; index < 30; index++) {
      const script = generate('minimise', index, 'sessions');
      const isDrop = (step: Step) => step.do === 'drop' || step.do === 'close';
      const { script: small, complete } = await minimise(
        script,
        when((steps) => steps.some(isDrop)),
      );
      expect(complete).toBe(true);
      if (!script.steps.some(isDrop)) continue;
      expect(small.steps).toHaveLength(1);
      expect(small.clients).toHaveLength(1);
    }
  });

  it('leaves out that a client does not read, and makes what it is sent small', async () => {
    const script = generate('minimise', 200, 'sessions');
    expect(script.steps.some((step) => step.do === 'pause')).toBe(true);
    const isLarge = (step: Step) => step.do === 'send' && bytesOf(step, 'v5').length > 100;
    const filled = send(publishOf(0, { payload: { text: 'm1 ', length: 64_000 } }));
    const { script: small } = await minimise(
      { ...script, steps: [...script.steps, filled] },
      when((steps) => steps.some(isLarge)),
    );
    expect(small.steps).toHaveLength(1);
    expect(JSON.stringify(small)).not.toContain('64000');
  });

  it('keeps two steps that matter only together and in their order', async () => {
    const script = generate('minimise', 3, 'sessions');
    const [first, second] = [2, script.steps.length - 2];
    const needed = [script.steps[first], script.steps[second]].map((step) => step?.do);
    const { script: small } = await minimise(
      script,
      when((steps) => {
        const at = steps.findIndex((step) => step.do === needed[0]);
        return at >= 0 && steps.slice(at + 1).some((step) => step.do === needed[1]);
      }),
    );
    expect(small.steps.map((step) => step.do)).toEqual(needed);
  });

  it('makes packets simpler: no properties, no will, less of a bend, shorter payloads', async () => {
    const script: Script = {
      clients: [{ version: 'v5' }, { version: 'v3' }],
      steps: [
        {
          client: 0,
          do: 'send',
          packet: {
            type: 'PUBLISH',
            dup: true,
            qos: 2,
            retain: true,
            packetId: 5,
            topic: 'CASE00/a',
            payload: 'x'.repeat(1000),
            properties: {
              contentType: 'a',
              userProperties: [
                ['a', 'b'],
                ['c', 'd'],
              ],
            },
          },
          bend: { surplus: { append: [1, 2, 3, 4, 5, 6, 7, 8] }, topic: { append: [0xff] } },
        },
      ],
    };
    const shows = when(
      ([step]) =>
        step?.do === 'send' &&
        step.packet.type === 'PUBLISH' &&
        step.bend?.topic !== undefined &&
        'properties' in step.packet,
    );
    const { script: small } = await minimise(script, shows);
    expect(small).toEqual({
      clients: [{ version: 'v5' }],
      steps: [
        {
          client: 0,
          do: 'send',
          packet: {
            type: 'PUBLISH',
            dup: false,
            qos: 0,
            retain: false,
            topic: 'CASE00/a',
            payload: '',
            properties: { userProperties: [['a', 'b']] },
          },
          bend: { topic: { append: [0xff] } },
        },
      ],
    });
  });

  it('cuts foreign bytes into packets, wherever their lines ended', async () => {
    const script: Script = {
      clients: [{ version: 'v3' }],
      steps: [raw(connect), raw('c000 c000 30 05 00'), raw('01 61 68 69 c0 00')],
    };
    const { script: small } = await minimise(script, async (any) => bytes(any).includes('3005000161'));
    expect(small.steps).toEqual([
      {
        client: 0,
        do: 'send',
        packet: { type: 'PUBLISH', dup: false, qos: 0, retain: false, topic: 'a', payload: 'hi' },
      },
    ]);
  });

  it('shrinks bytes that are no packet', async () => {
    const script: Script = {
      clients: [{ version: 'v3' }],
      steps: [raw(`${connect} 30 ff ff ff 7f 00 01 02 03 04 05 06 07`)],
    };
    const { script: small, complete } = await minimise(script, async (any) => bytes(any).includes('30ffffff7f'));
    expect(complete).toBe(true);
    expect(bytes(small)).toBe('30ffffff7f');
  });

  it('keeps Remaining Length right while a body shrinks', async () => {
    const script: Script = { clients: [{ version: 'v3' }], steps: [raw('82 0a 00 01 00 05 61 62 63 64 ff 07')] };
    const wellFramed = (hex: string) => Number.parseInt(hex.slice(2, 4), 16) === hex.length / 2 - 2;
    const shows = async (any: Script) => wellFramed(bytes(any)) && bytes(any).includes('ff');
    const { script: small } = await minimise(script, shows);
    expect(bytes(small)).toBe('8201ff');
  });

  it('finds a few packets in what a broken broker was sent', async () => {
    const stage = (faults: readonly Gate[]) => ({
      transport: memory(createBroker({ faults })),
      clock: realClock,
      timeoutMs: 1000,
      manners: { answersBeforeClose: true, closesAfterFin: true },
    });
    const servesOn = async (script: Script) => {
      const { connections } = await play(script, stage(['v3/3.8.3-4', 'v3/2.2.2-2', 'v3/3.8.1-1']));
      return connections.some(
        ({ firstFault, version, received }) =>
          version === 'v3' && firstFault !== undefined && received.some(({ packet }) => packet?.type === 'SUBACK'),
      );
    };
    let found = 0;
    for (let index = 0; found < 3; index++) {
      expect(index).toBeLessThan(2000);
      const script = generate('broken', index);
      if (script.steps.length < 8 || !(await servesOn(script))) continue;
      found++;
      const { script: small, attempts } = await minimise(script, servesOn);
      expect(small.steps.length).toBeLessThanOrEqual(4);
      expect(attempts).toBeLessThan(500);
    }
  });

  it('stops when its attempts are used up, and says so', async () => {
    const script = generate('minimise', 5, 'sessions');
    let tries = 0;
    const result = await minimise(script, async () => ++tries % 7 === 0, { attempts: 20 });
    expect(tries).toBe(20);
    expect(result).toMatchObject({ attempts: 20, complete: false });
  });

  it('comes to an end whatever shows it, and never tries a script twice', async () => {
    for (let index = 0; index < 40; index++) {
      const tried = new Set<string>();
      const result = await minimise(
        generate('minimise', index),
        async (script) => {
          const key = JSON.stringify(script);
          expect(tried).not.toContain(key);
          tried.add(key);
          return (tried.size + index) % 3 === 0;
        },
        { attempts: 20_000 },
      );
      expect(result.complete).toBe(true);
    }
  });

  it('passes on what goes wrong while trying', async () => {
    const lost = new Error('lost');
    const failing = minimise(generate('minimise', 1, 'sessions'), () => Promise.reject(lost));
    await expect(failing).rejects.toBe(lost);
  });
});
