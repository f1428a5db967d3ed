/** Judges the body of a CONNECT: its flags have to agree with each other and with the payload (section 3.1). */

import type { RequirementId } from '../spec/index.ts';
import type { Connect, QoS, Will } from './packet.ts';
import type { Reader, Rules } from './reader.ts';

/** Whatever is wrong with a CONNECT, a server has to notice it and close without a CONNACK. */
const always: readonly RequirementId[] = ['v3/3.1.4-1'];

const rules = {
  protocolName: { always, missing: ['v3/3.1.2.1~protocol-name'] },
  fixed: { always, missing: [] },
  clientId: { always, missing: ['v3/3.1.3-3'], text: ['v3/3.1.3-4'] },
  willTopic: { always, missing: ['v3/3.1.2-9'], text: ['v3/3.1.3-10'], topic: true },
  willPayload: { always, missing: ['v3/3.1.2-9'] },
  userName: { always, missing: ['v3/3.1.2-19'], text: ['v3/3.1.3-11'] },
  password: { always, missing: ['v3/3.1.2-21'] },
} as const satisfies Record<string, Rules>;

/** The CONNECT in the reader; throws `Malformed`. See `decode` for other protocol levels. */
export function connect(reader: Reader): Connect {
  const protocolName = reader.string('protocolName', rules.protocolName);
  const protocolLevel = reader.uint8('protocolLevel', rules.fixed);
  const known = { type: 'CONNECT', protocolName, protocolLevel } as const;
  if (protocolLevel !== 4) return { ...known, clean: true, keepAlive: 0, clientId: '' };
  const flags = connectFlags(reader);
  const keepAlive = reader.uint16('keepAlive', rules.fixed);
  const clientId = reader.string('clientId', rules.clientId);
  const will = flags.will ? willOf(reader, flags.byte) : undefined;
  const userName = flags.userName ? reader.string('userName', rules.userName) : undefined;
  const password = flags.password ? reader.binary('password', rules.password) : undefined;
  if (reader.left > 0) reader.finish({ always, missing: [], surplus: brokenBySurplus(reader, flags) });
  return {
    ...known,
    clean: flags.clean,
    keepAlive,
    clientId,
    ...(will && { will }),
    ...(userName !== undefined && { userName }),
    ...(password && { password }),
  };
}

function willOf(reader: Reader, flags: number): Will {
  const topic = reader.string('will.topic', rules.willTopic);
  const payload = reader.binary('will.payload', rules.willPayload);
  return { topic, payload, qos: ((flags >> 3) & 0x03) as QoS, retain: (flags & 0x20) !== 0 };
}

type Flags = ReturnType<typeof connectFlags>;

/** Sections 3.1.2.3 to 3.1.2.9. */
function connectFlags(reader: Reader) {
  const byte = reader.uint8('connectFlags', rules.fixed);
  const reserved = (byte & 0x01) !== 0;
  const will = (byte & 0x04) !== 0;
  const willQoS = (byte >> 3) & 0x03;
  const willRetain = (byte & 0x20) !== 0;
  const password = (byte & 0x40) !== 0;
  const userName = (byte & 0x80) !== 0;
  const faults: readonly [boolean, string, ...RequirementId[]][] = [
    [reserved, 'the reserved connect flag is set', 'v3/3.1.2-3'],
    [!will && willQoS > 0, `Will QoS ${willQoS} without a will`, 'v3/3.1.2-13', 'v3/3.1.2-11'],
    [!will && willRetain, 'Will Retain without a will', 'v3/3.1.2-15', 'v3/3.1.2-11'],
    [will && willQoS === 3, 'Will QoS 3', 'v3/3.1.2-14'],
    [password && !userName, 'a password without a user name', 'v3/3.1.2-22'],
  ];
  const found = faults.filter(([is]) => is);
  if (found.length > 0) {
    const ids = new Set(found.flatMap(([, , ...broken]) => broken));
    const reasons = found.map(([, reason]) => reason).join(', ');
    throw reader.fault([...ids], rules.fixed, reasons, 'connectFlags', reader.at - 1);
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

function hasFormOfFields(bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length) at += 2 + (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  return at === bytes.length;
}
