import { expect, test } from "vitest";
import type { Execution } from "../../../api/types";
import { allowedNow, refusalsOf } from "./allowed";

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
  expect(can(run("running"))).toBe("cancel pause answer");
  expect(can(run("running", {}, true))).toBe("cancel answer");
  expect(can(run("paused"))).toBe("cancel resume answer");
  expect(can(run("failed"))).toBe("repeat edit undo delete");
  expect(can(run("failed", { step_results: {} }))).toBe("repeat edit delete");
  expect(can(run("success", { trigger: "undo" }))).toBe("delete");
});

test("point 19: what the role does not allow says which role does", () => {
  const free = (role: string | undefined) =>
    Object.entries(refusalsOf(role))
      .filter(([, why]) => !why)
      .map(([name]) => name)
      .join(" ");
  expect(free("viewer")).toBe("");
  expect(free("executor")).toBe("cancel pause resume repeat undo answer");
  expect(free("admin")).toBe("cancel pause resume repeat edit undo answer delete");
  expect(refusalsOf("viewer").cancel).toBe("Acting on executions needs the role executor; you are viewer.");
});
