// The steps of a run as its pages list them.
import { type Definition, type Execution, hasEnded, type StepDefinition, type StepResult } from "../../api/types";
import type { Shown } from "./shown";

export interface StepRow {
  result: StepResult;
  /** What the definition says; missing while it is on its way, or where it can't be had. */
  definition?: StepDefinition;
}

/** Every step in the order of the definition. */
export function stepRows(result: Execution, definition: Definition | undefined): StepRow[] {
  const rows: StepRow[] = [];
  const seen = new Set<string>();
  for (const step of definition?.steps ?? []) {
    const own = result.step_results[step.id];
    if (!own) continue;
    seen.add(step.id);
    rows.push({ result: own, definition: step });
  }
  for (const [id, own] of Object.entries(result.step_results)) if (!seen.has(id)) rows.push({ result: own });
  return rows;
}

/** The step that a failed run failed by: the first required one that failed, else the first that did. */
export function firstFailed(rows: readonly StepRow[]): StepRow | undefined {
  const failed = rows
    .filter(({ result }) => result.status === "failed")
    .sort((a, b) => (a.result.completed_at ?? "").localeCompare(b.result.completed_at ?? ""));
  return failed.find(({ definition }) => definition?.required !== false) ?? failed[0];
}

/** What a page opens on where its address names no step. */
export function stepToOpen(result: Execution, rows: readonly StepRow[]): string | undefined {
  if (result.status !== "failed" && result.status !== "partial") return undefined;
  return firstFailed(rows)?.result.step_id;
}

/** Steps that a person must do something about. */
export function waitingRows(rows: readonly StepRow[]): StepRow[] {
  return rows.filter(({ result }) => result.status === "interrupted" || units(result).some(needsPerson));
}

function units(step: StepResult): Pick<StepResult, "status" | "waiting">[] {
  return step.items ?? [step];
}

function needsPerson({ status, waiting }: Pick<StepResult, "status" | "waiting">): boolean {
  return status === "interrupted" || (status === "waiting" && ["approval", "signal"].includes(waiting?.reason ?? ""));
}

/** Seconds that a step took, or takes so far. */
export function stepSeconds(step: StepResult, now: number): number | undefined {
  if (!step.started_at) return undefined;
  if (step.completed_at) return step.execution_time;
  return hasEnded(step.status) ? undefined : Math.max(0, (now - new Date(step.started_at).getTime()) / 1000);
}

/**
 * One line about where a step is: what it says, waits for, or why it ended as it did.
 * Parts of it come from programs, so it is written as the notes of its run are.
 */
export function stepNote(
  step: StepResult,
  shown: Pick<Shown, "note">,
  saying?: { percentage?: number; message?: string },
): string {
  return shown.note(wordsOf(step, saying));
}

function wordsOf(step: StepResult, saying: { percentage?: number; message?: string } | undefined): string {
  if (step.status === "running" && saying) {
    const share = saying.percentage ? `${Math.round(saying.percentage)} %` : "";
    return [share, saying.message].filter(Boolean).join(" · ");
  }
  if (step.error) return firstLine(step.error.message);
  if (step.skip_reason) return step.skip_reason;
  if (step.waiting) return waitText(step.waiting);
  if (step.kept_from) return "Kept from an earlier run";
  if (step.item_count) return itemsText(step);
  return "";
}

export function firstLine(text: string): string {
  const end = text.indexOf("\n");
  return end < 0 ? text : text.slice(0, end);
}

/** What a step waits for. */
export function waitText(waiting: NonNullable<StepResult["waiting"]>): string {
  switch (waiting.reason) {
    case "approval":
      return waiting.message ? `Waits for an approval: ${firstLine(waiting.message)}` : "Waits for an approval";
    case "signal":
      return `Waits for the signal “${waiting.signal}”`;
    case "child":
      return "Waits for the run that it started";
    case "time":
      return "Waits for a time";
    default:
      return "Waits";
  }
}

function itemsText(step: StepResult): string {
  const ended = step.items?.filter(({ status }) => hasEnded(status)).length ?? 0;
  return hasEnded(step.status) ? `${step.item_count} items` : `${ended} of ${step.item_count} items`;
}
