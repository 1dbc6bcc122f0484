import assert from "node:assert/strict";
import { assertAccessible, assertAccessibleEverywhere, desktop, narrow, phone, picture, said } from "./lib/browser.mjs";
import { card, eventually, focusedStep, showEverything, zoomOf } from "./lib/designer.mjs";
import { gate } from "./lib/gate.mjs";
import { area } from "./lib/suite.mjs";

const log = (id, dependencies = []) => ({
  id,
  handler: "flow.log",
  config: { message: `this is ${id}` },
  dependencies,
});
const steps = [
  log("first"),
  { id: "gate", handler: "flow.signal", config: { name: "go" }, dependencies: ["first"] },
  log("second", ["gate"]),
  { id: "break", handler: "flow.fail", config: { message: "it broke" }, dependencies: ["gate"], required: false },
  { ...log("never", ["gate"]), when: "false" },
];

let made = 0;
async function designer({ server, open }, document = {}, options) {
  const id = await server.workflow({ name: "Followed", steps, ...document }, `followed-${++made}`);
  const page = await open(`/vwmp/designer/${id}`, options);
  await card(page, "first").waitFor({ timeout: 40_000 });
  return { id, page };
}

const panel = (page) => page.getByRole("region", { name: "Execution" });
const rows = (page) => panel(page).getByRole("list", { name: "Steps of the execution" });

async function execute(page, name = "Execute") {
  await page.getByRole("button", { name, exact: true }).click();
  await panel(page).waitFor();
  await rows(page)
    .getByRole("button", { name: /Waiting/ })
    .waitFor();
  // Only cards in view are drawn.
  await showEverything(page);
}

const executionOf = (page) => new URL(page.url()).searchParams.get("execution");
const signal = (server, page) =>
  server.api(`executions/${executionOf(page)}/signals/go/`, { method: "POST", body: {} });

