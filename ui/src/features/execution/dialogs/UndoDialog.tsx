import { useMutation, useQuery } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { planUndo, undoExecution } from "../../../api/actions";
import { keys } from "../../../api/queries";
import { AlertDialog } from "../../../components/AlertDialog";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Skeleton } from "../../../components/Skeleton";
import { StatusIcon } from "../../../components/StatusIcon";
import { toast } from "../../../components/toast";
import { count } from "../../../lib/text";
import { useRunPage } from "../context";
import type { RunDialogProps } from "./Dialogs";
import styles from "./dialogs.module.css";

/** Says what an undo of the run would take back and what not, and starts it. */
export default function UndoDialog({ onClose }: RunDialogProps) {
  const { id, run } = useRunPage();
  const [, go] = useLocation();
  const plan = useQuery({
    queryKey: [...keys.execution(id), "undo"],
    queryFn: () => planUndo(id),
    retry: false,
    gcTime: 0,
  });
  const undo = useMutation({
    mutationFn: () => undoExecution(id),
    onSuccess: ({ execution_id }) => {
      toast({ kind: "success", title: "The undo has started" });
      onClose();
      go(`/executions/${execution_id}`);
    },
  });
  const steps = plan.data?.steps ?? [];
  const undone = steps.filter((step) => step.undone);
  const title = `Undo this run of “${run.result.workflow_name}”?`;
  if (!plan.data || undone.length === 0) {
    return (
      <Dialog
        open
        onOpenChange={(open) => !open && onClose()}
        title={plan.data ? "Nothing of this run can be undone" : title}
        actions={<Button onClick={onClose}>Close</Button>}
      >
        {plan.isPending && <Skeleton height={60} />}
        {plan.isError && <ErrorNotice error={plan.error} doing="It can't be undone" />}
        {plan.data && <Outlook steps={steps} />}
      </Dialog>
    );
  }
  return (
    <AlertDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={title}
      confirm={`Undo ${count(undone.length, "step")}`}
      busyText="Starting…"
      busy={undo.isPending}
      cancel="Leave it as it is"
      onConfirm={() => undo.mutate()}
    >
      <p>A new run takes back what can be taken back, what was done last first.</p>
      <Outlook steps={steps} />
      {undo.error && <ErrorNotice error={undo.error} doing="The undo was not started" />}
    </AlertDialog>
  );
}

interface OutlookProps {
  steps: readonly { step_id: string; undone: boolean; items?: number; reason?: string }[];
}

function Outlook({ steps }: OutlookProps) {
  const { run } = useRunPage();
  const nameOf = (id: string) => run.result.step_results[id]?.step_name ?? id;
  const undone = steps.filter((step) => step.undone);
  const rest = steps.filter((step) => !step.undone);
  return (
    <div className={styles.form}>
      {undone.length > 0 && (
        <section className={styles.group} data-status="undone">
          <h3>
            <StatusIcon status="undone" size={14} />
            Taken back
          </h3>
          <ul>
            {undone.map((step) => (
              <li key={step.step_id}>
                {nameOf(step.step_id)}
                {step.items ? `, ${count(step.items, "item")}` : ""}
              </li>
            ))}
          </ul>
        </section>
      )}
      {rest.length > 0 && (
        <section className={styles.group} data-status="pending">
          <h3>
            <StatusIcon status="pending" size={14} />
            Stays as it is
          </h3>
          <ul>
            {rest.map((step) => (
              <li key={step.step_id}>
                {nameOf(step.step_id)}
                <span className={styles.reason}>It {step.reason}.</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
