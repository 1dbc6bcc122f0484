import { describe, expect, test } from "vitest";
import { defaults, isFiltered, toFilter } from "./filters";

const now = Date.parse("2026-03-10T12:00:00Z");

describe("point 18: filters of the address as the API takes them", () => {
  test("nothing narrows nothing", () => {
    expect(toFilter(defaults, now)).toEqual({});
    expect(isFiltered(defaults)).toBe(false);
  });

  test("results, groups of them, workflow and trigger", () => {
    expect(toFilter({ ...defaults, result: "failed", workflow: "w", trigger: "cli" }, now)).toEqual({
      status: ["failed"],
      workflow_id: "w",
      trigger: "cli",
    });
    expect(toFilter({ ...defaults, result: "live" }, now).status).toContain("waiting");
    expect(toFilter({ ...defaults, result: "ended" }, now).status).toEqual([
      "success",
      "partial",
      "failed",
      "cancelled",
    ]);
  });

  test("a range ends now, and days are whole local ones", () => {
    expect(toFilter({ ...defaults, range: "24h" }, now).since).toBe("2026-03-09T12:00:00.000Z");
    const days = toFilter({ ...defaults, range: "custom", since: "2026-03-01", until: "2026-03-01" }, now);
    expect(Date.parse(days.until!) - Date.parse(days.since!)).toBe(86_400_000);
    expect(toFilter({ ...defaults, range: "custom", since: "soon" }, now)).toEqual({
      since: undefined,
      until: undefined,
    });
  });
});
