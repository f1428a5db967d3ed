import { describe, expect, it } from 'vitest';
import { type Chapter, chapter, section } from './case.ts';
import { UsageError } from './errors.ts';
import { allCases, nearest, type Selection, select } from './select.ts';

const run = async () => {};
const chapters: readonly Chapter[] = [
  chapter(
    '3.1 CONNECT',
    section('3.1.2.10 Keep Alive', [
      { id: 'silent', title: 'closes', covers: ['v3/3.1.2-24', 'v5/3.1.2-22'], tags: ['slow'], run },
    ]),
    section('3.1.3.1 Client Identifier', [
      { id: 'empty', title: 'accepts', covers: ['v3/3.1.3.1~other-client-ids'], run },
    ]),
  ),
  chapter(
    '3.10 UNSUBSCRIBE',
    section('3.10.4 Response', [{ id: 'answered', title: 'answers', covers: ['v3/3.10.4-4', 'v3/2.3.1-7'], run }]),
  ),
];
const cases = allCases(chapters);
const everything: Selection = { include: [], exclude: [], versions: ['v3', 'v5'], levels: ['MUST', 'SHOULD', 'MAY'] };

function ids(selection: Partial<Selection>): string[] {
  return select(cases, { ...everything, ...selection }).map(({ info }) => info.id);
}

describe('allCases', () => {
  it('lists a case once for each version that it covers, with the requirements of that version', () => {
    expect(cases.map(({ info }) => [info.id, info.covers])).toEqual([
      ['v3/3.1.2.10/silent', ['v3/3.1.2-24']],
      ['v5/3.1.2.10/silent', ['v5/3.1.2-22']],
      ['v3/3.1.3.1/empty', ['v3/3.1.3.1~other-client-ids']],
      ['v3/3.10.4/answered', ['v3/3.10.4-4', 'v3/2.3.1-7']],
    ]);
  });

  it('gives a case the strength of the strongest requirement', () => {
    expect(cases.map(({ info }) => info.strength)).toEqual(['MUST', 'MUST', 'MAY', 'MUST']);
  });

  it('rejects two cases with one id', () => {
    const [first] = chapters;
    expect(() => allCases([first, first] as Chapter[])).toThrow('two cases have the id v3/3.1.2.10/silent');
  });
});

describe('select', () => {
  it.each([
    ['3.1', ['v3/3.1.2.10/silent', 'v5/3.1.2.10/silent', 'v3/3.1.3.1/empty']],
    ['3.10', ['v3/3.10.4/answered']],
    ['v5/3.1', ['v5/3.1.2.10/silent']],
    ['v3/3.1.2-24', ['v3/3.1.2.10/silent']],
    ['MQTT-3.1.2-24', ['v3/3.1.2.10/silent']],
    ['[MQTT-2.3.1-7]', ['v3/3.10.4/answered']],
    ['3.1.2.10/silent', ['v3/3.1.2.10/silent', 'v5/3.1.2.10/silent']],
    ['v3/3.1.3.1/empty', ['v3/3.1.3.1/empty']],
    ['v3/3.1.*', ['v3/3.1.2.10/silent', 'v3/3.1.3.1/empty']],
    ['*/answere?', ['v3/3.10.4/answered']],
    ['tag:slow', ['v3/3.1.2.10/silent', 'v5/3.1.2.10/silent']],
    ['v5', ['v5/3.1.2.10/silent']],
  ])('%s', (selector, expected) => {
    expect(ids({ include: [selector] })).toEqual(expected);
  });

  it('leaves out what is excluded, of another version, or of another level', () => {
    expect(ids({ exclude: ['3.1.2'] })).toEqual(['v3/3.1.3.1/empty', 'v3/3.10.4/answered']);
    expect(ids({ versions: ['v5'] })).toEqual(['v5/3.1.2.10/silent']);
    expect(ids({ levels: ['MAY'] })).toEqual(['v3/3.1.3.1/empty']);
  });

  it('takes a dot for a dot', () => {
    expect(() => ids({ include: ['3x1*'] })).toThrow(UsageError);
  });

  it.each([
    ['3.1.2.11', "'3.1.2.11' selects no case; did you mean 3.1.2.10"],
    ['v3/3.1.3.1/emty', 'did you mean v3/3.1.3.1/empty'],
    ['v3/4.3.3-2', 'no case covers v3/4.3.3-2; see: mqtt-conform explain v3/4.3.3-2'],
    ['v3/2.3.1-2', "no case covers v3/2.3.1-2 (Binds the client's allocator"],
    ['zzzzzzzzzzzz', 'see: mqtt-conform list'],
  ])('explains that %s selects nothing', (selector, message) => {
    expect(() => ids({ include: [selector] })).toThrow(UsageError);
    expect(() => ids({ include: [selector] })).toThrow(message);
    expect(() => ids({ exclude: [selector] })).toThrow(message);
  });

  it('refuses an empty selection', () => {
    expect(() => ids({ include: ['3.10'], levels: ['MAY'] })).toThrow(
      new UsageError('no case is selected: --level may leaves none of 1'),
    );
  });
});

describe('nearest', () => {
  it('prefers what contains the word, and keeps quiet about what is not alike', () => {
    expect(nearest('silent', ['v3/3.1.2.10/silent', 'v3/3.1/silver', 'other'])).toEqual(['v3/3.1.2.10/silent']);
    expect(nearest('3.1.2-25', ['v3/3.1.2-24', 'v3/9.9.9-99'])).toEqual(['v3/3.1.2-24']);
    expect(nearest('abcdef', ['uvwxyz'])).toEqual([]);
  });
});
