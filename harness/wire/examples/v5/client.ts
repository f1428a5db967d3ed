/** What a client may not send in 5.0: what 3.1.1 forbids as well, and what only 5.0 has. */

import type { RequirementId } from '../../../spec/index.ts';
import { auth, connect, disconnect, puback, pubcomp, publish, pubrec, pubrel, subscribe } from '../../build.ts';
import { bent, cut, type Factory, type Row, raw, type Verdict, wrongFlags } from '../row.ts';
import { clientHolders, connectHolders } from './holder.ts';
import { propertyRows } from './properties.ts';
import { reasonRows } from './reasons.ts';
import { translatedConnects, translatedOthers } from './translated.ts';

function at(part: string | undefined, ...breaks: readonly RequirementId[]): Verdict {
  return { at: part, breaks };
}

const anonymous: Factory = (_topic, clientId) => connect({ clientId });
const withWill: Factory = (topic, clientId, credentials) =>
  connect({ clientId, will: { topic, payload: 'will' }, ...credentials });
const dataAlone: Factory = (_topic, clientId, credentials) =>
  connect({ clientId, ...credentials, properties: { authenticationData: Uint8Array.of(1, 2, 3) } });

const connects: readonly Row[] = [
  bent(
    'connect-authentication-data-alone',
    'a CONNECT with Authentication Data and no Authentication Method',
    dataAlone,
    {},
    at('properties.authenticationData', 'v5/3.1.2.11.10~authentication-data-alone', 'v5/3.1.4-1'),
  ),
  // The length of the Client Identifier begins with 0, and stands where the Property Length should.
  bent(
    'connect-in-form-of-3',
    'a CONNECT of level 5 in the form of 3.1.1',
    anonymous,
    { 'properties.length': [] },
    at('clientId.length', 'v5/3.1.3-3', 'v5/3.1.4-1'),
  ),
  cut(
    'connect-cut-before-will-properties',
    'a CONNECT that ends before the properties of its Will',
    withWill,
    ['will.properties.length', 0],
    at('will.properties.length', 'v5/3.1.2-9', 'v5/3.1.4-1'),
  ),
  cut(
    'connect-cut-before-properties',
    'a CONNECT that ends before its properties',
    withWill,
    ['properties.length', 0],
    at('properties.length', 'v5/2.2.2-1', 'v5/3.1.4-1'),
  ),
];

/** CONNECTs to which a server has to close the connection without a CONNACK that accepts. */
export const connectRows5: readonly Row[] = [
  ...translatedConnects,
  ...connects,
  ...connectHolders.flatMap((holder) => propertyRows(holder, 'client')),
  padded('connect', 'a CONNECT', '10 90 00 00 04 4D 51 54 54 05 02 00 3C 00 00 03 61 62 63'),
];

/** A Remaining Length in more bytes than it needs: what a receiver does about it is its own affair. */
function padded(id: string, what: string, digits: string): Row {
  const verdict = { at: 'remainingLength', breaks: ['v5/1.5.5-1'], strength: 'MAY' } as const;
  return raw(`${id}-length-padded`, `${what} with a Remaining Length in more bytes than it needs`, digits, verdict);
}

const oneFilter: Factory = (topic) => subscribe(1, [topic, 0]);
const twoFilters: Factory = (topic) => subscribe(1, [topic, 0], [topic, 1]);
const shared: Factory = (topic) => subscribe(1, [`$share/group/${topic}`, 0]);
const sharedSecond: Factory = (topic) => subscribe(1, [topic, 0], [`$share/group/${topic}`, 0]);

const options: readonly (readonly [byte: number, what: string, breaks: RequirementId])[] = [
  [0x03, 'a Maximum QoS of 3', 'v5/3.8.3.1~qos-bits-three'],
  [0x07, 'a Maximum QoS of 3 and No Local', 'v5/3.8.3.1~qos-bits-three'],
  [0x0b, 'a Maximum QoS of 3 and Retain As Published', 'v5/3.8.3.1~qos-bits-three'],
  [0x23, 'a Maximum QoS of 3 and Retain Handling 2', 'v5/3.8.3.1~qos-bits-three'],
  [0x30, 'a Retain Handling of 3', 'v5/3.8.3.1~retain-handling-three'],
  [0x31, 'a Retain Handling of 3 and a Maximum QoS of 1', 'v5/3.8.3.1~retain-handling-three'],
  [0x40, 'the first reserved bit', 'v5/3.8.3-5'],
  [0x41, 'the first reserved bit and a Maximum QoS of 1', 'v5/3.8.3-5'],
  [0x80, 'the second reserved bit', 'v5/3.8.3-5'],
  [0xc0, 'both reserved bits', 'v5/3.8.3-5'],
  [0xff, 'all bits', 'v5/3.8.3-5'],
];

function optionRows(): Row[] {
  return options.flatMap(([byte, what, breaks]) => {
    const digits = byte.toString(16).padStart(2, '0');
    return [
      bent(
        `subscribe-options-${digits}`,
        `a SUBSCRIBE whose Subscription Options have ${what}`,
        oneFilter,
        { 'filters.0.options': [byte] },
        at('filters.0.options', breaks),
      ),
      bent(
        `subscribe-second-options-${digits}`,
        `a SUBSCRIBE whose second Subscription Options have ${what}`,
        twoFilters,
        { 'filters.1.options': [byte] },
        at('filters.1.options', breaks),
      ),
    ];
  });
}

