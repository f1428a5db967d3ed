/** Who gets a message: the subscriptions of all sessions, and what happens when several of one client match (section 3.3.5; 3.3.4 in 5.0). */

import type { QoS } from '../harness/wire/packet.ts';
import type { Choices } from './choices.ts';
import type { Obeys } from './obeys.ts';
import type { Session } from './session.ts';
import { Group, isShared, parseShare } from './shared.ts';
import { FilterTree } from './topics.ts';

/** What a subscription grants; beyond the QoS in MQTT 5.0 only (section 3.8.3.1). */
export interface Granted {
  readonly qos: QoS;
  readonly noLocal?: boolean;
  readonly retainAsPublished?: boolean;
  readonly identifiers?: readonly number[] | undefined;
}

/** A copy of a message that a session is due, at the greatest QoS it may have. */
export interface Recipient extends Granted {
  readonly session: Session;
  /** The group that shares the subscription. */
  readonly group?: Group;
}

/** The subscriptions that match a topic, several of one client as it is to get them. */
interface Due {
  readonly recipients: readonly Recipient[];
  readonly groups: readonly Group[];
  /** Sessions that do not want all of their own messages. */
  readonly noLocal: ReadonlySet<Session>;
}

/** Topics are few and messages many: the recipients of a topic are looked up once for each change of subscriptions. */
const rememberedTopics = 1_000;
const longestRememberedTopic = 256;

export class Subscriptions {
  readonly #obeys: Obeys;
  readonly #choices: Choices;
  readonly #tree: FilterTree<Recipient | Group>;
  /** By the filter with its share name. */
  readonly #groups = new Map<string, Group>();
  readonly #remembered = new Map<string, Due>();

  constructor(obeys: Obeys, choices: Choices) {
    this.#obeys = obeys;
    this.#choices = choices;
    this.#tree = new FilterTree(obeys);
  }

  /** Adds a subscription; it takes the place of the session's former one with the same filter. */
  set(session: Session, filter: string, granted: Granted): void {
    const { obeys } = session;
    const former = session.filters.get(filter);
    const replaces = obeys('v3/3.8.4-3#replaces', 'v3/1.2~one-subscription-per-filter', 'v5/3.8.4-3#replaces');
    const options = former && !obeys('v3/3.8.4-3#qos', 'v5/3.8.4-3#options') ? former : granted;
    const keepsIdentifiers = former && !obeys('v5/3.8.4~subscription-identifier-state#replaced');
    const identifiers = keepsIdentifiers ? former.identifiers : granted.identifiers;
    const recipient: Recipient = { ...options, session, identifiers };
    if (session.version === 'v5' && isShared(filter)) this.#join(filter, recipient);
    else {
      this.#tree.set(filter, replaces ? session : {}, recipient);
      session.filters.set(filter, recipient);
    }
    this.#remembered.clear();
  }

  #join(shared: string, recipient: Recipient): void {
    const share = parseShare(shared);
    if ('broken' in share) return;
    let group = this.#groups.get(shared);
    if (!group) {
      group = new Group(this.#choices);
      this.#groups.set(shared, group);
      this.#tree.set(share.filter, group, group);
    }
    const member = { ...recipient, group };
    group.set(member);
    recipient.session.filters.set(shared, member);
  }

  delete(session: Session, filter: string): void {
    const recipient = session.filters.get(filter);
    if (!recipient) return;
    session.filters.delete(filter);
    if (recipient.group) this.#leave(filter, recipient.group, session);
    else this.#tree.delete(filter, session);
    this.#remembered.clear();
  }

