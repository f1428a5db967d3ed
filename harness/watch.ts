/**
 * Always-on checks of every packet that a broker sends, in any case, on any connection: what holds whatever the case is
 * about. The format of each packet is judged by the decoder; here stands what takes more than one packet to tell.
 */

import { Violation } from './errors.ts';
import { code } from './reading.ts';
import type { RequirementId } from './spec/index.ts';
import { clientOnly, type Packet, type Publish } from './wire/packet.ts';
import { checkTopicName } from './wire/topic.ts';

/** The checks of one network connection. */
export class Watch {
  #connack: 'none sent' | 'due' | 'accepted' | 'refused' = 'none sent';
  /** A resumed session may bring exchanges that began on an earlier connection. */
  #resumed = false;
  /** Bytes were sent that are no packet: what the broker makes of them can't be told. */
  #blind = false;
  #pings = 0;
  /** How often each acknowledgement is owed: `PUBACK 7` → 1. */
  readonly #owed = new Map<string, number>();
  /** How many Topic Filters the SUBSCRIBE with this Packet Identifier had. */
  readonly #filters = new Map<number, number>();
  /** The broker's own QoS 1 and 2 messages that are not yet acknowledged, and how far each has come. */
  readonly #inFlight = new Map<number, 'PUBACK' | 'PUBREC' | 'PUBCOMP'>();

