/** Small words that all reports share: durations, counts, and text that came from a broker made harmless. */

/** How text is painted; the identity everywhere but on a terminal. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

const identity = (text: string) => text;

/** Paints nothing. */
export const plain: Paint = { bold: identity, dim: identity, red: identity, green: identity, yellow: identity };

/** Control characters, line and paragraph separators, changes of writing direction, non-characters, lone surrogates. */
const unprintable = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu;

/**
 * Text on one line, without control characters and lone surrogates: what a broker sends must neither steer a terminal
 * nor make a report that is no XML.
 */
export function clean(text: string): string {
  return text.replace(unprintable, (character) =>
    character === '\n' ? ' ' : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** Shortens in the middle: both ends tell more than the centre. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const head = Math.ceil((limit - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (limit - 1 - head))}`;
}

/** `8 ms`, `0.11 s`, `7.2 s`, `3 min 20 s`. */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (ms < 99.5) return `${Math.round(ms)} ms`;
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** `1 case`, `2 cases`. */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : many}`;
}

/** The first names of a list, and how many more there are. */
export function enumerate(names: readonly string[], limit: number): string {
  const rest = names.length - limit;
  return rest > 1 ? `${names.slice(0, limit).join(', ')} and ${rest} more` : names.join(', ');
}
