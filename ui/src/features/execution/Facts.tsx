import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { hasEnded, type Json } from "../../api/types";
import { ExecutionTime } from "../../components/ExecutionTime";
import { JsonTree } from "../../components/JsonTree";
import { StatusPill } from "../../components/StatusPill";
import { Ago } from "../../components/Time";
import { capital, count } from "../../lib/text";
import { triggerNames } from "../execution-list/triggers";
import { useRunPage } from "./context";
import styles from "./Facts.module.css";

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className={styles.fact}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The runs that this one comes from or led to. */
function Relations() {
  const { retry_of, fork_of, undo_of, undone_by, parent } = useRunPage().run.result;
  const links: [string, string | undefined][] = [
    ["Retry of", retry_of],
    ["Fork of", fork_of],
    ["Takes back", undo_of],
    ["Taken back by", undone_by],
    ["Started by a step of", parent?.execution_id],
  ];
  return links.map(
    ([label, id]) =>
      id && (
        <Fact key={label} label={label}>
          <Link href={`/executions/${id}${label.startsWith("Started") ? `?step=${parent?.step_id}` : ""}`}>
            another run
            <span className="visually-hidden"> {id}</span>
          </Link>
        </Fact>
      ),
  );
}

function Parameters() {
  const { run, shown } = useRunPage();
  const [open, setOpen] = useState(false);
  const parameters = (run.result.parameters ?? {}) as { [name: string]: Json };
  const names = Object.keys(parameters);
  if (names.length === 0) return null;
  return (
    <details className={styles.parameters} open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{count(names.length, "parameter")}</summary>
      {open && <JsonTree value={parameters} open={2} shown={shown.value} />}
    </details>
  );
}

/** What one wants to know of a run at first sight. */
export function Facts() {
  const { result, cancelling } = useRunPage().run;
  const ended = hasEnded(result.status);
  return (
    <section className={styles.card} aria-label="About this execution">
      <dl className={styles.facts}>
        <Fact label="Result">
          <StatusPill status={result.status} />
          {cancelling && !ended && <span className={styles.more}>is being cancelled</span>}
        </Fact>
        <Fact label="Started">
          <Ago time={result.started_at} />
        </Fact>
        <Fact label="Duration">
          <ExecutionTime status={result.status} started={result.started_at} total={result.total_time} />
        </Fact>
        <Fact label="Trigger">{triggerNames[result.trigger] ?? capital(result.trigger)}</Fact>
        <Fact label="Workflow">
          <Link href={`/workflows/${result.workflow_id}`}>
            {result.workflow_revision > 0 ? `Version ${result.workflow_revision}` : "Not stored"}
          </Link>
          {result.workflow_version && <span className={styles.more}>({result.workflow_version})</span>}
        </Fact>
        {result.workspace && <Fact label="Workspace">{result.workspace}</Fact>}
        <Relations />
      </dl>
      <Parameters />
    </section>
  );
}
