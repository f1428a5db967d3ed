/** What a server may not send: the rows that the judge of a server's packets is tested with. */

import { connack, pingresp, puback, pubrel, suback, unsuback } from '../build.ts';
import { bent, cut, type Factory, type Row, wrongFlags } from './row.ts';

const accepted: Factory = () => connack();
const granted: Factory = () => suback(1, [0, 1]);
const removed: Factory = () => unsuback(1);

const size = ['v3/2.1~fixed-packet-sizes'] as const;
const surplus = ['v3/2.1~fixed-packet-sizes', 'v3/2.4~surplus-bytes'] as const;

/** Malformed packets that come from a server. */
export const serverRows: readonly Row[] = [
  ...wrongFlags(accepted, 0x20, ['v3/2.2.2-1']),
  ...wrongFlags(() => puback(1), 0x40, ['v3/2.2.2-1']),
  ...wrongFlags(() => pubrel(1), 0x62, ['v3/2.2.2-1', 'v3/3.6.1-1']),
  ...wrongFlags(granted, 0x90, ['v3/2.2.2-1']),
  ...wrongFlags(removed, 0xb0, ['v3/2.2.2-1']),
  ...wrongFlags(pingresp, 0xd0, ['v3/2.2.2-1']),
  bent(
    'connack-flags-byte-02',
    'a CONNACK with a reserved acknowledge flag',
    accepted,
    { acknowledgeFlags: [0x02] },
    { at: 'acknowledgeFlags', breaks: ['v3/3.2.2.1~acknowledge-flags'] },
  ),
  bent(
    'connack-flags-byte-81',
    'a CONNACK with Session Present and a reserved flag',
    accepted,
    { acknowledgeFlags: [0x81] },
    { at: 'acknowledgeFlags', breaks: ['v3/3.2.2.1~acknowledge-flags'] },
  ),
  bent(
    'connack-code-6',
    'a CONNACK with the reserved return code 6',
    accepted,
    { code: [6] },
    { at: 'code', breaks: ['v3/3.2.2-6'] },
  ),
  bent(
    'connack-code-132',
    'a CONNACK with a Reason Code of MQTT 5.0',
    accepted,
    { code: [0x84] },
    { at: 'code', breaks: ['v3/3.2.2-6'] },
  ),
  bent(
    'connack-properties',
    'a CONNACK with the properties of MQTT 5.0',
    accepted,
    { surplus: [0x00] },
    { at: 'surplus', breaks: surplus },
  ),
  cut('connack-length-0', 'a CONNACK with Remaining Length 0', accepted, ['acknowledgeFlags', 0], {
    at: 'acknowledgeFlags',
    breaks: size,
  }),
  cut('connack-length-1', 'a CONNACK without a return code', accepted, ['code', 0], { at: 'code', breaks: size }),
  bent(
    'puback-reason-code',
    'a PUBACK with a Reason Code of MQTT 5.0',
    () => puback(1),
    { surplus: [0x10] },
    { at: 'surplus', breaks: surplus },
  ),
  cut('suback-length-1', 'a SUBACK that ends within the Packet Identifier', granted, ['packetId', 1], {
    at: 'packetId',
    breaks: size,
  }),
  cut('suback-without-code', 'a SUBACK without a return code', granted, ['codes.0', 0], {
    at: 'codes.0',
    breaks: ['v3/3.8.4-5'],
  }),
  bent(
    'suback-code-3',
    'a SUBACK with the return code 3',
    granted,
    { 'codes.0': [3] },
    { at: 'codes.0', breaks: ['v3/3.9.3-2'] },
  ),
  bent(
    'suback-second-code-135',
    'a SUBACK whose second code is a Reason Code of MQTT 5.0',
    granted,
    { 'codes.1': [0x87] },
    { at: 'codes.1', breaks: ['v3/3.9.3-2'] },
  ),
  cut('unsuback-length-0', 'an UNSUBACK without a Packet Identifier', removed, ['packetId', 0], {
    at: 'packetId',
    breaks: size,
  }),
  bent(
    'unsuback-reason-codes',
    'an UNSUBACK with Reason Codes of MQTT 5.0',
    removed,
    { surplus: [0x00, 0x00] },
    { at: 'surplus', breaks: surplus },
  ),
  bent(
    'pingresp-length-1',
    'a PINGRESP with a byte after the fixed header',
    pingresp,
    { surplus: [0x00] },
    { at: 'surplus', breaks: surplus },
  ),
];
