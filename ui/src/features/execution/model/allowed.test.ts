import { expect, test } from "vitest";
import type { Execution } from "../../../api/types";
import { allowedNow } from "./allowed";

const run = (status: string, more: Partial<Execution> = {}, cancelling = false) => ({
  cancelling,
  result: { status, trigger: "manual", step_results: { a: { status: "success" } }, ...more } as unknown as Execution,
});
const can = (...from: Parameters<typeof allowedNow>) =>
  Object.entries(allowedNow(...from))
    .filter(([, allowed]) => allowed)
    .map(([name]) => name)
    .join(" ");

test("point 19: only what the state allows is offered", () => {
  expect(can(run("running"), "admin")).toBe("cancel pause answer");
  expect(can(run("running", {}, true), "admin")).toBe("cancel answer");
  expect(can(run("paused"), "executor")).toBe("cancel resume answer");
  expect(can(run("failed"), "admin")).toBe("repeat edit undo delete");
  expect(can(run("failed", { step_results: {} }), "executor")).toBe("repeat");
  expect(can(run("success", { trigger: "undo" }), "admin")).toBe("delete");
});

test("point 19: only what the role allows is offered", () => {
  expect(can(run("running"), "viewer")).toBe("");
  expect(can(run("failed"), "executor")).toBe("repeat undo");
  expect(can(run("failed"), undefined)).toBe("");
});
