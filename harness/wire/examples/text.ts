/** Ill-formed text in every field that is text (section 1.5.3). */

import type { RequirementId } from '../../spec/index.ts';
import { connect, publish, subscribe, unsubscribe } from '../build.ts';
import { bent, type Factory, type Row } from './row.ts';

interface TextField {
  readonly id: string;
  readonly title: string;
  readonly packet: Factory;
  readonly part: string;
  /** What ill-formed text in this field breaks besides section 1.5.3. */
  readonly breaks: readonly RequirementId[];
  /** Whether section 4.7.3 forbids U+0000 once more. */
  readonly topic: boolean;
}

const inConnect: readonly TextField[] = [
  {
    id: 'connect-client-id',
    title: 'a CONNECT whose Client Identifier',
    packet: (_topic, clientId, credentials) => connect({ clientId, ...credentials }),
    part: 'clientId',
    breaks: ['v3/3.1.3-4', 'v3/3.1.4-1'],
    topic: false,
  },
  {
    id: 'connect-will-topic',
    title: 'a CONNECT whose Will Topic',
    packet: (topic, clientId, credentials) => connect({ clientId, will: { topic, payload: 'will' }, ...credentials }),
    part: 'will.topic',
    breaks: ['v3/3.1.3-10', 'v3/3.1.4-1'],
    topic: true,
  },
  {
    id: 'connect-user-name',
    title: 'a CONNECT whose user name',
    packet: (_topic, clientId, { userName = 'user', password }) => connect({ clientId, userName, password }),
    part: 'userName',
    breaks: ['v3/3.1.3-11', 'v3/3.1.4-1'],
    topic: false,
  },
];

const afterConnect: readonly TextField[] = [
  {
    id: 'publish-topic',
    title: 'a PUBLISH whose Topic Name',
    packet: (topic) => publish({ topic, payload: 'text', qos: 1, packetId: 1 }),
    part: 'topic',
    breaks: ['v3/3.3.2-1'],
    topic: true,
  },
  {
    id: 'subscribe-filter',
    title: 'a SUBSCRIBE whose Topic Filter',
    packet: (topic) => subscribe(1, [topic, 0]),
    part: 'filters.0.filter',
    breaks: ['v3/3.8.3-1'],
    topic: true,
  },
  {
    id: 'unsubscribe-filter',
    title: 'an UNSUBSCRIBE whose Topic Filter',
    packet: (topic) => unsubscribe(1, topic),
    part: 'filters.0.filter',
    breaks: ['v3/3.10.3-1'],
    topic: true,
  },
];

/** The kinds of ill-formed sequences (RFC 3629, sections 3 and 4), each at the end of the text. */
const illFormed: readonly (readonly [id: string, title: string, bytes: readonly number[]])[] = [
  ['stray-continuation', 'has a stray continuation byte', [0x80]],
  ['byte-ff', 'has the byte FF', [0xff]],
  ['missing-continuation', 'has a two byte sequence without its continuation', [0xc3, 0x28]],
  ['cut-2', 'ends within a two byte sequence', [0xc3]],
  ['cut-3', 'ends within a three byte sequence', [0xe2, 0x82]],
  ['cut-4', 'ends within a four byte sequence', [0xf0, 0x9f, 0x98]],
  ['overlong-2', 'has an overlong form of two bytes', [0xc0, 0xaf]],
  ['overlong-3', 'has an overlong form of three bytes', [0xe0, 0x80, 0xaf]],
  ['overlong-4', 'has an overlong form of four bytes', [0xf0, 0x80, 0x80, 0xaf]],
  ['overlong-zero', 'has an overlong form of U+0000', [0xc0, 0x80]],
  ['surrogate-first', 'has the surrogate U+D800', [0xed, 0xa0, 0x80]],
  ['surrogate-last', 'has the surrogate U+DFFF', [0xed, 0xbf, 0xbf]],
  ['surrogate-pair', 'has a pair of surrogates', [0xed, 0xa0, 0x81, 0xed, 0xb0, 0x80]],
  ['beyond-unicode', 'has a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['byte-f5', 'has the byte F5', [0xf5, 0x80, 0x80, 0x80]],
  ['five-bytes', 'has a sequence of five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80]],
];

function rowsOf(field: TextField): Row[] {
  const { packet, part } = field;
  const sequences = illFormed.map(([id, title, bytes]) =>
    bent(
      `${field.id}-${id}`,
      `${field.title} ${title}`,
      packet,
      { [part]: { append: bytes } },
      { at: part, breaks: ['v3/1.5.3-1', ...field.breaks] },
    ),
  );
  const topicBreaks: readonly RequirementId[] = field.topic ? ['v3/4.7.3-2'] : [];
  const zero = { at: part, breaks: ['v3/1.5.3-2', ...topicBreaks, ...field.breaks] } as const;
  return [
    ...sequences,
    bent(`${field.id}-zero-only`, `${field.title} is U+0000`, packet, { [part]: [0] }, zero),
    bent(`${field.id}-zero-first`, `${field.title} begins with U+0000`, packet, { [part]: [0, 0x61] }, zero),
    bent(
      `${field.id}-zero-within`,
      `${field.title} has U+0000 within`,
      packet,
      { [part]: { append: [0, 0x61] } },
      zero,
    ),
    bent(`${field.id}-zero-last`, `${field.title} ends with U+0000`, packet, { [part]: { append: [0] } }, zero),
  ];
}

const twoFilters: Factory = (topic) => subscribe(1, [topic, 0], [topic, 1]);
const twoToUnsubscribe: Factory = (topic) => unsubscribe(1, topic, topic);

/** A list in which a later Topic Filter is not text: the packet as a whole is malformed. */
const laterFilters = [
  bent(
    'subscribe-second-filter-ill-formed',
    'a SUBSCRIBE whose second Topic Filter has a stray continuation byte',
    twoFilters,
    { 'filters.1.filter': { append: [0x80] } },
    { at: 'filters.1.filter', breaks: ['v3/1.5.3-1', 'v3/3.8.3-1'] },
  ),
  bent(
    'subscribe-second-filter-zero',
    'a SUBSCRIBE whose second Topic Filter has U+0000 within',
    twoFilters,
    { 'filters.1.filter': { append: [0, 0x61] } },
    { at: 'filters.1.filter', breaks: ['v3/1.5.3-2', 'v3/4.7.3-2', 'v3/3.8.3-1'] },
  ),
  bent(
    'unsubscribe-second-filter-ill-formed',
    'an UNSUBSCRIBE whose second Topic Filter has a stray continuation byte',
    twoToUnsubscribe,
    { 'filters.1.filter': { append: [0x80] } },
    { at: 'filters.1.filter', breaks: ['v3/1.5.3-1', 'v3/3.10.3-1'] },
  ),
  bent(
    'unsubscribe-second-filter-zero',
    'an UNSUBSCRIBE whose second Topic Filter has U+0000 within',
    twoToUnsubscribe,
    { 'filters.1.filter': { append: [0, 0x61] } },
    { at: 'filters.1.filter', breaks: ['v3/1.5.3-2', 'v3/4.7.3-2', 'v3/3.10.3-1'] },
  ),
];

/** CONNECTs with text that is not UTF-8, or that holds U+0000. */
export const connectTextRows: readonly Row[] = inConnect.flatMap(rowsOf);

/** The same in later packets. */
export const textRows: readonly Row[] = [...afterConnect.flatMap(rowsOf), ...laterFilters];
