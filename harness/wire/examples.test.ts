/** The example table against the codec, and against its own rules. */

import { describe, expect, it } from 'vitest';
import { requirement, strengthOf, versionOf } from '../spec/index.ts';
import { fromHex, hex } from './build.ts';
import { decode, Malformed } from './decode.ts';
import { encode } from './encode.ts';
import { malformed, malformedByServer, wellFormed } from './examples.ts';
import { Framer } from './frame.ts';
import { packetTypes } from './packet.ts';

const topic = 'run-7f/example';
const clientId = 'run7fexample';

describe('well-formed packets', () => {
  it.each(wellFormed)('$id: the packet has the bytes of the standard', ({ packet, version, hex: digits }) => {
    expect(hex(encode(packet, version))).toBe(hex(fromHex(digits)));
  });

  it.each(wellFormed)('$id: the bytes are the packet', ({ packet, version, hex: digits }) => {
    const decoded = decode(fromHex(digits), version);
    // The same up to the class of byte arrays.
    expect(encode(decoded, version)).toEqual(encode(packet, version));
    expect(plain(decoded)).toEqual(plain(packet));
  });

  it('are there for every type', () => {
    const types = new Set(wellFormed.map(({ packet }) => packet.type));
    expect([...types].sort()).toEqual(packetTypes.filter((type) => type !== undefined).sort());
  });
});

describe.each([
  { from: 'a client', rows: malformed },
  { from: 'a server', rows: malformedByServer },
])('malformed packets from $from', ({ rows }) => {
  it.each(rows.filter(({ part }) => part))('$id: $title', ({ bytes, version, requirements, part }) => {
    for (const credentials of [{}, { userName: 'name', password: 'password' }]) {
      const fault = faultOf(() => decode(bytes(topic, clientId, credentials), version));
      expect(fault.requirements).toEqual(expect.arrayContaining([...requirements]));
      expect(fault.part).toBe(part);
    }
  });

  it.each(rows.filter(({ part }) => !part))('$id: $title is well-formed in itself', ({ bytes, version }) => {
    expect(() => decode(bytes(topic, clientId), version)).not.toThrow();
  });

  it('have unique slugs and titles', () => {
    const slugs = rows.map(({ id }) => id);
    expect(new Set(slugs).size).toBe(slugs.length);
    expect(new Set(rows.map(({ title }) => title)).size).toBe(slugs.length);
    expect(slugs.filter((slug) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug))).toEqual([]);
  });

  it('break what the standard demands of that version', () => {
    for (const { id, version, requirements } of rows) {
      expect([id, requirements.length > 0]).toEqual([id, true]);
      for (const each of requirements) {
        expect([id, each, strengthOf(requirement(each).level), versionOf(each)]).toEqual([id, each, 'MUST', version]);
      }
    }
  });

  it('are one whole packet each, unless their length is what is wrong', () => {
    for (const { id, part, version, bytes } of rows.filter((row) => row.part !== 'remainingLength')) {
      const framer = new Framer(version);
      framer.push(bytes(topic, clientId));
      expect([id, part, framer.next()?.length, framer.pending]).toEqual([id, part, bytes(topic, clientId).length, 0]);
    }
  });
});

it('well-formed examples have unique slugs', () => {
  expect(new Set(wellFormed.map(({ id }) => id)).size).toBe(wellFormed.length);
});

function faultOf(action: () => unknown): Malformed {
  try {
    action();
  } catch (fault) {
    if (fault instanceof Malformed) return fault;
    throw fault;
  }
  throw new Error('nothing was thrown');
}

/** A packet with its byte arrays as hexadecimal. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, each) =>
      each?.type === 'Buffer' ? hex(Uint8Array.from(each.data)) : each instanceof Uint8Array ? hex(each) : each,
    ),
  );
}
