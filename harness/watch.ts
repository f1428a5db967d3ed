/**
 * Always-on checks of every packet that a broker sends, in any case, on any connection: what holds whatever the case is
 * about. The format of each packet is judged by the decoder; here stands what takes more than one packet to tell.
 */

import { Violation } from './errors.ts';
import { code } from './reading.ts';
import type { RequirementId, Version } from './spec/index.ts';
import type { Connack, Connect, Packet, Properties, Publish } from './wire/packet.ts';
import { checkTopicName } from './wire/topic.ts';

/** What each rule holds up, in either version. */
const rules = {
  connackFirst: { v3: ['v3/3.2.0-1'], v5: ['v5/3.2.0-1'] },
  oneConnack: { v3: ['v3/3.2.0-1', 'v3/3.1.0-2'], v5: ['v5/3.2.0-2'] },
  sessionPresent: { v3: ['v3/3.2.2-4'], v5: ['v5/3.2.2-6'] },
  onePingresp: { v3: ['v3/3.12~one-pingresp-each'], v5: ['v5/3.12.4-1'] },
  suback: { v3: ['v3/3.8.4-2', 'v3/2.3.1-7'], v5: ['v5/3.8.4-2', 'v5/2.2.1-6'] },
  subackCodes: { v3: ['v3/3.8.4-5'], v5: ['v5/3.8.4-6'] },
  unsuback: { v3: ['v3/3.10.4-4', 'v3/2.3.1-7'], v5: ['v5/3.10.4-5', 'v5/2.2.1-6'] },
  puback: { v3: ['v3/2.3.1-6', 'v3/4.3.2-2'], v5: ['v5/2.2.1-5', 'v5/4.3.2-4'] },
  pubrec: { v3: ['v3/2.3.1-6', 'v3/4.3.3-2'], v5: ['v5/2.2.1-5', 'v5/4.3.3-8'] },
  pubrel: { v3: ['v3/2.3.1-6', 'v3/4.3.3-1'], v5: ['v5/2.2.1-5', 'v5/4.3.3-4'] },
  pubcomp: { v3: ['v3/4.3.3-2'], v5: ['v5/2.2.1-5', 'v5/4.3.3-11'] },
  dupOfQoS0: { v3: ['v3/3.3.1-2', 'v3/4.3.1-1'], v5: ['v5/3.3.1-2', 'v5/4.3.1-1'] },
  afterPubrec: { v3: ['v3/2.3.1-4', 'v3/4.3.3-1'], v5: ['v5/4.3.3-6', 'v5/2.2.1-4'] },
  idInUse: { v3: ['v3/2.3.1-4', 'v3/3.3.1-1'], v5: ['v5/2.2.1-4', 'v5/4.4.0-1'] },
} as const satisfies Record<string, Record<Version, readonly RequirementId[]>>;

/** The packets in which a server may explain itself to a client that asked for no problem information (v5/3.1.2-29). */
const alwaysExplained: ReadonlySet<Packet['type']> = new Set(['PUBLISH', 'CONNACK', 'DISCONNECT']);

/** The checks of one network connection. */
export class Watch {
  readonly #version: Version;
  /** What the client asked for in its CONNECT. */
  #asked: Properties = {};
  #clientId = '';
  #disconnected = false;
  /** The topics of the server's aliases. */
  readonly #aliases = new Map<number, string>();
  #connack: 'none sent' | 'due' | 'accepted' | 'refused' = 'none sent';
  /** A resumed session may bring exchanges that began on an earlier connection. */
  #resumed = false;
  /** Bytes were sent that are no packet: what the broker makes of them can't be told. */
  #blind = false;
  #pings = 0;
  /** How often each acknowledgement is owed: `PUBACK 7` → 1. */
  readonly #owed = new Map<string, number>();
  /** How many Topic Filters the SUBSCRIBE with this Packet Identifier had. */
  readonly #filters = new Map<number, number>();
  /** The broker's own QoS 1 and 2 messages that are not yet acknowledged, and how far each has come. */
  readonly #inFlight = new Map<number, 'PUBACK' | 'PUBREC' | 'PUBCOMP'>();

  constructor(version: Version) {
    this.#version = version;
  }

