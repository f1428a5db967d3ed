/** Enhanced authentication: the challenge, the answer, and doing it again. */

import { describe, expect, it } from 'vitest';
import { auth, connect, disconnect, pingreq, publish, subscribe } from '../harness/wire/build.ts';
import { challengeMethod, proofOf } from '../harness/wire/challenge.ts';
import type { Packet, Properties } from '../harness/wire/packet.ts';
import { start, type TestClient } from './testClient.ts';

const method = { authenticationMethod: challengeMethod };

function begin(options: Parameters<typeof start>[0] = { secret: 'secret' }, properties: Properties = method) {
  const stage = start(options);
  const client = stage.open('v5').send(connect({ clientId: 'c', protocolLevel: 5, properties, keepAlive: 0 }));
  return { stage, client };
}

/** Reads the challenge and answers it. */
function prove(client: TestClient, secret = 'secret'): readonly Packet[] {
  const [packet] = client.read();
  if (packet?.type !== 'AUTH') return [];
  expect(packet).toMatchObject({ code: 0x18, properties: method });
  const challenge = packet.properties?.authenticationData ?? new Uint8Array(0);
  client.send(auth({ code: 0x18, properties: { ...method, authenticationData: proofOf(challenge, secret) } }));
  return client.read();
}

const refused = (code: number) => [[{ type: 'CONNACK', code }], true];
const ended = (code: number) => [[{ type: 'DISCONNECT', code }], true];

describe('4.12 Enhanced authentication', () => {
  it('lets in who knows the secret', () => {
    const { client } = begin();
    expect(prove(client)).toMatchObject([{ type: 'CONNACK', code: 0, properties: method }]);
    expect(client.send(pingreq()).read()).toEqual([{ type: 'PINGRESP' }]);
  });

  it('refuses who does not, without touching the session', () => {
    const { stage, client } = begin();
    const holder = stage.connect5('c', { clean: false });
    expect([prove(client, 'wrong'), client.closed]).toMatchObject(refused(0x87));
    expect(holder.closed).toBe(false);
  });

  it('refuses a method that it does not have', () => {
    const unknown = begin({ secret: 'secret' }, { authenticationMethod: 'other' }).client;
    expect([unknown.read(), unknown.closed]).toMatchObject(refused(0x8c));
    const without = begin({}).client;
    expect([without.read(), without.closed]).toMatchObject(refused(0x8c));
  });

  it.each([
    ['another packet', pingreq(), 0x82],
    ['another CONNECT', connect({ clientId: 'c', protocolLevel: 5 }), 0x82],
    ['re-authentication', auth({ code: 0x19, properties: method }), 0x82],
    ['success', auth({ code: 0x00, properties: method }), 0x82],
    ['another method', auth({ code: 0x18, properties: { authenticationMethod: 'other' } }), 0x82],
  ])('takes nothing but the answer before CONNACK: %s', (_, packet, code) => {
    const { client } = begin();
    client.read();
    client.send(packet, publish({ topic: 't' }));
    expect([client.read(), client.closed]).toMatchObject(refused(code));
  });

  it('waits for the answer no longer than for a CONNECT', () => {
    const { stage, client } = begin();
    stage.elapse(10_001);
    expect(client.closed).toBe(true);
  });

  it('lets the client give up', () => {
    const { client } = begin();
    client.read();
    expect([client.send(disconnect()).read(), client.closed]).toEqual([[], true]);
  });

  it('takes no AUTH from a client that named no method', () => {
    const client = start({ secret: 'secret' })
      .connect5('c')
      .send(auth({ code: 0x19, properties: method }));
    expect([client.read(), client.closed]).toMatchObject(ended(0x82));
  });
});

describe('4.12.1 Re-authentication', () => {
  it('goes on beside all else', () => {
    const { client } = begin();
    prove(client);
    client.send(subscribe(1, ['t', 0])).read();
    client.send(auth({ code: 0x19, properties: method }));
    expect(prove(client)).toEqual([auth({ code: 0x00, properties: method })]);
    expect(client.send(publish({ topic: 't' })).read()).toEqual([publish({ topic: 't' })]);
  });

  it('ends the connection when it fails', () => {
    const { client } = begin();
    prove(client);
    client.send(auth({ code: 0x19, properties: method }));
    expect([prove(client, 'wrong'), client.closed]).toMatchObject(ended(0x87));
  });
});
