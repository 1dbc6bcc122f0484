// What the designer edits, and its history. Three things are kept apart: the
// document (what is saved, and what undo goes back in), the view (selection;
// never in the history), and live status with problems, which have stores of
// their own so that an event does not redraw the canvas.
import { temporal } from "zundo";
import { createStore } from "zustand";
import type { Definition } from "../../api/types";
import { sameJson } from "../../lib/json";

export { sameJson };

/** How long presses and letters of one kind join into one entry of the history, in milliseconds. */
const joinWithin = 600;
/** How many entries undo goes back. */
const historyLimit = 100;

/** What the server has: the base of every save, and what "unsaved" is measured by. */
export interface Saved {
  /** The workflow's id; null for one that was never saved. */
  id: string | null;
  /** The revision that was loaded or saved last; 0 for one that was never saved. */
  revision: number;
  definition: Definition;
}

export interface EditOptions {
  join?: string;
  select?: Iterable<string>;
  always?: boolean;
}

export interface DesignerState {
  document: Definition;
  /** Ids of the selected steps. */
  selection: ReadonlySet<string>;
  /** The selected connection, as "from>to"; null where none is. */
  selectedEdge: string | null;
  saved: Saved;
  /** While a run is followed nothing is edited. */
  locked: boolean;
  /** The person has no right to edit. */
  readOnly: boolean;

  /**
   * Changes the document: one entry of the history, whatever the change does.
   * Calls with the same join key within a moment become one entry. A change
   * that returns the document it was given does nothing, and none does
   * anything while editing is locked, but one that is always made.
   */
  edit(change: (document: Definition) => Definition, options?: EditOptions): void;
  /** Goes back one entry, unless editing is locked. What follows is an entry of its own, whatever its join key. */
  undo(): void;
  /** Takes the last undo back. */
  redo(): void;
  select(ids: Iterable<string>): void;
  selectEdge(edge: string | null): void;
  /** After a save: what was sent is now what the server has. */
  markSaved(saved: Saved): void;
  /** Replaces all, history included: another workflow, or a restored draft. */
  load(document: Definition, saved: Saved): void;
}

export type DesignerStore = ReturnType<typeof createDesignerStore>;

const none: ReadonlySet<string> = new Set();

/** A selection without steps that the document has not, or no longer; the same one where it has all of them. */
function present(selection: ReadonlySet<string>, { steps }: Definition): ReadonlySet<string> {
  const ids = new Set(steps.map(({ id }) => id));
  const kept = [...selection].filter((id) => ids.has(id));
  return kept.length === selection.size ? selection : new Set(kept);
}

/** Makes the store of one open designer. */
export function createDesignerStore(document: Definition, saved: Saved) {
  let joinKey = "";
  let joinedAt = 0;
  const store = createStore<DesignerState>()(
    temporal(
      (set, get) => ({
        document,
        selection: none,
        selectedEdge: null,
        saved,
        locked: false,
        readOnly: false,
        edit(change, options = {}) {
          const { document: before, locked, readOnly } = get();
          if ((locked || readOnly) && !options.always) return;
          const after = change(before);
          if (after === before) return;
          const now = Date.now();
          const joins = options.join !== undefined && options.join === joinKey && now - joinedAt < joinWithin;
          joinKey = options.join ?? "";
          joinedAt = now;
          const history = store.temporal.getState();
          if (joins) history.pause();
          const selection = present(options.select ? new Set(options.select) : get().selection, after);
          set({ document: after, selection, ...(options.select && { selectedEdge: null }) });
          if (joins) history.resume();
        },
        undo() {
          joinKey = "";
          if (!get().locked && !get().readOnly) store.temporal.getState().undo();
          set(({ selection, document: now }) => ({ selection: present(selection, now) }));
        },
        redo() {
          joinKey = "";
          if (!get().locked && !get().readOnly) store.temporal.getState().redo();
          set(({ selection, document: now }) => ({ selection: present(selection, now) }));
        },
        select(ids) {
          set({ selection: new Set(ids), selectedEdge: null });
        },
        selectEdge(edge) {
          set({ selection: none, selectedEdge: edge });
        },
        markSaved(now) {
          joinKey = "";
          set({ saved: now });
        },
        load(next, now) {
          joinKey = "";
          set({ document: next, saved: now, selection: none, selectedEdge: null });
          store.temporal.getState().clear();
        },
      }),
      {
        limit: historyLimit,
        partialize: ({ document: kept }) => ({ document: kept }),
        equality: (a, b) => a.document === b.document,
      },
    ),
  );
  return store;
}

/** Whether the document differs from what the server has. */
export function isUnsaved(state: Pick<DesignerState, "document" | "saved">): boolean {
  return state.document !== state.saved.definition && !sameJson(state.document, state.saved.definition);
}
