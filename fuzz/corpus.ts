/** The scripts that are worth playing again: the regression corpus, those of the user's folder, and those that led to something new. */

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Script } from './script.ts';

export interface CorpusEntry {
  readonly script: Script;
  /** File name, or the name in the regression corpus. */
  readonly name: string;
}

/** More are not kept, which also bounds the memory of a long run: those that came first are the most different. */
const keptAtMost = 5_000;

export class Corpus {
  /** What to breed from, with the number of the case that brought it: the same in every run with the same reactions. */
  readonly #kept: { readonly script: Script; readonly index: number }[] = [];
  readonly #directory: string | undefined;
  readonly #warn: (text: string) => void;
  readonly #names = new Set<string>();
  #isFull = false;

  /** @param warn is told in one line what cannot be read or written */
  constructor(directory: string | undefined, warn: (text: string) => void) {
    this.#directory = directory;
    this.#warn = warn;
  }

  get size(): number {
    return this.#kept.length;
  }

  /**
   * The scripts of the user's folder, in the order of their names; the folder is made if there is none. A file that holds no script is left
   * alone, with a warning.
   * @param parse throws for what is no script
   */
  load(parse: (text: string, name: string) => Script): CorpusEntry[] {
    if (this.#directory === undefined) return [];
    const entries: CorpusEntry[] = [];
    for (const name of this.#list(this.#directory)) {
      this.#names.add(name);
      try {
        entries.push({ name, script: parse(readFileSync(join(this.#directory, name), 'utf8'), name) });
      } catch (error) {
        this.#warn(`corpus: ${name} is left out: ${line(error)}`);
      }
    }
    return entries;
  }

  #list(directory: string): string[] {
    try {
      mkdirSync(directory, { recursive: true });
      return readdirSync(directory, { withFileTypes: true })
        .filter((each) => each.isFile() && /\.(json|hex|txt)$/.test(each.name))
        .map(({ name }) => name)
        .sort();
    } catch (error) {
      this.#warn(`corpus: cannot read ${directory}: ${line(error)}; nothing is kept on disk`);
      this.#isFull = true;
      return [];
    }
  }

  /** Keeps a script that led to something new; on disk too, unless it came from there. */
  keep(script: Script, index: number, save: boolean): void {
    if (this.#kept.length >= keptAtMost) return;
    this.#kept.push({ script, index });
    if (save) this.#write(script);
  }

  #write(script: Script): void {
    if (this.#directory === undefined || this.#isFull) return;
    const text = `${JSON.stringify(script)}\n`;
    const name = `${createHash('sha256').update(text).digest('hex').slice(0, 16)}.json`;
    if (this.#names.has(name)) return;
    const path = join(this.#directory, name);
    try {
      writeFileSync(`${path}.tmp`, text);
      renameSync(`${path}.tmp`, path);
      this.#names.add(name);
    } catch (error) {
      this.#isFull = true;
      this.#warn(
        `corpus: cannot write to ${this.#directory}: ${line(error)}; the run goes on without keeping more on disk`,
      );
    }
  }

  /** How many of the kept came from cases with a number below this one. */
  countBefore(index: number): number {
    let [least, most] = [0, this.#kept.length];
    while (least < most) {
      const middle = (least + most) >> 1;
      if ((this.#kept[middle] as { index: number }).index < index) least = middle + 1;
      else most = middle;
    }
    return least;
  }

  /** The kept script with this number. */
  at(number: number): Script {
    return (this.#kept[number] as { script: Script }).script;
  }
}

function line(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? text;
}
