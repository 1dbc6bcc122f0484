// The keys of the workflow language by where they stand, for completion. What
// is valid is the server's word; see docs/language.

export interface Key {
  name: string;
  info: string;
  /** The words that its value may be. */
  values?: readonly string[];
  /** What its value is: it decides what is written behind the key. */
  kind?: "text" | "map" | "list";
}

const yesNo = ["true", "false"] as const;

const workflow: Key[] = [
  { name: "name", info: "1 to 200 characters" },
  { name: "version", info: "MAJOR.MINOR.PATCH, in quotes" },
  { name: "type", info: "The kind of workflow; custom without one" },
  { name: "description", info: "What it is for (Markdown)" },
  { name: "tags", info: "For search and filters", kind: "list" },
  { name: "config", info: "Values for the whole workflow", kind: "map" },
  { name: "parameters", info: "What is asked for at execution", kind: "list" },
  { name: "steps", info: "At least one", kind: "list" },
  { name: "timeout", info: "For the whole execution, such as 30m" },
  { name: "on_failure", info: "What a failed required step does", values: ["stop", "continue", "rollback"] },
  { name: "concurrency", info: "How many executions may run at once", kind: "map" },
  { name: "triggers", info: "What starts it by itself", kind: "list" },
];

const step: Key[] = [
  { name: "id", info: "Letters, digits, - and _; unique" },
  { name: "name", info: "Shown on the card" },
  { name: "type", info: "A label" },
  { name: "handler", info: "What the step does" },
  { name: "description", info: "Shown on the card" },
  { name: "config", info: "The handler's settings", kind: "map" },
  { name: "required", info: "Whether its failure fails the workflow; true", values: yesNo },
  { name: "enabled", info: "false leaves it out; true", values: yesNo },
  { name: "automatic", info: "true: it can't be switched off at execution", values: yesNo },
  { name: "dependencies", info: "Ids of the steps it waits for", kind: "list" },
  { name: "when", info: "An expression; false leaves it out" },
  { name: "run_on", info: "Which outcome of its dependencies lets it run", values: ["success", "failure", "always"] },
  { name: "retry", info: "Further attempts", kind: "map" },
  { name: "timeout", info: "For one attempt; 300s" },
  {
    name: "on_interrupt",
    info: "What becomes of an unknown outcome after a crash",
    values: ["ask", "retry", "fail", "skip", "undo"],
  },
  { name: "for_each", info: "A reference or a list: once for each item" },
  { name: "max_parallel", info: "Items at the same time; 10" },
  { name: "ui", info: "Where the card stands", kind: "map" },
];

const retry: Key[] = [
  { name: "max_attempts", info: "1 is no retry" },
  { name: "initial_interval", info: "Before the second attempt; 1s" },
  { name: "multiplier", info: "Of the interval; 2" },
  { name: "max_interval", info: "The longest interval; 60s" },
  { name: "jitter", info: "0 to 1; 0.2" },
];

const parameterTypes = [
  "string",
  "textarea",
  "integer",
  "number",
  "boolean",
  "enum",
  "multi_enum",
  "file",
  "secret",
  "json",
] as const;

const parameter: Key[] = [
  { name: "name", info: "Letters, digits and _" },
  { name: "type", info: "What it takes", values: parameterTypes },
  { name: "required", info: "Whether it must be given", values: yesNo },
  { name: "default", info: "Taken where nothing is given" },
  { name: "label", info: "What the form calls it" },
  { name: "description", info: "Help below the field" },
  { name: "options", info: "Of enum and multi_enum", kind: "list" },
  { name: "validation", info: "Rules for its value", kind: "map" },
];

const validation: Key[] = [
  { name: "min_length", info: "Shortest text" },
  { name: "max_length", info: "Longest text" },
  { name: "pattern", info: "A regular expression" },
  { name: "min", info: "Least number" },
  { name: "max", info: "Greatest number" },
  { name: "must_be", info: "The only value of a boolean", values: yesNo },
];

const concurrency: Key[] = [
  { name: "limit", info: "How many at once" },
  { name: "key", info: "What counts as the same, a text with references" },
  { name: "on_conflict", info: "What a further one does", values: ["queue", "reject", "cancel_running"] },
];

const trigger: Key[] = [
  { name: "type", info: "What it listens to", values: ["schedule", "webhook", "workflow", "file"] },
  { name: "id", info: "Unique in the workflow" },
  { name: "enabled", info: "false rests it", values: yesNo },
  { name: "parameters", info: "For the execution", kind: "map" },
  { name: "cron", info: "schedule: five fields" },
  { name: "timezone", info: "schedule: UTC" },
  { name: "catch_up", info: "schedule: what was missed", values: ["none", "last", "all"] },
  { name: "signature", info: "webhook: header, secret, prefix", kind: "map" },
  { name: "workflow", info: "workflow: the one that is watched" },
  { name: "statuses", info: "workflow: how it ended", kind: "list" },
  { name: "glob", info: "file: which files" },
  { name: "debounce", info: "file: quiet time; 2s" },
];

const byPlace: Record<string, readonly Key[]> = {
  "": workflow,
  "steps.*": step,
  "steps.*.retry": retry,
  "parameters.*": parameter,
  "parameters.*.validation": validation,
  concurrency,
  "triggers.*": trigger,
};

/** The keys that may stand at a place, such as "steps.*"; none where anything may. */
export function keysAt(place: string): readonly Key[] {
  return byPlace[place] ?? [];
}
