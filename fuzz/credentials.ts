/** Lets the first CONNECT of a connection in where the target asks for a user name and a password. */

import type { Version } from '../harness/spec/index.ts';
import type { Credentials } from '../harness/target.ts';
import { decode, Malformed } from '../harness/wire/decode.ts';
import { encode } from '../harness/wire/encode.ts';
import { Framer } from '../harness/wire/frame.ts';

/** The bytes with the credentials in the well-formed CONNECT that they begin with, unless it has its own; else as they are. */
export function introduced(bytes: Uint8Array, { userName, password }: Credentials): Uint8Array {
  for (const version of ['v3', 'v5'] as const) {
    const connect = connectOf(bytes, version);
    if (!connect) continue;
    const { packet, size } = connect;
    if (packet.userName !== undefined || packet.password !== undefined) return bytes;
    const given = {
      ...packet,
      ...(userName !== undefined && { userName }),
      ...(password !== undefined && { password: Buffer.from(password) }),
    };
    return Buffer.concat([encode(given, version), bytes.subarray(size)]);
  }
  return bytes;
}

function connectOf(bytes: Uint8Array, version: Version) {
  try {
    const framer = new Framer(version);
    framer.push(bytes);
    const frame = framer.next();
    if (!frame) return undefined;
    const packet = decode(frame, version);
    const isOurs = packet.type === 'CONNECT' && packet.protocolLevel === (version === 'v5' ? 5 : 4);
    return isOurs ? { packet, size: frame.length } : undefined;
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
