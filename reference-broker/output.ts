/** The packets that the server sends, as bytes: chapters 2 and 3 from the writing side. Written by hand, apart from the suite's codec. */

import { remainingLength, widthOf } from '../harness/wire/length.ts';
import type { QoS } from '../harness/wire/packet.ts';
import type { Message } from './message.ts';
import type { Gate, Obeys } from './obeys.ts';

/** The packets that consist of a Packet Identifier. */
export type Acknowledgement = 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP' | 'UNSUBACK';

/** Type and flags of the first byte: the flags are reserved and have these values (section 2.2.2). */
const headers = {
  CONNACK: 0x20,
  PUBACK: 0x40,
  PUBREC: 0x50,
  PUBREL: 0x62,
  PUBCOMP: 0x70,
  SUBACK: 0x90,
  UNSUBACK: 0xb0,
  PINGRESP: 0xd0,
} as const;

/** Each of them repeats the identifier of the packet that it answers (section 2.3.1). */
const sameIdentifier = {
  PUBACK: ['v3/2.3.1-6#PUBACK', 'v3/4.3.2-2#identifier'],
  PUBREC: ['v3/2.3.1-6#PUBREC', 'v3/4.3.3-2#PUBREC-identifier'],
  PUBREL: ['v3/2.3.1-6#PUBREL', 'v3/4.3.3-1#PUBREL-identifier'],
  PUBCOMP: ['v3/4.3.3-2#PUBCOMP-identifier'],
  SUBACK: ['v3/2.3.1-7#SUBACK', 'v3/3.8.4-2'],
  UNSUBACK: ['v3/2.3.1-7#UNSUBACK', 'v3/3.10.4-4#identifier'],
} as const satisfies Record<string, readonly Gate[]>;

const noBytes: readonly number[] = [];

export class Output {
  readonly #obeys: Obeys;

  constructor(obeys: Obeys) {
    this.#obeys = obeys;
  }

  /** Section 3.2. */
  connack(sessionPresent: boolean, code: number): Uint8Array {
    const reserved = this.#obeys('v3/3.2.2.1~acknowledge-flags') ? 0 : 0x02;
    return Uint8Array.of(headers.CONNACK, 2, Number(sessionPresent) | reserved, code);
  }

  /** Sections 3.4 to 3.7 and 3.11: four bytes, and no reason code behind them. */
  acknowledgement(type: Acknowledgement, packetId: number): Uint8Array {
    const identifier = this.#identifier(type, packetId);
    const surplus = this.#obeys('v3/2.1~fixed-packet-sizes#output') ? noBytes : [0];
    return Uint8Array.of(this.#header(type), 2 + surplus.length, identifier >> 8, identifier & 0xff, ...surplus);
  }

  /** Section 3.9: one return code for each Topic Filter, in their order. */
  suback(packetId: number, codes: readonly number[]): Uint8Array {
    const identifier = this.#identifier('SUBACK', packetId);
    const ordered = this.#obeys('v3/3.9.3-1') ? codes : codes.toReversed();
    const listed = ordered.map((code) => (this.#obeys('v3/3.9.3-2') ? code : code | 0x04));
    const complete = this.#obeys('v3/3.8.4-5#one-each') ? listed : listed.slice(0, -1);
    const length = remainingLength(2 + complete.length);
    const start = Uint8Array.of(this.#header('SUBACK'), ...length, identifier >> 8, identifier & 0xff);
    return Buffer.concat([start, Uint8Array.from(complete)]);
  }

  /** Section 3.13. */
  pingresp(): Uint8Array {
    const surplus = this.#obeys('v3/7.1.1~server-output-format') ? noBytes : [0];
    return Uint8Array.of(this.#header('PINGRESP'), surplus.length, ...surplus);
  }

  /**
   * Section 3.3. A QoS 0 packet is the same for all clients, and shared by them; others get a copy for their
   * own Packet Identifier and DUP.
   */
  publish(message: Message, qos: QoS, retain: boolean, packetId = 0, dup = false): Uint8Array {
    const form = 2 * qos + Number(retain);
    let shared = message.encoded[form];
    if (!shared) {
      shared = this.#publish(message, qos, retain);
      message.encoded[form] = shared;
    }
    if (qos === 0) return shared;
    const own = Buffer.from(shared);
    let at = 1;
    while ((own[at] ?? 0) >= 0x80) at++;
    if (dup) own[0] = (own[0] ?? 0) | 0x08;
    own.writeUInt16BE(this.#bigEndian(packetId), at + 3 + own.readUInt16BE(at + 1));
    return own;
  }

  #publish({ topic, payload, dup }: Message, qos: QoS, retain: boolean): Uint8Array {
    const obeys = this.#obeys;
    const name = obeys('v3/3.3.2-3#name') ? topic : `/${topic}`;
    const hasIdentifier = qos > 0 || !obeys('v3/2.3.1-5');
    const sizeOfName = Buffer.byteLength(name);
    const sizeOfBody = 2 + sizeOfName + (hasIdentifier ? 2 : 0) + payload.length;
    const width = widthOf(sizeOfBody);
    const packet = Buffer.allocUnsafe(1 + width + sizeOfBody);
    // DUP says whether this packet is sent again, whatever the packet said that brought the message.
    let flags = (qos << 1) | Number(retain);
    if (dup && qos > 0 && !obeys('v3/3.3.1-3')) flags |= 0x08;
    if (qos === 0 && !obeys('v3/3.3.1-2', 'v3/4.3.1-1#dup')) flags |= 0x08;
    packet[0] = 0x30 | flags;
    if (width === 1) packet[1] = sizeOfBody;
    else packet.set(remainingLength(sizeOfBody), 1);
    packet.writeUInt16BE(this.#bigEndian(sizeOfName), 1 + width);
    packet.write(name, 3 + width);
    const afterName = 3 + width + sizeOfName;
    if (hasIdentifier) packet.writeUInt16BE(0, afterName);
    packet.set(payload, hasIdentifier ? afterName + 2 : afterName);
    return packet;
  }

  #header(type: keyof typeof headers): number {
    return this.#obeys('v3/2.2.2-1#output') ? headers[type] : headers[type] ^ 0b0010;
  }

  #identifier(type: keyof typeof sameIdentifier, packetId: number): number {
    return this.#bigEndian(this.#obeys(...sameIdentifier[type]) ? packetId : (packetId % 0xffff) + 1);
  }

  /** Section 1.5.2. */
  #bigEndian(value: number): number {
    return this.#obeys('v3/1.5.2~big-endian-integers') ? value : ((value & 0xff) << 8) | (value >> 8);
  }
}
