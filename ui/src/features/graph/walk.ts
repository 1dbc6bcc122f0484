// Where an arrow key leads from a step.
import type { Point } from "./geometry";
import type { OrderStep } from "./order";

export type Direction = "left" | "right" | "up" | "down";

/** The nearest of some places; a step aside counts double. */
function nearest(
  from: Point,
  ids: Iterable<string>,
  places: ReadonlyMap<string, Point>,
  sideways: "x" | "y",
): string | null {
  let best: string | null = null;
  let least = Infinity;
  for (const id of ids) {
    const place = places.get(id);
    if (!place) continue;
    const dx = Math.abs(place.x - from.x) * (sideways === "x" ? 2 : 1);
    const dy = Math.abs(place.y - from.y) * (sideways === "y" ? 2 : 1);
    if (dx + dy < least) {
      least = dx + dy;
      best = id;
    }
  }
  return best;
}

/**
 * The step that an arrow leads to: left and right follow the connections,
 * and without one go to the nearest step on that side; up and down go to the
 * nearest step above or below. Null where there is none.
 */
export function walk(
  id: string,
  direction: Direction,
  steps: readonly OrderStep[],
  places: ReadonlyMap<string, Point>,
): string | null {
  const from = places.get(id);
  if (!from) return null;
  const others = steps.filter((step) => step.id !== id);
  const along = (wanted: (place: Point) => boolean, sideways: "x" | "y") =>
    nearest(
      from,
      others.flatMap((step) => {
        const place = places.get(step.id);
        return place && wanted(place) ? [step.id] : [];
      }),
      places,
      sideways,
    );
  switch (direction) {
    case "right": {
      const dependents = others.filter((step) => step.dependencies?.includes(id)).map((step) => step.id);
      return nearest(from, dependents, places, "y") ?? along((place) => place.x > from.x, "y");
    }
    case "left": {
      const own = steps.find((step) => step.id === id)?.dependencies ?? [];
      return (
        nearest(
          from,
          own.filter((dependency) => dependency !== id),
          places,
          "y",
        ) ?? along((place) => place.x < from.x, "y")
      );
    }
    case "up":
      return along((place) => place.y < from.y, "x");
    case "down":
      return along((place) => place.y > from.y, "x");
  }
}

const arrows: { [key: string]: Direction } = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
};

/** The direction of an arrow key. */
export function arrowOf(key: string): Direction | undefined {
  return arrows[key];
}

/** One step in a direction. */
export const stepIn: Record<Direction, Point> = {
  left: { x: -1, y: 0 },
  right: { x: 1, y: 0 },
  up: { x: 0, y: -1 },
  down: { x: 0, y: 1 },
};
