/** Well-formed packets of every type, each with its bytes as typed by hand from the standard. */

import {
  connack,
  connect,
  disconnect,
  pingreq,
  pingresp,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
} from '../build.ts';
import type { Packet, QoS } from '../packet.ts';
import type { WellFormed } from './row.ts';

/** Remaining Lengths on both sides of each border of the encoding (section 2.2.3, table 2.4). */
export const remainingLengths: readonly (readonly [value: number, hex: string])[] = [
  [0, '00'],
  [1, '01'],
  [127, '7F'],
  [128, '80 01'],
  [300, 'AC 02'],
  [16_383, 'FF 7F'],
  [16_384, '80 80 01'],
  [2_097_151, 'FF FF 7F'],
  [2_097_152, '80 80 80 01'],
  [268_435_455, 'FF FF FF 7F'],
];

function row(id: string, title: string, packet: Packet, hex: string): WellFormed {
  return { id, title, version: 'v3', packet, hex };
}

const clientId = 'abc';
const will = (qos: QoS, retain: boolean) => connect({ clientId, will: { topic: 'w', payload: 'bye', qos, retain } });
const user = { clientId, userName: 'user' };

const connects = [
  row('connect', 'CONNECT', connect({ clientId }), '10 0F 00 04 4D 51 54 54 04 02 00 3C 00 03 61 62 63'),
  row(
    'connect-clean-0',
    'CONNECT with Clean Session 0',
    connect({ clientId, clean: false }),
    '10 0F 00 04 4D 51 54 54 04 00 00 3C 00 03 61 62 63',
  ),
  row(
    'connect-keep-alive-0',
    'CONNECT with Keep Alive 0',
    connect({ clientId, keepAlive: 0 }),
    '10 0F 00 04 4D 51 54 54 04 02 00 00 00 03 61 62 63',
  ),
  row(
    'connect-keep-alive-256',
    'CONNECT with Keep Alive 256',
    connect({ clientId, keepAlive: 256 }),
    '10 0F 00 04 4D 51 54 54 04 02 01 00 00 03 61 62 63',
  ),
  row(
    'connect-keep-alive-65535',
    'CONNECT with the greatest Keep Alive',
    connect({ clientId, keepAlive: 65_535 }),
    '10 0F 00 04 4D 51 54 54 04 02 FF FF 00 03 61 62 63',
  ),
  row(
    'connect-empty-client-id',
    'CONNECT with an empty Client Identifier',
    connect({ clientId: '' }),
    '10 0C 00 04 4D 51 54 54 04 02 00 3C 00 00',
  ),
  row(
    'connect-client-id-23',
    'CONNECT with a Client Identifier of 23 characters',
    connect({ clientId: '0123456789ABCDEFGHIjklm' }),
    '10 23 00 04 4D 51 54 54 04 02 00 3C 00 17 30 31 32 33 34 35 36 37 38 39 41 42 43 44 45 46 47 48 49 6A 6B 6C 6D',
  ),
  row(
    'connect-client-id-utf8',
    'CONNECT with a Client Identifier in two, three and four byte sequences',
    connect({ clientId: 'é€😀' }),
    '10 15 00 04 4D 51 54 54 04 02 00 3C 00 09 C3 A9 E2 82 AC F0 9F 98 80',
  ),
  row(
    'connect-will-qos0',
    'CONNECT with a will of QoS 0',
    will(0, false),
    '10 17 00 04 4D 51 54 54 04 06 00 3C 00 03 61 62 63 00 01 77 00 03 62 79 65',
  ),
  row(
    'connect-will-qos1',
    'CONNECT with a will of QoS 1',
    will(1, false),
    '10 17 00 04 4D 51 54 54 04 0E 00 3C 00 03 61 62 63 00 01 77 00 03 62 79 65',
  ),
  row(
    'connect-will-qos2',
    'CONNECT with a will of QoS 2',
    will(2, false),
    '10 17 00 04 4D 51 54 54 04 16 00 3C 00 03 61 62 63 00 01 77 00 03 62 79 65',
  ),
  row(
    'connect-will-qos0-retain',
    'CONNECT with a will of QoS 0 to be retained',
    will(0, true),
    '10 17 00 04 4D 51 54 54 04 26 00 3C 00 03 61 62 63 00 01 77 00 03 62 79 65',
  ),
  row(
    'connect-will-qos1-retain',
    'CONNECT with a will of QoS 1 to be retained',
    will(1, true),
    '10 17 00 04 4D 51 54 54 04 2E 00 3C 00 03 61 62 63 00 01 77 00 03 62 79 65',
  ),
  row(
    'connect-will-qos2-retain',
    'CONNECT with a will of QoS 2 to be retained',
    will(2, true),
    '10 17 00 04 4D 51 54 54 04 36 00 3C 00 03 61 62 63 00 01 77 00 03 62 79 65',
  ),
  row(
    'connect-will-empty-payload',
    'CONNECT with a will without a payload',
    connect({ clientId, will: { topic: 'w' } }),
    '10 14 00 04 4D 51 54 54 04 06 00 3C 00 03 61 62 63 00 01 77 00 00',
  ),
  row(
    'connect-will-binary-payload',
    'CONNECT with a will whose payload is not text',
    connect({ clientId, will: { topic: 'w', payload: Uint8Array.of(0x00, 0xff) } }),
    '10 16 00 04 4D 51 54 54 04 06 00 3C 00 03 61 62 63 00 01 77 00 02 00 FF',
  ),
  row(
    'connect-user-name',
    'CONNECT with a user name and no password',
    connect(user),
    '10 15 00 04 4D 51 54 54 04 82 00 3C 00 03 61 62 63 00 04 75 73 65 72',
  ),
  row(
    'connect-empty-user-name',
    'CONNECT with an empty user name',
    connect({ clientId, userName: '' }),
    '10 11 00 04 4D 51 54 54 04 82 00 3C 00 03 61 62 63 00 00',
  ),
  row(
    'connect-password',
    'CONNECT with user name and password',
    connect({ ...user, password: 'secret' }),
    '10 1D 00 04 4D 51 54 54 04 C2 00 3C 00 03 61 62 63 00 04 75 73 65 72 00 06 73 65 63 72 65 74',
  ),
  row(
    'connect-empty-password',
    'CONNECT with an empty password',
    connect({ ...user, password: '' }),
    '10 17 00 04 4D 51 54 54 04 C2 00 3C 00 03 61 62 63 00 04 75 73 65 72 00 00',
  ),
  row(
    'connect-binary-password',
    'CONNECT with a password that is not text',
    connect({ ...user, password: Uint8Array.of(0x00, 0xff) }),
    '10 19 00 04 4D 51 54 54 04 C2 00 3C 00 03 61 62 63 00 04 75 73 65 72 00 02 00 FF',
  ),
  row(
    'connect-every-field',
    'CONNECT with every field',
    connect({ ...user, will: { topic: 'w', payload: 'bye', qos: 2, retain: true }, password: 'secret' }),
    `10 25 00 04 4D 51 54 54 04 F6 00 3C 00 03 61 62 63 00 01 77 00 03 62 79 65
     00 04 75 73 65 72 00 06 73 65 63 72 65 74`,
  ),
  row(
    'connect-every-field-clean-0',
    'CONNECT with every field and Clean Session 0',
    connect({ ...user, clean: false, will: { topic: 'w', payload: 'bye', qos: 1 }, password: 'secret' }),
    `10 25 00 04 4D 51 54 54 04 CC 00 3C 00 03 61 62 63 00 01 77 00 03 62 79 65
     00 04 75 73 65 72 00 06 73 65 63 72 65 74`,
  ),
];

