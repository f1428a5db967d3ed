/**
 * The loads that a broker is measured with, as bytes on raw sockets. Nothing is decoded: what has to come back is known to the
 * byte, so that comparing it costs next to nothing and the broker, not the load, is what limits the throughput.
 */

import { once } from 'node:events';
import net from 'node:net';
import { connect, disconnect, puback, publish, subscribe } from '../../harness/wire/build.ts';
import { encode } from '../../harness/wire/encode.ts';
import type { Packet } from '../../harness/wire/packet.ts';

/** One publisher sends to some subscribers. */
export interface Load {
  readonly qos: 0 | 1;
  readonly subscribers: number;
  /** How many messages may be on their way: sent, and not yet acknowledged and received by all. */
  readonly window: number;
  /** Bytes of each payload. */
  readonly payloadSize: number;
}

/** Takes what arrives on one connection; throws for a byte that is out of place. */
type Intake = (chunk: Buffer) => void;

const topic = 'bench/load';
const bytesOf = (packet: Packet) => Buffer.from(encode(packet, 'v3'));

/** The message under an identifier: what the publisher sends and, but for the identifier, what each subscriber gets. */
function messageWith(packetId: number, { qos, payloadSize }: Load): Buffer {
  return bytesOf(publish({ topic, qos, packetId, payload: Buffer.alloc(payloadSize, 'x') }));
}

/** A publisher and its subscribers, connected to a broker. */
export class Flow {
  readonly #load: Load;
  readonly #sockets: net.Socket[] = [];
  #publisher: net.Socket | undefined;
  /** How many messages each receiver has had: the subscribers, and with QoS 1 the publisher its PUBACKs. */
  readonly #received: number[] = [];
  /** The messages under all identifiers in use, one behind the other; they are sent round and round. */
  readonly #messages: Buffer;
  readonly #size: number;
  #sent = 0;
  #goal = 0;
  #finish: (() => void) | undefined;
  #fail: (error: Error) => void = () => {};
  /** Rejects when a connection is lost or brings a wrong byte. */
  readonly #broken: Promise<never>;

  constructor(load: Load) {
    this.#load = load;
    // An identifier is used again long after its PUBACK; QoS 0 has none, and one message is as good as many.
    const identifiers = 10 * load.window;
    this.#messages = Buffer.concat(Array.from({ length: identifiers }, (_, index) => messageWith(index + 1, load)));
    this.#size = this.#messages.length / identifiers;
    this.#broken = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#broken.catch(() => {});
  }

  /** Connects everybody. */
  async open(port: number): Promise<void> {
    const { qos, subscribers } = this.#load;
    for (let index = 0; index < subscribers; index++) {
      const socket = await this.#connect(port, `bench-subscriber-${index}`);
      await exchange(socket, bytesOf(subscribe(1, [topic, qos])), Buffer.of(0x90, 3, 0, 1, qos));
      this.#take(socket, qos === 0 ? this.#identicalMessages() : this.#acknowledgedMessages(socket));
    }
    this.#publisher = await this.#connect(port, 'bench-publisher');
    this.#take(this.#publisher, qos === 0 ? nothing : this.#acknowledgements());
  }

