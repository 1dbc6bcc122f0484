import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { downstreamOf, orderOf, upstreamOf } from "./order";

const folder = join(import.meta.dirname, "../../../../engine/workflow/testdata/cases");
const codes = ["duplicate_id", "unknown_dependency", "self_dependency", "duplicate_dependency", "cycle"];

interface Expected {
  problems: { pointer: string; code: string; severity: string; step_id?: string; message: string }[];
  levels: string[][] | null;
}

/** The steps of a case, where it parses to a document with steps of text ids. */
function stepsOf(file: string): { id: string; dependencies?: string[]; run_on?: string }[] | null {
  try {
    const document = parse(readFileSync(join(folder, file), "utf8"), { uniqueKeys: true });
    const steps = (document?.workflow ?? document)?.steps;
    const fine =
      Array.isArray(steps) &&
      steps.length > 0 &&
      steps.every((s) => typeof s?.id === "string" && (s.dependencies === undefined || Array.isArray(s.dependencies)));
    return fine ? steps : null;
  } catch {
    return null;
  }
}

describe("the order is the engine's", () => {
  const files = readdirSync(folder).filter((name) => !name.endsWith(".expect.json"));
  const cases = files.flatMap((file) => {
    const steps = stepsOf(file);
    const expected: Expected = JSON.parse(readFileSync(join(folder, file.replace(/\.\w+$/, ".expect.json")), "utf8"));
    return steps ? [{ file, steps, expected }] : [];
  });

  test("there are cases of every kind", () => {
    expect(cases.length).toBeGreaterThan(15);
    const seen = new Set(cases.flatMap(({ expected }) => expected.problems.map((problem) => problem.code)));
    for (const code of codes) expect(seen).toContain(code);
  });

  test.each(cases)("$file", ({ steps, expected }) => {
    const { problems, levels } = orderOf(steps);
    const plain = (message: string) => message.replace(/; did you mean .*\?$/, ".");
    const want = expected.problems
      .filter((problem) => codes.includes(problem.code) && problem.pointer.startsWith("/steps"))
      .map(({ pointer, code, severity, step_id, message }) => ({
        pointer,
        code,
        severity,
        step_id,
        message: plain(message),
      }));
    expect(problems).toEqual(want);
    if (expected.levels) expect(levels).toEqual(expected.levels);
    if (want.some((problem) => problem.severity === "error")) expect(levels).toBeNull();
  });
});

describe("what is before and after a step", () => {
  const steps = [
    { id: "a" },
    { id: "b", dependencies: ["a"] },
    { id: "c", dependencies: ["a", "gone"] },
    { id: "d", dependencies: ["b", "c"] },
    { id: "e" },
    { id: "clean", run_on: "always" },
  ];

  test("upstream and downstream go through others", () => {
    expect([...upstreamOf(steps, "d")].sort()).toEqual(["a", "b", "c"]);
    expect([...downstreamOf(steps, "a")].sort()).toEqual(["b", "c", "d"]);
    expect([...upstreamOf(steps, "e")]).toEqual([]);
  });

  test("a clean-up step without dependencies comes after every success step", () => {
    expect([...upstreamOf(steps, "clean")].sort()).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("cycles end", () => {
    const ring = [
      { id: "x", dependencies: ["z"] },
      { id: "y", dependencies: ["x"] },
      { id: "z", dependencies: ["y"] },
    ];
    expect([...upstreamOf(ring, "x")].sort()).toEqual(["y", "z"]);
    expect(orderOf(ring).ids).toEqual(["x", "y", "z"]);
  });

  test("ten thousand steps in a chain are ordered at once", () => {
    const chain = Array.from({ length: 10_000 }, (_, i) => ({ id: `s${i}`, dependencies: i > 0 ? [`s${i - 1}`] : [] }));
    expect(orderOf(chain).levels).toHaveLength(10_000);
    expect(upstreamOf(chain, "s9999").size).toBe(9999);
  });
});
