// How two definitions of a workflow differ, step by step.
import type { Definition, StepDefinition } from "../api/types";
import { sameJson } from "./json";

export type Change = "added" | "removed" | "changed";

export interface StepDifference {
  id: string;
  name: string;
  change: Change;
  /** The keys that differ, of a step that is in both; those of the config with their names. */
  keys: string[];
}

export interface Differences {
  steps: StepDifference[];
  /** Keys of the workflow itself that differ. */
  workflow: string[];
}

/** What leads from one definition to another. Where steps stand on the canvas counts as a change of the step. */
export function differences(from: Definition, to: Definition): Differences {
  const before = new Map(from.steps.map((step) => [step.id, step]));
  const after = new Map(to.steps.map((step) => [step.id, step]));
  const steps: StepDifference[] = [];
  for (const step of to.steps) {
    const old = before.get(step.id);
    if (!old) steps.push({ id: step.id, name: step.name ?? step.id, change: "added", keys: [] });
    else if (!sameJson(old, step)) {
      steps.push({ id: step.id, name: step.name ?? step.id, change: "changed", keys: changedKeys(old, step) });
    }
  }
  for (const step of from.steps) {
    if (!after.has(step.id)) steps.push({ id: step.id, name: step.name ?? step.id, change: "removed", keys: [] });
  }
  return { steps, workflow: keysThatDiffer(from, to).filter((key) => key !== "steps") };
}

function changedKeys(from: StepDefinition, to: StepDefinition): string[] {
  return keysThatDiffer(from, to).flatMap((key) => {
    if (key === "ui") return ["position"];
    if (key !== "config") return [key];
    const inside = keysThatDiffer(from.config ?? {}, to.config ?? {});
    return inside.map((name) => `config.${name}`);
  });
}

function keysThatDiffer(from: { [key: string]: unknown }, to: { [key: string]: unknown }): string[] {
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...names].filter((key) => !sameJson(from[key], to[key]));
}
