/** Retained messages: the last one of each topic, for subscriptions to come (section 3.3.1.3). They belong to no session. */

import type { Choices } from './choices.ts';
import { hasExpired } from './expiry.ts';
import { type Message, sizeOf } from './message.ts';
import type { Obeys } from './obeys.ts';
import { FilterTree, hasWildcard } from './topics.ts';

export class Retained {
  readonly #obeys: Obeys;
  readonly #choices: Choices;
  readonly #maximumBytes: number;
  #bytes = 0;
  readonly #messages = new Map<string, Message>();

  constructor(obeys: Obeys, choices: Choices, maximumBytes: number) {
    this.#obeys = obeys;
    this.#choices = choices;
    this.#maximumBytes = maximumBytes;
  }

  /**
   * What a message does to the retained message of its topic: nothing, unless it has RETAIN 1. `obeys` is asked about
   * the version of the publisher.
   */
  take(message: Message, obeys: Obeys): void {
    const { topic, qos } = message;
    if (!message.retain && obeys('v3/3.3.1-12', 'v5/3.3.1-8')) return;
    if (message.payload.length === 0 && obeys('v3/3.3.1-11', 'v5/3.3.1-7')) {
      if (obeys('v3/3.3.1-10#delete', 'v5/3.3.1-6#delete')) this.#delete(topic);
      return;
    }
    if (qos === 0 && !obeys('v3/3.3.1-7', 'v5/3.3.1.3~retained-qos0')) return;
    if (qos > 0 && !obeys('v3/3.3.1-5#stored', 'v5/3.3.1-5#stored')) return;
    const isReplaced = obeys('v3/3.3.1-6#last', 'v5/3.3.1-5#replaces', 'v5/3.3.1.3~last-retained-message#last');
    if (this.#messages.has(topic) && !isReplaced) return;
    // A QoS 0 message displaces the former one even when it is not kept itself.
    this.#delete(topic);
    if (qos === 0 && this.#choices.retainedQoS0 === 'drop') return;
    const bytes = sizeOf(message);
    if (this.#bytes + bytes > this.#maximumBytes) return;
    this.#bytes += bytes;
    this.#messages.set(topic, obeys('v3/3.3.1-5#qos', 'v5/3.3.1-5#qos') ? message : { ...message, qos: 0 });
  }

  #delete(topic: string): void {
    const message = this.#messages.get(topic);
    if (!message) return;
    this.#bytes -= sizeOf(message);
    this.#messages.delete(topic);
  }

  /** The retained messages of all topics that match a filter, but for those that have expired by now. */
  matching(filter: string, now: number): Message[] {
    if (!this.#obeys('v3/3.3.2-3#retained', 'v5/3.3.2-3#retained')) return [...this.#messages.values()];
    if (!hasWildcard(filter)) {
      const message = this.#messages.get(filter);
      return message && this.#lasts(message, now) ? [message] : [];
    }
    const tree = new FilterTree<true>(this.#obeys);
    tree.set(filter, this, true);
    return [...this.#messages.values()].filter(
      (message) => tree.matches(message.topic).length > 0 && this.#lasts(message, now),
    );
  }

  /** A message that has expired is removed, and there is none for its topic then. */
  #lasts(message: Message, now: number): boolean {
    if (!hasExpired(message.expiry, now) || !this.#obeys('v5/3.3.2.3.3~retained-expiry')) return true;
    this.#delete(message.topic);
    return false;
  }

  clear(): void {
    this.#messages.clear();
    this.#bytes = 0;
  }
}
