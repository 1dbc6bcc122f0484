import { useMemo } from "react";
import type { Definition } from "../../api/types";
import { Cell, type Column, Table } from "../../components/Table";
import { orderOf } from "../graph/order";
import styles from "./WorkflowPage.module.css";

const columns: readonly Column[] = [
  { id: "name", label: "Step" },
  { id: "handler", label: "Handler" },
  { id: "after", label: "After" },
  { id: "runs", label: "Runs on" },
];

/** The steps in the order in which they run: the graph for whom a drawing says nothing. */
export function StepsTable({ steps }: { steps: Definition["steps"] }) {
  const ordered = useMemo(() => {
    const byId = new Map(steps.map((step) => [step.id, step]));
    return orderOf(steps).ids.flatMap((id) => byId.get(id) ?? []);
  }, [steps]);
  const names = new Map(steps.map((step) => [step.id, step.name ?? step.id]));
  return (
    <Table label="Steps" columns={columns} dense>
      {ordered.map((step) => (
        <tr key={step.id}>
          <Cell>
            <span className={styles.name}>{step.name ?? step.id}</span> <code className={styles.id}>{step.id}</code>
          </Cell>
          <Cell label="Handler">
            <code>{step.handler}</code>
          </Cell>
          <Cell label="After">
            {step.dependencies && step.dependencies.length > 0
              ? step.dependencies.map((id) => names.get(id) ?? id).join(", ")
              : "–"}
          </Cell>
          <Cell label="Runs on">{step.run_on ?? "success"}</Cell>
        </tr>
      ))}
    </Table>
  );
}
