import { describe, expect, test } from "vitest";
import type { Definition } from "../../api/types";
import { readJson, readYaml, updateDefinition, updateYaml, writeYaml } from "./sync";

const release = `# How we release.
name: Release   # shown in the list
version: "1.0.0"
tags: [a, b]  # two

# ---- inputs ----

parameters:
  # what it is about
  - name: summary
    required: true

  - {name: kind, type: enum, options: [fix, feature]}   # in one line

steps:
  # first of all
  - id: bump
    handler: x.bump  # ours
    timeout: 5m
    required: true
    config:
      # the file
      file: 'it''s.txt'
      text: |  # long
        one
          # no comment
        two

      values: [1.0, 2]   # numbers

  # then
  - id: tag
    handler: x.tag
    dependencies: [bump]
    config: {name: "v\${step-outputs.bump.version}", deep: {a: 1}}
  # on its own

  # at last
  - id: push
    handler: x.push
    dependencies:
      - tag # after it
# the end
`;

// biome-ignore lint/suspicious/noExplicitAny: the tests change values of any shape.
type Loose = { [key: string]: any };

/** The definition as the server gives it: in words of its own. */
function served(text: string): Definition {
  const definition = structuredClone(readYaml(text).raw) as Loose;
  for (const step of definition.steps) {
    if (step.timeout === "5m") step.timeout = 300;
    if (step.required === true) delete step.required;
  }
  return definition as Definition;
}

function edited(text: string, change: (definition: Loose) => void) {
  const before = served(text);
  const after = structuredClone(before) as Loose;
  change(after);
  const { read, rewritten } = updateYaml(readYaml(text), before, after as Definition);
  return { text: read.text, raw: read.raw as Loose | undefined, rewritten };
}

