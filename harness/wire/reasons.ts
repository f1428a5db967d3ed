/** The Reason Codes of MQTT 5.0 as a table (section 2.4). */

import type { RequirementId } from '../spec/index.ts';
import type { PacketType } from './packet.ts';
import type { Side } from './properties.ts';
import type { Reader } from './reader.ts';

/** The packets that carry Reason Codes. */
export type ReasonPlace =
  | 'CONNACK'
  | 'PUBACK'
  | 'PUBREC'
  | 'PUBREL'
  | 'PUBCOMP'
  | 'SUBACK'
  | 'UNSUBACK'
  | 'DISCONNECT'
  | 'AUTH';

export interface Reason {
  readonly code: number;
  /** As in the standard; 0x00 has three. */
  readonly name: string;
  readonly packets: readonly ReasonPlace[];
  /** The only side that may say so in a DISCONNECT or AUTH, where only one may (sections 3.14.2.1 and 3.15.2.1). */
  readonly from?: Side;
}

const acknowledged = ['PUBACK', 'PUBREC'] as const;
const subscribed = ['SUBACK', 'UNSUBACK'] as const;

/** Every Reason Code, in the order of table 2-6; a code has several rows where its name or its sender differs. */
export const reasons: readonly Reason[] = [
  { code: 0x00, name: 'Success', packets: ['CONNACK', ...acknowledged, 'PUBREL', 'PUBCOMP', 'UNSUBACK'] },
  { code: 0x00, name: 'Success', packets: ['AUTH'], from: 'server' },
  { code: 0x00, name: 'Normal disconnection', packets: ['DISCONNECT'] },
  { code: 0x00, name: 'Granted QoS 0', packets: ['SUBACK'] },
  { code: 0x01, name: 'Granted QoS 1', packets: ['SUBACK'] },
  { code: 0x02, name: 'Granted QoS 2', packets: ['SUBACK'] },
  { code: 0x04, name: 'Disconnect with Will Message', packets: ['DISCONNECT'], from: 'client' },
  { code: 0x10, name: 'No matching subscribers', packets: acknowledged },
  { code: 0x11, name: 'No subscription existed', packets: ['UNSUBACK'] },
  { code: 0x18, name: 'Continue authentication', packets: ['AUTH'] },
  { code: 0x19, name: 'Re-authenticate', packets: ['AUTH'], from: 'client' },
  { code: 0x80, name: 'Unspecified error', packets: ['CONNACK', ...acknowledged, ...subscribed, 'DISCONNECT'] },
  { code: 0x81, name: 'Malformed Packet', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0x82, name: 'Protocol Error', packets: ['CONNACK', 'DISCONNECT'] },
  {
    code: 0x83,
    name: 'Implementation specific error',
    packets: ['CONNACK', ...acknowledged, ...subscribed, 'DISCONNECT'],
  },
  { code: 0x84, name: 'Unsupported Protocol Version', packets: ['CONNACK'] },
  { code: 0x85, name: 'Client Identifier not valid', packets: ['CONNACK'] },
  { code: 0x86, name: 'Bad User Name or Password', packets: ['CONNACK'] },
  { code: 0x87, name: 'Not authorized', packets: ['CONNACK', ...acknowledged, ...subscribed] },
  { code: 0x87, name: 'Not authorized', packets: ['DISCONNECT'], from: 'server' },
  { code: 0x88, name: 'Server unavailable', packets: ['CONNACK'] },
  { code: 0x89, name: 'Server busy', packets: ['CONNACK'] },
  { code: 0x89, name: 'Server busy', packets: ['DISCONNECT'], from: 'server' },
  { code: 0x8a, name: 'Banned', packets: ['CONNACK'] },
  { code: 0x8b, name: 'Server shutting down', packets: ['DISCONNECT'], from: 'server' },
  // Table 2-6 lists it for DISCONNECT and table 3-10, of the codes of DISCONNECT, does not: both readings pass.
  { code: 0x8c, name: 'Bad authentication method', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0x8d, name: 'Keep Alive timeout', packets: ['DISCONNECT'], from: 'server' },
  { code: 0x8e, name: 'Session taken over', packets: ['DISCONNECT'], from: 'server' },
  { code: 0x8f, name: 'Topic Filter invalid', packets: subscribed },
  { code: 0x8f, name: 'Topic Filter invalid', packets: ['DISCONNECT'], from: 'server' },
  { code: 0x90, name: 'Topic Name invalid', packets: ['CONNACK', ...acknowledged, 'DISCONNECT'] },
  { code: 0x91, name: 'Packet Identifier in use', packets: [...acknowledged, ...subscribed] },
  { code: 0x92, name: 'Packet Identifier not found', packets: ['PUBREL', 'PUBCOMP'] },
  { code: 0x93, name: 'Receive Maximum exceeded', packets: ['DISCONNECT'] },
  { code: 0x94, name: 'Topic Alias invalid', packets: ['DISCONNECT'] },
  { code: 0x95, name: 'Packet too large', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0x96, name: 'Message rate too high', packets: ['DISCONNECT'] },
  { code: 0x97, name: 'Quota exceeded', packets: ['CONNACK', ...acknowledged, 'SUBACK', 'DISCONNECT'] },
  { code: 0x98, name: 'Administrative action', packets: ['DISCONNECT'] },
  { code: 0x99, name: 'Payload format invalid', packets: ['CONNACK', ...acknowledged, 'DISCONNECT'] },
  { code: 0x9a, name: 'Retain not supported', packets: ['CONNACK'] },
  { code: 0x9a, name: 'Retain not supported', packets: ['DISCONNECT'], from: 'server' },
  { code: 0x9b, name: 'QoS not supported', packets: ['CONNACK'] },
  { code: 0x9b, name: 'QoS not supported', packets: ['DISCONNECT'], from: 'server' },
  { code: 0x9c, name: 'Use another server', packets: ['CONNACK'] },
  { code: 0x9c, name: 'Use another server', packets: ['DISCONNECT'], from: 'server' },
  { code: 0x9d, name: 'Server moved', packets: ['CONNACK'] },
  { code: 0x9d, name: 'Server moved', packets: ['DISCONNECT'], from: 'server' },
  { code: 0x9e, name: 'Shared Subscriptions not supported', packets: ['SUBACK'] },
  { code: 0x9e, name: 'Shared Subscriptions not supported', packets: ['DISCONNECT'], from: 'server' },
  { code: 0x9f, name: 'Connection rate exceeded', packets: ['CONNACK'] },
  { code: 0x9f, name: 'Connection rate exceeded', packets: ['DISCONNECT'], from: 'server' },
  { code: 0xa0, name: 'Maximum connect time', packets: ['DISCONNECT'], from: 'server' },
  { code: 0xa1, name: 'Subscription Identifiers not supported', packets: ['SUBACK'] },
  { code: 0xa1, name: 'Subscription Identifiers not supported', packets: ['DISCONNECT'], from: 'server' },
  { code: 0xa2, name: 'Wildcard Subscriptions not supported', packets: ['SUBACK'] },
  { code: 0xa2, name: 'Wildcard Subscriptions not supported', packets: ['DISCONNECT'], from: 'server' },
];

