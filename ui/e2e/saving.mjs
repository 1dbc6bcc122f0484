import assert from "node:assert/strict";
import { assertAccessible, assertAccessibleEverywhere, narrow, phone, picture } from "./lib/browser.mjs";
import { hasDraft } from "./lib/drafts.mjs";
import { area } from "./lib/suite.mjs";

const text = `# How we greet.
name: Greeting
steps:
  # at first
  - id: hello
    handler: flow.log
    config: {message: "hello"}  # politely
  # in the end
  - id: bye
    handler: flow.log
    dependencies: [hello]
    config: {message: bye}
`;

const card = (page, id) => page.locator(`[data-step="${id}"]`);

let made = 0;

/** Opens the designer on a workflow of its own. */
async function designer(open, server, options) {
  const id = await server.workflow(text, `greeting-${++made}`);
  const page = await open(`/vwmp/designer/${id}`, options);
  await card(page, "hello").waitFor();
  return { id, page };
}

async function removeStep(page, id) {
  await card(page, id).click();
  await page.keyboard.press("Delete");
  await card(page, id).waitFor({ state: "detached" });
}

/** What somebody else saves meanwhile. */
async function elsewhere(server, id, change = (definition) => (definition.description = "theirs")) {
  const { name, steps, type, version } = await server.api(`workflows/${id}/`);
  const definition = { name, steps, type, version };
  change(definition);
  return server.api(`workflows/${id}/`, { method: "PUT", body: definition });
}

const stepsOf = async (server, id) => (await server.api(`workflows/${id}/`)).steps.map((step) => step.id);

