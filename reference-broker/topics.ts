/** Section 4.7: Topic Names, Topic Filters, and which match. The one place of the broker that knows the wildcards. */

import type { Obeys } from './obeys.ts';

/** Whether the filter (or name) holds a wildcard character. */
export function hasWildcard(topic: string): boolean {
  return topic.includes('#') || topic.includes('+');
}

/** A name or filter exactly as the client gave it: nothing is normalised, removed or shortened (section 4.7.3). */
export function asGiven(topic: string, obeys: Obeys): string {
  let given = topic;
  if (!obeys('v3/1.5.3-3', 'v5/1.5.4-3')) given = given.replaceAll('\uFEFF', '');
  if (!obeys('v3/1.5.3~control-characters', 'v5/1.5.4~control-characters'))
    given = given.replace(/[\p{Cc}\p{Noncharacter_Code_Point}]/gu, '');
  if (!obeys('v3/4.7.3-4', 'v5/4.7.3-4')) given = given.normalize('NFC');
  if (!obeys('v3/4.7.3~topic-distinctness#case', 'v5/4.7.3~topic-distinctness#case')) given = given.toLowerCase();
  const separators = ['v3/4.7.3~topic-distinctness#separators', 'v5/4.7.3~topic-distinctness#separators'] as const;
  if (!obeys(...separators)) given = given.replace(/(?<=.)\/$/, '');
  if (!obeys('v3/4.7.1.1~topic-level-separator', 'v5/4.7.3~topic-distinctness#empty-levels'))
    given = given.replace(/\/+/g, '/');
  if (!obeys('v3/4.7.3-3', 'v5/4.7.3-3')) given = given.slice(0, 32_767);
  return given;
}

class Level<Entry> {
  readonly below = new Map<string, Level<Entry>>();
  readonly entries = new Map<object, Entry>();
}

function add<Entry>(found: Entry[], { entries }: Level<Entry>): void {
  for (const entry of entries.values()) found.push(entry);
}

/** Topic Filters as a tree of levels; each filter holds entries by their keys. */
export class FilterTree<Entry> {
  readonly #root = new Level<Entry>();
  readonly #obeys: Obeys;

  constructor(obeys: Obeys) {
    this.#obeys = obeys;
  }

  set(filter: string, key: object, entry: Entry): void {
    let here = this.#root;
    for (const name of filter.split('/')) {
      let next = here.below.get(name);
      if (!next) {
        next = new Level();
        here.below.set(name, next);
      }
      here = next;
    }
    here.entries.set(key, entry);
  }

  delete(filter: string, key: object): void {
    const names = filter.split('/');
    const path = [this.#root];
    for (const name of names) {
      const next = path.at(-1)?.below.get(name);
      if (!next) return;
      path.push(next);
    }
    path.at(-1)?.entries.delete(key);
    for (let depth = names.length; depth > 0; depth--) {
      const level = path[depth];
      if (!level || level.entries.size > 0 || level.below.size > 0) return;
      path[depth - 1]?.below.delete(names[depth - 1] ?? '');
    }
  }

  /** The entries of every filter that matches a Topic Name. Level by level, because a name may have 65 536 of them. */
  matches(topic: string): Entry[] {
    const obeys = this.#obeys;
    const names = topic.split('/');
    // Filters that begin with a wildcard do not match names that begin with `$`.
    const reserved = topic.startsWith('$') && obeys('v3/4.7.2-1', 'v5/4.7.2-1');
    const found: Entry[] = [];
    let here: Level<Entry>[] = [this.#root];
    for (let depth = 0; here.length > 0; depth++) {
      const wildcards = !(reserved && depth === 0);
      const name = names[depth];
      const next: Level<Entry>[] = [];
      for (const level of here) {
        // `#` covers the parent level and any number of levels below it.
        const multi = wildcards ? level.below.get('#') : undefined;
        if (multi && this.#covers(names.length - depth)) add(found, multi);
        if (name === undefined || !obeys('v3/3.3.2-3#filter', 'v5/3.3.2-3#filter')) add(found, level);
        if (name === undefined) continue;
        const exact = level.below.get(name);
        if (exact) next.push(exact);
        // `+` covers exactly one level, an empty one included.
        const single = wildcards ? level.below.get('+') : undefined;
        if (!single) continue;
        if (name !== '' || obeys('v3/4.7.1.3~single-level-scope#empty', 'v5/4.7.1.3~single-level-scope#empty'))
          next.push(single);
        if (!obeys('v3/4.7.1.3~single-level-scope#one', 'v5/4.7.1.3~single-level-scope#one')) add(found, single);
      }
      here = next;
    }
    return found;
  }

  #covers(levels: number): boolean {
    if (levels === 0) return this.#obeys('v3/4.7.1.2~multi-level-scope#parent', 'v5/4.7.1.2~multi-level-scope#parent');
    return (
      levels === 1 || this.#obeys('v3/4.7.1.2~multi-level-scope#children', 'v5/4.7.1.2~multi-level-scope#children')
    );
  }
}
