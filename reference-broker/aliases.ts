/** Topic Aliases, one table for each direction; both end with the connection (section 3.3.2.3.4). */

import { Malformed } from '../harness/wire/malformed.ts';
import type { Publish } from '../harness/wire/packet.ts';
import type { Obeys } from './obeys.ts';
import { reasonCodes } from './reasons.ts';

/** The aliases that the client has set. */
export class IncomingAliases {
  readonly #maximum: number;
  readonly #obeys: Obeys;
  readonly #topics: Map<number, string>;

  /** @param maximum Topic Alias Maximum of the CONNACK. @param topics those of an earlier connection, which no broker keeps. */
  constructor(maximum: number, obeys: Obeys, topics = new Map<number, string>()) {
    this.#maximum = maximum;
    this.#obeys = obeys;
    this.#topics = topics;
  }

  /** The topic that a PUBLISH is for. Throws `Malformed` for an alias out of range, and for one that was not set. */
  topicOf({ topic, properties }: Publish): string {
    const alias = properties?.topicAlias;
    if (alias === undefined) {
      if (topic !== '') return topic;
      throw fault(
        ['v5/3.3.2.1~empty-topic-without-alias', 'v5/4.7.3-1'],
        'no topic and no Topic Alias',
        reasonCodes.protocolError,
      );
    }
    this.#check(alias);
    if (topic !== '') {
      if (!this.#topics.has(alias) || this.#obeys('v5/3.3.2.3.4~topic-alias-mapping#reset'))
        this.#topics.set(alias, topic);
      return topic;
    }
    const known = this.#topics.get(alias);
    if (known !== undefined && this.#obeys('v5/3.3.2.3.4~topic-alias-mapping#used')) return known;
    throw fault(['v5/3.3.4~unknown-topic-alias'], `Topic Alias ${alias} was never set`, reasonCodes.protocolError);
  }

  #check(alias: number): void {
    const invalid = reasonCodes.topicAliasInvalid;
    if (alias === 0) throw fault(['v5/3.3.4~topic-alias-range', 'v5/3.3.2-8'], 'a Topic Alias of 0', invalid);
    const highest = this.#obeys('v5/3.3.2-12') ? this.#maximum : this.#maximum - 1;
    if (alias <= highest) return;
    const rule = this.#maximum === 0 ? 'v5/3.2.2-18' : 'v5/3.2.2-17';
    throw fault(
      ['v5/3.3.4~topic-alias-range', rule, 'v5/3.3.2-9'],
      `Topic Alias ${alias} of ${this.#maximum}`,
      invalid,
    );
  }
}

function fault(requirements: Malformed['requirements'], reason: string, code: number): Malformed {
  return new Malformed(requirements, reason, 'properties.topicAlias', 0, code);
}

/** How a topic is named in a PUBLISH to the client. */
export interface Alias {
  readonly alias: number;
  /** Whether the client knows it already, so that the topic is left out. */
  readonly known: boolean;
}

/** The aliases that the server sets: the first topics that come, as many as the client allows. */
export class OutgoingAliases {
  readonly #maximum: number;
  readonly #obeys: Obeys;
  readonly #aliases = new Map<string, number>();

  /** @param maximum Topic Alias Maximum of the CONNECT. */
  constructor(maximum: number, obeys: Obeys) {
    this.#obeys = obeys;
    // A client that gave no maximum takes none.
    this.#maximum = maximum === 0 && !obeys('v5/3.1.2-27') ? 1 : maximum;
    if (maximum > 0 && !obeys('v5/3.1.2-26', 'v5/3.3.2-11')) this.#maximum = 0xffff;
  }

  /** The alias for a topic, if there is one to use. */
  of(topic: string): Alias | undefined {
    const known = this.#aliases.get(topic);
    if (known !== undefined) return { alias: known, known: true };
    if (this.#aliases.size >= this.#maximum) return undefined;
    return { alias: this.#obeys('v5/3.3.2-8#output') ? this.#aliases.size + 1 : 0, known: false };
  }

  /** The client was told. */
  learned(topic: string, { alias }: Alias): void {
    this.#aliases.set(topic, alias);
  }
}
