/** One connection of a test client: sends packets or bytes, waits for what comes back, and keeps a trace of both. */

import { beyond } from './announced.ts';
import { type Clock, deadline } from './clock.ts';
import { CouldNotRun, NotApplicable, Violation } from './errors.ts';
import type { WireEntry } from './events.ts';
import { code, reading } from './reading.ts';
import { ofVersion, type RequirementId, type Version } from './spec/index.ts';
import type { Link, LinkEvents } from './transport.ts';
import { Watch } from './watch.ts';
import * as build from './wire/build.ts';
import { decode, Malformed } from './wire/decode.ts';
import { type Bend, encode, parts } from './wire/encode.ts';
import { Framer, TooLarge } from './wire/frame.ts';
import type {
  Acknowledgement,
  Connack,
  Disconnect,
  Packet,
  PacketOf,
  PacketType,
  Properties,
  Publish,
  QoS,
  Subscription,
} from './wire/packet.ts';
import { reasonOf } from './wire/reasons.ts';
import { checkSender } from './wire/sender.ts';

export { code };

/** What a connection needs of the case that it belongs to. */
export interface Surroundings {
  readonly clock: Clock;
  readonly version: Version;
  /** How long any single answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** What marks the topics and payloads of this case. A PUBLISH without it is somebody else's: acknowledged and set aside. */
  readonly token: string;
  /** What the topics begin with by which a client sees that its messages were handed on. */
  readonly settleTopic: string;
  trace(entry: Omit<WireEntry, 'at'>): void;
  /** Told of every packet before it is sent; undefined: bytes that are no well-formed packet. */
  sent(packet: Packet | undefined): void;
  /** A rule that holds for every packet was broken. */
  violated(violation: Violation): void;
  /** The outcome is right but not the preferred one. */
  nonStrict(reason: string): void;
}

/** What `connect` takes: the fields of CONNECT, and a name for the reports. */
export interface ConnectOptions extends Partial<build.ConnectFields> {
  readonly name?: string;
  /** The version that this client speaks, where it is not that of the case. */
  readonly version?: Version;
}

/** The fields that a packet must have: those given; a payload may be given as text. */
export type Fields<T extends PacketType> = T extends PacketType
  ? { readonly [K in keyof PacketOf<T>]?: PacketOf<T>[K] extends Uint8Array ? string | Uint8Array : PacketOf<T>[K] }
  : never;

/** A PUBLISH to send: the Packet Identifier is chosen unless given. */
export type Message = build.PublishFields;

/** How `expectClose` judges. */
export interface CloseOptions {
  /** Packet types that may come before the close. */
  readonly allow?: readonly PacketType[];
  /** How long it may take, in milliseconds; the time-out of the run unless given. */
  readonly withinMs?: number;
  /** Whether to send a PINGREQ behind, so that a broker that goes on is found out at once. True for connected clients. */
  readonly probe?: boolean;
  /** What is expected, in words, where "the connection closes" does not say it all. */
  readonly expected?: string;
  /**
   * MQTT 5.0: the Reason Codes that fit. A DISCONNECT with another one is right, but not what the standard prefers. That there is none
   * is judged by the cases of v5/4.13.1~error-reason-codes alone, and by those that ask for it with `reasonNeeded`.
   */
  readonly reasons?: readonly number[];
  /** That no DISCONNECT says why is not what the standard prefers (5.0). */
  readonly reasonNeeded?: boolean;
}

/** More bytes than any case needs: a broker that sends this much unread is flooding. */
const unreadLimit = 16 * 1024 * 1024;
/** No packet that a broker has reason to send is larger. */
const packetLimit = 8 * 1024 * 1024;
/** How long the close may lag behind a PINGRESP: the broker may hand the two to different tasks. */
const closeLagMs = 1000;
const tracedBytes = 256;

