import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  assertAccessible,
  assertAccessibleEverywhere,
  desktop,
  narrow,
  phone,
  picture,
  preferTheme,
  said,
  tablet,
} from "./lib/browser.mjs";
import { gate } from "./lib/gate.mjs";
import { area } from "./lib/suite.mjs";

const log = (id, more = {}) => ({ id, handler: "flow.log", config: { message: `says ${id}` }, ...more });
const mixed = {
  name: "Mixed",
  parameters: [
    { name: "word", type: "string", default: "hello" },
    { name: "token", type: "secret" },
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
const rowOf = (page, name) =>
  page
    .getByRole("table", { name: "Timeline" })
    .getByRole("row")
    .filter({ has: page.getByRole("button", { name, exact: true }) });
const barOf = (page, name) => rowOf(page, name).getByRole("cell").locator("[data-status]");
const section = (panel, title) =>
  panel.locator("section").filter({ has: panel.page().getByRole("heading", { level: 3, name: title, exact: true }) });
/** Fails where what is drawn, titles and names included, holds what it must not. */
const assertLacks = async (part, pattern) => {
  const found = pattern.exec(await part.evaluate((element) => element.outerHTML));
  assert.equal(found?.input.slice(Math.max(0, found.index - 60), found.index + 60), undefined);
};
const fact = (page, label) => page.locator("dl > div").filter({ hasText: label }).locator("dd");

area("execution", {}, (test) => {
  let failed;
  const mixedRun = async (server) => {
    await server.workflow(mixed, "mixed");
    failed ??= (await server.run("mixed", { token: "hush-hush-hush" })).execution_id;
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
    assert.equal(await fact(page, "Result").locator("svg").count(), 1);
    await fact(page, "Started").locator("time[title]").waitFor();
    assert.match(await fact(page, "Duration").innerText(), /\d/);
    assert.equal(await fact(page, "Trigger").innerText(), "API");
    assert.match(await fact(page, "Workflow").innerText(), /^Version 1\b/);
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
    const page = await open(at(await mixedRun(server)));
    const panel = page.getByRole("complementary", { name: "Step A short rest" });
    const chosen = page.locator('[data-step][aria-pressed="true"]');
    await page.locator('[data-step="rest"]').click();
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
    await page.getByRole("tab", { name: "Graph" }).click();
    await chosen.waitFor();
    assert.equal(await chosen.getAttribute("data-step"), "rest");
    await panel.waitFor();
    await page.getByRole("tab", { name: "Steps" }).click();
    await page.reload();
    await page.getByRole("table", { name: "Steps" }).waitFor();
    await panel.waitFor();
    await page.getByRole("button", { name: "Close the step" }).click();
    assert.equal(new URL(page.url()).search, "?view=steps");
  });

  test("point 21: the timeline has a bar per step, with an icon and words, and hatches what waited", async ({
    server,
    open,
  }) => {
    const id = await mixedRun(server);
    for (const size of [phone, desktop]) {
      const page = await open(at(id, "?view=timeline"), { size });
      const label = (name) => rowOf(page, name).locator("[data-label]");
      assert.match(await rowOf(page, "A short rest").innerText(), /Success, waited, 1\.\d s, from/);
      await label("A short rest")
        .getByText(/^Success · 1\.\d s$/)
        .waitFor();
      await label("It breaks here")
        .getByText(/^Failed · \d+ ms$/)
        .waitFor();
      await label("Never reached").getByText("Skipped", { exact: true }).waitFor();
      for (const name of ["A short rest", "It breaks here", "Never reached"]) {
        assert.ok(await rowOf(page, name).locator("svg").first().isVisible());
        const { left, right, seen } = await label(name).evaluate((element) => {
          element.scrollIntoView({ block: "center" });
          const box = element.getBoundingClientRect();
          const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
          return { left: box.left, right: box.right, seen: element.closest('[role="row"]').contains(at) };
        });
        assert.ok(left >= 0 && right <= size.width && seen, `the label of ${name} is hidden at ${size.width}`);
      }
      const image = (name) => barOf(page, name).evaluate((bar) => getComputedStyle(bar).backgroundImage);
      assert.match(await image("A short rest"), /repeating-linear-gradient/);
      assert.equal(await image("First of all"), "none");
      assert.equal(await page.locator("[data-now]").count(), 0);
      await picture(page, `execution-timeline-words-${size.width}`);
    }
  });

  test("point 21: a step that was tried again has a bar for each attempt, and the wait between", async ({
    server,
    open,
  }) => {
    const script = "[ -e tried ] || { touch tried; exit 1; }";
    const tried = { id: "tried", name: "Twice", handler: "shell.run", config: { script } };
    const retry = { max_attempts: 2, initial_interval: "300ms" };
    await server.workflow({ name: "Tried", steps: [{ ...tried, retry }] }, "tried");
    const { execution_id: id } = await server.run("tried");
    const page = await open(at(id, "?view=timeline"));
    const bars = barOf(page, "Twice");
    await bars.nth(2).waitFor();
    assert.deepEqual(
      await bars.evaluateAll((all) => all.map((bar) => [bar.dataset.status, getComputedStyle(bar).backgroundImage])),
      [
        ["failed", "none"],
        ["retrying", await bars.nth(1).evaluate((bar) => getComputedStyle(bar).backgroundImage)],
        ["success", "none"],
      ],
    );
    assert.match(await bars.nth(1).evaluate((bar) => getComputedStyle(bar).backgroundImage), /repeating/);
    const places = await Promise.all([0, 1, 2].map(async (n) => (await bars.nth(n).boundingBox()).x));
    assert.ok(places[0] < places[1] && places[1] < places[2], `the bars stand at ${places}`);
    assert.match(await rowOf(page, "Twice").innerText(), /Attempt 1: failed.*Attempt 2: success/s);
    await rowOf(page, "Twice")
      .locator("[data-label]")
      .getByText(/^Success · attempt 2 · /)
      .waitFor();
  });

  test("point 22: the line of now moves along an axis that stands still, and goes when the run ends", async ({
    server,
    open,
  }) => {
    const { step, open: release, close } = await gate(server);
    await close();
    await server.workflow({ name: "Gated", steps: [step] }, "gated");
    const page = await open(at(await server.launch("gated"), "?view=timeline"));
    await barOf(page, "Run validators").and(page.locator('[data-status="running"]')).waitFor();
    // Both are read at one moment; where the axis has grown meanwhile, it begins anew.
    await page.waitForFunction(() => {
      const line = document.querySelector("[data-now]");
      if (!line) return false;
      const axis = [...document.querySelectorAll('[role="columnheader"] [aria-hidden]')].map(
        (each) => each.textContent,
      );
      const left = Number.parseFloat(line.style.left);
      window.first ??= { left, axis: axis.join() };
      if (window.first.axis !== axis.join()) window.first = { left, axis: axis.join() };
      return axis.length > 2 && left > window.first.left + 2;
    });
    await release();
    await page.locator("[data-now]").waitFor({ state: "detached" });
  });

  test("point 22: the timeline shows the whole run, or its last minute", async ({ server, open }) => {
    const { step, open: release, close } = await gate(server);
    await close();
    await server.workflow({ name: "Gated", steps: [{ ...step, name: "Held" }] }, "gated");
    const id = await server.launch("gated");
    const page = await open(null);
    const { created_at } = await server.api(`executions/${id}/`);
    // For the page it is four minutes and a half later; the timers go on as they do.
    await page.clock.setFixedTime(new Date(created_at).getTime() + 270_000);
    await page.goto(new URL(at(id, "?view=timeline"), server.url).href);
    const bar = barOf(page, "Held");
    await bar.waitFor();
    const axis = () => page.locator('[role="columnheader"] [aria-hidden]').allInnerTexts();
    const share = () => bar.evaluate((element) => Number.parseFloat(/([\d.]+)%/.exec(element.style.width)[1]));
    const whole = await share();
    assert.ok(whole > 85 && whole < 91, `the bar takes ${whole} % of five minutes`);
    assert.deepEqual(await axis(), ["0", "1m 00s", "2m 00s", "3m 00s", "4m 00s", "5m 00s"]);
    await page.getByRole("button", { name: "Last minute" }).click();
    await page.locator('[role="columnheader"]').getByText("4m 30s", { exact: true }).waitFor();
    assert.deepEqual(await axis(), ["3m 30s", "3m 40s", "3m 50s", "4m 00s", "4m 10s", "4m 20s", "4m 30s", "4m 40s"]);
    const last = await share();
    assert.ok(Math.abs(last - (100 * 60) / 70) < 0.5, `the bar takes ${last} % of the last minute`);
    assert.equal(await page.getByRole("button", { name: "Last minute" }).getAttribute("aria-pressed"), "true");
    await page.getByRole("button", { name: "Whole run" }).click();
    await page.locator('[role="columnheader"]').getByText("5m 00s", { exact: true }).waitFor();
    assert.equal(await share(), whole);
    await release();
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
    await page.getByRole("listbox", { name: "Log lines" }).getByText("hello ••••", { exact: true }).waitFor();
    const panel = page.getByRole("complementary");
    for (const title of ["Input", "Output"]) await section(panel, title).getByText("“hello ••••”").waitFor();
    await assertLacks(page.locator("body"), /hush/);
    for (const part of ["", "logs/", "workflow/", "explain/", "steps/first/input/", "steps/first/output/"]) {
      const answer = JSON.stringify(await server.api(`executions/${failed}/${part}`));
      assert.doesNotMatch(answer, /hush/, `the answer of ${part || "the execution"}`);
    }
  });

  test("point 25: secrets are dots also in the notes of steps, cards and lists", async ({ server, open }) => {
    const steps = [
      { id: "bad", handler: "flow.fail", name: "Tells it", config: { message: "refused ${parameters.token}" } },
      log("each", { for_each: ["x"], config: { message: "to ${item}" }, dependencies: ["bad"] }),
    ];
    await server.workflow({ ...mixed, name: "Told", steps }, "told");
    const id = (await server.run("told", { token: "hush-hush-hush" })).execution_id;
    const page = await open(at(id));
    await page.locator('[data-step="bad"]').getByText("Refused ••••", { exact: true }).waitFor({ state: "attached" });
    assert.match(await page.locator('[data-step="bad"]').getAttribute("aria-label"), /refused ••••/);
    await page.getByRole("tab", { name: "Steps" }).click();
    const row = page.getByRole("table", { name: "Steps" }).getByRole("row").filter({ hasText: "Tells it" });
    await row.getByText("refused ••••", { exact: true }).waitFor();
    await assertLacks(page.locator("body"), /\*\*\*|hush/);
    await page.goto(new URL("/vwmp/executions?workflow=told", server.url).href);
    await page
      .getByRole("table", { name: "Executions" })
      .getByText(/failed: refused ••••$/)
      .waitFor();
  });

  test("point 24: what a program wrote for a terminal is plain words in rows, cards and lists", async ({
    server,
    open,
  }) => {
    const id = await mixedRun(server);
    const page = await open(at(id));
    const card = page.locator('[data-step="bad"]');
    await card.getByText("No way through", { exact: true }).waitFor({ state: "attached" });
    assert.match(await card.getAttribute("aria-label"), /No way through/);
    await assertLacks(card, /\[31m/);
    await page.getByRole("tab", { name: "Steps" }).click();
    const row = page.getByRole("table", { name: "Steps" }).getByRole("row").filter({ hasText: "It breaks here" });
    await row.getByText("No way through", { exact: true }).waitFor();
    await assertLacks(row, /\[31m/);
    await page.goto(new URL("/vwmp/executions?workflow=mixed", server.url).href);
    const first = page.getByRole("table", { name: "Executions" }).locator("tbody tr").first();
    await first.getByText(/failed: No way through and more of it$/).waitFor();
    await assertLacks(page.locator("body"), /\[31m/);
  });

  test("point 26: a step tells its input, output, error, attempts and items", async ({ server, open }) => {
    const page = await open(at(await mixedRun(server), "?view=steps&step=bad"));
    const panel = page.getByRole("complementary");
    const error = panel.getByRole("region", { name: "Error" });
    assert.match(await error.innerText(), /No way through\s+and more of it/);
    assert.match(await error.innerText(), /FLOW_FAIL/);
    await panel.getByRole("heading", { name: "Input" }).waitFor();
    await section(panel, "Output").getByText("It gave none.").waitFor();
    await panel.locator("summary").getByText("1 attempt", { exact: true }).click();
    await panel.getByRole("listitem").filter({ hasText: "1. Failed" }).locator("time[title]").waitFor();
    assert.match(
      await panel.getByRole("listitem").filter({ hasText: "1. Failed" }).innerText(),
      /1\. Failed\s*\d\d:\d\d, \d+ ms/,
    );
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
    for (const what of ["Input", "Output"]) {
      const part = section(panel, what);
      await part.getByText("It has 300 KB, too much to be shown here.", { exact: false }).waitFor();
      assert.match(await part.locator("pre").innerText(), /"message": ?"x{200}/);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        part.getByRole("link", { name: `Download the ${what.toLowerCase()}` }).click(),
      ]);
      assert.match(await readFile(await download.path(), "utf8"), /x{300000}/);
      assert.match(download.suggestedFilename(), /\.json$/);
    }
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

  test("point 27: on a phone no step covers a failed run, which says why and leads to the step and the designer", async ({
    server,
    open,
  }) => {
    const page = await open(at(await mixedRun(server)), { size: phone });
    const banner = page.locator("section").filter({ hasText: "It failed at the step “It breaks here”" });
    await banner.getByText("No way through", { exact: true }).waitFor();
    assert.equal(
      await banner.getByRole("link", { name: "Edit it in the designer" }).getAttribute("href"),
      "/vwmp/designer/mixed?step=bad",
    );
    assert.equal(await page.getByRole("dialog").count(), 0);
    assert.equal(new URL(page.url()).searchParams.get("step"), null);
    await picture(page, "execution-failed-phone");
    await banner.getByRole("button", { name: "Show the step" }).click();
    const sheet = page.getByRole("dialog", { name: "It breaks here" });
    await sheet.getByRole("region", { name: "Error" }).getByText("No way").waitFor();
    // Above 1080 px the step stands beside the views.
    await assertAccessibleEverywhere(page, "the sheet of a step", { open: sheet, sizes: [tablet, phone, narrow] });
  });

  test("point 30: what goes on is announced while it does", async ({ server, open }) => {
    const { step, open: release, close } = await gate(server);
    const second = await gate(server, "second");
    await close();
    const steps = [
      step,
      { ...second.step, id: "second", dependencies: ["gate"] },
      log("b", { dependencies: ["second"] }),
    ];
    await server.workflow({ name: "Announced", steps }, "announced");
    const page = await open(at(await server.launch("announced"), "?view=steps"));
    const one = said(page, "polite", "1 of 3 done");
    await page.getByRole("table", { name: "Steps" }).getByText("Running", { exact: true }).waitFor();
    assert.equal(await one.count(), 0);
    await release();
    await one.last().waitFor();
    await second.open();
    await said(page, "polite", "The run ended: success. 3 of 3 done.").waitFor();
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
    await said(page, "polite", "The run ended: success. 3 of 3 done.").waitFor();
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
      const panel = page.getByRole(size.width < 1080 ? "dialog" : "complementary", { name: "Every region" });
      await section(panel, "3 items").getByRole("button", { name: /#2/ }).waitFor();
      await assertAccessible(page, `a step at ${size.width}`);
      await picture(page, `execution-step-${size.width}`);
    }
  });
});
