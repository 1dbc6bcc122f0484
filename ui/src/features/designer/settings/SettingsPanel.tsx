import { lazy, type RefObject, Suspense, useEffect, useRef } from "react";
import { Skeleton } from "../../../components/Skeleton";
import { useHandlers } from "../../graph/handlers";
import { focusField } from "../../schema-form/focus";
import { useDesignerStore } from "../context";
import { problemsOf, useProblems } from "../problems";
import styles from "./settings.module.css";

// The canvas is drawn before the forms are there.
const SelectedSettings = lazy(() => import("./SelectedSettings"));

/** The settings of the selected step, or of the workflow where none is selected. */
export function SettingsPanel() {
  const panel = useRef<HTMLDivElement>(null);
  useFocusRequests(panel);
  return (
    <div className={styles.panel} ref={panel}>
      <Suspense fallback={<Waiting />}>
        <SelectedSettings />
      </Suspense>
    </div>
  );
}

function Waiting() {
  return (
    <div className={styles.waiting}>
      <Skeleton width="60%" height={20} />
      <Skeleton height={34} />
      <Skeleton height={34} />
      <Skeleton height={34} />
    </div>
  );
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
