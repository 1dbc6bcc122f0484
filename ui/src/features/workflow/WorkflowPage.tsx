import { useQuery, useQueryClient } from "@tanstack/react-query";
import { CirclePlay, Eye, ListOrdered, Network, Pencil, Users } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useLocation } from "wouter";
import { ApiError } from "../../api/client";
import { events } from "../../api/live";
import { accountQuery, keys, workflowQuery } from "../../api/queries";
import { useWhyNot } from "../../api/role";
import type { StoredWorkflow } from "../../api/types";
import { useShortcuts } from "../../app/shortcuts";
import { Button, LinkButton } from "../../components/Button";
import { Card } from "../../components/Card";
import { EmptyState } from "../../components/EmptyState";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Page } from "../../components/Page";
import { Skeleton } from "../../components/Skeleton";
import { useOnce } from "../../components/useOnce";
import { useUrl } from "../../components/useUrl";
import { count } from "../../lib/text";
import { useWorkflowActions } from "../workflow-menu/useWorkflowActions";
import { WorkflowMenu } from "../workflow-menu/WorkflowMenu";
import { Executions, Facts, Triggers } from "./Parts";
import { StepsTable } from "./StepsTable";
import { Versions } from "./Versions";
import styles from "./WorkflowPage.module.css";

const GraphView = lazy(async () => ({ default: (await import("../graph/GraphView")).GraphView }));

const SharingDialog = lazy(() => import("./SharingDialog"));

const defaults = { view: "", step: "", show: "" };

/** Whether the window is too narrow for a drawing to say much. */
function isNarrow(): boolean {
  return globalThis.matchMedia("(max-width: 760px)").matches;
}

function Steps({ workflow }: { workflow: StoredWorkflow }) {
  const [url, setUrl] = useUrl(defaults);
  const view = url.view || (isNarrow() ? "list" : "graph");
  return (
    <Card
      title={count(workflow.steps.length, "step")}
      aside={
        <span className={styles.switch}>
          <Button
            size="small"
            kind={view === "graph" ? "secondary" : "quiet"}
            icon={<Network />}
            aria-pressed={view === "graph"}
            onClick={() => setUrl({ view: "graph" })}
          >
            Graph
          </Button>
          <Button
            size="small"
            kind={view === "list" ? "secondary" : "quiet"}
            icon={<ListOrdered />}
            aria-pressed={view === "list"}
            onClick={() => setUrl({ view: "list" })}
          >
            List
          </Button>
        </span>
      }
    >
      {view === "list" ? (
        <StepsTable steps={workflow.steps} />
      ) : (
        <div className={styles.graph}>
          <Suspense>
            <GraphView
              definition={workflow}
              selected={url.step || undefined}
              onSelect={(step) => setUrl({ step: step ?? "" })}
              height="100%"
              label={`Graph of ${workflow.name}`}
            />
          </Suspense>
        </div>
      )}
    </Card>
  );
}

interface Problem {
  message: string;
  pointer?: string;
}

function Problems({ workflow }: { workflow: StoredWorkflow }) {
  const problems = Array.isArray(workflow.problems) ? (workflow.problems as Problem[]) : [];
  return (
    <Card title="This version is a draft with problems" padded>
      <p>It can't be executed until they are put right.</p>
      <ul className={styles.problems}>
        {problems.slice(0, 10).map((problem) => (
          <li key={`${problem.pointer} ${problem.message}`}>
            {problem.message} {problem.pointer && <code className={styles.id}>{problem.pointer}</code>}
          </li>
        ))}
      </ul>
      {problems.length > 10 && <p>and {problems.length - 10} more</p>}
    </Card>
  );
}

/** Sharing is for the owner and for administrators. */
function useWhyNotShare({ owner }: StoredWorkflow): string | undefined {
  const account = useQuery(accountQuery).data;
  const mayNotEdit = useWhyNot("edit");
  const admin = useWhyNot("accounts") === undefined;
  if (mayNotEdit) return mayNotEdit;
  if (admin || account?.user === owner) return undefined;
  return `Only its owner${owner && `, ${owner},`} and administrators say who may see it.`;
}

