/** The throughput of the reference broker beside that of aedes: the same load on both, by turns, on the same machine. */

import type { BrokerCalls, BrokerName } from './broker-process.ts';
import { Child } from './calls.ts';
import type { Load } from './load.ts';
import type { LoadCalls } from './load-process.ts';

const payloadSize = 64;

/**
 * The loads, by what the report calls them. With a wide window the work on each message counts, for many of them share a read
 * and a write; one at a time, it is mostly the system calls.
 */
export const loads: Readonly<Record<string, Load>> = {
  'QoS 0, one to one, window 1,000': { qos: 0, subscribers: 1, window: 1_000, payloadSize },
  'QoS 1, one to one, window 100': { qos: 1, subscribers: 1, window: 100, payloadSize },
  'QoS 1, one to one, one at a time': { qos: 1, subscribers: 1, window: 1, payloadSize },
  'QoS 0, one to ten, window 200': { qos: 0, subscribers: 10, window: 200, payloadSize },
};

export interface ThroughputOptions {
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What one broker did under one load in one round. */
export interface Performance {
  /** Messages that subscribers got in a second. */
  readonly messagesPerSecond: number;
  /** CPU time of the broker's process for each of them, in microseconds. */
  readonly cpuPerMessage: number;
  /** How busy one core was with the broker, and with the load: 1 is all the time. */
  readonly brokerBusy: number;
  readonly loadBusy: number;
}

/** What both did in one round. */
export type Round = Readonly<Record<BrokerName, Performance>>;

export const brokerNames: readonly BrokerName[] = ['reference', 'aedes'];

/** Measures load by load, each in rounds of one broker after the other. Rejects if a broker fails or loses a message. */
export async function* measureThroughput(
  options: ThroughputOptions,
): AsyncGenerator<{ readonly load: string; readonly rounds: readonly Round[] }> {
  const brokers = brokerNames.map((name) => ({
    name,
    process: new Child<BrokerCalls>(new URL('./broker-process.js', import.meta.url), name),
  }));
  const loader = new Child<LoadCalls>(new URL('./load-process.js', import.meta.url), 'load');
  try {
    const ports = new Map<BrokerName, number>();
    for (const { name, process } of brokers) ports.set(name, await process.call('listen', name));
    for (const [name, load] of Object.entries(loads)) {
      const rounds: Round[] = [];
      while (rounds.length < options.rounds) {
        const round: Partial<Record<BrokerName, Performance>> = {};
        for (const broker of brokers) {
          const port = ports.get(broker.name) ?? 0;
          round[broker.name] = await measure(loader, broker.process, port, load, options);
        }
        rounds.push(round as Round);
      }
      yield { load: name, rounds };
    }
  } finally {
    await Promise.all([loader, ...brokers.map(({ process }) => process)].map((child) => child.stop()));
  }
}

async function measure(
  loader: Child<LoadCalls>,
  broker: Child<BrokerCalls>,
  port: number,
  load: Load,
  { warmUpMs, measureMs }: ThroughputOptions,
): Promise<Performance> {
  await loader.call('warmUp', { port, load, forMs: warmUpMs });
  const before = await broker.call('cpuMicroseconds', undefined);
  const { messages, elapsedMs, cpuMicroseconds } = await loader.call('measure', measureMs);
  const brokerCpu = (await broker.call('cpuMicroseconds', undefined)) - before;
  await loader.call('close', undefined);
  const delivered = messages * load.subscribers;
  return {
    messagesPerSecond: (1_000 * delivered) / elapsedMs,
    cpuPerMessage: brokerCpu / delivered,
    brokerBusy: brokerCpu / (1_000 * elapsedMs),
    loadBusy: cpuMicroseconds / (1_000 * elapsedMs),
  };
}
