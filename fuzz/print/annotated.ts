/** A script as lines that a person reads: each packet with its bytes, the damaged ones marked. */

import type { WireEntry } from '../../harness/events.ts';
import { reading } from '../../harness/reading.ts';
import { dump } from '../../harness/report/dump.ts';
import type { Paint } from '../../harness/report/text.ts';
import type { Version } from '../../harness/spec/index.ts';
import type { Change } from '../../harness/wire/bend.ts';
import { decode, Malformed } from '../../harness/wire/decode.ts';
import { parts } from '../../harness/wire/encode.ts';
import { packetFrom } from '../data.ts';
import { framesOf } from '../minimise/frames.ts';
import type { Script, Step } from '../script.ts';
import { bytesOf } from '../written.ts';

/** Columns that the time of an entry takes in a dump; a script has no times. */
const timeColumns = 9;
const tracedBytes = 256;

/** The steps of a script in their order: what each client does, the reading and bytes of each packet, a mark under what is damaged. */
export function annotated(script: Script, options: { readonly paint: Paint; readonly columns?: number }): string[] {
  const entries = script.steps.flatMap((step) => entriesOf(step, script.clients[step.client]?.version ?? 'v3'));
  const columns = options.columns === undefined ? {} : { columns: options.columns + timeColumns };
  return dump(entries, { paint: options.paint, whole: true, ...columns }).map((line) => line.slice(timeColumns));
}

type Entry = Omit<WireEntry, 'at' | 'peer'>;

function entriesOf(step: Step, version: Version): WireEntry[] {
  const peer = `client ${step.client + 1}`;
  return described(step, version).map((entry) => ({ at: 0, peer, ...entry }));
}

function described(step: Step, version: Version): Entry[] {
  switch (step.do) {
    case 'send':
      return [sent(step, version)];
    case 'raw':
      return framesOf(step).map(({ hex }) => rawEntry(Buffer.from(hex, 'hex'), version));
    case 'wait':
      return [note(`${step.ms / 1000} s pass`)];
    case 'acknowledge':
      return [
        note(`the client answers what the broker has sent${step.rounds === undefined ? '' : `, ${step.rounds} ×`}`),
      ];
    case 'open':
      return [note('the client opens a connection')];
    case 'fence':
      return [note('the client waits until all is processed (PINGREQ, PINGRESP)')];
    case 'pause':
      return [note('the client stops reading')];
    case 'resume':
      return [note('the client reads on')];
    case 'drop':
      return [note('the client drops the connection (RST)')];
    case 'close':
      return [note('the client closes its side of the connection (FIN) and reads on')];
  }
}

function note(text: string): Entry {
  return { direction: 'note', reading: text };
}

function sent(step: Extract<Step, { do: 'send' }>, version: Version): Entry {
  const packet = packetFrom(step.packet);
  const { bend = {} } = step;
  let offset = 0;
  let mark: WireEntry['mark'];
  for (const { name, bytes } of parts(packet, version, bend)) {
    const change = bend[name];
    if (change && !mark) mark = { offset, length: Math.max(1, bytes.length), text: textOf(bend) };
    offset += bytes.length;
  }
  return bytesEntry(reading(packet), bytesOf(step, version), mark);
}

/** `topic appended ff; remainingLength +1`. */
function textOf(bend: Readonly<Record<string, Change>>): string {
  return Object.entries(bend)
    .map(([name, change]) => `${name} ${changeText(change)}`)
    .join('; ');
}

function changeText(change: Change): string {
  if ('repeat' in change) return change.repeat === 0 ? 'left out' : `${change.repeat} times`;
  if ('append' in change) return `with ${digits(change.append)} appended`;
  if ('keep' in change) return `cut off after ${change.keep} bytes`;
  if ('add' in change) return change.add < 0 ? `${change.add}` : `+${change.add}`;
  return change.length === 0 ? 'left out' : `is ${digits(change)}`;
}

function digits(bytes: Uint8Array | readonly number[]): string {
  const shown = Buffer.from(bytes.slice(0, 8)).toString('hex');
  return bytes.length > 8 ? `${shown}… (${bytes.length} bytes)` : shown;
}

/** Bytes with what they are, as far as they can be read. */
function rawEntry(bytes: Buffer, version: Version): Entry {
  try {
    return bytesEntry(reading(decode(bytes, version)), bytes);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return bytesEntry('bytes', bytes, { offset: error.offset, length: 1, text: error.reason });
  }
}

function bytesEntry(text: string, bytes: Uint8Array, mark?: WireEntry['mark']): Entry {
  const hex = Buffer.from(bytes.subarray(0, tracedBytes)).toString('hex').toUpperCase();
  return { direction: 'sent', reading: text, hex, length: bytes.length, ...(mark && { mark }) };
}
