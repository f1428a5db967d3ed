/**
 * The MQTT Control Packets as data, with the field names of the standard; one shape for 3.1.1 and 5.0. Properties and
 * what else only 5.0 has are optional: they are left out of the bytes of a 3.1.1 packet, and never found in one.
 */

/** Quality of Service: 0 at most once, 1 at least once, 2 exactly once (section 4.3). */
export type QoS = 0 | 1 | 2;

/**
 * The properties of a packet or a Will (MQTT 5.0, section 2.2.2.2), one shape for all: `properties.ts` says which may
 * stand where. Properties that may be repeated are lists, in the order of the wire.
 */
export interface Properties {
  /** 1: the payload is UTF-8 text. */
  readonly payloadFormatIndicator?: number;
  /** Seconds. */
  readonly messageExpiryInterval?: number;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  /** One in a SUBSCRIBE; in a PUBLISH from a server one for each matching subscription that has one. */
  readonly subscriptionIdentifiers?: readonly number[];
  /** Seconds; 0xFFFFFFFF is for ever. */
  readonly sessionExpiryInterval?: number;
  readonly assignedClientIdentifier?: string;
  /** Seconds. */
  readonly serverKeepAlive?: number;
  readonly authenticationMethod?: string;
  readonly authenticationData?: Uint8Array;
  readonly requestProblemInformation?: number;
  /** Seconds; only in the properties of a Will. */
  readonly willDelayInterval?: number;
  readonly requestResponseInformation?: number;
  readonly responseInformation?: string;
  readonly serverReference?: string;
  readonly reasonString?: string;
  /** Messages of QoS 1 and 2 that the sender of this property takes at a time. */
  readonly receiveMaximum?: number;
  readonly topicAliasMaximum?: number;
  readonly topicAlias?: number;
  readonly maximumQoS?: number;
  readonly retainAvailable?: number;
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
  /** Bytes of a whole packet, header included. */
  readonly maximumPacketSize?: number;
  readonly wildcardSubscriptionAvailable?: number;
  readonly subscriptionIdentifierAvailable?: number;
  readonly sharedSubscriptionAvailable?: number;
}

/** The Will of a CONNECT (section 3.1.2.5). */
export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  /** 5.0 only (section 3.1.3.2). */
  readonly properties?: Properties | undefined;
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
  readonly will?: Will | undefined;
  readonly userName?: string | undefined;
  readonly password?: Uint8Array | undefined;
  readonly properties?: Properties | undefined;
}

/** Section 3.2. */
export interface Connack {
  readonly type: 'CONNACK';
  readonly sessionPresent: boolean;
  /** Connect Return code (3.1.1) or Reason Code (5.0). */
  readonly code: number;
  readonly properties?: Properties | undefined;
}

/** Section 3.3. */
export interface Publish {
  readonly type: 'PUBLISH';
  readonly dup: boolean;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly topic: string;
  /** Present exactly when the QoS is 1 or 2. */
  readonly packetId?: number | undefined;
  readonly payload: Uint8Array;
  readonly properties?: Properties | undefined;
}

/**
 * What a packet may leave out from its end (5.0): its properties, and with them its Reason Code if that is 0x00. What
 * is there is written, so `{}` takes the two bytes of code and Property Length, and `{ code: 0 }` one. A packet that
 * was read from 5.0 has its code, given or left out, and its properties if there are any.
 */
export interface Outcome {
  /** Reason Code; left out is 0x00 (success). */
  readonly code?: number | undefined;
  readonly properties?: Properties | undefined;
}

/** The four acknowledgements of PUBLISH: sections 3.4 to 3.7. */
export interface Acknowledgement extends Outcome {
  readonly type: 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP';
  readonly packetId: number;
}

/** When a subscription brings retained messages: 0 always, 1 if it is new, 2 never (section 3.3.1.3). */
export type RetainHandling = 0 | 1 | 2;

/** One Topic Filter of a SUBSCRIBE with its requested QoS, and the options of 5.0 (section 3.8.3.1): 0 if left out. */
export interface Subscription {
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal?: boolean;
  readonly retainAsPublished?: boolean;
  readonly retainHandling?: RetainHandling;
}

/** Section 3.8. */
export interface Subscribe {
  readonly type: 'SUBSCRIBE';
  readonly packetId: number;
  readonly filters: readonly Subscription[];
  readonly properties?: Properties | undefined;
}

/** Section 3.9. */
export interface Suback {
  readonly type: 'SUBACK';
  readonly packetId: number;
  /** One for each Topic Filter: the granted QoS, or 0x80 and above for a failure. */
  readonly codes: readonly number[];
  readonly properties?: Properties | undefined;
}

/** Section 3.10. */
export interface Unsubscribe {
  readonly type: 'UNSUBSCRIBE';
  readonly packetId: number;
  readonly filters: readonly string[];
  readonly properties?: Properties | undefined;
}

/** Section 3.11. */
export interface Unsuback {
  readonly type: 'UNSUBACK';
  readonly packetId: number;
  /** One for each Topic Filter; 5.0 only. */
  readonly codes?: readonly number[];
  readonly properties?: Properties | undefined;
}

/** Sections 3.12 and 3.13: a fixed header and nothing else. */
export interface Bare {
  readonly type: 'PINGREQ' | 'PINGRESP';
}

/** Section 3.14: in 3.1.1 a fixed header and nothing else. */
export interface Disconnect extends Outcome {
  readonly type: 'DISCONNECT';
}

/** Section 3.15; 5.0 only. */
export interface Auth extends Outcome {
  readonly type: 'AUTH';
}

export type Packet =
  | Connect
  | Connack
  | Publish
  | Acknowledgement
  | Subscribe
  | Suback
  | Unsubscribe
  | Unsuback
  | Bare
  | Disconnect
  | Auth;

export type PacketType = Packet['type'];

/** The packet shape for a packet type. */
export type PacketOf<T extends PacketType> = Packet & { readonly type: T };

/** The MQTT Control Packet types by their number. 0 is reserved, and in 3.1.1 AUTH as well. */
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
  'AUTH',
] as const satisfies readonly (PacketType | undefined)[];

/** The types that only a server sends (section 2.2.1, direction of flow). */
export const serverOnly: ReadonlySet<PacketType> = new Set(['CONNACK', 'SUBACK', 'UNSUBACK', 'PINGRESP']);

/** The types that only a client sends; in 5.0 a server sends DISCONNECT as well. */
export const clientOnly: ReadonlySet<PacketType> = new Set([
  'CONNECT',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'PINGREQ',
  'DISCONNECT',
]);
