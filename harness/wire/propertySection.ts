/** The properties of one packet or Will, between their fields and their bytes (MQTT 5.0, section 2.2.2). */

import type { RequirementId } from '../spec/index.ts';
import type { Properties } from './packet.ts';
import {
  type Property,
  type PropertyPlace,
  properties,
  propertyNamed,
  propertyPlaces,
  propertyWith,
} from './properties.ts';
import type { Reader, Rules } from './reader.ts';
import type { Sink } from './sink.ts';

/** What one property may hold. */
export type PropertyValue = number | string | Uint8Array | readonly [name: string, value: string];

/** Calls `visit` for every property, with the name of its part, in the order in which they are given. */
export function eachProperty(
  prefix: string,
  given: Properties,
  visit: (part: string, row: Property, value: PropertyValue) => void,
): void {
  for (const name in given) {
    const value = given[name as keyof Properties];
    if (value === undefined) continue;
    const row = propertyNamed(name);
    const part = `${prefix}.${name}`;
    if (!row.repeatable) visit(part, row, value as PropertyValue);
    else {
      let index = 0;
      for (const each of value as readonly PropertyValue[]) visit(`${part}.${index++}`, row, each);
    }
  }
}

/** Writes the identifier of a property and its value. */
export function writeProperty(sink: Sink, part: string, { identifier, type }: Property, value: PropertyValue): void {
  sink.variable(part, identifier);
  switch (type) {
    case 'byte':
      return sink.uint8(part, value as number);
    case 'two-byte integer':
      return sink.uint16(part, value as number);
    case 'four-byte integer':
      return sink.uint32(part, value as number);
    case 'variable byte integer':
      return sink.variable(part, value as number);
    case 'string':
      return sink.string(part, value as string);
    case 'binary':
      return sink.binary(part, value as Uint8Array);
    case 'string pair': {
      const [name, text] = value as readonly [string, string];
      sink.string(part, name);
      return sink.string(part, text);
    }
  }
}

const repeated = 'v5/2.2.2.2~property-repeated';
const cutShort: readonly RequirementId[] = ['v5/2.2.2-1', 'v5/2.1.4~content-length'];

/** What every fault in the properties of a place breaks as well; for CONNACK that is all there is on wrong values. */
const alwaysIn: Readonly<Partial<Record<PropertyPlace, readonly RequirementId[]>>> = {
  CONNECT: ['v5/3.1.4-1'],
  WILL: ['v5/3.1.4-1', 'v5/3.1.2-9'],
  CONNACK: ['v5/3.2.2.3~connack-properties'],
};

/** A property where it may stand. */
interface Allowed {
  readonly row: Property;
  readonly part: string;
  readonly rules: Rules;
  readonly repeats: boolean;
}

/** What there is to know about the properties of one place, made once because every packet asks for it. */
interface Section {
  readonly place: PropertyPlace;
  readonly prefix: string;
  readonly lengthPart: string;
  readonly otherPart: string;
  readonly rules: Rules;
  /** By identifier. */
  readonly allowed: readonly (Allowed | undefined)[];
}

function sectionOf(place: PropertyPlace): Section {
  const prefix = place === 'WILL' ? 'will.properties' : 'properties';
  const rules: Rules = { missing: cutShort, always: alwaysIn[place] ?? [] };
  const allowed: (Allowed | undefined)[] = [];
  for (const row of properties.filter(({ places }) => places.includes(place))) {
    allowed[row.identifier] = {
      row,
      part: `${prefix}.${row.name}`,
      rules: row.text ? { ...rules, text: row.text } : rules,
      repeats: row.repeatable?.includes(place) ?? false,
    };
  }
  return { place, prefix, lengthPart: `${prefix}.length`, otherPart: `${prefix}.other`, rules, allowed };
}

const sections = Object.fromEntries(propertyPlaces.map((place) => [place, sectionOf(place)])) as Readonly<
  Record<PropertyPlace, Section>
>;

type Found = Record<string, PropertyValue | PropertyValue[]>;

/**
 * The properties that stand next in a packet, or `undefined` if there are none. Throws `Malformed` for what section
 * 2.2.2 and those on the properties forbid in this place, whichever side sends it (for that see sender.ts).
 */
export function readProperties(reader: Reader, place: PropertyPlace): Properties | undefined {
  const section = sections[place];
  const { lengthPart, rules } = section;
  const start = reader.at;
  const length = reader.variable(lengthPart, rules);
  if (length === 0) return undefined;
  if (length > reader.left) {
    const reason = `a Property Length of ${length} with ${reader.left} bytes left in the packet`;
    throw reader.fault(cutShort, rules, reason, lengthPart, start);
  }
  const found: Found = {};
  const after = reader.narrow(length);
  while (reader.left > 0) readProperty(reader, section, found);
  reader.widen(after);
  return found as Properties;
}

function readProperty(reader: Reader, section: Section, found: Found): void {
  const start = reader.at;
  const identifier = reader.variable(section.otherPart, section.rules);
  const allowed = section.allowed[identifier];
  if (!allowed) throw notAllowed(reader, section, identifier, start);
  const { row, rules, repeats } = allowed;
  const before = found[row.name];
  const list = row.repeatable ? ((before ?? []) as PropertyValue[]) : undefined;
  const part = list ? `${allowed.part}.${list.length}` : allowed.part;
  if (before !== undefined && !repeats) {
    const ids = list ? [repeated, ...(row.range?.breaks ?? [])] : [repeated];
    throw reader.fault(ids as RequirementId[], rules, `${row.title} a second time`, part, start, 0x82);
  }
  const value = readValue(reader, row, part, rules);
  const { range } = row;
  if (range && typeof value === 'number' && (value < range.least || value > range.greatest)) {
    const ids = section.place === 'CONNACK' ? [] : range.breaks;
    throw reader.fault(ids, rules, `${row.title} is ${value}`, part, start, range.code ?? 0x82);
  }
  list?.push(value);
  found[row.name] = list ?? value;
}

function notAllowed(reader: Reader, { place, prefix, otherPart, rules }: Section, identifier: number, at: number) {
  const row = propertyWith(identifier);
  const where = place === 'WILL' ? 'the properties of a Will' : place;
  const reason = row ? `${row.title} in ${where}` : `the unknown property identifier ${identifier}`;
  const part = row ? `${prefix}.${row.name}${row.repeatable ? '.0' : ''}` : otherPart;
  return reader.fault(['v5/2.2.2.2~property-not-allowed'], rules, reason, part, at);
}

function readValue(reader: Reader, { type }: Property, part: string, rules: Rules): PropertyValue {
  switch (type) {
    case 'byte':
      return reader.uint8(part, rules);
    case 'two-byte integer':
      return reader.uint16(part, rules);
    case 'four-byte integer':
      return reader.uint32(part, rules);
    case 'variable byte integer':
      return reader.variable(part, rules);
    case 'string':
      return reader.string(part, rules, part);
    case 'binary':
      return reader.binary(part, rules, part);
    case 'string pair':
      return [reader.string(part, rules, part), reader.string(part, rules, part)];
  }
}
