/** Retained messages: the last one of each topic, for subscriptions to come (section 3.3.1.3). They belong to no session. */

import type { Choices } from './choices.ts';
import type { Message } from './message.ts';
import type { Obeys } from './obeys.ts';
import { FilterTree, hasWildcard } from './topics.ts';

export class Retained {
  readonly #obeys: Obeys;
  readonly #choices: Choices;
  readonly #limit: number;
  readonly #messages = new Map<string, Message>();

  constructor(obeys: Obeys, choices: Choices, limit: number) {
    this.#obeys = obeys;
    this.#choices = choices;
    this.#limit = limit;
  }

  /** What a message does to the retained message of its topic: nothing, unless it has RETAIN 1. */
  take(message: Message): void {
    const obeys = this.#obeys;
    const { topic, qos } = message;
    if (!message.retain && obeys('v3/3.3.1-12')) return;
    if (message.payload.length === 0 && obeys('v3/3.3.1-11')) {
      if (obeys('v3/3.3.1-10#delete')) this.#messages.delete(topic);
      return;
    }
    if (qos === 0 && !obeys('v3/3.3.1-7')) return;
    if (qos > 0 && !obeys('v3/3.3.1-5#stored')) return;
    if (this.#messages.has(topic) && !obeys('v3/3.3.1-6#last')) return;
    // A QoS 0 message displaces the former one even when it is not kept itself.
    this.#messages.delete(topic);
    if (qos === 0 && this.#choices.retainedQoS0 === 'drop') return;
    if (this.#messages.size >= this.#limit) return;
    this.#messages.set(topic, obeys('v3/3.3.1-5#qos') ? message : { ...message, qos: 0 });
  }

  /** The retained messages of all topics that match a filter. */
  matching(filter: string): Message[] {
    if (!hasWildcard(filter)) {
      const message = this.#messages.get(filter);
      return message ? [message] : [];
    }
    const tree = new FilterTree<true>(this.#obeys);
    tree.set(filter, this, true);
    return [...this.#messages.values()].filter(({ topic }) => tree.matches(topic).length > 0);
  }

  clear(): void {
    this.#messages.clear();
  }
}
