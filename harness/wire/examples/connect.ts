/**
 * Malformed CONNECTs: contradictory flags, fields that are missing or not announced, and packets cut short (section
 * 3.1).
 */

import type { RequirementId } from '../../spec/index.ts';
import { connect } from '../build.ts';
import { bent, cut, type Factory, type Row, raw, wrongFlags } from './row.ts';

const plain: Factory = (_topic, clientId, credentials) => connect({ clientId, ...credentials });
const withWill: Factory = (topic, clientId, credentials) =>
  connect({ clientId, will: { topic, payload: 'will' }, ...credentials });

// Without credentials, because what follows the Client Identifier matters.
const anonymous: Factory = (_topic, clientId) => connect({ clientId });
const anonymousWithWill: Factory = (topic, clientId) => connect({ clientId, will: { topic, payload: 'will' } });
const passwordAlone: Factory = (_topic, clientId) => connect({ clientId, password: 'secret' });
const passwordAloneClean0: Factory = (_topic, clientId) => connect({ clientId, clean: false, password: 'secret' });
const withUser: Factory = (_topic, clientId, { userName = 'user' }) => connect({ clientId, userName });
const withPassword: Factory = (_topic, clientId, { userName = 'user', password = 'secret' }) =>
  connect({ clientId, userName, password });
const withAll: Factory = (topic, clientId, { userName = 'user', password = 'secret' }) =>
  connect({ clientId, will: { topic, payload: 'will' }, userName, password });

/** The verdict on a CONNECT: whatever it breaks, a server has to notice it and close without a CONNACK. */
function at(part: string, ...breaks: readonly RequirementId[]) {
  return { at: part, breaks: [...breaks, 'v3/3.1.4-1'] } as const;
}

const flagRows = [
  bent(
    'connect-reserved-flag',
    'a CONNECT with the reserved connect flag set',
    plain,
    { connectFlags: { add: 0x01 } },
    at('connectFlags', 'v3/3.1.2-3'),
  ),
  bent(
    'connect-reserved-flag-with-will',
    'a CONNECT with a will and the reserved connect flag set',
    withWill,
    { connectFlags: { add: 0x01 } },
    at('connectFlags', 'v3/3.1.2-3'),
  ),
  bent(
    'connect-reserved-flag-with-password',
    'a CONNECT with credentials and the reserved connect flag set',
    withPassword,
    { connectFlags: { add: 0x01 } },
    at('connectFlags', 'v3/3.1.2-3'),
  ),
  bent(
    'connect-will-qos1-without-will',
    'a CONNECT with Will QoS 1 and no will',
    plain,
    { connectFlags: { add: 0x08 } },
    at('connectFlags', 'v3/3.1.2-13', 'v3/3.1.2-11'),
  ),
  bent(
    'connect-will-qos2-without-will',
    'a CONNECT with Will QoS 2 and no will',
    plain,
    { connectFlags: { add: 0x10 } },
    at('connectFlags', 'v3/3.1.2-13', 'v3/3.1.2-11'),
  ),
  bent(
    'connect-will-qos3-without-will',
    'a CONNECT with Will QoS 3 and no will',
    plain,
    { connectFlags: { add: 0x18 } },
    at('connectFlags', 'v3/3.1.2-13', 'v3/3.1.2-11'),
  ),
  bent(
    'connect-will-retain-without-will',
    'a CONNECT with Will Retain and no will',
    plain,
    { connectFlags: { add: 0x20 } },
    at('connectFlags', 'v3/3.1.2-15', 'v3/3.1.2-11'),
  ),
  bent(
    'connect-will-qos-and-retain-without-will',
    'a CONNECT with Will QoS 3, Will Retain and no will',
    plain,
    { connectFlags: { add: 0x38 } },
    at('connectFlags', 'v3/3.1.2-13', 'v3/3.1.2-15', 'v3/3.1.2-11'),
  ),
  bent(
    'connect-will-qos3',
    'a CONNECT with Will QoS 3',
    withWill,
    { connectFlags: { add: 0x18 } },
    at('connectFlags', 'v3/3.1.2-14'),
  ),
  bent(
    'connect-will-qos3-retain',
    'a CONNECT with Will QoS 3 and Will Retain',
    withWill,
    { connectFlags: { add: 0x38 } },
    at('connectFlags', 'v3/3.1.2-14'),
  ),
  bent(
    'connect-password-without-user-name',
    'a CONNECT with a password and no user name',
    passwordAlone,
    {},
    at('connectFlags', 'v3/3.1.2-22'),
  ),
  bent(
    'connect-password-without-user-name-clean-0',
    'a CONNECT with a password, no user name and Clean Session 0',
    passwordAloneClean0,
    {},
    at('connectFlags', 'v3/3.1.2-22'),
  ),
];

