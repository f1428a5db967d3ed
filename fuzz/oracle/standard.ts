/** The oracle that reads both streams of each connection beside the standard: form, answers, and what must have no answer. */

import type { RequirementId, Version } from '../../harness/spec/index.ts';
import type { Malformed } from '../../harness/wire/malformed.ts';
import { type Packet, type PacketType, type Publish, packetTypes } from '../../harness/wire/packet.ts';
import { checkTopicName } from '../../harness/wire/topic.ts';
import type { Connection, Finding, ReceivedPacket, Recording, SentPacket } from '../record.ts';
import { effects, faultOf, passedOver, plainly } from './effects.ts';
import { type Rule, rules } from './rules.ts';

/** What this broker breaks on any connection of a play. */
export function standard(recording: Recording): readonly Finding[] {
  const findings = recording.connections.flatMap((connection) => judge(connection, recording));
  return [...findings, ...effects(recording)];
}

/** The answers that name the packet that they answer: type and identifier, and what they answer. */
const answers: { readonly [T in PacketType]?: readonly [asked: PacketType, rule: Rule] } = {
  SUBACK: ['SUBSCRIBE', 'subackId'],
  UNSUBACK: ['UNSUBSCRIBE', 'unsubackId'],
  PUBACK: ['PUBLISH', 'pubackId'],
  PUBREC: ['PUBLISH', 'pubrecId'],
  PUBREL: ['PUBREC', 'pubrelId'],
  PUBCOMP: ['PUBREL', 'pubcompId'],
  PINGRESP: ['PINGREQ', 'pingresp'],
  CONNACK: ['CONNECT', 'connack'],
};

function judge(connection: Connection, recording: Recording): Finding[] {
  const found: Finding[] = [];
  const state = new Exchange(connection, recording);
  for (const received of connection.received) {
    const finding = state.judge(received);
    if (!finding) continue;
    found.push(finding);
    // One broken rule explains most of what follows it.
    break;
  }
  return found;
}

/** One connection, read from its begin. */
class Exchange {
  readonly #connection: Connection;
  readonly #recording: Recording;
  readonly #version: Version;
  /** The client speaks a version that the broker does not. */
  readonly #isForeign: boolean;
  /** How many answers of each kind have come. */
  readonly #answered = new Map<string | number, number>();
  /** The broker's own QoS 1 and 2 messages: what they wait for, and the order of the happening that began it. */
  readonly #inFlight = new Map<number, { qos: 1 | 2; order: number }>();
  #connack: 'none' | 'accepted' | 'refused' = 'none';

