// What the list of executions may be narrowed to, as it stands in the address
// and as the API takes it. No React.
import type { ExecutionFilter } from "../../api/queries";
import { liveStatuses } from "../../api/types";
import type { Choice } from "../../components/Select";
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

const hour = 3_600_000;
const ranges: Record<string, { label: string; span: number }> = {
  "1h": { label: "Last hour", span: hour },
  "24h": { label: "Last 24 hours", span: 24 * hour },
  "7d": { label: "Last 7 days", span: 7 * 24 * hour },
  "30d": { label: "Last 30 days", span: 30 * 24 * hour },
};

export const custom = "custom";

export const rangeChoices: readonly Choice[] = [
  { value: "", label: "Any time" },
  ...Object.entries(ranges).map(([value, { label }]) => ({ value, label })),
  { value: custom, label: "From … to …" },
];

/** Midnight of a local day written as YYYY-MM-DD, some days later; nothing for another text. */
function midnight(day: string, later = 0): string | undefined {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  if (!year) return undefined;
  const at = new Date(Number(year), Number(month) - 1, Number(date) + later);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** The filter that the API takes, with ranges that end now. */
export function toFilter(filters: Filters, now: number): ExecutionFilter {
  const { workflow, result, trigger, range } = filters;
  const filter: ExecutionFilter = {};
  if (workflow) filter.workflow_id = workflow;
  if (result) filter.status = groups[result] ?? [result];
  if (trigger) filter.trigger = trigger;
  const span = ranges[range]?.span;
  if (span) filter.since = new Date(now - span).toISOString();
  if (range === custom) {
    filter.since = midnight(filters.since);
    // The last day is meant whole.
    filter.until = midnight(filters.until, 1);
  }
  return filter;
}

export function isFiltered(filters: Filters): boolean {
  return Object.values(filters).some(Boolean);
}
