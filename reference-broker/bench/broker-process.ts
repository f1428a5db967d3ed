/** A process with one broker in it, as anybody would start it: all options are the defaults. */

import { once } from 'node:events';
import net from 'node:net';
import { offer } from './calls.ts';

/** The brokers that are compared. */
export type BrokerName = 'reference' | 'aedes';

/** Each starts a broker on a free loopback port, and loads only what it needs. */
const start: Readonly<Record<BrokerName, () => Promise<number>>> = {
  async reference() {
    const [{ createBroker }, { listen }] = await Promise.all([import('../broker.ts'), import('../listen.ts')]);
    const { port } = await listen(createBroker(), { port: 0, host: '127.0.0.1' });
    return port;
  },
  async aedes() {
    const { Aedes } = await import('aedes');
    const broker = await Aedes.createBroker();
    // With `noDelay` it is slower: it writes packet by packet, and Nagle's algorithm joins them.
    const server = net.createServer(broker.handle);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as net.AddressInfo).port;
  },
};

const calls = {
  /** Starts the broker; answers with its port. */
  listen: (name: BrokerName) => start[name](),

  /** The CPU time of all threads of this process so far, in microseconds. */
  cpuMicroseconds(): number {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
};

export type BrokerCalls = typeof calls;

offer(calls);
