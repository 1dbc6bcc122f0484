import { useQuery } from "@tanstack/react-query";
import { ArrowLeftRight, ChevronRight, Equal } from "lucide-react";
import { useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { client, type Schemas, take } from "../../api/client";
import { executionWorkflowQuery, keys } from "../../api/queries";
import { Button } from "../../components/Button";
import { Card } from "../../components/Card";
import { EmptyState } from "../../components/EmptyState";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Loading } from "../../components/Loading";
import { Page } from "../../components/Page";
import { Skeleton } from "../../components/Skeleton";
import { StatusPill } from "../../components/StatusPill";
import { Ago } from "../../components/Time";
import { count } from "../../lib/text";
import { duration } from "../../lib/time";
import { triggerNames } from "../execution-list/triggers";
import { LogText } from "../run/LogText";
import { type Shown, shownOf } from "../run/shown";
import styles from "./ComparePage.module.css";
import { Differences } from "./Differences";

type Comparison = Schemas["Comparison"];
type Step = Comparison["steps"][number];
type Run = Comparison["execution"];

function compareQuery(id: string, other: string) {
  return {
    queryKey: [...keys.execution(id), "compare", other],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      take(
        client.GET("/api/vwmp/executions/{id}/compare/{other}/", { params: { path: { id, other } }, signal }),
      ) as Promise<Comparison>,
  };
}

/** Two runs side by side, step by step. */
export default function ComparePage({ id, other }: { id: string; other: string }) {
  const [, go] = useLocation();
  const { data, error, isError, isFetching, refetch } = useQuery(compareQuery(id, other));
  const first = useQuery(executionWorkflowQuery(id)).data;
  const second = useQuery(executionWorkflowQuery(other)).data;
  const shown = useMemo(() => shownOf(first, second), [first, second]);
  const name = data ? nameOf(data) : "";
  return (
    <Page
      title="Compare executions"
      documentTitle={name ? `Compare: ${name}` : "Compare"}
      subtitle={name}
      wide
      actions={
        <Button icon={<ArrowLeftRight />} onClick={() => go(`/executions/${other}/compare/${id}`)}>
          Swap sides
        </Button>
      }
    >
      {isError && (
        <ErrorNotice
          error={error}
          doing="The executions could not be compared"
          onRetry={() => void refetch()}
          retrying={isFetching}
        />
      )}
      {!data && !isError && (
        <Loading label="Comparing">
          <Skeleton height={220} />
        </Loading>
      )}
      {data && <Compared comparison={data} shown={shown} />}
    </Page>
  );
}

function nameOf({ execution, other }: Comparison): string {
  return execution.workflow_name === other.workflow_name
    ? execution.workflow_name
    : `${execution.workflow_name} and ${other.workflow_name}`;
}

function Compared({ comparison, shown }: { comparison: Comparison; shown: Shown }) {
  const { execution, other, parameters, steps } = comparison;
  const [all, setAll] = useState(false);
  const different = steps.filter((step) => !step.same);
  const listed = all ? steps : different;
  return (
    <>
      <div className={styles.runs}>
        <RunFacts run={execution} label="First" />
        <RunFacts run={other} label="Second" />
      </div>
      {parameters.length > 0 && (
        <Card title={count(parameters.length, "parameter differs", "parameters differ")} padded>
          <Differences list={parameters} shown={shown} />
        </Card>
      )}
      <Card
        title={
          different.length === 0
            ? "Every step came out the same"
            : `${different.length} of ${count(steps.length, "step")} differ`
        }
        aside={
          different.length < steps.length && (
            <Button size="small" aria-pressed={all} onClick={() => setAll(!all)}>
              {all ? "Only differences" : "Show all steps"}
            </Button>
          )
        }
      >
        {listed.length === 0 ? (
          <EmptyState icon={<Equal />} title="Status, output and failure are the same in both">
            Only the times may differ.
          </EmptyState>
        ) : (
          <ul className={styles.steps}>
            {listed.map((step) => (
              <StepRow key={step.step_id} step={step} first={execution} second={other} shown={shown} />
            ))}
          </ul>
        )}
      </Card>
    </>
  );
}

function RunFacts({ run, label }: { run: Run; label: string }) {
  return (
    <section className={styles.run} aria-label={`${label} execution`}>
      <p className={styles.runHead}>
        <span className={styles.side}>{label}</span>
        <StatusPill status={run.status} />
      </p>
      <p>
        <Link href={`/executions/${run.execution_id}`}>
          Started <Ago time={run.started_at} />
        </Link>
      </p>
      <p className={styles.more}>
        {duration(run.total_time)} · {triggerNames[run.trigger] ?? run.trigger}
        {run.workflow_revision > 0 && ` · version ${run.workflow_revision}`}
      </p>
    </section>
  );
}

interface StepRowProps {
  step: Step;
  first: Run;
  second: Run;
  shown: Shown;
}

function StepRow({ step, first, second, shown }: StepRowProps) {
  const [open, setOpen] = useState(false);
  const differences = step.output.length + (step.more ?? 0);
  const details = differences > 0 || step.execution?.error || step.other?.error;
  return (
    <li className={styles.step}>
      <div className={styles.stepHead}>
        <div className={styles.name}>
          {details ? (
            <button type="button" className={styles.toggle} aria-expanded={open} onClick={() => setOpen(!open)}>
              <ChevronRight aria-hidden="true" />
              {step.step_name}
            </button>
          ) : (
            <span className={styles.flat}>{step.step_name}</span>
          )}
          <code>{step.step_id}</code>
        </div>
        <Side result={step.execution} run={first} step={step.step_id} label="First" />
        <Side result={step.other} run={second} step={step.step_id} label="Second" />
        <p className={styles.verdict}>{verdictOf(step, differences)}</p>
      </div>
      {open && (
        <div className={styles.details}>
          {(step.execution?.error || step.other?.error) && (
            <div className={styles.errors}>
              {[step.execution, step.other].map((side, index) => (
                <p key={index === 0 ? "first" : "second"}>
                  {side?.error ? <LogText text={shown.text(side.error.message)} /> : "No failure"}
                </p>
              ))}
            </div>
          )}
          {step.output.length > 0 && <Differences list={step.output} shown={shown} />}
          {step.more && <p className={styles.more}>and {count(step.more, "further difference")}</p>}
        </div>
      )}
    </li>
  );
}

function verdictOf(step: Step, differences: number): string {
  if (!step.execution) return "Only in the second";
  if (!step.other) return "Only in the first";
  const parts: string[] = [];
  if (differences > 0) parts.push(count(differences, "difference in its output", "differences in its output"));
  const slower = step.execution_time_difference;
  const kept = step.execution.kept_from || step.other.kept_from;
  if (!kept && Math.abs(slower) >= 0.05)
    parts.push(`${duration(Math.abs(slower))} ${slower > 0 ? "slower" : "faster"}`);
  if (step.same && parts.length === 0) return "The same";
  return parts.join(", ");
}

function Side({ result, run, step, label }: { result: Step["execution"]; run: Run; step: string; label: string }) {
  return (
    <div className={styles.result}>
      <span className="visually-hidden">{label}: </span>
      {result ? (
        <>
          <Link href={`/executions/${run.execution_id}?step=${encodeURIComponent(step)}`} className={styles.pill}>
            <StatusPill status={result.status} size="small" />
          </Link>
          <span className={styles.more}>
            {result.kept_from ? "kept" : duration(result.execution_time)}
            {result.attempts > 1 && ` · ${count(result.attempts, "attempt")}`}
          </span>
        </>
      ) : (
        <span className={styles.more}>–</span>
      )}
    </div>
  );
}
