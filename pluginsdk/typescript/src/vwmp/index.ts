// Write VWMP plugins in TypeScript: see docs/writing-a-plugin.md.
export { Handler, Plugin } from "./handler.js";
export type { HandlerOptions, PlannedEffect, PluginOptions, Problem, Reconciliation, WorkflowType } from "./handler.js";
export { Cancelled, Invalid, Permanent, PluginError, Retryable, Skip } from "./outcome.js";
export { s } from "./schema.js";
export type { Infer, Json, Schema } from "./schema.js";
export { serve } from "./server.js";
export { Step, Workspace } from "./step.js";
