/** The broker on a TCP port, with clients made by others. */

import net from 'node:net';
import mqtt, { type IClientOptions, type IConnackPacket, type MqttClient } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { connack, connect, pingreq, pingresp, publish, subscribe } from '../harness/wire/build.ts';
import { decode } from '../harness/wire/decode.ts';
import { encode } from '../harness/wire/encode.ts';
import { Framer } from '../harness/wire/frame.ts';
import type { Packet } from '../harness/wire/packet.ts';
import { type BrokerOptions, createBroker } from './broker.ts';
import { type ListenOptions, listen } from './listen.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const act of cleanUp.splice(0).reverse()) await act();
});

async function startBroker(options: BrokerOptions = {}, listening: Partial<ListenOptions> = {}): Promise<number> {
  const { port, close } = await listen(createBroker(options), { port: 0, ...listening });
  cleanUp.push(close);
  return port;
}

/** MQTT.js, connected. */
async function client(port: number, options: IClientOptions = {}): Promise<MqttClient> {
  const connected = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...options });
  connected.on('error', () => {});
  cleanUp.push(() => connected.end(true));
  return connected;
}

/** The next messages of a client, as `topic payload QoS RETAIN`. */
function messages(from: MqttClient, count: number): Promise<string[]> {
  const seen: string[] = [];
  return new Promise((resolve) => {
    from.on('message', (topic, payload, { qos, retain }) => {
      seen.push(`${topic} ${payload} ${qos} ${retain}`);
      if (seen.length === count) resolve(seen);
    });
  });
}

/** A socket that speaks MQTT by hand. */
class RawClient {
  readonly socket: net.Socket;
  readonly #framer = new Framer('v3');
  #wake = () => {};

  constructor(port: number) {
    this.socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('error', () => {});
    for (const event of ['readable', 'close']) this.socket.on(event, () => this.#wake());
    cleanUp.push(() => this.socket.destroy());
  }

  send(...packets: readonly Packet[]): void {
    this.socket.write(Buffer.concat(packets.map((packet) => encode(packet, 'v3'))));
  }

  /** The next packet, or `undefined` at the end of the stream. */
  async next(): Promise<Packet | undefined> {
    for (;;) {
      const frame = this.#framer.next();
      if (frame) return decode(frame, 'v3');
      if (this.socket.readableEnded || this.socket.destroyed) return undefined;
      const chunk: Buffer | null = this.socket.read();
      if (chunk) this.#framer.push(chunk);
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

describe('a client made by others', () => {
  it('publishes and receives at every QoS', async () => {
    const subject = await client(await startBroker());
    await subject.subscribeAsync('a/#', { qos: 2 });
    const seen = messages(subject, 3);
    for (const qos of [0, 1, 2] as const) await subject.publishAsync('a/b', `m${qos}`, { qos });
    expect(await seen).toEqual(['a/b m0 0 false', 'a/b m1 1 false', 'a/b m2 2 false']);
  });

  it('resumes a session with the messages it missed', async () => {
    const port = await startBroker();
    const options = { clientId: 'sleeper', clean: false };
    const sleeper = await client(port, options);
    await sleeper.subscribeAsync('t', { qos: 2 });
    await sleeper.endAsync();
    const publisher = await client(port);
    for (const qos of [1, 2] as const) await publisher.publishAsync('t', `m${qos}`, { qos });
    const awake = mqtt.connect(`mqtt://127.0.0.1:${port}`, { ...options, reconnectPeriod: 0 });
    cleanUp.push(() => awake.end(true));
    const seen = messages(awake, 2);
    const connected = await new Promise<IConnackPacket>((resolve) => awake.once('connect', resolve));
    expect(connected.sessionPresent).toBe(true);
    expect(await seen).toEqual(['t m1 1 false', 't m2 2 false']);
  });

  it('gets retained messages and wills', async () => {
    const port = await startBroker();
    const watcher = await client(port);
    await watcher.publishAsync('kept', 'old', { qos: 1, retain: true });
    const seen = messages(watcher, 2);
    await watcher.subscribeAsync(['kept', 'will'], { qos: 1 });
    const victim = await client(port, { will: { topic: 'will', payload: Buffer.from('gone'), qos: 1, retain: false } });
    victim.stream.destroy();
    expect(await seen).toEqual(['kept old 1 true', 'will gone 1 false']);
  });

  it('sends and receives a megabyte', async () => {
    const subject = await client(await startBroker());
    await subject.subscribeAsync('t', { qos: 1 });
    const received = new Promise<Buffer>((resolve) => subject.once('message', (_topic, payload) => resolve(payload)));
    const payload = Buffer.alloc(2 ** 20, 'payload');
    await subject.publishAsync('t', payload, { qos: 1 });
    expect(payload.equals(await received)).toBe(true);
  });
});

describe('a TCP connection', () => {
  it('brings an answer although the client sent more than is read', async () => {
    const subject = new RawClient(await startBroker());
    const rest = Array.from({ length: 1_000 }, () => publish({ topic: 't', payload: 'x'.repeat(1_000) }));
    subject.send(connect({ clientId: '', clean: false }), ...rest);
    expect(await subject.next()).toEqual(connack({ code: 2 }));
    expect(await subject.next()).toBeUndefined();
  });

  it('that the client half-closes is closed', async () => {
    const subject = new RawClient(await startBroker());
    subject.send(connect({ clientId: 'a' }));
    subject.socket.end();
    expect(await subject.next()).toEqual(connack());
    expect(await subject.next()).toBeUndefined();
  });

  it('that nobody reads from loses QoS 0 messages and stays', async () => {
    const port = await startBroker();
    const slow = new RawClient(port);
    slow.send(connect({ clientId: 'slow', keepAlive: 0 }), subscribe(1, ['t', 0]));
    await slow.next();
    await slow.next();
    const publisher = await client(port);
    const sent = 1_024;
    const payload = Buffer.alloc(2 ** 16);
    for (let count = 0; count < sent; count++) await publisher.publishAsync('t', payload);
    await publisher.publishAsync('done', '', { qos: 1 });
    slow.send(pingreq());
    let received = 0;
    let packet = await slow.next();
    for (; packet?.type === 'PUBLISH'; packet = await slow.next()) received++;
    expect(packet).toEqual(pingresp());
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThan(sent);
  });

  it('that nobody reads from at all is closed in the end', async () => {
    const port = await startBroker({}, { maximumUnreadBytes: 2 ** 20 });
    const watcher = await client(port);
    await watcher.subscribeAsync('will', { qos: 1 });
    const gone = messages(watcher, 1);
    const stuck = new RawClient(port);
    stuck.send(connect({ clientId: 'stuck', will: { topic: 'will', payload: 'gone' } }), subscribe(1, ['t', 1]));
    await stuck.next();
    await stuck.next();
    const publisher = await client(port);
    const payload = Buffer.alloc(2 ** 20);
    for (let count = 0; count < 40; count++) await publisher.publishAsync('t', payload, { qos: 1 });
    expect(await gone).toEqual(['will gone 0 false']);
  });
});

describe('listen', () => {
  it('rejects when the port is taken', async () => {
    const port = await startBroker();
    await expect(listen(createBroker(), { port })).rejects.toThrow('EADDRINUSE');
  });

  it('closes the connections with the port', async () => {
    const { port, close } = await listen(createBroker(), { port: 0 });
    const subject = new RawClient(port);
    subject.send(connect({ clientId: 'a' }));
    expect(await subject.next()).toEqual(connack());
    await close();
    expect(await subject.next()).toBeUndefined();
  });
});
