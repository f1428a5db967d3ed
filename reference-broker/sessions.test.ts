/** How long a session of MQTT 5.0 lasts, and who takes it over. */

import { describe, expect, it } from 'vitest';
import { connect, disconnect, publish, subscribe } from '../harness/wire/build.ts';
import { type Stage, start } from './testClient.ts';

const forEver = 0xffff_ffff;
const lasting = (sessionExpiryInterval: number) => ({ clean: false, properties: { sessionExpiryInterval } });

/** Whether a session is found. */
function isPresent(stage: Stage, clientId = 'c'): boolean | undefined {
  return stage.connect5(clientId, { clean: false }).connack?.sessionPresent;
}

describe('3.1.2.11.2 Session Expiry Interval', () => {
  it.each([
    [undefined, 0, false],
    [0, 0, false],
    [10, 9_999, true],
    [10, 10_001, false],
    [forEver, 10 * 365 * 86_400_000, true],
    [forEver - 1, 50 * 86_400_000, true],
  ])('%s seconds, after %i ms: %s', (sessionExpiryInterval, ms, expected) => {
    const stage = start();
    const properties = sessionExpiryInterval === undefined ? {} : { sessionExpiryInterval };
    stage.connect5('c', { clean: false, properties }).drop();
    stage.elapse(ms);
    expect(isPresent(stage)).toBe(expected);
  });

  it('runs only while the client is away, and from the end of each connection', () => {
    const stage = start();
    const client = stage.connect5('c', { ...lasting(10), keepAlive: 0 });
    stage.elapse(60_000);
    client.drop();
    stage.elapse(9_000);
    stage.connect5('c', lasting(10)).drop();
    stage.elapse(9_000);
    expect(isPresent(stage)).toBe(true);
  });

  it('is bounded by the server, which says so', () => {
    const stage = start({ maximumSessionExpirySeconds: 5 });
    const client = stage.connect5('c', lasting(60));
    expect(client.connack?.properties).toMatchObject({ sessionExpiryInterval: 5 });
    expect(stage.connect5('d', lasting(4)).connack?.properties).not.toHaveProperty('sessionExpiryInterval');
    client.drop();
    stage.elapse(5_001);
    expect(isPresent(stage)).toBe(false);
  });

  it('may be changed by DISCONNECT', () => {
    const stage = start();
    const leave = (sessionExpiryInterval: number) => disconnect({ code: 0, properties: { sessionExpiryInterval } });
    stage.connect5('c', lasting(60)).send(leave(0));
    expect(isPresent(stage)).toBe(false);
    stage.connect5('d', lasting(1)).send(leave(60));
    stage.elapse(30_000);
    expect(isPresent(stage, 'd')).toBe(true);
    const client = stage.connect5('e').send(leave(60));
    expect(client.read()).toMatchObject([{ type: 'DISCONNECT', code: 0x82 }]);
  });
});

describe('3.1.2.4 Clean Start', () => {
  it('with 1 discards the session, with 0 continues it', () => {
    const stage = start();
    stage
      .connect5('c', lasting(60))
      .send(subscribe(1, ['t', 1]))
      .drop();
    const again = stage.connect5('c', lasting(60));
    expect(again.connack?.sessionPresent).toBe(true);
    again.send(publish({ topic: 't' }));
    expect(again.read()).toEqual([publish({ topic: 't' })]);
    const clean = stage.connect5('c', { clean: true }).send(publish({ topic: 't' }));
    expect([clean.connack?.sessionPresent, clean.read()]).toEqual([false, []]);
  });
});

describe('a session goes from one version to the other', () => {
  it('with what waits for it', () => {
    const stage = start();
    stage
      .connect('c', { clean: false })
      .send(subscribe(1, ['t', 1]))
      .drop();
    const properties = { contentType: 'c' };
    stage.connect5('p').send(publish({ topic: 't', qos: 1, packetId: 1, properties }));
    const newer = stage.open('v5').send(connect({ clientId: 'c', protocolLevel: 5, ...lasting(60) }));
    expect(newer.read()).toMatchObject([
      { type: 'CONNACK', sessionPresent: true },
      { type: 'PUBLISH', packetId: 1, properties },
    ]);
    newer.drop();
    const older = stage.open().send(connect({ clientId: 'c', clean: false }));
    expect(older.read()).toEqual([
      { type: 'CONNACK', sessionPresent: true, code: 0 },
      publish({ topic: 't', qos: 1, packetId: 1, dup: true }),
    ]);
  });
});

describe('3.1.3.1 an empty Client Identifier', () => {
  it('is replaced by one that the client is told and can come back with', () => {
    const stage = start();
    const [one, other] = [stage.connect5('', lasting(60)), stage.connect5('', lasting(60))];
    const [first, second] = [one, other].map((client) => client.connack?.properties?.assignedClientIdentifier ?? '');
    expect(first).not.toBe(second);
    one.drop();
    expect(isPresent(stage, first)).toBe(true);
  });

  it('is refused when the server chooses to', () => {
    const client = start({ choices: { emptyClientId: 'refuse' } }).open('v5');
    client.send(connect({ clientId: '', protocolLevel: 5 }));
    expect([client.read(), client.closed]).toMatchObject([[{ type: 'CONNACK', code: 0x85 }], true]);
  });
});

describe('3.1.4 take-over', () => {
  it('tells the older connection and leaves the newer one the session', () => {
    const stage = start();
    const older = stage.connect5('c', lasting(60)).send(subscribe(1, ['t', 0]));
    older.read();
    const newer = stage.connect5('c', lasting(60));
    expect([older.read(), older.closed]).toMatchObject([[{ type: 'DISCONNECT', code: 0x8e }], true]);
    expect(newer.connack?.sessionPresent).toBe(true);
    expect(newer.send(publish({ topic: 't' })).read()).toEqual([publish({ topic: 't' })]);
  });
});
