import assert from "node:assert/strict";
import { assertAccessibleEverywhere, desktop, picture } from "./lib/browser.mjs";
import { card, eventually, openDesigner, placeOf, save, selectedIds, stepIds, steps } from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

const three = { name: "Three", steps: steps("a", "b:a", "c") };
const list = (page) => page.getByRole("complementary", { name: "List of steps" });
const row = (page, id) => list(page).locator(`[data-list-step="${id}"]`);
const grid = 10;

area("steps list", {}, (test) => {
  test("point 40: the keys act on the row that has the focus, whatever is selected", async (world) => {
    const page = await openDesigner(world, three);
    await card(page, "a").click();
    await page.keyboard.press("l");
    await row(page, "c").focus();
    assert.deepEqual(await selectedIds(page), ["a"]);

    await page.keyboard.press("c");
    const dialog = page.getByRole("dialog", { name: "Connect “c” to…" });
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });

    await row(page, "c").focus();
    await page.keyboard.press("Control+c");
    await eventually(async () =>
      assert.match(await page.evaluate(() => navigator.clipboard.readText()), /"id": "c"/, "the row's step is copied"),
    );
    const before = await placeOf(page, "c");
    await row(page, "c").focus();
    await page.keyboard.press("Alt+ArrowDown");
    await eventually(async () => assert.equal((await placeOf(page, "c")).y, before.y + grid));

    await page.keyboard.press("/");
    await page.getByRole("dialog").getByRole("combobox").fill("fail");
    await page.keyboard.press("Enter");
    await card(page, "fail").waitFor();
    const { steps: saved } = await save(page, world.server);
    assert.deepEqual(saved.find(({ id }) => id === "fail").dependencies, ["c"]);

    await row(page, "b").focus();
    await page.keyboard.press("Control+x");
    await card(page, "b").waitFor({ state: "detached" });
    assert.deepEqual((await stepIds(page)).sort(), ["a", "c", "fail"]);
  });

  test("a step is moved by clicks alone", async (world) => {
    const page = await openDesigner(world, three, { search: "?step=b" });
    await card(page, "b").click();
    const settings = page.getByRole("complementary", { name: "Settings" });
    await settings.getByText("Advanced", { exact: true }).click();
    const before = await placeOf(page, "b");
    const moves = settings.getByRole("group", { name: "Place on the canvas" });
    await picture(page, "moved-by-clicks");
    await moves.getByRole("button", { name: "Move right" }).click();
    await moves.getByRole("button", { name: "Move right" }).click();
    await moves.getByRole("button", { name: "Move up" }).click();
    const after = { x: before.x + 2 * grid, y: before.y - grid };
    await eventually(async () => assert.deepEqual(await placeOf(page, "b"), after));
    const { steps: saved } = await save(page, world.server);
    assert.deepEqual(saved.find(({ id }) => id === "b").ui.position, after);
    await moves.getByRole("button", { name: "Move left" }).click();
    await moves.getByRole("button", { name: "Move down" }).click();
    await eventually(async () => assert.deepEqual(await placeOf(page, "b"), { x: before.x + grid, y: before.y }));
    await assertAccessibleEverywhere(page, "the buttons that move a step", { open: moves, sizes: [desktop] });
  });
});