  /** Takes note of what the client sends; undefined: bytes that are no well-formed packet. */
  sent(packet: Packet | undefined): void {
    if (!packet) {
      this.#blind = true;
      if (this.#connack === 'none sent') this.#connack = 'due';
      return;
    }
    switch (packet.type) {
      case 'CONNECT':
        if (this.#connack === 'none sent') this.#asks(packet);
        return;
      case 'PUBLISH':
        if (packet.qos > 0) this.#owe(packet.qos === 1 ? 'PUBACK' : 'PUBREC', packet.packetId);
        return;
      case 'PUBREL':
        return this.#owe('PUBCOMP', packet.packetId);
      case 'SUBSCRIBE':
        this.#filters.set(packet.packetId, packet.filters.length);
        return this.#owe('SUBACK', packet.packetId);
      case 'UNSUBSCRIBE':
        this.#filters.set(packet.packetId, packet.filters.length);
        return this.#owe('UNSUBACK', packet.packetId);
      case 'PINGREQ':
        this.#pings++;
        return;
      case 'PUBACK':
        this.#inFlight.delete(packet.packetId);
        return;
      case 'PUBREC':
        // A refusal ends the exchange (5.0); that of an unknown identifier may be answered by PUBREL 0x92.
        if ((packet.code ?? 0) >= 0x80 && this.#inFlight.delete(packet.packetId)) return;
        if (this.#resumed || this.#inFlight.has(packet.packetId)) this.#inFlight.set(packet.packetId, 'PUBCOMP');
        return this.#owe('PUBREL', packet.packetId);
      case 'PUBCOMP':
        this.#inFlight.delete(packet.packetId);
        return;
      default:
        return;
    }
  }

  #asks({ properties = {}, clientId }: Connect): void {
    this.#connack = 'due';
    this.#asked = properties;
    this.#clientId = clientId;
  }

  /**
   * Judges a packet that the broker sent; `size` is that of the whole packet in bytes. Returns the packet as the client
   * understands it: with the Topic Name that a Topic Alias stands for. The Topic Name of a message that is not the
   * client's `own` tells of its author, and is not judged. Throws Violation.
   */
  received(packet: Packet, size = 0, own: (packet: Publish) => boolean = () => true): Packet {
    if (this.#version === 'v5') this.#limits(packet, size);
    if (packet.type === 'CONNACK') this.#connected(packet);
    else if (packet.type === 'AUTH') this.#authenticates();
    else if (this.#connack !== 'accepted') this.#tooEarly(packet);
    else if (packet.type === 'PUBLISH') {
      const named = this.#version === 'v5' ? this.#unaliased(packet) : packet;
      return this.#publish(named, own(named));
    } else this.#answer(packet);
    return packet;
  }

  /** What only MQTT 5.0 asks of every packet. */
  #limits(packet: Packet, size: number): void {
    if (this.#disconnected) {
      broken('nothing after the DISCONNECT of the server', `sent ${packet.type} after DISCONNECT`, 'v5/3.14.4-1');
    }
    if (packet.type === 'DISCONNECT') this.#disconnected = true;
    if (this.#blind && this.#connack !== 'accepted') return;
    const { maximumPacketSize = 0, requestProblemInformation } = this.#asked;
    // 0 is no size: a server that refuses it has to say so in some size.
    if (maximumPacketSize > 0 && size > maximumPacketSize) {
      broken(
        `no packet above the client's Maximum Packet Size of ${maximumPacketSize}`,
        `sent ${packet.type} of ${size} bytes`,
        'v5/3.1.2-24',
      );
    }
    if (requestProblemInformation !== 0 || alwaysExplained.has(packet.type)) return;
    const { reasonString, userProperties } = ('properties' in packet && packet.properties) || {};
    if (reasonString === undefined && userProperties === undefined) return;
    broken(
      `no Reason String or User Property in ${packet.type} for a client with Request Problem Information 0`,
      `sent ${packet.type} with ${reasonString === undefined ? 'User Properties' : 'a Reason String'}`,
      'v5/3.1.2-29',
    );
  }

  #tooEarly({ type }: Packet): never {
    if (type === 'DISCONNECT') {
      return broken(
        'DISCONNECT only after a CONNACK that accepts',
        `sent DISCONNECT ${this.#before()}`,
        'v5/3.14.0-1',
        'v5/3.2.0-1',
      );
    }
    return this.#broken(
      'connackFirst',
      'CONNACK is the first packet that the server sends',
      `sent ${type} ${this.#before()}`,
    );
  }

  #authenticates(): void {
    if (this.#blind || this.#asked.authenticationMethod !== undefined) return;
    broken('no AUTH for a client that named no Authentication Method', 'sent AUTH', 'v5/4.12.0-6');
  }

  #answer(packet: Exclude<Packet, Publish>): void {
    switch (packet.type) {
      case 'PINGRESP':
        if (this.#blind || this.#pings-- > 0) return;
        return this.#broken('onePingresp', 'one PINGRESP for each PINGREQ', 'sent a PINGRESP that answers no PINGREQ');
      case 'SUBACK':
        this.#settle(packet.type, packet.packetId, 'suback');
        return this.#counted(packet.type, packet.packetId, packet.codes);
      case 'UNSUBACK':
        this.#settle(packet.type, packet.packetId, 'unsuback');
        return this.#counted(packet.type, packet.packetId, packet.codes);
      case 'PUBACK':
        return this.#settle(packet.type, packet.packetId, 'puback');
      case 'PUBREC':
        return this.#settle(packet.type, packet.packetId, 'pubrec');
      case 'PUBREL':
        return this.#settle(packet.type, packet.packetId, 'pubrel');
      case 'PUBCOMP':
        return this.#settle(packet.type, packet.packetId, 'pubcomp');
      default:
        return;
    }
  }

  #counted(type: 'SUBACK' | 'UNSUBACK', packetId: number, codes: readonly number[] | undefined): void {
    const filters = this.#filters.get(packetId);
    if (codes === undefined || filters === undefined || filters === codes.length) return;
    const ids = type === 'SUBACK' ? rules.subackCodes[this.#version] : (['v5/3.11.3-1'] as const);
    broken(`one code for each of the ${filters} Topic Filters`, `${type} has ${codes.length} codes`, ...ids);
  }

  #connected({ code: returnCode, sessionPresent, properties = {} }: Connack): void {
    if (this.#connack !== 'due') {
      this.#broken('oneConnack', 'one CONNACK, after the CONNECT', `sent CONNACK ${this.#before()}`);
    }
    if (returnCode !== 0 && sessionPresent) {
      this.#broken(
        'sessionPresent',
        'Session Present 0 in a CONNACK that refuses',
        `CONNACK ${code(returnCode)} has Session Present 1`,
      );
    }
    this.#connack = returnCode === 0 ? 'accepted' : 'refused';
    this.#resumed = sessionPresent;
    if (this.#version === 'v5' && !this.#blind) this.#told(properties, returnCode);
  }

  /** What the properties of CONNACK may say depends on what the client asked for (5.0). */
  #told(properties: Properties, returnCode: number): void {
    const { requestResponseInformation = 0, authenticationMethod } = this.#asked;
    if (properties.responseInformation !== undefined && requestResponseInformation === 0) {
      broken('no Response Information unless asked for', 'CONNACK has Response Information', 'v5/3.1.2-28');
    }
    if (properties.assignedClientIdentifier !== undefined && (this.#clientId !== '' || returnCode !== 0)) {
      broken(
        'an Assigned Client Identifier only where a client without one is accepted',
        `CONNACK ${code(returnCode)} has an Assigned Client Identifier`,
        'v5/3.2.2.3.7~assigned-client-identifier',
      );
    }
    if (properties.authenticationMethod !== undefined && authenticationMethod === undefined) {
      broken(
        'no Authentication Method for a client that named none',
        'CONNACK has an Authentication Method',
        'v5/4.12.0-6',
      );
    }
  }

  /** The packet with the Topic Name that its Topic Alias stands for, if it has one (5.0, section 3.3.2.3.4). */
  #unaliased(packet: Publish): Publish {
    const alias = packet.properties?.topicAlias;
    if (alias === undefined) {
      if (packet.topic !== '') return packet;
      return broken(
        'a Topic Name or a Topic Alias',
        'sent a PUBLISH with neither',
        'v5/3.3.2.1~empty-topic-without-alias',
      );
    }
    const { topicAliasMaximum = 0 } = this.#asked;
    if (!this.#blind && alias > topicAliasMaximum) {
      broken(
        topicAliasMaximum === 0
          ? 'no Topic Alias'
          : `no Topic Alias above the client's maximum of ${topicAliasMaximum}`,
        `sent a PUBLISH with Topic Alias ${alias}`,
        ...(topicAliasMaximum === 0 ? (['v5/3.1.2-27'] as const) : (['v5/3.1.2-26', 'v5/3.3.2-11'] as const)),
      );
    }
    if (packet.topic !== '') {
      this.#aliases.set(alias, packet.topic);
      return packet;
    }
    const topic = this.#aliases.get(alias);
    if (topic !== undefined) return { ...packet, topic };
    return broken(
      'a Topic Alias that was given a topic on this connection',
      `sent a PUBLISH with the unknown Topic Alias ${alias}`,
      'v5/3.3.2-7',
    );
  }

  #before(): string {
    switch (this.#connack) {
      case 'none sent':
        return 'before the client sent a CONNECT';
      case 'due':
        return 'before CONNACK';
      case 'accepted':
        return 'a second time';
      case 'refused':
        return 'after a CONNACK that refused the connection';
    }
  }

