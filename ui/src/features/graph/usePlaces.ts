import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Definition } from "../../api/types";
import type { Point } from "./geometry";
import { askLayout } from "./layoutClient";
import { needsLayout, placeAll } from "./placement";

const nothing: ReadonlyMap<string, Point> = new Map();

/** The size of an element, once it is in the page. */
export function useSize(): [(element: HTMLElement | null) => void, { width: number; height: number } | null] {
  const [element, setElement] = useState<HTMLElement | null>(null);
  const [size, setSize] = useState<{ width: number; height: number } | null>(null);
  useLayoutEffect(() => {
    if (element) setSize({ width: element.clientWidth, height: element.clientHeight });
  }, [element]);
  return [setElement, size];
}

/** Places for steps that may have none saved; null until the first layout that is needed has come. */
export function usePlaces(steps: Definition["steps"]): {
  places: ReadonlyMap<string, Point> | null;
  error: unknown;
} {
  const [laidOut, setLaidOut] = useState<ReadonlyMap<string, Point>>(nothing);
  const [error, setError] = useState<unknown>(null);
  const missing = error === null && needsLayout(steps, laidOut);
  useEffect(() => {
    if (!missing) return;
    let stale = false;
    const list = steps.map(({ id, dependencies = [] }) => ({ id, dependencies }));
    askLayout(list).then(
      (places) => !stale && setLaidOut(places),
      (cause) => !stale && setError(cause),
    );
    return () => {
      stale = true;
    };
  }, [missing, steps]);
  const last = useRef<ReadonlyMap<string, Point> | null>(null);
  const places = useMemo(() => {
    if (!missing) last.current = placeAll(steps, laidOut);
    return last.current;
  }, [missing, steps, laidOut]);
  return { places, error };
}
