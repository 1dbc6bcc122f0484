import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { assertAccessible, assertAccessibleEverywhere, desktop, narrow, phone } from "./lib/browser.mjs";
import { gate } from "./lib/gate.mjs";
import { area, assertInTime } from "./lib/suite.mjs";

const log = (id = "a") => ({ id, handler: "flow.log", config: { message: id } });
const ok = (name, more = {}) => ({ name, steps: [log()], ...more });
const bad = (name) => ({ name, steps: [{ id: "a", handler: "flow.fail", config: { message: "Not today" } }] });
const row = (page, name) => page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
const names = (page) => page.getByRole("table", { name: "Workflows" }).locator("tbody a").allInnerTexts();

area("empty dashboard", {}, (test) => {
  test("point 14: an empty dashboard says what to do", async ({ open }) => {
    const page = await open();
    await page.getByText("No workflows yet").waitFor();
    const card = page.locator("section").filter({ hasText: "No workflows yet" });
    // The picture says nothing that the words don't.
    const picture = card.locator("svg.lucide-workflow");
    assert.equal(await picture.getAttribute("aria-hidden"), "true");
    await assertAccessibleEverywhere(page, "the empty dashboard", { open: picture });
    // With nothing to search there is no key for it.
    await page.keyboard.press("?");
    const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await sheet.getByText("Go to the overview").waitFor();
    assert.equal(await sheet.getByText("Search workflows").count(), 0);
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "hidden" });

    await card.getByRole("link", { name: "New workflow" }).click();
    await page.waitForURL("**/vwmp/designer");
    await page.getByRole("heading", { level: 1, name: "New workflow" }).waitFor();
    await page.goBack();
    // In a low window the templates are further down than one sees.
    await page.setViewportSize({ width: 1024, height: 320 });
    await card.getByRole("link", { name: "Start from a template" }).click();
    await page.getByRole("button", { name: "Use template Standard Release" }).waitFor();
    const templates = page.getByRole("heading", { level: 2, name: "Templates" });
    await page.waitForFunction(() => document.activeElement?.id === "templates");
    const { y } = await templates.boundingBox();
    assert.ok(y >= 0 && y < 160, `the heading of the templates stands at ${y}`);
    await page.keyboard.press("Tab");
    assert.match(await page.evaluate(() => document.activeElement.ariaLabel), /^Use template/);
  });
});

