/** One network connection: bytes to packets, and its end (sections 4.2, 4.8 and 4.13). What a packet does is in `receive.ts`. */

import type { Cancel } from '../harness/clock.ts';
import { Framer, TooLarge } from '../harness/wire/frame.ts';
import { Malformed } from '../harness/wire/malformed.ts';
import type { Authentication } from './authenticate.ts';
import type { Connection, Link } from './broker.ts';
import { Dialect } from './dialect.ts';
import { KeepAlive } from './keepAlive.ts';
import { sizeRules } from './output.ts';
import { reasonCodes } from './reasons.ts';
import { receiveFrame } from './receive.ts';
import { resendUnacknowledged } from './send.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import { leaveSession } from './sessions.ts';
import { unlimited } from './terms.ts';
import type { End } from './will.ts';

/** What the server says before it closes a connection of MQTT 5.0 for no fault in a packet (section 3.14.2.1). */
const farewells: Partial<Record<End, number>> = {
  'keep alive': reasonCodes.keepAliveTimeout,
  'take-over': reasonCodes.sessionTakenOver,
  shutdown: reasonCodes.serverShuttingDown,
};

export class ClientConnection implements Connection {
  readonly server: Server;
  readonly link: Link;
  /** Until the CONNECT tells, that of 3.1.1. */
  dialect: Dialect;
  /** Enhanced authentication, if the client asked for it. */
  authentication: Authentication | undefined;
  #framer: Framer;
  #session: Session | undefined;
  #keepAlive: KeepAlive | undefined;
  #cancelTimer: Cancel | undefined;
  #ended = false;
  #late = false;

  constructor(server: Server, link: Link) {
    this.server = server;
    this.link = link;
    this.dialect = new Dialect(server, 'v3', unlimited);
    this.#framer = this.#newFramer();
    this.expectWithin(server.limits.connectTimeoutMs);
  }

  /** The session of a client that was let in. */
  get session(): Session | undefined {
    return this.#session;
  }

