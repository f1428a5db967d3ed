/** What a client has sent on one connection, as a strict broker reads it: packets, whatever the steps that their bytes came from. */

import type { RequirementId, Version } from '../harness/spec/index.ts';
import { Malformed } from '../harness/wire/decode.ts';
import { Framer, TooLarge } from '../harness/wire/frame.ts';
import { type Packet, packetTypes } from '../harness/wire/packet.ts';
import type { SentPacket } from './record.ts';
import { read, type Written } from './written.ts';

export class SentStream {
  /** As the CONNECT says, by its Protocol Level. */
  version: Version | undefined;
  readonly packets: SentPacket[] = [];
  /** Index of the first packet that the broker has to end the connection at, or -1. */
  firstFault = -1;
  /** PINGREQs so far, whatever their fate. */
  pingreqs = 0;
  readonly #framer: Framer;
  /** What the script takes the client for: judges what comes before any CONNECT. */
  readonly #declared: Version;
  #fate: SentPacket['fate'] = 'fair';
  #isLost = false;
  /** The CONNECT names another protocol: nothing of what follows is judged by this one. */
  #isForeign = false;
  #from = 0;
  #aliases: Set<number> | undefined;

  readonly #restored: (bytes: Uint8Array) => Uint8Array;

  /** @param restored puts the name that a script has in place of the one on the wire */
  constructor(declared: Version, restored: (bytes: Uint8Array) => Uint8Array) {
    this.#declared = declared;
    this.#restored = restored;
    this.#framer = new Framer(declared);
  }

  get isEmpty(): boolean {
    return this.packets.length === 0 && this.#framer.pending === 0;
  }

  /** Bytes that are the begin of a packet. */
  get unfinished(): number {
    return this.#isLost ? 0 : this.#framer.pending;
  }

  /** Whether nothing speaks against reading what comes next. */
  get isFair(): boolean {
    return this.#fate === 'fair';
  }

  get isMidPacket(): boolean {
    return this.unfinished > 0;
  }

  /**
   * Takes what is sent next, as it is on the wire, with the order of the happening.
   * @param source the same as the script has it; known if it is a packet of a step
   */
  push(bytes: Uint8Array, order: number, source: Uint8Array, known?: Written): void {
    if (this.#isLost) return;
    if (this.#framer.pending === 0) {
      this.#from = order;
      if (known?.isWhole) return this.#read(bytes, source, order, known);
    }
    this.#framer.push(bytes);
    try {
      for (let wire = this.#framer.next(); wire; wire = this.#framer.next()) {
        this.#read(wire, wire === bytes ? source : this.#restored(wire), order, undefined);
        this.#from = order;
      }
    } catch (error) {
      if (!(error instanceof Malformed || error instanceof TooLarge)) throw error;
      this.#isLost = true;
      const fault = error instanceof Malformed ? error : new Malformed([], error.message, 'remainingLength', 1);
      this.#add(source, order, undefined, fault, false);
    }
  }

  #read(wire: Uint8Array, frame: Uint8Array, order: number, known: Written | undefined): void {
    const isFirst = this.packets.length === 0;
    if (isFirst) this.#introduce(frame);
    const version = this.version ?? this.#declared;
    const reading = known ? known.reading(version) : read(frame, version);
    const packet = reading.packet && withIdentifier(reading.packet, frame, wire, version);
    if (packet?.type === 'PINGREQ') this.pingreqs++;
    const fault = this.#misplaced(frame, isFirst, version) ?? reading.fault ?? this.#unnamed(packet);
    this.#add(frame, order, packet, fault, reading.isDoubtful);
    if (packet?.type === 'DISCONNECT' && this.#fate === 'fair') this.#fate = 'open';
  }

  #introduce(frame: Uint8Array): void {
    if (packetTypes[(frame[0] ?? 0) >> 4] !== 'CONNECT') return;
    const { name, level } = protocolOf(frame);
    this.version = level === 5 ? 'v5' : level === 4 ? 'v3' : undefined;
    this.#isForeign = level !== undefined && (name !== 'MQTT' || this.version === undefined);
  }

