/** What the standard leaves to the server: every freedom is a named switch, and no choice may fail the suite. */

import type { QoS } from '../harness/wire/packet.ts';

export interface Choices {
  /**
   * A message that matches several subscriptions of one client arrives once, at the highest QoS, or once for each of
   * them at its own QoS (v3/3.3.5-1, v3/3.3.5~overlapping-copies).
   */
  readonly overlapping: 'once' | 'each';
  /**
   * A CONNECT under another protocol name is answered by closing, or by CONNACK 0x01 and closing (v3/3.1.2-1).
   */
  readonly badConnect: 'close' | 'CONNACK';
  /**
   * Whether an empty Client Identifier (3.1.1: with CleanSession 1) is served or refused with 0x02, 0x85 in 5.0
   * (v3/3.1.3-6, v3/3.1.3-9, v5/3.1.3-6, v5/3.1.3-8).
   */
  readonly emptyClientId: 'accept' | 'refuse';
  /** Whether identifiers longer than 23 bytes or with other characters are served (v3/3.1.3.1~other-client-ids). */
  readonly otherClientIds: 'accept' | 'refuse';
  /** Whether QoS 0 messages wait for a client that is away (v3/3.1.2.4~qos0-stored-offline). */
  readonly qos0Offline: 'drop' | 'queue';
  /** The greatest QoS granted to a subscription (v3/3.8.4~lower-qos-granted). */
  readonly grantedQoS: QoS;
  /**
   * What becomes of a PUBLISH with more than that: the server closes when it takes none, for 3.1.1 gives it no other way to say so
   * (v3/3.3.5-2). In 5.0 it announces the Maximum QoS.
   */
  readonly greaterQoS: 'accept' | 'close';
  /** When a QoS 2 message is handed on: methods B and A of figure 4.3 (v3/4.3.3~delivery-method). */
  readonly deliverOn: 'PUBLISH' | 'PUBREL';
  /** Whether PUBACK and PUBREC go out before or after the message is handed on (v3/4.3.2~several-in-flight). */
  readonly acknowledge: 'first' | 'last';
  /**
   * How a Topic Filter with misplaced wildcards is refused (v3/4.7.1-2 with v3/4.8.0-1, v3/3.8.4-5). In 5.0 also a
   * shared one that is ill-formed, with 0x8F in SUBACK or DISCONNECT (v5/3.8.4~refused-filter).
   */
  readonly invalidFilter: 'close' | '0x80';
  /** Whether filters with wildcards are served at all (v3/3.8.3-2, v3/3.8.3~wildcards-supported). */
  readonly wildcards: 'grant' | 'refuse';
  /** Whether retained messages for a new subscription precede its SUBACK (v3/3.8.4~publish-before-suback). */
  readonly retainedBeforeSuback: boolean;
  /**
   * What becomes of a client's PUBLISH to a topic that begins with `$` (v3/4.7.2~dollar-topics-guarded, v3/3.3.5-2).
   * What is ignored is acknowledged in 3.1.1 as usual, in 5.0 with 0x87 (v5/3.4.2.1~publish-forbidden).
   */
  readonly dollarTopics: 'deliver' | 'ignore' | 'close';
  /**
   * What becomes of PUBACK, PUBREC and PUBCOMP that fit no exchange; the answer to a PUBREC is PUBREL, in 5.0 with
   * 0x92 (v3/4.3.3~unknown-acknowledgements, v5/3.6.2.1~pubrec-unknown).
   */
  readonly unknownAck: 'ignore' | 'answer' | 'close';
  /** Whether a QoS 0 message is kept as retained message; it displaces the former one in any case (v3/3.3.1-7). */
  readonly retainedQoS0: 'keep' | 'drop';
  /** Whether control characters and non-characters are allowed in text (v3/1.5.3~control-characters). */
  readonly controlCharacters: 'accept' | 'close';
  /** Whether a Remaining Length may be longer than needed (v3/2.2.3~remaining-length-padding). */
  readonly paddedLength: 'accept' | 'close';
  /** What becomes of a QoS 0 PUBLISH with DUP 1, which no client may send (v3/3.3.1-2; no answer is prescribed). */
  readonly dupOnQoS0: 'accept' | 'ignore' | 'close';
  /** Whether the server closes after DISCONNECT or leaves it to the client (v3/3.14.4~disconnect-closed-by-server). */
  readonly disconnectedSocket: 'close' | 'leave';
  /**
   * Silence is looked for only at multiples of so many milliseconds, so that a client is dropped up to so much later;
   * 0 looks at the exact moment (v3/3.1.2-24).
   */
  readonly keepAliveCheckMs: number;
  /** Unacknowledged packets are sent again after so many milliseconds; 0 only on reconnect (v3/4.4~resend-only-on-reconnect). */
  readonly resendIntervalMs: number;
  /** Whether the QoS 1 message that was acknowledged last comes again on a reconnect: at least once is what was promised (v3/4.3.2-1). */
  readonly acknowledgedQoS1: 'forget' | 'repeat';
  /** The greatest number of QoS 1 and 2 messages on their way to one client; the rest waits (v3/4.3.2~several-in-flight). */
  readonly inFlightWindow: number;

