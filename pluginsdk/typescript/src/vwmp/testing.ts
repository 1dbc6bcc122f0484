// Runs a handler in a test, without a process and without gRPC.
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { Handler, Outcome, PlannedEffect } from "./handler.js";
import type { Json } from "./schema.js";
import { Step, type Reporter } from "./step.js";

export interface RunOptions {
  workspace?: string;
  files?: Record<string, string>;
  parameters?: Record<string, Json>;
  outputs?: Record<string, Json>;
  adapter?: Json;
  attempt?: number;
  checkpoint?: Json;
}

/** All that one attempt said. */
export interface Result {
  kind: Outcome["kind"];
  output?: any;
  undoToken?: any;
  reason?: string;
  error?: { code: string; message: string; pointer: string; failureClass: string };
  logs: { level: string; message: string; fields: Record<string, unknown> }[];
  effects: { action: string; target: string; done: boolean }[];
  checkpoints: Json[];
  workspace: string;
}

/** Runs one attempt with a config, in an empty folder unless one is named. */
export async function run(handler: Handler, config: Json, options: RunOptions = {}): Promise<Result> {
  const { step, kept } = stepOf(handler, config, options);
  return finish(await handler.execute(step), kept);
}

/** Takes an attempt back, in its workspace. */
export async function undo(handler: Handler, result: Result): Promise<Result> {
  const { step, kept } = stepOf(handler, {}, { workspace: result.workspace });
  return finish(await handler.takeBack(step, JSON.stringify(result.undoToken ?? null)), kept);
}

/** What the handler would do. */
export async function plan(handler: Handler, config: Json, options: RunOptions = {}): Promise<PlannedEffect[]> {
  const { step } = stepOf(handler, config, options);
  if (!handler.options.plan) throw new Error(`${handler.path} has no plan`);
  return handler.options.plan(step, handler.readConfig(step.request.config));
}

function finish(outcome: Outcome, kept: Result): Result {
  kept.kind = outcome.kind;
  if (outcome.kind === "success") {
    kept.output = outcome.output === "" ? undefined : JSON.parse(outcome.output);
    kept.undoToken = outcome.undoToken === "" ? undefined : JSON.parse(outcome.undoToken);
  }
  if (outcome.kind === "skipped") kept.reason = outcome.reason;
  if (outcome.kind === "failure") kept.error = outcome.error;
  return kept;
}

function stepOf(handler: Handler, config: Json, options: RunOptions): { step: Step; kept: Result } {
  const workspace = options.workspace ?? mkdtempSync(join(tmpdir(), "vwmp-test-"));
  for (const [name, content] of Object.entries(options.files ?? {})) {
    mkdirSync(dirname(join(workspace, name)), { recursive: true });
    writeFileSync(join(workspace, name), content);
  }
  const kept: Result = { kind: "success", logs: [], effects: [], checkpoints: [], workspace };
  const reporter: Reporter = {
    log: (level, message, fields) => void kept.logs.push({ level, message, fields }),
    progress() {}, heartbeat() {}, artifact() {},
    checkpoint: (data) => void kept.checkpoints.push(JSON.parse(data) as Json),
    effect: (action, target, _, done) => void kept.effects.push({ action, target, done }),
  };
  const step = new Step({
    handler: handler.path, executionId: "execution-1", workflowId: "workflow-1", workflowName: "Test", workflowVersion: "1.0.0",
    stepId: "step-1", stepName: "Step", itemIndex: undefined, attempt: options.attempt ?? 1, idempotencyKey: "execution-1/step-1",
    config: JSON.stringify(config), parameters: JSON.stringify(options.parameters ?? {}), workflowConfig: "{}",
    outputs: Object.entries(options.outputs ?? {}).map(([stepId, output]) => ({ stepId, output: JSON.stringify(output) })),
    workspaceDir: workspace, checkpoint: options.checkpoint === undefined ? "" : JSON.stringify(options.checkpoint), effects: [], secrets: {},
    traceParent: "", traceState: "",
  }, reporter, options.adapter === undefined ? "" : JSON.stringify(options.adapter));
  return { step, kept };
}
