/** Bytes to packets: the strict judge of one whole packet, whoever sent it. */

import type { RequirementId, Version } from '../spec/index.ts';
import { connect } from './connect.ts';
import { Malformed } from './malformed.ts';
import {
  type Acknowledgement,
  type Connack,
  type Packet,
  type Publish,
  packetTypes,
  type QoS,
  type Suback,
  type Subscribe,
  type Subscription,
  type Unsubscribe,
} from './packet.ts';
import { Reader, type Rules } from './reader.ts';

export { Malformed } from './malformed.ts';

/**
 * The packet in these bytes, which are one whole packet (see `Framer`). Payloads are views of the bytes, not copies.
 *
 * Throws `Malformed`, and nothing else, for what breaks the format of chapters 2 and 3. Not judged here, because it
 * depends on more than the packet or because the receiver is free: protocol name and level, DUP with QoS 0, wildcards
 * in topics, the syntax of Topic Filters (see topic.ts), identifiers of acknowledgements, and Remaining Lengths in
 * more bytes than needed.
 *
 * A CONNECT with another protocol level than 4 follows another standard: only its protocol name and level are read,
 * and the rest is returned as an empty Client Identifier, a clean session and Keep Alive 0.
 */
export function decode(frame: Uint8Array, version: Version): Packet {
  if (version !== 'v3') throw new RangeError('only MQTT 3.1.1 can be decoded');
  const reader = new Reader(frame);
  const { header } = reader;
  const type = packetTypes[header >> 4];
  if (type === 'PUBLISH') return publish(reader, header);
  if (type === undefined) {
    throw new Malformed(['v3/2.2.1~reserved-types'], `packet type ${header >> 4} is reserved`, 'header', 0);
  }
  if ((header & 0x0f) !== flagsOf[type].value) {
    const [is, must] = [header & 0x0f, flagsOf[type].value].map((flags) => flags.toString(2).padStart(4, '0'));
    throw new Malformed(flagsOf[type].rules, `the flags of ${type} are ${is} instead of ${must}`, 'header', 0);
  }
  switch (type) {
    case 'CONNECT':
      return connect(reader);
    case 'CONNACK':
      return connack(reader);
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBREL':
    case 'PUBCOMP':
    case 'UNSUBACK':
      return acknowledgement(reader, type);
    case 'SUBSCRIBE':
      return subscribe(reader);
    case 'SUBACK':
      return suback(reader);
    case 'UNSUBSCRIBE':
      return unsubscribe(reader);
    case 'PINGREQ':
    case 'PINGRESP':
    case 'DISCONNECT':
      reader.finish(fixedSize);
      return { type };
  }
}

/**
 * The flags that each type has to have (section 2.2.2), and what other flags break: 2.2.2-1 binds the sender, the rest
 * the receiver.
 */
const flagsOf = {
  CONNECT: { value: 0, rules: ['v3/2.2.2-2', 'v3/3.1.4-1'] },
  CONNACK: { value: 0, rules: ['v3/2.2.2-1'] },
  PUBACK: { value: 0, rules: ['v3/2.2.2-1', 'v3/2.2.2-2'] },
  PUBREC: { value: 0, rules: ['v3/2.2.2-1', 'v3/2.2.2-2'] },
  PUBREL: { value: 2, rules: ['v3/3.6.1-1', 'v3/2.2.2-1', 'v3/2.2.2-2'] },
  PUBCOMP: { value: 0, rules: ['v3/2.2.2-1', 'v3/2.2.2-2'] },
  SUBSCRIBE: { value: 2, rules: ['v3/3.8.1-1', 'v3/2.2.2-2'] },
  SUBACK: { value: 0, rules: ['v3/2.2.2-1'] },
  UNSUBSCRIBE: { value: 2, rules: ['v3/3.10.1-1', 'v3/2.2.2-2'] },
  UNSUBACK: { value: 0, rules: ['v3/2.2.2-1'] },
  PINGREQ: { value: 0, rules: ['v3/2.2.2-2'] },
  PINGRESP: { value: 0, rules: ['v3/2.2.2-1'] },
  DISCONNECT: { value: 0, rules: ['v3/3.14.1-1', 'v3/2.2.2-2'] },
} as const satisfies Record<string, { value: number; rules: readonly RequirementId[] }>;

/** Section 2.1 to 3.14: the packets of a fixed size; what stands after their fields is surplus as well. */
const fixedSize: Rules = {
  missing: ['v3/2.1~fixed-packet-sizes'],
  surplus: ['v3/2.1~fixed-packet-sizes', 'v3/2.4~surplus-bytes'],
};

/** Section 2.3.1: the identifier that PUBLISH (QoS 1 and 2), SUBSCRIBE and UNSUBSCRIBE need. */
const identifier: Rules = { missing: ['v3/2.3.1-1'] };

