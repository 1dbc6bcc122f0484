import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Execution, LiveEvent, StepResult } from "../../api/types";
import { fold, foldAll, type Run, runOf, withSnapshot } from "./fold";

interface Recorded {
  events: LiveEvent[];
  /** Results while the run stood still, with the number of the last event before each. */
  still: { seq: number; result: Execution }[];
  result: Execution;
}

// Runs of a real server; scripts/record-runs.mjs makes them anew.
const folder = join(import.meta.dirname, "testdata");
const runs: [string, Recorded][] = readdirSync(folder).map((name) => [
  name.replace(".json", ""),
  JSON.parse(readFileSync(join(folder, name), "utf8")),
]);
const recorded = (name: string) => runs.find(([each]) => each === name)![1];

/** The result before anything happened. */
function blank({ result }: Recorded): Execution {
  const { completed_at: _, error: _e, status_reason: _r, ...rest } = result;
  const step_results = Object.fromEntries(
    Object.values(result.step_results).map(({ step_id, step_name, handler }): [string, StepResult] => [
      step_id,
      { step_id, step_name, handler, status: "pending", attempts: 0, execution_time: 0, log_count: 0 },
    ]),
  );
  const total_steps = result.progress.total_steps;
  const progress = { total_steps, completed_steps: 0, failed_steps: 0, skipped_steps: 0, percentage: 0 };
  return { ...rest, progress, status: "pending", started_at: result.created_at, total_time: 0, step_results };
}

/** What the events can tell of a result: times that pass while it is written, and checksums, they can't. */
function told(result: Execution): unknown {
  const steps = Object.values(result.step_results).map((step) => ({
    ...step,
    execution_time: step.completed_at ? step.execution_time : "passing",
    // Items are counted in snapshots alone while they are under way.
    item_count: step.items?.length,
    items: step.items?.map(({ waiting: _, ...item }) => item),
    waiting: step.waiting && { ...step.waiting },
    attempt_list: step.attempt_list?.map(({ checksum: _, execution_time: _t, completed_at, ...attempt }) => ({
      ...attempt,
      // When an attempt was lost is not among the events.
      completed_at: attempt.status === "interrupted" ? "lost" : completed_at,
      error: attempt.status === "interrupted" ? undefined : attempt.error,
    })),
  }));
  return { ...result, total_time: result.completed_at ? result.total_time : "passing", step_results: steps };
}

describe.each(runs)("the recorded run %s", (_, run) => {
  const start = runOf(blank(run));
  const end = foldAll(start, run.events);

  test("point 28: its events lead to the server's result", () => {
    expect(told(end.result)).toEqual(told(run.result));
    expect(end.seq).toBe(run.events.at(-1)!.seq);
  });

  test("point 28: one event at a time leads to the same as all at once", () => {
    expect(run.events.reduce(fold, start).result).toEqual(end.result);
  });

  test("point 28: it shows what the server shows while it stands still", () => {
    for (const { seq, result } of run.still) {
      const then = foldAll(
        start,
        run.events.filter((event) => event.seq <= seq),
      );
      expect(told(then.result)).toEqual(told(result));
    }
  });

  test("point 29: events that come again, late or in another order change nothing", () => {
    for (let i = 1; i <= run.events.length; i++) {
      const now = foldAll(start, run.events.slice(0, i));
      expect(foldAll(now, run.events.slice(0, i).reverse())).toBe(now);
      expect(foldAll(now, run.events).result).toEqual(end.result);
    }
  });

  test("point 29: it goes on from any snapshot", () => {
    for (const { seq, result } of run.still) {
      const again = foldAll(withSnapshot(start, result, seq), run.events);
      expect(told(again.result)).toEqual(told(run.result));
    }
  });

  test("what was folded is never written to", () => {
    const frozen = deepFreeze(structuredClone(start));
    let now: Run = frozen;
    for (const event of run.events) now = deepFreeze(fold(now, event));
    expect(told(now.result)).toEqual(told(run.result));
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}

test("point 28: a snapshot that is older than what is shown is left aside", () => {
  const run = recorded("approval");
  const now = foldAll(runOf(blank(run)), run.events.slice(0, 12));
  const [older] = run.still;
  expect(older!.seq).toBeLessThan(12);
  expect(withSnapshot(now, older!.result, older!.seq)).toBe(now);
  expect(withSnapshot(now, run.result, run.events.at(-1)!.seq).result.status).toBe("success");
});

test("point 29: a gap in the numbers is noticed", () => {
  const run = recorded("chain");
  const whole = foldAll(runOf(blank(run)), run.events.slice(0, 5));
  expect(whole.stale).toBe(false);
  expect(fold(whole, run.events[7]!).stale).toBe(true);
});

test("a run that is being cancelled says so until it has ended", () => {
  const run = recorded("cancelled");
  const at = run.events.findIndex(({ event }) => event === "execution_cancelling");
  expect(foldAll(runOf(blank(run)), run.events.slice(0, at + 1)).cancelling).toBe(true);
  expect(foldAll(runOf(blank(run)), run.events).cancelling).toBe(false);
});

test("what a step says of its progress goes when it ends", () => {
  const run = recorded("interrupted");
  const at = run.events.findIndex(({ event }) => event === "step_progress");
  expect(foldAll(runOf(blank(run)), run.events.slice(0, at + 1)).saying).toEqual({
    check: { percentage: 0, message: "check.sh" },
  });
  expect(foldAll(runOf(blank(run)), run.events).saying).toEqual({});
});

test("500 steps with 100 events a second cost little", () => {
  const run = recorded("chain");
  const [step] = Object.values(blank(run).step_results);
  const many = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [`s${i}`, { ...step!, step_id: `s${i}`, status: "running" }]),
  );
  let now = runOf({ ...blank(run), status: "running", step_results: many });
  const started = performance.now();
  for (let frame = 0; frame < 60; frame++) {
    const events = [0, 1].map(
      (k): LiveEvent => ({
        event: "step_log",
        seq: frame * 2 + k + 1,
        execution_id: "x",
        workflow_id: "x",
        timestamp: "2026-01-01T00:00:00Z",
        step_id: `s${frame}`,
        message: "line",
      }),
    );
    now = foldAll(now, events);
  }
  expect(now.result.step_results.s59!.log_count).toBe(2);
  expect((performance.now() - started) / 60).toBeLessThan(4);
});
