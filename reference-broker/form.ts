/** What a packet may look like at the server's choice: the standard discourages or does not mention it, and forbids no server to read it. */

import { Malformed } from '../harness/wire/malformed.ts';
import type { Packet, PacketType } from '../harness/wire/packet.ts';
import type { Gate } from './obeys.ts';
import type { Server } from './server.ts';

/** Whether the packet is to be read or passed over. Throws `Malformed` for a form that the server chooses to refuse. */
export function isWelcome({ obeys, choices }: Server, frame: Uint8Array, packet: Packet): boolean {
  if ((frame[1] ?? 0) >= 0x80 && isPadded(frame)) {
    const rule = 'v3/2.2.3~remaining-length-padding';
    if (choices.paddedLength === 'close' || !obeys(rule)) throw new Malformed([rule], 'padded', 'surplus', 1);
  }
  const gate = textGates[packet.type];
  // No requirement is named: the fault is the server's.
  if (gate && !obeys(gate) && textsOf(packet).some(isBeyondAscii)) throw new Malformed([], 'not ASCII', 'text', 0);
  const strange = packet.type === 'PUBLISH' && packet.qos === 0 && packet.dup;
  if (strange && choices.dupOnQoS0 === 'close') throw new Malformed(['v3/3.3.1-2'], 'DUP 1 with QoS 0', 'header', 0);
  if (choices.controlCharacters === 'close' && textsOf(packet).some(hasControlCharacter)) {
    throw new Malformed(['v3/1.5.3~control-characters'], 'a control character or non-character', 'text', 0);
  }
  return !(strange && choices.dupOnQoS0 === 'ignore');
}

/** Well-formed text is served in every packet that has some. */
const textGates: { readonly [T in PacketType]?: Gate } = {
  CONNECT: 'v3/1.5.3-1#CONNECT',
  PUBLISH: 'v3/1.5.3-1#PUBLISH',
  SUBSCRIBE: 'v3/1.5.3-1#SUBSCRIBE',
  UNSUBSCRIBE: 'v3/1.5.3-1#UNSUBSCRIBE',
};

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
