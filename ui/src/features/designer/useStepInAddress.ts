import { useEffect, useRef } from "react";
import { useAddress } from "../../components/useUrl";
import { useDesignerState, useDesignerStore } from "./context";
import { useView } from "./view";

/**
 * Keeps the one selected step in the address as ?step=, so that a link leads
 * to it; at the opening, and when the address changes, it is selected and shown.
 */
export function useStepInAddress(): void {
  const store = useDesignerStore();
  const canvas = useView((state) => state.canvas);
  const [search, change] = useAddress();
  const asked = search.get("step");
  const [only = null] = useDesignerState((state) => (state.selection.size === 1 ? state.selection : none));
  const written = useRef<string | null>(null);
  const ready = canvas !== null;

  useEffect(() => {
    if (!ready || asked === null || asked === written.current) return;
    written.current = asked;
    const { document, selection, select } = store.getState();
    if (!document.steps.some((step) => step.id === asked)) return;
    if (selection.size !== 1 || !selection.has(asked)) select([asked]);
    canvas?.reveal(asked);
  }, [ready, asked, store, canvas]);

  useEffect(() => {
    // A link's own step is looked at before anything is written over it.
    if (!ready || only === written.current) return;
    written.current = only;
    change((now) => {
      if (only === null) now.delete("step");
      else now.set("step", only);
    });
  }, [ready, only, change]);
}

const none: ReadonlySet<string> = new Set();
