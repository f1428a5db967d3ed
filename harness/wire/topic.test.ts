/** The syntax of topics (section 4.7). */

import { expect, it } from 'vitest';
import { checkFilter, checkTopicName } from './topic.ts';

it.each(['a', '/', '//', 'a/b/', ' ', '$SYS/x', '\uFEFF', 'x'.repeat(65_535)])(
  '%.20j is a Topic Name and a Topic Filter',
  (name) => {
    expect(checkTopicName(name)).toBeUndefined();
    expect(checkFilter(name)).toBeUndefined();
  },
);

it.each(['#', '+', 'a/#', '/#', '+/#', 'a/+/#', '+/+', '/+', '+/', 'a/+/b'])('%j is a Topic Filter only', (filter) => {
  expect(checkFilter(filter)).toBeUndefined();
  expect(checkTopicName(filter)).toEqual(['v3/3.3.2-2', 'v3/4.7.1-1']);
});

it.each(['a#', 'a/#/b', '#/a', 'a/b#', '##', '#a', 'a/#/', '/#/x', '#/#'])(
  '%j has # where it may not stand',
  (filter) => {
    expect(checkFilter(filter)).toEqual(['v3/4.7.1-2']);
  },
);

it.each(['a+', '+a', 'a/b+', 'a/+b/c', '++', '+a/+'])('%j has + beside other characters', (filter) => {
  expect(checkFilter(filter)).toEqual(['v3/4.7.1-3']);
});

it('names everything that is wrong', () => {
  expect(checkFilter('+#')).toEqual(['v3/4.7.1-2', 'v3/4.7.1-3']);
  expect(checkFilter('')).toEqual(['v3/4.7.3-1']);
  expect(checkTopicName('a\0+')).toEqual(['v3/4.7.3-2', 'v3/3.3.2-2', 'v3/4.7.1-1']);
  expect(checkTopicName('é'.repeat(32_768))).toEqual(['v3/4.7.3-3']);
});
