import { expect, test } from "vitest";
import type { Fence, PluginUsage } from "../../api/types";
import { gapsOf, usedBy } from "./describe";

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

test("what a machine lacks to keep plugins in is told once, as a sentence", () => {
  const fence: Fence = {
    files: true,
    data_hidden: true,
    control_groups: true,
    memory_limit: true,
    process_limit: true,
    pinned: false,
  };
  expect(gapsOf(fence)).toEqual([]);
  const reason = "this system has no Landlock";
  expect(
    gapsOf({ ...fence, files: false, files_reason: reason, data_hidden: false, data_hidden_reason: reason }),
  ).toEqual(["This system has no Landlock."]);
});
