/** Reads the fields of one packet from front to back, and knows what each breaks if it is not as it has to be. */

import type { RequirementId, Version } from '../spec/index.ts';
import { packetSize } from './length.ts';
import { Malformed } from './malformed.ts';
import { findIllFormed } from './utf8.ts';

type Ids = readonly RequirementId[];

/** What a field breaks. */
export interface Rules {
  /** If the packet ends before it, or within it. */
  readonly missing: Ids;
  /** If it is text and not as section 1.5.3 (5.0: 1.5.4) has it, besides the rules of that section. */
  readonly text?: Ids;
  /** Whether it is a Topic Name or Topic Filter, to which section 4.7.3 applies; with an alias a name may be empty. */
  readonly topic?: boolean | 'or alias';
  /** If bytes follow that belong to no field. */
  readonly surplus?: Ids;
  /** What every fault of this packet breaks as well. */
  readonly always?: Ids;
}

/** The rules of a field in each version. */
export type VersionedRules = Readonly<Record<Version, Rules>>;

const noIds: Ids = [];

/** What breaks the rules that hold for every packet and every field. */
const general = {
  v3: {
    surplus: ['v3/2.4~surplus-bytes'],
    short: ['v3/2.2.3~remaining-length-limit'],
    illFormed: ['v3/1.5.3-1'],
    zero: ['v3/1.5.3-2'],
    zeroInTopic: ['v3/1.5.3-2', 'v3/4.7.3-2'],
    emptyTopic: ['v3/4.7.3-1'],
    length: ['v3/1.5.3~string-length'],
  },
  v5: {
    surplus: ['v5/2.1.4~content-length'],
    short: ['v5/2.1.4~content-length'],
    illFormed: ['v5/1.5.4-1'],
    zero: ['v5/1.5.4-2'],
    zeroInTopic: ['v5/1.5.4-2', 'v5/4.7.3-2'],
    emptyTopic: ['v5/4.7.3-1'],
    length: ['v5/2.1.4~content-length'],
  },
} as const satisfies Record<Version, Record<string, Ids>>;

const integer: Rules = { missing: noIds };

export class Reader {
  readonly version: Version;
  /** The first byte: type and flags. */
  readonly header: number;
  /** Offset of the next byte to read. */
  at: number;
  readonly #bytes: Buffer;
  #end: number;

  /** Throws `Malformed` unless the bytes are as many as the Remaining Length says, in 5.0 in its shortest form. */
  constructor(frame: Uint8Array, version: Version) {
    this.version = version;
    this.#bytes = frame instanceof Buffer ? frame : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
    this.#end = frame.length;
    this.header = frame[0] ?? 0;
    this.at = 1;
    const size = packetSize(frame, 0, frame.length, version);
    if (size !== frame.length) throw this.#wrongSize(size);
    this.at = 2;
    while ((frame[this.at - 1] ?? 0) >= 0x80) this.at++;
    if (version === 'v5' && this.at > 2 && frame[this.at - 1] === 0) throw this.#padded(integer, 'remainingLength', 1);
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#end - this.at;
  }

  /** Lets the packet end after so many bytes, until `widen` is called with what this returns. */
  narrow(size: number): number {
    const end = this.#end;
    this.#end = this.at + size;
    return end;
  }

  widen(end: number): void {
    this.#end = end;
  }

  /**
   * The fault at an offset, by default at the next byte; with the Reason Code of 5.0 that fits, by default that of a
   * Malformed Packet.
   */
  fault(ids: Ids, rules: Rules, reason: string, part: string, at = this.at, code = 0x81): Malformed {
    const all = rules.always ? [...ids, ...rules.always] : ids;
    return new Malformed(all, reason, part, at, this.version === 'v5' ? code : undefined);
  }

  uint8(part: string, rules: Rules): number {
    if (this.left < 1) throw this.#endsBefore(part, rules);
    return this.#bytes[this.at++] ?? 0;
  }

