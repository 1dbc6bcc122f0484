// A new user makes the Standard Release from its template, runs it on a
// scratch repository, and watches it turn green.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { assertAccessible, picture } from "./lib/browser.mjs";
import { card, showEverything } from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

area("story-1", { demo: true }, (test) => {
  test("story 1: from a template to a green release", async ({ server, open }) => {
    const page = await open(null, { signIn: false });
    await page.goto(await server.link());
    await page.getByRole("link", { name: "Designer", exact: true }).click();
    await page.getByRole("button", { name: "Use template Standard Release" }).click();
    await card(page, "step-1").waitFor({ timeout: 40_000 });
    await picture(page, "story-1-1-template");

    await page.getByRole("button", { name: "Save and execute" }).click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Release summary").fill("The first release of a new user");
    await form.getByLabel("Documentation is up to date").check();
    await assertAccessible(page, "the form of the release");
    await picture(page, "story-1-2-form");
    await page.keyboard.press("Control+Enter");

    const panel = page.getByRole("region", { name: "Execution" });
    await panel.waitFor({ timeout: 40_000 });
    await picture(page, "story-1-3-running");
    await panel.getByText("10 of 10").waitFor({ timeout: 90_000 });
    await panel.locator("header").getByText("Success", { exact: true }).waitFor();
    // The branch of the scratch repository names no epic, so the kanban documents stay as they are.
    await panel.getByText("10 of 10, 1 skipped", { exact: true }).waitFor();
    const rows = panel.getByRole("list", { name: "Steps of the execution" }).getByRole("listitem");
    assert.equal(await rows.filter({ has: page.getByText("Success", { exact: true }) }).count(), 9);
    await showEverything(page);
    for (let i = 1; i <= 10; i++)
      await page.locator(`[data-step="step-${i}"][aria-label*=", ${i === 5 ? "skipped" : "success"}"]`).waitFor();
    await picture(page, "story-1-4-green");

    const id = new URL(page.url()).searchParams.get("execution");
    const result = await server.api(`executions/${id}/`);
    assert.equal(result.status, "success");
    const git = (...args) => spawnSync("git", args, { cwd: server.workspace, encoding: "utf8" }).stdout.trim();
    const version = (await readFile(join(server.workspace, "VERSION"), "utf8")).trim();
    assert.ok(git("tag").includes(version), `${git("tag")} has ${version}`);
    assert.equal(git("status", "--porcelain"), "");
  });
});