/** What a Reason Code outside the list of its packet breaks. */
export const reasonRules = {
  CONNACK: 'v5/3.2.2-8',
  PUBACK: 'v5/3.4.2-1',
  PUBREC: 'v5/3.5.2-1',
  PUBREL: 'v5/3.6.2-1',
  PUBCOMP: 'v5/3.7.2-1',
  SUBACK: 'v5/3.9.3-2',
  UNSUBACK: 'v5/3.11.3-2',
  DISCONNECT: 'v5/3.14.2-1',
  AUTH: 'v5/3.15.2-1',
} as const satisfies Record<ReasonPlace, RequirementId>;

/** The packets that carry Reason Codes, in the order of the standard. */
export const reasonPlaces = Object.keys(reasonRules) as readonly ReasonPlace[];

const byPlace: ReadonlyMap<ReasonPlace, ReadonlyMap<number, Reason>> = new Map(
  reasonPlaces.map((place) => [
    place,
    new Map(reasons.filter(({ packets }) => packets.includes(place)).map((row) => [row.code, row])),
  ]),
);

/** The row of a Reason Code in a packet, or `undefined` if that packet may not carry it. */
export function reasonOf(place: ReasonPlace, code: number): Reason | undefined {
  return byPlace.get(place)?.get(code);
}

/** The Reason Codes that a packet may carry, lowest first, whichever side sends it. */
export function reasonCodesOf(place: ReasonPlace): readonly number[] {
  return [...(byPlace.get(place)?.keys() ?? [])];
}

/** Whether a packet of this type carries Reason Codes. */
export function isReasonPlace(type: PacketType): type is ReasonPlace {
  return Object.hasOwn(reasonRules, type);
}

const missing = { missing: ['v5/2.1.4~content-length'] } as const;

/** The Reason Code that stands next in a packet; throws `Malformed` for one that this packet may not carry. */
export function readReason(reader: Reader, place: ReasonPlace, part: string): number {
  const code = reader.uint8(part, missing);
  if (reasonOf(place, code)) return code;
  const reason = `${place} may not carry the Reason Code ${code}`;
  throw reader.fault([reasonRules[place]], missing, reason, part, reader.at - 1, 0x82);
}
