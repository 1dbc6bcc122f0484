import { expect, test } from "vitest";
import { usesSecrets, withDots } from "./secrets";

test("point 25: what the server hid is shown as dots", () => {
  expect(withDots("***")).toBe("••••");
  expect(withDots("Bearer *** and ***")).toBe("Bearer •••• and ••••");
  expect(withDots("**** bold **")).toBe("**** bold **");
});

test("point 25: stars are stars where a run has no secrets", () => {
  const steps = [{ id: "a", handler: "flow.log", config: { message: "x" } }];
  expect(usesSecrets(undefined)).toBe(false);
  expect(usesSecrets({ name: "x", steps })).toBe(false);
  expect(usesSecrets({ name: "x", steps, parameters: [{ name: "p", type: "secret" }] })).toBe(true);
  const config = { token: "${secrets.TOKEN}" };
  expect(usesSecrets({ name: "x", steps: [{ id: "a", handler: "h.x", config }] })).toBe(true);
});
