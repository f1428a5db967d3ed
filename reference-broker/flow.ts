/** Flow control: how many QoS 1 and 2 messages may be on their way in each direction (section 4.9). */

import { Malformed } from '../harness/wire/malformed.ts';
import type { Obeys } from './obeys.ts';
import { reasonCodes } from './reasons.ts';

/** The server's send quota on one connection. */
export class SendQuota {
  readonly #obeys: Obeys;
  #left: number;

  /** @param receiveMaximum of the CONNECT. */
  constructor(receiveMaximum: number, obeys: Obeys) {
    this.#obeys = obeys;
    this.#left = obeys('v5/4.9.0-1') ? receiveMaximum : receiveMaximum + 1;
  }

  /** Whether another PUBLISH may go. */
  get allows(): boolean {
    return this.#left > 0 || !this.#obeys('v5/3.3.4-9', 'v5/4.9.0-2');
  }

  get isExhausted(): boolean {
    return this.#left <= 0;
  }

  /** A PUBLISH is sent. */
  take(): void {
    this.#left--;
  }

  /**
   * An acknowledgement has come, with whatever code, of a message that was sent on the connection with quota `taken`.
   * One of another connection gives nothing back, so the quota never rises above its initial value.
   */
  give(taken: SendQuota | undefined): void {
    if (taken === this || !this.#obeys('v5/4.9~send-quota-refill#own')) this.#left++;
  }
}

/** What the client has sent on one connection and the server has not acknowledged to the end. */
export class ReceiveQuota {
  readonly #maximum: number;
  /** QoS 2 messages that wait for PUBREL; QoS 1 is acknowledged at once. */
  readonly #open = new Set<number>();

  /** @param maximum Receive Maximum of the CONNACK. */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** A PUBLISH has come. Throws `Malformed` if it is one too many. */
  receive(packetId: number, qos: 1 | 2): void {
    if (this.#open.size >= this.#maximum && !this.#open.has(packetId)) {
      const rules = ['v5/3.3.4~receive-maximum-exceeded', 'v5/3.3.4-7'] as const;
      const reason = `more than ${this.#maximum} messages at a time`;
      throw new Malformed(rules, reason, 'packetId', 0, reasonCodes.receiveMaximumExceeded);
    }
    if (qos === 2) this.#open.add(packetId);
  }

  /** Its exchange is complete: PUBCOMP is sent, or a PUBREC that refuses it. */
  complete(packetId: number): void {
    this.#open.delete(packetId);
  }
}