export class Peer implements LinkEvents {
  readonly name: string;
  /** The Client Identifier of the CONNECT that was sent last. */
  clientId = '';
  /** The CONNACK that accepted the connection, if one did. */
  connack: Connack | undefined;
  /** The DISCONNECT that the broker sent, if it did (5.0). */
  disconnected: Disconnect | undefined;
  /** A CONNACK in the form of 3.1.1 that answered a CONNECT of 5.0. */
  olderConnack: Connack | undefined;
  /** When the last packet was sent, by the case's clock, in milliseconds. */
  lastSentMs = 0;
  readonly #of: Surroundings;
  readonly #framer: Framer;
  readonly #watch: Watch;
  readonly #inbox: Packet[] = [];
  #unread = 0;
  #link: Link | undefined;
  #closed: string | undefined;
  #problem: Violation | undefined;
  #lastId = 0;
  #level = 0;
  #wake: (() => void) | undefined;

  constructor(name: string, surroundings: Surroundings) {
    this.name = name;
    this.#of = surroundings;
    this.#settleTopic = `${surroundings.settleTopic}/${name.replaceAll(' ', '-')}`;
    this.#framer = new Framer(surroundings.version, packetLimit);
    this.#watch = new Watch(surroundings.version);
  }

  /** Gives the peer its open link. */
  attach(link: Link): void {
    this.#link = link;
  }

  // ── What the link reports ──────────────────────────────────────────────────────────────────────────────────────────

