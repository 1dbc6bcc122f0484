import { Code, History, Save } from "lucide-react";
import type { ReactNode } from "react";
import { useWhyNot } from "../../../api/role";
import { keysText } from "../../../app/shortcuts";
import { Button, IconButton } from "../../../components/Button";
import { count } from "../../../lib/text";
import { useDesignerState } from "../context";
import { ExecuteButton } from "../run/ExecuteButton";
import { usePanel } from "../view";
import { MoreMenu } from "./MoreMenu";
import { SaveState } from "./SaveState";
import styles from "./Saving.module.css";
import { useSavingSession, useSavingState, useUnsaved } from "./useSaving";

function Title() {
  const name = useDesignerState((state) => state.document.name);
  const steps = useDesignerState((state) => state.document.steps.length);
  const unsaved = useUnsaved();
  return (
    <div className={styles.title}>
      <h1>
        <span className={styles.name} title={name}>
          {name || "Unnamed workflow"}
        </span>
        {unsaved && <span className={styles.dot} aria-hidden="true" />}
      </h1>
      <p className={styles.under}>
        {count(steps, "step")} · <SaveState />
      </p>
    </div>
  );
}

function SaveButton() {
  const session = useSavingSession();
  const saving = useSavingState((state) => state.progress.kind === "saving");
  const mayNot = useWhyNot("edit");
  return (
    <Button
      icon={<Save />}
      busy={saving}
      why={mayNot}
      title={mayNot ? undefined : `Save (${keysText("Mod+S")})`}
      aria-label="Save"
      onClick={() => void session.save()}
    >
      <span className={styles.roomOnly}>Save</span>
    </Button>
  );
}

/** Name and state of the workflow, then the canvas's own buttons (children), then source, save and execute. */
export function DesignerToolbar({ children }: { children: ReactNode }) {
  const stored = useDesignerState((state) => state.saved.id !== null);
  const [panel, setPanel] = usePanel();
  return (
    <div className={styles.bar}>
      <Title />
      <div className={styles.tools}>
        {children}
        <IconButton
          label="Source"
          icon={<Code />}
          aria-pressed={panel === "source"}
          onClick={() => setPanel(panel === "source" ? null : "source")}
        />
        <IconButton
          label={stored ? "Versions" : "Versions: none before the first save"}
          icon={<History />}
          disabled={!stored}
          aria-pressed={panel === "history"}
          onClick={() => setPanel(panel === "history" ? null : "history")}
        />
        <MoreMenu />
      </div>
      <div className={styles.main}>
        <SaveButton />
        <ExecuteButton />
      </div>
    </div>
  );
}
