/** The codec on arbitrary packets and bytes, and against an independent one. */

import fc from 'fast-check';
import mqttPacket, { type Packet as Foreign } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { bendOf, packet } from '../../fuzz/packets.fixture.ts';
import type { Version } from '../spec/index.ts';
import { hex } from './build.ts';
import { decode, Malformed } from './decode.ts';
import { encode, parts, remainingLength } from './encode.ts';
import { Framer, TooLarge } from './frame.ts';
import type { Packet, Properties } from './packet.ts';
import { checkSender } from './sender.ts';

const versions: readonly Version[] = ['v3', 'v5'];

describe.each(versions)('a well-formed packet of %s', (version) => {
  it('comes back from its bytes', () => {
    fc.assert(
      fc.property(packet[version], (sent) => {
        expect(plain(decode(encode(sent, version), version))).toEqual(plain(sent));
      }),
      { numRuns: 400 },
    );
  });

  it('is the sum of its parts', () => {
    fc.assert(
      fc.property(packet[version], (sent) => {
        expect(hex(Buffer.concat(parts(sent, version).map(({ bytes }) => bytes)))).toBe(hex(encode(sent, version)));
      }),
      { numRuns: 400 },
    );
  });

  it('may come from one side at least', () => {
    fc.assert(
      fc.property(
        // One that has a property of one side and the Reason Code of the other may come from neither.
        packet[version].filter(({ type }) => type !== 'DISCONNECT'),
        (sent) => {
          const refused = (['client', 'server'] as const).filter((side) => {
            try {
              checkSender(sent, side, version);
              return false;
            } catch (fault) {
              return fault instanceof Malformed;
            }
          });
          expect(refused.length).toBeLessThan(2);
        },
      ),
      { numRuns: 400 },
    );
  });
});

