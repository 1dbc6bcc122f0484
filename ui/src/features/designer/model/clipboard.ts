// Steps as text, for the clipboard: JSON, which is YAML too, so that it can be
// put into an editor; read back from that, and from YAML that a person wrote.
import type { StepDefinition } from "../../../api/types";

/** Told apart from other texts by this key, whose value is the designer it was copied in. */
const mark = "vwmp-steps-of";

export interface Copied {
  steps: StepDefinition[];
  /** The designer the steps were copied in; null for text that came from elsewhere. */
  origin: string | null;
}

/** Steps as they go to the clipboard. */
export function copyText(steps: readonly StepDefinition[], origin: string): string {
  return `${JSON.stringify({ [mark]: origin, steps }, null, 2)}\n`;
}

function isStep(value: unknown): value is StepDefinition {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { id, handler, dependencies } = value as { id?: unknown; handler?: unknown; dependencies?: unknown };
  return (
    typeof handler === "string" &&
    (id === undefined || typeof id === "string") &&
    (dependencies === undefined ||
      (Array.isArray(dependencies) && dependencies.every((each) => typeof each === "string")))
  );
}

/** Finds steps in a value: a workflow, one under "workflow", a list of steps, or a single step. */
function findSteps(value: unknown): Copied | null {
  if (typeof value !== "object" || value === null) return null;
  const document = value as { [key: string]: unknown };
  const wrapped = document.workflow;
  const list: unknown = Array.isArray(value)
    ? value
    : Array.isArray(document.steps)
      ? document.steps
      : typeof wrapped === "object" && wrapped !== null
        ? (wrapped as { steps?: unknown }).steps
        : [value];
  if (!Array.isArray(list) || list.length === 0 || !list.every(isStep)) return null;
  const origin = document[mark];
  return {
    steps: list.map((step) => ({ ...step, id: step.id ?? step.handler.split(".").at(-1)! })),
    origin: typeof origin === "string" ? origin : null,
  };
}

/** Reads steps from JSON or YAML text; null where there are none. */
export async function readSteps(text: string): Promise<Copied | null> {
  if (text.length > 2 << 20) return null;
  try {
    return findSteps(JSON.parse(text));
  } catch {
    // YAML, then; its reader is loaded only for that.
  }
  const { parse } = await import("yaml");
  try {
    return findSteps(parse(text, { maxAliasCount: 100, logLevel: "silent" }));
  } catch {
    return null;
  }
}
