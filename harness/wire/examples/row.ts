/** What a row of the example table is, and how one is written. */

import type { RequirementId, Strength, Version } from '../../spec/index.ts';
import { fromHex } from '../build.ts';
import { type Bend, encode, truncatedAt } from '../encode.ts';
import type { Packet } from '../packet.ts';

/** A packet and its bytes, typed by hand from the standard. */
export interface WellFormed {
  /** A slug that never changes, unique within its version: a-z, 0-9 and `-`. */
  readonly id: string;
  readonly title: string;
  readonly version: Version;
  readonly packet: Packet;
  /** `30 05 00 01 61 68 69` */
  readonly hex: string;
}

/** A user name and password that the broker under test wants. */
export interface Credentials {
  readonly userName?: string | undefined;
  readonly password?: string | Uint8Array | undefined;
}

/** Bytes that break the format, or that their sender may not send. */
export interface MalformedExample {
  /** A slug that never changes, unique within its version: a-z, 0-9 and `-`. */
  readonly id: string;
  /** What is wrong, as a noun: `a SUBSCRIBE without a Topic Filter`. */
  readonly title: string;
  readonly version: Version;
  /** Where it is sent: as the first packet of a connection, or after a CONNECT and its CONNACK. */
  readonly when: 'first' | 'connected';
  /** The requirements that it breaks. */
  readonly requirements: readonly RequirementId[];
  /**
   * How much it weighs if a receiver puts up with it. Less than MUST where 5.0 leaves a choice: section 4.13.1 lets the
   * receiver decide how thoroughly it checks what no statement of its own demands to be checked.
   */
  readonly strength: Strength;
  /** The Reason Codes of 5.0 that fit it; none in 3.1.1. */
  readonly codes: readonly number[];
  /** The part at which the decoder finds it; `undefined` for a well-formed packet that comes from the wrong side. */
  readonly part: string | undefined;
  /**
   * Its bytes, with a topic (also used as Topic Filter and Will Topic) and a Client Identifier of the caller's choice,
   * each of two characters at least. Credentials go into each CONNECT that is not about credentials itself.
   */
  bytes(topic: string, clientId: string, credentials?: Credentials): Uint8Array;
}

/** Makes the packet that a row damages. */
export type Factory = (topic: string, clientId: string, credentials: Credentials) => Packet;

/** What is written in a row besides the bytes. */
export interface Verdict {
  readonly at: string | undefined;
  readonly breaks: readonly RequirementId[];
  /** MUST if left out. */
  readonly strength?: Strength | undefined;
  /** Reason Codes that fit besides Malformed Packet and Protocol Error. */
  readonly codes?: readonly number[] | undefined;
}

/** A row that is not bound to a version yet. */
export interface Row extends Verdict {
  readonly id: string;
  readonly title: string;
  write(version: Version, topic: string, clientId: string, credentials: Credentials): Uint8Array;
}

/** A packet with a bend. */
export function bent(id: string, title: string, packet: Factory, bend: Bend, verdict: Verdict): Row {
  const write: Row['write'] = (version, ...given) => encode(inLevel(version, packet(...given)), version, bend);
  return { id, title, ...verdict, write };
}

/** A packet that ends after the first `keep` bytes of a part. */
export function cut(
  id: string,
  title: string,
  packet: Factory,
  [part, keep]: readonly [part: string, keep: number],
  verdict: Verdict,
): Row {
  const write: Row['write'] = (version, ...given) =>
    truncatedAt(inLevel(version, packet(...given)), version, part, keep);
  return { id, title, ...verdict, write };
}

/** Bytes that are not made from a packet. */
export function raw(id: string, title: string, digits: string, verdict: Verdict): Row {
  return { id, title, ...verdict, write: () => fromHex(digits) };
}

/** A CONNECT has to name the protocol level of its version. */
function inLevel(version: Version, packet: Packet): Packet {
  return packet.type === 'CONNECT' && version === 'v5' ? { ...packet, protocolLevel: 5 } : packet;
}

/** The rows of packets that come first on a connection. */
export function first(rows: readonly Row[], version: Version = 'v3'): MalformedExample[] {
  return rows.map((row) => example(row, version, 'first'));
}

/** The rows of packets that come after CONNECT and CONNACK. */
export function connected(rows: readonly Row[], version: Version = 'v3'): MalformedExample[] {
  return rows.map((row) => example(row, version, 'connected'));
}

function example(row: Row, version: Version, when: MalformedExample['when']): MalformedExample {
  const { id, title, at, breaks, strength = 'MUST', codes = [], write } = row;
  return {
    id,
    title,
    version,
    when,
    requirements: breaks,
    strength,
    codes: version === 'v5' ? [...new Set([...codes, 0x81, 0x82])] : [],
    part: at,
    bytes: (topic, clientId, credentials = {}) => write(version, topic, clientId, credentials),
  };
}

/** A row for each of the fifteen values that the flags of a packet may not have (section 2.2.2, 5.0: 2.1.3). */
export function wrongFlags(packet: Factory, header: number, breaks: readonly RequirementId[]): Row[] {
  const { type } = packet('topic', 'client', {});
  const right = header & 0x0f;
  return Array.from({ length: 16 }, (_, flags) => flags)
    .filter((flags) => flags !== right)
    .map((flags) => {
      const id = `${type.toLowerCase()}-flags-${flags.toString(16)}`;
      const title = `${article(type)} with the flags ${flags.toString(2).padStart(4, '0')}`;
      return bent(id, title, packet, { header: [(header & 0xf0) | flags] }, { at: 'header', breaks });
    });
}

/** `a PUBLISH`, `an AUTH`. */
export function article(type: string): string {
  return /^(AUTH|UNSUB)/.test(type) ? `an ${type}` : `a ${type}`;
}
