/** Messages that come out although the packet that brought them in had to end its connection, or came behind one that had to. */

import { type Packet, packetTypes } from '../../harness/wire/packet.ts';
import { type Connection, caseName, type Finding, type Recording, type SentPacket } from '../record.ts';
import { rules } from './rules.ts';

/** One finding for each connection whose damaged stream had an effect. */
export function effects(recording: Recording): Finding[] {
  if (!recording.connections.some(isDamaged) || !recording.connections.some(gotMessage)) return [];
  const damaged = recording.connections.filter(isDamaged);
  const fair = new Set(
    recording.connections.flatMap(({ sent }) => sent.filter(({ fate }) => fate !== 'void').flatMap(contentsOf)),
  );
  const found = new Map<Connection, Finding>();
  for (const { received } of recording.connections) {
    for (const { packet, order } of received) {
      if (packet?.type !== 'PUBLISH') continue;
      // A topic may be overridden by the server (section 3.3.2.1), a payload may not.
      const content = contentOf(packet.payload);
      if (content === '' || fair.has(content) || !isOurs(packet.topic, content)) continue;
      // Of several that brought it the last is the likeliest.
      const source = damaged.findLast((each) => !found.has(each) && isFrom(each, content, order));
      if (source) found.set(source, effect(source, order));
    }
  }
  return [...found.values()];
}

function isDamaged({ firstFault }: Connection): boolean {
  return firstFault !== undefined;
}

function gotMessage({ received }: Connection): boolean {
  return received.some(({ packet }) => packet?.type === 'PUBLISH');
}

/** What is wrong with a packet, as a noun. */
export function faultOf(sent: SentPacket): string {
  const type = typeOf(sent);
  const article = /^(AUTH|UNSUB)/.test(type) ? 'an' : 'a';
  return `${article} ${type} that is not allowed (${sent.fault?.reason ?? 'not MQTT'})`;
}

/** The cause, whatever shows that the broker went on: one rule that is not held for one type of packet. */
export function passedOver(sent: SentPacket): string {
  return `passed over: ${typeOf(sent)} against ${sent.fault?.requirements[0] ?? 'the form'}`;
}

function typeOf({ fault, bytes }: SentPacket): string {
  const isLength = fault?.part === 'remainingLength' && fault.offset === 1;
  return isLength ? 'packet' : (packetTypes[(bytes[0] ?? 0) >> 4] ?? 'packet of a reserved type');
}

/** A text without the numbers that vary. */
export function plainly(reason: string): string {
  return reason.replace(/\d+/g, 'N');
}

/** Other cases may be at work: only what has the name of this one is of it. */
function isOurs(topic: string, content: string): boolean {
  return topic.includes(caseName) || content.includes(caseName);
}

/** Whether these bytes were brought by the void part of a connection. */
function isFrom({ sent, firstFault = 0 }: Connection, content: string, before: number): boolean {
  return sent.slice(firstFault).some(({ bytes, from }) => from < before && contentOf(bytes).includes(content));
}

function contentsOf({ packet }: SentPacket): string[] {
  return packet ? payloadsOf(packet).map(contentOf) : [];
}

function payloadsOf(packet: Packet): Uint8Array[] {
  if (packet.type === 'PUBLISH') return [packet.payload];
  return packet.type === 'CONNECT' && packet.will ? [packet.will.payload] : [];
}

function contentOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function effect({ sent, firstFault = 0, version }: Connection, at: number): Finding {
  const cause = sent[firstFault] as SentPacket;
  const { v3, v5, expected } = rules.effect;
  const what = faultOf(cause);
  return {
    oracle: 'standard',
    requirements: [...(cause.fault?.requirements ?? []), ...(version === 'v5' ? v5 : v3)],
    expected: [expected],
    actual: `a message is delivered that came in ${what}, or behind it`,
    kind: passedOver(cause),
    at,
  };
}
