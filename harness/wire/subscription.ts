/** Judges SUBSCRIBE, UNSUBSCRIBE and their acknowledgements (sections 3.8 to 3.11). */

import type { RequirementId } from '../spec/index.ts';
import type { QoS, RetainHandling, Suback, Subscribe, Subscription, Unsuback, Unsubscribe } from './packet.ts';
import { readProperties } from './propertySection.ts';
import { readPacketId } from './publish.ts';
import type { Reader, Rules, VersionedRules } from './reader.ts';
import { readReason } from './reasons.ts';

/** Section 2.3.1 (5.0: 2.2.1): the identifier of SUBSCRIBE and UNSUBSCRIBE. */
const identifier: VersionedRules = { v3: { missing: ['v3/2.3.1-1'] }, v5: { missing: ['v5/2.2.1-3'] } };

/** The identifier of their acknowledgements, and what may not follow those of 3.1.1. */
const acknowledged: VersionedRules = {
  v3: { missing: ['v3/2.1~fixed-packet-sizes'], surplus: ['v3/2.1~fixed-packet-sizes', 'v3/2.4~surplus-bytes'] },
  v5: { missing: ['v5/2.1.4~content-length'] },
};

const firstSubscription: VersionedRules = {
  v3: { missing: ['v3/3.8.3-3'], text: ['v3/3.8.3-1'], topic: true },
  v5: { missing: ['v5/3.8.3-2'], text: ['v5/3.8.3-1'], topic: true },
};
/** With a whole pair before it, what is not another whole pair is surplus. */
const nextSubscription: VersionedRules = {
  v3: { missing: ['v3/2.4~surplus-bytes'], text: ['v3/3.8.3-1'], topic: true },
  v5: { missing: ['v5/2.1.4~content-length'], text: ['v5/3.8.3-1'], topic: true },
};

/** Section 3.8. */
export function subscribe(reader: Reader): Subscribe {
  const { version } = reader;
  const packetId = readPacketId(reader, identifier[version]);
  const properties = version === 'v5' ? readProperties(reader, 'SUBSCRIBE') : undefined;
  checkNotEmpty(reader, firstSubscription.v5, 'a SUBSCRIBE without a Topic Filter', 'filters.0.filter.length');
  const filters: Subscription[] = [];
  do {
    const name = `filters.${filters.length}`;
    const rules = (filters.length === 0 ? firstSubscription : nextSubscription)[version];
    const filter = reader.string(`${name}.filter`, rules);
    const options = reader.uint8(`${name}.options`, rules);
    filters.push(
      version === 'v5'
        ? withOptions(reader, filter, options, name)
        : { filter, qos: requestedQoS(reader, options, name, rules) },
    );
  } while (reader.left > 0);
  return { type: 'SUBSCRIBE', packetId, filters, properties };
}

function requestedQoS(reader: Reader, options: number, name: string, rules: Rules): QoS {
  if (options <= 2) return options as QoS;
  const reason = options === 3 ? 'a requested QoS of 3' : 'reserved bits beside the requested QoS';
  throw reader.fault(['v3/3.8.3-4'], rules, reason, `${name}.options`, reader.at - 1);
}

/** The Subscription Options of 5.0 (section 3.8.3.1). */
function withOptions(reader: Reader, filter: string, options: number, name: string): Subscription {
  const qos = options & 0x03;
  const retainHandling = (options >> 4) & 0x03;
  const noLocal = (options & 0x04) !== 0;
  const fault = (id: RequirementId, reason: string, code?: number) =>
    reader.fault([id], nextSubscription.v5, reason, `${name}.options`, reader.at - 1, code);
  if (options >= 0x40) throw fault('v5/3.8.3-5', 'reserved bits in the Subscription Options');
  if (qos === 3) throw fault('v5/3.8.3.1~qos-bits-three', 'a Maximum QoS of 3', 0x82);
  if (retainHandling === 3) throw fault('v5/3.8.3.1~retain-handling-three', 'a Retain Handling of 3', 0x82);
  if (noLocal && filter.startsWith('$share/')) {
    throw fault('v5/3.8.3-4', 'No Local for a Shared Subscription', 0x82);
  }
  return {
    filter,
    qos: qos as QoS,
    noLocal,
    retainAsPublished: (options & 0x08) !== 0,
    retainHandling: retainHandling as RetainHandling,
  };
}