const cases: [string, (definition: Loose) => void, ...[string, string][]][] = [
  ["nothing", () => {}],
  ["a plain text", (d) => (d.name = "Ship it"), ["name: Release   #", "name: Ship it   #"]],
  ["a plain text that needs quotes", (d) => (d.name = "a: b #c"), ["name: Release   #", 'name: "a: b #c"   #']],
  ["a text in quotes", (d) => (d.version = "1.1.0"), ['"1.0.0"', '"1.1.0"']],
  ["text in single ones", (d) => (d.steps[0].config.file = "she's.txt"), ["'it''s.txt'", "'she''s.txt'"]],
  ["a text in braces", (d) => (d.steps[1].config.name = "x, y"), ['"v${step-outputs.bump.version}"', '"x, y"']],
  ["a plain text in brackets that needs quotes", (d) => (d.tags = ["a", "b, c"]), ["[a, b]", '[a, "b, c"]']],
  ["a duration", (d) => (d.steps[0].timeout = 60), ["timeout: 5m", "timeout: 60"]],
  [
    "a written default",
    (d) => (d.steps[0].required = false),
    ["required: true\n    config", "required: false\n    config"],
  ],
  ["an item in brackets", (d) => (d.tags = ["a", "c", "d"]), ["[a, b]", "[a, c, d]"]],
  ["an item less in brackets", (d) => (d.tags = ["b"]), ["[a, b]", "[b]"]],
  ["no item in brackets", (d) => (d.tags = []), ["[a, b]", "[]"]],
  ["a number", (d) => (d.steps[0].config.values = [1, 3]), ["[1.0, 2]", "[1.0, 3]"]],
  ["a key in braces", (d) => (d.steps[1].config.deep = { b: "c" }), ["{a: 1}", "{b: c}"]],
  ["one more key in braces", (d) => (d.steps[1].config.deep.b = true), ["{a: 1}", "{a: 1, b: true}"]],
  [
    "lines become others",
    (d) => (d.steps[0].config.text = "three\nfour\n"),
    ["        one\n          # no comment\n        two\n", "        three\n        four\n"],
  ],
  [
    "lines become a word",
    (d) => (d.steps[0].config.text = "word"),
    ["text: |  # long\n        one\n          # no comment\n        two\n", "text: word  # long\n"],
  ],
  [
    "a word becomes lines",
    (d) => (d.steps[2].handler = "a\nb\n"),
    ["handler: x.push\n", "handler: |\n      a\n      b\n"],
  ],
  ["a new key", (d) => (d.description = "Words"), ["steps:\n", "steps:\n"]],
  [
    "a new key in a step",
    (d) => (d.steps[2].config = { remote: "origin", tags: ["a"] }),
    [
      "      - tag # after it\n",
      "      - tag # after it\n    config:\n      remote: origin\n      tags:\n        - a\n",
    ],
  ],
  [
    "a position",
    (d) => (d.steps[1].ui = { position: { x: 10, y: 20 } }),
    ["deep: {a: 1}}\n", "deep: {a: 1}}\n    ui:\n      position:\n        x: 10\n        y: 20\n"],
  ],
  ["a key that goes", (d) => delete d.steps[0].config.file, ["      # the file\n      file: 'it''s.txt'\n", ""]],
  [
    "a map that goes",
    (d) => delete d.steps[1].config,
    ['    config: {name: "v${step-outputs.bump.version}", deep: {a: 1}}\n', ""],
  ],
  [
    "a map that is emptied",
    (d) => (d.steps[0].config = {}),
    [release.slice(release.indexOf("config:\n"), release.indexOf("   # numbers")), "config: {}"],
  ],
  ["a step's new id", (d) => (d.steps[2].id = "upload"), ["- id: push", "- id: upload"]],
  [
    "the last one",
    (d) => d.steps.pop(),
    ["\n  # at last\n  - id: push\n    handler: x.push\n    dependencies:\n      - tag # after it\n", ""],
  ],
  ["a list in lines", (d) => (d.steps[2].dependencies = ["bump"]), ["- tag # after it", "- bump # after it"]],
  [
    "a longer list in lines",
    (d) => d.steps[2].dependencies.push("bump"),
    ["- tag # after it", "- tag # after it\n      - bump"],
  ],
  [
    "an emptied list in lines",
    (d) => (d.steps[2].dependencies = []),
    ["dependencies:\n      - tag # after it", "dependencies: [] # after it"],
  ],
  [
    "a step in between",
    (d) => d.steps.splice(1, 0, { id: "log", handler: "flow.log", config: { message: "a\nb" } }),
    [
      "  # then\n",
      "  - id: log\n    handler: flow.log\n    config:\n      message: |-\n        a\n        b\n\n  # then\n",
    ],
  ],
];

describe("point 59: a change on the canvas leaves the rest of the text as it is", () => {
  test.each(cases)("%s", (name, change, ...swaps) => {
    const { text, rewritten } = edited(release, change);
    let want = release;
    for (const [old, anew] of swaps) {
      expect(want).toContain(old);
      want = want.replace(old, anew);
    }
    if (name === "a new key") want = want.replace("# the end", "description: Words\n# the end");
    expect(rewritten).toBe(false);
    expect(text).toBe(want);
  });

  test("steps move with their comments", () => {
    const { text, rewritten } = edited(release, (d) => {
      d.steps[2].dependencies = [];
      d.steps = [d.steps[2], d.steps[0], d.steps[1]];
    });
    expect(rewritten).toBe(false);
    const pushed = text.indexOf("  # at last\n  - id: push\n    handler: x.push\n");
    expect(pushed).toBeGreaterThan(0);
    expect(text.indexOf("  # first of all\n  - id: bump")).toBeGreaterThan(pushed);
    expect(text).toContain("\n  # on its own\n");
  });

  test("a step that is taken away takes its own comments, and no others", () => {
    const { text } = edited(release, (d) => {
      d.steps.splice(1, 1);
      d.steps[1].dependencies = ["bump"];
    });
    expect(text).not.toContain("# then");
    for (const kept of ["# first of all", "# on its own", "# at last", "# after it", "# the end"])
      expect(text).toContain(kept);
  });

  test("lists that are not indented stay so", () => {
    const { text, rewritten } = edited("name: a\nsteps:\n- id: a\n  handler: a.b\n", (d) => {
      d.steps.push({ id: "b", handler: "a.b", dependencies: ["a"] });
    });
    expect(rewritten).toBe(false);
    expect(text).toBe("name: a\nsteps:\n- id: a\n  handler: a.b\n- id: b\n  handler: a.b\n  dependencies:\n  - a\n");
  });
});

