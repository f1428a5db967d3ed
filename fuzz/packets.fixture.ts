/** Arbitrary packets: well-formed ones of every type, and bends that damage them. */

import fc, { type Arbitrary } from 'fast-check';
import type { Version } from '../harness/spec/index.ts';
import {
  auth,
  connack,
  connect,
  disconnect,
  pingreq,
  pingresp,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
} from '../harness/wire/build.ts';
import { type Bend, type Change, parts } from '../harness/wire/encode.ts';
import type { Packet, PacketType, Properties, QoS, RetainHandling } from '../harness/wire/packet.ts';
import { type Property, type PropertyPlace, properties as propertyTable } from '../harness/wire/properties.ts';
import { type ReasonPlace, reasonCodesOf } from '../harness/wire/reasons.ts';

/** Text that section 1.5.3 allows: any code point but the surrogates and U+0000. */
export const text: Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 12 }).map((any) => any.replaceAll('\0', '')),
  // Around the borders of one, two, three and four bytes, and the byte order mark.
  fc.string({
    unit: fc.constantFrom('\u007F', '\u0080', '\u07FF', '\u0800', '\uFEFF', '\uFFFF', '\u{10000}', '\u{10FFFF}'),
  }),
);

const level = fc.oneof(
  fc.constantFrom('', 'a', 'b', ' ', '$SYS'),
  text.map((any) => any.replace(/[+#/]/g, '')),
);

/** A Topic Name (section 4.7): not empty, without wildcards. */
export const topicName: Arbitrary<string> = fc
  .array(level, { minLength: 1, maxLength: 5 })
  .map((levels) => levels.join('/') || '/');

/** A Topic Filter with its wildcards where they may stand. */
export const topicFilter: Arbitrary<string> = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([levels, multiLevel]) => [...levels, ...(multiLevel ? ['#'] : [])].join('/') || '+');

/** Any identifier, those at the borders more often. */
export const packetId: Arbitrary<number> = fc.oneof(
  fc.constantFrom(1, 0x00ff, 0x0100, 0xffff),
  fc.integer({ min: 1, max: 0xffff }),
);

export const qos: Arbitrary<QoS> = fc.constantFrom(0, 1, 2);

/** Payloads are opaque: any bytes, with lengths around the borders of Remaining Length now and then. */
export const payload: Arbitrary<Uint8Array> = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 110, max: 130 }).map((size) => new Uint8Array(size)) },
  { weight: 1, arbitrary: fc.integer({ min: 16_370, max: 16_390 }).map((size) => new Uint8Array(size)) },
);

const binary = fc.uint8Array({ maxLength: 20 });

/** A number of a property, the ends of its range more often. */
function numberOf(least: number, greatest: number): Arbitrary<number> {
  return fc.oneof(fc.constantFrom(least, greatest), fc.integer({ min: least, max: greatest }));
}

const greatestOf = {
  byte: 1,
  'two-byte integer': 0xffff,
  'four-byte integer': 0xffff_ffff,
  'variable byte integer': 268_435_455,
} as const;

/** What the field of one property may hold. Bytes are flags, all of them. */
function valuesOf({ name, type, range }: Property): Arbitrary<Properties[keyof Properties]> {
  switch (type) {
    case 'byte':
    case 'two-byte integer':
    case 'four-byte integer':
      return numberOf(range?.least ?? 0, greatestOf[type]);
    case 'variable byte integer':
      return fc.array(fc.oneof(fc.constantFrom(127, 128, 16_383, 16_384), numberOf(1, greatestOf[type])), {
        minLength: 1,
        maxLength: 3,
      });
    case 'string':
      return name === 'responseTopic' ? topicName : text;
    case 'binary':
      return binary;
    case 'string pair':
      return fc.array(fc.tuple(fc.oneof(fc.constantFrom('a', 'b', ''), text), text), { minLength: 1, maxLength: 4 });
  }
}

/** Properties that may stand in this place, each now and then; `undefined` for none. */
export function propertiesOf(place: PropertyPlace): Arbitrary<Properties | undefined> {
  const rows = propertyTable.filter(({ places }) => places.includes(place));
  const model = Object.fromEntries(rows.map((row) => [row.name, valuesOf(row)]));
  const some = fc.record(model, { requiredKeys: [] }) as Arbitrary<Properties>;
  return fc.oneof(fc.constant(undefined), some.map(allowed(place)));
}

