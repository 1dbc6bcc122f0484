import { type RefObject, useEffect, useRef } from "react";
import { count } from "../../../lib/text";
import { useHandlers } from "../../graph/handlers";
import { focusField } from "../../schema-form/focus";
import { useDesignerState, useDesignerStore } from "../context";
import { problemsOf, useProblems } from "../problems";
import { StepSettings } from "./StepSettings";
import styles from "./settings.module.css";
import { WorkflowSettings } from "./WorkflowSettings";

/** The settings of the selected step, or of the workflow where none is selected. */
export function SettingsPanel() {
  const panel = useRef<HTMLDivElement>(null);
  useFocusRequests(panel);
  return (
    <div className={styles.panel} ref={panel}>
      <Selected />
    </div>
  );
}

function Selected() {
  const selection = useDesignerState((state) => state.selection);
  const [id] = selection;
  const exists = useDesignerState((state) => state.document.steps.some((step) => step.id === id));
  if (selection.size > 1) {
    return (
      <header className={styles.head}>
        <div className={styles.titles}>
          <h2>{count(selection.size, "step")} selected</h2>
          <p className={styles.hint}>Move, copy, duplicate or delete them together. Select one to set it up.</p>
        </div>
      </header>
    );
  }
  return id !== undefined && exists ? <StepSettings key={id} id={id} /> : <WorkflowSettings />;
}

/** Gives the focus to the field that somebody asked for, once it is drawn. */
function useFocusRequests(panel: RefObject<HTMLElement | null>): void {
  const designer = useDesignerStore();
  const request = useProblems((state) => state.focus);
  const handlers = useHandlers();
  useEffect(() => {
    if (!request || !handlers) return;
    // A popover that closes gives the focus back first.
    const timer = setTimeout(() => {
      if (panel.current && focusField(panel.current, request.pointer)) problemsOf(designer).setState({ focus: null });
    }, 60);
    return () => clearTimeout(timer);
  }, [request, handlers, designer, panel]);
}
