// Triggers in words, for every page that shows them. No React.
import type { Firing, Trigger } from "../../api/types";
import { exactTime } from "../../lib/time";
import { cronText } from "./cron";

export const typeNames: Record<Trigger["type"], string> = {
  schedule: "Schedule",
  webhook: "Webhook",
  workflow: "Workflow",
  file: "Files",
};

const rest = new Intl.NumberFormat(undefined, { style: "unit", unit: "second" });

/** When a trigger fires, in one line. */
export function whenText(trigger: Trigger): string {
  switch (trigger.type) {
    case "schedule":
      return `${cronText(trigger.cron ?? "") ?? trigger.cron} (${trigger.timezone || "UTC"})`;
    case "webhook":
      return trigger.signed ? "When its address is called with a signature" : "When its address is called";
    case "workflow":
      return `When ${trigger.workflow} ends with ${(trigger.statuses ?? ["success"]).join(" or ")}`;
    case "file":
      return `When ${trigger.glob} changes and rests for ${rest.format(trigger.debounce ?? 2)}`;
  }
}

export type TriggerState = "active" | "paused" | "off" | "draft" | "stuck";

/** Whether a trigger fires by itself now. */
export function stateOf(trigger: Trigger): TriggerState {
  if (!trigger.enabled) return "off";
  if (trigger.draft) return "draft";
  if (trigger.paused) return "paused";
  return trigger.problem ? "stuck" : "active";
}

/** The tone of each state's badge. */
export const stateTones = { active: "good", paused: "warn", off: "calm", draft: "warn", stuck: "bad" } as const;

/** The state in words, and why it is so. */
export function stateText(trigger: Trigger): { word: string; why?: string } {
  switch (stateOf(trigger)) {
    case "off":
      return { word: "Off", why: "Switched off in the workflow" };
    case "draft":
      return { word: "Resting", why: "The workflow's newest version is a draft with problems" };
    case "paused":
      return { word: "Paused", why: trigger.paused_by && `By ${trigger.paused_by}` };
    case "stuck":
      return { word: "Stuck" };
    default:
      return { word: "Active" };
  }
}

/** The status whose icon and colour a firing has. */
export function firingStatus(outcome: Firing["outcome"]): string {
  return { fired: "success", missed: "skipped", refused: "failed" }[outcome];
}

/** What came of a firing, beside its word. */
export function firingText({ reason, count, due, until, by }: Firing): string {
  const parts: string[] = [];
  if (count && count > 1 && due && until) parts.push(`${count} times from ${exactTime(due)} to ${exactTime(until)}`);
  else if (due) parts.push(`due ${exactTime(due)}`);
  if (by) parts.push(`by hand, ${by}`);
  if (reason) parts.push(reason);
  return parts.join(" · ");
}
