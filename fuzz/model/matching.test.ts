import { describe, expect, it } from 'vitest';
import { matches, unshared } from './matching.ts';

describe('matches', () => {
  it.each<[string, string, boolean]>([
    ['a', 'a', true],
    ['a', 'A', false],
    ['a', 'a/', false],
    ['#', 'a', true],
    ['#', '/', true],
    ['#', '$a', false],
    ['+', '$a', false],
    ['$a/#', '$a/b', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['+', 'a', true],
    ['+', '', true],
    ['+', 'a/b', false],
    ['+/+', '/a', true],
    ['/+', '/a', true],
    ['+/b', 'a/b', true],
    ['+/b', 'a/c', false],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['a/+/c', 'a//c', true],
    ['+/#', 'a', true],
    ['a/+/#', 'a', false],
  ])('%s and %s: %s', (filter, topic, expected) => expect(matches(filter, topic)).toBe(expected));
});

describe('unshared', () => {
  it.each<[string, string | undefined, string]>([
    ['$share/g/a/+', 'g', 'a/+'],
    ['$share/g//a', 'g', '/a'],
    ['$share/g/', undefined, '$share/g/'],
    ['$share//a', undefined, '$share//a'],
    ['$share/g', undefined, '$share/g'],
    ['a', undefined, 'a'],
  ])('%s', (filter, group, rest) => expect(unshared(filter)).toEqual({ group, filter: rest }));
});
