/** The values of command-line options: durations, counts, lists; each parser throws UsageError in one line. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import type { Strength, Version } from '../spec/index.ts';

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `500ms`, `30s`, `1.5s`, `2m`, `1h` in milliseconds. */
export function parseDuration(option: string): (text: string) => number {
  return (text) => {
    const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
    const ms = Number(number) * (unitsMs[unit] ?? Number.NaN);
    // Node's timers end at 2^31 - 1 milliseconds.
    if (!(ms <= 0x7fffffff)) throw new UsageError(`${option}: '${text}' is no duration; write 500ms, 30s or 2m`);
    return ms;
  };
}

/** A whole number within borders. */
export function parseCount(option: string, least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
    throw new UsageError(`${option}: '${text}' is no whole number ${range}`);
  };
}

/** Words separated by commas, each one of `known`; repeating the option adds to the list. */
export function parseList<T extends string>(
  option: string,
  known: ReadonlyMap<string, T>,
): (text: string, previous?: readonly T[]) => readonly T[] {
  return (text, previous = []) => {
    const words = text.split(',').map((word) => {
      const value = known.get(word.trim().toLowerCase());
      if (value) return value;
      throw new UsageError(`${option}: '${word}' is none of ${[...known.keys()].join(', ')}`);
    });
    return [...new Set([...previous, ...words])];
  };
}

/** Adds the words of an option that can be repeated, or separated by commas. */
export function collect(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, ...text.split(',').filter(Boolean)];
}

export const versionWords: ReadonlyMap<string, Version> = new Map([
  ['3.1.1', 'v3'],
  ['5', 'v5'],
  ['5.0', 'v5'],
]);

export const levelWords: ReadonlyMap<string, Strength> = new Map([
  ['must', 'MUST'],
  ['should', 'SHOULD'],
  ['may', 'MAY'],
]);

/** What a fuzz run makes (see fuzz/generate.ts). */
export const kindWords: ReadonlyMap<string, 'bytes' | 'packets' | 'sessions'> = new Map([
  ['bytes', 'bytes'],
  ['packets', 'packets'],
  ['sessions', 'sessions'],
]);

/** The reports that can be written as files. */
export type ReportKind = 'junit' | 'json' | 'ndjson' | 'md';

export const reportKinds: ReadonlyMap<string, ReportKind> = new Map([
  ['junit', 'junit'],
  ['json', 'json'],
  ['ndjson', 'ndjson'],
  ['md', 'md'],
]);

/** Replaces `@file` by the selectors in that file, one a line; `#` starts a comment. */
export async function expandSelectors(selectors: readonly string[], cwd: string): Promise<string[]> {
  const expanded = await Promise.all(
    selectors.map(async (selector) => {
      if (!selector.startsWith('@')) return [selector];
      const path = selector.slice(1);
      let text: string;
      try {
        text = await readFile(resolve(cwd, path), 'utf8');
      } catch (error) {
        throw new UsageError(`cannot read the selectors in ${path}: ${reasonOf(error)}`);
      }
      const named = text
        .split('\n')
        .map((line) => line.replace(/(^|\s)#.*/, '').trim())
        .filter(Boolean);
      // No selector means every case, which an empty file can't mean.
      if (named.length === 0) throw new UsageError(`${path} has no selector`);
      return named;
    }),
  );
  return expanded.flat();
}

/** What the system says about a file, in words. */
export function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'no such file or directory';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'not permitted';
    case 'EISDIR':
      return 'it is a directory';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a part of the path is a file';
    default:
      return (error as Error).message;
  }
}

/** A word as a POSIX shell reads it back. */
export function quote(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
