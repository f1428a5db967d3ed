/** The bare loop: the bytes of prepared scripts over sockets, without generator, decoder and oracles. What the fuzzer's rate is held against. */

import net from 'node:net';
import { setAnyway } from '../../harness/transport.ts';
import { caseName, type Happening, type Recording } from '../record.ts';

/** What goes out on one connection until an answer is waited for, and how it ends. */
interface Act {
  readonly client: number;
  readonly bytes: Uint8Array;
  /** Wait for the answer to a PINGREQ at the end of the bytes; else go on. */
  readonly fence: boolean;
  readonly end: 'none' | 'FIN' | 'RST';
}

export type Bare = readonly Act[];

/** The bytes that plays have sent, one play after the other: what the fuzzer sends by itself included. */
export function bareOf(...recordings: readonly Recording[]): Bare {
  let clients = 0;
  return recordings.flatMap(({ happened, script }) => {
    const offset = clients;
    clients += script.clients.length;
    return actsOf(happened).map((act) => ({ ...act, client: act.client + offset }));
  });
}

function actsOf(happened: readonly Happening[]): Act[] {
  const acts: Act[] = [];
  let open: { client: number; chunks: Uint8Array[] } | undefined;
  const flush = (fence: boolean, end: Act['end'], client: number) => {
    if (open && open.client !== client) {
      acts.push({ client: open.client, bytes: Buffer.concat(open.chunks), fence: false, end: 'none' });
      open = undefined;
    }
    acts.push({ client, bytes: Buffer.concat(open?.chunks ?? []), fence, end });
    open = undefined;
  };
  happened.forEach((each, at) => {
    if (each.what === 'sent') {
      if (open && open.client !== each.client) flush(false, 'none', open.client);
      open ??= { client: each.client, chunks: [] };
      open.chunks.push(each.bytes);
      // A PINGREQ that was waited for: its answer is the next thing that happened.
      const isFence = each.packet?.type === 'PINGREQ' && happened[at + 1]?.what === 'received';
      if (isFence) flush(true, 'none', each.client);
    } else if (each.what === 'half-closed' && isEarly(happened, at)) flush(false, 'FIN', each.client);
    else if (each.what === 'closed' && each.by === 'client') flush(false, 'RST', each.client);
  });
  if (open) flush(false, 'none', open.client);
  return acts;
}

/** Whether more is sent after it: at the end all connections are half-closed at once. */
function isEarly(happened: readonly Happening[], at: number): boolean {
  return happened.slice(at).some(({ what }) => what === 'sent');
}

/** As the transport of the fuzzer reads. */
const inboxes: Buffer[] = [];

/** One connection. */
class Socket {
  readonly #socket: net.Socket;
  #isClosed = false;
  #wake: (() => void) | undefined;
  #endsWithPingresp = false;

  constructor(port: number) {
    const inbox = inboxes.pop() ?? Buffer.allocUnsafeSlow(16_384);
    const read = (size: number) => {
      this.#endsWithPingresp = size >= 2 && inbox[size - 2] === 0xd0 && inbox[size - 1] === 0;
      this.#wake?.();
      return true;
    };
    const onread = { buffer: inbox, callback: read };
    this.#socket = net.connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true, onread, ...setAnyway });
    this.#socket.on('close', () => inboxes.push(inbox));
    const over = () => {
      this.#isClosed = true;
      this.#socket.destroy();
      this.#wake?.();
    };
    this.#socket.on('end', over);
    this.#socket.on('error', over);
    this.#socket.on('close', over);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(bytes: Uint8Array): void {
    if (!this.#isClosed && bytes.length > 0) this.#socket.write(bytes);
  }

  finish(): void {
    if (!this.#isClosed) this.#socket.end();
  }

  reset(): void {
    this.#isClosed = true;
    this.#socket.resetAndDestroy();
  }

  async closed(): Promise<void> {
    while (!this.#isClosed) await this.#event();
  }

  async pinged(): Promise<void> {
    this.#endsWithPingresp = false;
    while (!this.#isClosed && !this.#endsWithPingresp) await this.#event();
  }

  #event(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Sends a script; resolves when all of its connections are closed. */
export async function sendBare(port: number, acts: Bare, name: Buffer): Promise<void> {
  const sockets: (Socket | undefined)[] = [];
  for (const { client, bytes, fence, end } of acts) {
    const current = sockets[client];
    if ((!current || current.isClosed) && bytes.length === 0) continue;
    const socket = current && !current.isClosed ? current : new Socket(port);
    sockets[client] = socket;
    socket.write(named(bytes, name));
    if (fence) await Promise.race([socket.pinged(), pause()]);
    if (end === 'RST') socket.reset();
    if (end === 'FIN') {
      socket.finish();
      await socket.closed();
    }
  }
  for (const socket of sockets) socket?.finish();
  await Promise.all(sockets.map((socket) => socket?.closed()));
}

const placeholder = Buffer.from(caseName);

/** Two cases of the same name would take each other's connections over. */
function named(bytes: Uint8Array, name: Buffer): Uint8Array {
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(placeholder); at >= 0; at = copy.indexOf(placeholder, at + name.length))
    copy.set(name, at);
  return copy;
}

/** A PINGREQ behind what is no packet has no answer; without the fuzzer's knowledge of the stream only time tells. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 60);
  });
}
