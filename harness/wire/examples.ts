/** The table of examples: well-formed packets with their bytes, and malformed ones with what they break. */

import type { RequirementId, Version } from '../spec/index.ts';
import type { Packet } from './packet.ts';

/** A packet and its bytes, typed by hand from the standard. */
export interface WellFormed {
  /** A slug that never changes. */
  readonly id: string;
  readonly title: string;
  readonly version: Version;
  readonly packet: Packet;
  /** `30 05 00 01 61 68 69` */
  readonly hex: string;
}

/** Bytes that break the format, or that a client may not send, and to which a server has to close the connection. */
export interface MalformedExample {
  /** A slug that never changes: a-z, 0-9 and `-`. */
  readonly id: string;
  /** What is wrong with it: `a SUBSCRIBE without a Topic Filter`. */
  readonly title: string;
  readonly version: Version;
  /** Where it is sent: as the first packet of a connection, or after a CONNECT and its CONNACK. */
  readonly when: 'first' | 'connected';
  /** The requirements that it breaks. */
  readonly requirements: readonly RequirementId[];
  /** The part at which the decoder finds it; `undefined` for a well-formed packet that only a server may send. */
  readonly part: string | undefined;
  /** Its bytes, with a topic (also used as Topic Filter and Will Topic) and Client Identifier of the caller's choice. */
  bytes(topic: string, clientId: string): Uint8Array;
}

export const wellFormed: readonly WellFormed[] = [];
export const malformed: readonly MalformedExample[] = [];
