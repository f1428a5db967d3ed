/** Two clients that have nothing to do with any case: they tell that the target went down, also when it is up again at once. */

import { CouldNotRun, Unreachable } from './errors.ts';
import type { Peer } from './peer.ts';
import { Scene, type Stage } from './scene.ts';
import type { Version } from './spec/index.ts';
import { pingreq } from './wire/build.ts';

/** Often enough that no broker takes them for idle. */
const pingEveryMs = 10_000;
/** The last of the names that no case has. */
const ordinal = 39;

export class Witness {
  readonly #stage: Stage;
  readonly #clients: readonly Peer[];
  #cancel = () => {};

  private constructor(stage: Stage, clients: readonly Peer[]) {
    this.#stage = stage;
    this.#clients = clients;
    this.#ping();
  }

  /** Connects the two clients; undefined when they are not let in. */
  static async call(stage: Stage, version: Version): Promise<Witness | undefined> {
    const scene = new Scene(stage, version, ordinal, 1);
    try {
      const connect = (name: string) => scene.connect({ name, keepAlive: 0 });
      return new Witness(stage, [await connect('witness'), await connect('second witness')]);
    } catch (error) {
      await scene.cleanUp();
      if (error instanceof CouldNotRun || error instanceof Unreachable) return undefined;
      throw error;
    }
  }

  /** A server may close the connection of a client for reasons of its own; of all clients it closes them when it goes down. */
  get sawTheEnd(): boolean {
    return this.#clients.every((client) => client.ended);
  }

  /** Ends both connections, without waiting. */
  leave(): void {
    this.#cancel();
    for (const client of this.#clients) client.leave();
  }

  #ping(): void {
    for (const client of this.#clients) client.send(pingreq());
    // In 5.0 the server may want it more often (v5/3.1.2-21).
    const asked = this.#clients.map(({ connack }) => (connack?.properties?.serverKeepAlive || 60) * 500);
    this.#cancel = this.#stage.clock.after(Math.min(pingEveryMs, ...asked), () => this.#ping());
  }
}
