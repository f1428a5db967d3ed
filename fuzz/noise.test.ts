import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../harness/clock.ts';
import { Unreachable } from '../harness/errors.ts';
import { memory, type Transport } from '../harness/transport.ts';
import { connect } from '../harness/wire/build.ts';
import { createBroker } from '../reference-broker/broker.ts';
import { dataFrom } from './data.ts';
import { Noise } from './noise.ts';
import { play } from './play.ts';

async function casesIn(seconds: number, perSecond: number, transport: Transport, clock: VirtualClock): Promise<number> {
  const noise = new Noise({ target: { transport }, seed: 'noise', perSecond, clock });
  noise.start();
  await clock.run(new Promise<void>((resolve) => clock.after(1_000 * seconds, resolve)));
  return clock.run(noise.stop());
}

describe('noise', () => {
  it('plays so many cases a second, and leaves nothing behind that another client sees', async () => {
    const clock = new VirtualClock();
    const transport = memory(createBroker({ clock }));
    const cases = await casesIn(10, 50, transport, clock);
    expect(cases).toBeGreaterThan(300);
    expect(cases).toBeLessThanOrEqual(50 * 10 + 4);
    const look = {
      clients: [{ version: 'v3' as const }],
      steps: [
        { client: 0, do: 'send', packet: dataFrom(connect({ clientId: 'CASE00a' })) } as const,
        { client: 0, do: 'raw', hex: '8206000100012300' } as const,
      ],
    };
    const manners = { answersBeforeClose: true, closesAfterFin: true };
    const { connections } = await clock.run(play(look, { transport, clock, timeoutMs: 1_000, manners }));
    const types = connections[0]?.received.map(({ packet }) => packet?.type);
    expect(types).toEqual(['CONNACK', 'SUBACK']);
  });

  it('goes on when the target is away', async () => {
    const clock = new VirtualClock();
    const away: Transport = { open: () => Promise.reject(new Unreachable('away')) };
    expect(await casesIn(10, 50, away, clock)).toBeGreaterThan(50);
  });
});
