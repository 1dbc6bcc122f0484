import { expect, test } from "vitest";
import { asStepId, isStepId, uniqueId } from "./ids";

test.each([
  ["Build & test", "build-test"],
  ["create_tag", "create-tag"],
  ["Überprüfen", "uberprufen"],
  ["!!!", "step"],
  ["x".repeat(90), "x".repeat(64)],
])("%s becomes an id", (text, id) => {
  expect(asStepId(text)).toBe(id);
  expect(isStepId(id)).toBe(true);
});

test("numbers go on where they stand", () => {
  expect(uniqueId("a", new Set())).toBe("a");
  expect(uniqueId("a", new Set(["a"]))).toBe("a-2");
  expect(uniqueId("a-2", new Set(["a-2", "a-3"]))).toBe("a-4");
  const long = "y".repeat(64);
  expect(uniqueId(long, new Set([long]))).toBe(`${"y".repeat(62)}-2`);
});