/** What a server that has no Shared Subscriptions says about one. */
const unsupported = [0x9e];

function sharedRows(): Row[] {
  return [0, 1, 2].flatMap((qos) => [
    bent(
      `subscribe-shared-no-local-qos${qos}`,
      `a SUBSCRIBE with No Local and QoS ${qos} for a Shared Subscription`,
      shared,
      { 'filters.0.options': [0x04 | qos] },
      { ...at('filters.0.options', 'v5/3.8.3-4'), codes: unsupported },
    ),
    bent(
      `subscribe-second-shared-no-local-qos${qos}`,
      `a SUBSCRIBE with No Local and QoS ${qos} for a Shared Subscription behind another one`,
      sharedSecond,
      { 'filters.1.options': [0x04 | qos] },
      { ...at('filters.1.options', 'v5/3.8.3-4'), codes: unsupported },
    ),
  ]);
}

const authenticate: Factory = () => auth({ code: 0x18, properties: { authenticationMethod: 'METHOD' } });
const aliased0: Factory = () => publish({ topic: '', properties: { messageExpiryInterval: 60 } });

/** Bytes after the last field, which for these packets stand behind their properties: all that counts can be read. */
function surplusRow(id: string, what: string, packet: Factory): Row {
  const verdict = { ...at('surplus', 'v5/2.1.4~content-length'), strength: 'SHOULD' } as const;
  return bent(`${id}-surplus`, `${what} with a byte after its properties`, packet, { surplus: [0x00] }, verdict);
}

/** A packet that only a server sends; the table of packet types says so, and not what a server does about one. */
function fromClient(id: string, what: string, digits: string): Row {
  const verdict = { ...at(undefined, 'v5/2.1.2~packet-direction'), strength: 'SHOULD' } as const;
  return raw(`${id}-from-client`, `${what} from a client`, digits, verdict);
}

const packets: readonly Row[] = [
  bent(
    'publish-empty-topic-other-property',
    'a PUBLISH with an empty Topic Name, properties and no Topic Alias',
    aliased0,
    {},
    { ...at('topic', 'v5/3.3.2.1~empty-topic-without-alias', 'v5/4.7.3-1'), codes: [0x90] },
  ),
  surplusRow('puback', 'a PUBACK', () => puback(1, { properties: {} })),
  surplusRow('pubrec', 'a PUBREC', () => pubrec(1, { properties: {} })),
  surplusRow('pubrel', 'a PUBREL', () => pubrel(1, { properties: {} })),
  surplusRow('pubcomp', 'a PUBCOMP', () => pubcomp(1, { properties: {} })),
  surplusRow('disconnect', 'a DISCONNECT', () => disconnect({ properties: {} })),
  surplusRow('auth', 'an AUTH', authenticate),
  ...wrongFlags(authenticate, 0xf0, ['v5/3.15.1-1', 'v5/2.1.3-1']),
  raw(
    'auth-empty',
    'an AUTH with Remaining Length 0',
    'F0 00',
    at('properties.authenticationMethod', 'v5/3.15.2.2.2~auth-method-missing'),
  ),
  raw(
    'auth-without-properties',
    'an AUTH with a Reason Code and no properties',
    'F0 01 18',
    at('properties.authenticationMethod', 'v5/3.15.2.2.2~auth-method-missing'),
  ),
  bent(
    'auth-without-method',
    'an AUTH without an Authentication Method',
    () => auth({ code: 0x19, properties: {} }),
    {},
    at('properties.authenticationMethod', 'v5/3.15.2.2.2~auth-method-missing'),
  ),
  fromClient('connack', 'a CONNACK', '20 03 00 00 00'),
  fromClient('suback', 'a SUBACK', '90 04 00 01 00 00'),
  fromClient('unsuback', 'an UNSUBACK', 'B0 04 00 01 00 00'),
  fromClient('pingresp', 'a PINGRESP', 'D0 00'),
  padded('pingreq', 'a PINGREQ', 'C0 80 00'),
  padded('publish', 'a PUBLISH', '30 87 00 00 03 61 2F 62 00 78'),
  padded('disconnect', 'a DISCONNECT', 'E0 80 80 80 00'),
];

const codes: readonly Row[] = [
  // The section on each of them binds the sender; that a receiver has to refuse another code is said nowhere.
  ...reasonRows('PUBACK', () => puback(1, { code: 0 }), 'code', 'client', 'SHOULD'),
  ...reasonRows('PUBREC', () => pubrec(1, { code: 0 }), 'code', 'client', 'SHOULD'),
  ...reasonRows('PUBREL', () => pubrel(1, { code: 0 }), 'code', 'client', 'SHOULD'),
  ...reasonRows('PUBCOMP', () => pubcomp(1, { code: 0 }), 'code', 'client', 'SHOULD'),
  ...reasonRows('DISCONNECT', () => disconnect({ code: 0 }), 'code', 'client', 'SHOULD'),
  ...reasonRows('AUTH', authenticate, 'code', 'client'),
];

/** Packets on an established connection to which a server has to close it. */
export const clientRows5: readonly Row[] = [
  ...translatedOthers,
  ...packets,
  ...optionRows(),
  ...sharedRows(),
  ...codes,
  ...clientHolders.flatMap((holder) => propertyRows(holder, 'client')),
];
