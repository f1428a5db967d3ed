/** Plays of scripts on the reference broker in memory and in virtual time. */

import { VirtualClock } from '../harness/clock.ts';
import { memory, type Transport } from '../harness/transport.ts';
import { type BrokerOptions, createBroker } from '../reference-broker/broker.ts';
import { type Fault, faultyBroker } from './faulty.fixture.ts';
import { play } from './play.ts';
import type { Recording } from './record.ts';
import type { Script } from './script.ts';

const manners = { answersBeforeClose: true, closesAfterFin: true };
const timeoutMs = 5_000;

/** Plays a script on a new reference broker. */
export function played(script: Script, options: Omit<BrokerOptions, 'clock'> = {}): Promise<Recording> {
  const clock = new VirtualClock();
  return playedOn(script, memory(createBroker({ ...options, clock })), clock);
}

/** Plays a script on a new broker with one of the faults that no gate is for. */
export function playedFaulty(script: Script, fault: Fault): Promise<Recording> {
  const clock = new VirtualClock();
  return playedOn(script, faultyBroker(fault, clock), clock);
}

function playedOn(script: Script, transport: Transport, clock: VirtualClock): Promise<Recording> {
  return clock.run(play(script, { transport, clock, timeoutMs, manners }));
}
