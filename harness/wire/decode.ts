/** Bytes to packets: the strict judge of one whole packet, whoever sent it. */

import type { RequirementId, Version } from '../spec/index.ts';
import { connect } from './connect.ts';
import { type Acknowledgement, type Auth, type Connack, type Outcome, type Packet, packetTypes } from './packet.ts';
import { readProperties } from './propertySection.ts';
import { publish } from './publish.ts';
import { Reader, type Rules, type VersionedRules } from './reader.ts';
import { type ReasonPlace, readReason } from './reasons.ts';
import { suback, subscribe, unsuback, unsubscribe } from './subscription.ts';

export { Malformed } from './malformed.ts';

/**
 * The packet in these bytes, which are one whole packet (see `Framer`). Payloads are views of the bytes, not copies.
 *
 * Throws `Malformed`, and nothing else, for what breaks the format of chapters 2 and 3. Not judged here, because it
 * depends on more than the packet or because the receiver is free: protocol name and level, DUP with QoS 0, wildcards
 * in topics, the syntax of Topic Filters (see topic.ts), identifiers of acknowledgements, what only one side may send
 * (see sender.ts), and in 3.1.1 Remaining Lengths in more bytes than needed.
 *
 * A CONNECT with another protocol level than that of the version follows another standard: only its protocol name and
 * level are read, and the rest is returned as an empty Client Identifier, a clean session and Keep Alive 0.
 */
export function decode(frame: Uint8Array, version: Version): Packet {
  const reader = new Reader(frame, version);
  const { header } = reader;
  const type = packetTypes[header >> 4];
  if (type === 'PUBLISH') return publish(reader, header);
  if (type === undefined || (type === 'AUTH' && version === 'v3')) {
    throw reader.fault(reserved[version], nothing, `packet type ${header >> 4} is reserved`, 'header', 0);
  }
  if ((header & 0x0f) !== flagsOf[type].value) throw wrongFlags(reader, type);
  switch (type) {
    case 'CONNECT':
      return connect(reader);
    case 'CONNACK':
      return connack(reader);
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBREL':
    case 'PUBCOMP':
      return acknowledgement(reader, type);
    case 'SUBSCRIBE':
      return subscribe(reader);
    case 'SUBACK':
      return suback(reader);
    case 'UNSUBSCRIBE':
      return unsubscribe(reader);
    case 'UNSUBACK':
      return unsuback(reader);
    case 'PINGREQ':
    case 'PINGRESP':
      reader.finish(type === 'PINGREQ' ? pingreq[version] : fixedSize[version]);
      return { type };
    case 'DISCONNECT':
      if (version === 'v5') {
        const { code, properties } = outcome(reader, type);
        return { type, code, properties };
      }
      reader.finish(fixedSize.v3);
      return { type };
    case 'AUTH':
      return authentication(reader);
  }
}

const nothing: Rules = { missing: [] };

const reserved = {
  v3: ['v3/2.2.1~reserved-types'],
  v5: ['v5/2.1.2~packet-direction'],
} as const satisfies Record<Version, readonly RequirementId[]>;

type Flagged = Exclude<Packet['type'], 'PUBLISH'>;

/**
 * The flags that each type has to have (3.1.1: section 2.2.2, 5.0: 2.1.3), and what other flags break: v3/2.2.2-1 binds
 * the sender, the rest the receiver.
 */
const flagsOf: Readonly<
  Record<Flagged, { readonly value: number } & Readonly<Record<Version, readonly RequirementId[]>>>
> = {
  CONNECT: { value: 0, v3: ['v3/2.2.2-2', 'v3/3.1.4-1'], v5: ['v5/2.1.3-1', 'v5/3.1.4-1'] },
  CONNACK: { value: 0, v3: ['v3/2.2.2-1'], v5: ['v5/2.1.3-1'] },
  PUBACK: { value: 0, v3: ['v3/2.2.2-1', 'v3/2.2.2-2'], v5: ['v5/2.1.3-1'] },
  PUBREC: { value: 0, v3: ['v3/2.2.2-1', 'v3/2.2.2-2'], v5: ['v5/2.1.3-1'] },
  PUBREL: { value: 2, v3: ['v3/3.6.1-1', 'v3/2.2.2-1', 'v3/2.2.2-2'], v5: ['v5/3.6.1-1', 'v5/2.1.3-1'] },
  PUBCOMP: { value: 0, v3: ['v3/2.2.2-1', 'v3/2.2.2-2'], v5: ['v5/2.1.3-1'] },
  SUBSCRIBE: { value: 2, v3: ['v3/3.8.1-1', 'v3/2.2.2-2'], v5: ['v5/3.8.1-1', 'v5/2.1.3-1'] },
  SUBACK: { value: 0, v3: ['v3/2.2.2-1'], v5: ['v5/2.1.3-1'] },
  UNSUBSCRIBE: { value: 2, v3: ['v3/3.10.1-1', 'v3/2.2.2-2'], v5: ['v5/3.10.1-1', 'v5/2.1.3-1'] },
  UNSUBACK: { value: 0, v3: ['v3/2.2.2-1'], v5: ['v5/2.1.3-1'] },
  PINGREQ: { value: 0, v3: ['v3/2.2.2-2'], v5: ['v5/2.1.3-1'] },
  PINGRESP: { value: 0, v3: ['v3/2.2.2-1'], v5: ['v5/2.1.3-1'] },
  DISCONNECT: { value: 0, v3: ['v3/3.14.1-1', 'v3/2.2.2-2'], v5: ['v5/3.14.1-1', 'v5/2.1.3-1'] },
  AUTH: { value: 0, v3: [], v5: ['v5/3.15.1-1', 'v5/2.1.3-1'] },
};

