// What a person does to executions, workflows and triggers. Each action throws
// ApiError where the server refuses it, and gives its answer otherwise; live
// events then bring lists up to date.
import { client, type Schemas, take } from "./client";
import type { Execution, Json, Plugin, Trigger } from "./types";

export type Started = Schemas["Started"];
export type Launched = Schemas["Launched"];
export type Forked = Schemas["Forked"];
export type ForkPlan = Schemas["ForkPlan"];
export type ForkOptions = Schemas["ForkOptions"];
export type Preview = Schemas["Preview"];
export type Approval = Schemas["Approval"];
export type Resolution = Schemas["Resolution"];
export type RetryOptions = Schemas["RetryOptions"];

export type Parameters = { [name: string]: Json };

export interface StartOptions {
  /** The workspace's name; the default one without it. */
  workspace?: string;
  /** Ids of steps that are left out. */
  skipSteps?: string[];
  /** The same key within a day starts nothing anew and gives the first execution again. */
  idempotencyKey?: string;
}

const at = (id: string) => ({ path: { id } });

/** Starts a workflow in its saved revision, and gives the new execution without waiting for its end. */
export async function startExecution(
  workflowId: string,
  parameters: Parameters = {},
  { workspace, skipSteps, idempotencyKey }: StartOptions = {},
): Promise<Started> {
  const answer = await take(
    client.POST("/api/vwmp/workflows/{id}/execute/", {
      params: { ...at(workflowId), header: { "X-Vwmp-Trigger": "manual" } },
      body: { parameters, workspace, skip_steps: skipSteps, idempotency_key: idempotencyKey },
    }),
  );
  return answer as unknown as Started;
}

/** What an execution would do, without doing it. */
export function planExecution(
  workflowId: string,
  parameters: Parameters = {},
  { workspace, skipSteps }: StartOptions = {},
): Promise<Preview> {
  return take(
    client.POST("/api/vwmp/workflows/{id}/plan/", {
      params: at(workflowId),
      body: { parameters, workspace, skip_steps: skipSteps },
    }),
  ) as Promise<Preview>;
}

/** Ends a run; `always` steps still run. A second cancel ends those too. */
export function cancelExecution(id: string): Promise<Execution> {
  return take(client.POST("/api/vwmp/executions/{id}/cancel/", { params: at(id) })) as Promise<Execution>;
}

/** Lets running steps end and starts no further one. */
export function pauseExecution(id: string): Promise<Execution> {
  return take(client.POST("/api/vwmp/executions/{id}/pause/", { params: at(id) })) as Promise<Execution>;
}

export function resumeExecution(id: string): Promise<Execution> {
  return take(client.POST("/api/vwmp/executions/{id}/resume/", { params: at(id) })) as Promise<Execution>;
}

/** Runs an ended execution anew as one of its own; from a step on where one is named. */
export function retryExecution(id: string, options: RetryOptions = {}): Promise<Launched> {
  return take(client.POST("/api/vwmp/executions/{id}/retry/", { params: at(id), body: options })) as Promise<Launched>;
}

/** Undoes what the steps of an ended execution did, as an execution of its own. */
export function undoExecution(id: string): Promise<Launched> {
  return take(client.POST("/api/vwmp/executions/{id}/undo/", { params: at(id) })) as Promise<Launched>;
}

/** Which steps an undo would take back, and why the others stay; nothing is done. */
export function planUndo(id: string): Promise<Schemas["UndoPlan"]> {
  const params = { ...at(id), query: { dry_run: true } };
  return take(client.POST("/api/vwmp/executions/{id}/undo/", { params })) as Promise<Schemas["UndoPlan"]>;
}

/** Goes on from one step of an ended execution with what came before it kept, as an execution of its own. */
export function forkExecution(id: string, options: ForkOptions): Promise<Forked> {
  const params = { ...at(id), query: { dry_run: false } };
  return take(
    client.POST("/api/vwmp/executions/{id}/fork/", { params, body: options }),
  ) as Promise<unknown> as Promise<Forked>;
}

/** Which steps a fork would keep and do again, and which of those are not safe to repeat. */
export function planFork(id: string, options: ForkOptions): Promise<ForkPlan> {
  const params = { ...at(id), query: { dry_run: true } };
  return take(client.POST("/api/vwmp/executions/{id}/fork/", { params, body: options })) as Promise<ForkPlan>;
}

/** Answers a step that waits for an approval: `approved: false` rejects it. */
export function approveStep(id: string, step: string, answer: Approval): Promise<Execution> {
  return take(
    client.POST("/api/vwmp/executions/{id}/steps/{step}/approve/", { params: { path: { id, step } }, body: answer }),
  ) as Promise<Execution>;
}

/** Says what became of a step whose outcome is unknown. */
export function resolveStep(id: string, step: string, verdict: Resolution): Promise<Execution> {
  return take(
    client.POST("/api/vwmp/executions/{id}/steps/{step}/resolve/", { params: { path: { id, step } }, body: verdict }),
  ) as Promise<Execution>;
}

/** Sends a named signal, with a value, to the steps that wait for it. */
export function signalExecution(id: string, name: string, value: Json = null): Promise<Execution> {
  return take(
    client.POST("/api/vwmp/executions/{id}/signals/{name}/", { params: { path: { id, name } }, body: value }),
  ) as Promise<Execution>;
}

/** Removes an ended execution with its events, logs and artefacts. */
export async function deleteExecution(id: string): Promise<void> {
  await client.DELETE("/api/vwmp/executions/{id}/", { params: at(id) });
}

/** Removes a workflow with its versions and triggers; its executions stay. Refused while one of them is live. */
export async function deleteWorkflow(id: string): Promise<void> {
  await client.DELETE("/api/vwmp/workflows/{id}/", { params: at(id) });
}

/** Starts a trigger's workflow now, as the trigger would. Gives the new execution. */
export function fireTrigger(id: string): Promise<Started> {
  return take(client.POST("/api/vwmp/triggers/{id}/fire/", { params: at(id) })) as Promise<Started>;
}

export function pauseTrigger(id: string): Promise<Trigger> {
  return take(client.POST("/api/vwmp/triggers/{id}/pause/", { params: at(id) })) as Promise<Trigger>;
}

export function resumeTrigger(id: string): Promise<Trigger> {
  return take(client.POST("/api/vwmp/triggers/{id}/resume/", { params: at(id) })) as Promise<Trigger>;
}

/** Lets a plugin be called again, also one that rests after crashes. */
export function enablePlugin(name: string): Promise<Plugin> {
  return take(client.POST("/api/vwmp/plugins/{name}/enable/", { params: { path: { name } } })) as Promise<Plugin>;
}

/** Keeps a plugin from being called: what runs goes on to its end, and steps that come wait. */
export function disablePlugin(name: string): Promise<Plugin> {
  return take(client.POST("/api/vwmp/plugins/{name}/disable/", { params: { path: { name } } })) as Promise<Plugin>;
}

/** Looks at a plugin's file anew. Without force a version that would break stored workflows is refused. */
export function reloadPlugin(name: string, force = false): Promise<Plugin> {
  return take(
    client.POST("/api/vwmp/plugins/{name}/reload/", { params: { path: { name } }, body: { force } }),
  ) as Promise<Plugin>;
}
