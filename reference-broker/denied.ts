/** What clients are not authorised to do: the same for all of them, as little as it takes to have something forbidden. */

import type { Obeys } from './obeys.ts';
import { FilterTree } from './topics.ts';

export class DeniedFilters {
  readonly #filters: ReadonlySet<string>;
  readonly #tree: FilterTree<true>;

  constructor(filters: readonly string[], obeys: Obeys) {
    this.#filters = new Set(filters);
    this.#tree = new FilterTree(obeys);
    for (const filter of filters) this.#tree.set(filter, this, true);
  }

  /** Whether a client may not subscribe with this Topic Filter. */
  forbidsFilter(filter: string): boolean {
    return this.#filters.has(filter);
  }

  /** Whether a client may not publish to this topic. */
  forbidsTopic(topic: string): boolean {
    return this.#tree.matches(topic).length > 0;
  }
}
