import assert from "node:assert/strict";
import { assertAccessible, assertAccessibleEverywhere, desktop, narrow, phone, tablet } from "./lib/browser.mjs";
import {
  canvas,
  card,
  edgeIds,
  eventually,
  focusedStep,
  input,
  middle,
  openDesigner,
  output,
  pane,
  placeOf,
  selectedIds,
  showEverything,
  stepIds,
  steps,
  zoomOf,
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
    await showEverything(page);
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
    await showEverything(page);
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

  test("section 8: single keys do nothing while typing, and all are on the sheet", async (world) => {
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

  test("section 8: single keys are turned off in the settings, those of the canvas too, and on again", async (world) => {
    const page = await openDesigner(world, fan);
    const here = page.url();
    const letters = page.getByRole("checkbox", { name: /Single-key/ });
    const turn = async (on) => {
      await page.goto(`${world.server.url}/vwmp/settings`);
      await letters.setChecked(on);
      await page.goto(here);
      await card(page, "a").waitFor();
      await card(page, "a").focus();
    };
    /** The keys that the menu of the canvas names, and the text beside a button of the toolbar. */
    const named = async () => {
      await pane(page).click({ button: "right", position: { x: 30, y: 30 } });
      const menu = page.getByRole("menu");
      await menu.waitFor();
      const keys = await menu.locator("kbd").allInnerTexts();
      await page.keyboard.press("Escape");
      await menu.waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Tidy up", exact: true }).hover();
      const tip = page.locator("[class*=tip]").filter({ hasText: "Tidy up" });
      await tip.waitFor();
      return [...keys, await tip.innerText()];
    };
    await turn(false);
    assert.deepEqual(await named(), ["Ctrl+V", "Ctrl+A", "Tidy up"]);
    await card(page, "a").focus();
    const start = await placeOf(page, "a");
    const zoom = await zoomOf(page);
    for (const key of ["?", "o", "e", "n", "/", "c", "l", "t", "+", "-", "0", "f"]) await page.keyboard.press(key);
    // M must not turn the arrows from walking to moving.
    await page.keyboard.press("m");
    await page.keyboard.press("ArrowRight");
    await eventually(async () => ["b", "c"].includes(await focusedStep(page)), "walking");
    // Keys with Ctrl go on; this one comes after all that were pressed before.
    await page.keyboard.press("Control+a");
    assert.equal((await selectedIds(page)).length, 4);
    assert.equal(await page.locator("[role=dialog], [role=alertdialog]").count(), 0);
    assert.equal(await page.getByRole("complementary", { name: "List of steps" }).count(), 0);
    assert.equal(page.url().split("?")[0], here);
    assert.deepEqual([await placeOf(page, "a"), await zoomOf(page)], [start, zoom]);
    await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
    const row = (label) => page.getByRole("dialog").locator("dl > div", { hasText: label });
    for (const label of ["Go to the overview", "Let the arrows alone move the step", "Zoom in", "Add a step"])
      assert.equal(await row(label).locator("dd").innerText(), "Off", label);
    assert.equal(await row("Select every step").locator("dd").innerText(), "Ctrl+A");
    await page.keyboard.press("Escape");

    await turn(true);
    assert.deepEqual(await named(), ["/", "Ctrl+V", "Ctrl+A", "T", "Tidy up (T)"]);
    await card(page, "a").focus();
    await page.keyboard.press("m");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("m");
    assert.deepEqual(await placeOf(page, "a"), { x: start.x, y: start.y + 10 });
    await page.keyboard.press("l");
    await page.getByRole("complementary", { name: "List of steps" }).waitFor();
    await card(page, "a").focus();
    await page.keyboard.press("e");
    await page.getByRole("alertdialog").getByText("Leave without saving?").waitFor();
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

  test("section 8: when the window gets narrow or wide the selected step stays in view, at once or when its tab is shown", async (world) => {
    const page = await openDesigner(world, { name: "Row", steps: steps("a", "b:a", "c:b") });
    await card(page, "c").click();
    const seen = () =>
      eventually(async () => {
        const [own, room] = [await card(page, "c").boundingBox(), await canvas(page).boundingBox()];
        return own.x >= room.x && own.x + own.width <= room.x + room.width;
      }, "the card within the canvas");
    await page.setViewportSize(phone);
    await page.getByRole("tab", { name: "Canvas", selected: true }).waitFor();
    await seen();
    await page.setViewportSize(desktop);
    await page.getByRole("tab", { name: "Canvas" }).waitFor({ state: "detached" });
    await seen();
    // From the settings the window gets narrow with the settings in it.
    await page.keyboard.press("f");
    await settings(page).getByRole("textbox", { name: "Id", exact: true }).focus();
    await page.setViewportSize(phone);
    await page.getByRole("tab", { name: "Settings", selected: true }).waitFor();
    await page.getByRole("tab", { name: "Canvas" }).click();
    await seen();
  });

  test("section 8: axe finds nothing in what opens above the canvas", async (world) => {
    const page = await openDesigner(world, fan);
    // The narrow frame has a test of its own below.
    const sizes = [desktop, tablet];
    const menu = page.getByRole("menu");
    const closed = (open) => page.keyboard.press("Escape").then(() => open.waitFor({ state: "detached" }));
    for (const [keys, name] of [
      ["/", "Add a step"],
      ["c", /Connect/],
    ]) {
      await card(page, "a").focus();
      await page.keyboard.press(keys);
      const open = page.getByRole("dialog", { name });
      await open.waitFor();
      await assertAccessibleEverywhere(page, `what ${keys} opens`, { open, sizes });
      await closed(open);
    }
    await card(page, "a").click({ button: "right" });
    await menu.getByRole("menuitem", { name: "Open settings" }).waitFor();
    await assertAccessibleEverywhere(page, "the menu of a step", { open: menu, sizes });
    await closed(menu);
    // A press beside the steps selects none, and its menu is the canvas's.
    const room = await canvas(page).boundingBox();
    await page.mouse.click(room.x + 40, room.y + 40);
    await page.mouse.click(room.x + 40, room.y + 40, { button: "right" });
    await menu.getByRole("menuitem", { name: "Select all" }).waitFor();
    await assertAccessibleEverywhere(page, "the menu of the canvas", { open: menu, sizes });
    await closed(menu);
    const [from, to] = [await middle(output(page, "a")), await middle(input(page, "c"))];
    await page.mouse.click((from.x + to.x) / 2, (from.y + to.y) / 2, { button: "right" });
    await menu.getByRole("menuitem", { name: "Delete the connection" }).waitFor();
    await assertAccessibleEverywhere(page, "the menu of a connection", { open: menu, sizes });
    await closed(menu);
    await page.keyboard.press("l");
    await page.getByRole("button", { name: "Commands for Log, a", exact: true }).click();
    await assertAccessibleEverywhere(page, "the menu of a row in the list", { open: menu, sizes });
    await closed(menu);
    await page.getByRole("button", { name: "More", exact: true }).click();
    await assertAccessibleEverywhere(page, "the menu More", { open: menu, sizes });
  });

  test("section 8: axe finds nothing in what opens above the designer in a narrow window", async (world) => {
    const page = await openDesigner(world, fan, { size: phone });
    const sizes = [phone, narrow];
    const menu = page.getByRole("menu");
    await page.getByRole("button", { name: "More", exact: true }).click();
    await assertAccessibleEverywhere(page, "the menu More", { open: menu, sizes });
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Add a step", exact: true }).click();
    const add = page.getByRole("dialog", { name: "Add a step" });
    await assertAccessibleEverywhere(page, "quick-add", { open: add, sizes });
    await page.keyboard.press("Escape");
    await add.waitFor({ state: "detached" });
    await page.getByRole("tab", { name: "Steps" }).click();
    await page.getByRole("button", { name: "Commands for Log, a", exact: true }).click();
    await assertAccessibleEverywhere(page, "the menu of a row in the list", { open: menu, sizes });
    await page.getByRole("menuitem", { name: "Connect to…" }).click();
    const connect = page.getByRole("dialog", { name: /Connect/ });
    await assertAccessibleEverywhere(page, "connect to", { open: connect, sizes });
  });

  test("a layout that fails is told in words that stay, and moves nothing", async (world) => {
    const placed = steps("a", "b:a").map((step, i) => ({ ...step, ui: { position: { x: i * 400, y: i * 60 } } }));
    const page = await openDesigner(world, { name: "Placed", steps: placed }, { allow: [/layout/, /ERR_FAILED/] });
    await page.route("**/layout.worker*", (route) => route.abort());
    await card(page, "a").focus();
    const before = await placeOf(page, "b");
    await page.keyboard.press("t");
    const told = page.locator("[role=alertdialog]", { hasText: "The steps could not be laid out" });
    await told.getByText("They stay where they are.").waitFor();
    assert.doesNotMatch(await told.innerText(), /Error|worker/);
    await assertAccessibleEverywhere(page, "the message of a layout that failed", { open: told });
    assert.deepEqual(await placeOf(page, "b"), before);
    await told.getByLabel("Close the message").click();
    await told.waitFor({ state: "detached" });
  });

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
