/** Wills: after every way to end a connection but DISCONNECT. */

import { describe, expect, it } from 'vitest';
import { connect, disconnect, pingreq, publish, subscribe } from '../harness/wire/build.ts';
import { type Stage, start, type TestClient } from './testClient.ts';

const will = { topic: 'will', payload: 'gone', qos: 1, retain: true } as const;

function watch(stage: Stage): () => unknown[] {
  const watcher = stage.connect('w').send(subscribe(1, ['will', 0]));
  watcher.read();
  return () => watcher.read();
}

const ends: Record<string, (client: TestClient, stage: Stage) => void> = {
  'loss of the connection': (client) => client.drop(),
  silence: (_client, stage) => stage.elapse(15_001),
  'a malformed packet': (client) => client.sendBytes(Uint8Array.of(0xc1, 0)),
  'a malformed DISCONNECT': (client) => client.sendBytes(Uint8Array.of(0xe1, 0)),
  'a second CONNECT': (client) => client.send(connect({ clientId: 'v' })),
  'a packet that is too large': (client) => client.sendBytes(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f)),
  'take-over': (_client, stage) => stage.connect('v'),
};

describe('3.1.2.5 the Will', () => {
  it.each(Object.entries(ends))('is published once after %s', (_name, end) => {
    const stage = start();
    const seen = watch(stage);
    const victim = stage.connect('v', { will, keepAlive: 10, clean: false });
    expect(seen()).toEqual([]);
    end(victim, stage);
    victim.drop();
    expect(seen()).toEqual([publish({ topic: 'will', payload: 'gone' })]);
    const late = stage.connect('late').send(subscribe(1, ['will', 2]));
    expect(late.read()).toContainEqual(publish({ ...will, packetId: 1 }));
    stage.connect('v', { clean: false }).drop();
    expect(seen()).toEqual([]);
  });

  it('is not published after DISCONNECT, nor by the connection after it, nor by a shutdown', () => {
    const stage = start();
    const seen = watch(stage);
    const victim = stage.connect('v', { will, clean: false }).send(disconnect(), pingreq());
    expect(victim.closed).toBe(true);
    expect(victim.read()).toEqual([]);
    stage.connect('v', { clean: false }).drop();
    expect(seen()).toEqual([]);
    const other = stage.connect('v', { will });
    stage.broker.close();
    expect([seen(), other.closed]).toEqual([[], true]);
  });

  it('may leave it to the client to close after DISCONNECT', () => {
    const stage = start({ choices: { disconnectedSocket: 'leave' } });
    const client = stage.connect('v').send(disconnect(), pingreq());
    expect([client.closed, client.read()]).toEqual([false, []]);
  });

  it('waits for a client that is away', () => {
    const stage = start();
    stage
      .connect('away', { clean: false })
      .send(subscribe(1, ['will', 1]))
      .drop();
    stage.connect('v', { will }).drop();
    const back = stage.open().send(connect({ clientId: 'away', clean: false }));
    expect(back.read()).toContainEqual(publish({ ...will, retain: false, packetId: 1 }));
  });
});

describe('3.1.3.2.2 Will Delay Interval', () => {
  const watch5 = (stage: Stage) => {
    const watcher = stage.connect5('w', { keepAlive: 0 }).send(subscribe(1, ['will', 0]));
    watcher.read();
    return () => watcher.read().length;
  };
  const victim = (stage: Stage, willDelayInterval: number, sessionExpiryInterval: number) =>
    stage.connect5('v', {
      clean: false,
      keepAlive: 0,
      will: { topic: 'will', payload: 'gone', properties: { willDelayInterval } },
      properties: { sessionExpiryInterval },
    });
  const ways: Record<string, (client: TestClient) => void> = {
    'loss of the connection': (client) => client.drop(),
    'DISCONNECT with will': (client) => void client.send(disconnect({ code: 0x04 })),
    'DISCONNECT for an error': (client) => void client.send(disconnect({ code: 0x80 })),
    'a Protocol Error': (client) => void client.send(publish({ topic: 'a/#' })),
  };
  const delays = [
    [0, 60, 0],
    [5, 60, 5],
    [60, 2, 2],
    [60, 0, 0],
    [5, 0xffff_ffff, 5],
  ] as const;

  for (const [way, end] of Object.entries(ways)) {
    it.each(delays)(`after ${way}: delay %i s, session %i s: published after %i s`, (delay, expiry, expected) => {
      const stage = start();
      const seen = watch5(stage);
      end(victim(stage, delay, expiry));
      if (expected > 0) {
        stage.elapse(1_000 * expected - 1);
        expect(seen()).toBe(0);
        stage.elapse(2);
      }
      expect(seen()).toBe(1);
      stage.elapse(100_000);
      expect(seen()).toBe(0);
    });
  }

  it.each([
    ['a client that comes back in time', 5, 60, false, 0],
    ['no delay', 0, 60, false, 1],
    ['Clean Start', 5, 60, true, 1],
    ['a session that does not last', 5, 0, false, 1],
  ] as const)('on take-over: %s', (_, delay, expiry, clean, expected) => {
    const stage = start();
    const seen = watch5(stage);
    victim(stage, delay, expiry);
    stage.connect5('v', { clean, keepAlive: 0, properties: { sessionExpiryInterval: 60 } });
    stage.elapse(100_000);
    expect(seen()).toBe(expected);
  });

  it('is over with DISCONNECT, or with its changed Session Expiry Interval', () => {
    const stage = start();
    const seen = watch5(stage);
    victim(stage, 5, 60).send(disconnect());
    stage.elapse(100_000);
    expect(seen()).toBe(0);
    victim(stage, 60, 60).send(disconnect({ code: 0x04, properties: { sessionExpiryInterval: 1 } }));
    stage.elapse(1_001);
    expect(seen()).toBe(1);
  });

  it('comes without the delay and with all that belongs to the message', () => {
    const stage = start();
    const watcher = stage.connect5('w', { keepAlive: 0 }).send(subscribe(1, ['will', 0]));
    watcher.read();
    const properties = {
      payloadFormatIndicator: 1,
      messageExpiryInterval: 10,
      contentType: 'c',
      responseTopic: 'r',
      correlationData: Buffer.of(1),
      userProperties: [
        ['b', '1'],
        ['a', '2'],
      ] as const,
    };
    const will = { topic: 'will', payload: 'gone', properties: { ...properties, willDelayInterval: 5 } };
    const client = stage.connect5('v', { keepAlive: 0, will, properties: { sessionExpiryInterval: 60 } });
    stage.elapse(60_000);
    client.drop();
    stage.elapse(5_000);
    expect(watcher.read()).toEqual([publish({ topic: 'will', payload: 'gone', properties })]);
  });
});
