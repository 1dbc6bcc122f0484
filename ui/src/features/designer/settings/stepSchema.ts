// A step's own keys as a schema, for the parts of its settings that need no
// field of their own; see engine/workflow/decode.go.
import type { JsonSchema } from "../../schema-form/schema";

const titled = (choices: { [value: string]: string }): JsonSchema => ({
  oneOf: Object.entries(choices).map(([value, title]) => ({ const: value, title })),
});

export const duration = (title: string, description: string, fallback?: string | number): JsonSchema => ({
  type: ["number", "string"],
  format: "vwmp-duration",
  title,
  description,
  ...(fallback !== undefined && { default: fallback }),
});

export const runOn: JsonSchema = {
  ...titled({
    success: "When they succeeded",
    failure: "When one of them failed",
    always: "Always, whatever came of them",
  }),
  title: "Run",
  default: "success",
  description: "Which outcome of the steps before lets this one run.",
};

export const retry: JsonSchema = {
  type: "object",
  title: "Try again",
  description: "When an attempt fails in a way that may pass.",
  properties: {
    max_attempts: { type: "integer", title: "Attempts", default: 1, minimum: 1, maximum: 1000 },
    initial_interval: duration("First wait", "Before the second attempt.", "1s"),
    multiplier: {
      type: "number",
      title: "Factor",
      description: "By which each further wait grows.",
      default: 2,
      minimum: 1,
      maximum: 1000,
    },
    max_interval: duration("Longest wait", "No wait grows beyond it.", "60s"),
    jitter: {
      type: "number",
      title: "Scatter",
      description: "How much of each wait is left to chance.",
      default: 0.2,
      minimum: 0,
      maximum: 1,
    },
  },
  additionalProperties: false,
};

const onInterruptWords = {
  ask: "Wait for a person",
  retry: "Run it again",
  fail: "Take it as failed",
  skip: "Take it as skipped",
  undo: "Undo it",
};

/** What is known of a handler whose run was cut short, by its effect class. */
const afterCrash: { [effect: string]: string } = {
  pure: "It only looks, so it simply runs again.",
  idempotent: "Running it twice does what running it once does, so it simply runs again.",
  keyed: "It tells repeated calls apart, so it simply runs again.",
  reconcilable: "It is asked first whether it had been done; this counts only where that can't be told.",
  unsafe: "Nobody can tell whether it had been done, so this decides.",
};

export function onInterrupt(effectClass: string | undefined): JsonSchema {
  return {
    ...titled(onInterruptWords),
    title: "After a crash in the middle of it",
    default: "ask",
    description: afterCrash[effectClass ?? "unsafe"] ?? afterCrash.unsafe,
  };
}

/** The classes in words, for what is told about a step. */
export const effectWords: { [effect: string]: string } = {
  pure: "only looks, changes nothing",
  idempotent: "may be repeated",
  keyed: "may be repeated",
  reconcilable: "can tell whether it was done",
  unsafe: "must not be repeated blindly",
};

export const onFailure: JsonSchema = {
  ...titled({
    stop: "Stop: start no further steps",
    continue: "Go on with steps that don't need it",
    rollback: "Undo what was done",
  }),
  title: "When a required step fails",
  default: "stop",
};

export const concurrency: { [key: string]: JsonSchema } = {
  limit: { type: "integer", title: "At most", minimum: 1, maximum: 1_000_000, description: "Empty: any number." },
  key: {
    type: "string",
    title: "Counted together by",
    description: "Executions of all workflows with the same text here share the limit. Empty: those of this workflow.",
    examples: ["${workspace.name}"],
    minLength: 1,
  },
  on_conflict: {
    ...titled({
      queue: "Wait for a free place",
      reject: "Refuse to start",
      cancel_running: "Cancel the one that runs",
    }),
    title: "When there is no place",
    default: "queue",
  },
};