  #leave(shared: string, group: Group, session: Session): void {
    if (!session.obeys('v5/4.8.2~shared-leaving')) return;
    group.delete(session);
    const share = parseShare(shared);
    if (group.size > 0 || 'broken' in share) return;
    this.#groups.delete(shared);
    this.#tree.delete(share.filter, group);
  }

  /** Ends all subscriptions of a session. */
  deleteAll(session: Session): void {
    for (const filter of [...session.filters.keys()]) this.delete(session, filter);
  }

  /** The copies that are due of a message with this Topic Name. Each group that shares a filter has one of its members chosen. */
  recipients(topic: string, publisher?: Session): readonly Recipient[] {
    const { recipients, groups, noLocal } = this.#due(topic);
    const plain =
      publisher && noLocal.size > 0 && noLocal.has(publisher) ? this.#without(topic, publisher) : recipients;
    if (groups.length === 0) return plain;
    const picked = groups.flatMap((group) => group.pick(this.#obeys));
    const all = [...plain, ...picked];
    // Having a subscription of its own, or by another group, takes no member out of a group.
    if (this.#obeys('v5/4.8.2~shared-and-plain')) return all;
    return all.filter(({ session }, index) => all.findIndex((other) => other.session === session) === index);
  }

  /** Whether anybody has a subscription that matches, a client's own that it does not want its messages for aside. */
  matchesAny(topic: string, publisher: Session): boolean {
    const { recipients, groups, noLocal } = this.#due(topic);
    if (groups.length > 0) return true;
    return (noLocal.has(publisher) ? this.#without(topic, publisher) : recipients).length > 0;
  }

  #due(topic: string): Due {
    const remembered = this.#remembered.get(topic);
    if (remembered) return remembered;
    const found = this.#find(topic);
    if (topic.length <= longestRememberedTopic) {
      if (this.#remembered.size >= rememberedTopics) this.#remembered.clear();
      this.#remembered.set(topic, found);
    }
    return found;
  }

  #find(topic: string): Due {
    const matching = this.#tree.matches(topic);
    const groups = matching.filter((entry) => entry instanceof Group);
    const plain = matching.filter(isPlain);
    const noLocal = new Set(plain.filter((each) => each.noLocal).map(({ session }) => session));
    return { recipients: this.#copies(plain), groups, noLocal };
  }

  /** Without the subscriptions that the publisher has asked not to get its own messages for (No Local). */
  #without(topic: string, publisher: Session): readonly Recipient[] {
    const matching = this.#tree.matches(topic).filter(isPlain);
    return this.#copies(matching.filter(({ session, noLocal }) => !(noLocal && session === publisher)));
  }

  #copies(matching: readonly Recipient[]): readonly Recipient[] {
    const obeys = this.#obeys;
    const severalCopies =
      (matching.length > 1 && this.#choices.overlapping === 'each') ||
      !obeys('v3/3.8.4-3#replaces', 'v3/1.2~one-subscription-per-filter', 'v5/3.8.4-3#replaces');
    const due = severalCopies ? this.#each(matching) : this.#oneForEachSession(matching);
    const own = obeys('v5/3.3.4~own-subscription-identifiers') ? due : withIdentifiersOfAll(due);
    return obeys('v3/3.3.5~overlapping-copies', 'v5/3.3.4~overlapping-copies') ? own : [...own, ...own];
  }

  /** One copy for each subscription, with its own identifier. */
  #each(matching: readonly Recipient[]): readonly Recipient[] {
    if (this.#obeys('v5/3.3.4-5')) return matching;
    return matching.map(({ identifiers: _, ...recipient }) => recipient);
  }

  /** One copy, at the highest QoS and with the identifiers of all the client's subscriptions. */
  #oneForEachSession(matching: readonly Recipient[]): Recipient[] {
    const best = new Map<Session, Recipient>();
    for (const recipient of matching) {
      const other = best.get(recipient.session);
      if (other) best.set(recipient.session, merged(other, recipient));
      else best.set(recipient.session, recipient);
    }
    return [...best.values()];
  }
}

function isPlain(entry: Recipient | Group): entry is Recipient {
  return !(entry instanceof Group);
}

function merged(one: Recipient, other: Recipient): Recipient {
  const { obeys } = one.session;
  const chosen = other.qos > one.qos === obeys('v3/3.3.5-1', 'v5/3.3.4-2') ? other : one;
  if (!one.identifiers && !other.identifiers) return chosen;
  const identifiers = obeys('v5/3.3.4-4')
    ? [...(one.identifiers ?? []), ...(other.identifiers ?? [])]
    : chosen.identifiers;
  return { ...chosen, identifiers };
}

function withIdentifiersOfAll(due: readonly Recipient[]): readonly Recipient[] {
  const identifiers = due.flatMap((recipient) => recipient.identifiers ?? []);
  return due.map((recipient) => ({ ...recipient, identifiers }));
}
