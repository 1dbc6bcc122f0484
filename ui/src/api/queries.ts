// What the pages ask the server for, and the keys under which answers are
// kept. Live events patch or outdate the same keys; see live.ts.
import { infiniteQueryOptions, type QueryClient, queryOptions } from "@tanstack/react-query";
import { client, type Schemas, send, take } from "./client";
import {
  type Definition,
  type Execution,
  liveStatuses,
  metadataKeys,
  type StepResult,
  type StoredWorkflow,
  type Waiting,
} from "./types";

export const keys = {
  account: ["account"] as const,
  workflows: ["workflows"] as const,
  workflow: (id: string) => ["workflow", id] as const,
  versions: (id: string) => ["workflow", id, "versions"] as const,
  executions: ["executions"] as const,
  execution: (id: string) => ["execution", id] as const,
  executionWorkflow: (id: string) => ["execution", id, "workflow"] as const,
  stats: ["stats"] as const,
  handlers: ["handlers"] as const,
  handler: (path: string) => ["handler", path] as const,
  types: ["types"] as const,
  plugins: ["plugins"] as const,
  triggers: ["triggers"] as const,
  workspaces: ["workspaces"] as const,
  about: ["about"] as const,
};

export const accountQuery = queryOptions({
  queryKey: keys.account,
  queryFn: ({ signal }) => take(client.GET("/api/vwmp/auth/me/", { signal })),
  staleTime: 60_000,
  // An administrator may change somebody's role at any time.
  refetchInterval: 60_000,
  refetchOnWindowFocus: true,
});

export const workflowsQuery = queryOptions({
  queryKey: keys.workflows,
  queryFn: async ({ signal }) => (await take(client.GET("/api/vwmp/workflows/", { signal }))) ?? [],
});

export function workflowQuery(id: string) {
  return queryOptions({
    queryKey: keys.workflow(id),
    queryFn: async ({ signal }) =>
      (await take(client.GET("/api/vwmp/workflows/{id}/", { params: { path: { id } }, signal }))) as StoredWorkflow,
  });
}

export function statsQuery(days: number) {
  return queryOptions({
    queryKey: [...keys.stats, days] as const,
    queryFn: ({ signal }) => take(client.GET("/api/vwmp/stats/", { params: { query: { days } }, signal })),
  });
}

export const handlersQuery = queryOptions({
  queryKey: keys.handlers,
  queryFn: async ({ signal }) => (await take(client.GET("/api/vwmp/step-handlers/", { signal }))).handlers,
  staleTime: 60_000,
});

export function handlerQuery(path: string) {
  return queryOptions({
    queryKey: keys.handler(path),
    queryFn: ({ signal }) =>
      take(client.GET("/api/vwmp/step-handlers/{path}/schema/", { params: { path: { path } }, signal })),
    staleTime: 60_000,
  });
}

export const typesQuery = queryOptions({
  queryKey: keys.types,
  queryFn: async ({ signal }) => (await take(client.GET("/api/vwmp/workflow-types/", { signal }))).types,
  staleTime: 60_000,
});

export const workspacesQuery = queryOptions({
  queryKey: keys.workspaces,
  queryFn: async ({ signal }) => (await take(client.GET("/api/vwmp/workspaces/", { signal }))).workspaces,
});

export const aboutQuery = queryOptions({
  queryKey: keys.about,
  queryFn: ({ signal }) => take(client.GET("/api/vwmp/about/", { signal })),
});

export const pluginsQuery = queryOptions({
  queryKey: keys.plugins,
  queryFn: ({ signal }) => take(client.GET("/api/vwmp/plugins/", { signal })),
});

/** Which stored workflows use a plugin, by handler and by workflow type. */
export function pluginUsageQuery(name: string) {
  return queryOptions({
    queryKey: [...keys.plugins, name, "usage"] as const,
    queryFn: ({ signal }) =>
      take(client.GET("/api/vwmp/plugins/{name}/usage/", { params: { path: { name } }, signal })),
  });
}

/** The triggers of one workflow, or of all. */
export function triggersQuery(workflowId?: string) {
  return queryOptions({
    queryKey: [...keys.triggers, workflowId ?? ""] as const,
    queryFn: async ({ signal }) =>
      (await take(client.GET("/api/vwmp/triggers/", { params: { query: { workflow_id: workflowId } }, signal })))
        .triggers,
  });
}

/** What a list of executions may be narrowed to; times are RFC 3339. */
export interface ExecutionFilter {
  workflow_id?: string;
  status?: readonly string[];
  trigger?: string;
  since?: string;
  until?: string;
}

const executionsPage = 50;

