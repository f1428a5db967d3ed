/** Messages that expire, and intervals longer than a timer. */

import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../harness/clock.ts';
import { pingreq, publish, pubrec, pubrel, subscribe } from '../harness/wire/build.ts';
import type { Packet } from '../harness/wire/packet.ts';
import { afterSeconds } from './expiry.ts';
import { type Stage, start } from './testClient.ts';

const session = { clean: false, keepAlive: 0, properties: { sessionExpiryInterval: 0xffff_ffff } };
const expiring = (messageExpiryInterval: number, qos: 0 | 1 | 2 = 1, packetId = 1) =>
  publish({ topic: 't', qos, packetId, payload: 'x', properties: { messageExpiryInterval } });

function subscribed(stage: Stage) {
  const client = stage.connect5('s', session).send(subscribe(1, ['t', 2]));
  client.read();
  return client;
}

/** The Message Expiry Interval of each PUBLISH. */
function intervals(packets: readonly Packet[]): unknown[] {
  return packets.flatMap((packet) => (packet.type === 'PUBLISH' ? [packet.properties?.messageExpiryInterval] : []));
}

describe('3.3.2.3.3 Message Expiry Interval', () => {
  it('goes on as it is to a client that is there, also if it is 0', () => {
    const stage = start();
    const client = subscribed(stage);
    stage.connect5('p', { keepAlive: 0 }).send(expiring(100), expiring(0), publish({ topic: 't' }));
    expect(intervals(client.read())).toEqual([100, 0, undefined]);
  });

  it('runs while a message waits for the client, which gets what is left or nothing', () => {
    const stage = start();
    subscribed(stage).drop();
    const publisher = stage.connect5('p', { keepAlive: 0 });
    publisher.send(expiring(5), expiring(10), expiring(100), publish({ topic: 't', qos: 1, packetId: 1 }));
    stage.elapse(9_500);
    expect(intervals(stage.connect5('s', session).read())).toEqual([1, 91, undefined]);
  });

  it('runs while a message waits for acknowledgements, and not once it was sent', () => {
    const stage = start();
    stage.connect5('s', { ...session, properties: { ...session.properties, receiveMaximum: 1 } });
    const client = subscribed(stage);
    stage.connect5('p', { keepAlive: 0 }).send(expiring(5, 2));
    expect(client.read()).toHaveLength(1);
    client.drop();
    stage.elapse(60_000);
    const again = stage.connect5('s', session);
    expect(again.read()).toMatchObject([{ type: 'PUBLISH', dup: true, properties: { messageExpiryInterval: 0 } }]);
    expect(again.send(pubrec(1)).read()).toMatchObject([{ type: 'PUBREL' }]);
  });

  it('ends a retained message', () => {
    const stage = start();
    stage.connect('old').send(publish({ topic: 't', payload: 'old', retain: true }));
    stage.connect5('p', { keepAlive: 0 }).send({ ...expiring(5, 0), retain: true });
    stage.elapse(3_000);
    expect(
      intervals(
        subscribed(stage)
          .send(subscribe(2, ['t', 0]))
          .read(),
      ),
    ).toEqual([2]);
    stage.elapse(2_000);
    const late = stage.connect5('l').send(subscribe(1, ['t', 0], ['+', 0]));
    expect(late.read()).toMatchObject([{ type: 'SUBACK' }]);
  });

  it('also for a client of 3.1.1', () => {
    const stage = start();
    stage
      .connect('s', { clean: false })
      .send(subscribe(1, ['t', 1]))
      .drop();
    const publisher = stage.connect5('p', { keepAlive: 0 }).send(expiring(5), expiring(50));
    stage.elapse(6_000);
    publisher.send(pingreq());
    expect(stage.connect('s', { clean: false }).read()).toEqual([
      publish({ topic: 't', payload: 'x', qos: 1, packetId: 1 }),
    ]);
  });

  it('does not end the acknowledgements of a QoS 2 message', () => {
    const stage = start({ choices: { deliverOn: 'PUBREL' } });
    const client = subscribed(stage);
    const publisher = stage.connect5('p', { keepAlive: 0 }).send(expiring(1, 2));
    stage.elapse(3_000);
    publisher.send(pubrel(1));
    expect(publisher.read()).toMatchObject([{ type: 'PUBREC' }, { type: 'PUBCOMP', code: 0 }]);
    expect(client.read()).toEqual([]);
  });
});

describe('afterSeconds', () => {
  it.each([1, 2 ** 31, 0xffff_fffe])('waits for %i seconds', (seconds) => {
    const clock = new VirtualClock();
    const longest: number[] = [];
    const limited = {
      now: () => clock.now(),
      after: (ms: number, fire: () => void) => {
        longest.push(ms);
        return clock.after(ms, fire);
      },
    };
    let fired: number | undefined;
    afterSeconds(limited, seconds, () => {
      fired = clock.now();
    });
    while (clock.advance());
    expect(fired).toBe(1_000 * seconds);
    expect(Math.max(...longest)).toBeLessThan(2 ** 31);
  });

  it('can be cancelled after a while, and never fires after an infinite time', () => {
    const clock = new VirtualClock();
    const cancel = afterSeconds(clock, 2 ** 32, () => expect.fail('it was cancelled'));
    clock.advance();
    cancel();
    afterSeconds(clock, Number.POSITIVE_INFINITY, () => expect.fail('never'));
    expect(clock.advance()).toBe(false);
  });
});
