import { describe, expect, it } from 'vitest';
import { connect, publish, subscribe } from '../../harness/wire/build.ts';
import { dataFrom } from '../data.ts';
import { played } from '../memory.fixture.ts';
import type { Finding } from '../record.ts';
import type { Script } from '../script.ts';
import { differenceOf, ranked } from './difference.ts';

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
      oracle: 'difference',
      requirements: [],
      expected: ['other: PUBLISH CASE00/t QoS 0 m'],
      actual: 'not so: PUBLISH CASE00/t QoS 0 m',
      kind: 'difference: nothing instead of PUBLISH QoS 0',
      unclear: true,
    });
  });
});

it('ranks what only one target does first', () => {
  const finding = (kind: string): Finding => ({ oracle: 'standard', requirements: [], expected: [], actual: '', kind });
  expect(ranked([finding('both'), finding('one')], [finding('both')])).toEqual([
    { finding: finding('one'), isAlone: true },
    { finding: finding('both'), isAlone: false },
  ]);
});
