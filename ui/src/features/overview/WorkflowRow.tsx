import { CirclePlay } from "lucide-react";
import { Link } from "wouter";
import { useWhyNot } from "../../api/role";
import { Button } from "../../components/Button";
import { Skeleton } from "../../components/Skeleton";
import { StatusPill } from "../../components/StatusPill";
import { Cell, RowActions } from "../../components/Table";
import { Ago } from "../../components/Time";
import { rateText, successRate } from "../../lib/figures";
import { count } from "../../lib/text";
import { duration } from "../../lib/time";
import type { useWorkflowActions } from "../workflow-menu/useWorkflowActions";
import { WorkflowMenu } from "../workflow-menu/WorkflowMenu";
import { type Row, statusOf } from "./rows";
import styles from "./WorkflowTable.module.css";

function LastResult({ row }: { row: Row }) {
  const status = statusOf(row);
  const { live, workflow } = row;
  if (!status) return <span className={styles.none}>Never executed</span>;
  const at = live?.created_at ?? workflow.last_executed;
  return (
    <span className={styles.result}>
      <StatusPill status={status} />
      <span className={styles.age}>
        {live && live.progress.total_steps > 0
          ? `${live.progress.completed_steps} of ${count(live.progress.total_steps, "step")}`
          : at && <Ago time={at} />}
      </span>
    </span>
  );
}

interface WorkflowRowProps {
  row: Row;
  actions: ReturnType<typeof useWorkflowActions>;
}

/** A workflow with its last result, its figures and what can be done with it. */
export function WorkflowRow({ row, actions }: WorkflowRowProps) {
  const mayNot = useWhyNot("run");
  const { workflow, figures } = row;
  const why = workflow.valid ? mayNot : "Its newest version has problems";
  const ended = figures ? figures.total - figures.live : 0;
  return (
    <tr>
      <Cell className={styles.name}>
        <Link href={`/workflows/${encodeURIComponent(workflow.id)}`}>{workflow.name}</Link>
        {!workflow.valid && (
          <>
            {" "}
            <span className={styles.none}>(draft with problems)</span>
          </>
        )}
        {workflow.description && <span className={styles.about}>{workflow.description}</span>}
      </Cell>
      <Cell label="Steps" end>
        {workflow.step_count}
      </Cell>
      <Cell label="Last result">
        <LastResult row={row} />
      </Cell>
      <Cell label="Success rate" end>
        {rateText(figures && successRate(figures))}
      </Cell>
      <Cell label="Typical duration" end>
        {ended > 0 ? duration(figures!.median_time) : "–"}
      </Cell>
      <Cell shrink>
        <RowActions>
          <Button
            icon={<CirclePlay />}
            busy={actions.busy === workflow.id}
            why={why}
            aria-label={`Execute ${workflow.name}`}
            onClick={() => void actions.execute(workflow)}
          >
            Execute
          </Button>
          <WorkflowMenu workflow={workflow} actions={actions} />
        </RowActions>
      </Cell>
    </tr>
  );
}

/** Stands for a row that is on its way, as tall as one. */
export function SkeletonRow() {
  return (
    <tr>
      <Cell className={styles.name}>
        <Skeleton width={160} />
        <span className={styles.about}>
          <Skeleton width={220} height={10} />
        </span>
      </Cell>
      <Cell label="Steps" end>
        <Skeleton width={20} />
      </Cell>
      <Cell label="Last result">
        <Skeleton width={150} height={20} />
      </Cell>
      <Cell label="Success rate" end>
        <Skeleton width={44} />
      </Cell>
      <Cell label="Typical duration" end>
        <Skeleton width={52} />
      </Cell>
      <Cell shrink>
        <RowActions>
          <Skeleton width={138} height={34} />
        </RowActions>
      </Cell>
    </tr>
  );
}
