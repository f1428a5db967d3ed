/** Malformed properties: every property in every packet, made from the table of properties. */

import type { RequirementId, Strength } from '../../../spec/index.ts';
import { utf8 } from '../../build.ts';
import { type Property, properties, type Side } from '../../properties.ts';
import { article, bent, cut, type Row, type Verdict } from '../row.ts';
import { alone, type Holder, partOf, slugOf } from './holder.ts';

const notAllowed = 'v5/2.2.2.2~property-not-allowed';
const repeated = 'v5/2.2.2.2~property-repeated';
const cutShort: readonly RequirementId[] = ['v5/2.1.4~content-length', 'v5/2.2.2-1'];

/** The rows of every property in one holder, and of its Property Length. */
export function propertyRows(holder: Holder, from: Side): Row[] {
  return [
    ...properties.flatMap((row) =>
      row.places.includes(holder.place)
        ? [...allowedRows(holder, row), ...senderRows(holder, row, from)]
        : misplaced(holder, row),
    ),
    ...unknownRows(holder),
    ...lengthRows(holder),
  ];
}

function verdict({ always }: Holder, at: string | undefined, breaks: readonly RequirementId[]): Verdict {
  return { at, breaks: [...breaks, ...always] };
}

function misplaced(holder: Holder, row: Property): Row {
  const title = `${holder.title} has the property ${row.title}, which may not stand there`;
  return bent(
    `${holder.id}-${slugOf(row)}-misplaced`,
    sentence(holder, title),
    holder.with(alone(row)),
    {},
    verdict(holder, partOf(holder, row), [notAllowed]),
  );
}

/** `a CONNECT with …`, `a CONNECT whose Will has …`. */
function sentence({ place }: Holder, title: string): string {
  return place === 'WILL' ? title : title.replace(`${article(place)} has `, `${article(place)} with `);
}

/** What can be wrong with a property where it may stand. */
function allowedRows(holder: Holder, row: Property): Row[] {
  const part = partOf(holder, row);
  const id = `${holder.id}-${slugOf(row)}`;
  const packet = holder.with(alone(row));
  const title = (what: string) => sentence(holder, `${holder.title} has ${what}`);
  return [
    ...repeatedRows(holder, row),
    ...cutRows(holder, row),
    bent(
      `${id}-without-value`,
      title(`the identifier of ${row.title} and no value`),
      packet,
      { [part]: { keep: 1 } },
      verdict(holder, part, cutShort),
    ),
    ...outOfRange(row).map(([value, how]) =>
      bent(
        `${id}-${how}`,
        title(`${row.title} ${value}`),
        packet,
        { [part]: [row.identifier, ...bytesOf(row, value)] },
        {
          ...verdict(holder, part, holder.place === 'CONNACK' ? [] : (row.range?.breaks ?? [])),
          codes: row.range?.code ? [row.range.code] : [],
        },
      ),
    ),
    ...encodingRows(holder, row),
    ...textRows(holder, row),
  ];
}

function repeatedRows(holder: Holder, row: Property): Row[] {
  if (row.repeatable?.includes(holder.place)) return [];
  const first = partOf(holder, row);
  const at = row.repeatable ? `${holder.prefix}.${row.name}.1` : first;
  // The section on PUBLISH does not say so of these, as it does of all others, and as that on the Will does of all.
  const isUnsaid = holder.place === 'PUBLISH' && ['payloadFormatIndicator', 'messageExpiryInterval'].includes(row.name);
  return [
    bent(
      `${holder.id}-${slugOf(row)}-repeated`,
      sentence(holder, `${holder.title} has ${row.title} twice`),
      holder.with(alone(row)),
      { [first]: { repeat: 2 } },
      { ...verdict(holder, at, [repeated]), strength: isUnsaid ? 'SHOULD' : 'MUST' },
    ),
  ];
}

