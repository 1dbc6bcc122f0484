import { expect, test } from "vitest";
import { renameInExpression, renameInText, renameInValue } from "./references";

const toNew = new Map([["old", "new"]]);
const toDashed = new Map([["old", "a-b"]]);

test.each([
  ["${step-outputs.old}", "${step-outputs.new}"],
  ["${step-outputs.old.old.x[0]}", "${step-outputs.new.old.x[0]}"],
  ["x${\tstep-outputs.old }y${step-outputs.old}", "x${\tstep-outputs.new }y${step-outputs.new}"],
  ['${step-outputs["old"].x}', '${step-outputs["new"].x}'],
  ['${step-outputs["o\\u006cd"].x}', '${step-outputs["new"].x}'],
  ["$${step-outputs.old}", "$${step-outputs.old}"],
  ["${step-outputs.old-2}", "${step-outputs.old-2}"],
  ["${parameters.old}", "${parameters.old}"],
  ["step-outputs.old", "step-outputs.old"],
  ["${${step-outputs.old}", "${${step-outputs.new}"],
])("%s", (before, after) => expect(renameInText(before, toNew)).toBe(after));

test.each([
  ["steps.old.status", "steps.new.status", 'steps["a-b"].status'],
  ['steps["old"].status', 'steps["new"].status', 'steps["a-b"].status'],
  ["steps['old'].status", 'steps["new"].status', 'steps["a-b"].status'],
  ["steps [ `old` ]", 'steps [ "new" ]', 'steps [ "a-b" ]'],
  ["steps?.old", "steps?.new", 'steps?.["a-b"]'],
  ['steps?.["old"]', 'steps?.["new"]', 'steps?.["a-b"]'],
  ["config.steps.old", "config.steps.old", "config.steps.old"],
  ["'steps.old' == steps.older", "'steps.old' == steps.older", "'steps.old' == steps.older"],
  ["mysteps.old or steps.old.x", "mysteps.old or steps.new.x", 'mysteps.old or steps["a-b"].x'],
  ["steps /* old */ .old // steps.old", "steps /* old */ .new // steps.old", 'steps /* old */ ["a-b"] // steps.old'],
])("condition %s", (before, plain, dashed) => {
  expect(renameInExpression(before, toNew)).toBe(plain);
  expect(renameInExpression(before, toDashed)).toBe(dashed);
});

test("a word of the language is written in brackets", () => {
  expect(renameInExpression("steps.old.x", new Map([["old", "not"]]))).toBe('steps["not"].x');
});

test("two ids that change places do so at once", () => {
  const swap = new Map([
    ["a", "b"],
    ["b", "a"],
  ]);
  expect(renameInText("${step-outputs.a}${step-outputs.b}", swap)).toBe("${step-outputs.b}${step-outputs.a}");
});

test("a value that is not concerned stays the very same", () => {
  const value = { a: [{ b: "${config.x}" }], c: null, d: 1 };
  expect(renameInValue(value, toNew)).toBe(value);
});
