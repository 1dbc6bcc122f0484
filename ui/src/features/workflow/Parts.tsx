import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { executionsQuery, triggersQuery } from "../../api/queries";
import type { StoredWorkflow } from "../../api/types";
import { Badge } from "../../components/Badge";
import { LinkButton } from "../../components/Button";
import { Card } from "../../components/Card";
import { ErrorNotice } from "../../components/ErrorNotice";
import { StatusPill } from "../../components/StatusPill";
import { Cell, type Column, Table } from "../../components/Table";
import { Ago } from "../../components/Time";
import { ExecutionRows } from "../execution-list/ExecutionRows";
import { stateOf, stateText, stateTones, typeNames, whenText } from "../trigger-list/describe";
import { visibleTo } from "./sharing";
import styles from "./WorkflowPage.module.css";

const recent = 8;

/** The newest executions of a workflow. */
export function Executions({ id }: { id: string }) {
  const list = useInfiniteQuery(executionsQuery({ workflow_id: id }, recent));
  const executions = list.data?.pages[0]?.executions;
  return (
    <Card
      title="Recent executions"
      aside={
        <LinkButton size="small" href={`/executions?workflow=${encodeURIComponent(id)}`}>
          All executions
        </LinkButton>
      }
    >
      {list.error && !executions && (
        <ErrorNotice
          error={list.error}
          doing="The executions could not be loaded"
          onRetry={() => void list.refetch()}
          retrying={list.isFetching}
        />
      )}
      {executions?.length === 0 && <p className={styles.none}>It was not executed yet.</p>}
      {(executions?.length ?? 1) > 0 && !(list.error && !executions) && (
        <ExecutionRows executions={executions} ofOneWorkflow skeletons={4} />
      )}
    </Card>
  );
}

const triggerColumns: readonly Column[] = [
  { id: "when", label: "Fires" },
  { id: "state", label: "State" },
  { id: "next", label: "Next due" },
];

/** What starts a workflow by itself; nothing where nothing does. */
export function Triggers({ id }: { id: string }) {
  const list = useQuery(triggersQuery(id)).data;
  if (!list || list.length === 0) return null;
  return (
    <Card
      title="Triggers"
      aside={
        <LinkButton size="small" href={`/triggers?workflow=${encodeURIComponent(id)}`}>
          Firings
        </LinkButton>
      }
    >
      <Table label="Triggers" columns={triggerColumns} dense>
        {list.map((trigger) => (
          <tr key={trigger.id}>
            <Cell>
              {whenText(trigger)}
              <span className={styles.hint}>
                {typeNames[trigger.type]} · {trigger.trigger_id}
              </span>
              {trigger.problem && <span className={styles.problem}>{trigger.problem}</span>}
            </Cell>
            <Cell label="State">
              <Badge tone={stateTones[stateOf(trigger)]}>{stateText(trigger).word}</Badge>
            </Cell>
            <Cell label="Next due">{trigger.next_due ? <Ago time={trigger.next_due} /> : "–"}</Cell>
          </tr>
        ))}
      </Table>
    </Card>
  );
}

/** What is known of a workflow besides its steps. */
export function Facts({ workflow }: { workflow: StoredWorkflow }) {
  const facts: [string, React.ReactNode][] = [
    [
      "Last result",
      workflow.last_status ? (
        <>
          <StatusPill status={workflow.last_status} size="small" />{" "}
          {workflow.last_executed && <Ago time={workflow.last_executed} />}
        </>
      ) : (
        "Never executed"
      ),
    ],
    ["Executions", new Intl.NumberFormat().format(workflow.execution_count)],
    ["Version", workflow.version ? `${workflow.revision} (${workflow.version})` : workflow.revision],
    ["Saved", <Ago key="saved" time={workflow.updated_at} />],
    ["Owner", workflow.owner || "–"],
    ["Seen by", visibleTo(workflow)],
    ["Type", workflow.type || "general"],
    ["Id", <code key="id">{workflow.id}</code>],
  ];
  if (workflow.tags && workflow.tags.length > 0) {
    facts.push([
      "Tags",
      workflow.tags.map((tag) => (
        <span key={tag} className={styles.tag}>
          {tag}
        </span>
      )),
    ]);
  }
  return (
    <Card>
      <dl className={styles.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
