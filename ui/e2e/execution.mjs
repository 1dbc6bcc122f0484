import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assertAccessible, desktop, narrow, phone, picture, preferTheme } from "./lib/browser.mjs";
import { gate } from "./lib/gate.mjs";
import { area } from "./lib/suite.mjs";

const log = (id, more = {}) => ({ id, handler: "flow.log", config: { message: `says ${id}` }, ...more });
const mixed = {
  name: "Mixed",
  parameters: [
    { name: "word", type: "string", default: "hello" },
    { name: "token", type: "secret", default: "hush-hush-hush" },
  ],
  steps: [
    log("first", { name: "First of all", config: { message: "${parameters.word} ${parameters.token}" } }),
    { id: "rest", handler: "flow.wait", name: "A short rest", config: { duration: "1s" }, dependencies: ["first"] },
    log("each", {
      name: "Every region",
      for_each: ["fra", "iad", "syd"],
      config: { message: "to ${item}" },
      dependencies: ["first"],
    }),
    {
      id: "bad",
      handler: "flow.fail",
      name: "It breaks here",
      config: { message: "\u001b[31mNo way\u001b[0m through\nand more of it" },
      dependencies: ["rest"],
    },
    log("never", { name: "Never reached", dependencies: ["bad"] }),
  ],
};

const at = (id, query = "") => `/vwmp/executions/${id}${query}`;
const fact = (page, label) => page.locator("dl > div").filter({ hasText: label }).locator("dd");