  uint16(part: string, rules: Rules): number {
    if (this.left < 2) throw this.#endsBefore(part, rules);
    const high = this.#bytes[this.at++] ?? 0;
    return (high << 8) | (this.#bytes[this.at++] ?? 0);
  }

  uint32(part: string, rules: Rules): number {
    if (this.left < 4) throw this.#endsBefore(part, rules);
    this.at += 4;
    return this.#bytes.readUInt32BE(this.at - 4);
  }

  /** A Variable Byte Integer of one to four bytes, no more than it needs (5.0, section 1.5.5). */
  variable(part: string, rules: Rules): number {
    let value = 0;
    for (let width = 0; width < 4; width++) {
      if (width >= this.left) throw this.#endsBefore(part, rules);
      const byte = this.#bytes[this.at + width] ?? 0;
      value |= (byte & 0x7f) << (7 * width);
      if (byte >= 0x80) continue;
      if (width > 0 && byte === 0) throw this.#padded(rules, part, this.at);
      this.at += width + 1;
      return value;
    }
    throw this.fault(['v5/1.5.5-1'], rules, 'a Variable Byte Integer that goes on after its fourth byte', part);
  }

  /**
   * Bytes behind a two-byte length (section 1.5.3, and the binary fields of 3.1.3). The length is a part of its own
   * unless it is given as another one.
   */
  binary(part: string, rules: Rules, lengthPart?: string): Uint8Array {
    const end = this.#endOfField(part, rules, lengthPart);
    const value = this.#bytes.subarray(this.at, end);
    this.at = end;
    return value;
  }

  /** A UTF-8 string behind its two-byte length (section 1.5.3); as Topic Name or Topic Filter not empty (4.7.3). */
  string(part: string, rules: Rules, lengthPart?: string): string {
    const end = this.#endOfField(part, rules, lengthPart);
    const start = this.at;
    if (rules.topic === true && start === end) {
      throw this.fault(general[this.version].emptyTopic, rules, 'a topic without a character', part);
    }
    let at = start;
    for (let byte = this.#bytes[at] ?? 0; at < end && byte !== 0 && byte < 0x80; byte = this.#bytes[at] ?? 0) at++;
    this.at = end;
    return at === end ? this.#bytes.toString('latin1', start, end) : this.#unusualString(part, rules, start, end);
  }

  /** All bytes that are left, without reading them. */
  peek(): Uint8Array {
    return this.#bytes.subarray(this.at, this.#end);
  }

  /** All bytes that are left. */
  rest(): Uint8Array {
    const value = this.peek();
    this.at = this.#end;
    return value;
  }

  /** Throws if anything is left. */
  finish(rules: Rules): void {
    if (this.left === 0) return;
    throw this.fault(
      rules.surplus ?? general[this.version].surplus,
      rules,
      `${this.left} bytes after the last field`,
      'surplus',
    );
  }

  #unusualString(part: string, rules: Rules, start: number, end: number): string {
    const { illFormed, zero, zeroInTopic } = general[this.version];
    const textRules = rules.text ?? noIds;
    const wrong = findIllFormed(this.#bytes, start, end);
    if (wrong >= 0) throw this.fault([...illFormed, ...textRules], rules, 'ill-formed UTF-8', part, wrong);
    const nul = this.#bytes.subarray(start, end).indexOf(0);
    if (nul >= 0) {
      const ids = rules.topic ? zeroInTopic : zero;
      throw this.fault([...ids, ...textRules], rules, 'text with U+0000', part, start + nul);
    }
    return this.#bytes.toString('utf8', start, end);
  }

  #endOfField(part: string, rules: Rules, lengthPart: string | undefined): number {
    if (this.left < 2) throw this.#endsBefore(lengthPart ?? `${part}.length`, rules);
    const high = this.#bytes[this.at++] ?? 0;
    const length = (high << 8) | (this.#bytes[this.at++] ?? 0);
    if (length <= this.left) return this.at + length;
    const reason = `a length of ${length} with ${this.left} bytes left`;
    const ids = [...new Set([...general[this.version].length, ...rules.missing])];
    throw this.fault(ids, rules, reason, lengthPart ?? `${part}.length`, this.at - 2);
  }

  #endsBefore(part: string, rules: Rules): Malformed {
    return this.fault(rules.missing, rules, 'the packet ends before the end of this field', part);
  }

  #padded(rules: Rules, part: string, at: number): Malformed {
    return this.fault(['v5/1.5.5-1'], rules, 'a Variable Byte Integer in more bytes than it needs', part, at);
  }

  #wrongSize(declared: number): Malformed {
    const size = this.#bytes.length;
    const { surplus, short } = general[this.version];
    if (declared < size) return this.fault(surplus, integer, 'bytes after the end of the packet', 'surplus', declared);
    const reason = `the packet ends after ${size} bytes, before its Remaining Length is reached`;
    return this.fault(short, integer, reason, 'remainingLength', Math.min(1, size));
  }
}
