import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Execution } from "../../../api/types";
import { barsOf, place, runBars, shownSpan, ticksOf } from "./timeline";

const result = (name: string): Execution =>
  JSON.parse(readFileSync(join(import.meta.dirname, "../../run/testdata", `${name}.json`), "utf8")).result;

describe("point 21: bars", () => {
  test("one for each attempt, the lost one too", () => {
    const { check } = result("interrupted").step_results;
    const bars = barsOf(check!, check!.handler, 0);
    expect(bars.map(({ attempt, status, waits, open }) => [attempt, status, waits, open])).toEqual([
      [1, "interrupted", false, false],
      [1, "interrupted", true, false],
      [2, "success", false, false],
    ]);
    expect(bars[0]!.to).toBe(bars[1]!.from);
    expect(bars[1]!.to).toBe(bars[2]!.from);
  });

  test("a step that waits for its next attempt, or for a decision, shows the wait", () => {
    const attempt = { started_at: "2026-01-01T00:00:00Z", completed_at: "2026-01-01T00:00:01Z", execution_time: 1 };
    const now = Date.parse("2026-01-01T00:00:09Z");
    for (const [status, ended] of [
      ["retrying", "failed"],
      ["interrupted", "interrupted"],
    ] as const) {
      const unit = { status, attempts: 1, attempt_list: [{ ...attempt, attempt: 1, status: ended }] };
      expect(barsOf(unit, "a.b", now).map((bar) => [bar.status, bar.waits, bar.to - bar.from])).toEqual([
        [ended, false, 1000],
        [status, true, 8000],
      ]);
    }
  });

  test("what only waited is told apart", () => {
    const { go, done } = result("approval").step_results;
    expect(barsOf(go!, go!.handler, 0).map(({ waits }) => waits)).toEqual([true]);
    expect(barsOf(done!, done!.handler, 0).map(({ waits }) => waits)).toEqual([false]);
  });

  test("a step that never started has none, one that runs ends now", () => {
    const never = result("failure").step_results.never!;
    expect(barsOf(never, never.handler, 0)).toEqual([]);
    const started_at = "2026-01-01T00:00:00Z";
    const now = Date.parse(started_at) + 1500;
    const attempt_list = [{ attempt: 1, status: "running", started_at, execution_time: 0 }];
    const [bar] = barsOf({ status: "running", attempts: 1, started_at, attempt_list }, "a.b", now);
    expect(bar).toMatchObject({ to: now, open: true, status: "running" });
  });

  test("a run that waits for a slot shows the wait", () => {
    const run = { ...result("chain"), status: "queued", completed_at: undefined };
    const created = Date.parse(run.created_at);
    expect(runBars(run, created + 900)).toEqual([
      { from: created, to: created + 900, status: "queued", waits: true, attempt: 0, open: true },
    ]);
    expect(runBars(result("chain"), 0).map(({ status }) => status)).toEqual(["success"]);
  });
});

describe("point 22: the axis", () => {
  const whole = { from: 1_000_000, to: 1_600_000 };

  const at = (time: number) => new Date(time).toISOString();
  const ended = (from: number, to: number) => ({ ...result("chain"), created_at: at(from), completed_at: at(to) });

  test("fits a run that ended, or shows its last minute", () => {
    expect(shownSpan(ended(whole.from, whole.to), "fit", 0)).toEqual(whole);
    expect(shownSpan(ended(whole.from, whole.to), "minute", 0)).toEqual({ from: 1_540_000, to: 1_600_000 });
    expect(shownSpan(ended(0, 500), "minute", 0)).toEqual({ from: 0, to: 500 });
    expect(shownSpan(ended(0, 0), "fit", 0)).toEqual({ from: 0, to: 10 });
  });

  const live = { ...result("chain"), created_at: at(0), completed_at: undefined };
  const nowAt = (now: number, zoom: "fit" | "minute") =>
    place({ from: now, to: now }, shownSpan(live, zoom, now))!.left;
  const hour = 3_600_000;

  test("that of a live run ends at a round time after now, and grows now and then", () => {
    for (const [now, length] of [
      [-5000, 10_000],
      [0, 10_000],
      [9999, 10_000],
      [10_000, 30_000],
      [59_999, 60_000],
      [60_000, 120_000],
      [hour - 1, hour],
      [hour, 2 * hour],
      [23 * hour, 24 * hour],
      [31 * 24 * hour, 60 * 24 * hour],
    ] as const)
      expect(shownSpan(live, "fit", now), `${now} ms`).toEqual({ from: 0, to: length });
  });

  test("so that the line of now moves along an axis that stands still", () => {
    expect([120_000, 180_000, 240_000].map((now) => nowAt(now, "fit"))).toEqual([40, 60, 80]);
    const marks = [120_000, 299_000].map((now) => ticksOf(shownSpan(live, "fit", now), 0, 7));
    expect(marks[0]).toEqual(marks[1]);
  });

  test("the last minute of a live run is whole, and moves on every ten seconds", () => {
    expect(shownSpan(live, "minute", 59_999)).toEqual(shownSpan(live, "fit", 59_999));
    expect(shownSpan(live, "minute", 95_000)).toEqual({ from: 30_000, to: 100_000 });
    expect(shownSpan(live, "minute", 99_999)).toEqual({ from: 30_000, to: 100_000 });
    expect(shownSpan(live, "minute", 100_000)).toEqual({ from: 40_000, to: 110_000 });
    expect(nowAt(99_000, "minute")).toBeGreaterThan(nowAt(92_000, "minute"));
    for (let now = 60_000; now < 200_000; now += 700)
      expect(shownSpan(live, "minute", now).from).toBeLessThanOrEqual(now - 60_000);
    expect(ticksOf(shownSpan(live, "minute", 95_000), 0, 7).map(({ label }) => label)).toEqual([
      "30 s",
      "40 s",
      "50 s",
      "1m 00s",
      "1m 10s",
      "1m 20s",
      "1m 30s",
      "1m 40s",
    ]);
  });

  test("bars are cut at its ends", () => {
    expect(place({ from: 1_000_000, to: 1_300_000 }, whole)).toEqual({ left: 0, width: 50 });
    expect(place({ from: 900_000, to: 1_060_000 }, whole)).toEqual({ left: 0, width: 10 });
    expect(place({ from: 900_000, to: 990_000 }, whole)).toBeUndefined();
    expect(place({ from: 1_700_000, to: 1_800_000 }, whole)).toBeUndefined();
  });

  test("its marks are round and not too many", () => {
    expect(ticksOf(whole, whole.from, 6).map(({ label }) => label)).toEqual([
      "0",
      "2m 00s",
      "4m 00s",
      "6m 00s",
      "8m 00s",
      "10m 00s",
    ]);
    expect(ticksOf({ from: 1_540_000, to: 1_600_000 }, whole.from, 5).map(({ label }) => label)).toEqual([
      "9m 00s",
      "9m 15s",
      "9m 30s",
      "9m 45s",
      "10m 00s",
    ]);
    expect(ticksOf({ from: 0, to: 86_400_000 * 400 }, 0, 8).length).toBeLessThan(16);
  });
});