  /** Takes note of what the client sends; undefined: bytes that are no well-formed packet. */
  sent(packet: Packet | undefined): void {
    if (!packet) {
      this.#blind = true;
      if (this.#connack === 'none sent') this.#connack = 'due';
      return;
    }
    switch (packet.type) {
      case 'CONNECT':
        if (this.#connack === 'none sent') this.#connack = 'due';
        return;
      case 'PUBLISH':
        if (packet.qos > 0) this.#owe(packet.qos === 1 ? 'PUBACK' : 'PUBREC', packet.packetId);
        return;
      case 'PUBREL':
        return this.#owe('PUBCOMP', packet.packetId);
      case 'SUBSCRIBE':
        this.#filters.set(packet.packetId, packet.filters.length);
        return this.#owe('SUBACK', packet.packetId);
      case 'UNSUBSCRIBE':
        return this.#owe('UNSUBACK', packet.packetId);
      case 'PINGREQ':
        this.#pings++;
        return;
      case 'PUBACK':
        this.#inFlight.delete(packet.packetId);
        return;
      case 'PUBREC':
        this.#inFlight.set(packet.packetId, 'PUBCOMP');
        return this.#owe('PUBREL', packet.packetId);
      case 'PUBCOMP':
        this.#inFlight.delete(packet.packetId);
        return;
      default:
        return;
    }
  }

  /** Judges a packet that the broker sent; not the Topic Name of a foreign message, which tells of its author. Throws Violation. */
  received(packet: Packet, foreign = false): void {
    if (clientOnly.has(packet.type)) {
      broken(`never sends ${packet.type} to a client`, `sent ${packet.type}`, 'v3/2.2.1~packet-direction');
    }
    if (packet.type === 'CONNACK') return this.#connected(packet.code, packet.sessionPresent);
    if (this.#connack !== 'accepted') {
      broken(
        'CONNACK is the first packet that the server sends',
        `sent ${packet.type} ${this.#before()}`,
        'v3/3.2.0-1',
      );
    }
    switch (packet.type) {
      case 'PUBLISH':
        return this.#publish(packet, foreign);
      case 'PINGRESP':
        if (this.#blind || this.#pings-- > 0) return;
        return broken(
          'one PINGRESP for each PINGREQ',
          'sent a PINGRESP that answers no PINGREQ',
          'v3/3.12~one-pingresp-each',
        );
      case 'SUBACK': {
        this.#settle('SUBACK', packet.packetId, 'v3/3.8.4-2', 'v3/2.3.1-7');
        const filters = this.#filters.get(packet.packetId);
        if (filters === undefined || filters === packet.codes.length) return;
        return broken(
          `one return code for each of the ${filters} Topic Filters`,
          `SUBACK has ${packet.codes.length} return codes`,
          'v3/3.8.4-5',
        );
      }
      case 'UNSUBACK':
        return this.#settle('UNSUBACK', packet.packetId, 'v3/3.10.4-4', 'v3/2.3.1-7');
      case 'PUBACK':
        return this.#settle('PUBACK', packet.packetId, 'v3/2.3.1-6', 'v3/4.3.2-2');
      case 'PUBREC':
        return this.#settle('PUBREC', packet.packetId, 'v3/2.3.1-6', 'v3/4.3.3-2');
      case 'PUBREL':
        return this.#settle('PUBREL', packet.packetId, 'v3/2.3.1-6', 'v3/4.3.3-1');
      case 'PUBCOMP':
        return this.#settle('PUBCOMP', packet.packetId, 'v3/4.3.3-2');
      default:
        return;
    }
  }

  #connected(returnCode: number, sessionPresent: boolean): void {
    if (this.#connack !== 'due') {
      broken('one CONNACK, after the CONNECT', `sent CONNACK ${this.#before()}`, 'v3/3.2.0-1', 'v3/3.1.0-2');
    }
    if (returnCode > 5) {
      broken(
        'a return code from 0 to 5',
        `CONNACK has return code ${code(returnCode)}`,
        'v3/3.2.2-6',
        'v3/3.2.2.3~fitting-return-code',
      );
    }
    if (returnCode !== 0 && sessionPresent) {
      broken(
        'Session Present 0 in a CONNACK that refuses',
        `CONNACK ${code(returnCode)} has Session Present 1`,
        'v3/3.2.2-4',
      );
    }
    this.#connack = returnCode === 0 ? 'accepted' : 'refused';
    this.#resumed = sessionPresent;
  }

  #before(): string {
    switch (this.#connack) {
      case 'none sent':
        return 'before the client sent a CONNECT';
      case 'due':
        return 'before CONNACK';
      case 'accepted':
        return 'a second time';
      case 'refused':
        return 'after a CONNACK that refused the connection';
    }
  }

  #publish(packet: Publish, foreign: boolean): void {
    if (packet.qos === 0 && packet.dup) {
      broken('DUP 0 in every QoS 0 PUBLISH', 'sent a QoS 0 PUBLISH with DUP 1', 'v3/3.3.1-2', 'v3/4.3.1-1');
    }
    const bad = foreign ? undefined : checkTopicName(packet.topic);
    if (bad) broken('a Topic Name without wildcards', `sent a PUBLISH to ${packet.topic}`, ...bad);
    if (packet.packetId === undefined) return;
    const stage = this.#blind ? undefined : this.#inFlight.get(packet.packetId);
    if (stage === 'PUBCOMP') {
      broken(
        'no PUBLISH with a Packet Identifier whose QoS 2 exchange waits for PUBCOMP',
        `sent PUBLISH id=${packet.packetId} after PUBREC and before PUBCOMP`,
        'v3/2.3.1-4',
        'v3/4.3.3-1',
      );
    }
    if (stage && !packet.dup) {
      broken(
        'a Packet Identifier that is not in use, or DUP 1 on a retransmission',
        `sent a new PUBLISH id=${packet.packetId} while this identifier is unacknowledged`,
        'v3/2.3.1-4',
        'v3/3.3.1-1',
      );
    }
    this.#inFlight.set(packet.packetId, packet.qos === 1 ? 'PUBACK' : 'PUBREC');
  }

  #owe(type: string, packetId: number | undefined): void {
    const key = `${type} ${packetId}`;
    this.#owed.set(key, (this.#owed.get(key) ?? 0) + 1);
  }

  #settle(type: string, packetId: number, ...requirements: readonly RequirementId[]): void {
    const key = `${type} ${packetId}`;
    const owed = this.#owed.get(key) ?? 0;
    if (owed > 0) {
      this.#owed.set(key, owed - 1);
      return;
    }
    // PUBREL may belong to an exchange of an earlier connection, and be repeated; so may answers to what we can't read.
    if (this.#blind || (type === 'PUBREL' && (this.#resumed || this.#inFlight.get(packetId) === 'PUBCOMP'))) return;
    broken(
      `${type} only with the Packet Identifier of a packet that it answers`,
      `sent ${key}, which answers nothing that was sent`,
      ...requirements,
    );
  }
}

function broken(expected: string, actual: string, ...requirements: readonly RequirementId[]): never {
  throw new Violation(expected, actual, requirements);
}
