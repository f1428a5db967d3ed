/** A client for the broker's tests: a link in memory without any delay, so that every answer is there when `send` returns. */

import { VirtualClock } from '../harness/clock.ts';
import type { Version } from '../harness/spec/index.ts';
import { type ConnectFields, connect } from '../harness/wire/build.ts';
import { decode } from '../harness/wire/decode.ts';
import { type Bend, encode } from '../harness/wire/encode.ts';
import { Framer } from '../harness/wire/frame.ts';
import type { Connack, Packet } from '../harness/wire/packet.ts';
import { type Broker, type BrokerOptions, type Connection, createBroker } from './broker.ts';

export class TestClient {
  /** Whether the broker has closed the connection. */
  closed = false;
  /** Set to have QoS 0 messages held back, as for a client that does not read. */
  congested = false;
  /** The CONNACK that let the client in, if `Stage` has read it. */
  connack: Connack | undefined;
  readonly #connection: Connection;
  /** What came after that CONNACK. */
  readonly unread: Packet[] = [];
  readonly version: Version;
  readonly #framer: Framer;

  /** @param hears told of all that the broker sends. */
  constructor(broker: Broker, version: Version = 'v3', hears: (event: Uint8Array | 'closed') => void = () => {}) {
    const client = this;
    this.version = version;
    this.#framer = new Framer(version);
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
    return this.sendBytes(Buffer.concat(packets.map((packet) => encode(packet, this.version))));
  }

  /** Sends one packet with damage. */
  sendBent(packet: Packet, bend: Bend): this {
    return this.sendBytes(encode(packet, this.version, bend));
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
    const packets = this.unread.splice(0);
    for (let frame = this.#framer.next(); frame; frame = this.#framer.next()) packets.push(decode(frame, this.version));
    return packets;
  }
}

/** A broker in virtual time, and clients of it. */
export interface Stage {
  readonly clock: VirtualClock;
  readonly broker: Broker;
  /** Opens a network connection. */
  open(version?: Version): TestClient;
  /** Connects a client of MQTT 3.1.1 and reads its CONNACK. */
  connect(clientId: string, fields?: Omit<ConnectFields, 'clientId'>): TestClient;
  /** Connects a client of MQTT 5.0 and reads its CONNACK. */
  connect5(clientId: string, fields?: Omit<ConnectFields, 'clientId'>): TestClient;
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
    open: (version) => new TestClient(broker, version),
    connect: (clientId, fields) => letIn(new TestClient(broker), { ...fields, clientId }),
    connect5: (clientId, fields) => letIn(new TestClient(broker, 'v5'), { ...fields, clientId, protocolLevel: 5 }),
    elapse: (ms) => elapse(clock, ms),
  };
}

function letIn(client: TestClient, fields: ConnectFields): TestClient {
  const [connack, ...others] = client.send(connect(fields)).read();
  if (connack?.type !== 'CONNACK' || connack.code !== 0) throw new Error(`${fields.clientId} is not let in`);
  client.connack = connack;
  client.unread.push(...others);
  return client;
}

/** Lets so many milliseconds of virtual time pass. */
export function elapse(clock: VirtualClock, ms: number): void {
  let passed = false;
  clock.after(ms, () => {
    passed = true;
  });
  while (!passed) clock.advance();
}
