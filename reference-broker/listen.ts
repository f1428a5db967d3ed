/** The reference broker on a TCP port: the only file of the broker that does I/O (section 4.2). */

import net from 'node:net';
import type { Broker, Link } from './broker.ts';

export interface ListenOptions {
  /** 0 for any free port. */
  readonly port: number;
  readonly host?: string;
  /** A client that leaves so many bytes unread is disconnected. */
  readonly maximumUnreadBytes?: number;
}

export interface Listener {
  /** The port that is listened on. */
  readonly port: number;
  /** Closes the port and every connection; resolves when all are closed. */
  close(): Promise<void>;
}

/** A client that leaves so many bytes unread loses QoS 0 messages, and is not read from until it has caught up. */
const congestedBytes = 8 * 2 ** 20;

/** How long a client is given to close its side in turn. */
const closingMs = 5_000;

/** Serves MQTT on a port. Rejects if the port cannot be listened on. */
export async function listen(broker: Broker, options: ListenOptions): Promise<Listener> {
  const { port, host = '127.0.0.1', maximumUnreadBytes = 128 * 2 ** 20 } = options;
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(broker, socket, maximumUnreadBytes);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        broker.close();
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Joins a socket to the broker. */
function serve(broker: Broker, socket: net.Socket, maximumUnreadBytes: number): void {
  const link = new SocketLink(socket, maximumUnreadBytes);
  const connection = broker.accept(link);
  socket.on('data', (bytes) => {
    connection.feed(bytes);
    if (link.congested) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('end', () => connection.ended());
  // What went wrong does not matter: the network connection is gone, which 'close' tells.
  socket.on('error', () => {});
  socket.on('close', () => connection.ended());
}

/** Collects what is sent in one turn of the event loop, for one write. */
class SocketLink implements Link {
  readonly #socket: net.Socket;
  readonly #maximumUnreadBytes: number;
  #packets: Uint8Array[] = [];
  #bytes = 0;

  constructor(socket: net.Socket, maximumUnreadBytes: number) {
    this.#socket = socket;
    this.#maximumUnreadBytes = maximumUnreadBytes;
  }

  get congested(): boolean {
    return this.#bytes + this.#socket.writableLength > congestedBytes;
  }

  send(bytes: Uint8Array): void {
    if (this.#packets.push(bytes) === 1) setImmediate(() => this.#flush());
    this.#bytes += bytes.length;
  }

  close(): void {
    this.#flush();
    this.#socket.end();
    // What still comes is read and dropped: closing with unread bytes would be a reset, which can overtake what was sent.
    this.#socket.resume();
    const timer = setTimeout(() => this.#socket.destroy(), closingMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #flush(): void {
    const packets = this.#packets;
    if (packets.length === 0) return;
    this.#packets = [];
    this.#bytes = 0;
    if (!this.#socket.writable) return;
    this.#socket.write(packets.length === 1 ? (packets[0] ?? '') : Buffer.concat(packets));
    if (this.#socket.writableLength > this.#maximumUnreadBytes) this.#socket.destroy();
  }
}