/** Without the last byte of a value that has several. */
function cutRows(holder: Holder, row: Property): Row[] {
  if (row.type === 'byte' || row.type === 'variable byte integer') return [];
  const sizes = { 'two-byte integer': 2, 'four-byte integer': 4, string: 6, binary: 5, 'string pair': 13 } as const;
  const part = partOf(holder, row);
  return [
    bent(
      `${holder.id}-${slugOf(row)}-cut`,
      sentence(holder, `${holder.title} has ${row.title} cut short`),
      holder.with(alone(row)),
      { [part]: { keep: sizes[row.type] } },
      verdict(holder, part, cutShort),
    ),
  ];
}

/** The values around the range, with how the slug calls them. */
function outOfRange({ type, range }: Property): (readonly [value: number, how: string])[] {
  if (!range) return [];
  if (type === 'byte') return [range.greatest + 1, 0xff].map((value) => [value, `value-${value}`]);
  return range.least > 0 ? [[0, 'value-0']] : [];
}

function bytesOf({ type }: Property, value: number): number[] {
  const width = { byte: 1, 'two-byte integer': 2, 'four-byte integer': 4, 'variable byte integer': 1 }[
    type as 'byte' | 'two-byte integer' | 'four-byte integer' | 'variable byte integer'
  ];
  return Array.from({ length: width }, (_, index) => (value >>> (8 * (width - 1 - index))) & 0xff);
}

/** Variable Byte Integers that are too long, or longer than they need to be. */
function encodingRows(holder: Holder, row: Property): Row[] {
  if (row.type !== 'variable byte integer') return [];
  const part = partOf(holder, row);
  const packet = holder.with(alone(row));
  const encoding = (how: string, what: string, bytes: readonly number[], strength: Strength) =>
    bent(
      `${holder.id}-${slugOf(row)}-${how}`,
      sentence(holder, `${holder.title} has ${row.title} in ${what}`),
      packet,
      { [part]: [row.identifier, ...bytes] },
      { ...verdict(holder, part, ['v5/1.5.5-1']), strength },
    );
  return [
    encoding('five-bytes', 'five bytes', [0xff, 0xff, 0xff, 0xff, 0x7f], 'MUST'),
    encoding('padded', 'more bytes than it needs', [0x81, 0x00], 'MAY'),
  ];
}

const illFormed = [
  ['stray-continuation', 'has a stray continuation byte', [0x61, 0x80]],
  ['overlong', 'has an overlong form', [0x61, 0xc0, 0xaf]],
  ['surrogate', 'has a surrogate', [0x61, 0xed, 0xa0, 0x80]],
  ['cut', 'ends within a sequence', [0x61, 0xe2, 0x82]],
  ['zero', 'has U+0000', [0x61, 0x00, 0x62]],
] as const;

/** Ill-formed text; of a pair in its name and in its value. */
function textRows(holder: Holder, row: Property): Row[] {
  if (row.type !== 'string' && row.type !== 'string pair') return [];
  const fine = [...utf8('text')];
  const fields =
    row.type === 'string'
      ? [{ slug: 'text', what: row.title, make: (bytes: readonly number[]) => sized(bytes) }]
      : [
          {
            slug: 'name',
            what: `the name of a ${row.title}`,
            make: (bytes: readonly number[]) => [...sized(bytes), ...sized(fine)],
          },
          {
            slug: 'value',
            what: `the value of a ${row.title}`,
            make: (bytes: readonly number[]) => [...sized(fine), ...sized(bytes)],
          },
        ];
  const part = partOf(holder, row);
  return fields.flatMap(({ slug, what, make }) =>
    illFormed.map(([how, does, bytes]) =>
      bent(
        `${holder.id}-${slugOf(row)}-${slug}-${how}`,
        sentence(holder, `${holder.title} has ill-formed text: ${what} ${does}`),
        holder.with(alone(row)),
        { [part]: [row.identifier, ...make(bytes)] },
        verdict(holder, part, [how === 'zero' ? 'v5/1.5.4-2' : 'v5/1.5.4-1', ...(row.text ?? [])]),
      ),
    ),
  );
}

function sized(bytes: readonly number[]): number[] {
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes];
}

