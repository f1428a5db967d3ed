/** What clients of MQTT 5.0 do with messages. */

import {
  disconnect,
  type PublishFields,
  pingreq,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe,
  unsubscribe,
} from '../../harness/wire/build.ts';
import type { Properties, QoS } from '../../harness/wire/packet.ts';
import type { Scene, Scenes } from './scene.fixture.ts';

const message = (qos: QoS, packetId = 1, fields: Partial<PublishFields> = {}) =>
  publish({ topic: 't', qos, packetId, payload: 'x', ...fields });
const subscriber = (scene: Scene, properties: Properties = {}) =>
  scene.lasting('s', { properties }).send(subscribe(1, ['t', 2]));
const back = (scene: Scene, properties: Properties = {}) => scene.lasting('s', { properties });

export const publishScenes5: Scenes = {
  '5.0: messages of each QoS, and duplicates': (scene) => {
    const client = scene.lasting('s').send(subscribe(1, ['#', 2]));
    for (const qos of [0, 1, 2] as const) {
      client.send(message(qos, 7), message(qos, 7, { payload: 'again' }));
      if (qos > 0) client.send(message(qos, 7, { dup: true }));
    }
    client.send(pubrel(7), pubrel(7), message(2, 7), message(1, 1), message(2, 2), message(1, 0xffff));
    const publisher = scene.connect5('p');
    publisher.send(
      message(1, 3, { dup: true }),
      message(2, 4, { dup: true }),
      pubrel(4),
      message(1, 5, { payload: '' }),
    );
  },
  '5.0: every part of a session': (scene) => {
    const client = scene
      .lasting('s')
      .send(subscribe({ packetId: 1, properties: { subscriptionIdentifiers: [5] } }, ['t', 2]));
    scene.connect5('p').send(message(1, 1), message(2, 2), message(2, 3));
    client.send(pubrec(2), publish({ topic: 'u', qos: 2, packetId: 9 })).drop();
    scene.connect5('p').send(message(0), message(1, 1), message(2, 2));
    const again = back(scene);
    again.send(publish({ topic: 't', qos: 2, packetId: 9 }), pubrel(9), message(0));
    again.send(puback(1), pubcomp(2), pubrec(3), pubcomp(3)).drop();
    back(scene).send(disconnect());
    back(scene);
  },
  '5.0: messages as a sender': (scene) => {
    const client = subscriber(scene);
    const publisher = scene.connect5('p');
    for (let id = 1; id <= 4; id++) publisher.send(message(1, id), message(2, id + 10));
    client.send(pubrec(4), pubrec(2), puback(3), puback(77), pubrec(78), unsubscribe(2, 't'), pubrec(6), pubcomp(6));
    client.drop();
    scene.wait(20);
    back(scene).send(puback(1));
    scene.wait(2_000);
  },
  '5.0: many messages at once': (scene) => {
    scene.connect5('s').send(subscribe(1, ['t', 0]));
    scene.connect5('r').send(subscribe(1, ['t', 1]));
    const list = [1, 2, 3, 4, 5, 6].flatMap((id) => [message(0, 0), message(1, id), message(2, 10 + id)]);
    scene.connect5('p').send(...list.map((each, index) => ({ ...each, payload: Uint8Array.of(index) })));
    scene.wait(100);
  },
  '5.0: messages that the client refuses': (scene) => {
    const client = subscriber(scene, { receiveMaximum: 2 });
    scene.connect5('r').send(subscribe(1, ['u', 2]));
    const publisher = scene.connect5('p').send(message(1, 1), message(2, 2));
    client.send(puback(1, { code: 0x87 }), pubrec(2, { code: 0x97 }), pingreq());
    publisher.send(message(1, 1), message(2, 2), message(1, 3));
    client.send(pubrec(4, { code: 0x10 }), pubcomp(4, { code: 0x92 })).drop();
    back(scene);
  },
  '5.0: Receive Maximum of the client': (scene) => {
    const client = subscriber(scene, { receiveMaximum: 2 });
    const publisher = scene.connect5('p');
    for (let id = 1; id <= 8; id++) publisher.send(message(id % 2 === 0 ? 2 : 1, id));
    client.send(pingreq(), publish({ topic: 'u', qos: 1, packetId: 1 }), subscribe(9, ['u', 0]));
    client.send(puback(77), pubcomp(78), puback(1), pubrec(2), pubcomp(2), puback(3)).drop();
    scene.wait(1);
    const again = back(scene, { receiveMaximum: 1 });
    again.send(pubrec(4), pubcomp(4), puback(5)).drop();
    subscriber(scene, { receiveMaximum: 5 }).drop();
    back(scene, { receiveMaximum: 1 });
    scene.connect5('one', { properties: { receiveMaximum: 1 } }).send(subscribe(1, ['one', 1]));
    for (let id = 1; id <= 2; id++) publisher.send(publish({ topic: 'one', qos: 1, packetId: 20 + id }));
  },
  '5.0: a quota that is given back too often': (scene) => {
    const client = subscriber(scene, { receiveMaximum: 1 });
    const publisher = scene.connect5('p');
    publisher.send(message(2, 1));
    client.send(pubrec(1)).drop();
    const again = back(scene, { receiveMaximum: 1 }).send(pubcomp(1));
    for (let id = 2; id <= 4; id++) publisher.send(message(1, id));
    again.send(pingreq());
  },
  '5.0: Receive Maximum of the server': [
    { receiveMaximum: 2 },
    (scene) => {
      const client = scene.connect5('c');
      client.send(message(2, 1), message(2, 2), message(2, 2), pubrel(1), message(2, 3), message(1, 4), pingreq());
    },
  ],
  '5.0: a server that takes less': [
    { maximumQoS: 1, retainAvailable: false },
    (scene) => {
      scene.connect('old').send(message(1, 1, { retain: true }));
      const client = scene.connect5('c').send(subscribe(1, { filter: 't', qos: 2, retainAsPublished: true }));
      scene.connect('old').send(message(1, 1, { retain: true }));
      client.send(message(2, 1), pingreq());
      scene.connect5('d').send(message(0, 0, { retain: true }), pingreq());
      scene.connect5('e').send(subscribe(1, ['t', 2], ['u', 1]), pingreq());
    },
  ],
  '5.0: Maximum Packet Size of the client': (scene) => {
    const client = subscriber(scene, { maximumPacketSize: 20, receiveMaximum: 1 });
    const publisher = scene.connect5('p');
    for (const length of [5, 10, 11, 12, 13, 14, 15, 16, 40]) {
      const payload = 'x'.repeat(length);
      publisher.send(message(0, 0, { payload }), message(1, 1, { payload }));
    }
    for (let id = 1; id <= 9; id++) client.send(puback(id));
    publisher.send(message(1, 1));
    client.drop();
    publisher.send(message(1, 1, { payload: 'x'.repeat(30) }), message(1, 2));
    back(scene, { maximumPacketSize: 30 });
    const small = scene.connect5('m', { properties: { maximumPacketSize: 4 } });
    small.send(subscribe(1, ['a', 0], ['b', 0], ['c', 0]), pingreq());
  },
  '5.0: a message too large for a client that takes one at a time': (scene) => {
    subscriber(scene, { maximumPacketSize: 20, receiveMaximum: 1 });
    scene.connect5('p').send(message(1, 1, { payload: 'x'.repeat(30) }), message(1, 2));
  },
  '5.0: what explains': (scene) => {
    for (const maximumPacketSize of [1_000, 60, 40, 30, 20, 10]) {
      for (const requestProblemInformation of [0, 1]) {
        const client = scene.lasting('c', { properties: { maximumPacketSize, requestProblemInformation } });
        client.send(publish({ topic: '$x', qos: 1, packetId: 1 }), publish({ topic: '$x', qos: 2, packetId: 2 }));
        client.send(pubrec(77), pubrel(78), subscribe(3, ['a/#/b', 0]));
      }
      for (const requestProblemInformation of [0, 1]) {
        const client = scene.lasting('c', { properties: { maximumPacketSize, requestProblemInformation } });
        client.send(publish({ topic: '$x', qos: 1, packetId: 1 }), publish({ topic: '$x', qos: 2, packetId: 2 }));
        client.send(pubrec(77), pubrel(78), unsubscribe(4, 'z'), publish({ topic: '' }));
      }
    }
  },
  '5.0: SUBACK that explains': [
    { choices: { invalidFilter: '0x80' } },
    (scene) => {
      for (const maximumPacketSize of [1_000, 60, 40, 30, 20]) {
        const client = scene.connect5('c', { properties: { maximumPacketSize } });
        client.send(subscribe(3, ['a/#/b', 0], ['$share/x', 0], ['$share//x', 0], ['a', 1]), publish({ topic: 'a' }));
      }
      scene.connect5('c', { properties: { requestProblemInformation: 0 } }).send(subscribe(3, ['a/#/b', 0]));
    },
  ],
  '5.0: properties that go on': (scene) => {
    subscriber(scene);
    scene.connect('old').send(subscribe(1, ['t', 0]));
    const properties: Properties = {
      payloadFormatIndicator: 1,
      contentType: 'c',
      responseTopic: 'r',
      correlationData: Uint8Array.of(1, 2),
      userProperties: [
        ['b', '1'],
        ['a', '2'],
        ['b', '3'],
      ],
      topicAlias: 3,
    };
    scene.connect5('p').send(message(0, 0, { properties }), message(1, 1), message(0, 0, { properties: {} }));
    scene.connect5('q').send(message(1, 1, { properties: { responseTopic: 'a/#' } }), pingreq());
    scene.connect('old2').send(message(1, 2));
  },
  '5.0: text that is none': (scene) => {
    subscriber(scene);
    const client = scene.connect5('p');
    const properties = { payloadFormatIndicator: 1 };
    const none = { properties, payload: Uint8Array.of(0xff) };
    client.send(
      message(1, 1, { properties }),
      message(1, 2, none),
      message(2, 3, none),
      message(2, 3),
      message(0, 0, none),
    );
  },
  '5.0: messages that expire': (scene) => {
    subscriber(scene).drop();
    const publisher = scene.connect5('p');
    const expiring = (messageExpiryInterval: number) => ({ properties: { messageExpiryInterval } });
    publisher.send(
      message(1, 1, expiring(2)),
      message(2, 2, expiring(10)),
      message(1, 3, expiring(100)),
      message(1, 4),
    );
    publisher.send(publish({ topic: 'kept', payload: 'x', retain: true, ...expiring(5) }));
    publisher.send(message(2, 20, expiring(1)));
    scene.wait(3_000);
    publisher.send(pubrel(20));
    scene.connect5('l').send(subscribe(1, ['kept', 0]));
    back(scene).send(pingreq()).drop();
    scene.wait(10_000);
    back(scene);
    scene.connect5('m').send(subscribe(1, ['kept', 0], ['+', 0]));
    publisher.send(message(1, 1, expiring(0)));
  },
  '5.0: Topic Aliases of the client': (scene) => {
    subscriber(scene);
    const aliased = (topic: string, topicAlias: number) =>
      publish({ topic, payload: topic, properties: { topicAlias } });
    const client = scene
      .lasting('p')
      .send(aliased('u', 1), aliased('t', 1), aliased('', 1), aliased('t', 10), aliased('', 10));
    client.drop();
    scene.lasting('p').send(aliased('', 1), pingreq());
    for (const packet of [
      aliased('t', 0),
      aliased('t', 11),
      aliased('', 5),
      publish({ topic: '' }),
      aliased('a/#', 1),
    ]) {
      scene.connect5('q').send(packet, pingreq());
    }
  },
  '5.0: a server without Topic Aliases': [
    { topicAliasMaximum: 0 },
    (scene) => {
      scene.connect5('q').send(publish({ topic: 't', properties: { topicAlias: 1 } }), pingreq());
    },
  ],
  '5.0: Topic Aliases of the server': (scene) => {
    for (const topicAliasMaximum of [0, 1, 2]) {
      scene.connect5(`s${topicAliasMaximum}`, { properties: { topicAliasMaximum } }).send(subscribe(1, ['#', 1]));
    }
    for (const topic of ['a', 'b', 'c', 'a', 'b', 'c'])
      scene.connect5('p').send(publish({ topic, qos: 1, packetId: 1 }));
  },
  '5.0: topics': (scene) => {
    for (const filter of ['a', 'a/+', '$SYS/#', '+/broker/version', 'é', 'A', 'a/', '/a', 'a\u0001', '#', '+']) {
      scene.connect5(filter).send(subscribe(1, [filter, 0]));
    }
    const names = ['a', 'a/', 'a/b', 'A', '/a', 'e\u0301', 'é', '\uFEFFa', 'a\u0001', '$SYS/a'];
    scene.connect5('p').send(...names.map((topic) => publish({ topic, payload: topic, qos: 1, packetId: 1 })));
    const long = 'x'.repeat(65_535);
    scene.connect5('c').send(subscribe(1, [long, 0]), publish({ topic: long }), publish({ topic: 'a/#' }), pingreq());
  },
  '5.0: a message that is handed on by PUBREL': [
    { choices: { deliverOn: 'PUBREL' } },
    (scene) => {
      subscriber(scene);
      scene.connect5('p').send(message(2, 1), message(2, 1), pubrel(1), pubrel(1));
    },
  ],
};
