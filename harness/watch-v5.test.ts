/** The checks of every packet, where MQTT 5.0 is spoken. */

import { describe, expect, it } from 'vitest';
import type { RequirementId } from './spec/index.ts';
import { brokenIn, publish, type Step } from './watch.fixture.ts';
import { Watch } from './watch.ts';
import * as build from './wire/build.ts';
import type { Packet, Properties } from './wire/packet.ts';

const client = (packet: Packet): Step => ['client', packet];
const server = (packet: Packet): Step => ['server', packet];

/** A client of 5.0 that has asked for this, and was let in. */
const asking = (properties: Properties = {}, answer: Properties = {}): readonly Step[] => [
  client(build.connect({ clientId: 'a', protocolLevel: 5, properties })),
  server(build.connack({ properties: answer })),
];

const published = (packetId: number, fields: Partial<build.PublishFields> = {}) =>
  server(publish({ qos: 1, packetId, ...fields }));

const explained: Properties = { reasonString: 'because' };

describe('what a server of 5.0 may send', () => {
  it.each<[string, readonly Step[]]>([
    ['nothing that was not asked for', asking()],
    ['a DISCONNECT as the last packet', [...asking(), server(build.disconnect({ code: 0x8b }))]],
    [
      'a packet as large as the client takes',
      [...asking({ maximumPacketSize: 20 }), server(publish({ payload: 'x'.repeat(14) }))],
    ],
    [
      'explanations in CONNACK, PUBLISH and DISCONNECT to a client that wants no problem information',
      [
        client(build.connect({ clientId: 'a', protocolLevel: 5, properties: { requestProblemInformation: 0 } })),
        server(build.connack({ properties: explained })),
        server(publish({ properties: { userProperties: [['name', 'value']] } })),
        server(build.disconnect({ code: 0x8b, properties: explained })),
      ],
    ],
    [
      'explanations to a client that wants problem information',
      [
        ...asking({ requestProblemInformation: 1 }),
        client(publish({ qos: 1, packetId: 1 })),
        server(build.puback(1, { code: 0x10, properties: explained })),
      ],
    ],
    [
      'Response Information that was asked for',
      asking({ requestResponseInformation: 1 }, { responseInformation: 'r' }),
    ],
    [
      'an Assigned Client Identifier to a client without one',
      [
        client(build.connect({ clientId: '', protocolLevel: 5 })),
        server(build.connack({ properties: { assignedClientIdentifier: 'b' } })),
      ],
    ],
    [
      'AUTH and an Authentication Method to a client that named one',
      [
        client(build.connect({ clientId: 'a', protocolLevel: 5, properties: { authenticationMethod: 'm' } })),
        server(build.auth({ code: 0x18, properties: { authenticationMethod: 'm' } })),
        server(build.connack({ properties: { authenticationMethod: 'm' } })),
      ],
    ],
    [
      'Topic Aliases up to the maximum of the client, first with a Topic Name',
      [
        ...asking({ topicAliasMaximum: 2 }),
        server(publish({ properties: { topicAlias: 2 } })),
        server(publish({ topic: '', properties: { topicAlias: 2 } })),
      ],
    ],
    [
      'as many messages as Receive Maximum says, and more after acknowledgements',
      [
        ...asking({ receiveMaximum: 2 }),
        published(1),
        published(2),
        client(build.puback(1)),
        published(3),
        client(build.puback(2)),
        published(4, { qos: 2 }),
        client(build.pubrec(4, { code: 0x80 })),
        published(5),
        server(publish({})),
      ],
    ],
    [
      'as many messages as Receive Maximum says, although the client has sent a PUBREC for none of them',
      [
        ...asking({ receiveMaximum: 2 }),
        client(build.pubrec(9)),
        server(build.pubrel(9, { code: 0x92 })),
        published(1),
        client(build.pubrec(10, { code: 0x80 })),
        published(2, { qos: 2 }),
      ],
    ],
    [
      'PUBREL that says so to a PUBREC of an unknown identifier, also to one that refuses',
      [
        ...asking(),
        client(build.pubrec(9)),
        server(build.pubrel(9, { code: 0x92 })),
        client(build.pubrec(10, { code: 0x83 })),
        server(build.pubrel(10, { code: 0x92 })),
      ],
    ],
    [
      'one code for each Topic Filter',
      [
        ...asking(),
        client(build.subscribe(1, ['t', 0], ['u', 0])),
        server(build.suback(1, [0, 0x87])),
        client(build.unsubscribe(2, 't', 'u')),
        server(build.unsuback(2, [0, 0x11])),
      ],
    ],
    [
      'PUBREL of an exchange of an earlier connection',
      [
        client(build.connect({ clientId: 'a', protocolLevel: 5, clean: false })),
        server(build.connack({ sessionPresent: true })),
        server(build.pubrel(5)),
      ],
    ],
  ])('%s', (_, steps) => {
    expect(brokenIn('v5', steps)).toEqual([]);
  });

  it('the topic of an alias is what the client reads', () => {
    const watch = new Watch('v5');
    for (const [who, packet] of asking({ topicAliasMaximum: 1 })) {
      if (who === 'client') watch.sent(packet);
      else watch.received(packet);
    }
    watch.received(publish({ topic: 'a/b', properties: { topicAlias: 1 } }));
    expect(watch.received(publish({ topic: '', properties: { topicAlias: 1 } }))).toMatchObject({ topic: 'a/b' });
  });
});

