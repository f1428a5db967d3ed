/** What the description of a packet's layout is written to: a count of bytes, one buffer, or a list of named parts. */

import { type Bend, change } from './bend.ts';
import { remainingLength, widthOf } from './length.ts';
import type { Properties } from './packet.ts';
import { eachProperty, writeProperty } from './propertySection.ts';
import { utf8 } from './utf8.ts';

/** A field of a packet, as it stands on the wire. */
export interface Part {
  /** In the words of the standard: `header`, `remainingLength`, `will.topic.length`, `filters.0.options` … */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Takes the fields of a packet in the order in which they stand on the wire. */
export interface Sink {
  uint8(name: string, value: number): void;
  uint16(name: string, value: number): void;
  uint32(name: string, value: number): void;
  /** A Variable Byte Integer (5.0, section 1.5.5). */
  variable(name: string, value: number): void;
  /** A UTF-8 string behind its two-byte length (section 1.5.3). */
  string(name: string, value: string): void;
  /** Bytes behind a two-byte length. */
  binary(name: string, value: Uint8Array): void;
  /** Bytes without a length. */
  bytes(name: string, value: Uint8Array): void;
  /** Properties behind their length (5.0, section 2.2.2). */
  properties(name: string, value: Properties): void;
}

/** Counts the bytes of the body, so that one buffer of the right size is allocated and each payload copied once. */
export class Sizer implements Sink {
  size = 0;

  uint8(): void {
    this.size += 1;
  }

  uint16(): void {
    this.size += 2;
  }

  uint32(): void {
    this.size += 4;
  }

  variable(_name: string, value: number): void {
    this.size += widthOf(value);
  }

  string(name: string, value: string): void {
    this.size += 2 + checkedLength(name, Buffer.byteLength(value));
  }

  binary(name: string, value: Uint8Array): void {
    this.size += 2 + checkedLength(name, value.length);
  }

  bytes(_name: string, value: Uint8Array): void {
    this.size += value.length;
  }

  properties(name: string, value: Properties): void {
    const before = this.size;
    eachProperty(name, value, (part, row, each) => writeProperty(this, part, row, each));
    this.size += widthOf(this.size - before);
  }
}

/** Writes fields into one buffer. */
export class Writer implements Sink {
  readonly buffer: Buffer;
  #at = 0;

  constructor(size: number) {
    this.buffer = Buffer.allocUnsafe(size);
  }

  variable(_name: string, value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.#at++] = rest;
  }

  uint8(name: string, value: number): void {
    this.buffer[this.#at++] = checkedNumber(name, value, 0xff);
  }

  uint16(name: string, value: number): void {
    checkedNumber(name, value, 0xffff);
    this.buffer[this.#at++] = value >> 8;
    this.buffer[this.#at++] = value & 0xff;
  }

  uint32(name: string, value: number): void {
    this.#at = this.buffer.writeUInt32BE(checkedNumber(name, value, 0xffff_ffff), this.#at);
  }

  string(name: string, value: string): void {
    const size = this.buffer.write(value, this.#at + 2);
    this.uint16(name, size);
    this.#at += size;
  }

  binary(name: string, value: Uint8Array): void {
    this.uint16(name, value.length);
    this.bytes(name, value);
  }

  bytes(_name: string, value: Uint8Array): void {
    this.buffer.set(value, this.#at);
    this.#at += value.length;
  }

  properties(name: string, value: Properties): void {
    const sizer = new Sizer();
    eachProperty(name, value, (part, row, each) => writeProperty(sizer, part, row, each));
    this.variable(`${name}.length`, sizer.size);
    eachProperty(name, value, (part, row, each) => writeProperty(this, part, row, each));
  }
}

/** Collects the parts, each as its bend leaves it. */
export class PartList implements Sink {
  readonly parts: Part[] = [];
  readonly #bend: Bend;
  /** Names that were put together are dear to look up in an object, and a bend has one or two. */
  readonly #names: readonly string[];
  /** So many parts were bent: no name comes twice. */
  #used = 0;

  constructor(bend: Bend) {
    this.#bend = bend;
    this.#names = Object.keys(bend);
  }

  bent(name: string, bytes: Uint8Array): Uint8Array {
    const how = this.#changeOf(name);
    return how ? change(bytes, how) : bytes;
  }

  /** Remaining Length, or another number in its encoding. */
  bentVariable(name: string, value: number): Uint8Array {
    const how = this.#changeOf(name);
    if (how && 'add' in how) return remainingLength(value + how.add);
    return how ? change(remainingLength(value), how) : remainingLength(value);
  }

  checkEveryBendUsed(type: string): void {
    if (this.#names.length === this.#used) return;
    const known = new Set(['header', 'remainingLength', ...this.parts.map(({ name }) => name)]);
    const unknown = this.#names.filter((name) => !known.has(name));
    throw new RangeError(`${type} has no part '${unknown.join("', '")}'`);
  }

  uint8(name: string, value: number): void {
    this.#add(name, Uint8Array.of(checkedNumber(name, value, 0xff)));
  }

  uint16(name: string, value: number): void {
    this.#add(name, bytesOfUint16(checkedNumber(name, value, 0xffff)));
  }

  uint32(name: string, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(checkedNumber(name, value, 0xffff_ffff));
    this.#add(name, bytes);
  }

  variable(name: string, value: number): void {
    this.parts.push({ name, bytes: this.bentVariable(name, value) });
  }

  string(name: string, value: string): void {
    this.binary(name, utf8(value));
  }

  binary(name: string, value: Uint8Array): void {
    checkedLength(name, value.length);
    const bytes = this.bent(name, value);
    // A bend may make a string longer than its length can say: then the length wraps round.
    this.#add(`${name}.length`, bytesOfUint16(bytes.length & 0xffff));
    this.parts.push({ name, bytes });
  }

  bytes(name: string, value: Uint8Array): void {
    this.#add(name, value);
  }

  /** A part for each property, identifier included, and `other`, empty unless bent, for what is no property. */
  properties(name: string, value: Properties): void {
    const list: Part[] = [];
    eachProperty(name, value, (part, row, each) => {
      const sizer = new Sizer();
      writeProperty(sizer, part, row, each);
      const writer = new Writer(sizer.size);
      writeProperty(writer, part, row, each);
      list.push({ name: part, bytes: this.bent(part, writer.buffer) });
    });
    list.push({ name: `${name}.other`, bytes: this.bent(`${name}.other`, new Uint8Array(0)) });
    const size = list.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.parts.push({ name: `${name}.length`, bytes: this.bentVariable(`${name}.length`, size) }, ...list);
  }

  #add(name: string, bytes: Uint8Array): void {
    this.parts.push({ name, bytes: this.bent(name, bytes) });
  }

  #changeOf(name: string) {
    if (!this.#names.includes(name)) return undefined;
    this.#used++;
    return this.#bend[name];
  }
}

function bytesOfUint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function checkedNumber(name: string, value: number, limit: number): number {
  if (value >= 0 && value <= limit && Number.isInteger(value)) return value;
  throw new RangeError(`${name} cannot be ${value}`);
}

function checkedLength(name: string, length: number): number {
  if (length <= 0xffff) return length;
  throw new RangeError(`${name} has ${length} bytes; its length field ends at 65535`);
}