describe("point 59: a form that forbids the edit is written anew, and says so", () => {
  const rename = (d: Loose) => (d.steps[1].handler = "a.c");
  const reconfigure = (d: Loose) => (d.steps[1].config.x = 2);
  const texts: [string, string, (definition: Loose) => void, boolean][] = [
    [
      "below an alias",
      "name: a\nsteps:\n  - {id: a, handler: a.b, config: &c {x: 1}}\n  - {id: b, handler: a.b, config: *c}\n",
      reconfigure,
      true,
    ],
    [
      "at an anchor",
      "name: a\nsteps:\n  - {id: a, handler: a.b, config: *c}\n  - {id: b, handler: a.b, config: {x: 1}}\n"
        .replace("*c", "{}")
        .replace("{x: 1}", "&c {x: 1}"),
      reconfigure,
      true,
    ],
    [
      "beside an alias",
      "name: &n a\nsteps:\n  - {id: a, handler: a.b, name: *n}\n  - id: b\n    handler: a.b\n    config: {x: 1}\n",
      rename,
      false,
    ],
    [
      "below the key workflow",
      "workflow:\n  name: a\n  steps:\n  - {id: a, handler: a.b}\n  - {id: b, handler: a.b}\n",
      rename,
      false,
    ],
    [
      "a mark and Windows lines",
      "\ufeff---\r\nname: a # b\r\nsteps:\r\n- {id: a, handler: a.b}\r\n- {id: b, handler: a.b}\r\n...\r\n",
      rename,
      false,
    ],
    ["mixed line ends", "name: a\r\nsteps:\n- {id: a, handler: a.b}\n- {id: b, handler: a.b}\n", rename, true],
    ["brackets only", "{name: a, steps: [{id: a, handler: a.b}, {id: b, handler: a.b}]}", rename, false],
    [
      "comments in brackets",
      "name: a\nsteps: [\n  {id: a, handler: a.b}, # one\n  {id: b, handler: a.b} # two\n]\n",
      rename,
      false,
    ],
    [
      "a comment in brackets that would go",
      "name: a\nsteps: [\n  {id: a, handler: a.b}, # one\n  {id: b, handler: a.b} # two\n]\n",
      (d) => d.steps.splice(0, 1),
      true,
    ],
  ];
  test.each(texts)("%s", (_, text, change, rewritten) => {
    const got = edited(text, change);
    expect(got.rewritten).toBe(rewritten);
    const want = structuredClone(served(text)) as Loose;
    change(want);
    expect(readYaml(got.text).raw).toEqual(want);
    if (!rewritten) expect(got.text.split("\r\n").length).toBe(text.split("\r\n").length);
  });
});

test("whatever is changed, the text says it, or is written anew", () => {
  // A small generator with a fixed seed: every run asks the same.
  let state = 42;
  const random = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % n;
  };
  const values = [
    "x",
    "a: b",
    "# c",
    "l1\nl2\n",
    "l1\nl2",
    "",
    " s",
    "1.0",
    7,
    1.5,
    true,
    null,
    [],
    {},
    [1, "b"],
    { k: "v", "odd key": [1] },
    "it's",
    'say "x"',
    "- a",
    "${x}",
    "{",
    "tab\t",
    "\n\n",
    "end \n",
  ];
  let kept = 0;
  for (let run = 0; run < 600; run++) {
    const { raw, rewritten } = edited(release, (d) => {
      for (let i = 0; i <= random(3); i++) mutate(d, random, values);
    });
    expect(raw).toBeDefined();
    if (!rewritten) kept++;
  }
  expect(kept).toBeGreaterThan(560);
});

