/** One network connection of a play: what goes out and comes in on it, as bytes, as packets, and as happenings of the record. */

import type { Version } from '../harness/spec/index.ts';
import type { Link, LinkEvents } from '../harness/transport.ts';
import { puback, pubcomp, pubrec, pubrel } from '../harness/wire/build.ts';
import { decode, Malformed } from '../harness/wire/decode.ts';
import { Framer, TooLarge } from '../harness/wire/frame.ts';
import type { Packet } from '../harness/wire/packet.ts';
import { checkSender } from '../harness/wire/sender.ts';
import type { Journal } from './journal.ts';
import { type Connection, caseName, type ReceivedPacket } from './record.ts';
import { SentStream } from './stream.ts';
import type { Written } from './written.ts';

/** What all lines of a play have in common. */
export interface Common {
  /** Stands for `caseName`. */
  readonly name: Buffer;
  readonly journal: Journal;
  /** How much a connection may bring before it is dropped. */
  readonly limits: { readonly bytes: number; readonly packets: number };
  /** Something has come. */
  readonly wake: () => void;
}

const placeholder = Buffer.from(caseName);

export class Line implements LinkEvents {
  readonly client: number;
  readonly connection: number;
  /** Of the script's client; what is sent by fields is written in it. */
  readonly version: Version;
  readonly stream: SentStream;
  readonly received: ReceivedPacket[] = [];
  over: Connection['closed'];
  halfClosed: number | undefined;
  stall: { from: number; to: number } | undefined;
  pingresps = 0;
  isLetIn = false;
  readonly #name: Buffer;
  readonly #journal: Journal;
  readonly #common: Common;
  readonly #framer: Framer;
  #link: Link | undefined;
  readonly #unwritten: Uint8Array[] = [];
  #due: Packet[] = [];
  #bytes = 0;
  #isLost = false;
  #isPaused = false;

  constructor(client: number, connection: number, version: Version, common: Common) {
    this.client = client;
    this.connection = connection;
    this.version = version;
    this.stream = new SentStream(version, (frame) => replaced(frame, common.name, placeholder));
    this.#framer = new Framer(version);
    this.#common = common;
    this.#name = common.name;
    this.#journal = common.journal;
  }

  attach(link: Link): void {
    this.#link = link;
    this.#journal.opened(this);
  }

  /** Whether the client may still send. */
  get isOpen(): boolean {
    return this.over === undefined && this.halfClosed === undefined;
  }

  /** Whether nothing more is to come. */
  get isOver(): boolean {
    return this.over !== undefined;
  }

