import assert from "node:assert/strict";
import { assertAccessible, assertAccessibleEverywhere, desktop, phone, picture, tablet } from "./lib/browser.mjs";
import { card, eventually, selectedIds } from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

const text = `# How we ship.
name: Ship
version: "1.0.0"

parameters:
  - {name: customer, type: string, default: nobody}   # who asked

steps:
  # at first
  - id: build
    handler: flow.log
    config:
      message: 'building'   # loud
  # then
  - id: ship
    handler: flow.log
    dependencies: [build]
    config: {message: "for \${parameters.customer}"}
`;

let made = 0;
async function openSource({ server, open }, source = text, options = {}) {
  const id = await server.workflow(source, `source-${++made}`);
  const page = await open(`/vwmp/designer/${id}?panel=source`, options);
  const editor = page.getByRole("textbox", { name: "Workflow as YAML" });
  await editor.waitFor({ timeout: 40_000 });
  await page.locator("[data-step]").first().waitFor();
  return { id, page, editor };
}

/** The text in the editor: all of it fits the screen in these tests. */
const shown = (page) =>
  page.locator(".cm-line").evaluateAll((lines) => lines.map((line) => line.textContent).join("\n"));

/** Puts the cursor behind a text in the editor. */
async function cursorBehind(page, line) {
  await page.locator(".cm-line", { hasText: line }).first().click();
  await page.keyboard.press("End");
}

/** Pastes a text at the cursor: typed line ends would be indented by the editor. */
async function paste(page, pasted) {
  await page.evaluate((clip) => navigator.clipboard.writeText(clip), pasted);
  await page.keyboard.press("Control+v");
}

