import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { type Parameters, retryExecution } from "../../../api/actions";
import { workflowQuery } from "../../../api/queries";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Select } from "../../../components/Select";
import { toast } from "../../../components/toast";
import { useRunPage } from "../context";
import type { RunDialogProps } from "./Dialogs";
import styles from "./dialogs.module.css";
import { noEdits, ParametersEdit } from "./ParametersEdit";

/** Asks how a run is to be retried: from where, with what, and which version. */
export default function RetryDialog({ step, onClose }: RunDialogProps) {
  const { id, run, rows, definition } = useRunPage();
  const { result } = run;
  const [, go] = useLocation();
  const [before] = useState((result.parameters ?? {}) as Parameters);
  const newest = useQuery(workflowQuery(result.workflow_id)).data;
  const newer = newest && newest.revision > result.workflow_revision ? newest : undefined;
  const allGood = result.status === "success";
  const [from, setFrom] = useState(step ?? (allGood ? (rows[0]?.result.step_id ?? "") : ""));
  const [useNewest, setUseNewest] = useState(false);
  const [edits, setEdits] = useState(noEdits);
  const choose = (newestOne: boolean) => {
    setUseNewest(newestOne);
    setEdits(noEdits);
  };
  const retry = useMutation({
    mutationFn: () =>
      retryExecution(id, {
        from_step: from || undefined,
        newest: useNewest || undefined,
        parameters: edits.changed,
      }),
    onSuccess: ({ execution_id }) => {
      toast({ kind: "success", title: "The retry has started" });
      onClose();
      go(`/executions/${execution_id}`);
    },
  });
  const shownDefinition = useNewest && newer ? newer : definition;

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && !retry.isPending && onClose()}
      title={`Retry “${result.workflow_name}”`}
      description="A new run that keeps the results of what is not done again."
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            busy={retry.isPending}
            aria-disabled={!edits.valid || undefined}
            onClick={() => edits.valid && retry.mutate()}
          >
            {retry.isPending ? "Starting…" : "Start the retry"}
          </Button>
        </>
      }
    >
      <div className={styles.form}>
        <fieldset className={styles.choices}>
          <legend>What is done again</legend>
          {!allGood && (
            <label className={styles.choice}>
              <input type="radio" name="from" checked={from === ""} onChange={() => setFrom("")} />
              <span>
                What failed or never ran
                <span className={styles.hint}> Everything that succeeded is kept.</span>
              </span>
            </label>
          )}
          <label className={styles.choice}>
            <input
              type="radio"
              name="from"
              checked={from !== ""}
              onChange={() => setFrom(step ?? rows[0]?.result.step_id ?? "")}
            />
            <span>One step and all that comes after it</span>
          </label>
          {from !== "" && (
            <Select
              aria-label="From the step"
              value={from}
              onChoose={setFrom}
              choices={rows.map(({ result: each }) => ({
                value: each.step_id,
                label: `${each.step_name} (${each.step_id}): ${each.status}`,
              }))}
            />
          )}
        </fieldset>
        {newer && (
          <fieldset className={styles.choices}>
            <legend>Which version of the workflow</legend>
            <label className={styles.choice}>
              <input type="radio" name="revision" checked={!useNewest} onChange={() => choose(false)} />
              <span>The same, version {result.workflow_revision}</span>
            </label>
            <label className={styles.choice}>
              <input type="radio" name="revision" checked={useNewest} onChange={() => choose(true)} />
              <span>The newest, version {newer.revision}</span>
            </label>
          </fieldset>
        )}
        <ParametersEdit
          key={shownDefinition === newer ? "newest" : "same"}
          definition={shownDefinition}
          before={before}
          onChange={setEdits}
        />
        {retry.error && <ErrorNotice error={retry.error} doing="The retry was not started" />}
      </div>
    </Dialog>
  );
}
