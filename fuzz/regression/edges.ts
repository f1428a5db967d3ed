/** The edges of the format that parsers are known to stumble over. */

import { connectOf, fence, publishOf, send, subscribeOf, topic } from '../generate/scenes.ts';
import { caseName } from '../record.ts';
import type { Step } from '../script.ts';
import { bent, hexOf, one, raw, type Seed, seed, several } from './seed.ts';

const v3 = send(connectOf('v3', 'a'));
const v5 = send(connectOf('v5', 'a'));
const ping = send({ type: 'PINGREQ' });
const lengths: readonly Seed[] = [
  seed(
    'ping-padded-to-four',
    'a PINGREQ whose length 0 takes four bytes: odd but right in 3.1.1',
    one('v3', v3, raw('c0 80 80 80 00'), ping),
  ),
  seed(
    'ping-padded-in-5',
    'the same in 5.0, where the shortest form is required',
    one('v5', v5, raw('c0 80 00'), ping),
  ),
  seed(
    'length-without-end',
    'a Remaining Length that goes on and on',
    one('v3', v3, raw('30 ff ff ff ff ff ff ff ff')),
  ),
  seed('length-without-end-first', 'the same in the first packet', one('v3', raw('10 80 80 80 80 80 80'))),
  seed('header-only', 'a first byte and nothing else', one('v3', raw('10'))),
  seed('half-a-connect', 'a CONNECT that breaks off', one('v3', raw('10 0f 00 04 4d 51'))),
  seed('half-a-publish', 'a PUBLISH that breaks off', one('v3', v3, raw(`30 20 00 08 ${hexOf(topic)}`))),
  seed(
    'byte-by-byte',
    'a session one byte at a time',
    one(
      'v3',
      ...(`100f00044d5154540402003c0003${hexOf('abc')}c000`.match(/../g) ?? []).map((byte) => raw(byte)),
      fence(),
    ),
  ),
  seed(
    'longest-topic',
    'a topic of 65,535 bytes',
    one('v3', v3, bent(publishOf(1, { topic: '/' }), { topic: { repeat: 65_535 } }), ping),
  ),
  seed(
    'string-beyond-its-packet',
    'a Client Identifier longer than its packet',
    one('v3', bent(connectOf('v3', 'a'), { 'clientId.length': [0xff, 0xff] }), ping),
  ),
  seed(
    'publish-topic-beyond-its-packet',
    'a topic longer than its packet',
    one('v3', v3, bent(publishOf(0), { 'topic.length': { add: 1000 } }), ping),
  ),
  seed(
    'ping-hidden-behind-an-odd-length',
    'PINGREQ packets in a payload behind a topic length that is one too large or too small',
    several(
      ['v3', 'v3', 'v3'],
      ...[-1, 0, 1].flatMap((add, client): Step[] => [
        send(connectOf('v3', 'abc'.charAt(client)), client),
        {
          client,
          do: 'send',
          packet: publishOf(0, { payload: { hex: 'c000'.repeat(20) } }),
          ...(add !== 0 && { bend: { 'topic.length': { add } } }),
        },
      ]),
    ),
  ),
];

const headers: readonly Seed[] = [
  seed('type-0', 'the reserved type 0', one('v3', v3, raw('00 00'), ping)),
  seed('type-15', 'the type 15, which 3.1.1 reserves', one('v3', v3, raw('f0 00'), ping)),
  seed(
    'publish-qos-3',
    'a PUBLISH with both bits of its QoS',
    one('v3', v3, bent(publishOf(1), { header: [0x36] }), ping),
  ),
  seed(
    'publish-dup-qos-0',
    'a PUBLISH with DUP and QoS 0',
    one('v3', v3, bent(publishOf(0), { header: [0x38] }), ping),
  ),
  seed(
    'subscribe-flags-0',
    'a SUBSCRIBE without its flags',
    one('v3', v3, bent(subscribeOf(0), { header: [0x80] }), ping),
  ),
  seed(
    'pubrel-flags-0',
    'a PUBREL without its flags',
    one('v3', v3, send(publishOf(2)), fence(), raw('60 02 00 01'), ping),
  ),
  seed(
    'server-packets',
    'what only a server sends',
    several(
      ['v3', 'v3', 'v3'],
      ...['90 03 00 01 00', 'b0 02 00 01', 'd0 00'].flatMap((hex, client) => [
        send(connectOf('v3', 'abc'.charAt(client)), client),
        raw(hex, client),
      ]),
    ),
  ),
  seed('http', 'another protocol', one('v3', raw(hexOf('GET / HTTP/1.1\r\nHost: a\r\n\r\n')))),
  seed('zeros', 'nothing but zeros', one('v3', raw('00'.repeat(64)))),
];

