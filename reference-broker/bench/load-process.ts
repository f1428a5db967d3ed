/** A process with the load in it, apart from the brokers so that its work does not count as theirs. */

import { offer } from './calls.ts';
import { Flow, type Load } from './load.ts';

let flow: Flow | undefined;

const calls = {
  /** Connects to the broker on this port and loads it for a while, until all code is compiled. */
  async warmUp({ port, load, forMs }: { port: number; load: Load; forMs: number }): Promise<void> {
    flow = new Flow(load);
    await flow.open(port);
    await flow.run(forMs);
  },

  /** Loads it for the measurement: messages published, and the time until the last one had arrived. */
  async measure(forMs: number): Promise<{ messages: number; elapsedMs: number; cpuMicroseconds: number }> {
    if (!flow) throw new Error('there is no connection');
    const cpu = process.cpuUsage();
    const start = performance.now();
    const messages = await flow.run(forMs);
    const elapsedMs = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    return { messages, elapsedMs, cpuMicroseconds: user + system };
  },

  /** Disconnects. */
  close(): void {
    flow?.close();
    flow = undefined;
  },
};

export type LoadCalls = typeof calls;

offer(calls);
