import { useQuery } from "@tanstack/react-query";
import { Dialog } from "../../../components/Dialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Skeleton } from "../../../components/Skeleton";
import { StatusPill } from "../../../components/StatusPill";
import { useRunPage } from "../context";
import { explainQuery } from "../explain";
import { Reason } from "../step/Why";
import type { RunDialogProps } from "./Dialogs";
import styles from "./dialogs.module.css";

/** Why the run and each of its steps are as they are. */
export default function ExplainDialog({ onClose }: RunDialogProps) {
  const { id, run, rows, select } = useRunPage();
  const explained = useQuery(explainQuery(id, run.stateSeq));
  const reasons = new Map(explained.data?.steps?.map((step) => [step.step_id, step.reasons ?? []]));
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Why the run is as it is"
      description={explained.data && <Reason text={explained.data.summary} />}
      width="medium"
    >
      {explained.isError && <ErrorNotice error={explained.error} doing="The run could not be explained" />}
      {explained.isPending && <Skeleton height={80} />}
      {explained.data && (
        <ul className={styles.explained}>
          {rows.map(({ result }) => (
            <li key={result.step_id}>
              <p className={styles.explainedHead}>
                <button
                  type="button"
                  className={styles.linkLike}
                  onClick={() => {
                    select(result.step_id);
                    onClose();
                  }}
                >
                  {result.step_name}
                </button>
                <StatusPill status={result.status} size="small" />
              </p>
              {(reasons.get(result.step_id) ?? []).map((reason) => (
                <p key={reason}>
                  <Reason text={reason} />
                </p>
              ))}
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}
