// Places for steps that have none saved. A document without any is laid out
// as a whole (layoutClient.ts); single ones are put beside what they depend on.
import type { StepDefinition } from "../../api/types";
import { savedPlace } from "./elements";
import { card, gap, type Point, snap } from "./geometry";
import { orderOf } from "./order";

const overlaps = (a: Point, b: Point) =>
  Math.abs(a.x - b.x) < card.width + gap.down / 2 && Math.abs(a.y - b.y) < card.height + gap.down / 2;

/** The first free place at or below a point. */
export function freePlace(wanted: Point, taken: Iterable<Point>): Point {
  const others = [...taken];
  let place = snap(wanted);
  for (;;) {
    const hit = others.find((other) => overlaps(place, other));
    if (!hit) return place;
    place = snap({ x: place.x, y: hit.y + card.height + gap.down });
  }
}

/** A free place at the right of a step. */
export function placeAfter(place: Point, taken: Iterable<Point>): Point {
  return freePlace({ x: place.x + card.width + gap.across, y: place.y }, taken);
}

/** Whether no step has a place that could be kept, so that the whole is laid out. */
export function needsLayout(steps: readonly StepDefinition[], known: ReadonlyMap<string, Point>): boolean {
  return steps.length > 1 && !steps.some((step) => savedPlace(step) || known.has(step.id));
}

/**
 * A place for every step: the saved one, else the one it was given before,
 * else one beside its dependencies, or below everything.
 */
export function placeAll(
  steps: readonly StepDefinition[],
  known: ReadonlyMap<string, Point>,
): ReadonlyMap<string, Point> {
  const places = new Map<string, Point>();
  const open: StepDefinition[] = [];
  const byId = new Map(steps.map((step) => [step.id, step]));
  for (const id of orderOf(steps).ids) {
    const step = byId.get(id)!;
    const place = savedPlace(step) ?? known.get(id);
    if (place) places.set(id, place);
    else open.push(step);
  }
  for (const step of open) {
    const before = (step.dependencies ?? []).flatMap((id) => places.get(id) ?? []);
    const all = [...places.values()];
    const wanted =
      before.length > 0
        ? {
            x: Math.max(...before.map((p) => p.x)) + card.width + gap.across,
            y: before.reduce((sum, p) => sum + p.y, 0) / before.length,
          }
        : all.length > 0
          ? { x: Math.min(...all.map((p) => p.x)), y: Math.max(...all.map((p) => p.y)) + card.height + gap.down }
          : { x: 0, y: 0 };
    places.set(step.id, freePlace(wanted, all));
  }
  return places;
}

/** The rectangle around all cards. */
export function boundsOf(places: Iterable<Point>): { x: number; y: number; width: number; height: number } | null {
  const all = [...places];
  if (all.length === 0) return null;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of all) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + card.width);
    bottom = Math.max(bottom, y + card.height);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}
