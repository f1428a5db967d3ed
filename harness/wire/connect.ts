/** Judges the body of a CONNECT: its flags have to agree with each other and with the payload (section 3.1). */

import type { RequirementId, Version } from '../spec/index.ts';
import type { Connect, Properties, QoS, Will } from './packet.ts';
import { readProperties } from './propertySection.ts';
import type { Reader, Rules } from './reader.ts';

/** Whatever is wrong with a CONNECT, a server has to notice it and close without a CONNACK that accepts. */
const always = { v3: ['v3/3.1.4-1'], v5: ['v5/3.1.4-1'] } as const satisfies Record<Version, readonly RequirementId[]>;

const rulesOf = {
  v3: {
    protocolName: { always: always.v3, missing: ['v3/3.1.2.1~protocol-name'] },
    fixed: { always: always.v3, missing: [] },
    clientId: { always: always.v3, missing: ['v3/3.1.3-3'], text: ['v3/3.1.3-4'] },
    willTopic: { always: always.v3, missing: ['v3/3.1.2-9'], text: ['v3/3.1.3-10'], topic: true },
    willPayload: { always: always.v3, missing: ['v3/3.1.2-9'] },
    userName: { always: always.v3, missing: ['v3/3.1.2-19'], text: ['v3/3.1.3-11'] },
    password: { always: always.v3, missing: ['v3/3.1.2-21'] },
  },
  v5: {
    protocolName: { always: always.v5, missing: ['v5/3.1.2-1', 'v5/2.1.4~content-length'] },
    fixed: { always: always.v5, missing: ['v5/2.1.4~content-length'] },
    clientId: { always: always.v5, missing: ['v5/3.1.3-3'], text: ['v5/3.1.3-4'] },
    willTopic: { always: always.v5, missing: ['v5/3.1.2-9'], text: ['v5/3.1.3-11'], topic: true },
    willPayload: { always: always.v5, missing: ['v5/3.1.2-9'] },
    userName: { always: always.v5, missing: ['v5/3.1.2-17'], text: ['v5/3.1.3-12'] },
    password: { always: always.v5, missing: ['v5/3.1.2-19'] },
  },
} as const satisfies Record<Version, Record<string, Rules>>;

const type = 'CONNECT';
const unread = { clean: true, keepAlive: 0, clientId: '' };

/** The CONNECT in the reader; throws `Malformed`. See `decode` for other protocol levels. */
export function connect(reader: Reader): Connect {
  const { version } = reader;
  const rules = rulesOf[version];
  const protocolName = reader.string('protocolName', rules.protocolName);
  const protocolLevel = reader.uint8('protocolLevel', rules.fixed);
  if (protocolLevel !== levelOf[version]) return { type, protocolName, protocolLevel, ...unread };
  const flags = connectFlags(reader, rules.fixed);
  const keepAlive = reader.uint16('keepAlive', rules.fixed);
  const properties = version === 'v5' ? connectProperties(reader) : undefined;
  const clientId = reader.string('clientId', rules.clientId);
  const will = flags.will ? willOf(reader, flags.byte) : undefined;
  const userName = flags.userName ? reader.string('userName', rules.userName) : undefined;
  const password = flags.password ? reader.binary('password', rules.password) : undefined;
  if (reader.left > 0) {
    const surplus = version === 'v5' ? brokenBySurplus5(reader, flags) : brokenBySurplus(reader, flags);
    reader.finish({ always: always[version], missing: [], surplus });
  }
  const { clean } = flags;
  return { type, protocolName, protocolLevel, clean, keepAlive, clientId, will, userName, password, properties };
}

/** Section 3.1.2.2. */
const levelOf = { v3: 4, v5: 5 } as const satisfies Record<Version, number>;

/** Section 3.1.2.11. */
function connectProperties(reader: Reader): Properties | undefined {
  const start = reader.at;
  const properties = readProperties(reader, 'CONNECT');
  if (properties?.authenticationData && properties.authenticationMethod === undefined) {
    const reason = 'Authentication Data without Authentication Method';
    const ids: readonly RequirementId[] = ['v5/3.1.2.11.10~authentication-data-alone'];
    throw reader.fault(ids, rulesOf.v5.fixed, reason, 'properties.authenticationData', start, 0x82);
  }
  return properties;
}

