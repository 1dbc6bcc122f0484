import { describe, expect, test } from "vitest";
import { whereIs } from "./context";

const text = `name: Release
parameters:
  - name: summary
    ty|1
on_failure: |2
steps:
  # first
  - id: bump
    handler: x.bump
    config:
      text: |
        handler: not one
        \${par|3
      fi|4
    dependencies:
      - a
      - |5
    re|6
    retry:
      max_attempts: 2
      |7
  - id: tag
    handler: x.|8
    |9
  - ha|10
triggers:
- type: sch|11
  |12
co|13
`;

/** The place of a numbered mark, in the text without marks. */
function at(mark: number) {
  const clean = (part: string) => part.replace(/\|\d+/g, "");
  const index = text.search(new RegExp(`\\|${mark}(?!\\d)`));
  return whereIs(clean(text), clean(text.slice(0, index)).length)!;
}

describe("point 60: the cursor's place is known while the text is broken", () => {
  test.each([
    [1, "parameters.*", "key", "", "ty"],
    [2, "", "value", "on_failure", ""],
    [3, "steps.*.config", "value", "text", "${par"],
    [4, "steps.*.config", "key", "", "fi"],
    [5, "steps.*.dependencies.*", "item", "", ""],
    [6, "steps.*", "key", "", "re"],
    [7, "steps.*.retry", "key", "", ""],
    [8, "steps.*", "value", "handler", "x."],
    [9, "steps.*", "key", "", ""],
    [10, "steps.*", "item", "", "ha"],
    [11, "triggers.*", "value", "type", "sch"],
    [12, "triggers.*", "key", "", ""],
    [13, "", "key", "", "co"],
  ])("mark %i", (mark, place, kind, key, typed) => {
    expect(at(mark)).toMatchObject({ place, kind, key, typed });
  });

  test("what the step says of itself is known from inside of it", () => {
    for (const mark of [3, 4, 5, 6, 7]) expect(at(mark).step).toEqual({ id: "bump", handler: "x.bump" });
    expect(at(9).step).toMatchObject({ id: "tag" });
    expect(at(1).step).toBeNull();
    expect(at(13).step).toBeNull();
  });

  test("keys that are there already, above and below", () => {
    expect([...at(6).siblings].sort()).toEqual(["config", "dependencies", "handler", "id", "retry"]);
    expect([...at(7).siblings]).toEqual(["max_attempts"]);
    expect(at(13).siblings.has("steps")).toBe(true);
  });

  test("a comment has no place", () => {
    expect(whereIs("name: a # the na", 16)).toBeNull();
    expect(whereIs("# na", 4)).toBeNull();
  });
});
