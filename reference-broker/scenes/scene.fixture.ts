/** A broker, and a transcript of all that its clients see, with the time of it. */

import { VirtualClock } from '../../harness/clock.ts';
import type { Version } from '../../harness/spec/index.ts';
import { type ConnectFields, connect, subscribe } from '../../harness/wire/build.ts';
import type { QoS } from '../../harness/wire/packet.ts';
import { type BrokerOptions, createBroker, type Gate } from '../broker.ts';
import { elapse, TestClient } from '../testClient.ts';

/** What clients do, by name; with options of the broker if it takes some. */
export type Scenes = Record<string, Act | readonly [Omit<BrokerOptions, 'clock' | 'faults' | 'consulted'>, Act]>;

type Act = (scene: Scene) => void;

export class Scene {
  readonly transcript: string[] = [];
  readonly clock = new VirtualClock();
  readonly #broker;

  constructor(faults: readonly Gate[], consulted: (gate: Gate) => void, options: BrokerOptions = {}) {
    this.#broker = createBroker({ clock: this.clock, faults, consulted, ...options });
  }

  open(name: string, version: Version = 'v3'): TestClient {
    return new TestClient(this.#broker, version, (event) => {
      const what = typeof event === 'string' ? event : Buffer.from(event).toString('hex');
      this.transcript.push(`${this.clock.now()} ${name} ${what}`);
    });
  }

  connect(clientId: string, fields: Omit<ConnectFields, 'clientId'> = {}): TestClient {
    return this.open(clientId).send(connect({ keepAlive: 0, ...fields, clientId }));
  }

  /** The same in MQTT 5.0. */
  connect5(clientId: string, fields: Omit<ConnectFields, 'clientId'> = {}): TestClient {
    return this.open(clientId, 'v5').send(connect({ keepAlive: 0, protocolLevel: 5, ...fields, clientId }));
  }

  /** Connects a client of MQTT 5.0 whose session lasts. */
  lasting(clientId: string, fields: Omit<ConnectFields, 'clientId'> = {}): TestClient {
    const properties = { sessionExpiryInterval: 1_000, ...fields.properties };
    return this.connect5(clientId, { clean: false, ...fields, properties });
  }

  subscriber(qos: QoS = 2, filter = 't', clean = false): TestClient {
    return this.connect('s', { clean }).send(subscribe(1, [filter, qos]));
  }

  wait(ms: number): void {
    elapse(this.clock, ms);
  }

  /** Shuts the broker down. */
  close(): void {
    this.#broker.close();
  }
}

/** What the clients of a scene see. */
export function play(
  scenes: Scenes,
  name: string,
  faults: readonly Gate[],
  consulted: (gate: Gate) => void = () => {},
): string {
  const entry = scenes[name] ?? (() => {});
  const [options, act] = typeof entry === 'function' ? [{}, entry] : entry;
  const scene = new Scene(faults, consulted, options);
  act(scene);
  return scene.transcript.join('\n');
}
