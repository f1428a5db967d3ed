/** Keep Alive in virtual time, to the millisecond. */

import { describe, expect, it } from 'vitest';
import { connect, pingreq, puback, publish, subscribe } from '../harness/wire/build.ts';
import { start } from './testClient.ts';

describe('3.1.2.10 Keep Alive', () => {
  it('closes after one and a half times of silence, not before', () => {
    const stage = start();
    const client = stage.connect('a', { keepAlive: 2 });
    stage.elapse(2_999);
    expect(client.closed).toBe(false);
    stage.elapse(2);
    expect(client.closed).toBe(true);
  });

  it.each([pingreq(), publish({ topic: 't' }), puback(1), subscribe(1, ['t', 0])])('hears $type', (packet) => {
    const stage = start();
    const client = stage.connect('a', { keepAlive: 2 });
    for (let round = 0; round < 10; round++) {
      stage.elapse(2_000);
      client.send(packet);
    }
    expect(client.closed).toBe(false);
    stage.elapse(3_001);
    expect(client.closed).toBe(true);
  });

  it('does not count what it sends itself', () => {
    const stage = start();
    const client = stage.connect('a', { keepAlive: 2 }).send(subscribe(1, ['t', 0]));
    const publisher = stage.connect('p', { keepAlive: 0 });
    for (let round = 0; round < 4; round++) {
      stage.elapse(1_000);
      publisher.send(publish({ topic: 't' }));
    }
    expect(client.closed).toBe(true);
  });

  it('is off at 0, and can be as long as 65535 s', () => {
    const stage = start();
    const [off, long] = [stage.connect('off', { keepAlive: 0 }), stage.connect('long', { keepAlive: 0xffff })];
    stage.elapse(98_302_499);
    expect([off.closed, long.closed]).toEqual([false, false]);
    stage.elapse(2);
    expect([off.closed, long.closed]).toEqual([false, true]);
  });

  it('looks only now and then when it chooses to', () => {
    const stage = start({ choices: { keepAliveCheckMs: 5_000 } });
    const client = stage.open().send(connect({ clientId: 'a', keepAlive: 2 }));
    stage.elapse(4_999);
    expect(client.closed).toBe(false);
    stage.elapse(2);
    expect(client.closed).toBe(true);
  });
});
