/** The codec on arbitrary packets and bytes, and against an independent one. */

import fc from 'fast-check';
import mqttPacket, { type Packet as Foreign } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { bendOf, packet } from '../../fuzz/packets.ts';
import { hex } from './build.ts';
import { decode, Malformed } from './decode.ts';
import { encode, parts, remainingLength } from './encode.ts';
import { Framer, TooLarge } from './frame.ts';
import type { Packet } from './packet.ts';

describe('a well-formed packet', () => {
  it('comes back from its bytes', () => {
    fc.assert(
      fc.property(packet, (sent) => {
        expect(plain(decode(encode(sent, 'v3'), 'v3'))).toEqual(plain(sent));
      }),
    );
  });

  it('is the sum of its parts', () => {
    fc.assert(
      fc.property(packet, (sent) => {
        expect(hex(Buffer.concat(parts(sent, 'v3').map(({ bytes }) => bytes)))).toBe(hex(encode(sent, 'v3')));
      }),
    );
  });
});

/** Decodes, and passes over what the decoder is there to refuse. */
function judge(bytes: Uint8Array): void {
  try {
    // What is accepted can be sent again, and says the same then.
    const accepted = decode(bytes, 'v3');
    expect(plain(decode(encode(accepted, 'v3'), 'v3'))).toEqual(plain(accepted));
  } catch (fault) {
    if (!(fault instanceof Malformed)) throw fault;
    expect(fault.requirements.length).toBeGreaterThan(0);
    expect(fault.offset).toBeGreaterThanOrEqual(0);
    expect(fault.offset).toBeLessThanOrEqual(bytes.length);
  }
}

describe('the decoder throws nothing but Malformed', () => {
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
    const bent = packet.chain((sent) => bendOf(sent, 'v3').map((bend) => encode(sent, 'v3', bend)));
    fc.assert(fc.property(bent, judge), { numRuns: 3000 });
  });

  it('on a packet cut off anywhere', () => {
    fc.assert(
      fc.property(packet, (sent) => {
        const bytes = encode(sent, 'v3');
        for (let end = 0; end < Math.min(bytes.length, 60); end++) {
          expect(() => decode(bytes.subarray(0, end), 'v3')).toThrow(Malformed);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('and the framer nothing but that and TooLarge', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 }), (chunks) => {
        const framer = new Framer('v3', 1000);
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

describe('against mqtt-packet', () => {
  it('what we encode it parses to the same fields', () => {
    fc.assert(
      fc.property(packet, (sent) => {
        expect(plain(parsed(encode(sent, 'v3')))).toEqual(plain(foreign(sent)));
      }),
      { numRuns: 1000 },
    );
  });

  it('what it generates we decode to the same fields', () => {
    fc.assert(
      fc.property(packet, (sent) => {
        const generated = mqttPacket.generate(foreign(sent) as unknown as Foreign);
        expect(plain(decode(generated, 'v3'))).toEqual(plain(sent));
        expect(hex(generated)).toBe(hex(encode(sent, 'v3')));
      }),
      { numRuns: 1000 },
    );
  });
});

/** The fields that mqtt-packet finds in the bytes. */
function parsed(bytes: Uint8Array): unknown {
  const packets: Foreign[] = [];
  const parser = mqttPacket.parser({ protocolVersion: 4 });
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

/** Our packet in the words of mqtt-packet. */
function foreign(packet: Packet): Record<string, unknown> {
  const fixed = { cmd: packet.type.toLowerCase(), dup: false, qos: 0, retain: false };
  switch (packet.type) {
    case 'CONNECT':
      return {
        ...fixed,
        protocolId: packet.protocolName,
        protocolVersion: packet.protocolLevel,
        clean: packet.clean,
        keepalive: packet.keepAlive,
        clientId: packet.clientId,
        ...(packet.will && { will: { ...packet.will, payload: Buffer.from(packet.will.payload) } }),
        ...(packet.userName !== undefined && { username: packet.userName }),
        ...(packet.password && { password: Buffer.from(packet.password) }),
      };
    case 'CONNACK':
      return { ...fixed, sessionPresent: packet.sessionPresent, returnCode: packet.code };
    case 'PUBLISH': {
      const { type: _type, packetId, payload, ...rest } = packet;
      return {
        ...fixed,
        ...rest,
        payload: Buffer.from(payload),
        ...(packetId !== undefined && { messageId: packetId }),
      };
    }
    case 'PUBREL':
      return { ...fixed, qos: 1, messageId: packet.packetId };
    case 'PUBACK':
    case 'PUBREC':
    case 'PUBCOMP':
    case 'UNSUBACK':
      return { ...fixed, messageId: packet.packetId };
    case 'SUBSCRIBE':
      return {
        ...fixed,
        qos: 1,
        messageId: packet.packetId,
        subscriptions: packet.filters.map(({ filter, qos }) => ({ topic: filter, qos })),
      };
    case 'SUBACK':
      return { ...fixed, messageId: packet.packetId, granted: [...packet.codes] };
    case 'UNSUBSCRIBE':
      return { ...fixed, qos: 1, messageId: packet.packetId, unsubscriptions: [...packet.filters] };
    case 'PINGREQ':
    case 'PINGRESP':
    case 'DISCONNECT':
      return fixed;
  }
}

/** Fields with byte arrays as hexadecimal, because the class of the array does not matter. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}