area("execution", {}, (test) => {
  let failed;
  const mixedRun = async (server) => {
    await server.workflow(mixed, "mixed");
    failed ??= (await server.run("mixed")).execution_id;
    return failed;
  };

  test("point 19: the head tells what one wants to know, and offers only what is allowed now", async ({
    server,
    open,
  }) => {
    const id = await mixedRun(server);
    const page = await open(at(id));
    await page.getByRole("heading", { level: 1, name: "Mixed" }).waitFor();
    assert.match(await page.title(), /^Failed: Mixed/);
    await fact(page, "Result").getByText("Failed", { exact: true }).waitFor();
    assert.match(await fact(page, "Duration").innerText(), /\d/);
    assert.equal(await fact(page, "Trigger").innerText(), "API");
    assert.match(await fact(page, "Workflow").innerText(), /Revision 1/);
    await page.getByText("2 parameters").click();
    assert.match(await page.locator("details").first().innerText(), /token: “••••”/);
    assert.equal(await page.getByRole("button", { name: "Cancel" }).count(), 0);
    await page.getByRole("button", { name: "Retry", exact: true }).waitFor();
  });

  test("point 19: the duration of a live run ticks each second", async ({ server, open }) => {
    const { step, open: release } = await gate(server);
    await server.workflow({ name: "Gated", steps: [step] }, "gated");
    const page = await open(at(await server.launch("gated")));
    await page.getByRole("button", { name: "Pause" }).waitFor();
    const seconds = async () => Number.parseInt(await fact(page, "Duration").innerText(), 10);
    const before = await seconds();
    await page.waitForFunction(
      ([label, last]) =>
        [...document.querySelectorAll("dl > div")].some(
          (each) =>
            each.textContent.startsWith(label) && Number.parseInt(each.querySelector("dd").textContent, 10) > last,
        ),
      ["Duration", before],
    );
    await release();
    await fact(page, "Result").getByText("Success").waitFor();
    assert.equal(await page.getByRole("button", { name: "Pause" }).count(), 0);
  });

  test("point 20: three views of one run, and the chosen step stays chosen", async ({ server, open }) => {
    const page = await open(at(await mixedRun(server), "?step=rest"));
    await page.locator('[data-step="rest"]').waitFor();
    const panel = page.getByRole("complementary", { name: "Step A short rest" });
    await panel.waitFor();
    for (const view of ["Timeline", "Steps"]) {
      await page.getByRole("tab", { name: view }).click();
      await page
        .getByRole("table", { name: view })
        .getByRole("button", { name: "A short rest", exact: true })
        .waitFor();
      assert.equal(
        await page.getByRole("table", { name: view }).locator('[aria-current="true"]').innerText(),
        "A short rest",
      );
      assert.equal(new URL(page.url()).search, `?step=rest&view=${view.toLowerCase()}`);
      await panel.waitFor();
    }
    await page.reload();
    await page.getByRole("table", { name: "Steps" }).waitFor();
    await panel.waitFor();
    await page.getByRole("button", { name: "Close the step" }).click();
    assert.equal(new URL(page.url()).search, "?view=steps");
  });

  test("points 21 and 22: the timeline has a bar per step, hatches what waited, and zooms", async ({
    server,
    open,
  }) => {
    const page = await open(at(await mixedRun(server), "?view=timeline"));
    const table = page.getByRole("table", { name: "Timeline" });
    await table.getByRole("row").nth(6).waitFor();
    const row = (name) => table.getByRole("row").filter({ has: page.getByRole("button", { name, exact: true }) });
    assert.match(await row("A short rest").innerText(), /Success, waited, 1\.\d s, from/);
    assert.match(await row("Never reached").innerText(), /Skipped/);
    assert.equal(await row("A short rest").locator("[data-waits]").count(), 1);
    assert.equal(await row("First of all").locator("[data-waits]").count(), 0);
    const width = async () => (await row("A short rest").locator("[data-waits]").boundingBox()).width;
    const fit = await width();
    assert.ok(fit > 100, `the bar is ${fit} wide`);
    await page.getByRole("button", { name: "Last minute" }).click();
    assert.equal(await page.getByRole("button", { name: "Last minute" }).getAttribute("aria-pressed"), "true");
    assert.equal(await page.locator("[data-now]").count(), 0);
  });

  test("point 22: a line of now moves while the run lives", async ({ server, open }) => {
    const { step, open: release, close } = await gate(server);
    await close();
    await server.workflow({ name: "Gated", steps: [step] }, "gated");
    const page = await open(at(await server.launch("gated"), "?view=timeline"));
    const bar = page
      .getByRole("table", { name: "Timeline" })
      .locator('[data-index="0"] [data-status="running"]')
      .last();
    await bar.waitFor();
    await page.locator("[data-now]").waitFor();
    const label = () => page.locator('[role="table"] [data-index="0"]').innerText();
    const before = await label();
    await page.waitForFunction(
      (text) => document.querySelector('[role="table"] [data-index="0"]').innerText !== text,
      before,
    );
    await release();
    await page.locator("[data-now]").waitFor({ state: "detached" });
  });

  test("point 22: 500 steps are drawn only where they are seen", async ({ server, open }) => {
    const steps = Array.from({ length: 500 }, (_, i) => log(`s${i}`, i > 0 ? { dependencies: [`s${i - 1}`] } : {}));
    await server.workflow({ name: "Long", steps }, "long");
    const { execution_id } = await server.run("long");
    for (const view of ["timeline", "steps"]) {
      const page = await open(at(execution_id, `?view=${view}`));
      const table = page.getByRole("table", { name: view, exact: false });
      await table.locator("[data-index]").first().waitFor();
      assert.ok((await table.locator("[data-index]").count()) < 60);
      assert.equal(await table.getAttribute("aria-rowcount"), view === "timeline" ? "502" : "501");
      await table.locator("[data-row]").first().focus();
      await page.keyboard.press("End");
      await table.locator('[data-index="499"] [data-row]:focus').waitFor();
    }
  });

  test("point 25: secrets are dots wherever a run shows them", async ({ server, open }) => {
    const page = await open(at(await mixedRun(server), "?view=steps&step=first"));
    await page.getByText("hello ••••").first().waitFor();
    const panel = page.getByRole("complementary");
    await panel.getByText("“hello ••••”").first().waitFor();
    assert.doesNotMatch(await page.locator("body").innerText(), /hush/);
  });

  test("point 26: a step tells its input, output, error, attempts and items", async ({ server, open }) => {
    const page = await open(at(await mixedRun(server), "?view=steps&step=bad"));
    const panel = page.getByRole("complementary");
    const error = panel.getByRole("region", { name: "Error" });
    assert.match(await error.innerText(), /No way through\s+and more of it/);
    assert.match(await error.innerText(), /FLOW_FAIL/);
    await panel.getByRole("heading", { name: "Input" }).waitFor();
    await panel.getByText("1 attempt").waitFor();
    await panel.getByText(/It failed: /).waitFor();
    await page.getByRole("button", { name: "Every region" }).click();
    await panel.getByText("3 items").first().waitFor();
    await panel.getByRole("button", { name: /#1/ }).click();
    await panel.getByText("“to iad”").first().waitFor();
    const toggle = panel.getByRole("button", { name: /message|\{1 key\}/ }).first();
    assert.equal(await toggle.getAttribute("aria-expanded"), "true");
    await toggle.click();
    assert.equal(await toggle.getAttribute("aria-expanded"), "false");
  });

  test("point 26: what has over 256 KB is a beginning and a download", async ({ server, open }) => {
    const text = "x".repeat(150_000);
    await server.workflow(
      {
        name: "Large",
        parameters: [{ name: "t", type: "string" }],
        steps: [log("a", { config: { message: "${parameters.t}${parameters.t}" } })],
      },
      "large",
    );
    const { execution_id } = await server.run("large", { t: text });
    const page = await open(at(execution_id, "?view=steps&step=a"));
    const panel = page.getByRole("complementary");
    await panel.getByText("It has 300 KB, too much to be shown here.", { exact: false }).first().waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      panel.getByRole("link", { name: "Download the output" }).click(),
    ]);
    assert.equal(download.suggestedFilename(), "a.json");
    assert.ok((await panel.innerText()).length < 10_000);
  });

  test("point 27: a failed run opens on its first failed step, its error on top, with the way to the designer", async ({
    server,
    open,
  }) => {
    const page = await open(at(await mixedRun(server)));
    const panel = page.getByRole("complementary", { name: "Step It breaks here" });
    await panel.waitFor();
    assert.equal(new URL(page.url()).searchParams.get("step"), "bad");
    const first = panel.locator("header + div > *").first();
    assert.match(await first.innerText(), /No way through/);
    await page.getByText("It failed at the step “It breaks here”").waitFor();
    assert.equal(
      await panel.getByRole("link", { name: "Edit in the designer" }).getAttribute("href"),
      "/vwmp/designer/mixed?step=bad",
    );
  });

  test("points 28 and 30: states only go forward while a run is followed, and are announced", async ({
    server,
    open,
  }) => {
    const { step, open: release, close } = await gate(server);
    await close();
    const steps = [log("a"), { ...step, dependencies: ["a"] }, log("b", { dependencies: ["gate"] })];
    await server.workflow({ name: "Followed", steps }, "followed");
    const page = await open(at(await server.launch("followed"), "?view=steps"));
    const state = (name) =>
      page.getByRole("table", { name: "Steps" }).getByRole("row").filter({ hasText: name }).getByRole("cell").first();
    await state("gate").getByText("Running").waitFor();
    await state("b").last().getByText("Pending").waitFor();
    await page.evaluate(() => {
      window.seen = [];
      new MutationObserver(() => {
        const now = document.querySelector('[role="table"] [data-index="1"] [role="cell"]')?.textContent;
        if (now !== window.seen.at(-1)) window.seen.push(now);
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await release();
    await fact(page, "Result").getByText("Success").waitFor();
    assert.deepEqual(
      (await page.evaluate(() => window.seen)).filter((word) => word !== "Running"),
      ["Success"],
    );
    await page.getByRole("status").filter({ hasText: "The run ended: success. 3 of 3 done." }).waitFor();
  });

  test("an execution that is not there says so", async ({ open }) => {
    const page = await open("/vwmp/executions/none", { allow: [/404/] });
    await page.getByRole("heading", { level: 1, name: "Execution not found" }).waitFor();
    await assertAccessible(page, "no execution");
  });

  test("every view and a step are accessible, light and dark, wide and narrow", async ({ server, open }) => {
    const id = await mixedRun(server);
    await writeFile(join(server.workspace, "x"), "");
    for (const size of [desktop, phone, narrow]) {
      const page = await open(at(id), { size });
      for (const view of ["graph", "timeline", "steps"]) {
        await page.getByRole("tab", { name: new RegExp(view, "i") }).click();
        await page.getByRole("tab", { name: new RegExp(view, "i"), selected: true }).waitFor();
        await page.getByRole("listbox", { name: "Log lines" }).waitFor();
        for (const dark of [false, true]) {
          await preferTheme(page, dark ? "dark" : "light");
          await page.locator(`html[data-theme="${dark ? "dark" : "light"}"]`).waitFor();
          await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
          await assertAccessible(page, `${view} at ${size.width}${dark ? ", dark" : ""}`);
        }
        assert.ok(
          await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
          `${view} at ${size.width} is wider than the window`,
        );
        await picture(page, `execution-${view}-${size.width}`);
      }
      await page.goto(new URL(at(id, "?view=steps&step=each"), server.url).href);
      await page.getByText("3 items").last().waitFor();
      await assertAccessible(page, `a step at ${size.width}`);
      await picture(page, `execution-step-${size.width}`);
    }
  });
});