area("dashboard", {}, (test) => {
  test("point 8: tiles give the figures of the last day and lead to what is behind them", async ({ server, open }) => {
    const good = await server.workflow(ok("Alpha"), "alpha");
    const failing = await server.workflow(bad("Beta"), "beta");
    for (const id of [good, good, good, failing]) await server.run(id);
    const { step, open: release } = await gate(server);
    await server.workflow({ name: "Gated", steps: [step] }, "gated");
    await server.launch("gated");
    const page = await open();
    const tile = (name) => page.locator("main").getByRole("link", { name });
    await tile(/^Executions, 24 h\s*5\b/).waitFor();
    await tile(/^Success rate, 24 h\s*75 %/).waitFor();
    assert.match(
      await tile(/^Median duration/).innerText(),
      /^Median duration, 24 h\s+\d[\d.]* (ms|s)\s+95th percentile \d[\d.]* (ms|s)$/,
    );
    await tile(/^Running now\s*1\b/).waitFor();
    for (const [name, query, count] of [
      [/^Executions, 24 h/, "?range=24h", 5],
      [/^Success rate/, "?range=24h&result=failed", 1],
      [/^Median duration/, "?range=24h&result=ended", 4],
      [/^Running now/, "?result=live", 1],
    ]) {
      await tile(name).click();
      await page.getByRole("heading", { level: 1, name: "Executions" }).waitFor();
      assert.equal(new URL(page.url()).search, query);
      await page.getByText(new RegExp(`^${count} executions?$`)).waitFor();
      await page.goBack();
    }
    await release();
    await tile(/^Running now\s*0\b/).waitFor();
  });

  test("point 9: the chart has dates, a scale, a sentence and a table", async ({ open }) => {
    const page = await open();
    const chart = page.getByRole("img", { name: /5 executions in the last 14 days: 4 succeeded, 1 failed/ });
    await chart.waitFor();
    const texts = await chart.locator("text").allTextContents();
    const today = await page.evaluate(() =>
      new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" }).format(new Date()),
    );
    assert.ok(texts.includes("0") && texts.includes(today), `scale and dates: ${texts}`);
    assert.equal(await chart.locator('rect[data-status="failed"]').count(), 1);
    const bar = await chart.locator('rect[data-status="success"]').first().boundingBox();
    assert.ok(bar.width <= 24.5, `a bar is ${bar.width} wide`);
    await page.getByRole("button", { name: "Show as table" }).click();
    const table = page.getByRole("table", { name: "Executions by day" });
    assert.equal(await table.getByRole("row").count(), 15);
    assert.match(
      (await table.getByRole("row").nth(1).innerText()).replace(/\s+/g, " "),
      new RegExp(`^${today} 5 4 0 0 1`),
    );
    await assertAccessible(page, "the chart as a table");
  });

  test("point 10: the table sorts by every column, and search, filter and order are in the address", async ({
    server,
    open,
  }) => {
    await server.workflow({ name: "Gamma", steps: [log("a"), log("b"), log("c")] }, "gamma");
    const page = await open();
    const table = page.getByRole("table", { name: "Workflows" });
    await row(page, "Gamma").waitFor();
    // The age of the last result stands beside it, with the exact time for those who want it.
    const age = "(just now|\\d+ (second|minute)s? ago)\\s*, .+";
    assert.match(
      await row(page, "Alpha").innerText(),
      new RegExp(`1\\s+Success\\s+${age}\\s+100 %\\s+\\d[\\d.]* (ms|s)`),
    );
    assert.match(await row(page, "Beta").innerText(), new RegExp(`1\\s+Failed\\s+${age}\\s+0 %`));
    const ended = row(page, "Alpha").locator("time");
    const [{ last_executed: at }] = (await server.api("workflows/")).filter(({ name }) => name === "Alpha");
    assert.equal(new Date(await ended.getAttribute("datetime")).getTime(), new Date(at).getTime());
    assert.match(await ended.getAttribute("title"), /\d\d:\d\d/);
    assert.match(await row(page, "Gamma").innerText(), /3\s+Never executed/);
    const sorted = async (column, first, last) => {
      await table.getByRole("button", { name: column }).click();
      const list = await names(page);
      assert.equal(list[0], first, `${column}: ${list}`);
      if (last) assert.equal(list.at(-1), last, `${column}: ${list}`);
    };
    await sorted("Name", "Alpha", "Gated");
    assert.equal(new URL(page.url()).search, "?sort=name");
    await sorted("Name", "Gated", "Alpha");
    await sorted("Steps", "Gamma");
    await sorted("Success rate", "Beta", "Gamma");
    await sorted("Typical duration", "Gated", "Gamma");
    await sorted("Last result", "Gated", "Gamma");
    await table.getByRole("button", { name: "Name" }).click();
    await page.keyboard.press("/");
    await page.keyboard.type("a");
    await page.getByLabel("Last result", { exact: true }).selectOption("success");
    await row(page, "Beta").waitFor({ state: "detached" });
    assert.equal(new URL(page.url()).search, "?sort=name&q=a&result=success");
    await page.reload();
    await row(page, "Alpha").waitFor();
    assert.deepEqual(await names(page), ["Alpha", "Gated"]);
    assert.equal(await page.getByRole("searchbox").inputValue(), "a");
    await page.getByRole("searchbox").fill("no such thing");
    await page.getByText("Nothing matches “no such thing”").waitFor();
    await assertAccessible(page, "no result");
    await page.getByRole("button", { name: "Clear" }).click();
    await row(page, "Gamma").waitFor();
    assert.ok(await page.getByRole("searchbox").evaluate((field) => field === document.activeElement));
  });

  test("point 11: execute starts at once without parameters, and asks for those there are", async ({
    server,
    open,
  }) => {
    await server.workflow(ok("Asking", { parameters: [{ name: "who", type: "string", required: true }] }), "asking");
    const page = await open();
    await row(page, "Alpha").getByRole("button", { name: "Execute Alpha" }).click();
    await page.getByText("“Alpha” is executing").waitFor();
    const told = page.getByRole("dialog", { name: "“Alpha” is executing" });
    // With the keyboard in it it stays for as long as it is read.
    await page.keyboard.press("F6");
    await page.waitForFunction(() => document.activeElement?.closest("[role=region], [role=dialog]"));
    await assertAccessibleEverywhere(page, "the message after a start", { open: told });
    await page.getByRole("link", { name: "View", exact: true }).click();
    await page.waitForURL("**/vwmp/executions/*");
    await page.goBack();
    await row(page, "Asking").getByRole("button", { name: "Execute Asking" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel(/who/i).fill("Eve");
    await page.keyboard.press("Control+Enter");
    await page.getByText("“Asking” is executing").waitFor();
    const [newest] = (await server.api("executions/?workflow_id=asking")).executions;
    const result = await server.api(`executions/${newest.execution_id}/`);
    assert.deepEqual(result.parameters, { who: "Eve" });
    assert.equal(result.trigger, "manual");
  });

  test("point 12: the menu of a row views, edits, duplicates, exports and shows versions", async ({ server, open }) => {
    const text =
      "# A comment\nname: Dup # here\ntriggers:\n  - {type: schedule, cron: '0 4 * * *'}\nsteps:\n  - {id: a, handler: flow.log, config: {message: a}}\n";
    await server.workflow(text, "dup");
    const page = await open();
    const choose = async (item) => {
      await row(page, "Dup").getByRole("button", { name: "More actions for Dup" }).click();
      await page.getByRole("menuitem", { name: item }).click();
    };
    await row(page, "Dup").getByRole("button", { name: "More actions for Dup" }).click();
    await page.getByRole("menuitem", { name: "View" }).waitFor();
    await assertAccessibleEverywhere(page, "the menu of a row", { open: page.getByRole("menu") });
    await page.keyboard.press("Escape");
    const file = async (item) => {
      const [download] = await Promise.all([page.waitForEvent("download"), choose(item)]);
      return [download.suggestedFilename(), await readFile(await download.path(), "utf8")];
    };
    assert.deepEqual(await file("Export as YAML"), ["dup.yaml", text]);
    const [name, json] = await file("Export as JSON");
    assert.equal(name, "dup.json");
    assert.equal(JSON.parse(json).name, "Dup");
    await choose("Duplicate");
    await page.getByText("“Dup (copy)” is stored").waitFor();
    await row(page, "Dup (copy)").waitFor();
    const copy = (await server.api("workflows/")).find((each) => each.name === "Dup (copy)");
    const copied = await server.api(`workflows/${copy.id}/export/?format=yaml`);
    assert.match(copied, /^# A comment\nname: Dup \(copy\) # here/);
    assert.match(copied, /enabled: false/);
    await choose("Version history");
    await page.waitForURL("**/vwmp/workflows/dup?show=versions");
    await page.getByRole("list", { name: "Versions, the newest first" }).waitFor();
    await page.goBack();
    await choose("View");
    await page.getByRole("heading", { level: 1, name: "Dup" }).waitFor();
    await page.goBack();
    await choose("Edit");
    await page.waitForURL("**/vwmp/designer/dup");
  });

  test("point 13: deleting asks with the safe button focused, says what goes, and says so while it runs", async ({
    server,
    open,
  }) => {
    await server.workflow(ok("Doomed"), "doomed");
    await server.run("doomed");
    const page = await open();
    await row(page, "Doomed").getByRole("button", { name: "More actions for Doomed" }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Delete “Doomed”?" });
    await dialog.waitFor();
    assert.match(
      await dialog.innerText(),
      /all its versions and its triggers.*can't be taken back.*1 execution stays/s,
    );
    await page.waitForFunction(() => document.activeElement?.textContent === "Cancel");
    await assertAccessibleEverywhere(page, "the question before a deletion", { open: dialog });
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    await row(page, "Doomed").getByRole("button", { name: "More actions for Doomed" }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    let go;
    const held = new Promise((resolve) => {
      go = resolve;
    });
    await page.route("**/api/vwmp/workflows/doomed/", async (route) => {
      await held;
      await route.continue();
    });
    await dialog.getByRole("button", { name: "Delete workflow" }).click();
    await dialog.getByRole("button", { name: "Deleting…" }).waitFor();
    go();
    await dialog.waitFor({ state: "hidden" });
    await row(page, "Doomed").waitFor({ state: "detached" });
    await page.getByText("“Doomed” is deleted").waitFor();
  });

  test("point 13: a deletion that is refused says why in the question", async ({ server, open }) => {
    const { step, open: release } = await gate(server, "busy");
    await server.workflow({ name: "Busy", steps: [step] }, "busy");
    await server.launch("busy");
    const page = await open(undefined, { allow: [/409/] });
    await row(page, "Busy").getByRole("button", { name: "More actions for Busy" }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByRole("button", { name: "Delete workflow" }).click();
    await dialog.getByRole("group", { name: /could not be deleted/ }).waitFor();
    await release();
  });

  test("point 15: bars of the final height stand where data will be, and nothing jumps", async ({ server, open }) => {
    const page = await open(null);
    await page.addInitScript(() => {
      window.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
      }).observe({ type: "layout-shift", buffered: true });
    });
    let go;
    const held = new Promise((resolve) => {
      go = resolve;
    });
    await page.route(/\/api\/vwmp\/(workflows|stats|executions)\//, async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(new URL("/vwmp/", server.url).href);
    const waiting = page.getByRole("table", { name: "Workflows" });
    await waiting.waitFor();
    assert.equal(await waiting.getAttribute("aria-busy"), "true");
    const before = await waiting.locator("tbody tr").first().boundingBox();
    go();
    await row(page, "Alpha").waitFor();
    await page.getByRole("img", { name: /in the last 14 days/ }).waitFor();
    const after = await page.getByRole("table", { name: "Workflows" }).locator("tbody tr").first().boundingBox();
    assert.ok(
      Math.abs(before.y - after.y) < 2 && Math.abs(before.height - after.height) < 2,
      JSON.stringify([before, after]),
    );
    const shift = await page.evaluate(() => window.shift);
    assert.ok(shift < 0.05, `the layout shifted by ${shift}`);
  });

  test("point 16: a running row and tile change within a second, and keep scroll, focus and an open menu", async ({
    server,
    open,
  }) => {
    const { step, open: release } = await gate(server, "live");
    await server.workflow({ name: "Live", steps: [step] }, "live");
    const page = await open("/vwmp/?sort=name", { size: { width: 1440, height: 500 } });
    await row(page, "Live").waitFor();
    await page.evaluate(() => {
      window.stays = true;
    });
    await row(page, "Live").getByRole("button", { name: "More actions for Live" }).click();
    const menu = page.getByRole("menuitem", { name: "View" });
    await menu.waitFor();
    await page.keyboard.press("ArrowDown");
    const scrolled = await page.evaluate(() => window.scrollY);
    assert.ok(scrolled > 0, "the page is scrolled");
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    const held = await focused();
    const shown = (text) =>
      page.evaluate(
        (wanted) =>
          new Promise((resolve) => {
            const begin = performance.now();
            const look = () => {
              const row = [...document.querySelectorAll("tbody tr")].find((tr) => tr.innerText.includes("Live"));
              if (row?.innerText.includes(wanted)) resolve(performance.now() - begin);
              else requestAnimationFrame(look);
            };
            look();
          }),
        text,
      );
    const tileShows = (count) =>
      page.evaluate(
        (wanted) =>
          new Promise((resolve) => {
            const begin = performance.now();
            const look = () => {
              const tile = [...document.querySelectorAll("main a")].find((a) => a.innerText.startsWith("Running now"));
              if (new RegExp(`^Running now\\s+${wanted}\\s`).test(tile?.innerText)) resolve(performance.now() - begin);
              else requestAnimationFrame(look);
            };
            look();
          }),
        count,
      );
    await tileShows(0);
    const began = shown("Running");
    const oneRuns = tileShows(1);
    await server.launch("live");
    assertInTime(await began, 1000, "point 16: from the start to a row that runs");
    assertInTime(await oneRuns, 1000, "point 16: from the start to the tile of what runs");
    assert.equal(await focused(), held);
    const ended = shown("Success");
    const noneRuns = tileShows(0);
    await release();
    assertInTime(await ended, 1000, "point 16: from the end to a row that has ended");
    assertInTime(await noneRuns, 1000, "point 16: from the end to the tile of what runs");
    assert.ok(await menu.isVisible());
    assert.equal(await focused(), held);
    assert.equal(await page.evaluate(() => window.scrollY), scrolled);
    assert.ok(await page.evaluate(() => window.stays), "the page was not loaded anew");
  });

  test("point 16: what an event changes is on the screen within a second of it", async ({ server, open }) => {
    const page = await open(null);
    await page.addInitScript(() => {
      const Real = window.WebSocket;
      window.WebSocket = class extends Real {
        constructor(...given) {
          super(...given);
          this.addEventListener("message", (message) => {
            const event = JSON.parse(message.data);
            if (event.event === "workflow_completed") window.heard = performance.now();
          });
        }
      };
      new MutationObserver(() => {
        if (!window.heard || window.drawn) return;
        const row = [...document.querySelectorAll("tbody tr")].find((tr) => tr.innerText.includes("Fresh"));
        if (row?.innerText.includes("Success")) window.drawn = performance.now();
      }).observe(document, { childList: true, subtree: true, characterData: true, attributes: true });
    });
    await server.workflow(ok("Fresh"), "fresh");
    await page.goto(new URL("/vwmp/", server.url).href);
    await row(page, "Fresh").getByText("Never executed").waitFor();
    await server.launch("fresh");
    await page.waitForFunction(() => window.drawn);
    const late = await page.evaluate(() => window.drawn - window.heard);
    assertInTime(late, 1000, "point 16: from the event to the screen");
  });

  test("point 17: of 1,000 workflows the first stand within a second of the answer, the others by pages", async ({
    server,
    open,
  }) => {
    const [known] = await server.api("workflows/");
    const many = Array.from({ length: 1000 }, (_, n) => ({
      ...known,
      id: `many-${n}`,
      name: `Workflow ${String(n).padStart(4, "0")}`,
      last_executed: null,
      last_status: null,
    }));
    const page = await open(null);
    await page.addInitScript(() => {
      new MutationObserver((_, observer) => {
        if (!document.querySelector("tbody a")) return;
        window.firstRow = performance.now();
        observer.disconnect();
      }).observe(document, { childList: true, subtree: true });
    });
    await page.route("**/api/vwmp/workflows/", (route) => route.fulfill({ json: many }));
    await page.goto(new URL("/vwmp/", server.url).href);
    await row(page, "Workflow 0000").waitFor();
    const late = await page.evaluate(() => {
      const [answer] = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/workflows/"));
      return window.firstRow - answer.responseEnd;
    });
    assertInTime(late, 1000, "point 17: from the answer with 1,000 workflows to the first row");
    assert.equal((await names(page)).length, 50);
    await page.getByRole("button", { name: "Next page" }).click();
    await row(page, "Workflow 0050").waitFor();
    assert.equal(new URL(page.url()).searchParams.get("page"), "2");
    await assertAccessible(page, "1,000 workflows");
    await page.getByRole("searchbox").fill("0999");
    await row(page, "Workflow 0999").waitFor();
    assert.equal((await names(page)).length, 1);
  });

  test("the dashboard is accessible in both themes at every width, and reads at 320 pixels", async ({ open }) => {
    for (const dark of [false, true]) {
      const page = await open("/vwmp/", { dark });
      await row(page, "Alpha").waitFor();
      for (const size of [desktop, phone, narrow]) {
        await page.setViewportSize(size);
        await assertAccessible(page, `the dashboard at ${size.width}, ${dark ? "dark" : "light"}`);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(over <= 0, `${over} pixels too wide at ${size.width}`);
      }
      assert.equal(await row(page, "Alpha").evaluate((tr) => getComputedStyle(tr).display), "grid");
    }
  });

  test("the dashboard is used by keyboard alone", async ({ open }) => {
    const page = await open("/vwmp/?sort=name");
    await row(page, "Alpha").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("alpha");
    await row(page, "Beta").waitFor({ state: "detached" });
    const press = async (key, name) => {
      for (let n = 0; n < 12; n++) {
        await page.keyboard.press(key);
        if ((await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))) === name) return;
      }
      assert.fail(`${name} is not reached by ${key}`);
    };
    await press("Tab", "More actions for Alpha");
    await page.keyboard.press("Enter");
    await page.locator('[role="menuitem"]:focus', { hasText: "View" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Alpha" }).waitFor();
  });
});
