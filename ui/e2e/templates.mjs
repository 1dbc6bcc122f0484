import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { assertAccessible, assertAccessibleEverywhere, narrow, phone } from "./lib/browser.mjs";
import { card, eventually } from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

const file = `# A file of ours.
name: From a file
steps:
  - id: one
    handler: flow.log
    config: {message: one}  # said first
  - id: two
    handler: flow.log
    dependencies: [one]
    config: {message: two}
`;

const names = async (server) => (await server.api("workflows/")).map(({ name }) => name);
const dialogOf = (page) => page.getByRole("dialog", { name: "Import a workflow" });

async function importDialog(open, options) {
  const page = await open("/vwmp/designer", options);
  await page.getByRole("button", { name: "Import…" }).click();
  await dialogOf(page).waitFor();
  return page;
}

area("templates", {}, (test) => {
  test("point 54: a template has a picture, a description and its number of steps, and opens as an unsaved copy", async ({
    server,
    open,
  }) => {
    const page = await open("/vwmp/designer");
    const standard = page.getByRole("listitem").filter({ hasText: "Standard Release" });
    await standard.getByText("10 steps").waitFor();
    await standard.getByText("The whole release in ten steps").waitFor();
    assert.equal(await standard.locator("svg rect").count(), 10);
    await assertAccessible(page, "the templates");

    await standard.getByRole("button", { name: "Use template Standard Release" }).click();
    await page.getByRole("heading", { name: "Standard Release" }).waitFor();
    await page.getByText("Not saved yet").waitFor();
    await card(page, "step-1").waitFor();
    assert.deepEqual(await names(server), []);

    // Saved for the first time it gets an address, and keeps its history.
    await card(page, "step-1").click();
    await page.keyboard.press("Delete");
    await card(page, "step-1").waitFor({ state: "detached" });
    await page.keyboard.press("Control+s");
    await page.waitForURL(/designer\/[\w-]+(\?|$)/);
    await page.getByText("Saved as a draft with 1 problem").waitFor();
    const id = new URL(page.url()).pathname.split("/").at(-1);
    const saved = await server.api(`workflows/${id}/export/?format=yaml`);
    assert.match(saved, /# Two releases never share a workspace/, "the template's comments are saved too");
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await card(page, "step-1").waitFor();
  });

  test("point 6: a template that can't be opened says why in its card, with a request id", async ({ server, open }) => {
    const page = await open(null, { allow: [/500/] });
    let refuse = true;
    await page.route("**/templates/*/", async (route) => {
      if (!refuse || route.request().headers().accept !== "application/yaml") return route.continue();
      const problem = { title: "Internal error", status: 500, detail: "The plugin is gone.", request_id: "req-789" };
      return route.fulfill({
        status: 500,
        contentType: "application/problem+json",
        body: JSON.stringify({ type: "about:blank", error_code: "EXECUTION_ERROR", ...problem }),
      });
    });
    await page.goto(`${server.url}/vwmp/designer`);
    const standard = page.getByRole("listitem").filter({ hasText: "Standard Release" });
    const use = standard.getByRole("button", { name: "Use template Standard Release" });
    await use.click();
    const notice = standard.getByRole("group", { name: /^The template could not be opened/ });
    await notice.getByText("The template could not be opened: the plugin is gone.").waitFor();
    await assertAccessibleEverywhere(page, "a template that can't be opened", { open: notice });
    await notice.getByRole("button", { name: "Copy request id" }).click();
    await notice.getByRole("button", { name: "Copied" }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "req-789");
    refuse = false;
    await use.click();
    await page.getByRole("heading", { name: "Standard Release" }).waitFor();
  });

  test("point 54: a blank workflow, and back to the choice", async ({ open }) => {
    const page = await open("/vwmp/designer");
    await page.getByRole("button", { name: "Blank workflow" }).click();
    await page.getByRole("application").waitFor();
    await page.getByText("0 steps").first().waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "New workflow", level: 1 }).waitFor();
    await page.getByRole("heading", { name: "Templates" }).waitFor();
  });

  test("point 62: a chosen file is shown before anything changes", async ({ server, open }) => {
    const before = await names(server);
    const page = await importDialog(open);
    const dialog = dialogOf(page);
    await assertAccessibleEverywhere(page, "the import dialog", { open: dialog });
    await dialog
      .getByLabel("File")
      .setInputFiles({ name: "ours.yaml", mimeType: "application/yaml", buffer: Buffer.from(file) });
    await dialog.getByText("No problems found.").waitFor();
    await dialog.getByText("ours.yaml").waitFor();
    await dialog.getByText("2 steps").waitFor();
    await assertAccessibleEverywhere(page, "the preview", { open: dialog.getByText("2 steps") });
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.deepEqual(await names(server), before);
  });

  test("point 62: a pasted text with problems says where, and opens as a draft", async ({ server, open }) => {
    const page = await importDialog(open);
    const dialog = dialogOf(page);
    await dialog.getByLabel("YAML or JSON").fill("name: x\nsteps: [\n");
    await dialog.getByText("It can't be opened before that is put right.").waitFor();
    assert.ok(await dialog.getByRole("button", { name: "Open in the designer" }).isDisabled());
    await dialog.getByLabel("YAML or JSON").fill(file.replace("flow.log", "no.such"));
    await dialog.getByText(/Line 5: .*no\.such/).waitFor();
    await dialog.getByRole("button", { name: "Open in the designer" }).click();
    await card(page, "two").waitFor();
    await page.getByText("Unsaved changes").first().waitFor();
    assert.ok(!(await names(server)).includes("From a file"));
    await page.keyboard.press("Control+s");
    await page.getByText("Saved as a draft with 1 problem").waitFor();
  });

  test("point 62: a dropped file; exported again it is the same text, byte for byte", async ({ server, open }) => {
    const page = await importDialog(open);
    const transfer = await page.evaluateHandle((text) => {
      const data = new DataTransfer();
      data.items.add(new File([text], "dropped.yaml", { type: "application/yaml" }));
      return data;
    }, file);
    await dialogOf(page).getByLabel("YAML or JSON").dispatchEvent("drop", { dataTransfer: transfer });
    await dialogOf(page).getByText("dropped.yaml").waitFor();
    await dialogOf(page).getByRole("button", { name: "Open in the designer" }).click();
    await card(page, "two").waitFor();
    await page.keyboard.press("Control+s");
    await page.getByText("Saved, version 1").waitFor();
    await page.getByRole("button", { name: "More", exact: true }).click();
    const downloading = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: /Export YAML/ }).click();
    const download = await downloading;
    assert.equal(download.suggestedFilename(), "from-a-file.yaml");
    assert.equal(await readFile(await download.path(), "utf8"), file);
    const id = new URL(page.url()).pathname.split("/").at(-1);
    assert.equal(await server.api(`workflows/${id}/export/?format=yaml`), file);
  });

  test("point 62: in an open workflow the preview lists what would change, and undo takes it back", async ({
    server,
    open,
  }) => {
    const id = await server.workflow(file.replace("From a file", "Present"), "present");
    const page = await open(`/vwmp/designer/${id}`);
    await card(page, "two").waitFor();
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: "Import…" }).click();
    await dialogOf(page).getByLabel("YAML or JSON").fill(file.replaceAll("two", "three"));
    const changes = dialogOf(page).getByRole("list", { name: "What changes here" });
    await changes.getByText("Added").waitFor();
    await changes.getByText("Removed").waitFor();
    await dialogOf(page).getByRole("button", { name: "Replace what is here" }).click();
    await card(page, "three").waitFor();
    assert.deepEqual((await server.api(`workflows/${id}/`)).revision, 1);
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await card(page, "two").waitFor();
  });

  test("point 53: a new workflow that was never saved is offered again", async ({ open }) => {
    const page = await open("/vwmp/designer");
    await page.getByRole("button", { name: "Import…" }).click();
    await dialogOf(page).getByLabel("YAML or JSON").fill(file.replace("From a file", "Never saved"));
    await dialogOf(page).getByRole("button", { name: "Open in the designer" }).click();
    await card(page, "two").waitFor();
    await page.getByRole("link", { name: "Executions", exact: true }).click();
    await page.getByRole("button", { name: "Leave without saving" }).click();
    await page.getByRole("link", { name: "Designer", exact: true }).click();
    await page.getByText(/Restore your unsaved workflow/).waitFor();
    await page.getByRole("button", { name: "Restore", exact: true }).click();
    await card(page, "two").waitFor();
    await page.getByRole("heading", { name: "Never saved" }).waitFor();
  });

  test("points 54 and 62 on a phone and at 320", async ({ open }) => {
    for (const size of [phone, narrow]) {
      const page = await importDialog(open, { size, dark: size === phone });
      await dialogOf(page).getByLabel("YAML or JSON").fill(file);
      await dialogOf(page).getByText("No problems found.").waitFor();
      await assertAccessible(page, `import at ${size.width}`);
      await page.keyboard.press("Escape");
      await eventually(async () => (await page.getByRole("dialog").count()) === 0);
      await assertAccessible(page, `templates at ${size.width}`);
      assert.ok(
        await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
        `overflow at ${size.width}`,
      );
    }
  });
});
