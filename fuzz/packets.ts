/** Arbitrary packets: well-formed ones of every type, and bends that damage them. */

import fc, { type Arbitrary } from 'fast-check';
import type { Version } from '../harness/spec/index.ts';
import {
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
import type { Packet, PacketType, QoS } from '../harness/wire/packet.ts';

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

/** A user name, and a password only beside it (section 3.1.2.9). */
const credentials = fc.oneof(
  fc.constant({}),
  fc.record({ userName: text }),
  fc.record({ userName: text, password: binary }),
);

const will = fc.record({ topic: topicName, payload: binary, qos, retain: fc.boolean() });

/** An empty Client Identifier only with Clean Session 1 (section 3.1.3.1). */
const connects = fc
  .record({
    clientId: text,
    clean: fc.boolean(),
    keepAlive: fc.integer({ min: 0, max: 0xffff }),
    will: fc.option(will, { nil: undefined }),
    credentials,
  })
  .map((fields) => connect({ ...fields, clean: fields.clean || fields.clientId === '', ...fields.credentials }));

/** DUP 1 only with QoS 1 and 2 (section 3.3.1.1). */
const publishes = fc
  .record({ topic: topicName, payload, qos, packetId, retain: fc.boolean(), dup: fc.boolean() })
  .map((fields) => publish({ ...fields, dup: fields.dup && fields.qos > 0 }));

const subscribes = fc
  .tuple(packetId, fc.array(fc.record({ filter: topicFilter, qos }), { minLength: 1, maxLength: 5 }))
  .map(([id, filters]) => subscribe(id, ...filters));

const unsubscribes = fc
  .tuple(packetId, fc.array(topicFilter, { minLength: 1, maxLength: 5 }))
  .map(([id, filters]) => unsubscribe(id, ...filters));

const subacks = fc
  .tuple(packetId, fc.array(fc.constantFrom(0, 1, 2, 0x80), { minLength: 1, maxLength: 5 }))
  .map(([id, codes]) => suback(id, codes));

const connacks = fc
  .record({ sessionPresent: fc.boolean(), code: fc.integer({ min: 0, max: 5 }) })
  .map(({ sessionPresent, code }) => connack({ code, sessionPresent: sessionPresent && code === 0 }));

/** Well-formed packets by their type. */
export const packetOf: Readonly<Record<PacketType, Arbitrary<Packet>>> = {
  CONNECT: connects,
  CONNACK: connacks,
  PUBLISH: publishes,
  PUBACK: packetId.map(puback),
  PUBREC: packetId.map(pubrec),
  PUBREL: packetId.map(pubrel),
  PUBCOMP: packetId.map(pubcomp),
  SUBSCRIBE: subscribes,
  SUBACK: subacks,
  UNSUBSCRIBE: unsubscribes,
  UNSUBACK: packetId.map(unsuback),
  PINGREQ: fc.constant(pingreq()),
  PINGRESP: fc.constant(pingresp()),
  DISCONNECT: fc.constant(disconnect()),
};

/** A well-formed packet of any type, whichever side sends it. */
export const packet: Arbitrary<Packet> = fc.oneof(...Object.values(packetOf));

const bytes = fc.array(fc.integer({ min: 0, max: 0xff }), { maxLength: 6 });

const change: Arbitrary<Change> = fc.oneof(
  bytes,
  fc.record({ repeat: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ append: bytes }),
  fc.record({ keep: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ add: fc.constantFrom(-2, -1, 1, 2, 0x80) }),
);

/** A bend of some of this packet's parts. Remaining Length is not added to where that leads out of its range. */
export function bendOf(packet: Packet, version: Version, partsAtMost = 3): Arbitrary<Bend> {
  const names = parts(packet, version).map(({ name }) => name);
  return fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), change), {
      selector: ([name]) => name,
      minLength: 1,
      maxLength: partsAtMost,
    })
    .map((changes) =>
      Object.fromEntries(changes.filter(([name, how]) => name !== 'remainingLength' || !('add' in how))),
    );
}
