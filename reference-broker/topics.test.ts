/** Matching by the examples of section 4.7, and the tree that does it. */

import { describe, expect, it } from 'vitest';
import { gates } from './obeys.ts';
import { asGiven, FilterTree } from './topics.ts';

function matches(filter: string, topic: string): boolean {
  const tree = new FilterTree<true>(gates());
  tree.set(filter, tree, true);
  return tree.matches(topic).length > 0;
}

describe('4.7 matching', () => {
  it.each([
    ['a/b', 'a/b'],
    ['#', 'a'],
    ['#', '/'],
    ['a/#', 'a'],
    ['a/#', 'a/'],
    ['a/#', 'a/b/c'],
    ['/#', '/'],
    ['+/#', 'a'],
    ['+', 'a'],
    ['+/+', '/a'],
    ['/+', '/a'],
    ['/+', '/'],
    ['a/+', 'a/'],
    ['a/+/b', 'a//b'],
    ['+/b/#', 'a/b'],
    ['#', 'a/$b'],
    ['+/$b', 'a/$b'],
    ['$SYS/#', '$SYS/a'],
    ['$SYS/+', '$SYS/a'],
    ['a//b', 'a//b'],
    ['A b', 'A b'],
  ])('%j matches %j', (filter, topic) => expect(matches(filter, topic)).toBe(true));

  it.each([
    ['a/b', 'a/c'],
    ['a', 'A'],
    ['a', 'a/'],
    ['a', '/a'],
    ['a/#', 'ab'],
    ['/#', 'a'],
    ['+', '/a'],
    ['+', 'a/'],
    ['a/+', 'a'],
    ['a/+', 'a/b/c'],
    ['+/+', 'a'],
    ['#', '$SYS/a'],
    ['+/a', '$SYS/a'],
    ['+/#', '$SYS'],
    ['é', 'e\u0301'],
    ['\uFEFFa', 'a'],
  ])('%j does not match %j', (filter, topic) => expect(matches(filter, topic)).toBe(false));

  it('works with as many levels as a topic can have', () => {
    const levels = '/'.repeat(65_535);
    expect(matches(levels, levels)).toBe(true);
    expect(matches(`${levels.slice(1)}+`, levels)).toBe(false);
    expect(matches(`+${levels.slice(2)}#`, levels)).toBe(true);
  });
});

describe('the tree of filters', () => {
  it('forgets what is deleted and nothing else', () => {
    const tree = new FilterTree<string>(gates());
    const [a, b] = [{}, {}];
    tree.set('x/+', a, 'a');
    tree.set('x/+', b, 'b');
    tree.set('x/+/y', a, 'c');
    tree.delete('x/+', a);
    tree.delete('x', a);
    tree.delete('never/there', a);
    expect(tree.matches('x/1')).toEqual(['b']);
    expect(tree.matches('x/1/y')).toEqual(['c']);
    tree.delete('x/+/y', a);
    expect(tree.matches('x/1/y')).toEqual([]);
    expect(tree.matches('x/1')).toEqual(['b']);
  });
});

describe('4.7.3 a topic', () => {
  it('is taken as it is', () => {
    const topic = '\uFEFFA//b\u0001 e\u0301/';
    expect(asGiven(topic, gates())).toBe(topic);
  });
});
