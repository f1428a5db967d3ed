/** An Application Message on its way through the server. */

import type { Publish, QoS } from '../harness/wire/packet.ts';

export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  /** RETAIN of the PUBLISH that brought it. */
  readonly retain: boolean;
  /** DUP of the PUBLISH that brought it; it says nothing about what goes out (v3/3.3.1-3). */
  readonly dup: boolean;
  /** The PUBLISH packets made of it so far, so that a message to many clients is encoded once. */
  readonly encoded: (Uint8Array | undefined)[];
}

/** A message from the fields of a PUBLISH or a will. */
export function message({ topic, payload, qos, retain, dup }: Omit<Publish, 'type' | 'packetId'>): Message {
  return { topic, payload, qos, retain, dup, encoded: [] };
}

/** The lower of the QoS of the message and the QoS granted to the subscription (section 3.8.4). */
export function lowerQoS(one: QoS, other: QoS): QoS {
  return one < other ? one : other;
}

/** About what a message takes, in bytes. */
export function sizeOf({ topic, payload }: Message): number {
  return 200 + topic.length + payload.length;
}
