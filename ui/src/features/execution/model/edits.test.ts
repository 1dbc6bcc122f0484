import { expect, test } from "vitest";
import { changedValue, changedValues } from "./edits";

test("only what was changed is sent, so that hidden values stay what they are", () => {
  expect(changedValues({ a: 1, secret: "***", list: [1] }, { a: 2, secret: "***", list: [1] })).toEqual({ a: 2 });
  expect(changedValues({ a: 1 }, { a: 1 })).toBeUndefined();
  expect(changedValues({}, { b: null })).toEqual({ b: null });
  expect(changedValue({ a: 1 }, { a: 1 })).toBeUndefined();
  expect(changedValue({ a: 1 }, { a: 2 })).toEqual({ a: 2 });
  expect(changedValue({ a: 1 }, undefined)).toBeUndefined();
});
