import { describe, expect, it } from 'vitest';
import { generate } from '../generate.ts';
import { Random } from '../random.ts';
import type { Script } from '../script.ts';
import { bytesOf } from '../written.ts';
import { mutate } from './mutate.ts';

describe('mutate', () => {
  const parents = Array.from({ length: 200 }, (_, index) => generate('parents', index));

  it('gives the same for the same numbers, and leaves the parent as it is', () => {
    const parent = parents[1] as Script;
    const before = JSON.stringify(parent);
    expect(mutate(parent, new Random('m', 5))).toEqual(mutate(parent, new Random('m', 5)));
    expect(JSON.stringify(parent)).toBe(before);
  });

  it('gives scripts that differ, are plain JSON, and name clients that there are', () => {
    let same = 0;
    for (const [index, parent] of parents.entries()) {
      const child = mutate(parent, new Random('m', index));
      if (JSON.stringify(child) === JSON.stringify(parent)) same++;
      expect(JSON.parse(JSON.stringify(child))).toEqual(child);
      for (const step of child.steps) expect(child.clients[step.client]).toBeDefined();
    }
    expect(same).toBeLessThan(40);
  });

  it('stays small over generations, and can be sent', () => {
    for (const parent of parents) {
      let script = parent;
      for (let generation = 0; generation < 50; generation++) script = mutate(script, new Random('g', generation));
      expect(script.steps.length).toBeLessThanOrEqual(60);
      for (const step of script.steps) {
        if (step.do !== 'send' && step.do !== 'raw') continue;
        expect(bytesOf(step, script.clients[step.client]?.version ?? 'v3').length).toBeGreaterThan(0);
      }
    }
  });

  it('makes something of nothing', () => {
    const empty: Script = { clients: [{ version: 'v3' }], steps: [] };
    const sizes = Array.from({ length: 20 }, (_, index) => mutate(empty, new Random('e', index)).steps.length);
    expect(Math.max(...sizes)).toBeGreaterThan(0);
  });
});