/** Well-formed in themselves, but not from this side. */
function senderRows(holder: Holder, row: Property, from: Side): Row[] {
  const id = `${holder.id}-${slugOf(row)}`;
  if (row.from?.place === holder.place && row.from.side !== from) {
    const title = sentence(holder, `${holder.title} has ${row.title}, which only a ${row.from.side} may send`);
    // The sender is bound; that a receiver has to refuse it is said nowhere.
    const verdict = { at: undefined, breaks: row.from.breaks, strength: 'SHOULD' } as const;
    return [bent(`${id}-from-${from}`, title, holder.with(alone(row)), {}, verdict)];
  }
  if (row.name !== 'payloadFormatIndicator' || from !== 'client') return [];
  // The standard defines 0 and 1, and says of no other value what it is.
  return [2, 0xff].map((value) =>
    bent(
      `${id}-value-${value}`,
      sentence(holder, `${holder.title} has ${row.title} ${value}`),
      holder.with({ payloadFormatIndicator: value }),
      {},
      { at: undefined, breaks: ['v5/4.13.1-1'], strength: 'SHOULD', codes: [0x99] },
    ),
  );
}

/** Identifiers that no property has, each with a byte behind it. */
const unknown: readonly (readonly [digits: string, bytes: readonly number[]])[] = [
  ['00', [0x00]],
  ['04', [0x04]],
  ['10', [0x10]],
  ['1b', [0x1b]],
  ['2b', [0x2b]],
  ['7f', [0x7f]],
  ['8001', [0x80, 0x01]],
  ['ffffff7f', [0xff, 0xff, 0xff, 0x7f]],
];

function unknownRows(holder: Holder): Row[] {
  const part = `${holder.prefix}.other`;
  return unknown.map(([digits, bytes]) =>
    bent(
      `${holder.id}-unknown-property-${digits}`,
      sentence(holder, `${holder.title} has the unknown property identifier ${digits.toUpperCase()}`),
      holder.with({}),
      { [part]: [...bytes, 0x01] },
      verdict(holder, part, [notAllowed]),
    ),
  );
}

/** The Property Length itself (section 2.2.2.1). */
function lengthRows(holder: Holder): Row[] {
  const part = `${holder.prefix}.length`;
  const plain = holder.with({});
  const withOne = holder.with({ userProperties: [['name', 'value']] });
  const title = (what: string) => sentence(holder, `${holder.title} has ${what}`);
  const lengths = [
    bent(
      `${holder.id}-property-length-beyond`,
      title('a Property Length beyond the packet'),
      plain,
      { [part]: [0xff, 0x7f] },
      verdict(holder, part, ['v5/2.2.2-1', 'v5/2.1.4~content-length']),
    ),
    bent(
      `${holder.id}-property-length-within`,
      title('a Property Length that ends within a property'),
      withOne,
      { [part]: { add: -1 } },
      verdict(holder, `${holder.prefix}.userProperties.0`, cutShort),
    ),
    bent(
      `${holder.id}-property-length-five-bytes`,
      title('a Property Length of five bytes'),
      plain,
      { [part]: [0xff, 0xff, 0xff, 0xff, 0x7f] },
      verdict(holder, part, ['v5/1.5.5-1']),
    ),
    bent(
      `${holder.id}-property-length-padded`,
      title('a Property Length in more bytes than it needs'),
      withOne,
      { [part]: paddedLength(holder) },
      { ...verdict(holder, part, ['v5/1.5.5-1']), strength: 'MAY' },
    ),
  ];
  return mayEndEarly.has(holder.place) ? lengths : [...lengths, withoutLength(holder)];
}

/** 14 bytes of User Property; AUTH has 9 of its method beside it. */
function paddedLength({ place }: Holder): readonly number[] {
  return [place === 'AUTH' ? 0x97 : 0x8e, 0x00];
}

/** The packets that may leave out their properties, length and all. */
const mayEndEarly: ReadonlySet<string> = new Set(['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'DISCONNECT', 'AUTH']);

function withoutLength(holder: Holder): Row {
  const part = `${holder.prefix}.length`;
  return cut(
    `${holder.id}-without-property-length`,
    sentence(holder, `${holder.title} has no Property Length`),
    holder.with({}),
    [part, 0],
    verdict(holder, part, ['v5/2.2.2-1']),
  );
}
