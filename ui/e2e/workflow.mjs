import assert from "node:assert/strict";
import { assertAccessible, desktop, narrow } from "./lib/browser.mjs";
import { area } from "./lib/suite.mjs";

const text = `name: Shown
description: To be looked at
tags: [one]
triggers:
  - {type: schedule, id: night, cron: "30 2 * * *"}
steps:
  - {id: first, name: First step, handler: flow.log, config: {message: a}}
  - {id: second, name: Second step, handler: flow.log, dependencies: [first], config: {message: b}}
`;

area("workflow page", {}, (test) => {
  test("a workflow is shown with its graph, its steps, executions, versions and triggers, and is executed", async ({
    server,
    open,
  }) => {
    await server.workflow(text, "shown");
    await server.workflow(text.replace("To be", "Changed, to be"), "shown");
    const page = await open("/vwmp/workflows/shown");
    await page.getByRole("heading", { level: 1, name: "Shown" }).waitFor();
    await page.locator('[data-step="second"]').waitFor();
    await page.getByText("It was not executed yet.").waitFor();
    assert.equal(
      await page.getByRole("list", { name: "Versions, the newest first" }).locator(":scope > li").count(),
      2,
    );
    await page.getByRole("table", { name: "Triggers" }).getByText("Every day at 02:30").waitFor();
    await page.getByRole("button", { name: "Execute", exact: true }).click();
    await page.getByText("“Shown” is executing").waitFor();
    await page.getByRole("table", { name: "Executions" }).getByText("Success").waitFor();
    await page.getByRole("button", { name: "List" }).click();
    const steps = page.getByRole("table", { name: "Steps" });
    assert.match(await steps.locator("tbody tr").nth(1).innerText(), /Second step[\s\S]*flow\.log[\s\S]*First step/);
    assert.equal(new URL(page.url()).searchParams.get("view"), "list");
    for (const size of [desktop, narrow]) {
      await page.setViewportSize(size);
      await assertAccessible(page, `a workflow at ${size.width}`);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    }
  });

  test("a draft says its problems and is not executed, and what is gone says so", async ({ server, open }) => {
    const draft = await server.api("workflows/?draft=true", {
      method: "POST",
      body: { name: "Draft", steps: [{ id: "a", handler: "no.such" }] },
    });
    const page = await open(`/vwmp/workflows/${draft.id}`, { allow: [/404/] });
    await page.getByText("This version is a draft with problems").waitFor();
    assert.match(await page.locator("main").innerText(), /no\.such/);
    assert.equal(
      await page.getByRole("button", { name: "Execute", exact: true }).getAttribute("aria-disabled"),
      "true",
    );
    await assertAccessible(page, "a draft");
    await page.goto(new URL("/vwmp/workflows/gone", page.url()).href);
    await page.getByText("There is no such workflow").waitFor();
  });

  test("a workflow is deleted from its own page, which leads back to the overview", async ({ server, open }) => {
    await server.workflow(text.replace("Shown", "Doomed"), "doomed");
    const page = await open("/vwmp/workflows/doomed", { allow: [/404/] });
    await page.getByRole("button", { name: "More actions for Doomed" }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete workflow" }).click();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.getByRole("link", { name: "Shown", exact: true }).waitFor();
    assert.equal(await page.getByRole("link", { name: "Doomed", exact: true }).count(), 0);
  });
});
