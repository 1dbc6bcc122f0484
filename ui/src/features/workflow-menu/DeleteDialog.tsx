import { useMutation, useQueryClient } from "@tanstack/react-query";
import { deleteWorkflow } from "../../api/actions";
import { keys } from "../../api/queries";
import { AlertDialog } from "../../components/AlertDialog";
import { ErrorNotice } from "../../components/ErrorNotice";
import { toast } from "../../components/toast";
import { count } from "../../lib/text";

export interface Deletable {
  id: string;
  name: string;
  execution_count: number;
}

interface DeleteDialogProps {
  /** What is asked about; the dialog is closed without it. */
  workflow: Deletable | undefined;
  onClose: () => void;
  onDeleted?: (id: string) => void;
}

/** Asks before a workflow is deleted, and says what goes and what stays. */
export default function DeleteDialog({ workflow, onClose, onDeleted }: DeleteDialogProps) {
  const queries = useQueryClient();
  const deletion = useMutation({
    mutationFn: ({ id }: Deletable) => deleteWorkflow(id),
    onSuccess: (_, { id, name }) => {
      queries.removeQueries({ queryKey: keys.workflow(id) });
      void queries.invalidateQueries({ queryKey: keys.workflows });
      void queries.invalidateQueries({ queryKey: keys.triggers });
      toast({ title: `“${name}” is deleted`, kind: "success" });
      close();
      onDeleted?.(id);
    },
  });
  const close = () => {
    deletion.reset();
    onClose();
  };
  return (
    <AlertDialog
      open={workflow !== undefined}
      onOpenChange={(open) => !open && close()}
      title={`Delete “${workflow?.name ?? ""}”?`}
      confirm="Delete workflow"
      busyText="Deleting…"
      busy={deletion.isPending}
      onConfirm={() => workflow && deletion.mutate(workflow)}
    >
      <p>
        The workflow, all its versions and its triggers are removed. This can't be taken back.
        {workflow && workflow.execution_count > 0 && (
          <> The history of its {count(workflow.execution_count, "execution")} stays.</>
        )}
      </p>
      {deletion.error && <ErrorNotice error={deletion.error} doing="The workflow could not be deleted" />}
    </AlertDialog>
  );
}
