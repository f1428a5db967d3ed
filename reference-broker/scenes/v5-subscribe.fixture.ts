/** What clients of MQTT 5.0 do with subscriptions and retained messages. */

import { pingreq, puback, publish, pubrec, pubrel, subscribe, unsubscribe } from '../../harness/wire/build.ts';
import type { QoS, RetainHandling } from '../../harness/wire/packet.ts';
import type { Scene, Scenes } from './scene.fixture.ts';

const message = (qos: QoS, packetId = 1, topic = 't', retain = false) =>
  publish({ topic, qos, packetId, payload: 'x', retain });
const identified = (packetId: number, identifier: number) => ({
  packetId,
  properties: { subscriptionIdentifiers: [identifier] },
});
const shared = '$share/g/t';
const members = (scene: Scene, qos: QoS = 2) =>
  ['a', 'b', 'c'].map((id) => scene.lasting(id).send(subscribe(1, [shared, qos])));

export const subscribeScenes5: Scenes = {
  '5.0: subscriptions': (scene) => {
    const client = scene.connect5('c');
    client.send(message(1, 1, 't', true), subscribe(1, ['t', 0], ['t', 2], ['u', 1], ['+', 0]), message(2, 5));
    client.send(subscribe(2, ['t', 1]), message(2, 6), pingreq());
    scene.wait(50);
    client.send(
      message(2, 7),
      unsubscribe(3, 'x'),
      unsubscribe(4, 'u', 't', 'v'),
      message(1, 8),
      unsubscribe(5, 'a', 'b'),
    );
    client.send(
      subscribe(6, ['t', 0]),
      unsubscribe(7, '+'),
      message(1, 9),
      subscribe(258, ['w', 0]),
      unsubscribe(259, 'w'),
    );
    scene.connect5('l').send(subscribe(1, ['a//b', 0]), publish({ topic: 'a//b' }));
    scene.connect5('d').send(subscribe(1, ['a/+', 0], ['b', 0]), unsubscribe(2, 'a/b'), publish({ topic: 'a/b' }));
    const idle = scene.connect5('e').send(subscribe(1, ['t', 0], ['é', 0]), unsubscribe(2, 'é'));
    scene.wait(5_000);
    idle.send(message(0));
  },
  '5.0: several recipients': (scene) => {
    for (const id of ['a', 'b', 'c']) scene.connect5(id).send(subscribe(1, ['t', 1]));
    scene.connect5('p').send(message(1));
  },
  '5.0: overlapping subscriptions': (scene) => {
    const client = scene
      .connect5('c')
      .send(subscribe(identified(1, 1), ['t', 0]), subscribe(identified(2, 2), ['+', 2]));
    scene.connect5('d').send(subscribe(identified(1, 300), ['t', 1]));
    client.send(subscribe(3, ['#', 1]), message(2));
  },
  '5.0: a copy for each subscription': [
    { choices: { overlapping: 'each' } },
    (scene) => {
      const client = scene.connect5('c');
      client.send(subscribe(identified(1, 1), ['t', 0]), subscribe(identified(2, 2), ['+', 2]), message(1));
    },
  ],
  '5.0: Subscription Identifiers': (scene) => {
    const client = scene.lasting('c').send(subscribe(identified(1, 1), ['t', 1]), message(0));
    client.send(subscribe(identified(2, 2), ['t', 1]), message(0), subscribe(3, ['t', 1]), message(0));
    client.send(subscribe(identified(2, 3), ['t', 1]), message(1, 1, 't', true)).drop();
    scene.lasting('c').send(message(0), unsubscribe(4, 't'), subscribe(5, ['t', 0]), message(0));
  },
  '5.0: options': (scene) => {
    const client = scene.connect5('c');
    client.send(
      subscribe(
        1,
        { filter: 't', qos: 1, noLocal: true },
        { filter: 'u', qos: 1, retainAsPublished: true },
        { filter: 'v', qos: 1 },
      ),
    );
    const other = scene.connect5('d');
    for (const topic of ['t', 'u', 'v']) {
      client.send(message(1, 1, topic), message(1, 2, topic, true));
      other.send(message(1, 1, topic), message(1, 2, topic, true));
    }
    client.send(subscribe(2, ['+', 0]), message(1, 1));
    scene.connect5('e').send(subscribe(1, { filter: shared, qos: 0, noLocal: true }), pingreq());
  },
  '5.0: Retain Handling': (scene) => {
    scene.connect5('p').send(message(1, 1, 't', true));
    const client = scene.connect5('c').send(subscribe(9, ['other', 0]));
    for (const retainHandling of [0, 1, 2] as const satisfies RetainHandling[]) {
      client.send(subscribe(1, { filter: 't', qos: 1, retainHandling }), unsubscribe(2, 't'));
      client.send(subscribe(1, { filter: 't', qos: 1, retainHandling }));
      client.send(subscribe(1, { filter: 't', qos: 1, retainHandling, retainAsPublished: true }));
    }
  },
  '5.0: retained messages': (scene) => {
    scene
      .lasting('w')
      .send(subscribe(1, ['t', 2]))
      .drop();
    const late = () => scene.connect5('late').send(subscribe(1, ['t', 2]), subscribe(2, ['+', 1]));
    const empty = (qos: QoS, retain: boolean) => publish({ topic: 't', qos, packetId: 1, retain });
    const watcher = scene.connect5('watcher').send(subscribe(1, ['t', 0]));
    const steps = [message(1, 1, 't', true), publish({ topic: 't', qos: 2, packetId: 2, payload: 'b', retain: true })];
    for (const step of [...steps, message(1), empty(1, false), message(0, 0, 't', true), empty(1, true), message(1)]) {
      scene.connect5('p').send(step).drop();
      late();
    }
    scene
      .connect5('p')
      .send(message(2, 1, 't', true))
      .drop();
    late();
    watcher.drop();
    scene.lasting('w');
  },
  '5.0: Shared Subscriptions': (scene) => {
    scene.connect5('p').send(message(1, 1, 't', true));
    const [a, b, c] = members(scene);
    a?.send(subscribe(2, [shared, 1]), subscribe(3, ['t', 0]));
    scene.connect5('d').send(subscribe(1, [shared, 0]), subscribe(2, ['$share/other/+', 1]));
    const publisher = scene.connect5('p');
    for (let id = 1; id <= 6; id++) publisher.send(message(2, id, 't', id === 6));
    b?.send(unsubscribe(2, shared), unsubscribe(3, shared));
    for (let id = 7; id <= 12; id++) publisher.send(message(2, id));
    c?.send(unsubscribe(2, 't'));
    publisher.send(message(1, 1));
  },
  '5.0: members that go': (scene) => {
    const [a, b] = members(scene);
    scene.connect5('p').send(message(1, 1), message(2, 2), message(2, 3), message(2, 4), message(1, 5));
    a?.send(pubrec(2), puback(1)).drop();
    scene.connect5('a');
    b?.drop();
    scene.connect5('b');
    scene.lasting('c').send(subscribe(2, ['u', 0]));
  },
  '5.0: a QoS 2 message whose member goes for a while': (scene) => {
    const [a] = members(scene);
    scene.connect5('p').send(message(2, 1), pubrel(1));
    a?.drop();
    scene.lasting('a').drop();
    scene.connect5('a');
  },
  '5.0: members that are all away': (scene) => {
    const [a, b, c] = members(scene);
    for (const member of [a, b, c]) member?.drop();
    scene.connect5('p').send(message(1, 1), message(1, 2), message(0), message(2, 3));
    for (const id of ['a', 'b']) scene.connect5(id);
    scene.lasting('c');
  },
  '5.0: a member that refuses': (scene) => {
    const [a] = members(scene);
    scene.connect5('p').send(message(1, 1));
    a?.send(puback(1, { code: 0x97 }), pingreq());
  },
  '5.0: filters that are not served': [
    {
      wildcardSubscriptionAvailable: false,
      subscriptionIdentifierAvailable: false,
      sharedSubscriptionAvailable: false,
    },
    (scene) => {
      for (const filter of ['a/#', shared, 'a']) {
        scene.connect5('c').send(subscribe(filter === 'a' ? identified(1, 1) : 1, [filter, 0]), pingreq());
      }
    },
  ],
  '5.0: what is forbidden': [
    { denied: ['secret/#'] },
    (scene) => {
      for (const client of [scene.connect('c'), scene.connect5('d')]) {
        client.send(subscribe(1, ['a', 0], ['secret/#', 1], ['#', 2]), message(1, 1, 'secret/a'), message(2, 2, 'a'));
      }
    },
  ],
  '5.0: filters that are refused one by one': [
    { wildcardSubscriptionAvailable: false, choices: { unavailable: 'SUBACK', invalidFilter: '0x80' } },
    (scene) => {
      const client = scene.connect5('c').send(subscribe(1, ['a/#', 0], ['a', 1], ['b#', 0], ['b+', 0]));
      client.send(publish({ topic: 'a' }), publish({ topic: 'a/b' }));
    },
  ],
};
