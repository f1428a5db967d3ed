/** What the description of a packet's layout is written to: a count of bytes, one buffer, or a list of named parts. */

import { type Bend, change } from './bend.ts';
import { remainingLength, widthOf } from './length.ts';
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
  /** A UTF-8 string behind its two-byte length (section 1.5.3). */
  string(name: string, value: string): void;
  /** Bytes behind a two-byte length. */
  binary(name: string, value: Uint8Array): void;
  /** Bytes without a length. */
  bytes(name: string, value: Uint8Array): void;
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

  string(name: string, value: string): void {
    this.size += 2 + checkedLength(name, Buffer.byteLength(value));
  }

  binary(name: string, value: Uint8Array): void {
    this.size += 2 + checkedLength(name, value.length);
  }

  bytes(_name: string, value: Uint8Array): void {
    this.size += value.length;
  }
}

/** Writes the packet into one buffer. */
export class Writer implements Sink {
  readonly buffer: Buffer;
  #at = 0;

  constructor(sizeOfBody: number) {
    this.buffer = Buffer.allocUnsafe(1 + widthOf(sizeOfBody) + sizeOfBody);
  }

  remainingLength(value: number): void {
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
}

/** Collects the parts, each as its bend leaves it. */
export class PartList implements Sink {
  readonly parts: Part[] = [];
  readonly #bend: Bend;
  readonly #used = new Set<string>();

  constructor(bend: Bend) {
    this.#bend = bend;
  }

  bent(name: string, bytes: Uint8Array): Uint8Array {
    const how = this.#changeOf(name);
    return how ? change(bytes, how) : bytes;
  }

  bentRemainingLength(value: number): Uint8Array {
    const how = this.#changeOf('remainingLength');
    if (how && 'add' in how) return remainingLength(value + how.add);
    return this.bent('remainingLength', remainingLength(value));
  }

  checkEveryBendUsed(type: string): void {
    const unknown = Object.keys(this.#bend).filter((name) => !this.#used.has(name));
    if (unknown.length > 0) throw new RangeError(`${type} has no part '${unknown.join("', '")}'`);
  }

  uint8(name: string, value: number): void {
    this.#add(name, Uint8Array.of(checkedNumber(name, value, 0xff)));
  }

  uint16(name: string, value: number): void {
    this.#add(name, bytesOfUint16(checkedNumber(name, value, 0xffff)));
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

  #add(name: string, bytes: Uint8Array): void {
    this.parts.push({ name, bytes: this.bent(name, bytes) });
  }

  #changeOf(name: string) {
    if (!Object.hasOwn(this.#bend, name)) return undefined;
    this.#used.add(name);
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
