/** Keep Alive: a client that is silent for one and a half times its Keep Alive is gone (section 3.1.2.10). */

import type { Cancel } from '../harness/clock.ts';
import type { Obeys } from './obeys.ts';
import type { Server } from './server.ts';

/**
 * Watches one connection. Hearing of the client only notes the time; the timer is set again when it fires, so that a
 * packet costs no timer.
 */
export class KeepAlive {
  readonly #server: Server;
  readonly #limitMs: number;
  readonly #silent: () => void;
  #heard: number;
  #cancel: Cancel | undefined;

  /** @param seconds Keep Alive that applies; 0 turns the mechanism off. @param silent called once, when the client is gone. */
  constructor(server: Server, obeys: Obeys, seconds: number, silent: () => void) {
    this.#server = server;
    this.#silent = silent;
    this.isOn = seconds > 0;
    this.#heard = server.clock.now();
    this.#limitMs =
      1_000 *
      factor(obeys) *
      (obeys('v3/3.1.2.10~keep-alive-range#unsigned', 'v5/3.1.2-22#unsigned') ? seconds : (seconds << 16) >> 16);
    const watches = seconds > 0 || !obeys('v3/3.1.2.10~keep-alive-range#zero', 'v5/3.1.2-22#zero', 'v5/3.2.2-22#zero');
    if (watches && obeys('v3/3.1.2-24#watched', 'v5/3.1.2-22#watched')) this.#wait(this.#limitMs);
  }

  /** Whether the client asked for it. */
  readonly isOn: boolean;

  /** A whole packet has come from the client. */
  heard(): void {
    this.#heard = this.#server.clock.now();
  }

  stop(): void {
    this.#cancel?.();
  }

  #wait(ms: number, look = () => this.#look()): void {
    this.#cancel = this.#server.clock.after(ms, look);
  }

  #look(): void {
    if (this.#isHeard()) return;
    const { clock, choices } = this.#server;
    const interval = choices.keepAliveCheckMs;
    if (interval === 0) return this.#silent();
    const lag = (interval - (clock.now() % interval)) % interval;
    this.#wait(lag, () => {
      if (!this.#isHeard()) this.#silent();
    });
  }

  /** Whether the client has been heard within its time; then what is left of that is waited for. */
  #isHeard(): boolean {
    const left = this.#heard + this.#limitMs - this.#server.clock.now();
    if (left > 0) this.#wait(left);
    return left > 0;
  }
}

function factor(obeys: Obeys): number {
  if (!obeys('v3/3.1.2-24#early', 'v5/3.1.2-22#early')) return 0.5;
  return obeys('v3/3.1.2-24#late', 'v5/3.1.2-22#late') ? 1.5 : 60;
}
