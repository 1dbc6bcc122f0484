import assert from "node:assert/strict";
import { assertAccessible, narrow, phone } from "./lib/browser.mjs";
import {
  canvas,
  card,
  edgeIds,
  eventually,
  focusedStep,
  openDesigner,
  placeOf,
  selectedIds,
  stepIds,
  steps,
} from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

const fan = { name: "Fan", steps: steps("a", "c:a", "b:a", "d:b,c") };
const settings = (page) => page.getByRole("complementary", { name: "Settings" });

/** Presses Tab until the canvas has the focus. */
async function tabToCanvas(page) {
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press("Tab");
    if ((await focusedStep(page)) !== undefined) return;
  }
  throw new Error("Tab never came to a step");
}

area("designer-a11y", {}, (test) => {
  test("section 8: cards are workflow steps with all they show in their names, in the order of execution", async (world) => {
    const page = await openDesigner(world, fan);
    await page.getByRole("button", { name: "Show everything" }).click();
    await eventually(async () => (await stepIds(page)).length === 4);
    assert.deepEqual(await stepIds(page), ["a", "c", "b", "d"], "execution order, and the document's within a level");
    const d = card(page, "d");
    assert.equal(await d.getAttribute("aria-roledescription"), "workflow step");
    assert.match(await d.getAttribute("aria-label"), /^Log, d, depends on c and b$|^Log, d, depends on b and c$/);
    assert.match(await card(page, "a").getAttribute("aria-label"), /depends on nothing$/);
    assert.equal(await page.getByRole("application").count(), 1);
  });

  test("section 8: Tab enters the canvas once, arrows walk along connections and to neighbours", async (world) => {
    const page = await openDesigner(world, fan);
    await page.getByRole("button", { name: "Show everything" }).click();
    await eventually(async () => (await stepIds(page)).length === 4);
    await tabToCanvas(page);
    assert.equal(await focusedStep(page), "a");
    await page.keyboard.press("ArrowRight");
    const branch = await focusedStep(page);
    assert.ok(["b", "c"].includes(branch), branch);
    const [b, c] = [await placeOf(page, "b"), await placeOf(page, "c")];
    const other = branch === "b" ? "c" : "b";
    const below = branch === "b" ? c.y > b.y : b.y > c.y;
    await page.keyboard.press(below ? "ArrowDown" : "ArrowUp");
    assert.equal(await focusedStep(page), other);
    await page.keyboard.press("ArrowRight");
    assert.equal(await focusedStep(page), "d");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    assert.equal(await focusedStep(page), "a");
    await page.keyboard.press("End");
    assert.equal(await focusedStep(page), "d");
    await page.keyboard.press("Home");
    await page.keyboard.press("Tab");
    assert.equal(await focusedStep(page), undefined, "one Tab leaves");
    await page.keyboard.press("Shift+Tab");
    assert.equal(await focusedStep(page), "a", "and comes back to where it was");
    await page.keyboard.press("Shift+Tab");
    assert.equal(await focusedStep(page), undefined);
    assert.deepEqual(await selectedIds(page), [], "walking selects nothing");
  });

  test("section 8: Enter opens the settings, Escape returns; Space selects; Alt+arrows and M move", async (world) => {
    const page = await openDesigner(world, fan);
    await tabToCanvas(page);
    await page.keyboard.press("Enter");
    await eventually(() =>
      settings(page).evaluate((panel) => panel.contains(document.activeElement) && document.activeElement !== panel),
    );
    assert.deepEqual(await selectedIds(page), ["a"]);
    await page.keyboard.press("Escape");
    await eventually(async () => (await focusedStep(page)) === "a");
    await page.keyboard.press("Space");
    assert.deepEqual(await selectedIds(page), []);
    await page.keyboard.press("Space");
    assert.deepEqual(await selectedIds(page), ["a"]);
    const start = await placeOf(page, "a");
    await page.keyboard.press("Alt+ArrowDown");
    await page.keyboard.press("Alt+Shift+ArrowRight");
    assert.deepEqual(await placeOf(page, "a"), { x: start.x + 1, y: start.y + 10 });
    await page.keyboard.press("m");
    await page.keyboard.press("ArrowUp");
    assert.deepEqual(await placeOf(page, "a"), { x: start.x + 1, y: start.y });
    await page.keyboard.press("m");
    await page.keyboard.press("ArrowRight");
    assert.notEqual(await focusedStep(page), "a");
  });

  test("section 8: a deletion hands the focus to the next step, then to the canvas", async (world) => {
    const page = await openDesigner(world, { name: "Two", steps: steps("a", "b:a") });
    await card(page, "a").focus();
    await page.keyboard.press("Delete");
    await eventually(async () => (await focusedStep(page)) === "b");
    await page.keyboard.press("Delete");
    await page.getByText("No steps yet").waitFor();
    await eventually(() => canvas(page).evaluate((surface) => surface === document.activeElement));
    await page.keyboard.press("Control+z");
    await card(page, "b").waitFor();
  });

  test("section 8: the focus survives when its card is moved out of view", async (world) => {
    const page = await openDesigner(world, fan);
    await card(page, "a").focus();
    const box = await canvas(page).boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 + 1400, box.y + 60, { steps: 6 });
    await page.mouse.up();
    await card(page, "a").waitFor({ state: "detached" });
    await page.keyboard.press("ArrowRight");
    await eventually(async () => (await focusedStep(page)) !== undefined, "an arrow leads back to a step");
  });

  test("section 8: single letters can be turned off, and do nothing while typing", async (world) => {
    const page = await openDesigner(world, fan);
    const list = page.getByRole("complementary", { name: "List of steps" });
    await page.getByRole("complementary", { name: "Palette" }).getByRole("searchbox").click();
    await page.keyboard.type("l/");
    assert.equal(await list.count(), 0);
    assert.equal(await page.getByRole("dialog").count(), 0);
    await page.keyboard.press("Escape");
    await card(page, "a").click();
    await page.keyboard.press("?");
    const sheet = page.getByRole("dialog");
    for (const label of ["Add a step", "Connect the step to…", "List of steps", "Tidy up", "Undo", "Select every step"])
      await sheet.getByText(label, { exact: true }).first().waitFor();
  });

  for (const dark of [false, true]) {
    test(`section 8: axe finds nothing, ${dark ? "dark" : "light"}`, async (world) => {
      const odd = {
        ...fan,
        steps: [...fan.steps, { id: "off", handler: "flow.log", config: { message: "x" }, enabled: false }],
      };
      const page = await openDesigner(world, odd, { dark });
      await assertAccessible(page, "the designer");
      await card(page, "a").click();
      await page.keyboard.press("l");
      await settings(page).getByLabel("Name", { exact: true }).waitFor();
      await assertAccessible(page, "with a step selected, and the list of steps");
      await page.keyboard.press("/");
      await page.getByRole("dialog", { name: "Add a step" }).waitFor();
      await assertAccessible(page, "quick-add");
      await page.keyboard.press("Escape");
      await card(page, "a").focus();
      await page.keyboard.press("c");
      await page.getByRole("dialog", { name: /Connect/ }).waitFor();
      await assertAccessible(page, "connect to");
      await page.keyboard.press("Escape");
      await card(page, "a").click({ button: "right" });
      await page.getByRole("menu").waitFor();
      await assertAccessible(page, "the menu of a step");
    });

    for (const size of [phone, narrow]) {
      test(`section 8: at ${size.width} px the designer is tabs, and axe finds nothing, ${dark ? "dark" : "light"}`, async (world) => {
        const page = await openDesigner(world, fan, { dark, size });
        assert.deepEqual(await page.getByRole("tab").allTextContents(), ["Canvas", "Steps", "Settings"]);
        await assertAccessible(page, "canvas");
        await page.getByRole("tab", { name: "Steps" }).click();
        await page.locator('[data-list-step="a"]').waitFor();
        await assertAccessible(page, "steps");
        await page.locator('[data-list-step="a"]').click();
        await page.locator('[data-list-step="a"]').press("Enter");
        await page.getByRole("tab", { name: "Settings", selected: true }).waitFor();
        await page.getByLabel("Name", { exact: true }).waitFor();
        await assertAccessible(page, "settings");
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        assert.equal(wide, false, "nothing to scroll sideways");
      });
    }
  }

  test("section 8: with reduced motion a tidy-up does not travel", async (world) => {
    const page = await openDesigner(world, fan, { reducedMotion: "reduce" });
    await card(page, "a").focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press("Alt+ArrowUp");
    const frames = await page.evaluate(async () => {
      const seen = new Set();
      const node = document.querySelector('.react-flow__node[data-id="a"]');
      [...document.querySelectorAll("button")].find((each) => each.ariaLabel === "Tidy up").click();
      const end = performance.now() + 1500;
      while (performance.now() < end) {
        seen.add(node.style.transform);
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
      return seen.size;
    });
    assert.ok(frames <= 2, `${frames} places on the way`);
    assert.equal((await edgeIds(page)).length, 4);
  });
});
