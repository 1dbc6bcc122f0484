// What the list of executions may be narrowed to, as it stands in the address
// and as the API takes it. No React.
import type { ExecutionFilter } from "../../api/queries";
import { liveStatuses } from "../../api/types";
import type { Choice } from "../../components/Select";
import { boundsOf } from "../../lib/range";
import { triggerNames } from "../execution-list/triggers";

export const defaults = { workflow: "", result: "", trigger: "", range: "", since: "", until: "" };
export type Filters = typeof defaults;

const groups: Record<string, readonly string[]> = {
  live: liveStatuses,
  ended: ["success", "partial", "failed", "cancelled"],
};

export const resultChoices: readonly Choice[] = [
  { value: "", label: "Any result" },
  { value: "failed", label: "Failed" },
  { value: "success", label: "Success" },
  { value: "partial", label: "Partial" },
  { value: "cancelled", label: "Cancelled" },
  { value: "ended", label: "Ended" },
  { value: "live", label: "Not ended" },
  { value: "running", label: "Running" },
  { value: "queued", label: "Queued" },
  { value: "waiting", label: "Waiting" },
  { value: "paused", label: "Paused" },
  { value: "pending", label: "Pending" },
];

export const triggerChoices: readonly Choice[] = [
  { value: "", label: "Any trigger" },
  ...Object.entries(triggerNames).map(([value, label]) => ({ value, label })),
];

/** The filter that the API takes, with ranges that end now. */
export function toFilter(filters: Filters, now: number): ExecutionFilter {
  const { workflow, result, trigger } = filters;
  const filter: ExecutionFilter = boundsOf(filters, now);
  if (workflow) filter.workflow_id = workflow;
  if (result) filter.status = groups[result] ?? [result];
  if (trigger) filter.trigger = trigger;
  return filter;
}

export function isFiltered(filters: Filters): boolean {
  return Object.values(filters).some(Boolean);
}
