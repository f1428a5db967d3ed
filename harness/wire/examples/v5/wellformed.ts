/** Well-formed packets of 5.0, with their bytes as typed by hand from the standard; those of properties in two pieces. */

import {
  auth,
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
} from '../../build.ts';
import type { Packet, Properties } from '../../packet.ts';
import { type PropertyPlace, propertyNamed } from '../../properties.ts';
import type { WellFormed } from '../row.ts';

function row(id: string, title: string, packet: Packet, hex: string): WellFormed {
  return { id, title, version: 'v5', packet, hex };
}

/** A packet around its properties: its bytes before their length and behind them. */
interface Frame {
  readonly header: string;
  readonly before: string;
  readonly behind: string;
  with(properties: Properties): Packet;
}

const will = { topic: 'w', payload: 'bye' };

const frames: Readonly<Record<PropertyPlace, Frame>> = {
  CONNECT: {
    header: '10',
    before: '00 04 4D 51 54 54 05 02 00 3C',
    behind: '00 03 61 62 63',
    with: (properties) => connect({ clientId: 'abc', protocolLevel: 5, properties }),
  },
  WILL: {
    header: '10',
    before: '00 04 4D 51 54 54 05 06 00 3C 00 00 03 61 62 63',
    behind: '00 01 77 00 03 62 79 65',
    with: (properties) => connect({ clientId: 'abc', protocolLevel: 5, will: { ...will, properties } }),
  },
  CONNACK: { header: '20', before: '00 00', behind: '', with: (properties) => connack({ properties }) },
  PUBLISH: {
    header: '32',
    before: '00 03 61 2F 62 00 0A',
    behind: '68 69',
    with: (properties) => publish({ topic: 'a/b', payload: 'hi', qos: 1, packetId: 10, properties }),
  },
  PUBACK: { header: '40', before: '00 0A 00', behind: '', with: (properties) => puback(10, { code: 0, properties }) },
  PUBREC: { header: '50', before: '00 0A 00', behind: '', with: (properties) => pubrec(10, { code: 0, properties }) },
  PUBREL: { header: '62', before: '00 0A 00', behind: '', with: (properties) => pubrel(10, { code: 0, properties }) },
  PUBCOMP: { header: '70', before: '00 0A 00', behind: '', with: (properties) => pubcomp(10, { code: 0, properties }) },
  SUBSCRIBE: {
    header: '82',
    before: '00 0A',
    behind: '00 01 61 01',
    with: (properties) => subscribe({ packetId: 10, properties }, ['a', 1]),
  },
  SUBACK: { header: '90', before: '00 0A', behind: '01', with: (properties) => suback(10, [1], properties) },
  UNSUBSCRIBE: {
    header: 'A2',
    before: '00 0A',
    behind: '00 01 61',
    with: (properties) => unsubscribe({ packetId: 10, properties }, 'a'),
  },
  UNSUBACK: { header: 'B0', before: '00 0A', behind: '11', with: (properties) => unsuback(10, [0x11], properties) },
  DISCONNECT: { header: 'E0', before: '00', behind: '', with: (properties) => disconnect({ code: 0, properties }) },
  AUTH: { header: 'F0', before: '18', behind: '', with: (properties) => auth({ code: 0x18, properties }) },
};

