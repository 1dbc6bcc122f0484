// A workflow of 500 steps is opened, searched and edited.
import assert from "node:assert/strict";
import {
  canvas,
  card,
  edge,
  eventually,
  large,
  middle,
  openDesigner,
  placeOf,
  save,
  selectedIds,
} from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

area("story-7-large", {}, (test) => {
  test("story 7: in 500 steps one is found, led to, moved, connected and deleted, and the rest stays", async (world) => {
    const document = large(500);
    const page = await openDesigner(world, document);
    await page.keyboard.press("l");
    const list = page.getByRole("complementary", { name: "List of steps" });
    await list.getByText("500 steps").waitFor();
    assert.ok((await list.locator("[data-list-step]").count()) < 60, "rows out of view are not drawn");
    await list.getByRole("searchbox").fill("number 437");
    await list.getByText("1 of 500 steps").waitFor();
    await list.locator('[data-list-step="step-437"]').click();
    await card(page, "step-437").waitFor();
    const [at, box] = [await middle(card(page, "step-437")), await canvas(page).boundingBox()];
    assert.ok(Math.abs(at.x - (box.x + box.width / 2)) < 4, "it stands in the middle");
    assert.deepEqual(await selectedIds(page), ["step-437"]);

    await card(page, "step-437").focus();
    const stood = await placeOf(page, "step-437");
    await page.keyboard.press("Alt+ArrowDown");
    const moved = { x: stood.x, y: stood.y + 10 };
    await eventually(async () => assert.deepEqual(await placeOf(page, "step-437"), moved));
    await page.keyboard.press("c");
    const dialog = page.getByRole("dialog", { name: /Connect “step-437” to/ });
    await dialog.getByRole("combobox").fill("step-499");
    await dialog
      .getByRole("option", { name: /step-499/ })
      .first()
      .waitFor();
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await eventually(async () => (await edge(page, "step-437", "step-499").count()) === 1, "the connection");

    await list.getByRole("searchbox").fill("number 250");
    await list.locator('[data-list-step="step-250"]').click();
    await list.locator('[data-list-step="step-250"]').press("Delete");
    await list.getByText("0 of 499 steps").waitFor();
    const saved = await save(page, world.server);
    assert.equal(saved.steps.length, 499);
    assert.deepEqual(saved.steps.find((step) => step.id === "step-437").ui.position, moved);

    // All else is as it was, but for the places that the canvas showed.
    const wanted = document.steps.filter(({ id }) => id !== "step-250").map((step) => ({ ...step }));
    for (const step of wanted) {
      if (step.id === "step-499") step.dependencies = [...step.dependencies, "step-437"];
      const left = step.dependencies?.filter((id) => id !== "step-250");
      if (left?.length > 0) step.dependencies = left;
      else delete step.dependencies;
    }
    assert.deepEqual(
      saved.steps.map(({ ui, ...step }) => step),
      wanted,
    );
  });
});