  constructor(connection: Connection, recording: Recording) {
    this.#connection = connection;
    this.#recording = recording;
    this.#version = connection.version ?? recording.script.clients[connection.client]?.version ?? 'v3';
    // A broker of 3.1.1 alone refuses a client of 5.0 in the form of 3.1.1, and by that it is judged.
    this.#isForeign = this.#version === 'v5' && connection.received.some(isRefusal3);
    if (this.#isForeign) this.#version = 'v3';
  }

  judge(received: ReceivedPacket): Finding | undefined {
    const { packet, malformed } = received;
    // In another protocol, or before any is named, form is not ours to judge.
    if (malformed) return this.#connection.version && !this.#isForeign ? illFormed(malformed, received) : undefined;
    if (!packet) return undefined;
    return this.#misplaced(packet, received) ?? this.#unasked(packet, received) ?? this.#message(packet, received);
  }

  /** Section 3.2: CONNACK comes first, and once; after a refusal nothing comes. */
  #misplaced(packet: Packet, { order }: ReceivedPacket): Finding | undefined {
    const before = this.#connack;
    if (packet.type === 'CONNACK') {
      if (before !== 'none') return this.#broken('connackOnce', 'a second CONNACK', order);
      this.#connack = packet.code === 0 ? 'accepted' : 'refused';
      if (packet.code !== 0 && packet.sessionPresent) {
        return this.#broken('refusedSession', 'Session Present 1 in a CONNACK that refuses', order);
      }
      return undefined;
    }
    // Where the client broke a rule, that tells more about the answer.
    if (this.#connection.firstFault !== undefined && packet.type !== 'PUBLISH') return undefined;
    if (before === 'refused') return this.#broken('afterRefusal', `${packet.type} after a CONNACK that refuses`, order);
    if (before !== 'none' || packet.type === 'AUTH') return undefined;
    if (packet.type === 'DISCONNECT') return this.#broken('disconnectFirst', 'DISCONNECT before CONNACK', order);
    return this.#broken('connackFirst', `${packet.type} before CONNACK`, order);
  }

  /** Every answer answers something that was sent before it, and that is to be answered. */
  #unasked(packet: Packet, { order }: ReceivedPacket): Finding | undefined {
    const known = answers[packet.type];
    if (!known || (packet.type === 'CONNACK' && packet.code !== 0)) return undefined;
    const [asked, rule] = known;
    const key = keyOf(packet);
    const count = (this.#answered.get(key) ?? 0) + 1;
    this.#answered.set(key, count);
    const asking: SentPacket[] = [];
    let owed = 0;
    for (const sent of this.#connection.sent) {
      if (sent.from >= order || !sent.packet || !isAskedBy(sent.packet, asked, packet)) continue;
      asking.push(sent);
      if (sent.fate !== 'void') owed++;
    }
    if (owed >= count) return this.#fits(packet, asking, order);
    if (this.#isOfEarlier(packet) || this.#isLeftOpen(order)) return undefined;
    const otherQoS = this.#ofOtherQoS(packet, order);
    if (otherQoS) return this.#broken('publishAnswer', `${packet.type} for a PUBLISH of QoS ${otherQoS.qos}`, order);
    const fault = this.#faultBefore(order);
    if (fault && this.#isForeign) return undefined;
    if (fault) return this.#answersVoid(fault, packet, order);
    return this.#broken(rule, `${packet.type} that answers nothing`, order);
  }

  /** A PUBLISH that is answered as one of the other QoS: that explains an answer better than what was wrong behind it. */
  #ofOtherQoS(packet: Packet, order: number): Publish | undefined {
    if (packet.type !== 'PUBACK' && packet.type !== 'PUBREC') return undefined;
    const rightType = packet.type === 'PUBACK' ? 'PUBREC' : 'PUBACK';
    if (this.#answered.has(keyOf({ type: rightType, packetId: packet.packetId }))) return undefined;
    const found = this.#connection.sent.find(
      ({ packet: sent, from, fate }) =>
        sent?.type === 'PUBLISH' && sent.packetId === packet.packetId && from < order && fate !== 'void',
    )?.packet;
    return found?.type === 'PUBLISH' && (found.qos === 1) !== (packet.type === 'PUBACK') ? found : undefined;
  }

  /** One code for each Topic Filter. */
  #fits(packet: Packet, asking: readonly SentPacket[], order: number): Finding | undefined {
    if (packet.type !== 'SUBACK' && packet.type !== 'UNSUBACK') return undefined;
    const codes = packet.codes?.length;
    if (codes === undefined) return undefined;
    const isRight = asking.some(({ packet: sent }) => sent && 'filters' in sent && sent.filters.length === codes);
    if (isRight) return undefined;
    const rule = packet.type === 'SUBACK' ? 'subackCodes' : 'unsubackCodes';
    return this.#broken(rule, `${packet.type} has not one code for each Topic Filter`, order);
  }

  /** A message from the broker: its form beyond the packet, and its identifier. */
  #message(packet: Packet, { order }: ReceivedPacket): Finding | undefined {
    if (packet.type !== 'PUBLISH') return undefined;
    if (packet.qos === 0 && packet.dup) return this.#broken('dupOnQoS0', 'QoS 0 PUBLISH with DUP 1', order);
    const bad = packet.topic === '' ? undefined : checkTopicName(packet.topic, this.#version);
    if (bad) {
      return {
        oracle: 'standard',
        requirements: bad,
        expected: ['a Topic Name without wildcards'],
        actual: 'PUBLISH to a topic with wildcards',
        kind: 'wildcards in a delivered topic',
        at: order,
      };
    }
    return this.#identifier(packet, order);
  }

  /** A Packet Identifier is not used again before its exchange is over; a repetition has DUP 1. */
  #identifier({ qos, packetId, dup }: Publish, order: number): Finding | undefined {
    if (qos === 0 || packetId === undefined) return undefined;
    const before = this.#inFlight.get(packetId);
    this.#inFlight.set(packetId, { qos, order });
    if (!before || dup) return undefined;
    // What the client sent since may have ended the exchange; so may bytes that no packet can be made of.
    const { stall } = this.#connection;
    // It may have come long before it was read.
    const from = stall && stall.from < before.order ? stall.from : before.order;
    const since = this.#sentBefore(order).filter((sent) => sent.order > from);
    const isOver = since.some(
      ({ packet, fault }) => fault !== undefined || (packet && 'packetId' in packet && packet.packetId === packetId),
    );
    if (isOver) return undefined;
    return this.#broken(
      'identifierInUse',
      'a new PUBLISH with the Packet Identifier of one that is not acknowledged',
      order,
    );
  }

  #sentBefore(order: number): readonly SentPacket[] {
    return this.#connection.sent.filter(({ from }) => from < order);
  }

  #faultBefore(order: number): SentPacket | undefined {
    const fault = this.#connection.sent[this.#connection.firstFault ?? -1];
    return fault && fault.from < order ? fault : undefined;
  }

  /** The exchange may have begun on another connection of the session. */
  #isOfEarlier(packet: Packet): boolean {
    if (packet.type === 'PINGRESP' || packet.type === 'CONNACK') return false;
    if (packet.type === 'PUBREL' && this.#sentAnyPubrec(packet.packetId)) return true;
    const clientId = clientIdOf(this.#connection);
    const isOfSession = (other: Connection) =>
      other !== this.#connection && (clientIdOf(other) === clientId || isNameless(other));
    return this.#recording.connections.some(isOfSession);
  }

  /** A broker may read what is not quite in form, where the standard leaves that open; what it read this side cannot tell. */
  #isLeftOpen(order: number): boolean {
    return this.#sentBefore(order).some(({ packet, fate }) => fate === 'open' && !packet);
  }

  /** PUBREL may be repeated in 3.1.1 at any time. */
  #sentAnyPubrec(packetId: number): boolean {
    return this.#connection.sent.some(({ packet }) => packet?.type === 'PUBREC' && packet.packetId === packetId);
  }

  #answersVoid(sent: SentPacket, packet: Packet, order: number): Finding {
    const what = faultOf(sent);
    return {
      oracle: 'standard',
      requirements: sent.fault?.requirements ?? [],
      expected: ['the connection closes, and what caused it is not answered'],
      actual: `${packet.type} in answer to ${what}, or to what came behind it`,
      kind: passedOver(sent),
      at: order,
    };
  }

  #broken(rule: Rule, actual: string, order: number): Finding {
    const { v3, v5, expected } = rules[rule];
    const requirements: readonly RequirementId[] = this.#version === 'v5' ? v5 : v3;
    return { oracle: 'standard', requirements, expected: [expected], actual, kind: actual, at: order };
  }
}

