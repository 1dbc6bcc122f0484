import { Link } from "wouter";
import type { ExecutionSummary } from "../../api/types";
import { hasEnded } from "../../api/types";
import { ExecutionTime } from "../../components/ExecutionTime";
import { Skeleton } from "../../components/Skeleton";
import { StatusPill } from "../../components/StatusPill";
import { Cell, type Column, Table } from "../../components/Table";
import { Ago } from "../../components/Time";
import { count } from "../../lib/text";
import { isSet, withLocalTimes } from "../../lib/time";
import { shownOf } from "../run/shown";
import styles from "./ExecutionRows.module.css";
import { triggerNames } from "./triggers";

interface ExecutionRowsProps {
  /** Without them, bars stand where they will be. */
  executions: readonly ExecutionSummary[] | undefined;
  /** On a workflow's page its name says nothing; there an execution is named by its time. */
  ofOneWorkflow?: boolean;
  skeletons?: number;
}

/** Of many runs at once the definitions are not at hand. */
const shown = shownOf(undefined);

const columns: readonly Column[] = [
  { id: "workflow", label: "Workflow" },
  { id: "result", label: "Result" },
  { id: "started", label: "Started" },
  { id: "duration", label: "Duration", end: true },
  { id: "trigger", label: "Trigger" },
  { id: "version", label: "Version", end: true },
];

function Detail({ execution }: { execution: ExecutionSummary }) {
  const { error, status, status_reason: reason, progress } = execution;
  if (error) return <span className={styles.why}>{shown.note(error.message)}</span>;
  if (reason) return <span className={styles.hint}>{shown.note(withLocalTimes(reason))}</span>;
  if (hasEnded(status)) return <span className={styles.hint}>{count(progress.total_steps, "step")}</span>;
  return (
    <span className={styles.hint}>
      {progress.completed_steps} of {count(progress.total_steps, "step")} done
    </span>
  );
}

function Row({ execution, ofOneWorkflow }: { execution: ExecutionSummary; ofOneWorkflow?: boolean }) {
  const { execution_id: id, workflow_name: name, created_at: created, status } = execution;
  const started = isSet(execution.started_at) ? execution.started_at : created;
  return (
    <tr>
      <Cell className={styles.name}>
        <Link href={`/executions/${id}`}>
          {ofOneWorkflow ? <Ago time={created} /> : name}
          {!ofOneWorkflow && <span className="visually-hidden">, {status}</span>}
        </Link>
        <Detail execution={execution} />
      </Cell>
      <Cell label="Result">
        <StatusPill status={status} />
      </Cell>
      {!ofOneWorkflow && (
        <Cell label="Started">
          <Ago time={created} />
        </Cell>
      )}
      <Cell label="Duration" end>
        <ExecutionTime status={status} started={started} total={execution.total_time} />
      </Cell>
      <Cell label="Trigger">{triggerNames[execution.trigger] ?? execution.trigger}</Cell>
      <Cell label="Version" end>
        {execution.workflow_revision}
      </Cell>
    </tr>
  );
}

function SkeletonRow({ ofOneWorkflow }: { ofOneWorkflow?: boolean }) {
  return (
    <tr>
      <Cell className={styles.name}>
        <Skeleton width={150} />
        <span className={styles.hint}>
          <Skeleton width={90} height={10} />
        </span>
      </Cell>
      <Cell label="Result">
        <Skeleton width={82} height={20} />
      </Cell>
      {!ofOneWorkflow && (
        <Cell label="Started">
          <Skeleton width={90} />
        </Cell>
      )}
      <Cell label="Duration" end>
        <Skeleton width={44} />
      </Cell>
      <Cell label="Trigger">
        <Skeleton width={70} />
      </Cell>
      <Cell label="Version" end>
        <Skeleton width={16} />
      </Cell>
    </tr>
  );
}

/** Executions as rows, each the way to its page. */
export function ExecutionRows({ executions, ofOneWorkflow, skeletons = 10 }: ExecutionRowsProps) {
  return (
    <Table
      label="Executions"
      columns={
        ofOneWorkflow
          ? [{ id: "started", label: "Started" }, ...columns.filter(({ id }) => id !== "workflow" && id !== "started")]
          : columns
      }
      busy={!executions}
    >
      {executions
        ? executions.map((each) => <Row key={each.execution_id} execution={each} ofOneWorkflow={ofOneWorkflow} />)
        : Array.from({ length: skeletons }, (_, index) => index).map((index) => (
            <SkeletonRow key={index} ofOneWorkflow={ofOneWorkflow} />
          ))}
    </Table>
  );
}
