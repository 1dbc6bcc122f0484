import assert from "node:assert/strict";
import { assertAccessible, phone, picture } from "./lib/browser.mjs";
import { card, eventually } from "./lib/designer.mjs";
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
  await page.getByRole("button", { name: "Show everything" }).click();
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
    await assertAccessible(page, "a followed run");
    await picture(page, "run-panel");
    await signal(world.server, page);
    await card(page, "second").getByText("Success").waitFor();
    await card(page, "break").getByText("Failed").waitFor();
    await card(page, "never").getByText("Skipped").waitFor();
    await panel(page).getByText("5 of 5, 1 failed, 1 skipped", { exact: true }).waitFor();
    await rows(page).getByText("it broke").waitFor();
    await panel(page).getByRole("log").getByText("this is second").waitFor();
    await card(page, "break").hover();
    await page.getByText("It broke").first().waitFor();
    await assertAccessible(page, "a run that ended");
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
    const page = await world.open(`/vwmp/designer/${id}`, { allow: [/40[09]/] });
    await card(page, "first").waitFor({ timeout: 40_000 });
    await page.getByRole("button", { name: "Execute", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "The workflow was not executed" });
    await dialog
      .getByText(/no\.such/)
      .first()
      .waitFor();
    await assertAccessible(page, "a refused execution");
  });

  test("point 57: an execution is cancelled from the panel, also on a phone in the dark", async (world) => {
    const { page } = await designer(world, {}, { size: phone, dark: true });
    await execute(page);
    await assertAccessible(page, "the panel on a phone");
    await picture(page, "run-panel-phone-dark");
    await panel(page).getByRole("button", { name: "Cancel execution" }).click();
    await panel(page).getByText("Cancelled").first().waitFor();
  });
});
