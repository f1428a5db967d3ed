/** What takes seconds: the clocks of a broker. */

import { connectOf, fence, send, subscribeOf, topic } from '../generate/scenes.ts';
import type { Step } from '../script.ts';
import { type Seed, several } from './seed.ts';

function leaves(client: number, letter: string, willDelayInterval: number): Step[] {
  const will = { topic, payload: `m${client}`, qos: 1, retain: false, properties: { willDelayInterval } } as const;
  const properties = { sessionExpiryInterval: 60 };
  return [send(connectOf('v5', letter, { will, properties }), client), fence(client), { client, do: 'close' }];
}

/** Longer than one second, and what a broker may take to notice that. */
const waits: readonly Step[] = [1_800, 1_800].map((ms) => ({ client: 0, do: 'wait', ms }));

export const timed: readonly Seed[] = [
  {
    name: 'will-behind-the-greatest-delay',
    about: 'mosquitto 2.0.11: a will with the greatest Will Delay Interval keeps back the wills of all other clients',
    script: several(
      ['v3', 'v5', 'v5'],
      send(connectOf('v3', 'w')),
      send(subscribeOf(1)),
      fence(0),
      ...leaves(1, 'a', 0xffff_ffff),
      ...leaves(2, 'b', 1),
      ...waits,
      { client: 0, do: 'acknowledge' },
    ),
  },
];
