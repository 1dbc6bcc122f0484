import { expect, test } from "vitest";
import { copyName, copyText } from "./duplicate";

test("point 12: a copy has a name that nobody has", () => {
  expect(copyName("A", ["A"])).toBe("A (copy)");
  expect(copyName("A", ["A", "A (copy)"])).toBe("A (copy 2)");
  expect(copyName("A (copy 2)", ["A (copy 2)", "A (copy)"])).toBe("A (copy 3)");
});

test("point 12: a copy keeps comments and order, and its triggers are switched off", async () => {
  const text =
    "# What it is\nname: A # short\ntriggers:\n  - type: schedule # nightly\n    cron: 0 4 * * *\nsteps: []\n";
  const copy = await copyText(text, "A (copy)");
  expect(copy.triggers).toBe(1);
  expect(copy.text).toBe(
    "# What it is\nname: A (copy) # short\ntriggers:\n  - type: schedule # nightly\n    cron: 0 4 * * *\n    enabled: false\nsteps: []\n",
  );
});