  /** Section 3.1: the first packet is a CONNECT, and no other is. */
  #misplaced(frame: Uint8Array, isFirst: boolean, version: Version): Malformed | undefined {
    const isConnect = packetTypes[(frame[0] ?? 0) >> 4] === 'CONNECT';
    if (isConnect === isFirst) return undefined;
    const rules = { v3: ['v3/3.1.0-1', 'v3/3.1.0-2'], v5: ['v5/3.1.0-1', 'v5/3.1.0-2'] } as const;
    const reason = isFirst ? 'a packet before CONNECT' : 'a second CONNECT';
    return new Malformed([rules[version][isFirst ? 0 : 1]], reason, 'header', 0);
  }

  /** A PUBLISH by an alias that was never set on this connection: not by anything that a broker may have read, either (v5/3.3.2-7). */
  #unnamed(packet: Packet | undefined): Malformed | undefined {
    const alias = packet?.type === 'PUBLISH' ? packet.properties?.topicAlias : undefined;
    if (packet?.type !== 'PUBLISH' || alias === undefined) return undefined;
    this.#aliases ??= new Set();
    if (packet.topic !== '') this.#aliases.add(alias);
    if (packet.topic !== '' || this.#aliases.has(alias) || this.#fate !== 'fair') return undefined;
    const rules = ['v5/3.3.4~unknown-topic-alias', 'v5/3.3.2-7'] as const;
    return new Malformed(rules, 'a Topic Alias that was never set on this connection', 'properties.topicAlias', 0);
  }

  #add(
    bytes: Uint8Array,
    order: number,
    packet: Packet | undefined,
    fault: Malformed | undefined,
    isDoubtful: boolean,
  ): void {
    if (this.#fate !== 'void') {
      if (fault && !this.#isForeign && !isLeftOpen(fault)) this.#fate = 'void';
      else if (fault || this.#isForeign || isDoubtful) this.#fate = 'open';
      if (this.#fate === 'void' && this.firstFault < 0) this.firstFault = this.packets.length;
    }
    this.packets.push({ bytes, from: this.#from, order, packet, fault, fate: this.#fate });
  }
}

/** Where lengths are bent, a Packet Identifier can be two letters of a name: then it is what the broker reads. */
function withIdentifier(packet: Packet, frame: Uint8Array, wire: Uint8Array, version: Version): Packet {
  if (frame === wire || !('packetId' in packet) || packet.packetId === undefined) return packet;
  if (!isLetter(packet.packetId >> 8) && !isLetter(packet.packetId & 0xff)) return packet;
  const { packet: sent = packet } = read(wire, version);
  return 'packetId' in sent ? ({ ...packet, packetId: sent.packetId } as Packet) : packet;
}

function isLetter(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x7a;
}

/** The protocol that a CONNECT names; no level if it ends before. */
function protocolOf(frame: Uint8Array): { name: string; level: number | undefined } {
  let at = 1;
  while ((frame[at] ?? 0) >= 0x80) at++;
  const lengthOfName = ((frame[at + 1] ?? 0) << 8) | (frame[at + 2] ?? 0);
  const name = Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString(
    'latin1',
    at + 3,
    at + 3 + lengthOfName,
  );
  return { name, level: frame[at + 3 + lengthOfName] };
}

/** Faults whose consequence the standard leaves to the receiver: the rows of the example table that weigh less than a MUST. */
function isLeftOpen({ requirements, reason, part, offset: _ }: Malformed): boolean {
  const [first] = requirements;
  const softRules: readonly (RequirementId | undefined)[] = ['v5/3.12~pingreq-empty', 'v5/4.13.1-1'];
  if (softRules.includes(first)) return true;
  if (/in more bytes than it needs/.test(reason)) return true;
  return first === 'v5/2.2.2.2~property-repeated' && /payloadFormatIndicator|messageExpiryInterval/.test(part);
}
