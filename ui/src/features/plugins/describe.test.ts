import { expect, test } from "vitest";
import type { PluginUsage } from "../../api/types";
import { usedBy } from "./describe";

test("a workflow that uses several handlers of a plugin is listed once, with all its steps", () => {
  const step = (id: string) => ({ step_id: id, step_name: id });
  const workflow = (id: string, ...steps: string[]) => ({
    workflow_id: id,
    workflow_name: id.toUpperCase(),
    revision: 1,
    steps: steps.map(step),
  });
  const usage: PluginUsage = {
    plugin: "git",
    next: "",
    handlers: [
      { path: "git.commit", workflows: [workflow("a", "one"), workflow("b", "x", "y")] },
      { path: "git.push", workflows: [workflow("a", "two")] },
    ],
    workflow_types: [{ name: "release", workflows: [workflow("c")] }],
  };
  expect(usedBy(usage)).toEqual([
    { id: "a", name: "A", steps: 2 },
    { id: "b", name: "B", steps: 2 },
    { id: "c", name: "C", steps: 0 },
  ]);
});
