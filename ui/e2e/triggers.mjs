import assert from "node:assert/strict";
import { assertAccessible, desktop, narrow } from "./lib/browser.mjs";
import { area } from "./lib/suite.mjs";

const step = "steps:\n  - {id: a, handler: flow.log, config: {message: a}}\n";
const row = (page, text) =>
  page.getByRole("table", { name: "Triggers" }).locator("tbody tr").filter({ hasText: text }).first();

area("triggers", {}, (test) => {
  test("without a trigger the page says where one is made", async ({ open }) => {
    const page = await open("/vwmp/triggers");
    await page.getByText("No workflow has a trigger").waitFor();
    await assertAccessible(page, "no triggers");
  });

  test("triggers are listed with what they wait for, fired, paused, resumed and searched", async ({ server, open }) => {
    await server.workflow(
      `name: Nightly\ntriggers:\n  - {type: schedule, id: night, cron: "30 2 * * 1-5", timezone: Europe/Berlin}\n${step}`,
      "nightly",
    );
    await server.workflow(`name: Hooked\ntriggers:\n  - {type: webhook, id: forge}\n${step}`, "hooked");
    await server.workflow(
      `name: Chained\ntriggers:\n  - {type: workflow, id: after, workflow: nightly, statuses: [success]}\n  - {type: file, id: docs, glob: "docs/*.md", enabled: false}\n${step}`,
      "chained",
    );
    const page = await open("/vwmp/triggers");
    await row(page, "Schedule · night").getByText("Monday to Friday at 02:30 (Europe/Berlin)").waitFor();
    assert.match(await row(page, "Schedule · night").innerText(), /Active[\s\S]*(in|tomorrow)[\s\S]*Never/);
    assert.match(await row(page, "Files · docs").innerText(), /Off\s*Switched off in the workflow/);

    await row(page, "Schedule · night").getByRole("button", { name: "Fire now: night of Nightly" }).click();
    await page.getByText("“Nightly” is executing").waitFor();
    await row(page, "Schedule · night").getByText("Fired").waitFor();
    // The end of that run fires the other.
    await row(page, "Workflow · after").getByText("Fired").waitFor();
    await row(page, "Schedule · night").getByRole("button", { name: "1 firing of night of Nightly" }).click();
    const list = page.getByRole("list", { name: "Last firings" });
    assert.match(await list.innerText(), /Fired[\s\S]*by hand, admin/);
    await assertAccessible(page, "a trigger with its firings");
    await list.getByRole("link", { name: "View execution" }).click();
    await page.waitForURL("**/vwmp/executions/*");
    await page.goBack();

    await row(page, "Schedule · night").getByRole("button", { name: "Pause night of Nightly" }).click();
    await row(page, "Schedule · night").getByText("Paused").waitFor();
    await row(page, "Schedule · night").getByText("By admin").waitFor();
    await page.getByLabel("State").selectOption("paused");
    await row(page, "Webhook · forge").waitFor({ state: "detached" });
    assert.equal(await page.getByRole("button", { name: /^Fire now/ }).count(), 1);
    assert.equal(new URL(page.url()).search, "?state=paused");
    await row(page, "Schedule · night").getByRole("button", { name: "Resume night of Nightly" }).click();
    await page.getByText("No trigger matches these filters").waitFor();
    await page.getByRole("button", { name: "Clear" }).click();

    await row(page, "Webhook · forge").getByRole("button", { name: "Copy the address" }).click();
    const address = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/api\/vwmp\/hooks\/[\w-]+\/$/);
    const called = await fetch(address, {
      method: "POST",
      body: "{}",
      headers: { "Content-Type": "application/json" },
    });
    assert.equal(called.status, 202);
    await page.reload();
    await row(page, "Webhook · forge").getByText("Fired").waitFor();
  });

  test("a firing that is refused says why, and only a missed or refused one is found by its filter", async ({
    server,
    open,
  }) => {
    await server.workflow(
      `name: Refusing\nconcurrency: {limit: 1, on_conflict: reject}\ntriggers:\n  - {type: webhook, id: call}\nsteps:\n  - {id: a, handler: flow.wait, config: {duration: 1h}}\n`,
      "refusing",
    );
    const [trigger] = (await server.api("triggers/?workflow_id=refusing")).triggers;
    const call = () => fetch(new URL(trigger.hook_path, server.url), { method: "POST", body: "{}" });
    assert.equal((await call()).status, 202);
    assert.equal((await call()).status, 409);
    const page = await open("/vwmp/triggers?state=troubled");
    await row(page, "Webhook · call").getByText("Refused").waitFor();
    const [{ firings }] = (await server.api("triggers/?workflow_id=refusing")).triggers;
    assert.ok(firings[0].reason, JSON.stringify(firings));
    await row(page, "Webhook · call").getByText(firings[0].reason).waitFor();
    assert.equal(await page.getByRole("table", { name: "Triggers" }).locator("tbody tr").count(), 1);
  });

  test("one that waits for what its author may not see says so, and what to do", async ({ server, open }) => {
    await server.workflow(
      `name: Waiting\ntriggers:\n  - {type: workflow, id: lost, workflow: Nighly}\n${step}`,
      "waiting",
    );
    const page = await open("/vwmp/triggers?state=stuck");
    const sentence = /It never fires: there is no workflow "Nighly" .* may see\. Correct the name, /;
    await row(page, "Workflow · lost").getByText(sentence).waitFor();
    await row(page, "Workflow · lost").getByText("Stuck", { exact: true }).waitFor();
    assert.equal(await page.getByRole("table", { name: "Triggers" }).locator("tbody tr").count(), 1);
    await page.goto(new URL("/vwmp/workflows/waiting", server.url).href);
    await page.getByRole("table", { name: "Triggers" }).getByText(sentence).waitFor();
  });

  test("the triggers are accessible in both themes and read at 320 pixels", async ({ open }) => {
    for (const dark of [false, true]) {
      const page = await open("/vwmp/triggers", { dark });
      await row(page, "Schedule · night").waitFor();
      for (const size of [desktop, narrow]) {
        await page.setViewportSize(size);
        await assertAccessible(page, `the triggers at ${size.width}`);
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
      }
    }
  });
});