/** Section 3.9. */
export function suback(reader: Reader): Suback {
  const packetId = reader.uint16('packetId', acknowledged[reader.version]);
  if (reader.version === 'v5') {
    const properties = readProperties(reader, 'SUBACK');
    const codes = reasonCodes(reader, 'SUBACK', ['v5/3.8.4-6']);
    return { type: 'SUBACK', packetId, codes, properties };
  }
  const codes = reader.rest();
  if (codes.length === 0) throw reader.fault(['v3/3.8.4-5'], nothing, 'a SUBACK without a return code', 'codes.0');
  for (const [index, code] of codes.entries()) {
    if (code <= 2 || code === 0x80) continue;
    const at = reader.at - codes.length + index;
    throw reader.fault(['v3/3.9.3-2'], nothing, `the return code ${code} is reserved`, `codes.${index}`, at);
  }
  return { type: 'SUBACK', packetId, codes: [...codes], properties: undefined };
}

const nothing: Rules = { missing: [] };

/** One Reason Code for each Topic Filter, so one at least (5.0, sections 3.9.3 and 3.11.3). */
function reasonCodes(reader: Reader, type: 'SUBACK' | 'UNSUBACK', none: readonly RequirementId[]): readonly number[] {
  if (reader.left === 0) throw reader.fault(none, nothing, `${type} without a Reason Code`, 'codes.0');
  const codes: number[] = [];
  while (reader.left > 0) codes.push(readReason(reader, type, `codes.${codes.length}`));
  return codes;
}

const firstFilter: VersionedRules = {
  v3: { missing: ['v3/3.10.3-2'], text: ['v3/3.10.3-1'], topic: true },
  v5: { missing: ['v5/3.10.3-2'], text: ['v5/3.10.3-1'], topic: true },
};
const nextFilter: VersionedRules = {
  v3: { missing: ['v3/3.10.3-1', 'v3/2.4~surplus-bytes'], text: ['v3/3.10.3-1'], topic: true },
  v5: { missing: ['v5/3.10.3-1', 'v5/2.1.4~content-length'], text: ['v5/3.10.3-1'], topic: true },
};

/** Section 3.10. */
export function unsubscribe(reader: Reader): Unsubscribe {
  const { version } = reader;
  const packetId = readPacketId(reader, identifier[version]);
  const properties = version === 'v5' ? readProperties(reader, 'UNSUBSCRIBE') : undefined;
  checkNotEmpty(reader, firstFilter.v5, 'an UNSUBSCRIBE without a Topic Filter', 'filters.0.filter.length');
  const filters: string[] = [];
  do {
    const rules = (filters.length === 0 ? firstFilter : nextFilter)[version];
    filters.push(reader.string(`filters.${filters.length}.filter`, rules));
  } while (reader.left > 0);
  return { type: 'UNSUBSCRIBE', packetId, filters, properties };
}

/** Section 3.11. */
export function unsuback(reader: Reader): Unsuback {
  const { version } = reader;
  const packetId = reader.uint16('packetId', acknowledged[version]);
  if (version === 'v3') {
    reader.finish(acknowledged.v3);
    return { type: 'UNSUBACK', packetId };
  }
  const properties = readProperties(reader, 'UNSUBACK');
  const codes = reasonCodes(reader, 'UNSUBACK', ['v5/3.11.3-1']);
  return { type: 'UNSUBACK', packetId, codes, properties };
}

/** In 5.0 a list without an element is a Protocol Error, while one that ends within an element is malformed. */
function checkNotEmpty(reader: Reader, rules: Rules, reason: string, part: string): void {
  if (reader.version === 'v5' && reader.left === 0) {
    throw reader.fault(rules.missing, rules, reason, part, reader.at, 0x82);
  }
}
