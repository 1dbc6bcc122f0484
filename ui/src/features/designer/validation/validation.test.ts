import { describe, expect, test } from "vitest";
import type { Definition, HandlerSummary } from "../../../api/types";
import { join, sameButForPlaces } from "./join";
import { createPageChecker } from "./page";

const handler = (path: string, config_schema: object, output_schema: object = {}) =>
  [path, { path, name: path, config_schema, output_schema } as unknown as HandlerSummary] as const;

const handlers = new Map([
  handler(
    "x.bump",
    { properties: { file: { type: "string", title: "File" } }, required: ["file"], additionalProperties: false },
    { properties: { new_version: { type: "string" } }, additionalProperties: false },
  ),
  handler("flow.log", {
    required: ["message"],
    properties: { message: { type: "string", title: "Message" }, level: { enum: ["info", "error"] } },
    additionalProperties: false,
  }),
]);

function workflow(say: object, more: Partial<Definition> = {}): Definition {
  return {
    name: "W",
    config: { target: "prod" },
    parameters: [{ name: "customer", type: "string" }],
    steps: [
      { id: "bump", handler: "x.bump", config: { file: "VERSION" } },
      { id: "other", handler: "flow.log", config: { message: "x" } },
      { id: "say", handler: "flow.log", dependencies: ["bump"], ...say },
    ],
    ...more,
  };
}

const check = (document: Definition) => createPageChecker()(document, handlers);
const message = (text: string) => ({ config: { message: text } });

test("point 46: good references are no problem", () => {
  const text =
    "${parameters.customer} ${config.target} ${step-outputs.bump.new_version} ${execution.id} ${secrets.X} ${env.HOME}";
  expect(check(workflow(message(text)))).toEqual([]);
  expect(check(workflow(message('${config.gone | default 1} ${step-outputs.other.x | default "y"}')))).toEqual([]);
  expect(check(workflow({ ...message("${item.x} ${index}"), for_each: ["a"] }))).toEqual([]);
});

describe("point 46: a reference to nothing is a problem with a repair", () => {
  test.each([
    ["${step-outputs.bmp.new_version}", "unknown_step", "Change to “bump”", "${step-outputs.bump.new_version}"],
    [
      "${step-outputs.bump.new_versin}",
      "unknown_output",
      "Change to “new_version”",
      "${step-outputs.bump.new_version}",
    ],
    ["${parameters.custmer}", "unknown_parameter", "Change to “customer”", "${parameters.customer}"],
    ["${config.targt}", "unknown_config", "Change to “target”", "${config.target}"],
    ["${parameter.customer}", "reference_syntax", "Change to “parameters”", "${parameters.customer}"],
  ])("%s", (text, code, label, repaired) => {
    const document = workflow(message(`a ${text} b`));
    const [problem, ...others] = check(document);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code, severity: "error", stepId: "say", pointer: "/steps/2/config/message" });
    expect(problem?.field).toBe("Message");
    expect(problem?.repair?.label).toBe(label);
    const after = problem!.repair!.apply(document);
    expect(after.steps[2]?.config).toEqual({ message: `a ${repaired} b` });
    expect(check(after)).toEqual([]);
  });

  test("a step that does not come before: the dependency is added", () => {
    const document = workflow(message("${step-outputs.other.x}"));
    const [problem] = check(document);
    expect(problem).toMatchObject({ code: "step_not_upstream", repair: { label: "Wait for “other”" } });
    const after = problem!.repair!.apply(document);
    expect(after.steps[2]?.dependencies).toEqual(["bump", "other"]);
    expect(check(after)).toEqual([]);
  });

  test("a step that can't come before has none", () => {
    const document = workflow({});
    document.steps[0] = { id: "bump", handler: "x.bump", config: { file: "${step-outputs.say.x}" } };
    const problem = check(document).find(({ code }) => code === "step_not_upstream");
    expect(problem?.message).toContain("can't wait");
    expect(problem?.repair).toBeUndefined();
  });

  test("a parameter that is not declared can be", () => {
    const document = workflow(message("${parameters.brand_new}"));
    const after = check(document)[0]!.repair!.apply(document);
    expect(after.parameters?.at(-1)).toEqual({ name: "brand_new", type: "string" });
    expect(check(after)).toEqual([]);
  });

  test("a key or a handler of another name is changed; an unknown dependency too", () => {
    const document = workflow({ handler: "flow.lgo", config: { message: "x" }, dependencies: ["bumb"] });
    for (const problem of check(document)) expect(problem.repair).toBeDefined();
    const after = check(document).reduce((now, problem) => problem.repair!.apply(now), document);
    expect(check(after)).toEqual([]);
    const typo = workflow({ config: { message: "x", levl: "info" } });
    const [problem, ...others] = check(typo);
    expect(others).toEqual([]);
    expect(problem?.repair?.apply(typo).steps[2]?.config).toEqual({ message: "x", level: "info" });
  });
});