  feed(bytes: Uint8Array): void {
    if (this.#ended) return;
    // The stream may be cut anywhere: what is not yet a whole packet waits for more.
    if (!this.server.obeys('v3/4.2~byte-stream', 'v5/4.2.0-1')) this.forgetInput();
    this.#framer.push(bytes);
    while (!this.#ended) {
      try {
        const frame = this.#framer.next();
        if (!frame) return;
        receiveFrame(this, frame);
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  ended(): void {
    this.end('network');
  }

  /** Sends a packet; out of order only if that is what is broken: then every other packet comes late. */
  send(packet: Uint8Array, inOrder = true): void {
    if (this.#ended) return;
    const { obeys, terms } = this.dialect;
    if (packet.length > terms.maximumPacketSize && obeys(...sizeRules)) return;
    this.#late = !inOrder && !this.#late;
    if (this.#late) this.server.clock.after(10, () => this.send(packet));
    else this.link.send(packet);
    if (!obeys('v3/3.1.2-24#only-received', 'v5/3.1.2-22#only-received')) this.#keepAlive?.heard();
  }

  /** A packet has come that counts for Keep Alive. */
  heard(): void {
    this.#keepAlive?.heard();
  }

  /** Whether the client asked for Keep Alive. */
  get isKeptAlive(): boolean {
    return this.#keepAlive?.isOn ?? false;
  }

  /** Closes the connection unless the client is let in within so many milliseconds (section 3.1.4). */
  expectWithin(ms: number): void {
    this.stopTimer();
    if (!this.server.obeys('v3/3.1.4~connect-timeout', 'v5/3.1.4~connect-timeout')) return;
    this.#cancelTimer = this.server.clock.after(ms, () => this.end('refused'));
  }

  stopTimer(): void {
    this.#cancelTimer?.();
  }

  /** Forgets what has arrived and was not read. */
  forgetInput(): void {
    this.#framer = this.#newFramer();
  }

  /** The client is let in: from here on the session is on this connection. */
  open(session: Session, keepAlive: number): void {
    const { version, obeys, terms } = this.dialect;
    this.stopTimer();
    this.#session = session;
    session.connection = this;
    session.version = version;
    session.obeys = obeys;
    // Topic Aliases end with the connection.
    if (!obeys('v5/3.3.2-7')) this.dialect = new Dialect(this.server, version, terms, session.staleAliases);
    this.#keepAlive = new KeepAlive(this.server, obeys, keepAlive, () => this.end('keep alive'));
    this.#resendLater();
  }

  /**
   * Ends the connection, for the session and its Will in the given way, in MQTT 5.0 with a DISCONNECT that says why.
   * Ending it again does nothing.
   */
  end(end: End, code = farewells[end]): void {
    if (this.#ended) return;
    const { server, dialect } = this;
    const { choices, connections } = server;
    const told = code !== undefined && this.#session !== undefined && this.#sayWhy(end, code);
    // Whoever says that it ends the connection closes it.
    if (told && !dialect.obeys('v5/3.14.4-2', 'v5/4.13.2-1#DISCONNECT')) return;
    this.#ended = true;
    this.stopTimer();
    this.#keepAlive?.stop();
    connections.delete(this);
    const isLeft =
      isDisconnect(end) &&
      (choices.disconnectedSocket === 'leave' || !dialect.obeys('v3/3.14.4~disconnect-closed-by-server'));
    if (!isLeft) this.link.close();
    if (this.#session) leaveSession(this, this.#session, end);
  }

  /** DISCONNECT from the server: demanded when another connection takes the session, else recommended (section 4.13). */
  #sayWhy(end: End, code: number): boolean {
    const { version, obeys, output } = this.dialect;
    if (version === 'v3') return false;
    const isDemanded = end === 'take-over';
    if (isDemanded && !obeys('v5/3.1.4-3#DISCONNECT', 'v5/3.1.4~take-over-reason')) return false;
    if (!isDemanded && this.server.choices.errorAnswer === 'close') return false;
    this.send(output.disconnect(this.#fitting(code)));
    if (!obeys('v5/3.14.4-1')) this.send(output.pingresp());
    return true;
  }

  /** A protocol violation closes the connection it came on, and no other (section 4.8; 4.13 in 5.0). */
  #fail(error: unknown): void {
    const { server, dialect } = this;
    const { obeys } = dialect;
    const fault = error instanceof TooLarge ? tooLarge(error) : error;
    if (!(fault instanceof Malformed)) throw error;
    // Before CONNECT nobody knows which version it is.
    const asked = this.#session || this.authentication || dialect.version === 'v5' ? obeys : server.obeys;
    // The stream was cut into packets before anybody knew the version.
    const ofLength = fault.part === 'remainingLength' ? (['v5/1.5.5-1'] as const) : [];
    const closes = asked(...fault.requirements, ...ofLength, 'v3/4.8.0-1', 'v5/4.13.1-1');
    if (!closes && !(error instanceof TooLarge)) {
      // The packet is passed over. After a broken Remaining Length nobody knows where the next one begins.
      if (fault.part === 'remainingLength') this.forgetInput();
      return;
    }
    const code = fault.code ?? reasonCodes.malformedPacket;
    // Whoever refuses a CONNECT in words closes as well.
    if (!this.#session && this.#refuse(code) && !obeys('v5/3.2.2-7', 'v5/4.13.2-1#CONNACK')) return;
    this.end('protocol error', code);
    if (obeys('v3/4.8~others-unaffected', 'v5/4.13.1~others-unaffected')) return;
    for (const other of server.connections) other.end('protocol error');
  }

  /**
   * There is no return code of 3.1.1 for a CONNECT that is malformed; in 5.0 there is, and no DISCONNECT before a CONNACK.
   * Returns whether the client is told.
   */
  #refuse(code: number): boolean {
    const { version, obeys, output } = this.dialect;
    if (version === 'v3') {
      if (!obeys('v3/3.2.2-6')) this.send(output.connack(false, 0x81));
      return false;
    }
    if (!obeys('v5/3.14.0-1')) this.send(output.disconnect(code));
    else if (this.server.choices.errorAnswer === 'close') return false;
    else this.send(output.connack(!obeys('v5/3.2.2-6'), this.#fitting(code)));
    return true;
  }

  #fitting(code: number): number {
    return this.dialect.obeys('v5/4.13.1~error-reason-codes') ? code : reasonCodes.implementationSpecificError;
  }

  #newFramer(): Framer {
    const { obeys, limits } = this.server;
    const isLimited = obeys('v5/3.2.2.3.6~packet-too-large', 'v5/3.2.2-15');
    return new Framer(this.dialect.version, isLimited ? limits.maximumPacketSize : undefined);
  }

  /**
   * In 3.1.1 nothing asks for it and nothing forbids it: what is not acknowledged may be sent again at any time, as a
   * repetition (section 4.4). MQTT 5.0 forbids it.
   */
  #resendLater(): void {
    const { choices, clock } = this.server;
    const { version, obeys } = this.dialect;
    const marked = obeys('v3/4.4~resend-only-on-reconnect', 'v5/4.4.0-1#no-other-time');
    const chosen = version === 'v3' ? choices.resendIntervalMs : 0;
    const interval = marked ? chosen : 1_000;
    if (interval <= 0 || this.#ended) return;
    this.#cancelTimer = clock.after(interval, () => {
      if (this.#session) resendUnacknowledged(this, this.#session, marked || version === 'v5', false);
      this.#resendLater();
    });
  }
}

/** Whether the client ended it. */
function isDisconnect(end: End): boolean {
  return end === 'DISCONNECT' || end === 'DISCONNECT with will';
}

function tooLarge({ message }: TooLarge): Malformed {
  return new Malformed([], message, 'remainingLength', 1, reasonCodes.packetTooLarge);
}
