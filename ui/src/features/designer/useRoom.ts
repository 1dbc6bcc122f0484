import { type RefObject, useLayoutEffect, useRef, useState } from "react";
import { useView, useViewStore } from "./view";

/** The least width that the canvas with its toolbar keeps, in pixels. */
const least = 440;

const foldable = ["palette", "stepsList", "settings"] as const;

/**
 * Keeps room for the canvas: where panels leave too little of it, the ones
 * that were opened first fold, and the last one stays.
 */
export function useRoom(centre: RefObject<HTMLElement | null>): void {
  const view = useViewStore();
  const open = useView((state) => foldable.map((name) => state[name]).join());
  const opened = useRef<(typeof foldable)[number][]>([]);
  const [width, setWidth] = useState(0);

  useLayoutEffect(() => {
    const element = centre.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    return () => watch.disconnect();
  }, [centre]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: it looks again whenever a panel or the width changes.
  useLayoutEffect(() => {
    const state = view.getState();
    opened.current = opened.current.filter((name) => state[name]);
    for (const name of foldable) if (state[name] && !opened.current.includes(name)) opened.current.push(name);
    const [first] = opened.current;
    const room = centre.current?.clientWidth ?? least;
    if (room < least && first && opened.current.length > 1) state.set({ [first]: false });
  }, [open, width, view, centre]);
}
