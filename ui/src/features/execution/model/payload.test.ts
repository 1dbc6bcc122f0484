import { expect, test } from "vitest";
import { namedOutput } from "./payload";

test("point 26: an output that is only named is told from one that is there", () => {
  const named = { sha256: "ab", size: 300_000, preview: '{"a":' };
  expect(namedOutput({ $blob: named })).toEqual(named);
  expect(namedOutput({ $blob: named, more: 1 })).toBeUndefined();
  expect(namedOutput({ $blob: "text" })).toBeUndefined();
  expect(namedOutput(null)).toBeUndefined();
  expect(namedOutput("text")).toBeUndefined();
});