function Loaded({ workflow }: { workflow: StoredWorkflow }) {
  const [, go] = useLocation();
  const [{ show }] = useUrl(defaults);
  const actions = useWorkflowActions({ onDeleted: () => go("/", { replace: true }) });
  const mayNot = useWhyNot("run");
  const editor = useWhyNot("edit") === undefined;
  const why = workflow.valid ? mayNot : "Its newest version has problems";
  const mayNotShare = useWhyNotShare(workflow);
  const [sharing, setSharing] = useState(false);
  const shared = useOnce(sharing);
  const execute = () => void actions.execute(workflow);
  useShortcuts([
    {
      keys: "Mod+Enter",
      label: "Execute the workflow",
      group: "Workflow",
      enabled: !why,
      run: execute,
    },
    {
      keys: "Shift+E",
      label: "Edit the workflow",
      group: "Workflow",
      enabled: editor,
      run: () => go(`/designer/${encodeURIComponent(workflow.id)}`),
    },
  ]);
  return (
    <Page
      title={workflow.name}
      subtitle={workflow.description}
      actions={
        <>
          <WorkflowMenu workflow={workflow} actions={actions} own />
          <Button icon={<Users />} why={mayNotShare} onClick={() => setSharing(true)}>
            Sharing
          </Button>
          <LinkButton href={`/designer/${encodeURIComponent(workflow.id)}`} icon={editor ? <Pencil /> : <Eye />}>
            {editor ? "Edit" : "Open in the designer"}
          </LinkButton>
          <Button kind="primary" icon={<CirclePlay />} busy={actions.busy === workflow.id} why={why} onClick={execute}>
            Execute
          </Button>
        </>
      }
    >
      {actions.notice}
      {!workflow.valid && <Problems workflow={workflow} />}
      <Facts workflow={workflow} />
      {Array.isArray(workflow.steps) && <Steps workflow={workflow} />}
      <Executions id={workflow.id} />
      <div className={styles.two}>
        <Versions id={workflow.id} asked={show === "versions"} />
        <Triggers id={workflow.id} />
      </div>
      {shared && (
        <Suspense>
          <SharingDialog
            key={`${workflow.owner} ${workflow.team} ${workflow.visibility}`}
            workflow={workflow}
            open={sharing}
            onOpenChange={setSharing}
          />
        </Suspense>
      )}
      {actions.dialogs}
    </Page>
  );
}

function Failed({ error, onRetry, retrying }: { error: unknown; onRetry: () => void; retrying: boolean }) {
  if (error instanceof ApiError && error.status === 404) {
    return (
      <Page title="Workflow not found">
        <EmptyState
          title="There is no such workflow"
          actions={
            <LinkButton kind="primary" href="/">
              Go to the overview
            </LinkButton>
          }
        >
          It may have been deleted. The history of its executions is kept.
        </EmptyState>
      </Page>
    );
  }
  return (
    <Page title="Workflow">
      <ErrorNotice error={error} doing="The workflow could not be loaded" onRetry={onRetry} retrying={retrying} />
    </Page>
  );
}

/** A workflow to look at: its graph, what it did, its versions and triggers. */
export default function WorkflowPage({ id }: { id: string }) {
  const queries = useQueryClient();
  const workflow = useQuery(workflowQuery(id));
  useEffect(
    () =>
      events.onEvent((event) => {
        // Saves are looked after for every page; its last result is shown here only.
        if (event.workflow_id === id) void queries.invalidateQueries({ queryKey: keys.workflow(id), exact: true });
      }),
    [queries, id],
  );
  if (workflow.data) return <Loaded workflow={workflow.data} />;
  if (workflow.error) {
    return <Failed error={workflow.error} onRetry={() => void workflow.refetch()} retrying={workflow.isFetching} />;
  }
  return (
    <Page title="Workflow">
      <Skeleton height={68} />
      <Skeleton height={456} />
      <Skeleton height={300} />
    </Page>
  );
}
