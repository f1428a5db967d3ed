/** How bytes reach a broker: one Link interface over TCP or over memory. */

import dns from 'node:dns';
import net from 'node:net';
import { Unreachable } from './errors.ts';

/** One network connection, from the client's side. */
export interface Link {
  write(bytes: Uint8Array): void;
  /** Half-closes: the broker sees the end of the stream, its answers still arrive. */
  end(): void;
  /** Drops the connection abruptly: a TCP reset where the transport knows one. */
  reset(): void;
  /** Reads no more: what the broker sends stays on its way, and then with the broker. That it closes goes unnoticed meanwhile, too. */
  pause(): void;
  /** Reads on, what has been waiting first. */
  resume(): void;
}

/** What a link reports. `closed` comes once, when the broker has closed (or the connection broke), never after `reset`. */
export interface LinkEvents {
  data(bytes: Uint8Array): void;
  closed(how: string): void;
}

/** A way to open network connections to one broker. */
export interface Transport {
  /** Opens a connection. Rejects with Unreachable. */
  open(events: LinkEvents, timeoutMs: number): Promise<Link>;
}

/**
 * The look-up of a host's addresses, done once: a run opens thousands of connections, and the system's resolver would be asked for each.
 */
function remembered(): net.LookupFunction {
  const found = new Map<string, Promise<readonly dns.LookupAddress[]>>();
  return (host, options, callback) => {
    const known = found.get(host) ?? dns.promises.lookup(host, { all: true });
    found.set(host, known);
    known.then(
      (addresses) => {
        const [first] = addresses;
        if (options.all) callback(null, [...addresses]);
        else callback(null, first?.address ?? '', first?.family);
      },
      (error: NodeJS.ErrnoException) => {
        found.delete(host);
        callback(error, '');
      },
    );
  };
}

/**
 * What Node sets on every socket anyway. Given beforehand it saves more than the rest of making a socket costs: else Node copies the options and
 * then changes the shape of the copy, anew each time.
 */
export const setAnyway = { emitClose: false, autoDestroy: true, decodeStrings: false };

const inboxBytes = 16_384;
/** What closed sockets have read into, for others to read into. Without, Node allocates 64 KiB for each read of a few bytes. */
const inboxes: Buffer[] = [];

/** MQTT over TCP (section 4.2). */
export function tcp(host: string, port: number): Transport {
  const lookup = remembered();
  return {
    open: (events, timeoutMs) =>
      new Promise<Link>((resolve, reject) => {
        let open = false;
        let over = false;
        const inbox = inboxes.pop() ?? Buffer.allocUnsafeSlow(inboxBytes);
        const read = (size: number) => {
          if (over) return true;
          const bytes = Buffer.allocUnsafe(size);
          inbox.copy(bytes, 0, 0, size);
          events.data(bytes);
          return true;
        };
        const onread = { buffer: inbox, callback: read };
        const socket = net.connect({ host, port, lookup, allowHalfOpen: true, noDelay: true, onread, ...setAnyway });
        const timer = setTimeout(() => {
          socket.destroy();
          reject(new Unreachable(`${host}:${port} does not accept a connection within ${timeoutMs / 1000} s`));
        }, timeoutMs);
        const closed = (how: string) => {
          if (over || !open) return;
          over = true;
          events.closed(how);
          // Nothing more is to come; our side is of no use to the broker either.
          socket.destroy();
        };
        socket.on('error', (error: NodeJS.ErrnoException) => {
          clearTimeout(timer);
          if (open) closed(error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'RST' : (error.code ?? 'error'));
          else reject(new Unreachable(`${host}:${port}: ${explain(error)}`));
        });
        socket.on('connect', () => {
          clearTimeout(timer);
          open = true;
          resolve({
            write: (bytes) => {
              if (!over && socket.writable) socket.write(bytes);
            },
            end: () => {
              if (!over) socket.end();
            },
            reset: () => {
              over = true;
              socket.resetAndDestroy();
            },
            pause: () => {
              if (!over) socket.pause();
            },
            resume: () => {
              if (!over) socket.resume();
            },
          });
        });
        socket.on('end', () => closed('FIN'));
        socket.on('close', () => {
          closed('closed');
          inboxes.push(inbox);
        });
      }),
  };
}

function explain(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'connection refused; is the broker running, and is this its MQTT port?';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'no such host';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'no route to this host';
    default:
      return error.message || error.code || 'no connection';
  }
}

/** What the server's side of a link in memory sees. */
export interface ServerLink {
  send(bytes: Uint8Array): void;
  close(): void;
  /** Whether more waits for a client that does not read than a network would take. */
  readonly congested: boolean;
}

/** The server's side of a link in memory. The reference broker's core has this shape. */
export interface Acceptor {
  accept(link: ServerLink): { feed(bytes: Uint8Array): void; ended(): void };
}

/** As much as a network takes of what nobody reads. */
const unreadBytesAtMost = 64 * 1_024;

/** What happens at the client's end of a link in memory: at once, or when the client reads on. */
class Inbox {
  unreadBytes = 0;
  #unread: (() => void)[] | undefined;

  /** @param arrive tells the client, unless it is gone by then */
  take(bytes: number, arrive: () => void): void {
    if (!this.#unread) return arrive();
    this.unreadBytes += bytes;
    this.#unread.push(arrive);
  }

  pause(): void {
    this.#unread ??= [];
  }

  resume(): void {
    const unread = this.#unread;
    this.#unread = undefined;
    this.unreadBytes = 0;
    if (unread) for (const arrive of unread) arrive();
  }
}

/**
 * Connections to a broker core in the same process. Bytes arrive in a later turn, as they would from a network, so neither
 * side runs inside the other's call; what was written before a drop still arrives.
 */
export function memory(broker: Acceptor): Transport {
  return {
    async open(events) {
      const inbox = new Inbox();
      let clientGone = false;
      let serverGone = false;
      const ended = () => {
        if (serverGone) return;
        serverGone = true;
        connection.ended();
      };
      const closed = () => {
        ended();
        inbox.take(0, () => {
          if (clientGone) return;
          clientGone = true;
          events.closed('FIN');
        });
      };
      const connection = broker.accept({
        send: (bytes) => {
          const copy = Uint8Array.from(bytes);
          queueMicrotask(() => inbox.take(copy.length, () => clientGone || events.data(copy)));
        },
        close: () => queueMicrotask(closed),
        get congested() {
          return inbox.unreadBytes > unreadBytesAtMost;
        },
      });
      return {
        write: (bytes) => {
          const copy = Uint8Array.from(bytes);
          queueMicrotask(() => serverGone || connection.feed(copy));
        },
        end: () =>
          queueMicrotask(() => {
            ended();
            queueMicrotask(closed);
          }),
        reset: () => {
          clientGone = true;
          queueMicrotask(ended);
        },
        pause: () => inbox.pause(),
        resume: () => queueMicrotask(() => inbox.resume()),
      };
    },
  };
}