area("run-panel", {}, (test) => {
  test("points 57 and 58: the canvas and the panel follow a run to its end", async (world) => {
    const { page } = await designer(world);
    await execute(page);
    await card(page, "first").getByText("Success").waitFor();
    await card(page, "gate").getByText("Waiting").waitFor();
    await panel(page).getByText("1 of 5", { exact: true }).waitFor();
    await panel(page).getByText("version 1").waitFor();
    await panel(page).getByRole("log").getByText("this is first").waitFor();
    await assertAccessibleEverywhere(page, "a followed run", { open: panel(page) });
    await picture(page, "run-panel");
    await signal(world.server, page);
    await card(page, "second").getByText("Success").waitFor();
    await card(page, "break").getByText("Failed").waitFor();
    await card(page, "never").getByText("Skipped").waitFor();
    await panel(page).getByText("5 of 5, 1 failed, 1 skipped", { exact: true }).waitFor();
    await said(page, "polite", /^The run ended: partial\. .*1 failed, 1 skipped\.$/).waitFor();
    await rows(page).getByText("it broke").waitFor();
    await panel(page).getByRole("log").getByText("this is second").waitFor();
    assert.match(await card(page, "second").textContent(), /Success\s+\d+(\.\d+)? m?s/);
    // Its error stands under the card while the pointer or the focus is on it.
    const message = card(page, "break").getByText("It broke", { exact: true });
    assert.equal(await message.isVisible(), false, "the error is there before anybody points at it");
    await card(page, "break").hover();
    await message.waitFor();
    await page.mouse.move(0, 0);
    await message.waitFor({ state: "hidden" });
    await card(page, "gate").focus();
    await page.keyboard.press("ArrowRight");
    await eventually(async () => assert.equal(await focusedStep(page), "break"));
    await message.waitFor();
    assert.match(
      await card(page, "break").getAttribute("aria-label"),
      /^Fail, failed, .*it broke, id break, depends on gate$/,
    );
    await assertAccessible(page, "a run that ended");

    // Far out a card is a block with the colour and a large icon of its status; so is the small map.
    await eventually(async () => {
      await page.getByRole("button", { name: "Zoom out" }).click();
      assert.ok((await zoomOf(page)) < 0.35);
    });
    const icon = card(page, "break").locator("svg[data-status=failed]");
    await icon.waitFor();
    assert.equal(await icon.getAttribute("width"), "46");
    const colour = (locator) => locator.evaluate((element) => getComputedStyle(element).fill);
    const mini = (status) => page.locator(`.react-flow__minimap rect[data-status=${status}]`).first();
    const colours = [await colour(mini("failed")), await colour(mini("success")), await colour(mini("skipped"))];
    assert.equal(new Set(colours).size, 3, `the small map's colours are ${colours}`);
  });

  test("point 57: what runs turns, what is to come is pending, and neither with reduced motion", async (world) => {
    const { step, open: release, close } = await gate(world.server);
    try {
      const id = await world.server.workflow({ name: "Gated", steps: [step, log("z", ["gate"])] });
      const page = await world.open(`/vwmp/designer/${id}`);
      await card(page, "z").waitFor({ timeout: 40_000 });
      await page.getByRole("button", { name: "Execute", exact: true }).click();
      await card(page, "gate").getByText("Running", { exact: true }).waitFor();
      await card(page, "z").getByText("Pending", { exact: true }).waitFor();
      const turns = () =>
        card(page, "gate")
          .locator("svg[data-status=running]")
          .evaluate((icon) => getComputedStyle(icon).animationName);
      assert.notEqual(await turns(), "none");
      await page.emulateMedia({ reducedMotion: "reduce" });
      assert.equal(await turns(), "none");
      // Where the system draws in its own colours, the word of a status gets an outline.
      const outline = () =>
        card(page, "gate")
          .locator("span[data-status=running]")
          .evaluate((pill) => getComputedStyle(pill).borderTopColor);
      assert.equal(await outline(), "rgba(0, 0, 0, 0)");
      await page.emulateMedia({ forcedColors: "active" });
      assert.notEqual(await outline(), "rgba(0, 0, 0, 0)");
      await page.emulateMedia({ reducedMotion: null, forcedColors: null });
      await release();
      await card(page, "z").getByText("Success").waitFor();
    } finally {
      await close();
    }
  });

  test("point 49: a run that is followed is no entry of the history", async (world) => {
    const { page } = await designer(world);
    await card(page, "never").click();
    await page.keyboard.press("Delete");
    await card(page, "never").waitFor({ state: "detached" });
    await page.keyboard.press("Control+s");
    await page.getByText("Saved, version 2").waitFor();
    await execute(page);
    await signal(world.server, page);
    await card(page, "second").getByText("Success").waitFor();
    await panel(page).getByRole("button", { name: "Stop following" }).click();
    await panel(page).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await card(page, "never").waitFor();
    assert.equal(await page.getByRole("button", { name: "Undo", exact: true }).isDisabled(), true);
  });

  test("point 57: editing is locked with a reason, until one stops following", async (world) => {
    const { page } = await designer(world);
    await execute(page);
    await page.getByText("The canvas follows an execution. Stop following to edit").first().waitFor();
    await card(page, "second").click();
    await page.keyboard.press("Delete");
    await card(page, "second").waitFor();
    assert.equal(await page.getByText("Unsaved changes").count(), 0);
    await panel(page).getByRole("button", { name: "Stop following" }).click();
    await panel(page).waitFor({ state: "detached" });
    assert.equal(executionOf(page), null);
    await card(page, "second").click();
    await page.keyboard.press("Delete");
    await card(page, "second").waitFor({ state: "detached" });
  });

  test("point 58: the panel is resized by keyboard, collapsed, and opened as a page", async (world) => {
    const { page } = await designer(world);
    await execute(page);
    const handle = page.getByRole("separator", { name: "Height of the run" });
    const height = async () => (await panel(page).boundingBox()).height;
    const before = await height();
    await handle.focus();
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    await eventually(async () => (await height()) >= before + 70, "a higher panel");
    await page.keyboard.press("Home");
    await eventually(async () => (await height()) <= 130, "the lowest panel");
    await panel(page).getByRole("button", { name: "Collapse" }).click();
    await rows(page).waitFor({ state: "detached" });
    await panel(page).getByRole("button", { name: "Expand" }).click();
    await rows(page).waitFor();
    const id = executionOf(page);
    await panel(page).getByRole("link", { name: "Open as page" }).click();
    await page.waitForURL(`**/vwmp/executions/${id}`);
  });

  test("points 57 and 58: a reload goes on following, and a step in the list selects its card", async (world) => {
    const { page } = await designer(world);
    await execute(page);
    await page.reload();
    await rows(page)
      .getByRole("button", { name: /Waiting/ })
      .click();
    await eventually(async () => (await card(page, "gate").getAttribute("aria-pressed")) === "true");
    await panel(page).getByRole("log").getByText("this is first").waitFor();
  });

  test("point 58: a lost connection loses no state", async (world) => {
    const { page } = await designer(world, {}, { allow: [/net::ERR|WebSocket|Failed to load/] });
    await execute(page);
    await world.server.kill();
    await world.server.start();
    await panel(page).getByText("Connection lost").waitFor({ state: "detached" });
    await signal(world.server, page);
    await panel(page).getByText("5 of 5, 1 failed, 1 skipped", { exact: true }).waitFor({ timeout: 30_000 });
  });

  test("point 56: what is unsaved is saved first, and that version is executed", async (world) => {
    const { page } = await designer(world);
    await card(page, "second").click();
    await page.keyboard.press("Delete");
    await card(page, "second").waitFor({ state: "detached" });
    await execute(page, "Save and execute");
    await panel(page).getByText("version 2").waitFor();
    const result = await world.server.api(`executions/${executionOf(page)}/`);
    assert.equal(result.workflow_revision, 2);
  });

  test("point 48: a draft with problems is not executed, and the list says why", async (world) => {
    const body = { name: "Odd", steps: [{ id: "first", handler: "no.such" }] };
    const { id } = await world.server.api("workflows/?draft=true", { method: "POST", body });
    // The designer is laid out anew where it becomes narrow, and what is open goes with it.
    for (const sizes of [[desktop], [phone, narrow]]) {
      const page = await world.open(`/vwmp/designer/${id}`, { size: sizes[0], allow: [/40[09]/] });
      await card(page, "first").waitFor({ timeout: 40_000 });
      await page.getByRole("button", { name: "Execute", exact: true }).click();
      const dialog = page.getByRole("dialog", { name: "The workflow was not executed" });
      await dialog
        .getByText(/no\.such/)
        .first()
        .waitFor();
      await assertAccessibleEverywhere(page, "a refused execution", { open: dialog, sizes });
    }
  });

  test("point 57: an execution is cancelled from the panel, also on a phone in the dark", async (world) => {
    const { page } = await designer(world, {}, { size: phone, dark: true });
    await execute(page);
    await assertAccessible(page, "the panel on a phone");
    await picture(page, "run-panel-phone-dark");
    await panel(page).getByRole("button", { name: "Cancel execution" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Cancel this run of “Followed”?" });
    await page.waitForFunction(() => document.activeElement?.textContent === "Keep it running");
    await assertAccessibleEverywhere(page, "the question before a cancel", { open: dialog, sizes: [phone, narrow] });
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.equal((await world.server.api(`executions/${executionOf(page)}/`)).status, "waiting");
    await panel(page).getByRole("button", { name: "Cancel execution" }).click();
    await dialog.getByRole("button", { name: "Cancel the run" }).click();
    await dialog.waitFor({ state: "detached" });
    await panel(page).getByText("Cancelled").first().waitFor();
  });

  test("point 6: a cancel that was refused says so in the question, with a request id", async (world) => {
    const { page } = await designer(world, {}, { allow: [/500/] });
    await execute(page);
    const problem = { type: "about:blank", title: "Internal error", status: 500, detail: "The ledger is torn." };
    await page.route("**/cancel/", (route) =>
      route.fulfill({
        status: 500,
        contentType: "application/problem+json",
        body: JSON.stringify({ ...problem, request_id: "r-42" }),
      }),
    );
    await panel(page).getByRole("button", { name: "Cancel execution" }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByRole("button", { name: "Cancel the run" }).click();
    await dialog.getByText("The run was not cancelled: the ledger is torn.").waitFor();
    await dialog.getByRole("button", { name: "Copy request id" }).waitFor();
    await assertAccessibleEverywhere(page, "a refused cancel", { open: dialog, sizes: [desktop] });
  });

  test("points 24 and 25: what programs say is colours and dots in the panel's log, plain words in its notes", async (world) => {
    const message = "\u001b[31mred\u001b[0m word: ${parameters.token}";
    const secretive = [
      { ...log("first"), config: { message } },
      { id: "gate", handler: "flow.signal", config: { name: "go" }, dependencies: ["first"] },
      { id: "break", handler: "flow.fail", config: { message: `${message}\nand more` }, dependencies: ["gate"] },
    ];
    const parameters = [{ name: "token", type: "secret" }];
    const { id, page } = await designer(world, { steps: secretive, parameters });
    const execution = await world.server.launch(id, { token: "hush-hush-hush" });
    await page.goto(new URL(`/vwmp/designer/${id}?panel=run&execution=${execution}`, world.server.url).href);
    const line = panel(page).getByRole("log").getByRole("paragraph").filter({ hasText: "red word: ••••" });
    await line.waitFor();
    assert.match(await line.getByText("red", { exact: true }).getAttribute("class"), /red/);
    await signal(world.server, page);
    await rows(page).getByText("red word: ••••", { exact: true }).waitFor();
    await card(page, "break").getByText("Red word: ••••", { exact: true }).waitFor({ state: "attached" });
    assert.match(await card(page, "break").getAttribute("aria-label"), /red word: ••••/);
    await panel(page).getByText('step "break" failed: red word: •••• and more', { exact: true }).waitFor();
    for (const part of [panel(page), card(page, "break")]) {
      const drawn = await part.evaluate((element) => element.outerHTML);
      assert.equal(/\*\*\*|hush|\[31m/.exec(drawn)?.[0], undefined);
    }
  });
});
