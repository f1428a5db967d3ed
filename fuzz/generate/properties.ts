/** Properties of MQTT 5.0 for the generators: good values of all that a place may have, and the bytes of wrong ones. */

import { remainingLength } from '../../harness/wire/encode.ts';
import { type Property, type PropertyPlace, properties } from '../../harness/wire/properties.ts';
import { caseName } from '../record.ts';
import type { PacketData } from '../script.ts';

type PropertiesData = NonNullable<Extract<PacketData, { readonly type: 'CONNACK' }>['properties']>;

/** A value that every place of this property takes. */
function sample({ name, type }: Property, topic: string): PropertiesData[keyof PropertiesData] {
  if (name === 'responseTopic') return topic;
  switch (type) {
    case 'byte':
      return 1;
    case 'two-byte integer':
      // As an alias one that brokers usually take, as Receive Maximum one that is used up soon.
      return 2;
    case 'four-byte integer':
      return name === 'maximumPacketSize' ? 65_536 : 1;
    case 'variable byte integer':
      return [200];
    case 'string':
      return `${caseName}-text`;
    case 'binary':
      return { hex: '00ff' };
    case 'string pair':
      return [
        ['name', 'value'],
        ['name', ''],
      ];
  }
}

/** Every property that a client may give in this place, with good values; undefined if there is none. */
export function sampleProperties(place: PropertyPlace, topic: string): PropertiesData {
  const rows = properties.filter(
    ({ places, from }) => places.includes(place) && !(from?.place === place && from.side === 'server'),
  );
  return Object.fromEntries(rows.map((row) => [row.name, sample(row, topic)]));
}

const ascii = (text: string) => [...Buffer.from(text, 'latin1')];
const text = (content: readonly number[]) => [content.length >> 8, content.length & 0xff, ...content];

/** The values of a property as bytes: a good one first, then its edges, then what its type does not allow. */
function valuesOf({ name, type }: Property): readonly (readonly number[])[] {
  if (name === 'responseTopic')
    return [...['a', '', '#', 'a/+'].map((each) => text(ascii(each))), text([0xff]), text([0])];
  switch (type) {
    case 'byte':
      return [[1], [0], [2], [0xff], []];
    case 'two-byte integer':
      return [[0, 1], [0, 0], [0xff, 0xff], [1]];
    case 'four-byte integer':
      return [
        // With a Maximum Packet Size of 1 nothing at all could be answered.
        [0, 0, name === 'maximumPacketSize' ? 1 : 0, 1],
        [0, 0, 0, 0],
        [0xff, 0xff, 0xff, 0xff],
        [0, 0, 1],
      ];
    case 'variable byte integer':
      return [[1], [0], [0xff, 0xff, 0xff, 0x7f], [0x81, 0x00], [0x80, 0x80, 0x80, 0x80, 0x01], [0x80]];
    case 'string':
      return [text(ascii('a')), text([]), text([0xff]), text([0]), [0, 9, 0x61], [0]];
    case 'binary':
      return [text([1, 2]), text([]), [0, 9, 1], [0xff, 0xff]];
    case 'string pair':
      return [
        [...text(ascii('k')), ...text(ascii('v'))],
        [...text([]), ...text([])],
        [...text([0xc0, 0x80]), ...text([])],
        [...text([]), ...text([0])],
        text(ascii('k')),
        [...text(ascii('k')), 0, 5, 0x76],
      ];
  }
}

/** Identifiers that no property has: 0, those between the known ones, beyond them, and in more bytes than needed. */
const unknownIdentifiers = [
  [0x00],
  [0x04],
  [0x0a],
  [0x10],
  [0x20],
  [0x2b],
  [0x7f],
  [0x80, 0x01],
  [0xff, 0xff, 0xff, 0x7f],
];

/**
 * What to append to the properties of any packet: every property (in most places it is wrong, or there a second time) with each of its
 * values, twice, with a padded identifier, and unknown ones.
 */
export const surplusProperties: readonly (readonly number[])[] = [
  ...properties.flatMap((row) => valuesOf(row).map((value) => [row.identifier, ...value])),
  ...properties.map((row) => {
    const one = [row.identifier, ...(valuesOf(row)[0] ?? [])];
    return [...one, ...one];
  }),
  ...properties.filter((_, index) => index % 5 === 0).map((row) => [...remainingLength(row.identifier, 2), 1]),
  ...unknownIdentifiers,
];