  data(bytes: Uint8Array): void {
    if (this.#closed !== undefined) return;
    try {
      this.#framer.push(bytes);
      for (let frame = this.#framer.next(); frame; frame = this.#framer.next()) this.#receive(frame);
    } catch (error) {
      this.#damaged(error, bytes);
    }
    this.#wake?.();
  }

  closed(how: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = how;
    this.#leaving?.();
    this.#note(`the broker closes the connection (${how})`);
    this.#wake?.();
  }

  #receive(frame: Uint8Array): void {
    let packet: Packet;
    try {
      packet = this.#decode(frame);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#trace('received', `malformed: ${error.reason}`, frame, {
        offset: error.offset,
        length: 1,
        text: error.reason,
      });
      throw new Violation(
        'every packet that the server sends has the format of the standard',
        `the broker sent a malformed packet: ${error.reason}`,
        error.requirements,
      );
    }
    this.#trace('received', reading(packet), frame);
    packet = this.#watch.received(packet, frame.length, (each) => this.#own(each));
    if (packet.type === 'CONNACK' && packet.code === 0) this.connack = packet;
    if (packet.type === 'DISCONNECT') this.disconnected = packet;
    if (finishes(packet)) this.#outstanding.delete(packet.packetId);
    if (packet.type === 'PUBLISH' && !this.#own(packet)) return this.#setAside(packet);
    if (packet.type === 'PUBREL' && this.#foreign.delete(packet.packetId))
      return this.#write(build.pubcomp(packet.packetId));
    this.#inbox.push(packet);
    this.#unread += frame.length;
    if (this.#unread > unreadLimit) {
      throw new Violation('the broker sends what it was asked for', `the broker sent ${unreadLimit >> 20} MiB unasked`);
    }
  }

  /**
   * What the broker sent, as its version of the standard has it. A broker that does not serve the Protocol Level of a CONNECT answers in the
   * form of the version that it speaks.
   */
  #decode(frame: Uint8Array): Packet {
    const { version } = this.#of;
    if (version === 'v5' && frame.length === 4 && frame[0] === 0x20) {
      if (this.#level !== 5) return decode(frame, 'v3');
      this.olderConnack = build.connack({ code: frame[3] });
    }
    if (version === 'v3' && frame.length > 4 && frame[0] === 0x20 && this.#level !== 4) return decode(frame, 'v5');
    const packet = decode(frame, version);
    checkSender(packet, 'server', version);
    return packet;
  }

  /** The stream can't be read on: a broken rule, or bytes that are no MQTT. */
  #damaged(error: unknown, bytes: Uint8Array): void {
    if (error instanceof Malformed) {
      this.#trace('received', `no MQTT: ${error.reason}`, bytes);
      this.#violated(
        new Violation(
          'the broker sends MQTT packets',
          `the broker sent bytes that are no packet: ${error.reason}`,
          error.requirements,
        ),
      );
    } else if (error instanceof TooLarge) {
      this.#trace('received', `a packet of ${error.declared} bytes announced`, bytes);
      this.#violated(
        new Violation(
          'the broker sends what it was asked for',
          `the broker announced a packet of ${error.declared} bytes`,
        ),
      );
    } else if (error instanceof Violation) {
      this.#violated(error);
    } else {
      throw error;
    }
    this.drop();
  }

  #violated(violation: Violation): void {
    this.#problem ??= violation;
    this.#of.violated(violation);
  }

  #own(packet: Publish): boolean {
    if (packet.topic === this.#settleTopic) return this.#settles;
    return packet.topic.includes(this.#of.token) || Buffer.from(packet.payload).includes(this.#of.token);
  }

  /** A server may send what nobody asked for (v3/4.5~unrequested-messages): acknowledge it and go on. */
  #setAside(packet: Publish): void {
    this.#note(`${packet.topic} is no topic of this case: set aside`);
    if (packet.qos === 1 && packet.packetId) this.#write(build.puback(packet.packetId));
    if (packet.qos === 2 && packet.packetId) {
      this.#write(build.pubrec(packet.packetId));
      this.#foreign.add(packet.packetId);
    }
  }
  readonly #foreign = new Set<number>();

  // ── Sending ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Sends one packet, bent if a bend is given. A packet that a server of 5.0 announced not to serve (a QoS, RETAIN, its size, one message
   * more than Receive Maximum …) is not sent: the case is not applicable.
   */
  send(packet: Packet, bend?: Bend): void {
    this.#write(packet, bend);
  }

  /** Sends one packet, also if the server announced not to serve it: for cases that are about just that. */
  sendRegardless(packet: Packet): void {
    this.#about(packet);
    const bytes = encode(packet, this.#of.version);
    this.#trace('sent', reading(packet), bytes);
    this.#put(bytes);
  }

  /** Throws NotApplicable for what the server announced not to serve. */
  #withinAnnounced(packet: Packet, size: number): void {
    if (this.#of.version === 'v3' || !this.connack) return;
    const again = packet.type === 'PUBLISH' && this.#outstanding.has(packet.packetId ?? 0) ? 1 : 0;
    const why = beyond(packet, size, this.connack.properties ?? {}, this.#outstanding.size - again);
    if (why !== undefined) throw new NotApplicable(why);
    if (packet.type === 'PUBLISH' && packet.packetId !== undefined) this.#outstanding.add(packet.packetId);
  }
  /** The Packet Identifiers of own QoS 1 and 2 messages that are not finished. */
  readonly #outstanding = new Set<number>();

  /** Sends several packets in one segment. */
  sendTogether(...packets: readonly Packet[]): void {
    const bytes = packets.map((packet) => {
      const encoded = encode(packet, this.#of.version);
      this.#withinAnnounced(packet, encoded.length);
      this.#about(packet);
      this.#trace('sent', reading(packet), encoded);
      return encoded;
    });
    this.#put(Buffer.concat(bytes));
  }

  /** Sends bytes as they are. `what` says what they are, for the reports. */
  sendBytes(bytes: Uint8Array | readonly number[], what: string): void {
    this.#watch.sent(undefined);
    this.#of.sent(undefined);
    const all = Uint8Array.from(bytes);
    this.#trace('sent', what, all);
    this.#put(all);
  }

  /** Sends the bytes of a packet one by one, or cut at the given offsets, each piece in a write of its own. */
  sendInPieces(packet: Packet, cuts?: readonly number[]): void {
    const bytes = encode(packet, this.#of.version);
    this.#withinAnnounced(packet, bytes.length);
    this.#about(packet);
    this.#trace('sent', `${reading(packet)} in pieces`, bytes);
    const ends = [...(cuts ?? bytes.keys()), bytes.length].filter((end) => end > 0);
    let start = 0;
    for (const end of ends) {
      this.#put(bytes.subarray(start, end));
      start = end;
    }
  }

  #write(packet: Packet, bend?: Bend): void {
    if (!bend) {
      const bytes = encode(packet, this.#of.version);
      this.#withinAnnounced(packet, bytes.length);
      this.#about(packet);
      this.#trace('sent', reading(packet), bytes);
      return this.#put(bytes);
    }
    this.#about(packet, bend);
    let offset = 0;
    let mark: WireEntry['mark'];
    const bytes = Buffer.concat(
      parts(packet, this.#of.version, bend).map((part) => {
        if (!mark && part.name in bend) mark = { offset, length: Math.max(1, part.bytes.length), text: part.name };
        offset += part.bytes.length;
        return part.bytes;
      }),
    );
    this.#trace('sent', reading(packet), bytes, mark);
    this.#put(bytes);
  }

  #about(packet: Packet, bend?: Bend): void {
    this.#watch.sent(bend ? undefined : packet);
    this.#of.sent(packet);
    if (packet.type !== 'CONNECT') return;
    this.clientId = packet.clientId;
    this.#keepAlive = packet.keepAlive;
    this.lastSentMs = this.#of.clock.now();
    // Of another protocol no level is that of a version.
    this.#level = packet.protocolName === 'MQTT' ? packet.protocolLevel : 0;
  }

  #put(bytes: Uint8Array): void {
    this.#heed();
    this.lastSentMs = this.#of.clock.now();
    this.#link?.write(bytes);
  }

  /** Takes note of how long nothing was sent. */
  #heed(): void {
    if (this.#keepAlive > 0) this.#silentMs = Math.max(this.#silentMs, this.#of.clock.now() - this.lastSentMs);
  }
  /** The longest time without a packet sent, in milliseconds. */
  #silentMs = 0;
  /** As in CONNECT, in seconds. */
  #keepAlive = 0;

  /** A Packet Identifier that this peer has not used yet. */
  freshId(): number {
    this.#lastId = (this.#lastId % 65_535) + 1;
    return this.#lastId;
  }

  // ── Ending the connection ──────────────────────────────────────────────────────────────────────────────────────────

  /** Sends DISCONNECT and drops the network connection. */
  async disconnect(): Promise<void> {
    if (this.#closed !== undefined) return;
    this.#write(build.disconnect());
    this.#link?.end();
    this.#note('the client closes its side of the connection');
    await this.#until(() => this.#closed !== undefined || undefined, this.#of.timeoutMs);
    this.#gone();
  }

  /** Drops the network connection without DISCONNECT, abruptly (TCP reset). */
  drop(): void {
    if (this.#closed !== undefined) return;
    this.#note('the client drops the connection (RST)');
    this.#gone();
  }

  /** Closes the client's side (TCP FIN) without DISCONNECT; what the broker still sends arrives. */
  halfClose(): void {
    if (this.#closed !== undefined) return;
    this.#note('the client closes its side of the connection (FIN)');
    this.#link?.end();
  }

  /** Ends the connection in an orderly way without waiting, so that no will is published: for cleaning up. */
  leave(): void {
    if (this.#closed !== undefined) return;
    if (this.connack) this.#link?.write(encode(build.disconnect(), this.#of.version));
    this.#link?.end();
    this.#leaving = this.#of.clock.after(closeLagMs, () => this.#gone());
  }
  #leaving: (() => void) | undefined;

  #gone(): void {
    this.#closed ??= 'by the client';
    this.#link?.reset();
    this.#wake?.();
  }

  // ── Waiting ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The next packet, taken; undefined when the connection is closed or nothing comes in time. */
  async next(timeoutMs = this.#of.timeoutMs): Promise<Packet | undefined> {
    await this.#until(() => this.#inbox.length > 0 || this.#closed !== undefined || undefined, timeoutMs);
    return this.#take(0);
  }

  /** Takes the next packet, which must be of this type and have these fields. Throws Violation. */
  async expect<T extends PacketType>(type: T, fields: Fields<T> = {} as Fields<T>): Promise<PacketOf<T>> {
    const packet = await this.next();
    if (packet && matches(packet, type, fields)) return packet as PacketOf<T>;
    throw packet ? new Violation(wanted(type, fields), reading(packet)) : this.#missing(wanted(type, fields));
  }

  /** Takes as many next packets as there are expectations, in any order. Throws Violation. */
  async expectAll(...expectations: readonly (readonly [PacketType, Fields<PacketType>?])[]): Promise<Packet[]> {
    const open = [...expectations];
    const packets: Packet[] = [];
    while (open.length > 0) {
      const packet = await this.next();
      const index = packet ? open.findIndex(([type, fields]) => matches(packet, type, fields ?? {})) : -1;
      if (!packet || index < 0) {
        const all = open.map(([type, fields]) => wanted(type, fields ?? {})).join(' and ');
        const expected = `${all}, in any order`;
        throw packet ? new Violation(expected, reading(packet)) : this.#missing(expected);
      }
      open.splice(index, 1);
      packets.push(packet);
    }
    return packets;
  }

  /**
   * Takes the first packet of this type with these fields; what came before stays for later calls. For the answer of an
   * exchange whose packets may interleave with others. Throws Violation.
   */
  async pick<T extends PacketType>(type: T, fields: Fields<T> = {} as Fields<T>): Promise<PacketOf<T>> {
    const found = await this.#pick(type, fields);
    if (found) return found;
    throw this.#missing(wanted(type, fields), this.#inbox);
  }

  async #pick<T extends PacketType>(type: T, fields: Fields<T>): Promise<PacketOf<T> | undefined> {
    const find = () => this.#inbox.findIndex((packet) => matches(packet, type, fields));
    await this.#until(() => find() >= 0 || this.#closed !== undefined || undefined, this.#of.timeoutMs);
    return this.#take(find()) as PacketOf<T> | undefined;
  }

  /**
   * Waits until the broker closes the connection, and returns how many milliseconds after the last packet sent before this
   * call that was. A PINGREQ behind finds out a broker that goes on instead. Throws Violation.
   */
  async expectClose(options: CloseOptions = {}): Promise<number> {
    const expected = options.expected ?? 'the connection closes';
    const since = this.lastSentMs;
    const probe = options.probe ?? (this.connack !== undefined && this.#closed === undefined && !this.disconnected);
    if (probe) this.#write(build.pingreq());
    const answers: string[] = [];
    const withinMs = options.withinMs ?? this.#of.timeoutMs;
    let left = withinMs;
    const deadline = this.#of.clock.now() + left;
    while (left > 0) {
      const packet = await this.next(left);
      if (!packet) break;
      if (packet.type === 'PINGRESP' && probe) {
        // The PINGREQ came after the packet in question, so that packet did not end the connection; leave the close its lag.
        if (await this.#until(() => this.#closed !== undefined || undefined, Math.min(left, closeLagMs))) continue;
        answers.push('PINGREQ still answered');
        throw new Violation(expected, answers.join(', and '));
      }
      // In 5.0 a server may say why it closes.
      if (packet.type !== 'DISCONNECT' && !options.allow?.includes(packet.type)) answers.push(reading(packet));
      left = deadline - this.#of.clock.now();
    }
    if (this.#closed === undefined) answers.push(`the connection is still open after ${withinMs / 1000} s`);
    else if (answers.length > 0) answers.push('then the connection closes');
    if (answers.length > 0) throw new Violation(expected, answers.join(', '));
    this.#weighReason(options);
    return this.#of.clock.now() - since;
  }

  /** Closing is what the standard demands, a fitting Reason Code what it prefers (5.0, section 4.13). */
  #weighReason({ reasons = [], reasonNeeded = false }: CloseOptions): void {
    if (this.#of.version === 'v3' || reasons.length === 0) return;
    const preferred = `preferred: DISCONNECT ${reasons.map(code).join(' or ')}`;
    const given = this.disconnected?.code;
    if (given === undefined && reasonNeeded)
      this.#of.nonStrict(`closes without a DISCONNECT that says why; ${preferred}`);
    if (given !== undefined && !reasons.includes(given)) this.#of.nonStrict(`DISCONNECT ${code(given)}; ${preferred}`);
  }

  /** Takes the CONNACK that must be the answer to a CONNECT of the set-up. Throws CouldNotRun when the client is not let in. */
  async accepted(): Promise<void> {
    const answer = await this.next();
    if (answer?.type === 'CONNACK' && answer.code === 0) return;
    const meaning = answer?.type === 'CONNACK' ? refusal(answer.code, this.#of.version) : '';
    if (answer?.type === 'CONNACK' && notServed.has(answer.code))
      throw new NotApplicable(`${reading(answer)}${meaning}`);
    const refused = answer ? `${reading(answer)}${meaning}` : this.#silence();
    throw new CouldNotRun(`the broker does not let the client in: ${refused}`);
  }

  /** Whether the connection is at its end. */
  get ended(): boolean {
    return this.#closed !== undefined;
  }

  /** Resolves when the broker has closed; false if it has not by then. */
  async isClosed(withinMs = this.#of.timeoutMs): Promise<boolean> {
    return (await this.#until(() => this.#closed !== undefined || undefined, withinMs)) === true;
  }

  /**
   * A PINGREQ round trip: when it returns, whatever the broker sent on this connection before its PINGRESP has arrived. Packets
   * that came before stay for later calls. Throws Violation when the connection does not answer.
   */
  async fence(): Promise<void> {
    this.#write(build.pingreq());
    await this.pick('PINGRESP');
  }

  /** After a fence: no packet has come, and the connection serves on. Throws Violation. */
  async expectNothing(expected: string, ...requirements: readonly RequirementId[]): Promise<void> {
    await this.fence();
    const packet = this.#inbox[0];
    if (packet) throw new Violation(expected, reading(packet), ofVersion(this.#of.version, requirements));
  }

  // ── Exchanges that own their handshake ─────────────────────────────────────────────────────────────────────────────

  /** Subscribes and returns the SUBACK return codes. Failing to get any is could-not-run. */
  async request(
    ...filters: readonly (Subscription | readonly [filter: string, qos: QoS])[]
  ): Promise<readonly number[]> {
    return this.#request({ packetId: this.freshId() }, filters);
  }

  async #request(
    { packetId, properties }: { packetId: number; properties?: Properties | undefined },
    filters: readonly (Subscription | readonly [filter: string, qos: QoS])[],
  ): Promise<readonly number[]> {
    this.#write(build.subscribe({ packetId, properties }, ...filters));
    const suback = await this.#pick('SUBACK', { packetId });
    if (!suback) throw new CouldNotRun(`no SUBACK for the set-up of this case: ${this.#silence(this.#inbox)}`);
    return suback.codes;
  }

  /**
   * Subscribes, in 5.0 with options and properties; a lower QoS than asked for, which a server may grant, makes the case not applicable.
   */
  async subscribe(
    filter: string,
    qos: QoS = 0,
    options: Partial<Subscription> & { readonly properties?: Properties } = {},
  ): Promise<void> {
    const { properties, ...more } = options;
    const [granted = 0x80] = await this.#request({ packetId: this.freshId(), properties }, [{ filter, qos, ...more }]);
    if (granted >= 0x80) throw new CouldNotRun(`the broker refuses the subscription to ${filter} (${code(granted)})`);
    if (granted < qos) throw new NotApplicable(`the broker grants QoS ${granted} where QoS ${qos} was asked for`);
  }

  /** Unsubscribes. Failing to get UNSUBACK is could-not-run. */
  async unsubscribe(...filters: readonly string[]): Promise<void> {
    const packetId = this.freshId();
    this.#write(build.unsubscribe(packetId, ...filters));
    if (!(await this.#pick('UNSUBACK', { packetId }))) {
      throw new CouldNotRun(`no UNSUBACK for the set-up of this case: ${this.#silence(this.#inbox)}`);
    }
  }

  /**
   * Publishes and completes the handshake of the QoS; a retained message is settled when this returns. Failing to get the
   * acknowledgements is could-not-run.
   */
  async publish(message: Message): Promise<void> {
    await this.#handOver(message);
    if (message.retain) await this.#settle();
  }

  /**
   * Waits until a later message of this client, to a topic that only it is subscribed to, has come back. An acknowledgement does not
   * say that a message was handed on (v3/4.3.2~several-in-flight): a subscription made right behind it may rightly bring a
   * retained message twice, once as a live one. If nothing comes back, the case goes on as it is.
   */
  async #settle(): Promise<void> {
    const topic = this.#settleTopic;
    if (!this.#settles) {
      this.#settles = true;
      await this.request([topic, 0]);
    }
    this.#write(build.publish({ topic, payload: 'settled?' }));
    await this.#pick('PUBLISH', { topic });
  }
  readonly #settleTopic: string;
  #settles = false;

  async #handOver(message: Message): Promise<void> {
    const qos = message.qos ?? 0;
    const packetId = qos > 0 ? (message.packetId ?? this.freshId()) : undefined;
    this.#write(build.publish({ ...message, ...(packetId === undefined ? {} : { packetId }) }));
    if (packetId === undefined) return;
    await this.#answer(qos === 1 ? 'PUBACK' : 'PUBREC', packetId);
    if (qos === 1) return;
    this.#write(build.pubrel(packetId));
    await this.#answer('PUBCOMP', packetId);
  }

  async #answer(type: 'PUBACK' | 'PUBREC' | 'PUBCOMP', packetId: number): Promise<void> {
    const answer = await this.#pick(type, { packetId });
    if (answer?.code !== undefined && answer.code >= 0x80) {
      throw new CouldNotRun(`the broker refuses a PUBLISH of this case's set-up: ${reading(answer)}`);
    }
    if (answer) return;
    throw new CouldNotRun(`no ${type} for a PUBLISH of this case's set-up: ${this.#silence(this.#inbox)}`);
  }

  /** Takes the next application message, which must have these fields, and completes the handshake. Throws Violation. */
  async receive(fields: Fields<'PUBLISH'> = {}): Promise<Publish> {
    const message = await this.message(fields);
    await this.acknowledge(message);
    return message;
  }

  /** Takes the next application message, which must have these fields, without acknowledging it. Throws Violation. */
  async message(fields: Fields<'PUBLISH'> = {}): Promise<Publish> {
    const message = await this.#pick('PUBLISH', {});
    if (message && matches(message, 'PUBLISH', fields)) return message;
    const expected = wanted('PUBLISH', fields);
    throw message ? new Violation(expected, reading(message)) : this.#missing(expected, this.#inbox);
  }

  /** Completes the handshake of a message that was taken. Throws Violation when PUBREL does not come. */
  async acknowledge({ qos, packetId }: Publish): Promise<void> {
    if (qos === 0 || packetId === undefined) return;
    if (qos === 1) return this.#write(build.puback(packetId));
    this.#write(build.pubrec(packetId));
    await this.pick('PUBREL', { packetId });
    this.#write(build.pubcomp(packetId));
  }

  /** The application messages that have arrived and were not taken; they stay. */
  get waiting(): readonly Publish[] {
    return this.#inbox.filter((packet) => packet.type === 'PUBLISH');
  }

  // ── Inside ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #take(index: number): Packet | undefined {
    if (index < 0) return undefined;
    const [packet] = this.#inbox.splice(index, 1);
    if (this.#inbox.length === 0) this.#unread = 0;
    return packet;
  }

  /** Waits until `look` finds something, or the time is up (undefined). Throws the violation of a watch rule at once. */
  async #until<T>(look: () => T | undefined, timeoutMs: number): Promise<T | undefined> {
    let late = false;
    let cancel: (() => void) | undefined;
    try {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        if (this.#problem) throw this.#problem;
        if (late) return undefined;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          cancel ??= deadline(this.#of.clock, timeoutMs, () => {
            late = true;
            this.#wake?.();
          });
        });
      }
    } finally {
      cancel?.();
      this.#wake = undefined;
    }
  }

  /**
   * What it means that a packet does not come. Where the connection closed and this client had let more than its Keep Alive pass between two
   * of its packets, on a busy machine for instance, the broker was right to close. The time in which it waits for an answer does not count:
   * a broker that owes one must not be saved by its own close.
   */
  #missing(expected: string, unread: readonly Packet[] = []): Violation | CouldNotRun {
    const keepAlive = this.connack?.properties?.serverKeepAlive ?? this.#keepAlive;
    if (this.#closed === undefined || keepAlive === 0 || this.#silentMs <= keepAlive * 1000)
      return new Violation(expected, this.#silence(unread));
    const silent = `${(this.#silentMs / 1000).toFixed(1)} s, where its Keep Alive is ${keepAlive} s`;
    return new CouldNotRun(`on this machine the client was silent for ${silent}, and the broker closes`);
  }

  /** What happened instead of an answer. */
  #silence(unread: readonly Packet[] = []): string {
    const pending = this.#framer.pending > 0 ? `, after ${this.#framer.pending} bytes that are no whole packet` : '';
    const others = unread.length > 0 ? `; what came instead: ${unread.slice(0, 3).map(reading).join('; ')}` : '';
    const end =
      this.#closed === undefined
        ? `no answer within ${this.#of.timeoutMs / 1000} s`
        : `the connection closed (${this.#closed})`;
    return end + pending + others;
  }

  #note(text: string): void {
    this.#of.trace({ peer: this.name, direction: 'note', reading: text });
  }

  #trace(direction: 'sent' | 'received', line: string, bytes: Uint8Array, mark?: WireEntry['mark']): void {
    const hex = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, tracedBytes))
      .toString('hex')
      .toUpperCase();
    this.#of.trace({ peer: this.name, direction, reading: line, hex, length: bytes.length, ...(mark && { mark }) });
  }
}

