import assert from "node:assert/strict";
import {
  canvas,
  card,
  drag,
  edge,
  edgeIds,
  eventually,
  focusedStep,
  input,
  middle,
  openDesigner,
  output,
  pane,
  placeOf,
  save,
  selectedIds,
  showEverything,
  stepIds,
  steps,
  zoomOf,
} from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

const diamond = { name: "Diamond", steps: steps("a", "b:a", "c:a", "d:b,c") };
const palette = (page) => page.getByRole("complementary", { name: "Palette" });
const entry = (page, path) => palette(page).locator(`button[title^="${path},"]`).first();
const button = (page, name) => page.getByRole("button", { name, exact: true });
// What is urgent is said to screen readers in a place of its own too.
const toastText = (page, text) => page.getByRole("region", { name: "Notifications" }).getByText(text);

area("designer", {}, (test) => {
  test("point 31: the palette groups the server's handlers, finds them, and keeps the latest on top", async (world) => {
    const page = await openDesigner(world, diamond);
    const { handlers } = await world.server.api("step-handlers/");
    await entry(page, "flow.approval").waitFor();
    const groups = await palette(page).getByRole("heading", { level: 2 }).allTextContents();
    assert.deepEqual(
      groups,
      [...groups].sort((a, b) => a.localeCompare(b)),
    );
    assert.deepEqual(new Set(groups), new Set(handlers.map((handler) => handler.category || "Other")));
    const first = entry(page, "flow.approval");
    assert.ok(await first.locator("svg").count(), "an icon");
    assert.match(await first.textContent(), /Waits until/);
    const search = palette(page).getByRole("searchbox");
    for (const [word, found] of [
      ["approv", "flow.approval"],
      ["git.create_tag", "git.create_tag"],
      ["survives restarts", "flow.wait"],
      ["sign-off", "flow.approval"],
    ]) {
      await search.fill(word);
      await entry(page, found).waitFor();
      assert.ok((await palette(page).locator("li").count()) < handlers.length, word);
    }
    await search.fill("no such thing");
    await palette(page).getByRole("button", { name: "Clear the search" }).click();
    await entry(page, "flow.fail").click();
    await palette(page).getByRole("heading", { name: "Recently used" }).waitFor();
    assert.equal((await palette(page).getByRole("heading", { level: 2 }).allTextContents())[0], "Recently used");
    await page.reload();
    await palette(page).getByRole("heading", { name: "Recently used" }).waitFor();
  });

  test("point 31: the palette is resized by keyboard, folds, and remembers", async (world) => {
    const page = await openDesigner(world, diamond);
    const line = page.getByRole("separator", { name: "Width of the palette" });
    await line.focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    assert.equal(await line.getAttribute("aria-valuenow"), "292");
    await page.keyboard.press("Home");
    assert.equal((await palette(page).boundingBox()).width, 200);
    await page.getByRole("button", { name: "Hide the palette" }).click();
    await page.getByRole("button", { name: "Show the palette" }).click();
    await page.reload();
    await line.waitFor();
    assert.equal(await line.getAttribute("aria-valuenow"), "200");
  });

  test("point 32: a handler is dropped at the pointer on the grid, and added by click or Enter after the selected step", async (world) => {
    const page = await openDesigner(world, diamond);
    const area = await canvas(page).boundingBox();
    await entry(page, "flow.log").dragTo(pane(page), {
      targetPosition: { x: Math.round(area.width / 2) + 3, y: area.height - 203 },
    });
    await card(page, "log").waitFor();
    const dropped = await placeOf(page, "log");
    assert.deepEqual([dropped.x % 10, dropped.y % 10].map(Math.abs), [0, 0]);
    const at = await middle(card(page, "log"));
    assert.ok(Math.abs(at.x - (area.x + area.width / 2 + 3)) < 8, "below the pointer");
    assert.ok(Math.abs(at.y - (area.y + area.height - 203)) < 8, "below the pointer");
    assert.deepEqual(await selectedIds(page), ["log"]);
    assert.equal((await edgeIds(page)).length, 4);

    await entry(page, "flow.wait").click();
    await edge(page, "log", "wait").waitFor({ state: "attached" });
    assert.ok((await placeOf(page, "wait")).x > dropped.x + 236);
    await entry(page, "flow.fail").focus();
    await page.keyboard.press("Enter");
    await edge(page, "wait", "fail").waitFor({ state: "attached" });
    const { steps: saved } = await save(page, world.server);
    assert.deepEqual(saved.find((step) => step.id === "fail").dependencies, ["wait"]);
    assert.deepEqual(saved.find((step) => step.id === "log").ui.position, dropped);
  });

  test("point 32: / adds near the pointer, after the selected step where there is one", async (world) => {
    const page = await openDesigner(world, { name: "One", steps: steps("a") });
    const area = await canvas(page).boundingBox();
    await page.mouse.move(area.x + 420, area.y + 120);
    await page.keyboard.press("/");
    const dialog = page.getByRole("dialog", { name: "Add a step" });
    await dialog.waitFor();
    const box = await dialog.boundingBox();
    assert.ok(Math.abs(box.x - (area.x + 420)) < 40 && Math.abs(box.y - (area.y + 120)) < 40, JSON.stringify(box));
    await page.keyboard.type("approval");
    await page.keyboard.press("Enter");
    await card(page, "approval").waitFor();
    assert.deepEqual(await edgeIds(page), []);
    const at = await middle(card(page, "approval"));
    assert.ok(Math.abs(at.x - (area.x + 420)) < 8 && Math.abs(at.y - (area.y + 120)) < 8);
    assert.equal(await focusedStep(page), "approval");
    await page.keyboard.press("/");
    await dialog.getByText("After approval").waitFor();
    await page.keyboard.type("flow.log");
    await page.keyboard.press("Enter");
    await edge(page, "approval", "log").waitFor({ state: "attached" });
  });

  test("point 33: a step of an unknown handler is grey, and its data survive saving", async (world) => {
    const stranger = {
      id: "odd",
      name: "Odd one",
      handler: "gone.handler",
      type: "special",
      config: { deep: { list: [1, { two: null }] }, text: "${parameters.x}" },
      timeout: "7m",
      retry: { max_attempts: 3 },
    };
    const { server, open } = world;
    const text = JSON.stringify({
      name: "Odd",
      parameters: [{ name: "x", type: "string" }],
      steps: [...steps("a"), stranger],
    });
    const made = await server.api("workflows/?draft=true", {
      method: "POST",
      body: text,
      headers: { "Content-Type": "application/json" },
    });
    const before = (await server.api(`workflows/${made.id}/`)).steps[1];
    assert.deepEqual(before.config, stranger.config);
    const page = await open(`/vwmp/designer/${made.id}`);
    page.workflowId = made.id;
    await card(page, "odd").getByText("Unknown step").waitFor();
    const ground = (id) =>
      card(page, id).evaluate((own) => {
        const drawn = [own, ...own.querySelectorAll("*")].map((each) => getComputedStyle(each).backgroundColor);
        return drawn.find((colour) => colour !== "rgba(0, 0, 0, 0)");
      });
    const grey = (await ground("odd")).match(/[\d.]+/g).map(Number);
    assert.notDeepEqual(await ground("odd"), await ground("a"), "its ground is another than a known step's");
    assert.ok(Math.max(...grey.slice(0, 3)) - Math.min(...grey.slice(0, 3)) < 12, `grey, not ${grey}`);
    assert.match(await card(page, "odd").getAttribute("aria-label"), /^Odd one, unknown step, 1 problem, id odd/);
    await card(page, "a").focus();
    await page.keyboard.press("Alt+ArrowDown");
    await page.keyboard.press("Control+s");
    await eventually(async () => (await server.api(`workflows/${made.id}/`)).revision === 2, "the save");
    const { ui, ...kept } = (await server.api(`workflows/${made.id}/`)).steps[1];
    assert.deepEqual(kept, before);
    assert.ok(ui.position);
  });

  test("point 34: output is drawn to input, and onto a card", async (world) => {
    const page = await openDesigner(world, { name: "Loose", steps: steps("a", "b", "c") });
    await drag(page, await middle(output(page, "a")), await middle(input(page, "b")));
    await edge(page, "a", "b").waitFor({ state: "attached" });
    await drag(page, await middle(input(page, "c")), await middle(card(page, "b")));
    await edge(page, "b", "c").waitFor({ state: "attached" });
    const { steps: saved } = await save(page, world.server);
    assert.deepEqual(
      saved.map((step) => step.dependencies ?? []),
      [[], ["a"], ["b"]],
    );
  });

  test("point 34: drawn to nowhere, it opens quick-add for the next step", async (world) => {
    const page = await openDesigner(world, { name: "One", steps: steps("a") });
    const area = await canvas(page).boundingBox();
    await drag(page, await middle(output(page, "a")), { x: area.x + area.width - 140, y: area.y + 200 });
    await page.getByRole("dialog", { name: "Add a step" }).getByText("After a", { exact: true }).waitFor();
    await page.keyboard.type("fail");
    await page.keyboard.press("Enter");
    await edge(page, "a", "fail").waitFor({ state: "attached" });
  });

  test("point 34: C connects from a list, and parts again", async (world) => {
    const page = await openDesigner(world, { name: "Loose", steps: steps("first", "second", "third") });
    await card(page, "first").click();
    await page.keyboard.press("c");
    const dialog = page.getByRole("dialog", { name: /Connect “first” to/ });
    await dialog.getByRole("combobox").fill("third");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await edge(page, "first", "third").waitFor({ state: "attached" });
    assert.equal(await focusedStep(page), "first");
    await page.keyboard.press("c");
    await dialog.getByRole("option", { name: /third.*Disconnect/ }).click();
    await edge(page, "first", "third").waitFor({ state: "detached" });
  });

  test("point 35: a cycle, a double and a step with itself are refused in words", async (world) => {
    const page = await openDesigner(world, { name: "Chain", steps: steps("a", "b:a", "c:b") });
    const before = await edgeIds(page);
    await showEverything(page);
    await page.waitForFunction(() => document.querySelectorAll("[data-step]").length === 3);
    await drag(page, await middle(output(page, "c")), await middle(input(page, "a")));
    await toastText(page, /already waits for "c"|"c" already waits for "a"/).waitFor();
    await drag(page, await middle(output(page, "a")), await middle(card(page, "b")));
    await toastText(page, '"b" already waits for "a".').waitFor();
    await drag(page, await middle(output(page, "b")), await middle(card(page, "b")));
    await toastText(page, '"b" can\'t wait for itself.').waitFor();
    assert.deepEqual(await edgeIds(page), before);
    await card(page, "c").click();
    await page.keyboard.press("c");
    const refused = page.getByRole("option", { name: /already waits/ }).first();
    await refused.waitFor();
    assert.equal(await refused.getAttribute("aria-disabled"), "true");
  });

  test("point 36: a selected connection is deleted, or gets a step inserted", async (world) => {
    const page = await openDesigner(world, { name: "Chain", steps: steps("a", "b:a") });
    const between = async () => {
      const [from, to] = [await middle(output(page, "a")), await middle(input(page, "b"))];
      return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
    };
    const at = await between();
    await page.mouse.click(at.x, at.y);
    await page.getByRole("button", { name: "Insert a step here" }).click();
    await page.getByRole("dialog").getByText("Between a and b").waitFor();
    await page.keyboard.type("approval");
    await page.keyboard.press("Enter");
    await edge(page, "approval", "b").waitFor({ state: "attached" });
    assert.deepEqual(await edgeIds(page), ["a>approval", "approval>b"]);
    assert.ok((await placeOf(page, "b")).x > (await placeOf(page, "approval")).x + 236, "room was made");
    await button(page, "Undo").click();
    assert.deepEqual(await edgeIds(page), ["a>b"]);
    const again = await between();
    await page.mouse.click(again.x, again.y);
    await page.getByRole("button", { name: "Delete the connection" }).waitFor();
    await page.keyboard.press("Delete");
    await edge(page, "a", "b").waitFor({ state: "detached" });
  });

  test("point 37: click, Shift+click, a box with Shift and Ctrl+A select", async (world) => {
    const page = await openDesigner(world, diamond);
    await showEverything(page);
    await eventually(async () => (await stepIds(page)).length === 4);
    await card(page, "a").click();
    assert.deepEqual(await selectedIds(page), ["a"]);
    await card(page, "c").click({ modifiers: ["Shift"] });
    assert.deepEqual(await selectedIds(page), ["a", "c"]);
    await card(page, "c").click({ modifiers: ["Shift"] });
    assert.deepEqual(await selectedIds(page), ["a"]);
    const [b, c] = [await card(page, "b").boundingBox(), await card(page, "c").boundingBox()];
    await page.keyboard.down("Shift");
    await drag(
      page,
      { x: Math.min(b.x, c.x) - 12, y: Math.min(b.y, c.y) - 12 },
      { x: b.x + b.width + 12, y: Math.max(b.y, c.y) + c.height + 12 },
    );
    await page.keyboard.up("Shift");
    assert.deepEqual(await selectedIds(page), ["b", "c"]);
    await page.keyboard.press("Escape");
    await card(page, "a").focus();
    await page.keyboard.press("Control+a");
    assert.equal((await selectedIds(page)).length, 4);
  });

  test("point 37: move, duplicate and delete act on all that is selected", async (world) => {
    const page = await openDesigner(world, diamond);
    await showEverything(page);
    await eventually(async () => (await stepIds(page)).length === 4);
    await card(page, "b").click();
    await card(page, "c").click({ modifiers: ["Shift"] });
    assert.deepEqual(await selectedIds(page), ["b", "c"]);
    const before = { b: await placeOf(page, "b"), c: await placeOf(page, "c"), a: await placeOf(page, "a") };
    const from = await middle(card(page, "b"));
    await drag(page, from, { x: from.x + 60, y: from.y + 80 });
    const after = { b: await placeOf(page, "b"), c: await placeOf(page, "c"), a: await placeOf(page, "a") };
    assert.ok(after.b.x > before.b.x + 40 && after.b.y > before.b.y + 50);
    assert.equal(after.b.x - before.b.x, after.c.x - before.c.x);
    assert.deepEqual(after.a, before.a);
    await page.keyboard.press("Control+d");
    await card(page, "b-2").waitFor();
    assert.deepEqual((await selectedIds(page)).sort(), ["b-2", "c-2"]);
    assert.deepEqual(
      (await edgeIds(page)).filter((id) => id.includes("-2")),
      ["a>b-2", "a>c-2"],
    );
    await page.keyboard.press("Delete");
    await card(page, "b-2").waitFor({ state: "detached" });
    assert.deepEqual((await stepIds(page)).sort(), ["a", "b", "c", "d"]);
  });

  test("point 37: copy, cut and paste, here and from text in YAML", async (world) => {
    const page = await openDesigner(world, diamond);
    await showEverything(page);
    await eventually(async () => (await stepIds(page)).length === 4);
    await card(page, "b").click();
    await card(page, "d").click({ modifiers: ["Shift"] });
    await page.keyboard.press("Control+c");
    const text = await page.evaluate(() => navigator.clipboard.readText());
    assert.deepEqual(
      JSON.parse(text).steps.map((step) => step.id),
      ["b", "d"],
    );
    await page.mouse.move(0, 0);
    await page.keyboard.press("Control+v");
    await card(page, "d-2").waitFor();
    assert.ok((await edgeIds(page)).includes("b-2>d-2"));
    await page.keyboard.press("Control+x");
    for (const id of ["b-2", "d-2"]) await card(page, id).waitFor({ state: "detached" });
    assert.deepEqual((await stepIds(page)).sort(), ["a", "b", "c", "d"]);
    const cut = await page.evaluate(() => navigator.clipboard.readText());
    assert.deepEqual(
      JSON.parse(cut).steps.map((step) => step.id),
      ["b-2", "d-2"],
    );
    await page.evaluate(() =>
      navigator.clipboard.writeText(
        "steps:\n  - id: from-text # said by hand\n    handler: flow.log\n    dependencies: [a]\n",
      ),
    );
    await card(page, "a").focus();
    await page.keyboard.press("Control+v");
    await card(page, "from-text").waitFor();
    assert.ok((await edgeIds(page)).includes("a>from-text"));
    await page.evaluate(() => navigator.clipboard.writeText("hello there"));
    await page.keyboard.press("Control+v");
    await page.getByText("The clipboard holds no steps").waitFor();
    await palette(page).getByRole("searchbox").fill("Log");
    await page.keyboard.press("Control+v");
    assert.equal(await palette(page).getByRole("searchbox").inputValue(), "Loghello there");
  });

  test("point 38: tidy up is one entry; places are saved; opening lays nothing out anew", async (world) => {
    const page = await openDesigner(world, diamond);
    const unsaved = page.getByTitle("Unsaved changes");
    assert.equal(await unsaved.count(), 0, "a layout for steps without places is no change");
    const seen = await placeOf(page, "a");
    const from = await middle(card(page, "a"));
    await drag(page, from, { x: from.x + 50, y: from.y - 120 });
    await unsaved.waitFor();
    const moved = await placeOf(page, "a");
    assert.notDeepEqual(moved, seen);
    const { steps: saved } = await save(page, world.server);
    assert.deepEqual(saved[0].ui.position, moved);
    assert.ok(
      saved.every((step) => step.ui?.position),
      "what was seen is saved for all",
    );
    await page.reload();
    await card(page, "a").waitFor();
    assert.deepEqual(await placeOf(page, "a"), moved);
    await button(page, "Tidy up").click();
    await eventually(async () => assert.notDeepEqual(await placeOf(page, "a"), moved));
    await eventually(async () => {
      const [a, b, d] = [await placeOf(page, "a"), await placeOf(page, "b"), await placeOf(page, "d")];
      assert.ok(a.x + 236 < b.x && b.x + 236 < d.x, "from left to right");
    });
    await button(page, "Undo").click();
    assert.deepEqual(await placeOf(page, "a"), moved);
    assert.equal(await button(page, "Undo").getAttribute("aria-disabled"), "true");
  });

  test("point 39: buttons, wheel and keys zoom; far out a card is a block with colour and a large icon", async (world) => {
    const page = await openDesigner(world, diamond);
    const start = await zoomOf(page);
    await button(page, "Zoom in").click();
    await eventually(async () => (await zoomOf(page)) > start);
    await page.getByRole("button", { name: /Zoom to 100 %/ }).click();
    await eventually(async () => (await zoomOf(page)) === 1);
    await button(page, "Show everything").click();
    await eventually(async () => (await zoomOf(page)) < 1);
    const area = await canvas(page).boundingBox();
    await page.mouse.move(area.x + area.width / 2, area.y + area.height / 2);
    for (let i = 0; i < 12 && (await zoomOf(page)) >= 0.35; i++) await page.mouse.wheel(0, 240);
    await eventually(async () => (await zoomOf(page)) < 0.35);
    assert.equal(await page.locator("[data-step] code").count(), 0, "nothing to read");
    const icon = await card(page, "a").locator("svg").boundingBox();
    const block = await card(page, "a").boundingBox();
    assert.ok(icon.height > block.height * 0.45, "the icon is large");
    await page.keyboard.press("0");
    await eventually(async () => (await zoomOf(page)) === 1);
    assert.equal(await page.locator(".react-flow__minimap rect").count(), 4);
  });

  test("point 39: two fingers zoom", async (world) => {
    const page = await openDesigner(world, diamond, { hasTouch: true });
    const start = await zoomOf(page);
    const area = await canvas(page).boundingBox();
    const [x, y] = [area.x + area.width / 2, area.y + 120];
    const devtools = await page.context().newCDPSession(page);
    const touch = (type, apart) =>
      devtools.send("Input.dispatchTouchEvent", {
        type,
        touchPoints: apart === null ? [] : [x - apart, x + apart].map((at, id) => ({ x: at, y, id })),
      });
    await touch("touchStart", 40);
    for (let apart = 50; apart <= 160; apart += 10) await touch("touchMove", apart);
    await touch("touchEnd", null);
    await eventually(async () => (await zoomOf(page)) > start * 1.2);
  });

  test("point 40: the list has every step in order, finds, and centres the canvas on a choice", async (world) => {
    // Written in another order than they are executed in; one of them lacks what its handler needs.
    const ids = Array.from({ length: 30 }, (_, i) => `s${i}`);
    const chained = steps(...ids.map((id, i) => (i > 0 ? `${id}:${ids[i - 1]}` : id)));
    delete chained[2].config;
    const made = await world.server.api("workflows/?draft=true", {
      method: "POST",
      body: { name: "Long", steps: [...chained.slice(15).reverse(), ...chained.slice(0, 15)] },
    });
    const page = await world.open(`/vwmp/designer/${made.id}`);
    await page.locator("[data-step]").first().waitFor({ timeout: 40_000 });
    const list = page.getByRole("complementary", { name: "List of steps" });
    await page.keyboard.press("l");
    await list.getByText("30 steps").waitFor();
    await page.keyboard.press("l");
    await list.waitFor({ state: "detached" });
    await page.keyboard.press("l");
    const row = (id) => list.locator(`[data-list-step="${id}"]`);
    await row("s2").getByText("1 problem", { exact: true }).waitFor();
    assert.equal(await list.getByText("1 problem", { exact: true }).count(), 1);
    // Only rows in view are drawn, so one goes through them all.
    await row("s0").focus();
    const order = [];
    for (const id of ids) {
      await eventually(async () =>
        assert.equal(await page.evaluate(() => document.activeElement?.dataset.listStep), id),
      );
      order.push(await row(id).locator("xpath=..").getAttribute("aria-posinset"));
      await page.keyboard.press("ArrowDown");
    }
    assert.deepEqual(
      order.map(Number),
      [...ids.keys()].map((i) => i + 1),
    );
    await page.keyboard.press("Home");
    assert.equal(await card(page, "s27").count(), 0, "out of view it is not drawn");
    await list.getByRole("searchbox").fill("s27");
    await list.getByText("1 of 30 steps").waitFor();
    await list.locator('[data-list-step="s27"]').click();
    await card(page, "s27").waitFor();
    const [at, area] = [await middle(card(page, "s27")), await canvas(page).boundingBox()];
    assert.ok(Math.abs(at.x - (area.x + area.width / 2)) < 4 && Math.abs(at.y - (area.y + area.height / 2)) < 4);
    assert.deepEqual(await selectedIds(page), ["s27"]);
    assert.match(page.url(), /step=s27/);
  });

  test("point 40: every command works from the list", async (world) => {
    const page = await openDesigner(world, diamond);
    await page.keyboard.press("l");
    const list = page.getByRole("complementary", { name: "List of steps" });
    const rows = () => list.locator("[data-list-step]").evaluateAll((all) => all.map((row) => row.dataset.listStep));
    const command = async (id, name) => {
      await list.locator(`[data-list-step="${id}"]`).focus();
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.getByRole("menuitem", { name }).click();
      // One that closes is still there for a moment.
      await page.getByRole("menu").waitFor({ state: "detached" });
    };
    await command("d", /^Duplicate/);
    await eventually(async () => assert.deepEqual(await rows(), ["a", "b", "c", "d", "d-2"]));
    await command("a", "Add a step after it…");
    await page.keyboard.type("fail");
    await page.keyboard.press("Enter");
    await eventually(async () => assert.ok((await rows()).includes("fail")));
    await command("fail", "Connect to…");
    await page.getByRole("dialog").getByRole("combobox").fill("d-2");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await command("d-2", "Disconnect from b");
    await command("d-2", /^Insert a step after fail/);
    await page.keyboard.type("approval");
    await page.keyboard.press("Enter");
    await eventually(async () => assert.ok((await rows()).includes("approval")));
    const { steps: saved } = await save(page, world.server);
    assert.deepEqual(saved.find((step) => step.id === "d-2").dependencies, ["c", "approval"]);
    await command("c", /^Open settings/);
    const settings = page.getByRole("complementary", { name: "Settings" });
    await eventually(async () => assert.equal(await settings.getByLabel("Id", { exact: true }).inputValue(), "c"));
    await eventually(
      () => settings.evaluate((own) => own.contains(document.activeElement)),
      "the focus in the settings",
    );
    const copied = async () =>
      JSON.parse(await page.evaluate(() => navigator.clipboard.readText())).steps.map((step) => step.id);
    await command("a", /^Copy/);
    await eventually(async () => assert.deepEqual(await copied(), ["a"]));
    await command("fail", /^Cut/);
    await eventually(async () => assert.ok(!(await rows()).includes("fail")));
    assert.deepEqual(await copied(), ["fail"]);
    await list.locator('[data-list-step="b"]').focus();
    await page.keyboard.press("Delete");
    await eventually(async () => assert.ok(!(await rows()).includes("b")));
    await eventually(async () =>
      assert.ok(await page.evaluate(() => document.activeElement?.dataset.listStep), "the focus stays in the list"),
    );
  });

  test("point 31: a plugin that comes or goes is seen without a reload", async (world) => {
    const page = await world.open(null);
    let send;
    await page.routeWebSocket("**/ws/vwmp/events", (socket) => {
      socket.connectToServer();
      send = (event) => socket.send(JSON.stringify(event));
    });
    let gone = false;
    await page.route("**/api/vwmp/step-handlers/", async (route) => {
      const answer = await route.fetch();
      const { handlers } = await answer.json();
      const left = handlers.filter((handler) => !gone || handler.path !== "flow.log");
      await route.fulfill({ json: { handlers: left, next: "" } });
    });
    const id = await world.server.workflow(diamond);
    await page.goto(`${world.server.url}/vwmp/designer/${id}`);
    await entry(page, "flow.log").waitFor();
    await card(page, "a").waitFor({ timeout: 40_000 });
    assert.equal(await page.getByText("Unknown step").count(), 0);
    gone = true;
    send({ event: "plugins_changed" });
    await card(page, "a").getByText("Unknown step").waitFor();
    await entry(page, "flow.log").waitFor({ state: "detached" });
    gone = false;
    send({ event: "plugins_changed" });
    await entry(page, "flow.log").waitFor();
    await card(page, "a").getByText("Unknown step").waitFor({ state: "detached" });
  });
});
