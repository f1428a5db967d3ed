/** The rules of the oracle `standard` with their requirements in both versions. */

import type { RequirementId } from '../../harness/spec/index.ts';

interface Rows {
  readonly v3: readonly RequirementId[];
  readonly v5: readonly RequirementId[];
  readonly expected: string;
}

export const rules = {
  connackFirst: { v3: ['v3/3.2.0-1'], v5: ['v5/3.2.0-1'], expected: 'CONNACK before any other packet' },
  connackOnce: { v3: ['v3/3.2.0-1'], v5: ['v5/3.2.0-2'], expected: 'one CONNACK on a connection' },
  connack: { v3: ['v3/3.1.4-4'], v5: ['v5/3.2.0-2'], expected: 'a CONNACK that accepts only in answer to a CONNECT' },
  refusedSession: { v3: ['v3/3.2.2-4'], v5: ['v5/3.2.2-6'], expected: 'Session Present 0 in a CONNACK that refuses' },
  afterRefusal: {
    v3: ['v3/3.1.4-5', 'v3/3.2.2-5'],
    v5: ['v5/3.1.4-6', 'v5/3.2.2-7'],
    expected: 'after a CONNACK that refuses the connection closes, and nothing behind the CONNECT is processed',
  },
  disconnectFirst: { v3: ['v3/2.2.1~packet-direction'], v5: ['v5/3.14.0-1'], expected: 'no DISCONNECT before CONNACK' },
  subackId: {
    v3: ['v3/3.8.4-2', 'v3/2.3.1-7'],
    v5: ['v5/3.8.4-2', 'v5/2.2.1-6'],
    expected: 'one SUBACK for each SUBSCRIBE',
  },
  unsubackId: {
    v3: ['v3/3.10.4-4', 'v3/2.3.1-7'],
    v5: ['v5/3.10.4-5', 'v5/2.2.1-6'],
    expected: 'one UNSUBACK for each UNSUBSCRIBE',
  },
  publishAnswer: {
    v3: ['v3/3.3.4-1'],
    v5: ['v5/3.3.4-1'],
    expected: 'PUBACK for a PUBLISH of QoS 1, PUBREC for one of QoS 2',
  },
  pubackId: {
    v3: ['v3/2.3.1-6', 'v3/4.3.2-2'],
    v5: ['v5/2.2.1-5', 'v5/4.3.2-4'],
    expected: 'one PUBACK for each QoS 1 PUBLISH',
  },
  pubrecId: {
    v3: ['v3/2.3.1-6', 'v3/4.3.3-2'],
    v5: ['v5/2.2.1-5', 'v5/4.3.3-8'],
    expected: 'one PUBREC for each QoS 2 PUBLISH',
  },
  pubrelId: {
    v3: ['v3/2.3.1-6', 'v3/4.3.3-1'],
    v5: ['v5/2.2.1-5', 'v5/4.3.3-4'],
    expected: 'PUBREL only in answer to PUBREC',
  },
  pubcompId: { v3: ['v3/4.3.3-2'], v5: ['v5/2.2.1-5', 'v5/4.3.3-11'], expected: 'one PUBCOMP for each PUBREL' },
  pingresp: { v3: ['v3/3.12~one-pingresp-each'], v5: ['v5/3.12.4-1'], expected: 'one PINGRESP for each PINGREQ' },
  subackCodes: { v3: ['v3/3.8.4-5'], v5: ['v5/3.8.4-6'], expected: 'one return code for each Topic Filter' },
  unsubackCodes: { v3: ['v3/3.10.4-6'], v5: ['v5/3.11.3-1'], expected: 'one Reason Code for each Topic Filter' },
  dupOnQoS0: {
    v3: ['v3/3.3.1-2', 'v3/4.3.1-1'],
    v5: ['v5/3.3.1-2', 'v5/4.3.1-1'],
    expected: 'DUP 0 in a QoS 0 PUBLISH',
  },
  identifierInUse: {
    v3: ['v3/2.3.1-4', 'v3/4.3.2-1'],
    v5: ['v5/2.2.1-4', 'v5/4.3.2-1'],
    expected: 'a Packet Identifier that is not in use, or DUP 1 on a repetition',
  },
  effect: {
    v3: ['v3/4.8.0-1'],
    v5: ['v5/4.13.1-1'],
    expected: 'what the connection has to be closed for, or came behind it, has no effect',
  },
} as const satisfies Record<string, Rows>;

export type Rule = keyof typeof rules;
