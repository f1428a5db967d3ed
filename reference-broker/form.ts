/** What a packet may look like at the server's choice: the standard discourages or does not mention it, and forbids no server to read it. */

import type { RequirementId, Version } from '../harness/spec/index.ts';
import { Malformed } from '../harness/wire/malformed.ts';
import type { Packet, PacketType } from '../harness/wire/packet.ts';
import { checkSender } from '../harness/wire/sender.ts';
import { findIllFormed } from '../harness/wire/utf8.ts';
import type { Dialect } from './dialect.ts';
import type { Gate } from './obeys.ts';
import { reasonCodes } from './reasons.ts';
import type { Server } from './server.ts';

const rules = {
  v3: { dup: 'v3/3.3.1-2', controlCharacters: 'v3/1.5.3~control-characters' },
  v5: { dup: 'v5/3.3.1-2', controlCharacters: 'v5/1.5.4~control-characters' },
} as const satisfies Record<Version, Record<string, RequirementId>>;

/**
 * Whether the packet is to be read or passed over. Throws `Malformed` for a form that the server chooses to refuse, and
 * in 5.0 for what only a server may send.
 */
export function isWelcome(server: Server, { version, obeys }: Dialect, frame: Uint8Array, packet: Packet): boolean {
  const { choices } = server;
  if (version === 'v5') checkSender(packet, 'client', version);
  else if ((frame[1] ?? 0) >= 0x80 && isPadded(frame)) {
    const rule = 'v3/2.2.3~remaining-length-padding';
    if (choices.paddedLength === 'close' || !obeys(rule)) throw new Malformed([rule], 'padded', 'surplus', 1);
  }
  const gate = textGates[packet.type];
  // No requirement is named: the fault is the server's.
  if (gate && !obeys(...gate) && textsOf(packet).some(isBeyondAscii)) throw new Malformed([], 'not ASCII', 'text', 0);
  const { dup, controlCharacters } = rules[version];
  const strange = packet.type === 'PUBLISH' && packet.qos === 0 && packet.dup;
  if (strange && choices.dupOnQoS0 === 'close') {
    throw new Malformed([dup], 'DUP 1 with QoS 0', 'header', 0, reasonCodes.malformedPacket);
  }
  if (choices.controlCharacters === 'close' && textsOf(packet).some(hasControlCharacter)) {
    const reason = 'a control character or non-character';
    throw new Malformed([controlCharacters], reason, 'text', 0, reasonCodes.malformedPacket);
  }
  return !(strange && choices.dupOnQoS0 === 'ignore');
}

/** Well-formed text is served in every packet that has some. */
const textGates: { readonly [T in PacketType]?: readonly Gate[] } = {
  CONNECT: ['v3/1.5.3-1#CONNECT', 'v5/1.5.4-1#CONNECT'],
  PUBLISH: ['v3/1.5.3-1#PUBLISH', 'v5/1.5.4-1#PUBLISH'],
  SUBSCRIBE: ['v3/1.5.3-1#SUBSCRIBE', 'v5/1.5.4-1#SUBSCRIBE'],
  UNSUBSCRIBE: ['v3/1.5.3-1#UNSUBSCRIBE', 'v5/1.5.4-1#UNSUBSCRIBE'],
};

/**
 * The version that a CONNECT claims by its Protocol Level, 3.1.1 for one that is of neither; `undefined` if it ends
 * before that (section 3.1.2.2).
 */
export function versionOfConnect(frame: Uint8Array): Version | undefined {
  let at = 1;
  while ((frame[at] ?? 0) >= 0x80) at++;
  const lengthOfName = ((frame[at + 1] ?? 0) << 8) | (frame[at + 2] ?? 0);
  const level = frame[at + 3 + lengthOfName];
  return level === undefined ? undefined : level === 5 ? 'v5' : 'v3';
}

/** Whether a payload is UTF-8 (section 3.3.2.3.2). */
export function isText(payload: Uint8Array): boolean {
  return findIllFormed(payload) < 0;
}

/** Whether Remaining Length takes more bytes than it needs: then the last of them says nothing (section 2.2.3). */
function isPadded(frame: Uint8Array): boolean {
  let at = 1;
  while ((frame[at] ?? 0) >= 0x80) at++;
  return frame[at] === 0;
}

function isBeyondAscii(text: string): boolean {
  return /[^\0-\x7f]/.test(text);
}

function hasControlCharacter(text: string): boolean {
  return /[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(text);
}

function textsOf(packet: Packet): readonly string[] {
  switch (packet.type) {
    case 'CONNECT':
      return [packet.clientId, packet.will?.topic ?? '', packet.userName ?? ''];
    case 'PUBLISH':
      return [packet.topic];
    case 'SUBSCRIBE':
      return packet.filters.map(({ filter }) => filter);
    case 'UNSUBSCRIBE':
      return packet.filters;
    default:
      return [];
  }
}
