import { Play } from "lucide-react";
import { useState } from "react";
import { startExecution } from "../../../api/actions";
import { useWhyNot } from "../../../api/role";
import { hasEnded } from "../../../api/types";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { useDesignerState, useDesignerStore } from "../context";
import { useRunState } from "../live";
import styles from "../saving/Saving.module.css";
import { useSavingSession, useUnsaved } from "../saving/useSaving";
import { useViewStore } from "../view";
import { useFollow } from "./LaunchRun";

/** Saves what is unsaved, then starts an execution and follows it on the canvas. */
export function ExecuteButton() {
  const store = useDesignerStore();
  const view = useViewStore();
  const session = useSavingSession();
  const follow = useFollow();
  const follows = useRunState((state) => state.run !== null && !hasEnded(state.run.result.status));
  const parameters = useDesignerState((state) => state.document.parameters);
  const id = useDesignerState((state) => state.saved.id);
  const unsaved = useUnsaved() || id === null;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const start = async () => {
    setBusy(true);
    try {
      // A workflow that was never saved has no id to start by before it is.
      if (unsaved && (!parameters?.length || id === null) && !(await session.save())) return;
      if (parameters?.length) {
        view.getState().set({ dialog: "launch" });
        return;
      }
      const started = await startExecution(store.getState().saved.id!);
      follow(started.execution_id);
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  const why = useWhyNot("run") ?? (follows ? "It is executing now." : undefined);
  const label = unsaved ? "Save and execute" : "Execute";
  return (
    <>
      <Button kind="primary" icon={<Play />} busy={busy} why={why} aria-label={label} onClick={() => void start()}>
        <span className={styles.wideOnly}>{label}</span>
      </Button>
      <Dialog
        open={error !== null}
        onOpenChange={(next) => !next && setError(null)}
        title="The workflow was not executed"
        actions={
          <Button kind="primary" onClick={() => setError(null)}>
            Close
          </Button>
        }
      >
        {error !== null && <ErrorNotice error={error} doing="The execution could not be started" />}
      </Dialog>
    </>
  );
}