  /** From here on MQTT 5.0 only. Whether an error is answered with CONNACK or DISCONNECT before closing (v5/4.13.1-1). */
  readonly errorAnswer: 'send' | 'close';
  /** Whether what is not a plain success comes with a Reason String (v5/3.4.2-2 and its like). */
  readonly reasonStrings: 'send' | 'none';
  /** Whether it comes with a User Property of the server's own (v5/3.4.2-3 and its like). */
  readonly ownUserProperties: 'send' | 'none';
  /** Whether acknowledgements leave out a Reason Code of 0x00 and the length of no properties (v5/3.4.2-1). */
  readonly acknowledgementForm: 'short' | 'code' | 'long';
  /** Whether PUBACK and PUBREC say that nobody has subscribed (v5/3.4.2.1~no-matching-subscribers). */
  readonly noSubscribers: '0x10' | '0x00';
  /** What an unknown PUBREL is answered with (v5/3.7.2.1~pubrel-unknown). */
  readonly unknownPubrel: '0x92' | '0x00';
  /** Whether text that is none is refused with 0x99: in the acknowledgement, in DISCONNECT, or not (v5/3.3.2.3.2~payload-format-checked). */
  readonly payloadFormat: 'acknowledgement' | 'DISCONNECT' | 'unchecked';
  /** Whether the server uses the Topic Aliases that the client allows (v5/3.3.2-11). */
  readonly outgoingAliases: 'use' | 'none';
  /** Whether a client that asks for Response Information gets it (v5/3.2.2.3.15~response-information). */
  readonly responseInformation: 'send' | 'none';
  /** Which session of a group gets a message (v5/4.8.2~shared-selection). */
  readonly sharedSelection: 'round-robin' | 'first' | 'random';
  /** How a subscription is refused that the server has announced not to serve: 0x9E, 0xA1 or 0xA2 in either packet (v5/3.2.2.3.13~shared-unavailable). */
  readonly unavailable: 'DISCONNECT' | 'SUBACK';
  /** Whether identifiers that are in use for a QoS 2 message are refused in SUBACK and UNSUBACK (v5/2.4~identifier-in-use). */
  readonly identifierInUse: 'accept' | '0x91';
}

/** The choices of the reference broker unless it is told otherwise. */
export const defaultChoices: Choices = {
  overlapping: 'once',
  badConnect: 'close',
  emptyClientId: 'accept',
  otherClientIds: 'accept',
  qos0Offline: 'drop',
  grantedQoS: 2,
  greaterQoS: 'accept',
  deliverOn: 'PUBLISH',
  acknowledge: 'last',
  invalidFilter: 'close',
  wildcards: 'grant',
  retainedBeforeSuback: false,
  dollarTopics: 'ignore',
  unknownAck: 'answer',
  retainedQoS0: 'keep',
  controlCharacters: 'accept',
  paddedLength: 'accept',
  dupOnQoS0: 'close',
  disconnectedSocket: 'close',
  keepAliveCheckMs: 0,
  resendIntervalMs: 0,
  acknowledgedQoS1: 'forget',
  inFlightWindow: 1_000,
  errorAnswer: 'send',
  reasonStrings: 'send',
  ownUserProperties: 'send',
  acknowledgementForm: 'short',
  noSubscribers: '0x10',
  unknownPubrel: '0x92',
  payloadFormat: 'acknowledgement',
  outgoingAliases: 'use',
  responseInformation: 'send',
  sharedSelection: 'round-robin',
  unavailable: 'DISCONNECT',
  identifierInUse: 'accept',
};
