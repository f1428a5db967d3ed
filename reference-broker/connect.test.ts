/** CONNECT and CONNACK: who is let in, and with which session. */

import { describe, expect, it } from 'vitest';
import { connack, connect, pingreq, pingresp, publish, pubrec, suback, subscribe } from '../harness/wire/build.ts';
import { type Stage, start } from './testClient.ts';

/** What comes back for a CONNECT, and whether the connection is closed. */
function answer(stage: Stage, fields: Parameters<typeof connect>[0]) {
  const client = stage.open().send(connect(fields));
  return { packets: client.read(), closed: client.closed };
}

const refused = (code: number) => ({ packets: [connack({ code })], closed: true });
const accepted = (sessionPresent = false) => ({ packets: [connack({ sessionPresent })], closed: false });
const silence = { packets: [], closed: true };

describe('3.1.2 protocol name and level', () => {
  it('closes without an answer for another protocol', () => {
    expect(answer(start(), { clientId: 'a', protocolName: 'mqtt' })).toEqual(silence);
  });

  it('answers 0x01 for another level and closes', () => {
    expect(answer(start(), { clientId: 'a', protocolLevel: 6 })).toEqual(refused(1));
  });
});

describe('3.1.3.1 Client Identifier', () => {
  it('accepts 23 letters and digits, and by default anything else', () => {
    const stage = start();
    expect(answer(stage, { clientId: 'abcdefghijklmnopqrst012' })).toEqual(accepted());
    expect(answer(stage, { clientId: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ/+#' })).toEqual(accepted());
  });

  it('refuses other identifiers with 0x02 when it chooses to', () => {
    const stage = start({ choices: { otherClientIds: 'refuse', emptyClientId: 'refuse' } });
    expect(answer(stage, { clientId: 'abcdefghijklmnopqrst012' })).toEqual(accepted());
    expect(answer(stage, { clientId: 'abcdefghijklmnopqrst0123' })).toEqual(refused(2));
    expect(answer(stage, { clientId: 'a b' })).toEqual(refused(2));
    expect(answer(stage, { clientId: '' })).toEqual(refused(2));
  });

  it('gives each client without an identifier a session of its own', () => {
    const stage = start();
    const [one, two] = [stage.connect(''), stage.connect('')];
    expect([one.closed, two.closed]).toEqual([false, false]);
    one.send(subscribe(1, ['t', 0]));
    stage.connect('p').send(publish({ topic: 't' }));
    expect(one.read()).toEqual([suback(1, [0]), publish({ topic: 't' })]);
    expect(two.read()).toEqual([]);
  });

  it('refuses an empty identifier with CleanSession 0', () => {
    expect(answer(start(), { clientId: '', clean: false })).toEqual(refused(2));
  });
});

describe('3.1.4 CONNECT Response', () => {
  it('closes for a malformed CONNECT without CONNACK', () => {
    const client = start()
      .open()
      .sendBent(connect({ clientId: 'a' }), { connectFlags: [0x03] });
    expect([client.read(), client.closed]).toEqual([[], true]);
  });

  it.each(['', '#', 'a/+'])('closes for the Will Topic %j', (topic) => {
    expect(answer(start(), { clientId: 'a', will: { topic } })).toEqual(silence);
  });

  it('closes for a packet before CONNECT and for a second CONNECT', () => {
    const stage = start();
    const early = stage.open().send(pingreq(), connect({ clientId: 'a' }));
    expect([early.read(), early.closed]).toEqual([[], true]);
    const twice = stage.open().send(connect({ clientId: 'a' }), connect({ clientId: 'a' }));
    expect([twice.read(), twice.closed]).toEqual([[connack()], true]);
  });

  it('reads what follows CONNECT in the same segment, unless it is refused', () => {
    const stage = start();
    const welcome = stage.open().send(connect({ clientId: 'a' }), pingreq());
    expect(welcome.read()).toEqual([connack(), pingresp()]);
    const unwelcome = stage.open().send(connect({ clientId: '', clean: false }), pingreq());
    expect(unwelcome.read()).toEqual([connack({ code: 2 })]);
  });

  it('closes the older connection of the same client', () => {
    const stage = start();
    const older = stage.connect('a');
    const newer = stage.connect('a');
    expect([older.closed, newer.closed]).toEqual([true, false]);
    older.drop();
    newer.send(pingreq());
    expect(newer.read()).toEqual([pingresp()]);
  });

  it('closes a connection that brings no whole packet in time', () => {
    const stage = start({ connectTimeoutMs: 5_000 });
    const [silent, slow, quick] = [stage.open(), stage.open().sendBytes(Uint8Array.of(0x10)), stage.connect('a')];
    stage.elapse(5_001);
    expect([silent.closed, slow.closed, quick.closed]).toEqual([true, true, false]);
  });

  it('lets in who knows the password', () => {
    const stage = start({ credentials: { user: 'secret' } });
    expect(answer(stage, { clientId: 'a' })).toEqual(refused(4));
    expect(answer(stage, { clientId: 'a', userName: 'user', password: 'wrong' })).toEqual(refused(4));
    expect(answer(stage, { clientId: 'a', userName: 'user', password: 'secret' })).toEqual(accepted());
  });

  it('refuses more sessions than it can hold with 0x03', () => {
    const stage = start({ maximumSessions: 1 });
    expect(answer(stage, { clientId: 'a' })).toEqual(accepted());
    expect(answer(stage, { clientId: 'b' })).toEqual(refused(3));
    expect(answer(stage, { clientId: 'a' })).toEqual(accepted());
  });

  it('leaves the session of a client alone whose CONNECT it refuses', () => {
    const stage = start({ credentials: { user: 'secret' } });
    const fields = { clientId: 'a', clean: false, userName: 'user', password: 'secret' };
    answer(stage, fields);
    expect(answer(stage, { ...fields, clean: true, password: 'wrong' })).toEqual(refused(4));
    expect(answer(stage, fields)).toEqual(accepted(true));
  });
});

describe('3.1.2.4 Clean Session', () => {
  it('keeps a session for CleanSession 0 only, and says so', () => {
    const stage = start();
    expect(answer(stage, { clientId: 'a', clean: false })).toEqual(accepted(false));
    expect(answer(stage, { clientId: 'a', clean: false })).toEqual(accepted(true));
    expect(answer(stage, { clientId: 'a', clean: true })).toEqual(accepted(false));
    expect(answer(stage, { clientId: 'a', clean: false })).toEqual(accepted(false));
  });

  it('takes nothing of an old session into a clean one', () => {
    const stage = start();
    const old = stage.connect('a', { clean: false }).send(subscribe(1, ['t', 1]));
    old.send(publish({ topic: 'u', qos: 2, packetId: 9, payload: 'first' }));
    old.drop();
    const publisher = stage.connect('p');
    publisher.send(publish({ topic: 't', qos: 1, packetId: 1 }));
    const fresh = stage.connect('a', { clean: true }).send(subscribe(1, ['u', 0]));
    fresh.send(publish({ topic: 'u', qos: 2, packetId: 9, payload: 'second' }));
    publisher.send(publish({ topic: 't', qos: 1, packetId: 2 }));
    expect(fresh.read()).toEqual([suback(1, [0]), publish({ topic: 'u', payload: 'second' }), pubrec(9)]);
  });
});
