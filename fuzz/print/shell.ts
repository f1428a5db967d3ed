/** A script as lines for a shell: `printf … | nc host port`, one for each connection. */

import { pingreq } from '../../harness/wire/build.ts';
import { encode } from '../../harness/wire/encode.ts';
import type { Script, Step } from '../script.ts';
import { bytesOf } from '../written.ts';

/** Long enough for a broker to have dealt with what came before; only a person waits for it. */
const slotSeconds = 0.3;

/** What one connection does, and when: in the slots of time, so that several keep their order. */
interface Connection {
  readonly client: number;
  readonly said: string[];
  /** The slot that it is in. */
  slot: number;
  pending: Uint8Array[];
}

/**
 * Lines for a POSIX shell with netcat, which send what the script sends. Where several connections take turns each line waits for its own.
 * What nc can't do stands in comments: it ends connections with FIN, and answers nothing.
 */
export function shellLines(script: Script, host: string, port: number): string[] {
  const connections: Connection[] = [];
  const current = new Map<number, Connection>();
  const comments = new Set<string>();
  let slot = 0;
  let last: number | undefined;
  for (const step of script.steps) {
    if (last !== undefined && last !== step.client) slot++;
    last = step.client;
    if (step.do === 'wait') slot += Math.ceil(step.ms / 1000 / slotSeconds);
    const connection = current.get(step.client) ?? opened(step, connections, slot);
    if (!connection) continue;
    current.set(step.client, connection);
    catchUp(connection, slot);
    if (take(connection, step, script, comments)) current.delete(step.client);
    if (step.do === 'fence' || step.do === 'acknowledge') slot++;
  }
  for (const connection of connections) flush(connection);
  const lines = connections.map(({ said }) => `${command(said)} | nc ${host} ${port}`);
  return [...comments, ...(lines.length > 1 ? [...lines.map((line) => `${line} &`), 'wait'] : lines)];
}

function opened(step: Step, connections: Connection[], slot: number): Connection | undefined {
  if (step.do !== 'open' && step.do !== 'send' && step.do !== 'raw') return undefined;
  const connection: Connection = { client: step.client, said: [], slot, pending: [] };
  if (slot > 0) connection.said.push(sleep(slot));
  connections.push(connection);
  return connection;
}

/** Returns whether the connection is over. */
function take(connection: Connection, step: Step, script: Script, comments: Set<string>): boolean {
  const version = script.clients[step.client]?.version ?? 'v3';
  switch (step.do) {
    case 'send':
    case 'raw':
      connection.pending.push(bytesOf(step, version));
      return false;
    case 'fence':
      connection.pending.push(encode(pingreq(), version));
      return false;
    case 'acknowledge':
      comments.add('# nc does not answer: where the script acknowledges what the broker sent, these lines do not.');
      return false;
    case 'pause':
      comments.add('# nc reads all the time: where a client of the script stops reading, these lines do not.');
      return false;
    case 'drop':
      comments.add('# nc ends a connection with FIN, also where the script drops it with RST.');
      return true;
    case 'close':
      return true;
    default:
      return false;
  }
}

function catchUp(connection: Connection, slot: number): void {
  if (slot === connection.slot) return;
  flush(connection);
  connection.said.push(sleep(slot - connection.slot));
  connection.slot = slot;
}

function sleep(slots: number): string {
  return `sleep ${Math.round(slots * slotSeconds * 10) / 10}`;
}

function flush(connection: Connection): void {
  if (connection.pending.length > 0) connection.said.push(`printf '${octal(Buffer.concat(connection.pending))}'`);
  connection.pending = [];
}

/** The one way to write any byte that every printf knows. */
function octal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}

function command(said: readonly string[]): string {
  return said.length === 1 ? (said[0] as string) : `{ ${said.map((each) => `${each}; `).join('')}}`;
}
