import assert from "node:assert/strict";
import {
  canvas,
  card,
  drag,
  edge,
  edgeIds,
  eventually,
  input,
  middle,
  openDesigner,
  output,
  placeOf,
  selectedIds,
  showEverything,
  stepIds,
  steps,
  zoomOf,
} from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

const fan = { name: "Fan", steps: steps("a", "b:a", "c:a", "d:b,c") };
const undo = (page) => page.getByRole("button", { name: "Undo", exact: true });
const redo = (page) => page.getByRole("button", { name: "Redo", exact: true });
const canUndo = async (page) => (await undo(page).getAttribute("aria-disabled")) !== "true";

async function openFan(world) {
  const page = await openDesigner(world, fan);
  await showEverything(page);
  await eventually(async () => (await stepIds(page)).length === 4, "all cards");
  return page;
}

area("designer-history", {}, (test) => {
  test("point 49: a drag is one entry, and undo leads back to its start", async (world) => {
    const page = await openFan(world);
    const start = await placeOf(page, "b");
    const from = await middle(card(page, "b"));
    await drag(page, from, { x: from.x + 90, y: from.y - 70 }, { steps: 25 });
    const end = await placeOf(page, "b");
    assert.notDeepEqual(end, start);
    await page.keyboard.press("Control+z");
    assert.deepEqual(await placeOf(page, "b"), start);
    assert.equal(await canUndo(page), false);
    await page.keyboard.press("Control+Shift+z");
    assert.deepEqual(await placeOf(page, "b"), end);
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+y");
    assert.deepEqual(await placeOf(page, "b"), end);
  });

  test("point 49: one undo brings deleted steps back with all their connections", async (world) => {
    const page = await openFan(world);
    const before = await edgeIds(page);
    await card(page, "a").click();
    await card(page, "b").click({ modifiers: ["Shift"] });
    await page.keyboard.press("Delete");
    assert.deepEqual((await stepIds(page)).sort(), ["c", "d"]);
    assert.deepEqual(await edgeIds(page), ["c>d"]);
    await page.keyboard.press("Control+z");
    assert.equal((await stepIds(page)).length, 4);
    assert.deepEqual(await edgeIds(page), before);
    assert.equal(await canUndo(page), false);
  });

  test("point 49: presses of arrows in quick succession are one entry, later ones another", async (world) => {
    const page = await openFan(world);
    const start = await placeOf(page, "c");
    await card(page, "c").focus();
    // Sent in one go, since a busy machine may take its time between two presses.
    const press = (times) =>
      card(page, "c").evaluate((element, n) => {
        for (let i = 0; i < n; i++)
          element.dispatchEvent(
            new KeyboardEvent("keydown", { key: "ArrowDown", altKey: true, bubbles: true, cancelable: true }),
          );
      }, times);
    await press(4);
    assert.equal((await placeOf(page, "c")).y, start.y + 40);
    await page.waitForTimeout(700);
    await press(2);
    assert.equal((await placeOf(page, "c")).y, start.y + 60);
    await undo(page).click();
    assert.equal((await placeOf(page, "c")).y, start.y + 40);
    await undo(page).click();
    assert.deepEqual(await placeOf(page, "c"), start);
    assert.equal(await canUndo(page), false);
  });

  test("point 49: a paste, a connection and an added step are one entry each", async (world) => {
    const page = await openFan(world);
    await card(page, "b").click();
    await card(page, "c").click({ modifiers: ["Shift"] });
    await page.keyboard.press("Control+c");
    await page.keyboard.press("Control+v");
    await card(page, "c-2").waitFor();
    await page.keyboard.press("Control+d");
    await eventually(async () => (await stepIds(page)).length === 8);
    await page.keyboard.press("Control+z");
    await eventually(async () => (await stepIds(page)).length === 6);
    await page.keyboard.press("Control+z");
    await eventually(async () => (await stepIds(page)).length === 4);
    assert.equal(await canUndo(page), false);

    // A connection, drawn and from the list.
    const before = await edgeIds(page);
    await drag(page, await middle(output(page, "a")), await middle(input(page, "d")));
    await edge(page, "a", "d").waitFor({ state: "attached" });
    await page.keyboard.press("Control+z");
    assert.deepEqual(await edgeIds(page), before);
    assert.equal(await canUndo(page), false);
    await card(page, "a").focus();
    await page.keyboard.press("c");
    const dialog = page.getByRole("dialog", { name: /Connect/ });
    await dialog
      .getByRole("option")
      .filter({ has: page.getByText("d", { exact: true }) })
      .click();
    await edge(page, "a", "d").waitFor({ state: "attached" });
    await dialog.waitFor({ state: "detached" });
    await page.keyboard.press("Control+z");
    await edge(page, "a", "d").waitFor({ state: "detached" });
    assert.equal(await canUndo(page), false);

    // A step of the palette with its connection to the selected one.
    await card(page, "d").click();
    const palette = page.getByRole("complementary", { name: "Palette" });
    await palette.locator('button[title^="flow.wait,"]').first().click();
    await edge(page, "d", "wait").waitFor({ state: "attached" });
    await undo(page).click();
    await card(page, "wait").waitFor({ state: "detached" });
    // The canvas had moved to the new step; what is out of view is not drawn.
    await showEverything(page);
    await eventually(async () => assert.deepEqual(await edgeIds(page), before));
    assert.equal(await canUndo(page), false);
  });

  test("point 49: selection and zoom are in no entry, and undo leaves them", async (world) => {
    const page = await openFan(world);
    await card(page, "a").focus();
    await page.keyboard.press("Alt+ArrowUp");
    await card(page, "d").click();
    await page.getByRole("button", { name: "Zoom out" }).click();
    await eventually(async () => (await zoomOf(page)) < 0.8);
    await page.waitForTimeout(300);
    const zoom = await zoomOf(page);
    await page.keyboard.press("Control+z");
    assert.deepEqual(await selectedIds(page), ["d"]);
    assert.equal(await zoomOf(page), zoom);
    assert.equal(await canUndo(page), false);
    assert.equal((await redo(page).getAttribute("aria-disabled")) === "true", false);
  });

  test("point 49: a burst of typing in one field is one entry", async (world) => {
    const page = await openFan(world);
    await card(page, "b").click();
    const name = page.getByRole("complementary", { name: "Settings" }).getByLabel("Name", { exact: true });
    await name.click();
    // In one go as well, so that it is a burst on any machine.
    await name.evaluate((field) => {
      for (let i = 1; i <= 5; i++) {
        field.setRangeText("x", field.value.length, field.value.length, "end");
        field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      }
    });
    await card(page, "b").getByText("xxxxx").waitFor();
    await undo(page).click();
    await card(page, "b").getByText("xxxxx").waitFor({ state: "detached" });
    assert.equal(await canUndo(page), false);
  });

  test("point 50: Ctrl+Z in a field undoes its text, never the graph, and never clears it", async (world) => {
    const named = { ...fan, steps: fan.steps.map((step) => (step.id === "b" ? { ...step, name: "Named" } : step)) };
    const page = await openDesigner(world, named);
    await card(page, "a").focus();
    await page.keyboard.press("Alt+ArrowUp");
    const moved = await placeOf(page, "a");
    await card(page, "b").click();
    const name = page.getByRole("complementary", { name: "Settings" }).getByLabel("Name", { exact: true });
    await name.click();
    await name.press("End");
    await page.keyboard.type(" and more");
    await page.keyboard.press("Control+z");
    const after = await name.inputValue();
    assert.ok(after.startsWith("Named") && after.length < "Named and more".length, after);
    // However often: what was there before stays.
    for (let i = 0; i < 5; i++) await page.keyboard.press("Control+z");
    assert.equal(await name.inputValue(), "Named");
    assert.deepEqual(await placeOf(page, "a"), moved, "the graph stays");
    const search = page.getByRole("complementary", { name: "Palette" }).getByRole("searchbox");
    await search.click();
    await page.keyboard.type("wait");
    for (let i = 0; i < 3; i++) await page.keyboard.press("Control+z");
    assert.deepEqual(await placeOf(page, "a"), moved);
    assert.equal((await stepIds(page)).length, 4);
    await canvas(page).focus();
    await eventually(async () => await canUndo(page));
  });
});
