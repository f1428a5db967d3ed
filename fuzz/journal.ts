/** What happens in a play, written down in the order in which this side sees it. */

import type { Clock } from '../harness/clock.ts';
import type { Malformed } from '../harness/wire/malformed.ts';
import type { Packet } from '../harness/wire/packet.ts';
import type { Happening } from './record.ts';

/** Whose happening it is: a network connection. */
interface Whose {
  /** Index into the clients of the script. */
  readonly client: number;
  readonly connection: number;
}

/**
 * Each method writes down one happening and returns its order. Each kind is made in one place, with all of its fields and no spread: objects of few
 * shapes are quick to make and to read, and a run makes tens of thousands a second.
 */
export class Journal {
  readonly happened: Happening[] = [];
  /** Orders of what was waited for in vain. */
  readonly late: number[] = [];
  /** Index of the step at work. */
  step = 0;
  readonly #clock: Clock;
  readonly #startedMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedMs = clock.now();
  }

  /** Milliseconds since the play began. */
  now(): number {
    return this.#clock.now() - this.#startedMs;
  }

  opened({ client, connection }: Whose): number {
    return this.#add({ what: 'opened', client, connection, step: this.step, atMs: this.now() });
  }

  sent({ client, connection }: Whose, bytes: Uint8Array, packet: Packet | undefined, bent: boolean): number {
    return this.#add({ what: 'sent', client, connection, step: this.step, atMs: this.now(), bytes, packet, bent });
  }

  received({ client, connection }: Whose, bytes: Uint8Array, packet: Packet): number {
    const { step } = this;
    const malformed = undefined;
    return this.#add({ what: 'received', client, connection, step, atMs: this.now(), bytes, packet, malformed });
  }

  receivedMalformed({ client, connection }: Whose, bytes: Uint8Array, malformed: Malformed): number {
    const { step } = this;
    const packet = undefined;
    return this.#add({ what: 'received', client, connection, step, atMs: this.now(), bytes, packet, malformed });
  }

  paused({ client, connection }: Whose): number {
    return this.#add({ what: 'paused', client, connection, step: this.step, atMs: this.now() });
  }

  resumed({ client, connection }: Whose): number {
    return this.#add({ what: 'resumed', client, connection, step: this.step, atMs: this.now() });
  }

  halfClosed({ client, connection }: Whose): number {
    return this.#add({ what: 'half-closed', client, connection, step: this.step, atMs: this.now() });
  }

  closed({ client, connection }: Whose, by: 'broker' | 'client', how: string): number {
    return this.#add({ what: 'closed', client, connection, step: this.step, atMs: this.now(), by, how });
  }

  /** @param afterMs how long it was waited for */
  missed({ client, connection }: Whose, missing: 'CONNACK' | 'PINGRESP' | 'close', afterMs: number): number {
    const { step } = this;
    const order = this.#add({ what: 'late', client, connection, step, atMs: this.now(), missing, afterMs });
    this.late.push(order);
    return order;
  }

  #add(happening: Happening): number {
    return this.happened.push(happening) - 1;
  }
}
