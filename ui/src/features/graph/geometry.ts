// Sizes and places on the canvas, in its own units (1 is a CSS pixel at 100 %).

export interface Point {
  x: number;
  y: number;
}

/** A step's card. Given sizes let the canvas leave out what is out of view before it was ever drawn. */
export const card = { width: 236, height: 74 } as const;

/** Cards stand on this grid. */
export const grid = 10;

/** Below this zoom a card is a plain block. */
export const farZoom = 0.35;

/** The gaps that automatic layout leaves between cards. */
export const gap = { across: 84, down: 36 } as const;

/** The nearest point of the grid. */
export function snap({ x, y }: Point): Point {
  return { x: Math.round(x / grid) * grid, y: Math.round(y / grid) * grid };
}

export function isPoint(value: unknown): value is Point {
  if (typeof value !== "object" || value === null) return false;
  const { x, y } = value as { x?: unknown; y?: unknown };
  return Number.isFinite(x) && Number.isFinite(y);
}
