import { describe, expect, test } from "vitest";
import type { Parameter } from "../../api/types";
import { checkParameters, firstValues, recall, remember, sentValues } from "./parameters";

const release: Parameter[] = [
  { name: "summary", type: "string", required: true, validation: { min_length: 10, max_length: 20 } },
  { name: "kind", type: "enum", default: "fix", options: ["fix", { value: "feature", label: "Feature 🚀" }] },
  { name: "areas", type: "multi_enum", options: ["a", "b"], validation: { min_length: 1 } },
  { name: "count", type: "integer", validation: { min: 1, max: 5 } },
  { name: "ratio", type: "number", default: 0.5 },
  { name: "file", type: "file" },
  { name: "token", type: "secret", required: true },
  { name: "extra", type: "json" },
  { name: "skip", type: "boolean", required: true },
  { name: "docs_ok", type: "boolean", required: true, validation: { must_be: true } },
];

const wrong = (values: object) =>
  checkParameters(release, { summary: "Long enough", token: "t", docs_ok: true, ...values }).map(
    ({ pointer, message }) => `${pointer} ${message}`,
  );

describe("point 55: parameters are checked as the server does", () => {
  test.each([
    [{}, []],
    [{ summary: "Short" }, ["/summary At least 10 characters; there are 5."]],
    [{ summary: "🚀".repeat(21) }, ["/summary At most 20 characters; there are 21."]],
    [{ kind: "featur" }, ["/kind “featur” is no choice; did you mean “feature”?"]],
    [{ areas: [] }, ["/areas Tick at least 1 choice."]],
    [{ areas: ["a", "a"] }, ["/areas A choice stands twice."]],
    [{ count: 0 }, ["/count This must be 1 or more."]],
    [{ count: 2.5 }, ["/count This must be a whole number."]],
    [{ count: "many" }, ["/count This must be a whole number."]],
    [{ file: "../x" }, ["/file The path must not lead out of a folder with .."]],
    [{ file: "/etc/passwd" }, ["/file The path must be relative to the workspace."]],
    [{ docs_ok: false }, ["/docs_ok Tick this to go on."]],
  ])("%j", (values, messages) => {
    expect(wrong(values)).toEqual(messages);
  });

  test("what is required and missing, in the order of the form", () => {
    expect(checkParameters(release, {}).map(({ pointer }) => pointer)).toEqual(["/summary", "/token", "/docs_ok"]);
  });
});

test("point 55: a boolean is always sent, what is empty never", () => {
  expect(sentValues(release, { summary: "x" })).toEqual({ summary: "x", skip: false, docs_ok: false });
});

describe("point 55: last used values", () => {
  test("come back, but no secret, no confirmation and nothing that no longer fits", () => {
    remember("w", release, { summary: "Long enough", kind: "feature", token: "hush", docs_ok: true, count: 3 });
    expect(localStorage.getItem("vwmp.last-parameters.w")).not.toContain("hush");
    const now = release.map((parameter) =>
      parameter.name === "count" ? { ...parameter, validation: { max: 2 } } : parameter,
    );
    expect(firstValues(now, recall("w"))).toEqual({ summary: "Long enough", kind: "feature", ratio: 0.5 });
    expect(recall("other")).toEqual({});
  });

  test("that are damaged are none", () => {
    localStorage.setItem("vwmp.last-parameters.w", "[1");
    expect(firstValues(release, recall("w"))).toEqual({ kind: "fix", ratio: 0.5 });
  });
});
