/** The rules of ARCHITECTURE.md that a machine can hold: who may import whom, and what every file begins with. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const files = ['harness', 'suites', 'reference-broker', 'fuzz'].flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${room}/${name}`),
);
const sources = files.filter((name) => !/\.(test|fixture)\.ts$/.test(name));

/** Each room, most specific first, with the rooms that it may import from besides itself. */
const rooms: readonly (readonly [room: string, allowed: readonly string[]])[] = [
  ['harness/spec', []],
  ['harness/wire', ['harness/spec']],
  // The composition root.
  ['harness/cli', ['harness', 'suites', 'reference-broker', 'fuzz']],
  ['harness/bench', ['harness', 'suites', 'reference-broker']],
  ['harness', []],
  ['suites', ['harness/case.ts', 'harness/peer.ts', 'harness/wire', 'harness/spec']],
  // The proof joins the broker and the suites; nothing else of the broker knows them.
  ['reference-broker/prove.ts', ['harness', 'suites', 'reference-broker']],
  ['reference-broker/bench', ['harness/wire', 'harness/spec', 'reference-broker']],
  ['reference-broker', ['harness/wire', 'harness/spec', 'harness/clock.ts']],
  ['fuzz', ['harness']],
];

/** Whether a path is this room, or lies in it. */
function within(path: string, room: string): boolean {
  return path === room || path.startsWith(`${room}/`);
}

function imports(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']*)'/g)].map(([, path]) =>
    relative(root, resolve(root, dirname(file), path as string)),
  );
}

describe('imports', () => {
  it.each(sources)('%s imports only what its room may', (file) => {
    const [room, allowed] = rooms.find(([name]) => within(file, name)) ?? ['', []];
    const wrong = imports(file).filter((path) => {
      const target = rooms.find(([name]) => within(path, name))?.[0];
      if (allowed.some((each) => within(path, each)) && target !== 'harness/cli') return false;
      // The harness uses its own rooms except the command line; every other room uses itself.
      return room === 'harness' ? !within(path, 'harness') || target === 'harness/cli' : !within(path, room);
    });
    expect(wrong).toEqual([]);
  });
});

describe('files', () => {
  it.each(sources)('%s opens with its job', (file) => {
    expect(readFileSync(join(root, file), 'utf8')).toMatch(/^(#!.*\n+)?\/\*\*[\s\S]+?\*\//);
  });

  it.each(sources)('%s keeps the words of the project', (file) => {
    const text = readFileSync(join(root, file), 'utf8');
    expect(text.match(/\bclass \w*(Manager|Handler|Util|Helper|Service)\b/)?.[0]).toBeUndefined();
    expect(/(^|\/)[^/]*(manager|handler|utils?|helper|service)s?\.ts$/i.test(file)).toBe(false);
  });
});