area("saving", {}, (test) => {
  test("point 51: Mod+S saves, and the text keeps its comments", async ({ server, open }) => {
    const { id, page } = await designer(open, server);
    await page.getByText("Version 1").waitFor();
    await removeStep(page, "bye");
    await page.getByText("Unsaved changes").first().waitFor();
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await page.route(`**/api/vwmp/workflows/${id}/**`, async (route) => {
      if (route.request().method() === "PUT") await released;
      await route.continue();
    });
    await page.keyboard.press("Control+s");
    await page.getByText("Saving…").waitFor();
    release();
    await page.getByText("Saved, version 2").waitFor();
    const saved = await server.api(`workflows/${id}/export/?format=yaml`);
    assert.ok(saved.includes('config: {message: "hello"}  # politely'), saved);
    assert.ok(!saved.includes("bye"), saved);
    await assertAccessible(page, "the designer after a save");
  });

  test("point 51: the dot and the leave warning are there only while something differs", async ({ server, open }) => {
    const { page } = await designer(open, server);
    const dot = page.locator("h1").locator("..").getByText("Unsaved changes");
    assert.equal(await dot.count(), 0);
    await removeStep(page, "bye");
    await dot.waitFor();
    await page.getByRole("link", { name: "Executions", exact: true }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByText("Leave without saving?").waitFor();
    await assertAccessibleEverywhere(page, "the leave dialog", { open: dialog });
    await dialog.getByRole("button", { name: "Stay here" }).click();
    await dialog.waitFor({ state: "detached" });

    const asked = new Promise((resolve) => {
      page.once("dialog", (shown) => {
        resolve(shown.type());
        void shown.dismiss();
      });
    });
    await page.close({ runBeforeUnload: true });
    assert.equal(await asked, "beforeunload");

    await page.keyboard.press("Control+z");
    await card(page, "bye").waitFor();
    await dot.waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Executions", exact: true }).click();
    await page.waitForURL("**/vwmp/executions");
  });

  test("point 51: a save that fails says why, and can be tried again", async ({ server, open }) => {
    const { id, page } = await designer(open, server, { allow: [/net::ERR|WebSocket|Failed to load/] });
    await removeStep(page, "bye");
    await server.stop();
    try {
      await page.keyboard.press("Control+s");
      await page.getByText("The workflow could not be saved: the server did not answer.").waitFor();
      await page.getByText("Not saved", { exact: true }).waitFor();
      await assertAccessible(page, "a failed save");
    } finally {
      await server.start();
    }
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Saved, version 2").waitFor();
    assert.deepEqual(await stepsOf(server, id), ["hello"]);
  });

  test("point 48: a draft with problems is saved, and says how many", async ({ server, open }) => {
    const body = {
      name: "Odd",
      steps: [
        { id: "a", handler: "no.such" },
        { id: "b", handler: "flow.log", config: { message: "m" } },
      ],
    };
    const { id } = await server.api("workflows/?draft=true", { method: "POST", body });
    const page = await open(`/vwmp/designer/${id}`);
    await removeStep(page, "b");
    await page.keyboard.press("Control+s");
    await page.getByText("Saved as a draft with 1 problem").waitFor();
    assert.deepEqual(await stepsOf(server, id), ["a"]);
  });

  test("point 51: a note stands beside the version", async ({ server, open }) => {
    const { id, page } = await designer(open, server);
    await removeStep(page, "bye");
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: "Save with a note…" }).click();
    const about = page.getByLabel("What is this version about?");
    await about.fill("Leave in silence");
    await assertAccessibleEverywhere(page, "the note dialog", { open: about });
    assert.equal(await about.inputValue(), "Leave in silence", "what was typed stays when the window gets narrow");
    await page.keyboard.press("Enter");
    await page.getByText("Saved, version 2").waitFor();
    const { versions } = await server.api(`workflows/${id}/versions/`);
    assert.equal(versions[0].message, "Leave in silence");
  });

  test("point 52: a save elsewhere is told of quietly, and can be taken", async ({ server, open }) => {
    const { id, page } = await designer(open, server);
    await elsewhere(server, id, (definition) => definition.steps.pop());
    await page.getByText("Version 2 was saved by admin in another tab or by somebody else.").waitFor();
    await assertAccessible(page, "the notice");
    await page.getByRole("button", { name: "Show version 2" }).click();
    await card(page, "bye").waitFor({ state: "detached" });
    await page.getByText("Version 2", { exact: true }).waitFor();
  });

  test("point 52: a save over a newer version asks: differences, then overwrite", async ({ server, open }) => {
    const { id, page } = await designer(open, server, { allow: [/412/] });
    await removeStep(page, "bye");
    await elsewhere(server, id, (definition) => (definition.steps[0].config.message = "good morning"));
    await page.keyboard.press("Control+s");
    const dialog = page.getByRole("dialog", { name: "“Greeting” was saved elsewhere meanwhile" });
    await dialog.getByText("Version 2 was saved by admin").waitFor();
    await assertAccessibleEverywhere(page, "the conflict dialog", { open: dialog });
    assert.deepEqual(await stepsOf(server, id), ["hello", "bye"]);
    await dialog.getByRole("button", { name: "See differences" }).click();
    await dialog.getByRole("list", { name: "Your changes" }).getByText("Removed").waitFor();
    await dialog.getByRole("list", { name: "Their changes" }).getByText("config.message").waitFor();
    await dialog.getByLabel("Theirs").getByText("good morning").waitFor();
    await picture(page, "conflict-differences");
    await assertAccessibleEverywhere(page, "the differences", { open: dialog.getByLabel("Theirs") });
    await dialog.getByRole("button", { name: "Overwrite with mine" }).click();
    await page.getByText("Saved, version 3").waitFor();
    assert.deepEqual(await stepsOf(server, id), ["hello"]);
    await dialog.waitFor({ state: "detached" });
  });

  test("point 52: theirs can be taken, and undo brings mine back", async ({ server, open }) => {
    const { id, page } = await designer(open, server, { allow: [/412/] });
    await removeStep(page, "bye");
    await elsewhere(server, id);
    await page.keyboard.press("Control+s");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Take theirs" }).click();
    await card(page, "bye").waitFor();
    await page.locator("h1").locator("..").getByText("Unsaved changes").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await card(page, "bye").waitFor({ state: "detached" });
    await page.keyboard.press("Control+s");
    await page.getByText("Saved, version 3").waitFor();
    assert.deepEqual(await stepsOf(server, id), ["hello"]);
  });

  test("point 52: mine can be saved as a copy, and theirs stays", async ({ server, open }) => {
    const { id, page } = await designer(open, server, { allow: [/412/] });
    await removeStep(page, "bye");
    await elsewhere(server, id);
    await page.keyboard.press("Control+s");
    await page.getByRole("dialog").getByRole("button", { name: "Save as copy…" }).click();
    const name = page.getByRole("dialog", { name: "Save as copy" }).getByLabel("Name");
    assert.equal(await name.inputValue(), "Greeting (copy)");
    await assertAccessibleEverywhere(page, "the copy dialog", { open: name });
    await page.getByRole("button", { name: "Save as copy", exact: true }).click();
    await page.waitForURL((url) => !url.pathname.includes(id) && /designer\/.+/.test(url.pathname));
    await page.getByRole("heading", { name: "Greeting (copy)", exact: true }).waitFor();
    const copy = new URL(page.url()).pathname.split("/").at(-1);
    assert.deepEqual(await stepsOf(server, copy), ["hello"]);
    assert.deepEqual(await stepsOf(server, id), ["hello", "bye"]);
    const copied = await server.api(`workflows/${copy}/export/?format=yaml`);
    assert.ok(copied.includes("# politely"), copied);
  });

  test("point 52: what was deleted elsewhere can be saved as a new workflow", async ({ server, open }) => {
    const { id, page } = await designer(open, server, { allow: [/404/] });
    await server.api(`workflows/${id}/`, { method: "DELETE" });
    await page.getByText("This workflow was deleted by admin meanwhile.").waitFor();
    await page.getByRole("button", { name: "Save as a new workflow…" }).click();
    await page.getByRole("button", { name: "Save as copy", exact: true }).click();
    await page.getByRole("heading", { name: "Greeting (copy)", exact: true }).waitFor();
  });

  test("point 53: a draft survives a crash, and is offered", async ({ server, open }) => {
    const { id, page } = await designer(open, server);
    await removeStep(page, "bye");
    await hasDraft(page);
    const context = page.context();
    await page.close({ runBeforeUnload: false });
    const next = await context.newPage();
    await next.goto(`${server.url}/vwmp/designer/${id}`);
    await next.getByText(/Restore your unsaved changes from \d\d:\d\d\?/).waitFor();
    assert.equal(await card(next, "bye").count(), 1);
    await assertAccessible(next, "the offered draft");
    await next.getByRole("button", { name: "Restore", exact: true }).click();
    await card(next, "bye").waitFor({ state: "detached" });
    await next.getByText("Unsaved changes").first().waitFor();
    await next.keyboard.press("Control+s");
    await next.getByText("Saved, version 2").waitFor();

    await next.close();
    const last = await context.newPage();
    await last.goto(`${server.url}/vwmp/designer/${id}`);
    await card(last, "hello").waitFor();
    await last.getByText("Version 2").waitFor();
    assert.equal(await last.getByText("Restore your unsaved changes").count(), 0);
  });

  test("point 53: a draft that nobody wants is discarded", async ({ server, open }) => {
    const { id, page } = await designer(open, server);
    await removeStep(page, "bye");
    await page.getByRole("link", { name: "Executions", exact: true }).click();
    await page.getByRole("button", { name: "Leave without saving" }).click();
    await page.waitForURL("**/vwmp/executions");
    await hasDraft(page);
    await page.goto(`${server.url}/vwmp/designer/${id}`);
    await page.getByRole("button", { name: "Discard them" }).click();
    await page.getByText("Restore your unsaved changes").waitFor({ state: "detached" });
    await page.reload();
    await card(page, "bye").waitFor();
    assert.equal(await page.getByText("Restore your unsaved changes").count(), 0);
  });

  test("point 6: an export that fails says why where one acted, with a request id, and can be tried again", async ({
    server,
    open,
  }) => {
    const { page } = await designer(open, server, { allow: [/500/] });
    let refuse = true;
    await page.route("**/export/?format=yaml", (route) =>
      refuse
        ? route.fulfill({
            status: 500,
            contentType: "application/problem+json",
            body: JSON.stringify({
              type: "about:blank",
              title: "Internal error",
              status: 500,
              detail: "The store can't be read.",
              error_code: "EXECUTION_ERROR",
              request_id: "req-456",
            }),
          })
        : route.continue(),
    );
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: /^Export YAML/ }).click();
    const notice = page
      .getByRole("region", { name: "Workflow", exact: true })
      .getByRole("group", { name: /^The workflow could not be exported/ });
    await notice.getByText("The workflow could not be exported: the store can't be read.").waitFor();
    assert.doesNotMatch(await notice.innerText(), /EXECUTION_ERROR|500|\{/);
    await assertAccessibleEverywhere(page, "a failed export", { open: notice });
    await notice.getByRole("button", { name: "Copy request id" }).click();
    await notice.getByRole("button", { name: "Copied" }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "req-456");
    refuse = false;
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      notice.getByRole("button", { name: "Try again" }).click(),
    ]);
    assert.match(download.suggestedFilename(), /^greeting\.yaml$/);
    await notice.waitFor({ state: "detached" });
    refuse = true;
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: /^Export YAML/ }).click();
    await notice.getByRole("button", { name: "Close this notice" }).click();
    await notice.waitFor({ state: "detached" });
  });

  test("saving is reached on a phone too", async ({ server, open }) => {
    for (const size of [phone, narrow]) {
      const { page } = await designer(open, server, { size, dark: size === narrow });
      await page.getByRole("button", { name: "Save", exact: true }).waitFor();
      const box = await page.getByRole("button", { name: "Execute", exact: true }).boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= size.width, `${JSON.stringify(box)} at ${size.width}`);
      await assertAccessible(page, `the designer at ${size.width}`);
    }
  });
});
