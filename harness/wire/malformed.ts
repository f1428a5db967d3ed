/** The verdict on bytes that are no packet of the standard. */

import type { RequirementId } from '../spec/index.ts';

/** Thrown for bytes that break the format: which requirements, why, and where. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
  /** Every requirement that these bytes break, the most specific first. */
  readonly requirements: readonly RequirementId[];
  /** What is wrong, as half a sentence. */
  readonly reason: string;
  /** The part, by the names that `encode` gives them. */
  readonly part: string;
  /** Bytes from the begin of the packet to the begin of what is wrong. */
  readonly offset: number;
  /** The Reason Code of MQTT 5.0 that fits best: 0x81 for what cannot be parsed, 0x82 for what is not allowed … */
  readonly code: number | undefined;

  constructor(requirements: readonly RequirementId[], reason: string, part: string, offset: number, code?: number) {
    // It is a verdict, not a fault of this program: nobody asks where it was made, and noting the stack is what is dear about an Error.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super();
    Error.stackTraceLimit = stackTraceLimit;
    this.requirements = requirements;
    this.reason = reason;
    this.part = part;
    this.offset = offset;
    this.code = code;
  }
}

// Put together only for who reads it: a broker makes thousands a second of them under a fuzzer.
Object.defineProperty(Malformed.prototype, 'message', {
  get(this: Malformed) {
    return `${this.part} at offset ${this.offset}: ${this.reason} [${this.requirements.join(', ')}]`;
  },
});
