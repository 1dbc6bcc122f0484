import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assertAccessible, assertAccessibleEverywhere } from "./lib/browser.mjs";
import { gate } from "./lib/gate.mjs";
import { area } from "./lib/suite.mjs";

const row = (page, name) =>
  page
    .getByRole("table", { name: "Plugins" })
    .locator("tbody tr")
    .filter({ has: page.locator("strong").getByText(name, { exact: true }) });

area("plugins", {}, (test) => {
  test("plugins show their state, version, memory and calls, and on request all else with who uses them", async ({
    server,
    open,
  }) => {
    const { step, open: release } = await gate(server);
    await release();
    await server.workflow({ name: "Uses it", steps: [step] }, "user");
    await server.run("user");
    const page = await open("/vwmp/plugins");
    await row(page, "vwmp").getByText("Running").waitFor();
    // Memory is shown where the server knows it.
    const { memory_bytes: memory } = (await server.api("plugins/")).plugins.find(({ name }) => name === "vwmp");
    const shown = memory ? "[\\d.]+ MB" : "–";
    assert.match(await row(page, "vwmp").innerText(), new RegExp(`1\\.0\\.0\\s+${shown}\\s+1\\b`));
    assert.match(await row(page, "git").innerText(), /Stopped[\s\S]*Starts when a step needs it/);
    await row(page, "vwmp")
      .getByRole("button", { name: /^Details of vwmp/ })
      .click();
    await page.getByRole("link", { name: "Uses it" }).waitFor();
    assert.match(await page.locator("dl").innerText(), /vwmp\.run_validators[\s\S]*SHA-256[\s\S]*[0-9a-f]{64}/);
    await assertAccessibleEverywhere(page, "the plugins", { open: page.getByRole("link", { name: "Uses it" }) });
  });

  test("the page says what the machine lacks to keep plugins in", async ({ server, open }) => {
    const { fence } = await server.api("plugins/");
    const page = await open("/vwmp/plugins");
    await page.getByRole("heading", { name: "Fence" }).waitFor();
    const text = (await page.locator("main").innerText()).toLowerCase();
    assert.ok(text.includes("not pinned"));
    for (const reason of [fence.files_reason, fence.data_hidden_reason, fence.control_groups_reason]) {
      assert.ok(text.includes((reason ?? "").toLowerCase()), reason);
    }
  });

  test("a plugin is disabled after a question that names who uses it, and enabled again", async ({ server, open }) => {
    const page = await open("/vwmp/plugins");
    await row(page, "vwmp").getByRole("button", { name: "More actions for vwmp" }).click();
    await assertAccessibleEverywhere(page, "the menu of a plugin", { open: page.getByRole("menu") });
    await page.getByRole("menuitem", { name: /^Disable/ }).click();
    const dialog = page.getByRole("alertdialog", { name: "Disable “vwmp”?" });
    await dialog.getByText("1 workflow uses it: “Uses it”.").waitFor();
    await assertAccessibleEverywhere(page, "the question before a plugin is disabled", { open: dialog });
    await dialog.getByRole("button", { name: "Disable plugin" }).click();
    await row(page, "vwmp").getByText("Disabled", { exact: true }).waitFor();
    const list = async () => (await server.api("plugins/")).plugins.find(({ name }) => name === "vwmp");
    assert.equal((await list()).state, "disabled");
    await row(page, "vwmp").getByRole("button", { name: "Enable vwmp" }).click();
    await row(page, "vwmp").getByText("Disabled", { exact: true }).waitFor({ state: "detached" });
    assert.notEqual((await list()).state, "disabled");
  });

  test("a version that is held back is taken up after a question that says what it breaks", async ({
    server,
    open,
  }) => {
    const page = await open(null);
    const message = "2 steps of stored workflows would no longer be valid.";
    const change = { workflow_id: "user", workflow_name: "Uses it", step_id: "gate", message: "needs a script" };
    await page.route("**/api/vwmp/plugins/", async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      const held = { version: "2.0.0", reason: "incompatible", message, changes: [change] };
      await route.fulfill({
        json: { ...body, plugins: body.plugins.map((p) => (p.name === "git" ? { ...p, held } : p)) },
      });
    });
    await page.goto(`${server.url}/vwmp/plugins`);
    await row(page, "git").getByText("Version 2.0.0 is held back").waitFor();
    await row(page, "git").getByRole("button", { name: "Take it up all the same…" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Take up the new version of “git”?" });
    await dialog.getByText(message).waitFor();
    await assertAccessibleEverywhere(page, "the question before a held version is taken up", { open: dialog });
    const asked = page.waitForRequest("**/plugins/git/reload/");
    await dialog.getByRole("button", { name: "Take it up" }).click();
    assert.deepEqual((await asked).postDataJSON(), { force: true });
    await page.getByText("Plugin “git” is reloaded").waitFor();
  });

  test("a plugin is reloaded", async ({ open }) => {
    const page = await open("/vwmp/plugins");
    await row(page, "git").getByRole("button", { name: "More actions for git" }).click();
    await page.getByRole("menuitem", { name: /^Reload/ }).click();
    await page.getByText("Plugin “git” is reloaded").waitFor();
  });

  test("a file that is refused is listed with the reason", async ({ server, open }) => {
    const folder = join(server.data, "plugins");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "vwmp-plugin-broken"), "no program", { mode: 0o755 });
    await server.stop();
    await server.start();
    const refused = (await server.api("plugins/")).plugins.find(({ path }) => path.includes("broken"));
    const page = await open("/vwmp/plugins");
    await row(page, "git").waitFor();
    assert.match(await page.locator("main").innerText(), /vwmp-plugin-broken|broken/);
    const reason = refused.state_reason || refused.last_error;
    assert.ok(reason, JSON.stringify(refused));
    await page.getByText(reason).first().waitFor();
    await assertAccessible(page, "a refused file");
  });
});
