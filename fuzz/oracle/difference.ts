/** The same case on a second target: where the two answer differently. This ranks and never judges: the standard leaves much open. */

import { createHash } from 'node:crypto';
import type { Packet } from '../../harness/wire/packet.ts';
import type { Connection, Finding, Recording } from '../record.ts';

/**
 * What a target did in a play, as far as two targets may be compared: for each connection whether the client was let in, each answer by type and code,
 * the messages that came, and whether the target ended it by itself. Order, identifiers and announcements of what the target can do are left out.
 */
export function summaryOf({ connections }: Recording): readonly string[] {
  return connections.map((connection) => [...counted(connection), ending(connection)].join(', '));
}

function counted({ received }: Connection): readonly string[] {
  const counts = new Map<string, number>();
  for (const { packet, malformed } of received) {
    const text = packet ? textOf(packet) : `malformed: ${malformed?.part}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => (count > 1 ? `${count} × ${text}` : text)).sort();
}

function textOf(packet: Packet): string {
  switch (packet.type) {
    case 'CONNACK':
      return `CONNACK ${packet.code}${packet.sessionPresent ? ' with a session' : ''}`;
    case 'PUBLISH':
      return `PUBLISH ${packet.topic} QoS ${packet.qos}${packet.retain ? ' RETAIN' : ''} ${digest(packet.payload)}`;
    case 'SUBACK':
      return `SUBACK ${packet.codes.join(' ')}`;
    case 'UNSUBACK':
      return `UNSUBACK ${packet.codes?.join(' ') ?? ''}`;
    default:
      // 0x10 says that nobody has subscribed, which a broker may say or not.
      return 'code' in packet && (packet.code ?? 0) >= 0x80 ? `${packet.type} ${packet.code}` : packet.type;
  }
}

function digest(payload: Uint8Array): string {
  if (payload.length <= 12) return Buffer.from(payload).toString('latin1');
  return `${payload.length} bytes ${createHash('sha256').update(payload).digest('hex').slice(0, 6)}`;
}

function ending({ closed, halfClosed }: Connection): string {
  if (!closed) return 'left open';
  if (closed.by === 'client') return 'dropped by the client';
  return halfClosed === undefined || closed.order < halfClosed ? 'closed by the target' : 'closed after the client';
}

/**
 * The finding that two targets did not do the same in the plays of one script, or `undefined`. It is always unclear.
 * @param name what the other target is called
 */
export function differenceOf(recording: Recording, other: Recording, name: string): Finding | undefined {
  const [here, there] = [summaryOf(recording), summaryOf(other)];
  const at = here.findIndex((each, index) => each !== there[index]);
  if (at < 0) return undefined;
  const [mine, others] = [new Set((here[at] ?? '').split(', ')), new Set((there[at] ?? '').split(', '))];
  const only = [...mine].filter((each) => !others.has(each));
  const missing = [...others].filter((each) => !mine.has(each));
  return {
    oracle: 'difference',
    requirements: [],
    expected: [`${name}: ${missing.join(', ') || 'nothing more'}`],
    actual: only.join(', ') || `not so: ${missing.join(', ')}`,
    kind: `difference: ${plain(only[0])} instead of ${plain(missing[0])}`,
    unclear: true,
  };
}

/** Without what varies. */
function plain(text = 'nothing'): string {
  return text.replace(/^\d+ × /, '').replace(/^(PUBLISH) .*( QoS \d(?: RETAIN)?) .*$/, '$1$2');
}

/**
 * The findings, those first that the other target does not show on the same script: what only one broker does is more likely to be its own fault
 * than one of the fuzzer.
 */
export function ranked(
  findings: readonly Finding[],
  others: readonly Finding[],
): readonly { readonly finding: Finding; readonly isAlone: boolean }[] {
  const shared = new Set(others.map(({ kind }) => kind));
  return findings
    .map((finding) => ({ finding, isAlone: !shared.has(finding.kind) }))
    .sort((one, two) => Number(two.isAlone) - Number(one.isAlone));
}
