/** The packets that the server sends, but for PUBLISH, as bytes: chapters 2 and 3 from the writing side. Written by hand, apart from the suite's codec. */

import type { Version } from '../harness/spec/index.ts';
import { remainingLength } from '../harness/wire/length.ts';
import type { Properties } from '../harness/wire/packet.ts';
import type { Choices } from './choices.ts';
import type { Gate, Obeys } from './obeys.ts';
import { encodeProperties } from './properties.ts';
import { reasonCodes, reasonString } from './reasons.ts';
import type { Terms } from './terms.ts';

/** The acknowledgements of a PUBLISH. */
export type Acknowledgement = 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP';

/** Type and flags of the first byte: the flags are reserved and have these values (section 2.2.2; 2.1.3 in 5.0). */
const headers = {
  CONNACK: 0x20,
  PUBACK: 0x40,
  PUBREC: 0x50,
  PUBREL: 0x62,
  PUBCOMP: 0x70,
  SUBACK: 0x90,
  UNSUBACK: 0xb0,
  PINGRESP: 0xd0,
  DISCONNECT: 0xe0,
  AUTH: 0xf0,
} as const;

/** Each of them repeats the identifier of the packet that it answers (section 2.3.1; 2.2.1 in 5.0). */
const sameIdentifier = {
  PUBACK: ['v3/2.3.1-6#PUBACK', 'v3/4.3.2-2#identifier', 'v5/2.2.1-5#PUBACK', 'v5/4.3.2-4#identifier'],
  PUBREC: ['v3/2.3.1-6#PUBREC', 'v3/4.3.3-2#PUBREC-identifier', 'v5/2.2.1-5#PUBREC', 'v5/4.3.3-8#identifier'],
  PUBREL: ['v3/2.3.1-6#PUBREL', 'v3/4.3.3-1#PUBREL-identifier', 'v5/2.2.1-5#PUBREL', 'v5/4.3.3-4#identifier'],
  PUBCOMP: ['v3/4.3.3-2#PUBCOMP-identifier', 'v5/2.2.1-5#PUBCOMP', 'v5/4.3.3-11#identifier'],
  SUBACK: ['v3/2.3.1-7#SUBACK', 'v3/3.8.4-2', 'v5/2.2.1-6#SUBACK', 'v5/3.8.4-2'],
  UNSUBACK: ['v3/2.3.1-7#UNSUBACK', 'v3/3.10.4-4#identifier', 'v5/2.2.1-6#UNSUBACK', 'v5/3.10.4-5#identifier'],
} as const satisfies Record<string, readonly Gate[]>;

/** The packets of 5.0 with Reason Codes: each has its own list of codes, and leaves out what makes it too large for the client. */
const reporting = {
  CONNACK: { codes: 'v5/3.2.2-8', reasonString: 'v5/3.2.2-19', userProperties: 'v5/3.2.2-20' },
  PUBACK: { codes: 'v5/3.4.2-1', reasonString: 'v5/3.4.2-2', userProperties: 'v5/3.4.2-3' },
  PUBREC: { codes: 'v5/3.5.2-1', reasonString: 'v5/3.5.2-2', userProperties: 'v5/3.5.2-3' },
  PUBREL: { codes: 'v5/3.6.2-1', reasonString: 'v5/3.6.2-2', userProperties: 'v5/3.6.2-3' },
  PUBCOMP: { codes: 'v5/3.7.2-1', reasonString: 'v5/3.7.2-2', userProperties: 'v5/3.7.2-3' },
  SUBACK: { codes: 'v5/3.9.3-2', reasonString: 'v5/3.9.2-1', userProperties: 'v5/3.9.2-2' },
  UNSUBACK: { codes: 'v5/3.11.3-2', reasonString: 'v5/3.11.2-1', userProperties: 'v5/3.11.2-2' },
  DISCONNECT: { codes: 'v5/3.14.2-1', reasonString: 'v5/3.14.2-3', userProperties: 'v5/3.14.2-4' },
  AUTH: { codes: 'v5/3.15.2-1', reasonString: 'v5/3.15.2-2', userProperties: 'v5/3.15.2-3' },
} as const satisfies Record<string, { codes: Gate; reasonString: Gate; userProperties: Gate }>;

