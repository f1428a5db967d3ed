/** What CONNACK announces, and what the client's own limits do to the packets that it gets. */

import { describe, expect, it } from 'vitest';
import { connect, pingreq, puback, publish, pubrel, subscribe, unsubscribe } from '../harness/wire/build.ts';
import { encode } from '../harness/wire/encode.ts';
import { start, type TestClient } from './testClient.ts';

/** What comes back for a CONNECT. */
function answer(options: Parameters<typeof start>[0], fields: Partial<Parameters<typeof connect>[0]>) {
  const client = start(options).open('v5');
  client.send(connect({ clientId: 'c', protocolLevel: 5, ...fields }));
  return { packets: client.read(), closed: client.closed };
}

describe('3.2.2.3 CONNACK properties', () => {
  it('are those that differ from what the standard assumes', () => {
    expect(answer({}, {}).packets).toEqual([
      {
        type: 'CONNACK',
        sessionPresent: false,
        code: 0,
        properties: { receiveMaximum: 100, topicAliasMaximum: 10, maximumPacketSize: 16 * 2 ** 20 },
      },
    ]);
  });

  it('tell what is not served', () => {
    const limits = {
      maximumQoS: 1,
      retainAvailable: false,
      wildcardSubscriptionAvailable: false,
      subscriptionIdentifierAvailable: false,
      sharedSubscriptionAvailable: false,
      serverKeepAlive: 30,
      topicAliasMaximum: 0,
      receiveMaximum: 0xffff,
    } as const;
    expect(answer(limits, {}).packets[0]).toMatchObject({
      properties: {
        maximumQoS: 1,
        retainAvailable: 0,
        wildcardSubscriptionAvailable: 0,
        subscriptionIdentifierAvailable: 0,
        sharedSubscriptionAvailable: 0,
        serverKeepAlive: 30,
        maximumPacketSize: 16 * 2 ** 20,
      },
    });
    const refused = (code: number) => ({ packets: [{ type: 'CONNACK', code }], closed: true });
    expect(answer(limits, { will: { topic: 't', qos: 2 } })).toMatchObject(refused(0x9b));
    expect(answer(limits, { will: { topic: 't', retain: true } })).toMatchObject(refused(0x9a));
  });

  it('bring Response Information to those who ask for it', () => {
    const asked = answer({}, { properties: { requestResponseInformation: 1 } });
    expect(asked.packets[0]).toMatchObject({ properties: { responseInformation: 'response/c' } });
    const wild = answer({}, { clientId: 'a+b#', properties: { requestResponseInformation: 1 } });
    expect(wild.packets[0]).toMatchObject({ properties: { responseInformation: 'response/a-b-' } });
  });

  it('leave a client of 3.1.1 alone', () => {
    const stage = start({ maximumQoS: 0, retainAvailable: false, serverKeepAlive: 1, receiveMaximum: 1 });
    const client = stage.connect('c', { keepAlive: 0, will: { topic: 't', qos: 2, retain: true } });
    stage.elapse(10_000);
    client.send(
      publish({ topic: 't', qos: 2, packetId: 1, retain: true }),
      publish({ topic: 't', qos: 2, packetId: 2 }),
      subscribe(3, ['t', 2]),
    );
    expect(client.read()).toMatchObject([{ type: 'PUBREC' }, { type: 'PUBREC' }, { codes: [2] }]);
  });
});

describe('3.1.2.2 the version', () => {
  it.each([0, 3, 6, 255])('level %i gets the answer that 3.1.1 demands', (protocolLevel) => {
    const client = start()
      .open('v3')
      .send(connect({ clientId: 'c', protocolLevel }));
    expect([client.read(), client.closed]).toEqual([[{ type: 'CONNACK', sessionPresent: false, code: 1 }], true]);
  });

  it('another name with level 5 gets 0x84, or nothing', () => {
    expect(answer({}, { protocolName: 'mqtt' })).toMatchObject({ packets: [{ code: 0x84 }], closed: true });
    expect(answer({ choices: { errorAnswer: 'close' } }, { protocolName: 'mqtt' })).toEqual({
      packets: [],
      closed: true,
    });
  });
});

