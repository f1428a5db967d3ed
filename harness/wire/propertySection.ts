/** The properties of one packet or Will, between their fields and their bytes (MQTT 5.0, section 2.2.2). */

import type { RequirementId } from '../spec/index.ts';
import type { Properties } from './packet.ts';
import { type Property, type PropertyPlace, propertyNamed, propertyWith } from './properties.ts';
import type { Reader, Rules } from './reader.ts';
import type { Sink } from './sink.ts';

/** What one property may hold. */
export type PropertyValue = number | string | Uint8Array | readonly [name: string, value: string];

/** Calls `visit` for every property, with the name of its part, in the order in which they are given. */
export function eachProperty(
  prefix: string,
  properties: Properties,
  visit: (part: string, row: Property, value: PropertyValue) => void,
): void {
  for (const [name, value] of Object.entries(properties) as [string, PropertyValue | readonly PropertyValue[]][]) {
    if (value === undefined) continue;
    const row = propertyNamed(name);
    if (!row.repeatable) visit(`${prefix}.${name}`, row, value as PropertyValue);
    else {
      for (const [index, each] of (value as readonly PropertyValue[]).entries()) {
        visit(`${prefix}.${name}.${index}`, row, each);
      }
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
const cutShort = ['v5/2.2.2-1', 'v5/2.1.4~content-length'] as const;

/**
 * The properties that stand next in a packet, or `undefined` if there are none. Throws `Malformed` for what section
 * 2.2.2 and those on the properties forbid in this place, whichever side sends it (for that see sender.ts).
 *
 * @param always what every fault in them breaks as well; for CONNACK it is all there is on values out of range.
 */
export function readProperties(
  reader: Reader,
  place: PropertyPlace,
  always?: readonly RequirementId[],
): Properties | undefined {
  const prefix = place === 'WILL' ? 'will.properties' : 'properties';
  const rules: Rules = { missing: cutShort, ...(always && { always }) };
  const start = reader.at;
  const length = reader.variable(`${prefix}.length`, rules);
  if (length === 0) return undefined;
  if (length > reader.left) {
    const reason = `a Property Length of ${length} with ${reader.left} bytes left in the packet`;
    throw reader.fault(cutShort, rules, reason, `${prefix}.length`, start);
  }
  const found: Record<string, PropertyValue | PropertyValue[]> = {};
  const after = reader.narrow(length);
  while (reader.left > 0) readProperty(reader, place, prefix, rules, found);
  reader.widen(after);
  return found as Properties;
}

function readProperty(
  reader: Reader,
  place: PropertyPlace,
  prefix: string,
  rules: Rules,
  found: Record<string, PropertyValue | PropertyValue[]>,
): void {
  const start = reader.at;
  const identifier = reader.variable(`${prefix}.other`, rules);
  const row = propertyWith(identifier);
  if (!row?.places.includes(place)) {
    const reason = row ? `${row.title} in ${nameOf(place)}` : `the unknown property identifier ${identifier}`;
    const part = row ? partOf(row, prefix, 0) : `${prefix}.other`;
    throw reader.fault(['v5/2.2.2.2~property-not-allowed'], rules, reason, part, start);
  }
  const before = found[row.name];
  const list = row.repeatable ? ((before ?? []) as PropertyValue[]) : [];
  const part = partOf(row, prefix, list.length);
  if (before !== undefined && !row.repeatable?.includes(place)) {
    const ids: readonly RequirementId[] = row.repeatable ? [repeated, ...(row.range?.breaks ?? [])] : [repeated];
    throw reader.fault(ids, rules, `${row.title} a second time in ${nameOf(place)}`, part, start, 0x82);
  }
  const value = readValue(reader, row, part, row.text ? { ...rules, text: row.text } : rules);
  const { range } = row;
  if (range && typeof value === 'number' && (value < range.least || value > range.greatest)) {
    const ids = place === 'CONNACK' ? [] : range.breaks;
    throw reader.fault(ids, rules, `${row.title} is ${value}`, part, start, range.code ?? 0x82);
  }
  if (row.repeatable) list.push(value);
  found[row.name] = row.repeatable ? list : value;
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

function partOf({ name, repeatable }: Property, prefix: string, index: number): string {
  return repeatable ? `${prefix}.${name}.${index}` : `${prefix}.${name}`;
}

function nameOf(place: PropertyPlace): string {
  return place === 'WILL' ? 'the properties of a Will' : place;
}