/** The rules between properties: one identifier in a SUBSCRIBE, no Authentication Data without a method. */
function allowed(place: PropertyPlace) {
  return ({ authenticationData, subscriptionIdentifiers, ...rest }: Properties): Properties | undefined => {
    const identifiers = subscriptionIdentifiers?.slice(0, place === 'PUBLISH' ? undefined : 1);
    const keepsData = authenticationData && (place !== 'CONNECT' || rest.authenticationMethod !== undefined);
    const kept = {
      ...rest,
      ...(identifiers && { subscriptionIdentifiers: identifiers }),
      ...(keepsData && { authenticationData }),
    };
    return Object.keys(kept).length > 0 ? kept : undefined;
  };
}

/** Absent in 3.1.1. */
function propertiesIn(version: Version, place: PropertyPlace): Arbitrary<Properties | undefined> {
  return version === 'v5' ? propertiesOf(place) : fc.constant(undefined);
}

function reasonCode(place: ReasonPlace): Arbitrary<number> {
  return fc.constantFrom(...reasonCodesOf(place));
}

/** A user name and a password; in 3.1.1 a password only beside a user name (section 3.1.2.9). */
function credentials(version: Version): Arbitrary<{ userName?: string; password?: Uint8Array }> {
  const both = fc.record({ userName: text, password: binary });
  if (version === 'v5') return fc.oneof(fc.constant({}), fc.record({ password: binary }), both);
  return fc.oneof(fc.constant({}), fc.record({ userName: text }), both);
}

/** In 3.1.1 an empty Client Identifier only with Clean Session 1 (section 3.1.3.1). */
function connects(version: Version): Arbitrary<Packet> {
  const will = fc.record({
    topic: topicName,
    payload: binary,
    qos,
    retain: fc.boolean(),
    properties: propertiesIn(version, 'WILL'),
  });
  return fc
    .record({
      clientId: text,
      clean: fc.boolean(),
      keepAlive: fc.integer({ min: 0, max: 0xffff }),
      will: fc.option(will, { nil: undefined }),
      credentials: credentials(version),
      properties: propertiesIn(version, 'CONNECT'),
    })
    .map(({ credentials: given, ...fields }) =>
      connect({
        ...fields,
        ...given,
        clean: fields.clean || (version === 'v3' && fields.clientId === ''),
        protocolLevel: version === 'v5' ? 5 : 4,
      }),
    );
}

/** DUP 1 only with QoS 1 and 2 (section 3.3.1.1); no topic only with an alias (5.0, section 3.3.2.3.4). */
function publishes(version: Version): Arbitrary<Packet> {
  return fc
    .record({
      topic: topicName,
      payload,
      qos,
      packetId,
      retain: fc.boolean(),
      dup: fc.boolean(),
      properties: propertiesIn(version, 'PUBLISH'),
      byAlias: fc.boolean(),
    })
    .map(({ byAlias, ...fields }) =>
      publish({
        ...fields,
        topic: byAlias && fields.properties?.topicAlias !== undefined ? '' : fields.topic,
        dup: fields.dup && fields.qos > 0,
      }),
    );
}

/** With all of its options; No Local not for a Shared Subscription (section 3.8.3.1). */
const subscription5 = fc
  .record({
    filter: fc.oneof(
      { weight: 4, arbitrary: topicFilter },
      { weight: 1, arbitrary: topicFilter.map((filter) => `$share/group/${filter}`) },
    ),
    qos,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    retainHandling: fc.constantFrom<RetainHandling[]>(0, 1, 2),
  })
  .map((options) => ({ ...options, noLocal: options.noLocal && !options.filter.startsWith('$share/') }));

function subscribes(version: Version): Arbitrary<Packet> {
  const subscription = version === 'v5' ? subscription5 : fc.record({ filter: topicFilter, qos });
  return fc
    .tuple(packetId, fc.array(subscription, { minLength: 1, maxLength: 5 }), propertiesIn(version, 'SUBSCRIBE'))
    .map(([id, filters, properties]) => subscribe({ packetId: id, properties }, ...filters));
}

function unsubscribes(version: Version): Arbitrary<Packet> {
  return fc
    .tuple(packetId, fc.array(topicFilter, { minLength: 1, maxLength: 5 }), propertiesIn(version, 'UNSUBSCRIBE'))
    .map(([id, filters, properties]) => unsubscribe({ packetId: id, properties }, ...filters));
}

const subacks3 = fc
  .tuple(packetId, fc.array(fc.constantFrom(0, 1, 2, 0x80), { minLength: 1, maxLength: 5 }))
  .map(([id, codes]) => suback(id, codes));

