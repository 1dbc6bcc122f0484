// Names for what the API gives, so that features need not reach into the
// generated file. Where the description is wider than what the server sends,
// the narrower type stands here.
import type { Schemas } from "./client";

/** The thirteen words for where a step or an execution is. */
export const statuses = [
  "pending",
  "queued",
  "running",
  "paused",
  "waiting",
  "retrying",
  "interrupted",
  "success",
  "partial",
  "failed",
  "skipped",
  "cancelled",
  "undone",
] as const;
export type Status = (typeof statuses)[number];

const ended: readonly string[] = ["success", "partial", "failed", "skipped", "cancelled", "undone"];

/** Whether nothing more comes after this status. */
export function hasEnded(status: string): boolean {
  return ended.includes(status);
}

/** Where an execution is that has not ended. */
export const liveStatuses = ["pending", "queued", "running", "paused", "waiting"] as const satisfies readonly Status[];

export function isStatus(word: string): word is Status {
  return (statuses as readonly string[]).includes(word);
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type WorkflowMeta = Schemas["Workflow"];
export type ExecutionSummary = Schemas["ListedExecution"];
export type Execution = Schemas["Result"];
export type StepResult = Schemas["StepResult"];
export type Waiting = Schemas["Waiting"];
export type StepPreview = Schemas["StepPreview"];
export type LiveEvent = Schemas["Event"];
export type LogLine = Schemas["LogLine"];
export type Progress = Schemas["Progress"];
export type HandlerSummary = Schemas["HandlerSummary"];
export type HandlerDetail = Schemas["HandlerDetail"];
export type WorkflowType = Schemas["TypeSummary"];
export type Plugin = Schemas["PluginStatus"];
export type Fence = Schemas["PluginFence"];
export type PluginUsage = Schemas["PluginUsage"];
export type HeldVersion = Schemas["HeldVersion"];
export type Trigger = Schemas["ShownTrigger"];
export type Firing = Schemas["Firing"];
export type Stats = Schemas["Counts"];
export type Figures = Schemas["Figures"];
export type About = Schemas["About"];
export type Revision = Schemas["ListedVersion"];
export type Account = Schemas["Account"];
export type Workspace = Schemas["WorkspaceSummary"];
export type Validation = Schemas["Validation"];

/** The type of an execution's parameter. */
export type ParameterType =
  | "string"
  | "textarea"
  | "integer"
  | "number"
  | "boolean"
  | "enum"
  | "multi_enum"
  | "file"
  | "secret"
  | "json";

export type ParameterOption = string | { value: string; label?: string };

export interface Parameter {
  name: string;
  type: ParameterType;
  required?: boolean;
  default?: Json;
  label?: string;
  description?: string;
  options?: ParameterOption[];
  validation?: {
    min_length?: number;
    max_length?: number;
    pattern?: string;
    min?: number;
    max?: number;
    must_be?: boolean;
  };
}

/** A step as the workflow language has it. */
export interface StepDefinition {
  id: string;
  handler: string;
  name?: string;
  type?: string;
  description?: string;
  config?: { [key: string]: Json };
  required?: boolean;
  enabled?: boolean | string;
  automatic?: boolean;
  dependencies?: string[];
  when?: string;
  run_on?: "success" | "failure" | "always";
  retry?: {
    max_attempts?: number;
    initial_interval?: number | string;
    multiplier?: number;
    max_interval?: number | string;
    jitter?: number;
  };
  timeout?: number | string;
  on_interrupt?: "ask" | "retry" | "fail" | "skip" | "undo";
  for_each?: string | Json[];
  max_parallel?: number;
  ui?: { position?: { x: number; y: number } };
  /** Keys that this page does not know are kept as they are. */
  [key: string]: unknown;
}

/** A workflow's definition: what is edited, saved and executed. */
export interface Definition {
  name: string;
  version?: string;
  type?: string;
  description?: string;
  tags?: string[];
  config?: { [key: string]: Json };
  parameters?: Parameter[];
  steps: StepDefinition[];
  timeout?: number | string;
  on_failure?: "stop" | "continue" | "rollback";
  concurrency?: { limit?: number; key?: string; on_conflict?: "queue" | "reject" | "cancel_running" };
  triggers?: { [key: string]: Json }[];
  [key: string]: unknown;
}

/** What GET of a workflow gives: the definition's keys and the metadata, flat. */
export type StoredWorkflow = Definition & WorkflowMeta;

/** The metadata's keys, which are no part of a definition. */
export const metadataKeys = [
  "id",
  "step_count",
  "revision",
  "created_at",
  "updated_at",
  "last_executed",
  "last_status",
  "execution_count",
  "owner",
  "team",
  "visibility",
  "valid",
  "problems",
] as const;