/** What the Connect Return codes mean (section 3.2.2.3), and what the user can do. */
const refusals: Readonly<Record<number, string>> = {
  1: ' (unacceptable protocol version)',
  2: ' (identifier rejected)',
  3: ' (server unavailable)',
  4: ' (bad user name or password): give --user and --password',
  5: ' (not authorized): give --user and --password',
};

/** Whether the server is done with a message (5.0, section 4.9). */
function finishes(packet: Packet): packet is Acknowledgement {
  if (packet.type === 'PUBREC') return (packet.code ?? 0) >= 0x80;
  return packet.type === 'PUBACK' || packet.type === 'PUBCOMP';
}

/** The Reason Codes by which a server of 5.0 says that it does not serve what a CONNECT asks for. */
const notServed: ReadonlySet<number> = new Set([0x95, 0x9a, 0x9b]);

/** What a CONNACK that refuses means, and what the user can do. */
function refusal(returnCode: number, version: Version): string {
  if (version === 'v3') return refusals[returnCode] ?? '';
  const { name } = reasonOf('CONNACK', returnCode) ?? {};
  const advice = returnCode === 0x86 || returnCode === 0x87 ? ': give --user and --password' : '';
  return name === undefined ? '' : ` (${name.toLowerCase()})${advice}`;
}

