import { Play } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { startExecution } from "../../../api/actions";
import { hasEnded } from "../../../api/types";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { useDesignerState, useDesignerStore } from "../context";
import { useRun, useRunState } from "../live";
import styles from "../saving/Saving.module.css";
import { useSavingSession, useUnsaved } from "../saving/useSaving";
import { usePanel } from "../view";

const LaunchDialog = lazy(() => import("../../launch/LaunchDialog"));

/** Saves what is unsaved, then starts an execution and follows it on the canvas. */
export function ExecuteButton() {
  const store = useDesignerStore();
  const session = useSavingSession();
  const run = useRun();
  const follows = useRunState((state) => state.run !== null && !hasEnded(state.run.result.status));
  const parameters = useDesignerState((state) => state.document.parameters);
  const name = useDesignerState((state) => state.document.name);
  const { id, revision } = useDesignerState((state) => state.saved);
  const unsaved = useUnsaved() || id === null;
  const [, setPanel] = usePanel();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const follow = (executionId: string) => {
    run.follow(executionId);
    setPanel("run");
  };
  const start = async () => {
    setBusy(true);
    try {
      // A workflow that was never saved has no id to start by before it is.
      if (unsaved && (!parameters?.length || id === null) && !(await session.save())) return;
      if (parameters?.length) {
        setOpen(true);
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
  const label = unsaved ? "Save and execute" : "Execute";
  return (
    <>
      <Button
        kind="primary"
        icon={<Play />}
        busy={busy}
        disabled={follows}
        title={follows ? "It is executing now" : undefined}
        aria-label={label}
        onClick={() => void start()}
      >
        <span className={styles.wideOnly}>{label}</span>
      </Button>
      {open && id !== null && (
        <Suspense>
          <LaunchDialog
            workflow={{ id, name, revision, parameters }}
            open
            onOpenChange={setOpen}
            onStarted={follow}
            before={unsaved ? () => session.save() : undefined}
          />
        </Suspense>
      )}
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
