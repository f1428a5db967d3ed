/** Whatever bytes arrive, the broker either answers or closes, and other clients are served. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Version } from '../harness/spec/index.ts';
import { connect, disconnect, pingreq, pingresp, publish } from '../harness/wire/build.ts';
import { encode } from '../harness/wire/encode.ts';
import { examples } from '../harness/wire/examples.ts';
import { fromHex } from '../harness/wire/utf8.ts';
import { versionOfConnect } from './form.ts';
import { type Stage, start, type TestClient } from './testClient.ts';

const level = { v3: 4, v5: 5 } as const;

/** An example, with some bytes changed. */
function damaged(version: Version): fc.Arbitrary<Uint8Array> {
  const { wellFormed, malformed } = examples[version];
  const all = [...wellFormed.map(({ hex }) => fromHex(hex)), ...malformed.map(({ bytes }) => bytes('to', 'cl'))];
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 0xff })), { maxLength: 4 });
  return fc.tuple(fc.constantFrom(...all), changes).map(([example, changed]) => {
    const bytes = Uint8Array.from(example);
    for (const [at, value] of changed) bytes[at % bytes.length] = value;
    return bytes;
  });
}

describe('any bytes', () => {
  it.each([
    ['v3', true],
    ['v3', false],
    ['v5', true],
    ['v5', false],
  ] as const)('of %s after a CONNECT: %s', (version, connected) => {
    const segments = fc.array(fc.oneof(damaged(version), fc.uint8Array({ maxLength: 20 })), { maxLength: 10 });
    fc.assert(
      fc.property(segments, (bytes) => {
        const stage = start({ secret: 'secret' });
        const witness = stage.connect('witness', { keepAlive: 0 });
        const client = stage.open(version);
        if (connected) {
          client.sendBytes(encode(connect({ clientId: 'c', protocolLevel: level[version] }), version));
        }
        for (const segment of bytes) client.sendBytes(segment);
        client.drop();
        expect(witness.send(pingreq()).read()).toEqual([pingresp()]);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('4.13 Handling errors', () => {
  const open = (stage: Stage, version: Version): TestClient =>
    version === 'v3' ? stage.connect('cl') : stage.connect5('cl');

  it.each(examples.v5.malformed)('answers $title with a fitting Reason Code and closes', ({ when, bytes, codes }) => {
    const stage = start();
    const client = when === 'first' ? stage.open('v5') : open(stage, 'v5');
    const packets = client.sendBytes(bytes('to', 'cl')).read();
    expect(client.closed).toBe(true);
    // A client that does not tell its version cannot be answered in it.
    if (when === 'first' && versionOfConnect(bytes('to', 'cl')) === undefined) return expect(packets).toEqual([]);
    const [answer] = packets;
    expect(packets).toHaveLength(1);
    expect(answer?.type).toBe(when === 'first' ? 'CONNACK' : 'DISCONNECT');
    expect(codes).toContain(answer && 'code' in answer ? answer.code : undefined);
  });

  it('closes without an answer when it chooses to, but for a session that is taken over', () => {
    const stage = start({ choices: { errorAnswer: 'close' } });
    const client = stage.connect5('c').send(publish({ topic: 'a/#' }));
    expect([client.read(), client.closed]).toEqual([[], true]);
    const old = stage.connect5('c');
    stage.connect5('c');
    expect(old.read()).toMatchObject([{ type: 'DISCONNECT', code: 0x8e }]);
  });

  it('says why it ends a connection that is at no fault', () => {
    const stage = start();
    const [silent, other] = [stage.connect5('silent', { keepAlive: 10 }), stage.connect5('other', { keepAlive: 0 })];
    stage.elapse(15_001);
    expect(silent.read()).toMatchObject([{ type: 'DISCONNECT', code: 0x8d }]);
    stage.broker.close();
    expect(other.read()).toMatchObject([{ type: 'DISCONNECT', code: 0x8b }]);
  });

  it('answers a DISCONNECT with nothing', () => {
    const client = start().connect5('c').send(disconnect(), pingreq());
    expect([client.read(), client.closed]).toEqual([[], true]);
  });
});
