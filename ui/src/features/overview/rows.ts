// What the workflow table shows: the workflows with their figures, narrowed
// and put in order. No React.
import type { ExecutionSummary, Figures, Stats, WorkflowMeta } from "../../api/types";
import type { Column, Order } from "../../components/Table";
import { successRate } from "../../lib/figures";
import { matches } from "../../lib/text";

export interface Row {
  workflow: WorkflowMeta;
  /** Of the days that the figures cover; none where it was not executed. */
  figures?: Figures;
  /** Its newest execution that has not ended. */
  live?: ExecutionSummary;
}

/** How the result of the last execution may narrow the table. */
export const resultFilters = [
  { value: "", label: "Any last result" },
  { value: "live", label: "Running or waiting" },
  { value: "success", label: "Success" },
  { value: "partial", label: "Partial" },
  { value: "failed", label: "Failed" },
  { value: "cancelled", label: "Cancelled" },
  { value: "never", label: "Never executed" },
] as const;

export const columns = [
  { id: "name", label: "Name", sort: "asc" },
  { id: "steps", label: "Steps", sort: "desc", end: true },
  { id: "last", label: "Last result", sort: "desc" },
  { id: "rate", label: "Success rate", sort: "asc", end: true },
  { id: "duration", label: "Typical duration", sort: "desc", end: true },
  { id: "actions", label: "Actions", hidden: true, shrink: true },
] as const satisfies readonly Column[];

export const newestFirst: Order = { column: "last", descending: true };

/** The status that a row shows. */
export function statusOf({ workflow, live }: Row): string | null {
  return live?.status ?? workflow.last_status;
}

/** Puts together what three answers say of each workflow. */
export function join(
  workflows: readonly WorkflowMeta[],
  stats: Stats | undefined,
  live: readonly ExecutionSummary[] | undefined,
): Row[] {
  const figures = new Map(stats?.by_workflow.map((each) => [each.workflow_id, each]));
  const running = new Map<string, ExecutionSummary>();
  for (const execution of live ?? []) {
    if (!running.has(execution.workflow_id)) running.set(execution.workflow_id, execution);
  }
  return workflows.map((workflow) => {
    const newest = running.get(workflow.id);
    // The two answers may be of different moments: what runs counts only
    // while the workflow's own record does not say that something newer ended.
    const current = newest && !(workflow.last_executed && newest.created_at < workflow.last_executed);
    return { workflow, figures: figures.get(workflow.id), live: current ? newest : undefined };
  });
}

function hasResult(row: Row, result: string): boolean {
  const status = statusOf(row);
  switch (result) {
    case "":
      return true;
    case "never":
      return status === null;
    case "live":
      return status !== null && !["success", "partial", "failed", "cancelled"].includes(status);
    default:
      return status === result;
  }
}

/** The rows that a search and a filter leave. */
export function narrow(rows: readonly Row[], search: string, result: string): Row[] {
  const words = search.trim();
  return rows.filter(
    (row) =>
      hasResult(row, result) &&
      (words === "" ||
        matches(words, row.workflow.name, row.workflow.id, row.workflow.description, row.workflow.tags?.join(" "))),
  );
}

const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

function value(row: Row, column: string): number | undefined {
  switch (column) {
    case "steps":
      return row.workflow.step_count;
    case "last":
      return row.workflow.last_executed ? Date.parse(row.workflow.last_executed) : undefined;
    case "rate":
      return row.figures && successRate(row.figures);
    case "duration":
      return row.figures && row.figures.total > row.figures.live ? row.figures.median_time : undefined;
  }
  return undefined;
}

/** Rows in order. Those without a value stand last, whichever way round; equal ones by name. */
export function sorted(rows: readonly Row[], { column, descending }: Order): Row[] {
  const turn = descending ? -1 : 1;
  const names = (a: Row, b: Row) =>
    byName.compare(a.workflow.name, b.workflow.name) || byName.compare(a.workflow.id, b.workflow.id);
  if (column === "name") return rows.toSorted((a, b) => turn * names(a, b));
  const values = new Map(rows.map((row) => [row, value(row, column)]));
  return rows.toSorted((a, b) => {
    const x = values.get(a);
    const y = values.get(b);
    if (x === y) return names(a, b);
    if (x === undefined) return 1;
    if (y === undefined) return -1;
    return turn * (x - y);
  });
}

/** The same rows in the order of these ids; those that are new stand where they would by themselves, at the end. */
export function kept(rows: readonly Row[], ids: readonly string[]): Row[] {
  const place = new Map(ids.map((id, index) => [id, index]));
  return rows.toSorted((a, b) => (place.get(a.workflow.id) ?? ids.length) - (place.get(b.workflow.id) ?? ids.length));
}
