/** Between the packets of the codec and their form in a script, which is plain JSON. */

import type { Packet } from '../harness/wire/packet.ts';
import type { Bytes, PacketData } from './script.ts';

/** The fields that are bytes, in whatever packet. */
const byteFields: ReadonlySet<string> = new Set(['payload', 'password', 'correlationData', 'authenticationData']);

/** Of what JSON has. */
type Json = undefined | null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** No packet can be read out of it, should a damaged length lead into it: a megabyte of what could be taken for packets takes seconds to read. */
const filling = 0xff;

/** The bytes that a script means: hex, or the UTF-8 of text, filled up if it says so. */
export function bytesFrom(bytes: Bytes): Uint8Array {
  if (typeof bytes === 'string') return Buffer.from(bytes, 'utf8');
  if ('hex' in bytes) return Buffer.from(bytes.hex, 'hex');
  const text = Buffer.from(bytes.text, 'utf8');
  const filled = Buffer.alloc(bytes.length, filling);
  if (text.length >= filled.length) return text;
  filled.set(text);
  return filled;
}

/** Bytes as a script has them: text where they are printable ASCII, else hex. */
export function dataFromBytes(bytes: Uint8Array): Bytes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('latin1');
  return /^[\x20-\x7e]*$/.test(text) ? text : { hex: buffer.toString('hex') };
}

/** The packet that a script means. Nothing is checked: see `encode` for what it throws. */
export function packetFrom(data: PacketData): Packet {
  return withBytes(data as unknown as Fields) as unknown as Packet;
}

type Fields = Readonly<Record<string, Json>>;

function withBytes(fields: Fields): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const name in fields) {
    const value = fields[name];
    if (byteFields.has(name) && value !== undefined) made[name] = bytesFrom(value as Bytes);
    else if (name === 'will' || name === 'properties') made[name] = value && withBytes(value as Fields);
    else made[name] = value;
  }
  return made;
}

/** A packet as a script has it. */
export function dataFrom(packet: Packet): PacketData {
  return withoutBytes(packet as unknown as Readonly<Record<string, unknown>>) as unknown as PacketData;
}

function withoutBytes(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const name in fields) {
    const value = fields[name];
    if (value instanceof Uint8Array) made[name] = dataFromBytes(value);
    else if ((name === 'will' || name === 'properties') && value) {
      made[name] = withoutBytes(value as Readonly<Record<string, unknown>>);
    } else if (value !== undefined) made[name] = value;
  }
  return made;
}
