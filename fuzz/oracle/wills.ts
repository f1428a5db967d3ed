/** Wills: when one may be published (section 3.1.2.5). */

import { lastRead, lastReadAt } from '../model/answers.ts';
import { type Life, never } from '../model/life.ts';
import type { Model } from '../model.ts';

/** The order from which on the Will of a connection may be published; `never` for one that is sure to be deleted. */
export function beginOfWill(model: Model, life: Life): number {
  return isDeleted(model, life) ? never : Math.max(life.connect.order, lastReadAt(life));
}

/**
 * Whether DISCONNECT is sure to have been read: the packet before it was answered, the broker closed after it, and nothing else may have ended the
 * connection in between (v3/3.14.4-3).
 */
export function isDeleted({ recording, lives }: Model, life: Life): boolean {
  const { version, sent, connect, disconnectAt, closedAt, connection } = life;
  const at = sent.findIndex(({ packet }) => packet.type === 'DISCONNECT');
  const disconnect = sent[at]?.packet;
  if (disconnect?.type !== 'DISCONNECT') return false;
  if (version === 'v5' && (disconnect.code ?? 0) !== 0) return false;
  // In its plain form: a longer Remaining Length than needed, or a text, a broker may refuse, and then the Will is due.
  if (!connection.sent.some(({ order, bytes }) => order === disconnectAt && isPlain(bytes))) return false;
  if (at - 1 > lastRead(life)) return false;
  const { keepAlive } = connect.packet;
  if (keepAlive > 0 && recording.durationMs > keepAlive * 1_000) return false;
  const { closed } = connection;
  if (closed?.by !== 'broker' || closed.how !== 'FIN' || closedAt < disconnectAt) return false;
  return !lives.some(
    (other) =>
      other !== life &&
      other.connect.packet.clientId === connect.packet.clientId &&
      other.connect.order < closedAt &&
      other.connect.order > connect.order,
  );
}

/** Whether these bytes are a DISCONNECT that no broker can object to: with code 0 or without, and without properties. */
function isPlain(bytes: Uint8Array): boolean {
  return /^e0(00|0100|020000)$/.test(Buffer.from(bytes).toString('hex'));
}