/** Executions, the newest first, a page at a time. */
export function executionsQuery(filter: ExecutionFilter, limit = executionsPage) {
  return infiniteQueryOptions({
    queryKey: [...keys.executions, filter, limit] as const,
    queryFn: ({ signal, pageParam }) =>
      take(
        client.GET("/api/vwmp/executions/", {
          params: {
            query: { ...filter, status: filter.status?.slice(), limit, cursor: pageParam || undefined },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: ({ next }) => next || undefined,
  });
}

/** How many live executions are looked at, at most. */
export const mostLive = 200;

/**
 * The newest executions that have not ended, with their progress. The page's
 * socket tells of starts and ends but not of single steps, so progress is
 * asked for again while something runs.
 */
export const liveExecutionsQuery = queryOptions({
  queryKey: [...keys.executions, "live"] as const,
  queryFn: async ({ signal }) =>
    (
      await take(
        client.GET("/api/vwmp/executions/", {
          params: { query: { status: [...liveStatuses], limit: mostLive } },
          signal,
        }),
      )
    ).executions,
  refetchInterval: ({ state }) => ((state.data?.length ?? 0) > 0 ? 3_000 : false),
});

export function executionQuery(id: string) {
  return queryOptions({
    queryKey: keys.execution(id),
    queryFn: ({ signal }) => take(client.GET("/api/vwmp/executions/{id}/", { params: { path: { id } }, signal })),
  });
}

/** The definition that an execution is pinned to; it never changes. */
export function executionWorkflowQuery(id: string) {
  return queryOptions({
    queryKey: keys.executionWorkflow(id),
    queryFn: async ({ signal }) =>
      (await take(
        client.GET("/api/vwmp/executions/{id}/workflow/", { params: { path: { id } }, signal }),
      )) as unknown as Definition,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** A page of log lines, as large as the server gives. */
export async function readLogs(id: string, after: number, signal?: AbortSignal): Promise<Schemas["LogList"]> {
  const params = { path: { id }, query: { after_seq: after, limit: 10_000 } };
  return (await take(client.GET("/api/vwmp/executions/{id}/logs/", { params, signal }))) as Schemas["LogList"];
}

/** A stored workflow without its metadata: what may be edited and sent back. */
export function definitionOf(stored: StoredWorkflow): Definition {
  const definition: { [key: string]: unknown } = { ...stored };
  for (const key of metadataKeys) delete definition[key];
  // A definition leaves out what is empty; the metadata beside it don't.
  if (definition.description === "") delete definition.description;
  if (Array.isArray(definition.tags) && definition.tags.length === 0) delete definition.tags;
  return definition as unknown as Definition;
}

/** The saved text of a workflow, byte for byte. */
export async function exportText(id: string, format: "yaml" | "json"): Promise<string> {
  const answer = await send(`/api/vwmp/workflows/${encodeURIComponent(id)}/export/?format=${format}`);
  return answer.text();
}

/** Everything that lists and counts executions is asked for again. */
export async function refreshExecutions(queries: QueryClient): Promise<void> {
  await Promise.all([
    queries.invalidateQueries({ queryKey: keys.workflows }),
    queries.invalidateQueries({ queryKey: keys.executions }),
    queries.invalidateQueries({ queryKey: keys.stats }),
  ]);
}

/** A step, or one item of a for_each, that waits for an approval. */
export interface WaitingApproval {
  execution: Execution;
  step: StepResult;
  /** The item's number, of a step that runs for each of several. */
  item?: number;
  waiting: Waiting;
}

function approvalsOf(execution: Execution): WaitingApproval[] {
  return Object.values(execution.step_results).flatMap((step) => {
    const own: { waiting?: Waiting; index?: number }[] = [{ waiting: step.waiting }, ...(step.items ?? [])];
    return own.flatMap(({ waiting, index }) =>
      waiting?.reason === "approval" ? [{ execution, step, item: index, waiting }] : [],
    );
  });
}

/** Every approval that is waited for, the longest waiting first; whom it is for is said in each. */
export const approvalsQuery = queryOptions({
  queryKey: [...keys.executions, "approvals"] as const,
  queryFn: async ({ signal }) => {
    const { executions } = await take(
      client.GET("/api/vwmp/executions/", { params: { query: { status: ["waiting"], limit: 100 } }, signal }),
    );
    const whole = await Promise.all(
      executions.map(({ execution_id }) =>
        take(client.GET("/api/vwmp/executions/{id}/", { params: { path: { id: execution_id } }, signal })),
      ),
    );
    return whole.flatMap(approvalsOf).sort((a, b) => a.waiting.since.localeCompare(b.waiting.since));
  },
});
