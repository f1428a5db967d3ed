/** Judges a PUBLISH (section 3.3). */

import type { RequirementId, Version } from '../spec/index.ts';
import type { Publish, QoS } from './packet.ts';
import { readProperties } from './propertySection.ts';
import type { Reader, Rules, VersionedRules } from './reader.ts';

const topicName: VersionedRules = {
  v3: { missing: ['v3/3.3.2-1'], text: ['v3/3.3.2-1'], topic: true },
  v5: { missing: ['v5/3.3.2-1', 'v5/2.1.4~content-length'], text: ['v5/3.3.2-1'], topic: 'or alias' },
};

const qos3 = {
  v3: ['v3/3.3.1-4', 'v3/2.2.2-2'],
  v5: ['v5/3.3.1-4'],
} as const satisfies Record<Version, readonly RequirementId[]>;

/** Section 2.3.1 (5.0: 2.2.1): the identifier that PUBLISH (QoS 1 and 2) needs; 5.0 says it for each side. */
const identifier: VersionedRules = {
  v3: { missing: ['v3/2.3.1-1'] },
  v5: { missing: ['v5/2.2.1-3', 'v5/2.2.1-4'] },
};

/** The PUBLISH in the reader, whose first byte is `header`; throws `Malformed`. */
export function publish(reader: Reader, header: number): Publish {
  const { version } = reader;
  const rules = topicName[version];
  const bits = (header >> 1) & 0x03;
  if (bits === 3) throw reader.fault(qos3[version], rules, 'a PUBLISH with QoS 3', 'header', 0);
  const qos = bits as QoS;
  const dup = (header & 0x08) !== 0;
  const retain = (header & 0x01) !== 0;
  const start = reader.at;
  const topic = reader.string('topic', rules);
  if (version === 'v5') return publish5(reader, dup, qos, retain, topic, start);
  const packetId = qos === 0 ? undefined : readPacketId(reader, identifier.v3);
  return { type: 'PUBLISH', dup, qos, retain, topic, packetId, payload: reader.rest(), properties: undefined };
}

/** Section 3.3.2.3. An alias stands for the topic that it was given before (3.3.2.3.4). */
function publish5(reader: Reader, dup: boolean, qos: QoS, retain: boolean, topic: string, start: number): Publish {
  const packetId = qos === 0 ? undefined : readPacketId(reader, identifier.v5);
  const properties = readProperties(reader, 'PUBLISH');
  if (topic === '' && properties?.topicAlias === undefined) {
    const ids: readonly RequirementId[] = ['v5/3.3.2.1~empty-topic-without-alias', 'v5/4.7.3-1'];
    throw reader.fault(ids, topicName.v5, 'an empty topic without a Topic Alias', 'topic', start + 2, 0x82);
  }
  const payload = reader.rest();
  return { type: 'PUBLISH', dup, qos, retain, topic, packetId, payload, properties };
}

/** A Packet Identifier that may not be 0; throws `Malformed` for what the rules say if it is missing. */
export function readPacketId(reader: Reader, rules: Rules): number {
  const at = reader.at;
  const value = reader.uint16('packetId', rules);
  if (value === 0) throw reader.fault(rules.missing, rules, 'a Packet Identifier of 0', 'packetId', at, 0x82);
  return value;
}
