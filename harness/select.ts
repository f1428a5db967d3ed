/** Which cases run: every case under all the names that a selector can call it by. */

import type { Case, Chapter } from './case.ts';
import { UsageError } from './errors.ts';
import type { CaseInfo } from './events.ts';
import type { RequirementId, Strength, Version } from './spec/index.ts';
import { isRequirementId, requirement, requirementIds, strengthOf, versionName, versionOf } from './spec/index.ts';
import { excuseOf } from './spec/uncovered.ts';

/** A case for one version of the protocol. */
export interface SelectedCase {
  readonly info: CaseInfo;
  readonly case: Case;
  readonly version: Version;
}

/** What to keep of all cases. Empty `include` means all of them. */
export interface Selection {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly versions: readonly Version[];
  readonly levels: readonly Strength[];
}

/** Every case of the suites, once for each version that its `covers` name, in the order of the standard. */
export function allCases(chapters: readonly Chapter[]): readonly SelectedCase[] {
  const seen = new Set<string>();
  return chapters.flatMap((chapter) =>
    chapter.sections.flatMap((section) =>
      section.cases.flatMap((each) =>
        (['v3', 'v5'] as const).flatMap((version) => {
          const covers = each.covers.filter((id) => versionOf(id) === version);
          if (covers.length === 0) return [];
          const title = section.titles[version];
          const id = `${version}/${title.slice(0, `${title} `.indexOf(' '))}/${each.id}`;
          if (seen.has(id)) throw new Error(`two cases have the id ${id}`);
          seen.add(id);
          const info: CaseInfo = {
            id,
            version,
            chapter: chapter.title,
            section: title,
            title: each.title,
            strength: each.strength ?? strongest(covers),
            covers,
            tags: each.tags ?? [],
          };
          return [{ info, case: each, version }];
        }),
      ),
    ),
  );
}

/**
 * The cases that the selectors name, in their given order.
 * @throws UsageError for a selector that names nothing, with the nearest ones that exist, and if no case is left.
 */
export function select(cases: readonly SelectedCase[], selection: Selection): SelectedCase[] {
  const index = indexOf(cases);
  const included = selection.include.length === 0 ? new Set(cases) : resolve(index, selection.include);
  const excluded = resolve(index, selection.exclude);
  const chosen = cases.filter(
    (each) =>
      included.has(each) &&
      !excluded.has(each) &&
      selection.versions.includes(each.version) &&
      selection.levels.includes(each.info.strength),
  );
  if (chosen.length === 0) throw new UsageError(explainEmpty(included.size, selection));
  return chosen;
}

