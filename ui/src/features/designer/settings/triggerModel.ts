// The four types of triggers as forms; see engine/workflow/decode_inputs.go.
import type { Json, Parameter } from "../../../api/types";
import { formSchema } from "../../launch/parameters";
import type { JsonSchema } from "../../schema-form/schema";

export type Trigger = { [key: string]: Json };
export const triggerTypes = ["schedule", "webhook", "workflow", "file"] as const;
export type TriggerType = (typeof triggerTypes)[number];

export const triggerNames: { [type in TriggerType]: string } = {
  schedule: "Schedule",
  webhook: "Webhook",
  workflow: "Another workflow",
  file: "Files",
};

export const triggerHelp: { [type in TriggerType]: string } = {
  schedule: "At fixed times.",
  webhook: "When its secret address is called. The address stands on the Triggers page once the workflow is saved.",
  workflow: "When another workflow has ended.",
  file: "When files in the default workspace change.",
};

const ends = ["success", "partial", "failed", "cancelled"];

const fields: { [type in TriggerType]: { [key: string]: JsonSchema } } = {
  schedule: {
    cron: {
      type: "string",
      title: "Times",
      description:
        "Five fields: minute, hour, day of month, month, weekday. “30 2 * * 1-5” is 2:30 from Monday to Friday.",
      examples: ["30 2 * * 1-5"],
    },
    timezone: { type: "string", title: "Time zone", default: "UTC", "x-vwmp-widget": "timezone" },
    catch_up: {
      title: "Times missed while the server was down",
      default: "none",
      oneOf: [
        { const: "none", title: "Leave out" },
        { const: "last", title: "Make up for the last one" },
        { const: "all", title: "Make up for all, at most 100" },
      ],
    },
  },
  webhook: {
    signature: {
      type: "object",
      title: "Signature",
      description: "Takes only calls that are signed (HMAC-SHA256 of the body).",
      additionalProperties: false,
      properties: {
        header: { type: "string", title: "Header", examples: ["X-Hub-Signature-256"] },
        secret: { type: "string", title: "Secret", description: "The name of a stored secret.", examples: ["github"] },
        prefix: {
          type: "string",
          title: "Prefix",
          description: "What stands before the signature.",
          examples: ["sha256="],
        },
      },
    },
  },
  workflow: {
    workflow: {
      type: "string",
      title: "Workflow",
      description: "Its id or name.",
      "x-vwmp-widget": "workflow",
    },
    statuses: {
      type: "array",
      title: "When it ended with",
      default: ["success"],
      uniqueItems: true,
      items: { oneOf: ends.map((status) => ({ const: status, title: status })) },
    },
  },
  file: {
    glob: { type: "string", title: "Files", description: "A pattern below the workspace.", examples: ["docs/**/*.md"] },
    debounce: {
      type: ["number", "string"],
      format: "vwmp-duration",
      title: "Quiet for",
      description: "It fires once nothing has changed for so long.",
      default: "2s",
    },
  },
};

const needed: { [type in TriggerType]: string[] } = {
  schedule: ["cron"],
  webhook: [],
  workflow: ["workflow"],
  file: ["glob"],
};

/** The fields of a trigger of a type. */
export function triggerSchema(type: TriggerType): JsonSchema {
  return {
    type: "object",
    required: needed[type],
    properties: {
      ...fields[type],
      id: { type: "string", title: "Id", description: "Empty: its type and number." },
      enabled: { type: "boolean", title: "Switched on", default: true },
    },
  };
}

/** The fields of the parameters that a trigger starts its workflow with. */
export function triggerParameters(parameters: readonly Parameter[]): JsonSchema {
  const schema = formSchema(parameters);
  const required = parameters.filter(
    ({ required: due, default: fallback, type }) =>
      due === true && (fallback === undefined || fallback === null || type === "boolean"),
  );
  return { ...schema, required: required.map(({ name }) => name) };
}

/** A new trigger. */
export function freshTrigger(type: TriggerType): Trigger {
  switch (type) {
    case "schedule":
      return { type, cron: "0 6 * * *", timezone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC" };
    case "workflow":
      return { type, workflow: "" };
    case "file":
      return { type, glob: "**/*" };
  }
  return { type };
}

/** A trigger in a word or two. */
export function describeTrigger(trigger: Trigger): string {
  const { type, cron, timezone, workflow, glob, id } = trigger;
  switch (type) {
    case "schedule":
      return `${cron ?? ""} ${timezone ?? "UTC"}`;
    case "workflow":
      return `after ${workflow || "…"}`;
    case "file":
      return String(glob ?? "");
  }
  return String(id ?? "");
}

export function isTriggerType(type: unknown): type is TriggerType {
  return (triggerTypes as readonly unknown[]).includes(type);
}
