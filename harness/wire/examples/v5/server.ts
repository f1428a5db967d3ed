/** What a server may not send in 5.0: the rows that the judge of a server's packets is tested with. */

import type { RequirementId } from '../../../spec/index.ts';
import {
  auth,
  connack,
  disconnect,
  pingresp,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  suback,
  unsuback,
} from '../../build.ts';
import { bent, cut, type Factory, type Row, raw, wrongFlags } from '../row.ts';
import { serverHolders } from './holder.ts';
import { propertyRows } from './properties.ts';
import { reasonRows } from './reasons.ts';

const accepted: Factory = () => connack();
const granted: Factory = () => suback(1, [0, 1]);
const removed: Factory = () => unsuback(1, [0, 0x11]);
const leave: Factory = () => disconnect({ code: 0 });
const authenticate: Factory = () => auth({ code: 0x18, properties: { authenticationMethod: 'METHOD' } });

const flags: readonly RequirementId[] = ['v5/2.1.3-1'];
const length: readonly RequirementId[] = ['v5/2.1.4~content-length'];

/** Reason Codes that are not a list are the part `code`. */
const codes: readonly Row[] = [
  ...reasonRows('CONNACK', accepted, 'code', 'server'),
  ...reasonRows('PUBACK', () => puback(1, { code: 0 }), 'code', 'server'),
  ...reasonRows('PUBREC', () => pubrec(1, { code: 0 }), 'code', 'server'),
  ...reasonRows('PUBREL', () => pubrel(1, { code: 0 }), 'code', 'server'),
  ...reasonRows('PUBCOMP', () => pubcomp(1, { code: 0 }), 'code', 'server'),
  ...reasonRows('SUBACK', granted, 'codes.1', 'server'),
  ...reasonRows('UNSUBACK', removed, 'codes.0', 'server'),
  ...reasonRows('DISCONNECT', leave, 'code', 'server'),
  ...reasonRows('AUTH', authenticate, 'code', 'server'),
];

const packets: readonly Row[] = [
  ...wrongFlags(accepted, 0x20, flags),
  ...wrongFlags(() => puback(1), 0x40, flags),
  ...wrongFlags(() => pubrel(1), 0x62, ['v5/3.6.1-1', ...flags]),
  ...wrongFlags(granted, 0x90, flags),
  ...wrongFlags(removed, 0xb0, flags),
  ...wrongFlags(pingresp, 0xd0, flags),
  ...wrongFlags(leave, 0xe0, ['v5/3.14.1-1', ...flags]),
  ...wrongFlags(authenticate, 0xf0, ['v5/3.15.1-1', ...flags]),
  bent(
    'connack-flags-byte-02',
    'a CONNACK with a reserved acknowledge flag',
    accepted,
    { acknowledgeFlags: [0x02] },
    { at: 'acknowledgeFlags', breaks: ['v5/3.2.2-1'] },
  ),
  bent(
    'connack-flags-byte-81',
    'a CONNACK with Session Present and a reserved flag',
    accepted,
    { acknowledgeFlags: [0x81] },
    { at: 'acknowledgeFlags', breaks: ['v5/3.2.2-1'] },
  ),
  raw('connack-in-form-of-3', 'a CONNACK in the form of 3.1.1', '20 02 00 00', {
    at: 'properties.length',
    breaks: ['v5/2.2.2-1'],
  }),
  cut('connack-length-0', 'a CONNACK with Remaining Length 0', accepted, ['acknowledgeFlags', 0], {
    at: 'acknowledgeFlags',
    breaks: length,
  }),
  cut('connack-length-1', 'a CONNACK without a Reason Code', accepted, ['code', 0], { at: 'code', breaks: length }),
  bent(
    'connack-surplus',
    'a CONNACK with a byte after its properties',
    accepted,
    { surplus: [0] },
    {
      at: 'surplus',
      breaks: length,
    },
  ),
  bent(
    'publish-id-0',
    'a PUBLISH with Packet Identifier 0',
    () => publish({ topic: 'a', qos: 1, packetId: 1 }),
    { packetId: [0, 0] },
    {
      at: 'packetId',
      breaks: ['v5/2.2.1-4'],
    },
  ),
  raw('suback-in-form-of-3', 'a SUBACK in the form of 3.1.1', '90 03 00 01 00', {
    at: 'codes.0',
    breaks: ['v5/3.8.4-6'],
  }),
  raw('unsuback-in-form-of-3', 'an UNSUBACK in the form of 3.1.1', 'B0 02 00 01', {
    at: 'properties.length',
    breaks: ['v5/2.2.2-1'],
  }),
  cut('suback-length-1', 'a SUBACK that ends within the Packet Identifier', granted, ['packetId', 1], {
    at: 'packetId',
    breaks: length,
  }),
  cut('suback-without-code', 'a SUBACK without a Reason Code', granted, ['codes.0', 0], {
    at: 'codes.0',
    breaks: ['v5/3.8.4-6'],
  }),
  cut('unsuback-without-code', 'an UNSUBACK without a Reason Code', removed, ['codes.0', 0], {
    at: 'codes.0',
    breaks: ['v5/3.11.3-1'],
  }),
  bent(
    'pingresp-length-1',
    'a PINGRESP with a byte after the fixed header',
    pingresp,
    { surplus: [0] },
    {
      at: 'surplus',
      breaks: length,
    },
  ),
  raw('pingresp-length-padded', 'a PINGRESP with a Remaining Length in more bytes than it needs', 'D0 80 00', {
    at: 'remainingLength',
    breaks: ['v5/1.5.5-1'],
  }),
  raw('subscribe-from-server', 'a SUBSCRIBE from a server', '82 07 00 01 00 00 01 61 00', {
    at: undefined,
    breaks: ['v5/2.1.2~packet-direction'],
  }),
  raw('pingreq-from-server', 'a PINGREQ from a server', 'C0 00', {
    at: undefined,
    breaks: ['v5/2.1.2~packet-direction'],
  }),
];

/** Malformed packets that come from a server. */
export const serverRows5: readonly Row[] = [
  ...packets,
  ...codes,
  ...serverHolders.flatMap((holder) => propertyRows(holder, 'server')),
];
