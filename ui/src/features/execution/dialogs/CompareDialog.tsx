import { useInfiniteQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { Link, useLocation } from "wouter";
import { executionsQuery } from "../../../api/queries";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { EmptyState } from "../../../components/EmptyState";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Field, fieldStyles } from "../../../components/Field";
import { Skeleton } from "../../../components/Skeleton";
import { StatusPill } from "../../../components/StatusPill";
import { Ago } from "../../../components/Time";
import { duration } from "../../../lib/time";
import { triggerNames } from "../../execution-list/triggers";
import { useRunPage } from "../context";
import type { RunDialogProps } from "./Dialogs";
import styles from "./dialogs.module.css";

const idPattern = /[0-9a-f]{8}-[0-9a-f-]{27}/i;

/** Asks which other run this one is to be compared with. */
export default function CompareDialog({ onClose }: RunDialogProps) {
  const { id, run } = useRunPage();
  const [, go] = useLocation();
  const form = useId();
  const [text, setText] = useState("");
  const [mistake, setMistake] = useState("");
  const list = useInfiniteQuery(executionsQuery({ workflow_id: run.result.workflow_id }, 20));
  const others = list.data?.pages.flatMap((page) => page.executions).filter((other) => other.execution_id !== id) ?? [];
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Compare with which run?"
      description={`Other runs of “${run.result.workflow_name}”, the newest first.`}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" form={form}>
            Compare
          </Button>
        </>
      }
    >
      {list.isPending && <Skeleton height={90} />}
      {list.isError && <ErrorNotice error={list.error} doing="The other runs could not be loaded" />}
      {list.data && others.length === 0 && <EmptyState title="It has no other run yet" />}
      <ul className={styles.runs}>
        {others.map((other) => (
          <li key={other.execution_id}>
            <Link className={styles.run} href={`/executions/${id}/compare/${other.execution_id}`}>
              <span>
                <StatusPill status={other.status} size="small" />
              </span>
              <span>
                <Ago time={other.started_at} /> · {triggerNames[other.trigger] ?? other.trigger}
              </span>
              <span>{duration(other.total_time)}</span>
            </Link>
          </li>
        ))}
      </ul>
      <form
        id={form}
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          const other = idPattern.exec(text)?.[0];
          setMistake(other ? "" : "Give the id of an execution, or the address of its page.");
          if (other) go(`/executions/${id}/compare/${other}`);
        }}
      >
        <Field label="Or the id of any other" error={mistake}>
          {(control) => (
            <input
              {...control}
              className={fieldStyles.control}
              value={text}
              autoComplete="off"
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Field>
      </form>
    </Dialog>
  );
}
