import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { actionChoices, defaults, objectHref, toFilter, wayText } from "./words";

test("every action of the server's table of routes has its words", () => {
  const table = readFileSync("../host/routes.go", "utf8");
  const actions = [...table.matchAll(/action: "([^"]+)"/g)].map(([, action]) => action);
  expect(actions.length).toBeGreaterThan(30);
  const known = actionChoices.map(({ value }) => value);
  for (const action of actions) expect(known).toContain(action);
});

test("an object leads to its page, where it has one", () => {
  expect(objectHref("workflows/a b")).toBe("/workflows/a%20b");
  expect(objectHref("executions/e-1")).toBe("/executions/e-1");
  expect(objectHref("executions/e-1/steps/s")).toBe("/executions/e-1?step=s");
  expect(objectHref("users/ann")).toBe("/settings/accounts?q=ann");
  for (const none of ["", "workflows", "secrets/TOKEN", "data"]) expect(objectHref(none)).toBeUndefined();
});

test("only what is narrowed is sent", () => {
  expect(toFilter(defaults, 0)).toEqual({});
  const now = Date.UTC(2026, 0, 8);
  expect(toFilter({ ...defaults, who: " ann ", result: "refused", range: "7d", object: "workflows/" }, now)).toEqual({
    who: "ann",
    result: "refused",
    object: "workflows/",
    since: "2026-01-01T00:00:00.000Z",
  });
  expect(toFilter({ ...defaults, result: "other" }, now)).toEqual({});
});

test("who was not let in came by no way", () => {
  expect(wayText("")).toBe("not let in");
  expect(wayText("cookie")).toBe("in a browser");
});
