import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Definition, Execution } from "../../api/types";
import { shownOf } from "./shown";
import { firstFailed, stepNote, stepRows, stepToOpen, waitingRows } from "./steps";

const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, "testdata", `${name}.json`), "utf8"));
const result = (name: string): Execution => read(name).result;
const definition = (...ids: string[]): Definition => ({
  name: "x",
  steps: ids.map((id) => ({ id, handler: "flow.log" })),
});

test("point 20: steps stand in the order of the definition, and none is lost", () => {
  const ids = (known?: Definition) => stepRows(result("failure"), known).map((row) => row.result.step_id);
  expect(ids(definition("one", "bad", "never", "clean"))).toEqual(["one", "bad", "never", "clean"]);
  expect(ids(definition("never", "gone"))).toEqual(["never", "bad", "clean", "one"]);
  expect(ids(undefined)).toHaveLength(4);
});

test("point 27: a failed run opens on the first failed step, a required one before others", () => {
  const failed = result("failure");
  expect(stepToOpen(failed, stepRows(failed, undefined))).toBe("bad");
  const good = result("chain");
  expect(stepToOpen(good, stepRows(good, undefined))).toBeUndefined();
  const two = structuredClone(failed);
  two.step_results.one!.status = "failed";
  expect(firstFailed(stepRows(two, undefined))?.result.step_id).toBe("one");
  const steps = [
    { id: "one", handler: "x", required: false },
    { id: "bad", handler: "x" },
  ];
  expect(firstFailed(stepRows(two, { name: "x", steps }))?.result.step_id).toBe("bad");
});

test("steps that wait for a person are found", () => {
  const [first, second] = read("approval").still;
  expect(waitingRows(stepRows(first.result, undefined)).map((row) => row.result.step_id)).toEqual(["go"]);
  expect(waitingRows(stepRows(second.result, undefined)).map((row) => row.result.step_id)).toEqual(["mail"]);
  expect(waitingRows(stepRows(read("interrupted").still[0].result, undefined))).toHaveLength(1);
});

const shown = shownOf({ name: "x", steps: [] });

test("point 24: what a program wrote into a note is plain words", () => {
  const { bad } = result("failure").step_results;
  const error = { ...bad!.error!, message: "\u001b[31mNo\u001b[0m \u202eway\nand more" };
  expect(stepNote({ ...bad!, error }, shown)).toBe("No way");
  const message = "\u001b[1mhalf\u001b[0m of ***";
  expect(stepNote({ ...bad!, status: "running" }, shownOf(undefined), { message })).toBe("half of ••••");
});

test("a step says in one line where it is", () => {
  const { bad, never } = result("failure").step_results;
  expect(stepNote(bad!, shown)).toBe("It broke");
  expect(stepNote(never!, shown)).toContain("bad");
  expect(stepNote({ ...bad!, status: "running" }, shown, { percentage: 41.6, message: "half" })).toBe("42 % · half");
  expect(stepNote(read("approval").still[0].result.step_results.go, shown)).toBe("Waits for an approval: Go?");
  expect(stepNote(result("items").step_results.each!, shown)).toBe("5 items");
});