  // ── Sending ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param known the same, if it is a packet of a step */
  send(bytes: Uint8Array, packet: Packet | undefined, bent: boolean, known?: Written): void {
    if (!this.isOpen) return;
    const order = this.#journal.sent(this, bytes, packet, bent);
    const wire = known ? known.named(this.#name) : replaced(bytes, placeholder, this.#name);
    this.stream.push(wire, order, bytes, known);
    this.#unwritten.push(wire);
  }

  /** Hands over what was sent since the last time, in one write. */
  flush(): void {
    const [first, second] = this.#unwritten;
    if (!first) return;
    this.#link?.write(second ? Buffer.concat(this.#unwritten) : first);
    this.#unwritten.length = 0;
  }

  halfClose(): void {
    if (!this.isOpen) return;
    this.resume();
    this.flush();
    this.halfClosed = this.#journal.halfClosed(this);
    this.#link?.end();
  }

  drop(): void {
    if (this.over) return;
    this.flush();
    this.#close('client', 'RST');
    this.#link?.reset();
  }

  /** Stops reading. */
  pause(): void {
    if (!this.isOpen || this.#isPaused) return;
    this.flush();
    this.#isPaused = true;
    const order = this.#journal.paused(this);
    this.stall = { from: this.stall?.from ?? order, to: Number.POSITIVE_INFINITY };
    this.#link?.pause();
  }

  /** Reads on, if it has stopped. */
  resume(): void {
    if (!this.#isPaused || this.over) return;
    this.#isPaused = false;
    const order = this.#journal.resumed(this);
    if (this.stall) this.stall.to = order;
    this.#link?.resume();
  }

  late(missing: 'CONNACK' | 'PINGRESP' | 'close', afterMs: number): void {
    this.#journal.missed(this, missing, afterMs);
  }

  /** What the broker's packets ask for, by the rules of the QoS handshakes; it counts as answered from here on. */
  takeDue(): readonly Packet[] {
    const due = this.#due;
    this.#due = [];
    return due;
  }

  // ── What the link reports ──────────────────────────────────────────────────────────────────────────────────────────

  data(bytes: Uint8Array): void {
    if (this.over || this.#isLost) return;
    this.#bytes += bytes.length;
    try {
      this.#framer.push(bytes);
      for (let frame = this.#framer.next(); frame; frame = this.#framer.next()) this.#receive(frame);
    } catch (error) {
      if (!(error instanceof Malformed || error instanceof TooLarge)) throw error;
      this.#isLost = true;
      const malformed = error instanceof Malformed ? error : new Malformed([], error.message, 'remainingLength', 1);
      this.#takeMalformed(replaced(bytes, this.#name, placeholder), malformed);
    }
    const { bytes: bytesAtMost, packets: packetsAtMost } = this.#common.limits;
    if (this.#bytes > bytesAtMost || this.received.length > packetsAtMost) this.drop();
    this.#common.wake();
  }

  closed(how: string): void {
    this.#close('broker', how);
    this.#common.wake();
  }

  #receive(frame: Uint8Array): void {
    const bytes = replaced(frame, this.#name, placeholder);
    // A broker that only speaks 3.1.1 refuses a client of 5.0 in the form of 3.1.1 (v3/3.1.2-2).
    const isRefusal3 = bytes.length === 4 && bytes[0] === 0x20 && bytes[2] === 0 && (bytes[3] ?? 0) > 0;
    const version = isRefusal3 ? 'v3' : (this.stream.version ?? this.version);
    try {
      const packet = decode(bytes, version);
      checkSender(packet, 'server', version);
      const order = this.#journal.received(this, bytes, packet);
      this.received.push({ order, bytes, packet, malformed: undefined });
      this.#answer(packet);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#takeMalformed(bytes, error);
    }
  }

  #takeMalformed(bytes: Uint8Array, malformed: Malformed): void {
    const order = this.#journal.receivedMalformed(this, bytes, malformed);
    this.received.push({ order, bytes, packet: undefined, malformed });
  }

  #answer(packet: Packet): void {
    switch (packet.type) {
      case 'CONNACK':
        this.isLetIn ||= packet.code === 0;
        return;
      case 'PINGRESP':
        this.pingresps++;
        return;
      case 'PUBLISH':
        if (packet.qos > 0) this.#due.push((packet.qos === 1 ? puback : pubrec)(packet.packetId ?? 0));
        return;
      case 'PUBREC':
        if ((packet.code ?? 0) < 0x80) this.#due.push(pubrel(packet.packetId));
        return;
      case 'PUBREL':
        this.#due.push(pubcomp(packet.packetId));
        return;
      default:
        return;
    }
  }

  #close(by: 'broker' | 'client', how: string): void {
    if (this.over) return;
    const order = this.#journal.closed(this, by, how);
    this.over = { order, by, how };
  }

  /** Both streams, for the recording. */
  get view(): Connection {
    const { version, packets, unfinished, firstFault } = this.stream;
    return {
      client: this.client,
      connection: this.connection,
      version,
      sent: packets,
      unfinished,
      received: this.received,
      firstFault: firstFault < 0 ? undefined : firstFault,
      closed: this.over,
      halfClosed: this.halfClosed,
      stall: this.stall,
    };
  }
}

/** The bytes with one name put in place of another of the same length, wherever it stands; the same bytes if it does not. */
function replaced(bytes: Uint8Array, from: Buffer, to: Buffer): Uint8Array {
  // Most packets are acknowledgements.
  if (bytes.length < from.length) return bytes;
  const view = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = view.indexOf(from);
  if (at < 0) return bytes;
  const copy = Buffer.from(view);
  for (; at >= 0; at = copy.indexOf(from, at + to.length)) copy.set(to, at);
  return copy;
}
