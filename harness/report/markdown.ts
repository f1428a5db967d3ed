/** Markdown: text that stays text, tables, blocks of code. */

import { clean } from './text.ts';

/** Text that neither Markdown nor HTML reads as anything but text. */
export function markdown(text: string): string {
  return clean(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[\\`*_[\]|#~]/g, '\\$&');
}

/** Inline code, in a table as well. */
export function code(text: string): string {
  const shown = clean(text);
  // Within backticks nothing can be escaped.
  return shown === '' || /[`|]|^ | $/.test(shown) ? `<code>${markdown(shown)}</code>` : `\`${shown}\``;
}

/** A table, with an empty line behind it; nothing without rows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}

/** Lines as they are. */
export function block(lines: readonly string[]): string[] {
  // Four backticks: a payload may contain three.
  return ['````text', ...lines.map((line) => line.replaceAll('````', '```')), '````'];
}
