/** The fence at the end of a case: whether the target answers what came before a FIN, and whether it closes then. */

import { connect, pingreq } from '../harness/wire/build.ts';
import { dataFrom } from './data.ts';
import type { Manners, Stage } from './play.ts';
import { play } from './play.ts';
import { caseName, type Recording } from './record.ts';
import type { Script } from './script.ts';

/** CONNECT and PINGREQ, and at once the FIN. */
const greeting: Script = {
  clients: [{ version: 'v3' }],
  steps: [
    { client: 0, do: 'send', packet: dataFrom(connect({ clientId: `${caseName}fin` })) },
    { client: 0, do: 'send', packet: dataFrom(pingreq()) },
  ],
};
const hopeful: Manners = { answersBeforeClose: true, closesAfterFin: true };
/** A target that does it by chance is found out by asking more often. */
const times = 8;
/** Longer than a healthy broker on the same machine ever takes; where it takes longer the slower fence serves. */
const patienceMs = 1_000;

/** Finds out. Rejects with Unreachable. */
export async function findManners(stage: Omit<Stage, 'manners'>): Promise<Manners> {
  const asking = { ...stage, timeoutMs: Math.min(stage.timeoutMs, patienceMs), manners: hopeful };
  const plays: Recording[] = [];
  for (let time = 0; time < times; time++) plays.push(await play(greeting, asking));
  const closes = plays.every(({ connections: [first] }) => first?.closed?.by === 'broker');
  const answers = plays.every(({ connections: [first] }) => first?.received.length === 2);
  return { closesAfterFin: closes, answersBeforeClose: closes && answers };
}
