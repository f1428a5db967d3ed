/** The syntax of topics (section 4.7). */

import { describe, expect, it } from 'vitest';
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

describe('in MQTT 5.0', () => {
  it.each([
    ['a/b', undefined],
    ['', ['v5/4.7.3-1']],
    ['a/#', ['v5/3.3.2-2', 'v5/4.7.0-1']],
    ['a\0', ['v5/4.7.3-2']],
  ])('the Topic Name %j', (name, broken) => {
    expect(checkTopicName(name, 'v5')).toEqual(broken);
  });

  it.each([
    ['$share/g/a', undefined],
    ['$share/g/#', undefined],
    ['$share/g//t', undefined],
    ['$share/é/+/x', undefined],
    ['$share', undefined],
    ['$SHARE/+', undefined],
    ['$shared/g', undefined],
    ['a#', ['v5/4.7.1-1']],
    ['$share/g/#/a', ['v5/4.7.1-1']],
    ['$share/g/a+', ['v5/4.7.1-2']],
    ['$share//t', ['v5/4.8.2-1']],
    ['$share/', ['v5/4.8.2-1', 'v5/4.8.2-2']],
    ['$share/g', ['v5/4.8.2-2']],
    ['$share/g/', ['v5/4.8.2-2']],
    ['$share/+/t', ['v5/4.8.2-2']],
    ['$share/a#b/t', ['v5/4.8.2-2']],
  ])('the Topic Filter %j', (filter, broken) => {
    expect(checkFilter(filter, 'v5')).toEqual(broken);
  });

  it('in 3.1.1 $share is a level like any other', () => {
    expect(checkFilter('$share//t')).toBeUndefined();
    expect(checkFilter('$share/+/t')).toBeUndefined();
  });
});
