/** SUBSCRIBE and UNSUBSCRIBE, and their answers. */

import { describe, expect, it } from 'vitest';
import { puback, publish, suback, subscribe, unsuback, unsubscribe } from '../harness/wire/build.ts';
import { start } from './testClient.ts';

const one = (payload: string) => publish({ topic: 't', payload });

describe('3.8.4 SUBSCRIBE Response', () => {
  it('has a code for each filter, in their order', () => {
    const client = start()
      .connect('a')
      .send(subscribe(256, ['z', 2], ['a', 0], ['m', 1], ['a', 1]));
    expect(client.read()).toEqual([suback(256, [2, 0, 1, 1])]);
  });

  it('grants no more than it chooses to', () => {
    const client = start({ choices: { grantedQoS: 1 } })
      .connect('a')
      .send(subscribe(1, ['z', 2], ['a', 0]));
    expect(client.read()).toEqual([suback(1, [1, 0])]);
  });

  it('replaces the subscription with the same filter', () => {
    const client = start()
      .connect('a')
      .send(subscribe(1, ['t', 0]), subscribe(2, ['t', 1]));
    client.read();
    client.send(publish({ topic: 't', qos: 1, packetId: 9 }));
    expect(client.read()).toEqual([publish({ topic: 't', qos: 1, packetId: 1 }), puback(9)]);
  });

  it.each([
    ['close', [], true],
    ['0x80', [suback(1, [0, 0x80])], false],
  ] as const)('answers a misplaced wildcard: %s', (invalidFilter, packets, closed) => {
    const client = start({ choices: { invalidFilter } })
      .connect('a')
      .send(subscribe(1, ['t', 0], ['a#', 0]));
    expect([client.read(), client.closed]).toEqual([packets, closed]);
    if (!closed) expect(client.send(one('x')).read()).toEqual([one('x')]);
  });

  it('takes as many filters as fit into a packet', () => {
    const filters = Array.from({ length: 200_000 }, (_, index) => ({ filter: `${index}`, qos: 0 }) as const);
    const client = start().connect('a').send({ type: 'SUBSCRIBE', packetId: 1, filters });
    expect(client.read()).toEqual([suback(1, Array(filters.length).fill(0))]);
  });

  it('refuses wildcards when it chooses to', () => {
    const client = start({ choices: { wildcards: 'refuse' } })
      .connect('a')
      .send(subscribe(1, ['+', 0], ['t', 0]));
    expect(client.read()).toEqual([suback(1, [0x80, 0])]);
    expect(client.send(one('x')).read()).toEqual([one('x')]);
  });
});

describe('3.10.4 UNSUBSCRIBE Response', () => {
  it('ends exactly the named subscriptions, and is answered in any case', () => {
    const client = start()
      .connect('a')
      .send(subscribe(1, ['t', 0], ['+', 0], ['u', 0]));
    client.read();
    client.send(unsubscribe(2, 't/', 'T', '#', 'nothing'), one('x'));
    expect(client.read()).toEqual([unsuback(2), one('x')]);
    client.send(unsubscribe(3, '+', 'u'), one('y'));
    expect(client.read()).toEqual([unsuback(3), one('y')]);
    client.send(unsubscribe(4, 't'), one('z'));
    expect(client.read()).toEqual([unsuback(4)]);
  });
});
