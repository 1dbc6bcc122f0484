import { expect, test } from "vitest";
import { byRank, rankOf } from "./ranking";

test("a name that begins with the query fits best, then the first text that holds it", () => {
  expect(rankOf("fail", "Fail", "flow.fail", "Fails with a message")).toBe(0);
  expect(rankOf("FAIL", "Do not fail", "x", "")).toBe(1);
  expect(rankOf("fail", "Commit", "git.fail", "It fails")).toBe(2);
  expect(rankOf("fail", "Commit", "git.commit", "It fails")).toBe(3);
  expect(rankOf("it commits", "Commit", "git.commit", null)).toBe(4);
});

test("the best group comes first, the best first in each, and what fits equally keeps its order", () => {
  const list = ["data:may fail", "data:other", "flow:log", "flow:fail", "git:log"];
  const rank = (item: string) => rankOf("fail", item.split(":")[1]);
  expect(byRank(list, rank, (item) => item.split(":")[0]!)).toEqual([
    "flow:fail",
    "flow:log",
    "data:may fail",
    "data:other",
    "git:log",
  ]);
});
