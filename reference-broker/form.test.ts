/** What a server may read or refuse, by both choices. */

import { describe, expect, it } from 'vitest';
import { connack, connect, pingresp, publish, subscribe } from '../harness/wire/build.ts';
import { start } from './testClient.ts';

describe('what a server may read or refuse', () => {
  it.each(['accept', 'close'] as const)('a padded Remaining Length: %s', (paddedLength) => {
    const client = start({ choices: { paddedLength } })
      .connect('a')
      .sendBytes(Uint8Array.of(0xc0, 0x80, 0x80, 0));
    const accepts = paddedLength === 'accept';
    expect([client.read(), client.closed]).toEqual([accepts ? [pingresp()] : [], !accepts]);
  });

  it.each([
    ['accept', 1, false],
    ['ignore', 0, false],
    ['close', 0, true],
  ] as const)('DUP with QoS 0: %s', (dupOnQoS0, copies, closed) => {
    const client = start({ choices: { dupOnQoS0 } })
      .connect('a')
      .send(subscribe(1, ['t', 0]));
    client.read();
    client.send(publish({ topic: 't', dup: true }));
    expect([client.read(), client.closed]).toEqual([Array(copies).fill(publish({ topic: 't' })), closed]);
  });

  it.each(['\u0001', '\u007f', '\u009f', '\uffff', '\ufdd0', '\u{1ffff}'])('the character %j', (character) => {
    const accepting = start()
      .connect('a')
      .send(subscribe(1, ['#', 0]), publish({ topic: character }));
    expect(accepting.read().at(-1)).toEqual(publish({ topic: character }));
    const choices = { controlCharacters: 'close' } as const;
    const refusing = start({ choices })
      .connect('a')
      .send(publish({ topic: character }));
    expect(refusing.closed).toBe(true);
    const unknown = start({ choices })
      .open()
      .send(connect({ clientId: character }));
    expect([unknown.read(), unknown.closed]).toEqual([[], true]);
    expect(
      start({ choices })
        .open()
        .send(connect({ clientId: 'é€' }))
        .read(),
    ).toEqual([connack()]);
  });
});
