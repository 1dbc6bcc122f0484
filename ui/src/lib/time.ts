// Times and durations as a person reads them. Formatting goes through Intl;
// nothing here knows a page.

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const fine = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["week", 7 * 86_400],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** The exact local date and time, for titles and screen readers. */
export function exactTime(time: string | number | Date): string {
  return exact.format(new Date(time));
}

/** A text of the server with the times in it, which are UTC, as the person reads times. */
export function withLocalTimes(text: string): string {
  return text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (time) => exactTime(time));
}

/** Hours and minutes, local. */
export function clockTime(time: string | number | Date): string {
  return clock.format(new Date(time));
}

/** Local time to the millisecond, for lines that follow each other quickly. */
export function exactClock(time: string | number | Date): string {
  return fine.format(new Date(time));
}

/** Day and month of a date written as YYYY-MM-DD, which has no zone. */
export function shortDay(date: string): string {
  const [year = 1970, month = 1, dayOfMonth = 1] = date.split("-").map(Number);
  return day.format(new Date(year, month - 1, dayOfMonth));
}

/** How long ago, or how soon, in one unit: "4 minutes ago", "yesterday". */
export function relativeTime(time: string | number | Date, now: number = Date.now()): string {
  const seconds = (new Date(time).getTime() - now) / 1000;
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return Math.abs(seconds) < 10 ? "just now" : relative.format(Math.trunc(seconds), "second");
}

/** Seconds for a person: "86 ms", "1.2 s", "24 s", "1m 08s", "2h 05m", "3d 4h". */
export function duration(seconds: number): string {
  if (!(seconds > 0)) return "0 ms";
  if (seconds < 0.9995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, "0")}s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${String(minutes % 60).padStart(2, "0")}m`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** Seconds between two times; up to now where there is no end. */
export function secondsBetween(from: string, to?: string | null, now: number = Date.now()): number {
  return Math.max(0, ((to ? new Date(to).getTime() : now) - new Date(from).getTime()) / 1000);
}

/** Whether a time of the API says something: Go writes year 1 where it is not set. */
export function isSet(time: string | null | undefined): time is string {
  return Boolean(time) && !time!.startsWith("0001-");
}