/** Whether a packet is of this type and has these fields. */
function matches(packet: Packet, type: PacketType, fields: object): boolean {
  if (packet.type !== type) return false;
  return Object.entries(fields).every(([name, value]) =>
    same((packet as unknown as Record<string, unknown>)[name], value),
  );
}

function same(actual: unknown, wanted: unknown): boolean {
  if (actual instanceof Uint8Array) {
    return Buffer.compare(actual, typeof wanted === 'string' ? Buffer.from(wanted) : (wanted as Uint8Array)) === 0;
  }
  if (Array.isArray(actual) && Array.isArray(wanted)) {
    return actual.length === wanted.length && actual.every((item, index) => same(item, wanted[index]));
  }
  // Properties: those given.
  if (typeof wanted === 'object' && wanted !== null) {
    return Object.entries(wanted).every(([name, value]) =>
      same((actual as Record<string, unknown> | undefined)?.[name], value),
    );
  }
  return actual === wanted;
}

/** `PUBLISH with topic t/1, payload 'once', QoS 2`. */
function wanted(type: PacketType, fields: object): string {
  const list = Object.entries(fields).map(([name, value]) => `${name} ${show(name, value)}`);
  return list.length > 0 ? `${type} with ${list.join(', ')}` : type;
}

function show(name: string, value: unknown): string {
  if (value instanceof Uint8Array) return `of ${value.length} bytes`;
  if (typeof value === 'string') return value.length > 60 ? `${value.slice(0, 60)}…` : `'${value}'`;
  if (name === 'code' && typeof value === 'number') return code(value);
  if (name === 'codes' && Array.isArray(value)) return value.map((item: number) => code(item)).join(' ');
  if (name === 'properties')
    return JSON.stringify(value, (_, each) => (each instanceof Uint8Array ? build.hex(each) : each));
  return String(value);
}
