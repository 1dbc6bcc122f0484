// What the designer shows, as opposed to what it edits: open panels, the part
// that a narrow screen shows, and a hold of the canvas for whoever leads the
// person to a step. Never saved, never in the history.
import { createContext, useContext } from "react";
import { useSearchParams } from "wouter";
import { createStore, useStore } from "zustand";
import type { Point } from "../graph/geometry";

/** What stands beside or below the canvas; part of the address. */
export type Panel = "source" | "history" | "run";
const panels: readonly string[] = ["source", "history", "run"];

/** The open panel, and a way to open another one or, with null, none. */
export function usePanel(): [Panel | null, (panel: Panel | null) => void] {
  const [search, setSearch] = useSearchParams();
  const asked = search.get("panel");
  const panel = asked !== null && panels.includes(asked) ? (asked as Panel) : null;
  return [
    panel,
    (next) =>
      setSearch(
        (before) => {
          const after = new URLSearchParams(before);
          if (next) after.set("panel", next);
          else after.delete("panel");
          return after;
        },
        { replace: true },
      ),
  ];
}

/** What the canvas does for others. */
export interface CanvasHandle {
  /** Puts a step into the middle of the view; with focus also gives it the keyboard. */
  reveal(id: string, options?: { focus?: boolean }): void;
  /** The point of the graph at the middle of the view. */
  centre(): Point;
  /** The places of all steps as they are drawn, saved or not. */
  places(): ReadonlyMap<string, Point>;
  /** The step that the keyboard is at. */
  current(): string | null;
  /** Gives the canvas the keyboard. */
  focus(): void;
}

/** The parts of the designer on a narrow screen. */
export type Tab = "canvas" | "steps" | "settings";

/** Where a new step goes: at a point of the graph, after a step, or into a connection. */
export interface AddTarget {
  at?: Point;
  after?: string;
  into?: string;
  /** Where the list opens on the screen; the middle of the canvas without it. */
  screen?: Point;
}

export interface ViewState {
  palette: boolean;
  stepsList: boolean;
  settings: boolean;
  tab: Tab;
  canvas: CanvasHandle | null;
  /** The quick list for a new step, where it is open. */
  quickAdd: AddTarget | null;
  /** The step whose "Connect to…" list is open. */
  connectFrom: string | null;
  set(change: Partial<Omit<ViewState, "set">>): void;
}

export type ViewStore = ReturnType<typeof createViewStore>;

/** Makes the view of one open designer. */
export function createViewStore() {
  return createStore<ViewState>()((set) => ({
    palette: true,
    stepsList: false,
    settings: true,
    tab: "canvas",
    canvas: null,
    quickAdd: null,
    connectFrom: null,
    set: (change) => set(change),
  }));
}

export const ViewContext = createContext<ViewStore | null>(null);

export function useViewStore(): ViewStore {
  const store = useContext(ViewContext);
  if (!store) throw new Error("used outside a designer");
  return store;
}

/** A part of the designer's view. */
export function useView<T>(pick: (state: ViewState) => T): T {
  return useStore(useViewStore(), pick);
}

/**
 * Leads the person to a step: selects it, brings it into view, and on a
 * narrow screen turns to the part that shows it.
 */
export function useReveal(): (id: string, options?: { focus?: boolean }) => void {
  const view = useViewStore();
  return (id, options) => view.getState().canvas?.reveal(id, options);
}
