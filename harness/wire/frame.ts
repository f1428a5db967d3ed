/** Packets out of a stream of bytes that arrives in chunks of any size (sections 2.2.3 and 4.2). */

import type { Version } from '../spec/index.ts';
import { packetSize } from './length.ts';

/**
 * Thrown for a packet that declares more bytes than the receiver takes. MQTT 3.1.1 has no such limit: it is the
 * receiver's own. In 5.0 it is what the receiver announced as Maximum Packet Size.
 */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
  /** Bytes of the whole packet, by its Remaining Length. */
  readonly declared: number;
  /** Bytes that the receiver takes. */
  readonly limit: number;

  constructor(declared: number, limit: number) {
    super(`a packet of ${declared} bytes, with a limit of ${limit}`);
    this.declared = declared;
    this.limit = limit;
  }
}

/** The greatest packet: header, four bytes of Remaining Length, and the greatest value of that. */
const greatestPacket = 268_435_460;

/**
 * Cuts a byte stream into packets. A packet that lies within one chunk is handed out as a view of that chunk; one that
 * is spread over several is put together in a buffer that grows with the bytes that have arrived, never with the bytes
 * that were declared.
 */
export class Framer {
  readonly #version: Version;
  readonly #limit: number;
  /** Chunks that have not been looked at to the end; the first of them from `#at` on. */
  readonly #chunks: Uint8Array[] = [];
  #at = 0;
  /** The begin of a packet that spans chunks, and how many bytes of it there are. */
  #partial: Buffer | undefined;
  #filled = 0;
  #pending = 0;

  /** @param limit bytes of the greatest packet to take, header included. */
  constructor(version: Version, limit = greatestPacket) {
    this.#version = version;
    this.#limit = limit;
  }

  /** Bytes that have arrived and have not been handed out. */
  get pending(): number {
    return this.#pending;
  }

  /** Takes the next bytes of the stream. They are kept, not copied: the caller does not change them any more. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#pending += chunk.length;
  }

  /**
   * The next whole packet, or `undefined` until more bytes arrive. Throws `Malformed` when the Remaining Length goes
   * on after its fourth byte and `TooLarge` when the packet is beyond the limit, both as soon as the header tells;
   * after that nothing more can be read from the stream.
   */
  next(): Uint8Array | undefined {
    const frame = this.#partial ? undefined : this.#withinChunk();
    return frame ?? this.#acrossChunks();
  }

  #withinChunk(): Uint8Array | undefined {
    const chunk = this.#chunks[0];
    if (!chunk) return undefined;
    const end = this.#at + this.#sizeOf(chunk, this.#at, chunk.length);
    if (!(end <= chunk.length)) return undefined;
    const frame = this.#at === 0 && end === chunk.length ? chunk : chunk.subarray(this.#at, end);
    this.#take(end - this.#at);
    this.#pending -= frame.length;
    return frame;
  }

  #acrossChunks(): Uint8Array | undefined {
    for (;;) {
      const size = this.#partial ? this.#sizeOf(this.#partial, 0, this.#filled) : Number.NaN;
      if (this.#partial && size === this.#filled) return this.#handOut(this.#partial);
      const chunk = this.#chunks[0];
      if (!chunk) return undefined;
      // As long as the size is unknown, the next byte is the last that is sure to belong to this packet.
      const wanted = Number.isNaN(size) ? 1 : size - this.#filled;
      const taken = Math.min(wanted, chunk.length - this.#at);
      this.#append(chunk.subarray(this.#at, this.#at + taken), size);
      this.#take(taken);
    }
  }

  /** The size of the packet that begins at `start`, or NaN as long as its header is incomplete. */
  #sizeOf(bytes: Uint8Array, start: number, end: number): number {
    const size = packetSize(bytes, start, end, this.#version);
    if (size > this.#limit) throw new TooLarge(size, this.#limit);
    return size;
  }

  #append(bytes: Uint8Array, size: number): void {
    const needed = this.#filled + bytes.length;
    if (!this.#partial || needed > this.#partial.length) {
      // Doubling copies each byte a constant number of times on average.
      const roomy = Math.max(needed, 2 * this.#filled, 64);
      const grown = Buffer.allocUnsafe(Number.isNaN(size) ? roomy : Math.max(needed, Math.min(roomy, size)));
      if (this.#partial) grown.set(this.#partial.subarray(0, this.#filled));
      this.#partial = grown;
    }
    this.#partial.set(bytes, this.#filled);
    this.#filled = needed;
  }

  #handOut(partial: Buffer): Uint8Array {
    const frame = partial.subarray(0, this.#filled);
    this.#partial = undefined;
    this.#filled = 0;
    this.#pending -= frame.length;
    return frame;
  }

  #take(count: number): void {
    this.#at += count;
    if (this.#at < (this.#chunks[0]?.length ?? 0)) return;
    this.#chunks.shift();
    this.#at = 0;
  }
}
