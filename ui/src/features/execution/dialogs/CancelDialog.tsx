import { useMutation } from "@tanstack/react-query";
import { cancelExecution } from "../../../api/actions";
import { AlertDialog } from "../../../components/AlertDialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { count } from "../../../lib/text";
import { useRunPage } from "../context";
import type { RunDialogProps } from "./Dialogs";

/** Asks once before a run is cancelled. */
export default function CancelDialog({ onClose }: RunDialogProps) {
  const { id, run, definition } = useRunPage();
  const cancel = useMutation({ mutationFn: () => cancelExecution(id), onSuccess: onClose });
  const running = Object.values(run.result.step_results).filter(({ status }) => status === "running").length;
  const cleanUp = definition?.steps.some(({ run_on }) => run_on === "always");
  return (
    <AlertDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Cancel this run of “${run.result.workflow_name}”?`}
      confirm="Cancel the run"
      busyText="Cancelling…"
      busy={cancel.isPending}
      cancel="Keep it running"
      onConfirm={() => cancel.mutate()}
    >
      <p>
        {running > 0 ? `${count(running, "step")} will be cut short, and nothing more starts` : "Nothing more starts"}
        {cleanUp && ", but for the steps that always run"}. What was done so far stays.
      </p>
      {cancel.error && <ErrorNotice error={cancel.error} doing="The run was not cancelled" />}
    </AlertDialog>
  );
}
