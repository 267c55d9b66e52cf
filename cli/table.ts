/** Rows for a terminal: columns as wide as their widest cell, two spaces between, nothing behind the last. */

/** @param head names of the columns; absent for a plain list */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows].map((row) => row.map(printable));
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Device ids and names come from strangers: what would steer a terminal is shown as its code. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}

/** `93784000` -> `1 d 2 h`; the two largest units. */
export function duration(ms: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ];
  let left = ms;
  const parts: string[] = [];
  for (const [name, unit] of units) {
    const count = Math.floor(left / unit);
    left -= count * unit;
    if (count > 0 || (name === 's' && parts.length === 0)) parts.push(`${count} ${name}`);
  }
  return parts.slice(0, 2).join(' ');
}

/** `1234567` bytes -> `1.2 MiB` */
export function mebibytes(bytes: number): string {
  return `${(bytes / (1024 * 1024)).toFixed(1)} MiB`;
}