function packetId(reader: Reader): number {
  const at = reader.at;
  const value = reader.uint16('packetId', identifier);
  if (value === 0) throw new Malformed(['v3/2.3.1-1'], 'a Packet Identifier of 0', 'packetId', at);
  return value;
}

const topicName: Rules = { missing: ['v3/3.3.2-1'], text: ['v3/3.3.2-1'], topic: true };

/** Section 3.3. */
function publish(reader: Reader, header: number): Publish {
  const bits = (header >> 1) & 0x03;
  if (bits === 3) throw new Malformed(['v3/3.3.1-4', 'v3/2.2.2-2'], 'a PUBLISH with QoS 3', 'header', 0);
  const qos = bits as QoS;
  const dup = (header & 0x08) !== 0;
  const retain = (header & 0x01) !== 0;
  const topic = reader.string('topic', topicName);
  if (qos === 0) return { type: 'PUBLISH', dup, qos, retain, topic, payload: reader.rest() };
  return { type: 'PUBLISH', dup, qos, retain, topic, packetId: packetId(reader), payload: reader.rest() };
}

/**
 * Sections 3.4 to 3.7 and 3.11. That the identifier is that of an exchange, hence not 0, is not a matter of the packet
 * alone.
 */
function acknowledgement<T extends Acknowledgement['type'] | 'UNSUBACK'>(reader: Reader, type: T) {
  const value = reader.uint16('packetId', fixedSize);
  reader.finish(fixedSize);
  return { type, packetId: value };
}

/** Section 3.2. */
function connack(reader: Reader): Connack {
  const flags = reader.uint8('acknowledgeFlags', fixedSize);
  if (flags > 1) {
    throw new Malformed(
      ['v3/3.2.2.1~acknowledge-flags'],
      'reserved acknowledge flags are set',
      'acknowledgeFlags',
      reader.at - 1,
    );
  }
  const code = reader.uint8('code', fixedSize);
  if (code > 5) throw new Malformed(['v3/3.2.2-6'], `the return code ${code} is reserved`, 'code', reader.at - 1);
  reader.finish(fixedSize);
  return { type: 'CONNACK', sessionPresent: flags === 1, code };
}

/** Section 3.9. */
function suback(reader: Reader): Suback {
  const id = reader.uint16('packetId', fixedSize);
  const codes = reader.rest();
  if (codes.length === 0) throw new Malformed(['v3/3.8.4-5'], 'a SUBACK without a return code', 'codes.0', reader.at);
  for (const [index, code] of codes.entries()) {
    if (code <= 2 || code === 0x80) continue;
    const at = reader.at - codes.length + index;
    throw new Malformed(['v3/3.9.3-2'], `the return code ${code} is reserved`, `codes.${index}`, at);
  }
  return { type: 'SUBACK', packetId: id, codes: [...codes] };
}

const firstSubscription: Rules = { missing: ['v3/3.8.3-3'], text: ['v3/3.8.3-1'], topic: true };
/** With a whole pair before it, what is not another whole pair is surplus. */
const nextSubscription: Rules = { missing: ['v3/2.4~surplus-bytes'], text: ['v3/3.8.3-1'], topic: true };

/** Section 3.8. */
function subscribe(reader: Reader): Subscribe {
  const id = packetId(reader);
  const filters: Subscription[] = [];
  do {
    const name = `filters.${filters.length}`;
    const rules = filters.length === 0 ? firstSubscription : nextSubscription;
    const filter = reader.string(`${name}.filter`, rules);
    const options = reader.uint8(`${name}.options`, rules);
    if (options > 2) {
      const reason = options === 3 ? 'a requested QoS of 3' : 'reserved bits beside the requested QoS';
      throw new Malformed(['v3/3.8.3-4'], reason, `${name}.options`, reader.at - 1);
    }
    filters.push({ filter, qos: options as QoS });
  } while (reader.left > 0);
  return { type: 'SUBSCRIBE', packetId: id, filters };
}

const firstFilter: Rules = { missing: ['v3/3.10.3-2'], text: ['v3/3.10.3-1'], topic: true };
const nextFilter: Rules = { missing: ['v3/3.10.3-1', 'v3/2.4~surplus-bytes'], text: ['v3/3.10.3-1'], topic: true };

/** Section 3.10. */
function unsubscribe(reader: Reader): Unsubscribe {
  const id = packetId(reader);
  const filters: string[] = [];
  do {
    const rules = filters.length === 0 ? firstFilter : nextFilter;
    filters.push(reader.string(`filters.${filters.length}.filter`, rules));
  } while (reader.left > 0);
  return { type: 'UNSUBSCRIBE', packetId: id, filters };
}
