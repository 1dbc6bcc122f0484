import { describe, expect, test } from "vitest";
import type { Definition } from "../../../api/types";
import { orderOf } from "../../graph/order";
import {
  addStep,
  connect,
  disconnect,
  duplicateSteps,
  insertStep,
  moveSteps,
  newStepId,
  pasteSteps,
  pinPositions,
  removeSteps,
  renameStep,
  setPositions,
  stepById,
  whyNotConnect,
  whyNotRename,
} from "./commands";

const chain: Definition = {
  name: "Chain",
  steps: [
    { id: "a", handler: "flow.log" },
    { id: "b", handler: "flow.log", dependencies: ["a"] },
    { id: "c", handler: "flow.log", dependencies: ["b", "a"] },
  ],
};
const deps = (definition: Definition) =>
  Object.fromEntries(definition.steps.map((step) => [step.id, step.dependencies ?? []]));

/** No command may change what it is given. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const each of Object.values(value)) frozen(each);
  }
  return value;
}
frozen(chain);

describe("steps come and go", () => {
  test("point 32: a new step is placed after the selected one, with an id of its own", () => {
    const id = newStepId(chain, "git.create_tag");
    expect(id).toBe("create-tag");
    const one = addStep(chain, { id, handler: "git.create_tag" }, "c");
    expect(deps(one)[id]).toEqual(["c"]);
    expect(newStepId(one, "git.create_tag")).toBe("create-tag-2");
    expect(addStep(chain, { id: "x", handler: "h" }, "gone").steps.at(-1)).toEqual({ id: "x", handler: "h" });
  });

  test("point 37: removing steps removes every connection to them", () => {
    const after = removeSteps(chain, new Set(["a", "b"]));
    expect(after.steps).toEqual([{ id: "c", handler: "flow.log" }]);
    expect(removeSteps(chain, new Set(["gone"]))).toBe(chain);
  });

  test("point 36: a step is inserted into a connection and into no other", () => {
    const after = insertStep(chain, { id: "x", handler: "h" }, "a", "b");
    expect(deps(after)).toEqual({ a: [], b: ["x"], c: ["b", "a"], x: ["a"] });
    expect(disconnect(after, "a", "c").steps.find((s) => s.id === "c")?.dependencies).toEqual(["b"]);
    expect(disconnect(chain, "c", "a")).toBe(chain);
  });
});

describe("point 35: what can't be connected is refused in words", () => {
  test("a cycle names the way round", () => {
    expect(whyNotConnect(chain, "c", "a")).toContain("a → c");
    expect(whyNotConnect(chain, "c", "a")).toContain("They would wait for each other");
    expect(connect(chain, "c", "a")).toBe(chain);
  });
  test("a double", () => expect(whyNotConnect(chain, "a", "b")).toBe('"b" already waits for "a".'));
  test("a step with itself", () => expect(whyNotConnect(chain, "a", "a")).toBe('"a" can\'t wait for itself.'));
  test("a step that is gone", () => expect(whyNotConnect(chain, "a", "x")).not.toBeNull());
  test("what is allowed is made", () => {
    const two = { ...chain, steps: [...chain.steps, { id: "d", handler: "h" }] };
    expect(whyNotConnect(two, "c", "d")).toBeNull();
    expect(deps(connect(two, "c", "d")).d).toEqual(["c"]);
  });

  test("whatever is connected in whatever order, there is never a cycle", () => {
    let seed = 7;
    const random = (n: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % n;
    };
    let definition: Definition = {
      name: "R",
      steps: Array.from({ length: 12 }, (_, i) => ({ id: `s${i}`, handler: "h" })),
    };
    for (let i = 0; i < 400; i++) {
      const [from, to] = [`s${random(12)}`, `s${random(12)}`];
      const reason = whyNotConnect(definition, from, to);
      const forced = {
        ...definition,
        steps: definition.steps.map((s) =>
          s.id === to ? { ...s, dependencies: [...(s.dependencies ?? []), from] } : s,
        ),
      };
      expect(reason === null).toBe(orderOf(forced.steps).problems.length === 0);
      definition = connect(definition, from, to);
      expect(orderOf(definition.steps).problems).toEqual([]);
    }
    expect(definition.steps.flatMap((s) => s.dependencies ?? []).length).toBeGreaterThan(30);
  });
});

describe("places", () => {
  const drawn = new Map([
    ["a", { x: 0, y: 0 }],
    ["b", { x: 320, y: 0 }],
    ["c", { x: 640, y: 0 }],
  ]);
  test("point 38: a move saves the place from where the step is drawn", () => {
    const after = moveSteps(chain, new Set(["b"]), { x: 10, y: -20 }, drawn);
    expect(stepById(after, "b")?.ui).toEqual({ position: { x: 330, y: -20 } });
    expect(stepById(after, "a")).toBe(stepById(chain, "a"));
    expect(moveSteps(chain, new Set(["b"]), { x: 0, y: 0 }, drawn)).toBe(chain);
  });
  test("point 38: places of others are pinned before the shape changes, saved ones stay", () => {
    const one = moveSteps(chain, new Set(["b"]), { x: 10, y: 0 }, drawn);
    const pinned = pinPositions(one, drawn);
    expect(pinned.steps.map((step) => step.ui?.position?.x)).toEqual([0, 330, 640]);
    expect(pinPositions(pinned, new Map([["a", { x: 9, y: 9 }]]))).toBe(pinned);
    expect(setPositions(pinned, new Map([["a", { x: 0, y: 0 }]]))).toBe(pinned);
  });
});

describe("copies", () => {
  const document: Definition = frozen({
    name: "D",
    steps: [
      { id: "a", handler: "flow.log" },
      {
        id: "b",
        handler: "flow.log",
        dependencies: ["a"],
        config: { message: "${step-outputs.a.text}" },
        ui: { position: { x: 100, y: 100 } },
      },
      {
        id: "c",
        handler: "flow.log",
        dependencies: ["b"],
        config: { message: "${step-outputs.b.text} of ${step-outputs.a.text}" },
        when: 'steps.b.status == "success"',
        ui: { position: { x: 420, y: 100 } },
      },
    ],
  });

  test("point 37: duplicates refer to one another, and wait for what the originals wait for", () => {
    const { definition, ids } = duplicateSteps(document, new Set(["b", "c"]));
    expect(ids).toEqual(["b-2", "c-2"]);
    const [b, c] = definition.steps.slice(3);
    expect(b).toMatchObject({ dependencies: ["a"], config: { message: "${step-outputs.a.text}" } });
    expect(c).toMatchObject({
      dependencies: ["b-2"],
      config: { message: "${step-outputs.b-2.text} of ${step-outputs.a.text}" },
      when: 'steps["b-2"].status == "success"',
    });
    expect(b?.ui?.position).toEqual({ x: 140, y: 140 });
    expect(definition.steps.slice(0, 3)).toEqual(document.steps);
  });

  test("point 37: pasting elsewhere drops dependencies on steps that were not copied", () => {
    const other: Definition = { name: "O", steps: [{ id: "a", handler: "h" }] };
    const { definition, ids } = pasteSteps(other, document.steps.slice(1), {
      keepOutside: false,
      at: { x: 500, y: 300 },
    });
    expect(ids).toEqual(["b", "c"]);
    expect(deps(definition)).toEqual({ a: [], b: [], c: ["b"] });
    const places = definition.steps.slice(1).map((step) => step.ui!.position!);
    expect((places[0]!.x + places[1]!.x + 236) / 2).toBeCloseTo(500, -1);
  });

  test("pasted ids are made fit and unique", () => {
    const { ids } = pasteSteps(
      document,
      [
        { id: "a", handler: "h" },
        { id: "a", handler: "h" },
        { id: "Bäd id!", handler: "h" },
      ],
      { keepOutside: false },
    );
    expect(ids).toEqual(["a-2", "a-3", "bad-id"]);
  });
});

describe("point 41: another id changes everything that names it", () => {
  const document: Definition = {
    name: "D",
    concurrency: { key: "${step-outputs.old.key}" },
    steps: [
      { id: "old", handler: "h" },
      {
        id: "next",
        handler: "h",
        dependencies: ["old"],
        enabled: "${step-outputs.old.on}",
        for_each: "${ step-outputs.old.items }",
        when: "steps.old.status == 'success' and steps?.old.output.n > 1",
        config: {
          deep: [{ text: 'a $${step-outputs.old} ${step-outputs["old"].x | default "old"} ${step-outputs.older.x}' }],
          "step-outputs.old": 1,
        },
      },
    ],
  };
  test("dependencies, references and conditions, and nothing else", () => {
    const after = renameStep(frozen(document), "old", "brand-new");
    expect(after.concurrency?.key).toBe("${step-outputs.brand-new.key}");
    expect(after.steps[0]?.id).toBe("brand-new");
    expect(after.steps[1]).toEqual({
      id: "next",
      handler: "h",
      dependencies: ["brand-new"],
      enabled: "${step-outputs.brand-new.on}",
      for_each: "${ step-outputs.brand-new.items }",
      when: `steps["brand-new"].status == 'success' and steps?.["brand-new"].output.n > 1`,
      config: {
        deep: [
          {
            text: 'a $${step-outputs.old} ${step-outputs["brand-new"].x | default "old"} ${step-outputs.older.x}',
          },
        ],
        "step-outputs.old": 1,
      },
    });
  });
  test("an id that is taken or unfit is refused in words", () => {
    expect(whyNotRename(document, "old", "next")).toContain("already has");
    expect(whyNotRename(document, "old", "-x")).toContain("begins with");
    expect(whyNotRename(document, "old", "")).toContain("needs an id");
    expect(renameStep(document, "old", "next")).toBe(document);
  });
});