/** Every property, with the ends of its range, and its bytes. */
const values: readonly (readonly [how: string, properties: Properties, hex: string])[] = [
  ['0', { payloadFormatIndicator: 0 }, '01 00'],
  ['1', { payloadFormatIndicator: 1 }, '01 01'],
  ['0', { messageExpiryInterval: 0 }, '02 00 00 00 00'],
  ['600', { messageExpiryInterval: 600 }, '02 00 00 02 58'],
  ['4294967295', { messageExpiryInterval: 4_294_967_295 }, '02 FF FF FF FF'],
  ['text', { contentType: 'text/plain' }, '03 00 0A 74 65 78 74 2F 70 6C 61 69 6E'],
  ['empty', { contentType: '' }, '03 00 00'],
  ['topic', { responseTopic: 'r/1' }, '08 00 03 72 2F 31'],
  ['bytes', { correlationData: Uint8Array.of(0x00, 0xff, 0xc0, 0x80) }, '09 00 04 00 FF C0 80'],
  ['empty', { correlationData: Uint8Array.of() }, '09 00 00'],
  ['1', { subscriptionIdentifiers: [1] }, '0B 01'],
  ['127', { subscriptionIdentifiers: [127] }, '0B 7F'],
  ['128', { subscriptionIdentifiers: [128] }, '0B 80 01'],
  ['16384', { subscriptionIdentifiers: [16_384] }, '0B 80 80 01'],
  ['268435455', { subscriptionIdentifiers: [268_435_455] }, '0B FF FF FF 7F'],
  ['0', { sessionExpiryInterval: 0 }, '11 00 00 00 00'],
  ['4294967295', { sessionExpiryInterval: 4_294_967_295 }, '11 FF FF FF FF'],
  ['text', { assignedClientIdentifier: 'id' }, '12 00 02 69 64'],
  ['0', { serverKeepAlive: 0 }, '13 00 00'],
  ['65535', { serverKeepAlive: 65_535 }, '13 FF FF'],
  ['text', { authenticationMethod: 'SCRAM' }, '15 00 05 53 43 52 41 4D'],
  ['bytes', { authenticationMethod: 'm', authenticationData: Uint8Array.of(0, 255) }, '15 00 01 6D 16 00 02 00 FF'],
  ['0', { requestProblemInformation: 0 }, '17 00'],
  ['1', { requestProblemInformation: 1 }, '17 01'],
  ['0', { willDelayInterval: 0 }, '18 00 00 00 00'],
  ['4294967295', { willDelayInterval: 4_294_967_295 }, '18 FF FF FF FF'],
  ['0', { requestResponseInformation: 0 }, '19 00'],
  ['1', { requestResponseInformation: 1 }, '19 01'],
  ['text', { responseInformation: 'r/' }, '1A 00 02 72 2F'],
  ['text', { serverReference: 'b:1883' }, '1C 00 06 62 3A 31 38 38 33'],
  ['text', { reasonString: 'é' }, '1F 00 02 C3 A9'],
  ['empty', { reasonString: '' }, '1F 00 00'],
  ['1', { receiveMaximum: 1 }, '21 00 01'],
  ['65535', { receiveMaximum: 65_535 }, '21 FF FF'],
  ['0', { topicAliasMaximum: 0 }, '22 00 00'],
  ['65535', { topicAliasMaximum: 65_535 }, '22 FF FF'],
  ['1', { topicAlias: 1 }, '23 00 01'],
  ['65535', { topicAlias: 65_535 }, '23 FF FF'],
  ['0', { maximumQoS: 0 }, '24 00'],
  ['1', { maximumQoS: 1 }, '24 01'],
  ['0', { retainAvailable: 0 }, '25 00'],
  ['1', { retainAvailable: 1 }, '25 01'],
  ['pair', { userProperties: [['n', 'v']] }, '26 00 01 6E 00 01 76'],
  ['empty', { userProperties: [['', '']] }, '26 00 00 00 00'],
  [
    'three',
    {
      userProperties: [
        ['b', '1'],
        ['a', '2'],
        ['b', '1'],
      ],
    },
    '26 00 01 62 00 01 31 26 00 01 61 00 01 32 26 00 01 62 00 01 31',
  ],
  ['1', { maximumPacketSize: 1 }, '27 00 00 00 01'],
  ['4294967295', { maximumPacketSize: 4_294_967_295 }, '27 FF FF FF FF'],
  ['0', { wildcardSubscriptionAvailable: 0 }, '28 00'],
  ['1', { wildcardSubscriptionAvailable: 1 }, '28 01'],
  ['0', { subscriptionIdentifierAvailable: 0 }, '29 00'],
  ['1', { subscriptionIdentifierAvailable: 1 }, '29 01'],
  ['0', { sharedSubscriptionAvailable: 0 }, '2A 00'],
  ['1', { sharedSubscriptionAvailable: 1 }, '2A 01'],
];

/** Each of these bytes is a length that fits into one byte. */
function byteOf(size: number): string {
  return size.toString(16).padStart(2, '0');
}

function sizeOf(hex: string): number {
  return hex.split(' ').filter((digits) => digits !== '').length;
}

function framed({ header, before, behind }: Frame, hex: string): string {
  const size = sizeOf(before) + 1 + sizeOf(hex) + sizeOf(behind);
  return `${header} ${byteOf(size)} ${before} ${byteOf(sizeOf(hex))} ${hex} ${behind}`;
}

/** AUTH cannot do without a method. */
const method = '15 00 01 6D';

function placed(how: string, properties: Properties, hex: string): WellFormed[] {
  // The last one is what the row is about: Authentication Data needs a method before it.
  const { title, places } = propertyNamed(Object.keys(properties).at(-1) ?? '');
  const slug = title.toLowerCase().replaceAll(' ', '-');
  return places.map((place) => {
    const needsMethod = place === 'AUTH' && properties.authenticationMethod === undefined;
    return row(
      `${place.toLowerCase()}-${slug}-${how}`,
      `${place === 'WILL' ? 'CONNECT whose Will has' : `${place} with`} ${title}: ${how}`,
      frames[place].with(needsMethod ? { authenticationMethod: 'm', ...properties } : properties),
      framed(frames[place], needsMethod ? `${method} ${hex}` : hex),
    );
  });
}