/** The strings of a list that are most like a word, best first; none that is not alike at all. */
export function nearest(word: string, known: Iterable<string>, limit = 3): string[] {
  const wanted = word.toLowerCase();
  const budget = Math.max(2, Math.floor(wanted.length / 3));
  const scored: { name: string; distance: number }[] = [];
  for (const name of known) {
    const candidate = name.toLowerCase();
    // What was typed as part of a longer name is nearer than any misspelling of it.
    const within = wanted.length > 2 && candidate.includes(wanted);
    const unversioned = candidate.replace(/^v[35]\//, '');
    const distance = within
      ? 0
      : Math.min(editDistance(wanted, candidate, budget), editDistance(wanted, unversioned, budget));
    if (distance <= budget) scored.push({ name, distance });
  }
  scored.sort((a, b) => a.distance - b.distance || a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
  return scored.slice(0, limit).map(({ name }) => name);
}

function strongest(covers: readonly RequirementId[]): Strength {
  const strengths = new Set(covers.map((id) => strengthOf(requirement(id).level)));
  return strengths.has('MUST') ? 'MUST' : strengths.has('SHOULD') ? 'SHOULD' : 'MAY';
}

/** Name to cases. Names are in lower case, except that `tag:` and ids keep their own, which is lower already. */
type Index = ReadonlyMap<string, ReadonlySet<SelectedCase>>;

/** Thousands of cases with a dozen names each: for the same list that is done once. */
const indexes = new WeakMap<readonly SelectedCase[], Index>();

function indexOf(cases: readonly SelectedCase[]): Index {
  const index = indexes.get(cases) ?? indexNames(cases);
  indexes.set(cases, index);
  return index;
}

function indexNames(cases: readonly SelectedCase[]): Index {
  const index = new Map<string, Set<SelectedCase>>();
  for (const each of cases) {
    for (const name of namesOf(each)) {
      const named = index.get(name);
      if (named) named.add(each);
      else index.set(name, new Set([each]));
    }
  }
  return index;
}

/** All that a selector can call this case: id, version, section and those above it, requirements, tags. */
function namesOf({ info, version }: SelectedCase): string[] {
  const own = info.id.slice(version.length + 1);
  const section = own.slice(0, own.indexOf('/'));
  const segments = section.split('.');
  const unversioned = [own, ...segments.map((_, last) => segments.slice(0, last + 1).join('.'))];
  for (const id of info.covers) {
    const number = id.slice(version.length + 1);
    unversioned.push(number);
    if (!number.includes('~')) unversioned.push(`mqtt-${number}`);
  }
  const names = unversioned.flatMap((name) => (name.startsWith('mqtt-') ? [name] : [name, `${version}/${name}`]));
  return [version, ...names, ...info.tags.map((tag) => `tag:${tag.toLowerCase()}`)];
}

function resolve(index: Index, selectors: readonly string[]): ReadonlySet<SelectedCase> {
  const found = new Set<SelectedCase>();
  for (const selector of selectors) {
    // [MQTT-3.3.1-4] can be pasted as the standard prints it.
    const name = selector.toLowerCase().replace(/^\[(.*)\]$/, '$1');
    const named = /[*?]/.test(name) ? matching(index, name) : [...(index.get(name) ?? [])];
    if (named.length === 0) throw new UsageError(explainUnknown(index, selector, name));
    for (const each of named) found.add(each);
  }
  return found;
}

/** `*` stands for any characters, `?` for one. */
function matching(index: Index, glob: string): SelectedCase[] {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const whole = new RegExp(`^${pattern}$`);
  return [...index].flatMap(([name, cases]) => (whole.test(name) ? [...cases] : []));
}

function explainUnknown(index: Index, selector: string, name: string): string {
  const uncovered = requirementsNamed(name).at(0);
  if (uncovered) {
    const excuse = excuseOf(uncovered);
    return `no case covers ${uncovered}${excuse ? ` (${excuse.reason})` : ''}; see: mqtt-conform explain ${uncovered}`;
  }
  const near = nearest(name, index.keys());
  return `'${selector}' selects no case${near.length > 0 ? `; did you mean ${near.join(', ')}?` : '; see: mqtt-conform list'}`;
}

/** The requirements that a name such as `v3/3.3.1-4`, `3.3.1-4` or `MQTT-3.3.1-4` stands for; none for anything else. */
export function requirementsNamed(name: string): RequirementId[] {
  const plain = name
    .toLowerCase()
    .replace(/^\[?(mqtt-)?/, '')
    .replace(/\]$/, '');
  if (isRequirementId(plain)) return [plain];
  return requirementIds.filter((id) => id.slice(3) === plain);
}

function explainEmpty(included: number, { versions, levels, exclude }: Selection): string {
  const filters = [
    ...(versions.length < 2 ? [`--mqtt ${versions.map((version) => versionName(version).slice(5)).join(',')}`] : []),
    ...(levels.length < 3 ? [`--level ${levels.join(',').toLowerCase()}`] : []),
    ...exclude.map((selector) => `--exclude ${selector}`),
  ];
  return `no case is selected: ${filters.join(' ')} leaves none of ${included}`;
}

/** Levenshtein distance; anything above the budget is reported as just above it. */
function editDistance(a: string, b: string, budget: number): number {
  if (Math.abs(a.length - b.length) > budget) return budget + 1;
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? budget + 1;
}
