// The geometry and the words of the chart of days. No React.
import type { Stats } from "../../api/types";
import { count } from "../../lib/text";
import { shortDay } from "../../lib/time";

export type Day = Stats["by_day"][number];

/** The parts of a bar from the bottom up, each a colour and a word. */
export const parts = [
  { status: "success", label: "Success", of: (day: Day) => day.success },
  { status: "partial", label: "Partial", of: (day: Day) => day.partial },
  { status: "cancelled", label: "Cancelled", of: (day: Day) => day.cancelled },
  { status: "failed", label: "Failed", of: (day: Day) => day.failed },
  { status: "running", label: "Not ended", of: (day: Day) => day.live },
] as const;

export interface Piece {
  status: string;
  /** From the top of the plot, in pixels. */
  y: number;
  height: number;
}

const gap = 2;

/** One bar's pieces in a plot of this height. A small count still shows. */
export function stack(day: Day, top: number, height: number): Piece[] {
  let base = height;
  const pieces: Piece[] = [];
  for (const { status, of } of parts) {
    const size = of(day);
    if (size <= 0) continue;
    const tall = Math.max(2, (size / top) * height - (pieces.length > 0 ? gap : 0));
    base -= tall + (pieces.length > 0 ? gap : 0);
    pieces.push({ status, y: base, height: tall });
  }
  return pieces;
}

/** Every how many days a date is written, so that they don't run into each other. */
export function labelEvery(days: number, width: number): number {
  const fitting = Math.max(1, Math.floor(width / 52));
  return Math.ceil(days / fitting);
}

/** The chart as one sentence. */
export function sentence(days: readonly Day[]): string {
  const sum = (of: (day: Day) => number) => days.reduce((total, day) => total + of(day), 0);
  const total = sum((day) => day.total);
  const span = `the last ${days.length} days`;
  if (total === 0) return `Nothing was executed in ${span}.`;
  const results = parts
    .map(({ label, of }) => ({ label, sum: sum(of) }))
    .filter((part) => part.sum > 0)
    .map((part) => `${part.sum} ${wordOf(part.label)}`);
  const most = days.reduce((a, b) => (b.total > a.total ? b : a));
  return `${count(total, "execution")} in ${span}: ${results.join(", ")}. Most on ${shortDay(most.date)}, ${most.total}.`;
}

function wordOf(label: string): string {
  return label === "Success" ? "succeeded" : label.toLowerCase();
}

/** One day in words. */
export function dayText(day: Day): string {
  const results = parts.filter(({ of }) => of(day) > 0).map(({ label, of }) => `${of(day)} ${wordOf(label)}`);
  return `${shortDay(day.date)}: ${count(day.total, "execution")}${results.length > 0 ? `, ${results.join(", ")}` : ""}`;
}
