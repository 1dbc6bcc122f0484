/** A number with its noun: "1 step", "4 steps", "1 retry", "2 retries". */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${new Intl.NumberFormat().format(n)} ${n === 1 ? one : many}`;
}

/** The first letter large. */
export function capital(text: string): string {
  return text ? text[0]!.toUpperCase() + text.slice(1) : text;
}

/** A share of a whole as a percentage with at most one digit after the point. */
export function percent(part: number, whole: number): string {
  return whole > 0
    ? `${new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }).format((100 * part) / whole)} %`
    : "–";
}

const sizes = ["B", "KB", "MB", "GB", "TB"];

/** A size in decimal units: "812 B", "1.4 MB". */
export function bytes(n: number): string {
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < sizes.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${sizes[unit]}`;
}

/** Whether every word of the query stands somewhere in the texts, without regard to case. */
export function matches(query: string, ...texts: (string | null | undefined)[]): boolean {
  const haystack = texts.filter(Boolean).join("\n").toLocaleLowerCase();
  return query
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}

/** Joins with commas and a last "and". */
export function listed(words: readonly string[]): string {
  return new Intl.ListFormat(undefined, { type: "conjunction" }).format(words);
}
