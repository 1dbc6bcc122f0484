// What the designer shows, as opposed to what it edits: open panels, the part
// that a narrow screen shows, and a hold of the canvas for whoever leads the
// person to a step. Never saved, never in the history.
import { createContext, useContext } from "react";
import { createStore, useStore } from "zustand";
import { useAddress } from "../../components/useUrl";
import type { Point } from "../graph/geometry";

/** What stands beside or below the canvas; part of the address. */
export type Panel = "source" | "history" | "run";
const panels: readonly string[] = ["source", "history", "run"];

/** The open panel, and a way to open another one or, with null, none. */
export function usePanel(): [Panel | null, (panel: Panel | null) => void] {
  const [search, change] = useAddress();
  const asked = search.get("panel");
  const panel = asked !== null && panels.includes(asked) ? (asked as Panel) : null;
  return [
    panel,
    (next) =>
      change((now) => {
        if (next) now.set("panel", next);
        else now.delete("panel");
      }),
  ];
}

export interface RevealOptions {
  focus?: boolean;
  centre?: boolean;
}

/** What the canvas does for others. */
export interface CanvasHandle {
  /**
   * Brings a step into the middle of the view, or with centre false only as
   * far as needed; with focus also gives it the keyboard. A step that is not
   * drawn yet follows as soon as it is.
   */
  reveal(id: string, options?: RevealOptions): void;
  /** The point of the graph at the middle of the view. */
  centre(): Point;
  /** The point of the graph below the pointer; null while it is elsewhere. */
  pointer(): Point | null;
  /** Where the pointer is on the screen; null while it is not over the canvas. */
  screenPointer(): Point | null;
  /** The places of all steps as they are drawn, saved or not. */
  places(): ReadonlyMap<string, Point>;
  /** The step that the keyboard is at. */
  current(): string | null;
  /** Gives the canvas the keyboard. */
  focus(): void;
  /** Moves cards from where they are drawn to where they are now, for the eye only. */
  animateFrom(places: ReadonlyMap<string, Point>): void;
  /** Shows everything, as at the first opening. */
  showAll(): void;
}

/** The parts of the designer on a narrow screen. */
export type Tab = "canvas" | "steps" | "settings";

/** Where a new step goes, and what it is connected to. */
export interface AddTarget {
  /** The middle of the card. Beside what it is connected to, or in the middle of the view, without it. */
  at?: Point;
  /** The step that it waits for. */
  after?: string;
  /** The step that waits for it. */
  before?: string;
  /** The connection that it is put into, as "from>to". */
  into?: string;
  /** Where the list opens on the screen; the middle of the canvas without it. */
  screen?: Point;
}

export interface ViewState {
  /** Tells this designer from others on the clipboard. */
  readonly origin: string;
  palette: boolean;
  stepsList: boolean;
  settings: boolean;
  /** The part that a narrow screen shows; on a wide one, the part that has or had the focus. */
  tab: Tab;
  canvas: CanvasHandle | null;
  /** The quick list for a new step, where it is open. */
  quickAdd: AddTarget | null;
  /** The step whose "Connect to…" list is open. */
  connectFrom: string | null;
  /** What is open above the designer: the form that starts the workflow, a save with a note, or an import. */
  dialog: "launch" | "note" | "import" | null;
  /** Counts how often the keyboard was asked into the settings. */
  settingsAsked: number;
  set(change: Partial<Omit<ViewState, "set" | "origin">>): void;
}

export type ViewStore = ReturnType<typeof createViewStore>;

/** Makes the view of one open designer. */
export function createViewStore() {
  return createStore<ViewState>()((set) => ({
    origin: Math.random().toString(36).slice(2),
    // Beside a folded palette the canvas keeps room on a smaller screen.
    palette: globalThis.innerWidth >= 1180,
    stepsList: false,
    settings: true,
    tab: "canvas",
    canvas: null,
    quickAdd: null,
    connectFrom: null,
    dialog: null,
    settingsAsked: 0,
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

/** Notes that a part has the focus: it is the one that stays where the window gets narrow. */
export function useTabOfFocus(tab: Tab): () => void {
  const view = useViewStore();
  return () => {
    if (view.getState().tab !== tab) view.getState().set({ tab });
  };
}
