import { expect, test } from "vitest";
import { shownOf, usesSecrets, withDots } from "./shown";

test("point 25: what the server hid is shown as dots", () => {
  expect(withDots("***")).toBe("••••");
  expect(withDots("Bearer *** and ***")).toBe("Bearer •••• and ••••");
  expect(withDots("**** bold **")).toBe("**** bold **");
});

test("point 25: stars are stars where a run has no secrets", () => {
  const steps = [{ id: "a", handler: "flow.log", config: { message: "x" } }];
  expect(usesSecrets(undefined)).toBe(true);
  expect(usesSecrets({ name: "x", steps })).toBe(false);
  expect(usesSecrets({ name: "x", steps, parameters: [{ name: "p", type: "secret" }] })).toBe(true);
  const config = { token: "${secrets.TOKEN}" };
  expect(usesSecrets({ name: "x", steps: [{ id: "a", handler: "h.x", config }] })).toBe(true);
});

test("points 24 and 25: a note is one line of plain words, with dots", () => {
  const said = "\u001b[31mNo ***\u001b[0m\nway\u202etxt.exe\u0007";
  const plain = { name: "x", steps: [] };
  expect(shownOf(undefined).note(said)).toBe("No •••• waytxt.exe");
  expect(shownOf(plain).note(said)).toBe("No *** waytxt.exe");
  expect(shownOf(plain, undefined).note("***")).toBe("••••");
  // A text keeps its colours and lines for whoever draws it.
  expect(shownOf(undefined).text(said)).toBe(said.replace("***", "••••"));
  expect(shownOf(plain).text(said)).toBe(said);
});
