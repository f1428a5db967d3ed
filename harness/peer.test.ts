import { expect, test } from 'vitest';
import { VirtualClock } from './clock.ts';
import { CouldNotRun, Violation } from './errors.ts';
import { Peer } from './peer.ts';
import * as build from './wire/build.ts';

/** A client with Keep Alive 2 s, to which the broker has not said anything yet. */
function client() {
  const clock = new VirtualClock();
  const peer = new Peer('client', {
    clock,
    version: 'v3',
    timeoutMs: 5_000,
    token: 'token',
    settleTopic: 'settle',
    trace: () => {},
    sent: () => {},
    violated: () => {},
    nonStrict: () => {},
  });
  peer.attach({ write: () => {}, end: () => {}, reset: () => {}, pause: () => {}, resume: () => {} });
  peer.send(build.connect({ clientId: 'client', keepAlive: 2 }));
  const pass = (ms: number) => {
    clock.after(ms, () => {});
    clock.advance();
  };
  return { peer, pass };
}

test('a broker that closes on a client that sent in time is at fault', async () => {
  const { peer, pass } = client();
  pass(1_900);
  peer.send(build.pingreq());
  pass(1_900);
  peer.closed('FIN');
  await expect(peer.expect('PINGRESP')).rejects.toBeInstanceOf(Violation);
  await expect(peer.message()).rejects.toBeInstanceOf(Violation);
});

test('a broker that closes on a client that sent its packet too late is not', async () => {
  const { peer, pass } = client();
  pass(2_100);
  peer.send(build.pingreq());
  peer.closed('FIN');
  await expect(peer.expect('PINGRESP')).rejects.toBeInstanceOf(CouldNotRun);
});

test('a broker that owes an answer is at fault when it closes instead, however long that takes', async () => {
  const { peer, pass } = client();
  pass(3_000);
  peer.closed('FIN');
  await expect(peer.expect('CONNACK')).rejects.toBeInstanceOf(Violation);
});