type Reporting = keyof typeof reporting;

/** What keeps packets within the Maximum Packet Size of a client: what would exceed it is left out, or else nothing is sent. */
export const sizeRules: readonly Gate[] = [
  'v5/3.1.2-24',
  ...Object.values(reporting).flatMap(({ reasonString, userProperties }) => [reasonString, userProperties]),
];

/** The packets that may leave out the length of no properties. */
const mayEndBefore: ReadonlySet<Reporting> = new Set(['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'DISCONNECT']);

/** A Reason Code that no packet of 5.0 has. */
const noReason = 0x05;

const noBytes: readonly number[] = [];

/** Writes for one client. */
export class Output {
  readonly #obeys: Obeys;
  readonly #choices: Choices;
  readonly #version: Version;
  readonly #terms: Terms;

  constructor(obeys: Obeys, choices: Choices, version: Version, terms: Terms) {
    this.#obeys = obeys;
    this.#choices = choices;
    this.#version = version;
    this.#terms = terms;
  }

  /** Section 3.2. */
  connack(sessionPresent: boolean, code: number, properties?: Properties): Uint8Array {
    const reserved = this.#obeys('v3/3.2.2.1~acknowledge-flags', 'v5/3.2.2-1') ? 0 : 0x02;
    const flags = Number(sessionPresent) | reserved;
    if (this.#version === 'v3') return Uint8Array.of(headers.CONNACK, 2, flags, code);
    const given = code === 0 || this.#obeys(reporting.CONNACK.codes) ? code : noReason;
    return this.#report('CONNACK', code, [flags, given], noBytes, properties);
  }

  /** Sections 3.4 to 3.7: in 3.1.1 four bytes, and no Reason Code behind them. */
  acknowledgement(type: Acknowledgement, packetId: number, code: number = reasonCodes.success): Uint8Array {
    const identifier = this.#identifier(type, packetId);
    const start = [identifier >> 8, identifier & 0xff];
    const surplus = this.#obeys('v3/2.1~fixed-packet-sizes#output', 'v5/2.1.4~content-length#output');
    if (this.#version === 'v3') return this.#packet(type, surplus ? start : [...start, 0]);
    if (!surplus) return this.#packet(type, [...start, code, 0, 0]);
    const given = this.#obeys(reporting[type].codes) ? code : noReason;
    const isShort = given === reasonCodes.success && this.#choices.acknowledgementForm === 'short';
    if (isShort) return this.#packet(type, start);
    return this.#report(type, code, [...start, given], noBytes);
  }

  /** Section 3.9: one code for each Topic Filter, in their order. */
  suback(packetId: number, codes: readonly number[]): Uint8Array {
    const identifier = this.#identifier('SUBACK', packetId);
    const ordered = this.#obeys('v3/3.9.3-1', 'v5/3.9.3-1') ? codes : codes.toReversed();
    const listed = ordered.map((code) => (this.#obeys('v3/3.9.3-2', 'v5/3.9.3-2') ? code : code | 0x04));
    const complete = this.#obeys('v3/3.8.4-5#one-each', 'v5/3.8.4-6') ? listed : listed.slice(0, -1);
    const start = [identifier >> 8, identifier & 0xff];
    if (this.#version === 'v3') return this.#packet('SUBACK', [...start, ...complete]);
    return this.#report('SUBACK', worst(codes), start, complete);
  }

  /** Section 3.11: in 5.0 one code for each Topic Filter, in their order; in 3.1.1 none. */
  unsuback(packetId: number, codes: readonly number[]): Uint8Array {
    const identifier = this.#identifier('UNSUBACK', packetId);
    const start = [identifier >> 8, identifier & 0xff];
    if (this.#version === 'v3') {
      return this.#packet('UNSUBACK', this.#obeys('v3/2.1~fixed-packet-sizes#output') ? start : [...start, 0]);
    }
    const ordered = this.#obeys('v5/3.11.3-1#order') ? codes : codes.toReversed();
    const complete = this.#obeys('v5/3.11.3-1#one-each') ? ordered : ordered.slice(0, -1);
    const listed = complete.map((code) => (this.#obeys(reporting.UNSUBACK.codes) ? code : code | 0x04));
    return this.#report('UNSUBACK', worst(codes), start, listed);
  }

  /** Section 3.13. */
  pingresp(): Uint8Array {
    const surplus = this.#obeys('v3/7.1.1~server-output-format', 'v5/2.1.4~content-length#output') ? noBytes : [0];
    return this.#packet('PINGRESP', surplus);
  }

  /** Section 3.14; 5.0 only. */
  disconnect(code: number): Uint8Array {
    const given = this.#obeys(reporting.DISCONNECT.codes) ? code : noReason;
    const properties: Properties | undefined = this.#obeys('v5/3.14.2-2') ? undefined : { sessionExpiryInterval: 1 };
    return this.#report('DISCONNECT', code, [given], noBytes, properties);
  }

  /** Section 3.15; 5.0 only. */
  auth(code: number, properties: Properties): Uint8Array {
    const given = this.#obeys(reporting.AUTH.codes) ? code : noReason;
    return this.#report('AUTH', code, [given], noBytes, properties);
  }

  #packet(type: keyof typeof headers, body: readonly number[]): Uint8Array {
    const header = this.#header(type);
    if (body.length < 0x80) return Uint8Array.of(header, body.length, ...body);
    return Buffer.concat([Uint8Array.of(header), remainingLength(body.length), Uint8Array.from(body)]);
  }

  /** A packet with properties. Those that only explain are left out when they would make it too large for the client. */
  #report(
    type: Reporting,
    code: number,
    before: readonly number[],
    after: readonly number[],
    needed?: Properties,
  ): Uint8Array {
    const { maximumPacketSize } = this.#terms;
    let explanation = this.#explanation(type, code);
    const build = (properties: Properties) => {
      const encoded = encodeProperties({ ...needed, ...properties }, this.#obeys);
      const leftOut = encoded.length === 1 && mayEndBefore.has(type) && this.#choices.acknowledgementForm !== 'long';
      return this.#packet(type, leftOut ? before : [...before, ...encoded, ...after]);
    };
    let packet = build(explanation);
    for (const name of ['userProperties', 'reasonString'] as const) {
      if (packet.length <= maximumPacketSize || !this.#obeys(reporting[type][name])) continue;
      const { [name]: _, ...rest } = explanation;
      explanation = rest;
      packet = build(explanation);
    }
    return packet;
  }

  /** Why: for all but a plain success, if the client wants to know (section 3.1.2.11.7). */
  #explanation(type: Reporting, code: number): Properties {
    const always = type === 'CONNACK' || type === 'DISCONNECT';
    const wanted = always || this.#terms.problemInformation || !this.#obeys('v5/3.1.2-29');
    if (!wanted || code === reasonCodes.success) return {};
    return {
      ...(this.#choices.reasonStrings === 'send' && { reasonString: reasonString(code) }),
      ...(this.#choices.ownUserProperties === 'send' && { userProperties: [['server', 'reference broker']] }),
    };
  }

  #header(type: keyof typeof headers): number {
    return this.#obeys('v3/2.2.2-1#output', 'v5/2.1.3-1#output') ? headers[type] : headers[type] ^ 0b0010;
  }

  #identifier(type: keyof typeof sameIdentifier, packetId: number): number {
    const identifier = this.#obeys(...sameIdentifier[type]) ? packetId : (packetId % 0xffff) + 1;
    return bigEndian(identifier, this.#obeys);
  }
}

/** Section 1.5.2. */
export function bigEndian(value: number, obeys: Obeys): number {
  return obeys('v3/1.5.2~big-endian-integers') ? value : ((value & 0xff) << 8) | (value >> 8);
}

/** The code to explain: a failure if there is one; a granted QoS is none. */
function worst(codes: readonly number[]): number {
  const highest = Math.max(...codes);
  return highest <= 2 ? reasonCodes.success : highest;
}
