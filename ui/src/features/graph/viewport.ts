import type { Viewport } from "@xyflow/react";
import { card, type Point } from "./geometry";
import { boundsOf } from "./placement";

export const zoomRange = { least: 0.05, most: 2 } as const;
/** Room around what is fitted into view, in pixels. */
const margin = 48;
/** Where fitting would make cards smaller than this, a graph opens at 100 % on one step. */
const readable = 0.5;

/** The view at opening: everything, at most at 100 %; or one step at 100 % where everything would be too small. */
export function openingViewport(
  places: ReadonlyMap<string, Point>,
  first: string | undefined,
  size: { width: number; height: number },
): Viewport {
  const bounds = boundsOf(places.values());
  if (!bounds || size.width === 0 || size.height === 0) return { x: margin, y: margin, zoom: 1 };
  const fit = Math.min((size.width - 2 * margin) / bounds.width, (size.height - 2 * margin) / bounds.height, 1);
  if (fit < readable && first !== undefined) {
    const place = places.get(first) ?? bounds;
    return { x: Math.min(96, margin * 2) - place.x, y: size.height / 2 - (place.y + card.height / 2), zoom: 1 };
  }
  const zoom = Math.max(fit, zoomRange.least);
  return {
    x: size.width / 2 - zoom * (bounds.x + bounds.width / 2),
    y: size.height / 2 - zoom * (bounds.y + bounds.height / 2),
    zoom,
  };
}

/**
 * The view moved as little as needed to have a card wholly in it, or centred
 * on the card; null where nothing has to move.
 */
export function viewportFor(
  place: Point,
  { x, y, zoom }: Viewport,
  size: { width: number; height: number },
  centre = false,
): Viewport | null {
  const left = place.x * zoom + x;
  const top = place.y * zoom + y;
  const room = 24;
  const inside =
    left >= room &&
    top >= room &&
    left + card.width * zoom <= size.width - room &&
    top + card.height * zoom <= size.height - room;
  if (inside && !centre) return null;
  return {
    x: size.width / 2 - zoom * (place.x + card.width / 2),
    y: size.height / 2 - zoom * (place.y + card.height / 2),
    zoom,
  };
}
