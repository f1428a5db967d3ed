/** The edges of lengths, text, Topic Names and Topic Filters, as bytes and as changes of a part. */

import type { Change } from '../../harness/wire/bend.ts';
import { greatestRemainingLength, remainingLength } from '../../harness/wire/length.ts';

const latin = (text: string) => [...Buffer.from(text, 'utf8')];

/** Sequences around what section 1.5.3 (5.0: 1.5.4) allows. Most are ill-formed; the last rows are the unusual among the well-formed. */
export const textEdges: readonly (readonly number[])[] = [
  [0x00],
  [0xff],
  [0xfe, 0xfe, 0xff, 0xff],
  [0x80],
  [0xbf, 0xbf],
  [0xc0, 0x80],
  [0xc0, 0xaf],
  [0xc1, 0xbf],
  [0xe0, 0x80, 0xaf],
  [0xe0, 0x9f, 0xbf],
  [0xf0, 0x80, 0x80, 0xaf],
  [0xf0, 0x8f, 0xbf, 0xbf],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
  [0xc3],
  [0xe2, 0x82],
  [0xf0, 0x9f, 0x98],
  [0xc3, 0x28],
  [0x01],
  [0x1f],
  [0x7f],
  [0xc2, 0x80],
  [0xc2, 0x9f],
  [0xef, 0xbb, 0xbf],
  [0xef, 0xb7, 0x90],
  [0xef, 0xbf, 0xbe],
  [0xef, 0xbf, 0xbf],
  [0xee, 0x80, 0x80],
  [0xf4, 0x8f, 0xbf, 0xbf],
  [0xed, 0x9f, 0xbf],
  [0x0a],
  [0x20],
];

/** What to append to a Topic Name of this case: wildcards where they may not stand, and names that are odd but right. */
const afterName = [
  '/',
  '//',
  '/+',
  '/#',
  '+',
  '#',
  '/a+',
  '/#/a',
  '/+/a',
  '/ ',
  '/$a',
  '/\u00e4',
  '/..',
  '/%2f',
  '/\\',
];
/** Topic Names of their own. None that another case could be subscribed to. */
const names = ['', '/', '//', '$', '$foo/bar', '$SYS/fuzz', '$share/g/a', '$share', '+', '#', '+/a', ' ', '\u0000'];

/** What to append to a Topic Filter of this case. */
const afterFilter = [
  '/',
  '//',
  '/+',
  '/+/+',
  '/#',
  '+',
  '#',
  '/a+',
  '/+a',
  '/a#',
  '/##',
  '/#/',
  '/#/a',
  '/++',
  '/ ',
  '/$a',
];
/** Topic Filters of their own: wrong, or without a match in other cases. */
const ownFilters = [
  '',
  '/',
  '//',
  '$',
  '$foo/#',
  '$share',
  '$share/',
  '$share//',
  '$share//a',
  '$share/g',
  '$share/g/',
  '$share/+/a',
  '$share/g+/a',
  '$share/#/a',
  '$share/g/a#',
  '$SHARE/g/a',
  '$queue/a',
  '##',
  '#/',
  '+#',
  '\u0000',
];

const set = (texts: readonly string[]): Change[] => texts.map((text) => latin(text));
const append = (texts: readonly string[]): Change[] => texts.map((text) => ({ append: latin(text) }));
const repeat = (...counts: readonly number[]): Change[] => counts.map((count) => ({ repeat: count }));

/** Changes of text in general. */
export const textChanges: readonly Change[] = [
  ...textEdges.map((bytes) => ({ append: bytes })),
  ...textEdges.slice(0, 10).map((bytes) => [...bytes]),
];

export const nameChanges: readonly Change[] = [...append(afterName), ...set(names), ...repeat(100, 8000)];
export const filterChanges: readonly Change[] = [...append(afterFilter), ...set(ownFilters), ...repeat(100, 8000)];

/** Of a name or filter that is `/`: many levels, up to the longest string and one beyond it. */
export const slashChanges: readonly Change[] = repeat(2, 200, 1000, 10_000, 65_400, 65_535, 65_536);

/** Of a Client Identifier: longer than 23 characters, long, other characters. */
export const clientIdChanges: readonly Change[] = [
  ...append(['-_ .:/', '/+/#', "'; --", '\u00e4']),
  ...repeat(4, 300, 9000),
];

/** What to do with a two-byte length. */
export const lengthChanges: readonly Change[] = [
  ...[-1, 1, -2, 2, 3, 16, 0x100].map((add) => ({ add })),
  ...[0x0000, 0x0001, 0x7fff, 0x8000, 0xfffe, 0xffff].map((value) => [value >> 8, value & 0xff]),
];

type Forms = readonly (readonly number[])[];

/** Greatest lengths, in so many bytes. */
const greatest: Forms = [[0x7f], [0xff, 0x7f], [0xff, 0xff, 0x7f], [0xff, 0xff, 0xff, 0x7f]];
/** No lengths at all: they go on after their fourth byte. */
const endless: Forms = [
  [0xff, 0xff, 0xff, 0xff],
  [0x80, 0x80, 0x80, 0x80],
  [0xff, 0xff, 0xff, 0xff, 0x7f],
  [0x80, 0x80, 0x80, 0x80, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
];

const knownForms = new Map<number, Forms>();

/**
 * Other forms of a Variable Byte Integer that is `right`: padded to up to five bytes, somewhat and far too small or too large, not ended,
 * and endless.
 */
export function variableForms(right: number): Forms {
  const forms = knownForms.get(right) ?? formsOf(right);
  // Of the lengths of scenes there are few.
  if (right < 1_000) knownForms.set(right, forms);
  return forms;
}

function formsOf(right: number): Forms {
  const minimal = remainingLength(right);
  const widths = [2, 3, 4, 5].filter((width) => width > minimal.length);
  const others = [right - 1, right - 2, right + 1, right + 2, right + 128, right * 2, 0, 127, 128, 16_383, 16_384];
  const wrong = [...new Set(others)].filter(
    (value) => value !== right && value >= 0 && value <= greatestRemainingLength,
  );
  return [
    ...widths.map((width) => padded(minimal, width)),
    ...wrong.map((value) => [...remainingLength(value)]),
    ...greatest,
    ...endless,
    [],
    [...minimal].map((byte) => byte | 0x80),
  ];
}

/** The same value in more bytes than it needs. */
function padded(minimal: Uint8Array, width: number): readonly number[] {
  return Array.from({ length: width }, (_, at) => (minimal[at] ?? 0) | (at < width - 1 ? 0x80 : 0));
}
