/** What is new about a play, seen from outside: which reaction followed what in which state. It says which cases are worth breeding. */

import { type Packet, type PacketType, packetTypes } from '../harness/wire/packet.ts';
import type { Connection, ReceivedPacket, Recording, SentPacket } from './record.ts';

/** A reaction that takes this long is of another kind than one that comes at once. */
const slowMs = 1_000;
/** Of a flood only so much tells something new. */
const reactionsAtMost = 40;

/** Numbers that stand for the reactions in a play, each once. */
export function reactionsOf(recording: Recording): readonly number[] {
  const found = new Set<number>();
  for (const connection of recording.connections) addReactions(connection, found);
  const { connections } = recording;
  if (connections.length > 1) found.add(connections.reduce((sum, each) => joined(sum, endOf(each)), several));
  if (recording.durationMs >= slowMs) found.add(hash(`slow ${Math.round(Math.log2(recording.durationMs / slowMs))}`));
  return [...found];
}

/** What is known of the reactions so far. */
export class Novelty {
  readonly #known = new Set<number>();

  get size(): number {
    return this.#known.size;
  }

  /** Whether one of these is new; takes note of them. */
  add(reactions: readonly number[]): boolean {
    const before = this.#known.size;
    for (const each of reactions) this.#known.add(each);
    return this.#known.size > before;
  }
}

/** Each reply with the one before it and with what was sent last: the state, as far as it shows. */
function addReactions(connection: Connection, found: Set<number>): void {
  const { received, sent } = connection;
  const own = versionNumber(connection);
  let before = nothing;
  let at = 0;
  const count = Math.min(received.length, reactionsAtMost);
  for (let index = 0; index < count; index++) {
    const { packet, malformed, order } = received[index] as ReceivedPacket;
    while (at < sent.length && (sent[at] as SentPacket).order < order) at++;
    const reply = packet ? shapeOf(packet) : joined(illFormed, partNumber(malformed?.part ?? ''));
    found.add(joined(joined(own, before), joined(sentShape(sent[at - 1]), reply)));
    before = reply;
  }
  found.add(joined(joined(own, before), joined(sentShape(sent.at(-1)), endOf(connection))));
}

const nothing = hash('nothing');
const several = hash('several connections');
const illFormed = hash('malformed');

function versionNumber({ version }: Connection): number {
  return version === 'v5' ? 5 : version === 'v3' ? 3 : 0;
}

/** There are few texts, and each comes in every case; what a hostile target makes of them is not kept. */
const textsAtMost = 10_000;

function remembered(make: (text: string) => number): (text: string) => number {
  const numbers = new Map<string, number>();
  return (text) => {
    const known = numbers.get(text);
    if (known !== undefined) return known;
    const number = make(text);
    if (numbers.size < textsAtMost) numbers.set(text, number);
    return number;
  };
}

const numberOf = remembered(hash);
/** Which of several Topic Filters or properties it is tells nothing new. */
const partNumber = remembered((part) => hash(part.replace(/\d+/g, 'N')));

function joined(one: number, other: number): number {
  let sum = Math.imul(one ^ 0x811c9dc5, 0x01000193);
  // A product only carries upwards.
  sum ^= sum >>> 15;
  sum = Math.imul(sum ^ other, 0x01000193);
  return (sum ^ (sum >>> 15)) >>> 0;
}

function endOf(connection: Connection): number {
  const { closed, halfClosed } = connection;
  const by = closed === undefined ? 0 : closed.by === 'broker' ? 1 : 2;
  const flags = versionNumber(connection) * 8 + by * 2 + (halfClosed === undefined ? 1 : 0);
  return joined(flags, numberOf(closed?.how ?? ''));
}

const fates = { fair: 0x10, open: 0x20, void: 0x30 } as const;

function sentShape(sent: SentPacket | undefined): number {
  if (!sent) return nothing;
  const { fate, fault, bytes } = sent;
  const kind = fates[fate] | ((bytes[0] ?? 0) >> 4);
  return fault ? joined(joined(kind, partNumber(fault.part)), numberOf(fault.requirements[0] ?? '')) : kind;
}

function shapeOf(packet: Packet): number {
  const type = typeNumber[packet.type];
  switch (packet.type) {
    case 'CONNACK':
      return joined(type, packet.code * 2 + Number(packet.sessionPresent));
    case 'PUBLISH': {
      let shape = joined(type, packet.qos * 4 + Number(packet.dup) * 2 + Number(packet.retain));
      for (const name in packet.properties) shape = joined(shape, numberOf(name));
      return shape;
    }
    case 'SUBACK':
    case 'UNSUBACK': {
      let shape = type;
      for (const code of new Set(packet.codes)) shape = joined(shape, code);
      return shape;
    }
    default:
      return joined(type, ('code' in packet ? packet.code : undefined) ?? -1);
  }
}

const typeNumber = Object.fromEntries(packetTypes.map((type, number) => [type, number])) as Readonly<
  Record<PacketType, number>
>;

/** FNV-1a over the UTF-16 units. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum >>> 0;
}
