import { useMutation } from "@tanstack/react-query";
import { cancelExecution } from "../../api/actions";
import type { Definition, Execution } from "../../api/types";
import { AlertDialog } from "../../components/AlertDialog";
import { ErrorNotice } from "../../components/ErrorNotice";
import { count } from "../../lib/text";

interface CancelDialogProps {
  result: Execution;
  definition: Pick<Definition, "steps"> | undefined;
  onClose: () => void;
}

/** Asks once before a run is cancelled. */
export function CancelDialog({ result, definition, onClose }: CancelDialogProps) {
  const cancel = useMutation({ mutationFn: () => cancelExecution(result.execution_id), onSuccess: onClose });
  const running = Object.values(result.step_results).filter(({ status }) => status === "running").length;
  const cleanUp = definition?.steps.some(({ run_on }) => run_on === "always");
  return (
    <AlertDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Cancel this run of “${result.workflow_name}”?`}
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
