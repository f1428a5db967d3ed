/** What could stand in the place of a step and is simpler: fewer fields, a bend of less, lower numbers, shorter content. */

import type { Bend, Change } from '../../harness/wire/bend.ts';
import { caseName } from '../record.ts';
import type { Bytes, PacketData, Step } from '../script.ts';

/** Simpler steps, the simplest first. Each leads further towards an end, so that trying them again and again comes to one. */
export function simpler(step: Step): Step[] {
  switch (step.do) {
    case 'send':
      return [...bendsOf(step), ...simplerPackets(step.packet).map((packet) => ({ ...step, packet }))];
    case 'wait':
      return step.ms > 1
        ? [
            { ...step, ms: 0 },
            { ...step, ms: Math.floor(step.ms / 2) },
          ]
        : [];
    default:
      return [];
  }
}

type Send = Extract<Step, { readonly do: 'send' }>;

function bendsOf(step: Send): Step[] {
  const { bend, ...straight } = step;
  if (!bend) return [];
  const names = Object.keys(bend);
  const fewer = names.map((name) => Object.fromEntries(Object.entries(bend).filter(([other]) => other !== name)));
  const smaller = names.flatMap((name) =>
    smallerChanges(bend[name] as Change).map((change): Bend => ({ ...bend, [name]: change })),
  );
  return [
    straight,
    ...(names.length > 1 ? fewer.map((each) => ({ ...straight, bend: each })) : []),
    ...smaller.map((each) => ({ ...straight, bend: each })),
  ];
}

function smallerChanges(change: Change): Change[] {
  if ('repeat' in change) return lower(change.repeat, 0).map((repeat) => ({ repeat }));
  if ('append' in change) return shorter([...change.append]).map((append) => ({ append }));
  if ('keep' in change || 'add' in change) return [];
  return shorter([...change]);
}

/** Without its second half, its first, its last item; at least one item is left. */
function shorter<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [];
  const half = Math.ceil(list.length / 2);
  const halves = [list.slice(0, half), list.slice(-half)];
  return list.length > 2 ? [...halves, list.slice(0, -1), list.slice(1)] : halves;
}

/** The lowest, half of the way, and one less. */
function lower(value: number, least: number): number[] {
  return [...new Set([least, Math.floor((value + least) / 2), value - 1])].filter(
    (each) => each >= least && each < value,
  );
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields that a packet does not need. */
const optional = ['properties', 'will', 'userName', 'password', 'code'] as const;

function simplerPackets(packet: PacketData): PacketData[] {
  const fields = packet as unknown as Fields;
  const made: Fields[] = [
    ...optional.filter((name) => fields[name] !== undefined).map((name) => without(fields, name)),
    ...withinProperties(fields),
    ...withinWill(fields),
    ...shorterLists(fields, 'filters'),
    ...shorterLists(fields, 'codes'),
    ...plainer(fields),
    ...lowerQoS(fields),
    ...contents(fields),
  ];
  return made as unknown as PacketData[];
}

function without(fields: Fields, name: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([other]) => other !== name));
}

function withinProperties(fields: Fields): Fields[] {
  const properties = fields.properties as Fields | undefined;
  if (!properties) return [];
  const names = Object.keys(properties);
  return [
    ...(names.length > 1 ? names.map((name) => ({ ...fields, properties: without(properties, name) })) : []),
    ...names.flatMap((name) => shorterLists(properties, name)).map((each) => ({ ...fields, properties: each })),
  ];
}

function withinWill(fields: Fields): Fields[] {
  const will = fields.will as Fields | undefined;
  if (!will) return [];
  const bare = will.properties === undefined ? [] : [without(will, 'properties')];
  const lowered = will.qos === 0 ? [] : [{ ...will, qos: 0 }];
  return [...bare, ...withinProperties(will), ...lowered, ...plainer(will), ...contents(will)].map((each) => ({
    ...fields,
    will: each,
  }));
}

function shorterLists(fields: Fields, name: string): Fields[] {
  const list = fields[name];
  if (!Array.isArray(list) || list.length < 2) return [];
  return [...shorter(list), ...list.map((_, at) => list.toSpliced(at, 1))].map((each) => ({ ...fields, [name]: each }));
}

/** Flags to what most packets have. */
function plainer(fields: Fields): Fields[] {
  const plain = { retain: false, dup: false, keepAlive: 60, clean: true, sessionPresent: false };
  return Object.entries(plain)
    .filter(([name, value]) => fields[name] !== undefined && fields[name] !== value)
    .map(([name, value]) => ({ ...fields, [name]: value }));
}

function lowerQoS(fields: Fields): Fields[] {
  if (fields.type !== 'PUBLISH' || fields.qos === 0) return [];
  const none = { ...without(fields, 'packetId'), qos: 0, dup: false };
  return fields.qos === 2 ? [none, { ...fields, qos: 1 }] : [none];
}

/** Payloads to nothing or to half; long text to the name of the case or to half. */
function contents(fields: Fields): Fields[] {
  const payload = fields.payload as Bytes | undefined;
  const payloads = payload === undefined ? [] : shorterBytes(payload).map((each) => ({ ...fields, payload: each }));
  const texts = ['topic', 'clientId', 'userName'].flatMap((name) => {
    const text = fields[name];
    if (typeof text !== 'string' || text.length < 24) return [];
    return [caseName, text.slice(0, Math.ceil(text.length / 2))].map((each) => ({ ...fields, [name]: each }));
  });
  return [...payloads, ...texts];
}

function shorterBytes(bytes: Bytes): Bytes[] {
  if (typeof bytes === 'string') return bytes.length === 0 ? [] : halves(bytes, 1);
  if ('text' in bytes) return [bytes.text, ...shorterFilling(bytes)];
  return bytes.hex.length === 0
    ? []
    : [
        '',
        ...halves(bytes.hex, 2)
          .filter(Boolean)
          .map((hex) => ({ hex })),
      ];
}

function shorterFilling(bytes: Extract<Bytes, { readonly text: string }>): Bytes[] {
  const length = Math.floor(bytes.length / 2);
  return length > bytes.text.length ? [{ ...bytes, length }] : [];
}

function halves(text: string, unit: number): string[] {
  const half = Math.floor(text.length / unit / 2) * unit;
  return [...new Set(['', text.slice(0, half), text.slice(half)])].filter((each) => each.length < text.length);
}
