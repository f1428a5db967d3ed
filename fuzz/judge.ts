/** All oracles that judge a single play. */

import { packetTypes } from '../harness/wire/packet.ts';
import { hanging } from './oracle/alive.ts';
import { history } from './oracle/history.ts';
import { standard } from './oracle/standard.ts';
import type { Finding, Recording } from './record.ts';

/** What any of them finds. */
export function judgeAll(recording: Recording): readonly Finding[] {
  return [...hanging(recording), ...standard(recording), ...demanded(recording)];
}

/** A rule that the version of the client does not have names no requirement, and is none. */
function demanded(recording: Recording): readonly Finding[] {
  if (!isReadable(recording)) return [];
  const found = history(recording);
  if (found.length === 0) return found;
  const named = found.filter(({ requirements }) => requirements.length > 0);
  return mayHaveBegun(recording) ? named.map((each) => ({ ...each, unclear: true as const })) : named;
}

/**
 * Whether a client sent a SUBSCRIBE or UNSUBSCRIBE that ends its connection: the standard does not say that none of its filters may have been taken
 * before the broker came upon what is wrong.
 */
function mayHaveBegun({ connections }: Recording): boolean {
  return connections.some(({ sent, firstFault }) => {
    const type = packetTypes[((firstFault === undefined ? 0 : sent[firstFault]?.bytes[0]) ?? 0) >> 4];
    return type === 'SUBSCRIBE' || type === 'UNSUBSCRIBE';
  });
}

/**
 * Whether it is known what each side has read: not what a broker made of a form that the standard leaves open to it, nor what it meant by a packet that is
 * none. Then a history cannot be judged.
 */
function isReadable({ connections }: Recording): boolean {
  for (const { sent, received } of connections) {
    for (const { fault, fate } of sent) if (fault && fate === 'open') return false;
    for (const { malformed } of received) if (malformed) return false;
  }
  return true;
}
