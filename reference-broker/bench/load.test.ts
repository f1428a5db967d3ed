import { once } from 'node:events';
import net from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createBroker } from '../broker.ts';
import { listen } from '../listen.ts';
import { Flow } from './load.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startBroker(): Promise<number> {
  const listener = await listen(createBroker(), { port: 0 });
  closers.push(() => listener.close());
  return listener.port;
}

/** A proxy to a broker; `pass` hands on, or not, each chunk that comes from it. */
async function startProxy(pass: (chunk: Buffer, client: net.Socket) => void): Promise<number> {
  const port = await startBroker();
  const proxy = net.createServer({ noDelay: true }, (client) => {
    const broker = net.connect(port, '127.0.0.1');
    for (const socket of [client, broker]) socket.on('error', () => {});
    client.pipe(broker);
    broker.on('data', (chunk) => pass(chunk, client));
    broker.on('close', () => client.destroy());
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  closers.push(() => proxy.close());
  return (proxy.address() as net.AddressInfo).port;
}

async function open(port: number, qos: 0 | 1, subscribers: number): Promise<Flow> {
  const flow = new Flow({ qos, subscribers, window: 50, payloadSize: 64 });
  closers.push(() => flow.close());
  await flow.open(port);
  return flow;
}

it.each([
  { qos: 0, subscribers: 1 },
  { qos: 0, subscribers: 3 },
  { qos: 1, subscribers: 1 },
  { qos: 1, subscribers: 3 },
] as const)('counts what arrived everywhere: QoS $qos to $subscribers', async ({ qos, subscribers }) => {
  const flow = await open(await startBroker(), qos, subscribers);
  // More than the identifiers there are, so that they are used again.
  let messages = 0;
  while (messages < 2_000) messages += await flow.run(20);
  expect(await flow.run(20)).toBeGreaterThan(0);
});

it.each([0, 1] as const)('counts packets however they are cut: QoS %i', async (qos) => {
  const port = await startProxy((chunk, client) => {
    for (let at = 0; at < chunk.length; at += 7) client.write(chunk.subarray(at, at + 7));
  });
  const flow = await open(port, qos, 2);
  expect(await flow.run(50)).toBeGreaterThan(0);
});

it.each([0, 1] as const)('notices a damaged message: QoS %i', async (qos) => {
  let chunks = 0;
  const port = await startProxy((chunk, client) => {
    if (chunk.length > 80 && ++chunks === 3) chunk[chunk.length - 1] = 0;
    client.write(chunk);
  });
  const flow = await open(port, qos, 1);
  await expect(flow.run(1_000)).rejects.toThrow('what arrived is not what was sent');
});

it('notices that a connection is lost', async () => {
  let chunks = 0;
  const port = await startProxy((chunk, client) => {
    if (chunk.length > 80 && ++chunks === 3) client.destroy();
    else client.write(chunk);
  });
  const flow = await open(port, 0, 1);
  await expect(flow.run(1_000)).rejects.toThrow(/closed a connection|ECONNRESET|EPIPE/);
});