function willOf(reader: Reader, flags: number): Will {
  const rules = rulesOf[reader.version];
  const properties = reader.version === 'v5' ? readProperties(reader, 'WILL') : undefined;
  const topic = reader.string('will.topic', rules.willTopic);
  const payload = reader.binary('will.payload', rules.willPayload);
  const qos = ((flags >> 3) & 0x03) as QoS;
  return { topic, payload, qos, retain: (flags & 0x20) !== 0, properties };
}

type Flags = ReturnType<typeof connectFlags>;

/** What contradictory flags break. 5.0 allows a password without a user name. */
const flagRules = {
  v3: {
    reserved: ['v3/3.1.2-3'],
    willQoS: ['v3/3.1.2-13', 'v3/3.1.2-11'],
    willRetain: ['v3/3.1.2-15', 'v3/3.1.2-11'],
    willQoS3: ['v3/3.1.2-14'],
    passwordAlone: ['v3/3.1.2-22'],
  },
  v5: {
    reserved: ['v5/3.1.2-3'],
    willQoS: ['v5/3.1.2-11'],
    willRetain: ['v5/3.1.2-13'],
    willQoS3: ['v5/3.1.2-12'],
    passwordAlone: undefined,
  },
} as const satisfies Record<Version, Record<string, readonly RequirementId[] | undefined>>;

/** Sections 3.1.2.3 to 3.1.2.9. */
function connectFlags(reader: Reader, rules: Rules) {
  const byte = reader.uint8('connectFlags', rules);
  const reserved = (byte & 0x01) !== 0;
  const will = (byte & 0x04) !== 0;
  const willQoS = (byte >> 3) & 0x03;
  const willRetain = (byte & 0x20) !== 0;
  const password = (byte & 0x40) !== 0;
  const userName = (byte & 0x80) !== 0;
  const broken = flagRules[reader.version];
  const faults: readonly [boolean, string, readonly RequirementId[] | undefined][] = [
    [reserved, 'the reserved connect flag is set', broken.reserved],
    [!will && willQoS > 0, `Will QoS ${willQoS} without a will`, broken.willQoS],
    [!will && willRetain, 'Will Retain without a will', broken.willRetain],
    [will && willQoS === 3, 'Will QoS 3', broken.willQoS3],
    [password && !userName, 'a password without a user name', broken.passwordAlone],
  ];
  const found = faults.filter(([is, , ids]) => is && ids);
  if (found.length > 0) {
    const ids = new Set(found.flatMap(([, , each]) => each ?? []));
    const reasons = found.map(([, reason]) => reason).join(', ');
    throw reader.fault([...ids], rules, reasons, 'connectFlags', reader.at - 1);
  }
  return { byte, clean: (byte & 0x02) !== 0, will, userName, password };
}

/**
 * What bytes after the last field break. If they have the form of fields, they may be those that follow in the order
 * of section 3.1.3 and that the flags announce to be absent.
 */
function brokenBySurplus(reader: Reader, flags: Flags): readonly RequirementId[] {
  const broken: RequirementId[] = ['v3/2.4~surplus-bytes'];
  if (flags.password || !hasFormOfFields(reader.peek())) return broken;
  if (!flags.will && !flags.userName) broken.push('v3/3.1.2-11');
  if (!flags.userName) broken.push('v3/3.1.2-18');
  return [...broken, 'v3/3.1.2-20'];
}

/** The same in 5.0: section 3.1.3 orders the fields, 3.1.2.8 and 3.1.2.9 forbid unannounced ones. */
function brokenBySurplus5(reader: Reader, flags: Flags): readonly RequirementId[] {
  const broken: RequirementId[] = ['v5/2.1.4~content-length', 'v5/3.1.3-1'];
  if (flags.password || !hasFormOfFields(reader.peek())) return broken;
  if (!flags.userName) broken.push('v5/3.1.2-16');
  return [...broken, 'v5/3.1.2-18'];
}

function hasFormOfFields(bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length) at += 2 + (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  return at === bytes.length;
}
