/** Receive Maximum in both directions. */

import { describe, expect, it } from 'vitest';
import { pingreq, puback, pubcomp, publish, pubrec, pubrel, subscribe } from '../harness/wire/build.ts';
import type { Packet } from '../harness/wire/packet.ts';
import { start } from './testClient.ts';

const session = (receiveMaximum?: number) => ({
  clean: false,
  properties: { sessionExpiryInterval: 60, ...(receiveMaximum !== undefined && { receiveMaximum }) },
});

/** The identifiers of the PUBLISHes. */
function published(packets: readonly Packet[]): unknown[] {
  return packets.flatMap((packet) => (packet.type === 'PUBLISH' ? [packet.packetId] : []));
}

describe('4.9 the quota of the server', () => {
  it('is the Receive Maximum of the client, and given back by acknowledgements of any kind', () => {
    const stage = start();
    const client = stage.connect5('c', session(2)).send(subscribe(1, ['t', 2]));
    client.read();
    const publisher = stage.connect5('p');
    for (let id = 1; id <= 9; id++) publisher.send(publish({ topic: 't', qos: id % 2 === 1 ? 1 : 2, packetId: id }));
    publisher.send(publish({ topic: 't' }));
    expect(published(client.read())).toEqual([1, 2, undefined]);
    expect(published(client.send(puback(99), pubcomp(98), pubrec(2)).read())).toEqual([]);
    expect(client.send(pingreq()).read()).toEqual([{ type: 'PINGRESP' }]);
    expect(published(client.send(puback(1, { code: 0x97 })).read())).toEqual([3]);
    expect(published(client.send(pubcomp(2, { code: 0x92 })).read())).toEqual([4]);
    expect(published(client.send(pubrec(4, { code: 0x83 })).read())).toEqual([5]);
    expect(published(client.send(puback(1), puback(1), puback(3)).read())).toEqual([6]);
  });

  it('starts anew on each connection, and counts what is sent again', () => {
    const stage = start();
    const client = stage.connect5('c', session(10)).send(subscribe(1, ['t', 2]));
    const publisher = stage.connect5('p');
    for (let id = 1; id <= 5; id++) publisher.send(publish({ topic: 't', qos: 2, packetId: id }));
    client.send(pubrec(1)).drop();
    const again = stage.connect5('c', session(2));
    const packets = again.read();
    expect(published(packets)).toEqual([2, 3]);
    expect(packets.filter(({ type }) => type === 'PUBREL')).toHaveLength(1);
    // The PUBREL of the old connection took no quota of this one.
    expect(published(again.send(pubcomp(1)).read())).toEqual([]);
    expect(published(again.send(pubrec(2), pubcomp(2)).read())).toEqual([4]);
    expect(published(again.send(pubrec(3), pubcomp(3)).read())).toEqual([5]);
  });
});

describe('3.3.4 Receive Maximum of the server', () => {
  const message = (qos: 1 | 2, packetId: number) => publish({ topic: 't', qos, packetId });

  it('may be used up and not exceeded', () => {
    const client = start({ receiveMaximum: 2 }).connect5('c').send(message(2, 1), message(2, 2), message(2, 2));
    expect(client.read()).toHaveLength(3);
    client.send(pubrel(1), message(1, 3), message(2, 4));
    expect(client.read().map(({ type }) => type)).toEqual(['PUBCOMP', 'PUBACK', 'PUBREC']);
    client.send(message(1, 5));
    expect([client.read(), client.closed]).toMatchObject([[{ type: 'DISCONNECT', code: 0x93 }], true]);
  });

  it('starts anew on each connection', () => {
    const stage = start({ receiveMaximum: 1 });
    stage.connect5('c', session()).send(message(2, 1)).drop();
    const again = stage.connect5('c', session()).send(message(2, 1), pubrel(1), message(2, 2));
    expect(again.read().map(({ type }) => type)).toEqual(['PUBREC', 'PUBCOMP', 'PUBREC']);
  });
});
