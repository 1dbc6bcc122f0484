import { describe, expect, test } from "vitest";
import { comparison, rateText, scale, successRate } from "./figures";

describe("figures", () => {
  test("the success rate leaves out what a person cancelled", () => {
    expect(successRate({ success: 3, partial: 0, failed: 1 })).toBe(0.75);
    expect(successRate({ success: 0, partial: 0, failed: 0 })).toBeUndefined();
  });

  test("what is not whole never reads as all", () => {
    expect(rateText(1)).toMatch(/^100 ?%$/);
    expect(rateText(0.9999)).toMatch(/^99\.9 ?%$/);
    expect(rateText(0)).toMatch(/^0 ?%$/);
    expect(rateText(undefined)).toBe("–");
  });

  test("a count beside the one before", () => {
    expect(comparison(5, 3, "the day before")).toBe("2 more than the day before");
    expect(comparison(3, 5, "the day before")).toBe("2 fewer than the day before");
    expect(comparison(3, 3, "the day before")).toBe("as many as the day before");
  });

  test.each([
    [0, [0, 1]],
    [1, [0, 1]],
    [3, [0, 1, 2, 3]],
    [5, [0, 2, 4, 6]],
    [30, [0, 10, 20, 30]],
    [400, [0, 100, 200, 300, 400]],
    [401, [0, 200, 400, 600]],
  ])("a scale up to %d has round steps", (largest, ticks) => expect(scale(largest)).toEqual(ticks));
});