  /**
   * Sends at full speed for so long, and goes on until every message has arrived. Resolves to the number of messages
   * that were published. Rejects if one is lost, damaged or late.
   */
  async run(forMs: number): Promise<number> {
    const before = this.#sent;
    const done = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    this.#goal = Number.POSITIVE_INFINITY;
    const stop = setTimeout(() => {
      this.#goal = this.#sent;
      this.#pump();
    }, forMs);
    const late = setTimeout(() => this.#fail(new Error(this.#shortfall())), forMs + 10_000);
    try {
      this.#pump();
      await Promise.race([done, this.#broken]);
    } finally {
      clearTimeout(stop);
      clearTimeout(late);
    }
    return this.#sent - before;
  }

  /** Disconnects everybody. */
  close(): void {
    this.#fail(new Error('the load is closed'));
    for (const socket of this.#sockets) socket.end(bytesOf(disconnect())).destroySoon();
  }

  async #connect(port: number, clientId: string): Promise<net.Socket> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.#sockets.push(socket);
    await exchange(socket, bytesOf(connect({ clientId, keepAlive: 0 })), Buffer.of(0x20, 2, 0, 0));
    return socket;
  }

  #take(socket: net.Socket, intake: Intake): void {
    socket.on('error', this.#fail);
    socket.on('close', () => this.#fail(new Error('the broker closed a connection')));
    socket.on('data', (chunk) => {
      try {
        intake(chunk);
        this.#pump();
      } catch (error) {
        this.#fail(error as Error);
      }
    });
  }

  /** Fills the window. */
  #pump(): void {
    const arrived = Math.min(...this.#received);
    if (arrived >= this.#goal) this.#finish?.();
    const room = Math.min(arrived + this.#load.window, this.#goal);
    if (room <= this.#sent) return;
    const start = (this.#sent * this.#size) % this.#messages.length;
    const end = start + (room - this.#sent) * this.#size;
    this.#publisher?.write(this.#messages.subarray(start, end));
    if (end > this.#messages.length) this.#publisher?.write(this.#messages.subarray(0, end - this.#messages.length));
    this.#sent = room;
  }

  /** A new receiver; what it returns says that so many messages in all have arrived there. */
  #receiver(): (count: number) => void {
    const index = this.#received.push(0) - 1;
    return (count) => {
      this.#received[index] = count;
    };
  }

  /** QoS 0: the same packet again and again. */
  #identicalMessages(): Intake {
    return repeated(this.#messages, this.#size, this.#receiver());
  }

  /** The PUBACKs, in the order of the messages (v3/4.6.0-2). */
  #acknowledgements(): Intake {
    const identifiers = this.#messages.length / this.#size;
    const expected = Buffer.concat(Array.from({ length: identifiers }, (_, index) => bytesOf(puback(index + 1))));
    return repeated(expected, expected.length / identifiers, this.#receiver());
  }

  /** QoS 1: the broker's identifiers are its own, and go back in a PUBACK. */
  #acknowledgedMessages(socket: net.Socket): Intake {
    const received = this.#receiver();
    const size = this.#size;
    const expected = messageWith(1, this.#load);
    const identifierAt = size - this.#load.payloadSize - 2;
    const acknowledgement = bytesOf(puback(1));
    let count = 0;
    let rest: Buffer = Buffer.alloc(0);
    return (chunk) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const whole = Math.floor(bytes.length / size);
      const answers = Buffer.alloc(whole * acknowledgement.length, acknowledgement);
      for (let index = 0; index < whole; index++) {
        const start = index * size;
        if (bytes[start] !== expected[0] || bytes[start + size - 1] !== expected[size - 1]) throw damaged();
        bytes.copy(answers, index * acknowledgement.length + 2, start + identifierAt, start + identifierAt + 2);
      }
      rest = bytes.subarray(whole * size);
      count += whole;
      received(count);
      if (whole > 0) socket.write(answers);
    };
  }

  #shortfall(): string {
    return `of ${this.#sent} messages some never arrived; the receivers have ${this.#received.join(', ')}`;
  }
}

/** Expects `cycle` over and over: packets of the same size, counted as they come. */
function repeated(cycle: Buffer, size: number, received: (count: number) => void): Intake {
  let total = 0;
  return (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      const from = total % cycle.length;
      const length = Math.min(chunk.length - at, cycle.length - from);
      if (cycle.compare(chunk, at, at + length, from, from + length) !== 0) throw damaged();
      at += length;
      total += length;
    }
    received(Math.floor(total / size));
  };
}

function nothing(): never {
  throw new Error('the publisher got a packet that nothing asked for');
}

function damaged(): Error {
  return new Error('what arrived is not what was sent');
}

/** Sends a packet and waits for exactly this answer. */
async function exchange(socket: net.Socket, packet: Buffer, answer: Buffer): Promise<void> {
  socket.write(packet);
  const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(5_000) })) as [Buffer];
  if (!chunk.equals(answer)) throw new Error(`${chunk.toString('hex')} came in answer, not ${answer.toString('hex')}`);
}
