import { PanelRightClose, PanelRightOpen } from "lucide-react";
import { type RefObject, useEffect, useRef } from "react";
import { IconButton } from "../../../components/Button";
import { Splitter, useKeptSize } from "../../../components/Splitter";
import { count } from "../../../lib/text";
import { useHandlers } from "../../graph/handlers";
import { focusField } from "../../schema-form/focus";
import { useDesignerState, useDesignerStore } from "../context";
import { problemsOf, useProblems } from "../problems";
import { useView, useViewStore } from "../view";
import { StepSettings } from "./StepSettings";
import styles from "./settings.module.css";
import { WorkflowSettings } from "./WorkflowSettings";

const width = { normal: 348, min: 280, max: 640 };

/** The settings of the selected step, or of the workflow where none is selected. */
export function SettingsPanel() {
  const open = useView((view) => view.settings);
  const view = useViewStore();
  const [size, setSize] = useKeptSize("settings", width.normal);
  const panel = useRef<HTMLElement>(null);
  useFocusRequests(panel);
  if (!open) {
    return (
      <aside className={styles.rail} aria-label="Settings">
        <IconButton
          label="Show the settings"
          icon={<PanelRightOpen />}
          onClick={() => view.getState().set({ settings: true })}
        />
      </aside>
    );
  }
  return (
    <>
      <Splitter
        label="Width of the settings"
        panel="right"
        size={size}
        min={width.min}
        max={width.max}
        normal={width.normal}
        onSize={setSize}
      />
      <aside className={styles.panel} aria-label="Settings" ref={panel} style={{ width: size }}>
        <IconButton
          className={styles.collapse}
          size="small"
          label="Hide the settings"
          icon={<PanelRightClose />}
          onClick={() => view.getState().set({ settings: false })}
        />
        <Selected />
      </aside>
    </>
  );
}

function Selected() {
  const selection = useDesignerState((state) => state.selection);
  const [id] = selection;
  const exists = useDesignerState((state) => state.document.steps.some((step) => step.id === id));
  if (selection.size > 1) {
    return (
      <div className={styles.head}>
        <h2>{count(selection.size, "step")} selected</h2>
        <p className={styles.hint}>Move, copy, duplicate or delete them together. Select one to set it up.</p>
      </div>
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
