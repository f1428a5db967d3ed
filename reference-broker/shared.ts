/** Shared Subscriptions: a message goes to one session of each group (section 4.8.2). */

import type { RequirementId } from '../harness/spec/index.ts';
import type { Choices } from './choices.ts';
import type { Obeys } from './obeys.ts';
import type { Session } from './session.ts';
import type { Recipient } from './subscriptions.ts';

/** A filter of the form `$share/{ShareName}/{filter}`. */
export interface Share {
  readonly name: string;
  readonly filter: string;
}

/** Whether a filter of MQTT 5.0 is that of a Shared Subscription, well-formed or not. */
export function isShared(filter: string): boolean {
  return filter.startsWith('$share/');
}

/** A filter without the name that it is shared under, if it is. */
export function withoutShare(filter: string): string {
  return filter.replace(/^\$share\/[^/]*\//, '');
}

/** The parts of a shared filter, or what it breaks. */
export function parseShare(shared: string): Share | { readonly broken: readonly RequirementId[] } {
  const [, name = '', ...levels] = shared.split('/');
  const filter = levels.join('/');
  if (name === '') return { broken: ['v5/4.8.2-1'] };
  if (/[+#]/.test(name) || filter === '') return { broken: ['v5/4.8.2-2'] };
  return { name, filter };
}

/** The sessions that share the messages of one filter under one name. */
export class Group {
  readonly #choices: Choices;
  readonly #members = new Map<Session, Recipient>();
  #next = 0;

  constructor(choices: Choices) {
    this.#choices = choices;
  }

  get size(): number {
    return this.#members.size;
  }

  /** A SUBSCRIBE that comes again replaces the options and adds no member. */
  set(recipient: Recipient): void {
    this.#members.set(recipient.session, recipient);
  }

  delete(session: Session): void {
    this.#members.delete(session);
  }

  /** Whose turn it is: one that is connected if there is any. All of them, if that is what is broken. */
  pick(obeys: Obeys): readonly Recipient[] {
    const members = [...this.#members.values()];
    if (!obeys('v5/4.8.2~shared-one-member')) return members;
    const connected = members.filter(({ session }) => session.connection);
    const candidates = connected.length > 0 ? connected : members;
    const chosen = candidates[this.#index(candidates.length)];
    return chosen ? [chosen] : [];
  }

  #index(count: number): number {
    switch (this.#choices.sharedSelection) {
      case 'first':
        return 0;
      case 'round-robin':
        return this.#next++ % count;
      case 'random':
        // A linear congruential sequence: any order will do, and the same one each time makes failures repeatable.
        this.#next = (Math.imul(this.#next, 1_103_515_245) + 12_345) >>> 1;
        return (this.#next >> 15) % count;
    }
  }
}
