import { lazy, Suspense } from "react";
import { useDesignerState } from "../context";
import { useRun } from "../live";
import { useSavingSession, useUnsaved } from "../saving/useSaving";
import { usePanel } from "../view";

const LaunchDialog = lazy(() => import("../../launch/LaunchDialog"));

/** Follows an execution on the canvas and in the panel below it. */
export function useFollow(): (executionId: string) => void {
  const run = useRun();
  const [, setPanel] = usePanel();
  return (executionId) => {
    run.follow(executionId);
    setPanel("run");
  };
}

/** The form that starts the workflow and previews it; it saves first what is unsaved. */
export function LaunchRun({ onOpenChange }: { onOpenChange: (open: boolean) => void }) {
  const session = useSavingSession();
  const parameters = useDesignerState((state) => state.document.parameters);
  const name = useDesignerState((state) => state.document.name);
  const { id, revision } = useDesignerState((state) => state.saved);
  const unsaved = useUnsaved();
  const follow = useFollow();
  if (id === null) return null;
  return (
    <Suspense>
      <LaunchDialog
        workflow={{ id, name, revision, parameters }}
        open
        onOpenChange={onOpenChange}
        onStarted={follow}
        before={unsaved ? () => session.save() : undefined}
      />
    </Suspense>
  );
}