function wrongFlags(reader: Reader, type: Flagged): Error {
  const [is, must] = [reader.header & 0x0f, flagsOf[type].value].map((flags) => flags.toString(2).padStart(4, '0'));
  const ids = flagsOf[type][reader.version];
  return reader.fault(ids, nothing, `the flags of ${type} are ${is} instead of ${must}`, 'header', 0);
}

/** 3.1.1, section 2.1 to 3.14: the packets of a fixed size; what stands after their fields is surplus as well. */
const fixedSize: VersionedRules = {
  v3: {
    missing: ['v3/2.1~fixed-packet-sizes'],
    surplus: ['v3/2.1~fixed-packet-sizes', 'v3/2.4~surplus-bytes'],
  },
  v5: { missing: ['v5/2.1.4~content-length'] },
};

const pingreq: VersionedRules = {
  v3: fixedSize.v3,
  v5: { missing: [], surplus: ['v5/3.12~pingreq-empty', 'v5/2.1.4~content-length'] },
};

/** Section 3.2. */
function connack(reader: Reader): Connack {
  const { version } = reader;
  const rules = fixedSize[version];
  const flags = reader.uint8('acknowledgeFlags', rules);
  if (flags > 1) {
    const ids = acknowledgeFlags[version];
    throw reader.fault(ids, rules, 'reserved acknowledge flags are set', 'acknowledgeFlags', reader.at - 1);
  }
  const sessionPresent = flags === 1;
  if (version === 'v3') {
    const code = reader.uint8('code', rules);
    if (code > 5)
      throw reader.fault(['v3/3.2.2-6'], rules, `the return code ${code} is reserved`, 'code', reader.at - 1);
    reader.finish(rules);
    return { type: 'CONNACK', sessionPresent, code, properties: undefined };
  }
  const code = readReason(reader, 'CONNACK', 'code');
  const properties = readProperties(reader, 'CONNACK');
  reader.finish(rules);
  return { type: 'CONNACK', sessionPresent, code, properties };
}

const acknowledgeFlags = {
  v3: ['v3/3.2.2.1~acknowledge-flags'],
  v5: ['v5/3.2.2-1'],
} as const satisfies Record<Version, readonly RequirementId[]>;

/**
 * Sections 3.4 to 3.7. That the identifier is that of an exchange, hence not 0, is not a matter of the packet alone.
 */
function acknowledgement(reader: Reader, type: Acknowledgement['type']): Acknowledgement {
  const rules = fixedSize[reader.version];
  const packetId = reader.uint16('packetId', rules);
  if (reader.version === 'v5') {
    const { code, properties } = outcome(reader, type);
    return { type, packetId, code, properties };
  }
  reader.finish(rules);
  return { type, packetId };
}

/** A Reason Code and properties, each of which may be left out (5.0, section 3.4.2 and its like). */
function outcome(reader: Reader, type: ReasonPlace): Outcome {
  if (reader.left === 0) return { code: 0, properties: undefined };
  const code = readReason(reader, type, 'code');
  if (reader.left === 0) return { code, properties: undefined };
  const properties = readProperties(reader, type);
  reader.finish(fixedSize.v5);
  return { code, properties };
}

/** Section 3.15: AUTH without an Authentication Method is a Protocol Error, so nothing can be left out of it. */
function authentication(reader: Reader): Auth {
  const start = reader.at;
  const { code, properties } = outcome(reader, 'AUTH');
  if (properties?.authenticationMethod !== undefined) return { type: 'AUTH', code, properties };
  const ids: readonly RequirementId[] = ['v5/3.15.2.2.2~auth-method-missing'];
  throw reader.fault(
    ids,
    nothing,
    'AUTH without an Authentication Method',
    'properties.authenticationMethod',
    start,
    0x82,
  );
}
