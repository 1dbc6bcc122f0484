import assert from "node:assert/strict";
import { assertAccessible, desktop, narrow } from "./lib/browser.mjs";
import { area } from "./lib/suite.mjs";

const log = { id: "a", handler: "flow.log", config: { message: "a" } };
const rows = (page) => page.getByRole("table", { name: "Executions" }).locator("tbody tr");
const query = (page) => new URL(page.url()).search;

area("executions", {}, (test) => {
  test("an empty history says what will be there", async ({ open }) => {
    const page = await open("/vwmp/executions");
    await page.getByText("Nothing was executed yet").waitFor();
    await assertAccessible(page, "an empty history");
  });

  test("point 18: the history is the newest first, loads more, and is filtered by what stands in the address", async ({
    server,
    open,
  }) => {
    await server.workflow({ name: "Good", steps: [log] }, "good");
    await server.workflow(
      { name: "Bad", steps: [{ id: "a", handler: "flow.fail", config: { message: "Broken" } }] },
      "bad",
    );
    for (let n = 0; n < 26; n++) await Promise.all([server.run("good"), server.run("good")]);
    const failed = await server.run("bad");
    await server.api(`executions/${failed.execution_id}/retry/`, { method: "POST", body: {} });
    const page = await open("/vwmp/executions");
    await rows(page).first().getByText("Bad").waitFor();
    assert.equal(await rows(page).count(), 50);
    await page.getByRole("button", { name: "Load more" }).click();
    await page.getByText("54 executions", { exact: true }).waitFor();
    assert.equal(await rows(page).count(), 54);

    await page.getByRole("button", { name: "Only failed" }).click();
    await page.getByText("2 executions", { exact: true }).waitFor();
    assert.equal(query(page), "?result=failed");
    assert.match(await rows(page).last().innerText(), /Broken/);
    await page.getByLabel("Trigger").selectOption("retry");
    await page.getByText("1 execution", { exact: true }).waitFor();
    await page.reload();
    await page.getByText("1 execution", { exact: true }).waitFor();
    assert.equal(query(page), "?result=failed&trigger=retry");
    await page.goBack();
    await page.getByText("2 executions", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByLabel("Workflow", { exact: true }).selectOption({ label: "Good" });
    await page.waitForFunction(() => location.search === "?workflow=good");
    await page.getByText("50 shown", { exact: true }).waitFor();
    await page.getByLabel("Time").selectOption("1h");
    await page.getByLabel("Result").selectOption("cancelled");
    await page.getByText("No execution matches these filters").waitFor();
    await assertAccessible(page, "no execution");
    await page.getByRole("search").getByRole("button", { name: "Clear filters" }).click();

    const today = await page.evaluate(() => {
      const now = new Date();
      const two = (n) => String(n).padStart(2, "0");
      return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
    });
    await page.getByLabel("Time").selectOption("custom");
    await page.getByLabel("Last day").fill("2020-01-01");
    await page.getByText("No execution matches these filters").waitFor();
    await page.getByLabel("Last day").fill(today);
    await page.getByText("50 shown", { exact: true }).waitFor();
    assert.equal(query(page), `?range=custom&until=${today}`);
  });

  test("point 18: a range of time keeps what is within it, and lets the rest go", async ({ server, open }) => {
    const page = await open(null);
    // For the page it is two hours later: what is there is older than an hour, and younger than a day.
    const later = Date.now() + 7_200_000;
    await page.clock.setFixedTime(later);
    const asked = [];
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.pathname === "/api/vwmp/executions/" && url.searchParams.get("workflow_id") === "bad")
        asked.push(url.searchParams.get("since"));
    });
    await page.goto(new URL("/vwmp/executions?workflow=bad", server.url).href);
    await page.getByText("2 executions", { exact: true }).waitFor();
    assert.deepEqual(new Set(asked), new Set([null]));
    await page.getByLabel("Time").selectOption("1h");
    await page.getByText("No execution matches these filters").waitFor();
    assert.equal(query(page), "?workflow=bad&range=1h");
    assert.equal(asked.at(-1), new Date(later - 3_600_000).toISOString());
    await page.getByLabel("Time").selectOption("24h");
    await page.getByText("2 executions", { exact: true }).waitFor();
    assert.equal(asked.at(-1), new Date(later - 24 * 3_600_000).toISOString());
    assert.equal(query(page), "?workflow=bad&range=24h");
  });

  test("point 18: what begins while one looks is there at once, on top", async ({ server, open }) => {
    const page = await open("/vwmp/executions?workflow=bad");
    await page.getByText("2 executions", { exact: true }).waitFor();
    const id = await server.launch("bad");
    await page.getByText("3 executions", { exact: true }).waitFor();
    assert.equal(await rows(page).first().getByRole("link").getAttribute("href"), `/vwmp/executions/${id}`);
    await rows(page).first().getByText("Failed", { exact: true }).waitFor();
  });

  test("the history is accessible in both themes and reads at 320 pixels", async ({ open }) => {
    for (const dark of [false, true]) {
      const page = await open("/vwmp/executions", { dark });
      await rows(page).first().getByText("Bad").waitFor();
      for (const size of [desktop, narrow]) {
        await page.setViewportSize(size);
        await assertAccessible(page, `the history at ${size.width}`);
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
      }
    }
  });
});
