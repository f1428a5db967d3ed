/** The example table against the codec, and against its own rules. */

import { describe, expect, it } from 'vitest';
import { requirement, strengthOf, type Version, versionOf } from '../spec/index.ts';
import { fromHex, hex } from './build.ts';
import { decode, Malformed } from './decode.ts';
import { encode, parts } from './encode.ts';
import { examples } from './examples.ts';
import { Framer } from './frame.ts';
import { type Packet, packetTypes } from './packet.ts';
import { properties, propertyPlaces } from './properties.ts';
import { reasonCodesOf, reasonPlaces } from './reasons.ts';
import { checkSender } from './sender.ts';

const topic = 'run-7f/example';
const clientId = 'run7fexample';
const versions: readonly Version[] = ['v3', 'v5'];

describe.each(versions)('well-formed packets of %s', (version) => {
  const { wellFormed } = examples[version];

  it.each(wellFormed)('$id: the packet has the bytes of the standard', ({ packet, hex: digits }) => {
    expect(hex(encode(packet, version))).toBe(hex(fromHex(digits)));
    expect(hex(Buffer.concat(parts(packet, version).map(({ bytes }) => bytes)))).toBe(hex(fromHex(digits)));
  });

  it.each(wellFormed)('$id: the bytes are the packet', ({ packet, hex: digits }) => {
    // The same up to the class of byte arrays.
    expect(plain(decode(fromHex(digits), version))).toEqual(plain(version === 'v5' ? explicit(packet) : packet));
  });

  it('are there for every type', () => {
    const types = new Set(wellFormed.map(({ packet }) => packet.type));
    const all = packetTypes.filter((type) => type !== undefined && (version === 'v5' || type !== 'AUTH'));
    expect([...types].sort()).toEqual(all.sort());
  });

  it('have unique slugs and titles of that version', () => {
    expect(wellFormed.filter((row) => row.version !== version)).toEqual([]);
    expect(new Set(wellFormed.map(({ id }) => id)).size).toBe(wellFormed.length);
    expect(new Set(wellFormed.map(({ title }) => title)).size).toBe(wellFormed.length);
  });
});

/** The packet as `decode` returns it: with what may be left out, and without properties if there are none. */
function explicit(packet: Packet): Packet {
  const given = { ...packet } as Packet & { properties?: object };
  if (given.properties && Object.keys(given.properties).length === 0) delete given.properties;
  if (given.type === 'SUBSCRIBE') {
    const off = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    return { ...given, filters: given.filters.map((each) => ({ ...off, ...each })) };
  }
  const hasOutcome = ['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'DISCONNECT', 'AUTH'].includes(given.type);
  return hasOutcome ? ({ code: 0, ...given } as Packet) : given;
}

describe.each(
  versions.flatMap(
    (version) =>
      [
        { version, from: 'client', rows: examples[version].malformed },
        { version, from: 'server', rows: examples[version].malformedByServer },
      ] as const,
  ),
)('malformed packets of $version from a $from', ({ version, from, rows }) => {
  it.each(rows.filter(({ part }) => part))('$id: $title', ({ bytes, requirements, part, codes }) => {
    for (const credentials of [{}, { userName: 'name', password: 'password' }]) {
      const fault = faultOf(() => decode(bytes(topic, clientId, credentials), version));
      expect(fault.requirements).toEqual(expect.arrayContaining([...requirements]));
      expect(fault.part).toBe(part);
      if (version === 'v5') expect(codes).toContain(fault.code);
    }
  });

  it.each(rows.filter(({ part }) => !part))(
    '$id: $title is well-formed in itself',
    ({ bytes, requirements, codes }) => {
      const packet = decode(bytes(topic, clientId), version);
      const fault = faultOf(() => checkSender(packet, from, version));
      expect(fault.requirements).toEqual(expect.arrayContaining([...requirements]));
      if (version === 'v5') expect(codes).toContain(fault.code);
    },
  );

  it('have unique slugs and titles', () => {
    const slugs = rows.map(({ id }) => id);
    expect(slugs.filter((slug, index) => slugs.indexOf(slug) !== index)).toEqual([]);
    const titles = rows.map(({ title }) => title);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
    expect(slugs.filter((slug) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug))).toEqual([]);
  });

  it('break what the standard demands of that version', () => {
    for (const { id, version: its, requirements } of rows) {
      expect([id, its, requirements.length > 0]).toEqual([id, version, true]);
      for (const each of requirements) {
        expect([id, each, strengthOf(requirement(each).level), versionOf(each)]).toEqual([id, each, 'MUST', version]);
      }
    }
  });

  it('are one whole packet each, unless their length is what is wrong', () => {
    for (const { id, part, bytes } of rows.filter((row) => row.part !== 'remainingLength')) {
      const framer = new Framer(version);
      framer.push(bytes(topic, clientId));
      expect([id, part, framer.next()?.length, framer.pending]).toEqual([id, part, bytes(topic, clientId).length, 0]);
    }
  });
});

describe('the table of 5.0', () => {
  it('has every property in every packet, allowed or not', () => {
    const { malformed, malformedByServer, wellFormed } = examples.v5;
    const wrong = new Set([...malformed, ...malformedByServer].map(({ id }) => id));
    for (const place of propertyPlaces) {
      for (const { name, title, places, repeatable } of properties) {
        const stem = `${place}-${title}`.toLowerCase().replaceAll(' ', '-');
        const allowed = places.includes(place);
        const repeats = repeatable?.includes(place) ?? false;
        const found = ['misplaced', 'without-value', 'repeated'].map((how) => wrong.has(`${stem}-${how}`));
        expect([stem, ...found]).toEqual([stem, !allowed, allowed, allowed && !repeats]);
        const right = wellFormed.filter(({ id }) => id.startsWith(`${stem}-`)).map(({ packet }) => packet);
        const holders = right.map((packet) => (place === 'WILL' && packet.type === 'CONNECT' ? packet.will : packet));
        const has = holders.some(
          (holder) => holder && 'properties' in holder && holder.properties?.[name] !== undefined,
        );
        expect([stem, has]).toEqual([stem, allowed]);
      }
    }
  });

  it('has every Reason Code in every packet that carries one alone', () => {
    const slugs = new Set(examples.v5.wellFormed.map(({ id }) => id));
    for (const place of reasonPlaces.filter((each) => each !== 'SUBACK' && each !== 'UNSUBACK')) {
      const stem = `${place.toLowerCase()}-code-`;
      const typed = [...slugs].filter((slug) => slug.startsWith(stem)).map((slug) => slug.slice(stem.length));
      expect([place, typed.sort()]).toEqual([
        place,
        reasonCodesOf(place)
          .map((code) => code.toString(16).padStart(2, '0'))
          .sort(),
      ]);
    }
  });

  it.each(['SUBACK', 'UNSUBACK'] as const)('has every Reason Code of %s in one packet', (place) => {
    const row = examples.v5.wellFormed.find(({ id }) => id === `${place.toLowerCase()}-every-code`);
    expect(row?.packet).toMatchObject({ codes: reasonCodesOf(place) });
  });
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
