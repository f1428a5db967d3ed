/** PUBLISH packets to one client, as bytes (section 3.3). Written by hand, apart from the suite's codec. */

import type { Clock } from '../harness/clock.ts';
import type { Version } from '../harness/spec/index.ts';
import { remainingLength, widthOf } from '../harness/wire/length.ts';
import type { Properties, QoS } from '../harness/wire/packet.ts';
import { type Alias, OutgoingAliases } from './aliases.ts';
import { remainingSeconds } from './expiry.ts';
import type { Message } from './message.ts';
import type { Obeys } from './obeys.ts';
import { bigEndian } from './output.ts';
import { encodeProperties } from './properties.ts';
import type { Server } from './server.ts';
import type { Outgoing } from './session.ts';
import type { Terms } from './terms.ts';

const noBytes = new Uint8Array(0);

export class Publications {
  readonly #obeys: Obeys;
  readonly #version: Version;
  readonly #maximumSize: number;
  readonly #aliases: OutgoingAliases | undefined;

  readonly #clock: Clock;

  constructor({ choices, clock }: Server, obeys: Obeys, version: Version, terms: Terms) {
    this.#obeys = obeys;
    this.#clock = clock;
    this.#version = version;
    // Nothing larger is sent than what the client takes.
    this.#maximumSize = obeys('v5/3.1.2-24') ? terms.maximumPacketSize : Number.POSITIVE_INFINITY;
    const takes = version === 'v5' && (terms.topicAliasMaximum > 0 || !obeys('v5/3.1.2-27'));
    const uses = takes && choices.outgoingAliases === 'use';
    this.#aliases = uses ? new OutgoingAliases(terms.topicAliasMaximum, obeys) : undefined;
  }

  /**
   * A QoS 0 packet is the same for all clients, and shared by them; others get a copy for their own Packet Identifier
   * and DUP. Returns `undefined` for a packet that is too large for the client.
   */
  encode(outgoing: Outgoing, packetId = 0, dup = false): Uint8Array | undefined {
    const { message, qos } = outgoing;
    const alias = this.#aliases?.of(message.topic);
    const shared = this.#shared(outgoing, alias);
    if (shared.length > this.#maximumSize) return undefined;
    if (alias) this.#aliases?.learned(message.topic, alias);
    if (qos === 0) return shared;
    const own = Buffer.from(shared);
    let at = 1;
    while ((own[at] ?? 0) >= 0x80) at++;
    if (dup) own[0] = (own[0] ?? 0) | 0x08;
    own.writeUInt16BE(bigEndian(packetId, this.#obeys), at + 3 + own.readUInt16BE(at + 1));
    return own;
  }

  /** The packet with an identifier of 0, remembered unless it depends on the client or the time. */
  #shared({ message, qos, retain, identifiers }: Outgoing, alias: Alias | undefined): Uint8Array {
    const { topic } = message;
    const isOwn = this.#version === 'v5' && (alias || identifiers || message.expiry);
    if (isOwn) {
      const properties = this.#properties(message, alias, identifiers);
      return this.#packet(message, alias?.known ? '' : topic, qos, retain, properties);
    }
    const form = (this.#version === 'v5' ? 6 : 0) + 2 * qos + Number(retain);
    let shared = message.encoded[form];
    if (!shared) {
      const properties = this.#version === 'v5' ? this.#properties(message) : noBytes;
      shared = this.#packet(message, topic, qos, retain, properties);
      message.encoded[form] = shared;
    }
    return shared;
  }

  #properties({ properties, expiry }: Message, alias?: Alias, identifiers?: readonly number[]): Uint8Array {
    const obeys = this.#obeys;
    const all: Properties = {
      ...properties,
      // What goes on is what is left of the interval.
      ...(expiry &&
        obeys('v5/3.3.2-6#sent') && {
          messageExpiryInterval: obeys('v5/3.3.2-6#rest')
            ? remainingSeconds(expiry, this.#clock.now())
            : expiry.seconds,
        }),
      ...(!expiry && !obeys('v5/3.3.2.3.3~no-message-expiry') && { messageExpiryInterval: 600 }),
      ...(alias && { topicAlias: alias.alias }),
      ...(identifiers && obeys('v5/3.3.4-3') && { subscriptionIdentifiers: identifiers }),
    };
    return encodeProperties(all, obeys);
  }

  #packet(
    { topic, payload, dup }: Message,
    written: string,
    qos: QoS,
    retain: boolean,
    properties: Uint8Array,
  ): Buffer {
    const obeys = this.#obeys;
    const name = obeys('v3/3.3.2-3#name', 'v5/3.3.2-3#name') ? written : `/${topic}`;
    const hasIdentifier = qos > 0 || !obeys('v3/2.3.1-5', 'v5/2.2.1-2');
    const sizeOfName = Buffer.byteLength(name);
    const sizeOfBody = 2 + sizeOfName + (hasIdentifier ? 2 : 0) + properties.length + payload.length;
    const width = widthOf(sizeOfBody);
    const packet = Buffer.allocUnsafe(1 + width + sizeOfBody);
    // DUP says whether this packet is sent again, whatever the packet said that brought the message.
    let flags = (qos << 1) | Number(retain);
    if (dup && qos > 0 && !obeys('v3/3.3.1-3', 'v5/3.3.1-3')) flags |= 0x08;
    if (qos === 0 && !obeys('v3/3.3.1-2', 'v3/4.3.1-1#dup', 'v5/3.3.1-2', 'v5/4.3.1-1#dup')) flags |= 0x08;
    packet[0] = 0x30 | flags;
    if (width === 1) packet[1] = sizeOfBody;
    else packet.set(remainingLength(sizeOfBody), 1);
    packet.writeUInt16BE(bigEndian(sizeOfName, obeys), 1 + width);
    packet.write(name, 3 + width);
    let at = 3 + width + sizeOfName;
    if (hasIdentifier) packet.writeUInt16BE(0, at);
    if (hasIdentifier) at += 2;
    packet.set(properties, at);
    packet.set(payload, at + properties.length);
    return packet;
  }
}