describe('3.1.2.11.4 Maximum Packet Size', () => {
  const sizeOf = (packet: Parameters<typeof encode>[0]) => encode(packet, 'v5').length;

  it.each([0, 1, 2] as const)('keeps what is larger from the client, as if it were delivered, with QoS %i', (qos) => {
    const stage = start();
    const message = (payload: string) => publish({ topic: 't', payload, qos, packetId: payload.length });
    const maximumPacketSize = sizeOf(message('x'.repeat(30)));
    const properties = { maximumPacketSize, receiveMaximum: 1 };
    const client = stage.connect5('c', { properties }).send(subscribe(1, ['t', 2]));
    const other = stage.connect5('d').send(subscribe(1, ['t', 2]));
    const publisher = stage.connect5('p');
    client.read();
    other.read();
    publisher.send(message('x'.repeat(31)));
    publisher.send(message('x'.repeat(30)));
    expect(client.read()).toMatchObject([{ type: 'PUBLISH', payload: Buffer.alloc(30, 'x') }]);
    expect(other.read()).not.toHaveLength(0);
    expect(publisher.closed).toBe(false);
  });

  it('applies to what waited for a client that comes back with a smaller one', () => {
    const stage = start();
    const session = { clean: false, properties: { sessionExpiryInterval: 60 } };
    const client = stage.connect5('c', session).send(subscribe(1, ['t', 1]));
    client.read();
    const send = (payload: string) => stage.connect5('p').send(publish({ topic: 't', payload, qos: 1, packetId: 1 }));
    send('x'.repeat(50));
    client.drop();
    send('y'.repeat(50));
    send('z');
    const properties = { ...session.properties, maximumPacketSize: 40 };
    const again = stage.connect5('c', { ...session, properties });
    expect(again.read()).toEqual([
      publish({ topic: 't', payload: 'z', qos: 1, packetId: expect.any(Number) as number }),
    ]);
  });
});

describe('a client that takes not even a CONNACK', () => {
  it('is not let in', () => {
    const { packets, closed } = answer({}, { properties: { maximumPacketSize: 10 } });
    expect([packets, closed]).toEqual([[], true]);
  });
});

describe('Reason Strings and User Properties', () => {
  const provoke = (client: TestClient) => {
    const forbidden = [1, 2].map((qos) => publish({ topic: '$x', qos: qos as 1 | 2, packetId: qos }));
    client.send(...forbidden, pubrel(9), unsubscribe(4, 'z'), subscribe(3, ['a#', 0]), pingreq());
    return client.read();
  };
  const choices = { invalidFilter: '0x80' } as const;

  it('explain what is not a success', () => {
    expect(provoke(start({ choices }).connect5('c'))).toMatchObject([
      { type: 'PUBACK', code: 0x87, properties: { reasonString: 'not authorized' } },
      { type: 'PUBREC', code: 0x87, properties: { reasonString: 'not authorized' } },
      { type: 'PUBCOMP', code: 0x92, properties: { userProperties: [['server', 'reference broker']] } },
      { type: 'UNSUBACK', codes: [0x11], properties: { reasonString: 'no subscription existed' } },
      { type: 'SUBACK', codes: [0x8f], properties: { reasonString: 'topic filter invalid' } },
      { type: 'PINGRESP' },
    ]);
  });

  it.each([
    ['the client does not want them', { requestProblemInformation: 0 }, {}],
    ['the packet would be too large', { maximumPacketSize: 20 }, {}],
    ['the server chooses to', {}, { reasonStrings: 'none', ownUserProperties: 'none' }],
  ] as const)('are left out when %s', (_, properties, more) => {
    const packets = provoke(start({ choices: { ...choices, ...more } }).connect5('c', { properties }));
    expect(packets.map(({ type }) => type)).toEqual(['PUBACK', 'PUBREC', 'PUBCOMP', 'UNSUBACK', 'SUBACK', 'PINGRESP']);
    expect(packets.some((packet) => 'properties' in packet && packet.properties)).toBe(false);
  });

  it.each([
    ['short', '40 02 00 01'],
    ['code', '40 03 00 01 00'],
    ['long', '40 04 00 01 00 00'],
  ] as const)('an acknowledgement may be %s', (acknowledgementForm, expected) => {
    const stage = start({ choices: { acknowledgementForm, noSubscribers: '0x00' } });
    const bytes: Uint8Array[] = [];
    const connection = stage.broker.accept({ send: (packet) => void bytes.push(packet), close: () => {} });
    for (const packet of [
      connect({ clientId: 'c', protocolLevel: 5 }),
      publish({ topic: 't', qos: 1, packetId: 1 }),
      puback(1),
    ]) {
      connection.feed(encode(packet, 'v5'));
    }
    expect(Buffer.from(bytes.at(1) ?? []).toString('hex')).toBe(expected.replaceAll(' ', ''));
  });
});