it('what only MQTT 5.0 has is left out of the bytes of a 3.1.1 packet', () => {
  fc.assert(
    fc.property(
      packet.v5.filter(({ type }) => type !== 'AUTH'),
      (sent) => {
        const bytes = parts(sent, 'v3');
        expect(bytes.map(({ name }) => name).filter((name) => /properties/.test(name))).toEqual([]);
        const fixed = ['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'UNSUBACK', 'DISCONNECT'].includes(sent.type);
        if (fixed) expect(() => decode(encode(sent, 'v3'), 'v3')).not.toThrow();
      },
    ),
    { numRuns: 400 },
  );
});

describe.each(versions)('the decoder of %s throws nothing but Malformed', (version) => {
  /** Decodes, and passes over what the decoder is there to refuse. */
  function judge(bytes: Uint8Array): void {
    try {
      // What is accepted can be sent again, and says the same then.
      const accepted = decode(bytes, version);
      expect(plain(decode(encode(accepted, version), version))).toEqual(plain(accepted));
    } catch (fault) {
      if (!(fault instanceof Malformed)) throw fault;
      expect(fault.requirements.length).toBeGreaterThan(0);
      expect(fault.requirements.filter((id) => !id.startsWith(version))).toEqual([]);
      expect(fault.offset).toBeGreaterThanOrEqual(0);
      expect(fault.offset).toBeLessThanOrEqual(bytes.length);
      expect(typeof fault.code).toBe(version === 'v5' ? 'number' : 'undefined');
    }
  }

  it('on any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), judge), { numRuns: 3000 });
  });

  it('on any body behind a header that fits', () => {
    const frames = fc
      .tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 60 }))
      .map(([header, body]) => Buffer.concat([Uint8Array.of(header), remainingLength(body.length), body]));
    fc.assert(fc.property(frames, judge), { numRuns: 5000 });
  });

  it('on bent packets', () => {
    const bent = packet[version].chain((sent) => bendOf(sent, version).map((bend) => encode(sent, version, bend)));
    fc.assert(fc.property(bent, judge), { numRuns: 3000 });
  });

  it('on a packet cut off anywhere', () => {
    fc.assert(
      fc.property(packet[version], (sent) => {
        const bytes = encode(sent, version);
        for (let end = 0; end < Math.min(bytes.length, 60); end++) {
          expect(() => decode(bytes.subarray(0, end), version)).toThrow(Malformed);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('and the framer nothing but that and TooLarge', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 }), (chunks) => {
        const framer = new Framer(version, 1000);
        try {
          for (const chunk of chunks) {
            framer.push(chunk);
            for (let frame = framer.next(); frame; frame = framer.next()) judge(frame);
          }
        } catch (fault) {
          if (!(fault instanceof Malformed || fault instanceof TooLarge)) throw fault;
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/**
 * What mqtt-packet 9 cannot say, put into words that it can. It keeps User Properties as an object: the order of
 * different names is lost, and so is an empty value before another one of the same name. It refuses to write what 5.0
 * allows: a password without a user name, and Clean Start 0 without a Client Identifier. And it takes 0x8C in a
 * DISCONNECT for an error, about which the tables of the standard disagree.
 */
function sayable(sent: Packet): Packet {
  const properties = 'properties' in sent && sent.properties ? { properties: ordered(sent.properties) } : {};
  if (sent.type === 'DISCONNECT' && sent.code === 0x8c) return { ...sent, ...properties, code: 0x80 };
  if (sent.type !== 'CONNECT') return { ...sent, ...properties };
  const { will, password } = sent;
  return {
    ...sent,
    ...properties,
    ...(will?.properties && { will: { ...will, properties: ordered(will.properties) } }),
    ...(password && { userName: sent.userName ?? 'user' }),
    clean: sent.clean || sent.clientId === '',
  };
}

function ordered(properties: Properties): Properties {
  const { userProperties } = properties;
  if (!userProperties) return properties;
  const pairs = userProperties.map(([name, value]) => [`_${name}`, value || 'empty'] as const);
  const names = [...new Set(pairs.map(([name]) => name))];
  return { ...properties, userProperties: names.flatMap((name) => pairs.filter(([each]) => each === name)) };
}

describe.each(versions)('against mqtt-packet, in %s', (version) => {
  it('what we encode it parses to the same fields', () => {
    fc.assert(
      fc.property(packet[version].map(sayable), (sent) => {
        expect(plain(parsed(encode(sent, version), version))).toEqual(plain(foreign(sent, version)));
      }),
      { numRuns: 1000 },
    );
  });

  it('what it generates we decode to the same fields', () => {
    fc.assert(
      fc.property(packet[version].map(sayable), (sent) => {
        const options = { protocolVersion: version === 'v5' ? 5 : 4 };
        const generated = mqttPacket.generate(foreign(sent, version) as unknown as Foreign, options);
        expect(plain(decode(generated, version))).toEqual(plain(sent));
        // In 5.0 the end of a packet may be left out or not, so the bytes may differ.
        if (version === 'v3') expect(hex(generated)).toBe(hex(encode(sent, version)));
      }),
      { numRuns: 1000 },
    );
  });
});

/** The fields that mqtt-packet finds in the bytes. */
function parsed(bytes: Uint8Array, version: Version): unknown {
  const packets: Foreign[] = [];
  const parser = mqttPacket.parser({ protocolVersion: version === 'v5' ? 5 : 4 });
  parser.on('packet', (each) => packets.push(each));
  parser.on('error', (fault) => {
    throw fault;
  });
  parser.parse(Buffer.from(bytes));
  expect(packets.length).toBe(1);
  // Its bookkeeping, and fields that hold nothing.
  const { length: _length, ...fields } = packets[0] as Foreign & Record<string, unknown>;
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

/** Our properties in the words of mqtt-packet: flags as booleans, lists of one as the one, pairs as an object. */
function foreignProperties(properties: Properties | undefined) {
  if (!properties) return {};
  const { subscriptionIdentifiers: ids, userProperties, subscriptionIdentifierAvailable, ...rest } = properties;
  const flags = [
    'payloadFormatIndicator',
    'requestProblemInformation',
    'requestResponseInformation',
    'retainAvailable',
    'wildcardSubscriptionAvailable',
    'sharedSubscriptionAvailable',
  ];
  const simple = Object.entries(rest).map(([name, value]) => [
    name,
    flags.includes(name) ? value === 1 : value instanceof Uint8Array ? Buffer.from(value) : value,
  ]);
  const pairs = new Map<string, string[]>();
  for (const [name, value] of userProperties ?? []) pairs.set(name, [...(pairs.get(name) ?? []), value]);
  const grouped = [...pairs].map(([name, values]) => [name, values.length === 1 ? values[0] : values]);
  return {
    properties: {
      ...Object.fromEntries(simple),
      ...(ids && { subscriptionIdentifier: ids.length === 1 ? ids[0] : ids }),
      ...(userProperties && { userProperties: Object.fromEntries(grouped) }),
      ...(subscriptionIdentifierAvailable !== undefined && {
        subscriptionIdentifiersAvailable: subscriptionIdentifierAvailable === 1,
      }),
    },
  };
}

/** Our packet in the words of mqtt-packet. */
function foreign(packet: Packet, version: Version): Record<string, unknown> {
  const of = 'properties' in packet ? foreignProperties(packet.properties) : {};
  const fixed = { cmd: packet.type.toLowerCase(), dup: false, qos: 0, retain: false, ...of };
  const reason = 'code' in packet ? { reasonCode: packet.code } : {};
  switch (packet.type) {
    case 'CONNECT':
      return {
        ...fixed,
        protocolId: packet.protocolName,
        protocolVersion: packet.protocolLevel,
        clean: packet.clean,
        keepalive: packet.keepAlive,
        clientId: packet.clientId,
        ...(packet.will && {
          will: {
            topic: packet.will.topic,
            qos: packet.will.qos,
            retain: packet.will.retain,
            payload: Buffer.from(packet.will.payload),
            ...foreignProperties(packet.will.properties),
          },
        }),
        ...(packet.userName !== undefined && { username: packet.userName }),
        ...(packet.password && { password: Buffer.from(packet.password) }),
      };
    case 'CONNACK':
      return {
        ...fixed,
        sessionPresent: packet.sessionPresent,
        ...(version === 'v5' ? reason : { returnCode: packet.code }),
      };
    case 'PUBLISH': {
      const { type: _type, packetId, payload, properties: _properties, ...rest } = packet;
      return {
        ...fixed,
        ...rest,
        payload: Buffer.from(payload),
        ...(packetId !== undefined && { messageId: packetId }),
      };
    }
    case 'PUBREL':
      return { ...fixed, qos: 1, messageId: packet.packetId, ...reason };
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBCOMP':
      return { ...fixed, messageId: packet.packetId, ...reason };
    case 'UNSUBACK':
      return { ...fixed, messageId: packet.packetId, ...(packet.codes && { granted: [...packet.codes] }) };
    case 'SUBSCRIBE':
      return {
        ...fixed,
        qos: 1,
        messageId: packet.packetId,
        subscriptions: packet.filters.map(({ filter, qos, noLocal, retainAsPublished, retainHandling }) => ({
          topic: filter,
          qos,
          ...(version === 'v5' && { nl: noLocal, rap: retainAsPublished, rh: retainHandling }),
        })),
      };
    case 'SUBACK':
      return { ...fixed, messageId: packet.packetId, granted: [...packet.codes] };
    case 'UNSUBSCRIBE':
      return { ...fixed, qos: 1, messageId: packet.packetId, unsubscriptions: [...packet.filters] };
    case 'PINGREQ':
    case 'PINGRESP':
      return fixed;
    case 'DISCONNECT':
    case 'AUTH':
      return { ...fixed, ...reason };
  }
}

/** Fields with byte arrays as hexadecimal, because the class of the array does not matter. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}