const connect5 = { clientId: 'abc', protocolLevel: 5 };

const plain = [
  row('connect', 'CONNECT', connect(connect5), '10 10 00 04 4D 51 54 54 05 02 00 3C 00 00 03 61 62 63'),
  row(
    'connect-clean-0-empty-client-id',
    'CONNECT with Clean Start 0 and an empty Client Identifier',
    connect({ ...connect5, clientId: '', clean: false }),
    '10 0D 00 04 4D 51 54 54 05 00 00 3C 00 00 00',
  ),
  row(
    'connect-will',
    'CONNECT with a will',
    connect({ ...connect5, will: { ...will, qos: 2, retain: true } }),
    '10 19 00 04 4D 51 54 54 05 36 00 3C 00 00 03 61 62 63 00 00 01 77 00 03 62 79 65',
  ),
  row(
    'connect-password-alone',
    'CONNECT with a password and no user name',
    connect({ ...connect5, password: 'pw' }),
    '10 14 00 04 4D 51 54 54 05 42 00 3C 00 00 03 61 62 63 00 02 70 77',
  ),
  row(
    'connect-everything',
    'CONNECT with every field and properties in both places',
    connect({
      ...connect5,
      properties: { sessionExpiryInterval: 10, receiveMaximum: 20 },
      will: { ...will, qos: 1, properties: { willDelayInterval: 5, contentType: 't' } },
      userName: 'u',
      password: 'p',
    }),
    '10 30 00 04 4D 51 54 54 05 CE 00 3C 08 11 00 00 00 0A 21 00 14 00 03 61 62 63 ' +
      '09 18 00 00 00 05 03 00 01 74 00 01 77 00 03 62 79 65 00 01 75 00 01 70',
  ),
  row('connack', 'CONNACK', connack(), '20 03 00 00 00'),
  row('connack-session-present', 'CONNACK with Session Present', connack({ sessionPresent: true }), '20 03 01 00 00'),
  row(
    'connack-properties',
    'CONNACK with several properties',
    connack({ properties: { receiveMaximum: 10, maximumQoS: 1, assignedClientIdentifier: 'x' } }),
    '20 0C 00 00 09 21 00 0A 24 01 12 00 01 78',
  ),
  row('publish-qos0', 'PUBLISH with QoS 0', publish({ topic: 'a', payload: 'hi' }), '30 06 00 01 61 00 68 69'),
  row(
    'publish-qos2-dup-retain',
    'PUBLISH with QoS 2, DUP and RETAIN',
    publish({ topic: 'a', payload: 'hi', qos: 2, packetId: 65_535, dup: true, retain: true }),
    '3D 08 00 01 61 FF FF 00 68 69',
  ),
  row('publish-empty-payload', 'PUBLISH without a payload', publish({ topic: 'a' }), '30 04 00 01 61 00'),
  row(
    'publish-alias-without-topic',
    'PUBLISH with a Topic Alias in place of its topic',
    publish({ topic: '', payload: 'x', properties: { topicAlias: 10 } }),
    '30 07 00 00 03 23 00 0A 78',
  ),
  row(
    'publish-several-subscription-identifiers',
    'PUBLISH with several Subscription Identifiers',
    publish({ topic: 'a', properties: { subscriptionIdentifiers: [1, 128, 1] } }),
    '30 0B 00 01 61 07 0B 01 0B 80 01 0B 01',
  ),
  row('puback-short', 'PUBACK without a Reason Code', puback(10), '40 02 00 0A'),
  row('puback-code', 'PUBACK with a Reason Code', puback(10, { code: 0x10 }), '40 03 00 0A 10'),
  row('puback-no-properties', 'PUBACK without properties', puback(10, { properties: {} }), '40 04 00 0A 00 00'),
  row('pubrec-short', 'PUBREC without a Reason Code', pubrec(10), '50 02 00 0A'),
  row('pubrec-code', 'PUBREC with a Reason Code', pubrec(10, { code: 0x91 }), '50 03 00 0A 91'),
  row('pubrel-short', 'PUBREL without a Reason Code', pubrel(10), '62 02 00 0A'),
  row('pubrel-code', 'PUBREL with a Reason Code', pubrel(10, { code: 0x92 }), '62 03 00 0A 92'),
  row('pubcomp-short', 'PUBCOMP without a Reason Code', pubcomp(10), '70 02 00 0A'),
  row('pubcomp-code', 'PUBCOMP with a Reason Code', pubcomp(10, { code: 0x92 }), '70 03 00 0A 92'),
  row('subscribe', 'SUBSCRIBE', subscribe(10, ['a/b', 2]), '82 09 00 0A 00 00 03 61 2F 62 02'),
  row(
    'subscribe-every-option',
    'SUBSCRIBE with every Subscription Option',
    subscribe(
      10,
      { filter: 'a', qos: 0, noLocal: true },
      { filter: 'b', qos: 1, retainAsPublished: true },
      { filter: 'c', qos: 2, retainHandling: 1 },
      { filter: 'd', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
      { filter: '$share/g/e', qos: 1, retainAsPublished: true },
    ),
    '82 20 00 0A 00 00 01 61 04 00 01 62 09 00 01 63 12 00 01 64 2E 00 0A 24 73 68 61 72 65 2F 67 2F 65 09',
  ),
  row(
    'suback-every-code',
    'SUBACK with every Reason Code',
    suback(10, [0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2]),
    '90 0F 00 0A 00 00 01 02 80 83 87 8F 91 97 9E A1 A2',
  ),
  row('unsubscribe', 'UNSUBSCRIBE', unsubscribe(10, 'a/b', '#'), 'A2 0B 00 0A 00 00 03 61 2F 62 00 01 23'),
  row(
    'unsuback-every-code',
    'UNSUBACK with every Reason Code',
    unsuback(10, [0, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91]),
    'B0 0A 00 0A 00 00 11 80 83 87 8F 91',
  ),
  row('pingreq', 'PINGREQ', pingreq(), 'C0 00'),
  row('pingresp', 'PINGRESP', pingresp(), 'D0 00'),
  row('disconnect-short', 'DISCONNECT without a Reason Code', disconnect(), 'E0 00'),
  row('disconnect-code', 'DISCONNECT with a Reason Code', disconnect({ code: 0x04 }), 'E0 01 04'),
  row('disconnect-no-properties', 'DISCONNECT without properties', disconnect({ properties: {} }), 'E0 02 00 00'),
  row(
    'auth-reauthenticate',
    'AUTH that begins again',
    auth({ code: 0x19, properties: { authenticationMethod: 'm', authenticationData: Uint8Array.of(1) } }),
    'F0 0A 19 08 15 00 01 6D 16 00 01 01',
  ),
];

/** The Reason Codes of each packet that has one, by hand from the tables of chapter 3. */
const codes: readonly (readonly [
  id: string,
  title: string,
  hex: string,
  build: (code: number) => Packet,
  before: string,
])[] = [
  [
    'connack',
    'CONNACK',
    '00 80 81 82 83 84 85 86 87 88 89 8A 8C 90 95 97 99 9A 9B 9C 9D 9F',
    (code) => connack({ code }),
    '20 03 00 _ 00',
  ],
  ['puback', 'PUBACK', '00 10 80 83 87 90 91 97 99', (code) => puback(10, { code }), '40 03 00 0A _'],
  ['pubrec', 'PUBREC', '00 10 80 83 87 90 91 97 99', (code) => pubrec(10, { code }), '50 03 00 0A _'],
  ['pubrel', 'PUBREL', '00 92', (code) => pubrel(10, { code }), '62 03 00 0A _'],
  ['pubcomp', 'PUBCOMP', '00 92', (code) => pubcomp(10, { code }), '70 03 00 0A _'],
  [
    'disconnect',
    'DISCONNECT',
    '00 04 80 81 82 83 87 89 8B 8C 8D 8E 8F 90 93 94 95 96 97 98 99 9A 9B 9C 9D 9E 9F A0 A1 A2',
    (code) => disconnect({ code }),
    'E0 01 _',
  ],
  [
    'auth',
    'AUTH',
    '00 18 19',
    (code) => auth({ code, properties: { authenticationMethod: 'm' } }),
    'F0 06 _ 04 15 00 01 6D',
  ],
];

const coded = codes.flatMap(([id, title, digits, build, pattern]) =>
  digits
    .split(' ')
    .map((each) =>
      row(
        `${id}-code-${each.toLowerCase()}`,
        `${title} with the Reason Code ${each}`,
        build(Number.parseInt(each, 16)),
        pattern.replace('_', each),
      ),
    ),
);

/** Every packet, every property in every packet that may have it, and every Reason Code. */
export const wellFormed5: readonly WellFormed[] = [
  ...plain,
  ...coded,
  ...values.flatMap(([how, properties, hex]) => placed(how, properties, hex)),
];
