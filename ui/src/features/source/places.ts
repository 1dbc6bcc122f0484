// Where the parts of a workflow stand in its text.
import { isMap, isSeq, type Node } from "yaml";
import type { ReadText } from "./sync";

export interface Place {
  from: number;
  to: number;
}

/** The lines of each step, by id. A text that can't be read has none. */
export function stepPlaces({ text, raw, root }: Pick<ReadText, "text" | "raw" | "root">): Map<string, Place> {
  const places = new Map<string, Place>();
  const steps = isMap(root) ? (root.get("steps", true) as unknown) : undefined;
  if (!raw || !isSeq(steps)) return places;
  for (const [i, item] of steps.items.entries()) {
    const { range } = item as Node;
    const id = raw.steps[i]?.id;
    if (!range || id === undefined) continue;
    const from = text.lastIndexOf("\n", range[0] - 1) + 1;
    places.set(id, { from: Math.max(from, 0), to: from + text.slice(from, range[1]).trimEnd().length });
  }
  return places;
}

/** The step whose lines hold an offset. */
export function stepAt(places: ReadonlyMap<string, Place>, at: number): string | undefined {
  for (const [id, { from, to }] of places) if (from <= at && at <= to) return id;
  return undefined;
}

/** The offset of a line and column, both from 1. */
export function offsetOf(text: string, line: number, column = 1): number {
  let start = 0;
  for (let n = 1; n < line; n++) {
    const end = text.indexOf("\n", start);
    if (end < 0) return text.length;
    start = end + 1;
  }
  const end = text.indexOf("\n", start);
  return Math.min(start + column - 1, end < 0 ? text.length : end);
}

/** The line of an offset, from 1. */
export function lineOf(text: string, at: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < at; i = text.indexOf("\n", i + 1)) line++;
  return line;
}
