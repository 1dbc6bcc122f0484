import { useSyncExternalStore } from "react";
import type { ViewStore } from "./view";

const narrow = globalThis.matchMedia?.("(max-width: 720px)");

/** Opens or closes the list of steps, which on a narrow screen is a part of its own. */
export function toggleStepsList(view: ViewStore): void {
  const { stepsList, tab, set } = view.getState();
  if (narrow?.matches) set({ tab: tab === "steps" ? "canvas" : "steps" });
  else set({ stepsList: !stepsList });
}

/** Whether the window is too narrow for panels beside the canvas. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      narrow?.addEventListener("change", listener);
      return () => narrow?.removeEventListener("change", listener);
    },
    () => narrow?.matches ?? false,
  );
}