const connacks = [
  row('connack', 'CONNACK', connack(), '20 02 00 00'),
  row('connack-session-present', 'CONNACK with Session Present 1', connack({ sessionPresent: true }), '20 02 01 00'),
  row('connack-1', 'CONNACK: unacceptable protocol version', connack({ code: 1 }), '20 02 00 01'),
  row('connack-2', 'CONNACK: identifier rejected', connack({ code: 2 }), '20 02 00 02'),
  row('connack-3', 'CONNACK: server unavailable', connack({ code: 3 }), '20 02 00 03'),
  row('connack-4', 'CONNACK: bad user name or password', connack({ code: 4 }), '20 02 00 04'),
  row('connack-5', 'CONNACK: not authorized', connack({ code: 5 }), '20 02 00 05'),
];

const hi = { topic: 'a', payload: 'hi', packetId: 10 };
const withTopic = (topic: string) => publish({ topic });
const filled = (size: number) => publish({ topic: 'a', payload: 'x'.repeat(size) });
const filling = (size: number) => '78 '.repeat(size);

const publishes = [
  row('publish-qos0', 'PUBLISH with QoS 0', publish(hi), '30 05 00 01 61 68 69'),
  row('publish-qos0-retain', 'PUBLISH with QoS 0, RETAIN', publish({ ...hi, retain: true }), '31 05 00 01 61 68 69'),
  row('publish-qos1', 'PUBLISH with QoS 1', publish({ ...hi, qos: 1 }), '32 07 00 01 61 00 0A 68 69'),
  row(
    'publish-qos1-retain',
    'PUBLISH with QoS 1, RETAIN',
    publish({ ...hi, qos: 1, retain: true }),
    '33 07 00 01 61 00 0A 68 69',
  ),
  row(
    'publish-qos1-dup',
    'PUBLISH with QoS 1, DUP',
    publish({ ...hi, qos: 1, dup: true }),
    '3A 07 00 01 61 00 0A 68 69',
  ),
  row(
    'publish-qos1-dup-retain',
    'PUBLISH with QoS 1, DUP and RETAIN',
    publish({ ...hi, qos: 1, dup: true, retain: true }),
    '3B 07 00 01 61 00 0A 68 69',
  ),
  row('publish-qos2', 'PUBLISH with QoS 2', publish({ ...hi, qos: 2 }), '34 07 00 01 61 00 0A 68 69'),
  row(
    'publish-qos2-retain',
    'PUBLISH with QoS 2, RETAIN',
    publish({ ...hi, qos: 2, retain: true }),
    '35 07 00 01 61 00 0A 68 69',
  ),
  row(
    'publish-qos2-dup',
    'PUBLISH with QoS 2, DUP',
    publish({ ...hi, qos: 2, dup: true }),
    '3C 07 00 01 61 00 0A 68 69',
  ),
  row(
    'publish-qos2-dup-retain',
    'PUBLISH with QoS 2, DUP and RETAIN',
    publish({ ...hi, qos: 2, dup: true, retain: true }),
    '3D 07 00 01 61 00 0A 68 69',
  ),
  row('publish-empty', 'PUBLISH without a payload', withTopic('a'), '30 03 00 01 61'),
  row(
    'publish-qos1-empty',
    'PUBLISH with QoS 1 without a payload',
    publish({ topic: 'a', qos: 1, packetId: 1 }),
    '32 05 00 01 61 00 01',
  ),
  row(
    'publish-qos0-payload-like-id',
    'PUBLISH with QoS 0 whose payload looks like a Packet Identifier',
    publish({ topic: 'a', payload: Uint8Array.of(0x00, 0x0a) }),
    '30 05 00 01 61 00 0A',
  ),
  row(
    'publish-binary-payload',
    'PUBLISH with a payload that is not text',
    publish({ topic: 'a', payload: Uint8Array.of(0xc3, 0x28, 0x00, 0xff) }),
    '30 07 00 01 61 C3 28 00 FF',
  ),
  row(
    'publish-id-255',
    'PUBLISH with Packet Identifier 255',
    publish({ ...hi, qos: 1, packetId: 255 }),
    '32 07 00 01 61 00 FF 68 69',
  ),
  row(
    'publish-id-256',
    'PUBLISH with Packet Identifier 256',
    publish({ ...hi, qos: 2, packetId: 256 }),
    '34 07 00 01 61 01 00 68 69',
  ),
  row(
    'publish-id-65535',
    'PUBLISH with the greatest Packet Identifier',
    publish({ ...hi, qos: 1, packetId: 65_535 }),
    '32 07 00 01 61 FF FF 68 69',
  ),
  row('publish-topic-separator', 'PUBLISH to the topic /', withTopic('/'), '30 03 00 01 2F'),
  row('publish-topic-space', 'PUBLISH to a topic with a space', withTopic('a b'), '30 05 00 03 61 20 62'),
  row(
    'publish-topic-bom',
    'PUBLISH to a topic that begins with U+FEFF',
    withTopic('\uFEFFa'),
    '30 06 00 04 EF BB BF 61',
  ),
  row(
    'publish-topic-control',
    'PUBLISH to a topic with control characters',
    withTopic('\u0001\u007F\u009F'),
    '30 06 00 04 01 7F C2 9F',
  ),
  row('publish-topic-non-character', 'PUBLISH to a topic with U+FFFF', withTopic('\uFFFF'), '30 05 00 03 EF BF BF'),
  row('publish-topic-two-bytes', 'PUBLISH to U+0080 and U+07FF', withTopic('\u0080\u07FF'), '30 06 00 04 C2 80 DF BF'),
  row(
    'publish-topic-three-bytes',
    'PUBLISH to U+0800, U+D7FF and U+E000',
    withTopic('\u0800\uD7FF\uE000'),
    '30 0B 00 09 E0 A0 80 ED 9F BF EE 80 80',
  ),
  row(
    'publish-topic-four-bytes',
    'PUBLISH to U+10000 and U+10FFFF',
    withTopic('\u{10000}\u{10FFFF}'),
    '30 0A 00 08 F0 90 80 80 F4 8F BF BF',
  ),
  row('publish-length-127', 'PUBLISH with Remaining Length 127', filled(124), `30 7F 00 01 61 ${filling(124)}`),
  row('publish-length-128', 'PUBLISH with Remaining Length 128', filled(125), `30 80 01 00 01 61 ${filling(125)}`),
  row('publish-length-300', 'PUBLISH with Remaining Length 300', filled(297), `30 AC 02 00 01 61 ${filling(297)}`),
  row(
    'publish-length-16383',
    'PUBLISH with Remaining Length 16383',
    filled(16_380),
    `30 FF 7F 00 01 61 ${filling(16_380)}`,
  ),
  row(
    'publish-length-16384',
    'PUBLISH with Remaining Length 16384',
    filled(16_381),
    `30 80 80 01 00 01 61 ${filling(16_381)}`,
  ),
];

