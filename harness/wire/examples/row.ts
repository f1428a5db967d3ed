/** What a row of the example table is, and how one is written. */

import type { RequirementId, Version } from '../../spec/index.ts';
import { fromHex } from '../build.ts';
import { type Bend, encode, truncatedAt } from '../encode.ts';
import type { Packet } from '../packet.ts';

/** A packet and its bytes, typed by hand from the standard. */
export interface WellFormed {
  /** A slug that never changes: a-z, 0-9 and `-`. */
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
  /** A slug that never changes: a-z, 0-9 and `-`. */
  readonly id: string;
  /** What is wrong, as a noun: `a SUBSCRIBE without a Topic Filter`. */
  readonly title: string;
  readonly version: Version;
  /** Where it is sent: as the first packet of a connection, or after a CONNECT and its CONNACK. */
  readonly when: 'first' | 'connected';
  /** The requirements that it breaks. */
  readonly requirements: readonly RequirementId[];
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
}

export type Row = Omit<MalformedExample, 'when'>;

/** A packet with a bend. */
export function bent(id: string, title: string, packet: Factory, bend: Bend, { at, breaks }: Verdict): Row {
  const bytes: Row['bytes'] = (topic, clientId, credentials = {}) =>
    encode(packet(topic, clientId, credentials), 'v3', bend);
  return { id, title, version: 'v3', requirements: breaks, part: at, bytes };
}

/** A packet that ends after the first `keep` bytes of a part. */
export function cut(
  id: string,
  title: string,
  packet: Factory,
  [part, keep]: readonly [part: string, keep: number],
  { at, breaks }: Verdict,
): Row {
  const bytes: Row['bytes'] = (topic, clientId, credentials = {}) =>
    truncatedAt(packet(topic, clientId, credentials), 'v3', part, keep);
  return { id, title, version: 'v3', requirements: breaks, part: at, bytes };
}

/** Bytes that are not made from a packet. */
export function raw(id: string, title: string, digits: string, { at, breaks }: Verdict): Row {
  return { id, title, version: 'v3', requirements: breaks, part: at, bytes: () => fromHex(digits) };
}

/** The rows of packets that come first on a connection. */
export function first(rows: readonly Row[]): MalformedExample[] {
  return rows.map((row) => ({ ...row, when: 'first' }));
}

/** The rows of packets that come after CONNECT and CONNACK. */
export function connected(rows: readonly Row[]): MalformedExample[] {
  return rows.map((row) => ({ ...row, when: 'connected' }));
}

/** A row for each of the fifteen values that the flags of a packet may not have (section 2.2.2). */
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

function article(type: string): string {
  return type === 'UNSUBACK' || type === 'UNSUBSCRIBE' ? `an ${type}` : `a ${type}`;
}
