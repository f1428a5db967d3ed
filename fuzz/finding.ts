/** From what an oracle found to what is reported: a name for the cause, and the packets with the place marked. */

import { createHash } from 'node:crypto';
import type { WireEntry } from '../harness/events.ts';
import { reading } from '../harness/reading.ts';
import type { Finding, Happening, Recording } from './record.ts';

/** The same for two findings of the same cause, as far as it shows: oracle, requirement and kind. Short, of a-z, 0-9 and `-`. */
export function fingerprint({ oracle, requirements, kind, unclear }: Finding): string {
  const cause = [oracle, requirements[0], kind, unclear].join('\n');
  let found = fingerprints.get(cause);
  if (found === undefined) {
    const words = [oracle, requirements[0] ?? kind]
      .join('-')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-');
    const sum = createHash('sha256').update(cause).digest('hex');
    found = `${words.slice(0, 40).replace(/-+$/, '')}-${sum.slice(0, 6)}`;
    if (fingerprints.size < fingerprintsAtMost) fingerprints.set(cause, found);
  }
  return found;
}

/** A cause that shows at all shows in thousands of cases. */
const fingerprints = new Map<string, string>();
const fingerprintsAtMost = 10_000;

const tracedBytes = 256;
const tracedEntries = 400;

/** What happened as lines of a report; the happening that the finding is about is marked. */
export function traceOf({ happened }: Recording, finding?: Finding): WireEntry[] {
  const shown = happened.length <= tracedEntries ? happened : around(happened, finding?.at ?? 0);
  return shown.map((each) => entryOf(each, finding && happened[finding.at ?? -1] === each ? finding : undefined));
}

function around(happened: readonly Happening[], at: number): readonly Happening[] {
  const start = Math.max(0, Math.min(at - tracedEntries / 2, happened.length - tracedEntries));
  return happened.slice(start, start + tracedEntries);
}

function entryOf(happening: Happening, finding: Finding | undefined): WireEntry {
  const { atMs: at, client } = happening;
  const peer = `client ${client + 1}`;
  if (happening.what !== 'sent' && happening.what !== 'received') {
    return { at, peer, direction: 'note', reading: noteOf(happening) };
  }
  const { bytes } = happening;
  const mark = finding && { offset: 0, length: Math.min(bytes.length, 2), text: finding.actual };
  return {
    at,
    peer,
    direction: happening.what,
    reading: readingOf(happening),
    hex: Buffer.from(bytes.subarray(0, tracedBytes)).toString('hex').toUpperCase(),
    length: bytes.length,
    ...(mark && { mark }),
  };
}

function readingOf(happening: Happening & { what: 'sent' | 'received' }): string {
  const { packet } = happening;
  if (happening.what === 'received') return packet ? reading(packet) : `malformed: ${happening.malformed?.reason}`;
  if (!packet) return 'bytes';
  return happening.bent ? `bent ${reading(packet)}` : reading(packet);
}

function noteOf(happening: Exclude<Happening, { what: 'sent' | 'received' }>): string {
  switch (happening.what) {
    case 'opened':
      return 'the client opens a connection';
    case 'half-closed':
      return 'the client closes its side of the connection (FIN)';
    case 'paused':
      return 'the client stops reading';
    case 'resumed':
      return 'the client reads on';
    case 'closed':
      return happening.by === 'broker'
        ? `the broker closes the connection (${happening.how})`
        : `the client drops the connection (${happening.how})`;
    case 'late':
      return `no ${happening.missing} within ${happening.afterMs / 1000} s`;
  }
}