describe("point 47, P15: only what changed is checked again", () => {
  test("the problems of a step are the same objects while it and its surroundings stay", () => {
    const checker = createPageChecker();
    const first = workflow({ config: {} });
    const before = checker(first, handlers);
    const moved = {
      ...first,
      steps: first.steps.map((step) => ({ ...step, ui: { position: { x: 1, y: 1 } } })),
    };
    const after = checker(moved, handlers);
    expect(after).toEqual(before);
    expect(before[0]).toMatchObject({ pointer: "/steps/2/config/message", message: "This is required." });
  });

  test("a schema check is made once for each config", () => {
    let reads = 0;
    const schema = { properties: {}, additionalProperties: false };
    const counted = new Map(handlers);
    counted.set("flow.log", {
      ...handlers.get("flow.log")!,
      get config_schema() {
        reads++;
        return schema;
      },
    } as HandlerSummary);
    const checker = createPageChecker();
    const document = workflow(message("x"));
    checker(document, counted);
    const once = reads;
    const step = document.steps[0]!;
    const other = { ...document, steps: [{ ...step, description: "new" }, ...document.steps.slice(1)] };
    checker(other, counted);
    expect(reads).toBe(once);
  });
});

describe("what the server found is joined with it", () => {
  const item = (pointer: string, code: string, text: string, step_id?: string) => ({
    ...{ pointer, code, step_id },
    message: text,
  });

  test("the page's words stand where both speak of one place; the server's elsewhere", () => {
    const document = workflow({ config: {} });
    const validation = {
      valid: false,
      errors: [
        item("/steps/2/config", "missing_key", 'The config needs the key "message".', "say"),
        item("/steps/2/when", "bad_expression", "The condition is wrong.", "say"),
      ],
      warnings: [item("/parameters/0", "unused_parameter", "Nothing refers to it.")],
    };
    const joined = join(check(document), { document, validation }, document);
    expect(joined.map(({ pointer, message: text, severity }) => [severity, pointer, text])).toEqual([
      ["error", "/steps/2/config/message", "This is required."],
      ["error", "/steps/2/when", "The condition is wrong."],
      ["warning", "/parameters/0", "Nothing refers to it."],
    ]);
  });

  test("of an older definition only what was said of unchanged parts stands, at its place now", () => {
    const judged = workflow(message("x"));
    const validation = {
      valid: false,
      errors: [
        item("/steps/1/when", "bad_expression", "Wrong.", "other"),
        item("/steps/2/when", "bad_expression", "Wrong too.", "say"),
        item("/name", "too_long", "Too long."),
      ],
      warnings: [],
    };
    const now = { ...judged, name: "Short", steps: [judged.steps[1]!, { ...judged.steps[2]!, when: "true" }] };
    expect(join([], { document: judged, validation }, now).map(({ pointer }) => pointer)).toEqual(["/steps/0/when"]);
  });

  test("what the server lets pass is no error; a condition on a step elsewhere can be repaired", () => {
    const document = workflow({ config: {} });
    const verdict = { document, validation: { valid: true, errors: [], warnings: [] } };
    expect(join(check(document), verdict, document)).toEqual([]);
    const text = 'The condition names step "other", which step "say" does not come after.';
    const errors = [item("/steps/2/when", "step_not_upstream", text, "say")];
    const [problem] = join([], { document, validation: { valid: false, errors, warnings: [] } }, document);
    expect(problem?.repair?.apply(document).steps[2]?.dependencies).toEqual(["bump", "other"]);
  });

  test("moving steps changes nothing that is judged", () => {
    const document = workflow({});
    const moved = { ...document, steps: document.steps.map((step) => ({ ...step, ui: { position: { x: 1, y: 2 } } })) };
    expect(sameButForPlaces(document, moved)).toBe(true);
    expect(sameButForPlaces(document, { ...moved, name: "Other" })).toBe(false);
    expect(sameButForPlaces(document, { ...document, steps: document.steps.slice(1) })).toBe(false);
  });
});
