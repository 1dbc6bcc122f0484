import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { deleteExecution } from "../../../api/actions";
import { refreshExecutions } from "../../../api/queries";
import { AlertDialog } from "../../../components/AlertDialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Ago } from "../../../components/Time";
import { toast } from "../../../components/toast";
import { useRunPage } from "../context";
import type { RunDialogProps } from "./Dialogs";

/** Asks before the history of a run is removed. */
export default function DeleteDialog({ onClose }: RunDialogProps) {
  const { id, run } = useRunPage();
  const queries = useQueryClient();
  const [, go] = useLocation();
  const deletion = useMutation({
    mutationFn: () => deleteExecution(id),
    onSuccess: () => {
      toast({ kind: "success", title: "The execution is deleted" });
      void refreshExecutions(queries);
      go("/executions");
    },
  });
  return (
    <AlertDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Delete this execution of “${run.result.workflow_name}”?`}
      confirm="Delete execution"
      busyText="Deleting…"
      busy={deletion.isPending}
      onConfirm={() => deletion.mutate()}
    >
      <p>
        The result, the log and the outputs of the run started <Ago time={run.result.started_at} /> are removed. What
        its steps did stays. This can't be taken back.
      </p>
      {deletion.error && <ErrorNotice error={deletion.error} doing="The execution could not be deleted" />}
    </AlertDialog>
  );
}