const fieldRows = [
  bent(
    'connect-without-will-fields',
    'a CONNECT with Will Flag 1 and no will',
    anonymous,
    { connectFlags: { add: 0x04 } },
    at('will.topic.length', 'v3/3.1.2-9'),
  ),
  bent(
    'connect-unannounced-will',
    'a CONNECT with Will Flag 0 and a will',
    anonymousWithWill,
    { connectFlags: { add: -0x04 } },
    at('surplus', 'v3/3.1.2-11', 'v3/2.4~surplus-bytes'),
  ),
  bent(
    'connect-without-user-name',
    'a CONNECT with User Name Flag 1 and no user name',
    anonymous,
    { connectFlags: { add: 0x80 } },
    at('userName.length', 'v3/3.1.2-19'),
  ),
  bent(
    'connect-unannounced-user-name',
    'a CONNECT with User Name Flag 0 and a user name',
    withUser,
    { connectFlags: { add: -0x80 } },
    at('surplus', 'v3/3.1.2-18', 'v3/2.4~surplus-bytes'),
  ),
  bent(
    'connect-without-password',
    'a CONNECT with Password Flag 1 and no password',
    withUser,
    { connectFlags: { add: 0x40 } },
    at('password.length', 'v3/3.1.2-21'),
  ),
  bent(
    'connect-unannounced-password',
    'a CONNECT with Password Flag 0 and a password',
    withPassword,
    { connectFlags: { add: -0x40 } },
    at('surplus', 'v3/3.1.2-20', 'v3/2.4~surplus-bytes'),
  ),
  bent(
    'connect-surplus-1',
    'a CONNECT with a byte after its last field',
    plain,
    { surplus: [0x00] },
    at('surplus', 'v3/2.4~surplus-bytes'),
  ),
  bent(
    'connect-surplus-3',
    'a CONNECT with three bytes after its last field',
    withPassword,
    { surplus: [0xff, 0xff, 0xff] },
    at('surplus', 'v3/2.4~surplus-bytes'),
  ),
];

const lengthRows = [
  bent(
    'connect-protocol-name-length-65535',
    'a CONNECT whose protocol name has a length beyond the packet',
    plain,
    { 'protocolName.length': [0xff, 0xff] },
    at('protocolName.length', 'v3/1.5.3~string-length'),
  ),
  bent(
    'connect-client-id-length-plus-1',
    'a CONNECT whose Client Identifier has a length one beyond the packet',
    anonymous,
    { 'clientId.length': { add: 1 } },
    at('clientId.length', 'v3/1.5.3~string-length', 'v3/3.1.3-3'),
  ),
  bent(
    'connect-client-id-length-65535',
    'a CONNECT whose Client Identifier has a length beyond the packet',
    plain,
    { 'clientId.length': [0xff, 0xff] },
    at('clientId.length', 'v3/1.5.3~string-length', 'v3/3.1.3-3'),
  ),
  bent(
    'connect-will-topic-length-65535',
    'a CONNECT whose Will Topic has a length beyond the packet',
    withWill,
    { 'will.topic.length': [0xff, 0xff] },
    at('will.topic.length', 'v3/1.5.3~string-length', 'v3/3.1.2-9'),
  ),
  bent(
    'connect-will-payload-length-plus-1',
    'a CONNECT whose Will Message has a length one beyond the packet',
    anonymousWithWill,
    { 'will.payload.length': { add: 1 } },
    at('will.payload.length', 'v3/1.5.3~string-length', 'v3/3.1.2-9'),
  ),
  bent(
    'connect-will-payload-length-65535',
    'a CONNECT whose Will Message has a length beyond the packet',
    withWill,
    { 'will.payload.length': [0xff, 0xff] },
    at('will.payload.length', 'v3/1.5.3~string-length', 'v3/3.1.2-9'),
  ),
  bent(
    'connect-user-name-length-plus-1',
    'a CONNECT whose user name has a length one beyond the packet',
    withUser,
    { 'userName.length': { add: 1 } },
    at('userName.length', 'v3/1.5.3~string-length', 'v3/3.1.2-19'),
  ),
  bent(
    'connect-user-name-length-65535',
    'a CONNECT whose user name has a length beyond the packet',
    withPassword,
    { 'userName.length': [0xff, 0xff] },
    at('userName.length', 'v3/1.5.3~string-length', 'v3/3.1.2-19'),
  ),
  bent(
    'connect-password-length-plus-1',
    'a CONNECT whose password has a length one beyond the packet',
    withPassword,
    { 'password.length': { add: 1 } },
    at('password.length', 'v3/1.5.3~string-length', 'v3/3.1.2-21'),
  ),
  bent(
    'connect-password-length-65535',
    'a CONNECT whose password has a length beyond the packet',
    withPassword,
    { 'password.length': [0xff, 0xff] },
    at('password.length', 'v3/1.5.3~string-length', 'v3/3.1.2-21'),
  ),
];

