/** What is new about a play, seen from outside: which reaction followed what in which state. It says which cases are worth breeding. */

import { type Packet, packetTypes } from '../harness/wire/packet.ts';
import type { Connection, Recording, SentPacket } from './record.ts';

/** A reaction that takes this long is of another kind than one that comes at once. */
const slowMs = 1_000;
/** Of a flood only so much tells something new. */
const reactionsAtMost = 40;

/** Numbers that stand for the reactions in a play, each once. */
export function reactionsOf(recording: Recording): readonly number[] {
  const found = new Set<number>();
  for (const connection of recording.connections) addReactions(connection, found);
  if (recording.connections.length > 1) found.add(hash(recording.connections.map(endOf).join()));
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
  const { received, sent, version } = connection;
  const own = numberOf(`${version}`);
  let before = numberOf('nothing');
  let at = 0;
  for (const { packet, malformed, order } of received.slice(0, reactionsAtMost)) {
    while (at < sent.length && (sent[at] as SentPacket).order < order) at++;
    const reply = numberOf(packet ? shapeOf(packet) : `malformed ${malformed?.part}`);
    found.add(joined(own, before, numberOf(sentShape(sent[at - 1])), reply));
    before = reply;
  }
  found.add(joined(own, before, numberOf(sentShape(sent.at(-1))), numberOf(endOf(connection))));
}

/** There are few shapes, and each comes in every case. */
const numbers = new Map<string, number>();

function numberOf(shape: string): number {
  const known = numbers.get(shape);
  if (known !== undefined) return known;
  const number = hash(shape);
  numbers.set(shape, number);
  return number;
}

function joined(...parts: readonly [number, number, number, number]): number {
  let sum = 0x811c9dc5;
  for (const part of parts) {
    sum = Math.imul(sum ^ part, 0x01000193);
    // A product only carries upwards.
    sum ^= sum >>> 15;
  }
  return sum >>> 0;
}

function endOf({ closed, halfClosed, version }: Connection): string {
  return `${version} ${closed?.by} ${closed?.how} ${halfClosed === undefined ? 'early' : 'in the end'}`;
}

function sentShape(sent: SentPacket | undefined): string {
  if (!sent) return 'nothing';
  const { fate, fault, bytes } = sent;
  const type = packetTypes[(bytes[0] ?? 0) >> 4] ?? 'reserved';
  return fault ? `${type} ${fate} ${fault.part.replace(/\d+/g, 'N')} ${fault.requirements[0]}` : `${type} ${fate}`;
}

function shapeOf(packet: Packet): string {
  switch (packet.type) {
    case 'CONNACK':
      return `CONNACK ${packet.code} ${packet.sessionPresent}`;
    case 'PUBLISH':
      return `PUBLISH ${packet.qos}${packet.dup ? ' DUP' : ''}${packet.retain ? ' RETAIN' : ''} ${Object.keys(packet.properties ?? {}).join()}`;
    case 'SUBACK':
    case 'UNSUBACK':
      return `${packet.type} ${[...new Set(packet.codes ?? [])].join()}`;
    default:
      return `${packet.type} ${'code' in packet ? packet.code : ''}`;
  }
}

/** FNV-1a over the UTF-16 units. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum >>> 0;
}
