/** The packets of a case as lines: relative time, direction, reading, hex, and a mark under the deviating bytes. */

import type { WireEntry } from '../events.ts';
import { clean, type Paint, shorten } from './text.ts';

export interface DumpOptions {
  readonly paint: Paint;
  /** Columns that the lines may take. */
  readonly columns?: number;
  /** Keep every entry of a long trace. */
  readonly whole?: boolean;
}

/** What the lines of a report that no terminal limits may take. */
const defaultColumns = 160;
const longestReading = 64;
/** A longer trace is shortened in the middle: this many entries of its start and of its end are kept. */
const headEntries = 8;
const tailEntries = 12;
/** Fewer bytes than this beside the reading are too few: the hex then goes below it. */
const fewBytes = 16;
const manyBytes = 32;
/** Of a long packet without a mark, these last bytes are shown, too: packet id and payload stand there. */
const tailBytes = 8;
/** `… ` before and ` … (1234 bytes)` after. */
const ellipsisColumns = 17;

const arrows = { sent: '→', received: '←', note: '·' } as const;

/** The lines of a trace. */
export function dump(trace: readonly WireEntry[], options: DumpOptions): string[] {
  const shown = options.whole ? trace.map((entry) => ({ entry })) : abridge(trace);
  const layout = layoutOf(
    shown.flatMap((item) => ('entry' in item ? [item.entry] : [])),
    options.columns ?? defaultColumns,
  );
  return shown.flatMap((item) =>
    'left' in item
      ? [options.paint.dim(`${' '.repeat(layout.margin)}… ${item.left} more …`)]
      : entryLines(item.entry, layout, options.paint),
  );
}

type Shown = { readonly entry: WireEntry } | { readonly left: number };

/** Leaves out the middle of a long trace, but never a marked packet. */
function abridge(trace: readonly WireEntry[]): Shown[] {
  // A gap of one is no gain over the entry itself.
  if (trace.length <= headEntries + tailEntries + 1) return trace.map((entry) => ({ entry }));
  const shown: Shown[] = [];
  let left = 0;
  trace.forEach((entry, index) => {
    const keep = index < headEntries || index >= trace.length - tailEntries || entry.mark;
    if (!keep) {
      left++;
      return;
    }
    if (left > 0) shown.push({ left });
    left = 0;
    shown.push({ entry });
  });
  return shown;
}

interface Layout {
  readonly peerWidth: number;
  /** The column at which the reading starts. */
  readonly margin: number;
  readonly readingWidth: number;
  /** Whether the hex has a line of its own. */
  readonly below: boolean;
  readonly byteCount: number;
}

function layoutOf(entries: readonly WireEntry[], columns: number): Layout {
  // Who is who matters only where there are several connections.
  const peers = new Set(entries.map((entry) => clean(entry.peer)));
  const peerWidth = peers.size > 1 ? Math.max(...[...peers].map((peer) => peer.length)) + 1 : 0;
  const margin = 12 + peerWidth;
  const readings = entries.filter((entry) => entry.hex).map((entry) => clean(entry.reading).length);
  const readingWidth = Math.min(longestReading, Math.max(0, ...readings));
  const fitting = (room: number) => Math.floor((room - ellipsisColumns) / 3);
  const beside = fitting(columns - margin - readingWidth - 2);
  const below = beside < fewBytes;
  const byteCount = Math.min(manyBytes, Math.max(tailBytes + 4, below ? fitting(columns - margin) : beside));
  return { peerWidth, margin, readingWidth, below, byteCount };
}

function entryLines(entry: WireEntry, layout: Layout, paint: Paint): string[] {
  const peer = layout.peerWidth > 0 ? clean(entry.peer).padEnd(layout.peerWidth) : '';
  const lead = `${time(entry.at).padStart(8)} ${peer}${arrows[entry.direction]}  `;
  const margin = ' '.repeat(layout.margin);
  const text = clean(entry.reading);
  if (!entry.hex) return [`${lead}${text}`, ...markLines(entry, '', margin, paint)];
  const { hex, carets } = hexOf(entry, layout.byteCount);
  if (layout.below) return [`${lead}${text}`, `${margin}${paint.dim(hex)}`, ...markLines(entry, carets, margin, paint)];
  const aligned = shorten(text, layout.readingWidth).padEnd(layout.readingWidth);
  const indent = `${margin}${' '.repeat(layout.readingWidth + 2)}`;
  return [`${lead}${aligned}  ${paint.dim(hex)}`, ...markLines(entry, carets, indent, paint)];
}

/** `3 ms`, or `12.4 s` once milliseconds stop telling anything. */
function time(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** The bytes around the mark (or those of both ends), and the carets below the deviating ones. */
function hexOf(entry: WireEntry, limit: number): { hex: string; carets: string } {
  const bytes = clean(entry.hex ?? '').match(/../g) ?? [];
  const total = Math.max(entry.length ?? 0, bytes.length);
  const { mark } = entry;
  if (!mark && total === bytes.length && total > limit) {
    const head = bytes.slice(0, limit - tailBytes).join(' ');
    return { hex: `${head} … ${bytes.slice(-tailBytes).join(' ')} (${total} bytes)`, carets: '' };
  }
  // The window leaves the fixed header only for a mark beyond it.
  const beyond = mark && mark.offset + Math.min(mark.length, 4) > limit;
  const last = Math.max(0, bytes.length - limit);
  const start = beyond ? Math.min(last, Math.max(0, mark.offset - Math.floor(limit / 2))) : 0;
  const window = bytes.slice(start, start + limit);
  const before = start > 0 ? '… ' : '';
  const after = start + window.length < total ? ` … (${total} bytes)` : '';
  const hex = `${before}${window.join(' ')}${after}`;
  if (!mark) return { hex, carets: '' };
  // A mark behind the last byte is where something is missing.
  const from = Math.min(mark.offset - start, window.length);
  const to = Math.max(from + 1, Math.min(from + mark.length, window.length));
  return { hex, carets: ' '.repeat(before.length + from * 3) + '^'.repeat((to - from) * 3 - 1) };
}

function markLines(entry: WireEntry, carets: string, indent: string, paint: Paint): string[] {
  if (!entry.mark) return [];
  return [`${indent}${paint.red(`${carets}${carets ? ' ' : ''}${clean(entry.mark.text)}`)}`];
}
