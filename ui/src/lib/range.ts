// Times that a list may be narrowed to, as they stand in an address.

const hour = 3_600_000;
const ranges: Record<string, { label: string; span: number }> = {
  "1h": { label: "Last hour", span: hour },
  "24h": { label: "Last 24 hours", span: 24 * hour },
  "7d": { label: "Last 7 days", span: 7 * 24 * hour },
  "30d": { label: "Last 30 days", span: 30 * 24 * hour },
};

/** The range that has a first and a last day. */
export const custom = "custom";

export const rangeChoices: readonly { value: string; label: string }[] = [
  { value: "", label: "Any time" },
  ...Object.entries(ranges).map(([value, { label }]) => ({ value, label })),
  { value: custom, label: "From … to …" },
];

/** Midnight of a local day written as YYYY-MM-DD, some days later; nothing for another text. */
function midnight(day: string, later = 0): string | undefined {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  if (!year) return undefined;
  const at = new Date(Number(year), Number(month) - 1, Number(date) + later);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

export interface Range {
  range: string;
  /** First and last day of a custom one. */
  since: string;
  until: string;
}

/** The bounds that the API takes; a range that is no custom one ends now. What has no bound lacks its key. */
export function boundsOf({ range, since, until }: Range, now: number): { since?: string; until?: string } {
  const span = ranges[range]?.span;
  if (span) return { since: new Date(now - span).toISOString() };
  if (range !== custom) return {};
  // The last day is meant whole.
  const bounds = { since: midnight(since), until: midnight(until, 1) };
  return { ...(bounds.since && { since: bounds.since }), ...(bounds.until && { until: bounds.until }) };
}
