/** Reads the fields of one packet from front to back, and knows what each breaks if it is not as it has to be. */

import type { RequirementId } from '../spec/index.ts';
import { packetSize } from './length.ts';
import { Malformed } from './malformed.ts';
import { findIllFormed } from './utf8.ts';

type Ids = readonly RequirementId[];

/** What a field breaks. */
export interface Rules {
  /** If the packet ends before it, or within it. */
  readonly missing: Ids;
  /** If it is text and not as section 1.5.3 has it, besides the rules of that section. */
  readonly text?: Ids;
  /** Whether it is a Topic Name or Topic Filter, to which section 4.7.3 applies. */
  readonly topic?: boolean;
  /** If bytes follow that belong to no field. */
  readonly surplus?: Ids;
  /** What every fault of this packet breaks as well. */
  readonly always?: Ids;
}

const noIds: Ids = [];

export class Reader {
  /** The first byte: type and flags. */
  readonly header: number;
  /** Offset of the next byte to read. */
  at: number;
  readonly #bytes: Buffer;

  /** Throws `Malformed` unless the bytes are as many as the Remaining Length says. */
  constructor(frame: Uint8Array) {
    this.#bytes = frame instanceof Buffer ? frame : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
    this.header = frame[0] ?? 0;
    const size = packetSize(frame, 0, frame.length);
    if (size !== frame.length) throw wrongSize(size, frame.length);
    this.at = 2;
    while ((frame[this.at - 1] ?? 0) >= 0x80) this.at++;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.at;
  }

  /** The fault at an offset, by default at the next byte. */
  fault(ids: Ids, rules: Rules, reason: string, part: string, at = this.at): Malformed {
    return new Malformed([...ids, ...(rules.always ?? noIds)], reason, part, at);
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

  /** Bytes behind a two-byte length (section 1.5.3, and the binary fields of 3.1.3). */
  binary(part: string, rules: Rules): Uint8Array {
    const end = this.#endOfField(part, rules);
    const value = this.#bytes.subarray(this.at, end);
    this.at = end;
    return value;
  }

  /** A UTF-8 string behind its two-byte length (section 1.5.3); as Topic Name or Topic Filter not empty (4.7.3). */
  string(part: string, rules: Rules): string {
    const end = this.#endOfField(part, rules);
    const start = this.at;
    if (rules.topic && start === end) throw this.fault(['v3/4.7.3-1'], rules, 'a topic without a character', part);
    let at = start;
    for (let byte = this.#bytes[at] ?? 0; at < end && byte !== 0 && byte < 0x80; byte = this.#bytes[at] ?? 0) at++;
    this.at = end;
    return at === end ? this.#bytes.toString('latin1', start, end) : this.#unusualString(part, rules, start, end);
  }

  /** All bytes that are left, without reading them. */
  peek(): Uint8Array {
    return this.#bytes.subarray(this.at);
  }

  /** All bytes that are left. */
  rest(): Uint8Array {
    const value = this.peek();
    this.at = this.#bytes.length;
    return value;
  }

  /** Throws if anything is left. */
  finish(rules: Rules): void {
    if (this.left === 0) return;
    throw this.fault(rules.surplus ?? noIds, rules, `${this.left} bytes after the last field`, 'surplus');
  }

  #unusualString(part: string, rules: Rules, start: number, end: number): string {
    const textRules = rules.text ?? noIds;
    const illFormed = findIllFormed(this.#bytes, start, end);
    if (illFormed >= 0) throw this.fault(['v3/1.5.3-1', ...textRules], rules, 'ill-formed UTF-8', part, illFormed);
    const zero = this.#bytes.subarray(start, end).indexOf(0);
    if (zero >= 0) {
      const ids: Ids = rules.topic ? ['v3/1.5.3-2', 'v3/4.7.3-2', ...textRules] : ['v3/1.5.3-2', ...textRules];
      throw this.fault(ids, rules, 'text with U+0000', part, start + zero);
    }
    return this.#bytes.toString('utf8', start, end);
  }

  #endOfField(part: string, rules: Rules): number {
    const length = this.uint16(`${part}.length`, rules);
    if (length <= this.left) return this.at + length;
    const reason = `a length of ${length} with ${this.left} bytes left in the packet`;
    throw this.fault(['v3/1.5.3~string-length', ...rules.missing], rules, reason, `${part}.length`, this.at - 2);
  }

  #endsBefore(part: string, rules: Rules): Malformed {
    return this.fault(rules.missing, rules, 'the packet ends before the end of this field', part);
  }
}

function wrongSize(declared: number, size: number): Malformed {
  if (declared < size)
    return new Malformed(['v3/2.4~surplus-bytes'], 'bytes after the end of the packet', 'surplus', declared);
  const reason = `the packet ends after ${size} bytes, before its Remaining Length is reached`;
  return new Malformed(['v3/2.2.3~remaining-length-limit'], reason, 'remainingLength', Math.min(1, size));
}