function illFormed(malformed: Malformed, { order, bytes }: ReceivedPacket): Finding {
  const type = packetTypes[(bytes[0] ?? 0) >> 4] ?? 'a reserved packet type';
  return {
    oracle: 'standard',
    requirements: malformed.requirements,
    expected: ['every packet that the server sends has the format of the standard'],
    actual: `${type}: ${malformed.reason}`,
    kind: `sends ${type}: ${plainly(malformed.reason)}`,
    at: order,
  };
}

function isRefusal3({ packet, bytes }: ReceivedPacket): boolean {
  return packet?.type === 'CONNACK' && packet.code > 0 && bytes.length === 4;
}

/** Whose CONNECT is damaged: should the broker take it, nobody knows for which client. */
function isNameless(connection: Connection): boolean {
  return connection.firstFault !== undefined && clientIdOf(connection) === undefined;
}

function clientIdOf({ sent }: Connection): string | undefined {
  const connect = sent.find(({ packet }) => packet?.type === 'CONNECT')?.packet;
  return connect?.type === 'CONNECT' ? connect.clientId : undefined;
}

function keyOf(packet: Packet): string | number {
  if (!('packetId' in packet)) return packet.type;
  return packetTypes.indexOf(packet.type) * 0x1_0000 + (packet.packetId ?? 0);
}

function isAskedBy(sent: Packet, asked: PacketType, answer: Packet): boolean {
  if (sent.type !== asked) return false;
  if (!('packetId' in answer)) return true;
  if (!('packetId' in sent) || sent.packetId !== answer.packetId) return false;
  if (sent.type !== 'PUBLISH') return true;
  return answer.type === (sent.qos === 1 ? 'PUBACK' : 'PUBREC');
}
