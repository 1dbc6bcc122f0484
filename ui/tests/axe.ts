import axe from "axe-core";
import { expect } from "vitest";

/** Checks what is drawn with axe. Colours are not computed here, so contrast is left to the browser tests. */
export async function expectAccessible(element: Element): Promise<void> {
  const { violations } = await axe.run(element, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join("\n")}`)).toEqual([]);
}
