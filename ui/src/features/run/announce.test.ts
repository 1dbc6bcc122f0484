import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Execution } from "../../api/types";
import { Announcer, announcement } from "./announce";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const run = (status: string, done: number, failed = 0): Execution =>
  ({
    status,
    progress: { total_steps: 10, completed_steps: done, failed_steps: failed, skipped_steps: 0, percentage: 0 },
    step_results: {},
  }) as unknown as Execution;

test("point 30: it says how many are done and failed", () => {
  expect(announcement(run("running", 4, 1))).toBe("4 of 10 done, 1 failed");
  expect(announcement(run("failed", 4, 1))).toBe("The run ended: failed. 4 of 10 done, 1 failed.");
  expect(announcement(run("paused", 0))).toBe("The run is paused. 0 of 10 done.");
});

test("point 30: at most one announcement in 3 s, and the newest is never lost", () => {
  const said: [number, string][] = [];
  const began = Date.now();
  const announcer = new Announcer((text) => said.push([Date.now() - began, text]));
  for (let i = 0; i <= 70; i++) {
    announcer.announce(`${i} of 70 done`);
    vi.advanceTimersByTime(100);
  }
  vi.advanceTimersByTime(10_000);
  expect(said).toEqual([
    [0, "0 of 70 done"],
    [3000, "29 of 70 done"],
    [6000, "59 of 70 done"],
    [9000, "70 of 70 done"],
  ]);
});

test("what is known or said already is not said again", () => {
  const said: string[] = [];
  const announcer = new Announcer((text) => said.push(text));
  announcer.known("a");
  announcer.announce("a");
  announcer.announce("b");
  announcer.announce("c");
  announcer.announce("b");
  vi.advanceTimersByTime(10_000);
  expect(said).toEqual(["b"]);
});
