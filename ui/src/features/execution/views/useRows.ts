import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { useRunPage } from "../context";

/** Rows of which only those in view are drawn; arrow keys go from one to the next. */
export function useRows(count: number, indexOf: (id: string) => number, height: number) {
  const { step } = useRunPage();
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 8,
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: rows that have another height are measured anew.
  useEffect(() => rows.measure(), [height, rows]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when another step is chosen, not when rows come and go.
  useEffect(() => {
    const at = step === undefined ? -1 : indexOf(step);
    if (at >= 0) rows.scrollToIndex(at, { align: "auto" });
  }, [step]);

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-index]");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = Number(row.dataset.index);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: count - 1 }[event.key];
    if (to === undefined || to < 0 || to >= count) return;
    event.preventDefault();
    rows.scrollToIndex(to, { align: "auto" });
    const focus = (tries: number) => {
      const next = scroller.current?.querySelector<HTMLElement>(`[data-index="${to}"] [data-row]`);
      if (next) next.focus();
      else if (tries > 0) requestAnimationFrame(() => focus(tries - 1));
    };
    focus(10);
  };
  return { scroller, rows, onKeyDown };
}