area("source", {}, (test) => {
  test("point 59: comments and order survive a change on the canvas", async (world) => {
    const { id, page } = await openSource(world);
    await card(page, "ship").click();
    await page.keyboard.press("Delete");
    await eventually(async () => !(await shown(page)).includes("id: ship"));
    const now = await shown(page);
    for (const kept of ["# How we ship.", "# who asked", "# at first", "'building'   # loud"])
      assert.ok(now.includes(kept), now);
    await page.keyboard.press("Control+z");
    await eventually(async () => (await shown(page)) === text, "the text as it was");
    await page.getByText("Unsaved changes").waitFor({ state: "detached" });
    await card(page, "ship").click();
    await page.keyboard.press("Delete");
    await page.keyboard.press("Control+s");
    await page.getByText("Saved, version 2").waitFor();
    const saved = await world.server.api(`workflows/${id}/export/?format=yaml`);
    assert.ok(saved.startsWith('# How we ship.\nname: Ship\nversion: "1.0.0"\n\nparameters:'), saved);
    await assertAccessible(page, "the source view");
  });

  test("point 59: valid text reaches the canvas, and is saved as it stands", async (world) => {
    const { id, page } = await openSource(world);
    await cursorBehind(page, 'message: "for');
    await paste(
      page,
      "\n  # and last\n  - id: thank\n    handler: flow.log\n    dependencies: [ship]\n    config: {message: thanks}",
    );
    await card(page, "thank").waitFor();
    const typed = await shown(page);
    await page.keyboard.press("Control+s");
    await page.getByText("Saved, version 2").waitFor();
    assert.equal(await world.server.api(`workflows/${id}/export/?format=yaml`), typed);
  });

  test("point 59: a comment alone is a change, and is saved", async (world) => {
    const { id, page } = await openSource(world);
    await cursorBehind(page, "name: Ship");
    await paste(page, " # by sea");
    await page.getByText("Unsaved changes").first().waitFor();
    await page.keyboard.press("Control+s");
    await page.getByText("Saved, version 2").waitFor();
    assert.match(await world.server.api(`workflows/${id}/export/?format=yaml`), /name: Ship # by sea/);
  });

  test("points 59 and 60: text that can't be read keeps the last canvas, with marked lines and a list", async (world) => {
    const { id, page } = await openSource(world);
    await cursorBehind(page, "dependencies: [build]");
    await page.keyboard.press("Backspace");
    await page.getByText("The YAML can't be read. The canvas shows the last state that could.").waitFor();
    assert.equal(await page.locator("[data-step]").count(), 2);
    await page.locator(".cm-wrongLine").first().waitFor();
    await page.locator(".cm-lint-marker-error").first().waitFor();
    const list = page.getByRole("region", { name: "Problems of the text" });
    await list
      .getByText(/^Line 1[78]:/)
      .first()
      .waitFor();
    await assertAccessible(page, "a text that can't be read");
    await picture(page, "source-broken");
    await page.keyboard.press("Control+s");
    await page.getByText(/The source can't be read, so it can't be saved\. Line 1[78]:/).waitFor();
    assert.equal((await world.server.api(`workflows/${id}/`)).revision, 1);
    await cursorBehind(page, "dependencies: [build");
    await paste(page, "]");
    await page.getByText("The YAML can't be read.").waitFor({ state: "detached" });
    await eventually(async () => (await shown(page)) === text);
  });

  test("point 60: the server's problems stand at their lines, and lead there", async (world) => {
    const { page } = await openSource(world);
    await page.locator(".cm-line", { hasText: "handler: flow.log" }).last().click();
    await page.keyboard.press("End");
    await paste(page, "s");
    const problem = page
      .getByRole("region", { name: "Problems of the text" })
      .getByRole("button", { name: /Line 16: .*flow\.logs/ });
    await problem.waitFor();
    const marker = page.locator(".cm-lint-marker-error");
    await marker.hover();
    const tip = page.locator(".cm-tooltip-lint");
    await tip.getByText(/flow\.logs/).waitFor();
    // Another size would put something else below the pointer, and the tip with it away.
    await assertAccessibleEverywhere(page, "a problem at its line", { open: tip, sizes: [desktop] });
    await page.locator(".cm-line").first().click();
    await problem.click();
    await eventually(async () => (await page.locator(".cm-activeLine").textContent()).includes("flow.logs"));
  });

  test("point 60: a selected step moves the cursor, and the cursor selects its step", async (world) => {
    const { page } = await openSource(world);
    await card(page, "ship").click();
    await eventually(async () => (await page.locator(".cm-activeLine").textContent()).includes("id: ship"));
    assert.ok((await page.locator(".cm-selectedStep").count()) >= 4);
    await page.locator(".cm-line", { hasText: "'building'" }).click();
    await eventually(async () => (await selectedIds(page)).join() === "build");
  });

  test("point 60: keys, step types and variables are completed", async (world) => {
    const { page } = await openSource(world);
    const options = page.locator(".cm-tooltip-autocomplete [role=option]");
    // The text is as high as the canvas, however little it says. Looked at before anything is wrong with it:
    // the list of its problems takes its place from the text.
    const heights = () =>
      Promise.all(
        [".cm-editor", ".react-flow"].map(async (part) => (await page.locator(part).first().boundingBox()).height),
      );
    await eventually(async () => {
      const [text, work] = await heights();
      return text > work - 120;
    }, "the height of the text");
    const take = async (text) => {
      await options.filter({ hasText: text }).first().waitFor();
      // The editor hears no key as a choice until the list has stood for 75 ms.
      await page.waitForTimeout(150);
      await page.keyboard.press("Enter");
    };
    await cursorBehind(page, 'message: "for');
    await paste(page, "\n  - id: x\n    ");
    await page.keyboard.type("han");
    await take("handler");
    await page.keyboard.type("flow.l");
    const offered = options.filter({ hasText: "flow.log" }).first();
    await offered.waitFor();
    // A narrow window draws the editor anew, where nothing is being typed.
    await assertAccessibleEverywhere(page, "completion", { open: offered, sizes: [desktop, tablet] });
    await take("flow.log");
    await page.keyboard.type("\ndependencies: [shi");
    await take("ship");
    await page.keyboard.press("End");
    await page.keyboard.type('\nconfig: {message: "${par');
    await take("parameters.customer");
    await eventually(async () => (await shown(page)).includes("${parameters.customer}"), "the variable");
    await page.locator("aside").getByText("x · flow.log").waitFor();
  });

  test("point 59: undo in the editor undoes text, and a burst of typing is one change of the canvas", async (world) => {
    const { page } = await openSource(world);
    await cursorBehind(page, "name: Ship");
    await paste(page, "ping");
    await page.getByRole("heading", { name: "Shipping" }).waitFor();
    await page.keyboard.press("Control+z");
    await page.getByRole("heading", { name: "Ship", exact: true }).waitFor();
    assert.equal(await shown(page), text);
    await page.getByText("Unsaved changes").waitFor({ state: "detached" });
  });

  test("point 59: JSON in a tab of its own; its changes keep the comments of the YAML", async (world) => {
    const { page } = await openSource(world);
    await page.getByRole("tab", { name: "JSON" }).click();
    await page.getByRole("textbox", { name: "Workflow as JSON" }).waitFor();
    await page.locator(".cm-line", { hasText: '"name": "Ship"' }).click();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.type("ped");
    await page.getByRole("heading", { name: "Shipped" }).waitFor();
    await assertAccessible(page, "the JSON tab");
    await page.getByRole("tab", { name: "YAML" }).click();
    await eventually(async () => (await shown(page)) === text.replace("name: Ship", "name: Shipped"), "the YAML");
  });

  test("point 59: instead of the canvas, and on a phone in the dark", async (world) => {
    const { page } = await openSource(world);
    await page.getByRole("button", { name: "Instead of the canvas" }).click();
    const box = await page.getByRole("region", { name: "Source" }).boundingBox();
    const work = await page.getByRole("region", { name: "Workflow", exact: true }).boundingBox();
    assert.ok(box.width > work.width - 4, `${box.width} of ${work.width}`);
    const small = await openSource(world, text, { size: phone, dark: true });
    await assertAccessible(small.page, "the source view on a phone");
    await picture(small.page, "source-phone-dark");
  });
});