const connects: readonly Seed[] = [
  seed('connect-twice', 'a second CONNECT', one('v3', v3, fence(), v3, ping)),
  seed(
    'connect-3.1',
    'the protocol of MQTT 3.1',
    one('v3', bent(connectOf('v3', 'a', { protocolName: 'MQIsdp', protocolLevel: 3 }), {}), ping),
  ),
  seed(
    'connect-bridge',
    'the bit that some bridges set in the Protocol Level',
    one('v3', send(connectOf('v3', 'a', { protocolLevel: 0x84 })), ping),
  ),
  seed(
    'connect-level-6',
    'a Protocol Level of the future',
    one('v3', send(connectOf('v3', 'a', { protocolLevel: 6 })), ping),
  ),
  seed(
    'connect-empty-id-kept',
    'an empty Client Identifier that wants its session kept',
    one('v3', send(connectOf('v3', 'a', { clientId: '', clean: false })), ping),
  ),
  seed(
    'connect-password-alone',
    'a password without a user name, which 3.1.1 forbids',
    one('v3', send(connectOf('v3', 'a', { password: 'secret' })), ping),
  ),
  seed(
    'connect-will-missing',
    'the flag of a will that does not come',
    one('v3', bent(connectOf('v3', 'a'), { connectFlags: [0x06] }), ping),
  ),
  seed(
    'connect-will-qos-without-will',
    'a Will QoS without a will',
    one('v3', bent(connectOf('v3', 'a'), { connectFlags: [0x0a] }), ping),
  ),
  seed(
    'connect-id-with-zero',
    'U+0000 in the Client Identifier',
    one('v3', bent(connectOf('v3', 'a'), { clientId: { append: [0] } }), ping),
  ),
  seed('ping-first', 'a PINGREQ before CONNECT', one('v3', ping)),
  seed('disconnect-first', 'a DISCONNECT before CONNECT', one('v3', send({ type: 'DISCONNECT' }))),
];

const requests: readonly Seed[] = [
  seed(
    'names-of-the-language',
    'topic levels that mean something in the language of some brokers',
    one(
      'v3',
      v3,
      ...['__proto__', 'constructor', 'toString/a', '%s%n'].flatMap((level, at) => [
        send(subscribeOf(1, `${caseName}/${level}`, at + 1)),
        send(publishOf(1, { topic: `${caseName}/${level}`, packetId: at + 1 })),
      ]),
      fence(),
    ),
  ),
  seed('publish-id-0', 'a Packet Identifier of 0', one('v3', v3, bent(publishOf(1), { packetId: [0, 0] }), ping)),
  seed(
    'publish-to-wildcards',
    'wildcards in a Topic Name',
    one('v3', v3, send(publishOf(0, { topic: `${caseName}/+/#` })), ping),
  ),
  seed('publish-without-topic', 'an empty Topic Name', one('v3', v3, send(publishOf(0, { topic: '' })), ping)),
  seed('subscribe-to-nothing', 'a SUBSCRIBE without a Topic Filter', one('v3', v3, raw('82 02 00 01'), ping)),
  seed('unsubscribe-from-nothing', 'an UNSUBSCRIBE without a Topic Filter', one('v3', v3, raw('a2 02 00 01'), ping)),
  seed('subscribe-qos-3', 'QoS 3', one('v3', v3, bent(subscribeOf(0), { 'filters.0.options': [3] }), ping)),
  seed(
    'subscribe-to-a-thousand',
    'a SUBSCRIBE with 1,000 Topic Filters',
    one(
      'v3',
      v3,
      send({
        type: 'SUBSCRIBE',
        packetId: 1,
        filters: Array.from({ length: 1000 }, (_, at) => ({ filter: `${topic}/${at}`, qos: 1 as const })),
      }),
      fence(),
    ),
  ),
  seed(
    'filters-with-wildcards-inside',
    'wildcards where they may not stand',
    several(
      ['v3', 'v3', 'v3'],
      ...['/#/a', '/a+', '/a#'].flatMap((rest, client) => [
        send(connectOf('v3', 'abc'.charAt(client)), client),
        send(subscribeOf(0, topic + rest), client),
        send({ type: 'PINGREQ' }, client),
      ]),
    ),
  ),
  seed(
    'acks-of-nothing',
    'acknowledgements of what was never sent',
    one(
      'v3',
      v3,
      ...(['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP'] as const).map((type) => send({ type, packetId: 99 })),
      ping,
    ),
  ),
];

export const edges: readonly Seed[] = [...lengths, ...headers, ...connects, ...requests];
