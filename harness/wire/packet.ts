/** The MQTT Control Packets as data, with the field names of the standard; one shape for 3.1.1 and 5.0. */

/** Quality of Service: 0 at most once, 1 at least once, 2 exactly once (section 4.3). */
export type QoS = 0 | 1 | 2;

/** The Will of a CONNECT (section 3.1.2.5). */
export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
}

/** Section 3.1. */
export interface Connect {
  readonly type: 'CONNECT';
  /** `MQTT` unless a case needs another one. */
  readonly protocolName: string;
  /** 4 for MQTT 3.1.1, 5 for MQTT 5.0. */
  readonly protocolLevel: number;
  /** Clean Session (3.1.1), Clean Start (5.0): the same bit. */
  readonly clean: boolean;
  /** Seconds; 0 turns the mechanism off. */
  readonly keepAlive: number;
  readonly clientId: string;
  readonly will?: Will;
  readonly userName?: string;
  readonly password?: Uint8Array;
}

/** Section 3.2. */
export interface Connack {
  readonly type: 'CONNACK';
  readonly sessionPresent: boolean;
  /** Connect Return code (3.1.1) or Reason Code (5.0). */
  readonly code: number;
}

/** Section 3.3. */
export interface Publish {
  readonly type: 'PUBLISH';
  readonly dup: boolean;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly topic: string;
  /** Present exactly when the QoS is 1 or 2. */
  readonly packetId?: number;
  readonly payload: Uint8Array;
}

/** The four acknowledgements of PUBLISH: sections 3.4 to 3.7. */
export interface Acknowledgement {
  readonly type: 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP';
  readonly packetId: number;
}

/** One Topic Filter of a SUBSCRIBE with its requested QoS. */
export interface Subscription {
  readonly filter: string;
  readonly qos: QoS;
}

/** Section 3.8. */
export interface Subscribe {
  readonly type: 'SUBSCRIBE';
  readonly packetId: number;
  readonly filters: readonly Subscription[];
}

/** Section 3.9. */
export interface Suback {
  readonly type: 'SUBACK';
  readonly packetId: number;
  /** One for each Topic Filter: the granted QoS, or 0x80 and above for a failure. */
  readonly codes: readonly number[];
}

/** Section 3.10. */
export interface Unsubscribe {
  readonly type: 'UNSUBSCRIBE';
  readonly packetId: number;
  readonly filters: readonly string[];
}

/** Section 3.11. */
export interface Unsuback {
  readonly type: 'UNSUBACK';
  readonly packetId: number;
}

/** Sections 3.12 to 3.14: in 3.1.1 these are a fixed header and nothing else. */
export interface Bare {
  readonly type: 'PINGREQ' | 'PINGRESP' | 'DISCONNECT';
}

export type Packet = Connect | Connack | Publish | Acknowledgement | Subscribe | Suback | Unsubscribe | Unsuback | Bare;

export type PacketType = Packet['type'];

/** The packet shape for a packet type. */
export type PacketOf<T extends PacketType> = Packet & { readonly type: T };

/** The MQTT Control Packet types by their number (section 2.2.1). 0 and 15 are reserved in 3.1.1. */
export const packetTypes = [
  undefined,
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  undefined,
] as const satisfies readonly (PacketType | undefined)[];

/** The types that only a server sends (section 2.2.1, direction of flow). */
export const serverOnly: ReadonlySet<PacketType> = new Set(['CONNACK', 'SUBACK', 'UNSUBACK', 'PINGRESP']);

/** The types that only a client sends. */
export const clientOnly: ReadonlySet<PacketType> = new Set([
  'CONNECT',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'PINGREQ',
  'DISCONNECT',
]);