const cutRows = [
  cut(
    'connect-empty',
    'a CONNECT with Remaining Length 0',
    withAll,
    ['protocolName.length', 0],
    at('protocolName.length', 'v3/3.1.2.1~protocol-name'),
  ),
  cut(
    'connect-cut-protocol-name-length',
    'a CONNECT that ends within the length of the protocol name',
    withAll,
    ['protocolName.length', 1],
    at('protocolName.length', 'v3/3.1.2.1~protocol-name'),
  ),
  cut(
    'connect-cut-protocol-name',
    'a CONNECT that ends within the protocol name',
    withAll,
    ['protocolName', 3],
    at('protocolName.length', 'v3/1.5.3~string-length', 'v3/3.1.2.1~protocol-name'),
  ),
  cut(
    'connect-cut-before-level',
    'a CONNECT that ends before the protocol level',
    withAll,
    ['protocolLevel', 0],
    at('protocolLevel'),
  ),
  cut(
    'connect-cut-before-flags',
    'a CONNECT that ends before the connect flags',
    withAll,
    ['connectFlags', 0],
    at('connectFlags'),
  ),
  cut(
    'connect-cut-before-keep-alive',
    'a CONNECT that ends before Keep Alive',
    withAll,
    ['keepAlive', 0],
    at('keepAlive'),
  ),
  cut('connect-cut-keep-alive', 'a CONNECT that ends within Keep Alive', withAll, ['keepAlive', 1], at('keepAlive')),
  cut(
    'connect-cut-before-client-id',
    'a CONNECT without a Client Identifier',
    anonymous,
    ['clientId.length', 0],
    at('clientId.length', 'v3/3.1.3-3'),
  ),
  cut(
    'connect-cut-client-id-length',
    'a CONNECT that ends within the length of the Client Identifier',
    anonymous,
    ['clientId.length', 1],
    at('clientId.length', 'v3/3.1.3-3'),
  ),
  cut(
    'connect-cut-client-id',
    'a CONNECT that ends within the Client Identifier',
    withAll,
    ['clientId', 1],
    at('clientId.length', 'v3/1.5.3~string-length', 'v3/3.1.3-3'),
  ),
  cut(
    'connect-cut-before-will',
    'a CONNECT that ends before the Will Topic',
    withAll,
    ['will.topic.length', 0],
    at('will.topic.length', 'v3/3.1.2-9'),
  ),
  cut(
    'connect-cut-will-topic-length',
    'a CONNECT that ends within the length of the Will Topic',
    withAll,
    ['will.topic.length', 1],
    at('will.topic.length', 'v3/3.1.2-9'),
  ),
  cut(
    'connect-cut-will-topic',
    'a CONNECT that ends within the Will Topic',
    withAll,
    ['will.topic', 1],
    at('will.topic.length', 'v3/1.5.3~string-length', 'v3/3.1.2-9'),
  ),
  cut(
    'connect-cut-before-will-payload',
    'a CONNECT that ends before the Will Message',
    withAll,
    ['will.payload.length', 0],
    at('will.payload.length', 'v3/3.1.2-9'),
  ),
  cut(
    'connect-cut-will-payload',
    'a CONNECT that ends within the Will Message',
    withAll,
    ['will.payload', 1],
    at('will.payload.length', 'v3/1.5.3~string-length', 'v3/3.1.2-9'),
  ),
  cut(
    'connect-cut-before-user-name',
    'a CONNECT that ends before the user name',
    withAll,
    ['userName.length', 0],
    at('userName.length', 'v3/3.1.2-19'),
  ),
  cut(
    'connect-cut-user-name-length',
    'a CONNECT that ends within the length of the user name',
    withAll,
    ['userName.length', 1],
    at('userName.length', 'v3/3.1.2-19'),
  ),
  cut(
    'connect-cut-user-name',
    'a CONNECT that ends within the user name',
    withAll,
    ['userName', 1],
    at('userName.length', 'v3/1.5.3~string-length', 'v3/3.1.2-19'),
  ),
  cut(
    'connect-cut-before-password',
    'a CONNECT that ends before the password',
    withAll,
    ['password.length', 0],
    at('password.length', 'v3/3.1.2-21'),
  ),
  cut(
    'connect-cut-password-length',
    'a CONNECT that ends within the length of the password',
    withAll,
    ['password.length', 1],
    at('password.length', 'v3/3.1.2-21'),
  ),
  cut(
    'connect-cut-password',
    'a CONNECT that ends within the password',
    withAll,
    ['password', 1],
    at('password.length', 'v3/1.5.3~string-length', 'v3/3.1.2-21'),
  ),
];

const tooLong = { at: 'remainingLength', breaks: ['v3/2.2.3~remaining-length-limit'] } as const;

/** CONNECTs to which a server has to close the connection without a CONNACK that accepts. */
export const connectRows: readonly Row[] = [
  ...wrongFlags(plain, 0x10, ['v3/2.2.2-2', 'v3/3.1.4-1']),
  ...flagRows,
  ...fieldRows,
  ...lengthRows,
  ...cutRows,
  raw('connect-length-of-five-bytes', 'a CONNECT with a Remaining Length of five bytes', '10 FF FF FF FF 7F', tooLong),
  raw(
    'connect-length-of-five-bytes-padded',
    'a CONNECT with a Remaining Length of 0 in five bytes',
    '10 80 80 80 80 00',
    tooLong,
  ),
];
