import { describe, expect, it } from 'vitest';
import { connect, publish, subscribe } from '../../harness/wire/build.ts';
import { dataFrom } from '../data.ts';
import { played } from '../memory.fixture.ts';
import type { Script } from '../script.ts';
import { differenceOf } from './difference.ts';

const topic = 'CASE00/t';
const script: Script = {
  clients: [{ version: 'v3' }],
  steps: [
    connect({ clientId: 'CASE00a' }),
    subscribe(1, [topic, 1], ['CASE00/+', 0]),
    publish({ topic, payload: 'm', qos: 1, packetId: 2 }),
  ].map((packet) => ({ client: 0, do: 'send', packet: dataFrom(packet) }) as const),
};

describe('the difference of two plays', () => {
  it('is none when both targets do the same', async () =>
    expect(differenceOf(await played(script), await played(script), 'other')).toBeUndefined());

  it('is none where only the order of answers differs', async () => {
    const other = await played(script, { choices: { acknowledge: 'first' } });
    expect(differenceOf(await played(script), other, 'other')).toBeUndefined();
  });

  it('says what only one of them did, and never judges', async () => {
    const other = await played(script, { choices: { overlapping: 'each' } });
    expect(differenceOf(await played(script), other, 'other')).toEqual({
      name: 'other',
      here: [],
      there: ['PUBLISH CASE00/t QoS 0 m'],
    });
  });
});