function mutate(d: Loose, random: (n: number) => number, values: unknown[]) {
  const value = structuredClone(values[random(values.length)]);
  const step = d.steps[random(d.steps.length)];
  switch (random(7)) {
    case 0:
      step.config = { ...step.config, [["file", "text", "values", "extra", "name"][random(5)]!]: value };
      break;
    case 1:
      step.config = value;
      break;
    case 2:
      delete step[["config", "timeout", "dependencies"][random(3)]!];
      break;
    case 3:
      d.steps.splice(random(d.steps.length + 1), 0, {
        id: `n${d.steps.length}${random(1000)}`,
        handler: "a.b",
        config: { v: value },
      });
      break;
    case 4:
      if (d.steps.length > 1) d.steps.splice(random(d.steps.length), 1);
      break;
    case 5:
      d.steps.reverse();
      break;
    default:
      d.config = { ...d.config, [`k${random(3)}`]: value };
  }
}

describe("point 59: a change of the text reaches the definition", () => {
  test("what the text leaves alone keeps its words and its identity", () => {
    const before = served(release);
    const after = updateDefinition(before, readYaml(release).raw, readYaml(release.replace("x.tag", "x.label")).raw!);
    expect(after.steps[1]!.handler).toBe("x.label");
    expect(after.steps[0]).toBe(before.steps[0]);
    expect(after.parameters).toBe(before.parameters);
    expect(after.steps[0]!.timeout).toBe(300);
  });

  test("a comment changes nothing", () => {
    const before = served(release);
    expect(updateDefinition(before, readYaml(release).raw, readYaml(`${release}# more\n`).raw!)).toBe(before);
  });

  test.each([
    ["a: [1", "Flow sequence"],
    ["- a", "A workflow is a map"],
    ["name: a", "must be a list of steps"],
    ["name: a\nsteps:\n  - {handler: a.b}\n", "Step 1 needs an id"],
    ["name: a\nsteps:\n  - {id: a}\n", "Step “a” needs a handler"],
    ["name: a\nsteps:\n  - {id: a, handler: a.b}\n  - {id: a, handler: a.b}\n", "Another step has the id “a”"],
    ["name: a\nsteps:\n  - {id: a, handler: a.b, dependencies: b}\n", "Dependencies are a list"],
    ["name: a\nname: b\nsteps: []\n", "unique"],
    ["name: a\nsteps: []\n---\nname: b\n", "multiple documents"],
    ["name: *n\nsteps: []\n", "alias"],
  ])("%j is told with its place", (text, message) => {
    const { raw, problems } = readYaml(text);
    expect(raw).toBeUndefined();
    expect(problems.map((problem) => problem.message).join("\n")).toContain(message);
  });

  test("the place of a step that is wrong is its own", () => {
    const text = "name: a\nsteps:\n  - {id: a, handler: a.b}\n  - {id: b}\n";
    const [problem] = readYaml(text).problems;
    expect(text.slice(problem!.from, problem!.to)).toBe("{id: b}");
  });

  test("JSON is read with its place, bare or below a key workflow", () => {
    expect(readJson('{"workflow": {"name": "a", "steps": []}}').raw).toEqual({ name: "a", steps: [] });
    const { raw, problems } = readJson('{"name": "a",\n "steps": [}\n}');
    expect(raw).toBeUndefined();
    expect(problems[0]!.from).toBeGreaterThan(14);
  });
});

test("a definition is written for the first time so that it is read the same", () => {
  const definition = {
    name: "a: b",
    steps: [{ id: "a", handler: "a.b", config: { text: "l1\nl2\n", n: "1.0", long: "word ".repeat(60) } }],
  };
  const text = writeYaml(definition);
  expect(readYaml(text).raw).toEqual(definition);
  expect(text).toContain("word ".repeat(59));
});
