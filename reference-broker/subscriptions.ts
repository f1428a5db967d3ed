/** Who gets a message: the subscriptions of all sessions, and what happens when several of one client match (section 3.3.5). */

import type { QoS } from '../harness/wire/packet.ts';
import type { Choices } from './choices.ts';
import type { Obeys } from './obeys.ts';
import type { Session } from './session.ts';
import { FilterTree } from './topics.ts';

/** A copy of a message that a session is due, at the greatest QoS it may have. */
export interface Recipient {
  readonly session: Session;
  readonly qos: QoS;
}

/** Topics are few and messages many: the recipients of a topic are looked up once for each change of subscriptions. */
const rememberedTopics = 1_000;
const longestRememberedTopic = 256;

export class Subscriptions {
  readonly #obeys: Obeys;
  readonly #choices: Choices;
  readonly #tree: FilterTree<Recipient>;
  readonly #remembered = new Map<string, readonly Recipient[]>();

  constructor(obeys: Obeys, choices: Choices) {
    this.#obeys = obeys;
    this.#choices = choices;
    this.#tree = new FilterTree(obeys);
  }

  /** Adds a subscription; it takes the place of the session's former one with the same filter. */
  set(session: Session, filter: string, qos: QoS): void {
    const replaces = this.#obeys('v3/3.8.4-3#replaces', 'v3/1.2~one-subscription-per-filter');
    const granted = this.#obeys('v3/3.8.4-3#qos') ? qos : (session.filters.get(filter) ?? qos);
    this.#tree.set(filter, replaces ? session : {}, { session, qos: granted });
    session.filters.set(filter, granted);
    this.#remembered.clear();
  }

  delete(session: Session, filter: string): void {
    if (!session.filters.delete(filter)) return;
    this.#tree.delete(filter, session);
    this.#remembered.clear();
  }

  /** Ends all subscriptions of a session. */
  deleteAll(session: Session): void {
    for (const filter of [...session.filters.keys()]) this.delete(session, filter);
  }

  /** The copies of a message with this Topic Name that are due. */
  recipients(topic: string): readonly Recipient[] {
    const remembered = this.#remembered.get(topic);
    if (remembered) return remembered;
    const found = this.#find(topic);
    if (topic.length <= longestRememberedTopic) {
      if (this.#remembered.size >= rememberedTopics) this.#remembered.clear();
      this.#remembered.set(topic, found);
    }
    return found;
  }

  #find(topic: string): readonly Recipient[] {
    const obeys = this.#obeys;
    const matching = this.#tree.matches(topic);
    const severalCopies =
      this.#choices.overlapping === 'each' || !obeys('v3/3.8.4-3#replaces', 'v3/1.2~one-subscription-per-filter');
    const due = severalCopies ? matching : this.#oneForEachSession(matching);
    return obeys('v3/3.3.5~overlapping-copies') ? due : [...due, ...due];
  }

  #oneForEachSession(matching: readonly Recipient[]): Recipient[] {
    const best = new Map<Session, Recipient>();
    for (const recipient of matching) {
      const other = best.get(recipient.session);
      if (!other || recipient.qos > other.qos === this.#obeys('v3/3.3.5-1')) best.set(recipient.session, recipient);
    }
    return [...best.values()];
  }
}
