/** Whatever bytes arrive, the broker either answers or closes, and other clients are served. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connect, pingreq, pingresp } from '../harness/wire/build.ts';
import { encode } from '../harness/wire/encode.ts';
import { malformed, wellFormed } from '../harness/wire/examples.ts';
import { fromHex } from '../harness/wire/utf8.ts';
import { start } from './testClient.ts';

const examples = [
  ...wellFormed.filter(({ version }) => version === 'v3').map(({ hex }) => fromHex(hex)),
  ...malformed.filter(({ version }) => version === 'v3').map(({ bytes }) => bytes('t', 'c')),
];

/** An example, with some bytes changed. */
const damaged = fc
  .tuple(
    fc.constantFrom(...examples),
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 0xff })), { maxLength: 4 }),
  )
  .map(([example, changes]) => {
    const bytes = Uint8Array.from(example);
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return bytes;
  });

const segments = fc.array(fc.oneof(damaged, fc.uint8Array({ maxLength: 20 })), { maxLength: 10 });

describe('any bytes', () => {
  it.each([true, false])('after a CONNECT: %s', (connected) => {
    fc.assert(
      fc.property(segments, (bytes) => {
        const stage = start();
        const witness = stage.connect('witness', { keepAlive: 0 });
        const client = stage.open();
        if (connected) client.sendBytes(encode(connect({ clientId: 'c' }), 'v3'));
        for (const segment of bytes) client.sendBytes(segment);
        client.drop();
        expect(witness.send(pingreq()).read()).toEqual([pingresp()]);
      }),
      { numRuns: 2_000 },
    );
  });
});
