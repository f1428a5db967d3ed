import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { memory, type ServerLink, tcp } from './transport.ts';

const timeoutMs = 5_000;

/** A promise, and what settles it. */
function settling<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe('a client that stops reading', () => {
  const servers: net.Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** A server that says the same as long as the network takes it, and then no more. */
  async function talkative(chunk: Buffer, most: number) {
    const said = { bytes: 0 };
    const { promise: stuck, resolve } = settling<net.Socket>();
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      const talk = () => {
        while (said.bytes < most) {
          said.bytes += chunk.length;
          if (!socket.write(chunk)) break;
        }
        resolve(socket);
      };
      socket.once('data', talk);
      socket.on('drain', talk);
    });
    servers.push(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return { port: (server.address() as AddressInfo).port, stuck, said };
  }

  it('leaves what the server sends with the server, over TCP, and gets all of it when it reads on', async () => {
    // More than the two sides of a loopback connection buffer, by far.
    const most = 64 * 2 ** 20;
    const { port, stuck, said } = await talkative(Buffer.alloc(64_000, 1), most);
    let got = 0;
    const { promise: all, resolve } = settling<void>();
    const events = {
      data: (bytes: Uint8Array) => {
        got += bytes.length;
        if (got >= most) resolve();
      },
      closed: () => {},
    };
    const link = await tcp('127.0.0.1', port).open(events, timeoutMs);
    link.pause();
    link.write(Buffer.from('go'));
    const socket = await stuck;
    // What the kernel takes of a socket that nobody reads comes to an end.
    let before = -1;
    while (before !== socket.writableLength) {
      before = socket.writableLength;
      for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(socket.writableLength).toBeGreaterThan(0);
    expect(said.bytes).toBeLessThan(most);
    expect(got).toBe(0);
    link.resume();
    await all;
    link.reset();
  });

  it('leaves it in a link in memory, which the server sees', async () => {
    const heard: string[] = [];
    const { promise: served, resolve } = settling<ServerLink>();
    const transport = memory({
      accept(link) {
        resolve(link);
        return { feed() {}, ended() {} };
      },
    });
    const events = {
      data: (bytes: Uint8Array) => heard.push(`${bytes.length} bytes`),
      closed: (how: string) => heard.push(how),
    };
    const link = await transport.open(events, timeoutMs);
    const server = await served;
    const turn = () => new Promise((done) => setImmediate(done));
    link.pause();
    server.send(new Uint8Array(1_000));
    await turn();
    expect([heard, server.congested]).toEqual([[], false]);
    server.send(new Uint8Array(100_000));
    server.close();
    await turn();
    expect([heard, server.congested]).toEqual([[], true]);
    link.resume();
    await turn();
    expect([heard, server.congested]).toEqual([['1000 bytes', '100000 bytes', 'FIN'], false]);
  });
});
