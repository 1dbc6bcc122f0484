import { expect, test } from "vitest";
import { type Day, dayText, labelEvery, sentence, stack } from "./chart";

const day = (date: string, more: Partial<Day> = {}): Day => {
  const made = { success: 0, partial: 0, cancelled: 0, failed: 0, live: 0, ...more };
  const total = made.success + made.partial + made.cancelled + made.failed + made.live;
  return { date, total, average_time: 0, median_time: 0, p95_time: 0, longest_time: 0, ...made };
};

test("point 9: a bar is as tall as its share of the scale, failures on top, and a small part still shows", () => {
  const pieces = stack(day("2026-01-01", { success: 50, failed: 50 }), 100, 200);
  expect(pieces.map((piece) => piece.status)).toEqual(["success", "failed"]);
  expect(pieces[0]).toMatchObject({ y: 100, height: 100 });
  expect(pieces[1]!.y).toBe(0);
  const [, tiny] = stack(day("2026-01-01", { success: 999, failed: 1 }), 1000, 160);
  expect(tiny!.height).toBe(2);
  expect(stack(day("2026-01-01"), 10, 100)).toEqual([]);
});

test("point 9: the chart is one sentence", () => {
  const days = [day("2026-01-01", { success: 2 }), day("2026-01-02", { success: 3, failed: 1, live: 1 })];
  expect(sentence(days)).toMatch(
    /^7 executions in the last 2 days: 5 succeeded, 1 failed, 1 not ended\. Most on .*2.*, 5\.$/,
  );
  expect(sentence([day("2026-01-01"), day("2026-01-02")])).toBe("Nothing was executed in the last 2 days.");
  expect(dayText(days[0]!)).toMatch(/: 2 executions, 2 succeeded$/);
});

test("point 9: dates don't run into each other", () => {
  expect(labelEvery(14, 1100)).toBe(1);
  expect(labelEvery(14, 280)).toBe(3);
  expect(labelEvery(14, 10)).toBe(14);
});
