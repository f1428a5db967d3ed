/** A client for the broker's tests: a link in memory without any delay, so that every answer is there when `send` returns. */

import { VirtualClock } from '../harness/clock.ts';
import { type ConnectFields, connect } from '../harness/wire/build.ts';
import { decode } from '../harness/wire/decode.ts';
import { type Bend, encode } from '../harness/wire/encode.ts';
import { Framer } from '../harness/wire/frame.ts';
import type { Packet } from '../harness/wire/packet.ts';
import { type Broker, type BrokerOptions, type Connection, createBroker } from './broker.ts';

export class TestClient {
  /** Whether the broker has closed the connection. */
  closed = false;
  /** Set to have QoS 0 messages held back, as for a client that does not read. */
  congested = false;
  readonly #connection: Connection;
  readonly #framer = new Framer('v3');

  /** @param hears told of all that the broker sends. */
  constructor(broker: Broker, hears: (event: Uint8Array | 'closed') => void = () => {}) {
    const client = this;
    this.#connection = broker.accept({
      send: (bytes) => {
        client.#framer.push(bytes);
        hears(bytes);
      },
      close: () => {
        client.closed = true;
        hears('closed');
      },
      get congested() {
        return client.congested;
      },
    });
  }

  /** Sends packets in one segment. */
  send(...packets: readonly Packet[]): this {
    return this.sendBytes(Buffer.concat(packets.map((packet) => encode(packet, 'v3'))));
  }

  /** Sends one packet with damage. */
  sendBent(packet: Packet, bend: Bend): this {
    return this.sendBytes(encode(packet, 'v3', bend));
  }

  sendBytes(bytes: Uint8Array): this {
    this.#connection.feed(bytes);
    return this;
  }

  /** The network connection goes without DISCONNECT. */
  drop(): void {
    this.#connection.ended();
  }

  /** All packets that have come since the last call. */
  read(): Packet[] {
    const packets: Packet[] = [];
    for (let frame = this.#framer.next(); frame; frame = this.#framer.next()) packets.push(decode(frame, 'v3'));
    return packets;
  }
}

/** A broker in virtual time, and clients of it. */
export interface Stage {
  readonly clock: VirtualClock;
  readonly broker: Broker;
  /** Opens a network connection. */
  open(): TestClient;
  /** Connects a client and reads its CONNACK. */
  connect(clientId: string, fields?: Omit<ConnectFields, 'clientId'>): TestClient;
  /** Lets so many milliseconds pass. */
  elapse(ms: number): void;
}

/** Starts a broker. */
export function start(options: Omit<BrokerOptions, 'clock'> = {}): Stage {
  const clock = new VirtualClock();
  const broker = createBroker({ ...options, clock });
  return {
    clock,
    broker,
    open: () => new TestClient(broker),
    connect(clientId, fields) {
      const client = new TestClient(broker).send(connect({ ...fields, clientId }));
      const [connack] = client.read();
      if (connack?.type !== 'CONNACK' || connack.code !== 0) throw new Error(`${clientId} is not let in`);
      return client;
    },
    elapse: (ms) => elapse(clock, ms),
  };
}

/** Lets so many milliseconds of virtual time pass. */
export function elapse(clock: VirtualClock, ms: number): void {
  let passed = false;
  clock.after(ms, () => {
    passed = true;
  });
  while (!passed) clock.advance();
}
