/** One network connection: bytes to packets, each packet to its section of chapter 3, and its end (sections 4.2 and 4.8). */

import type { Cancel } from '../harness/clock.ts';
import type { Version } from '../harness/spec/index.ts';
import { decode } from '../harness/wire/decode.ts';
import { Framer, TooLarge } from '../harness/wire/frame.ts';
import { Malformed } from '../harness/wire/malformed.ts';
import { packetTypes } from '../harness/wire/packet.ts';
import type { Connection, Link } from './broker.ts';
import { leaveSession, receiveConnect } from './connect.ts';
import { receivePuback, receivePubcomp, receivePubrec, resendUnacknowledged } from './deliver.ts';
import { isWelcome } from './form.ts';
import { KeepAlive } from './keepAlive.ts';
import { receivePublish, receivePubrel } from './publish.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import { receiveSubscribe, receiveUnsubscribe } from './subscribe.ts';
import type { End } from './will.ts';

export class ClientConnection implements Connection {
  readonly server: Server;
  readonly link: Link;
  readonly version: Version = 'v3';
  #framer: Framer;
  #session: Session | undefined;
  #keepAlive: KeepAlive | undefined;
  #cancelTimer: Cancel | undefined;
  #ended = false;
  #late = false;

  constructor(server: Server, link: Link) {
    const { obeys, clock, limits } = server;
    this.server = server;
    this.link = link;
    this.#framer = this.#newFramer();
    if (!obeys('v3/3.1.4~connect-timeout')) return;
    this.#cancelTimer = clock.after(limits.connectTimeoutMs, () => this.end('refused'));
  }

  feed(bytes: Uint8Array): void {
    if (this.#ended) return;
    // The stream may be cut anywhere: what is not yet a whole packet waits for more.
    if (!this.server.obeys('v3/4.2~byte-stream')) this.#framer = this.#newFramer();
    this.#framer.push(bytes);
    while (!this.#ended) {
      try {
        const frame = this.#framer.next();
        if (!frame) return;
        this.#receive(frame);
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
    this.#late = !inOrder && !this.#late;
    if (this.#late) this.server.clock.after(10, () => this.send(packet));
    else this.link.send(packet);
    if (!this.server.obeys('v3/3.1.2-24#only-received')) this.#keepAlive?.heard();
  }

  /** The client is let in: from here on the session is on this connection. */
  open(session: Session, keepAlive: number): void {
    this.#session = session;
    session.connection = this;
    this.#keepAlive = new KeepAlive(this.server, keepAlive, () => this.end('keep alive'));
    this.#resendLater();
  }

  /** Ends the connection, for the session and its Will in the given way. Ending it again does nothing. */
  end(end: End): void {
    if (this.#ended) return;
    const { obeys, choices, connections } = this.server;
    this.#ended = true;
    this.#cancelTimer?.();
    this.#keepAlive?.stop();
    connections.delete(this);
    const staysOpen = choices.disconnectedSocket === 'leave' || !obeys('v3/3.14.4~disconnect-closed-by-server');
    if (end !== 'DISCONNECT' || !staysOpen) this.link.close();
    if (this.#session) leaveSession(this, this.#session, end);
  }

  /** Section 3.1: the first packet is CONNECT, and no other is. */
  #receive(frame: Uint8Array): void {
    const isConnect = packetTypes[(frame[0] ?? 0) >> 4] === 'CONNECT';
    if (this.#session && isConnect) throw new Malformed(['v3/3.1.0-2'], 'a second CONNECT', 'header', 0);
    if (this.#session) return this.#receiveConnected(this.#session, frame);
    this.#cancelTimer?.();
    if (!isConnect) throw new Malformed(['v3/3.1.0-1'], 'a packet before CONNECT', 'header', 0);
    const packet = decode(frame, this.version);
    if (packet.type === 'CONNECT' && isWelcome(this.server, frame, packet)) receiveConnect(this, packet);
    // What follows in the same segment counts, although the client has not seen a CONNACK yet.
    if (!this.server.obeys('v3/3.1.4~pipelining-before-connack')) this.#framer = this.#newFramer();
  }

  #receiveConnected(session: Session, frame: Uint8Array): void {
    const { obeys } = this.server;
    const packet = decode(frame, this.version);
    if (!isWelcome(this.server, frame, packet)) return;
    if (packet.type === 'PINGREQ' || obeys('v3/3.1.2-24#any-packet')) this.#keepAlive?.heard();
    switch (packet.type) {
      case 'PUBLISH':
        return receivePublish(this, session, packet);
      case 'PUBACK':
        return receivePuback(this, session, packet.packetId);
      case 'PUBREC':
        return receivePubrec(this, session, packet.packetId);
      case 'PUBREL':
        return receivePubrel(this, session, packet.packetId);
      case 'PUBCOMP':
        return receivePubcomp(this, session, packet.packetId);
      case 'SUBSCRIBE':
        return receiveSubscribe(this, session, packet);
      case 'UNSUBSCRIBE':
        return receiveUnsubscribe(this, session, packet);
      case 'PINGREQ':
        return this.#answerPing();
      case 'DISCONNECT':
        return this.#receiveDisconnect(session);
      default:
        throw new Malformed(['v3/2.2.1~packet-direction'], `${packet.type} from a client`, 'header', 0);
    }
  }

  /** Section 3.12.4. */
  #answerPing(): void {
    const { obeys, output } = this.server;
    if (!this.#keepAlive?.isOn && !obeys('v3/3.1.2.10~ping-any-time')) return;
    if (obeys('v3/3.12.4-1')) this.send(output.pingresp());
    if (!obeys('v3/3.12~one-pingresp-each')) this.send(output.pingresp());
  }

  /** Section 3.14.4: the Will is discarded, and nothing that follows is read. */
  #receiveDisconnect(session: Session): void {
    const { obeys } = this.server;
    if (obeys('v3/3.14.4-2')) this.end(obeys('v3/3.14.4-3') ? 'DISCONNECT' : 'network');
    else session.will = undefined;
  }

  /** Section 4.8: a protocol violation closes the connection it came on, and no other. */
  #fail(error: unknown): void {
    const { obeys, output, connections } = this.server;
    if (error instanceof TooLarge) return this.end('protocol error');
    if (!(error instanceof Malformed)) throw error;
    if (!obeys(...error.requirements, 'v3/4.8.0-1')) {
      // The packet is passed over. After a broken Remaining Length nobody knows where the next one begins.
      if (error.part === 'remainingLength') this.#framer = this.#newFramer();
      return;
    }
    // There is no return code for a CONNECT that is malformed.
    if (!this.#session && !obeys('v3/3.2.2-6')) this.send(output.connack(false, 0x81));
    this.end('protocol error');
    if (!obeys('v3/4.8~others-unaffected')) for (const other of connections) other.end('protocol error');
  }

  #newFramer(): Framer {
    return new Framer(this.version, this.server.limits.maximumPacketSize);
  }

  /** Nothing asks for it, nothing forbids it: what is not acknowledged may be sent again at any time, as a repetition (section 4.4). */
  #resendLater(): void {
    const { obeys, choices, clock } = this.server;
    const marked = obeys('v3/4.4~resend-only-on-reconnect');
    const interval = marked ? choices.resendIntervalMs : 1_000;
    if (interval <= 0 || this.#ended) return;
    this.#cancelTimer = clock.after(interval, () => {
      if (this.#session) resendUnacknowledged(this, this.#session, marked);
      this.#resendLater();
    });
  }
}