  #publish(packet: Publish, isOwn: boolean): Publish {
    if (packet.qos === 0 && packet.dup) {
      this.#broken('dupOfQoS0', 'DUP 0 in every QoS 0 PUBLISH', 'sent a QoS 0 PUBLISH with DUP 1');
    }
    const bad = isOwn ? checkTopicName(packet.topic, this.#version) : undefined;
    if (bad) broken('a Topic Name without wildcards', `sent a PUBLISH to ${packet.topic}`, ...bad);
    if (packet.packetId !== undefined) this.#begins(packet, packet.packetId);
    return packet;
  }

  #begins({ qos, dup }: Publish, packetId: number): void {
    const stage = this.#blind ? undefined : this.#inFlight.get(packetId);
    if (stage === 'PUBCOMP') {
      this.#broken(
        'afterPubrec',
        'no PUBLISH with a Packet Identifier whose QoS 2 exchange waits for PUBCOMP',
        `sent PUBLISH id=${packetId} after PUBREC and before PUBCOMP`,
      );
    }
    // In 5.0 nothing is sent again while the connection lasts.
    if (stage && (!dup || this.#version === 'v5')) {
      this.#broken(
        'idInUse',
        this.#version === 'v5'
          ? 'a Packet Identifier that is not in use'
          : 'a Packet Identifier that is not in use, or DUP 1 on a retransmission',
        `sent ${dup ? 'again the' : 'a new'} PUBLISH id=${packetId} while this identifier is unacknowledged`,
      );
    }
    this.#inFlight.set(packetId, qos === 1 ? 'PUBACK' : 'PUBREC');
    const { receiveMaximum = 65_535 } = this.#asked;
    if (this.#version === 'v3' || this.#blind || this.#inFlight.size <= receiveMaximum) return;
    broken(
      `at most ${receiveMaximum} unacknowledged PUBLISH, as the client's Receive Maximum says`,
      `sent PUBLISH number ${this.#inFlight.size} of those`,
      'v5/3.3.4-9',
      'v5/4.9.0-2',
    );
  }

  #owe(type: string, packetId: number | undefined): void {
    const key = `${type} ${packetId}`;
    this.#owed.set(key, (this.#owed.get(key) ?? 0) + 1);
  }

  #settle(type: string, packetId: number, rule: keyof typeof rules): void {
    const key = `${type} ${packetId}`;
    const owed = this.#owed.get(key) ?? 0;
    if (owed > 0) {
      this.#owed.set(key, owed - 1);
      return;
    }
    // PUBREL may belong to an exchange of an earlier connection, and be repeated; so may answers to what we can't read.
    if (this.#blind || (type === 'PUBREL' && (this.#resumed || this.#inFlight.get(packetId) === 'PUBCOMP'))) return;
    this.#broken(
      rule,
      `${type} only with the Packet Identifier of a packet that it answers`,
      `sent ${key}, which answers nothing that was sent`,
    );
  }

  #broken(rule: keyof typeof rules, expected: string, actual: string): never {
    broken(expected, actual, ...rules[rule][this.#version]);
  }
}

function broken(expected: string, actual: string, ...requirements: readonly RequirementId[]): never {
  throw new Violation(expected, actual, requirements);
}
