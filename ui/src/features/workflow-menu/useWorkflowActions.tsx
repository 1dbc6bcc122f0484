import { useQueryClient } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { startExecution } from "../../api/actions";
import { exportText, keys, refreshExecutions, workflowQuery } from "../../api/queries";
import type { Parameter } from "../../api/types";
import { ErrorNotice } from "../../components/ErrorNotice";
import { toast } from "../../components/toast";
import { useOnce } from "../../components/useOnce";
import { fileName, saveText } from "../../lib/download";
import { count } from "../../lib/text";
import type { Deletable } from "./DeleteDialog";

interface Launchable {
  id: string;
  name: string;
  revision: number;
  parameters?: Parameter[];
}

// Dialogs are needed only once somebody acts; the form brings much with it.
const LaunchDialog = lazy(() => import("../launch/LaunchDialog"));
const DeleteDialog = lazy(() => import("./DeleteDialog"));

type Named = Pick<Deletable, "id" | "name">;

interface Actions {
  /** Starts it at once, or opens the form where it has parameters. */
  execute: (workflow: Named) => Promise<void>;
  duplicate: (workflow: Named) => Promise<void>;
  exportAs: (workflow: Named, format: "yaml" | "json") => Promise<void>;
  askDelete: (workflow: Deletable) => void;
  /** The workflow that an action is under way for. */
  busy: string | undefined;
  /** Why the last action failed; stands in the page. */
  notice: ReactNode;
  dialogs: ReactNode;
}

/** Tells that an execution began, with the way to it. */
export function tellStarted(name: string, executionId: string): void {
  toast({
    title: `“${name}” is executing`,
    kind: "success",
    action: { label: "View", href: `/executions/${executionId}` },
  });
}

/** What can be done with a workflow from a list or its own page. */
export function useWorkflowActions({ onDeleted }: { onDeleted?: (id: string) => void } = {}): Actions {
  const queries = useQueryClient();
  const [busy, setBusy] = useState<string>();
  const [failure, setFailure] = useState<{ doing: string; error: unknown }>();
  const [launching, setLaunching] = useState<Launchable>();
  const [open, setOpen] = useState(false);
  const [deleting, setDeleting] = useState<Deletable>();

  const asked = useOnce(deleting !== undefined);

  const attempt = async (id: string, doing: string, run: () => Promise<void>) => {
    if (busy) return;
    setBusy(id);
    setFailure(undefined);
    try {
      await run();
    } catch (error) {
      setFailure({ doing, error });
    } finally {
      setBusy(undefined);
    }
  };

  return {
    busy,
    execute: ({ id, name }) =>
      attempt(id, `“${name}” could not be started`, async () => {
        const { parameters, revision } = await queries.fetchQuery({ ...workflowQuery(id), staleTime: 0 });
        if (parameters && parameters.length > 0) {
          setLaunching({ id, name, revision, parameters });
          setOpen(true);
          return;
        }
        const started = await startExecution(id);
        tellStarted(name, started.execution_id);
        void refreshExecutions(queries);
      }),
    duplicate: ({ id, name }) =>
      attempt(id, `“${name}” could not be duplicated`, async () => {
        const { duplicate } = await import("./duplicate");
        const copy = await duplicate(id);
        await queries.invalidateQueries({ queryKey: keys.workflows });
        toast({
          title: `“${copy.workflow.name}” is stored`,
          description: copy.triggers > 0 ? `Its ${count(copy.triggers, "trigger")} are switched off.` : undefined,
          kind: "success",
          action: { label: "Edit", href: `/designer/${copy.workflow.id}` },
        });
      }),
    exportAs: ({ id, name }, format) =>
      attempt(id, `“${name}” could not be exported`, async () => {
        const text = await exportText(id, format);
        saveText(fileName(name, format), text, format === "yaml" ? "application/yaml" : "application/json");
      }),
    askDelete: setDeleting,
    notice: failure && (
      <ErrorNotice error={failure.error} doing={failure.doing} onClose={() => setFailure(undefined)} />
    ),
    dialogs: (
      <>
        {launching && (
          <Suspense>
            <LaunchDialog
              workflow={launching}
              open={open}
              onOpenChange={setOpen}
              onStarted={(executionId) => {
                tellStarted(launching.name, executionId);
                void refreshExecutions(queries);
              }}
            />
          </Suspense>
        )}
        {asked && (
          <Suspense>
            <DeleteDialog workflow={deleting} onClose={() => setDeleting(undefined)} onDeleted={onDeleted} />
          </Suspense>
        )}
      </>
    ),
  };
}