function listed(
  place: 'SUBACK' | 'UNSUBACK',
  build: (packetId: number, codes: readonly number[], properties?: Properties) => Packet,
): Arbitrary<Packet> {
  const codes = fc.array(reasonCode(place), { minLength: 1, maxLength: 5 });
  return fc.tuple(packetId, codes, propertiesOf(place)).map(([id, each, given]) => build(id, each, given));
}

function connacks(version: Version): Arbitrary<Packet> {
  return fc
    .record({
      sessionPresent: fc.boolean(),
      code: version === 'v5' ? reasonCode('CONNACK') : fc.integer({ min: 0, max: 5 }),
      properties: propertiesIn(version, 'CONNACK'),
    })
    .map((fields) => connack({ ...fields, sessionPresent: fields.sessionPresent && fields.code === 0 }));
}

/** An acknowledgement that says its Reason Code, as `decode` returns it. */
function acknowledgements(place: ReasonPlace, build: typeof puback): Arbitrary<Packet> {
  return fc
    .tuple(packetId, reasonCode(place), propertiesOf(place))
    .map(([id, code, properties]) => build(id, { code, properties }));
}

const auths = fc
  .tuple(reasonCode('AUTH'), text, propertiesOf('AUTH'))
  .map(([code, authenticationMethod, rest]) => auth({ code, properties: { authenticationMethod, ...rest } }));

const disconnects = fc
  .tuple(reasonCode('DISCONNECT'), propertiesOf('DISCONNECT'))
  .map(([code, properties]) => disconnect({ code, properties }));

type Packets = Readonly<Partial<Record<PacketType, Arbitrary<Packet>>>>;

const packets3: Packets = {
  CONNECT: connects('v3'),
  CONNACK: connacks('v3'),
  PUBLISH: publishes('v3'),
  PUBACK: packetId.map((id) => puback(id)),
  PUBREC: packetId.map((id) => pubrec(id)),
  PUBREL: packetId.map((id) => pubrel(id)),
  PUBCOMP: packetId.map((id) => pubcomp(id)),
  SUBSCRIBE: subscribes('v3'),
  SUBACK: subacks3,
  UNSUBSCRIBE: unsubscribes('v3'),
  UNSUBACK: packetId.map((id) => unsuback(id)),
  PINGREQ: fc.constant(pingreq()),
  PINGRESP: fc.constant(pingresp()),
  DISCONNECT: fc.constant(disconnect()),
};

const packets5: Packets = {
  CONNECT: connects('v5'),
  CONNACK: connacks('v5'),
  PUBLISH: publishes('v5'),
  PUBACK: acknowledgements('PUBACK', puback),
  PUBREC: acknowledgements('PUBREC', pubrec),
  PUBREL: acknowledgements('PUBREL', pubrel),
  PUBCOMP: acknowledgements('PUBCOMP', pubcomp),
  SUBSCRIBE: subscribes('v5'),
  SUBACK: listed('SUBACK', suback),
  UNSUBSCRIBE: unsubscribes('v5'),
  UNSUBACK: listed('UNSUBACK', unsuback),
  PINGREQ: fc.constant(pingreq()),
  PINGRESP: fc.constant(pingresp()),
  DISCONNECT: disconnects,
  AUTH: auths,
};

/** Well-formed packets by version and type, whichever side sends them, in the form in which `decode` returns them. */
export const packetOf: Readonly<Record<Version, Packets>> = { v3: packets3, v5: packets5 };

/** A well-formed packet of any type, whichever side sends it. */
export const packet: Readonly<Record<Version, Arbitrary<Packet>>> = {
  v3: fc.oneof(...Object.values(packets3)),
  v5: fc.oneof(...Object.values(packets5)),
};

const bytes = fc.array(fc.integer({ min: 0, max: 0xff }), { maxLength: 6 });

const change: Arbitrary<Change> = fc.oneof(
  bytes,
  fc.record({ repeat: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ append: bytes }),
  fc.record({ keep: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ add: fc.constantFrom(-2, -1, 1, 2, 0x80) }),
);

/**
 * A bend of some of this packet's parts. Nothing is added to Remaining Length and Property Length, because that may
 * lead out of their range.
 */
export function bendOf(packet: Packet, version: Version, partsAtMost = 3): Arbitrary<Bend> {
  const names = parts(packet, version).map(({ name }) => name);
  return fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), change), {
      selector: ([name]) => name,
      minLength: 1,
      maxLength: partsAtMost,
    })
    .map((changes) =>
      Object.fromEntries(
        changes.filter(([name, how]) => !/^remainingLength$|properties\.length$/.test(name) || !('add' in how)),
      ),
    );
}
