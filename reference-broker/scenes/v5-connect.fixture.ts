/** What clients of MQTT 5.0 do with connections and sessions. */

import {
  auth,
  type ConnectFields,
  connect,
  disconnect,
  pingreq,
  publish,
  subscribe,
} from '../../harness/wire/build.ts';
import { challengeMethod, proofOf } from '../../harness/wire/challenge.ts';
import { encode } from '../../harness/wire/encode.ts';
import type { Properties } from '../../harness/wire/packet.ts';
import type { Scene, Scenes } from './scene.fixture.ts';

const method = { authenticationMethod: challengeMethod };
const proof = (challenge: string, secret = 'secret'): Properties => ({
  ...method,
  authenticationData: proofOf(Buffer.from(challenge), secret),
});
const will = { topic: 'will', payload: 'x', qos: 1 } as const;
const watch = (scene: Scene) => scene.connect5('w').send(subscribe(1, ['will', 2], ['$SYS/#', 0]));

export const connectScenes5: Scenes = {
  '5.0: CONNECT in many forms': (scene) => {
    const forms: Partial<ConnectFields>[] = [
      { protocolName: 'MQTTX' },
      { protocolName: 'mqtt' },
      { protocolLevel: 6 },
      { clientId: '', clean: false },
      { clientId: '' },
      { clientId: 'abcdefghijklmnopqrstuvw' },
      { clientId: 'A' },
      { clientId: 'ab' },
      { clientId: 'é' },
      { clientId: '\uFEFFab' },
      { clientId: 'a+b#', properties: { requestResponseInformation: 1 } },
      { password: Uint8Array.of(0, 0xff) },
      { userName: 'é', password: Uint8Array.of(0, 0xff) },
      { will: { topic: 'a/#' } },
      { will: { topic: 'a', payload: Uint8Array.of(0xff), properties: { payloadFormatIndicator: 1 } } },
      { properties: { authenticationMethod: 'unknown' } },
      { properties: { sessionExpiryInterval: 0xffff_ffff } },
    ];
    for (const form of forms) scene.open('c', 'v5').send(connect({ clientId: 'c', protocolLevel: 5, ...form }));
    for (const form of forms) {
      const first = connect({ clientId: 'c', protocolLevel: 5, ...form });
      scene.open('c', 'v5').send(first, pingreq(), publish({ topic: 'é', qos: 1, packetId: 1 }));
    }
    scene.wait(1);
  },
  '5.0: identifiers that are not the same': (scene) => {
    for (const id of ['one', 'One', 'ond', '\uFEFFone', 'other']) scene.lasting(id);
  },
  '5.0: an identifier that was assigned': (scene) => {
    scene.lasting('').send(disconnect());
    scene.lasting('assigned1');
    scene.lasting('');
    scene.lasting('');
  },
  '5.0: refused': [
    { credentials: { user: 'secret' }, choices: { otherClientIds: 'refuse' } },
    (scene) => {
      const right = { userName: 'user', password: 'secret', clean: false, properties: { sessionExpiryInterval: 10 } };
      scene.connect5('c', right);
      const message = publish({ topic: 't', qos: 1, packetId: 1 });
      for (const size of [100, 40, 20, 5]) {
        const properties = { maximumPacketSize: size };
        scene.connect5('c', { ...right, clean: true, password: 'wrong', properties }).send(message);
      }
      scene.connect5('c', right);
      scene.connect5('c/d', right);
    },
  ],
  '5.0: a server with limits': [
    { maximumQoS: 1, retainAvailable: false, maximumSessionExpirySeconds: 5, serverKeepAlive: 10, receiveMaximum: 2 },
    (scene) => {
      scene.connect5('c', { will: { ...will, qos: 2 } }).send(pingreq());
      scene.connect5('c', { will: { ...will, retain: true } }).send(pingreq());
      scene.lasting('c', { keepAlive: 0 });
      scene.wait(12_000);
      scene.wait(6_000);
      scene.lasting('c');
    },
  ],
  '5.0: no room for another session': [
    { maximumSessions: 1 },
    (scene) => {
      scene.lasting('c').drop();
      scene.lasting('d');
      scene.lasting('c');
    },
  ],
  '5.0: packets at the wrong time': (scene) => {
    scene.open('a', 'v5').send(pingreq(), connect({ clientId: 'a', protocolLevel: 5 }));
    scene.connect5('b').send(connect({ clientId: 'b', protocolLevel: 5 }), pingreq());
    scene.connect5('c', { will }).send(disconnect(), pingreq());
    scene.connect5('d').send(auth({ code: 0x18, properties: method }), pingreq());
    const silent = scene.connect5('e');
    scene.connect5('e');
    silent.send(pingreq());
  },
  '5.0: a stream in pieces': (scene) => {
    const client = scene.open('d', 'v5');
    for (const byte of encode(connect({ clientId: 'd', protocolLevel: 5 }), 'v5'))
      client.sendBytes(Uint8Array.of(byte));
  },
  '5.0: packets that are too large': [
    { maximumPacketSize: 100 },
    (scene) => {
      scene.connect5('c').send(publish({ topic: 't', payload: 'x'.repeat(100) }), pingreq());
      scene.connect5('c'.repeat(100)).send(pingreq());
    },
  ],
  '5.0: sessions that last and do not': (scene) => {
    const intervals = [undefined, 0, 1, 10, 0xffff_ffff];
    for (const sessionExpiryInterval of intervals) {
      const properties = sessionExpiryInterval === undefined ? {} : { sessionExpiryInterval };
      for (const waitMs of [0, 500, 5_000, 20_000]) {
        scene.connect5('c', { clean: false, properties }).drop();
        scene.wait(waitMs);
      }
      scene.connect5('c', { clean: true, properties }).drop();
    }
    scene.wait(10_000);
  },
  '5.0: the Session Expiry Interval of a DISCONNECT': (scene) => {
    const leave = (sessionExpiryInterval: number) => disconnect({ code: 0, properties: { sessionExpiryInterval } });
    scene.connect5('c', { will }).send(leave(10), pingreq());
    scene.lasting('c').send(leave(0));
    scene.lasting('c').send(leave(2));
    scene.wait(3_000);
    scene.lasting('c');
  },
  '5.0: sessions between the versions': (scene) => {
    scene
      .connect('c', { clean: false })
      .send(subscribe(1, ['t', 1]))
      .drop();
    scene.connect('p').send(publish({ topic: 't', qos: 1, packetId: 1, payload: '3' }));
    scene.lasting('c').send(publish({ topic: 't', payload: 'own' }), disconnect());
    scene.connect('c', { clean: false });
  },
  '5.0: a CONNECT with a will that is refused': (scene) => {
    watch(scene);
    scene.connect5('c', { will, properties: { authenticationMethod: 'unknown' } });
  },
  '5.0: wills': (scene) => {
    watch(scene);
    const delayed = { ...will, properties: { willDelayInterval: 5 } };
    for (const victimWill of [will, delayed]) {
      for (const expiry of [0, 2, 60]) {
        const victim = () =>
          scene.lasting('v', { will: victimWill, keepAlive: 10, properties: { sessionExpiryInterval: expiry } });
        victim().drop();
        scene.wait(20_000);
        victim().send(disconnect());
        scene.lasting('v').drop();
        victim().send(disconnect({ code: 0x04 }));
        scene.wait(1_000);
        victim().send(disconnect({ code: 0x80 }));
        scene.lasting('v').drop();
        victim().sendBytes(Uint8Array.of(0xf5, 0));
        scene.wait(20_000);
        victim();
        scene.lasting('v').drop();
        victim();
        scene.connect5('v', { clean: true }).drop();
        victim();
        scene.wait(60_000);
      }
    }
    scene.lasting('later', { will: delayed }).drop();
    scene.wait(10_000);
    scene.lasting('later').drop();
    scene.wait(10_000);
  },
  '5.0: what belongs to a will': (scene) => {
    watch(scene);
    scene.connect5('l').send(subscribe(1, ['will', 2]));
    const userProperties = [
      ['b', '1'],
      ['a', '2'],
    ] as const;
    const properties = {
      userProperties,
      contentType: 'c',
      responseTopic: 'r',
      correlationData: Uint8Array.of(1),
      payloadFormatIndicator: 1,
      messageExpiryInterval: 10,
      willDelayInterval: 2,
    };
    scene.lasting('v', { will: { ...will, retain: true, properties } }).drop();
    scene.wait(5_000);
    scene.connect5('l').send(subscribe(1, ['will', 2]));
    scene.connect5('v', { will }).drop();
    scene.connect5('l').send(subscribe(1, ['will', 2]));
    scene.wait(20_000);
    scene.connect5('l').send(subscribe(1, ['will', 2]));
  },
  '5.0: Keep Alive': (scene) => {
    scene.connect5('c', { keepAlive: 4 }).send(subscribe(1, ['t', 0]));
    const publisher = scene.connect5('p', { keepAlive: 4 });
    scene.connect5('zero', { keepAlive: 0 }).send(pingreq(), pingreq());
    scene.connect5('greatest', { keepAlive: 0xffff });
    for (let second = 0; second < 4; second++) {
      publisher.send(publish({ topic: 't' }));
      scene.wait(3_000);
    }
    scene.wait(600_000);
  },
  '5.0: shutdown': (scene) => {
    scene.connect5('c');
    scene.close();
  },
  '5.0: authentication': [
    { secret: 'secret' },
    (scene) => {
      const begin = (properties: Properties = method) => scene.connect5('c', { properties });
      const right = begin().send(auth({ code: 0x18, properties: proof('challenge 0') }));
      right.send(auth({ code: 0x19, properties: method }), pingreq());
      right.send(auth({ code: 0x18, properties: proof('challenge 1') }), pingreq());
      right.send(auth({ code: 0x19, properties: method }));
      right.send(auth({ code: 0x18, properties: proof('challenge 2', 'wrong') }), pingreq());
      begin().send(auth({ code: 0x18, properties: proof('challenge 3', 'wrong') }), pingreq());
      const other = { ...method, authenticationMethod: 'other' };
      begin().send(auth({ code: 0x18, properties: other }), pingreq());
      begin().send(auth({ code: 0x19, properties: method }), pingreq());
      begin().send(pingreq(), auth({ code: 0x18, properties: proof('challenge 6') }));
      begin().send(disconnect());
      begin();
      const small = { ...method, maximumPacketSize: 60 };
      begin(small);
      begin({ ...small, maximumPacketSize: 50 });
      begin({ ...method, requestProblemInformation: 0 });
      scene.wait(20_000);
      const free = begin().send(auth({ code: 0x18, properties: proof('challenge 12') }));
      free.send(auth({ code: 0x18, properties: method }), auth({ code: 0x19, properties: other }), pingreq());
      const eager = begin().send(auth({ code: 0x19, properties: method }));
      eager.send(auth({ code: 0x18, properties: proof('challenge 13') }));
      const wavering = begin().send(auth({ code: 0x18, properties: proof('challenge 14') }));
      wavering.send(auth({ code: 0x19, properties: other }), pingreq());
    },
  ],
};
