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
