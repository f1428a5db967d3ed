/** Packets as they are written and read. Most steps are parts of scenes that many scripts share, so what a packet comes to is worked out once. */

import type { Version } from '../harness/spec/index.ts';
import { decode, Malformed } from '../harness/wire/decode.ts';
import { type Bend, encode } from '../harness/wire/encode.ts';
import { Framer, TooLarge } from '../harness/wire/frame.ts';
import type { Packet } from '../harness/wire/packet.ts';
import { checkSender } from '../harness/wire/sender.ts';
import { checkFilter, checkTopicName } from '../harness/wire/topic.ts';
import { packetFrom } from './data.ts';
import { caseName } from './record.ts';
import type { PacketData, Step } from './script.ts';

/** What a strict broker makes of the bytes of one packet. */
export interface Reading {
  /** Undefined when it cannot be decoded. */
  readonly packet: Packet | undefined;
  /** What is wrong with it by itself, if anything is. */
  readonly fault: Malformed | undefined;
  /** Well-formed, but so that a broker may, or must, refuse it in one of several ways. */
  readonly isDoubtful: boolean;
}

/** A packet of a script in the form of one version. */
export class Written {
  readonly packet: Packet;
  readonly bytes: Buffer;
  readonly isBent: boolean;
  /** Whether the bytes are one packet: with a bent length they need not be. */
  readonly isWhole: boolean;
  /** Where the name of the case stands in the bytes. */
  readonly #names: readonly number[];
  readonly #readings: { [V in Version]?: Reading } = {};

  /** Throws the `RangeError` of `encode`. */
  constructor(packet: Packet, version: Version, bend?: Bend) {
    const bytes = encode(packet, version, bend);
    this.packet = packet;
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.isBent = bend !== undefined;
    this.isWhole = !bend || isOneFrame(bytes, version);
    this.#names = namesIn(this.bytes);
  }

  /** The bytes with the name of a play in place of that of the case; the same bytes if it does not stand there. */
  named(name: Buffer): Uint8Array {
    if (this.#names.length === 0) return this.bytes;
    const copy = Buffer.from(this.bytes);
    for (const at of this.#names) copy.set(name, at);
    return copy;
  }

  reading(version: Version): Reading {
    this.#readings[version] ??= read(this.bytes, version);
    return this.#readings[version];
  }
}

function namesIn(bytes: Buffer): readonly number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(caseName); at >= 0; at = bytes.indexOf(caseName, at + caseName.length)) found.push(at);
  return found;
}

function isOneFrame(bytes: Uint8Array, version: Version): boolean {
  const framer = new Framer(version);
  framer.push(bytes);
  try {
    return framer.next()?.length === bytes.length;
  } catch (error) {
    if (error instanceof Malformed || error instanceof TooLarge) return false;
    throw error;
  }
}

/** A packet that was written lately; under its bend if it has one, which belongs to one packet, or nearly so. */
type Known = Map<PacketData | Bend, { readonly data: PacketData; readonly written: Written }>;

/** So many are remembered once, and as many again that were written or asked for before. */
const rememberedAtMost = 8_192;
/** The large ones are few, and dear to keep. */
const rememberedBytes = 2_048;

let lately: Readonly<Record<Version, Known>> = { v3: new Map(), v5: new Map() };
let before = lately;

/** A packet of a script, which nobody changes, as it is written. Throws the `RangeError` of `encode`. */
export function written(data: PacketData, version: Version, bend?: Bend): Written {
  const key = bend ?? data;
  const known = lately[version].get(key);
  if (known?.data === data) return known.written;
  const old = before[version].get(key);
  const found = old?.data === data ? old : { data, written: new Written(packetFrom(data), version, bend) };
  if (found.written.bytes.length <= rememberedBytes) {
    if (lately.v3.size + lately.v5.size >= rememberedAtMost) {
      before = lately;
      lately = { v3: new Map(), v5: new Map() };
    }
    lately[version].set(key, found);
  }
  return found.written;
}

/** What a step of these kinds sends, in the version of its client. Throws the `RangeError` of `encode`. */
export function bytesOf(step: Extract<Step, { do: 'send' | 'raw' }>, version: Version): Uint8Array {
  return step.do === 'raw' ? Buffer.from(step.hex, 'hex') : written(step.packet, version, step.bend).bytes;
}

/** Reads one whole packet as a broker does. */
export function read(frame: Uint8Array, version: Version): Reading {
  let packet: Packet | undefined;
  try {
    packet = decode(frame, version);
    checkSender(packet, 'client', version);
    return { packet, fault: undefined, isDoubtful: isDoubtful(packet, version) };
  } catch (fault) {
    if (!(fault instanceof Malformed)) throw fault;
    return { packet, fault, isDoubtful: packet !== undefined && isDoubtful(packet, version) };
  }
}

/** As `Reading.isDoubtful`. */
function isDoubtful(packet: Packet, version: Version): boolean {
  switch (packet.type) {
    case 'CONNECT':
      return (
        (packet.clientId === '' && !packet.clean && version === 'v3') ||
        packet.properties?.authenticationMethod !== undefined ||
        (packet.will !== undefined && checkTopicName(packet.will.topic, version) !== undefined)
      );
    case 'PUBLISH':
      return (
        (packet.dup && packet.qos === 0) ||
        packet.topic.startsWith('$') ||
        (packet.topic !== '' && checkTopicName(packet.topic, version) !== undefined)
      );
    case 'SUBSCRIBE':
      return packet.filters.some(({ filter }) => checkFilter(filter, version) !== undefined);
    case 'UNSUBSCRIBE':
      return packet.filters.some((filter) => checkFilter(filter, version) !== undefined);
    case 'AUTH':
      return true;
    default:
      return false;
  }
}