describe('what a server of 5.0 never sends', () => {
  it.each<[string, RequirementId, readonly Step[]]>([
    [
      'a packet after DISCONNECT',
      'v5/3.14.4-1',
      [...asking(), server(build.disconnect({ code: 0x8b })), server(publish({}))],
    ],
    [
      'a DISCONNECT before CONNACK',
      'v5/3.14.0-1',
      [client(build.connect({ clientId: 'a', protocolLevel: 5 })), server(build.disconnect({ code: 0x81 }))],
    ],
    [
      'a DISCONNECT after a CONNACK that refuses',
      'v5/3.14.0-1',
      [
        client(build.connect({ clientId: 'a', protocolLevel: 5 })),
        server(build.connack({ code: 0x87 })),
        server(build.disconnect({ code: 0x87 })),
      ],
    ],
    [
      'a packet before CONNACK',
      'v5/3.2.0-1',
      [client(build.connect({ clientId: 'a', protocolLevel: 5 })), server(build.pingresp())],
    ],
    ['a second CONNACK', 'v5/3.2.0-2', [...asking(), server(build.connack())]],
    [
      'Session Present with a refusal',
      'v5/3.2.2-6',
      [
        client(build.connect({ clientId: 'a', protocolLevel: 5 })),
        server(build.connack({ code: 0x87, sessionPresent: true })),
      ],
    ],
    [
      'a packet larger than the client takes',
      'v5/3.1.2-24',
      [...asking({ maximumPacketSize: 20 }), server(publish({ payload: 'x'.repeat(15) }))],
    ],
    [
      'a CONNACK larger than the client takes',
      'v5/3.1.2-24',
      asking({ maximumPacketSize: 20 }, { reasonString: 'x'.repeat(20) }),
    ],
    [
      'a Reason String to a client that wants no problem information',
      'v5/3.1.2-29',
      [
        ...asking({ requestProblemInformation: 0 }),
        client(publish({ qos: 1, packetId: 1 })),
        server(build.puback(1, { code: 0x10, properties: explained })),
      ],
    ],
    [
      'User Properties to a client that wants no problem information',
      'v5/3.1.2-29',
      [
        ...asking({ requestProblemInformation: 0 }),
        client(build.subscribe(1, ['t', 0])),
        server(build.suback(1, [0], { userProperties: [['name', 'value']] })),
      ],
    ],
    ['Response Information unasked', 'v5/3.1.2-28', asking({}, { responseInformation: 'r' })],
    [
      'Response Information to a client that asks for none',
      'v5/3.1.2-28',
      asking({ requestResponseInformation: 0 }, { responseInformation: 'r' }),
    ],
    [
      'an Assigned Client Identifier to a client with one',
      'v5/3.2.2.3.7~assigned-client-identifier',
      asking({}, { assignedClientIdentifier: 'b' }),
    ],
    [
      'an Assigned Client Identifier with a refusal',
      'v5/3.2.2.3.7~assigned-client-identifier',
      [
        client(build.connect({ clientId: '', protocolLevel: 5 })),
        server(build.connack({ code: 0x85, properties: { assignedClientIdentifier: 'b' } })),
      ],
    ],
    [
      'AUTH to a client that named no Authentication Method',
      'v5/4.12.0-6',
      [...asking(), server(build.auth({ code: 0x18, properties: { authenticationMethod: 'm' } }))],
    ],
    [
      'an Authentication Method in CONNACK to a client that named none',
      'v5/4.12.0-6',
      asking({}, { authenticationMethod: 'm' }),
    ],
    [
      'a Topic Alias to a client that takes none',
      'v5/3.1.2-27',
      [...asking(), server(publish({ properties: { topicAlias: 1 } }))],
    ],
    [
      'a Topic Alias above the maximum of the client',
      'v5/3.1.2-26',
      [...asking({ topicAliasMaximum: 2 }), server(publish({ properties: { topicAlias: 3 } }))],
    ],
    [
      'an unknown Topic Alias without a Topic Name',
      'v5/3.3.2-7',
      [...asking({ topicAliasMaximum: 2 }), server(publish({ topic: '', properties: { topicAlias: 2 } }))],
    ],
    [
      'neither Topic Name nor Topic Alias',
      'v5/3.3.2.1~empty-topic-without-alias',
      [...asking({ topicAliasMaximum: 2 }), server(publish({ topic: '' }))],
    ],
    ['a Topic Name with a wildcard', 'v5/3.3.2-2', [...asking(), server(publish({ topic: 'a/#' }))]],
    ['QoS 0 with DUP 1', 'v5/3.3.1-2', [...asking(), server(publish({ dup: true }))]],
    [
      'more messages than Receive Maximum says',
      'v5/3.3.4-9',
      [...asking({ receiveMaximum: 2 }), published(1), published(2, { qos: 2 }), published(3)],
    ],
    [
      'more messages than Receive Maximum says, although a PUBREC for none of them was answered',
      'v5/4.9.0-2',
      [
        ...asking({ receiveMaximum: 1 }),
        published(1),
        client(build.pubrec(9)),
        server(build.pubrel(9, { code: 0x92 })),
        published(2),
      ],
    ],
    [
      'another message while QoS 2 waits for PUBCOMP, when Receive Maximum is 1',
      'v5/4.9.0-2',
      [
        ...asking({ receiveMaximum: 1 }),
        published(1, { qos: 2 }),
        client(build.pubrec(1)),
        server(build.pubrel(1)),
        published(2),
      ],
    ],
    [
      'a message again while the connection lasts, with DUP 1 as well',
      'v5/4.4.0-1',
      [...asking(), published(1), published(1, { dup: true })],
    ],
    ['a new message with an identifier in flight', 'v5/2.2.1-4', [...asking(), published(1), published(1)]],
    [
      'a PUBLISH between PUBREC and PUBCOMP of its identifier',
      'v5/4.3.3-6',
      [...asking(), published(1, { qos: 2 }), client(build.pubrec(1)), published(1, { qos: 2 })],
    ],
    [
      'a PUBREL after a PUBREC that refused',
      'v5/2.2.1-5',
      [...asking(), published(1, { qos: 2 }), client(build.pubrec(1, { code: 0x80 })), server(build.pubrel(1))],
    ],
    [
      'two PUBRELs for one PUBREC of an unknown identifier',
      'v5/4.3.3-4',
      [
        ...asking(),
        client(build.pubrec(9, { code: 0x80 })),
        server(build.pubrel(9, { code: 0x92 })),
        server(build.pubrel(9, { code: 0x92 })),
      ],
    ],
    [
      'a PUBACK for another identifier',
      'v5/4.3.2-4',
      [...asking(), client(publish({ qos: 1, packetId: 1 })), server(build.puback(2))],
    ],
    [
      'PUBREC for QoS 1',
      'v5/4.3.3-8',
      [...asking(), client(publish({ qos: 1, packetId: 1 })), server(build.pubrec(1))],
    ],
    [
      'PUBCOMP without PUBREL',
      'v5/4.3.3-11',
      [...asking(), client(publish({ qos: 2, packetId: 1 })), server(build.pubcomp(1))],
    ],
    ['a PINGRESP unasked', 'v5/3.12.4-1', [...asking(), server(build.pingresp())]],
    [
      'SUBACK for another identifier',
      'v5/3.8.4-2',
      [...asking(), client(build.subscribe(1, ['t', 0])), server(build.suback(2, [0]))],
    ],
    [
      'SUBACK with too few codes',
      'v5/3.8.4-6',
      [...asking(), client(build.subscribe(1, ['t', 0], ['u', 0])), server(build.suback(1, [0]))],
    ],
    [
      'UNSUBACK for another identifier',
      'v5/3.10.4-5',
      [...asking(), client(build.unsubscribe(1, 't')), server(build.unsuback(2, [0]))],
    ],
    [
      'UNSUBACK with too many codes',
      'v5/3.11.3-1',
      [...asking(), client(build.unsubscribe(1, 't')), server(build.unsuback(1, [0, 0]))],
    ],
  ])('%s breaks %s', (_, id, steps) => {
    expect(brokenIn('v5', steps)).toContain(id);
  });

  it('holds back what depends on the CONNECT when that was no packet', () => {
    const watch = new Watch('v5');
    watch.sent(undefined);
    watch.received(build.connack({ properties: { responseInformation: 'r', assignedClientIdentifier: 'b' } }), 2_000);
  });
});
