import { expect, test } from "vitest";
import { parse } from "yaml";
import { copyText, readSteps } from "./clipboard";

const steps = [{ id: "a", handler: "flow.log", config: { message: "x: y" } }];

test("point 37: what is copied is JSON and YAML alike, and comes back", async () => {
  const text = copyText(steps, "here");
  expect(parse(text).steps).toEqual(steps);
  expect(await readSteps(text)).toEqual({ steps, origin: "here" });
});

test.each([
  ["a whole workflow", "name: A\nsteps:\n  - id: a\n    handler: flow.log\n"],
  ["a wrapped one", "workflow:\n  name: A\n  steps: [{id: a, handler: flow.log}]\n"],
  ["a list of steps", "- id: a\n  handler: flow.log\n"],
  ["a single step", "id: a\nhandler: flow.log\n"],
  ["an indented list, as it stands in a document", "  - id: a\n    handler: flow.log\n"],
])("point 37: %s in YAML is read", async (_, text) => {
  expect(await readSteps(text)).toEqual({ steps: [{ id: "a", handler: "flow.log" }], origin: null });
});

test("a step without an id gets one from its handler", async () => {
  expect((await readSteps("handler: git.commit"))?.steps[0]?.id).toBe("commit");
});

test.each([
  "",
  "hello",
  "just: a map",
  "- 1\n- 2",
  "id: 5\nhandler: x",
  "steps: []",
  "a: &a [*a]",
  "x: !!js/function f",
  "\u0000",
])("%j holds no steps", async (text) => expect(await readSteps(text)).toBeNull());
