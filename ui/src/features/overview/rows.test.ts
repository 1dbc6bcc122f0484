import { describe, expect, test } from "vitest";
import type { ExecutionSummary, Figures, Stats, WorkflowMeta } from "../../api/types";
import { join, kept, narrow, type Row, sorted, statusOf } from "./rows";

function workflow(id: string, more: Partial<WorkflowMeta> = {}): WorkflowMeta {
  return {
    id,
    name: id.toUpperCase(),
    description: "",
    owner: "",
    team: "",
    visibility: "all",
    tags: [],
    type: "general",
    version: "",
    revision: 1,
    step_count: 1,
    execution_count: 0,
    created_at: "2026-01-01T00:00:00Z",
    updated_at: "2026-01-01T00:00:00Z",
    last_executed: null,
    last_status: null,
    valid: true,
    ...more,
  };
}

const figures = (more: Partial<Figures>): Figures => ({
  total: 1,
  live: 0,
  success: 0,
  partial: 0,
  failed: 0,
  cancelled: 0,
  average_time: 0,
  median_time: 0,
  p95_time: 0,
  longest_time: 0,
  ...more,
});

const ids = (rows: readonly Row[]) => rows.map((row) => row.workflow.id).join("");
const row = (id: string, more: Partial<WorkflowMeta> = {}, f?: Figures): Row => ({
  workflow: workflow(id, more),
  figures: f,
});

describe("point 10: the rows of the workflow table", () => {
  const rows = [
    row("b", { step_count: 2, last_executed: "2026-01-03T00:00:00Z", last_status: "failed" }, figures({ failed: 1 })),
    row("a", { step_count: 9, last_executed: "2026-01-02T00:00:00Z", last_status: "success", tags: ["nightly"] }),
    row("c", { description: "Deploys the site" }, figures({ total: 4, success: 3, failed: 1, median_time: 3 })),
  ];

  test("sort by every column, and those without a value stand last whichever way round", () => {
    expect(ids(sorted(rows, { column: "name", descending: false }))).toBe("abc");
    expect(ids(sorted(rows, { column: "name", descending: true }))).toBe("cba");
    expect(ids(sorted(rows, { column: "steps", descending: true }))).toBe("abc");
    expect(ids(sorted(rows, { column: "last", descending: true }))).toBe("bac");
    expect(ids(sorted(rows, { column: "last", descending: false }))).toBe("abc");
    expect(ids(sorted(rows, { column: "rate", descending: false }))).toBe("bca");
    expect(ids(sorted(rows, { column: "duration", descending: true }))).toBe("cba");
  });

  test("are searched by name, description and tag, and narrowed by their last result", () => {
    expect(ids(narrow(rows, "SITE", ""))).toBe("c");
    expect(ids(narrow(rows, "night", ""))).toBe("a");
    expect(ids(narrow(rows, " ", "failed"))).toBe("b");
    expect(ids(narrow(rows, "", "never"))).toBe("c");
    expect(ids(narrow(rows, "", "live"))).toBe("");
  });
});

describe("point 16: what runs", () => {
  const live = (created_at: string) =>
    ({ workflow_id: "a", status: "running", created_at }) as unknown as ExecutionSummary;
  const ended = workflow("a", { last_executed: "2026-01-02T00:00:00Z", last_status: "success" });

  test("shows before what ended earlier, but never hides what is newer", () => {
    const newer = join([ended], undefined, [live("2026-01-03T00:00:00Z")]);
    expect(statusOf(newer[0]!)).toBe("running");
    const older = join([ended], undefined, [live("2026-01-01T00:00:00Z")]);
    expect(statusOf(older[0]!)).toBe("success");
  });

  test("figures of a workflow that is deleted go nowhere", () => {
    const stats = { by_workflow: [{ workflow_id: "gone", ...figures({}) }] } as unknown as Stats;
    expect(join([ended], stats, [])).toEqual([{ workflow: ended, figures: undefined, live: undefined }]);
  });

  test("rows keep their places while somebody is among them, and new ones come last", () => {
    const rows = [row("a"), row("b"), row("new"), row("c")];
    expect(ids(kept(rows, ["c", "b", "a"]))).toBe("cbanew");
  });
});
