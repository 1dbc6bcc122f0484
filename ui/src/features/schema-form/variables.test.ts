import { describe, expect, test } from "vitest";
import type { Definition } from "../../api/types";
import { type VariablePlace, variablesFor } from "./variables";

const document: Definition = {
  name: "Release",
  config: { branch: "main", deep: { "a key": [1] } },
  parameters: [
    { name: "version", type: "string", label: "Version", description: "What is released" },
    { name: "dry_run", type: "boolean" },
    { name: "password", type: "secret" },
  ],
  steps: [
    { id: "first", handler: "x.build" },
    { id: "second", handler: "x.build", name: "Second build", dependencies: ["first"] },
    { id: "third", handler: "x.none", dependencies: ["second"] },
    { id: "aside", handler: "x.build" },
    { id: "many", handler: "x.build", for_each: [{ name: "a", size: 1 }], dependencies: ["first"] },
    { id: "last", handler: "x.build", dependencies: ["many"] },
  ],
};

const handlers = new Map([
  [
    "x.build",
    {
      name: "Build",
      output_schema: {
        properties: {
          path: { type: "string", description: "The built file." },
          sizes: { type: "array", items: { properties: { bytes: { type: "integer", description: "How many." } } } },
        },
      },
    },
  ],
]);

const named = (stepId: string | null, place: VariablePlace = "config", more = {}) =>
  variablesFor({ document, stepId, place, handlers, ...more });
const paths = (...given: Parameters<typeof named>) => named(...given).map(({ path }) => path);
const outputs = (...given: Parameters<typeof named>) => paths(...given).filter((path) => /^step-outputs/.test(path));
const of = (path: string, ...given: Parameters<typeof named>) => named(...given).find((each) => each.path === path);

describe("point 45: what a place may name", () => {
  test("the workflow's config, each value with its type and what it is now", () => {
    expect(paths("first").filter((path) => path.startsWith("config"))).toEqual([
      "config.branch",
      "config.deep",
      'config.deep["a key"]',
    ]);
    expect(of("config.branch", "first")).toEqual({
      path: "config.branch",
      type: "text",
      description: 'Now "main".',
      group: "Workflow config",
    });
    expect(of('config.deep["a key"]', "first")).toMatchObject({ type: "list", description: "Now [1]." });
  });

  test("parameters, with their type and what they are about", () => {
    expect(of("parameters.version", "first")).toMatchObject({
      type: "text",
      description: "Version. What is released",
      group: "Parameters",
    });
    expect(of("parameters.dry_run", "first")).toMatchObject({ type: "yes or no", description: "" });
    expect(of("parameters.password", "first")).toMatchObject({ type: "secret", secret: true });
  });

  test("outputs of steps that come before, of however far, and of no other", () => {
    expect(outputs("first")).toEqual([]);
    expect(outputs("aside")).toEqual([]);
    const whole = (stepId: string) => outputs(stepId).filter((path) => /^step-outputs\.\w+$/.test(path));
    expect(whole("second")).toEqual(["step-outputs.first"]);
    expect(new Set(whole("third"))).toEqual(new Set(["step-outputs.first", "step-outputs.second"]));
    expect(new Set(whole("last"))).toEqual(new Set(["step-outputs.first", "step-outputs.many"]));
    expect(outputs(null)).toEqual([]);
  });

  test("an output's fields, by the schema of its handler, with type and description", () => {
    expect(outputs("second")).toEqual([
      "step-outputs.first.path",
      "step-outputs.first.sizes",
      "step-outputs.first.sizes[0].bytes",
      "step-outputs.first",
    ]);
    expect(of("step-outputs.first.path", "second")).toEqual({
      path: "step-outputs.first.path",
      type: "text",
      description: "The built file.",
      group: "Step Build",
    });
    expect(of("step-outputs.first.sizes[0].bytes", "second")).toMatchObject({
      type: "whole number",
      description: "How many.",
    });
    expect(of("step-outputs.second.path", "third")?.group).toBe("Step Second build");
    expect(of("step-outputs.first", "second")).toMatchObject({ type: "map", description: "The whole output." });
  });

  test("outputs of a step with items are a list; a step with items names its own", () => {
    expect(of("step-outputs.many", "last")).toMatchObject({
      type: "list",
      description: "The outputs, one for each item.",
    });
    expect(outputs("last")).toContain("step-outputs.many[0].path");
    expect(outputs("last")).not.toContain("step-outputs.many.path");
    expect(of("item.size", "many")).toMatchObject({ type: "number", group: "This item" });
    expect(paths("many")).toContain("index");
    expect(paths("second")).not.toContain("item");
    expect(paths("many", "for_each")).not.toContain("item");
  });

  test("secrets, only in a step's config", () => {
    const secrets = { secrets: ["TOKEN"] };
    expect(of("secrets.TOKEN", "first", "config", secrets)).toMatchObject({ type: "secret", secret: true });
    for (const place of ["enabled", "for_each", "concurrency"] as const) {
      expect(paths("first", place, secrets)).not.toContain("secrets.TOKEN");
      expect(paths("first", place, secrets)).not.toContain("parameters.password");
      expect(paths("first", place, secrets)).toContain("parameters.version");
    }
  });

  test("a trigger names what it was fired by and the config, and neither parameters nor outputs", () => {
    const all = paths(null, "trigger", { trigger: "file" });
    expect(all).toContain("trigger.added");
    expect(all).toContain("config.branch");
    expect(all.filter((path) => /^(parameters|step-outputs|execution)/.test(path))).toEqual([]);
    expect(paths(null, "trigger", { trigger: "schedule" })).toContain("trigger.due");
  });
});
