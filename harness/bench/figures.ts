/** Measured figures: the middle of several, and how they are printed. */

/** The middle value; of two in the middle, their mean. Throws a `RangeError` for no values at all. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('no values have no median');
  return (upper + lower) / 2;
}

/** `1.84 × (1.71–1.92)`: the median of ratios, the least and the greatest of them. */
export function spread(ratios: readonly number[]): string {
  return `${median(ratios).toFixed(2)} × (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`;
}

/** `123,456` */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Rows under a heading row, in columns: the first to the left, the others to the right. @param least the least width of each */
export function table(rows: readonly (readonly string[])[], least: readonly number[] = []): string {
  const widthOf = (column: number) => Math.max(least[column] ?? 0, ...rows.map((row) => row[column]?.length ?? 0));
  const widths = rows[0]?.map((_, column) => widthOf(column)) ?? [];
  const lines = rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))),
  );
  return lines.map((cells) => `  ${cells.join('   ').trimEnd()}\n`).join('');
}
