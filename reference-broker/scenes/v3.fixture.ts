/** What clients of MQTT 3.1.1 do. A gate is worth having if breaking it changes what they see in one of these. */

import {
  type ConnectFields,
  connect,
  disconnect,
  pingreq,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe,
  unsubscribe,
} from '../../harness/wire/build.ts';
import { encode } from '../../harness/wire/encode.ts';
import type { QoS } from '../../harness/wire/packet.ts';
import type { Scenes } from './scene.fixture.ts';

const message = (qos: QoS, packetId = 1, payload: string | Uint8Array = 'x') =>
  publish({ topic: 't', qos, packetId, payload });
const retained = (qos: QoS, payload: string) => publish({ topic: 't', qos, packetId: 1, payload, retain: true });

export const scenes3: Scenes = {
  'CONNECT in many forms': (scene) => {
    const forms: Partial<ConnectFields>[] = [
      { protocolName: 'MQTTX' },
      { protocolName: 'mqtt' },
      { protocolLevel: 6 },
      { clientId: '', clean: false },
      { clientId: '', clean: true },
      { clientId: '', clean: true },
      { clientId: 'abcdefghijklmnopqrstuvw' },
      { clientId: 'A' },
      { clientId: 'abcdefghijklmnopqrstuvwxyz1' },
      { clientId: 'abcdefghijklmnopqrstuvwxyz2' },
      { userName: '', password: Uint8Array.of(0, 0xff) },
      { keepAlive: 0xffff },
    ];
    for (const form of forms) scene.open('c').send(connect({ clientId: 'c', ...form }));
    for (const form of forms) scene.open('c').send(connect({ clientId: 'c', ...form }), pingreq(), message(1));
    scene.wait(1);
  },
  'a CONNECT with a will that is refused': (scene) => {
    scene.subscriber();
    scene.open('c').send(connect({ clientId: '', clean: false, will: { topic: 't', payload: 'will' } }));
  },
  'identifiers that are not the same': (scene) => {
    for (const id of ['one', 'One', 'ond', '\uFEFFone']) scene.connect(id, { clean: false });
  },
  'the wrong password': [
    { credentials: { user: 'secret' } },
    (scene) => {
      const right = { userName: 'user', password: 'secret', clean: false };
      scene.connect('c', right);
      scene.connect('c', { ...right, clean: true, password: 'wrong' }).send(message(1));
      scene.connect('c', right);
      scene.connect('c', { ...right, password: 'wrong' });
    },
  ],
  'an identifier that is not served': [
    { choices: { otherClientIds: 'refuse' } },
    (scene) => {
      scene.connect('c/d');
    },
  ],
  'no CONNECT': (scene) => {
    scene.open('silent');
    scene.wait(20_000);
  },
  'packets at the wrong time': (scene) => {
    scene.open('c').send(pingreq(), connect({ clientId: 'c' }));
    scene.connect('d').send(connect({ clientId: 'd' }), pingreq());
    scene.connect('e', { will: { topic: 't' } }).send(disconnect(), pingreq());
    scene.connect('f').send(publish({ topic: 'a/#' }), pingreq());
  },
  'a stream in pieces': (scene) => {
    for (const byte of encode(connect({ clientId: 'c' }), 'v3')) scene.open('c').sendBytes(Uint8Array.of(byte));
    const client = scene.open('d');
    for (const byte of encode(connect({ clientId: 'd' }), 'v3')) client.sendBytes(Uint8Array.of(byte));
  },
  'what 3.1.1 leaves open': (scene) => {
    scene.connect('c').sendBytes(Uint8Array.of(0xc0, 0x80, 0));
    scene.connect('d').send(publish({ topic: 't', dup: true }));
    scene.connect('e').send(subscribe(1, ['a\u0001', 0]), publish({ topic: 'a\u0001' }), publish({ topic: 'a' }));
  },
  'sessions that last and do not': (scene) => {
    for (const clean of [true, false, false, true, false]) {
      scene
        .connect('c', { clean })
        .send(subscribe(1, ['t', 1]))
        .drop();
      scene.connect('p').send(message(1));
    }
    scene.subscriber(1, 't', true).drop();
    scene.connect('s', { clean: false });
    scene.connect('p').send(message(1));
  },
  'every part of a session': (scene) => {
    const client = scene.subscriber(2);
    scene.connect('p').send(message(1, 1), message(2, 2), message(2, 3));
    client.send(pubrec(2), publish({ topic: 'u', qos: 2, packetId: 9 })).drop();
    scene.connect('p').send(message(0), message(1, 1, 'a'), message(2, 2, 'b'));
    const again = scene.connect('s', { clean: false });
    again.send(publish({ topic: 't', qos: 2, packetId: 9 }), pubrel(9), message(0));
    again.send(puback(1), pubcomp(2), pubrec(3), pubcomp(3)).drop();
    scene.connect('s', { clean: false });
  },
  'messages as a sender': (scene) => {
    const client = scene.subscriber(2);
    const publisher = scene.connect('p');
    for (let id = 1; id <= 4; id++) publisher.send(message(1, id, `${id}`), message(2, id + 10, `${id}`));
    client.send(pubrec(4), pubrec(2), puback(3), puback(77), unsubscribe(2, 't'), pubrec(6), pubcomp(6)).drop();
    scene.wait(20);
    scene.connect('s', { clean: false }).send(puback(1));
    scene.wait(2_000);
  },
  'messages of each QoS, and duplicates': (scene) => {
    const client = scene.subscriber(2, '#');
    for (const qos of [0, 1, 2] as const) {
      client.send(message(qos, 7), message(qos, 7, 'again'), { ...message(qos, 7), dup: qos > 0 });
    }
    client.send(pubrel(7), pubrel(7), message(2, 7));
    scene.connect('p').send({ ...message(1, 3), dup: true }, { ...message(2, 4), dup: true }, pubrel(4));
  },
  'identifiers of both sides': (scene) => {
    const client = scene.subscriber(2);
    scene.connect('p').send(message(1, 1), message(2, 2));
    client.send(message(1, 1), message(2, 2), message(1, 0xffff), subscribe(258, ['t', 0]), unsubscribe(259, 't'));
  },
  'many messages at once': (scene) => {
    scene.subscriber(0, 't');
    scene.connect('r').send(subscribe(1, ['t', 1]));
    const list = [1, 2, 3, 4, 5, 6].flatMap((id) => [message(0, 0, `${id}`), message(1, id), message(2, 10 + id)]);
    scene.connect('p').send(...list);
    scene.wait(100);
  },
  payloads: (scene) => {
    scene.subscriber(1);
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    scene.connect('p').send(message(1, 1, all), message(1, 2, Buffer.alloc(70_000)));
  },
  subscriptions: (scene) => {
    const client = scene.connect('c');
    client.send(retained(1, 'r'), subscribe(1, ['t', 0], ['t', 2], ['u', 1], ['+', 0]), message(2, 5));
    client.send(subscribe(2, ['t', 1]), message(2, 6), pingreq());
    scene.wait(50);
    client.send(message(2, 7), unsubscribe(3, 'x'), unsubscribe(4, 'u', 't'), message(1, 8), unsubscribe(5, 'a', 'b'));
    client.send(subscribe(6, ['t', 0]), unsubscribe(7, '+'), message(1, 9));
    scene.connect('d').send(subscribe(1, ['a/+', 0], ['b', 0]), unsubscribe(2, 'a/b'), publish({ topic: 'a/b' }));
    scene.connect('e').send(unsubscribe(1, 'é'));
  },
  'a subscription that is idle': (scene) => {
    const client = scene.subscriber(0);
    scene.wait(5_000);
    client.send(message(0));
  },
  'overlapping subscriptions': (scene) => {
    const client = scene.connect('c').send(subscribe(1, ['t', 0], ['+', 2], ['#', 1]));
    client.send(message(2));
  },
  'several recipients': (scene) => {
    for (const id of ['a', 'b', 'c']) scene.connect(id).send(subscribe(1, ['t', 1]));
    scene.connect('p').send(message(1));
  },
  topics: (scene) => {
    const filters = [
      'a',
      'a/+',
      'a/#',
      '+/b',
      '+',
      '/a',
      'a//b',
      'a/+/b',
      '$SYS/#',
      '+/broker/version',
      'é',
      'A',
      'a/',
    ];
    for (const filter of filters) scene.connect(filter).send(subscribe(1, [filter, 0]));
    const names = ['a', 'a/', 'a/b', 'a/b/c', 'A', '/a', 'a//b', 'e\u0301', 'é', '\uFEFFa', 'a\u0001', '$SYS/a', 'b/c'];
    scene.connect('p').send(...names.map((topic) => publish({ topic, payload: topic, qos: 1, packetId: 1 })));
    const long = 'x'.repeat(65_535);
    scene.connect('c').send(subscribe(1, [long, 0]), publish({ topic: long }));
  },
  'retained messages': (scene) => {
    const watcher = scene.subscriber(2);
    const late = () => scene.connect('late').send(subscribe(1, ['t', 2]), subscribe(2, ['+', 1]));
    const steps = [retained(1, 'a'), retained(2, 'b'), message(1, 1, 'no'), message(1, 1, ''), retained(0, 'c')];
    for (const step of [...steps, retained(1, ''), message(1, 1, 'no'), retained(0, 'd')]) {
      scene.connect('p').send(step).drop();
      late();
    }
    watcher.drop();
    scene.connect('s', { clean: false });
  },
  wills: (scene) => {
    scene.connect('w').send(subscribe(1, ['will', 2], ['x', 2]));
    const will = { topic: 'will', payload: 'x', qos: 1 } as const;
    const victim = (retain: boolean) => scene.connect('v', { will: { ...will, retain }, clean: false, keepAlive: 10 });
    victim(false).drop();
    scene.connect('v', { clean: false }).drop();
    scene.connect('l').send(subscribe(1, ['will', 2]));
    victim(true).send(disconnect());
    scene.connect('v', { clean: false }).drop();
    victim(true).sendBytes(Uint8Array.of(0xf0, 0));
    scene.connect('l').send(subscribe(1, ['will', 2]));
    victim(true);
    victim(true);
    scene.wait(60_000);
  },
  'Keep Alive': (scene) => {
    const client = scene.connect('c', { keepAlive: 4 }).send(subscribe(1, ['t', 0]));
    const publisher = scene.connect('p', { keepAlive: 4 });
    scene.connect('zero', { keepAlive: 0 }).send(pingreq());
    for (let second = 0; second < 4; second++) {
      publisher.send(message(0));
      scene.wait(3_000);
    }
    client.send(pingreq());
    scene.wait(600_000);
  },
  'filters that break the rules': [
    { choices: { invalidFilter: '0x80' } },
    (scene) => {
      scene.connect('c').send(subscribe(1, ['a/#/b', 0], ['a+', 0], ['a', 0]), publish({ topic: 'a' }));
    },
  ],
  pings: (scene) => {
    scene.connect('c', { keepAlive: 60 }).send(pingreq(), pingreq());
  },
};
