import { count } from "../../../lib/text";
import { useDesignerState } from "../context";
import { StepSettings } from "./StepSettings";
import styles from "./settings.module.css";
import { WorkflowSettings } from "./WorkflowSettings";

/** The settings of what is selected. */
export default function SelectedSettings() {
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