const others = [
  row('puback', 'PUBACK', puback(10), '40 02 00 0A'),
  row('puback-65535', 'PUBACK with the greatest Packet Identifier', puback(65_535), '40 02 FF FF'),
  row('pubrec', 'PUBREC', pubrec(10), '50 02 00 0A'),
  row('pubrel', 'PUBREL', pubrel(10), '62 02 00 0A'),
  row('pubcomp', 'PUBCOMP', pubcomp(258), '70 02 01 02'),
  row('subscribe-qos0', 'SUBSCRIBE with QoS 0', subscribe(10, ['a', 0]), '82 06 00 0A 00 01 61 00'),
  row('subscribe-qos1', 'SUBSCRIBE with QoS 1', subscribe(10, ['a', 1]), '82 06 00 0A 00 01 61 01'),
  row('subscribe-qos2', 'SUBSCRIBE with QoS 2', subscribe(10, ['a', 2]), '82 06 00 0A 00 01 61 02'),
  row(
    'subscribe-several',
    'SUBSCRIBE with several Topic Filters',
    subscribe(256, ['a/b', 1], ['c/+', 2], ['#', 0]),
    '82 12 01 00 00 03 61 2F 62 01 00 03 63 2F 2B 02 00 01 23 00',
  ),
  row(
    'subscribe-twice-the-same',
    'SUBSCRIBE with the same Topic Filter twice',
    subscribe(1, ['a', 0], ['a', 2]),
    '82 0A 00 01 00 01 61 00 00 01 61 02',
  ),
  row('suback', 'SUBACK', suback(10, [0]), '90 03 00 0A 00'),
  row('suback-every-code', 'SUBACK with every return code', suback(10, [0, 1, 2, 128]), '90 06 00 0A 00 01 02 80'),
  row('unsubscribe', 'UNSUBSCRIBE', unsubscribe(10, 'a'), 'A2 05 00 0A 00 01 61'),
  row(
    'unsubscribe-several',
    'UNSUBSCRIBE with several Topic Filters',
    unsubscribe(10, 'a/b', '+', '#'),
    'A2 0D 00 0A 00 03 61 2F 62 00 01 2B 00 01 23',
  ),
  row('unsuback', 'UNSUBACK', unsuback(10), 'B0 02 00 0A'),
  row('pingreq', 'PINGREQ', pingreq(), 'C0 00'),
  row('pingresp', 'PINGRESP', pingresp(), 'D0 00'),
  row('disconnect', 'DISCONNECT', disconnect(), 'E0 00'),
];

/** Every packet type in both directions, with every variation of its format that matters. */
export const wellFormed: readonly WellFormed[] = [...connects, ...connacks, ...publishes, ...others];
