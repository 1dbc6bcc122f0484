import { describe, expect, test } from "vitest";
import { isWholeReference, parseReferences, referencesIn, textHasReference } from "./references";

test.each([
  ["${parameters.version}", "parameters", ["version"], false],
  ["${ step-outputs.bump.files[0].path }", "step-outputs", ["bump", "files", 0, "path"], false],
  ['${config["my key"]}', "config", ["my key"], false],
  ['${parameters.x | default "a}b"}', "parameters", ["x"], true],
  ['${parameters.x | default {"a": [1, "}"]}}', "parameters", ["x"], true],
  ["${index}", "index", [], false],
])("%s is read", (text, root, path, hasDefault) => {
  const { references, mistakes } = parseReferences(text);
  expect(mistakes).toEqual([]);
  expect(references).toEqual([{ text, root, path, hasDefault, start: 0, end: text.length }]);
  expect(isWholeReference(text)).toBe(true);
});

test.each([
  ["${", "is empty"],
  ["${parameter.x}", "begins with “parameter”, which is nothing that can be referred to"],
  ["${parameters.}", "has a dot without a name after it"],
  ["${parameters.x", "has no closing }"],
  ["${parameters.x y}", "has “y” where } is due"],
  ["${item[x]}", "has brackets with neither a number nor a key in quotes"],
  ["${parameters.x | or 1}", 'has a default that is not written | default "text"'],
])("%s is a mistake", (text, reason) => {
  expect(parseReferences(text)).toMatchObject({ references: [], mistakes: [{ reason }] });
});

describe("a text", () => {
  test("may hold several references, and $${ that is none", () => {
    const { references } = parseReferences("v${config.a} $${not} and ${parameters.b}");
    expect(references.map(({ text }) => text)).toEqual(["${config.a}", "${parameters.b}"]);
    expect(textHasReference("$${not}")).toBe(false);
    expect(isWholeReference("v${config.a}")).toBe(false);
  });

  test("is found wherever it stands in a value", () => {
    const value = { a: ["x", "${item}"], "b/c": { d: "${index} of" } };
    expect(referencesIn(value, "/config").map(({ pointer }) => pointer)).toEqual(["/config/a/1", "/config/b~1c/d"]);
  });
});
